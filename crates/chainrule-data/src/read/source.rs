//! Where a table's bytes come from, and what they are.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::error::{Error, Result, display_name, is_standard_stream};

/// A file that can be read from its start as often as needed.
pub(super) struct Source {
    /// How messages call it.
    pub(super) name: String,
    file: File,
}

/// How the bytes of a file are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Parquet,
    ArrowFile,
    ArrowStream,
    Text(Compression),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Zstandard,
}

/// First bytes of the formats that are read.
const READ: [(&[u8], Format); 5] = [
    (b"PAR1", Format::Parquet),
    (b"ARROW1", Format::ArrowFile),
    (b"\xff\xff\xff\xff", Format::ArrowStream),
    (b"\x1f\x8b", Format::Text(Compression::Gzip)),
    (b"\x28\xb5\x2f\xfd", Format::Text(Compression::Zstandard)),
];

/// First bytes of the formats that users are likely to try.
const REFUSED: [(&[u8], &str); 9] = [
    (b"PK\x03\x04", "is a zip archive or an Excel workbook; save the table as CSV or Parquet"),
    (b"\xd0\xcf\x11\xe0", "is an Excel workbook; save the table as CSV or Parquet"),
    (b"\xfd7zXZ", "is compressed with xz; decompress it, or use gzip or zstd"),
    (b"BZh", "is compressed with bzip2; decompress it, or use gzip or zstd"),
    (b"FEA1", "is a Feather file of version 1; save it as version 2 or as Parquet"),
    (b"\x89HDF", "is an HDF5 file; save the table as CSV or Parquet"),
    (b"Obj\x01", "is an Avro file; save the table as CSV or Parquet"),
    (b"\xff\xfe", "is UTF-16 text; save it as UTF-8"),
    (b"\xfe\xff", "is UTF-16 text; save it as UTF-8"),
];

impl Source {
    /// Opens a file. What can be read only once (standard input, a pipe) is copied into an unnamed temporary file.
    pub(super) fn open(path: &Path) -> Result<Source> {
        let name = display_name(path);
        let failed = |source| Error::io(path, source);
        if is_standard_stream(path) {
            return Ok(Source { name, file: spool(io::stdin().lock()).map_err(failed)? });
        }
        let file = File::open(path).map_err(failed)?;
        let kind = file.metadata().map_err(failed)?.file_type();
        if kind.is_dir() {
            return Err(Error::file(path, "is a folder, not a file"));
        }
        let file = if kind.is_file() { file } else { spool(file).map_err(failed)? };
        Ok(Source { name, file })
    }

    pub(super) fn format(&self) -> Result<Format> {
        let mut start = Vec::new();
        self.bytes()?.take(8).read_to_end(&mut start).map_err(|source| self.io(source))?;
        if start.is_empty() {
            return Err(self.error("is empty"));
        }
        if let Some((_, reason)) = REFUSED.iter().find(|(magic, _)| start.starts_with(magic)) {
            return Err(self.error(*reason));
        }
        let read = READ.iter().find(|(magic, _)| start.starts_with(magic));
        Ok(read.map_or(Format::Text(Compression::None), |(_, format)| *format))
    }

    /// The file from its start. Only one such reader is used at a time: they share the file's position.
    pub(super) fn bytes(&self) -> Result<File> {
        let mut file = self.file.try_clone().map_err(|source| self.io(source))?;
        file.seek(SeekFrom::Start(0)).map_err(|source| self.io(source))?;
        Ok(file)
    }

    /// The decompressed file from its start.
    pub(super) fn text(&self, compression: Compression) -> Result<Box<dyn Read>> {
        let file = self.bytes()?;
        Ok(match compression {
            Compression::None => Box::new(file),
            Compression::Gzip => Box::new(MultiGzDecoder::new(io::BufReader::new(file))),
            Compression::Zstandard => Box::new(zstd::Decoder::new(file).map_err(|source| self.io(source))?),
        })
    }

    pub(super) fn io(&self, source: io::Error) -> Error {
        match source.kind() {
            io::ErrorKind::UnexpectedEof => self.error("ends too early: the file is cut off"),
            _ => Error::Io { file: self.name.clone(), source },
        }
    }

    pub(super) fn error(&self, message: impl Into<String>) -> Error {
        Error::File { file: self.name.clone(), message: message.into() }
    }
}

fn spool(mut reader: impl Read) -> io::Result<File> {
    let copied = tempfile::tempfile().and_then(|mut file| io::copy(&mut reader, &mut file).map(|_| file));
    let folder = std::env::temp_dir();
    copied.map_err(|error| io::Error::new(error.kind(), format!("cannot be copied to {}: {error}", folder.display())))
}
