//! Ctrl-C while the engine works without the interpreter's lock.

use std::time::{Duration, Instant};

use chainrule::Flow;
use pyo3::prelude::*;

/// Asks the interpreter for signals now and then.
pub struct Signals {
    pause: Duration,
    asked: Instant,
    /// What Python raised: training was stopped for it.
    pub raised: Option<PyErr>,
}

impl Signals {
    /// `pause`: time between questions, each of which may have to wait for another of Python's threads to let go.
    pub fn new(pause: Duration) -> Self {
        Self { pause, asked: Instant::now(), raised: None }
    }

    /// Asks, if it is time to.
    pub fn look(&mut self) -> Flow {
        if self.asked.elapsed() < self.pause {
            return Flow::Continue;
        }
        let asked = Python::attach(|py| py.check_signals());
        self.asked = Instant::now();
        match asked {
            Ok(()) => Flow::Continue,
            Err(error) => self.raise(error),
        }
    }

    /// Stops for an error.
    pub fn raise(&mut self, error: PyErr) -> Flow {
        self.raised = Some(error);
        Flow::Stop
    }
}
