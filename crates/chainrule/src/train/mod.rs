//! Training: epochs, batches, validation, early stopping. The only place that divides by the total weight.

mod batches;
mod full_batch;
mod split;
mod stepper;
mod watch;
mod ways;

use serde::{Deserialize, Serialize};

use crate::compute::Compute;
use crate::data::Dataset;
use crate::error::{Result, setting};
use crate::gradient::dot;
use crate::groups::Groups;
use crate::matrix::{Matrix, Split};
use crate::metric::Metric;
use crate::network::Network;
use crate::optimizer::Optimizer;
use crate::params::Role;
use crate::scalar::Scalar;
use crate::schedule::Schedule;
use crate::spec::NetworkSpec;
pub use batches::ProgressNumbers;
use batches::{Batches, Memory};
use full_batch::FullBatch;
pub use stepper::{Pass, Progress, Stepper};
use watch::Watch;

/// How to train.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainSettings {
    /// Passes over the rows, at most.
    pub epochs: usize,
    /// Rows of a batch; the last batch of an epoch may be smaller.
    pub batch: usize,
    /// Leave the last batch of an epoch out where it is smaller, unless it is the only one.
    pub drop_last: bool,
    /// Optimizer.
    pub optimizer: Optimizer,
    /// mu of Eq. (7).
    pub learning_rate: f64,
    /// Its course over the steps.
    pub schedule: Schedule,
    /// Course of the optimizer's weight decay.
    pub decay_schedule: Schedule,
    /// Course of every layer's probability of dropout.
    pub dropout_schedule: Schedule,
    /// Rates of kinds of parameters.
    pub groups: Groups,
    /// Adds l1 sum |w| to the mean cost, over all weights.
    pub l1: f64,
    /// Adds (l2 / 2) sum w^2 to the mean cost, over all weights.
    pub l2: f64,
    /// Adds (row_l2 / 2) sum w^2 to the summed cost of a batch, so that it is divided by the batch's total weight as the cost is: the
    /// `alpha` of scikit-learn.
    #[serde(skip_serializing_if = "is_zero")]
    pub row_l2: f64,
    /// The longest that the gradient of a batch's mean cost, penalties left out, may be as one vector of all parameters: a longer
    /// one is shortened to it (Pascanu, Mikolov, Bengio 2013).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// Decay of the exponential moving average of the parameters over the steps: with one, validation and the trained network
    /// have the average.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ema: Option<f64>,
    /// New order of the rows in each epoch.
    pub shuffle: bool,
    /// Epochs without a better score after which training stops; 0: never.
    pub patience: usize,
    /// By how much a score must be better to count.
    pub tolerance: f64,
    /// The score that early stopping watches: on the validation rows or, without any, the training cost.
    pub metric: Metric,
    /// Go back to the parameters with the best score at the end.
    pub restore_best: bool,
    /// Seed of row order and dropout.
    pub seed: u64,
}

impl Default for TrainSettings {
    fn default() -> Self {
        Self {
            epochs: 200,
            batch: 256,
            drop_last: false,
            optimizer: Optimizer::adam(),
            learning_rate: 1e-3,
            schedule: Schedule::Constant,
            decay_schedule: Schedule::Constant,
            dropout_schedule: Schedule::Constant,
            groups: Groups::default(),
            l1: 0.0,
            l2: 0.0,
            row_l2: 0.0,
            clip_norm: None,
            ema: None,
            shuffle: true,
            patience: 0,
            tolerance: 0.0,
            metric: Metric::Cost,
            restore_best: true,
            seed: 0,
        }
    }
}

impl TrainSettings {
    /// Refuses what cannot work.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) with the setting's name.
    pub fn validate(&self) -> Result<()> {
        if self.batch == 0 {
            return setting("batch must be at least 1");
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return setting(format!("learning_rate must be > 0, got {}", self.learning_rate));
        }
        for (name, x) in [("l1", self.l1), ("l2", self.l2), ("row_l2", self.row_l2), ("tolerance", self.tolerance)] {
            if !(x >= 0.0 && x.is_finite()) {
                return setting(format!("{name} must be >= 0, got {x}"));
            }
        }
        if let Some(norm) = self.clip_norm.filter(|norm| !(*norm > 0.0 && norm.is_finite())) {
            return setting(format!("clip_norm must be > 0, got {norm}"));
        }
        if let Some(decay) = self.ema.filter(|decay| !(0.0..1.0).contains(decay)) {
            return setting(format!("ema must be in [0, 1), got {decay}"));
        }
        self.optimizer.validate()?;
        self.groups.validate()?;
        [self.schedule, self.decay_schedule, self.dropout_schedule].iter().try_for_each(Schedule::validate)
    }

