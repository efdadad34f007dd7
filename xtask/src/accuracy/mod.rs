//! `cargo xtask accuracy`: chainrule's errors beside other libraries' on real tables.

mod contender;
mod metric;
mod page;
mod picture;
mod results;
mod run;
mod sets;
mod split;
mod summary;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::{Parser, ValueEnum};

use crate::bench::machine;
use crate::{call, python, root, target_folder};
use contender::{Contender, Peer};
use results::{Record, Results};
use run::{Outcome, Runner, THREADS};
use sets::Set;
use split::Parts;
use summary::Summary;

/// chainrule's errors beside other libraries' on real tables
///
/// Runs what bench/accuracy/results.json lacks, those first that take the least time, keeps each result there as soon as it
/// is known, prints the comparison and writes docs/accuracy.md from all results. It can be stopped and started again.
#[derive(Parser)]
#[command(bin_name = "cargo xtask accuracy")]
struct Options {
    /// Folder with index.json and the tables that it names
    #[arg(long, value_name = "FOLDER")]
    data: PathBuf,
    /// `quick`, `all`, or names, as in iris,adult
    #[arg(long, value_delimiter = ',', default_value = "quick")]
    sets: Vec<String>,
    /// Runs of each contender on each set, with the seeds 0, 1, ...
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// chainrule's presets to run instead of its defaults
    #[arg(long, value_delimiter = ',')]
    presets: Vec<String>,
    /// Libraries beside chainrule; all if absent
    #[arg(long, value_delimiter = ',', conflicts_with = "alone")]
    peers: Vec<Peer>,
    /// No libraries beside chainrule
    #[arg(long)]
    alone: bool,
    /// Break a run off after so many minutes; it then counts as failed
    #[arg(long, default_value_t = 60, value_name = "MINUTES", value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
    /// Run once more what failed
    #[arg(long)]
    retry: bool,
    /// Keep no times: the machine has other work beside
    #[arg(long)]
    busy: bool,
}

pub fn run() -> Result<()> {
    let options = Options::parse_from(std::env::args().skip(1));
    let all = sets::read(&options.data)?;
    let chosen = sets::select(all.clone(), &options.sets)?;
    call("cargo", &["build", "--release", "--locked", "-p", "chainrule-cli"], &[])?;
    let mut results = Results::load(root()?.join("bench/accuracy/results.json"))?;
    let runner = Runner::new(Duration::from_secs(60 * options.limit))?;
    let todo = options.todo(&chosen, &results, &runner);
    if todo.iter().any(|job| matches!(job.contender, Contender::Peer(_))) {
        python::environment(".venv-accuracy", "accuracy/requirements.txt")?;
    }
    for (place, job) in todo.iter().enumerate() {
        eprintln!(
            "[{}/{}] {} on {} ({} rows)",
            place + 1,
            todo.len(),
            job.contender.title(),
            job.set.name,
            job.set.rows
        );
        job.run(&options, &runner, &mut results)?;
    }
    let records = results.on(&machine::cpu());
    println!("\n{}", page::overview(&Summary::new(&chosen, &records)));
    page::write(&Summary::new(&all, &records), &records)?;
    println!("written: docs/accuracy.md");
    Ok(())
}

/// The seeds of one contender on one set that have no result yet.
struct Job {
    contender: Contender,
    set: Set,
    seeds: Vec<u64>,
}

impl Options {
    /// In the order in which they are to run: the fast first.
    fn contenders(&self) -> Vec<Contender> {
        let presets = self.presets.iter().map(|preset| Contender::Chainrule(Some(preset.clone())));
        let mut contenders: Vec<Contender> = presets.collect();
        if contenders.is_empty() {
            contenders.push(Contender::Chainrule(None));
        }
        let peers: Vec<Peer> = Peer::value_variants().to_vec();
        let wanted = |peer: &Peer| !self.alone && (self.peers.is_empty() || self.peers.contains(peer));
        contenders.extend(peers.into_iter().filter(wanted).map(Contender::Peer));
        contenders
    }

