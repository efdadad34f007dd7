//! The gradients of every built-in combination against the complex step.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use chainrule::check::{builtins, certify};
use chainrule::{
    Activation, Compute, Dataset, Embedding, Flow, Head, Hidden, Inputs, Matrix, Network, NetworkSpec,
    NumericEmbedding, TrainSettings, train,
};

#[test]
fn every_gradient_agrees_with_the_complex_step() {
    let started = std::time::Instant::now();
    let mut worst: BTreeMap<&str, (usize, f64, String)> = BTreeMap::new();
    let mut wrong = vec![];
    builtins(&mut Compute::new(1), &mut |combination, certificate| {
        let entry = worst.entry(combination.head.name()).or_default();
        entry.0 += 1;
        if certificate.worst.error >= entry.1 {
            (entry.1, entry.2) = (certificate.worst.error, combination.to_string());
        }
        if !certificate.holds() {
            wrong.push(format!("{combination} {:?}: {:?}", combination.head, certificate.worst));
        }
    })
    .unwrap();
    for (head, (count, error, place)) in &worst {
        println!("{head:<18} {count:>5} combinations, worst {error:.1e} ({place})");
    }
    let combinations: usize = worst.values().map(|(count, ..)| count).sum();
    println!("{combinations} combinations in {:?}", started.elapsed());
    assert!(wrong.is_empty(), "{} are wrong, such as {}", wrong.len(), wrong[0]);
    assert!(combinations > 50_000 && worst.len() == 15, "{combinations} {}", worst.len());
}

/// A network in single precision with everything in it, on some of its rows and parameters.
#[test]
fn a_certificate_covers_a_sample_or_everything() {
    let hidden = |width| Hidden { dropout: 0.2, ..Hidden::new(width, Activation::Gelu) };
    let plain = NetworkSpec::new(2, vec![hidden(40), hidden(20)], 3, Head::named("ordinal").unwrap());
    let spec = NetworkSpec { embeddings: vec![Embedding { levels: 3, dimension: 2 }], ..plain };
    let network = Network::<f32>::new(&spec, 1).unwrap();
    let (numeric, codes) = ([0.5f32, -1.0, 0.25, 2.0, -0.5, 1.0], [0, 2, 1]);
    let inputs = Inputs {
        rows: 3,
        width: 2,
        numeric: Matrix::Dense(&numeric),
        categories: 1,
        codes: &codes,
        offset: Some(&[0.1, 0.0, -0.2]),
    };
    let data = Dataset { inputs, targets: &[0.0, 3.0, 1.0], weights: Some(&[1.0, 2.0, 0.5]), select: Some(&[2, 0]) };
    let mut compute = Compute::new(1);
    let all = certify(&network, &mut compute, &data, None).unwrap();
    assert!(all.holds(), "{all:?}");
    assert_eq!((all.rows, all.compared, all.kink_distance), (2, all.parameters + 4, None));
    assert_eq!(all.method, "complex step; erf by value and derivative");
    let some = certify(&network, &mut compute, &data, Some(50)).unwrap();
    assert!(some.holds() && some.compared == 50 && some.parameters == all.parameters, "{some:?}");
}

/// Edges of bins are values of training rows: on one the derivative by the number is that of the bin above.
#[test]
fn a_number_on_an_edge_is_of_the_bin_above() {
    let edges = vec![vec![-1.0, -0.25, 0.5, 2.0]];
    let numeric_embedding = Some(NumericEmbedding::PiecewiseLinear { features: vec![0], edges, dimension: 2 });
    let plain = NetworkSpec::new(1, vec![Hidden::new(3, Activation::Tanh)], 1, Head::gaussian());
    let mut network = Network::<f32>::new(&NetworkSpec { numeric_embedding, ..plain }, 1).unwrap();
    // They start with zeros, without a kink.
    let bins = network.views().iter().position(|view| view.name == "numeric_embedding.bins").unwrap();
    network.set_parameter(bins, &[0.5, -1.0, 2.0, 0.25, -0.75, 1.5]).unwrap();
    for numeric in [-1.0, -0.25, 0.5, 2.0] {
        let inputs =
            Inputs { rows: 1, width: 1, numeric: Matrix::Dense(&[numeric]), categories: 0, codes: &[], offset: None };
        let data = Dataset::new(inputs, &[0.5]);
        let all = certify(&network, &mut Compute::new(1), &data, None).unwrap();
        assert!(all.holds(), "{numeric}: {all:?}");
        assert_eq!(all.kink_distance == Some(0.0), [-0.25, 0.5].contains(&numeric), "{numeric}: {all:?}");
    }
}

/// Thresholds that all rows share move by their biases alone.
#[test]
fn shared_outputs_keep_zero_weights_in_training() {
    let spec = NetworkSpec::new(2, vec![], 3, Head::named("ordinal").unwrap());
    let mut network = Network::<f32>::new(&spec, 1).unwrap();
    let x: Vec<f32> = (0..80).map(|i| (i * 37 % 80) as f32 / 40.0 - 1.0).collect();
    let y: Vec<f32> = (0..40).map(|i| (i * 7 % 4) as f32).collect();
    let data = Dataset::new(Inputs::numeric(&x, 2), &y);
    let settings = TrainSettings { epochs: 5, batch: 7, l1: 0.01, l2: 0.01, ..TrainSettings::default() };
    let before = (network.parameter(0), network.parameter(1));
    train(&mut network, &mut Compute::new(1), &data, None, &settings, &mut |_| Flow::Continue).unwrap();
    let (w, b) = (network.parameter(0), network.parameter(1));
    assert!(w.chunks(3).all(|w| w[0] != 0.0 && w[1] == 0.0 && w[2] == 0.0), "{w:?}");
    assert!(w[0] != before.0[0] && b.iter().zip(&before.1).all(|(b, before)| b != before), "{b:?}");
}
