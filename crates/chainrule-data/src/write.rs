//! Tables into files.

use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::atomic::{check_place, write_atomically};
use crate::error::{Error, Result, is_standard_stream};
use crate::table::{Column, MISSING_TIME, Table, Values};

/// Where a file goes; the Parquet writer needs one that may change threads.
type Out<'a> = &'a mut (dyn Write + Send);

/// Rows converted at a time.
const BATCH: usize = 8192;

/// How a table is written into a file.
type Format = fn(&Table, Out<'_>) -> io::Result<()>;

/// Whether [`write_table`] can write to `path`, as far as it can be told before there is a table.
///
/// # Errors
/// As [`check_place`], and for an ending that names no format.
pub fn check_table_path(path: &Path) -> Result<()> {
    if is_standard_stream(path) {
        return Ok(());
    }
    format(path)?;
    check_place(path)
}

fn format(path: &Path) -> Result<Format> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let formats: [(&str, Format); 4] =
        [(".csv", write_csv), (".csv.gz", write_csv_gz), (".parquet", write_parquet), (".arrow", write_arrow)];
    let found = formats.into_iter().find(|(ending, _)| name.ends_with(ending));
    found
        .map(|(_, format)| format)
        .ok_or_else(|| Error::file(path, "name the file .csv, .csv.gz, .parquet or .arrow to say its format"))
}

/// Writes a table as `.csv`, `.csv.gz`, `.parquet` or `.arrow` by the file's name, or as CSV to standard output where
/// `path` is `-`. What stood in the file is replaced only when the new one is complete.
///
/// # Errors
/// Another ending, or the system's reason why the file cannot be written.
pub fn write_table(table: &Table, path: &Path) -> Result<()> {
    if is_standard_stream(path) {
        let mut out = io::BufWriter::new(io::stdout());
        let written = write_csv(table, &mut out).and_then(|()| out.flush());
        return written.map_err(|source| Error::Io { file: "standard output".to_owned(), source });
    }
    let write = format(path)?;
    write_atomically(path, |out| write(table, out))
}

fn write_csv(table: &Table, out: Out<'_>) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    write_rows(table, &mut writer).map_err(|error| match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    })?;
    writer.flush()
}

fn write_rows(table: &Table, writer: &mut csv::Writer<Out<'_>>) -> csv::Result<()> {
    writer.write_record(table.columns.iter().map(|column| &column.name))?;
    for row in 0..table.rows {
        for column in &table.columns {
            writer.write_field(column.values.text(row).unwrap_or_default())?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    Ok(())
}

fn write_csv_gz(table: &Table, out: Out<'_>) -> io::Result<()> {
    let mut encoder = GzEncoder::new(out, flate2::Compression::default());
    write_csv(table, &mut encoder)?;
    encoder.finish().map(drop)
}

fn write_parquet(table: &Table, out: Out<'_>) -> io::Result<()> {
    let compression = Compression::ZSTD(ZstdLevel::default());
    let properties = WriterProperties::builder().set_compression(compression).build();
    let schema = schema(table);
    let mut writer = ArrowWriter::try_new(out, Arc::clone(&schema), Some(properties))?;
    batches(table, &schema)
        .try_for_each(|batch| writer.write(&batch?).map_err(ArrowError::from))
        .map_err(io::Error::other)?;
    writer.close()?;
    Ok(())
}

fn write_arrow(table: &Table, out: Out<'_>) -> io::Result<()> {
    let schema = schema(table);
    let mut writer = FileWriter::try_new(out, &schema).map_err(io::Error::other)?;
    let written = batches(table, &schema).try_for_each(|batch| writer.write(&batch?));
    written.and_then(|()| writer.finish()).map_err(io::Error::other)
}

fn schema(table: &Table) -> SchemaRef {
    let field = |column: &Column| Field::new(&column.name, data_type(&column.values), true);
    Arc::new(Schema::new(table.columns.iter().map(field).collect::<Vec<_>>()))
}

fn data_type(values: &Values) -> DataType {
    match values {
        Values::Number(numbers) if numbers.is_integer() => DataType::Int64,
        Values::Number(numbers) if numbers.is_single() => DataType::Float32,
        Values::Number(_) => DataType::Float64,
        Values::Boolean(_) => DataType::Boolean,
        Values::Category(_) => DataType::Utf8,
        Values::Time(_) => DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC"))),
    }
}

/// The table in pieces.
fn batches<'a>(table: &'a Table, schema: &'a SchemaRef) -> impl Iterator<Item = Result<RecordBatch, ArrowError>> + 'a {
    (0..table.rows).step_by(BATCH).map(move |start| {
        let rows = start..table.rows.min(start + BATCH);
        let array = |(column, field): (&Column, &Arc<Field>)| array(&column.values, field.data_type(), rows.clone());
        let arrays = table.columns.iter().zip(schema.fields()).map(array).collect();
        RecordBatch::try_new(Arc::clone(schema), arrays)
    })
}

fn array(values: &Values, data_type: &DataType, rows: Range<usize>) -> ArrayRef {
    match values {
        Values::Number(numbers) => {
            let present = rows.map(|row| Some(numbers.get(row)).filter(|value| !value.is_nan()));
            match data_type {
                DataType::Int64 => Arc::new(present.map(|v| v.map(|v| v as i64)).collect::<Int64Array>()),
                DataType::Float32 => Arc::new(present.map(|v| v.map(|v| v as f32)).collect::<Float32Array>()),
                _ => Arc::new(present.collect::<Float64Array>()),
            }
        }
        Values::Boolean(flags) => Arc::new(BooleanArray::from(flags[rows].to_vec())),
        Values::Category(categories) => Arc::new(rows.map(|row| categories.get(row)).collect::<StringArray>()),
        Values::Time(times) => {
            let present = times.micros[rows].iter().map(|&time| Some(time).filter(|&time| time != MISSING_TIME));
            Arc::new(present.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
        }
    }
}
