//! Training steps: one long training whose observer is the protocol.

use anyhow::Result;
use chainrule::{Compute, Dataset, Event, Flow, Inputs, Network, Optimizer, TrainSettings};

use crate::shape::Shape;
use crate::{OptimizerName, Protocol};

pub fn serve(shape: &Shape, optimizer: OptimizerName, compute: &mut Compute) -> Result<()> {
    let (x, y) = shape.table(shape.rows);
    let data = Dataset::new(Inputs::numeric(&x, shape.inputs()), &y);
    let (optimizer, learning_rate) = match optimizer {
        OptimizerName::Sgd => (Optimizer::Sgd, 1e-2),
        OptimizerName::Adam => (Optimizer::adam(), 1e-3),
    };
    let settings =
        TrainSettings { epochs: 1 << 40, batch: shape.batch, optimizer, learning_rate, ..TrainSettings::default() };
    let mut network = Network::<f32>::new(&shape.network(), 1)?;
    let mut protocol = Protocol::new(shape.steps);
    chainrule::train(&mut network, compute, &data, None, &settings, &mut |event| match event {
        Event::Batch { .. } if !protocol.step() => Flow::Stop,
        _ => Flow::Continue,
    })?;
    Ok(())
}
