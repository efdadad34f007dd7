//! An optimizer with what it keeps, and a step of it: each gradient goes straight into its rule.

use super::Optimizer;
use super::adagrad::Adagrad;
use super::adam::Adam;
use super::momentum::Momentum;
use super::rmsprop::Rmsprop;
use super::rprop::Rprop;
use super::sgd::Sgd;
use super::step::{Gradient, Step};
use crate::compute::Compute;
use crate::error::{Result, expect_len};
use crate::groups::{Group, Groups};
use crate::kernel::{Buffer, Isa, Operands, Outers, Part, Simd, Tile, TileFn, VectorFn, map, map_all, outer_sums};
use crate::params::{Role, View};
use crate::scalar::Scalar;
use crate::topology::GradientSink;

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
            (Optimizer::Adam { beta1, beta2, epsilon, epsilon_hat, weight_decay }, [m, v]) => {
                let epsilon = if epsilon_hat { epsilon * corrections[1] } else { epsilon };
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
    fn layers(&mut self, compute: &mut Compute, shared: bool, sums: (&Outers, &dyn Operands<T>), transposed: &mut [T]) {
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
        (layers, operands): (&Outers, &dyn Operands<T>),
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
