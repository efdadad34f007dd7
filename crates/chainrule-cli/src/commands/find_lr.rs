//! `chainrule find-lr`

use chainrule::{RangePoint, RangeTest};
use chainrule_model::{Preset, prepare};
use serde_json::json;

use super::{compute, print_json, program, read};
use crate::args::FindLrArgs;
use crate::failure::{OrFail, Outcome};
use crate::print;

/// Lines of the table of costs, about.
const LINES: usize = 21;
/// Characters of its longest bar.
const WIDTH: f64 = 40.0;

pub fn run(args: &FindLrArgs) -> Outcome {
    // The recipes have their own courses of the rate, for which a test of some steps is no guide.
    let preset = args.settings.leaves_preset_open().then_some(Preset::Plain);
    let settings = args.settings.settings_on(preset.or(args.settings.preset())).or_input()?;
    let table = read(&args.data)?;
    let prepared = prepare(&table, None, &args.roles.roles(), &settings).or_input()?;
    drop(table);
    let found = prepared.range_test(&mut compute(&args.run)).or_input()?;
    let rate = two_digits(found.suggestion);
    let command = command(std::env::args().skip(1), preset, &rate);
    if args.run.json {
        return print_json(&json!({
            "learning_rate": found.suggestion,
            "steepest": found.steepest,
            "lowest": found.lowest,
            "diverged": found.diverged,
            "points": found.points,
            "command": command,
        }));
    }
    print_all(&found, &rate, &command).or_failed()
}

fn print_all(found: &RangeTest, rate: &str, command: &str) -> std::io::Result<()> {
    let points = &found.points;
    let shown = |cost: f64| cost.is_finite().then_some(cost);
    let costs = || points.iter().filter_map(|point| shown(point.smoothed));
    let low = costs().fold(f64::INFINITY, f64::min);
    // What comes after the first cost is off the scale where it is higher.
    let high = points.first().map_or(low, |first| first.smoothed);
    print::line("rate", "cost, smoothed")?;
    for RangePoint { learning_rate, smoothed, .. } in points.iter().step_by(points.len().div_ceil(LINES).max(1)) {
        let part = (smoothed - low) / (high - low);
        let bar = match part {
            part if part <= 1.0 => "#".repeat((part * WIDTH).round() as usize),
            _ => format!("{}>", "#".repeat(WIDTH as usize)),
        };
        print::line(&format!("{learning_rate:.1e}"), &format!("{:<10}{bar}", print::number(*smoothed)))?;
    }
    print::line("steepest", &format!("at {}", two_digits(found.steepest)))?;
    print::line("lowest", &format!("at {}", two_digits(found.lowest)))?;
    let diverged = found.diverged.map_or("nowhere".to_owned(), |rate| format!("at {}", two_digits(rate)));
    print::line("diverged", &diverged)?;
    print::line("suggestion", rate)?;
    print::line("next", command)
}

/// A rate as a person would write it.
fn two_digits(rate: f64) -> String {
    let rounded: f64 = format!("{rate:.1e}").parse().unwrap_or(rate);
    format!("{rounded}")
}

/// The command that trains with this rate, from the arguments that looked for it.
fn command(arguments: impl Iterator<Item = String>, preset: Option<Preset>, rate: &str) -> String {
    const RATES: [&str; 4] = ["--learning-rate", "--lr", "--eta", "--shrinkage-rate"];
    let mut words = vec![print::shell_word(&program()), "train".into()];
    let mut arguments = arguments.skip(1);
    while let Some(argument) = arguments.next() {
        match argument.split_once('=').map_or(argument.as_str(), |(name, _)| name) {
            "--json" => {}
            name if RATES.contains(&name) => {
                if !argument.contains('=') {
                    arguments.next();
                }
            }
            _ => words.push(print::shell_word(&argument)),
        }
    }
    words.extend(preset.into_iter().flat_map(|preset| ["--preset".into(), preset.name().into()]));
    words.extend(["--learning-rate".into(), rate.into()]);
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_two_digits() {
        assert_eq!(two_digits(0.0030457), "0.003");
        assert_eq!(two_digits(0.000_012_6), "0.000013");
        assert_eq!(two_digits(1.26), "1.3");
    }

    #[test]
    fn the_command_keeps_everything_but_the_rate() {
        let words = "find-lr a.csv --target y --lr 0.1 --json --eta=0.2 --hidden 8";
        let of = |preset| command(words.split(' ').map(str::to_owned), preset, "0.003");
        let command = of(None);
        assert!(command.ends_with("train a.csv --target y --hidden 8 --learning-rate 0.003"), "{command}");
        let command = of(Some(Preset::Plain));
        assert!(command.ends_with("--hidden 8 --preset plain --learning-rate 0.003"), "{command}");
    }
}
