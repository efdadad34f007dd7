//! How far a job of many equal steps is: a live line on a terminal, a plain line now and then elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Time between plain lines.
const PAUSE: Duration = Duration::from_secs(10);

/// Shows how many steps are done.
pub struct Steps {
    bar: Option<ProgressBar>,
    last_line: Instant,
}

impl Steps {
    pub fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            bar.set_style(ProgressStyle::with_template("{wide_msg}").unwrap_or(ProgressStyle::default_bar()));
            bar
        });
        Self { bar, last_line: Instant::now() }
    }

    /// Shows `line`, perhaps.
    pub fn show(&mut self, line: impl FnOnce() -> String) {
        if let Some(bar) = &self.bar {
            bar.set_message(line());
        } else if self.last_line.elapsed() >= PAUSE {
            eprintln!("{}", line());
            self.last_line = Instant::now();
        }
    }

    /// Clears the live line.
    pub fn finish(self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
