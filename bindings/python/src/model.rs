//! A network of one precision, and the arrays that it takes.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use chainrule::{
    Compute, Dataset, Inputs, Network, NetworkSpec, Progress, ProgressNumbers, Scalar, SparseMatrix, TrainSettings,
};
use numpy::{Element, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::custom::Raised;
use crate::failure::{layout, refused};

/// A network that many threads may ask and one may train.
pub struct Model<T> {
    network: RwLock<Network<T>>,
    progress: Mutex<Kept<T>>,
    /// What the user's own functions in it have raised.
    raised: Vec<Raised>,
}

/// What the last training left for the next.
enum Kept<T> {
    Nothing,
    Progress(Progress<T>),
    /// As it was kept outside.
    Numbers(ProgressNumbers<T>),
}

/// Steps, the optimizer's buffers, and the powers of Adam's decays, as Python keeps them.
type Numbers<'py> = (u64, Vec<Bound<'py, PyAny>>, [f64; 2]);

/// Rows as Python hands them over: the inputs, the targets and the weights.
pub struct Rows<'py, T: Element> {
    x: Features<'py, T>,
    y: PyReadonlyArray2<'py, T>,
    weights: Option<PyReadonlyArray1<'py, T>>,
}

impl<'py, T: Scalar + Element> Rows<'py, T> {
    /// Arrays of the model's precision.
    pub fn new(x: &Bound<'py, PyAny>, y: &Bound<'py, PyAny>, weights: Option<&Bound<'py, PyAny>>) -> PyResult<Self> {
        let weights = weights.map(|weights| weights.extract::<PyReadonlyArray1<'py, T>>()).transpose()?;
        Ok(Self { x: Features::new(x)?, y: matrix(y, "y")?, weights })
    }

    /// The same as the engine takes it, without a copy.
    pub fn dataset(&self) -> PyResult<Dataset<'_, T>> {
        let weights = self.weights.as_ref().map(|weights| weights.as_slice()).transpose()?;
        Ok(Dataset { inputs: self.x.inputs()?, targets: self.y.as_slice()?, weights, select: None })
    }
}

/// A matrix whose rows lie one behind the other.
fn matrix<'py, T: Element>(array: &Bound<'py, PyAny>, what: &str) -> PyResult<PyReadonlyArray2<'py, T>> {
    let array: PyReadonlyArray2<'py, T> = array.extract()?;
    if array.is_c_contiguous() { Ok(array) } else { Err(layout(what)) }
}

/// The inputs: an array, or a matrix of scipy's in CSR format, whose columns ascend in each row.
enum Features<'py, T: Element> {
    Dense(PyReadonlyArray2<'py, T>),
    Sparse {
        width: usize,
        starts: PyReadonlyArray1<'py, usize>,
        columns: PyReadonlyArray1<'py, u32>,
        values: PyReadonlyArray1<'py, T>,
    },
}

impl<'py, T: Scalar + Element> Features<'py, T> {
    fn new(x: &Bound<'py, PyAny>) -> PyResult<Self> {
        if !x.hasattr("indptr")? {
            return Ok(Self::Dense(matrix(x, "X")?));
        }
        let as_type = |name: &str, kind: &str| x.getattr(name)?.call_method1("astype", (kind,));
        Ok(Self::Sparse {
            width: x.getattr("shape")?.get_item(1)?.extract()?,
            starts: as_type("indptr", "uintp")?.extract()?,
            columns: as_type("indices", "uint32")?.extract()?,
            values: x.getattr("data")?.extract()?,
        })
    }

    /// The same as the engine takes it.
    fn inputs(&self) -> PyResult<Inputs<'_, T>> {
        Ok(match self {
            Self::Dense(x) => Inputs { rows: x.shape()[0], ..Inputs::numeric(x.as_slice()?, x.shape()[1]) },
            Self::Sparse { width, starts, columns, values } => {
                let (starts, columns, values) = (starts.as_slice()?, columns.as_slice()?, values.as_slice()?);
                Inputs::sparse(SparseMatrix { starts, columns, values }, *width)
            }
        })
    }
}

impl<T: Scalar + Element> Model<T> {
    pub fn new(spec: &NetworkSpec, seed: u64, raised: Vec<Raised>) -> PyResult<Self> {
        let network = Network::new(spec, seed).map_err(refused)?;
        Ok(Self { network: RwLock::new(network), progress: Mutex::new(Kept::Nothing), raised })
    }

    /// What a user's own function has raised since the last question.
    pub fn check_custom(&self) -> PyResult<()> {
        self.raised.iter().try_for_each(Raised::check)
    }

