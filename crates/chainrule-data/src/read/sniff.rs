//! What a delimited text file looks like: delimiter, quote, decimal comma.

use csv::{ByteRecord, ReaderBuilder};

use crate::amount::are_digits;
use crate::cell::{Style, classify};
use crate::table::ColumnType;

/// How the fields of a text file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) quote: u8,
    /// Numbers have a decimal comma.
    pub(super) comma: bool,
}

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

impl Dialect {
    pub(super) fn reader(&self) -> ReaderBuilder {
        let mut builder = ReaderBuilder::new();
        builder.delimiter(self.delimiter).quote(self.quote).buffer_capacity(1 << 18);
        builder
    }

    /// The complete records of `sample`, the first bytes of a file; `cut`: the file goes on behind it.
    fn records(&self, sample: &[u8], cut: bool) -> Vec<ByteRecord> {
        let mut reader = self.reader().has_headers(false).flexible(true).from_reader(sample);
        let mut records: Vec<ByteRecord> = reader.byte_records().filter_map(Result::ok).collect();
        if cut && records.len() > 1 {
            records.pop();
        }
        records
    }
}

/// Finds the dialect of a file from its first bytes; `cut`: the file goes on behind them.
pub(super) fn sniff(sample: &[u8], cut: bool, delimiter: Option<u8>) -> Dialect {
    let candidates = delimiter.map_or(DELIMITERS.to_vec(), |delimiter| vec![delimiter]);
    let mut best = (0, 0);
    let mut dialect = Dialect { delimiter: candidates[0], quote: b'"', comma: false };
    for delimiter in candidates {
        let candidate = Dialect { delimiter, quote: quote(sample, delimiter), comma: false };
        let score = score(&candidate.records(sample, cut));
        if score > best {
            (best, dialect) = (score, candidate);
        }
    }
    dialect.comma = dialect.delimiter != b',' && has_decimal_comma(&dialect.records(sample, cut));
    dialect
}

/// How many records have as many fields as the header, and how many fields; nothing for a single column.
fn score(records: &[ByteRecord]) -> (usize, usize) {
    let fields = records.first().map_or(0, ByteRecord::len);
    match fields {
        0 | 1 => (0, 0),
        _ => (records.iter().filter(|record| record.len() == fields).count(), fields),
    }
}

/// The single quote where fields start and end with it and none starts with the double quote.
fn quote(sample: &[u8], delimiter: u8) -> u8 {
    let is_border = |byte: Option<&u8>| byte.is_none_or(|&b| b == delimiter || b == b'\n' || b == b'\r');
    let (mut opening, mut closing) = (0, 0);
    for (at, &byte) in sample.iter().enumerate() {
        let after_border = at == 0 || is_border(sample.get(at - 1));
        match byte {
            b'"' if after_border => return b'"',
            b'\'' => {
                opening += usize::from(after_border);
                closing += usize::from(is_border(sample.get(at + 1)));
            }
            _ => {}
        }
    }
    if opening > 1 && opening == closing { b'\'' } else { b'"' }
}

/// Numbers that only a decimal comma explains stand in the file, and none that only a point does. Where all could be either, as `1,234`
/// could, those with a comma are taken as decimal unless there are others with a point.
fn has_decimal_comma(records: &[ByteRecord]) -> bool {
    // All others are read alike.
    let may_be = |field: &&[u8]| field.iter().any(|byte| matches!(byte, b',' | b'.'));
    let fields = || records.iter().flat_map(ByteRecord::iter).filter(may_be);
    let is_number = |field: &[u8], comma| {
        let text = std::str::from_utf8(field).unwrap_or_default().trim();
        classify(text, Style { comma, ..Style::default() }).kind() == Some(ColumnType::Number)
    };
    let only = |comma| fields().any(|field| is_number(field, comma) && !is_number(field, !comma));
    match (only(true), only(false)) {
        (false, false) => {
            fields().any(|field| is_decimal(field, b',')) && !fields().any(|field| is_decimal(field, b'.'))
        }
        (comma, point) => comma && !point,
    }
}

/// Digits, one `point`, digits, with a sign or without.
fn is_decimal(field: &[u8], point: u8) -> bool {
    let field = field.trim_ascii();
    let field = field.strip_prefix(b"-").unwrap_or(field);
    let mut parts = field.split(|&byte| byte == point);
    let mut digits = || parts.next().is_some_and(are_digits);
    digits() && digits() && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> (char, char, bool) {
        let Dialect { delimiter, quote, comma } = sniff(text.as_bytes(), false, None);
        (char::from(delimiter), char::from(quote), comma)
    }

    #[test]
    fn dialects_are_told_apart() {
        assert_eq!(found("a,b\n1,2\n"), (',', '"', false));
        assert_eq!(found("a;b\n1,5;2,25\n3;4,5\n"), (';', '"', true));
        assert_eq!(found("a;b\n1,5;2.25\n"), (';', '"', false));
        assert_eq!(found("a;b\n1,5;1.234\n3;€ 9.271,00\n"), (';', '"', true), "thousands apart");
        assert_eq!(found("a;b\n1.5;1,234\n"), (';', '"', false), "thousands apart");
        assert_eq!(found("a;b\n1,234;5\n"), (';', '"', true));
        assert_eq!(found("a\tb\nx, y, z\t2\nu, v\t3\n"), ('\t', '"', false));
        assert_eq!(found("a|b|c\n1|2|3\n"), ('|', '"', false));
        assert_eq!(found("a,b\n'x, y',2\n'z',3\n"), (',', '\'', false));
        assert_eq!(found("a,b\nit's,2\n'tis,3\n"), (',', '"', false));
        assert_eq!(found("a;b\n\"x;\ny\";1\n\"z\";2\n"), (';', '"', false));
        assert_eq!(found("only\n1\n2\n"), (',', '"', false));
    }

    #[test]
    fn a_ragged_row_and_a_cut_one_do_not_mislead() {
        assert_eq!(found("a,b,c\n1,2,3\n1;2;3;4,2\n1,2,3\n").0, ',');
        assert_eq!(sniff(b"a;b\n1;2\n3,4,5,6,7", true, None).delimiter, b';');
        assert!(sniff(b"a;b\n1,5;01.02.2024\n2,5;01.02", true, None).comma, "a cut date is no number");
        assert_eq!(sniff(b"a b\n1 2\n", false, Some(b' ')).delimiter, b' ');
    }
}
