//! Sums of outer products over rows: the gradient of a layer, Eq. (6), for all layers in one pass.
//!
//! grad W = Σ h delta' and grad b = Σ delta, over the rows of all blocks in order: every element is one chain, whatever the
//! blocks, the tiles or the threads. Each finished tile goes, while it is in the first-level cache, to a [`TileFn`] together with
//! the same place of other matrices (the weights, an optimizer's state), and the first of those then to its transpose.

use std::mem::MaybeUninit;
use std::ops::Range;

use super::ahead::Queue;
use super::chain::{Walk, by_size, chain};
use super::panels::{panel_count, panels_len, transpose_tile};
use super::pool::{Shards, Team};
use super::product::{MOST_ACROSS, Tile};
use super::simd::{Isa, Simd, VectorJob};
use crate::scalar::Scalar;

/// Bytes of the right operand's panels that are worked on together: a part of a second-level cache.
const GROUP_LEN: usize = 512 << 10;

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

/// The order of the tiles. Every thread has its part of each layer's columns, the same in every step, so that these stay in its
/// core's cache; in it groups of columns, in those the rows, in these the columns of the group.
struct Plan<'a> {
    layers: &'a [Outer],
    parts: usize,
    /// Terms of every sum.
    rows: usize,
    /// Columns of a group in panels: as many as stay in the second-level cache, so that a panel of the left operand is fetched into
    /// it once for all of them.
    group: usize,
}

impl<'a> Plan<'a> {
    fn new<T: Scalar>(layers: &'a [Outer], operands: &dyn Operands<T>, parts: usize) -> Self {
        let rows: usize = (0..operands.blocks(0)).map(|block| operands.block(0, block).0).sum();
        let group = (GROUP_LEN / (rows * T::PANEL * size_of::<T>()).max(1)).clamp(2, 32);
        Self { layers, parts, rows, group }
    }

    fn tasks<T: Scalar>(&self) -> usize {
        self.layers.iter().map(|layer| layer.row_tiles::<T>() * panel_count::<T>(layer.cols)).sum()
    }

    /// The layer and the tile of a task.
    fn tile<T: Scalar>(&self, mut task: usize) -> (usize, Tile) {
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
    fn next<T: Scalar>(&self, task: usize) -> Option<(usize, Tile)> {
        if !self.layers.iter().any(Outer::is_large::<T>) || task + 1 >= self.tasks::<T>() {
            return None;
        }
        Some(self.tile::<T>(task + 1)).filter(|&(number, _)| self.layers[number].is_large::<T>())
    }
}

/// Most lanes of a register.
const MOST_LANES: usize = 16;

/// Most stretches of memory that are fetched ahead of the next tile.
const STRETCHES: usize = 40;

/// Terms of a sum from which there is time to fetch the next tile's parameters too: with fewer, memory is as busy as can be.
const LONG: usize = 256;

/// Bytes of a weight from which they are: smaller ones come soon enough without.
const LARGE: usize = 2 << 20;

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

    /// The part of b that belongs to a tile of W, if it is one of the first row (of W', the first of all).
    fn bias_tile(&self, tile: &Tile) -> Option<Tile> {
        match self.exchanged {
            true => (tile.col == 0).then_some(Tile { offset: 0, row: 0, rows: 1, col: 0, cols: self.rows }),
            false => (tile.row == 0).then_some(Tile { offset: tile.col, row: 0, rows: 1, ..*tile }),
        }
    }

    fn is_large<T: Scalar>(&self) -> bool {
        self.rows * self.cols * size_of::<T>() >= LARGE
    }

    /// Where a tile's transpose starts, W' starting at `start`: it is rows `col..` of panel number `row / PANEL`.
    fn transposed_place<T: Scalar>(&self, start: usize, tile: &Tile) -> usize {
        start + tile.row * self.cols + tile.col * T::PANEL
    }

    /// Tiles, one panel high, below one another; one for its bias even in a layer without rows.
    fn row_tiles<T: Scalar>(&self) -> usize {
        panel_count::<T>(self.rows).max(1)
    }

    /// Tile number `task` of some panels of columns.
    fn tile<T: Scalar>(&self, panels: Range<usize>, task: usize, group: usize) -> Tile {
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

/// One tile of a layer's grad W.
pub struct OuterTile<'a, T> {
    operands: &'a dyn Operands<T>,
    layer: &'a Outer,
    number: usize,
    pub(super) tile: Tile,
    /// Start and elements of the stretches of memory to fetch meanwhile.
    ahead: &'a [(*const T, usize)],
}

/// The sums of a tile, and of the columns beside it, on the stack.
#[repr(align(128))]
pub struct Sums<T> {
    weight: [[MaybeUninit<T>; 32]; 32],
    bias: [T; 32],
    /// Elements of `weight` that are set.
    set: usize,
}

impl<T: Scalar> Sums<T> {
    #[inline(always)]
    fn new() -> Self {
        Self { weight: [[const { MaybeUninit::uninit() }; 32]; 32], bias: [T::ZERO; 32], set: 0 }
    }

