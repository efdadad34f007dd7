//! Builds and installs the libraries, each in its own room: nothing of chainrule depends on them.

use anyhow::Result;

use super::peers::Library;
use crate::{call, call_in, python, root};

/// The libraries that cannot be measured, each with the reason.
pub struct Missing(Vec<(Library, String)>);

impl Missing {
    pub fn reason(&self, library: Library) -> Option<&str> {
        self.0.iter().find(|(missing, _)| *missing == library).map(|(_, reason)| reason.as_str())
    }
}

/// Sets up what these libraries need. A library that cannot be had is missing, chainrule itself is an error.
pub fn set_up(libraries: &[Library]) -> Result<Missing> {
    call("cargo", &["build", "--release", "--locked", "-p", "chainrule-peer"], &[])?;
    let mut missing = vec![];
    let mut need = |which: fn(Library) -> Option<&'static str>, set_up: fn() -> Result<()>| {
        let members: Vec<Library> = libraries.iter().copied().filter(|&library| which(library).is_some()).collect();
        if !members.is_empty()
            && let Err(error) = set_up()
        {
            eprintln!("{error:#}");
            missing.extend(members.into_iter().map(|library| (library, format!("setting it up failed: {error:#}"))));
        }
    };
    need(Library::python_package, || python::environment(".venv", "requirements.txt").map(drop));
    need(Library::rust_package, rust);
    Ok(Missing(missing))
}

/// Inside their folder, whose configuration asks for the machine's own instructions.
fn rust() -> Result<()> {
    let arguments = ["build", "--release", "--locked", "--target-dir", "target"];
    call_in(&root()?.join("bench/rust-peers"), "cargo", &arguments, &[])
}
