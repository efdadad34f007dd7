//! The gradients of every built-in combination against the complex step.
#![allow(clippy::unwrap_used)]

use chainrule::Compute;
use chainrule::check::{BOUND, builtins};

#[test]
fn every_gradient_agrees_with_the_complex_step() {
    let (mut combinations, mut worst) = (0, 0.0f64);
    let started = std::time::Instant::now();
    builtins(&mut Compute::new(1), &mut |combination, certificate| {
        assert!(certificate.holds(), "{combination}: {certificate:?}");
        worst = worst.max(certificate.worst.error);
        combinations += 1;
    })
    .unwrap();
    println!("{combinations} combinations, worst {worst:.1e}, {:?}", started.elapsed());
    assert!(worst < BOUND);
}
