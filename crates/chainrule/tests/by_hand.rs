//! One weight's gradient, factor by factor, worked by hand.
#![allow(clippy::unwrap_used)]

use chainrule::{
    Activation, Compute, Dataset, Flow, Head, Hidden, Inputs, Network, NetworkSpec, Optimizer, PointwiseCost,
    TrainSettings, train,
};

/// Two inputs, two hidden units (tanh), two outputs (gaussian), one row; the weight from input i = 1 to unit j = 0.
///
/// x = (1, 2); W1 = ((0.1, -0.2), (0.3, 0.4)), b1 = (0.05, -0.05), so z = (0.1 + 0.6 + 0.05, -0.2 + 0.8 - 0.05)
/// = (0.75, 0.55) and h = tanh z. W2 = ((0.5, -1), (2, 0.25)), b2 = 0; y = (0.2, -0.3).
fn network() -> Network<f64> {
    let spec = NetworkSpec::new(2, vec![Hidden::new(2, Activation::Tanh)], 2, Head::gaussian());
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

/// dJ/dz of a head at `z`, as the gradient of the biases of a network without hidden layers.
fn delta(head: Head, z: &[f64], y: f64) -> Vec<f64> {
    let spec = NetworkSpec::new(1, vec![], z.len(), head);
    let mut network = Network::<f64>::new(&spec, 0).unwrap();
    network.set_parameter(1, z).unwrap();
    let data = Dataset::new(Inputs::numeric(&[0.0], 1), std::slice::from_ref(&y));
    network.gradient(&mut Compute::new(1), &data).unwrap().1.swap_remove(1)
}

/// Where the slides are imprecise `docs/equations.md` shows what the imprecise reading gives: the numbers of its last table.
#[test]
fn the_numbers_on_the_equations_page_are_these() {
    let page = include_str!("../../../docs/equations.md");
    let shown = |start: &str, wrong: &str, right: &str| {
        let row = page.lines().find(|line| line.starts_with(&format!("| {start}"))).expect(start);
        assert!(row.ends_with(&format!("| {wrong} | {right} |")), "{start}: {wrong}, {right} against {row}");
    };
    let six = |x: f64| format!("{x:.6}");

    let data = Dataset::new(Inputs::numeric(&X, 2), &Y);
    let e = network().explain_weight(&mut Compute::new(1), &data, 0, (0, 1, 0), 0.1).unwrap();
    let (delta_k, w) = ([e.terms[0].delta, e.terms[1].delta], [0.5, -1.0]);
    let with_sum = |sum: f64| six(e.source * sum * e.slope.unwrap());
    let right = six(e.gradient);
    // w_kj is column 0 of W^(2) instead of row 0.
    shown("dJ/dw with w_kj", &with_sum(delta_k[0] * 0.5 + delta_k[1] * 2.0), &right);
    let h_j = 0.75f64.tanh();
    let moved = |k: usize| w[k] - 0.1 * h_j * delta_k[k];
    shown("dJ/dw where W^(2) moves first", &with_sum(delta_k[0] * moved(0) + delta_k[1] * moved(1)), &right);
    shown("dJ/dw of a cost averaged", &six(e.gradient / 2.0), &right);
    shown("dJ/dw without phi'", &six(e.source * e.sum.unwrap()), &right);

    let gradient = network().gradient(&mut Compute::new(1), &data).unwrap().1;
    let list = |values: &[f64]| format!("({})", values.iter().map(|&x| six(x)).collect::<Vec<_>>().join(", "));
    let delta_1 = &gradient[1];
    shown("grad W^(1) of Eq. (8)", &list(&[X[0] * delta_1[0], X[1] * delta_1[1]]), &list(&gradient[0]));
    shown("dJ/db of unit 1", "0", &six(e.delta));

    // The change of a training step over minus its rate; the first row alone and the second alone give the parts.
    let (x, y) = ([X, [2.0, 1.0]].concat(), [Y, [0.0, 0.0]].concat());
    let step = |weights: [f64; 2]| {
        let mut network = network();
        let data = Dataset { weights: Some(&weights), ..Dataset::new(Inputs::numeric(&x, 2), &y) };
        let settings =
            TrainSettings { epochs: 1, optimizer: Optimizer::Sgd, learning_rate: 1.0, ..TrainSettings::default() };
        train(&mut network, &mut Compute::new(1), &data, None, &settings, &mut |_| Flow::Continue).unwrap();
        0.3 - network.parameter(0)[2]
    };
    let by_rows = (step([1.0, 0.0]) + 3.0 * step([0.0, 1.0])) / 2.0;
    shown("dJ/dw of two rows", &six(by_rows), &six(step([1.0, 3.0])));

    let o = 1.0 / (1.0 + (-1f64).exp());
    let pair = Head::Pointwise { cost: PointwiseCost::SquaredError, output: Activation::Sigmoid };
    shown("delta of squared error", &six(o), &six(delta(pair, &[1.0], 0.0)[0]));

    let z = [1.0f64, 0.0, -1.0];
    let sum: f64 = z.iter().map(|z| z.exp()).sum();
    let o_y = 1.0 / sum;
    // Eq. (10) as written: grad_o J is -1 / o at the target's class and 0 elsewhere, o' is o (1 - o).
    let element_wise = format!("(0, {}, 0)", six(-1.0 / o_y * o_y * (1.0 - o_y)));
    let true_delta: Vec<String> = delta(Head::categorical(), &z, 1.0).into_iter().map(six).collect();
    shown("delta of softmax", &element_wise, &format!("({})", true_delta.join(", ")));

    let o = 1.0 / (1.0 + (-40f64).exp());
    assert!((1.0 / (1.0 - o) * (o * (1.0 - o))).is_nan());
    shown("delta of sigmoid", "not a number", &delta(Head::Bernoulli, &[40.0], 0.0)[0].to_string());
}
