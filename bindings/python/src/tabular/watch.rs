//! A training as Python sees it: Ctrl-C ends it after the batch, an observer is told of every epoch.

use std::time::{Duration, Instant};

use chainrule::{EpochRecord, Event, Flow};
use pyo3::prelude::*;

/// Time between looks for Ctrl-C: another thread of Python's may have to let go first.
const PAUSE: Duration = Duration::from_millis(50);

/// Follows a training that runs without the interpreter's lock.
pub(super) struct Watch {
    observer: Option<Py<PyAny>>,
    looked: Instant,
    /// What Python raised: the training was stopped for it.
    pub(super) raised: Option<PyErr>,
}

impl Watch {
    pub(super) fn new(observer: Option<Py<PyAny>>) -> Self {
        Self { observer, looked: Instant::now(), raised: None }
    }

    pub(super) fn see(&mut self, event: &Event<'_>) -> Flow {
        let outcome = match (event, &self.observer) {
            (Event::Epoch(record), Some(observer)) => tell(observer, record),
            _ if self.looked.elapsed() < PAUSE => Ok(()),
            _ => {
                let outcome = Python::attach(|py| py.check_signals());
                self.looked = Instant::now();
                outcome
            }
        };
        match outcome {
            Ok(()) => Flow::Continue,
            Err(error) => {
                self.raised = Some(error);
                Flow::Stop
            }
        }
    }
}

fn tell(observer: &Py<PyAny>, record: &EpochRecord) -> PyResult<()> {
    Python::attach(|py| observer.call1(py, (record.epoch, record.train_cost, record.valid_score)).map(drop))
}
