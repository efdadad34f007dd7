//! Parameter groups: kinds of parameters that learn at a rate of their own.

use serde::{Deserialize, Serialize};

use crate::error::{Result, setting};
use crate::optimizer::Optimizer;
use crate::params::{Role, View};

/// Factors of the learning rate, and where weight decay acts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Groups {
    /// Factor for the layers' biases.
    pub bias: f64,
    /// Factor for the scale layer.
    pub scale: f64,
    /// Factor for the alpha of parametric activations.
    pub alpha: f64,
    /// Factor for everything in numeric embeddings.
    pub numeric: f64,
    /// Learn as in the NTK parametrisation z = d^(-1/2) x V + b, d the inputs of the layer (Jacot et al. 2018), without its
    /// product by d^(-1/2): with W = d^(-1/2) V the layer is the usual one. dJ/dV = d^(-1/2) dJ/dW, so a step mu dJ/dV on V
    /// moves W by mu / d dJ/dW. Adam's step mu m / (sqrt(v) + epsilon) does not change with the gradient's scale but for
    /// epsilon: it moves W by mu d^(-1/2) m / (sqrt(v) + d^(1/2) epsilon), m and v those of dJ/dW.
    pub ntk: bool,
    /// Weight decay acts not on the layers' weights alone but on everything that is not added (a bias) and not the slope of a
    /// piecewise-linear embedding.
    pub decay_all: bool,
    /// The vectors of a category's levels decay by so many times the weight decay for each level, not less than once and not more than
    /// 100 times. A vector decays at every step, but moves on only with a row of its level: where a column has many
    /// levels, those of few rows stay near zero, as random effects are shrunk.
    #[serde(skip_serializing_if = "is_zero")]
    pub level_decay: f64,
}

/// The most that a category's `level_decay` comes to: with RealMLP's learning rate of numbers, 0.2, the highest of all presets, and a weight
/// decay of 0.02 a step takes 0.4 of a vector.
const MOST_LEVEL_DECAY: f64 = 100.0;

/// Whether a number that older versions do not know can be left out of a file.
#[allow(clippy::trivially_copy_pass_by_ref)] // The serializer passes a reference.
fn is_zero(number: &f64) -> bool {
    *number == 0.0
}

impl Default for Groups {
    /// Everything alike.
    fn default() -> Self {
        Self { bias: 1.0, scale: 1.0, alpha: 1.0, numeric: 1.0, ntk: false, decay_all: false, level_decay: 0.0 }
    }
}

/// How the parameters of one view move, beside those of others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Group {
    pub(crate) role: Role,
    /// Factor of the learning rate.
    pub(crate) rate: f64,
    /// Factor of learning rate times weight decay.
    pub(crate) decay: f64,
    /// Factor of what an optimizer adds to a root of mean squares.
    pub(crate) epsilon: f64,
}

impl Groups {
    /// RealMLP's (Holzmüller et al. 2024).
    pub fn realmlp() -> Self {
        Self { bias: 0.1, scale: 6.0, alpha: 0.1, numeric: 0.1, ntk: true, decay_all: true, level_decay: 0.0 }
    }

    /// Refuses factors that cannot work.
    pub(crate) fn validate(&self) -> Result<()> {
        let Self { bias, scale, alpha, numeric, level_decay, .. } = *self;
        let numbers =
            [("bias", bias), ("scale", scale), ("alpha", alpha), ("numeric", numeric), ("level_decay", level_decay)];
        for (name, x) in numbers {
            if !(x >= 0.0 && x.is_finite()) {
                return setting(format!("groups.{name} must be >= 0, got {x}"));
            }
        }
        Ok(())
    }

