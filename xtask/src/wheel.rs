//! The Python package, tested with the extension that the workspace builds: for the package alone cargo would choose other features of
//! shared libraries, and compile the engine once more.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::{call, call_in, python, root, target_folder};

/// Where the package looks for the extension.
const EXTENSION: &str = if cfg!(windows) { "_chainrule.pyd" } else { "_chainrule.abi3.so" };

/// Builds the extension, puts it into the package and runs the package's tests.
pub fn test() -> Result<()> {
    let package = root()?.join("bindings/python");
    let python = environment(&package)?;
    call("cargo", &["build", "--workspace", "--all-features", "--locked"], &[])?;
    let built = target_folder()?.join("debug").join(format!("{DLL_PREFIX}_chainrule{DLL_SUFFIX}"));
    let sources = package.join("python");
    std::fs::copy(&built, sources.join("chainrule").join(EXTENSION)).with_context(|| built.display().to_string())?;
    let path = sources.to_string_lossy();
    call_in(&package, &python.to_string_lossy(), &["-m", "pytest", "--quiet"], &[("PYTHONPATH", &path)])
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
