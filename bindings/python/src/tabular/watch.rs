//! A training as Python sees it: Ctrl-C and the time limit end it after the batch, an observer is told of every epoch.

use std::time::{Duration, Instant};

use chainrule::{EpochRecord, Event, Flow};
use chainrule_model::Turn;
use pyo3::prelude::*;

use crate::signals::Signals;

/// Time between looks for Ctrl-C: another thread of Python's may have to let go first.
const PAUSE: Duration = Duration::from_millis(50);

/// Follows a training that runs without the interpreter's lock.
pub(super) struct Watch {
    observer: Option<Py<PyAny>>,
    deadline: Option<Instant>,
    /// The most epochs that a network may have.
    epochs: usize,
    pub(super) signals: Signals,
}

impl Watch {
    /// `time_limit`: how long training may go on from now.
    pub(super) fn new(observer: Option<Py<PyAny>>, time_limit: Option<Duration>) -> Self {
        let deadline = time_limit.and_then(|limit| Instant::now().checked_add(limit));
        Self { observer, deadline, epochs: 0, signals: Signals::new(PAUSE) }
    }

    pub(super) fn see(&mut self, turn: Turn, event: &Event) -> Flow {
        let flow = match (event, &self.observer) {
            (Event::Begin { epochs }, _) => {
                self.epochs = *epochs;
                Flow::Continue
            }
            (Event::Epoch(record), Some(observer)) => match self.tell(observer, turn, record) {
                Ok(false) => Flow::Continue,
                Ok(true) => Flow::Stop,
                Err(error) => self.signals.raise(error),
            },
            _ => self.signals.look(),
        };
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) { Flow::Stop } else { flow }
    }

    /// Whether the observer wants to stop.
    fn tell(&self, observer: &Py<PyAny>, turn: Turn, record: &EpochRecord) -> PyResult<bool> {
        let EpochRecord { epoch, train_cost, valid_score, learning_rate, .. } = record;
        let Turn { member, first, last, .. } = turn;
        let told = (*epoch, self.epochs, member, (first, last), *train_cost, *valid_score, *learning_rate);
        Python::attach(|py| observer.call1(py, told)?.bind(py).is_truthy())
    }
}
