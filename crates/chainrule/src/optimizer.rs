//! Optimizers: how a parameter moves, given its gradient. Each rule is written once, on registers, and runs either on the
//! tile of a gradient that has just been computed or on a whole slice.

use serde::{Deserialize, Serialize};

use crate::compute::Compute;
use crate::error::{Result, setting};
use crate::groups::{Group, Groups};
use crate::kernel::math;
use crate::kernel::{Buffer, Isa, Operands, Outer, Part, Simd, Tile, TileFn, VectorFn, map, map_all, outer_sums};
use crate::params::{Role, View};
use crate::scalar::Scalar;
use crate::topology::GradientSink;

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

    /// Refuses constants that cannot work.
    pub fn validate(&self) -> Result<()> {
        let fraction = |name: &str, x: f64| {
            if (0.0..1.0).contains(&x) { Ok(()) } else { setting(format!("{name} must be in [0, 1), got {x}")) }
        };
        match *self {
            Self::Sgd => Ok(()),
            Self::Momentum { momentum, .. } => fraction("momentum", momentum),
            Self::Adam { beta1, beta2, epsilon, weight_decay } => {
                fraction("beta1", beta1)?;
                fraction("beta2", beta2)?;
                if !(epsilon > 0.0 && epsilon.is_finite()) {
                    return setting(format!("epsilon must be > 0, got {epsilon}"));
                }
                if !(weight_decay >= 0.0 && weight_decay.is_finite()) {
                    return setting(format!("weight_decay must be >= 0, got {weight_decay}"));
                }
                Ok(())
            }
        }
    }

    /// Buffers of the parameters' size that the rule keeps.
    fn states(&self) -> usize {
        match self {
            Self::Sgd => 0,
            Self::Momentum { .. } => 1,
            Self::Adam { .. } => 2,
        }
    }
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
    /// Running means, one buffer each, in the parameters' layout.
    buffers: Vec<Buffer<T>>,
    /// beta1^t and beta2^t of Adam, t the steps done.
    powers: [f64; 2],
    /// Of each view.
    groups: Vec<Group>,
    /// The view of the first layer's W; a layer's b is next to its W.
    first_layer: usize,
}

impl<T: Scalar> State<T> {
    pub(crate) fn new(optimizer: Optimizer, groups: &Groups, views: &[View], len: usize) -> Self {
        Self {
            optimizer,
            buffers: (0..optimizer.states()).map(|_| Buffer::zeros(len)).collect(),
            powers: [1.0; 2],
            groups: views.iter().map(|view| groups.of(view, &optimizer)).collect(),
            first_layer: views.iter().position(|view| view.role == Role::Weight).unwrap_or(views.len()),
        }
    }

