//! Many runs in a few numbers.

use std::collections::BTreeMap;

use super::contender::Contender;
use super::metric::Scores;
use super::results::Record;
use super::sets::Set;
use super::split::Part;

/// The runs of one contender on one set, one for each seed.
#[derive(Default)]
pub struct Entry {
    /// Means over the runs that succeeded; empty if none did.
    pub scores: Scores,
    /// Median over those whose time was kept.
    pub seconds: Option<f64>,
    /// The reason of the first run that did not.
    pub failure: Option<String>,
}

pub struct Summary {
    /// Those with a result, the smallest first.
    pub sets: Vec<Set>,
    /// Those with a result: chainrule's, then the peers.
    pub contenders: Vec<Contender>,
    entries: BTreeMap<(String, String), Entry>,
}

/// One contender against another, on the sets where both have scores.
#[derive(Debug, PartialEq)]
pub struct Comparison {
    /// Geometric mean of the first's score over the other's, by the score's name, and over all as `all`.
    pub ratios: BTreeMap<String, f64>,
    pub wins: usize,
    pub ties: usize,
    pub losses: usize,
    /// Median of the first's time over the other's, on the sets where both are known.
    pub time: Option<f64>,
}

impl Summary {
    /// Of the records that belong to `sets`.
    pub fn new(sets: &[Set], records: &[Record]) -> Summary {
        let mut runs: BTreeMap<(String, String), Vec<&Record>> = BTreeMap::new();
        for record in records {
            runs.entry((record.set.clone(), record.contender.clone())).or_default().push(record);
        }
        let entries: BTreeMap<_, _> = runs.into_iter().map(|(key, records)| (key, entry(&records))).collect();
        let is_met = |set: &&Set| entries.keys().any(|(name, _)| *name == set.name);
        let sets: Vec<Set> = sets.iter().filter(is_met).cloned().collect();
        let with_entry = |(name, key): &(String, String)| {
            sets.iter().any(|set| set.name == *name).then(|| Contender::from_key(key)).flatten()
        };
        let mut contenders: Vec<Contender> = entries.keys().filter_map(with_entry).collect();
        contenders.sort_by_key(order);
        contenders.dedup();
        Summary { sets, contenders, entries }
    }

    pub fn entry(&self, set: &Set, contender: &Contender) -> Option<&Entry> {
        self.entries.get(&(set.name.clone(), contender.key()))
    }

    /// A mean score. No error counts as less than half a test row, so that it can be divided by.
    pub fn score(&self, set: &Set, contender: &Contender, name: &str) -> Option<f64> {
        let score = *self.entry(set, contender)?.scores.get(name)?;
        Some(if name == "error" { score.max(0.5 / test_rows(set) as f64) } else { score })
    }

    /// The score that the set's contenders are compared by.
    pub fn main_score(&self, set: &Set, contender: &Contender) -> Option<f64> {
        self.score(set, contender, set.task.score())
    }

    /// The first's main score over the other's, for each set where both have one.
    pub fn ratios(&self, one: &Contender, other: &Contender) -> Vec<(&Set, f64)> {
        self.both(one, other, |set| set.task.score())
    }

    fn both(&self, one: &Contender, other: &Contender, name: impl Fn(&Set) -> &'static str) -> Vec<(&Set, f64)> {
        let ratio = |set| Some((set, self.score(set, one, name(set))? / self.score(set, other, name(set))?));
        self.sets.iter().filter_map(ratio).collect()
    }

    /// `None` where no set has scores of both.
    pub fn compare(&self, one: &Contender, other: &Contender) -> Option<Comparison> {
        let main = self.ratios(one, other);
        let mut ratios = BTreeMap::new();
        let mut add = |name: &str, found: Vec<(&Set, f64)>| {
            if let Some(mean) = geometric_mean(found.iter().map(|(_, ratio)| *ratio)) {
                ratios.insert(name.to_owned(), mean);
            }
        };
        for name in ["error", "log_loss", "rmse", "deviance"] {
            add(name, self.both(one, other, |_| name));
        }
        add("all", main.clone());
        let count = |holds: fn(f64) -> bool| main.iter().filter(|(_, ratio)| holds(*ratio)).count();
        let seconds = |set, contender| self.entry(set, contender)?.seconds;
        let time = main.iter().filter_map(|(set, _)| Some(seconds(set, one)? / seconds(set, other)?));
        let time = median(time.collect());
        let (wins, ties, losses) = (count(|r| r < 1.0), count(|r| r == 1.0), count(|r| r > 1.0));
        (!main.is_empty()).then_some(Comparison { ratios, wins, ties, losses, time })
    }

