//! Tables out of what Python holds: columns as arrays, or a stream of Arrow batches.

use std::collections::BTreeMap;

use arrow_array::ffi_stream::RecordBatchStreamReader;
use arrow_pyarrow::PyArrowType;
use chainrule_data::{Categories, Column, ColumnType, ReadOptions, Values, read_batches};
use numpy::{Element, PyReadonlyArray1};
use pyo3::prelude::*;

use super::failure::data_error;

/// A table that the core can read.
#[pyclass(frozen, module = "chainrule._chainrule")]
pub struct Table(pub(super) chainrule_data::Table);

/// A column: its name, its kind, its values, and for texts the levels that the values are codes of.
type ColumnArg<'py> = (String, String, Bound<'py, PyAny>, Option<Vec<String>>);

#[pymethods]
impl Table {
    /// The table `name` of columns `(name, kind, values, levels)`. Kinds: "number" (float array), "boolean" (0.0, 1.0 or NaN),
    /// "time" (microseconds since 1970), and of "uint32" codes into levels "text", which may turn out to be numbers or times, "label", which
    /// may not, even where a level stands for a missing value, and every [`ColumnType`].
    #[staticmethod]
    fn from_columns(name: &str, columns: Vec<ColumnArg<'_>>) -> PyResult<Self> {
        let columns = columns.into_iter().map(|column| self::column(name, column)).collect::<PyResult<_>>()?;
        Ok(Self(chainrule_data::Table::new(name, columns).map_err(data_error)?))
    }

    /// The table `name` of a stream of Arrow batches, whose columns are called `names`, with `more` columns; `known`: what columns hold
    /// where cells alone may not say it.
    #[staticmethod]
    fn from_arrow(
        name: &str,
        stream: PyArrowType<RecordBatchStreamReader>,
        names: Vec<String>,
        more: Vec<ColumnArg<'_>>,
        known: BTreeMap<String, String>,
    ) -> PyResult<Self> {
        let known = known.into_iter().map(|(name, kind)| Ok((name, kind.parse::<ColumnType>()?)));
        let known = known.collect::<chainrule_data::Result<_>>().map_err(data_error)?;
        let options = ReadOptions { known, ..ReadOptions::default() };
        let mut columns = read_batches(name, stream.0, &options).map_err(data_error)?.columns;
        columns.iter_mut().zip(names).for_each(|(column, name)| column.name = name);
        for column in more {
            columns.push(self::column(name, column)?);
        }
        Ok(Self(chainrule_data::Table::new(name, columns).map_err(data_error)?))
    }

    /// What columns hold where cells of another table like this may not say it.
    fn known(&self) -> BTreeMap<&str, String> {
        by_name(self.0.known_columns())
    }
}

/// Types of columns as Python has them.
pub(super) fn by_name<'a>(columns: impl Iterator<Item = (&'a str, ColumnType)>) -> BTreeMap<&'a str, String> {
    columns.map(|(name, kind)| (name, kind.to_string())).collect()
}

fn column(table: &str, (name, kind, values, levels): ColumnArg<'_>) -> PyResult<Column> {
    let levels = levels.unwrap_or_default();
    let from_levels = |codes: Vec<u32>, levels: &[String], kind| {
        Column::from_levels(&name, &codes, levels, kind, table).map_err(data_error)
    };
    let values = match kind.as_str() {
        "number" => Values::Number(array::<f64>(&values)?.as_array().iter().copied().collect()),
        "boolean" => {
            let flags = array::<f64>(&values)?;
            Values::Boolean(flags.as_array().iter().map(|flag| (!flag.is_nan()).then_some(*flag != 0.0)).collect())
        }
        "time" => Values::Time(array::<i64>(&values)?.as_array().iter().copied().collect()),
        "label" => Values::Category(Categories { codes: array::<u32>(&values)?.as_array().to_vec(), levels }),
        kind => {
            let declared = if kind == "text" { None } else { Some(kind.parse().map_err(data_error)?) };
            return from_levels(array::<u32>(&values)?.as_array().to_vec(), &levels, declared);
        }
    };
    Ok(Column { name, values })
}

fn array<'py, T: Element>(values: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArray1<'py, T>> {
    Ok(values.extract()?)
}
