//! One weight's gradient, factor by factor, worked by hand.
#![allow(clippy::unwrap_used)]

use chainrule::{Activation, Compute, Dataset, Head, Hidden, Inputs, Network, NetworkSpec};

/// Two inputs, two hidden units (tanh), two outputs (gaussian), one row; the weight from input i = 1 to unit j = 0.
///
/// x = (1, 2); W1 = ((0.1, -0.2), (0.3, 0.4)), b1 = (0.05, -0.05), so z = (0.1 + 0.6 + 0.05, -0.2 + 0.8 - 0.05)
/// = (0.75, 0.55) and h = tanh z. W2 = ((0.5, -1), (2, 0.25)), b2 = 0; y = (0.2, -0.3).
fn network() -> Network<f64> {
    let spec = NetworkSpec {
        inputs: 2,
        embeddings: vec![],
        hidden: vec![Hidden::new(2, Activation::Tanh)],
        outputs: 2,
        head: Head::gaussian(),
    };
    let mut network = Network::<f64>::new(&spec, 0).unwrap();
    for (i, values) in
        [&[0.1, -0.2, 0.3, 0.4][..], &[0.05, -0.05], &[0.5, -1.0, 2.0, 0.25], &[0.0, 0.0]].iter().enumerate()
    {
        network.set_parameter(i, values).unwrap();
    }
    network
}

const X: [f64; 2] = [1.0, 2.0];
const Y: [f64; 2] = [0.2, -0.3];

#[test]
fn one_weight_factor_by_factor() {
    let mut network = network();
    let (x, y) = (X, Y);
    let data = Dataset::new(Inputs::numeric(&x, 2), &y);
    let (cost, gradient) = network.gradient(&mut Compute::new(1), &data).unwrap();

    let h = [0.75f64.tanh(), 0.55f64.tanh()];
    let o = [0.5 * h[0] + 2.0 * h[1], -h[0] + 0.25 * h[1]];
    // Eq. (3): (dJ/do_k)(do_k/dz_k) = delta_k, dz_k/dh_j = w_jk, dh_j/dz_j = phi', dz_j/dw_ij = h_i.
    let delta = [o[0] - 0.2, o[1] + 0.3];
    let w_j = [0.5, -1.0];
    let phi_prime = 1.0 - h[0] * h[0];
    let delta_j = (delta[0] * w_j[0] + delta[1] * w_j[1]) * phi_prime; // Eq. (4), (5)
    let expected = x[1] * delta_j; // Eq. (6)
    // W1 is row-major (inputs x outputs): input 1, unit 0 is element 2.
    assert!((gradient[0][2] - expected).abs() < 1e-15, "{} {expected}", gradient[0][2]);
    assert!((gradient[1][0] - delta_j).abs() < 1e-15);
    // Two normal densities of variance 1.
    let expected = (delta[0] * delta[0] + delta[1] * delta[1]) / 2.0 + (2.0 * std::f64::consts::PI).ln();
    assert!((cost - expected).abs() < 1e-15);
}

#[test]
fn the_elements_of_one_weight_are_those_worked_by_hand() {
    let (network, mut compute) = (network(), Compute::new(1));
    let x = [X, [0.0, 0.0]].concat();
    let y = [[5.0, 5.0], Y].concat();
    // The row to explain is the second.
    let x: Vec<f64> = x[2..].iter().chain(&x[..2]).copied().collect();
    let data = Dataset { weights: Some(&[1.0, 3.0]), ..Dataset::new(Inputs::numeric(&x, 2), &y) };
    let explained = network.explain_weight(&mut compute, &data, 1, (0, 1, 0), 0.01).unwrap();

    let h = [0.75f64.tanh(), 0.55f64.tanh()];
    let delta = [0.5 * h[0] + 2.0 * h[1] - 0.2, -h[0] + 0.25 * h[1] + 0.3];
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-15, "{a} {b}");
    close(explained.source, 2.0);
    close(explained.weight, 0.3);
    close(explained.pre_activation, 0.75);
    close(explained.slope.unwrap(), 1.0 - h[0] * h[0]);
    for (k, w_jk) in [0.5, -1.0].into_iter().enumerate() {
        let term = &explained.terms[k];
        close(term.delta, delta[k]);
        close(term.weight, w_jk);
        close(term.product, delta[k] * w_jk);
    }
    let sum = 0.5 * delta[0] - delta[1];
    close(explained.sum.unwrap(), sum);
    close(explained.delta, sum * (1.0 - h[0] * h[0]));
    close(explained.gradient, 2.0 * explained.delta);
    close(explained.updated_weight, 0.3 - 0.01 * explained.gradient);
    close(explained.predicted_change, -0.01 * explained.gradient.powi(2));
    // The rest is of second order in the step.
    let rest = |rate: f64| {
        let e = network.explain_weight(&mut Compute::new(1), &data, 1, (0, 1, 0), rate).unwrap();
        (e.measured_change - e.predicted_change) / rate.powi(2)
    };
    assert!((rest(1e-4) / rest(1e-3) - 1.0).abs() < 0.01, "{} {}", rest(1e-4), rest(1e-3));

    let output = network.explain_weight(&mut compute, &data, 1, (1, 1, 0), 0.01).unwrap();
    close(output.source, h[1]);
    close(output.delta, delta[0]);
    close(output.gradient, h[1] * delta[0]);
    assert!(output.slope.is_none() && output.sum.is_none() && output.terms.is_empty());

    for (place, message) in [((2, 0, 0), "layer 2: there are 2"), ((0, 2, 0), "from 2"), ((0, 0, 2), "to 2")] {
        let error = network.explain_weight(&mut compute, &data, 1, place, 0.1).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
    assert!(network.explain_weight(&mut compute, &data, 2, (0, 0, 0), 0.1).is_err());
}
