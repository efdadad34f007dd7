//! A search for settings by successive halving (Jamieson, Talwalkar 2016): all trials train for a part of their epochs, the best
//! third of them for three times as many, and so on to all. A trial starts anew on every rung, since the learning rate's course
//! depends on the epochs; that costs half as much again and makes every training a function of its settings alone.

mod log;
mod plot;
mod rungs;
mod space;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Instant;

use chainrule::{Compute, Flow, Isa, Key};
use chainrule_data::Table;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result, setting};
use crate::fit::prepare;
use crate::matrices::Roles;
use crate::recipe::Preset;
use crate::score::Score;
use crate::settings::Settings;
use crate::training::Fitted;
use crate::turns::Observer;

pub use log::{Header, Log};
pub use plot::picture;
use rungs::{divisors, promoted};
pub use space::{Choice, Space, Values};

/// One training of a search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Number of the trial, from 1; the first has the settings as they are.
    pub trial: usize,
    /// Number of the rung, from 1.
    pub rung: usize,
    /// Epochs it could train.
    pub epochs: usize,
    /// The score on the validation rows; None where training failed.
    pub score: Option<f64>,
    /// The epoch that the score is of.
    pub best_epoch: Option<usize>,
    /// How long it took.
    pub seconds: f64,
    /// What it changed.
    pub choice: Choice,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Everything that decides how a search goes.
pub struct Search<'a> {
    table: &'a Table,
    roles: &'a Roles,
    /// The sets of settings to start from, with their own learning rates.
    bases: Vec<(Settings, f64)>,
    choices: Vec<Choice>,
    /// By what each rung divides the epochs.
    divisors: Vec<usize>,
    score: Score,
    seed: u64,
    fingerprint: String,
}

/// Who works.
#[derive(Clone, Copy)]
pub struct Workers {
    /// Threads in all. Trials train side by side, on one thread each where there are enough of them.
    pub threads: usize,
    /// The instruction set.
    pub isa: Isa,
}

impl<'a> Search<'a> {
    /// A search over `trials` trials on `table`, from `bases`; the choices are a function of the first one's seed. Without `score` the
    /// model's [main one](Score::main) ranks them.
    ///
    /// # Errors
    /// As [`prepare`]; no trial; no row held out, or not the same ones for all.
    pub fn new(
        table: &'a Table,
        roles: &'a Roles,
        bases: Vec<Settings>,
        space: &Space,
        trials: usize,
        score: Option<Score>,
    ) -> Result<Self> {
        let Some(first) = bases.first() else { return setting("a search needs settings to start from") };
        if trials == 0 {
            return setting("trials must be at least 1");
        }
        if bases.iter().any(|base| base.valid_fraction == 0.0) {
            return setting("trials are compared on rows held out: valid_fraction must be above 0");
        }
        let seed = first.seed;
        let mut main = None;
        let with_rate = |base: Settings| {
            let prepared = prepare(table, None, roles, &base)?;
            main.get_or_insert(Score::main(prepared.target()));
            let rate = prepared.settings().learning_rate.unwrap_or(crate::settings::PLAIN_RATE);
            Ok((base, rate))
        };
        let bases = bases.into_iter().map(with_rate).collect::<Result<Vec<_>>>()?;
        let Some(score) = score.or(main) else { return setting("no score") };
        let draw = |trial: u64| match trial {
            0 => Choice::default(),
            _ => space.draw(Key::new(seed).part(trial), bases.len()),
        };
        let choices = (0..trials as u64).map(draw).collect();
        let epochs = bases.iter().map(|(base, _)| base.epochs).min().unwrap_or(1);
        let divisors = divisors(trials, epochs);
        let fingerprint = fingerprint(table, &(roles, bases.iter().map(|(base, _)| base).collect::<Vec<_>>(), space));
        Ok(Self { table, roles, bases, choices, divisors, score, seed, fingerprint })
    }

    /// The score that ranks the trials.
    pub fn score(&self) -> Score {
        self.score
    }

    /// Trainings on each rung.
    pub fn rungs(&self) -> Vec<usize> {
        rungs::sizes(self.choices.len(), self.divisors.len())
    }

    /// What the log of this search begins with.
    pub fn header(&self) -> Header {
        Header {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            trials: self.choices.len(),
            rungs: self.divisors.len(),
            seed: self.seed,
            score: self.score.name().to_owned(),
            fingerprint: self.fingerprint.clone(),
        }
    }

    /// Trains what is not among `known`, rung after rung, and gives `observer` each new outcome. Returns all outcomes by rung; if
    /// `stop` becomes true, those so far. Neither the workers nor the order in which trainings end change the outcomes.
    ///
    /// # Errors
    /// Those of `observer`; if every trial failed, the first one's reason.
    pub fn run(
        &self,
        known: Vec<Outcome>,
        workers: Workers,
        stop: &(dyn Fn() -> bool + Sync),
        observer: &mut dyn FnMut(&Outcome) -> Result<()>,
    ) -> Result<Vec<Outcome>> {
        let mut all = known;
        let mut trials: Vec<usize> = (1..=self.choices.len()).collect();
        for rung in 1..=self.divisors.len() {
            let is_known = |trial: usize| all.iter().any(|o| (o.trial, o.rung) == (trial, rung));
            let left: Vec<usize> = trials.iter().copied().filter(|&trial| !is_known(trial)).collect();
            let new = self.train_all(&left, rung, workers, stop, observer)?;
            let complete = new.len() == left.len();
            all.extend(new);
            if !complete {
                break;
            }
            let outcomes: Vec<&Outcome> = all.iter().filter(|o| o.rung == rung && trials.contains(&o.trial)).collect();
            if let (true, Some(first)) = (outcomes.iter().all(|o| o.score.is_none()), outcomes.first()) {
                let reason = first.error.clone().unwrap_or_default();
                return Err(Error::Setting(format!("every trial failed, the first because: {reason}")));
            }
            trials = promoted(&outcomes, self.score);
        }
        Ok(all)
    }

