//! `docs/accuracy.md` and its pictures.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result};

use super::contender::Contender;
use super::picture;
use super::results::Record;
use super::sets::Set;
use super::summary::{Comparison, Summary};
use crate::bench::machine;
use crate::root;

/// Writes the page of everything there is a result for.
pub fn write(summary: &Summary, records: &[Record]) -> Result<()> {
    let docs = root()?.join("docs");
    let keep = |name: &str, text: &str| fs::write(docs.join(name), text).with_context(|| format!("docs/{name}"));
    let mut pictures = String::new();
    for (name, picture) in [
        ("accuracy-errors.svg", summary.contenders.first().and_then(|ours| picture::errors(summary, ours))),
        ("accuracy-times.svg", picture::times(summary)),
    ] {
        if let Some(svg) = picture {
            keep(name, &svg)?;
            pictures += &format!("![]({name})\n\n");
        }
    }
    keep("accuracy.md", &markdown(summary, records, &pictures, &machine::host()))
}

fn markdown(summary: &Summary, records: &[Record], pictures: &str, machine: &str) -> String {
    let sections = [
        ("Classification: part of the test rows that is wrong", errors(summary, "error", "error")),
        ("Classification: log-loss", errors(summary, "log_loss", "error")),
        ("Regression: root mean square error", errors(summary, "rmse", "rmse")),
        ("Counts and amounts: mean deviance", errors(summary, "deviance", "deviance")),
        ("Classification: expected calibration error", errors(summary, "calibration_error", "error")),
        ("Coverage of 90 % intervals", coverage(summary)),
        ("Failures", failures(summary)),
    ];
    let sections = sections.iter().filter(|(_, table)| !table.is_empty());
    let sections: String = sections.map(|(title, table)| format!("## {title}\n\n{table}\n")).collect();
    let versions = versions(records);
    format!(
        "# Accuracy\n\n{INTRODUCTION}\n{pictures}{}\n{sections}## Machine\n\n{machine}- Results of: {versions}\n\n{REPEAT}",
        overview(summary)
    )
}

/// Of what the results are, each once.
fn versions(records: &[Record]) -> String {
    let name = |record: &Record| match Contender::from_key(&record.contender) {
        Some(Contender::Chainrule(_)) => format!("chainrule {}", record.version),
        _ => record.version.clone(),
    };
    // A run that failed may not have come to say its version.
    let known = records.iter().filter(|record| record.failure.is_none());
    known.map(name).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
}

/// Everybody's rank and time, then comparisons of each chainrule with each peer.
pub fn overview(summary: &Summary) -> String {
    let standing = summary.contenders.iter().map(|contender| {
        let rank = summary.mean_rank(contender).map_or("-".into(), |(rank, sets)| format!("{rank:.2} ({sets})"));
        let time = summary.seconds_per_1000_rows(contender).map_or("-".into(), digits);
        [contender.title(), rank, time]
    });
    let head = ["", "mean rank (sets)", "seconds per 1000 rows"];
    let mut text = format!("## Overview\n\n{}", table(&head, standing));
    let (ours, peers): (Vec<_>, Vec<_>) =
        summary.contenders.iter().partition(|contender| matches!(contender, Contender::Chainrule(_)));
    for ours in ours {
        let row = |peer: &&Contender| Some(comparison(peer.title(), &summary.compare(ours, peer)?));
        let rows: Vec<_> = peers.iter().filter_map(row).collect();
        if !rows.is_empty() {
            let head = ["against", "error", "log-loss", "RMSE", "deviance", "all", "wins - ties - losses", "time"];
            text += &format!(
                "\n{} over each, geometric means; below 1 it is better:\n\n{}",
                ours.title(),
                table(&head, rows)
            );
        }
    }
    text
}

fn comparison(peer: String, comparison: &Comparison) -> [String; 8] {
    let ratio = |name: &str| comparison.ratios.get(name).map_or("-".into(), |ratio| format!("{ratio:.3}"));
    let Comparison { wins, ties, losses, time, .. } = comparison;
    let [error, log_loss, rmse, deviance, all] = ["error", "log_loss", "rmse", "deviance", "all"].map(ratio);
    [peer, error, log_loss, rmse, deviance, all, format!("{wins} - {ties} - {losses}"), time.map_or("-".into(), digits)]
}

/// A score of everybody on each set that is compared by `main`, the best in bold; empty where there is no such set.
fn errors(summary: &Summary, score: &str, main: &str) -> String {
    let titles: Vec<String> = summary.contenders.iter().map(Contender::title).collect();
    let head: Vec<&str> = ["set", "rows"].into_iter().chain(titles.iter().map(String::as_str)).collect();
    let row = |set: &Set| {
        let found = |contender: &Contender| summary.entry(set, contender)?.scores.get(score).copied();
        let best = summary.contenders.iter().filter_map(found).fold(f64::INFINITY, f64::min);
        let cell = |contender: &Contender| match (found(contender), summary.entry(set, contender)) {
            (Some(value), _) if value == best => format!("**{}**", digits(value)),
            (Some(value), _) => digits(value),
            (None, Some(_)) => "failed".into(),
            (None, None) => String::new(),
        };
        let cells = summary.contenders.iter().map(cell);
        [set.name.clone(), set.rows.to_string()].into_iter().chain(cells).collect::<Vec<_>>()
    };
    let rows: Vec<_> = summary.sets.iter().filter(|set| set.task.score() == main).map(row).collect();
    if rows.is_empty() { String::new() } else { table(&head, rows) }
}

