//! Models of tables: what the estimators `TabularClassifier` and `TabularRegressor` are made of.

mod failure;
mod table;
mod watch;

use std::path::PathBuf;
use std::time::Duration;

use chainrule::Compute;
use chainrule_data::{Values, counted_rows};
use chainrule_model::{Effort, Fitted, Model, Roles, Settings, parse_time, prepare_rows};
use numpy::ndarray::Array2;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::json;

use failure::{data_error, model_error};
use table::{Table, by_name};
use watch::Watch;

/// Adds the classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Table>()?;
    module.add_class::<TabularModel>()?;
    module.add_function(wrap_pyfunction!(setting_names, module)?)?;
    module.add_function(wrap_pyfunction!(effort_preset, module)?)?;
    module.add_function(wrap_pyfunction!(seconds, module)?)
}

/// The names of all settings.
#[pyfunction]
fn setting_names() -> Vec<String> {
    Settings::keys()
}

/// The preset that an effort is.
#[pyfunction]
fn effort_preset(effort: &str) -> PyResult<&'static str> {
    Ok(effort.parse::<Effort>().map_err(model_error)?.preset().name())
}

/// The seconds of a time such as "90s", "10m" or "1h30m".
#[pyfunction]
fn seconds(time: &str) -> PyResult<f64> {
    Ok(parse_time(time).map_err(model_error)?.as_secs_f64())
}

/// A model; if its training was cut short, what Python raised then; and notes of columns, name and text.
type Trained = (TabularModel, Option<PyErr>, Vec<(String, String)>);

/// A trained model of tables, as a model file holds it.
#[pyclass(frozen, module = "chainrule._chainrule")]
pub struct TabularModel(Model);