    /// The group of a view.
    pub(crate) fn of(&self, view: &View, optimizer: &Optimizer) -> Group {
        let factor = match view.role {
            Role::Weight | Role::Table | Role::Adapter => 1.0,
            Role::Bias => self.bias,
            Role::NumericWeight | Role::NumericBias | Role::NumericSlope => self.numeric,
            Role::Scale => self.scale,
            Role::Alpha => self.alpha,
        };
        let root = if self.ntk && view.role == Role::Weight { (view.part_rows().max(1) as f64).sqrt() } else { 1.0 };
        let scale_free = !matches!(optimizer, Optimizer::Sgd | Optimizer::Momentum { .. });
        let decays = match view.role {
            Role::Weight => true,
            Role::Bias | Role::NumericBias | Role::NumericSlope => false,
            _ => self.decay_all,
        };
        let times = match view.role {
            Role::Table => (self.level_decay * view.rows as f64).clamp(1.0, MOST_LEVEL_DECAY),
            _ => 1.0,
        };
        Group {
            role: view.role,
            rate: if scale_free { factor / root } else { factor / (root * root) },
            decay: if decays { times * factor } else { 0.0 },
            epsilon: root,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::Compute;
    use crate::{
        Activation, Dataset, Embedding, Flow, Head, Hidden, Inputs, Key, Network, NetworkSpec, TrainSettings, train,
    };

    const WIDTHS: [usize; 3] = [3, 4, 2];

    /// The layers z = d^(-1/2) h V + b, plainly, with V and b trained by Adam with decay: what `ntk` must be equal to.
    struct Plain {
        parameters: Vec<Vec<f64>>,
        moments: Vec<[Vec<f64>; 2]>,
    }

    impl Plain {
        /// dJ/dV and dJ/db of squared error on rows of one target pair each.
        fn gradient(&self, x: &[f64], y: &[f64], rows: usize) -> Vec<Vec<f64>> {
            let mut gradient: Vec<Vec<f64>> = self.parameters.iter().map(|p| vec![0.0; p.len()]).collect();
            for r in 0..rows {
                let mut h = vec![x[r * 3..][..3].to_vec()];
                for l in 0..2 {
                    let (n, m) = (WIDTHS[l], WIDTHS[l + 1]);
                    let z = |j: usize| {
                        let sum: f64 = (0..n).map(|i| h[l][i] * self.parameters[2 * l][i * m + j]).sum();
                        sum / (n as f64).sqrt() + self.parameters[2 * l + 1][j]
                    };
                    let z: Vec<f64> = (0..m).map(z).collect();
                    h.push(if l == 0 { z.iter().map(|z| z.tanh()).collect() } else { z });
                }
                let mut delta: Vec<f64> = (0..2).map(|j| (h[2][j] - y[r * 2 + j]) / rows as f64).collect();
                for l in (0..2).rev() {
                    let (n, m) = (WIDTHS[l], WIDTHS[l + 1]);
                    let root = (n as f64).sqrt();
                    for j in 0..m {
                        (0..n).for_each(|i| gradient[2 * l][i * m + j] += h[l][i] * delta[j] / root);
                        gradient[2 * l + 1][j] += delta[j];
                    }
                    let v = &self.parameters[2 * l];
                    let below = |i: usize| (0..m).map(|j| v[i * m + j] * delta[j]).sum::<f64>() / root;
                    delta = (0..n).map(|i| below(i) * (1.0 - h[l][i] * h[l][i])).collect();
                }
            }
            gradient
        }

        fn step(&mut self, t: i32, gradient: &[Vec<f64>], rates: [f64; 2], [epsilon, decay]: [f64; 2]) {
            for (p, values) in self.parameters.iter_mut().enumerate() {
                let (rate, decay) = if p % 2 == 0 { (rates[0], decay) } else { (rates[1], 0.0) };
                for (i, w) in values.iter_mut().enumerate() {
                    let g = gradient[p][i];
                    let [m, v] = &mut self.moments[p];
                    m[i] = 0.9 * m[i] + 0.1 * g;
                    v[i] = 0.95 * v[i] + 0.05 * g * g;
                    *w *= 1.0 - rate * decay;
                    *w -= rate * (m[i] / (1.0 - 0.9f64.powi(t))) / ((v[i] / (1.0 - 0.95f64.powi(t))).sqrt() + epsilon);
                }
            }
        }
    }

    #[test]
    fn the_vectors_of_many_levels_decay_by_more() {
        let spec = NetworkSpec {
            embeddings: [2, 300, 40_000].map(|levels| Embedding { levels, dimension: 1 }).to_vec(),
            ..NetworkSpec::new(1, vec![], 1, Head::gaussian())
        };
        let network = Network::<f64>::new(&spec, 1).unwrap();
        let groups = Groups { level_decay: 0.1, ..Groups::realmlp() };
        let decays = |groups: Groups| -> Vec<f64> {
            network.views().iter().map(|view| groups.of(view, &Optimizer::adamw(0.1)).decay).collect()
        };
        // Three tables, W and b.
        assert_eq!(decays(groups), [1.0, 30.0, 100.0, 1.0, 0.0]);
        assert_eq!(decays(Groups::realmlp()), [1.0, 1.0, 1.0, 1.0, 0.0]);
        assert_eq!(decays(Groups { decay_all: false, ..groups }), [0.0, 0.0, 0.0, 1.0, 0.0]);
        assert!(Groups { level_decay: -1.0, ..groups }.validate().is_err());
    }

    #[test]
    fn the_ntk_parametrisation_is_the_usual_layer_at_other_rates() {
        let key = Key::new(3);
        let draws =
            |part: u64, n: usize| (0..n).map(|i| 2.0 * key.part(part).uniform(i as u64) - 1.0).collect::<Vec<_>>();
        let (rows, x, y) = (6, draws(0, 18), draws(1, 12));
        let spec = NetworkSpec::new(3, vec![Hidden::new(4, Activation::Tanh)], 2, Head::gaussian());
        let mut network = Network::<f64>::new(&spec, 1).unwrap();
        let parameters: Vec<_> = (0..4).map(|p| draws(2 + p, network.parameter(p as usize).len())).collect();
        for (p, values) in parameters.iter().enumerate() {
            let root = if p % 2 == 0 { (WIDTHS[p / 2] as f64).sqrt() } else { 1.0 };
            network.set_parameter(p, &values.iter().map(|v| v / root).collect::<Vec<_>>()).unwrap();
        }
        // An epsilon so large that its factor shows.
        let (epsilon, weight_decay) = (0.1, 0.3);
        let settings = TrainSettings {
            epochs: 20,
            batch: rows,
            optimizer: Optimizer::Adam { beta1: 0.9, beta2: 0.95, epsilon, epsilon_hat: false, weight_decay },
            learning_rate: 0.05,
            groups: Groups { bias: 0.1, ..Groups::realmlp() },
            shuffle: false,
            ..TrainSettings::default()
        };
        let data = Dataset::new(Inputs::numeric(&x, 3), &y);
        train(&mut network, &mut Compute::new(1), &data, None, &settings, &mut |_| Flow::Continue).unwrap();
        let moments = parameters.iter().map(|p| [vec![0.0; p.len()], vec![0.0; p.len()]]).collect();
        let mut plain = Plain { parameters, moments };
        for t in 1..=20 {
            let gradient = plain.gradient(&x, &y, rows);
            plain.step(t, &gradient, [0.05, 0.005], [epsilon, weight_decay]);
        }
        for (p, values) in plain.parameters.iter().enumerate() {
            let root = if p % 2 == 0 { (WIDTHS[p / 2] as f64).sqrt() } else { 1.0 };
            for (v, w) in values.iter().zip(network.parameter(p)) {
                assert!((v / root - w).abs() < 1e-10, "parameter {p}: {} {w}", v / root);
            }
        }
    }
}
