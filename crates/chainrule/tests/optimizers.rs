//! What the optimizers promise beside their rules (those are compared with PyTorch's in `tests/golden.rs`): limits of the
//! gradient, averages of the parameters, and the end of L-BFGS.
#![allow(clippy::unwrap_used)]

use chainrule::{
    Activation, Compute, Dataset, Ended, Flow, Head, Hidden, Inputs, Key, Network, NetworkSpec, Optimizer, TrainReport,
    TrainSettings, train,
};

const ROWS: usize = 60;

fn spec(hidden: &[usize], head: Head) -> NetworkSpec {
    let outputs = head.outputs(1);
    NetworkSpec::new(3, hidden.iter().map(|&width| Hidden::new(width, Activation::Tanh)).collect(), outputs, head)
}

fn data() -> (Vec<f64>, Vec<f64>) {
    let key = Key::new(3);
    let x: Vec<f64> = (0..ROWS * 3).map(|i| 2.0 * key.uniform(i as u64) - 1.0).collect();
    let y = x.chunks(3).map(|x| (2.0 * x[0] - x[1] + x[2] * x[0]).abs().floor()).collect();
    (x, y)
}

fn run(spec: &NetworkSpec, settings: &TrainSettings, threads: usize) -> (Vec<Vec<f64>>, TrainReport) {
    let (x, y) = data();
    let mut network = Network::<f64>::new(spec, 1).unwrap();
    let data = Dataset::new(Inputs::numeric(&x, 3), &y);
    let report =
        train(&mut network, &mut Compute::new(threads), &data, None, settings, &mut |_| Flow::Continue).unwrap();
    ((0..network.views().len()).map(|p| network.parameter(p)).collect(), report)
}

fn settings(optimizer: Optimizer) -> TrainSettings {
    TrainSettings { optimizer, epochs: 3, batch: 20, learning_rate: 0.01, ..TrainSettings::default() }
}

