//! How far a training is: a live line on a terminal, a plain line now and then elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use chainrule::Event;
use chainrule_model::Turn;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::print::number;

/// Time between plain lines.
const PAUSE: Duration = Duration::from_secs(10);

/// Shows the events of a model's trainings.
pub struct Progress {
    label: String,
    /// The first of those that train now; 0 before the first training.
    first: usize,
    /// Epochs of each, at most.
    epochs: usize,
    /// Epochs of those that are over, and of each that trains.
    epochs_before: f64,
    epochs_done: Vec<f64>,
    /// The epoch of the one that is furthest, whose costs are shown.
    furthest: usize,
    started: Instant,
    /// Rows seen since the start.
    rows: u64,
    bar: Option<ProgressBar>,
    last_line: Instant,
    costs: String,
}

impl Progress {
    /// `label` comes first in every line.
    pub fn new(label: String) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            // Cut where the terminal ends: a line that wraps cannot be drawn over.
            let style = ProgressStyle::with_template("{wide_msg}").unwrap_or(ProgressStyle::default_bar());
            bar.set_style(style);
            bar
        });
        let now = Instant::now();
        Self {
            label,
            first: 0,
            epochs: 0,
            epochs_before: 0.0,
            epochs_done: vec![],
            furthest: 0,
            started: now,
            rows: 0,
            bar,
            last_line: now,
            costs: String::new(),
        }
    }

    /// Takes note of an event.
    pub fn see(&mut self, turn: Turn, event: &Event) {
        match event {
            Event::Begin { epochs } => {
                if self.first != turn.first {
                    self.epochs_before += self.epochs_done.iter().sum::<f64>();
                    self.epochs_done = vec![0.0; turn.last + 1 - turn.first];
                    (self.first, self.furthest, self.costs) = (turn.first, 0, String::new());
                }
                self.epochs = *epochs;
            }
            Event::Batch { epoch, batch, batches, rows, .. } => {
                self.rows += *rows as u64;
                self.epochs_done[turn.member - turn.first] = (*epoch - 1) as f64 + *batch as f64 / *batches as f64;
                self.furthest = self.furthest.max(*epoch);
                self.show(turn);
            }
            Event::Epoch(record) => {
                if record.epoch >= self.furthest {
                    let valid = record.valid_score.map(|score| format!(", valid {}", number(score)));
                    self.costs = format!("cost {}{}  ", number(record.train_cost), valid.unwrap_or_default());
                }
                self.show(turn);
            }
            _ => {}
        }
    }

    fn show(&mut self, turn: Turn) {
        if self.bar.is_none() && self.last_line.elapsed() < PAUSE {
            return;
        }
        let seconds = self.started.elapsed().as_secs_f64();
        let rate = self.rows as f64 / seconds.max(1e-9);
        let (rate, left) = (rows_per_second(rate), rounded(seconds * self.left(turn)));
        let Self { epochs, costs, label, furthest, .. } = self;
        let member = match turn {
            Turn { of: 1, .. } => String::new(),
            Turn { first, last, of, .. } if first == last => format!("member {first}/{of}  "),
            Turn { first, last, of, .. } => format!("members {first}-{last}/{of}  "),
        };
        // 80 columns hold it, label and all.
        let line = format!("{label}{member}epoch {furthest}/{epochs}  {costs}{rate}  ≤ {left} left");
        if let Some(bar) = &self.bar {
            bar.set_message(line);
        } else {
            eprintln!("{line}");
            self.last_line = Instant::now();
        }
    }

    /// What is still to do, as a part of what is done; less where trainings stop early.
    fn left(&self, turn: Turn) -> f64 {
        let done: f64 = self.epochs_done.iter().sum();
        let all = ((turn.of + 1 - turn.first) * self.epochs) as f64;
        (all - done) / (self.epochs_before + done)
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
        let mut progress = Progress::new(String::new());
        let batch = |epoch| Event::Batch { epoch, batch: 1, batches: 2, rows: 5, cost: 1.0 };
        let turn = |member, first, last| Turn { member, first, last, of: 5 };
        let begin = Event::Begin { epochs: 10 };
        for (turn, event) in [
            (turn(1, 1, 2), begin),
            (turn(2, 1, 2), begin),
            (turn(1, 1, 2), batch(4)),
            (turn(2, 1, 2), batch(3)),
            (turn(3, 3, 4), begin),
            (turn(4, 3, 4), begin),
            (turn(3, 3, 4), batch(2)),
        ] {
            progress.see(turn, &event);
        }
        // The first two stopped after 3.5 and 2.5 epochs; the third has done 1.5 of 10, the fourth none, and a fifth comes.
        let left = progress.left(turn(3, 3, 4));
        assert!((left - (8.5 + 10.0 + 10.0) / 7.5).abs() < 1e-12, "{left}");
        assert_eq!(progress.furthest, 2);
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
