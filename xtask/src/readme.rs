//! The README's commands, run as written, and the output it shows for them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::{root, target_folder};

/// Runs every line of the README's ```sh blocks, except the test command itself, in a folder of its own that looks like the
/// repository. Where a block of output follows, it must be the real one but for times.
pub fn run() -> Result<()> {
    let root = root()?;
    let readme = fs::read_to_string(root.join("README.md")).context("README.md")?;
    let examples = examples(&readme);
    if examples.is_empty() {
        bail!("README.md has no ```sh block");
    }
    let folder = look_alike(&root)?;
    for Example { command, shown } in examples {
        println!("\n$ {command}");
        let mut shell = Command::new("sh");
        shell.args(["-ec", &command]).current_dir(&folder).env_remove("CARGO_TARGET_DIR");
        let output = shell.stderr(Stdio::inherit()).output()?;
        let printed = String::from_utf8_lossy(&output.stdout);
        print!("{printed}");
        if !output.status.success() {
            bail!("a command of the README failed: {command}");
        }
        if shown.is_some_and(|shown| without_times(&shown) != without_times(&printed)) {
            bail!("README.md does not show what this command prints: {command}");
        }
    }
    Ok(())
}

/// An empty folder with links to what is in the repository. It is always the same one, so that nothing is built twice.
fn look_alike(root: &Path) -> Result<PathBuf> {
    let target = target_folder()?;
    let folder = target.join("readme");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(&folder)?;
    for name in ["Cargo.toml", "Cargo.lock", "bench", "bindings", "crates", "xtask", "examples", ".cargo"] {
        link(&root.join(name), &folder.join(name))?;
    }
    link(&target, &folder.join("target"))?;
    Ok(folder)
}

/// A command, and the output that the README shows for it.
#[derive(Debug, PartialEq)]
struct Example {
    command: String,
    shown: Option<String>,
}

/// The lines of all ```sh blocks, the last of each with the ``` block that follows.
fn examples(readme: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = vec![];
    let mut block = None;
    for line in readme.lines() {
        match (line.strip_prefix("```"), block) {
            (Some(_), Some(_)) => block = None,
            (Some(language), None) => {
                block = Some(language);
                if let ("", Some(last)) = (language, examples.last_mut()) {
                    last.shown = Some(String::new());
                }
            }
            (None, Some("sh")) if !line.trim().is_empty() && !line.contains("xtask test") => {
                examples.push(Example { command: line.to_owned(), shown: None });
            }
            (None, Some("")) => {
                if let Some(shown) = examples.last_mut().and_then(|last| last.shown.as_mut()) {
                    *shown += line;
                    *shown += "\n";
                }
            }
            _ => {}
        }
    }
    examples
}

/// The words, with dashes for each number before `s` or `ms`: times differ from run to run.
fn without_times(text: &str) -> Vec<&str> {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    for at in 1..words.len() {
        let unit = words[at].trim_end_matches([',', ';']);
        if matches!(unit, "s" | "ms") && words[at - 1].parse::<f64>().is_ok() {
            words[at] = &words[at][unit.len()..];
            words[at - 1] = "-";
        }
    }
    words
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> Result<()> {
    Ok(std::os::unix::fs::symlink(from, to)?)
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> Result<()> {
    bail!("the README's commands are checked on Unix only")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_the_lines_of_shell_blocks_with_what_is_shown() {
        let text = "a\n```sh\nfirst\n\nsecond\n```\nand\n```\nout\nput\n```\n```sh\ncargo xtask test\n```\n";
        let example = |command: &str, shown: Option<&str>| Example {
            command: command.to_owned(),
            shown: shown.map(str::to_owned),
        };
        assert_eq!(examples(text), [example("first", None), example("second", Some("out\nput\n"))]);
    }

    #[test]
    fn only_times_may_differ() {
        assert_eq!(without_times("51 epochs in 0.2 s, done\n"), without_times("51  epochs in 13 ms, done"));
        assert_ne!(without_times("51 epochs in 0.2 s"), without_times("52 epochs in 0.2 s"));
    }
}
