//! Virtual environments for the peers of `bench`.

use anyhow::Result;

use crate::{call_in, root};

/// Installs what `requirements` lists into `environment`, which is made if it is not there; both lie in `bench`.
pub fn install(environment: &str, requirements: &str) -> Result<()> {
    let bench = root()?.join("bench");
    let python = bench.join(environment).join("bin/python");
    if !python.exists() {
        call_in(&bench, "python3", &["-m", "venv", environment], &[])?;
    }
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements];
    call_in(&bench, &python.to_string_lossy(), &install, &[])
}
