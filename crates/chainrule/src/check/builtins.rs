//! Every combination of what is built in, on small networks with random parameters and rows.

use std::fmt;

use super::reference::{Reference, Setup};
use super::{Certificate, Elements, INPUT, certificate, outputs, parameters};
use crate::activation::Activation;
use crate::compute::Compute;
use crate::cost::{Head, PointwiseCost, Scale};
use crate::data::{Dataset, WideRows as Rows};
use crate::error::Result;
use crate::layer::category_embedding::Embedding;
use crate::layer::ensemble_dense::{Ensemble, EnsembleKind};
use crate::layer::numeric_embedding::NumericEmbedding;
use crate::network::Network;
use crate::optimizer::Optimizer;
use crate::params::Role;
use crate::rng::Key;
use crate::spec::{Hidden, NetworkSpec};
use crate::train::{Flow, TrainSettings, train};

const ROWS: usize = 5;
const INPUTS: usize = 3;
const LEVELS: usize = 3;
const SEED: u64 = 3;

/// One combination.
#[derive(Clone, Debug, PartialEq)]
pub struct Combination {
    /// The head.
    pub head: Head,
    /// Outputs of the network.
    pub outputs: usize,
    /// The activation of both hidden layers; None: there are none.
    pub activation: Option<Activation>,
    /// Rows have weights.
    pub weights: bool,
    /// The input has a category embedding.
    pub embedding: bool,
    /// The cost has an l1 and an l2 penalty.
    pub penalty: bool,
    /// Both hidden layers have dropout, with the masks of the first training step.
    pub dropout: bool,
    /// Two features have these vectors, the input has a scale layer, and the activations are parametric.
    pub numeric_embedding: Option<NumericEmbedding>,
    /// Two members of such an ensemble.
    pub ensemble: Option<EnsembleKind>,
}

impl fmt::Display for Combination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { head, outputs, activation, numeric_embedding, ensemble, .. } = self;
        write!(f, "{}, {outputs} outputs, {}", head.name(), activation.map_or("no hidden layer", Activation::name))?;
        let parts = [
            ("weights", self.weights),
            ("embedding", self.embedding),
            ("penalty", self.penalty),
            ("dropout", self.dropout),
            ("periodic", matches!(numeric_embedding, Some(NumericEmbedding::Periodic { .. }))),
            ("piecewise linear", matches!(numeric_embedding, Some(NumericEmbedding::PiecewiseLinear { .. }))),
            ("full ensemble", *ensemble == Some(EnsembleKind::Full)),
            ("mini ensemble", *ensemble == Some(EnsembleKind::Mini)),
        ];
        parts.iter().filter(|(_, on)| *on).try_for_each(|(name, _)| write!(f, ", {name}"))
    }
}

/// Checks every head with 1, 2, 3 and 5 targets or classes (those it can have) x every activation and no hidden layer x row
/// weights x category embedding x penalty x dropout; and with each numeric embedding, a scale layer and parametric activations, all
/// of these or none; and ensembles of either kind, alone and with a piecewise-linear embedding and all of these. The derivatives
/// compared are those of all parameters, taken from a real training step: its change of the parameters over the learning rate.
/// Without penalty and dropout, [`Network::gradient`], the derivatives with respect to the inputs, and those of the outputs with
/// respect to the inputs are compared too.
///
/// # Errors
/// None but for a head whose example rows it refuses, which would be an error of this module.
pub fn builtins(compute: &mut Compute, observer: &mut dyn FnMut(&Combination, &Certificate)) -> Result<()> {
    for (head, outputs) in heads() {
        for activation in Activation::ALL.map(Some).into_iter().chain([None]) {
            let of = |bits: u32, numeric_embedding: Option<NumericEmbedding>, ensemble: Option<EnsembleKind>| {
                let on = |bit: u32| bits >> bit & 1 == 1;
                Combination {
                    head: head.clone(),
                    outputs,
                    activation,
                    weights: on(0),
                    embedding: on(1),
                    penalty: on(2),
                    dropout: on(3),
                    numeric_embedding,
                    ensemble,
                }
            };
            // Dropout, the last, is in hidden layers only.
            let all = if activation.is_some() { 15 } else { 7 };
            let stems = numeric_embeddings()
                .into_iter()
                .flat_map(|embedding| [0, all].map(|bits| (bits, Some(embedding.clone()))));
            let single = (0..=all).map(|bits| (bits, None)).chain(stems).map(|(bits, stem)| of(bits, stem, None));
            let [_, linear] = numeric_embeddings();
            let ensembles = [EnsembleKind::Full, EnsembleKind::Mini]
                .into_iter()
                .flat_map(|kind| [of(0, None, Some(kind)), of(all, Some(linear.clone()), Some(kind))]);
            for combination in single.chain(ensembles) {
                let certificate = combination.certify(compute)?;
                observer(&combination, &certificate);
            }
        }
    }
    Ok(())
}

