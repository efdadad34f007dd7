//! Every run's result, in a file that is kept: a run that stands there is not repeated.

use std::fs;
use std::io;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use chainrule_data::write_atomically;
use serde::{Deserialize, Serialize};

use super::metric::Scores;

/// One run of one contender on one set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub set: String,
    pub contender: String,
    pub seed: u64,
    /// Of the contender's library; for chainrule also which build.
    pub version: String,
    pub threads: usize,
    /// What it ran on.
    pub cpu: String,
    /// From the table to the trained model; absent where the machine had other work beside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    pub scores: Scores,
    /// Why there are no scores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

pub struct Results {
    path: PathBuf,
    pub records: Vec<Record>,
}

impl Results {
    /// Reads the file, if there is one.
    pub fn load(path: PathBuf) -> Result<Results> {
        let records = match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).with_context(|| path.display().to_string())?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => vec![],
            Err(error) => bail!("{}: {error}", path.display()),
        };
        Ok(Results { path, records })
    }

    /// The records with times of one CPU: what was measured on others is not to be compared with them.
    pub fn on(&self, cpu: &str) -> Vec<Record> {
        let timed =
            |record: &Record| Record { seconds: record.seconds.filter(|_| record.cpu == cpu), ..record.clone() };
        self.records.iter().map(timed).collect()
    }

    pub fn find(&self, set: &str, contender: &str, seed: u64) -> Option<&Record> {
        self.records.iter().find(|record| (&*record.set, &*record.contender, record.seed) == (set, contender, seed))
    }

    /// Keeps a result in place of an earlier one, and of those of another version with which it would be averaged, and writes the
    /// file, which is there whole or as it was.
    pub fn put(&mut self, record: Record) -> Result<()> {
        let key = |record: &Record| (record.set.clone(), record.contender.clone(), record.seed);
        self.records.retain(|other| {
            let averaged = (&other.set, &other.contender) == (&record.set, &record.contender);
            !averaged || other.version == record.version && other.seed != record.seed
        });
        self.records.push(record);
        self.records.sort_by_key(key);
        let lines: Result<Vec<String>, _> = self.records.iter().map(serde_json::to_string).collect();
        // A line for each, so that a difference of two files can be read.
        let text = format!("[\n{}\n]\n", lines?.join(",\n"));
        Ok(write_atomically(&self.path, |out| out.write_all(text.as_bytes()))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn record(set: &str, contender: &str, seed: u64, error: f64) -> Record {
        let scores = [("error".to_owned(), error)].into();
        let (set, contender, version) = (set.into(), contender.into(), "1.0".into());
        Record { set, contender, seed, version, threads: 2, cpu: "a".into(), seconds: Some(1.5), scores, failure: None }
    }

    #[test]
    fn what_is_put_is_found_after_reading_and_replaces_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.json");
        let mut results = Results::load(path.clone()).unwrap();
        for (seed, error) in [(1, 0.3), (0, 0.2), (1, 0.1)] {
            results.put(record("iris", "sklearn", seed, error)).unwrap();
        }
        let failed = Record { failure: Some("it \"broke\"".into()), ..record("iris", "tabm", 0, 0.0) };
        results.put(failed.clone()).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 5, "{text}");
        let read = Results::load(path).unwrap();
        assert_eq!(read.records, results.records);
        assert_eq!(read.find("iris", "sklearn", 1).unwrap().scores["error"], 0.1);
        assert_eq!(read.find("iris", "tabm", 0), Some(&failed));
        assert_eq!((read.find("iris", "tabm", 1), read.find("wine", "tabm", 0)), (None, None));
        let newer = Record { version: "2.0".into(), ..record("iris", "sklearn", 0, 0.4) };
        results.put(newer.clone()).unwrap();
        assert_eq!(results.records, [newer, failed]);
        let times = |cpu| read.on(cpu).iter().map(|record| record.seconds).collect::<Vec<_>>();
        assert_eq!((times("a"), times("b")), (vec![Some(1.5); 3], vec![None; 3]));
    }

    #[test]
    fn a_damaged_file_is_an_error_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.json");
        fs::write(&path, "[{\"set\": 3}]").unwrap();
        let error = format!("{:#}", Results::load(path.clone()).map(drop).unwrap_err());
        assert!(error.contains("results.json") && error.contains("invalid type"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "[{\"set\": 3}]");
    }
}
