//! Training on mini-batches.

use super::ways::Ways;
use super::{Ended, Event, Flow, TrainSettings, penalty};
use crate::compute::Compute;
use crate::cost::Constants;
use crate::data::Dataset;
use crate::error::{Result, setting};
use crate::gradient::{Store, dot};
use crate::layer::dropout::Masks;
use crate::network::Network;
use crate::optimizer::{Average, State, Step};
use crate::rng::Key;
use crate::scalar::Scalar;
use crate::schedule::Schedule;

/// What steps on batches leave behind besides the parameters.
pub(super) struct Memory<T> {
    pub(super) state: State<T>,
    steps: u64,
    average: Option<Average<T>>,
}

impl<T: Scalar> Memory<T> {
    /// That of no step.
    pub(super) fn new(network: &Network<T>, settings: &TrainSettings) -> Self {
        Self {
            state: State::new(settings.optimizer, &settings.groups, network.views(), network.parameters.len()),
            steps: 0,
            average: settings.ema.map(|decay| Average::new(decay, &network.parameters)),
        }
    }
}

/// What an optimizer remembers as plain numbers, in the order of the network's parameters: to be kept outside of the program.
#[derive(Clone, Debug, PartialEq)]
pub struct ProgressNumbers<T> {
    /// Steps done.
    pub steps: u64,
    /// What the rule keeps, running means most often: vectors of as many numbers as the network keeps for its parameters.
    pub buffers: Vec<Vec<T>>,
    /// beta1^t and beta2^t of Adam.
    pub powers: [f64; 2],
    /// decay^t of the average of the parameters and the average, if there is one.
    pub average: Option<(f64, Vec<T>)>,
}

impl<T: Scalar> Memory<T> {
    pub(super) fn numbers(&self) -> ProgressNumbers<T> {
        let (buffers, powers) = self.state.numbers();
        ProgressNumbers { steps: self.steps, buffers, powers, average: self.average.as_ref().map(Average::numbers) }
    }

    /// That of a network and settings of the same kind.
    pub(super) fn from_numbers(
        network: &Network<T>,
        settings: &TrainSettings,
        numbers: &ProgressNumbers<T>,
    ) -> Result<Self> {
        let mut memory = Self::new(network, settings);
        memory.state.set_numbers(&numbers.buffers, numbers.powers, numbers.steps)?;
        memory.steps = numbers.steps;
        match (&mut memory.average, &numbers.average) {
            (Some(average), Some(numbers)) => average.set_numbers(numbers)?,
            (None, None) => {}
            _ => return setting("the progress is that of settings with another ema"),
        }
        Ok(memory)
    }
}

/// Everything a step on a batch needs besides the network.
pub(super) struct Batches<'a, T> {
    settings: &'a TrainSettings,
    order: Vec<u32>,
    /// That of all steps' dropout.
    dropout: Key,
    ways: Ways<T>,
    constants: Constants,
    pub(super) memory: Memory<T>,
    /// The learning rate that the schedule multiplies.
    pub(super) base_rate: f64,
    pub(super) learning_rate: f64,
    /// Where the gradient is limited, the whole of it.
    gradient: Option<Store<T>>,
    /// Mean penalty of the last epoch's batches, each before its step; None: not asked for.
    pub(super) penalty: Option<f64>,
}

impl<'a, T: Scalar> Batches<'a, T> {
    pub(super) fn new(
        network: &Network<T>,
        compute: &Compute,
        data: &Dataset<'_, T>,
        settings: &'a TrainSettings,
        memory: Memory<T>,
    ) -> Self {
        let capacity = settings.batch.min(data.len());
        Self {
            settings,
            order: Vec::with_capacity(data.len()),
            dropout: Key::new(settings.seed).part(u64::MAX),
            ways: Ways::new(network, capacity, compute),
            constants: Constants::new(&network.spec().head, data),
            memory,
            base_rate: settings.learning_rate,
            learning_rate: settings.learning_rate,
            gradient: settings.clip_norm.map(|_| Store::zeros(network.parameters.len())),
            penalty: None,
        }
    }