/// Of the first and the last of the three features, which lie between -2 and 2.
fn numeric_embeddings() -> [NumericEmbedding; 2] {
    let features = vec![0, 2];
    let edges = vec![vec![-1.3, -0.4, 0.1, 1.7], vec![-1.0, 1.0]];
    [
        NumericEmbedding::Periodic { features: features.clone(), frequencies: 3, sigma: 0.5 },
        NumericEmbedding::PiecewiseLinear { features, edges, dimension: 2 },
    ]
}

/// Every head with each number of targets (or classes) that it can have, and the outputs for them.
fn heads() -> Vec<(Head, usize)> {
    use Scale::{Fixed, Learned, Shared, Unit};
    let scales = [Unit, Fixed(0.7), Shared, Learned];
    let mut heads: Vec<Head> = Head::all()
        .into_iter()
        .flat_map(|head| {
            let scales = if head.scale().is_some() { &scales[..] } else { &scales[..1] };
            scales.iter().map(move |&scale| head.clone().with_scale(scale))
        })
        .filter(|head| !matches!(head, Head::Tweedie { dispersion: Shared | Learned, .. }))
        .collect();
    heads.extend([
        Head::Quantile { levels: vec![0.5] },
        Head::Ordinal { proportional: false },
        Head::Categorical { smoothing: 0.1, class_weights: vec![], soft: false },
        Head::Categorical { smoothing: 0.0, class_weights: vec![], soft: true },
        Head::Tweedie { power: 1.2, dispersion: Fixed(2.0) },
    ]);
    // Eq. (10) as written, each cost with an output inside its range.
    let pairs = [
        (PointwiseCost::SquaredError, Activation::Sigmoid),
        (PointwiseCost::SquaredError, Activation::Tanh),
        (PointwiseCost::AbsoluteError, Activation::Identity),
        (PointwiseCost::CrossEntropy, Activation::Sigmoid),
        (PointwiseCost::Poisson, Activation::Softplus),
    ];
    heads.extend(pairs.map(|(cost, output)| Head::Pointwise { cost, output }));
    let weighted = [2, 3, 5].map(|classes| {
        let class_weights = (0..classes).map(|k| 0.5 + 0.4 * k as f64).collect();
        (Head::Categorical { smoothing: 0.05, class_weights, soft: true }, classes)
    });
    let wide = |head: Head| [1, 2, 3, 5].map(|width| (head.outputs(width), head.clone())).map(|(o, head)| (head, o));
    let fits = |(head, outputs): &(Head, usize)| head.check_outputs(*outputs).is_ok();
    heads.into_iter().flat_map(wide).filter(fits).chain(weighted).collect()
}

/// A row of targets inside the head's support, from numbers in [0, 1).
fn targets(head: &Head, outputs: usize, mut uniform: impl FnMut() -> f64) -> Vec<f64> {
    let mut y: Vec<f64> = (0..head.target_width(outputs)).map(|_| uniform()).collect();
    match head {
        Head::Categorical { soft: true, .. } => {
            let sum: f64 = y.iter().sum();
            y.iter_mut().for_each(|y| *y /= sum);
        }
        Head::Categorical { .. } | Head::Ordinal { .. } => y[0] = (y[0] * head.targets(outputs) as f64).floor(),
        Head::WeibullAft { .. } => y.chunks_mut(2).for_each(|y| (y[0], y[1]) = (3.0 * y[0] + 0.1, y[1].round())),
        _ => y.iter_mut().for_each(|y| *y = target(head, *y)),
    }
    y
}

/// A single target.
fn target(head: &Head, u: f64) -> f64 {
    match head {
        Head::Bernoulli | Head::Pointwise { cost: PointwiseCost::CrossEntropy, .. } => u.round(),
        Head::Poisson | Head::NegativeBinomial { .. } | Head::Pointwise { cost: PointwiseCost::Poisson, .. } => {
            (u * 12.0).floor()
        }
        Head::Tweedie { .. } => (4.0 * u - 1.0).max(0.0),
        Head::Gamma { .. } => 3.0 * u + 0.1,
        Head::Beta { .. } => 0.98 * u + 0.01,
        _ => 4.0 * u - 2.0,
    }
}

impl Combination {
    fn spec(&self) -> NetworkSpec {
        let dropout = if self.dropout { 0.3 } else { 0.0 };
        let parametric = self.numeric_embedding.is_some();
        let hidden = |activation| [4, 3].map(|width| Hidden { dropout, parametric, ..Hidden::new(width, activation) });
        let hidden = self.activation.into_iter().flat_map(hidden).collect();
        NetworkSpec {
            numeric_embedding: self.numeric_embedding.clone(),
            embeddings: if self.embedding { vec![Embedding { levels: LEVELS, dimension: 2 }] } else { vec![] },
            scale: self.numeric_embedding.is_some(),
            ensemble: self.ensemble.map(|kind| Ensemble { members: 2, kind }),
            ..NetworkSpec::new(INPUTS, hidden, self.outputs, self.head.clone())
        }
    }

