//! Sums of outer products over rows: the gradient of a layer, Eq. (6), for all layers in one pass.
//!
//! grad W = Σ h delta' and grad b = Σ delta, over the rows of all blocks in order: every element is one chain, whatever the
//! blocks, the tiles or the threads. Each finished tile goes, while it is in the first-level cache, to a [`TileFn`] together with
//! the same place of other matrices (the weights, an optimizer's state), and the first of those then to its transpose.

mod layers;
mod plan;
mod sums;
mod tile;
mod turns;
mod work;

use super::panels::{panels_len, stored_len};
use super::pool::{Shards, Team};
use super::product::Tile;
use super::simd::Isa;
use super::sparse::SparseRows;
use crate::scalar::Scalar;

pub use layers::{Outer, Outers};
use plan::Plan;
pub use sums::Sums;
pub(super) use sums::{add, load, store};
pub(crate) use tile::OuterJob;
pub use tile::OuterTile;
use work::Work;

/// The left and right operands, block of rows by block of rows.
pub trait Operands<T>: Sync {
    /// Blocks of layer number `layer`.
    fn blocks(&self, layer: usize) -> usize;
    /// Rows of a block, h (rows x W's rows) and delta (rows x W's columns) of layer number `layer`, in panels (delta in lines where they
    /// change places).
    fn block(&self, layer: usize, block: usize) -> (usize, &[T], &[T]);
    /// h of a block of the first layer, if it is sparse: of all blocks or of none. That of `block` means nothing then.
    fn sparse(&self, _block: usize) -> Option<&SparseRows<T>> {
        None
    }
}

/// Which parameter a tile is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// W of the layer of this number.
    Weight(usize),
    /// b of the layer of this number.
    Bias(usize),
}

/// What happens to a tile of the gradient; `parts` are the parts of the companions at the tile's place.
pub trait TileFn<T: Scalar, const C: usize>: Sync {
    /// Takes the finished sums in `gradient`.
    fn apply(&self, isa: Isa, part: Part, tile: Tile, gradient: &mut [T], parts: [&mut [T]; C]);
}

/// Computes the gradients of `layers`, tile by tile on `team` (if `shared`, see [`Team::run`]), and hands each tile to `f`.
///
/// `companions` are flat buffers of all parameters; `transposed` holds the W' of the layers that keep one, or nothing where W does
/// not change.
///
/// # Panics
/// If a buffer or an operand is too small for the shapes, or `layers` were made for another type of number.
#[allow(clippy::too_many_arguments)] // The operands of one equation, and what it runs on.
pub fn outer_sums<T: Scalar, const C: usize>(
    team: &mut Team,
    isa: Isa,
    shared: bool,
    layers: &Outers,
    operands: &dyn Operands<T>,
    companions: [&mut [T]; C],
    transposed: &mut [T],
    f: &impl TileFn<T, C>,
) {
    let sparse = check::<T>(layers, operands, companions.iter().map(|c| c.len()).min(), transposed.len());
    let follows = !transposed.is_empty();
    let companions = companions.map(Shards::new);
    let transposed = Shards::new(transposed);
    let plan = Plan::new::<T>(layers, operands, if shared { team.threads() } else { 1 });
    let tasks = plan.tasks::<T>();
    let work = Work { isa, layers, plan, operands, companions, transposed, follows, sparse, f };
    team.run(tasks, shared, &|task| work.run(task));
}

/// Compares the sizes of operands and buffers with the shapes. Returns whether the first layer's h is sparse.
fn check<T: Scalar>(layers: &Outers, operands: &dyn Operands<T>, companions: Option<usize>, transposed: usize) -> bool {
    let sparse = operands.blocks(0) > 0 && operands.sparse(0).is_some();
    for (number, layer) in layers.iter().enumerate() {
        for block in 0..operands.blocks(number) {
            let (rows, left, right) = layer.operands(operands, number, block);
            if sparse && number == 0 {
                let fits =
                    |h: &SparseRows<T>| (h.rows(), h.width()) == (rows, layer.rows) && h.is_ready_for_sums(layer.cols);
                let all = operands.sparse(block).is_some_and(fits) && !layer.exchanged;
                assert!(all, "the left operand has another shape");
            } else {
                let len = stored_len::<T>(layer.exchanged, rows, layer.rows);
                assert!(left.len() >= len, "the left operand is too small");
            }
            assert!(right.len() >= panels_len::<T>(rows, layer.cols), "the right operand is too small");
        }
    }
    let [parameters, transposes] = layers.lens::<T>();
    assert!(companions.is_none_or(|len| len >= parameters), "a companion is smaller than the parameters");
    assert!(transposed == 0 || transposed >= transposes, "the buffer of the transposed weights is too small");
    assert!(transposed == 0 || companions.is_some(), "the transpose is that of the first companion");
    sparse
}

impl Outer {
    /// Rows of a block, left and right operand, layer number `number` being this.
    fn operands<'a, T>(&self, operands: &'a dyn Operands<T>, number: usize, block: usize) -> (usize, &'a [T], &'a [T]) {
        let (rows, h, delta) = operands.block(number, block);
        if self.exchanged { (rows, delta, h) } else { (rows, h, delta) }
    }
}