    /// The factor of sum w^2 / 2 in the mean cost of rows with this total weight.
    fn l2_over(&self, weight: f64) -> f64 {
        self.l2 + self.row_l2 / weight
    }

    /// Refuses networks and costs that the optimizer cannot train.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) with what stands in its way.
    pub fn check_network(&self, network: &NetworkSpec) -> Result<()> {
        if !matches!(self.optimizer, Optimizer::Lbfgs { .. }) {
            return Ok(());
        }
        for (name, set, reason) in [
            (
                "dropout",
                network.hidden.iter().any(|hidden| hidden.dropout > 0.0),
                "the cost must stay the same function",
            ),
            ("l1", self.l1 > 0.0, "the cost must be smooth"),
            ("clip_norm", self.clip_norm.is_some(), "it searches for the length of its steps"),
            ("ema", self.ema.is_some(), "its steps lead down"),
        ] {
            if set {
                return setting(format!("L-BFGS works without {name} only: {reason}"));
            }
        }
        Ok(())
    }
}

/// What an observer is told.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A training begins.
    Begin {
        /// Epochs, at most.
        epochs: usize,
    },
    /// A batch is done.
    Batch {
        /// Epoch, from 1.
        epoch: usize,
        /// Batch of the epoch, from 1.
        batch: usize,
        /// Batches of an epoch.
        batches: usize,
        /// Rows of this batch.
        rows: usize,
        /// Mean cost of this batch before the step.
        cost: f64,
    },
    /// An epoch is done.
    Epoch(EpochRecord),
}

/// One epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Mean cost over the epoch's batches, each before its step.
    pub train_cost: f64,
    /// The watched metric on the validation rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_score: Option<f64>,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Whether it is the best epoch so far.
    pub best: bool,
}

/// What training does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Stop before the first epoch or after this batch or epoch, and keep the best parameters.
    Stop,
}

/// Why training ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Ended {
    /// All epochs are done.
    Completed,
    /// No element of the gradient is larger than the tolerance of L-BFGS, or it found nothing lower within the precision of
    /// the cost.
    Converged,
    /// No better score for `patience` epochs.
    Patience,
    /// The observer asked for it.
    Stopped,
    /// The cost became infinite or NaN in this batch; the parameters are the best before it.
    NonFinite {
        /// Epoch, from 1.
        epoch: usize,
        /// Batch of the epoch, from 1.
        batch: usize,
    },
}

/// How a training went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainReport {
    /// Every completed epoch.
    pub history: Vec<EpochRecord>,
    /// The epoch whose parameters the network has; 0: the initial ones. None: those after the last step.
    pub best_epoch: Option<usize>,
    /// Why it ended.
    pub ended: Ended,
}

/// Trains `network` in place. `observer` is told of the beginning, every batch and every epoch.
///
/// # Errors
/// If the settings cannot work or the data does not fit the network; the network is then unchanged.
pub fn train<T: Scalar>(
    network: &mut Network<T>,
    compute: &mut Compute,
    data: &Dataset<'_, T>,
    valid: Option<&Dataset<'_, T>>,
    settings: &TrainSettings,
    observer: &mut dyn FnMut(&Event) -> Flow,
) -> Result<TrainReport> {
    settings.validate()?;
    settings.check_network(network.spec())?;
    data.check(network.spec())?;
    if let Some(valid) = valid {
        valid.check(network.spec())?;
        settings.metric.check(network.spec())?;
    }
    let mut trainer = Trainer::new(network, compute, data, settings, None);
    let mut watch = Watch::new(network, compute, valid, settings);
    if observer(&Event::Begin { epochs: settings.epochs }) == Flow::Stop {
        return Ok(watch.end(network, Ended::Stopped));
    }
    for epoch in 1..=settings.epochs {
        trainer.exchange(network);
        let (cost, ended) = trainer.epoch(network, compute, data, epoch, observer);
        trainer.exchange(network);
        if let Some(ended @ (Ended::NonFinite { .. } | Ended::Stopped)) = ended {
            return Ok(watch.end(network, ended));
        }
        let improved_at = watch.look(network, compute, epoch, cost, trainer.learning_rate());
        let stop = watch.history.last().is_some_and(|&record| observer(&Event::Epoch(record)) == Flow::Stop);
        if stop {
            return Ok(watch.end(network, Ended::Stopped));
        }
        if let Some(ended) = ended {
            return Ok(watch.end(network, ended));
        }
        if settings.patience > 0 && epoch - improved_at >= settings.patience {
            return Ok(watch.end(network, Ended::Patience));
        }
    }
    Ok(watch.end(network, Ended::Completed))
}

