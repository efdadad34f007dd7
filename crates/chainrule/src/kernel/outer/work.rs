//! What is done with a task of the plan: the sums of its tiles, and the update of what stands at their places.

use std::ops::Range;

use super::plan::Plan;
use super::sums::Sums;
use super::tile::OuterTile;
use super::{Operands, Outer, Outers, Part, TileFn};
use crate::kernel::panels::transpose_tile;
use crate::kernel::pool::Shards;
use crate::kernel::product::Tile;
use crate::kernel::simd::Isa;
use crate::scalar::Scalar;

/// What all tasks have in common.
pub(super) struct Work<'a, T, F, const C: usize> {
    pub(super) isa: Isa,
    pub(super) layers: &'a Outers,
    pub(super) plan: Plan<'a>,
    pub(super) operands: &'a dyn Operands<T>,
    pub(super) companions: [Shards<T>; C],
    pub(super) transposed: Shards<T>,
    /// Whether the transposes follow the weights.
    pub(super) follows: bool,
    /// Whether the first layer's h is sparse.
    pub(super) sparse: bool,
    pub(super) f: &'a F,
}

impl<T: Scalar, F: TileFn<T, C>, const C: usize> Work<'_, T, F, C> {
    /// Does a task, each once.
    pub(super) fn run(&self, task: usize) {
        let group = self.plan.group::<T>(task);
        match group.tiles.len() {
            1 => self.tile(task, group.number, self.plan.tile::<T>(&group, 0)),
            _ => self.tiles_in_turns(&group),
        }
    }

    /// A tile by itself.
    #[inline(always)]
    fn tile(&self, task: usize, number: usize, tile: Tile) {
        let mut room;
        let ahead = match self.plan.next::<T>(task) {
            Some((number, next)) => {
                room = [(std::ptr::null(), 0); STRETCHES];
                self.ahead(&mut room, number, &tile, &next)
            }
            None => &[],
        };
        let mut sums = Sums::new();
        self.add(number, tile, 0..self.operands.blocks(number), ahead, &mut sums);
        self.finish(number, tile, &mut sums);
    }

    /// Adds what the rows of `blocks` give to a tile's sums; those of the first blocks are their first terms.
    #[inline(always)]
    pub(super) fn add(
        &self,
        number: usize,
        tile: Tile,
        blocks: Range<usize>,
        ahead: &[(*const T, usize)],
        sums: &mut Sums<T>,
    ) {
        let (operands, layer, sparse) = (self.operands, &self.layers[number], self.sparse && number == 0);
        T::outer_tile(self.isa, &OuterTile { operands, layer, number, tile, blocks, sparse, ahead }, sums);
    }

    /// Hands the finished sums of a tile, and of the columns beside it, to `f`.
    #[inline(always)]
    pub(super) fn finish(&self, number: usize, tile: Tile, sums: &mut Sums<T>) {
        let layer = &self.layers[number];
        // SAFETY: the tiles of a layer are disjoint ranges of its weight, `Outers::new` has found the parameters disjoint, every task
        // is run once, and the exclusive borrows of the buffers outlive `outer_sums`.
        let parts = |start: usize, tile: &Tile| unsafe {
            self.companions.each_ref().map(|c| c.part(start + tile.offset, tile.range::<T>().len()))
        };
        let mut weights = parts(layer.weight, &tile);
        let weight_parts = weights.each_mut().map(|part| &mut **part);
        self.f.apply(self.isa, Part::Weight(number), tile, sums.weight(tile.rows), weight_parts);
        if let (true, Some(start), Some(weight), 1..) = (self.follows, layer.transposed, weights.first(), tile.rows) {
            let offset = layer.transposed_place::<T>(start, &tile);
            // SAFETY: as above, in the transpose; `tile.row` is a multiple of PANEL.
            let to = unsafe { self.transposed.part(offset, tile.cols * T::PANEL) };
            transpose_tile(self.isa, weight, tile.rows, to);
        }
        if let (Some(bias), Some(tile)) = (layer.bias, layer.bias_tile(&tile)) {
            if !layer.exchanged {
                sums.clear_bias(tile.cols);
            }
            self.f.apply(self.isa, Part::Bias(number), tile, sums.bias(), parts(bias, &tile));
        }
    }

    /// What to fetch during a tile for the next one, which is of layer number `number`: its parameters and its operands' panels.
    fn ahead<'r>(
        &self,
        room: &'r mut [(*const T, usize); STRETCHES],
        number: usize,
        tile: &Tile,
        next: &Tile,
    ) -> &'r [(*const T, usize)] {
        let layer = &self.layers[number];
        let state = self.companions.iter().map(|c| c.address(layer.weight + next.offset));
        let place = |start| self.transposed.address(layer.transposed_place::<T>(start, next));
        let own = state
            .chain(layer.transposed.filter(|_| self.follows).map(place))
            .map(|at| (at, next.range::<T>().len()))
            .filter(|_| self.plan.rows >= LONG);
        let new = (next.row != tile.row, next.col != tile.col);
        let blocks = 0..self.operands.blocks(number);
        fill(room, own.chain(panels(self.operands, (number, layer), next, new, blocks)))
    }
}

/// Most stretches of memory that are fetched ahead.
pub(super) const STRETCHES: usize = 40;

/// Terms of a sum from which there is time to fetch the next tile's parameters too: with fewer, memory is as busy as can be.
const LONG: usize = 256;

/// The stretches of a list, as many as there is room for.
pub(super) fn fill<T>(
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

/// A tile's panels of the left operand, if the first is true, and of the right, if the second is, in these blocks.
pub(super) fn panels<'a, T: Scalar>(
    operands: &'a dyn Operands<T>,
    (number, layer): (usize, &'a Outer),
    &Tile { row, col, .. }: &Tile,
    (of_left, of_right): (bool, bool),
    blocks: Range<usize>,
) -> impl Iterator<Item = (*const T, usize)> + use<'a, T> {
    blocks.flat_map(move |block| {
        let (rows, left, right) = layer.operands(operands, number, block);
        let left = (of_left && !left.is_empty()).then(|| (left[row * rows..].as_ptr(), rows * T::PANEL));
        let right = of_right.then(|| (right[col * rows..].as_ptr(), rows * T::PANEL));
        left.into_iter().chain(right)
    })
}
