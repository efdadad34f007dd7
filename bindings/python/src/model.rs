//! A network of one precision, and the arrays that it takes.

use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use chainrule::{Compute, Dataset, Inputs, Network, NetworkSpec, Progress, Scalar};
use numpy::{Element, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::failure::{layout, refused};

/// A network that many threads may ask and one may train.
pub struct Model<T> {
    network: RwLock<Network<T>>,
    /// Of the last training.
    pub progress: Mutex<Option<Progress<T>>>,
}

/// Rows as Python hands them over: the inputs, the targets and the weights.
pub struct Rows<'py, T: Element> {
    x: PyReadonlyArray2<'py, T>,
    y: PyReadonlyArray2<'py, T>,
    weights: Option<PyReadonlyArray1<'py, T>>,
}

impl<'py, T: Scalar + Element> Rows<'py, T> {
    /// Arrays of the model's precision.
    pub fn new(x: &Bound<'py, PyAny>, y: &Bound<'py, PyAny>, weights: Option<&Bound<'py, PyAny>>) -> PyResult<Self> {
        let weights = weights.map(|weights| weights.extract::<PyReadonlyArray1<'py, T>>()).transpose()?;
        Ok(Self { x: matrix(x, "X")?, y: matrix(y, "y")?, weights })
    }

    /// The same as the engine takes it, without a copy.
    pub fn dataset(&self) -> PyResult<Dataset<'_, T>> {
        let weights = self.weights.as_ref().map(|weights| weights.as_slice()).transpose()?;
        Ok(Dataset { inputs: inputs(&self.x)?, targets: self.y.as_slice()?, weights, select: None })
    }
}

/// A matrix whose rows lie one behind the other.
fn matrix<'py, T: Element>(array: &Bound<'py, PyAny>, what: &str) -> PyResult<PyReadonlyArray2<'py, T>> {
    let array: PyReadonlyArray2<'py, T> = array.extract()?;
    if array.is_c_contiguous() { Ok(array) } else { Err(layout(what)) }
}

fn inputs<'a, T: Scalar + Element>(x: &'a PyReadonlyArray2<'_, T>) -> PyResult<Inputs<'a, T>> {
    let [rows, width] = [x.shape()[0], x.shape()[1]];
    Ok(Inputs { rows, ..Inputs::numeric(x.as_slice()?, width) })
}

impl<T: Scalar + Element> Model<T> {
    pub fn new(spec: &NetworkSpec, seed: u64) -> PyResult<Self> {
        let network = Network::new(spec, seed).map_err(refused)?;
        Ok(Self { network: RwLock::new(network), progress: Mutex::new(None) })
    }

    /// The network, to look at. A panic elsewhere leaves numbers that are as valid as any.
    pub fn read(&self) -> RwLockReadGuard<'_, Network<T>> {
        self.network.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The network, to change.
    pub fn write(&self) -> RwLockWriteGuard<'_, Network<T>> {
        self.network.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the last training left for the next.
    pub fn take_progress(&self) -> Option<Progress<T>> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Keeps what a training leaves.
    pub fn keep_progress(&self, progress: Option<Progress<T>>) {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = progress;
    }

    /// A matrix for each parameter.
    pub fn parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let network = self.read();
        let shapes = network.views().iter().map(|view| [view.rows, view.cols]);
        let values: Vec<_> = shapes.enumerate().map(|(p, shape)| (network.parameter(p), shape)).collect();
        arrays(py, values)
    }

    /// Replaces each parameter by its matrix.
    pub fn set_parameters(&self, values: &[Bound<'_, PyAny>]) -> PyResult<()> {
        let mut network = self.write();
        for (p, values) in values.iter().enumerate().take(network.views().len()) {
            let values: PyReadonlyArray2<'_, T> = matrix(values, "a parameter")?;
            network.set_parameter(p, values.as_slice()?).map_err(refused)?;
        }
        Ok(())
    }

    /// The means of every row; of a head for classes with fewer outputs than classes, their probabilities.
    pub fn predict<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        threads: usize,
        of: Prediction,
    ) -> PyResult<Bound<'py, PyArray2<T>>> {
        let x = matrix(x, "X")?;
        let inputs = inputs(&x)?;
        let values = py.detach(|| {
            let network = self.read();
            let means = network.predict(&mut Compute::new(threads), &inputs)?;
            Ok(of.take(&network, means))
        });
        let values = values.map_err(refused)?;
        let columns = values.len().checked_div(inputs.rows).unwrap_or(0);
        PyArray1::from_vec(py, values).reshape([inputs.rows, columns])
    }

    /// The cost of all rows, a sum, and its gradient.
    pub fn gradient<'py>(&self, py: Python<'py>, rows: &Rows<'py, T>) -> PyResult<(f64, Bound<'py, PyList>)> {
        let data = rows.dataset()?;
        let (cost, gradient, shapes) = py
            .detach(|| {
                let mut network = self.write();
                let (cost, gradient) = network.gradient(&mut Compute::new(1), &data)?;
                let shapes: Vec<_> = network.views().iter().map(|view| [view.rows, view.cols]).collect();
                Ok((cost, gradient, shapes))
            })
            .map_err(refused)?;
        Ok((cost, arrays(py, gradient.into_iter().zip(shapes).collect())?))
    }
}

fn arrays<T: Element>(py: Python<'_>, values: Vec<(Vec<T>, [usize; 2])>) -> PyResult<Bound<'_, PyList>> {
    let arrays = values.into_iter().map(|(values, shape)| PyArray1::from_vec(py, values).reshape(shape));
    PyList::new(py, arrays.collect::<PyResult<Vec<_>>>()?)
}

/// What is asked of a network.
#[derive(Clone, Copy)]
pub enum Prediction {
    /// The means of all outputs.
    Means,
    /// One number for each target.
    Points,
    /// One probability for each class.
    Classes,
}

impl Prediction {
    fn take<T: Scalar>(self, network: &Network<T>, means: Vec<T>) -> Vec<T> {
        let NetworkSpec { head, outputs, .. } = network.spec();
        let convert = |f: &dyn Fn(&[f64]) -> Vec<f64>| {
            let means: Vec<f64> = means.iter().map(|x| x.to_f64()).collect();
            f(&means).into_iter().map(T::from_f64).collect()
        };
        match self {
            Self::Points if head.points(&vec![0.0; *outputs], *outputs).len() < *outputs => {
                convert(&|means| head.points(means, *outputs))
            }
            Self::Classes => convert(&|means| head.class_probabilities(means, *outputs)),
            _ => means,
        }
    }
}
