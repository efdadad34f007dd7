//! A user's own activation and head: refused where the derivative is wrong, and like the built-in one where it is right.
#![allow(clippy::unwrap_used)]

use chainrule::check::{Complex, Verified, certify};
use chainrule::{
    Activation, Compute, CustomActivation, CustomHead, Dataset, Error, Flow, Head, Hidden, Inputs, Key, Network,
    NetworkSpec, Optimizer, PointwiseCost, TrainSettings, train,
};

/// tanh, or something near it, with or without a complex version.
struct MyTanh {
    slope_at: fn(f64) -> f64,
    complex: Option<fn(Complex) -> Complex>,
}

impl CustomActivation for MyTanh {
    fn name(&self) -> &str {
        "my_tanh"
    }
    fn phi(&self, z: &[f64], h: &mut [f64]) {
        h.iter_mut().zip(z).for_each(|(h, z)| *h = z.tanh());
    }
    fn phi_prime(&self, z: &[f64], slope: &mut [f64]) {
        slope.iter_mut().zip(z).for_each(|(s, &z)| *s = (self.slope_at)(z));
    }
    fn phi_complex(&self, z: Complex) -> Option<Complex> {
        self.complex.map(|f| f(z))
    }
}

fn right(z: f64) -> f64 {
    1.0 - z.tanh().powi(2)
}

#[test]
fn a_wrong_derivative_is_refused_with_the_worst_point() {
    let bent = |z: f64| if z > 1.0 { right(z) * 1.001 } else { right(z) };
    for complex in [None, Some(Complex::tanh as fn(Complex) -> Complex)] {
        let error = Verified::activation(MyTanh { slope_at: bent, complex }).unwrap_err();
        let Error::Unproven { name, point, analytic, numeric, .. } = &error else { panic!("{error}") };
        assert_eq!(name, "my_tanh");
        let z: f64 = point.strip_prefix("z = ").unwrap().parse().unwrap();
        // Worst just above 1, where the slope is largest.
        assert!((1.0..1.1).contains(&z), "{point}");
        assert!((analytic - bent(z)).abs() < 1e-12 && (numeric - right(z)).abs() < 1e-9, "{error}");
        assert!(error.to_string().contains("my_tanh is refused: at z = 1."), "{error}");
    }
    let other = Verified::activation(MyTanh { slope_at: right, complex: Some(Complex::exp) }).unwrap_err();
    assert!(other.to_string().contains("the complex version has another value"), "{other}");
    let nan = Verified::activation(MyTanh { slope_at: |_| f64::NAN, complex: None });
    assert!(nan.is_err());
}

/// Squared error with a factor, as a head.
struct MySquares {
    slope: f64,
}

impl CustomHead for MySquares {
    fn name(&self) -> &str {
        "my_squares"
    }
    fn cost_and_delta(&self, z: &[f64], y: &[f64], delta: &mut [f64]) -> f64 {
        delta.iter_mut().zip(z.iter().zip(y)).for_each(|(d, (z, y))| *d = self.slope * (z - y));
        z.iter().zip(y).map(|(z, y)| (z - y).powi(2) / 2.0).sum()
    }
    fn mean(&self, z: &[f64], o: &mut [f64]) {
        o.copy_from_slice(z);
    }
    fn takes(&self, y: f64) -> bool {
        y > -10.0
    }
    fn example(&self, outputs: usize, uniform: &mut dyn FnMut() -> f64) -> Vec<f64> {
        (0..outputs).map(|_| uniform()).collect()
    }
}

#[test]
fn a_wrong_delta_is_refused_and_a_right_one_is_a_head() {
    let error = Verified::head(MySquares { slope: 1.0 + 1e-6 }).unwrap_err();
    assert!(error.to_string().starts_with("my_squares is refused: at z = ["), "{error}");
    let head = Verified::head(MySquares { slope: 1.0 }).unwrap();
    assert_eq!(head.name(), "my_squares");
    assert_ne!(head, Verified::head(MySquares { slope: 1.0 }).unwrap(), "two of a kind are two");
    assert!(serde_json::to_string(&head).is_err(), "a function is no data");
}

