//! How far a training is: a live line on a terminal, a plain line now and then elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use chainrule::Event;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::print::number;

/// Time between plain lines.
const PAUSE: Duration = Duration::from_secs(10);

/// Shows the events of one training or of several, one after the other.
pub struct Progress {
    label: String,
    /// Trainings, if it is known how many.
    members: Option<usize>,
    /// The one that runs, from 1.
    member: usize,
    /// Epochs of each, at most.
    epochs: usize,
    /// Epochs of those that are over, and of the one that runs.
    epochs_before: f64,
    epochs_done: f64,
    started: Instant,
    /// Rows seen since the start.
    rows: u64,
    bar: Option<ProgressBar>,
    last_line: Instant,
    costs: String,
}

impl Progress {
    /// For `members` trainings; `label` comes first in every line.
    pub fn new(label: String, members: Option<usize>) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            // Cut where the terminal ends: a line that wraps cannot be drawn over.
            let style = ProgressStyle::with_template("{wide_msg}").unwrap_or(ProgressStyle::default_bar());
            bar.set_style(style);
            bar
        });
        let now = Instant::now();
        let (epochs, epochs_before, epochs_done) = (0, 0.0, 0.0);
        let (member, rows, costs) = (0, 0, String::new());
        Self {
            label,
            members,
            member,
            epochs,
            epochs_before,
            epochs_done,
            started: now,
            rows,
            bar,
            last_line: now,
            costs,
        }
    }

    /// Takes note of an event.
    pub fn see(&mut self, event: &Event<'_>) {
        match event {
            Event::Begin { epochs } => {
                self.member += 1;
                self.epochs = *epochs;
                self.epochs_before += self.epochs_done;
                (self.epochs_done, self.costs) = (0.0, String::new());
            }
            Event::Batch { epoch, batch, batches, rows, .. } => {
                self.rows += *rows as u64;
                self.epochs_done = (*epoch - 1) as f64 + *batch as f64 / *batches as f64;
                self.show(*epoch);
            }
            Event::Epoch(record) => {
                let valid = record.valid_score.map(|score| format!(", valid {}", number(score)));
                self.costs = format!("cost {}{}  ", number(record.train_cost), valid.unwrap_or_default());
                self.show(record.epoch);
            }
            _ => {}
        }
    }

    fn show(&mut self, epoch: usize) {
        if self.bar.is_none() && self.last_line.elapsed() < PAUSE {
            return;
        }
        let seconds = self.started.elapsed().as_secs_f64();
        let rate = self.rows as f64 / seconds.max(1e-9);
        let (rate, left) = (rows_per_second(rate), rounded(seconds * self.left()));
        let Self { epochs, costs, label, member, .. } = self;
        let member = match self.members {
            Some(1) => String::new(),
            Some(members) => format!("member {member}/{members}  "),
            None => format!("member {member}  "),
        };
        // 80 columns hold it, label and all.
        let line = format!("{label}{member}epoch {epoch}/{epochs}  {costs}{rate}  ≤ {left} left");
        if let Some(bar) = &self.bar {
            bar.set_message(line);
        } else {
            eprintln!("{line}");
            self.last_line = Instant::now();
        }
    }

    /// What is still to do, as a part of what is done; less where trainings stop early.
    fn left(&self) -> f64 {
        let members_after = self.members.map_or(0, |members| members.saturating_sub(self.member));
        let left = self.epochs as f64 - self.epochs_done + (members_after * self.epochs) as f64;
        left / (self.epochs_before + self.epochs_done)
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
    fn what_is_left_counts_the_members_to_come() {
        let mut progress = Progress::new(String::new(), Some(3));
        let batch = |epoch| Event::Batch { epoch, batch: 1, batches: 2, rows: 5, cost: 1.0 };
        for event in [Event::Begin { epochs: 10 }, batch(4), Event::Begin { epochs: 10 }, batch(2)] {
            progress.see(&event);
        }
        // The first stopped after 3.5 epochs; the second has done 1.5 of 10, and a third comes.
        assert!((progress.left() - (8.5 + 10.0) / 5.0).abs() < 1e-12, "{}", progress.left());
    }

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