    fn rows(&self, spec: &NetworkSpec) -> Rows {
        let key = Key::new(11);
        let draws = |part: u64, n: usize| (0..n).map(move |i| key.part(part).uniform(i as u64));
        let mut drawn = 0;
        let mut uniform = || {
            drawn += 1;
            key.part(2).uniform(drawn)
        };
        Rows {
            count: ROWS,
            numeric: draws(0, ROWS * INPUTS).map(|u| 4.0 * u - 2.0).collect(),
            codes: draws(1, ROWS * spec.embeddings.len()).map(|u| (u * LEVELS as f64) as u32).collect(),
            targets: (0..ROWS).flat_map(|_| targets(&spec.head, spec.outputs, &mut uniform)).collect(),
            weights: self.weights.then(|| draws(3, ROWS).map(|u| 0.5 + u).collect()),
            offset: Some(draws(4, ROWS).map(|u| u - 0.5).collect()),
        }
    }

    fn certify(&self, compute: &mut Compute) -> Result<Certificate> {
        let spec = self.spec();
        let rows = self.rows(&spec);
        let data = rows.dataset(&spec);
        let mut network = Network::<f64>::new(&spec, 5)?;
        stir(&mut network)?;
        let (l1, l2) = if self.penalty { (0.02, 0.3) } else { (0.0, 0.0) };
        let mut reference = Reference::new(&spec, &parameters(&network), &rows, Setup::first_step(SEED, l1, l2));
        let step = step_gradient(&spec, &network, compute, &data, (l1, l2))?;
        let mut elements = Elements::default();
        let mut numeric = vec![];
        for (p, analytic) in step.iter().enumerate() {
            for (i, &analytic) in analytic.iter().enumerate() {
                numeric.push(reference.derivative(p, i));
                elements.push((p, i), analytic, numeric[numeric.len() - 1]);
            }
        }
        if !self.penalty && !self.dropout {
            let total: f64 = rows.weights.as_ref().map_or(ROWS as f64, |weights| weights.iter().sum());
            let (_, gradient) = network.gradient(compute, &data)?;
            let each =
                gradient.iter().enumerate().flat_map(|(p, g)| g.iter().enumerate().map(move |(i, g)| ((p, i), g)));
            each.zip(&numeric).for_each(|((place, &analytic), &n)| elements.push(place, analytic, n * total));
            for (i, &analytic) in network.input_gradient(compute, &data)?.iter().enumerate() {
                elements.push((INPUT, i), analytic, reference.input_derivative(i));
            }
            outputs::compare(&network, compute, &data.inputs, &mut reference, &mut elements)?;
        }
        Ok(certificate(&network, &reference, &elements, ROWS))
    }
}

/// Moves the parameters that start at 0 or 1, where some mistakes do not show.
fn stir(network: &mut Network<f64>) -> Result<()> {
    for p in 0..network.views().len() {
        if matches!(network.views()[p].role, Role::Weight | Role::Bias | Role::Table) {
            continue;
        }
        let key = Key::new(13).part(p as u64);
        let values = network.parameter(p).into_iter().enumerate();
        let moved: Vec<f64> = values.map(|(i, x)| x + 0.6 * key.uniform(i as u64) - 0.3).collect();
        network.set_parameter(p, &moved)?;
    }
    Ok(())
}

/// The gradient of the mean cost with penalty that a training step uses: with plain gradient descent it is the change of
/// the parameters over minus the learning rate. A large rate, a power of two, so that the parameters themselves take no
/// digits from the difference.
fn step_gradient(
    spec: &NetworkSpec,
    network: &Network<f64>,
    compute: &mut Compute,
    data: &Dataset<'_, f64>,
    (l1, l2): (f64, f64),
) -> Result<Vec<Vec<f64>>> {
    let learning_rate = 2f64.powi(20);
    let before = parameters(network);
    let mut moved = Network::<f64>::new(spec, 0)?;
    for (p, values) in before.iter().enumerate() {
        moved.set_parameter(p, values)?;
    }
    let settings = TrainSettings {
        epochs: 1,
        batch: data.inputs.rows,
        optimizer: Optimizer::Sgd,
        learning_rate,
        l1,
        l2,
        shuffle: false,
        restore_best: false,
        seed: SEED,
        ..TrainSettings::default()
    };
    train(&mut moved, compute, data, None, &settings, &mut |_| Flow::Continue)?;
    let change = |(before, after): (&Vec<f64>, Vec<f64>)| {
        before.iter().zip(after).map(|(before, after)| (before - after) / learning_rate).collect()
    };
    Ok(before.iter().zip(parameters(&moved)).map(change).collect())
}
