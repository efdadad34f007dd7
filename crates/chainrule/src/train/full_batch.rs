//! Training with L-BFGS on all rows at once.

use super::{Ended, Event, Flow, TrainSettings, penalty};
use crate::block::Blocks;
use crate::compute::Compute;
use crate::cost::Constants;
use crate::data::Dataset;
use crate::gradient::Store;
use crate::layer::dropout::Masks;
use crate::network::Network;
use crate::optimizer::lbfgs::Lbfgs;
use crate::params::Role;
use crate::predict::rows_at_a_time;
use crate::rng::Key;
use crate::scalar::Scalar;

/// Rows that pass through the network at a time.
const CHUNK: usize = 4096;

/// A minimisation of the mean cost of all rows plus its penalty.
pub(super) struct FullBatch<'a, T> {
    cost: MeanCost<'a, T>,
    history: usize,
    tolerance: f64,
    minimiser: Option<Lbfgs>,
    /// Length of the last step along its direction.
    pub(super) step_length: f64,
    /// How often the cost of all rows has been found.
    pub(super) evaluations: usize,
}

impl<'a, T: Scalar> FullBatch<'a, T> {
    pub(super) fn new(
        network: &Network<T>,
        compute: &Compute,
        data: &Dataset<'_, T>,
        settings: &'a TrainSettings,
        (history, tolerance): (usize, f64),
    ) -> Self {
        let cost = MeanCost::new(network, compute, data, settings);
        Self { cost, history, tolerance, minimiser: None, step_length: 0.0, evaluations: 0 }
    }

    /// The mean cost and the penalty where it has come with the network, after the first iteration.
    pub(super) fn here(&self, network: &Network<T>) -> (f64, f64) {
        let penalty = self.cost.penalty(network, None);
        (self.minimiser.as_ref().map_or(f64::NAN, |minimiser| minimiser.here().value - penalty), penalty)
    }

    /// One iteration. Returns the mean cost before it, and why training ends if it does.
    pub(super) fn epoch(
        &mut self,
        network: &mut Network<T>,
        compute: &mut Compute,
        data: &Dataset<'_, T>,
        epoch: usize,
        observer: &mut dyn FnMut(&Event) -> Flow,
    ) -> (f64, Option<Ended>) {
        let Self { cost, minimiser, evaluations, .. } = self;
        let penalty = cost.penalty(network, None);
        let start: Vec<f64> = network.parameters.iter().map(|w| w.to_f64()).collect();
        let mut f = |x: &[f64], gradient: &mut [f64]| {
            write(network, x);
            *evaluations += 1;
            cost.evaluate(network, compute, data, gradient)
        };
        let rounding = 4.0 * T::EPSILON;
        let minimiser = minimiser.get_or_insert_with(|| Lbfgs::new(&mut f, start, self.history, rounding));
        let before = minimiser.here().value - penalty;
        if !before.is_finite() {
            return (before, Some(Ended::NonFinite { epoch, batch: 1 }));
        }
        let length = if minimiser.here().steepest() > self.tolerance { minimiser.iterate(&mut f) } else { None };
        let steep = minimiser.here().steepest() > self.tolerance;
        // The last place that was looked at need not be the one taken.
        write(network, &minimiser.here().x);
        self.step_length = length.unwrap_or(0.0);
        let event = Event::Batch { epoch, batch: 1, batches: 1, rows: data.len(), cost: before };
        let stopped = observer(&event) == Flow::Stop;
        let ended =
            if stopped { Some(Ended::Stopped) } else { Some(Ended::Converged).filter(|_| length.is_none() || !steep) };
        (before, ended)
    }
}

/// Gives the network the parameters `x`.
fn write<T: Scalar>(network: &mut Network<T>, x: &[f64]) {
    network.parameters.iter_mut().zip(x).for_each(|(w, x)| *w = T::from_f64(*x));
    network.refresh();
}

/// The mean cost of all rows plus the penalty (l2 / 2) sum w^2, and its gradient.
struct MeanCost<'a, T> {
    settings: &'a TrainSettings,
    rows: Vec<u32>,
    blocks: Blocks<T>,
    constants: Constants,
    /// Of all rows.
    weight: f64,
    sum: Store<T>,
}

impl<'a, T: Scalar> MeanCost<'a, T> {
    fn new(network: &Network<T>, compute: &Compute, data: &Dataset<'_, T>, settings: &'a TrainSettings) -> Self {
        let capacity = rows_at_a_time(network.spec(), CHUNK).min(data.len());
        Self {
            settings,
            rows: data.rows().collect(),
            blocks: Blocks::new(network.spec(), &network.topology, capacity, compute, true),
            constants: Constants::new(&network.spec().head, data),
            weight: data.total_weight(),
            sum: Store::zeros(network.parameters.len()),
        }
    }

    fn evaluate(
        &mut self,
        network: &mut Network<T>,
        compute: &mut Compute,
        data: &Dataset<'_, T>,
        gradient: &mut [f64],
    ) -> f64 {
        let Network { spec, topology, parameters, transposed } = &mut *network;
        self.sum.gradient.fill(T::ZERO);
        let (mut cost, mut weight) = (0.0, 0.0);
        for rows in self.rows.chunks(rows_at_a_time(spec, CHUNK)) {
            self.blocks.each(compute, rows, &|(mut team, isa), block, select, first| {
                block.load_all((None, isa), data, select, first);
                // Without dropout the key has no part in it.
                topology.forward(
                    (team.as_deref_mut(), isa),
                    parameters,
                    block,
                    Some(Masks { key: Key::new(0), factor: 1.0 }),
                );
                block.cost(isa, spec);
                topology.backward((team, isa), (parameters, transposed), block);
            });
            cost += self.blocks.cost() + self.constants.of(rows);
            weight += self.blocks.total_weight();
            topology.other_gradients(compute, parameters, &mut self.blocks);
            topology.gradients(compute, &self.blocks, transposed, &mut self.sum);
        }
        gradient.iter_mut().zip(&*self.sum.gradient).for_each(|(to, sum)| *to = sum.to_f64() / weight);
        cost / weight + self.penalty(network, Some(gradient))
    }

    /// The penalty at the network's weights; adds its gradient to `gradient`.
    fn penalty(&self, network: &Network<T>, gradient: Option<&mut [f64]>) -> f64 {
        let l2 = self.settings.l2_over(self.weight);
        if let Some(gradient) = gradient {
            for view in network.views().iter().filter(|view| view.role == Role::Weight) {
                let range = view.range();
                let w = &network.parameters[range.clone()];
                gradient[range].iter_mut().zip(w).for_each(|(g, w)| *g += l2 * w.to_f64());
            }
        }
        penalty(network, 0.0, l2)
    }
}