/// How much of the test rows the intervals of each chainrule cover; empty where nobody gave any.
fn coverage(summary: &Summary) -> String {
    let found = |set: &Set, contender: &Contender| summary.entry(set, contender)?.scores.get("coverage").copied();
    let gave = |contender: &&Contender| summary.sets.iter().any(|set| found(set, contender).is_some());
    let contenders: Vec<&Contender> = summary.contenders.iter().filter(gave).collect();
    let titles: Vec<String> = contenders.iter().map(|contender| contender.title()).collect();
    let head: Vec<&str> = ["set", "rows"].into_iter().chain(titles.iter().map(String::as_str)).collect();
    let row = |set: &Set| {
        let cells: Vec<_> = contenders.iter().map(|contender| found(set, contender)).collect();
        cells.iter().any(Option::is_some).then(|| {
            let cells =
                cells.into_iter().map(|cell| cell.map_or(String::new(), |part| format!("{:.1} %", 100.0 * part)));
            [set.name.clone(), set.rows.to_string()].into_iter().chain(cells).collect::<Vec<_>>()
        })
    };
    let rows: Vec<_> = summary.sets.iter().filter_map(row).collect();
    if rows.is_empty() { String::new() } else { table(&head, rows) }
}

fn failures(summary: &Summary) -> String {
    let mut text = String::new();
    for set in &summary.sets {
        for contender in &summary.contenders {
            if let Some(reason) = summary.entry(set, contender).and_then(|entry| entry.failure.as_ref()) {
                text += &format!("- {} on {}: {reason}\n", contender.title(), set.name);
            }
        }
    }
    text
}

fn table<Row: AsRef<[String]>>(head: &[&str], rows: impl IntoIterator<Item = Row>) -> String {
    let lines = rows.into_iter().map(|row| format!("| {} |\n", row.as_ref().join(" | ")));
    format!("| {} |\n|{}\n{}", head.join(" | "), "---|".repeat(head.len()), lines.collect::<String>())
}

/// Four digits that count.
fn digits(value: f64) -> String {
    let places = 3 - value.abs().max(1e-9).log10().floor() as i32;
    format!("{value:.*}", places.clamp(0, 6) as usize)
}

const INTRODUCTION: &str = "\
Every contender learns from the same rows of the same real tables and predicts the same test rows. Row i is for the test if
h = i * 2654435761 mod 2^32 is below 858993460 (20 %), for validation if h is below 1546188227 (16 %), else for training; of
mnist and fashion-mnist the last 10,000 rows are the test. Who stops early does so on the validation rows, chainrule's
presets of one network too; chainrule's default, its `best` and scikit-learn get training and validation rows together and hold
out rows of their own. That makes a difference: the rule spreads validation rows evenly, so that next to a test row there is always one for
training, and where neighbours are alike (krkopt) a network learns more from such rows. Scores are means over the seeds.

All have two threads and the settings that their authors chose. LightGBM, XGBoost and CatBoost: at most 4000 trees, 100 without
gain; Poisson's cost for counts, with the exposure; the gamma cost for amounts, in CatBoost Tweedie's of power 1.99.
scikit-learn: numbers standardised with imputed medians and indicators, text one-hot; Poisson's cost for counts, else
squared error. RealMLP and TabM are those of pytabkit, which refuses missing numbers (they get medians and indicators), takes
no weights and has neither cost: they learn counts and amounts by squared error. Where a contender predicts less than a
thousandth of the mean count or amount, that thousandth is scored. Identifiers are taken out for all.

The calibration error is the mean distance between the largest probability and how often it is right, in 15 bins of equal
width, which their upper borders belong to.

A time is that of preparing the columns and learning; for chainrule that of the whole program, reading and writing included.
Times of runs on another processor than the one named below are left out.
";

const REPEAT: &str = "\
## Repeat

    cargo xtask accuracy --data FOLDER

with `index.json` and the tables it names in the folder. `bench/README.md` has the rest.
";

#[cfg(test)]
mod tests {
    use super::super::summary::tests::example;
    use super::*;

    #[test]
    fn the_page_has_a_section_for_each_kind_of_score_and_names_failures() {
        let text = markdown(&example(), &[], "", "- CPU: a machine\n");
        let parts = [
            "## Overview\n",
            "| chainrule | 1.25 (2) | 64.52 |\n",
            "chainrule over each",
            "| scikit-learn MLP | 0.707 | 1.414 | 2.000 | - | 1.000 | 1 - 1 - 1 | 0.5000 |\n",
            "is wrong\n\n| set | rows | chainrule | scikit-learn MLP | LightGBM |\n",
            "| a | 40 | **0.2000** | 0.4000 | 0.4000 |\n",
            "| b | 40 | **0.000000** | **0.000000** | failed |\n",
            "log-loss\n",
            "| c | 40 | 8.000 | **4.000** |  |\n",
            "## Failures\n\n- LightGBM on b: it broke\n",
            "- CPU: a machine\n",
        ];
        let places: Vec<_> =
            parts.iter().map(|part| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"))).collect();
        assert!(places.is_sorted(), "{places:?}");
        assert!(!text.contains("Counts"));
    }

    #[test]
    fn four_digits_count() {
        assert_eq!([0.012_345, 1.234_56, 12_345.6, 0.123_456].map(digits), ["0.01235", "1.235", "12346", "0.1235"]);
    }
}
