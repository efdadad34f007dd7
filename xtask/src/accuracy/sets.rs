//! The tables of `index.json`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::split::Split;

/// One table, and what is to be predicted.
#[derive(Clone, Debug, Deserialize)]
pub struct Set {
    pub name: String,
    pub file: String,
    pub task: Task,
    pub target: String,
    pub rows: usize,
    /// Identifiers.
    #[serde(default)]
    pub ignore: Vec<String>,
    pub weight: Option<String>,
    pub exposure: Option<String>,
    pub split: Split,
    pub quick: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    Binary,
    Multiclass,
    Regression,
    /// A whole number >= 0, scored as Poisson's.
    Count,
    /// A number > 0, scored as a gamma distribution's.
    Gamma,
}

impl Task {
    /// As the programs are told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Binary | Self::Multiclass => "classification",
            Self::Regression => "regression",
            Self::Count => "count",
            Self::Gamma => "gamma",
        }
    }

    /// The score that contenders are compared by; less is better.
    pub fn score(self) -> &'static str {
        match self {
            Self::Binary | Self::Multiclass => "error",
            Self::Regression => "rmse",
            Self::Count | Self::Gamma => "deviance",
        }
    }
}

/// All sets of a folder, the smallest first.
pub fn read(folder: &Path) -> Result<Vec<Set>> {
    let path = folder.join("index.json");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let mut sets: Vec<Set> = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    sets.sort_by_key(|set| set.rows);
    Ok(sets)
}

/// `quick`, `all`, or names of sets.
pub fn select(sets: Vec<Set>, wanted: &[String]) -> Result<Vec<Set>> {
    if let Some(unknown) = wanted.iter().find(|name| !is_group(name) && sets.iter().all(|set| set.name != **name)) {
        let names: Vec<String> = sets.into_iter().map(|set| set.name).collect();
        bail!("there is no set {unknown:?}; take quick, all, or some of {}", names.join(", "));
    }
    let is_wanted =
        |set: &Set| wanted.iter().any(|name| name == "all" || *name == set.name || (name == "quick" && set.quick));
    Ok(sets.into_iter().filter(is_wanted).collect())
}

fn is_group(name: &str) -> bool {
    ["all", "quick"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = r#"[
        {"name": "big", "file": "big.csv", "task": "count", "target": "y", "rows": 900, "features": 3, "exposure": "e",
         "split": "hash", "quick": false},
        {"name": "small", "file": "small.csv", "task": "binary", "target": "y", "rows": 9, "features": 3,
         "ignore": ["id"], "split": "first-60000", "quick": true}]"#;

    #[test]
    fn sets_come_by_size_and_are_chosen_by_name_or_group() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("index.json"), INDEX).unwrap();
        let sets = read(folder.path()).unwrap();
        let chosen = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            select(sets.clone(), &names).map(|sets| sets.into_iter().map(|set| set.name).collect::<Vec<_>>())
        };
        assert_eq!(chosen(&["all"]).unwrap(), ["small", "big"]);
        assert_eq!(chosen(&["quick"]).unwrap(), ["small"]);
        assert_eq!(chosen(&["big"]).unwrap(), ["big"]);
        let error = chosen(&["bug"]).unwrap_err().to_string();
        assert_eq!(error, "there is no set \"bug\"; take quick, all, or some of small, big");
        assert_eq!((sets[0].split, sets[1].exposure.as_deref()), (Split::First60000, Some("e")));
        assert_eq!((sets[0].task.score(), sets[1].task.score()), ("error", "deviance"));
    }

    #[test]
    fn a_folder_without_an_index_is_an_error_with_its_path() {
        let error = format!("{:#}", read(Path::new("/no/such/folder")).unwrap_err());
        assert!(error.starts_with("/no/such/folder/index.json: "), "{error}");
    }
}
