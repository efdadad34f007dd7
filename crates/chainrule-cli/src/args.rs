//! The command line.

mod importance;
mod tune;

use std::path::PathBuf;
use std::time::Duration;

use chainrule::{Activation, Head, Initializer, Metric, Optimizer, Schedule};
use chainrule_data::{ColumnType, NumericScaling, ReadOptions};
use chainrule_model::{Effort, OneOrMany, Preset, Roles, Settings, TaskChoice};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::values;

pub use importance::ImportanceArgs;
pub use tune::TuneArgs;

/// Feedforward networks for tables, trained by hand-derived backpropagation.
///
/// A table goes in (CSV, Parquet or Arrow, `-` for standard input), a trained network and its predictions come out.
#[derive(Parser)]
#[command(name = "chainrule", version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "Examples:
  chainrule train houses.csv --target price
  chainrule train train.parquet --target label --test test.parquet --output label.safetensors
  chainrule predict label.safetensors new.parquet -o predictions.csv
  chainrule evaluate label.safetensors test.parquet
  chainrule cv houses.csv --target price --folds 5
  chainrule importance label.safetensors test.parquet
  chainrule tune houses.csv --target price --time 10m";

#[derive(Subcommand)]
pub enum Command {
    /// Train a network on a table and write the model
    Train(TrainArgs),
    /// Look for a learning rate: train for a moment with rates from far too small to far too large
    FindLr(FindLrArgs),
    Tune(TuneArgs),
    /// Predict the rows of a table
    Predict(PredictArgs),
    /// Score a model on a table that has the target
    Evaluate(EvaluateArgs),
    /// Cross-validate: score every row by a model that has not seen it
    Cv(CvArgs),
    Importance(ImportanceArgs),
    /// Show what a model is made of and how it was trained
    Inspect(InspectArgs),
    /// Prove the derivatives: of everything built in, or of a model on the rows of a table
    Check(CheckArgs),
    /// Show everything that the gradient of one weight is made of, and what a step on it does
    ExplainWeight(ExplainWeightArgs),
    /// Print a shell's completion script
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Args)]
pub struct TrainArgs {
    #[command(flatten)]
    pub data: DataArgs,
    #[command(flatten)]
    pub roles: RoleArgs,
    /// Table whose rows choose the best epoch (instead of a part of TABLE)
    #[arg(long, value_name = "FILE", alias = "valid-data")]
    pub valid: Option<PathBuf>,
    /// Table to score the finished model on
    #[arg(long, value_name = "FILE", alias = "test-data")]
    pub test: Option<PathBuf>,
    /// Where to write the model
    #[arg(long, short, value_name = "FILE", default_value = "model.safetensors", alias = "output-model")]
    pub output: PathBuf,
    /// Longest time from start to model, such as 90s, 10m or 1h30m: when it is over, training ends as it does with Ctrl-C, and
    /// the best epochs so far are the model
    #[arg(long, value_name = "TIME", value_parser = chainrule_model::parse_time)]
    pub time: Option<Duration>,
    #[command(flatten)]
    pub run: RunArgs,
    #[command(flatten)]
    pub settings: SettingArgs,
}

#[derive(Args)]
pub struct CvArgs {
    #[command(flatten)]
    pub data: DataArgs,
    #[command(flatten)]
    pub roles: RoleArgs,
    /// Parts into which the rows are cut; each is held out once
    #[arg(long, default_value_t = 5, value_name = "N", alias = "nfold")]
    pub folds: usize,
    #[command(flatten)]
    pub run: RunArgs,
    #[command(flatten)]
    pub settings: SettingArgs,
}

#[derive(Args)]
pub struct FindLrArgs {
    #[command(flatten)]
    pub data: DataArgs,
    #[command(flatten)]
    pub roles: RoleArgs,
    #[command(flatten)]
    pub run: RunArgs,
    #[command(flatten)]
    pub settings: SettingArgs,
}

