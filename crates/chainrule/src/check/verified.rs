//! The door for a user's own activations and heads.

use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};

use super::complex::Complex;
use super::differences::Difference;
use super::reference::STEP;
use super::{BOUND, DIFFERENCES_BOUND};
use crate::activation::Activation;
use crate::cost::Head;
use crate::custom::{CustomActivation, CustomHead};
use crate::error::{Error, Result};
use crate::rng::Key;

/// Points at which differences do not settle, near a kink say, are set aside; more than this part of them is too many.
const ASIDE: f64 = 0.05;

/// A user's activation or head whose derivatives have been checked.
///
/// It lives until the program ends, as the built-in ones do, so that networks can share it freely. A network with one can
/// be trained and can predict; it cannot be written to a file, which could not bring the function back.
pub struct Verified<F: ?Sized + 'static> {
    f: &'static F,
    /// Tells functions apart that have no size and so perhaps one address.
    id: u64,
}

fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Verified<dyn CustomActivation> {
    /// Checks phi' at points from -30 to 30.
    ///
    /// # Errors
    /// [`Error::Unproven`] with the worst point, the derivative given and the numeric one.
    pub fn activation(f: impl CustomActivation) -> Result<Activation> {
        let mut worst = Worst::new(f.name());
        let key = Key::new(1);
        for i in 0..600 {
            let spread = if i % 3 == 0 { 30.0 } else { 4.0 };
            let z = spread * (2.0 * key.uniform(i) - 1.0);
            let value = |z: f64| {
                let mut h = [0.0];
                f.phi(&[z], &mut h);
                h[0]
            };
            let mut slope = [0.0];
            f.phi_prime(&[z], &mut slope);
            let numeric = match f.phi_complex(Complex { re: z, im: STEP }) {
                Some(h) => Numeric::step(h, value(z)),
                None => Numeric::difference(value, z),
            };
            worst.see(slope[0], numeric, || format!("z = {z}"));
        }
        worst.judge()?;
        Ok(Activation::Custom(Self { f: Box::leak(Box::new(f)), id: next_id() }))
    }
}

impl Verified<dyn CustomHead> {
    /// Checks delta for rows of 1, 2 and 3 outputs with example targets, those of these widths that the head takes.
    ///
    /// # Errors
    /// [`Error::Unproven`] with the worst point, the derivative given and the numeric one; [`Error::Shape`] if an example
    /// row has not the targets that the head says.
    pub fn head(f: impl CustomHead) -> Result<Head> {
        let mut worst = Worst::new(f.name());
        for outputs in [1, 2, 3] {
            let key = Key::new(2).part(outputs as u64);
            let mut drawn = 0;
            let mut uniform = || {
                drawn += 1;
                key.uniform(drawn)
            };
            for _ in 0..60 {
                let z: Vec<f64> = (0..outputs).map(|_| 6.0 * uniform() - 3.0).collect();
                let y = f.example(outputs, &mut uniform);
                crate::error::expect_len("targets of an example row", f.target_width(outputs), y.len())?;
                check_row(&f, &z, &y, &mut worst);
            }
        }
        worst.judge()?;
        Ok(Head::Custom(Self { f: Box::leak(Box::new(f)), id: next_id() }))
    }
}

/// Every element of one row's delta.
fn check_row(f: &impl CustomHead, z: &[f64], y: &[f64], worst: &mut Worst) {
    let mut delta = vec![0.0; z.len()];
    let cost = f.cost_and_delta(z, y, &mut delta);
    for (k, &analytic) in delta.iter().enumerate() {
        let complex: Vec<Complex> =
            z.iter().enumerate().map(|(i, &re)| Complex { re, im: if i == k { STEP } else { 0.0 } }).collect();
        let numeric = match f.cost_complex(&complex, y) {
            Some(value) => Numeric::step(value, cost),
            None => Numeric::difference(|x| moved_cost(f, z, y, k, x), z[k]),
        };
        worst.see(analytic, numeric, || format!("z = {z:?}, y = {y:?}, output {}", k + 1));
    }
}

fn moved_cost(f: &impl CustomHead, z: &[f64], y: &[f64], k: usize, x: f64) -> f64 {
    let mut z = z.to_vec();
    z[k] = x;
    let mut delta = vec![0.0; z.len()];
    f.cost_and_delta(&z, y, &mut delta)
}

/// A numeric derivative and how far it is to be believed.
struct Numeric {
    derivative: f64,
    bound: f64,
    method: &'static str,
    /// Differences did settle.
    settled: bool,
}

impl Numeric {
    /// By the complex step; the complex function must be the real one on the real axis.
    fn step(complex: Complex, real: f64) -> Self {
        let same = (complex.re - real).abs() <= BOUND * real.abs().max(1.0);
        let (derivative, method) = if same {
            (complex.im / STEP, "complex step")
        } else {
            (f64::NAN, "the complex version has another value than the real one")
        };
        Self { derivative, bound: BOUND, method, settled: true }
    }

    /// By differences.
    fn difference(f: impl Fn(f64) -> f64, x: f64) -> Self {
        let Difference { derivative, change } = Difference::new(f, x);
        let settled = change <= 0.1 * DIFFERENCES_BOUND * derivative.abs().max(1.0);
        Self { derivative, bound: DIFFERENCES_BOUND, method: "extrapolated differences", settled }
    }
}

/// The worst point so far.
struct Worst<'a> {
    name: &'a str,
    seen: usize,
    /// The first of the points set aside, and how many there are.
    aside: (Option<String>, usize),
    ratio: f64,
    error: Option<Error>,
}

impl<'a> Worst<'a> {
    fn new(name: &'a str) -> Self {
        Self { name, seen: 0, aside: (None, 0), ratio: 1.0, error: None }
    }

    fn see(&mut self, analytic: f64, numeric: Numeric, point: impl Fn() -> String) {
        self.seen += 1;
        if !numeric.settled {
            self.aside.0.get_or_insert_with(point);
            self.aside.1 += 1;
            return;
        }
        let error = (analytic - numeric.derivative).abs() / numeric.derivative.abs().max(1.0);
        let ratio = if error.is_nan() { f64::INFINITY } else { error / numeric.bound };
        if ratio > self.ratio {
            self.ratio = ratio;
            self.error = Some(Error::Unproven {
                name: self.name.to_owned(),
                point: point(),
                analytic,
                numeric: numeric.derivative,
                method: numeric.method,
            });
        }
    }

    fn judge(self) -> Result<()> {
        match (self.error, self.aside) {
            (Some(error), _) => Err(error),
            (None, (Some(point), count)) if count as f64 > ASIDE * self.seen as f64 => Err(Error::Setting(format!(
                "{}: its derivatives cannot be checked, since differences do not settle at {count} of {} points, such as \
                 {point}; give a complex version",
                self.name, self.seen
            ))),
            _ => Ok(()),
        }
    }
}

impl<F: ?Sized> Clone for Verified<F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F: ?Sized> Copy for Verified<F> {}

impl<F: ?Sized> Deref for Verified<F> {
    type Target = F;

    fn deref(&self) -> &F {
        self.f
    }
}

impl<F: ?Sized> Verified<F> {
    /// The function, for as long as the program runs.
    pub(crate) fn get(self) -> &'static F {
        self.f
    }
}

/// The same function, not one that does the same.
impl<F: ?Sized> PartialEq for Verified<F> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl<F: ?Sized> Eq for Verified<F> {}

impl<F: ?Sized> std::hash::Hash for Verified<F> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl fmt::Debug for Verified<dyn CustomActivation> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Verified<dyn CustomHead> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