    /// The mean of a contender's places by main score, over the sets on which every contender ran, and how many those are.
    /// Equal scores share the mean of their places; who failed has the last.
    pub fn mean_rank(&self, contender: &Contender) -> Option<(f64, usize)> {
        let complete = |set: &&Set| self.contenders.iter().all(|contender| self.entry(set, contender).is_some());
        let sets: Vec<&Set> = self.sets.iter().filter(complete).collect();
        let rank = |set: &Set| {
            let score = |contender| self.main_score(set, contender).unwrap_or(f64::INFINITY);
            let own = score(contender);
            let better = self.contenders.iter().filter(|other| score(other) < own).count();
            let equal = self.contenders.iter().filter(|other| score(other) == own).count();
            better as f64 + (equal as f64 + 1.0) / 2.0
        };
        let sum: f64 = sets.iter().map(|set| rank(set)).sum();
        (!sets.is_empty()).then(|| (sum / sets.len() as f64, sets.len()))
    }

    /// Median over the sets of the seconds for 1000 rows that were learned from.
    pub fn seconds_per_1000_rows(&self, contender: &Contender) -> Option<f64> {
        let time = |set: &Set| {
            let entry = self.entry(set, contender).filter(|entry| !entry.scores.is_empty())?;
            Some(1000.0 * entry.seconds? / (set.rows - test_rows(set)) as f64)
        };
        median(self.sets.iter().filter_map(time).collect())
    }
}

fn entry(records: &[&Record]) -> Entry {
    let succeeded: Vec<&&Record> = records.iter().filter(|record| record.failure.is_none()).collect();
    let mut scores = Scores::new();
    for record in &succeeded {
        for (name, score) in &record.scores {
            *scores.entry(name.clone()).or_default() += score / succeeded.len() as f64;
        }
    }
    let seconds = median(succeeded.iter().filter_map(|record| record.seconds).collect());
    Entry { scores, seconds, failure: records.iter().find_map(|record| record.failure.clone()) }
}

/// chainrule first, then the peers as they are listed.
fn order(contender: &Contender) -> (usize, String) {
    let place = match contender {
        Contender::Chainrule(_) => 0,
        Contender::Peer(peer) => 1 + *peer as usize,
    };
    (place, contender.key())
}

fn test_rows(set: &Set) -> usize {
    (0..set.rows).filter(|&row| set.split.part(row) == Part::Test).count()
}

fn geometric_mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let logs: Vec<f64> = values.map(f64::ln).collect();
    (!logs.is_empty()).then(|| (logs.iter().sum::<f64>() / logs.len() as f64).exp())
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len().checked_sub(1)? / 2;
    Some(if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle], values[middle + 1]) })
}

#[cfg(test)]
pub mod tests {
    use super::super::contender::Peer;
    use super::*;

