//! Developer commands: `cargo xtask <command>`.

mod equations;
mod readme;
mod test;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

const HELP: &str = "Usage: cargo xtask <command>

  test        everything that must pass: format, lints, tests, documentation, the README's commands
  equations   every equation of docs/equations.md names a function and a test that exist, and stands once
  readme      the README's commands run as written";

fn main() -> ExitCode {
    let command = std::env::args().nth(1).unwrap_or_default();
    let result = match command.as_str() {
        "test" => test::run(),
        "equations" => equations::check(),
        "readme" => readme::run(),
        "help" | "--help" | "-h" => {
            println!("{HELP}");
            Ok(())
        }
        other => {
            eprintln!("error: unknown command {other:?}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The repository's root.
fn root() -> Result<PathBuf> {
    let manifest = std::env::var("CARGO_MANIFEST_DIR").context("run it as `cargo xtask`")?;
    Ok(PathBuf::from(manifest).join("..").canonicalize()?)
}

/// Runs a program in the repository's root; its failure is an error.
fn call(program: &str, args: &[&str], environment: &[(&str, &str)]) -> Result<()> {
    println!("\n$ {program} {}", args.join(" "));
    let status = Command::new(program).args(args).envs(environment.iter().copied()).current_dir(root()?).status();
    let status = status.with_context(|| format!("{program} cannot be started"))?;
    if !status.success() {
        bail!("{program} {} failed", args.join(" "));
    }
    Ok(())
}