    fn weight(&mut self, rows: usize) -> &mut [T] {
        let elements = &mut self.weight.as_flattened_mut()[..rows * T::PANEL];
        assert!(elements.len() <= self.set);
        // SAFETY: the first `set` elements are set.
        unsafe { std::slice::from_raw_parts_mut(elements.as_mut_ptr().cast(), elements.len()) }
    }

    /// Makes `bias` zero from element `cols` on: what stands in the rest of its register is no sum.
    fn clear_bias(&mut self, cols: usize) {
        if !cols.is_multiple_of(MOST_LANES) {
            self.bias[cols..].fill(T::ZERO);
        }
    }

    fn bias(&mut self) -> &mut [T] {
        &mut self.bias[..T::PANEL]
    }

    /// Writes registers of the first R rows of `weight` from `lane` on.
    #[inline(always)]
    pub(super) fn set_rows<S: Simd<T>, const R: usize, const V: usize>(
        &mut self,
        simd: S,
        lane: usize,
        rows: [[S::Vector; V]; R],
    ) {
        assert!(lane + V * S::LANES <= T::PANEL && R <= T::PANEL);
        // SAFETY: inside the rows, as just asserted.
        unsafe { store(simd, rows, self.weight.as_mut_ptr().cast::<T>().add(lane)) };
    }

    /// Makes the first lane of each register an element of `bias`.
    #[inline(always)]
    pub(super) fn set_bias<S: Simd<T>, const R: usize>(&mut self, simd: S, totals: [S::Vector; R]) {
        for (bias, total) in self.bias.iter_mut().zip(totals) {
            let mut lanes = [T::ZERO; 32];
            // SAFETY: LANES <= 32.
            unsafe { simd.store(lanes.as_mut_ptr(), total) };
            *bias = lanes[0];
        }
    }
}

/// Computes the sums of a tile, and of its columns where it stands in the first row.
pub(crate) struct OuterJob<'a, T> {
    pub(crate) tile: &'a OuterTile<'a, T>,
    pub(crate) sums: &'a mut Sums<T>,
}

impl<T: Scalar> VectorJob<T> for OuterJob<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(mut self, simd: S) {
        let Tile { row, rows, cols, .. } = self.tile.tile;
        let exchanged = self.tile.layer.exchanged;
        let out = self.sums.weight.as_mut_ptr().cast::<T>();
        let vectors = cols.div_ceil(S::LANES);
        // Of few columns most lanes would be padding: the transpose fills them, and its chains are the same.
        let narrow = !exchanged && 2 * cols <= S::LANES && cols <= S::TILE.0;
        if !exchanged && row == 0 && (narrow || rows == 0) {
            self.tile.column_sums(simd, self.tile.tile.col, vectors, &mut self.sums.bias);
        }
        if exchanged {
            self.across(simd);
        } else if narrow {
            self.tile.narrow(simd, out);
        } else {
            self.wide(simd);
        }
        // SAFETY: `weight` has room for a whole panel's rows.
        unsafe { self.tile.hold(simd, out) };
        self.sums.set = rows * T::PANEL;
    }
}

impl<T: Scalar> OuterJob<'_, T> {
    /// h' delta.
    #[inline(always)]
    fn wide<S: Simd<T>>(&mut self, simd: S) {
        let Tile { row, rows, cols, .. } = self.tile.tile;
        let vectors = cols.div_ceil(S::LANES);
        let out = self.sums.weight.as_mut_ptr().cast::<T>();
        let mut ahead = Queue::new(self.tile.ahead.iter().copied());
        let mut start = Some((0, 0));
        while let Some(place) = start {
            let part = self.tile.part(place);
            start = part.next;
            for vector in (0..vectors).step_by(S::TILE.1) {
                let (lane, registers) = (vector * S::LANES, S::TILE.1.min(vectors - vector));
                let blocks = rows.div_ceil(if registers == 1 { S::TALL } else { S::TILE.0 });
                for block in 0..blocks {
                    let (from, to) = (block * rows / blocks, (block + 1) * rows / blocks);
                    by_size!(S, to - from, registers, {
                        // SAFETY: the rows and lanes lie inside the tile, the tile inside the shapes that `check` has compared
                        // with the operands.
                        unsafe {
                            let out = out.add(from * T::PANEL + lane);
                            let bias = self.sums.bias.as_mut_ptr().add(lane);
                            if row == 0 && block == 0 {
                                part.sums::<S, R, V, true>(simd, &mut ahead, from, lane, (out, bias));
                            } else {
                                part.sums::<S, R, V, false>(simd, &mut ahead, from, lane, (out, bias));
                            }
                        }
                    });
                }
            }
        }
    }
}

