//! The gradients of every built-in combination against the complex step.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use chainrule::Compute;
use chainrule::check::builtins;

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
    assert!(combinations > 20_000 && worst.len() == 15, "{combinations} {}", worst.len());
}