    /// Whether there is something for [`check_custom`](Self::check_custom) to raise.
    pub fn has_raised(&self) -> bool {
        self.raised.iter().any(Raised::any)
    }

    /// The network, to look at. Who holds it may wait for the interpreter's lock, in a function of the user's: nobody may ask for it
    /// while holding that lock. A panic elsewhere leaves numbers that are as valid as any.
    pub fn read(&self) -> RwLockReadGuard<'_, Network<T>> {
        self.network.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The network, to change.
    pub fn write(&self) -> RwLockWriteGuard<'_, Network<T>> {
        self.network.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the last training left for one with these settings.
    pub fn take_progress(&self, settings: &TrainSettings) -> chainrule::Result<Option<Progress<T>>> {
        let kept = std::mem::replace(&mut *self.kept(), Kept::Nothing);
        match kept {
            Kept::Nothing => Ok(None),
            Kept::Progress(progress) => Ok(Some(progress)),
            Kept::Numbers(numbers) => Progress::from_numbers(&self.read(), settings, &numbers).map(Some),
        }
    }

    /// Keeps what a training leaves.
    pub fn keep_progress(&self, progress: Progress<T>) {
        *self.kept() = Kept::Progress(progress);
    }

    fn kept(&self) -> MutexGuard<'_, Kept<T>> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the last training left, to be kept outside.
    pub fn progress<'py>(&self, py: Python<'py>) -> Option<Numbers<'py>> {
        let numbers = match &*self.kept() {
            Kept::Nothing => None,
            Kept::Progress(progress) => progress.numbers(),
            Kept::Numbers(numbers) => Some(numbers.clone()),
        };
        let ProgressNumbers { steps, buffers, powers, .. } = numbers?;
        let buffers = buffers.into_iter().map(|buffer| PyArray1::from_vec(py, buffer).into_any());
        Some((steps, buffers.collect(), powers))
    }

    /// Takes over what [`progress`](Self::progress) gave.
    pub fn set_progress(&self, (steps, buffers, powers): Numbers<'_>) -> PyResult<()> {
        let buffer = |buffer: Bound<'_, PyAny>| Ok(buffer.extract::<PyReadonlyArray1<'_, T>>()?.as_slice()?.to_vec());
        let buffers = buffers.into_iter().map(buffer).collect::<PyResult<_>>()?;
        *self.kept() = Kept::Numbers(ProgressNumbers { steps, buffers, powers, average: None });
        Ok(())
    }

    /// A matrix for each parameter.
    pub fn parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let values = py.detach(|| {
            let network = self.read();
            let shapes = network.views().iter().map(|view| [view.rows, view.cols]);
            shapes.enumerate().map(|(p, shape)| (network.parameter(p), shape)).collect()
        });
        arrays(py, values)
    }

    /// Replaces each parameter by its matrix.
    pub fn set_parameters(&self, py: Python<'_>, values: &[Bound<'_, PyAny>]) -> PyResult<()> {
        let arrays = values.iter().map(|values| matrix::<T>(values, "a parameter")).collect::<PyResult<Vec<_>>>()?;
        let values = arrays.iter().map(|array| array.as_slice()).collect::<Result<Vec<_>, _>>()?;
        let replace = || {
            let mut network = self.write();
            let count = network.views().len();
            (0..count).zip(values).try_for_each(|(p, values)| network.set_parameter(p, values))
        };
        py.detach(replace).map_err(refused)
    }

    /// The means of every row; of a head for classes with fewer outputs than classes, their probabilities.
    pub fn predict<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        threads: usize,
        of: Prediction,
    ) -> PyResult<Bound<'py, PyArray2<T>>> {
        let x = Features::new(x)?;
        let inputs = x.inputs()?;
        let values = py.detach(|| {
            let network = self.read();
            let means = network.predict(&mut Compute::new(threads), &inputs)?;
            Ok(of.take(&network, means))
        });
        self.check_custom()?;
        let values = values.map_err(refused)?;
        let columns = values.len().checked_div(inputs.rows).unwrap_or(0);
        PyArray1::from_vec(py, values).reshape([inputs.rows, columns])
    }

    /// The cost of all rows, a sum, and its gradient.
    pub fn gradient<'py>(&self, py: Python<'py>, rows: &Rows<'py, T>) -> PyResult<(f64, Bound<'py, PyList>)> {
        let data = rows.dataset()?;
        let found = py.detach(|| {
            let mut network = self.write();
            let (cost, gradient) = network.gradient(&mut Compute::new(1), &data)?;
            let shapes: Vec<_> = network.views().iter().map(|view| [view.rows, view.cols]).collect();
            Ok((cost, gradient, shapes))
        });
        self.check_custom()?;
        let (cost, gradient, shapes) = found.map_err(refused)?;
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