/// Most rows of a part: so many of a panel of each operand stay in the first-level cache while all registers' turns pass.
const PART_ROWS: usize = 128;

/// Most stretches of a part.
const PART_STRETCHES: usize = 2;

/// Some rows of the operands where they meet a tile, as stretches that are contiguous in memory.
struct PartOfTile<T> {
    /// Rows, left and right operand at the tile's first row and column.
    stretches: [(usize, *const T, *const T); PART_STRETCHES],
    count: usize,
    /// Whether there are none before them.
    first: bool,
    /// Block and row where the next part starts, if there is one.
    next: Option<(usize, usize)>,
}

impl<'a, T: Scalar> OuterTile<'a, T> {
    /// Rows of each block, and the operands' panels at the tile's first row and column.
    #[inline(always)]
    pub(super) fn blocks(&self) -> impl Iterator<Item = (usize, &'a [T], &'a [T])> + use<'a, T> {
        let (operands, layer, number, tile) = (self.operands, self.layer, self.number, self.tile);
        (0..operands.blocks(number)).map(move |block| {
            let (rows, left, right) = layer.operands(operands, number, block);
            (rows, &left[tile.row * rows..], &right[tile.col * rows..])
        })
    }

    /// The part that starts at row `row` of block `block`.
    #[inline(always)]
    fn part(&self, (mut block, mut row): (usize, usize)) -> PartOfTile<T> {
        let none = (0, std::ptr::null(), std::ptr::null());
        let first = (block, row) == (0, 0);
        let mut part = PartOfTile { stretches: [none; PART_STRETCHES], count: 0, first, next: None };
        let mut room = PART_ROWS;
        while block < self.operands.blocks(self.number) {
            if room == 0 || part.count == PART_STRETCHES {
                part.next = Some((block, row));
                break;
            }
            let (rows, left, right) = self.layer.operands(self.operands, self.number, block);
            // The first column is a multiple of the panel's width; an operand without columns has no elements to point at.
            let from = |operand: &[T], col: usize| operand[(col * rows + row * T::PANEL).min(operand.len())..].as_ptr();
            let taken = room.min(rows - row);
            part.stretches[part.count] = (taken, from(left, self.tile.row), from(right, self.tile.col));
            part.count += 1;
            room -= taken;
            (block, row) = if row + taken == rows { (block + 1, 0) } else { (block, row + taken) };
        }
        part
    }

    /// Makes the gradient of the columns that do not move zero, and the padding, where anything may stand in the operands or in
    /// `out`.
    ///
    /// # Safety
    /// `out` must hold the tile's rows.
    #[inline(always)]
    unsafe fn hold<S: Simd<T>>(&self, simd: S, out: *mut T) {
        let (Tile { rows, col, cols, .. }, &Outer { exchanged, moving, .. }) = (self.tile, self.layer);
        let moves = if exchanged { cols } else { moving.saturating_sub(col).min(cols) };
        for r in 0..if moves < T::PANEL || exchanged { rows } else { 0 } {
            let first = if exchanged && r >= moving { 0 } else { moves };
            let whole = first.next_multiple_of(S::LANES);
            // SAFETY: inside row r; a panel's row holds whole registers.
            unsafe {
                let row = out.add(r * T::PANEL);
                for c in first..whole {
                    row.add(c).write(T::ZERO);
                }
                for c in (whole..T::PANEL).step_by(S::LANES) {
                    simd.store(row.add(c), simd.splat(T::ZERO));
                }
            }
        }
    }

    /// delta' h instead of h' delta, written transposed.
    #[inline(always)]
    fn narrow<S: Simd<T>>(&self, simd: S, out: *mut T) {
        let Tile { rows, cols, .. } = self.tile;
        let vectors = rows.div_ceil(S::LANES);
        let mut transposed = [[T::ZERO; 32]; 8];
        let mut ahead = Queue::new(self.ahead.iter().copied());
        let mut start = Some((0, 0));
        while let Some(place) = start {
            let part = self.part(place).exchanged();
            start = part.next;
            for vector in (0..vectors).step_by(S::TILE.1) {
                let lane = vector * S::LANES;
                by_size!(S, cols, S::TILE.1.min(vectors - vector), {
                    // SAFETY: as in `run`, with the operands' roles exchanged; there are at most LANES / 2 <= 8 columns.
                    unsafe {
                        let to = transposed.as_mut_ptr().cast::<T>().add(lane);
                        part.sums::<S, R, V, false>(simd, &mut ahead, 0, lane, (to, to));
                    }
                });
            }
        }
        let transposed = transposed.as_flattened();
        for r in 0..rows {
            for c in 0..cols {
                // SAFETY: `out` holds `rows` rows.
                unsafe { out.add(r * T::PANEL + c).write(transposed[c * T::PANEL + r]) };
            }
        }
    }

    /// The sums down `vectors` registers of columns of delta from `col` on, one chain each over the rows of all blocks.
    #[inline(always)]
    fn column_sums<S: Simd<T>>(&self, simd: S, col: usize, vectors: usize, out: &mut [T; 32]) {
        for v in 0..vectors {
            let mut sum = simd.splat(T::ZERO);
            for block in 0..self.operands.blocks(self.number) {
                let (rows, _, delta) = self.operands.block(self.number, block);
                let panel = &delta[col * rows..][..rows * T::PANEL];
                for row in panel.chunks_exact(T::PANEL) {
                    // SAFETY: a panel's row holds whole registers.
                    sum = simd.add(sum, unsafe { simd.load(row.as_ptr().add(v * S::LANES)) });
                }
            }
            // SAFETY: as above, in `out`.
            unsafe { store(simd, [[sum]], out.as_mut_ptr().add(v * S::LANES)) };
        }
    }
}