    fn todo(&self, sets: &[Set], results: &Results, runner: &Runner) -> Vec<Job> {
        let mut todo = vec![];
        for contender in self.contenders() {
            for set in sets {
                let is_missing = |seed: &u64| match results.find(&set.name, &contender.key(), *seed) {
                    Some(Record { failure: Some(_), .. }) if self.retry => true,
                    // Another build of chainrule has other results.
                    Some(record) => runner.version(&contender).is_some_and(|version| version != record.version),
                    None => true,
                };
                let seeds: Vec<u64> = (0..self.seeds).filter(is_missing).collect();
                if !seeds.is_empty() {
                    todo.push(Job { contender: contender.clone(), set: set.clone(), seeds });
                }
            }
        }
        todo
    }
}

impl Job {
    /// Keeps each result as soon as it is there. What a contender cannot do is a result too.
    fn run(&self, options: &Options, runner: &Runner, results: &mut Results) -> Result<()> {
        let Job { contender, set, seeds } = self;
        let parts = Parts::write(set, &options.data, target_folder()?.join("accuracy").join(&set.name))?;
        ensure!(parts.test.rows > 0, "{} has no test rows", set.name);
        for &seed in seeds {
            let outcome = runner.run(contender, set, &parts, seed);
            let (outcome, failure) = match outcome {
                Ok(outcome) => (outcome, None),
                Err(error) => (Outcome::nothing(runner.version(contender)), Some(format!("{error:#}"))),
            };
            let scores: Vec<String> = outcome.scores.iter().map(|(name, score)| format!("{name} {score:.5}")).collect();
            let said = failure.clone().map_or(scores.join(", "), |reason| format!("failed: {reason}"));
            eprintln!("    seed {seed}: {said} in {:.1} s", outcome.seconds);
            let Outcome { version, seconds, scores } = outcome;
            let seconds = (!options.busy).then_some(seconds);
            let (set, contender, cpu) = (set.name.clone(), contender.key(), machine::cpu());
            results.put(Record { set, contender, seed, version, threads: THREADS, cpu, seconds, scores, failure })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &[&str]) -> Options {
        Options::parse_from([&["accuracy", "--data", "d"], arguments].concat())
    }

    fn keys(options: &Options) -> Vec<String> {
        options.contenders().iter().map(Contender::key).collect()
    }

    #[test]
    fn all_peers_run_the_fast_first_unless_some_are_named() {
        let all = keys(&options(&[]));
        let expected =
            ["chainrule", "sklearn", "lightgbm", "xgboost", "catboost", "realmlp-td-s", "realmlp-td", "tabm"];
        assert_eq!(all, expected);
        assert_eq!(keys(&options(&["--peers", "tabm,sklearn"])), ["chainrule", "sklearn", "tabm"]);
        assert_eq!(keys(&options(&["--alone", "--presets", "a,b"])), ["chainrule a", "chainrule b"]);
        assert!(Options::try_parse_from(["accuracy", "--data", "d", "--peers", "magic"]).is_err());
    }

    #[test]
    fn only_what_is_missing_runs() {
        let folder = tempfile::tempdir().unwrap();
        let mut results = Results::load(folder.path().join("results.json")).unwrap();
        let sets = [summary::tests::set("a", "binary", 40), summary::tests::set("b", "binary", 50)];
        let runner = Runner::of_build("1.0");
        let todo = |options: &Options, results: &Results| {
            let todo = options.todo(&sets, results, &runner);
            todo.iter()
                .map(|job| format!("{} {} {:?}", job.contender.key(), job.set.name, job.seeds))
                .collect::<Vec<_>>()
        };
        let options = |more: &[&str]| options(&[&["--seeds", "2", "--peers", "sklearn"], more].concat());
        for run in [
            ("a", "chainrule", 0, &[("error", 0.1)][..], 1.0),
            ("a", "sklearn", 0, &[("error", 0.1)], 1.0),
            ("b", "sklearn", 0, &[("error", 0.1)], 1.0),
            ("b", "sklearn", 1, &[], 1.0),
        ] {
            results.put(summary::tests::record(run)).unwrap();
        }
        let expected = ["chainrule a [1]", "chainrule b [0, 1]", "sklearn a [1]"];
        assert_eq!(todo(&options(&[]), &results), expected);
        assert_eq!(todo(&options(&["--retry"]), &results)[3..], ["sklearn b [1]"]);
        let mut old = results.find("a", "chainrule", 0).unwrap().clone();
        old.version = "0.9".into();
        results.put(old).unwrap();
        assert_eq!(todo(&options(&[]), &results)[0], "chainrule a [0, 1]");
    }
}
