//! How far a training is: a live line on a terminal, a plain line now and then elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use chainrule::Event;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::print::number;

/// Time between plain lines.
const PAUSE: Duration = Duration::from_secs(10);

/// Shows a training's events.
pub struct Progress {
    label: String,
    epochs: usize,
    started: Instant,
    /// Rows seen since the start.
    rows: u64,
    bar: Option<ProgressBar>,
    last_line: Instant,
    costs: String,
}

impl Progress {
    /// For a training of at most `epochs` epochs; `label` comes first in every line.
    pub fn new(label: String, epochs: usize) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            // Cut where the terminal ends: a line that wraps cannot be drawn over.
            let style = ProgressStyle::with_template("{prefix}{wide_msg}").unwrap_or(ProgressStyle::default_bar());
            bar.set_style(style);
            bar.set_prefix(label.clone());
            bar
        });
        let now = Instant::now();
        Self { label, epochs, started: now, rows: 0, bar, last_line: now, costs: String::new() }
    }

    /// Takes note of an event.
    pub fn see(&mut self, event: &Event<'_>) {
        match event {
            Event::Batch { epoch, batch, batches, rows, .. } => {
                self.rows += *rows as u64;
                let done = (*epoch - 1) as f64 + *batch as f64 / *batches as f64;
                self.show(*epoch, done);
            }
            Event::Epoch(record) => {
                let valid = record.valid_score.map(|score| format!(", valid {}", number(score)));
                self.costs = format!("cost {}{}  ", number(record.train_cost), valid.unwrap_or_default());
                self.show(record.epoch, record.epoch as f64);
            }
            _ => {}
        }
    }

    fn show(&mut self, epoch: usize, done: f64) {
        if self.bar.is_none() && self.last_line.elapsed() < PAUSE {
            return;
        }
        let seconds = self.started.elapsed().as_secs_f64();
        let rate = self.rows as f64 / seconds.max(1e-9);
        let left = seconds / done * (self.epochs as f64 - done);
        let Self { epochs, costs, label, .. } = self;
        let (rate, left) = (rows_per_second(rate), rounded(left));
        // 80 columns hold it, label and all.
        let line = format!("epoch {epoch}/{epochs}  {costs}{rate}  ≤ {left} left");
        if let Some(bar) = &self.bar {
            bar.set_message(line);
        } else {
            eprintln!("{label}{line}");
            self.last_line = Instant::now();
        }
    }

    /// Clears the live line.
    pub fn finish(self) -> Duration {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.started.elapsed()
    }
}

fn rows_per_second(rate: f64) -> String {
    match rate {
        r if r >= 1e6 => format!("{:.1}M rows/s", r / 1e6),
        r if r >= 1e3 => format!("{:.0}k rows/s", r / 1e3),
        r => format!("{r:.0} rows/s"),
    }
}

/// Seconds to come, which are a guess.
fn rounded(seconds: f64) -> String {
    match seconds.ceil() {
        s if s < 100.0 => format!("{s:.0} s"),
        s if s < 6000.0 => format!("{:.0} min", (s / 60.0).ceil()),
        s => format!("{:.0} h", (s / 3600.0).ceil()),
    }
}

/// Seconds as a person reads them.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 0.0995 => format!("{:.0} ms", (1e3 * s).max(1.0)),
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 60.0 => format!("{s:.0} s"),
        s if s < 3600.0 => format!("{:.0} min {:02.0} s", (s / 60.0).floor(), s % 60.0),
        s => format!("{:.0} h {:02.0} min", (s / 3600.0).floor(), s % 3600.0 / 60.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(duration(0.0), "1 ms");
        assert_eq!(duration(0.0994), "99 ms");
        assert_eq!(duration(3.21), "3.2 s");
        assert_eq!(duration(125.0), "2 min 05 s");
        assert_eq!(duration(3_720.0), "1 h 02 min");
        assert_eq!((rounded(0.2), rounded(99.5), rounded(7200.0)), ("1 s".into(), "2 min".into(), "2 h".into()));
        assert_eq!(rows_per_second(1_234_567.0), "1.2M rows/s");
    }
}
