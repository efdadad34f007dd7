//! The log of a search: a line for the search and one for each training, so that a search that was cut goes on where it was.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Outcome;
use crate::error::{Error, Result};

/// What a log begins with: the search it belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The version of chainrule.
    pub version: String,
    /// Trials.
    pub trials: usize,
    /// Rungs.
    pub rungs: usize,
    /// The seed.
    pub seed: u64,
    /// The score that ranks them.
    pub score: String,
    /// SHA-256 over table, settings and space.
    pub fingerprint: String,
}

impl Header {
    /// What is another in `other`.
    fn difference(&self, other: &Self) -> Option<String> {
        let differs = |name: &str, here: &dyn std::fmt::Display, there: &dyn std::fmt::Display| {
            (here.to_string() != there.to_string()).then(|| format!("{name} {there} instead of {here}"))
        };
        differs("version", &self.version, &other.version)
            .or_else(|| differs("trials", &self.trials, &other.trials))
            .or_else(|| differs("seed", &self.seed, &other.seed))
            .or_else(|| differs("score", &self.score, &other.score))
            .or_else(|| (self != other).then(|| "another table, other settings or another space".to_owned()))
    }
}

/// A log that is written to.
pub struct Log {
    name: String,
    file: File,
}

impl Log {
    /// Opens the log at `path` for a search and returns what it holds already; begins it where there is none. A last line that was
    /// cut off is dropped.
    ///
    /// # Errors
    /// If the file cannot be read or written, is no log (with the line), or is that of another search.
    pub fn open(path: &Path, header: &Header) -> Result<(Self, Vec<Outcome>)> {
        let name = path.display().to_string();
        let failed = |source: io::Error| Error::Data(chainrule_data::Error::Io { file: name.clone(), source });
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == ErrorKind::NotFound => String::new(),
            Err(e) => return Err(failed(e)),
        };
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let outcomes = read(&text[..whole], &name, header)?;
        let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
        file.set_len(whole as u64).map_err(failed)?;
        if whole == 0 {
            write_line(&mut file, header).map_err(failed)?;
        }
        Ok((Self { name, file }, outcomes))
    }

    /// Adds an outcome.
    ///
    /// # Errors
    /// The system's reason why it cannot be written.
    pub fn add(&mut self, outcome: &Outcome) -> Result<()> {
        let Self { name, file } = self;
        write_line(file, outcome).map_err(|source| chainrule_data::Error::Io { file: name.clone(), source }.into())
    }
}

/// One write, so that a line is cut off at its end or not at all wherever the system can do that.
fn write_line(file: &mut File, object: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_string(object)?;
    line.push('\n');
    file.write_all(line.as_bytes())
}

/// The outcomes of a log's whole lines.
fn read(text: &str, name: &str, header: &Header) -> Result<Vec<Outcome>> {
    let wrong = |line: usize, message: String| {
        Error::Data(chainrule_data::Error::Line { file: name.to_owned(), line: line as u64, message })
    };
    let mut lines = text.lines().enumerate();
    let Some((_, first)) = lines.next() else { return Ok(vec![]) };
    let found: Header = serde_json::from_str(first)
        .map_err(|_| wrong(1, "this is no log of a search; name another file".to_owned()))?;
    if let Some(difference) = header.difference(&found) {
        let message = format!("the log is that of another search, with {difference}: name another file, or delete it");
        return Err(wrong(1, message));
    }
    let mut outcomes: Vec<Outcome> = vec![];
    for (at, line) in lines {
        let outcome: Outcome =
            serde_json::from_str(line).map_err(|e| wrong(at + 1, format!("the line is damaged ({e}); remove it")))?;
        let Outcome { trial, rung, .. } = outcome;
        if !(1..=header.trials).contains(&trial) || !(1..=header.rungs).contains(&rung) {
            return Err(wrong(at + 1, format!("there is no trial {trial} on rung {rung}; remove the line")));
        }
        if !outcomes.iter().any(|o| (o.trial, o.rung) == (trial, rung)) {
            outcomes.push(outcome);
        }
    }
    Ok(outcomes)
}

#[cfg(test)]
mod tests {
    use super::super::Choice;
    use super::*;

    fn header() -> Header {
        let (version, score, fingerprint) = ("1".to_owned(), "rmse".to_owned(), "f".to_owned());
        Header { version, trials: 3, rungs: 2, seed: 0, score, fingerprint }
    }

    fn outcome(trial: usize, score: f64) -> Outcome {
        let choice = Choice { dropout: Some(0.1), ..Choice::default() };
        Outcome {
            trial,
            rung: 1,
            epochs: 4,
            score: Some(score),
            best_epoch: Some(2),
            seconds: 0.5,
            choice,
            error: None,
        }
    }

    #[test]
    fn a_log_reads_back_and_its_cut_line_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let (mut log, known) = Log::open(&path, &header()).unwrap();
        assert!(known.is_empty());
        let both = [outcome(2, 0.1 + 0.2), outcome(1, 1.0 / 3.0)];
        both.iter().for_each(|o| log.add(o).unwrap());
        let whole = std::fs::read_to_string(&path).unwrap();
        // Wherever the last line was cut, its newline included.
        let second_line_ends = whole[..whole.len() - 1].rfind('\n').unwrap() + 1;
        for cut in second_line_ends..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let (mut log, known) = Log::open(&path, &header()).unwrap();
            assert_eq!(known, both[..1]);
            log.add(&both[1]).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);
        }
        assert_eq!(Log::open(&path, &header()).unwrap().1, both);
        // In the header: nothing is left.
        std::fs::write(&path, &whole[..10]).unwrap();
        assert!(Log::open(&path, &header()).unwrap().1.is_empty());
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
    }

    #[test]
    fn what_is_no_log_of_this_search_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let first = serde_json::to_string(&header()).unwrap();
        let other = |header: Header| serde_json::to_string(&header).unwrap();
        let line = serde_json::to_string(&outcome(9, 1.0)).unwrap();
        for (text, part) in [
            ("a,b\n1,2\n".to_owned(), "log, line 1: this is no log of a search"),
            (other(Header { seed: 4, ..header() }) + "\n", "with seed 4 instead of 0"),
            (other(Header { trials: 4, ..header() }) + "\n", "with trials 4 instead of 3"),
            (other(Header { fingerprint: "g".into(), ..header() }) + "\n", "another table, other settings"),
            (format!("{first}\nnonsense\n"), "log, line 2: the line is damaged"),
            (format!("{first}\n{line}\n"), "log, line 2: there is no trial 9 on rung 1"),
        ] {
            std::fs::write(&path, &text).unwrap();
            let message = Log::open(&path, &header()).err().unwrap().to_string();
            assert!(message.contains(part), "{message}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }
}
