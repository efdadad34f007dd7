//! Training that a Python function leads.

use std::time::Duration;

use chainrule::{Compute, Ended, Flow, Scalar, Stepper, TrainSettings};
use numpy::{Element, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::failure::refused;
use crate::model::{Model, Rows};
use crate::signals::Signals;

/// How often the interpreter is asked whether somebody wants to interrupt.
const SIGNALS: Duration = Duration::from_millis(20);

/// What the leading function is told: mean cost and penalty of the pass, why training cannot go on (or None), and how often L-BFGS has
/// found the cost.
type Report = (f64, f64, Option<&'static str>, usize);

/// Trains as long as `lead` gives an order of the rows and, if it likes, a learning rate; None ends it. It is called with None
/// first and then after each pass. Python's other threads run meanwhile.
pub fn train<T: Scalar + Element>(
    py: Python<'_>,
    model: &Model<T>,
    rows: &Rows<'_, T>,
    (settings, threads, resume): (&TrainSettings, usize, bool),
    lead: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let data = rows.dataset()?;
    let mut compute = Compute::new(threads);
    let stepper = py.detach(|| {
        let progress = if resume { model.take_progress(settings)? } else { None };
        Stepper::new(&model.read(), &compute, data, settings, progress)
    });
    let mut stepper = stepper.map_err(refused)?;
    let result = passes(py, model, &mut compute, &mut stepper, lead);
    model.keep_progress(stepper.into_progress());
    result
}

fn passes<T: Scalar + Element>(
    py: Python<'_>,
    model: &Model<T>,
    compute: &mut Compute,
    stepper: &mut Stepper<'_, T>,
    lead: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let mut report: Option<Report> = None;
    loop {
        let next = lead.call1((report,))?;
        if next.is_none() {
            return Ok(());
        }
        let (order, rate): (PyReadonlyArray1<'_, u32>, Option<f64>) = next.extract()?;
        let order = order.as_slice()?;
        rate.into_iter().for_each(|rate| stepper.set_learning_rate(rate));
        let mut signals = Signals::new(SIGNALS);
        let mut look = || if model.has_raised() { Flow::Stop } else { signals.look() };
        let pass = py.detach(|| stepper.pass(&mut model.write(), compute, order, &mut |_| look()));
        if let Some(interrupt) = signals.raised {
            return Err(interrupt);
        }
        model.check_custom()?;
        let pass = pass.map_err(refused)?;
        report = Some((pass.cost, pass.penalty, pass.ended.as_ref().map(name), stepper.evaluations()));
    }
}

fn name(ended: &Ended) -> &'static str {
    match ended {
        Ended::NonFinite { .. } => "non-finite",
        Ended::Converged => "converged",
        _ => "stopped",
    }
}
