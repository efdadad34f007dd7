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

use serde::{Deserialize, Serialize};

use crate::compute::Compute;
use crate::error::{Result, expect_len, setting};
use crate::groups::{Group, Groups};
use crate::kernel::{Buffer, Isa, Operands, Outer, Part, Simd, Tile, TileFn, VectorFn, map, map_all, outer_sums};
use crate::params::{Role, View};
use crate::scalar::Scalar;
use crate::topology::GradientSink;
use adagrad::Adagrad;
use adam::Adam;
pub(crate) use average::Average;
use momentum::Momentum;
use rmsprop::Rmsprop;
use rprop::Rprop;
use sgd::Sgd;

/// The least epsilon: smaller ones leave the range of `reciprocal`.
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
        Self::Adam { beta1, beta2, epsilon, weight_decay }
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
            Self::Adam { beta1, beta2, epsilon, weight_decay } => {
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

/// The numbers of one step that are the same for all parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// mu.
    pub(crate) learning_rate: f64,
    /// 1 / total weight of the batch: gradients are sums over rows.
    pub(crate) gradient_scale: f64,
    /// Factor of the penalty (l1) sum |w|, on weights only.
    pub(crate) l1: f64,
    /// Factor of the penalty (l2 / 2) sum w^2, on weights only.
    pub(crate) l2: f64,
    /// Factor of the optimizer's weight decay.
    pub(crate) decay: f64,
}

/// An optimizer with its state.
pub(crate) struct State<T> {
    optimizer: Optimizer,
    /// What the rule keeps, running means most often, one buffer each, in the parameters' layout.
    buffers: Vec<Buffer<T>>,
    /// beta1^t and beta2^t of Adam, t the steps done.
    powers: [f64; 2],
    steps: u64,
    /// Of each view.
    groups: Vec<Group>,
    /// Of each layer's W and b, in the order in which their gradients come.
    layers: Vec<[Group; 2]>,
    /// Whether those are all the same.
    uniform: bool,
}

impl<T: Scalar> State<T> {
    pub(crate) fn new(optimizer: Optimizer, groups: &Groups, views: &[View], len: usize) -> Self {
        let groups: Vec<Group> = views.iter().map(|view| groups.of(view, &optimizer)).collect();
        let is_weight = |(_, view): &(usize, &View)| view.role == Role::Weight;
        // A layer's b is next to its W, if it has one.
        let pair = |(i, view): (usize, &View)| {
            let bias = views.get(i + 1).filter(|next| next.role == Role::Bias).map_or(i, |_| i + 1);
            std::iter::repeat_n([groups[i], groups[bias]], view.parts)
        };
        let layers: Vec<_> = views.iter().enumerate().filter(is_weight).flat_map(pair).collect();
        let uniform = layers.iter().all(|layer| layer == &layers[0]);
        Self {
            optimizer,
            steps: 0,
            buffers: (0..optimizer.states()).map(|_| Buffer::zeros(len)).collect(),
            powers: [1.0; 2],
            groups,
            layers,
            uniform,
        }
    }

    /// What the rule keeps, and the powers of Adam's decays.
    pub(crate) fn numbers(&self) -> (Vec<Vec<T>>, [f64; 2]) {
        (self.buffers.iter().map(|buffer| buffer.to_vec()).collect(), self.powers)
    }

    /// Takes over what [`numbers`](Self::numbers) gave after so many steps, if it is of the same shape.
    pub(crate) fn set_numbers(&mut self, buffers: &[Vec<T>], powers: [f64; 2], steps: u64) -> Result<()> {
        expect_len("the optimizer's buffers", self.buffers.len(), buffers.len())?;
        for (own, buffer) in self.buffers.iter_mut().zip(buffers) {
            expect_len("numbers of the optimizer", own.len(), buffer.len())?;
            own.copy_from_slice(buffer);
        }
        (self.powers, self.steps) = (powers, steps);
        Ok(())
    }

    /// What Adam's means are multiplied by, since they start at 0: 1 / (1 - beta1^t) and, for the root, 1 / sqrt(1 - beta2^t).
    fn corrections(&self) -> [f64; 2] {
        [1.0 / (1.0 - self.powers[0]), 1.0 / (1.0 - self.powers[1]).sqrt()]
    }

