//! The only room with `unsafe`: matrix products, elementwise passes, the thread team, vector registers and the
//! elementary functions written on them. Knows no layer, activation, cost or optimizer by name; they come in as
//! [`VectorFn`]s, [`RowFn`]s and [`TileFn`]s.

#![allow(unsafe_code)]

mod across;
mod ahead;
mod buffer;
mod chain;
mod columns;
mod elementwise;
pub mod math;
mod outer;
mod panels;
mod place;
mod pool;
mod product;
mod rowwise;
mod simd;
mod sparse;
#[cfg(test)]
mod tests;

pub use across::{MOST_ACROSS, multiply_across};
pub use buffer::Buffer;
pub use columns::{Input, add_rows, map_columns};
pub use elementwise::{VectorFn, map, map_all};
pub(crate) use outer::OuterJob;
pub use outer::{Operands, Outer, OuterTile, Outers, Part, Sums, TileFn, outer_sums};
pub use panels::{
    gather, index, line_len, lines_len, pack, panel_count, panels_len, stored_len, transpose, transpose_tile, unpack,
};
pub use pool::Team;
pub(crate) use product::PanelsJob;
pub use product::{Finish, Left, Product, Tile, multiply};
pub use rowwise::{Columns, RowFn, lanes_from, load, map_rows, scratch_len, store, to_lanes};
pub use simd::{Isa, Simd, UnknownIsa, VectorJob};
pub use sparse::{Apart, SparseRows};
pub(crate) use sparse::{SparseOuterJob, SparsePanelsJob};
