//! Training: epochs, batches, validation, early stopping. The only place that divides by the total weight.

use serde::{Deserialize, Serialize};

use crate::block::Blocks;
use crate::compute::Compute;
use crate::cost::Constants;
use crate::data::Dataset;
use crate::error::{Result, setting};
use crate::groups::Groups;
use crate::kernel::Buffer;
use crate::layer::dropout::Masks;
use crate::metric::Metric;
use crate::network::Network;
use crate::optimizer::{Optimizer, State, Step};
use crate::predict::CHUNK;
use crate::rng::Key;
use crate::scalar::Scalar;
use crate::schedule::Schedule;

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
        for (name, x) in [("l1", self.l1), ("l2", self.l2), ("tolerance", self.tolerance)] {
            if !(x >= 0.0 && x.is_finite()) {
                return setting(format!("{name} must be >= 0, got {x}"));
            }
        }
        self.optimizer.validate()?;
        self.groups.validate()?;
        [self.schedule, self.decay_schedule, self.dropout_schedule].iter().try_for_each(Schedule::validate)
    }
}

/// What an observer is told.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
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
    Epoch(&'a EpochRecord),
}

/// One epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// Stop after this batch or epoch and keep the best parameters.
    Stop,
}

/// Why training ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Ended {
    /// All epochs are done.
    Completed,
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

/// Trains `network` in place. `observer` is told of every batch and epoch.
///
/// # Errors
/// If the settings cannot work or the data does not fit the network; the network is then unchanged.
pub fn train<T: Scalar>(
    network: &mut Network<T>,
    compute: &mut Compute,
    data: &Dataset<'_, T>,
    valid: Option<&Dataset<'_, T>>,
    settings: &TrainSettings,
    observer: &mut dyn FnMut(&Event<'_>) -> Flow,
) -> Result<TrainReport> {
    settings.validate()?;
    data.check(network.spec())?;
    if let Some(valid) = valid {
        valid.check(network.spec())?;
        settings.metric.check(network.spec())?;
    }
    let mut trainer = Trainer::new(network, compute, data, settings);
    let mut watch = Watch::new(network, compute, valid, settings);
    for epoch in 1..=settings.epochs {
        let (cost, ended) = trainer.epoch(network, compute, data, epoch, observer);
        if let Some(ended) = ended {
            return Ok(watch.end(network, ended));
        }
        let improved_at = watch.look(network, compute, epoch, cost, trainer.learning_rate);
        let stop = watch.history.last().is_some_and(|record| observer(&Event::Epoch(record)) == Flow::Stop);
        if stop {
            return Ok(watch.end(network, Ended::Stopped));
        }
        if settings.patience > 0 && epoch - improved_at >= settings.patience {
            return Ok(watch.end(network, Ended::Patience));
        }
    }
    Ok(watch.end(network, Ended::Completed))
}

/// Everything a training step needs besides the network.
struct Trainer<'a, T> {
    settings: &'a TrainSettings,
    order: Vec<u32>,
    blocks: Blocks<T>,
    constants: Constants,
    state: State<T>,
    steps: u64,
    learning_rate: f64,
}

impl<'a, T: Scalar> Trainer<'a, T> {
    fn new(network: &Network<T>, compute: &Compute, data: &Dataset<'_, T>, settings: &'a TrainSettings) -> Self {
        let capacity = settings.batch.min(data.len());
        Self {
            settings,
            order: data.rows().collect(),
            blocks: Blocks::new(network.spec(), &network.topology, capacity, compute, true),
            constants: Constants::new(&network.spec().head, data),
            state: State::new(settings.optimizer, &settings.groups, network.views(), network.parameters.len()),
            steps: 0,
            learning_rate: settings.learning_rate,
        }
    }