#[pymethods]
impl TabularModel {
    /// Trains a model on `table` with `settings`, a JSON object. Returns it with what `observer` or Ctrl-C raised, if anything:
    /// the training was stopped then, and the model is the best so far; and with notes of columns, name and text. `counts`: how often
    /// each row counts. `observer` is called with epoch, most epochs, number of the network, the first and the last of those that train beside it, mean cost, validation
    /// score and learning rate after every epoch and may return true to stop. `time_limit`: seconds from now until the training is stopped.
    #[staticmethod]
    #[pyo3(signature = (settings, table, target, *, weight=None, valid=None, counts=None, threads=1, observer=None, time_limit=None))]
    #[expect(clippy::too_many_arguments, reason = "keywords in Python")]
    fn fit(
        py: Python<'_>,
        settings: &str,
        table: &Table,
        target: String,
        weight: Option<String>,
        valid: Option<PyRef<'_, Table>>,
        counts: Option<PyReadonlyArray1<'_, u32>>,
        threads: usize,
        observer: Option<Py<PyAny>>,
        time_limit: Option<f64>,
    ) -> PyResult<Trained> {
        let settings = Settings::from_json(settings).map_err(model_error)?;
        let roles = Roles { target, weight, ..Roles::default() };
        let valid = valid.as_ref().map(|valid| &valid.0);
        let counts = counts.map(|counts| counts.as_array().to_vec());
        let mut watch = Watch::new(observer, time_limit.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()));
        let fitted = py.detach(|| -> PyResult<(Fitted, Vec<(String, String)>)> {
            let rows = counted_rows(&table.0, counts.as_deref()).map_err(data_error)?;
            let prepared = prepare_rows(&table.0, &rows, valid, &roles, &settings).map_err(model_error)?;
            let notes = prepared.warnings().iter().map(|note| (note.column.clone(), note.message.clone())).collect();
            let fitted = prepared.train(&mut Compute::new(threads), &mut |turn, event| watch.see(turn, event));
            Ok((fitted.map_err(model_error)?, notes))
        });
        // A training that is stopped before anything was learned may fail for it.
        match (fitted, watch.signals.raised) {
            (Ok((fitted, notes)), raised) => Ok((Self(fitted.model), raised, notes)),
            (Err(_), Some(raised)) => Err(raised),
            (Err(error), None) => Err(error),
        }
    }

    /// Reads a model file.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        py.detach(|| Model::load(&path)).map(Self).map_err(model_error)
    }

    /// A model from a model file's content.
    #[staticmethod]
    fn from_bytes(bytes: &[u8]) -> PyResult<Self> {
        Model::from_bytes(bytes, "the saved model").map(Self).map_err(model_error)
    }

    /// Writes a model file, which appears whole or not at all.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| self.0.save(&path)).map_err(model_error)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let bytes = self.0.to_bytes().map_err(model_error)?;
        Ok((py.get_type::<Self>().getattr("from_bytes")?, (PyBytes::new(py, &bytes),)))
    }

    /// What is known about the model besides its parameters, as JSON.
    fn describe(&self) -> String {
        let card = self.0.card();
        let report = &card.training.report;
        let columns: Vec<String> = card.encoder.columns().into_iter().map(|column| column.name).collect();
        let left_out = card.encoder.left_out().iter().map(|warning| (&warning.column, &warning.message));
        let roles = &card.roles;
        let others: Vec<_> = [&roles.weight, &roles.exposure, &roles.event].into_iter().flatten().collect();
        json!({
            "classes": card.target.classes(),
            "target": roles.target,
            "other_columns": others,
            "columns": columns,
            "left_out": left_out.collect::<Vec<_>>(),
            "known": by_name(card.known_columns()),
            "settings": card.settings,
            "history": report.history,
            "best_epoch": report.best_epoch,
            "ended": report.ended,
        })
        .to_string()
    }

    /// The number predicted for each row, or the position of its most probable class.
    fn predict<'py>(&self, py: Python<'py>, table: &Table, threads: usize) -> PyResult<Bound<'py, PyAny>> {
        let predictions = self.predictions(py, table, threads)?;
        Ok(match &predictions.columns[0].values {
            Values::Category(classes) => {
                PyArray1::from_iter(py, classes.codes.iter().map(|&c| i64::from(c))).into_any()
            }
            values => PyArray1::from_iter(py, numbers(values)).into_any(),
        })
    }

    /// The probability of each class for each row (rows x classes).
    fn predict_proba<'py>(
        &self,
        py: Python<'py>,
        table: &Table,
        threads: usize,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let predictions = self.predictions(py, table, threads)?;
        Ok(matrix(py, &predictions, 1..1 + self.0.card().target.classes().len()))
    }

    /// Lower and upper bound of each row's target (rows x 2).
    fn predict_interval<'py>(
        &self,
        py: Python<'py>,
        table: &Table,
        level: f64,
        threads: usize,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let predict = || self.0.predict_with_interval(&mut Compute::new(threads), &table.0, level);
        let predictions = py.detach(predict).map_err(model_error)?;
        let columns = predictions.columns.len();
        Ok(matrix(py, &predictions, columns - 2..columns))
    }

    /// Quantiles of each row's target (rows x levels).
    fn predict_quantiles<'py>(
        &self,
        py: Python<'py>,
        table: &Table,
        levels: Vec<f64>,
        threads: usize,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let predict = || self.0.predict_quantiles(&mut Compute::new(threads), &table.0, &levels);
        let predictions = py.detach(predict).map_err(model_error)?;
        Ok(matrix(py, &predictions, 0..levels.len()))
    }
}

impl TabularModel {
    fn predictions(&self, py: Python<'_>, table: &Table, threads: usize) -> PyResult<chainrule_data::Table> {
        py.detach(|| self.0.predict(&mut Compute::new(threads), &table.0)).map_err(model_error)
    }
}

fn numbers(values: &Values) -> Vec<f64> {
    match values {
        Values::Number(numbers) => numbers.iter().collect(),
        _ => vec![],
    }
}

/// Some columns of numbers side by side.
fn matrix<'py>(
    py: Python<'py>,
    table: &chainrule_data::Table,
    columns: std::ops::Range<usize>,
) -> Bound<'py, PyArray2<f64>> {
    let mut matrix = Array2::zeros((table.rows, columns.len()));
    for (mut cells, column) in matrix.columns_mut().into_iter().zip(&table.columns[columns]) {
        cells.iter_mut().zip(numbers(&column.values)).for_each(|(cell, value)| *cell = value);
    }
    matrix.into_pyarray(py)
}
