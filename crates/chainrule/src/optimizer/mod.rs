//! Optimizers: how a parameter moves, given its gradient. Each rule is written once, on registers, in a file of its own, and
//! runs either on the tile of a gradient that has just been computed or on a whole slice. L-BFGS is none of these rules: it
//! needs the cost of all rows several times for a step.

mod adagrad;
mod adam;
mod average;
pub(crate) mod lbfgs;
mod line_search;
mod momentum;
mod rmsprop;
mod rprop;
mod sgd;
mod state;
mod step;

use serde::{Deserialize, Serialize};

use crate::error::{Result, setting};
pub(crate) use average::Average;
pub(crate) use state::{State, Update};
pub(crate) use step::Step;

/// The least epsilon: without any, a weight whose gradients are all 0 would move by 0 / 0.
const LEAST_EPSILON: f64 = 1e-30;

/// An optimizer and its constants; the learning rate mu comes from the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Optimizer {
    /// Eq. (7): w <- w - mu g.
    Sgd,
    /// v <- momentum v - mu g, w <- w + v (Polyak); with `nesterov` w <- w + momentum v - mu g for the new v
    /// (Sutskever et al. 2013).
    Momentum {
        /// 0 <= momentum < 1.
        #[serde(default = "default_momentum")]
        momentum: f64,
        /// Look ahead.
        #[serde(default)]
        nesterov: bool,
    },
    /// Adam (Kingma, Ba 2015, algorithm 1), and AdamW (Loshchilov, Hutter 2019) where `weight_decay` > 0:
    /// w <- (1 - mu decay) w before each step, on weights only.
    Adam {
        /// Decay of the mean of gradients.
        #[serde(default = "default_beta1")]
        beta1: f64,
        /// Decay of the mean of squared gradients.
        #[serde(default = "default_beta2")]
        beta2: f64,
        /// Added to the root of the mean square.
        #[serde(default = "default_epsilon")]
        epsilon: f64,
        /// Whether it is added before that root is corrected for its start at 0: the epsilon-hat of the paper's remark on efficiency, and
        /// of scikit-learn. It weighs more in the first steps then, where gradients are small.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        epsilon_hat: bool,
        /// Decoupled weight decay.
        #[serde(default)]
        weight_decay: f64,
    },
    /// RMSprop (Tieleman, Hinton 2012): v <- decay v + (1 - decay) g^2, w <- w - mu g / (sqrt v + epsilon).
    Rmsprop {
        /// Decay of the mean of squared gradients.
        #[serde(default = "default_decay")]
        decay: f64,
        /// Added to the root of the mean square.
        #[serde(default = "default_epsilon")]
        epsilon: f64,
    },
    /// AdaGrad (Duchi, Hazan, Singer 2011): v <- v + g^2, w <- w - mu g / (sqrt v + epsilon).
    Adagrad {
        /// Added to the root of the sum of squares.
        #[serde(default = "default_adagrad_epsilon")]
        epsilon: f64,
    },
    /// Rprop (Riedmiller, Braun 1993, as iRprop- of Igel, Hüsken 2000): w <- w - s sign g with a step s of its own for every
    /// parameter. s starts as mu and then goes its own way; it is multiplied by `grow` where the derivative has the sign
    /// of the step before, and by `shrink` where it has the other, and there the parameter rests for a step. For batches of all rows.
    Rprop {
        /// Factor of a step that went too far, in (0, 1).
        #[serde(default = "default_shrink")]
        shrink: f64,
        /// Factor of a step in the same direction, > 1.
        #[serde(default = "default_grow")]
        grow: f64,
        /// The shortest step.
        #[serde(default = "default_shortest")]
        shortest: f64,
        /// The longest step.
        #[serde(default = "default_longest")]
        longest: f64,
    },
    /// L-BFGS (Nocedal, Wright 2006, algorithms 7.4 and 7.5) with a line search for the strong Wolfe conditions (3.5, 3.6).
    /// Every epoch is one iteration on all rows; learning rate, schedule and batch size have no part in it. For networks
    /// without dropout and costs without l1 penalty: the cost must be one smooth function.
    Lbfgs {
        /// Pairs of steps and changes of the gradient that are kept.
        #[serde(default = "default_history")]
        history: usize,
        /// The largest element of the gradient at which training ends.
        #[serde(default = "default_gradient_tolerance")]
        tolerance: f64,
    },
}

