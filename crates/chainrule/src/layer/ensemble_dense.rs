//! The dense layer of an ensemble, as in TabM (Gorishniy et al. 2025) after BatchEnsemble (Wen, Tran, Ba 2020). The k members share
//! W; each has a factor r_i for every input, a factor s_j for every output and a bias b of its own:
//!
//! x = r ⊙ h, y = W' x, z = s ⊙ y + b.
//!
//! dz/db = 1, dz/ds = y and dz/dy = s, so with delta = dJ/dz and u = dJ/dy = s ⊙ delta each member has dJ/db = Σ delta and
//! dJ/ds = Σ delta ⊙ y, sums over its rows. dJ/dW = Σ x u' over the rows of all members. With v = dJ/dx = W u: dJ/dr = Σ v ⊙ h, and
//! r ⊙ v = dJ/dh is what Eq. (9) goes on with.
//!
//! A batch goes through the network once for each member, as so many rows more: the products are those of a single network.

use serde::{Deserialize, Serialize};

use crate::error::{Result, setting};
use crate::kernel::{Input, Isa, Simd, VectorFn, VectorJob, load, map_columns, panels_len, store};
use crate::params::{Layout, Role};
use crate::scalar::Scalar;
use crate::spec::NetworkSpec;

/// Most members of an ensemble.
const MOST_MEMBERS: usize = 1024;

/// Networks that share most of their weights and are trained together on the same batches: the cost is the mean of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ensemble {
    /// How many they are.
    pub members: usize,
    /// What each has for itself besides its output layer.
    pub kind: EnsembleKind,
}

/// What the members of an ensemble do not share, besides the output layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnsembleKind {
    /// In every hidden layer factors of its inputs and outputs, and the bias.
    Full,
    /// Factors of what enters the first layer.
    Mini,
}

impl Ensemble {
    /// Refuses what cannot work.
    pub(crate) fn validate(&self) -> Result<()> {
        if (1..=MOST_MEMBERS).contains(&self.members) {
            return Ok(());
        }
        setting(format!("an ensemble has 1 to {MOST_MEMBERS} members, got {}", self.members))
    }
}

/// The numbers of the parameters that a layer has for each member, one row or matrix each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members {
    /// r.
    pub(crate) r: Option<usize>,
    /// s.
    pub(crate) s: Option<usize>,
    /// b, where W is shared.
    pub(crate) bias: Option<usize>,
    /// Whether W and b are one for each member.
    pub(crate) own: bool,
}

impl Members {
    /// Those of each layer of a network, the output layer last; appends all but W and b that each member has for itself to `layout`.
    pub(crate) fn of_layers<T: Scalar>(spec: &NetworkSpec, layout: &mut Layout) -> Vec<Self> {
        let layers = spec.hidden.len();
        let Some(Ensemble { members, kind }) = spec.ensemble else { return vec![Self::default(); layers + 1] };
        let mut inputs = spec.input_width();
        let mut layer = |l: usize| {
            let own = l == layers;
            let outputs = if own { spec.outputs } else { spec.hidden[l].width };
            let full = !own && kind == EnsembleKind::Full;
            let mut push = |used: bool, name: &str, role, width| {
                used.then(|| layout.push_parts::<T>(format!("layers.{l}.{name}"), role, members, (1, width)))
            };
            let r = push(l == 0 || full, "r", Role::Adapter, inputs);
            let s = push(full, "s", Role::Adapter, outputs);
            let bias = push(full, "bias", Role::Bias, outputs);
            inputs = outputs;
            Self { r, s, bias, own }
        };
        (0..=layers).map(&mut layer).collect()
    }
}

/// The sums over the rows of a block that make dJ/dr, dJ/ds and dJ/db of its member.
pub(crate) struct MemberSums<T> {
    pub(crate) r: Vec<T>,
    pub(crate) s: Vec<T>,
    pub(crate) b: Vec<T>,
}

impl<T: Scalar> MemberSums<T> {
    /// Those of a layer of `inputs` inputs and `outputs` outputs; empty for what it does not have.
    pub(crate) fn new(members: &Members, inputs: usize, outputs: usize) -> Self {
        let row = |used: Option<usize>, width| vec![T::ZERO; used.map_or(0, |_| panels_len::<T>(1, width))];
        Self { r: row(members.r, inputs), s: row(members.s, outputs), b: row(members.s, outputs) }
    }
}

