//! Intervals of trained networks on rows they have not seen: simulated data from every head, a network without hidden
//! layers trained on one half, 90 % intervals on the other.
#![allow(clippy::unwrap_used)]

use chainrule::{
    Compute, Dataset, Flow, Head, Inputs, Key, Network, NetworkSpec, Scale, Schedule, TrainSettings, train,
};

const FEATURES: usize = 3;
const TRAIN: usize = 20_000;
const TEST: usize = 50_000;

/// A network that draws: location in the middle of `location`, scale outputs as `second` says.
fn truth(head: &Head, location: f64, second: f64) -> Network<f64> {
    let spec = NetworkSpec::new(FEATURES, vec![], head.outputs(1), head.clone());
    let mut network = Network::<f64>::new(&spec, 0).unwrap();
    let learned = head.scale() == Some(Scale::Learned);
    let weights: Vec<f64> = match spec.outputs {
        1 => vec![0.3, -0.2, 0.1],
        // The second output bends the other way, if it may.
        _ => [[0.3, 0.1], [-0.2, 0.2], [0.1, -0.2]].map(|[w, v]| [w, if learned { v } else { 0.0 }]).concat(),
    };
    network.set_parameter(0, &weights).unwrap();
    network.set_parameter(1, &[location, second][..spec.outputs]).unwrap();
    network
}

fn features(part: u64, rows: usize) -> Vec<f64> {
    let key = Key::new(17).part(part);
    (0..rows * FEATURES).map(|i| 2.0 * key.uniform(i as u64) - 1.0).collect()
}

/// One draw for each row, under the true network.
fn draw(truth: &Network<f64>, x: &[f64], part: u64) -> Vec<f64> {
    let distributions = truth.distributions(&mut Compute::new(1), &Inputs::numeric(x, FEATURES)).unwrap();
    let key = Key::new(23).part(part);
    distributions.iter().enumerate().map(|(i, d)| d.sample(key, i as u64).unwrap()).collect()
}

fn fit(head: &Head, x: &[f64], y: &[f64], start: &[f32]) -> Network<f32> {
    let spec = NetworkSpec::new(FEATURES, vec![], head.outputs(1), head.clone());
    let mut network = Network::<f32>::new(&spec, 1).unwrap();
    network.set_parameter(1, start).unwrap();
    let single = |values: &[f64]| values.iter().map(|&x| x as f32).collect::<Vec<_>>();
    let (x, mut y) = (single(x), single(y));
    if matches!(head, Head::WeibullAft { .. }) {
        y = y.into_iter().flat_map(|t| [t, 1.0]).collect();
    }
    let settings = TrainSettings {
        epochs: 12,
        batch: 200,
        learning_rate: 0.02,
        schedule: Schedule::Cosine,
        ..TrainSettings::default()
    };
    let data = Dataset::new(Inputs::numeric(&x, FEATURES), &y);
    train(&mut network, &mut Compute::new(1), &data, None, &settings, &mut |_| Flow::Continue).unwrap();
    network
}

#[test]
fn ninety_percent_intervals_hold_ninety_percent_of_unseen_rows() {
    let learned = [Scale::Shared, Scale::Learned];
    let mut cases: Vec<(Head, f64, f64)> = vec![];
    for scale in learned {
        cases.extend([
            (Head::Gaussian { scale }, 1.0, -0.5),
            (Head::Laplace { scale }, 1.0, -0.5),
            (Head::Huber { threshold: 1.345, scale }, 1.0, -0.5),
            (Head::StudentT { degrees: 4.0, scale }, 1.0, -0.5),
            (Head::NegativeBinomial { dispersion: scale }, 4.0, -1.0),
            (Head::Gamma { shape: scale }, 1.0, 1.0),
            (Head::Beta { precision: scale }, -0.5, 2.0),
            (Head::WeibullAft { shape: scale }, 1.0, 0.5),
        ]);
    }
    cases.push((Head::Poisson, 4.5, 0.0));
    cases.push((Head::Tweedie { power: 1.4, dispersion: Scale::Fixed(0.6) }, 2.0, 0.0));
    for (head, location, second) in cases {
        let truth = truth(&head, location, second);
        let (x, x_test) = (features(1, TRAIN), features(2, TEST));
        let (y, y_test) = (draw(&truth, &x, 1), draw(&truth, &x_test, 2));
        let start = [location as f32 + 0.3, 0.0];
        let network = fit(&head, &x, &y, &start[..head.outputs(1)]);
        let coverage = coverage(&network, &x_test, &y_test);
        println!("{head:?}: {:.2} %", 100.0 * coverage);
        assert!((0.88..=0.92).contains(&coverage), "{head:?}: {coverage}");
    }
}

