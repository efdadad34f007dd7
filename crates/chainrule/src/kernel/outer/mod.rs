//! Sums of outer products over rows: the gradient of a layer, Eq. (6), for all layers in one pass.
//!
//! grad W = Σ h delta' and grad b = Σ delta, over the rows of all blocks in order: every element is one chain, whatever the
//! blocks, the tiles or the threads. Each finished tile goes, while it is in the first-level cache, to a [`TileFn`] together with
//! the same place of other matrices (the weights, an optimizer's state), and the first of those then to its transpose.

mod layers;
mod plan;
mod sums;
mod tile;

use super::panels::{panels_len, stored_len, transpose_tile};
use super::pool::{Shards, Team};
use super::product::Tile;
use super::simd::Isa;
use crate::scalar::Scalar;

pub use layers::{Outer, Outers};
use plan::Plan;
pub use sums::Sums;
pub(crate) use tile::OuterJob;
pub use tile::OuterTile;

/// The left and right operands, block of rows by block of rows.
pub trait Operands<T>: Sync {
    /// Blocks of layer number `layer`.
    fn blocks(&self, layer: usize) -> usize;
    /// Rows of a block, h (rows x W's rows) and delta (rows x W's columns) of layer number `layer`, in panels (delta in lines where they
    /// change places).
    fn block(&self, layer: usize, block: usize) -> (usize, &[T], &[T]);
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
    check::<T>(layers, operands, companions.iter().map(|c| c.len()).min(), transposed.len());
    let follows = !transposed.is_empty();
    let companions = companions.map(Shards::new);
    let transposed = Shards::new(transposed);
    let plan = Plan::new::<T>(layers, operands, if shared { team.threads() } else { 1 });
    team.run(plan.tasks::<T>(), shared, &|task| {
        let (number, tile) = plan.tile::<T>(task);
        let layer = &layers[number];
        let mut sums = Sums::new();
        let mut room;
        let ahead = match plan.next::<T>(task) {
            Some((number, next)) => {
                let layer = &layers[number];
                let state = companions.iter().map(|c| c.address(layer.weight + next.offset));
                let place = |start| transposed.address(layer.transposed_place::<T>(start, &next));
                let own = state
                    .chain(layer.transposed.filter(|_| follows).map(place))
                    .map(|at| (at, next.range::<T>().len()));
                let own = own.filter(|_| plan.rows >= LONG);
                room = [(std::ptr::null(), 0); STRETCHES];
                fill(&mut room, own.chain(panels(operands, layer, number, &tile, &next)))
            }
            None => &[],
        };
        T::outer_tile(isa, &OuterTile { operands, layer, number, tile, ahead }, &mut sums);
        // SAFETY: the tiles of a layer are disjoint ranges of its weight, `Outers::new` has found the parameters disjoint, every task
        // is run once, and the exclusive borrows of the buffers outlive `run`.
        let parts = |start: usize, tile: &Tile| unsafe {
            companions.each_ref().map(|c| c.part(start + tile.offset, tile.range::<T>().len()))
        };
        let mut weights = parts(layer.weight, &tile);
        let weight_parts = weights.each_mut().map(|part| &mut **part);
        f.apply(isa, Part::Weight(number), tile, sums.weight(tile.rows), weight_parts);
        if let (true, Some(start), Some(weight), 1..) = (follows, layer.transposed, weights.first(), tile.rows) {
            let offset = layer.transposed_place::<T>(start, &tile);
            // SAFETY: as above, in the transpose; `tile.row` is a multiple of PANEL.
            let to = unsafe { transposed.part(offset, tile.cols * T::PANEL) };
            transpose_tile(isa, weight, tile.rows, to);
        }
        if let (Some(bias), Some(tile)) = (layer.bias, layer.bias_tile(&tile)) {
            if !layer.exchanged {
                sums.clear_bias(tile.cols);
            }
            f.apply(isa, Part::Bias(number), tile, sums.bias(), parts(bias, &tile));
        }
    });
}

/// Compares the sizes of operands and buffers with the shapes.
fn check<T: Scalar>(layers: &Outers, operands: &dyn Operands<T>, companions: Option<usize>, transposed: usize) {
    for (number, layer) in layers.iter().enumerate() {
        for block in 0..operands.blocks(number) {
            let (rows, left, right) = layer.operands(operands, number, block);
            assert!(left.len() >= stored_len::<T>(layer.exchanged, rows, layer.rows), "the left operand is too small");
            assert!(right.len() >= panels_len::<T>(rows, layer.cols), "the right operand is too small");
        }
    }
    let [parameters, transposes] = layers.lens::<T>();
    assert!(companions.is_none_or(|len| len >= parameters), "a companion is smaller than the parameters");
    assert!(transposed == 0 || transposed >= transposes, "the buffer of the transposed weights is too small");
    assert!(transposed == 0 || companions.is_some(), "the transpose is that of the first companion");
}

/// Most stretches of memory that are fetched ahead of the next tile.
const STRETCHES: usize = 40;

/// Terms of a sum from which there is time to fetch the next tile's parameters too: with fewer, memory is as busy as can be.
const LONG: usize = 256;

/// The stretches of a list, as many as there is room for.
fn fill<T>(
    room: &mut [(*const T, usize); STRETCHES],
    stretches: impl Iterator<Item = (*const T, usize)>,
) -> &[(*const T, usize)] {
    let mut count = 0;
    for (slot, stretch) in room.iter_mut().zip(stretches) {
        *slot = stretch;
        count += 1;
    }
    &room[..count]
}

/// The panels of the operands that the next tile needs and this one does not.
fn panels<'a, T: Scalar>(
    operands: &'a dyn Operands<T>,
    layer: &'a Outer,
    number: usize,
    tile: &Tile,
    next: &Tile,
) -> impl Iterator<Item = (*const T, usize)> + use<'a, T> {
    let (row, col) = (next.row, next.col);
    let (new_row, new_col) = (row != tile.row, col != tile.col);
    (0..operands.blocks(number)).flat_map(move |block| {
        let (rows, left, right) = layer.operands(operands, number, block);
        let left = new_row.then(|| (left[row * rows..].as_ptr(), rows * T::PANEL));
        let right = new_col.then(|| (right[col * rows..].as_ptr(), rows * T::PANEL));
        left.into_iter().chain(right)
    })
}

impl Outer {
    /// Rows of a block, left and right operand, layer number `number` being this.
    fn operands<'a, T>(&self, operands: &'a dyn Operands<T>, number: usize, block: usize) -> (usize, &'a [T], &'a [T]) {
        let (rows, h, delta) = operands.block(number, block);
        if self.exchanged { (rows, delta, h) } else { (rows, h, delta) }
    }
}