#[derive(Args)]
pub struct PredictArgs {
    /// Model file
    pub model: PathBuf,
    #[command(flatten)]
    pub data: DataArgs,
    /// Where to write the predictions: .csv, .csv.gz, .parquet or .arrow; `-` is standard output as CSV
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    pub output: PathBuf,
    /// Add the columns `lower` and `upper`, between which the target is with this probability, such as 0.9
    #[arg(long, value_name = "LEVEL")]
    pub interval: Option<f64>,
    /// Add what each column contributes to the prediction, by integrated gradients: `baseline`, `contribution_<column>` for each
    /// column and `completeness_residual`, which is what they sum to less the prediction. They are on the link's scale: numbers in
    /// the target's unit, logarithms of counts and amounts, log-odds of two classes, logits of more. The baseline is a row of which nothing is known:
    /// numbers at the mean of training, categories at no level
    #[arg(long)]
    pub contributions: bool,
    /// Class whose logit the contributions add up to [default: the predicted one]
    #[arg(long, value_name = "CLASS", requires = "contributions")]
    pub class: Option<String>,
    #[command(flatten)]
    pub run: RunArgs,
}

#[derive(Args)]
pub struct EvaluateArgs {
    /// Model file
    pub model: PathBuf,
    #[command(flatten)]
    pub data: DataArgs,
    #[command(flatten)]
    pub run: RunArgs,
}

#[derive(Args)]
pub struct CheckArgs {
    /// Model file; without one every combination of what is built in is checked
    #[arg(requires = "table")]
    pub model: Option<PathBuf>,
    /// Table with the target
    pub table: Option<PathBuf>,
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Rows to check on, spread over the table
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub rows: usize,
    /// Parameters to compare, drawn at random; 0: all, which takes an evaluation of the cost for each
    #[arg(long, default_value_t = 500, value_name = "N")]
    pub parameters: usize,
    /// Where to write the certificate of a model: this name with .json and with .txt
    #[arg(long, short, value_name = "NAME", default_value = "certificate")]
    pub output: PathBuf,
    #[command(flatten)]
    pub run: RunArgs,
}

#[derive(Args)]
pub struct ExplainWeightArgs {
    /// Model file
    pub model: PathBuf,
    #[command(flatten)]
    pub data: DataArgs,
    /// Row of the table, from 1
    #[arg(long, value_name = "N")]
    pub row: usize,
    /// Layer l of the weight matrix, from 1 at the input
    #[arg(long, value_name = "N")]
    pub layer: usize,
    /// Node that the weight comes from: its number in layer l - 1, from 1, or its name (a column)
    #[arg(long, value_name = "NODE")]
    pub from: String,
    /// Node that the weight goes to: its number in layer l, from 1, or its name (a class)
    #[arg(long, value_name = "NODE")]
    pub to: String,
    /// Which network of a model of several, from 1
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub member: usize,
    #[command(flatten)]
    pub run: RunArgs,
}

#[derive(Args)]
pub struct InspectArgs {
    /// Model file
    pub model: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct DataArgs {
    /// Table: CSV, Parquet or Arrow, told by its content; .gz and .zst too; `-` for standard input
    pub table: PathBuf,
    #[command(flatten)]
    pub reading: ReadingArgs,
}

#[derive(Args)]
pub struct ReadingArgs {
    /// Type of a column where it was taken for something else: number, category, boolean, time, ignore; or month_first, day_first: how
    /// dates such as 8/5/2024 are written
    #[arg(long, value_name = "COLUMN=TYPE", value_delimiter = ',', value_parser = values::column_type)]
    pub types: Vec<(String, ColumnType)>,
    /// Delimiter of a CSV file, if it is not found out
    #[arg(long, value_name = "CHAR")]
    pub delimiter: Option<char>,
}

impl ReadingArgs {
    /// `known`: what columns held in a table of the same kind.
    pub fn options<'a>(&self, known: impl IntoIterator<Item = (&'a str, ColumnType)>) -> ReadOptions {
        ReadOptions {
            types: self.types.iter().cloned().collect(),
            known: known.into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect(),
            delimiter: self.delimiter,
        }
    }
}

