//! Tiles of sums over very many rows: a tile by itself would read whole panels, which no cache holds, from memory.

use super::TileFn;
use super::plan::Group;
use super::sums::Sums;
use super::work::{STRETCHES, Work, fill, panels};
use crate::kernel::product::Tile;
use crate::scalar::Scalar;

/// Most tiles that are computed together: four by four, where the layer and the thread's part of it have so many.
pub(super) const TOGETHER: usize = 16;

/// Rows of a turn: so many of the panels of the tiles, and of those of the next turn, stay in the second-level cache.
const TURN: usize = 256;

impl<T: Scalar, F: TileFn<T, C>, const C: usize> Work<'_, T, F, C> {
    /// Tiles together: some rows give their terms to all of them, then the next, which meanwhile have been fetched.
    #[inline(never)] // Its room on the stack is not for a tile by itself.
    pub(super) fn tiles_in_turns(&self, group: &Group) {
        let number = group.number;
        let last = group.tiles.len() - 1;
        let tiles: [_; TOGETHER] = std::array::from_fn(|i| self.plan.tile::<T>(group, i.min(last)));
        let tiles = &tiles[..=last];
        let mut sums: [Sums<T>; TOGETHER] = std::array::from_fn(|_| Sums::new());
        let blocks = self.operands.blocks(number);
        let turn = (TURN / self.operands.block(number, 0).0.max(1)).max(1);
        for first in (0..blocks).step_by(turn) {
            let now = first..blocks.min(first + turn);
            let mut room = [(std::ptr::null(), 0); STRETCHES];
            let next = now.end..blocks.min(now.end + turn);
            let ahead = fill(
                &mut room,
                tiles.iter().enumerate().flat_map(|(i, tile)| {
                    let new = |same: fn(&Tile, &Tile) -> bool| !tiles[..i].iter().any(|before| same(before, tile));
                    let new = (new(|a, b| a.row == b.row), new(|a, b| a.col == b.col));
                    panels(self.operands, (number, &self.layers[number]), tile, new, next.clone())
                }),
            );
            let mut shares = ahead.chunks(ahead.len().div_ceil(tiles.len()).max(1));
            for (&tile, sums) in tiles.iter().zip(&mut sums) {
                self.add(number, tile, now.clone(), shares.next().unwrap_or_default(), sums);
            }
        }
        for (&tile, sums) in tiles.iter().zip(&mut sums) {
            self.finish(number, tile, sums);
        }
    }
}
