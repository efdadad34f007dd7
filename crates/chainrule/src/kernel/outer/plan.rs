//! Which tile of which layer is computed when, and where it lies.

use std::ops::Range;

use super::turns::TOGETHER;
use super::{Operands, Outer, Outers};
use crate::kernel::panels::panel_count;
use crate::kernel::product::Tile;
use crate::scalar::Scalar;

/// Bytes of the right operand's panels that are worked on together: a part of a second-level cache.
const GROUP_LEN: usize = 512 << 10;

/// Bytes of a weight from which the next tile's parameters and operands are fetched ahead: smaller ones come soon enough without.
const LARGE: usize = 2 << 20;

/// Rows from which neighbouring tiles are computed together.
const DEEP: usize = 2_048;

/// Columns of a group in panels where tiles are computed together.
const DEEP_GROUP: usize = 4;

/// Least tasks for each thread of tiles that are computed together, so that all have about the same work.
const LEAST_TASKS: usize = 4;

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
    /// Most tiles of a task.
    together: usize,
}

/// Neighbouring tiles of a layer that one thread computes: a task.
pub(super) struct Group {
    /// The layer's.
    pub(super) number: usize,
    /// The thread's panels of columns.
    panels: Range<usize>,
    /// The tiles' numbers in these.
    pub(super) tiles: Range<usize>,
}

impl<'a> Plan<'a> {
    pub(super) fn new<T: Scalar>(layers: &'a Outers, operands: &dyn Operands<T>, parts: usize) -> Self {
        let rows: usize = (0..operands.blocks(0)).map(|block| operands.block(0, block).0).sum();
        let all: usize = layers.iter().map(Outer::tiles::<T>).sum();
        let (group, together) = match rows {
            DEEP.. => (DEEP_GROUP, (all / (LEAST_TASKS * parts)).clamp(1, TOGETHER)),
            _ => ((GROUP_LEN / (rows * T::PANEL * size_of::<T>()).max(1)).clamp(2, 32), 1),
        };
        Self { layers, parts, rows, group, together }
    }

    pub(super) fn tasks<T: Scalar>(&self) -> usize {
        if self.together == 1 {
            return self.layers.iter().map(Outer::tiles::<T>).sum();
        }
        let of = |part| self.layers.iter().map(move |layer| self.groups::<T>(layer, &self.panels::<T>(layer, part)).0);
        (0..self.parts).flat_map(of).sum()
    }

    /// Groups of some panels of a layer, tiles of each, and of all.
    #[inline(always)]
    fn groups<T: Scalar>(&self, layer: &Outer, panels: &Range<usize>) -> (usize, usize, usize) {
        let tiles = layer.row_tiles::<T>() * panels.len();
        // The sums of few columns across rows know no turns.
        let size = if layer.exchanged || layer.rows == 0 { 1 } else { self.together };
        (if size == 1 { tiles } else { tiles.div_ceil(size) }, size, tiles)
    }

    /// The tiles of a task.
    #[inline(always)]
    pub(super) fn group<T: Scalar>(&self, mut task: usize) -> Group {
        for part in 0..self.parts {
            for (number, layer) in self.layers.iter().enumerate() {
                let panels = self.panels::<T>(layer, part);
                let (groups, size, tiles) = self.groups::<T>(layer, &panels);
                if task < groups {
                    return Group { number, panels, tiles: task * size..tiles.min((task + 1) * size) };
                }
                task -= groups;
            }
        }
        unreachable!("a task of the plan")
    }

    /// Tile number `i` of a task.
    pub(super) fn tile<T: Scalar>(&self, group: &Group, i: usize) -> Tile {
        self.layers[group.number].tile::<T>(group.panels.clone(), group.tiles.start + i, self.group)
    }

    /// A part's panels of columns.
    fn panels<T: Scalar>(&self, layer: &Outer, part: usize) -> Range<usize> {
        let panels = panel_count::<T>(layer.cols);
        if self.parts == 1 { 0..panels } else { part * panels / self.parts..(part + 1) * panels / self.parts }
    }

    /// The layer and the first tile of the task after this one, if there is something to fetch ahead for it.
    pub(super) fn next<T: Scalar>(&self, task: usize) -> Option<(usize, Tile)> {
        if !self.layers.has_large || task + 1 >= self.tasks::<T>() {
            return None;
        }
        let group = self.group::<T>(task + 1);
        self.layers[group.number].is_large::<T>().then(|| (group.number, self.tile::<T>(&group, 0)))
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

    fn tiles<T: Scalar>(&self) -> usize {
        self.row_tiles::<T>() * panel_count::<T>(self.cols)
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
