//! Features whose zeros are not there give the bits of the whole matrix; columns that training stores apart give its steps.
#![allow(clippy::unwrap_used)]

use chainrule::{
    Activation, Compute, Dataset, Ensemble, EnsembleKind, Flow, Head, Hidden, Inputs, Isa, Key, Network, NetworkSpec,
    NumericEmbedding, Optimizer, Scalar, SparseMatrix, TrainSettings, train,
};

const ROWS: usize = 300;

/// A matrix with and without its zeros: in some rows and columns there is nothing else.
struct Rows<T> {
    width: usize,
    dense: Vec<T>,
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<T>,
    targets: Vec<T>,
}

impl<T: Scalar> Rows<T> {
    fn new(width: usize, classes: u64) -> Self {
        let key = Key::new(3);
        let element = |i: usize| {
            let is_there = key.below(i as u64, 6) == 0 && !(i / width).is_multiple_of(7) && i % width != 1;
            if is_there { key.part(1).uniform(i as u64) - 0.3 } else { 0.0 }
        };
        Self::of((0..ROWS * width).map(element), width, classes)
    }

    /// As a table of numbers, the first of each six columns, and of scaled columns of 0 and 1.
    fn scaled(width: usize, classes: u64) -> Self {
        let key = Key::new(4);
        let element = |i: usize| match i % width % 6 {
            0 => key.uniform(i as u64) - 0.5,
            kind if key.below(i as u64, 10) == 0 => 3.0 / kind as f64,
            kind => -0.1 * (kind - 1) as f64,
        };
        Self::of((0..ROWS * width).map(element), width, classes)
    }

    fn of(elements: impl Iterator<Item = f64>, width: usize, classes: u64) -> Self {
        let (key, dense) = (Key::new(3), elements.map(T::from_f64).collect::<Vec<T>>());
        let targets = (0..ROWS).map(|i| T::from_f64(key.part(2).below(i as u64, classes) as f64)).collect();
        let (mut starts, mut columns, mut values) = (vec![0], vec![], vec![]);
        for row in dense.chunks_exact(width) {
            let there = row.iter().enumerate().filter(|(_, x)| x.to_f64() != 0.0);
            there.for_each(|(column, &x)| {
                columns.push(column as u32);
                values.push(x);
            });
            starts.push(values.len());
        }
        Self { width, dense, starts, columns, values, targets }
    }

    fn inputs(&self, sparse: bool) -> Inputs<'_, T> {
        let Self { width, starts, columns, values, .. } = self;
        if sparse {
            Inputs::sparse(SparseMatrix { starts, columns, values }, *width)
        } else {
            Inputs::numeric(&self.dense, *width)
        }
    }

    /// The parameters after some training, and the predictions then.
    fn train(&self, spec: &NetworkSpec, settings: &TrainSettings, threads: usize, isa: Isa, sparse: bool) -> Vec<u64> {
        let mut network = Network::<T>::new(spec, 1).unwrap();
        let mut compute = Compute::with_isa(threads, isa);
        let data = Dataset::new(self.inputs(sparse), &self.targets);
        if spec.ensemble.is_none() {
            network.start_from_data(&mut compute, &data, 2).unwrap();
        }
        train(&mut network, &mut compute, &data, Some(&data), settings, &mut |_| Flow::Continue).unwrap();
        let predictions = network.predict(&mut compute, &self.inputs(sparse)).unwrap();
        let (_, gradient) = network.gradient(&mut compute, &data).unwrap();
        let parameters = (0..network.views().len()).flat_map(|p| network.parameter(p));
        parameters.chain(predictions).chain(gradient.concat()).map(|x| x.to_f64().to_bits()).collect()
    }
}

/// So few units that training leaves a dense matrix as it is.
fn spec(width: usize, outputs: usize) -> NetworkSpec {
    let hidden = vec![Hidden::new(60, Activation::Relu), Hidden::new(20, Activation::Tanh)];
    NetworkSpec::new(width, hidden, outputs, Head::categorical())
}

fn same_bits<T: Scalar>(spec: &NetworkSpec, settings: &TrainSettings) {
    same_bits_of(&Rows::<T>::new(spec.inputs, spec.outputs as u64), spec, settings);
}

fn same_bits_of<T: Scalar>(rows: &Rows<T>, spec: &NetworkSpec, settings: &TrainSettings) {
    let expected = rows.train(spec, settings, 1, Isa::detect(), false);
    for isa in Isa::available() {
        for threads in [1, 3] {
            let found = rows.train(spec, settings, threads, isa, true);
            assert_eq!(found, expected, "{isa}, {threads} threads, {settings:?}, {spec:?}");
        }
    }
}

#[test]
fn training_and_predictions_have_the_bits_of_the_whole_matrix() {
    let plain = TrainSettings { epochs: 3, batch: 50, ..TrainSettings::default() };
    for settings in [
        TrainSettings { optimizer: Optimizer::Sgd, ..plain.clone() },
        TrainSettings { optimizer: Optimizer::adam(), l2: 1e-3, ..plain.clone() },
        TrainSettings { clip_norm: Some(0.1), ema: Some(0.9), ..plain.clone() },
        TrainSettings { optimizer: Optimizer::lbfgs(), ..plain.clone() },
    ] {
        same_bits::<f32>(&spec(45, 7), &settings);
        same_bits::<f64>(&spec(45, 7), &settings);
    }
    // So wide that threads share columns, and of a width that is whole panels.
    same_bits::<f32>(&spec(4_096, 7), &plain);
}