fn distance(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    let pairs = a.iter().flatten().zip(b.iter().flatten());
    pairs.map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

/// With one step of plain descent the parameters move by the rate times the limit, and a limit that is not reached changes nothing.
#[test]
fn a_gradient_is_no_longer_than_its_limit() {
    let spec = spec(&[7, 5], Head::Poisson);
    let one = TrainSettings { epochs: 1, batch: ROWS, ..settings(Optimizer::Sgd) };
    let start = run(&spec, &TrainSettings { epochs: 0, ..one.clone() }, 1).0;
    let free = run(&spec, &one, 1).0;
    let length = distance(&start, &free) / one.learning_rate;
    let limited = |norm| run(&spec, &TrainSettings { clip_norm: Some(norm), ..one.clone() }, 1).0;
    assert!((distance(&start, &limited(0.25 * length)) / one.learning_rate / length - 0.25).abs() < 1e-12);
    assert_eq!(limited(1.001 * length), free);
}

/// W', which the next step's recursion needs, follows: several limited steps go the way of the same steps without a limit.
#[test]
fn a_limit_that_is_never_reached_changes_no_step() {
    let spec = spec(&[7, 5], Head::Poisson);
    for optimizer in [Optimizer::adam(), Optimizer::rprop(), Optimizer::Momentum { momentum: 0.9, nesterov: true }] {
        let free = settings(optimizer);
        let limited = TrainSettings { clip_norm: Some(1e6), ..free.clone() };
        assert_eq!(run(&spec, &free, 1).0, run(&spec, &limited, 2).0, "{optimizer:?}");
    }
}

/// The mean of the parameters after each step, weighted by powers of the decay.
#[test]
fn the_average_is_that_of_the_steps() {
    let spec = spec(&[4], Head::Poisson);
    let decay: f64 = 0.8;
    let after = |epochs, ema| {
        let one = TrainSettings { epochs, batch: ROWS, shuffle: false, ema, ..settings(Optimizer::adam()) };
        run(&spec, &one, 1).0
    };
    let steps: Vec<_> = (1..=4).map(|epochs| after(epochs, None)).collect();
    let factors: Vec<f64> = (0..4).map(|i| decay.powi(3 - i)).collect();
    let total: f64 = factors.iter().sum();
    for (p, mean) in after(4, Some(decay)).iter().enumerate() {
        for (i, mean) in mean.iter().enumerate() {
            let expected = steps.iter().zip(&factors).map(|(w, f)| f * w[p][i]).sum::<f64>() / total;
            assert!((mean - expected).abs() < 1e-14, "{mean} {expected}");
        }
    }
    assert_eq!(after(4, Some(0.0)), steps[3]);
}

#[test]
fn lbfgs_ends_where_the_gradient_does() {
    let optimizer = Optimizer::Lbfgs { history: 10, tolerance: 1e-9 };
    let settings = TrainSettings { epochs: 3000, l2: 0.01, ..settings(optimizer) };
    let (x, y) = data();
    let data = Dataset::new(Inputs::numeric(&x, 3), &y);
    for hidden in [&[][..], &[6, 4]] {
        let spec = spec(hidden, Head::Poisson);
        let (parameters, report) = run(&spec, &settings, 1);
        assert_eq!(report.ended, Ended::Converged, "{hidden:?}");
        assert!(report.history.windows(2).all(|two| two[1].epoch == two[0].epoch + 1));
        let mut network = Network::<f64>::new(&spec, 0).unwrap();
        parameters.iter().enumerate().for_each(|(p, values)| network.set_parameter(p, values).unwrap());
        let gradient = network.gradient(&mut Compute::new(1), &data).unwrap().1;
        for ((p, g), view) in gradient.iter().enumerate().zip(network.views()) {
            let l2 = if view.role == chainrule::Role::Weight { 0.01 } else { 0.0 };
            let largest =
                g.iter().zip(&parameters[p]).map(|(g, w)| (g / ROWS as f64 + l2 * w).abs()).fold(0.0, f64::max);
            assert!(largest <= 1.001e-9, "{} {largest}", view.name);
        }
        println!("{hidden:?}: {} iterations", report.history.len());
    }
}

/// In single precision the cost's rounding errors end the search, not the training.
#[test]
fn lbfgs_in_single_precision_comes_as_far_as_that_goes() {
    let (x, y) = data();
    let (x, y): (Vec<f32>, Vec<f32>) = (x.iter().map(|&x| x as f32).collect(), y.iter().map(|&y| y as f32).collect());
    let spec = spec(&[6], Head::gaussian());
    let mut network = Network::<f32>::new(&spec, 1).unwrap();
    let settings =
        TrainSettings { epochs: 500, l2: 0.01, ..settings(Optimizer::Lbfgs { history: 10, tolerance: 1e-5 }) };
    let data = Dataset::new(Inputs::numeric(&x, 3), &y);
    let report = train(&mut network, &mut Compute::new(1), &data, None, &settings, &mut |_| Flow::Continue).unwrap();
    assert_eq!(report.ended, Ended::Converged, "{} iterations", report.history.len());
}

#[test]
fn constants_that_cannot_work_are_refused() {
    for (optimizer, part) in [
        (Optimizer::Rmsprop { decay: 1.0, epsilon: 1e-8 }, "decay must be in [0, 1), got 1"),
        (Optimizer::Rmsprop { decay: 0.9, epsilon: 0.0 }, "epsilon must be > 0"),
        (Optimizer::Adagrad { epsilon: f64::NAN }, "epsilon must be > 0"),
        (Optimizer::Rprop { shrink: 0.0, grow: 1.2, shortest: 1e-6, longest: 50.0 }, "shrink must be > 0"),
        (Optimizer::Rprop { shrink: 0.5, grow: 1.0, shortest: 1e-6, longest: 50.0 }, "grow must be > 1"),
        (Optimizer::Rprop { shrink: 0.5, grow: 1.2, shortest: 2.0, longest: 1.0 }, "shortest must be at most longest"),
        (Optimizer::Lbfgs { history: 0, tolerance: 1e-4 }, "history must be 1 to 1000"),
        (Optimizer::Lbfgs { history: 10, tolerance: -1.0 }, "tolerance must be > 0"),
    ] {
        let error = settings(optimizer).validate().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let sgd = settings(Optimizer::Sgd);
    assert!(TrainSettings { clip_norm: Some(0.0), ..sgd.clone() }.validate().is_err());
    assert!(TrainSettings { ema: Some(1.0), ..sgd.clone() }.validate().is_err());
    let lbfgs = settings(Optimizer::lbfgs());
    let mut network = spec(&[4], Head::gaussian());
    assert!(lbfgs.check_network(&network).is_ok());
    for wrong in [
        TrainSettings { l1: 0.1, ..lbfgs.clone() },
        TrainSettings { clip_norm: Some(1.0), ..lbfgs.clone() },
        TrainSettings { ema: Some(0.9), ..lbfgs.clone() },
    ] {
        assert!(wrong.check_network(&network).is_err());
    }
    network.hidden[0].dropout = 0.1;
    let error = lbfgs.check_network(&network).unwrap_err().to_string();
    assert_eq!(error, "L-BFGS works without dropout only: the cost must stay the same function");
    assert!(sgd.check_network(&network).is_ok());
}