#[derive(Args)]
pub struct RoleArgs {
    /// Column to predict
    #[arg(long, value_name = "COLUMN", alias = "label", alias = "label-column")]
    pub target: String,
    /// Column of row weights
    #[arg(long, value_name = "COLUMN", alias = "weight-column")]
    pub weight: Option<String>,
    /// Column of the exposure of a count or amount: the rate per unit of it is learned
    #[arg(long, value_name = "COLUMN")]
    pub exposure: Option<String>,
    /// Column that says whether the event was seen (1) or the time in the target was cut off before it (0)
    #[arg(long, value_name = "COLUMN")]
    pub event: Option<String>,
    /// Columns not to use, separated by commas
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', alias = "ignore-column")]
    pub ignore: Vec<String>,
}

impl RoleArgs {
    pub fn roles(&self) -> Roles {
        Roles {
            target: self.target.clone(),
            weight: self.weight.clone(),
            exposure: self.exposure.clone(),
            event: self.event.clone(),
            ignore: self.ignore.clone(),
        }
    }
}

#[derive(Args)]
pub struct RunArgs {
    /// Threads; 0: one for each core. The result does not depend on it
    #[arg(long, default_value_t = 0, value_name = "N", alias = "num-threads", alias = "n-jobs")]
    #[arg(value_parser = clap::value_parser!(u16).range(0..=1024), allow_negative_numbers = true)]
    pub threads: u16,
    /// Instruction set, to compare one with another: avx512, avx2, neon, portable. The result does not depend on it
    #[arg(long, value_name = "NAME", env = "CHAINRULE_ISA", hide_env_values = true)]
    pub isa: Option<chainrule::Isa>,
    /// Print one JSON object on standard output
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum TaskArg {
    Auto,
    Regression,
    #[value(alias = "binary", alias = "multiclass")]
    Classification,
    #[value(alias = "poisson")]
    Count,
}

/// How to build and train the model. Flags win over the settings file.
#[derive(Args)]
#[command(next_help_heading = "Settings")]
pub struct SettingArgs {
    /// TOML file with any of these settings as keys, such as learning_rate = 0.003
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How much time a good model may take: fast is the preset plain; default is auto; best is the preset best [default: default]
    #[arg(long, value_parser = values::effort(), hide_possible_values = false, conflicts_with = "preset")]
    effort: Option<Effort>,
    /// Set of settings to start from; what is given beside it wins: auto, what suits the table; best, more such networks;
    /// plain; realmlp, RealMLP-TD for tables (arXiv 2407.04491); realmlp_s, its simplified variant; tabm, an ensemble of 32
    /// networks that share most weights (arXiv 2410.24210), slow and accurate; tabm-mini, one that shares more of them
    /// [default: auto]
    #[arg(long, value_parser = values::preset(), hide_possible_values = false)]
    preset: Option<Preset>,
    /// What is predicted [default: told from the target]
    #[arg(long, value_enum)]
    task: Option<TaskArg>,
    /// Likelihood of the target [default: by task]: gaussian, laplace, huber, student_t, quantile, bernoulli, categorical,
    /// ordinal, poisson, negative_binomial, gamma, tweedie, beta, weibull_aft; with parameters as in
    /// `student_t:degrees=6,scale=learned`, lists as in `quantile:levels=0.1/0.5/0.9`
    #[arg(long, value_name = "HEAD", value_parser = values::head, alias = "objective")]
    head: Option<Head>,
    /// Classes from the lowest to the highest, for the ordinal head
    #[arg(long, value_name = "CLASSES", value_delimiter = ',')]
    class_order: Vec<String>,
    /// Units of each hidden layer; `--hidden=` for none [default: by preset]
    #[arg(long, value_name = "WIDTHS", value_parser = widths)]
    hidden: Option<Widths>,
    /// Activation of the hidden layers: one, or one for each [default: by preset]
    #[arg(long, value_parser = values::activation(), value_delimiter = ',')]
    activation: Vec<Activation>,
    /// Probability with which a hidden unit is dropped [default: by preset]
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    dropout: Option<f64>,
    /// Initial weights [default: by activation]
    #[arg(long, value_parser = values::initializer(), hide_possible_values = false)]
    initializer: Option<Initializer>,
    /// Optimizer [default: adam]. rprop is for batches of all rows, lbfgs always takes all rows and is for small networks
    /// without dropout, `--hidden=` above all; a settings file can change their constants, as in
    /// optimizer = { kind = "lbfgs", tolerance = 1e-6 }
    #[arg(long, value_parser = values::optimizer())]
    optimizer: Option<Optimizer>,
    /// Learning rate [default: by preset]
    #[arg(
        long,
        value_name = "RATE",
        alias = "lr",
        alias = "eta",
        alias = "shrinkage-rate",
        allow_negative_numbers = true
    )]
    learning_rate: Option<f64>,
    /// Course of the learning rate [default: by preset]
    #[arg(long, value_parser = values::schedule())]
    schedule: Option<Schedule>,
    /// Rows of a batch [default: by preset]
    #[arg(long, value_name = "ROWS", alias = "batch-size", allow_negative_numbers = true)]
    batch: Option<usize>,
    /// Passes over the training rows, at most [default: by preset]
    #[arg(long, value_name = "N", alias = "num-iterations", alias = "max-iter", allow_negative_numbers = true)]
    epochs: Option<usize>,
    /// Epochs without a better score after which training stops; 0: never [default: by preset]
    #[arg(
        long,
        value_name = "N",
        alias = "early-stopping-round",
        alias = "early-stopping-rounds",
        allow_negative_numbers = true
    )]
    patience: Option<usize>,
    /// Score on the validation rows that chooses the best epoch [default: by preset]
    #[arg(long, value_parser = values::metric())]
    metric: Option<Metric>,
    /// Penalty on the sum of |w| [default: 0]
    #[arg(long, value_name = "FACTOR", alias = "lambda-l1", allow_negative_numbers = true)]
    l1: Option<f64>,
    /// Penalty on half the sum of w^2 [default: 0]
    #[arg(long, value_name = "FACTOR", alias = "lambda-l2", allow_negative_numbers = true)]
    l2: Option<f64>,
    /// Longest gradient; a longer one is shortened to it [default: no limit]
    #[arg(long, value_name = "LENGTH", allow_negative_numbers = true)]
    clip_norm: Option<f64>,
    /// The model gets the average of the parameters over the steps, with this decay, such as 0.999 [default: the last ones]
    #[arg(long, value_name = "DECAY", allow_negative_numbers = true)]
    ema: Option<f64>,
    /// Part of the rows held out to choose the best epoch [default: 0.2; auto, best: 0.05 beyond 8,192
    /// rows, but for counts and amounts]
    #[arg(long, value_name = "FRACTION", allow_negative_numbers = true)]
    valid_fraction: Option<f64>,
    /// Networks, each trained on all rows but for a part of its own, that are averaged [default:
    /// auto: 2, 4 up to 1,000 rows; best: 5 to 16; else 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    members: Option<usize>,
    /// Categories with more levels get trainable vectors [default: by preset]
    #[arg(long, value_name = "N", alias = "max-cat-to-onehot", allow_negative_numbers = true)]
    one_hot_max_levels: Option<usize>,
    /// A level of such a category counts as unseen where fewer training rows have it [default: 2]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    min_level_rows: Option<usize>,
    /// Whether missing categories and truth values get an input of their own, or are zeros [default: by preset]
    #[arg(long, value_name = "BOOL")]
    category_indicator: Option<bool>,
    /// How numbers become inputs: mean 0 and standard deviation 1; distance from the median, clipped smoothly; normal scores
    /// of ranks [default: by preset]
    #[arg(long, value_parser = values::numeric_scaling())]
    numeric_scaling: Option<NumericScaling>,
    /// Seed of everything random [default: 0]
    #[arg(long, value_name = "N", alias = "random-state", alias = "random-seed", allow_negative_numbers = true)]
    seed: Option<u64>,
}

