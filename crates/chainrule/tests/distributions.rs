//! Every head's distribution: its cost against scipy's densities, its quantiles and draws against scipy's and each other.
#![allow(clippy::unwrap_used)]

use chainrule::{Compute, Dataset, Distribution, Head, Inputs, Isa, Key, Network, NetworkSpec, Scalar, Scale};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    levels: Vec<f64>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    head: Head,
    z: Vec<f64>,
    mean: Option<f64>,
    points: Vec<Point>,
    quantiles: Vec<f64>,
}

#[derive(Deserialize)]
struct Point {
    y: f64,
    log_density: f64,
    cdf: Option<f64>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/heads.json")).unwrap()
}

/// A network whose pre-activations are `z` whatever the input.
fn constant<T: Scalar>(head: &Head, z: &[f64]) -> Network<T> {
    let spec = NetworkSpec::new(1, vec![], z.len(), head.clone());
    let mut network = Network::<T>::new(&spec, 0).unwrap();
    network.set_parameter(1, &z.iter().map(|&z| T::from_f64(z)).collect::<Vec<_>>()).unwrap();
    network
}

/// The cost of one row and dJ/dz.
fn cost_and_delta<T: Scalar>(head: &Head, z: &[f64], y: &[f64]) -> (f64, Vec<f64>) {
    cost_and_delta_on::<T>(&mut Compute::new(1), head, z, y)
}

fn cost_and_delta_on<T: Scalar>(compute: &mut Compute, head: &Head, z: &[f64], y: &[f64]) -> (f64, Vec<f64>) {
    let y: Vec<T> = y.iter().map(|&y| T::from_f64(y)).collect();
    let x = [T::ZERO];
    let data = Dataset::new(Inputs::numeric(&x, 1), &y);
    let (cost, gradient) = constant::<T>(head, z).gradient(compute, &data).unwrap();
    (cost, gradient[1].iter().map(|g| g.to_f64()).collect())
}

fn close(what: &str, got: f64, truth: f64, bound: f64) {
    let error = (got - truth).abs() / truth.abs().max(1.0);
    assert!(error < bound, "{what}: {got}, not {truth}");
}