    /// Begins a step: gradients handed to the result move `parameters` at once.
    pub(crate) fn step<'a>(&'a mut self, isa: Isa, parameters: &'a mut [T], step: Step) -> Update<'a, T> {
        if let Optimizer::Adam { beta1, beta2, .. } = self.optimizer {
            self.powers = [self.powers[0] * beta1, self.powers[1] * beta2];
        }
        self.steps += 1;
        if self.steps.is_multiple_of(FLUSH) {
            self.buffers.iter_mut().for_each(|buffer| map_all(isa, [buffer], [], &Flush));
        }
        Update { state: self, parameters, step }
    }
}

/// The sink that takes each gradient straight into the optimizer.
pub(crate) struct Update<'a, T> {
    state: &'a mut State<T>,
    parameters: &'a mut [T],
    step: Step,
}

/// Evaluates `$body` with `$rule`, which makes the optimizer's rule for a group of parameters, and `$buffers`, the parameters
/// and the state that it moves.
macro_rules! with_rule {
    ($update:ident, |$buffers:ident, $rule:ident| $body:expr) => {{
        let Update { state, parameters, step } = $update;
        let (step, corrections) = (*step, state.corrections());
        match (state.optimizer, state.buffers.as_mut_slice()) {
            (Optimizer::Momentum { momentum, nesterov }, [v]) => {
                let $rule = |group: &Group| Momentum::new(Gradient::new(&step, group), momentum, nesterov);
                let $buffers = [&mut **parameters, &mut **v];
                $body
            }
            (Optimizer::Adam { beta1, beta2, epsilon, weight_decay }, [m, v]) => {
                let $rule = |group: &Group| {
                    Adam::new(Gradient::new(&step, group), [beta1, beta2, epsilon], weight_decay, corrections)
                };
                let $buffers = [&mut **parameters, &mut **m, &mut **v];
                $body
            }
            (Optimizer::Rmsprop { decay, epsilon }, [v]) => {
                let $rule = |group: &Group| Rmsprop::new(Gradient::new(&step, group), decay, epsilon);
                let $buffers = [&mut **parameters, &mut **v];
                $body
            }
            (Optimizer::Adagrad { epsilon }, [v]) => {
                let $rule = |group: &Group| Adagrad::new(Gradient::new(&step, group), epsilon);
                let $buffers = [&mut **parameters, &mut **v];
                $body
            }
            (Optimizer::Rprop { shrink, grow, shortest, longest }, [before, length]) => {
                let $rule =
                    |group: &Group| Rprop::new(Gradient::new(&step, group), [shrink, grow], [shortest, longest]);
                let $buffers = [&mut **parameters, &mut **before, &mut **length];
                $body
            }
            _ => {
                let $rule = |group: &Group| Sgd { gradient: Gradient::new(&step, group) };
                let $buffers = [&mut **parameters];
                $body
            }
        }
    }};
}

impl<T: Scalar> GradientSink<T> for Update<'_, T> {
    fn layers(
        &mut self,
        compute: &mut Compute,
        shared: bool,
        sums: (&[Outer], &dyn Operands<T>),
        transposed: &mut [T],
    ) {
        T::update_layers(self, compute, shared, sums, transposed);
    }

    fn others(&mut self, compute: &mut Compute, views: &[View], gradient: &[T]) {
        self.parameters(compute.isa, views, gradient);
    }
}

impl<T: Scalar> Update<'_, T> {
    /// The gradients of the layers, straight into the rule.
    pub(crate) fn layers_generic(
        &mut self,
        compute: &mut Compute,
        shared: bool,
        (layers, operands): (&[Outer], &dyn Operands<T>),
        transposed: &mut [T],
    ) {
        let Compute { team, isa } = compute;
        let groups = std::mem::take(&mut self.state.layers);
        let uniform = groups.first().filter(|_| self.state.uniform);
        with_rule!(self, |buffers, rule| {
            let of_all = uniform.map(|[weight, bias]| [rule(weight), rule(bias)]);
            let rules = Move { groups: &groups, rule, of_all };
            outer_sums(team, *isa, shared, layers, operands, buffers, transposed, &rules);
        });
        self.state.layers = groups;
    }

    /// Moves the parameters of `views`, which begin like the network's, given the gradient in their layout.
    pub(crate) fn parameters(&mut self, isa: Isa, views: &[View], gradient: &[T]) {
        T::update_parameters(self, isa, views, gradient);
    }

    /// As above, in machine code of its own.
    pub(crate) fn parameters_generic(&mut self, isa: Isa, views: &[View], gradient: &[T]) {
        let groups = std::mem::take(&mut self.state.groups);
        with_rule!(self, |buffers, rule| {
            let mut buffers = buffers;
            for (view, group) in views.iter().zip(&groups) {
                let range = view.range();
                let parts = buffers.each_mut().map(|buffer| &mut buffer[range.clone()]);
                map_all(isa, parts, [&gradient[range]], &rule(group));
            }
        });
        self.state.groups = groups;
    }
}