#[derive(Clone)]
struct Widths(Vec<usize>);

fn widths(text: &str) -> Result<Widths, String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let width = |part: &str| part.parse().map_err(|_| format!("{part:?} is no number of units; write 256,256"));
    parts.map(width).collect::<Result<_, _>>().map(Widths)
}

/// Puts a flag that was given into settings, and its name among those that were.
macro_rules! set {
    ($settings:ident.$name:ident, $flag:expr) => {
        if let Some(value) = $flag {
            $settings.$name = value.into();
            $settings.given.push(stringify!($name).to_owned());
        }
    };
}

impl SettingArgs {
    /// The preset that a flag chooses.
    pub fn preset(&self) -> Option<Preset> {
        self.preset.or(self.effort.map(Effort::preset))
    }

    /// Whether neither a flag nor a file has a say in the preset.
    pub fn leaves_preset_open(&self) -> bool {
        self.preset().is_none() && self.config.is_none()
    }

    /// The settings of the file, if there is one, with the flags on top.
    pub fn settings(&self) -> anyhow::Result<Settings> {
        self.settings_on(self.preset())
    }

    /// The same on top of a preset.
    pub fn settings_on(&self, preset: Option<Preset>) -> anyhow::Result<Settings> {
        let mut s = match &self.config {
            Some(path) => read_config(path, preset)?,
            None => Settings::preset(preset.unwrap_or(Preset::Auto)),
        };
        let task = |task: TaskArg| match task {
            TaskArg::Auto => TaskChoice::Auto,
            TaskArg::Regression => TaskChoice::Regression,
            TaskArg::Classification => TaskChoice::Classification,
            TaskArg::Count => TaskChoice::Count,
        };
        let activation = match self.activation.as_slice() {
            [] => None,
            [one] => Some(OneOrMany::One(*one)),
            many => Some(OneOrMany::Many(many.to_vec())),
        };
        set!(s.task, self.task.map(task));
        set!(s.activation, activation);
        set!(s.head, self.head.clone());
        set!(s.class_order, (!self.class_order.is_empty()).then(|| self.class_order.clone()));
        set!(s.initializer, self.initializer);
        set!(s.batch, self.batch);
        set!(s.clip_norm, self.clip_norm);
        set!(s.ema, self.ema);
        set!(s.learning_rate, self.learning_rate);
        set!(s.metric, self.metric);
        set!(s.hidden, self.hidden.as_ref().map(|widths| widths.0.clone()));
        set!(s.dropout, self.dropout);
        set!(s.optimizer, self.optimizer);
        set!(s.schedule, self.schedule);
        set!(s.epochs, self.epochs);
        set!(s.patience, self.patience);
        set!(s.l1, self.l1);
        set!(s.l2, self.l2);
        set!(s.valid_fraction, self.valid_fraction);
        set!(s.members, self.members);
        set!(s.one_hot_max_levels, self.one_hot_max_levels);
        set!(s.min_level_rows, self.min_level_rows);
        set!(s.category_indicator, self.category_indicator);
        set!(s.numeric_scaling, self.numeric_scaling);
        set!(s.seed, self.seed);
        Ok(s)
    }
}

fn read_config(path: &PathBuf, preset: Option<Preset>) -> anyhow::Result<Settings> {
    use anyhow::Context;
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Settings::from_toml(&text, preset).with_context(|| path.display().to_string())
}