/// x = r ⊙ h for all rows of a member: `h` and `x` (rows x inputs), `r` (1 x inputs).
pub(crate) fn enter<T: Scalar>(isa: Isa, shape: (usize, usize), r: &[T], h: &[T], x: &mut [T]) {
    map_columns(isa, shape, [x], [Input::Matrix(h), Input::Row(r)], &Enter);
}

/// Replaces y in `z` (rows x outputs) by z = s ⊙ y + b, `s` and `b` (1 x outputs), and keeps y if there is a place for it.
pub(crate) fn leave<T: Scalar>(
    isa: Isa,
    shape: (usize, usize),
    [s, b]: [&[T]; 2],
    z: &mut [T],
    kept: Option<&mut [T]>,
) {
    let inputs = [Input::Row(s), Input::Row(b)];
    match kept {
        None => map_columns(isa, shape, [z], inputs, &Leave),
        Some(y) => map_columns(isa, shape, [z, y], inputs, &Leave),
    }
}

/// Replaces delta in `delta` (rows x outputs) by u = s ⊙ delta. `by_s` becomes Σ delta ⊙ y and `by_b` Σ delta, both (1 x outputs).
pub(crate) fn leave_backward<T: Scalar>(
    isa: Isa,
    rows: usize,
    (s, y): (&[T], &[T]),
    delta: &mut [T],
    [by_s, by_b]: [&mut [T]; 2],
) {
    T::dispatch(isa, Backward { rows, factor: s, other: y, delta, products: by_s, totals: Some(by_b) });
}

/// Replaces v in `v` (rows x inputs) by dJ/dh = r ⊙ v. `by_r` becomes Σ v ⊙ h, (1 x inputs).
pub(crate) fn enter_backward<T: Scalar>(isa: Isa, rows: usize, (r, h): (&[T], &[T]), v: &mut [T], by_r: &mut [T]) {
    T::dispatch(isa, Backward { rows, factor: r, other: h, delta: v, products: by_r, totals: None });
}

/// anything, h, r -> h r
#[derive(Clone, Copy)]
struct Enter;
/// y, s, b -> s y + b; (y, anything), s, b -> s y + b, y
#[derive(Clone, Copy)]
struct Leave;

impl<T: Scalar> VectorFn<T, 1, 2> for Enter {
    #[inline(always)]
    fn apply<S: Simd<T>>(&self, simd: S, [_]: [S::Vector; 1], [h, r]: [S::Vector; 2]) -> [S::Vector; 1] {
        [simd.mul(h, r)]
    }
}

impl<T: Scalar> VectorFn<T, 1, 2> for Leave {
    #[inline(always)]
    fn apply<S: Simd<T>>(&self, simd: S, [y]: [S::Vector; 1], [s, b]: [S::Vector; 2]) -> [S::Vector; 1] {
        [simd.fma(s, y, b)]
    }
}

impl<T: Scalar> VectorFn<T, 2, 2> for Leave {
    #[inline(always)]
    fn apply<S: Simd<T>>(&self, simd: S, [y, _]: [S::Vector; 2], [s, b]: [S::Vector; 2]) -> [S::Vector; 2] {
        [simd.fma(s, y, b), y]
    }
}

/// Replaces each row of `delta` by its product with `factor`; before that `products` becomes the sums of delta ⊙ `other` down the
/// columns and `totals`, if given, those of delta.
struct Backward<'a, T> {
    rows: usize,
    factor: &'a [T],
    other: &'a [T],
    delta: &'a mut [T],
    products: &'a mut [T],
    totals: Option<&'a mut [T]>,
}

impl<T: Scalar> VectorJob<T> for Backward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Self { rows, factor, other, delta, products, mut totals } = self;
        for column in (0..factor.len() / T::PANEL * T::PANEL).step_by(S::LANES) {
            let first = column / T::PANEL * rows * T::PANEL + column % T::PANEL;
            let factor = load(simd, &factor[column..]);
            let (mut product, mut total) = (simd.splat(T::ZERO), simd.splat(T::ZERO));
            for row in 0..rows {
                let at = first + row * T::PANEL;
                let x = load(simd, &delta[at..]);
                product = simd.fma(x, load(simd, &other[at..]), product);
                total = simd.add(total, x);
                store(simd, simd.mul(x, factor), &mut delta[at..]);
            }
            store(simd, product, &mut products[column..]);
            if let Some(totals) = &mut totals {
                store(simd, total, &mut totals[column..]);
            }
        }
    }
}
