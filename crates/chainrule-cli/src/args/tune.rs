//! Arguments of `chainrule tune`.

use std::path::PathBuf;
use std::time::Duration;

use chainrule_model::Score;
use chainrule_model::tune::Space;
use clap::Args;

use super::{DataArgs, RoleArgs, RunArgs, SettingArgs};

/// Search for settings and write the best model: successive halving, the best third of the trials going on with three times the
/// epochs.
///
/// Trials are drawn from a space of settings (below); the first one has the settings as they are. All train on a part of their
/// epochs and are scored on the rows held out; the best third starts again with three times as many epochs, and so on to all.
/// Trials train side by side, one on each core. The same table, settings and seed give the same ranking, whatever the threads.
///
/// Every training is a line of the log. The same command goes on where it was cut, by Ctrl-C too; with --time the best so far
/// becomes the model when time is up. The score of the best trial on the rows that chose it is a little too good: judge the model
/// by `chainrule evaluate` on others.
#[derive(Args)]
#[command(after_help = space())]
pub struct TuneArgs {
    #[command(flatten)]
    pub data: DataArgs,
    #[command(flatten)]
    pub roles: RoleArgs,
    /// Trials to draw
    #[arg(long, default_value_t = 40, value_name = "N", alias = "n-trials", allow_negative_numbers = true)]
    pub trials: usize,
    /// Time after which no training starts or goes on, such as 90s, 10m or 2h [default: no limit]
    #[arg(long, value_name = "TIME", value_parser = chainrule_model::parse_time, allow_negative_numbers = true)]
    pub time: Option<Duration>,
    /// TOML file with a space; keys that it leaves out are those below, `key = []` leaves a setting as it is
    #[arg(long, value_name = "FILE")]
    pub space: Option<PathBuf>,
    /// Score that ranks the trials [default: log_loss for classes, rmse for numbers, deviance for counts, amounts and times]
    #[arg(long, value_name = "SCORE", value_parser = |text: &str| text.parse::<Score>())]
    pub score: Option<Score>,
    /// Log of the trainings, one JSON object a line; a picture of them goes beside it, with the ending .svg
    #[arg(long, value_name = "FILE", default_value = "tune.jsonl")]
    pub log: PathBuf,
    /// Where to write the model
    #[arg(long, short, value_name = "FILE", default_value = "model.safetensors")]
    pub output: PathBuf,
    #[command(flatten)]
    pub run: RunArgs,
    #[command(flatten)]
    pub settings: SettingArgs,
}

fn space() -> String {
    format!(
        "The space, as a file for --space. What it names wins over the settings above; --preset and a preset in --config\n\
         leave only that one.\n\n{}",
        Space::DEFAULT
    )
}
