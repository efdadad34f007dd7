//! What a training's epochs are worth: scores, and the best parameters so far.

use super::{Ended, EpochRecord, TrainReport, TrainSettings};
use crate::block::Blocks;
use crate::compute::Compute;
use crate::cost::Constants;
use crate::data::Dataset;
use crate::kernel::Buffer;
use crate::metric::Metric;
use crate::network::Network;
use crate::predict::chunk;
use crate::scalar::Scalar;

/// Keeps the scores and the best parameters.
pub(super) struct Watch<'a, T> {
    settings: &'a TrainSettings,
    valid: Option<Validation<'a, T>>,
    pub(super) history: Vec<EpochRecord>,
    best: Option<Best<T>>,
    improved_at: usize,
}

struct Best<T> {
    epoch: usize,
    score: f64,
    parameters: Buffer<T>,
}

impl<'a, T: Scalar> Watch<'a, T> {
    pub(super) fn new(
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
    pub(super) fn look(
        &mut self,
        network: &Network<T>,
        compute: &mut Compute,
        epoch: usize,
        train_cost: f64,
        rate: f64,
    ) -> usize {
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

    /// Restores the best parameters if that is asked for, or if the last ones are worthless, and brings W' up to date.
    pub(super) fn end(self, network: &mut Network<T>, ended: Ended) -> TrainReport {
        let broken = matches!(ended, Ended::NonFinite { .. });
        let restored = self.best.filter(|_| self.settings.restore_best || broken).map(|best| {
            // Stopped before the first score: the steps so far are better than none.
            if best.epoch == 0 && !broken {
                return None;
            }
            network.parameters.copy_from_slice(&best.parameters);
            Some(best.epoch)
        });
        network.refresh();
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
        let capacity = chunk(network.spec()).min(data.len());
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
        for rows in self.rows.chunks(chunk(spec)) {
            self.blocks.each(compute, rows, &|(mut team, isa), block, select, first| {
                block.load_all((None, isa), data, select, first);
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
        let most = chunk(network.spec());
        for (rows, means) in self.rows.chunks(most).zip(self.means.chunks_mut(most * outputs)) {
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
