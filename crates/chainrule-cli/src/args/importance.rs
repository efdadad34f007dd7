//! Arguments of `chainrule importance`.

use std::path::PathBuf;

use chainrule_model::Score;
use clap::Args;

use super::{DataArgs, RunArgs};

/// Show how much each column matters to a model: by how much its score gets worse where the column is shuffled.
///
/// Each column that the model uses is dealt to the rows of TABLE anew, and the model is scored on them: the mean of what it
/// loses and the standard deviation over the repeats, the most important column first. Row weights, exposure and target stay
/// with their rows. Take rows that the model has not learned from. Of two columns that tell the same, each seems to matter
/// little: the other is still there.
#[derive(Args)]
pub struct ImportanceArgs {
    /// Model file
    pub model: PathBuf,
    #[command(flatten)]
    pub data: DataArgs,
    /// How often each column is shuffled
    #[arg(long, default_value_t = 5, value_name = "N", allow_negative_numbers = true)]
    pub repeats: usize,
    /// Score that gets worse [default: log_loss for classes, rmse for numbers, deviance for counts, amounts and times]
    #[arg(long, value_name = "SCORE", value_parser = |text: &str| text.parse::<Score>())]
    pub metric: Option<Score>,
    /// Seed of the shuffles
    #[arg(long, default_value_t = 0, value_name = "N", alias = "random-state")]
    pub seed: u64,
    /// Where to write the table too: .csv, .csv.gz, .parquet or .arrow; `-` is standard output as CSV
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub run: RunArgs,
}