    /// Trains some trials side by side; those that were stopped are not among the outcomes.
    fn train_all(
        &self,
        trials: &[usize],
        rung: usize,
        workers: Workers,
        stop: &(dyn Fn() -> bool + Sync),
        observer: &mut dyn FnMut(&Outcome) -> Result<()>,
    ) -> Result<Vec<Outcome>> {
        let count = workers.threads.clamp(1, trials.len().max(1));
        let next = AtomicUsize::new(0);
        let (mut failure, is_broken) = (None, AtomicBool::new(false));
        let is_over = || stop() || is_broken.load(Ordering::Relaxed);
        let (sender, outcomes) = mpsc::channel();
        let mut done = vec![];
        std::thread::scope(|scope| {
            // Where trials are fewer than threads, they share them: no bit depends on it.
            for mut compute in Compute::with_isa(workers.threads, workers.isa).divided(count) {
                let (sender, next, is_over) = (sender.clone(), &next, &is_over);
                scope.spawn(move || {
                    while let Some(&trial) = trials.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let Some(outcome) = self.train(trial, rung, &mut compute, is_over) else { break };
                        if sender.send(outcome).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            for outcome in outcomes {
                if failure.is_none() {
                    failure = observer(&outcome).err();
                    is_broken.store(failure.is_some(), Ordering::Relaxed);
                }
                done.push(outcome);
            }
        });
        failure.map_or(Ok(done), Err)
    }

    fn train(&self, trial: usize, rung: usize, compute: &mut Compute, stop: &dyn Fn() -> bool) -> Option<Outcome> {
        let started = Instant::now();
        let settings = self.settings(trial, rung);
        let mut stopped = stop();
        let fitted = (!stopped).then(|| {
            self.fit_with(&settings, compute, &mut |_, _| {
                stopped |= stop();
                if stopped { Flow::Stop } else { Flow::Continue }
            })
        })?;
        if stopped {
            return None;
        }
        let scored = fitted.and_then(|fitted| {
            let Some(valid) = &fitted.valid else { return setting("no row was held out") };
            Ok((self.score.of(&valid.metrics)?, fitted.model.card().training.report.best_epoch))
        });
        let (score, best_epoch, error) = match scored {
            Ok((score, epoch)) if score.is_finite() => (Some(score), epoch, None),
            Ok((score, epoch)) => (None, epoch, Some(format!("the score is {score}"))),
            Err(error) => (None, None, Some(error.to_string())),
        };
        Some(Outcome {
            trial,
            rung,
            epochs: settings.epochs,
            score,
            best_epoch,
            seconds: started.elapsed().as_secs_f64(),
            choice: self.choices[trial - 1].clone(),
            error,
        })
    }

    /// The settings of a trial on a rung.
    fn settings(&self, trial: usize, rung: usize) -> Settings {
        let choice = &self.choices[trial - 1];
        let (base, rate) = &self.bases[choice.base];
        let settings = choice.settings(base, *rate);
        Settings { epochs: settings.epochs.div_ceil(self.divisors[rung - 1]), ..settings }
    }

    fn fit_with(&self, settings: &Settings, compute: &mut Compute, observer: &mut Observer<'_>) -> Result<Fitted> {
        prepare(self.table, None, self.roles, settings)?.train(compute, observer)
    }

    /// Trains the model of an outcome again, to the same bits.
    ///
    /// # Errors
    /// As [`Prepared::train`](crate::Prepared::train).
    pub fn fit(&self, outcome: &Outcome, compute: &mut Compute, observer: &mut Observer<'_>) -> Result<Fitted> {
        self.fit_with(&self.settings(outcome.trial, outcome.rung), compute, observer)
    }

    /// The last outcome of each trial, the best first: higher rungs before lower ones, failed trials last.
    pub fn ranking<'o>(&self, outcomes: &'o [Outcome]) -> Vec<&'o Outcome> {
        rungs::ranking(outcomes, self.score)
    }

    /// What a trial is, in words.
    pub fn words(&self, outcome: &Outcome) -> String {
        let preset = self.bases[outcome.choice.base].0.preset;
        let preset = Preset::ALL.iter().find(|(_, other)| *other == preset).map_or("", |(name, _)| name);
        match outcome.choice == Choice::default() {
            true => format!("{preset}, settings as they are"),
            false => format!("{preset}, {}", outcome.choice.words()),
        }
    }
}

/// SHA-256 over the table's cells and everything else that outcomes depend on.
fn fingerprint(table: &Table, settings: &impl Serialize) -> String {
    let mut hash = Sha256::new();
    hash.update(serde_json::to_vec(settings).unwrap_or_default());
    for column in &table.columns {
        hash.update(column.name.as_bytes());
        for row in 0..table.rows {
            hash.update(column.values.text(row).unwrap_or_default().as_bytes());
            hash.update([0]);
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
