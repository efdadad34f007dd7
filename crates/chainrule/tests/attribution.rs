//! Gradients of outputs and what they add up to. `chainrule check` compares the gradients of every kind of layer with the
//! complex step.
#![allow(clippy::unwrap_used)]

use chainrule::{
    Activation, Attribution, Baseline, Compute, Embedding, Head, Hidden, Inputs, Key, Matrix, Network, NetworkSpec,
    NumericEmbedding,
};

const INPUTS: usize = 4;

fn spec(activation: Activation, embedding: Option<NumericEmbedding>) -> NetworkSpec {
    let hidden = |width| Hidden { dropout: 0.4, parametric: embedding.is_some(), ..Hidden::new(width, activation) };
    NetworkSpec {
        scale: embedding.is_some(),
        numeric_embedding: embedding.clone(),
        embeddings: vec![Embedding { levels: 5, dimension: 3 }, Embedding { levels: 3, dimension: 2 }],
        ..NetworkSpec::new(INPUTS, vec![hidden(20), hidden(12)], 3, Head::categorical())
    }
}

fn specs() -> Vec<NetworkSpec> {
    let features = vec![0, 2];
    let edges = vec![vec![-1.3, -0.4, 0.1, 1.7], vec![-1.0, 1.0]];
    vec![
        spec(Activation::Relu, None),
        spec(Activation::Tanh, None),
        spec(
            Activation::Mish,
            Some(NumericEmbedding::Periodic { features: features.clone(), frequencies: 3, sigma: 0.5 }),
        ),
        spec(Activation::Selu, Some(NumericEmbedding::PiecewiseLinear { features, edges, dimension: 2 })),
    ]
}

/// Random rows: numbers and codes.
struct Rows {
    count: usize,
    numeric: Vec<f32>,
    codes: Vec<u32>,
    v: Vec<f64>,
}

impl Rows {
    fn new(count: usize) -> Self {
        let draw = |part: u64, n: usize| (0..n).map(move |i| Key::new(5).part(part).uniform(i as u64));
        Self {
            count,
            numeric: draw(0, count * INPUTS).map(|u| (4.0 * u - 2.0) as f32).collect(),
            codes: draw(1, 2 * count).enumerate().map(|(i, u)| (u * [5.0, 3.0][i % 2]) as u32).collect(),
            v: draw(2, 3 * count).map(|u| 2.0 * u - 1.0).collect(),
        }
    }

    fn inputs(&self) -> Inputs<'_, f32> {
        Inputs {
            rows: self.count,
            width: INPUTS,
            numeric: Matrix::Dense(&self.numeric),
            categories: 2,
            codes: &self.codes,
            offset: None,
        }
    }

    fn attribute(&self, network: &Network<f32>, threads: usize) -> Attribution {
        let baseline = Baseline { numeric: &[0.3, -0.2, 0.0, 0.5], codes: &[0, 2] };
        network.integrated_gradients(&mut Compute::new(threads), &self.inputs(), baseline, &self.v, 1e-4).unwrap()
    }

    /// v' z of each row, by the network's own forward pass.
    fn values(&self, network: &Network<f32>) -> Vec<f64> {
        let z = network.pre_activations(&mut Compute::new(1), &self.inputs(), None).unwrap();
        z.chunks(3).zip(self.v.chunks(3)).map(|(z, v)| z.iter().zip(v).map(|(z, v)| z * v).sum()).collect()
    }
}

#[test]
fn contributions_add_up_to_the_difference_from_the_baseline() {
    for spec in specs() {
        let network = Network::<f32>::new(&spec, 3).unwrap();
        // More rows than go through the network at a time.
        let rows = Rows::new(1100);
        let found = rows.attribute(&network, 1);
        for (row, value) in rows.values(&network).into_iter().enumerate() {
            let numeric: f64 = found.numeric[row * INPUTS..][..INPUTS].iter().sum();
            let sum = numeric + found.categories[2 * row] + found.categories[2 * row + 1];
            let difference = value - found.baseline[row];
            assert!((sum - difference - found.residual[row]).abs() < 1e-5, "{row}: {sum} {difference}");
            // Relu, selu and the edges of bins have kinks, where the quadrature converges slowly: it ends at 512 points.
            let smooth = matches!(spec.hidden[0].activation, Activation::Tanh | Activation::Mish);
            let most = if smooth { 1e-4 } else { 1e-2 };
            assert!(found.residual[row].abs() <= most * difference.abs().max(1.0), "{row}: {}", found.residual[row]);
        }
        assert_eq!(found.numeric, rows.attribute(&network, 3).numeric, "threads");
    }
}

