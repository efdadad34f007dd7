//! One contender on one set: a program that reads the parts, learns and predicts the test rows.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use chainrule_data::{ReadOptions, read_table};
use serde::Deserialize;

use super::contender::{Contender, Peer};
use super::metric::{INTERVAL, Scores, scores};
use super::sets::{Set, Task};
use super::split::Parts;
use crate::{root, target_folder};

/// Every contender gets so many threads.
pub const THREADS: usize = 2;

/// What came out.
pub struct Outcome {
    pub version: String,
    pub seconds: f64,
    pub scores: Scores,
}

impl Outcome {
    /// Of a run that failed.
    pub fn nothing(version: Option<&str>) -> Outcome {
        Outcome { version: version.unwrap_or("unknown").to_owned(), seconds: 0.0, scores: Scores::new() }
    }
}

pub struct Runner {
    /// Which chainrule it is.
    build: String,
    /// After which a run is broken off.
    limit: Duration,
}

impl Runner {
    pub fn new(limit: Duration) -> Result<Runner> {
        let program = fs::read(chainrule()?).context("chainrule is not built")?;
        Ok(Runner { build: format!("{} build {:08x}", env!("CARGO_PKG_VERSION"), fingerprint(&program)), limit })
    }

    #[cfg(test)]
    pub fn of_build(build: &str) -> Runner {
        Runner { build: build.to_owned(), limit: Duration::from_secs(60) }
    }

    /// The version that a result of now would have, where it is known without a run.
    pub fn version(&self, contender: &Contender) -> Option<&str> {
        matches!(contender, Contender::Chainrule(_)).then_some(&*self.build)
    }

    pub fn run(&self, contender: &Contender, set: &Set, parts: &Parts, seed: u64) -> Result<Outcome> {
        let predictions = parts.folder.join("predictions.parquet");
        // What an earlier run left is none of this one's.
        if predictions.exists() {
            fs::remove_file(&predictions)?;
        }
        let (version, seconds) = match contender {
            Contender::Chainrule(preset) => self.chainrule(preset.as_deref(), set, parts, seed, &predictions)?,
            Contender::Peer(peer) => self.peer(*peer, set, parts, seed, &predictions)?,
        };
        let predictions = read_table(&predictions, &ReadOptions::default())?;
        Ok(Outcome { version, seconds, scores: scores(set, &parts.test, &predictions)? })
    }

    /// Its time is that of the whole process, reading the table and writing the model included.
    fn chainrule(
        &self,
        preset: Option<&str>,
        set: &Set,
        parts: &Parts,
        seed: u64,
        predictions: &Path,
    ) -> Result<(String, f64)> {
        let model = parts.folder.join("model.safetensors");
        let mut train = Command::new(chainrule()?);
        train.arg("train").args(tables(preset, parts)).arg("--output").arg(&model).args(training_flags(set, seed));
        if let Some(preset) = preset {
            train.args(["--preset", preset]);
        }
        let started = Instant::now();
        self.output(train, parts)?;
        let seconds = started.elapsed().as_secs_f64();
        let mut predict = Command::new(chainrule()?);
        predict.arg("predict").arg(&model).arg(parts.file("test")).arg("--output").arg(predictions);
        if set.task.score() != "error" {
            predict.args(["--interval", &INTERVAL.to_string()]);
        }
        self.output(predict, parts)?;
        Ok((self.build.clone(), seconds))
    }

    fn peer(&self, peer: Peer, set: &Set, parts: &Parts, seed: u64, predictions: &Path) -> Result<(String, f64)> {
        /// The last line that a peer prints.
        #[derive(Deserialize)]
        struct Report {
            version: String,
            seconds: f64,
        }
        let mut command = Command::new(python()?);
        command.arg(root()?.join("bench/accuracy/peer.py")).arg(peer.key()).arg(&parts.folder).arg(predictions);
        command.args(["--task", set.task.name(), "--target", &set.target, "--seed", &seed.to_string()]);
        command.args(["--threads", &THREADS.to_string()]).args(role_flags(set));
        let output = self.output(command, parts)?;
        let line = output.lines().last().unwrap_or_default();
        let report: Report = serde_json::from_str(line).with_context(|| format!("the peer said {line:?}"))?;
        Ok((report.version, report.seconds))
    }

