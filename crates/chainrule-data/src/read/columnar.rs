//! Parquet, Arrow IPC and Arrow batches in memory into tables, batch by batch.

use std::io::BufReader;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchReader};
use arrow_cast::cast;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, DataType, Field, Schema, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::build::{as_category, from_texts};
use crate::categories::CategoriesBuilder;
use crate::error::{Error, Result};
use crate::numbers::Numbers;
use crate::table::{Column, ColumnType, MISSING_TIME, Table, Values};

use super::ReadOptions;
use super::source::Source;

/// Rows decoded at a time: enough to be fast, little beside the table.
const BATCH: usize = 8192;

pub(super) fn read_parquet(source: &Source, options: &ReadOptions) -> Result<Table> {
    let file = source.bytes()?;
    let name = &source.name;
    let builder = guarded(name, || Ok(ParquetRecordBatchReaderBuilder::try_new(file)?))?;
    let plan = Plan::new(name, builder.schema(), options)?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), plan.positions());
    let reader = guarded(name, || Ok(builder.with_projection(mask).with_batch_size(BATCH).build()?))?;
    plan.read(name, reader)
}

pub(super) fn read_arrow_file(source: &Source, options: &ReadOptions) -> Result<Table> {
    let file = BufReader::new(source.bytes()?);
    let reader = guarded(&source.name, || FileReader::try_new(file, None))?;
    read_projected(&source.name, &reader.schema(), reader, options)
}

pub(super) fn read_arrow_stream(source: &Source, options: &ReadOptions) -> Result<Table> {
    let file = BufReader::new(source.bytes()?);
    let reader = guarded(&source.name, || StreamReader::try_new(file, None))?;
    read_projected(&source.name, &reader.schema(), reader, options)
}

/// Reads a table from Arrow batches in memory; `name` is how messages call it.
///
/// Columns hold what [`read_table`](crate::read_table) would find in a file of the same batches, but for those of a
/// dictionary type: these are text, whatever their levels say, as they are in the memory of a program that chose the type.
///
/// # Errors
/// As [`read_table`](crate::read_table).
pub fn read_batches(name: &str, reader: impl RecordBatchReader, options: &ReadOptions) -> Result<Table> {
    let schema = reader.schema();
    let is_dictionary = |field: &&Arc<Field>| matches!(field.data_type(), DataType::Dictionary(..));
    let levels = schema.fields().iter().filter(is_dictionary).map(|field| field.name().clone());
    let mut options = options.clone();
    options.known.extend(levels.map(|name| (name, ColumnType::Category)));
    let table = read_projected(name, &schema, reader, &options)?;
    table.with_rows()
}

/// Reads the wanted columns of batches that have them all.
fn read_projected(
    name: &str,
    schema: &Schema,
    batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    options: &ReadOptions,
) -> Result<Table> {
    let plan = Plan::new(name, schema, options)?;
    let positions = plan.positions();
    plan.read(name, batches.map(|batch| batch?.project(&positions)))
}

/// Runs a step of a decoder. The decoders check most of what they read, but some damage makes them panic (arrow-ipc 60
/// on buffer lengths beyond the file, for one), and a damaged file must not end a program.
fn guarded<T>(name: &str, step: impl FnOnce() -> Result<T, ArrowError>) -> Result<T> {
    let failed = |message| Error::File { file: name.to_owned(), message };
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(done) => done.map_err(|error| failed(format!("cannot be read: {}", reason(&error)))),
        Err(_) => Err(failed("cannot be read: it is damaged".to_owned())),
    }
}

/// What the decoder says, without the kinds of error that it was wrapped in on its way.
fn reason(error: &ArrowError) -> String {
    let text = error.to_string();
    text.rsplit("error: ").next().unwrap_or_default().to_owned()
}

/// The columns that are wanted.
struct Plan {
    columns: Vec<PlannedColumn>,
}

struct PlannedColumn {
    name: String,
    /// Position in the file.
    position: usize,
    declared: Option<ColumnType>,
    builder: Builder,
}

impl Plan {
    fn new(table: &str, schema: &Schema, options: &ReadOptions) -> Result<Plan> {
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let declared = options.declared(table, &names)?;
        let wanted = schema.fields().iter().zip(declared).enumerate();
        let wanted = wanted.filter(|(_, (_, declared))| *declared != Some(ColumnType::Ignore));
        let planned = wanted.map(|(position, (field, declared))| {
            let name = field.name().clone();
            match Builder::new(field.data_type()) {
                Some(builder) => Ok(PlannedColumn { name, position, declared, builder }),
                None => Err(Error::Column {
                    table: table.to_owned(),
                    column: name,
                    message: format!("cannot use values of type {}; ignore or flatten the column", field.data_type()),
                }),
            }
        });
        Ok(Plan { columns: planned.collect::<Result<_>>()? })
    }

