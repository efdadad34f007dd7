//! Candle on its CPU backend.

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::optim::{AdamW, Optimizer, ParamsAdamW, SGD};
use candle_nn::{Linear, Module, VarBuilder, VarMap, linear, loss};
use rust_peers::{Activation, Cost, Optimizer as Kind, Shape, ShuffledRows, class_numbers, normal_values};

fn cost(layers: &[Linear], shape: &Shape, x: Tensor, y: &Tensor) -> Result<Tensor> {
    let (last, hidden) = layers.split_last().expect("a shape has a layer");
    let h = hidden.iter().try_fold(x, |h, layer| {
        let z = layer.forward(&h)?;
        match shape.activation {
            Activation::Relu => z.relu(),
            Activation::Tanh => z.tanh(),
            Activation::Gelu => z.gelu_erf(),
        }
    })?;
    let output = last.forward(&h)?;
    match shape.cost {
        Cost::Gaussian => loss::mse(&output, y),
        Cost::Categorical => loss::cross_entropy(&output, y),
    }
}

fn train(shape: &Shape, layers: &[Linear], mut optimizer: impl Optimizer) -> Result<()> {
    let device = Device::Cpu;
    let x = Tensor::from_vec(normal_values(shape.rows * shape.inputs()), (shape.rows, shape.inputs()), &device)?;
    let y = match shape.cost {
        Cost::Gaussian => Tensor::from_vec(normal_values(shape.rows), (shape.rows, 1), &device)?,
        Cost::Categorical => Tensor::from_vec(class_numbers(shape), shape.rows, &device)?,
    };
    let mut rows = ShuffledRows::new(shape.rows);
    let mut step = || {
        let batch = Tensor::from_slice(rows.take(shape.batch), shape.batch, &device)?;
        let cost = cost(layers, shape, x.index_select(&batch, 0)?, &y.index_select(&batch, 0)?)?;
        optimizer.backward_step(&cost)
    };
    rust_peers::serve(shape.steps, || step().expect("shapes agree"));
    Ok(())
}

fn main() -> Result<()> {
    let (shape, arguments) = rust_peers::parse_arguments();
    let variables = VarMap::new();
    let builder = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
    let make = |(index, (inputs, outputs))| linear(inputs, outputs, builder.pp(format!("layers.{index}")));
    let layers = shape.layers().enumerate().map(make).collect::<Result<Vec<_>>>()?;
    let learning_rate = arguments.optimizer.learning_rate();
    match arguments.optimizer {
        Kind::Sgd => train(&shape, &layers, SGD::new(variables.all_vars(), learning_rate)?),
        Kind::Adam => {
            let settings = ParamsAdamW { lr: learning_rate, weight_decay: 0.0, ..ParamsAdamW::default() };
            train(&shape, &layers, AdamW::new(variables.all_vars(), settings)?)
        }
    }
}
