//! Sums of outer products over rows: the gradient of a layer, Eq. (6), for all layers in one pass.
//!
//! grad W = Σ h delta' and grad b = Σ delta, over the rows of all blocks in order: every element is one chain, whatever the
//! blocks, the tiles or the threads. Each finished tile goes, while it is in the first-level cache, to a [`TileFn`] together with
//! the same place of other matrices (the weights, an optimizer's state), and the first of those then to its transpose.

mod plan;
mod sums;
mod tile;

use std::ops::Range;

use super::panels::{panels_len, transpose_tile};
use super::pool::{Shards, Team};
use super::product::{MOST_ACROSS, Tile};
use super::simd::Isa;
use crate::scalar::Scalar;

use plan::Plan;
pub use sums::Sums;
pub(crate) use tile::OuterJob;
pub use tile::OuterTile;

/// One layer's gradient and where it belongs in the flat buffers of all parameters.
#[derive(Clone, Debug)]
pub struct Outer {
    /// Rows of W.
    pub rows: usize,
    /// Columns of W, and of b.
    pub cols: usize,
    /// The operands change places: what is stored, and has these rows and columns, is W' = Σ delta h', with at most [`MOST_ACROSS`]
    /// rows. b has as many columns as it has rows.
    pub exchanged: bool,
    /// Where W starts.
    pub weight: usize,
    /// Where b starts, if there is one.
    pub bias: Option<usize>,
    /// Where W' starts in a buffer of its own, if it is kept.
    pub transposed: Option<usize>,
    /// Columns of W (rows of W', if that is stored) that have a gradient; that of those after them is zero, of b it is not.
    pub moving: usize,
}

/// The left and right operands, block of rows by block of rows.
pub trait Operands<T>: Sync {
    /// Blocks of layer number `layer`.
    fn blocks(&self, layer: usize) -> usize;
    /// Rows of a block, h (rows x W's rows) and delta (rows x W's columns) of layer number `layer`, in panels.
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
/// If a buffer or an operand is too small for the shapes.
#[allow(clippy::too_many_arguments)] // The operands of one equation, and what it runs on.
pub fn outer_sums<T: Scalar, const C: usize>(
    team: &mut Team,
    isa: Isa,
    shared: bool,
    layers: &[Outer],
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
        // SAFETY: the tiles of a layer are disjoint ranges of its weight, `check` has found the parameters disjoint, every task
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

/// Compares the sizes of operands and buffers with the shapes, and makes sure that no two parameters overlap.
fn check<T: Scalar>(layers: &[Outer], operands: &dyn Operands<T>, companions: Option<usize>, transposed: usize) {
    let (mut end, mut transposed_end) = (0, 0);
    for (number, layer) in layers.iter().enumerate() {
        for block in 0..operands.blocks(number) {
            let (rows, left, right) = layer.operands(operands, number, block);
            assert!(left.len() >= panels_len::<T>(rows, layer.rows), "the left operand is too small");
            assert!(right.len() >= panels_len::<T>(rows, layer.cols), "the right operand is too small");
        }
        assert!(!layer.exchanged || layer.rows <= MOST_ACROSS, "W' has too many rows");
        assert!(!layer.exchanged || layer.transposed.is_none(), "W' has no transpose beside it");
        let before = layers[..number].iter().flat_map(Outer::places::<T>);
        let [weight, bias] = layer.places::<T>();
        assert!(!overlap(&weight, &bias), "a bias overlaps its weight");
        for place in before {
            assert!(!overlap(&place, &weight) && !overlap(&place, &bias), "parameters overlap");
        }
        end = end.max(weight.end).max(bias.end);
        if let Some(start) = layer.transposed {
            assert!(start >= transposed_end, "transposed weights overlap or are not in order");
            transposed_end = start + panels_len::<T>(layer.cols, layer.rows);
        }
    }
    assert!(companions.is_none_or(|len| len >= end), "a companion is smaller than the parameters");
    assert!(transposed == 0 || transposed >= transposed_end, "the buffer of the transposed weights is too small");
    assert!(transposed == 0 || companions.is_some(), "the transpose is that of the first companion");
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
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

    /// Where W and b lie.
    fn places<T: Scalar>(&self) -> [Range<usize>; 2] {
        let weight = self.weight..self.weight + panels_len::<T>(self.rows, self.cols);
        let cols = if self.exchanged { self.rows } else { self.cols };
        let bias = self.bias.map_or(weight.end..weight.end, |bias| bias..bias + panels_len::<T>(1, cols));
        [weight, bias]
    }
}
