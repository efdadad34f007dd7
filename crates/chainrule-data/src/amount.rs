//! Numbers as people write them: with a unit, with their thousands apart.

/// Signs of currencies, and the percent sign.
const UNITS: [char; 7] = ['%', '$', '€', '£', '¥', '₹', '₽'];

/// What may stand between thousands beside the sign that is not the decimal one: blanks, of which some do not break.
const BLANKS: [char; 3] = [' ', '\u{a0}', '\u{202f}'];

/// A number with a unit before or behind it, such as `$1,234.50`, `-€ 5` or `12 %`, and the unit. `number` reads it without.
pub(crate) fn with_unit(text: &str, number: impl Fn(&str) -> Option<f64>) -> Option<(f64, char)> {
    let (minus, unsigned) = without_minus(text);
    let before = unsigned.chars().next().filter(|first| UNITS.contains(first));
    let (unit, rest) = match before {
        Some(unit) => (unit, &unsigned[unit.len_utf8()..]),
        None => {
            let unit = unsigned.chars().next_back().filter(|last| UNITS.contains(last))?;
            (unit, &unsigned[..unsigned.len() - unit.len_utf8()])
        }
    };
    // One minus may stand before the unit or behind it.
    let (minus_behind, rest) = without_minus(rest.trim_matches(BLANKS));
    if minus && minus_behind || !rest.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | ',')) {
        return None;
    }
    let value = number(rest)?;
    Some((if minus || minus_behind { -value } else { value }, unit))
}

/// A number whose thousands stand apart: `1,234.5`, `1 234.5`; with a decimal `comma` `1.234,5`, `1 234,5`. All groups behind the first have
/// three digits.
pub(crate) fn grouped(text: &str, comma: bool) -> Option<f64> {
    let (minus, unsigned) = without_minus(text);
    let (point, mark) = if comma { (',', '.') } else { ('.', ',') };
    let (whole, fraction) = unsigned.split_once(point).unwrap_or((unsigned, "0"));
    let separator = whole.chars().find(|c| *c == mark || BLANKS.contains(c))?;
    let (first, others) = whole.split_once(separator)?;
    let digits = |text: &str| are_digits(text.as_bytes());
    let begins_well = digits(first) && first.len() <= 3 && !first.starts_with('0');
    if !begins_well || !digits(fraction) || !others.split(separator).all(|group| digits(group) && group.len() == 3) {
        return None;
    }
    let value: f64 = format!("{first}{}.{fraction}", others.replace(separator, "")).parse().ok()?;
    Some(if minus { -value } else { value })
}

/// Whether there is a minus, and what stands behind it.
fn without_minus(text: &str) -> (bool, &str) {
    text.strip_prefix('-').map_or((false, text), |rest| (true, rest))
}

/// Whether a text is one digit or more, and nothing else.
pub(crate) fn are_digits(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_may_stand_apart() {
        for (text, value) in [
            ("1,234", 1234.0),
            ("-12,345,678.25", -12_345_678.25),
            ("1 234", 1234.0),
            ("999\u{a0}000.5", 999_000.5),
            ("1\u{202f}000", 1000.0),
        ] {
            assert_eq!(grouped(text, false), Some(value), "{text}");
            let exchanged: String =
                text.chars().map(|c| [c, '.', ','][usize::from(c == ',') + 2 * usize::from(c == '.')]).collect();
            assert_eq!(grouped(&exchanged, true), Some(value), "{exchanged}");
        }
        for text in [
            "",
            "-",
            "1",
            "1.5",
            "1,2",
            "1,23,456",
            "1,2345",
            "1234,567",
            "0,123",
            "00,123",
            ",123",
            "1,234,",
            "1,234.",
            "1,234 567",
            "1,234.5.6",
            "1,234e5",
            "1,234.5e6",
            "--1,234",
            "+1,234",
            "1,-23",
            "1  234",
            "१,२३४",
            "1,é23",
        ] {
            assert_eq!(grouped(text, false), None, "{text}");
        }
    }

    #[test]
    fn a_unit_stands_before_the_number_or_behind_it() {
        let read = |text: &str| with_unit(text, |number| number.parse().ok());
        for (text, value, unit) in [
            ("12%", 12.0, '%'),
            ("-0.5 %", -0.5, '%'),
            ("$3", 3.0, '$'),
            ("-$3.5", -3.5, '$'),
            ("$-3.5", -3.5, '$'),
            ("€ .5", 0.5, '€'),
            ("7\u{a0}€", 7.0, '€'),
            ("£1e3", 1000.0, '£'),
        ] {
            assert_eq!(read(text), Some((value, unit)), "{text}");
        }
        for text in [
            "", "%", "$", "-", "-%", "$$5", "5%%", "$5%", "5", "a%", "%a", "-$-5", "--$5", "$+5", "inf%", "$nan",
            "5 % 6",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