#[test]
fn what_is_as_in_the_baseline_contributes_nothing() {
    let network = Network::<f32>::new(&specs()[1], 3).unwrap();
    let mut rows = Rows::new(3);
    rows.numeric[..INPUTS].copy_from_slice(&[0.3, -0.2, 0.0, 0.5]);
    rows.codes[..2].copy_from_slice(&[0, 2]);
    rows.codes[3] = 2;
    let found = rows.attribute(&network, 1);
    assert!(found.numeric[..INPUTS].iter().chain(&found.categories[..2]).all(|&c| c == 0.0));
    assert_eq!((found.categories[3], found.residual[0]), (0.0, 0.0));
    assert!(found.categories[2] != 0.0 && found.numeric[INPUTS] != 0.0);
}

#[test]
fn of_a_linear_network_they_are_weight_times_difference() {
    let spec = NetworkSpec {
        embeddings: vec![Embedding { levels: 4, dimension: 2 }],
        ..NetworkSpec::new(2, vec![], 1, Head::Poisson)
    };
    let mut network = Network::<f32>::new(&spec, 1).unwrap();
    let table = [0.0, 0.0, 1.0, 2.0, -0.5, 0.25, 3.0, 1.0];
    network.set_parameter(0, &table).unwrap();
    network.set_parameter(1, &[0.5, -2.0, 1.5, 0.125]).unwrap();
    network.set_parameter(2, &[0.75]).unwrap();
    let inputs = Inputs {
        rows: 2,
        width: 2,
        numeric: Matrix::Dense(&[3.0f32, 1.0, -1.0, 4.0]),
        categories: 1,
        codes: &[3, 0],
        offset: Some(&[9.0, 9.0]),
    };
    let baseline = Baseline { numeric: &[1.0, 2.0], codes: &[1] };
    let found = network.integrated_gradients(&mut Compute::new(1), &inputs, baseline, &[1.0, -2.0], 1e-9).unwrap();
    let near = |found: &[f64], expected: &[f64]| {
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?} {expected:?}");
    };
    near(&found.numeric, &[0.5 * 2.0, -2.0 * -1.0, -2.0 * (0.5 * -2.0), -2.0 * (-2.0 * 2.0)]);
    // (E_3 - E_1)' w and -2 (E_0 - E_1)' w.
    near(&found.categories, &[2.0 * 1.5 - 0.125, -2.0 * (-1.5 - 0.25)]);
    // b + w' (1, 2, E_1), without the offset.
    let start = 0.75 + 0.5 - 4.0 + 1.5 + 0.25;
    near(&found.baseline, &[start, -2.0 * start]);
    near(&found.residual, &[0.0, 0.0]);
}

#[test]
fn dropout_has_no_part_in_the_gradient_of_an_output() {
    for spec in specs() {
        let with = Network::<f32>::new(&spec, 3).unwrap();
        let mut spec = spec;
        spec.hidden.iter_mut().for_each(|hidden| hidden.dropout = 0.0);
        let without = Network::<f32>::new(&spec, 3).unwrap();
        let rows = Rows::new(50);
        let v: Vec<f32> = rows.v.iter().map(|&v| v as f32).collect();
        let gradient =
            |network: &Network<f32>| network.output_gradient(&mut Compute::new(1), &rows.inputs(), &v).unwrap();
        assert_eq!(gradient(&with), gradient(&without));
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let network = Network::<f32>::new(&specs()[0], 3).unwrap();
    let rows = Rows::new(2);
    let mut compute = Compute::new(1);
    let mut message = |numeric: &[f32], codes: &[u32], v: &[f64]| {
        let found = network.integrated_gradients(&mut compute, &rows.inputs(), Baseline { numeric, codes }, v, 1e-3);
        found.unwrap_err().to_string()
    };
    assert!(message(&[0.0; 3], &[0, 0], &rows.v).contains("expected 4, got 3"));
    assert!(message(&[f32::NAN; 4], &[0, 0], &rows.v).contains("not a finite number"));
    assert!(message(&[0.0; 4], &[5, 0], &rows.v).contains("code 5"));
    assert!(message(&[0.0; 4], &[0, 0], &rows.v[1..]).contains("factors of outputs: expected 6, got 5"));
    assert!(network.output_gradient(&mut Compute::new(1), &rows.inputs(), &[1.0; 5]).is_err());
}
