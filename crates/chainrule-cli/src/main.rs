//! The binary `chainrule`: arguments to settings to commands. No mathematics and no policy of its own.

mod args;
mod commands;
mod failure;
mod interrupt;
mod print;
mod progress;
mod values;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = args::Cli::parse();
    match commands::run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
