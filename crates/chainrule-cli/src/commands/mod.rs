//! One file for each command.

mod check;
mod cv;
mod evaluate;
mod explain_weight;
mod find_lr;
mod importance;
mod inspect;
mod predict;
mod train;
mod tune;

use std::io::{self, Write};
use std::path::Path;

use chainrule::{Compute, Isa};
use chainrule_data::{Table, read_table};
use chainrule_model::Model;
use clap::CommandFactory;

use crate::args::{Cli, Command, DataArgs, RunArgs};
use crate::failure::{OrFail, Outcome};

/// Runs a command.
pub fn run(command: Command) -> Outcome {
    match command {
        Command::Train(args) => train::run(&args),
        Command::FindLr(args) => find_lr::run(&args),
        Command::Tune(args) => tune::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Cv(args) => cv::run(&args),
        Command::Importance(args) => importance::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Check(args) => check::run(&args),
        Command::ExplainWeight(args) => explain_weight::run(&args),
        Command::Completions { shell } => {
            let mut script = vec![];
            clap_complete::generate(shell, &mut Cli::command(), "chainrule", &mut script);
            io::stdout().write_all(&script).or_failed()
        }
    }
}

/// How the user called this program.
fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "chainrule".into())
}

/// The threads and instruction set of a run.
fn resources(run: &RunArgs) -> (usize, Isa) {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if run.threads == 0 { cores() } else { usize::from(run.threads) };
    (threads, run.isa.unwrap_or(Isa::detect()))
}

fn compute(run: &RunArgs) -> Compute {
    let (threads, isa) = resources(run);
    Compute::with_isa(threads, isa)
}

fn read(args: &DataArgs) -> Outcome<Table> {
    read_table(&args.table, &args.reading.options([])).or_input()
}

/// Reads a second table the way the first was read.
fn read_like(first: &Table, args: &DataArgs, path: &Path) -> Outcome<Table> {
    read_table(path, &args.reading.options(first.known_columns())).or_input()
}

/// Reads a table for a model.
fn read_for(model: &Model, args: &DataArgs) -> Outcome<Table> {
    read_table(&args.table, &args.reading.options(model.card().known_columns())).or_input()
}

fn load(path: &Path) -> Outcome<Model> {
    Model::load(path).or_input()
}

/// One JSON object on standard output.
fn print_json(object: &serde_json::Value) -> Outcome {
    writeln!(io::stdout(), "{object}").or_failed()
}
