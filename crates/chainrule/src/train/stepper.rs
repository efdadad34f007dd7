//! Training led from outside.

use super::{Ended, Event, Flow, Memory, ProgressNumbers, TrainSettings, Trainer, Way};
use crate::compute::Compute;
use crate::data::Dataset;
use crate::error::{Error, Result, setting};
use crate::network::Network;
use crate::optimizer::Optimizer;
use crate::scalar::Scalar;

/// What an optimizer remembers of its steps, to go on with other rows.
pub struct Progress<T> {
    optimizer: Optimizer,
    parameters: usize,
    memory: Option<Memory<T>>,
}

impl<T: Scalar> Progress<T> {
    /// The same as plain numbers; None for L-BFGS, which begins anew.
    pub fn numbers(&self) -> Option<ProgressNumbers<T>> {
        self.memory.as_ref().map(Memory::numbers)
    }

    /// From what [`numbers`](Self::numbers) gave for a network of the same shape and the same settings.
    ///
    /// # Errors
    /// If the numbers are of another optimizer or of a network of another shape.
    pub fn from_numbers(network: &Network<T>, settings: &TrainSettings, numbers: &ProgressNumbers<T>) -> Result<Self> {
        settings.validate()?;
        let memory = Some(Memory::from_numbers(network, settings, numbers)?);
        Ok(Self { optimizer: settings.optimizer, parameters: network.parameters.len(), memory })
    }
}

/// One pass over the rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Pass {
    /// Mean cost: over the batches, each before its step; with L-BFGS after the iteration.
    pub cost: f64,
    /// Mean penalty, at the same places.
    pub penalty: f64,
    /// Why it cannot go on, if so.
    pub ended: Option<Ended>,
}

/// Training pass by pass: the steps of [`train`](crate::train) without its decisions. The caller chooses the order of the rows and
/// the learning rate of each pass and says when to stop; nothing is restored, `epochs`, `patience` and `metric` mean
/// nothing, and a `shuffle` comes on top of the caller's order.
pub struct Stepper<'a, T> {
    trainer: Trainer<'a, T>,
    data: Dataset<'a, T>,
    settings: &'a TrainSettings,
    parameters: usize,
    passes: usize,
}

impl<'a, T: Scalar> Stepper<'a, T> {
    /// Prepares for the rows of `data`. `progress`: of a stepper with the same optimizer and a network of the same shape, to go
    /// on from where it was.
    ///
    /// # Errors
    /// If the settings cannot work, the data does not fit the network, or the progress neither.
    pub fn new(
        network: &Network<T>,
        compute: &Compute,
        data: Dataset<'a, T>,
        settings: &'a TrainSettings,
        progress: Option<Progress<T>>,
    ) -> Result<Self> {
        settings.validate()?;
        settings.check_network(network.spec())?;
        data.check(network.spec())?;
        let parameters = network.parameters.len();
        let fits =
            |progress: &Progress<T>| progress.optimizer == settings.optimizer && progress.parameters == parameters;
        if !progress.as_ref().is_none_or(fits) {
            return setting("the progress is that of another optimizer or of a network of another shape");
        }
        let memory = progress.and_then(|progress| progress.memory);
        let mut trainer = Trainer::new(network, compute, &data, settings, memory);
        if let Way::Batches(batches) = &mut trainer.way {
            batches.penalty = Some(0.0);
        }
        Ok(Self { trainer, data, settings, parameters, passes: 0 })
    }

    /// One pass over the rows in this order, or one iteration of L-BFGS, which knows none. `observer` is told of every batch and can
    /// stop the pass.
    ///
    /// # Errors
    /// [`Error::Shape`] if there is no row of such a number; the network is then unchanged.
    pub fn pass(
        &mut self,
        network: &mut Network<T>,
        compute: &mut Compute,
        order: &[u32],
        observer: &mut dyn FnMut(&Event) -> Flow,
    ) -> Result<Pass> {
        let rows = self.data.inputs.rows;
        if let Some(&row) = order.iter().find(|&&row| row as usize >= rows) {
            return Err(Error::Shape { what: "selected row".into(), expected: rows, got: row as usize });
        }
        self.passes += 1;
        let data = Dataset { select: Some(order), ..self.data };
        self.exchange(network);
        let (cost, ended) = self.trainer.epoch(network, compute, &data, self.passes, observer);
        self.exchange(network);
        let (cost, penalty) = match &self.trainer.way {
            Way::Batches(batches) => (cost, batches.penalty.unwrap_or(0.0)),
            Way::FullBatch(all) => all.here(network),
        };
        Ok(Pass { cost, penalty, ended })
    }

    /// Exchanges the parameters that move and their average, if there is one.
    fn exchange(&mut self, network: &mut Network<T>) {
        if self.settings.ema.is_some() {
            self.trainer.exchange(network);
            network.refresh();
        }
    }

    /// The rate of the passes from now on, before its schedule.
    pub fn set_learning_rate(&mut self, rate: f64) {
        if let Way::Batches(batches) = &mut self.trainer.way {
            batches.base_rate = rate;
        }
    }

    /// How often L-BFGS has found the cost of all rows.
    pub fn evaluations(&self) -> usize {
        match &self.trainer.way {
            Way::Batches(_) => 0,
            Way::FullBatch(all) => all.evaluations,
        }
    }

    /// What the optimizer remembers.
    pub fn into_progress(self) -> Progress<T> {
        let memory = match self.trainer.way {
            Way::Batches(batches) => Some(batches.memory),
            Way::FullBatch(_) => None,
        };
        Progress { optimizer: self.settings.optimizer, parameters: self.parameters, memory }
    }
}