fn default_momentum() -> f64 {
    0.9
}
fn default_beta1() -> f64 {
    0.9
}
fn default_beta2() -> f64 {
    0.999
}
fn default_epsilon() -> f64 {
    1e-8
}
fn default_decay() -> f64 {
    0.99
}
fn default_adagrad_epsilon() -> f64 {
    1e-10
}
fn default_shrink() -> f64 {
    0.5
}
fn default_grow() -> f64 {
    1.2
}
fn default_shortest() -> f64 {
    1e-6
}
fn default_longest() -> f64 {
    50.0
}
fn default_history() -> usize {
    10
}
fn default_gradient_tolerance() -> f64 {
    1e-4
}

impl Optimizer {
    /// Adam with the constants of its paper.
    pub fn adam() -> Self {
        Self::adamw(0.0)
    }

    /// AdamW with the given decay.
    pub fn adamw(weight_decay: f64) -> Self {
        let (beta1, beta2, epsilon) = (default_beta1(), default_beta2(), default_epsilon());
        Self::Adam { beta1, beta2, epsilon, epsilon_hat: false, weight_decay }
    }

    /// RMSprop with PyTorch's constants.
    pub fn rmsprop() -> Self {
        Self::Rmsprop { decay: default_decay(), epsilon: default_epsilon() }
    }

    /// AdaGrad with PyTorch's constant.
    pub fn adagrad() -> Self {
        Self::Adagrad { epsilon: default_adagrad_epsilon() }
    }

    /// Rprop with the constants of its paper.
    pub fn rprop() -> Self {
        let (shrink, grow) = (default_shrink(), default_grow());
        Self::Rprop { shrink, grow, shortest: default_shortest(), longest: default_longest() }
    }

    /// L-BFGS with ten pairs and scikit-learn's tolerance.
    pub fn lbfgs() -> Self {
        Self::Lbfgs { history: default_history(), tolerance: default_gradient_tolerance() }
    }

    /// Refuses constants that cannot work.
    pub fn validate(&self) -> Result<()> {
        match *self {
            Self::Sgd => Ok(()),
            Self::Momentum { momentum, .. } => fraction("momentum", momentum),
            Self::Adam { beta1, beta2, epsilon, weight_decay, .. } => {
                fraction("beta1", beta1)?;
                fraction("beta2", beta2)?;
                positive("epsilon", epsilon)?;
                if !(weight_decay >= 0.0 && weight_decay.is_finite()) {
                    return setting(format!("weight_decay must be >= 0, got {weight_decay}"));
                }
                Ok(())
            }
            Self::Rmsprop { decay, epsilon } => {
                fraction("decay", decay)?;
                positive("epsilon", epsilon)
            }
            Self::Adagrad { epsilon } => positive("epsilon", epsilon),
            Self::Rprop { shrink, grow, shortest, longest } => {
                fraction("shrink", shrink)?;
                ["shrink", "grow", "shortest", "longest"]
                    .into_iter()
                    .zip([shrink, grow, shortest, longest])
                    .try_for_each(|(name, x)| positive(name, x))?;
                if grow <= 1.0 {
                    return setting(format!("grow must be > 1, got {grow}"));
                }
                if shortest > longest {
                    return setting(format!("shortest must be at most longest, got {shortest} and {longest}"));
                }
                Ok(())
            }
            Self::Lbfgs { history, tolerance } => {
                if !(1..=MOST_PAIRS).contains(&history) {
                    return setting(format!("history must be 1 to {MOST_PAIRS}, got {history}"));
                }
                positive("tolerance", tolerance)
            }
        }
    }

    /// Buffers of the parameters' size that the rule keeps.
    fn states(&self) -> usize {
        match self {
            Self::Sgd | Self::Lbfgs { .. } => 0,
            Self::Momentum { .. } | Self::Rmsprop { .. } | Self::Adagrad { .. } => 1,
            Self::Adam { .. } | Self::Rprop { .. } => 2,
        }
    }
}

/// Most pairs that L-BFGS may keep: each is two buffers of the parameters' size.
const MOST_PAIRS: usize = 1000;

fn fraction(name: &str, x: f64) -> Result<()> {
    if (0.0..1.0).contains(&x) { Ok(()) } else { setting(format!("{name} must be in [0, 1), got {x}")) }
}

fn positive(name: &str, x: f64) -> Result<()> {
    if x > 0.0 && x.is_finite() { Ok(()) } else { setting(format!("{name} must be > 0, got {x}")) }
}
