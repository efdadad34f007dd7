//! A trained network and its predictions are the same bits whatever the threads and the instruction set.
#![allow(clippy::unwrap_used)]

use chainrule::{
    Activation, Compute, Dataset, Ensemble, EnsembleKind, Flow, Head, Hidden, Inputs, Isa, Key, Network, NetworkSpec,
    NumericEmbedding, Optimizer, Predictor, Scalar, TrainSettings, train,
};
use std::hash::{DefaultHasher, Hash, Hasher};

const STEPS: usize = 200;

/// Steps for each of the optimizers that the long trainings leave out.
const FEW: usize = 10;

/// Shapes D and F of the benchmark.
const D: &[usize] = &[54, 256, 256, 7];
const F: &[usize] = &[784, 512, 512, 10];

struct Case<'a> {
    widths: &'a [usize],
    batch: usize,
    activation: Activation,
    optimizer: Optimizer,
    dropout: f64,
    steps: usize,
    /// Of the gradient's length, and for the parameters' average.
    limits: (Option<f64>, Option<f64>),
}

impl Case<'_> {
    fn spec(&self) -> NetworkSpec {
        let (last, hidden) = self.widths[1..].split_last().unwrap();
        let (activation, dropout) = (self.activation, self.dropout);
        let hidden = hidden.iter().map(|&width| Hidden { dropout, ..Hidden::new(width, activation) });
        NetworkSpec::new(self.widths[0], hidden.collect(), *last, Head::categorical())
    }

    /// The hash of all parameters after `steps` steps on batches of which every fifth is short.
    fn hash<T: Scalar>(&self, threads: usize, isa: Isa) -> u64 {
        self.hash_of::<T>(&self.spec(), threads, isa)
    }

    /// The same for a network with this specification.
    fn hash_of<T: Scalar>(&self, spec: &NetworkSpec, threads: usize, isa: Isa) -> u64 {
        let rows = 4 * self.batch + self.batch / 2 + 1;
        let key = Key::new(7);
        let x: Vec<T> = (0..rows * spec.inputs).map(|i| T::from_f64(key.uniform(i as u64) - 0.5)).collect();
        let classes = spec.outputs as u64;
        let y: Vec<T> = (0..rows).map(|i| T::from_f64(key.part(1).below(i as u64, classes) as f64)).collect();
        let data = Dataset::new(Inputs::numeric(&x, spec.inputs), &y);
        let (epochs, learning_rate) = (self.steps / 5, 1e-3);
        let (clip_norm, ema) = self.limits;
        let settings = TrainSettings {
            epochs,
            clip_norm,
            ema,
            batch: self.batch,
            optimizer: self.optimizer,
            learning_rate,
            ..TrainSettings::default()
        };
        let mut network = Network::<T>::new(spec, 1).unwrap();
        let mut compute = Compute::with_isa(threads, isa);
        train(&mut network, &mut compute, &data, None, &settings, &mut |_| Flow::Continue).unwrap();
        let mut hasher = DefaultHasher::new();
        for p in 0..network.views().len() {
            network.parameter(p).iter().for_each(|w| w.to_f64().to_bits().hash(&mut hasher));
        }
        hasher.finish()
    }
}

fn cases(widths: &[usize], batch: usize) -> Vec<Case<'_>> {
    let activations = [Activation::Relu, Activation::Gelu, Activation::Tanh];
    let optimizers = [Optimizer::Sgd, Optimizer::adam()];
    let pairs = activations.into_iter().flat_map(|a| optimizers.map(|o| (a, o)));
    let case = |(activation, optimizer)| Case {
        widths,
        batch,
        activation,
        optimizer,
        dropout: 0.1,
        steps: STEPS,
        limits: (None, None),
    };
    pairs.map(case).collect()
}

/// One hash for all threads on the best instruction set, and for every other instruction set.
fn check<T: Scalar>(case: &Case<'_>, slow: bool) {
    let expected = case.hash::<T>(1, Isa::detect());
    for threads in [2, 3, 8] {
        assert_eq!(case.hash::<T>(threads, Isa::detect()), expected, "{threads} threads");
    }
    for isa in Isa::available() {
        if slow || isa.to_string() != "portable" {
            assert_eq!(case.hash::<T>(2, isa), expected, "{isa}");
        }
    }
}

#[test]
fn shape_d_is_one_hash() {
    for (i, case) in cases(D, 40).iter().enumerate() {
        check::<f32>(case, i == 3);
        check::<f64>(case, i == 0);
    }
}

/// Small steps are taken on one thread and on all of them in turn.
#[test]
fn shape_b_is_one_hash() {
    for case in &cases(&[20, 64, 64, 3], 64)[2..4] {
        check::<f32>(case, false);
        check::<f64>(case, false);
    }
}

/// The optimizers that are not in the long trainings, and what can be added to each.
#[test]
fn every_optimizer_is_one_hash() {
    let case = |optimizer, dropout, limits| Case {
        widths: D,
        batch: 40,
        activation: Activation::Tanh,
        optimizer,
        dropout,
        steps: FEW,
        limits,
    };
    for case in [
        case(Optimizer::Momentum { momentum: 0.9, nesterov: true }, 0.1, (None, None)),
        case(Optimizer::adamw(0.01), 0.1, (Some(0.1), Some(0.9))),
        case(Optimizer::rmsprop(), 0.1, (None, None)),
        case(Optimizer::adagrad(), 0.1, (None, None)),
        case(Optimizer::rprop(), 0.1, (None, None)),
        case(Optimizer::lbfgs(), 0.0, (None, None)),
    ] {
        check::<f32>(&case, true);
        check::<f64>(&case, false);
    }
}

