//! Which tile of which layer is computed when, and where it lies.

use std::ops::Range;

use super::{Operands, Outer, Outers};
use crate::kernel::panels::panel_count;
use crate::kernel::product::Tile;
use crate::scalar::Scalar;

/// Bytes of the right operand's panels that are worked on together: a part of a second-level cache.
const GROUP_LEN: usize = 512 << 10;

/// Bytes of a weight from which the next tile's parameters and operands are fetched ahead: smaller ones come soon enough without.
const LARGE: usize = 2 << 20;

/// The order of the tiles. Every thread has its part of each layer's columns, the same in every step, so that these stay in its
/// core's cache; in it groups of columns, in those the rows, in these the columns of the group.
pub(super) struct Plan<'a> {
    layers: &'a Outers,
    parts: usize,
    /// Terms of every sum.
    pub(super) rows: usize,
    /// Columns of a group in panels: as many as stay in the second-level cache, so that a panel of the left operand is fetched into
    /// it once for all of them.
    group: usize,
}

impl<'a> Plan<'a> {
    pub(super) fn new<T: Scalar>(layers: &'a Outers, operands: &dyn Operands<T>, parts: usize) -> Self {
        let rows: usize = (0..operands.blocks(0)).map(|block| operands.block(0, block).0).sum();
        let group = (GROUP_LEN / (rows * T::PANEL * size_of::<T>()).max(1)).clamp(2, 32);
        Self { layers, parts, rows, group }
    }

    pub(super) fn tasks<T: Scalar>(&self) -> usize {
        self.layers.iter().map(|layer| layer.row_tiles::<T>() * panel_count::<T>(layer.cols)).sum()
    }

    /// The layer and the tile of a task.
    pub(super) fn tile<T: Scalar>(&self, mut task: usize) -> (usize, Tile) {
        for part in 0..self.parts {
            for (number, layer) in self.layers.iter().enumerate() {
                let panels = self.panels::<T>(layer, part);
                let tiles = layer.row_tiles::<T>() * panels.len();
                if task < tiles {
                    return (number, layer.tile::<T>(panels, task, self.group));
                }
                task -= tiles;
            }
        }
        unreachable!("a task of the plan")
    }

    /// A part's panels of columns.
    fn panels<T: Scalar>(&self, layer: &Outer, part: usize) -> Range<usize> {
        let panels = panel_count::<T>(layer.cols);
        if self.parts == 1 { 0..panels } else { part * panels / self.parts..(part + 1) * panels / self.parts }
    }

    /// The layer and the tile after that of `task`, if there is something to fetch ahead for it.
    pub(super) fn next<T: Scalar>(&self, task: usize) -> Option<(usize, Tile)> {
        if !self.layers.has_large || task + 1 >= self.tasks::<T>() {
            return None;
        }
        Some(self.tile::<T>(task + 1)).filter(|&(number, _)| self.layers[number].is_large::<T>())
    }
}

impl Outer {
    /// The part of b that belongs to a tile of W, if it is one of the first row (of W', the first of all).
    pub(super) fn bias_tile(&self, tile: &Tile) -> Option<Tile> {
        match self.exchanged {
            true => (tile.col == 0).then_some(Tile { offset: 0, row: 0, rows: 1, col: 0, cols: self.rows }),
            false => (tile.row == 0).then_some(Tile { offset: tile.col, row: 0, rows: 1, ..*tile }),
        }
    }

    pub(super) fn is_large<T: Scalar>(&self) -> bool {
        self.rows * self.cols * size_of::<T>() >= LARGE
    }

    /// Where a tile's transpose starts, W' starting at `start`: it is rows `col..` of panel number `row / PANEL`.
    pub(super) fn transposed_place<T: Scalar>(&self, start: usize, tile: &Tile) -> usize {
        start + tile.row * self.cols + tile.col * T::PANEL
    }

    /// Tiles, one panel high, below one another; one for its bias even in a layer without rows.
    fn row_tiles<T: Scalar>(&self) -> usize {
        panel_count::<T>(self.rows).max(1)
    }

    /// Tile number `task` of some panels of columns.
    pub(super) fn tile<T: Scalar>(&self, panels: Range<usize>, task: usize, group: usize) -> Tile {
        if panels.len() == 1 {
            return self.tile_at::<T>(task * T::PANEL, panels.start * T::PANEL);
        }
        let group_tiles = group * self.row_tiles::<T>();
        let (first, within) = (panels.start + task / group_tiles * group, task % group_tiles);
        let width = group.min(panels.end - first);
        self.tile_at::<T>(within / width * T::PANEL, (first + within % width) * T::PANEL)
    }

    fn tile_at<T: Scalar>(&self, row: usize, col: usize) -> Tile {
        Tile {
            offset: col * self.rows + row * T::PANEL,
            row,
            rows: T::PANEL.min(self.rows - row),
            col,
            cols: T::PANEL.min(self.cols - col),
        }
    }
}