/// Applies its group's rule to each tile of a gradient.
struct Move<'a, F, R> {
    /// Those of each layer's W and b.
    groups: &'a [[Group; 2]],
    rule: F,
    /// The rules for every W and every b, where they are the same.
    of_all: Option<[R; 2]>,
}

impl<T: Scalar, R: VectorFn<T, N, 1>, F: Fn(&Group) -> R + Sync, const N: usize> TileFn<T, N> for Move<'_, F, R> {
    fn apply(&self, isa: Isa, part: Part, tile: Tile, gradient: &mut [T], parts: [&mut [T]; N]) {
        let (layer, place) = match part {
            Part::Weight(layer) => (layer, 0),
            Part::Bias(layer) => (layer, 1),
        };
        match &self.of_all {
            Some(rules) => map(isa, tile, parts, [&*gradient], &rules[place]),
            None => map(isa, tile, parts, [&*gradient], &(self.rule)(&self.groups[layer][place])),
        }
    }
}

/// Steps after which what a rule keeps is flushed.
const FLUSH: u64 = 64;

/// Takes tiny numbers for 0: the running means of a parameter that has stopped to move fall until they are subnormal, and there they
/// stay, since half a unit in the last place rounds up; on subnormal numbers processors are a hundred times slower.
#[derive(Clone, Copy)]
struct Flush;

impl<T: Scalar> VectorFn<T, 1, 0> for Flush {
    #[inline(always)]
    fn apply<S: Simd<T>>(&self, simd: S, [x]: [S::Vector; 1], []: [S::Vector; 0]) -> [S::Vector; 1] {
        let tiny = T::from_f64(if size_of::<T>() == 4 { 1e-30 } else { 1e-280 });
        [simd.select(simd.lt(simd.abs(x), simd.splat(tiny)), simd.splat(T::ZERO), x)]
    }
}

/// From a sum over rows to the derivative of the mean cost plus penalties, and the learning rate.
#[derive(Clone, Copy)]
struct Gradient<T> {
    scale: T,
    l1: T,
    l2: T,
    penalised: bool,
    learning_rate: T,
    /// Factor of the weight decay: learning rate, group and schedule.
    decay: f64,
    /// Factor of Adam's epsilon.
    epsilon: f64,
}

impl<T: Scalar> Gradient<T> {
    fn new(step: &Step, group: &Group) -> Self {
        let (l1, l2) = if group.role == Role::Weight { (step.l1, step.l2) } else { (0.0, 0.0) };
        Self {
            scale: T::from_f64(step.gradient_scale),
            l1: T::from_f64(l1),
            l2: T::from_f64(l2),
            penalised: l1 > 0.0 || l2 > 0.0,
            learning_rate: T::from_f64(step.learning_rate * group.rate),
            decay: step.learning_rate * step.decay * group.decay,
            epsilon: group.epsilon,
        }
    }

    /// g / total weight + l2 w + l1 sign w
    #[inline(always)]
    fn of<S: Simd<T>>(&self, simd: S, w: S::Vector, g: S::Vector) -> S::Vector {
        let g = simd.mul(g, simd.splat(self.scale));
        if !self.penalised {
            return g;
        }
        let g = simd.fma(simd.splat(self.l2), w, g);
        let (zero, l1) = (simd.splat(T::ZERO), simd.splat(self.l1));
        let falling = simd.select(simd.lt(w, zero), simd.neg(l1), zero);
        simd.add(g, simd.select(simd.lt(zero, w), l1, falling))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Head, Network, NetworkSpec};

    #[test]
    fn tiny_means_become_zero_whoever_hands_over_the_gradient() {
        let network = Network::<f32>::new(&NetworkSpec::new(1, vec![], 1, Head::gaussian()), 0).unwrap();
        let mut parameters = network.parameters.clone();
        let mut state = State::new(Optimizer::adam(), &Groups::default(), network.views(), parameters.len());
        state.buffers[0].fill(1e-31);
        state.buffers[1].fill(1e-29);
        for number in 1..=FLUSH {
            let step = Step { learning_rate: 0.1, gradient_scale: 1.0, l1: 0.0, l2: 0.0, decay: 1.0 };
            let _ = state.step(Isa::detect(), &mut parameters, step);
            assert_eq!(state.buffers[0].iter().all(|m| *m == 0.0), number == FLUSH);
        }
        assert!(state.buffers[1].iter().all(|v| *v == 1e-29));
    }
}
