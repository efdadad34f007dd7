//! Developer commands: `cargo xtask <command>`.

#[cfg(feature = "accuracy")]
mod accuracy;
mod bench;
mod equations;
mod golden;
mod python;
mod readme;
mod test;
mod wheel;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

const HELP: &str = "Usage: cargo xtask <command>

  test        everything that must pass: format, lints, tests, documentation, the README's commands, the Python package
  python      builds the Python package and runs its tests (part of `test`)
  equations   every equation of docs/equations.md names a function and a test that exist, and stands once
  golden      makes the golden values of other libraries anew and compares them (needs Python)
  readme      the README's commands run as written
  bench       chainrule beside other libraries: prints tables and writes docs/benchmarks.md (`bench --help`)
  accuracy    chainrule's errors beside other libraries' on real tables: writes docs/accuracy.md (`accuracy --help`)";

fn main() -> ExitCode {
    let command = std::env::args().nth(1).unwrap_or_default();
    let result = match command.as_str() {
        "test" => test::run(),
        "python" => wheel::test(),
        "equations" => equations::check(),
        "golden" => golden::run(),
        "readme" => readme::run(),
        "bench" => bench::run(),
        "accuracy" => accuracy(),
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

#[cfg(feature = "accuracy")]
fn accuracy() -> Result<()> {
    accuracy::run()
}

/// Starts this program once more, with the feature that the command needs.
#[cfg(not(feature = "accuracy"))]
fn accuracy() -> Result<()> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let with_tables = ["run", "--quiet", "--package", "xtask", "--features", "accuracy", "--"];
    let status = Command::new("cargo").args(with_tables).args(given).status().context("cargo cannot be started")?;
    // What failed has said so itself.
    std::process::exit(status.code().unwrap_or(1))
}

/// The repository's root.
fn root() -> Result<PathBuf> {
    let manifest = std::env::var("CARGO_MANIFEST_DIR").context("run it as `cargo xtask`")?;
    Ok(PathBuf::from(manifest).join("..").canonicalize()?)
}

/// Where cargo puts what it builds.
fn target_folder() -> Result<PathBuf> {
    let folder = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    folder.map_or_else(|| Ok(root()?.join("target")), Ok)
}

/// Runs a program in the repository's root; its failure is an error.
fn call(program: &str, args: &[&str], environment: &[(&str, &str)]) -> Result<()> {
    call_in(&root()?, program, args, environment)
}

/// As [`call`], in another folder.
fn call_in(folder: &Path, program: &str, args: &[&str], environment: &[(&str, &str)]) -> Result<()> {
    println!("\n$ {program} {}", args.join(" "));
    let status = Command::new(program).args(args).envs(environment.iter().copied()).current_dir(folder).status();
    let status = status.with_context(|| format!("{program} cannot be started"))?;
    if !status.success() {
        bail!("{program} {} failed", args.join(" "));
    }
    Ok(())
}
