//! The binary `chainrule`: arguments to settings to commands. No mathematics and no policy of its own.

mod args;
mod commands;
mod failure;
mod interrupt;
mod print;
mod progress;
mod steps;
mod values;

use std::process::ExitCode;

use clap::Parser;

/// Some damage to a file makes the decoders panic; that is caught where they are called and told as what it is, so that
/// the panic's own message would only confuse.
fn quiet_decoders() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let decoders = ["arrow", "parquet", "flatbuffers"];
        if !info.location().is_some_and(|place| decoders.iter().any(|name| place.file().contains(name))) {
            usual(info);
        }
    }));
}

fn main() -> ExitCode {
    quiet_decoders();
    let cli = args::Cli::parse();
    match commands::run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