    fn positions(&self) -> Vec<usize> {
        self.columns.iter().map(|column| column.position).collect()
    }

    /// Reads batches that have exactly the planned columns.
    fn read(
        mut self,
        table: &str,
        mut batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    ) -> Result<Table> {
        while let Some(batch) = guarded(table, || batches.next().transpose())? {
            for (column, array) in self.columns.iter_mut().zip(batch.columns()) {
                column.builder.push(array).map_err(|error| Error::Column {
                    table: table.to_owned(),
                    column: column.name.clone(),
                    message: error.to_string(),
                })?;
            }
        }
        let columns = self.columns.into_iter().map(|column| column.finish(table));
        Table::new(table, columns.collect::<Result<_>>()?)
    }
}

impl PlannedColumn {
    fn finish(self, table: &str) -> Result<Column> {
        let declared = self.declared;
        let values = match self.builder {
            Builder::Text(texts) => from_texts(texts.finish(), declared),
            Builder::Number(mut numbers) => {
                numbers.shrink();
                as_declared(Values::Number(numbers), declared)
            }
            Builder::Boolean(flags) => as_declared(Values::Boolean(flags), declared),
            Builder::Time(times) => as_declared(Values::Time(times.into_iter().collect()), declared),
        };
        match values {
            Ok(values) => Ok(Column { name: self.name, values }),
            Err((row, message)) => {
                Err(Error::Cell { table: table.to_owned(), row: row + 1, column: self.name, message })
            }
        }
    }
}

/// Values that are not text as what the user says they are: as they are, or as text.
fn as_declared(values: Values, declared: Option<ColumnType>) -> Result<Values, (usize, String)> {
    let Some(declared) = declared.filter(|declared| declared.holds() != values.kind()) else { return Ok(values) };
    let first = (0..values.len()).find_map(|row| Some((row, values.text(row)?)));
    match (declared, first) {
        (ColumnType::Category, _) => Ok(as_category(&values)),
        (_, None) => Ok(Values::missing(declared, values.len())),
        (_, Some((row, text))) => Err((row, declared.refuses(&text))),
    }
}

/// Grows a column from arrays of one type.
enum Builder {
    Number(Numbers),
    Boolean(Vec<Option<bool>>),
    Text(CategoriesBuilder),
    Time(Vec<i64>),
}

impl Builder {
    /// `None` for a type that is no number, truth value, text or time.
    fn new(data_type: &DataType) -> Option<Builder> {
        match data_type {
            DataType::Boolean => Some(Builder::Boolean(Vec::new())),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                Some(Builder::Text(CategoriesBuilder::default()))
            }
            // Writers that do not mark text as such.
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
                Some(Builder::Text(CategoriesBuilder::default()))
            }
            DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => Some(Builder::Time(Vec::new())),
            DataType::Dictionary(_, values) => Builder::new(values),
            DataType::Null | DataType::Time32(_) | DataType::Time64(_) | DataType::Duration(_) => {
                Some(Builder::Number(Numbers::default()))
            }
            numeric => numeric.is_numeric().then(|| Builder::Number(Numbers::default())),
        }
    }

    fn push(&mut self, array: &ArrayRef) -> Result<(), ArrowError> {
        match self {
            Builder::Number(numbers) => {
                let array = cast(&whole_numbers(array)?, &DataType::Float64)?;
                let array = array.as_primitive::<Float64Type>();
                match array.null_count() {
                    0 => numbers.extend(array.values()),
                    _ => array.iter().for_each(|value| numbers.push(value.unwrap_or(f64::NAN))),
                }
            }
            Builder::Boolean(flags) => flags.extend(cast(array, &DataType::Boolean)?.as_boolean().iter()),
            Builder::Text(texts) => {
                let array = cast(array, &DataType::Utf8)?;
                array.as_string::<i32>().iter().for_each(|text| texts.push(text.map(str::trim)));
            }
            Builder::Time(times) => {
                // Taking a zone away keeps the moment.
                let array = cast(array, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
                let values = array.as_primitive::<TimestampMicrosecondType>();
                times.extend(values.iter().map(|time| time.unwrap_or(MISSING_TIME)));
            }
        }
        Ok(())
    }
}

/// Times of day and durations as the counts they are; other arrays as they are.
fn whole_numbers(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match array.data_type() {
        DataType::Time32(_) => cast(&cast(array, &DataType::Int32)?, &DataType::Int64),
        DataType::Time64(_) | DataType::Duration(_) => cast(array, &DataType::Int64),
        _ => Ok(Arc::clone(array)),
    }
}
