//! The class that the estimators are written on.

use chainrule::{Compute, Head, NetworkSpec, TrainSettings};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyList;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::custom::{CustomActivation, CustomHead};
use crate::failure::{refused, unreadable};
use crate::lead;
use crate::model::{Model, Prediction, Rows};

/// A network in single or double precision: built from a specification, trained as a Python function leads, asked for predictions.
///
/// Arrays have the network's precision; threads may share it.
#[pyclass(frozen, module = "chainrule._chainrule")]
pub struct Network(Precision);

enum Precision {
    Single(Model<f32>),
    Double(Model<f64>),
}

/// Evaluates `$body` with `$model`, whatever its precision.
macro_rules! with_model {
    ($network:expr, |$model:ident| $body:expr) => {
        match &$network.0 {
            Precision::Single($model) => $body,
            Precision::Double($model) => $body,
        }
    };
}

#[pymethods]
impl Network {
    /// A network of this specification (JSON), with initial parameters that depend on `seed` alone. `activations`: for each
    /// hidden layer the user's own, or None; `head`: the user's own, or None.
    #[new]
    #[pyo3(signature = (spec, single, seed, activations=vec![], head=None))]
    fn new(
        spec: &str,
        single: bool,
        seed: u64,
        activations: Vec<Option<PyRef<'_, CustomActivation>>>,
        head: Option<PyRef<'_, CustomHead>>,
    ) -> PyResult<Self> {
        let mut spec: NetworkSpec = read(spec)?;
        let mut raised = vec![];
        for (layer, own) in spec.hidden.iter_mut().zip(activations) {
            if let Some(own) = own {
                layer.activation = own.activation;
                raised.push(own.raised.clone());
            }
        }
        if let Some(own) = head {
            spec.head = own.head.clone();
            raised.push(own.raised.clone());
        }
        Ok(Self(if single {
            Precision::Single(Model::new(&spec, seed, raised)?)
        } else {
            Precision::Double(Model::new(&spec, seed, raised)?)
        }))
    }

    /// What the optimizer remembers of the last training: steps, running means and such, and powers of decays; None: nothing.
    fn progress<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        with_model!(self, |model| model.progress(py).map(|numbers| numbers.into_bound_py_any(py)).transpose())
    }

    /// Goes on, when training resumes, from what `progress` gave for a network of the same shape.
    fn set_progress(&self, progress: &Bound<'_, PyAny>) -> PyResult<()> {
        with_model!(self, |model| model.set_progress(progress.extract()?))
    }

    /// Outputs of a network with this head (JSON) for `targets` targets, or for one target of so many classes.
    #[staticmethod]
    fn outputs(head: &str, targets: usize) -> PyResult<usize> {
        Ok(read::<Head>(head)?.outputs(targets))
    }

    /// A matrix for each parameter: W (inputs x outputs) and b (1 x outputs) of the first layer, then of the next.
    fn parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        with_model!(self, |model| model.parameters(py))
    }

    /// Replaces the parameters by matrices of the shapes that `parameters` gives.
    fn set_parameters(&self, py: Python<'_>, values: Vec<Bound<'_, PyAny>>) -> PyResult<()> {
        with_model!(self, |model| model.set_parameters(py, &values))
    }

    /// Trains on X (rows x inputs), y (rows x targets) and weights (rows) as `lead` says: called with None at first and then with
    /// (mean cost, mean penalty, why it cannot go on or None, evaluations of the cost) after each pass, it returns (order of the rows, learning
    /// rate or None) of the next pass, or None to end. `resume`: the optimizer goes on from where it was.
    #[pyo3(signature = (settings, x, y, weights, threads, resume, lead))]
    #[allow(clippy::too_many_arguments)] // Python names them.
    fn train(
        &self,
        py: Python<'_>,
        settings: &str,
        x: &Bound<'_, PyAny>,
        y: &Bound<'_, PyAny>,
        weights: Option<&Bound<'_, PyAny>>,
        threads: usize,
        resume: bool,
        lead: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let settings: TrainSettings = read(settings)?;
        with_model!(self, |model| {
            lead::train(py, model, &Rows::new(x, y, weights)?, (&settings, threads, resume), lead)
        })
    }

    /// The rows' predictions (rows x columns): the "means" of all outputs, "points", one for each target, or a probability for
    /// each of the "classes".
    fn predict<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        threads: usize,
        of: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let of = match of {
            "means" => Prediction::Means,
            "points" => Prediction::Points,
            "classes" => Prediction::Classes,
            other => return Err(PyValueError::new_err(format!("no prediction {other:?}"))),
        };
        with_model!(self, |model| Ok(model.predict(py, x, threads, of)?.into_any()))
    }

    /// The cost of all rows, a sum, and a matrix of its derivatives for each parameter.
    #[pyo3(signature = (x, y, weights))]
    fn gradient<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        weights: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(f64, Bound<'py, PyList>)> {
        with_model!(self, |model| model.gradient(py, &Rows::new(x, y, weights)?))
    }

    /// The engine's derivatives beside an independent reference's, as JSON.
    #[pyo3(signature = (x, y, weights, most))]
    fn certify<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        weights: Option<&Bound<'py, PyAny>>,
        most: Option<usize>,
    ) -> PyResult<String> {
        with_model!(self, |model| {
            let rows = Rows::new(x, y, weights)?;
            let data = rows.dataset()?;
            let certify = || chainrule::check::certify(&model.read(), &mut Compute::new(1), &data, most);
            let certificate = py.detach(certify);
            model.check_custom()?;
            let certificate = certificate.map_err(refused)?;
            let holds = certificate.holds();
            write(&(certificate, holds))
        })
    }

    /// Everything that the gradient of the weight at `place` (layer, from, to) is made of on row `row`, all from 0, as JSON.
    fn explain_weight<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        row: u32,
        place: (usize, usize, usize),
        learning_rate: f64,
    ) -> PyResult<String> {
        with_model!(self, |model| {
            let rows = Rows::new(x, y, None)?;
            let data = rows.dataset()?;
            let explain = || model.read().explain_weight(&mut Compute::new(1), &data, row, place, learning_rate);
            let elements = py.detach(explain);
            model.check_custom()?;
            write(&elements.map_err(refused)?)
        })
    }
}

fn read<T: DeserializeOwned>(text: &str) -> PyResult<T> {
    serde_json::from_str(text).map_err(unreadable)
}

fn write<T: Serialize>(value: &T) -> PyResult<String> {
    serde_json::to_string(value).map_err(unreadable)
}
