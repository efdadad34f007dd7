//! Activations and heads that are functions of numpy arrays. The engine calls them from its threads, with the interpreter's lock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chainrule::check::Verified;
use chainrule::{Activation, CustomActivation as EngineActivation, CustomHead as EngineHead, Head};
use numpy::{PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::{PyKeyboardInterrupt, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::failure::refused;

/// The first exception of a user's functions: the engine goes on with NaN, and who called it raises this.
#[derive(Clone, Default)]
pub struct Raised(Arc<Mutex<Option<PyErr>>>);

impl Raised {
    fn keep(&self, error: PyErr) {
        self.error().get_or_insert(error);
    }

    /// Whether there is an exception to raise.
    pub fn any(&self) -> bool {
        self.error().is_some()
    }

    /// The exception, if there was one since the last question.
    pub fn check(&self) -> PyResult<()> {
        self.error().take().map_or(Ok(()), Err)
    }

    fn error(&self) -> MutexGuard<'_, Option<PyErr>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An array argument: its numbers, and how many stand in a row; none: it is a vector.
type Argument<'a> = (&'a [f64], Option<usize>);

fn array<'py>(py: Python<'py>, (numbers, width): Argument<'_>) -> PyResult<Bound<'py, PyAny>> {
    let array = PyArray1::from_slice(py, numbers);
    match width {
        None => Ok(array.into_any()),
        Some(width) => Ok(array.reshape([numbers.len() / width.max(1), width])?.into_any()),
    }
}

/// Fills `out` with what `function` gives for these arrays: a vector of as many numbers, in double precision.
fn fill(function: &Py<PyAny>, raised: &Raised, arguments: &[Argument<'_>], out: &mut [f64]) {
    let mut call = || {
        Python::attach(|py| -> PyResult<()> {
            let arguments: Vec<_> = arguments.iter().map(|&argument| array(py, argument)).collect::<PyResult<_>>()?;
            let values = function.bind(py).call1(PyTuple::new(py, arguments)?)?;
            let values: PyReadonlyArray1<'_, f64> = values.extract()?;
            let values = values.as_slice()?;
            if values.len() != out.len() {
                return Err(PyValueError::new_err(format!("{} numbers where {} are needed", values.len(), out.len())));
            }
            out.copy_from_slice(values);
            Ok(())
        })
    };
    let mut called = call();
    // Ctrl-C cuts into whatever Python is doing. Training ends after the batch, which still needs these numbers.
    if let Err(error) = called.as_ref()
        && Python::attach(|py| error.is_instance_of::<PyKeyboardInterrupt>(py))
    {
        let interrupt = std::mem::replace(&mut called, call());
        interrupt.err().into_iter().for_each(|error| raised.keep(error));
    }
    if let Err(error) = called {
        out.fill(f64::NAN);
        raised.keep(error);
    }
}

struct ActivationFunctions {
    name: String,
    phi: Py<PyAny>,
    phi_prime: Py<PyAny>,
    raised: Raised,
}

impl EngineActivation for ActivationFunctions {
    fn name(&self) -> &str {
        &self.name
    }

    fn phi(&self, z: &[f64], h: &mut [f64]) {
        fill(&self.phi, &self.raised, &[(z, None)], h);
    }

    fn phi_prime(&self, z: &[f64], slope: &mut [f64]) {
        fill(&self.phi_prime, &self.raised, &[(z, None)], slope);
    }
}

/// An activation whose derivative has been checked.
#[pyclass(frozen, module = "chainrule._chainrule")]
pub struct CustomActivation {
    pub activation: Activation,
    pub raised: Raised,
}

#[pymethods]
impl CustomActivation {
    /// phi and phi' of vectors.
    #[new]
    fn new(name: String, phi: Py<PyAny>, phi_prime: Py<PyAny>) -> PyResult<Self> {
        let raised = Raised::default();
        let functions = ActivationFunctions { name, phi, phi_prime, raised: raised.clone() };
        let activation = Verified::activation(functions);
        raised.check()?;
        Ok(Self { activation: activation.map_err(refused)?, raised })
    }
}

struct HeadFunctions {
    name: String,
    cost: Py<PyAny>,
    delta: Py<PyAny>,
    mean: Py<PyAny>,
    example: Py<PyAny>,
    raised: Raised,
}

impl EngineHead for HeadFunctions {
    fn name(&self) -> &str {
        &self.name
    }

    fn cost_and_delta(&self, z: &[f64], y: &[f64], delta: &mut [f64]) -> f64 {
        let mut cost = [0.0];
        self.cost_and_delta_of_rows(z, y, delta, &mut cost);
        cost[0]
    }

    fn cost_and_delta_of_rows(&self, z: &[f64], y: &[f64], delta: &mut [f64], costs: &mut [f64]) {
        let rows = costs.len().max(1);
        let arguments = [(y, Some(y.len() / rows)), (z, Some(z.len() / rows))];
        fill(&self.cost, &self.raised, &arguments, costs);
        fill(&self.delta, &self.raised, &arguments, delta);
    }

    fn mean(&self, z: &[f64], o: &mut [f64]) {
        self.mean_of_rows(z.len(), z, o);
    }

    fn mean_of_rows(&self, outputs: usize, z: &[f64], o: &mut [f64]) {
        fill(&self.mean, &self.raised, &[(z, Some(outputs))], o);
    }

    fn example(&self, outputs: usize, uniform: &mut dyn FnMut() -> f64) -> Vec<f64> {
        let uniform: Vec<f64> = (0..outputs).map(|_| uniform()).collect();
        let mut y = vec![0.0; outputs];
        fill(&self.example, &self.raised, &[(&uniform, Some(outputs))], &mut y);
        y
    }
}

/// A head whose derivative has been checked.
#[pyclass(frozen, module = "chainrule._chainrule")]
pub struct CustomHead {
    pub head: Head,
    pub raised: Raised,
}

#[pymethods]
impl CustomHead {
    /// Of rows of targets y and outputs z: `cost(y, z)`, a number for each row, `delta(y, z)`, its derivatives with respect to z,
    /// and `mean(z)`, both row after row. `example(u)` makes possible targets of numbers in [0, 1).
    #[new]
    fn new(name: String, cost: Py<PyAny>, delta: Py<PyAny>, mean: Py<PyAny>, example: Py<PyAny>) -> PyResult<Self> {
        let raised = Raised::default();
        let head = Verified::head(HeadFunctions { name, cost, delta, mean, example, raised: raised.clone() });
        raised.check()?;
        Ok(Self { head: head.map_err(refused)?, raised })
    }
}
