//! What a model's networks say of rows, together: the mean of their probabilities, means, quantiles and second parameters.

use chainrule::{Compute, Distribution, Inputs, Network};

use crate::calibration::Calibration;
use crate::error::Result;
use crate::model::{Card, Model};
use crate::target::Target;

/// Rows whose predictions by every network are held at a time.
const ROWS: usize = 1 << 14;

/// What is said of some rows, in the target's terms.
#[derive(Default)]
pub(crate) struct Predictions {
    /// As [`Target::decode`] gives it.
    pub(crate) values: Vec<f64>,
    /// Of numbers, one distribution for each row, if they were asked for.
    pub(crate) distributions: Vec<Distribution>,
}

impl Predictions {
    pub(crate) fn extend(&mut self, more: Self) {
        self.values.extend(more.values);
        self.distributions.extend(more.distributions);
    }

    /// The mean of what several networks say of the same rows.
    fn average(mut all: Vec<Self>) -> Self {
        if all.len() == 1 {
            return all.remove(0);
        }
        let mean = |at: usize| all.iter().map(|one| one.values[at]).sum::<f64>() / all.len() as f64;
        let distribution = |at: usize| {
            let each: Vec<_> = all.iter().map(|one| one.distributions[at].clone()).collect();
            Distribution::average(&each)
        };
        Self {
            values: (0..all[0].values.len()).map(mean).collect(),
            // Networks of one model give distributions of one kind.
            distributions: (0..all[0].distributions.len()).filter_map(distribution).collect(),
        }
    }
}

impl Model {
    /// What the networks say of the rows with these numbers. Distributions, which numbers alone have, take time and are
    /// given where they are asked for.
    pub(crate) fn predictions(
        &self,
        compute: &mut Compute,
        inputs: &Inputs<'_, f32>,
        rows: &[u32],
        distributions: bool,
    ) -> Result<Predictions> {
        let mut predictions = Predictions::default();
        for rows in rows.chunks(ROWS) {
            let of = |network| self.card.predictions_of(network, compute, inputs, rows, distributions);
            let each = self.members.iter().map(of).collect::<Result<Vec<_>>>()?;
            predictions.extend(Predictions::average(each));
        }
        self.card.finish(&mut predictions);
        Ok(predictions)
    }
}

impl Card {
    /// What one network says, before [`finish`](Self::finish).
    pub(crate) fn predictions_of(
        &self,
        network: &Network<f32>,
        compute: &mut Compute,
        inputs: &Inputs<'_, f32>,
        rows: &[u32],
        distributions: bool,
    ) -> Result<Predictions> {
        let (head, outputs) = (&self.network.head, self.network.outputs);
        if matches!(self.target, Target::Classes(_)) {
            let z = network.pre_activations(compute, inputs, Some(rows))?;
            let values = z.chunks_exact(outputs).flat_map(|z| head.probabilities_of(z).unwrap_or_default()).collect();
            return Ok(Predictions { values, distributions: vec![] });
        }
        let means = network.predict_selected(compute, inputs, rows)?;
        let mut predictions = Predictions { values: self.target.decode(&means, head, outputs), distributions: vec![] };
        if distributions {
            let z = network.pre_activations(compute, inputs, Some(rows))?;
            let all = z.chunks_exact(outputs).flat_map(|z| head.distributions(z).into_iter().flatten());
            predictions.distributions = all.map(|d| self.target.in_its_unit(d)).collect();
        }
        Ok(predictions)
    }

    /// Keeps numbers in their range, and makes class probabilities those that hold.
    pub(crate) fn finish(&self, predictions: &mut Predictions) {
        if let Some([least, most]) = self.range {
            predictions.values.iter_mut().for_each(|y| *y = y.max(least).min(most));
        }
        let (smoothing, temperature) = (self.smoothing, self.temperature);
        Calibration { smoothing, temperature }.apply(&mut predictions.values, self.target.classes().len());
    }
}
