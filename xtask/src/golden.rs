//! `cargo xtask golden`: makes the golden values of `crates/chainrule/tests/golden` anew, beside those that are there, and
//! compares.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{call_in, python, root, target_folder};

/// By how much two numbers may differ, in units of the larger of 1 and the number: machines and versions of libraries round
/// differently, and some fits end a little earlier.
const TOLERANCE: f64 = 1e-9;

pub fn run() -> Result<()> {
    let committed = root()?.join("crates/chainrule/tests/golden");
    let made = target_folder()?.join("golden");
    fs::create_dir_all(&made)?;
    let python = python::environment(".venv", "requirements.txt")?;
    python::install(&python, &committed.join("requirements.txt"))?;
    for script in files(&committed, "py")? {
        fs::copy(committed.join(&script), made.join(&script))?;
    }
    let mut different = vec![];
    for file in files(&committed, "json")? {
        let script = file.with_extension("py");
        call_in(&made, &python.to_string_lossy(), &[&script.to_string_lossy()], &[])?;
        let [old, new] = [&committed, &made].map(|folder| read(&folder.join(&file)));
        match compare(&old?, &new?) {
            Ok((numbers, worst)) => println!("{}: {numbers} numbers, worst difference {worst:.1e}", file.display()),
            Err(error) => different.push(format!("{}: {error:#}", file.display())),
        }
    }
    if !different.is_empty() {
        bail!("{}\nThe new files are in {}", different.join("\n"), made.display());
    }
    println!("\ngolden values: the scripts make what is committed");
    Ok(())
}

/// The names of a folder's files with this ending, sorted.
fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut names = vec![];
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let name = PathBuf::from(entry?.file_name());
        if name.extension().is_some_and(|extension| extension == ending) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn read(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

/// How many numbers two values have, and the largest difference.
fn compare(old: &Value, new: &Value) -> Result<(usize, f64)> {
    let mut pairs = vec![];
    collect(old, new, &mut pairs)?;
    let mut worst = 0.0;
    for &(old, new) in &pairs {
        let difference = (old - new).abs() / old.abs().max(1.0);
        ensure!(difference <= TOLERANCE, "{new} in place of {old}");
        worst = f64::max(worst, difference);
    }
    Ok((pairs.len(), worst))
}

fn collect(old: &Value, new: &Value, pairs: &mut Vec<(f64, f64)>) -> Result<()> {
    match (old, new) {
        (Value::Number(a), Value::Number(b)) => {
            pairs.push((a.as_f64().context("a number")?, b.as_f64().context("a number")?));
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).try_for_each(|(a, b)| collect(a, b, pairs))?;
        }
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => {
            a.iter().try_for_each(|(key, a)| collect(a, &b[key], pairs).context(key.clone()))?;
        }
        (a, b) => ensure!(a == b, "other keys, lengths or words"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_compared_and_everything_else_is_the_same() {
        let old = json!({ "name": "a", "values": [1.0, [2000.0, null]] });
        assert_eq!(compare(&old, &old).unwrap(), (2, 0.0));
        let near = json!({ "name": "a", "values": [1.0 + 1e-10, [2000.0 + 1e-7, null]] });
        assert!(compare(&old, &near).unwrap().1 > 4e-11);
        for other in [
            json!({ "name": "b", "values": [1.0, [2000.0, null]] }),
            json!({ "name": "a", "values": [1.0, [2000.0]] }),
            json!({ "name": "a", "values": [1.0, [2000.1, null]] }),
            json!({ "name": "a", "values": [1.0, [2000.0, 0.0]] }),
            json!({ "name": "a" }),
        ] {
            assert!(compare(&old, &other).is_err(), "{other}");
        }
    }
}
