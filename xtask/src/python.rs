//! The Python environment of the benchmark's peers and of the golden values: `bench/.venv`.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::{call_in, root};

/// Makes the environment where there is none and installs what the benchmark needs; returns its interpreter.
pub fn environment() -> Result<PathBuf> {
    let bench = root()?.join("bench");
    let python = bench.join(".venv/bin/python");
    if !python.exists() {
        call_in(&bench, "python3", &["-m", "venv", ".venv"], &[])?;
    }
    install(&python, &bench.join("requirements.txt"))?;
    Ok(python)
}

/// Installs a list of packages.
pub fn install(python: &Path, requirements: &Path) -> Result<()> {
    let (python, requirements) = (python.to_string_lossy(), requirements.to_string_lossy());
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", &requirements];
    call_in(&root()?, &python, &install, &[])
}