fn spec(activation: Activation, head: Head, dropout: f64) -> NetworkSpec {
    let hidden = |width| Hidden { dropout, ..Hidden::new(width, activation) };
    NetworkSpec::new(3, vec![hidden(40), hidden(5)], 2, head)
}

/// The parameters after a short training.
fn trained(spec: &NetworkSpec) -> Vec<Vec<f64>> {
    let key = Key::new(1);
    let draws = |part: u64, n: usize| (0..n).map(|i| key.part(part).uniform(i as u64) - 0.5).collect::<Vec<_>>();
    let (x, y) = (draws(0, 3 * 50), draws(1, 2 * 50));
    let data = Dataset::new(Inputs::numeric(&x, 3), &y);
    let mut network = Network::<f64>::new(spec, 4).unwrap();
    // The same start whatever the activation's usual initial weights are.
    let plain = Network::<f64>::new(&NetworkSpec { head: Head::gaussian(), ..spec.clone() }, 4).unwrap();
    (0..plain.views().len()).for_each(|p| network.set_parameter(p, &plain.parameter(p)).unwrap());
    let settings = TrainSettings { epochs: 3, batch: 16, optimizer: Optimizer::Sgd, ..TrainSettings::default() };
    let settings = TrainSettings { learning_rate: 0.1, ..settings };
    train(&mut network, &mut Compute::new(1), &data, None, &settings, &mut |_| Flow::Continue).unwrap();
    (0..network.views().len()).map(|p| network.parameter(p)).collect()
}

#[test]
fn a_users_own_trains_like_the_built_in() {
    let mine = Verified::activation(MyTanh { slope_at: right, complex: None }).unwrap();
    let head = Verified::head(MySquares { slope: 1.0 }).unwrap();
    for dropout in [0.0, 0.3] {
        let expected = trained(&spec(Activation::Tanh, Head::gaussian(), dropout));
        for (activation, head) in [(mine, Head::gaussian()), (Activation::Tanh, head.clone()), (mine, head.clone())] {
            let got = trained(&spec(activation, head, dropout));
            let pairs = got.iter().flatten().zip(expected.iter().flatten());
            let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(worst < 1e-13, "{worst:e}");
        }
    }
}

#[test]
fn a_network_with_a_users_own_is_certified() {
    let mine = Verified::activation(MyTanh { slope_at: right, complex: None }).unwrap();
    let head = Verified::head(MySquares { slope: 1.0 }).unwrap();
    let network = Network::<f32>::new(&spec(mine, head.clone(), 0.2), 4).unwrap();
    let (x, y) = ([0.1f32, -0.4, 0.7], [0.3f32, 0.2]);
    let mut compute = Compute::new(1);
    let certificate = certify(&network, &mut compute, &Dataset::new(Inputs::numeric(&x, 3), &y), None).unwrap();
    assert!(certificate.holds() && certificate.bound == 1e-8, "{certificate:?}");
    assert!(certificate.method.contains("differences of user's functions"), "{}", certificate.method);
    assert_eq!(certificate.compared, certificate.parameters + 3);

    let refused = network.predict(&mut compute, &Inputs::numeric(&x, 3)).and_then(|_| {
        let mut network = Network::<f32>::new(&spec(mine, head, 0.0), 4)?;
        network.gradient(&mut compute, &Dataset::new(Inputs::numeric(&x, 3), &[0.0, -11.0]))
    });
    assert!(refused.unwrap_err().to_string().contains("row 1: target -11"));
    let pair = Head::Pointwise { cost: PointwiseCost::SquaredError, output: mine };
    assert!(spec(mine, pair, 0.0).validate().unwrap_err().to_string().contains("custom head"));
}