    /// Set, contender, seed, scores and seconds; no scores: it failed.
    type Run<'a> = (&'a str, &'a str, u64, &'a [(&'a str, f64)], f64);

    pub fn record((set, contender, seed, scores, seconds): Run<'_>) -> Record {
        let scores: Scores = scores.iter().map(|(name, score)| ((*name).to_owned(), *score)).collect();
        let failure = scores.is_empty().then(|| "it broke".to_owned());
        let (set, contender) = (set.to_owned(), contender.to_owned());
        Record {
            set,
            contender,
            seed,
            version: "1.0".into(),
            threads: 2,
            cpu: "a".into(),
            seconds: Some(seconds),
            scores,
            failure,
        }
    }

    pub fn set(name: &str, task: &str, rows: usize) -> Set {
        let json = format!(
            r#"{{"name": "{name}", "file": "", "task": "{task}", "target": "y", "rows": {rows}, "split": "hash", "quick": true}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    pub fn example() -> Summary {
        let sets =
            [set("a", "binary", 40), set("b", "multiclass", 40), set("c", "regression", 40), set("d", "count", 40)];
        let records = [
            ("a", "chainrule", 0, &[("error", 0.1), ("log_loss", 0.3)][..], 1.0),
            ("a", "chainrule", 1, &[("error", 0.3), ("log_loss", 0.5)], 3.0),
            ("a", "sklearn", 0, &[("error", 0.4), ("log_loss", 0.2)], 4.0),
            ("a", "lightgbm", 0, &[("error", 0.4), ("log_loss", 0.1)], 1.0),
            ("b", "chainrule", 0, &[("error", 0.0), ("log_loss", 0.1)], 1.0),
            ("b", "sklearn", 0, &[("error", 0.0), ("log_loss", 0.1)], 2.0),
            ("b", "lightgbm", 0, &[], 0.0),
            ("c", "chainrule", 0, &[("rmse", 8.0)], 10.0),
            ("c", "sklearn", 0, &[("rmse", 4.0)], 5.0),
            ("gone", "sklearn", 0, &[("rmse", 4.0)], 5.0),
            ("a", "gone", 0, &[("error", 0.0)], 5.0),
        ];
        Summary::new(&sets, &records.map(record))
    }

    pub const OURS: Contender = Contender::Chainrule(None);
    pub const SKLEARN: Contender = Contender::Peer(Peer::Sklearn);
    const LIGHTGBM: Contender = Contender::Peer(Peer::LightGbm);

    fn assert_close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
    }

    #[test]
    fn seeds_are_averaged_and_unknown_sets_and_contenders_left_out() {
        let summary = example();
        assert_eq!(summary.contenders, [OURS, SKLEARN, LIGHTGBM]);
        assert_eq!(summary.sets.iter().map(|set| &*set.name).collect::<Vec<_>>(), ["a", "b", "c"]);
        let entry = summary.entry(&summary.sets[0], &OURS).unwrap();
        assert_close(entry.scores["error"], 0.2);
        assert_eq!(entry.seconds, Some(2.0));
        let failed = summary.entry(&summary.sets[1], &LIGHTGBM).unwrap();
        assert_eq!((failed.scores.len(), failed.failure.as_deref()), (0, Some("it broke")));
        // 9 of 40 rows are of the test: an error of 0 counts as one of 1/18.
        assert_close(summary.main_score(&summary.sets[1], &OURS).unwrap(), 1.0 / 18.0);
    }

    #[test]
    fn comparisons_are_those_worked_out_by_hand() {
        let summary = example();
        let comparison = summary.compare(&OURS, &SKLEARN).unwrap();
        // Errors: 0.2 / 0.4 on a, equal on b; RMSE 8 / 4 on c.
        assert_close(comparison.ratios["error"], 0.5_f64.sqrt());
        assert_close(comparison.ratios["rmse"], 2.0);
        assert_close(comparison.ratios["all"], 1.0);
        assert_close(comparison.ratios["log_loss"], 2.0_f64.sqrt());
        assert!(!comparison.ratios.contains_key("deviance"));
        assert_eq!((comparison.wins, comparison.ties, comparison.losses), (1, 1, 1));
        // Times 2 / 4, 1 / 2, 10 / 5.
        assert_eq!(comparison.time, Some(0.5));
        assert_eq!(summary.compare(&OURS, &Contender::Peer(Peer::TabM)), None);
    }

    #[test]
    fn ranks_are_shared_by_equals_and_failures_are_last() {
        let summary = example();
        // Set a: 0.2, 0.4, 0.4 has places 1, 2.5, 2.5; set b: equal, equal, failed has 1.5, 1.5, 3. LightGBM lacks set c.
        for (contender, rank) in [(OURS, 1.25), (SKLEARN, 2.0), (LIGHTGBM, 2.75)] {
            let (found, sets) = summary.mean_rank(&contender).unwrap();
            assert_close(found, rank);
            assert_eq!(sets, 2);
        }
    }

    #[test]
    fn times_are_for_1000_rows_that_were_learned_from() {
        let summary = example();
        // 31 rows each; 2, 1 and 10 seconds.
        assert_close(summary.seconds_per_1000_rows(&OURS).unwrap(), 2000.0 / 31.0);
        assert_close(summary.seconds_per_1000_rows(&LIGHTGBM).unwrap(), 1000.0 / 31.0);
    }

    #[test]
    fn medians_of_even_and_odd_counts() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(vec![]), None);
    }
}