    /// One pass over the rows. Returns the mean cost, and why training ends if it does.
    fn epoch(
        &mut self,
        network: &mut Network<T>,
        compute: &mut Compute,
        data: &Dataset<'_, T>,
        epoch: usize,
        observer: &mut dyn FnMut(&Event<'_>) -> Flow,
    ) -> (f64, Option<Ended>) {
        if self.settings.shuffle {
            // From the same start each time, so that an epoch's order depends on seed and epoch alone.
            self.order.clear();
            self.order.extend(data.rows());
            Key::new(self.settings.seed).part(epoch as u64).shuffle(&mut self.order);
        }
        let (rows, batch) = (self.order.len(), self.settings.batch);
        let batches = if self.settings.drop_last { (rows / batch).max(1) } else { rows.div_ceil(batch) };
        let (mut cost, mut total) = (0.0, 0.0);
        for number in 0..batches {
            let (rows, batch_cost, weight) = self.step(network, compute, data, number, batches);
            if !batch_cost.is_finite() {
                return (batch_cost, Some(Ended::NonFinite { epoch, batch: number + 1 }));
            }
            cost += batch_cost;
            total += weight;
            let mean = if weight > 0.0 { batch_cost / weight } else { 0.0 };
            let event = Event::Batch { epoch, batch: number + 1, batches, rows, cost: mean };
            if observer(&event) == Flow::Stop {
                return (cost, Some(Ended::Stopped));
            }
        }
        (cost / total, None)
    }

    /// Forward, cost, backward and the optimizer's step on one batch. Returns its rows, its cost, a sum, and its total weight.
    fn step(
        &mut self,
        network: &mut Network<T>,
        compute: &mut Compute,
        data: &Dataset<'_, T>,
        number: usize,
        batches: usize,
    ) -> (usize, f64, f64) {
        let first = number * self.settings.batch;
        let rows = &self.order[first..self.order.len().min(first + self.settings.batch)];
        let steps = (batches * self.settings.epochs) as u64;
        let factor = |schedule: &Schedule| schedule.factor(self.steps, steps);
        let key = Key::new(self.settings.seed).part(u64::MAX).part(self.steps);
        let masks = Masks { key, factor: factor(&self.settings.dropout_schedule) };
        let Network { spec, topology, parameters, transposed } = network;
        self.blocks.each(compute, rows, &|(mut team, isa), block, select, first| {
            block.load_all(isa, data, select, first);
            topology.forward((team.as_deref_mut(), isa), parameters, block, Some(masks));
            block.cost(isa, spec);
            topology.backward((team, isa), (parameters, transposed), block);
        });
        let (cost, weight) = (self.blocks.cost() + self.constants.of(rows), self.blocks.total_weight());
        // Nothing to learn from a batch without weight, nothing good from a cost without bounds.
        if weight > 0.0 && cost.is_finite() {
            self.learning_rate = self.settings.learning_rate * factor(&self.settings.schedule);
            let step = Step {
                learning_rate: self.learning_rate,
                gradient_scale: 1.0 / weight,
                l1: self.settings.l1,
                l2: self.settings.l2,
                decay: factor(&self.settings.decay_schedule),
            };
            topology.other_gradients(compute, parameters, &mut self.blocks);
            let mut update = self.state.step(parameters, step);
            topology.gradients(compute, &self.blocks, transposed, &mut update);
        }
        self.steps += 1;
        (rows.len(), cost, weight)
    }
}

/// Keeps the scores and the best parameters.
struct Watch<'a, T> {
    settings: &'a TrainSettings,
    valid: Option<Validation<'a, T>>,
    history: Vec<EpochRecord>,
    best: Option<Best<T>>,
    improved_at: usize,
}

struct Best<T> {
    epoch: usize,
    score: f64,
    parameters: Buffer<T>,
}

impl<'a, T: Scalar> Watch<'a, T> {
    fn new(
        network: &Network<T>,
        compute: &Compute,
        valid: Option<&Dataset<'a, T>>,
        settings: &'a TrainSettings,
    ) -> Self {
        let keep = settings.restore_best && (valid.is_some() || settings.patience > 0);
        let best = (keep || settings.patience > 0).then(|| Best {
            epoch: 0,
            score: f64::NAN,
            parameters: Buffer::clone(&network.parameters),
        });
        Self {
            settings,
            valid: valid.map(|data| Validation::new(network, compute, *data, settings.metric)),
            history: Vec::with_capacity(settings.epochs.min(10_000)),
            best,
            improved_at: 0,
        }
    }

