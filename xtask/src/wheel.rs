//! The Python package: built into a virtual environment of its own and tested there.

use std::path::PathBuf;

use anyhow::Result;

use crate::{call_in, python, root};

/// Builds the extension, installs the package and runs its tests.
pub fn test() -> Result<()> {
    let package = root()?.join("bindings/python");
    let python = environment(&package)?;
    let python = python.to_string_lossy();
    let virtual_environment = package.join(".venv").to_string_lossy().into_owned();
    let environment = [("VIRTUAL_ENV", virtual_environment.as_str())];
    call_in(&package, &python, &["-m", "maturin", "develop", "--quiet", "--locked"], &environment)?;
    call_in(&package, &python, &["-m", "pytest", "--quiet"], &[])
}

/// Makes the environment where it is not there, or where what it needs has changed since.
fn environment(package: &std::path::Path) -> Result<PathBuf> {
    let interpreter = package.join(".venv/bin/python");
    let (wanted, has) = (package.join("requirements.txt"), package.join(".venv/requirements.txt"));
    if !interpreter.exists() {
        call_in(package, "python3", &["-m", "venv", ".venv"], &[])?;
    }
    if std::fs::read(&wanted).ok() != std::fs::read(&has).ok() {
        python::install(&interpreter, &wanted)?;
        std::fs::copy(&wanted, &has)?;
    }
    Ok(interpreter)
}