#[test]
fn costs_are_the_negative_logarithms_of_the_densities() {
    for case in golden().cases {
        for point in &case.points {
            let what = format!("{:?}, z = {:?}, y = {}", case.head, case.z, point.y);
            let distribution = &case.head.distributions(&case.z).unwrap()[0];
            close(&what, distribution.log_density(point.y), point.log_density, 1e-11);
            let y = if matches!(case.head, Head::WeibullAft { .. }) { vec![point.y, 1.0] } else { vec![point.y] };
            close(&what, cost_and_delta::<f64>(&case.head, &case.z, &y).0, -point.log_density, 1e-12);
            close(&what, cost_and_delta::<f32>(&case.head, &case.z, &y).0, -point.log_density, 2e-5);
        }
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    for case in golden().cases {
        for point in &case.points {
            let y = if matches!(case.head, Head::WeibullAft { .. }) { vec![point.y, 0.0] } else { vec![point.y] };
            let bits = |isa| {
                let mut compute = Compute::with_isa(1, isa);
                let (cost, delta) = cost_and_delta_on::<f32>(&mut compute, &case.head, &case.z, &y);
                let (wide_cost, wide_delta) = cost_and_delta_on::<f64>(&mut compute, &case.head, &case.z, &y);
                [vec![cost, wide_cost], delta, wide_delta].concat().iter().map(|x| x.to_bits()).collect::<Vec<_>>()
            };
            let expected = bits(Isa::detect());
            Isa::available().into_iter().for_each(|isa| assert_eq!(bits(isa), expected, "{:?}, {isa}", case.head));
        }
    }
}

#[test]
fn means_and_quantiles_are_scipys() {
    let golden = golden();
    for case in &golden.cases {
        let distribution = &case.head.distributions(&case.z).unwrap()[0];
        if let Some(mean) = case.mean.filter(|mean| mean.is_finite()) {
            close("mean", distribution.mean(), mean, 1e-12);
            let network = constant::<f64>(&case.head, &case.z);
            let o = network.predict(&mut Compute::new(1), &Inputs::numeric(&[0.0], 1)).unwrap();
            close("prediction", o[0], mean, 1e-12);
        }
        for point in &case.points {
            if let Some(cdf) = point.cdf {
                close(&format!("{distribution:?}, y = {}", point.y), distribution.cdf(point.y), cdf, 1e-11);
            }
        }
        for (level, truth) in golden.levels.iter().zip(&case.quantiles) {
            let got = distribution.quantile(*level).unwrap();
            close(&format!("{distribution:?}, quantile {level}"), got, *truth, 1e-9);
        }
    }
}

/// Every head with each kind of second parameter it can have.
fn variants() -> Vec<Head> {
    let scales = [Scale::Unit, Scale::Fixed(0.7), Scale::Shared, Scale::Learned];
    let of = |head: Head| {
        let count = if head.scale().is_none() { 1 } else { 4 };
        scales[..count].iter().map(move |&scale| head.clone().with_scale(scale)).collect::<Vec<_>>()
    };
    let usable = |head: &Head| !matches!(head, Head::Tweedie { dispersion: Scale::Shared | Scale::Learned, .. });
    Head::all().into_iter().flat_map(of).filter(usable).collect()
}

#[test]
fn costs_and_deltas_are_finite_at_ten_thousand_on_either_side() {
    let classes = |head: &Head| head.is_for_classes() && *head != Head::Bernoulli;
    for head in variants() {
        let outputs = head.outputs(if classes(&head) { 3 } else { 1 });
        // Every corner of a cube whose middle is 0.
        for corner in 0..3usize.pow(outputs as u32) {
            let z: Vec<f64> = (0..outputs).map(|k| [0.0, 1e4, -1e4][corner / 3usize.pow(k as u32) % 3]).collect();
            let targets: &[&[f64]] = match head {
                Head::Bernoulli => &[&[0.0], &[1.0]],
                Head::Beta { .. } => &[&[1e-6], &[0.5], &[0.999]],
                Head::WeibullAft { .. } => &[&[1e-3, 1.0], &[50.0, 0.0]],
                Head::Gamma { .. } => &[&[1e-3], &[50.0]],
                _ if classes(&head) => &[&[0.0], &[1.0], &[2.0]],
                _ => &[&[0.0], &[1.0], &[50.0]],
            };
            for y in targets {
                let (cost, delta) = cost_and_delta::<f32>(&head, &z, y);
                assert!(cost.is_finite(), "{head:?}, z = {z:?}, y = {y:?}: cost {cost}");
                assert!(delta.iter().all(|d| d.is_finite()), "{head:?}, z = {z:?}, y = {y:?}: {delta:?}");
                let network = constant::<f32>(&head, &z);
                let o = network.predict(&mut Compute::new(1), &Inputs::numeric(&[0.0], 1)).unwrap();
                assert!(o.iter().all(|o| o.is_finite()), "{head:?}, z = {z:?}: {o:?}");
            }
        }
    }
}

/// Beyond e^40 the cost is a straight line, and delta its slope.
#[test]
fn where_an_exponential_goes_on_along_its_tangent_so_does_the_cost() {
    for (head, z) in [
        (Head::Poisson, 45.0),
        (Head::NegativeBinomial { dispersion: Scale::Fixed(0.5) }, 45.0),
        (Head::Gamma { shape: Scale::Fixed(2.0) }, -45.0),
        (Head::Tweedie { power: 1.5, dispersion: Scale::Unit }, 90.0),
        (Head::Tweedie { power: 1.5, dispersion: Scale::Unit }, -90.0),
        (Head::WeibullAft { shape: Scale::Fixed(2.0) }, -45.0),
    ] {
        let y: &[f64] = if matches!(head, Head::WeibullAft { .. }) { &[1.5, 1.0] } else { &[3.0] };
        let at = |z: f64| cost_and_delta::<f64>(&head, &[z], y);
        let ((near, slope), (far, same)) = (at(z), at(z + 2.0));
        close(&format!("{head:?}: delta"), same[0] / slope[0], 1.0, 1e-12);
        close(&format!("{head:?}: cost"), (far - near) / (2.0 * slope[0]), 1.0, 1e-12);
    }
}

#[test]
fn beyond_a_second_parameters_limits_the_gradient_points_back() {
    for head in variants().into_iter().filter(|head| head.scale() == Some(Scale::Learned)) {
        let y: &[f64] = if matches!(head, Head::WeibullAft { .. }) { &[0.4, 1.0] } else { &[0.4] };
        let at = |s: f64| cost_and_delta::<f64>(&head, &[0.1, s], y);
        assert_eq!((at(25.0).1[1], at(-25.0).1[1]), (1.0, -1.0), "{head:?}");
        let (inside, outside) = (at(20.0).0, at(20.5).0);
        assert!((outside - inside - 0.5).abs() < 1e-6 * inside.abs().max(1.0), "{head:?}: {inside} {outside}");
    }
}

/// Draws fall below each quantile as often as the quantile says; the draws are made in another way than by inversion.
#[test]
fn draws_have_the_distribution() {
    const N: u64 = 20_000;
    let golden = golden();
    for (i, case) in golden.cases.iter().enumerate() {
        let distribution = &case.head.distributions(&case.z).unwrap()[0];
        let draws: Option<Vec<f64>> = (0..N).map(|n| distribution.sample(Key::new(i as u64), n)).collect();
        let Some(draws) = draws else {
            assert!(matches!(distribution, Distribution::Quantiles { .. }));
            continue;
        };
        for point in &case.points {
            let below = draws.iter().filter(|&&y| y <= point.y).count() as f64 / N as f64;
            let class = draws.iter().filter(|&&y| y == point.y).count() as f64 / N as f64;
            let (part, truth) = point.cdf.map_or((class, point.log_density.exp()), |cdf| (below, cdf));
            let deviation = (truth * (1.0 - truth) / N as f64).sqrt().max(1e-4);
            assert!((part - truth).abs() < 4.5 * deviation, "{distribution:?}, y = {}: {part}, not {truth}", point.y);
        }
    }
}

#[test]
fn a_deviance_is_zero_at_its_best_and_worked_by_hand_elsewhere() {
    use Distribution as D;
    let best = [
        (D::Gaussian { mean: 2.0, scale: 3.0 }, 2.0),
        (D::Laplace { mean: 2.0, scale: 3.0 }, 2.0),
        (D::Huber { mean: 2.0, scale: 3.0, threshold: 1.3 }, 2.0),
        (D::StudentT { mean: 2.0, scale: 3.0, degrees: 4.0 }, 2.0),
        (D::Bernoulli { probability: 1.0 }, 1.0),
        (D::Poisson { mean: 3.0 }, 3.0),
        (D::NegativeBinomial { mean: 3.0, dispersion: 0.4 }, 3.0),
        (D::Gamma { mean: 3.0, shape: 2.0 }, 3.0),
        (D::Tweedie { mean: 3.0, power: 1.4, dispersion: 2.0 }, 3.0),
        (D::Weibull { scale: 3.0, shape: 2.0 }, 3.0),
    ];
    for (distribution, y) in best {
        assert!(distribution.deviance(y).abs() < 1e-12, "{distribution:?}: {}", distribution.deviance(y));
        if !matches!(distribution, D::Bernoulli { .. }) {
            assert!(distribution.deviance(y + 0.5) > 1e-4, "{distribution:?}");
        }
    }
    assert_eq!(D::Gaussian { mean: 2.0, scale: 3.0 }.deviance(5.0), 9.0);
    close("poisson", D::Poisson { mean: 3.0 }.deviance(0.0), 6.0, 1e-15);
    // Twice the likelihood that the best mean gains: a beta's log-density is largest where psi(a) - psi(b) = logit y.
    let beta = D::Beta { mean: 0.3, precision: 8.0 };
    let best = (1..9999).map(|i| D::Beta { mean: f64::from(i) / 1e4, precision: 8.0 }.log_density(0.6));
    let gained = best.fold(f64::NEG_INFINITY, f64::max) - beta.log_density(0.6);
    close("beta", beta.deviance(0.6), 2.0 * gained, 1e-6);
    // In units of the dispersion the deviance of a gamma is twice the loss of log-likelihood.
    let (at, sat) = (D::Gamma { mean: 3.0, shape: 2.0 }, D::Gamma { mean: 0.7, shape: 2.0 });
    close("gamma", at.deviance(0.7) * 2.0, 2.0 * (sat.log_density(0.7) - at.log_density(0.7)), 1e-12);
}

#[test]
fn impossible_targets_are_refused_with_their_row() {
    let cases: &[(&str, &[f64], &str)] = &[
        ("\"gamma\"", &[1.0, 0.0], "row 2: target 0 is outside the gamma head's range: finite numbers > 0"),
        ("\"beta\"", &[0.5, 1.0], "row 2: target 1 is outside the beta head's range: numbers between 0 and 1"),
        ("\"poisson\"", &[0.0, -1.0], "row 2: target -1"),
        ("\"negative_binomial\"", &[0.0, -1.0], "row 2"),
        ("\"tweedie\"", &[0.0, -0.5], "row 2"),
        ("\"ordinal\"", &[2.0, 3.0], "row 2: target 3 is outside the ordinal head's range: class numbers 0 to 2"),
        ("\"categorical\"", &[1.0, 0.5], "class numbers 0 to 1"),
        (
            "\"weibull_aft\"",
            &[1.0, 1.0, 2.0, 0.5],
            "row 2: target 0.5 is outside the weibull_aft head's range: 0 (censored) or 1",
        ),
        ("\"weibull_aft\"", &[1.0, 1.0, -2.0, 1.0], "row 2: target -2"),
        ("{\"categorical\": {\"soft\": true}}", &[0.5, 0.5, 0.7, 0.7], "row 2: target 1.4"),
        ("\"student_t\"", &[0.0, f64::NAN], "row 2: target NaN"),
    ];
    for (head, y, message) in cases {
        let head: Head = serde_json::from_str(head).unwrap();
        let outputs = if matches!(head, Head::Ordinal { .. } | Head::Categorical { .. }) { 2 } else { head.outputs(1) };
        let mut network = constant::<f64>(&head, &vec![0.0; outputs]);
        let data = Dataset::new(Inputs::numeric(&[0.0, 0.0], 1), y);
        let error = network.gradient(&mut Compute::new(1), &data).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn heads_are_data_and_impossible_ones_are_refused() {
    for head in variants() {
        let text = serde_json::to_string(&head).unwrap();
        assert_eq!(serde_json::from_str::<Head>(&text).unwrap(), head, "{text}");
    }
    assert_eq!(serde_json::to_string(&Head::gaussian()).unwrap(), "\"gaussian\"");
    let student: Head = serde_json::from_str("{\"student_t\": {\"degrees\": 6}}").unwrap();
    assert_eq!(student, Head::StudentT { degrees: 6.0, scale: Scale::Shared });
    for (text, message) in [
        ("\"normal\"", "unknown head `normal`; the heads are gaussian, laplace"),
        ("{\"normal\": {}}", "unknown variant `normal`"),
        ("{\"gaussian\": {\"sigma\": 1}}", "unknown field `sigma`, expected `scale`"),
        ("{\"gaussian\": {\"scale\": \"wide\"}}", "a number or one of `unit`, `shared`, `learned`"),
    ] {
        let error = serde_json::from_str::<Head>(text).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    for (head, outputs, message) in [
        ("{\"gaussian\": {\"scale\": -1}}", 1, "must be > 0, got -1"),
        ("{\"gaussian\": {\"scale\": \"learned\"}}", 3, "needs 2 outputs for each target, got 3"),
        ("{\"quantile\": {\"levels\": [0.5, 0.1]}}", 2, "levels must ascend between 0 and 1"),
        ("{\"quantile\": {\"levels\": []}}", 2, "levels must ascend"),
        ("{\"tweedie\": {\"power\": 2.0}}", 1, "power must be between 1 and 2, got 2"),
        ("{\"tweedie\": {\"dispersion\": \"shared\"}}", 2, "dispersion must be a number"),
        ("{\"huber\": {\"threshold\": 0}}", 2, "threshold must be > 0"),
        ("{\"student_t\": {\"degrees\": 0}}", 2, "degrees must be > 0"),
        ("{\"categorical\": {\"class_weights\": [1, 2]}}", 3, "2 class weights for 3 classes"),
        ("{\"categorical\": {\"smoothing\": 1}}", 3, "smoothing must be in [0, 1)"),
        ("\"categorical\"", 1, "at least 2 outputs"),
    ] {
        let head: Head = serde_json::from_str(head).unwrap();
        let spec = NetworkSpec::new(1, vec![], outputs, head);
        let error = spec.validate().unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}