    /// What a program prints. It may neither fail nor take longer than the limit.
    fn output(&self, mut command: Command, parts: &Parts) -> Result<String> {
        let file = |name: &str| parts.folder.join(name);
        command.stdout(File::create(file("output.txt"))?).stderr(File::create(file("errors.txt"))?);
        let mut child = command.spawn().with_context(|| format!("{:?} cannot be started", command.get_program()))?;
        let started = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if started.elapsed() > self.limit {
                child.kill()?;
                child.wait()?;
                bail!("took longer than {} minutes", self.limit.as_secs() / 60);
            }
            thread::sleep(Duration::from_millis(5));
        };
        if !status.success() {
            let errors = fs::read_to_string(file("errors.txt")).unwrap_or_default();
            let last = errors.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("without a word");
            bail!("{} ({status})", last.trim());
        }
        Ok(fs::read_to_string(file("output.txt"))?)
    }
}

/// What is learned from. A single network gets the rows that choose its epoch, as the peers do; several networks hold out rows of
/// their own each.
fn tables(preset: Option<&str>, parts: &Parts) -> Vec<PathBuf> {
    match preset {
        None | Some("auto" | "best") => vec![parts.file("learn")],
        Some(_) => vec![parts.file("train"), "--valid".into(), parts.file("validation")],
    }
}

fn training_flags(set: &Set, seed: u64) -> Vec<String> {
    let task = if set.task == Task::Gamma { "regression" } else { set.task.name() };
    let seed = seed.to_string();
    let threads = THREADS.to_string();
    let mut flags = vec!["--target", &set.target, "--task", task, "--seed", &seed, "--threads", &threads, "--json"];
    if set.task == Task::Gamma {
        flags.extend(["--head", "gamma"]);
    }
    flags.extend(role_flags(set));
    flags.into_iter().map(str::to_owned).collect()
}

fn role_flags(set: &Set) -> Vec<&str> {
    let roles = [("--weight", &set.weight), ("--exposure", &set.exposure)];
    roles.iter().filter_map(|(flag, column)| Some([*flag, column.as_deref()?])).flatten().collect()
}

fn chainrule() -> Result<PathBuf> {
    Ok(target_folder()?.join("release/chainrule"))
}

fn python() -> Result<PathBuf> {
    Ok(root()?.join("bench/.venv-accuracy/bin/python"))
}

/// FNV-1a, folded to 32 bits: tells one build from another.
fn fingerprint(bytes: &[u8]) -> u32 {
    let hash = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (hash >> 32) as u32 ^ hash as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(task: &str, roles: &str) -> Set {
        let json = format!(
            r#"{{"name": "t", "file": "", "task": "{task}", "target": "y", "rows": 3, {roles} "split": "hash", "quick": true}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn flags_say_task_and_roles() {
        let flags = |set: &Set| training_flags(set, 7).join(" ");
        let end = "--seed 7 --threads 2 --json";
        assert_eq!(flags(&set("binary", "")), format!("--target y --task classification {end}"));
        let count = flags(&set("count", r#""exposure": "e","#));
        assert_eq!(count, format!("--target y --task count {end} --exposure e"));
        let gamma = flags(&set("gamma", r#""weight": "w","#));
        assert_eq!(gamma, format!("--target y --task regression {end} --head gamma --weight w"));
    }

    #[test]
    fn a_single_network_gets_the_validation_rows() {
        let test = chainrule_data::Table { name: "t".into(), rows: 0, columns: vec![] };
        let parts = Parts { folder: "f".into(), test };
        let names =
            |preset| tables(preset, &parts).iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(" ");
        assert_eq!(names(None), "f/learn.parquet");
        assert_eq!(names(Some("best")), "f/learn.parquet");
        assert_eq!(names(Some("realmlp")), "f/train.parquet --valid f/validation.parquet");
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_fails_or_takes_too_long_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let test = chainrule_data::Table { name: "t".into(), rows: 0, columns: vec![] };
        let parts = Parts { folder: folder.path().to_owned(), test };
        let output = |script: &str, limit| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            Runner { build: String::new(), limit: Duration::from_millis(limit) }.output(command, &parts)
        };
        assert_eq!(output("echo one; echo two", 60_000).unwrap(), "one\ntwo\n");
        let error = output("echo why >&2; echo >&2; exit 3", 60_000).unwrap_err().to_string();
        assert_eq!(error, "why (exit status: 3)");
        assert!(output("exec sleep 60", 50).unwrap_err().to_string().contains("took longer"));
    }

    #[test]
    fn builds_have_fingerprints_of_their_own() {
        // The hash of "a" is 0xaf63dc4c8601ec8c.
        assert_eq!(fingerprint(b"a"), 0xaf63_dc4c ^ 0x8601_ec8c);
    }
}
