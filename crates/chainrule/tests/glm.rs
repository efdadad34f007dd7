//! Networks without hidden layers are generalised linear models: L-BFGS finds the coefficients that scikit-learn, statsmodels and
//! lifelines find. With a hidden layer it finds scipy's lowest point. The golden values and their script lie in `golden/`.
#![allow(clippy::unwrap_used)]

use chainrule::{
    Activation, Compute, Dataset, Ended, Flow, Head, Hidden, Inputs, Network, NetworkSpec, Optimizer, TrainSettings,
    train,
};
use serde::Deserialize;

const FEATURES: usize = 3;

#[derive(Deserialize)]
struct Golden {
    x: Vec<f64>,
    fits: Vec<Fit>,
    network: Hill,
}

#[derive(Deserialize)]
struct Fit {
    name: String,
    head: Head,
    outputs: usize,
    y: Vec<f64>,
    weights: Option<Vec<f64>>,
    l2: f64,
    coefficients: Vec<f64>,
    intercept: Vec<f64>,
    thresholds: Option<Vec<f64>>,
    log_shape: Option<f64>,
}

/// A network with a hidden layer: from `start` it goes down to `end`.
#[derive(Deserialize)]
struct Hill {
    y: Vec<f64>,
    l2: f64,
    start: Vec<Vec<f64>>,
    end: Vec<Vec<f64>>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/glm.json")).unwrap()
}

/// Goes down from `start`; returns the parameters and the number of iterations.
fn minimise(
    spec: &NetworkSpec,
    start: &[Vec<f64>],
    data: &Dataset<'_, f64>,
    (l2, tolerance): (f64, f64),
) -> (Vec<Vec<f64>>, usize) {
    let mut network = Network::<f64>::new(spec, 0).unwrap();
    start.iter().enumerate().for_each(|(p, values)| network.set_parameter(p, values).unwrap());
    let optimizer = Optimizer::Lbfgs { history: 10, tolerance };
    let settings = TrainSettings { optimizer, epochs: 5000, l2, ..TrainSettings::default() };
    let report = train(&mut network, &mut Compute::new(1), data, None, &settings, &mut |_| Flow::Continue).unwrap();
    assert_eq!(report.ended, Ended::Converged);
    ((0..network.views().len()).map(|p| network.parameter(p)).collect(), report.history.len())
}

/// The largest |a - b|.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// Takes each row's mean off: adding the same to all classes changes no probability.
fn centred(rows: &[f64], columns: usize) -> Vec<f64> {
    let centre = |row: &[f64]| {
        let mean = row.iter().sum::<f64>() / row.len() as f64;
        row.iter().map(move |x| x - mean).collect::<Vec<_>>()
    };
    rows.chunks(columns).flat_map(centre).collect()
}

impl Fit {
    /// The largest difference from the other library's numbers, and the iterations taken.
    fn error(&self, x: &[f64]) -> (f64, usize) {
        let head = self.head.clone();
        let spec = NetworkSpec::new(FEATURES, vec![], self.outputs, head);
        let rows = Dataset::new(Inputs::numeric(x, FEATURES), &self.y);
        let data = Dataset { weights: self.weights.as_deref(), ..rows };
        let (parameters, iterations) = minimise(&spec, &[], &data, (self.l2, 1e-10));
        let (mut w, mut b) = (parameters[0].clone(), parameters[1].clone());
        let mut error: f64 = 0.0;
        if let Some(thresholds) = &self.thresholds {
            // P(y > k) = sigma(c_k): the thresholds are -c.
            let mut own = vec![-b[0]];
            b[1..].iter().for_each(|z| own.push(own[own.len() - 1] + z.exp().ln_1p()));
            error = error.max(distance(&own, thresholds));
        }
        if let Some(log_shape) = self.log_shape {
            error = error.max((b[1] - log_shape).abs());
        }
        if matches!(self.head, Head::Categorical { .. }) {
            (w, b) = (centred(&w, self.outputs), centred(&b, self.outputs));
        }
        let columns = self.intercept.len();
        let w: Vec<f64> = w.chunks(self.outputs).flat_map(|row| &row[..columns]).copied().collect();
        let error = error.max(distance(&w, &self.coefficients)).max(distance(&b[..columns], &self.intercept));
        (error, iterations)
    }
}

#[test]
fn coefficients_are_those_of_other_libraries() {
    let golden = golden();
    assert_eq!(golden.fits.len(), 14);
    for fit in &golden.fits {
        let (error, iterations) = fit.error(&golden.x);
        let weighted = if fit.weights.is_some() { ", weighted" } else { "" };
        println!("{}{weighted}, {}: {error:.1e} after {iterations} iterations", fit.name, fit.head.name());
        assert!(error <= 1e-8, "{}, {}: {error:e}", fit.name, fit.head.name());
    }
}

#[test]
fn a_network_ends_where_scipy_does() {
    let Golden { x, network: hill, .. } = golden();
    let head = Head::gaussian();
    let hidden = vec![Hidden::new(2, Activation::Tanh)];
    let spec = NetworkSpec::new(FEATURES, hidden, 1, head);
    let data = Dataset::new(Inputs::numeric(&x, FEATURES), &hill.y);
    let (parameters, iterations) = minimise(&spec, &hill.start, &data, (hill.l2, 1e-13));
    let error = parameters.iter().zip(&hill.end).map(|(own, end)| distance(own, end)).fold(0.0, f64::max);
    println!("{error:.1e} after {iterations} iterations");
    assert!(error <= 1e-9, "{error:e}");
}
