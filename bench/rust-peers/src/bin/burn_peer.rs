//! Burn on its flex backend, the faster of those that run on the CPU without a compiler at run time.

use burn::module::Module;
use burn::nn::loss::{CrossEntropyLossConfig, MseLoss, Reduction};
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams, SgdConfig};
use burn::tensor::{Device, Int, Tensor, TensorData, activation};
use rust_peers::{Activation, Cost, Optimizer, Shape, ShuffledRows, class_numbers, normal_values};

#[derive(Module, Debug)]
struct Network {
    layers: Vec<Linear>,
}

impl Network {
    fn new(shape: &Shape, device: &Device) -> Self {
        let make = |(inputs, outputs)| LinearConfig::new(inputs, outputs).init(device);
        Self { layers: shape.layers().map(make).collect() }
    }

    fn forward(&self, x: Tensor<2>, phi: fn(Tensor<2>) -> Tensor<2>) -> Tensor<2> {
        let (last, hidden) = self.layers.split_last().expect("a shape has a layer");
        last.forward(hidden.iter().fold(x, |h, layer| phi(layer.forward(h))))
    }
}

enum Targets {
    Real(Tensor<2>),
    Classes(Tensor<1, Int>),
}

impl Targets {
    fn new(shape: &Shape, device: &Device) -> Self {
        match shape.cost {
            Cost::Gaussian => {
                Self::Real(Tensor::from_data(TensorData::new(normal_values(shape.rows), [shape.rows, 1]), device))
            }
            Cost::Categorical => {
                Self::Classes(Tensor::from_data(TensorData::new(class_numbers(shape), [shape.rows]), device))
            }
        }
    }

    fn cost(&self, output: Tensor<2>, rows: Tensor<1, Int>) -> Tensor<1> {
        match self {
            Self::Real(y) => MseLoss::new().forward(output, y.clone().select(0, rows), Reduction::Mean),
            Self::Classes(y) => {
                let loss = CrossEntropyLossConfig::new().init(&output.device());
                loss.forward(output, y.clone().select(0, rows))
            }
        }
    }
}

fn main() {
    let (shape, arguments) = rust_peers::parse_arguments();
    let device = Device::flex().autodiff();
    let phi = match shape.activation {
        Activation::Relu => activation::relu,
        Activation::Tanh => activation::tanh,
        Activation::Gelu => activation::gelu,
    };
    let values = TensorData::new(normal_values(shape.rows * shape.inputs()), [shape.rows, shape.inputs()]);
    let x = Tensor::<2>::from_data(values, &device);
    let targets = Targets::new(&shape, &device);
    let mut optimizer = match arguments.optimizer {
        Optimizer::Sgd => SgdConfig::new().init(),
        Optimizer::Adam => AdamConfig::new().with_epsilon(1e-8).init(),
    };
    // Given away and taken back each step: a second owner would keep the optimizer from updating in place.
    let mut network = Some(Network::new(&shape, &device));
    let mut rows = ShuffledRows::new(shape.rows);
    rust_peers::serve(shape.steps, || {
        let batch = Tensor::from_data(TensorData::new(rows.take(shape.batch).to_vec(), [shape.batch]), &device);
        let current = network.take().expect("the last step put it back");
        let output = current.forward(x.clone().select(0, batch.clone()), phi);
        let gradients = GradientsParams::from_grads(targets.cost(output, batch).backward(), &current);
        network = Some(optimizer.step(arguments.optimizer.learning_rate(), current, gradients));
    });
}
