//! A search as a picture: every trial's score against the epochs it could train.

use super::Outcome;
use crate::score::Score;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 90.0;
const RIGHT: f64 = 30.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 60.0;
const STYLE: &str = "<style>text{font:12px sans-serif;fill:#333}.axis{stroke:#ccc}.trial{stroke:#4477aa;stroke-opacity:.4;fill:none}\
                     .dot{fill:#4477aa;fill-opacity:.6}.best{stroke:#aa3322;stroke-width:2;fill:none}.best-dot{fill:#aa3322}</style>";

/// An SVG picture of `outcomes` on `rungs` rungs, in which trial number `best` stands out. Scores far worse than the others are
/// drawn at the edge.
pub fn picture(outcomes: &[Outcome], rungs: usize, score: Score, best: usize) -> String {
    let axis = Axis::of(outcomes, score);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\">\n{STYLE}\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"24\">{} on the rows held out, against the budget; red: trial {best}, the best</text>\n",
        score.name()
    );
    svg += &axis.svg();
    for rung in 1..=rungs {
        let x = place(rung, rungs);
        let epochs = outcomes.iter().filter(|o| o.rung == rung).map(|o| o.epochs);
        let label = match (epochs.clone().min(), epochs.max()) {
            (Some(least), Some(most)) if least < most => format!("{least} to {most} epochs"),
            (Some(epochs), _) => format!("{epochs} epochs"),
            _ => "not reached".to_owned(),
        };
        svg += &format!("<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>\n", HEIGHT - BOTTOM + 24.0);
    }
    let mut trials: Vec<usize> = outcomes.iter().map(|o| o.trial).collect();
    trials.sort_unstable();
    trials.dedup();
    // The best lies above the others.
    let (best_last, others): (Vec<usize>, Vec<usize>) = trials.into_iter().partition(|&trial| trial == best);
    for trial in others.into_iter().chain(best_last) {
        svg += &curve(outcomes, trial, trial == best, &|o| Some((place(o.rung, rungs), axis.place(o.score?))));
    }
    svg + "</svg>\n"
}

/// Where a rung stands.
fn place(rung: usize, rungs: usize) -> f64 {
    LEFT + (rung as f64 - 0.5) / rungs as f64 * (WIDTH - LEFT - RIGHT)
}

/// A trial's way over the rungs.
fn curve(outcomes: &[Outcome], trial: usize, best: bool, at: &dyn Fn(&Outcome) -> Option<(f64, f64)>) -> String {
    let mut own: Vec<&Outcome> = outcomes.iter().filter(|o| o.trial == trial).collect();
    own.sort_by_key(|o| o.rung);
    let points: Vec<(f64, f64)> = own.iter().filter_map(|o| at(o)).collect();
    let (line, dot) = if best { ("best", "best-dot") } else { ("trial", "dot") };
    let path = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ");
    let dots = points.iter().map(|(x, y)| format!("<circle class=\"{dot}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>\n"));
    format!("<polyline class=\"{line}\" points=\"{path}\"/>\n{}", dots.collect::<String>())
}

/// The axis of scores, the better ones at the bottom.
struct Axis {
    /// At the bottom.
    good: f64,
    /// At the top.
    bad: f64,
}

impl Axis {
    /// From the best score to that which nine of ten trials reach.
    fn of(outcomes: &[Outcome], score: Score) -> Self {
        let mut scores: Vec<f64> = outcomes.iter().filter_map(|o| o.score).collect();
        scores.sort_by(f64::total_cmp);
        if score.rises() {
            scores.reverse();
        }
        let at = |part: f64| scores.get((part * scores.len() as f64) as usize).or(scores.last()).copied();
        let (good, bad) = (at(0.0).unwrap_or(0.0), at(0.9).unwrap_or(1.0));
        Self { good, bad: if bad == good { good + 1.0 } else { bad } }
    }

    fn place(&self, score: f64) -> f64 {
        let part = ((score - self.good) / (self.bad - self.good)).clamp(0.0, 1.0);
        HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)
    }

    fn svg(&self) -> String {
        const TICKS: usize = 5;
        let tick = |i: usize| {
            let value = self.good + (self.bad - self.good) * i as f64 / (TICKS - 1) as f64;
            let y = self.place(value);
            format!(
                "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
                WIDTH - RIGHT,
                LEFT - 8.0,
                y + 4.0,
                four_digits(value)
            )
        };
        (0..TICKS).map(tick).collect()
    }
}

fn four_digits(x: f64) -> f64 {
    format!("{x:.3e}").parse().unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::super::Choice;
    use super::*;

    #[test]
    fn every_score_has_a_dot_and_every_trial_a_line() {
        let outcome = |trial, rung, score| Outcome {
            trial,
            rung,
            epochs: 10 * rung,
            score,
            best_epoch: None,
            seconds: 0.0,
            choice: Choice::default(),
            error: None,
        };
        let outcomes = [
            outcome(1, 1, Some(0.5)),
            outcome(2, 1, Some(0.3)),
            outcome(3, 1, None),
            outcome(2, 2, Some(0.2)),
            outcome(4, 1, Some(1e9)),
        ];
        let svg = picture(&outcomes, 2, "rmse".parse().unwrap(), 2);
        assert_eq!((svg.matches("<circle").count(), svg.matches("class=\"best-dot\"").count()), (4, 2));
        assert_eq!(svg.matches("<polyline").count(), 4);
        assert!(svg.contains(">10 epochs<") && svg.contains(">20 epochs<") && svg.ends_with("</svg>\n"));
        // The better, the lower; nothing outside.
        let axis = Axis::of(&outcomes, "rmse".parse().unwrap());
        assert!(axis.place(0.2) > axis.place(0.3) && axis.place(1e12) == TOP);
        let axis = Axis::of(&outcomes, "auc".parse().unwrap());
        assert!(axis.place(0.3) > axis.place(0.2) || axis.place(1e9) == HEIGHT - BOTTOM);
        assert!(picture(&[], 1, "auc".parse().unwrap(), 1).contains("not reached"));
    }
}
