//! One weight's gradient, factor by factor, worked by hand.
#![allow(clippy::unwrap_used)]

use chainrule::{Activation, Compute, Dataset, Head, Hidden, Inputs, Network, NetworkSpec};

/// Two inputs, two hidden units (tanh), two outputs (gaussian), one row; the weight from input i = 1 to unit j = 0.
///
/// x = (1, 2); W1 = ((0.1, -0.2), (0.3, 0.4)), b1 = (0.05, -0.05), so z = (0.1 + 0.6 + 0.05, -0.2 + 0.8 - 0.05)
/// = (0.75, 0.55) and h = tanh z. W2 = ((0.5, -1), (2, 0.25)), b2 = 0; y = (0.2, -0.3).
#[test]
fn one_weight_factor_by_factor() {
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
    let (x, y) = ([1.0, 2.0], [0.2, -0.3]);
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
