//! All parameters of a network in one flat buffer, and the named views into it. The gradient and the optimizer's state
//! have the same layout, so that optimizers, checkpoints and sums over machines each see one slice.

use std::ops::Range;

use crate::kernel::{pack, panels_len, unpack};
use crate::scalar::Scalar;

/// What a parameter is; penalties act on weights only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Multiplies an activation: W of Eq. (2).
    Weight,
    /// Is added to a pre-activation.
    Bias,
    /// One row for each level of a category.
    Table,
}

/// One named (rows x cols) matrix inside the flat buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Name in model files, such as `layers.0.weight`.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// Rows; 1 for a bias.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
    offset: usize,
}

impl View {
    /// Its place in the flat buffer.
    pub(crate) fn range<T: Scalar>(&self) -> Range<usize> {
        self.offset..self.offset + self.len::<T>()
    }

    fn len<T: Scalar>(&self) -> usize {
        match self.role {
            Role::Weight | Role::Bias => panels_len::<T>(self.rows, self.cols),
            // Rows of a table are looked up one at a time.
            Role::Table => (self.rows * self.cols).next_multiple_of(T::PANEL),
        }
    }

    /// The matrix in row-major order.
    pub(crate) fn read<T: Scalar>(&self, flat: &[T]) -> Vec<T> {
        let from = &flat[self.range::<T>()];
        let mut out = vec![T::ZERO; self.rows * self.cols];
        match self.role {
            Role::Weight | Role::Bias => unpack(from, self.rows, self.cols, &mut out),
            Role::Table => out.copy_from_slice(&from[..self.rows * self.cols]),
        }
        out
    }

    /// Replaces the matrix by `source`, in row-major order.
    pub(crate) fn write<T: Scalar>(&self, flat: &mut [T], source: &[T]) {
        let to = &mut flat[self.range::<T>()];
        match self.role {
            Role::Weight | Role::Bias => pack(source, self.rows, self.cols, to),
            Role::Table => to[..source.len()].copy_from_slice(source),
        }
    }
}

/// The views of a network, in the order in which they lie in the buffer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    pub(crate) views: Vec<View>,
    len: usize,
}

impl Layout {
    /// Appends a parameter and returns its number.
    pub(crate) fn push<T: Scalar>(&mut self, name: String, role: Role, rows: usize, cols: usize) -> usize {
        let view = View { name, role, rows, cols, offset: self.len };
        self.len += view.len::<T>();
        self.views.push(view);
        self.views.len() - 1
    }

    /// Elements of the buffer, padding included.
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}
