//! Delimited text into tables.

use std::io::{self, BufRead, Read};

use csv::{ErrorKind, StringRecord};

use crate::build::{Built, ColumnBuilder};
use crate::error::{Error, Result};
use crate::table::{Column, ColumnType, Table};

use super::ReadOptions;
use super::sniff::{Dialect, sniff};
use super::source::{Compression, Source};

/// How much of a file is looked at to find its dialect.
const SAMPLE: u64 = 1 << 18;

pub(super) fn read(source: &Source, compression: Compression, options: &ReadOptions) -> Result<Table> {
    let file = TextFile { source, compression, dialect: dialect(source, compression, options)? };
    let names = file.header()?;
    let declared = options.declared(&source.name, &names.iter().map(String::as_str).collect::<Vec<_>>())?;
    let new_builder = |declared: Option<ColumnType>| match declared {
        Some(ColumnType::Ignore) => None,
        _ => Some(ColumnBuilder::new(declared, file.dialect.comma)),
    };
    let mut builders: Vec<Option<ColumnBuilder>> = declared.into_iter().map(new_builder).collect();
    file.fill(&names, &mut builders)?;
    let mut built = file.finish(&names, builders)?;
    if built.iter().any(|column| matches!(column, Some(Built::ReadAgain(_)))) {
        let again = built.iter().map(|column| match column {
            Some(Built::ReadAgain(kind)) => new_builder(Some(*kind)),
            _ => None,
        });
        let mut builders: Vec<_> = again.collect();
        file.fill(&names, &mut builders)?;
        for (slot, again) in built.iter_mut().zip(file.finish(&names, builders)?) {
            *slot = again.or(slot.take());
        }
    }
    let columns = names.into_iter().zip(built).filter_map(|(name, built)| match built {
        Some(Built::Values(values)) => Some(Column { name, values }),
        _ => None,
    });
    Table::new(&source.name, columns.collect())
}

fn dialect(source: &Source, compression: Compression, options: &ReadOptions) -> Result<Dialect> {
    let delimiter = match options.delimiter.map(u8::try_from) {
        Some(Ok(byte)) if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | b'"') => Some(byte),
        Some(_) => {
            return Err(Error::Setting("the delimiter must be one ASCII character, no quote or line end".into()));
        }
        None => None,
    };
    let mut sample = Vec::new();
    let read = source.text(compression)?.take(SAMPLE).read_to_end(&mut sample);
    read.map_err(|error| text_error(source, compression, error))?;
    Ok(sniff(&sample, sample.len() as u64 == SAMPLE, delimiter))
}

/// A damaged compressed file is told from a disk that fails.
fn text_error(source: &Source, compression: Compression, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => source.io(error),
        _ if compression != Compression::None => source.error(format!("the compressed file is damaged: {error}")),
        _ => source.io(error),
    }
}

/// A text file whose dialect is known.
struct TextFile<'a> {
    source: &'a Source,
    compression: Compression,
    dialect: Dialect,
}

impl TextFile<'_> {
    fn reader(&self) -> Result<csv::Reader<Box<dyn Read>>> {
        Ok(self.dialect.reader().from_reader(self.source.text(self.compression)?))
    }

    /// The columns' names, trimmed; a column without a name is called after its position.
    fn header(&self) -> Result<Vec<String>> {
        let mut reader = self.reader()?;
        let header = reader.headers().map_err(|error| self.error(error))?;
        let name = |(at, name): (usize, &str)| match name.trim() {
            "" => format!("column {}", at + 1),
            name => name.to_owned(),
        };
        Ok(header.iter().enumerate().map(name).collect())
    }

    /// Reads the whole file into `builders`, one per column or none for a column that is not wanted.
    fn fill(&self, names: &[String], builders: &mut [Option<ColumnBuilder>]) -> Result<()> {
        let mut reader = self.reader()?;
        let mut record = StringRecord::new();
        let mut row = 0;
        while reader.read_record(&mut record).map_err(|error| self.error(error))? {
            row += 1;
            for ((field, builder), name) in record.iter().zip(builders.iter_mut()).zip(names) {
                let Some(builder) = builder else { continue };
                builder.push(field).map_err(|message| Error::Cell {
                    table: self.source.name.clone(),
                    row,
                    column: name.clone(),
                    message,
                })?;
            }
        }
        Ok(())
    }

    /// What the columns hold at the end of the file.
    fn finish(&self, names: &[String], builders: Vec<Option<ColumnBuilder>>) -> Result<Vec<Option<Built>>> {
        let column_error = |column: &String, message| Error::Column {
            table: self.source.name.clone(),
            column: column.clone(),
            message,
        };
        let finished = builders.into_iter().zip(names).map(|(builder, name)| {
            builder.map(|builder| builder.finish().map_err(|message| column_error(name, message))).transpose()
        });
        finished.collect()
    }

    /// The first line from `line` on that is not blank: the reader says where it began to look for a record.
    fn past_blank(&self, line: u64) -> u64 {
        let Ok(text) = self.source.text(self.compression) else { return line };
        let lines =
            io::BufReader::new(text).split(b'\n').skip(line.saturating_sub(1) as usize).map_while(io::Result::ok);
        line + lines.take_while(|text| matches!(text.as_slice(), b"" | b"\r")).count() as u64
    }

    fn error(&self, error: csv::Error) -> Error {
        let line = error.position().map_or(1, csv::Position::line);
        let at_line = |message| Error::Line { file: self.source.name.clone(), line: self.past_blank(line), message };
        match error.into_kind() {
            ErrorKind::Io(error) => text_error(self.source, self.compression, error),
            ErrorKind::Utf8 { err, .. } => {
                at_line(format!("field {} is not UTF-8 text; save the file as UTF-8", err.field() + 1))
            }
            ErrorKind::UnequalLengths { expected_len, len, .. } => {
                let fields = if len == 1 { "1 field".to_owned() } else { format!("{len} fields") };
                at_line(format!("{fields} where the header has {expected_len}"))
            }
            kind => self.source.error(format!("{kind:?}")),
        }
    }
}