    /// Exchanges the parameters and their average, if there is one.
    pub(super) fn exchange(&mut self, network: &mut Network<T>) {
        self.memory.average.iter_mut().for_each(|average| average.exchange(&mut network.parameters));
    }

    /// One pass over the rows. Returns the mean cost, and why training ends if it does.
    pub(super) fn epoch(
        &mut self,
        network: &mut Network<T>,
        compute: &mut Compute,
        data: &Dataset<'_, T>,
        epoch: usize,
        observer: &mut dyn FnMut(&Event) -> Flow,
    ) -> (f64, Option<Ended>) {
        // From the same start each time, so that an epoch's order depends on seed and epoch alone.
        self.order.clear();
        self.order.extend(data.rows());
        if self.settings.shuffle {
            Key::new(self.settings.seed).part(epoch as u64).shuffle(&mut self.order);
        }
        let (rows, batch) = (self.order.len(), self.settings.batch);
        let batches = if self.settings.drop_last { (rows / batch).max(1) } else { rows.div_ceil(batch) };
        self.penalty.iter_mut().for_each(|sum| *sum = 0.0);
        let (mut cost, mut total) = (0.0, 0.0);
        for number in 0..batches {
            self.ways.begin();
            let (rows, batch_cost, weight) = self.step(network, compute, data, number, batches);
            self.ways.end();
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
        self.penalty.iter_mut().for_each(|sum| *sum /= total);
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
        let factor = |schedule: &Schedule| schedule.factor(self.memory.steps, steps);
        let key = self.dropout.part(self.memory.steps);
        let masks = Masks { key, factor: factor(&self.settings.dropout_schedule) };
        let Network { spec, topology, parameters, transposed } = &mut *network;
        let blocks = self.ways.blocks();
        blocks.each(compute, rows, &|(mut team, isa), block, select, first| {
            block.load_all((team.as_deref_mut(), isa), data, select, first);
            topology.forward((team.as_deref_mut(), isa), parameters, block, Some(masks));
            block.cost(isa, spec);
            topology.backward((team, isa), (parameters, transposed), block);
        });
        let (count, cost) = (rows.len(), blocks.cost() + self.constants.of(rows));
        let weight = blocks.total_weight();
        // Nothing to learn from a batch without weight, nothing good from a cost without bounds.
        if weight > 0.0 && cost.is_finite() {
            let decay = factor(&self.settings.decay_schedule);
            if let Some(sum) = &mut self.penalty {
                *sum += weight * penalty(network, self.settings.l1, self.settings.l2_over(weight));
            }
            self.learning_rate = self.base_rate * factor(&self.settings.schedule);
            self.update(network, compute, (1.0 / weight, decay));
        }
        self.memory.steps += 1;
        (count, cost, weight)
    }

    /// Eq. (6) and (7) for all parameters, from the h and delta of the blocks. `decay`: factor of the weight decay.
    fn update(&mut self, network: &mut Network<T>, compute: &mut Compute, (gradient_scale, decay): (f64, f64)) {
        let Self { settings, ways, memory: Memory { state, average, .. }, learning_rate, gradient, .. } = self;
        let Network { topology, parameters, transposed, .. } = &mut *network;
        let l2 = settings.l2_over(1.0 / gradient_scale);
        let mut step = Step { learning_rate: *learning_rate, gradient_scale, l1: settings.l1, l2, decay };
        let blocks = ways.blocks();
        topology.other_gradients(compute, parameters, blocks);
        match (gradient, settings.clip_norm) {
            (Some(store), Some(most)) => {
                store.gradient.fill(T::ZERO);
                topology.gradients(compute, blocks, transposed, store);
                let norm = gradient_scale * dot(&store.gradient, &store.gradient).sqrt();
                step.gradient_scale *= (most / norm).min(1.0);
                state.step(compute.isa, parameters, step).parameters(
                    compute.isa,
                    &topology.layout.views,
                    &store.gradient,
                );
                network.refresh();
            }
            _ => topology.gradients(compute, blocks, transposed, &mut state.step(compute.isa, parameters, step)),
        }
        average.iter_mut().for_each(|average| average.add(compute.isa, &network.parameters));
    }
}
