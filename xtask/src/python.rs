//! Virtual environments for the peers of `bench` and `accuracy` and for the golden values.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::{call_in, root};

/// Makes `bench/<name>` where it is not there and installs what `bench/<requirements>` lists; returns its interpreter.
pub fn environment(name: &str, requirements: &str) -> Result<PathBuf> {
    let bench = root()?.join("bench");
    let python = bench.join(name).join("bin/python");
    if !python.exists() {
        call_in(&bench, "python3", &["-m", "venv", name], &[])?;
    }
    install(&python, &bench.join(requirements))?;
    Ok(python)
}

/// Installs a list of packages.
pub fn install(python: &Path, requirements: &Path) -> Result<()> {
    let (python, requirements) = (python.to_string_lossy(), requirements.to_string_lossy());
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", &requirements];
    call_in(&root()?, &python, &install, &[])
}