    /// Scores the epoch; returns the last epoch with a better score than those before it.
    fn look(&mut self, network: &Network<T>, compute: &mut Compute, epoch: usize, train_cost: f64, rate: f64) -> usize {
        let valid_score = self.valid.as_mut().map(|valid| valid.score(network, compute));
        let score = valid_score.unwrap_or(train_cost);
        let rises = valid_score.is_some() && self.settings.metric.rises();
        let gain = |best: f64| if rises { score - best } else { best - score };
        let mut improved = false;
        if let Some(best) = &mut self.best {
            // The first finite score beats the NaN of the start. Of equal ones the latest: it has seen more of the rows.
            improved = score.is_finite() && (best.score.is_nan() || gain(best.score) > self.settings.tolerance);
            if improved || score == best.score {
                best.epoch = epoch;
                best.score = score;
                best.parameters.copy_from_slice(&network.parameters);
            }
        }
        if improved || self.best.is_none() {
            self.improved_at = epoch;
        }
        self.history.push(EpochRecord { epoch, train_cost, valid_score, learning_rate: rate, best: improved });
        self.improved_at
    }

    /// Restores the best parameters if that is asked for, or if the last ones are worthless.
    fn end(self, network: &mut Network<T>, ended: Ended) -> TrainReport {
        let broken = matches!(ended, Ended::NonFinite { .. });
        let restored = self.best.filter(|_| self.settings.restore_best || broken).map(|best| {
            // Stopped before the first score: the steps so far are better than none.
            if best.epoch == 0 && !broken {
                return None;
            }
            network.parameters.copy_from_slice(&best.parameters);
            network.refresh();
            Some(best.epoch)
        });
        TrainReport { history: self.history, best_epoch: restored.flatten(), ended }
    }
}

/// The validation rows and the buffers to score them.
struct Validation<'a, T> {
    data: Dataset<'a, T>,
    metric: Metric,
    rows: Vec<u32>,
    blocks: Blocks<T>,
    constants: Constants,
    means: Vec<T>,
}

impl<'a, T: Scalar> Validation<'a, T> {
    fn new(network: &Network<T>, compute: &Compute, data: Dataset<'a, T>, metric: Metric) -> Self {
        let capacity = CHUNK.min(data.len());
        Self {
            data,
            metric,
            rows: data.rows().collect(),
            blocks: Blocks::new(network.spec(), &network.topology, capacity, compute, false),
            constants: Constants::new(&network.spec().head, &data),
            means: Vec::new(),
        }
    }

    fn score(&mut self, network: &Network<T>, compute: &mut Compute) -> f64 {
        match self.metric {
            Metric::Cost => self.mean_cost(network, compute),
            metric => self.metric(network, compute, metric),
        }
    }

    fn mean_cost(&mut self, network: &Network<T>, compute: &mut Compute) -> f64 {
        let Network { spec, topology, parameters, .. } = network;
        let data = &self.data;
        let (mut cost, mut total) = (0.0, 0.0);
        for rows in self.rows.chunks(CHUNK) {
            self.blocks.each(compute, rows, &|(mut team, isa), block, select, first| {
                block.load_all(isa, data, select, first);
                topology.forward((team.as_deref_mut(), isa), parameters, block, None);
                block.cost(isa, spec);
            });
            cost += self.blocks.cost() + self.constants.of(rows);
            total += self.blocks.total_weight();
        }
        cost / total
    }

    fn metric(&mut self, network: &Network<T>, compute: &mut Compute, metric: Metric) -> f64 {
        let (head, outputs) = (&network.spec().head, network.spec().outputs);
        self.means.resize(self.rows.len() * outputs, T::ZERO);
        for (rows, means) in self.rows.chunks(CHUNK).zip(self.means.chunks_mut(CHUNK * outputs)) {
            crate::predict::means(network, compute, &mut self.blocks, &self.data.inputs, rows, means);
        }
        let means: Vec<f64> = self.means.iter().map(|x| x.to_f64()).collect();
        let width = head.target_width(outputs);
        let targets = |row: &u32| &self.data.targets[*row as usize * width..][..width];
        let y: Vec<f64> = self.rows.iter().flat_map(targets).map(|y| y.to_f64()).collect();
        let weights = self.data.weights.map(|w| self.rows.iter().map(|&row| w[row as usize].to_f64()).collect());
        let weights: Option<Vec<f64>> = weights;
        metric.score(head, outputs, &means, &y, weights.as_deref())
    }
}

impl Ended {
    /// The likely cause and remedy of a training that broke; None if it did not.
    pub fn advice(&self, settings: &TrainSettings) -> Option<String> {
        let Self::NonFinite { epoch, batch } = self else { return None };
        Some(format!(
            "the cost became infinite or NaN in epoch {epoch}, batch {batch}: most likely the learning rate ({}) is too \
             high; try {}",
            settings.learning_rate,
            settings.learning_rate / 10.0
        ))
    }
}