/// With few rows for its size: the threads share columns.
#[test]
fn shape_f_is_one_hash() {
    check::<f32>(&cases(F, 16)[3], false);
    check::<f64>(&cases(F, 16)[0], false);
}

/// Numeric embeddings, a scale layer and parametric activations, with features that fill no whole register.
#[test]
fn a_stem_is_one_hash() {
    let (features, frequencies) = (vec![0, 1, 2, 3, 5, 8, 13, 20, 21, 30, 44], 5);
    let edges = vec![vec![-0.5, -0.2, 0.1, 0.5]; features.len()];
    let case = &cases(&[45, 100, 70, 7], 50)[3];
    for embedding in [
        NumericEmbedding::Periodic { features: features.clone(), frequencies, sigma: 0.5 },
        NumericEmbedding::PiecewiseLinear { features, edges, dimension: 16 },
    ] {
        let mut spec = NetworkSpec { numeric_embedding: Some(embedding), scale: true, ..case.spec() };
        spec.hidden.iter_mut().for_each(|hidden| hidden.parametric = true);
        check_spec(case, &spec);
    }
}

/// Ensembles of either kind, with batches that are more than a block of each member, and with a limit on the gradient.
#[test]
fn an_ensemble_is_one_hash() {
    let widths = [45, 100, 70, 7];
    for (kind, activation, limits) in [
        (EnsembleKind::Full, Activation::Relu, (Some(0.1), None)),
        (EnsembleKind::Mini, Activation::Gelu, (None, None)),
    ] {
        let case = Case { activation, limits, steps: FEW, ..cases(&widths, 90).remove(1) };
        let embedding = NumericEmbedding::PiecewiseLinear {
            features: vec![3, 9],
            edges: vec![vec![-0.5, 0.1, 0.5]; 2],
            dimension: 4,
        };
        let ensemble = Some(Ensemble { members: 5, kind });
        check_spec(&case, &NetworkSpec { numeric_embedding: Some(embedding), ensemble, ..case.spec() });
    }
}

/// One hash for a network whatever runs it.
fn check_spec(case: &Case<'_>, spec: &NetworkSpec) {
    let expected = case.hash_of::<f32>(spec, 1, Isa::detect());
    let expected_f64 = case.hash_of::<f64>(spec, 1, Isa::detect());
    for (threads, isa) in
        [(2, Isa::detect()), (3, Isa::detect())].into_iter().chain(Isa::available().into_iter().map(|isa| (1, isa)))
    {
        assert_eq!(case.hash_of::<f32>(spec, threads, isa), expected, "{threads} threads, {isa}");
        assert_eq!(case.hash_of::<f64>(spec, threads, isa), expected_f64, "{threads} threads, {isa}");
    }
}

/// The shapes as they are in the benchmark, everything with everything.
#[test]
#[ignore = "takes some minutes"]
fn shapes_d_and_f_in_full_are_one_hash() {
    for case in cases(D, 256).iter().chain(&cases(F, 128)) {
        check::<f32>(case, true);
        check::<f64>(case, true);
    }
}

#[test]
fn a_rows_prediction_does_not_depend_on_its_company() {
    let single = |widths: &[usize]| cases(widths, 1)[2].spec();
    let ensemble = Some(Ensemble { members: 3, kind: EnsembleKind::Full });
    for spec in [single(&[3, 5, 2]), single(&[20, 700, 700, 3]), NetworkSpec { ensemble, ..single(&[9, 40, 3]) }] {
        let network = Network::<f32>::new(&spec, 1).unwrap();
        let key = Key::new(3);
        let x: Vec<f32> = (0..300 * spec.inputs).map(|i| key.uniform(i as u64) as f32).collect();
        for isa in Isa::available() {
            let mut compute = Compute::with_isa(2, isa);
            let together = network.predict(&mut compute, &Inputs::numeric(&x, spec.inputs)).unwrap();
            // More rows than there is room for are worked off in pieces.
            let mut pieces = vec![0.0; together.len()];
            let mut predictor = Predictor::new(&network, 5, &compute);
            predictor.predict(&mut compute, &Inputs::numeric(&x, spec.inputs), &mut pieces).unwrap();
            assert_eq!(pieces, together, "{isa}");
            for rows in [1, 2, 3, 17, 64] {
                let mut predictor = Predictor::new(&network, rows, &compute);
                let mut out = vec![0.0; rows * spec.outputs];
                for first in [0, 100] {
                    let some = Inputs::numeric(&x[first * spec.inputs..][..rows * spec.inputs], spec.inputs);
                    predictor.predict(&mut compute, &some, &mut out).unwrap();
                    assert_eq!(out, together[first * spec.outputs..][..out.len()], "{isa}, {rows} rows from {first}");
                }
            }
        }
    }
}