/// The part of rows between the 5 % and the 95 % quantile: a row is below a quantile where its distribution function says
/// so, which takes no search.
fn coverage(network: &Network<f32>, x: &[f64], y: &[f64]) -> f64 {
    let x: Vec<f32> = x.iter().map(|&x| x as f32).collect();
    let distributions = network.distributions(&mut Compute::new(1), &Inputs::numeric(&x, FEATURES)).unwrap();
    let counts = matches!(network.spec().head, Head::Poisson | Head::NegativeBinomial { .. });
    let inside = distributions.iter().zip(y).enumerate().filter(|(i, (d, y))| {
        let below = if counts { d.cdf(**y - 1.0) } else { d.cdf(**y) };
        let inside = d.cdf(**y) >= 0.05 && below < 0.95;
        if i % 5000 == 0 {
            let (low, high) = d.interval(0.9).unwrap();
            assert_eq!(inside, (low..=high).contains(y), "{d:?}: {y} and {low} to {high}");
        }
        inside
    });
    inside.count() as f64 / y.len() as f64
}

#[test]
fn quantiles_are_where_they_should_be() {
    let draws = Head::Gaussian { scale: Scale::Learned };
    let truth = truth(&draws, 1.0, -0.5);
    let (x, x_test) = (features(1, TRAIN), features(2, TEST));
    let (y, y_test) = (draw(&truth, &x, 1), draw(&truth, &x_test, 2));
    let head = Head::Quantile { levels: vec![0.05, 0.5, 0.95] };
    let network = fit(&head, &x, &y, &[0.0; 3]);
    let x_test: Vec<f32> = x_test.iter().map(|&x| x as f32).collect();
    let distributions = network.distributions(&mut Compute::new(1), &Inputs::numeric(&x_test, FEATURES)).unwrap();
    let inside = distributions.iter().zip(&y_test).filter(|(d, y)| {
        let (low, high) = d.interval(0.9).unwrap();
        assert!(low <= high && d.interval(0.8).is_none());
        (low..=high).contains(*y)
    });
    let coverage = inside.count() as f64 / TEST as f64;
    println!("quantile: {:.2} %", 100.0 * coverage);
    assert!((0.88..=0.92).contains(&coverage), "{coverage}");
}

/// A scale that training leaves at 1 is estimated afterwards: the truth up to its standard error, with intervals that hold what
/// they should.
#[test]
fn a_unit_scale_is_estimated_after_training() {
    let cases = [
        (Head::Gaussian { scale: Scale::Fixed(0.6) }, 0.6, 0.03),
        (Head::Laplace { scale: Scale::Fixed(0.6) }, 0.6, 0.05),
        (Head::Gamma { shape: Scale::Fixed(3.0) }, 3.0, 0.05),
        (Head::Tweedie { power: 1.4, dispersion: Scale::Fixed(0.6) }, 0.6, 0.05),
    ];
    for (draws, expected, tolerance) in cases {
        let truth = truth(&draws, 1.0, 0.0);
        let x = features(1, TRAIN);
        let y = draw(&truth, &x, 1);
        let mut network = fit(&draws.clone().with_scale(Scale::Unit), &x, &y, &[1.0]);
        let (x, y): (Vec<f32>, Vec<f32>) =
            (x.iter().map(|&x| x as f32).collect(), y.iter().map(|&y| y as f32).collect());
        let data = Dataset::new(Inputs::numeric(&x, FEATURES), &y);
        let scale = network.estimate_scale(&mut Compute::new(1), &data).unwrap().unwrap();
        println!("{draws:?}: {scale:.4}");
        assert!((scale / expected - 1.0).abs() < tolerance, "{draws:?}: {scale}");
        assert_eq!(network.spec().head.scale(), Some(Scale::Fixed(scale)));
        assert_eq!(network.estimate_scale(&mut Compute::new(1), &data).unwrap(), None, "only once");
        let x_test = features(2, TEST);
        let coverage = coverage(&network, &x_test, &draw(&truth, &x_test, 2));
        println!("{:?}: {:.2} %", network.spec().head, 100.0 * coverage);
        assert!((0.88..=0.92).contains(&coverage), "{draws:?}: {coverage}");
    }
}
