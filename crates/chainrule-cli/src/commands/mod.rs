//! One file for each command.

mod check;
mod cv;
mod evaluate;
mod explain_weight;
mod inspect;
mod predict;
mod train;

use std::io;
use std::path::Path;

use chainrule::Compute;
use chainrule_data::{Table, read_table};
use chainrule_model::Model;
use clap::CommandFactory;

use crate::args::{Cli, Command, DataArgs, RunArgs};
use crate::failure::{OrFail, Outcome};

/// Runs a command.
pub fn run(command: Command) -> Outcome {
    match command {
        Command::Train(args) => train::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Cv(args) => cv::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Check(args) => check::run(&args),
        Command::ExplainWeight(args) => explain_weight::run(&args),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "chainrule", &mut io::stdout());
            Ok(())
        }
    }
}

/// The threads and instruction set of a run.
fn compute(run: &RunArgs) -> Compute {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if run.threads == 0 { cores() } else { run.threads };
    Compute::with_isa(threads, run.isa.unwrap_or(chainrule::Isa::detect()))
}

fn read(args: &DataArgs) -> Outcome<Table> {
    read_table(&args.table, &args.reading.options()).or_input()
}

/// Reads a second table the way the first was read.
fn read_like(args: &DataArgs, path: &Path) -> Outcome<Table> {
    read_table(path, &args.reading.options()).or_input()
}

fn load(path: &Path) -> Outcome<Model> {
    Model::load(path).or_input()
}

/// One JSON object on standard output.
fn print_json(object: &serde_json::Value) -> Outcome {
    println!("{object}");
    Ok(())
}