    /// Begins a step: gradients handed to the result move `parameters` at once.
    pub(crate) fn step<'a>(&'a mut self, parameters: &'a mut [T], step: Step) -> Update<'a, T> {
        if let Optimizer::Adam { beta1, beta2, .. } = self.optimizer {
            self.powers = [self.powers[0] * beta1, self.powers[1] * beta2];
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
        let (step, powers) = (*step, state.powers);
        match (state.optimizer, state.buffers.as_mut_slice()) {
            (Optimizer::Momentum { momentum, nesterov }, [v]) => {
                let $rule = |group: &Group| Momentum::new(Gradient::new(&step, group), momentum, nesterov);
                let $buffers = [&mut **parameters, &mut **v];
                $body
            }
            (Optimizer::Adam { beta1, beta2, epsilon, weight_decay }, [m, v]) => {
                let $rule = |group: &Group| {
                    Adam::new(Gradient::new(&step, group), [beta1, beta2, epsilon], weight_decay, powers)
                };
                let $buffers = [&mut **parameters, &mut **m, &mut **v];
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
        (layers, operands): (&[Outer], &dyn Operands<T>),
        transposed: &mut [T],
    ) {
        let Compute { team, isa } = compute;
        let groups = std::mem::take(&mut self.state.groups);
        let of_layers = &groups[self.state.first_layer..];
        with_rule!(self, |buffers, rule| {
            let rules = Move { groups: of_layers, rule };
            outer_sums(team, *isa, shared, layers, operands, buffers, transposed, &rules);
        });
        self.state.groups = groups;
    }

    fn others(&mut self, compute: &mut Compute, views: &[View], gradient: &[T]) {
        let groups = std::mem::take(&mut self.state.groups);
        with_rule!(self, |buffers, rule| {
            let mut buffers = buffers;
            for (view, group) in views.iter().zip(&groups) {
                let range = view.range::<T>();
                let parts = buffers.each_mut().map(|buffer| &mut buffer[range.clone()]);
                map_all(compute.isa, parts, [&gradient[range]], &rule(group));
            }
        });
        self.state.groups = groups;
    }
}

/// Applies its group's rule to each tile of a gradient.
struct Move<'a, F> {
    /// Those of each layer's W and b.
    groups: &'a [Group],
    rule: F,
}

impl<T: Scalar, R: VectorFn<T, N, 1>, F: Fn(&Group) -> R + Sync, const N: usize> TileFn<T, N> for Move<'_, F> {
    fn apply(&self, isa: Isa, part: Part, tile: Tile, gradient: &mut [T], parts: [&mut [T]; N]) {
        let group = match part {
            Part::Weight(layer) => &self.groups[2 * layer],
            Part::Bias(layer) => &self.groups[2 * layer + 1],
        };
        map(isa, tile, parts, [&*gradient], &(self.rule)(group));
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

/// Eq. (7): w <- w - mu g.
#[derive(Clone, Copy)]
struct Sgd<T> {
    gradient: Gradient<T>,
}

impl<T: Scalar> VectorFn<T, 1, 1> for Sgd<T> {
    #[inline(always)]
    fn apply<S: Simd<T>>(&self, simd: S, [w]: [S::Vector; 1], [g]: [S::Vector; 1]) -> [S::Vector; 1] {
        let g = self.gradient.of(simd, w, g);
        [simd.fnma(simd.splat(self.gradient.learning_rate), g, w)]
    }
}

#[derive(Clone, Copy)]
struct Momentum<T> {
    gradient: Gradient<T>,
    momentum: T,
    nesterov: bool,
}

impl<T: Scalar> Momentum<T> {
    fn new(gradient: Gradient<T>, momentum: f64, nesterov: bool) -> Self {
        Self { gradient, momentum: T::from_f64(momentum), nesterov }
    }
}

impl<T: Scalar> VectorFn<T, 2, 1> for Momentum<T> {
    #[inline(always)]
    fn apply<S: Simd<T>>(&self, simd: S, [w, v]: [S::Vector; 2], [g]: [S::Vector; 1]) -> [S::Vector; 2] {
        let (mu, momentum) = (simd.splat(self.gradient.learning_rate), simd.splat(self.momentum));
        let step = simd.mul(mu, self.gradient.of(simd, w, g));
        let v = simd.sub(simd.mul(momentum, v), step);
        let w = if self.nesterov { simd.add(w, simd.sub(simd.mul(momentum, v), step)) } else { simd.add(w, v) };
        [w, v]
    }
}

#[derive(Clone, Copy)]
struct Adam<T> {
    gradient: Gradient<T>,
    beta1: T,
    beta2: T,
    /// 1 - beta1, 1 - beta2
    rest1: T,
    rest2: T,
    epsilon: T,
    /// 1 - mu decay
    keep: T,
    /// mu / (1 - beta1^t)
    rate: T,
    /// 1 / sqrt(1 - beta2^t)
    root: T,
    /// Below these g, m and v are taken for 0: the means of a weight that has stopped to move fall for ever, and g^2 may be subnormal
    /// at once, on which processors are a hundred times slower.
    tiny: [T; 3],
}

impl<T: Scalar> Adam<T> {
    /// `powers`: beta1^t and beta2^t.
    fn new(gradient: Gradient<T>, [beta1, beta2, epsilon]: [f64; 3], weight_decay: f64, powers: [f64; 2]) -> Self {
        let learning_rate = gradient.learning_rate.to_f64();
        Self {
            gradient,
            beta1: T::from_f64(beta1),
            beta2: T::from_f64(beta2),
            rest1: T::ONE - T::from_f64(beta1),
            rest2: T::ONE - T::from_f64(beta2),
            // Smaller ones leave the range of `reciprocal`.
            epsilon: T::from_f64((epsilon * gradient.epsilon).max(1e-30)),
            keep: T::from_f64(1.0 - gradient.decay * weight_decay),
            rate: T::from_f64(learning_rate / (1.0 - powers[0])),
            root: T::from_f64(1.0 / (1.0 - powers[1]).sqrt()),
            tiny: if size_of::<T>() == 4 { [1e-17, 1e-30, 1e-36] } else { [1e-140, 1e-280, 1e-290] }.map(T::from_f64),
        }
    }
}

impl<T: Scalar> VectorFn<T, 3, 1> for Adam<T> {
    #[inline(always)]
    fn apply<S: Simd<T>>(&self, simd: S, [w, m, v]: [S::Vector; 3], [g]: [S::Vector; 1]) -> [S::Vector; 3] {
        let g = without_tiny(simd, self.gradient.of(simd, w, g), self.tiny[0]);
        let (beta1, beta2) = (simd.splat(self.beta1), simd.splat(self.beta2));
        let (rest1, rest2) = (simd.splat(self.rest1), simd.splat(self.rest2));
        let m = simd.fma(beta1, m, simd.mul(rest1, g));
        let v = simd.fma(beta2, v, simd.mul(rest2, simd.mul(g, g)));
        let (m, v) = (without_tiny(simd, m, self.tiny[1]), without_tiny(simd, v, self.tiny[2]));
        let root = simd.fma(math::root(simd, v), simd.splat(self.root), simd.splat(self.epsilon));
        let step = simd.mul(simd.splat(self.rate), m);
        [simd.fnma(step, math::reciprocal(simd, root), simd.mul(w, simd.splat(self.keep))), m, v]
    }
}

/// x, or 0 where |x| is less than `tiny`.
#[inline(always)]
fn without_tiny<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector, tiny: T) -> S::Vector {
    simd.select(simd.lt(simd.abs(x), simd.splat(tiny)), simd.splat(T::ZERO), x)
}