impl<T: Scalar> PartOfTile<T> {
    /// With exchanged operands: Σ delta' h.
    #[inline(always)]
    fn exchanged(self) -> Self {
        Self { stretches: self.stretches.map(|(rows, left, right)| (rows, right, left)), ..self }
    }

    /// Σ h' delta of rows `from .. from + R` of the tile and V registers of its columns from `lane` on, added to what the parts
    /// before have left in `out`, whose rows are a panel's. If `TOTAL`, the sums of the registers as well, in `total_out`.
    ///
    /// # Safety
    /// Rows and lanes must lie inside the tile, the tile inside the operands; `out` must hold R rows, `total_out` one.
    #[inline(always)]
    unsafe fn sums<S: Simd<T>, const R: usize, const V: usize, const TOTAL: bool>(
        &self,
        simd: S,
        ahead: &mut Queue<T, impl Iterator<Item = (*const T, usize)>>,
        from: usize,
        lane: usize,
        (out, total_out): (*mut T, *mut T),
    ) {
        let mut sums = [[simd.splat(T::ZERO); V]; R];
        let mut total = [simd.splat(T::ZERO); V];
        // SAFETY: see the function's contract.
        unsafe {
            if !self.first {
                load(simd, out, &mut sums);
                if TOTAL {
                    load(simd, total_out, std::array::from_mut(&mut total));
                }
            }
            for &(n, left, right) in &self.stretches[..self.count] {
                let (left, walk) = (left.add(from), Walk { row: 1, term: T::PANEL });
                let right = std::array::from_fn(|v| right.add(lane + v * S::LANES));
                chain::<T, S, R, V, TOTAL>(simd, left, walk, right, n, ahead.take(n, left), (&mut sums, &mut total));
            }
            store(simd, sums, out);
            if TOTAL {
                store(simd, [total], total_out);
            }
        }
    }
}

/// Reads rows of registers, a panel's row apart.
///
/// # Safety
/// `from` must be valid for them.
#[inline(always)]
unsafe fn load<T: Scalar, S: Simd<T>, const R: usize, const V: usize>(
    simd: S,
    from: *const T,
    rows: &mut [[S::Vector; V]; R],
) {
    for (r, row) in rows.iter_mut().enumerate() {
        for (v, sum) in row.iter_mut().enumerate() {
            // SAFETY: see the function's contract.
            *sum = unsafe { simd.load(from.add(r * T::PANEL + v * S::LANES)) };
        }
    }
}

/// Writes rows of registers, a panel's row apart.
///
/// # Safety
/// `out` must be valid for them.
#[inline(always)]
unsafe fn store<T: Scalar, S: Simd<T>, const R: usize, const V: usize>(
    simd: S,
    rows: [[S::Vector; V]; R],
    out: *mut T,
) {
    for (r, row) in rows.iter().enumerate() {
        for (v, &sum) in row.iter().enumerate() {
            // SAFETY: see the function's contract.
            unsafe { simd.store(out.add(r * T::PANEL + v * S::LANES), sum) };
        }
    }
}