/// So many units that training stores the columns in its own way.
fn wide_spec(outputs: usize) -> NetworkSpec {
    NetworkSpec { hidden: vec![Hidden::new(70, Activation::Relu)], ..spec(75, outputs) }
}

#[test]
fn columns_apart_give_one_result_everywhere() {
    let plain = TrainSettings { epochs: 3, batch: 70, ..TrainSettings::default() };
    for settings in [
        plain.clone(),
        TrainSettings { optimizer: Optimizer::adam(), clip_norm: Some(0.1), ..plain.clone() },
        TrainSettings { optimizer: Optimizer::lbfgs(), ..plain },
    ] {
        same_bits_of(&Rows::<f32>::scaled(75, 3), &wide_spec(3), &settings);
        same_bits_of(&Rows::<f64>::scaled(75, 3), &wide_spec(3), &settings);
    }
}

/// A step on columns apart, Eq. (7), against the gradient that knows of none.
#[test]
fn a_step_on_columns_apart_is_one_along_the_gradient() {
    let rows = Rows::<f64>::scaled(75, 3);
    let data = Dataset::new(rows.inputs(false), &rows.targets);
    let mut network = Network::<f64>::new(&wide_spec(3), 1).unwrap();
    let mut compute = Compute::new(2);
    let all =
        |network: &Network<f64>| (0..network.views().len()).flat_map(|p| network.parameter(p)).collect::<Vec<_>>();
    let (before, gradient) = (all(&network), network.gradient(&mut compute, &data).unwrap().1.concat());
    let rate = 0.5;
    let settings = TrainSettings { epochs: 1, batch: ROWS, learning_rate: rate, ..TrainSettings::default() };
    let settings = TrainSettings { optimizer: Optimizer::Sgd, ..settings };
    train(&mut network, &mut compute, &data, None, &settings, &mut |_| Flow::Continue).unwrap();
    for ((after, before), gradient) in all(&network).iter().zip(before).zip(gradient) {
        let expected = before - rate * gradient / ROWS as f64;
        assert!((after - expected).abs() < 1e-14, "{after}, not {expected}");
    }
}

/// First layers that are no plain product get the zeros back.
#[test]
fn every_kind_of_network_takes_them() {
    let spec = spec(9, 3);
    let features = (0..5).collect();
    let periodic = NumericEmbedding::Periodic { features, frequencies: 4, sigma: 0.5 };
    let parametric = Hidden { parametric: true, dropout: 0.2, ..Hidden::new(20, Activation::Gelu) };
    let kinds = [EnsembleKind::Mini, EnsembleKind::Full];
    let ensembles = kinds.map(|kind| NetworkSpec { ensemble: Some(Ensemble { members: 2, kind }), ..spec.clone() });
    let settings = TrainSettings { epochs: 2, batch: 50, ..TrainSettings::default() };
    for spec in [
        NetworkSpec { scale: true, ..spec.clone() },
        NetworkSpec { numeric_embedding: Some(periodic), ..spec.clone() },
        NetworkSpec { hidden: vec![parametric], ..spec.clone() },
        NetworkSpec { hidden: vec![], ..spec.clone() },
    ]
    .iter()
    .chain(&ensembles)
    {
        same_bits::<f32>(spec, &settings);
    }
}

#[test]
fn derivatives_are_proven_from_them() {
    let rows = Rows::<f64>::new(9, 3);
    let network = Network::<f64>::new(&spec(9, 3), 1).unwrap();
    let certify = |sparse| {
        let data = Dataset { select: Some(&[1, 2, 8]), ..Dataset::new(rows.inputs(sparse), &rows.targets) };
        chainrule::check::certify(&network, &mut Compute::new(1), &data, None).unwrap()
    };
    assert!(certify(true).holds());
    assert_eq!(format!("{:?}", certify(true)), format!("{:?}", certify(false)));
}

#[test]
fn what_is_no_matrix_is_refused() {
    let network = Network::<f32>::new(&spec(4, 3), 1).unwrap();
    let message = |starts: &[usize], columns: &[u32], values: &[f32]| {
        let inputs = Inputs::sparse(SparseMatrix { starts, columns, values }, 4);
        network.predict(&mut Compute::new(1), &inputs).unwrap_err().to_string()
    };
    let of_two = |columns: [u32; 2]| message(&[0, 2, 2], &columns, &[1.0, 2.0]);
    assert_eq!(of_two([2, 1]), "row 1: the columns of a sparse matrix must ascend and be less than 4");
    assert_eq!(of_two([1, 1]), of_two([2, 1]));
    assert_eq!(of_two([1, 4]), of_two([2, 1]));
    let unordered = "the rows of a sparse matrix do not start one after the other";
    for starts in [&[0, 3, 2][..], &[1, 2, 2], &[0, 1, 1]] {
        assert_eq!(message(starts, &[1, 2], &[1.0, 2.0]), unordered, "{starts:?}");
    }
    let infinite = message(&[0, 1, 2], &[1, 2], &[1.0, f32::INFINITY]);
    assert!(infinite.contains("row 2") && infinite.contains("feature 3"), "{infinite}");
    assert!(message(&[0, 2], &[1], &[1.0, 2.0]).contains("columns of a sparse matrix"));
    assert!(message(&[], &[], &[]).contains("starts"), "{}", message(&[], &[], &[]));
}