/// l1 sum |w| + (l2 / 2) sum w^2 over all weights.
fn penalty<T: Scalar>(network: &Network<T>, l1: f64, l2: f64) -> f64 {
    let mut penalty = 0.0;
    for view in network.views().iter().filter(|view| view.role == Role::Weight) {
        let w = &network.parameters[view.range()];
        penalty += 0.5 * l2 * dot(w, w);
        if l1 > 0.0 {
            penalty += l1 * w.iter().map(|w| w.to_f64().abs()).sum::<f64>();
        }
    }
    penalty
}

/// Whether a setting that few trainings have can be left out of a file.
#[allow(clippy::trivially_copy_pass_by_ref)] // The serializer passes a reference.
fn is_zero(x: &f64) -> bool {
    *x == 0.0
}

/// What moves the parameters, epoch by epoch.
struct Trainer<'a, T> {
    way: Way<'a, T>,
    /// The features stored in another way than the caller's, if that is faster.
    split: Option<Split<T>>,
}

/// How the parameters move in an epoch.
enum Way<'a, T> {
    Batches(Box<Batches<'a, T>>),
    FullBatch(Box<FullBatch<'a, T>>),
}

impl<'a, T: Scalar> Trainer<'a, T> {
    /// `memory`: that of earlier steps, if there were any.
    fn new(
        network: &Network<T>,
        compute: &Compute,
        data: &Dataset<'_, T>,
        settings: &'a TrainSettings,
        memory: Option<Memory<T>>,
    ) -> Self {
        let way = match settings.optimizer {
            Optimizer::Lbfgs { history, tolerance } => {
                Way::FullBatch(Box::new(FullBatch::new(network, compute, data, settings, (history, tolerance))))
            }
            _ => {
                let memory = memory.unwrap_or_else(|| Memory::new(network, settings));
                Way::Batches(Box::new(Batches::new(network, compute, data, settings, memory)))
            }
        };
        Self { way, split: split::worthwhile(network, &data.inputs) }
    }

    /// One pass over the rows. Returns the mean cost, and why training ends if it does. The features of `data` are those of
    /// [`new`](Self::new).
    fn epoch(
        &mut self,
        network: &mut Network<T>,
        compute: &mut Compute,
        data: &Dataset<'_, T>,
        epoch: usize,
        observer: &mut dyn FnMut(&Event) -> Flow,
    ) -> (f64, Option<Ended>) {
        let mut data = *data;
        let matrix = data.inputs.numeric;
        if let Some(parts) = &self.split {
            data.inputs.numeric = Matrix::Split { matrix: &matrix, parts };
        }
        match &mut self.way {
            Way::Batches(batches) => batches.epoch(network, compute, &data, epoch, observer),
            Way::FullBatch(all) => all.epoch(network, compute, &data, epoch, observer),
        }
    }

    /// The rate, or the length along the direction, of the last step.
    fn learning_rate(&self) -> f64 {
        match &self.way {
            Way::Batches(batches) => batches.learning_rate,
            Way::FullBatch(all) => all.step_length,
        }
    }

    /// Exchanges the parameters that move and those that are to be used.
    fn exchange(&mut self, network: &mut Network<T>) {
        if let Way::Batches(batches) = &mut self.way {
            batches.exchange(network);
        }
    }
}

impl Ended {
    /// The likely cause and remedy of a training that broke; None if it did not.
    pub fn advice(&self, settings: &TrainSettings) -> Option<String> {
        let Self::NonFinite { epoch, batch } = self else { return None };
        if matches!(settings.optimizer, Optimizer::Lbfgs { .. }) {
            return Some("the cost is infinite or NaN where training would start".into());
        }
        Some(format!(
            "the cost became infinite or NaN in epoch {epoch}, batch {batch}: most likely the learning rate ({}) is too \
             high; try {}",
            settings.learning_rate,
            settings.learning_rate / 10.0
        ))
    }
}
