//! The README's commands, run as written.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::root;

/// Runs every line of the README's ```sh blocks, except the test command itself, in a folder of its own that looks like the
/// repository.
pub fn run() -> Result<()> {
    let root = root()?;
    let readme = fs::read_to_string(root.join("README.md")).context("README.md")?;
    let commands = commands(&readme);
    if commands.is_empty() {
        bail!("README.md has no ```sh block");
    }
    let folder = tempfile::tempdir()?;
    for name in ["Cargo.toml", "Cargo.lock", "crates", "xtask", "examples", ".cargo"] {
        link(&root.join(name), &folder.path().join(name))?;
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| root.join("target").into_os_string());
    for command in commands {
        println!("\n$ {command}");
        let mut shell = Command::new("sh");
        shell.args(["-ec", &command]).current_dir(folder.path()).env("CARGO_TARGET_DIR", &target);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let release = std::path::Path::new(&target).join("release");
        let paths = std::iter::once(release).chain(std::env::split_paths(&path));
        shell.env("PATH", std::env::join_paths(paths)?);
        if !shell.status()?.success() {
            bail!("a command of the README failed: {command}");
        }
    }
    Ok(())
}

/// The lines of all ```sh blocks.
fn commands(readme: &str) -> Vec<String> {
    let mut inside = false;
    let mut commands = vec![];
    for line in readme.lines() {
        if line.starts_with("```") {
            inside = line == "```sh";
        } else if inside && !line.trim().is_empty() && !line.contains("xtask test") {
            commands.push(line.to_owned());
        }
    }
    commands
}

#[cfg(unix)]
fn link(from: &std::path::Path, to: &std::path::Path) -> Result<()> {
    Ok(std::os::unix::fs::symlink(from, to)?)
}

#[cfg(not(unix))]
fn link(_: &std::path::Path, _: &std::path::Path) -> Result<()> {
    bail!("the README's commands are checked on Unix only")
}

#[cfg(test)]
mod tests {
    #[test]
    fn commands_are_the_lines_of_shell_blocks() {
        let text = "a\n```sh\ncargo run\n\ncargo xtask test\n```\n```\noutput\n```\n";
        assert_eq!(super::commands(text), ["cargo run"]);
    }
}
