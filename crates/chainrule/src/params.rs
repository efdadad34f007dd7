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
    /// Multiplies something in a numeric embedding.
    NumericWeight,
    /// Is added in a numeric embedding.
    NumericBias,
    /// One factor for each element of the input.
    Scale,
    /// One alpha for each unit of a parametric layer.
    Alpha,
    /// Multiplies the number itself in a piecewise-linear embedding.
    NumericSlope,
    /// A factor that a member of an ensemble has for itself, one row for each member.
    Adapter,
}

impl Role {
    /// Whether its rows are looked up one at a time, and so lie one behind the other; others lie in panels.
    fn is_row_major(self) -> bool {
        matches!(self, Self::Table | Self::NumericWeight | Self::NumericBias | Self::NumericSlope)
    }
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
    /// The matrices of which it consists, one below the other: one for each member of an ensemble that has its own; 1 elsewhere.
    pub(crate) parts: usize,
    offset: usize,
    /// Elements of each part, padding included.
    part_len: usize,
    /// What lies in the panels is the transpose, (cols x rows): a few columns would be little more than padding.
    transposed: bool,
}

impl View {
    /// Its place in the flat buffer.
    pub(crate) fn range(&self) -> Range<usize> {
        self.offset..self.offset + self.parts * self.part_len
    }

    /// The place of one of its parts.
    pub(crate) fn part(&self, part: usize) -> Range<usize> {
        let start = self.offset + part * self.part_len;
        start..start + self.part_len
    }

    fn find_part_len<T: Scalar>(&self) -> usize {
        if self.role.is_row_major() {
            return (self.part_rows() * self.cols).next_multiple_of(T::PANEL);
        }
        let (rows, cols) = self.stored();
        panels_len::<T>(rows, cols)
    }

    /// Rows of each part.
    pub(crate) fn part_rows(&self) -> usize {
        self.rows / self.parts
    }

    /// The shape of what lies in the panels of a part.
    fn stored(&self) -> (usize, usize) {
        if self.transposed { (self.cols, self.part_rows()) } else { (self.part_rows(), self.cols) }
    }

    /// Makes the padding zero behind parts that are single rows in panels, such as all that is neither a layer's W nor looked up.
    pub(crate) fn clear_padding<T: Scalar>(&self, flat: &mut [T]) {
        if !self.role.is_row_major() && self.part_rows() == 1 {
            (0..self.parts).for_each(|part| flat[self.part(part)][self.cols..].fill(T::ZERO));
        }
    }

    /// The matrix in row-major order.
    pub(crate) fn read<T: Scalar>(&self, flat: &[T]) -> Vec<T> {
        let mut out = vec![T::ZERO; self.rows * self.cols];
        if self.role.is_row_major() {
            out.copy_from_slice(&flat[self.range()][..self.rows * self.cols]);
            return out;
        }
        let (rows, cols) = self.stored();
        for (part, out) in out.chunks_mut((rows * cols).max(1)).enumerate() {
            unpack(&flat[self.part(part)], rows, cols, out);
            if self.transposed {
                out.copy_from_slice(&transposed(out, rows, cols));
            }
        }
        out
    }

    /// Replaces the matrix by `source`, in row-major order.
    pub(crate) fn write<T: Scalar>(&self, flat: &mut [T], source: &[T]) {
        if self.role.is_row_major() {
            return flat[self.range()][..source.len()].copy_from_slice(source);
        }
        let (rows, cols) = self.stored();
        for (part, source) in source.chunks((rows * cols).max(1)).enumerate() {
            let to = &mut flat[self.part(part)];
            match self.transposed {
                true => pack(&transposed(source, cols, rows), rows, cols, to),
                false => pack(source, rows, cols, to),
            }
        }
    }
}

/// The transpose of a row-major (rows x cols) matrix.
fn transposed<T: Scalar>(matrix: &[T], rows: usize, cols: usize) -> Vec<T> {
    (0..cols).flat_map(|c| (0..rows).map(move |r| matrix[r * cols + c])).collect()
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
        self.push_parts::<T>(name, role, 1, (rows, cols))
    }

    /// Appends `parts` matrices of this shape as one parameter and returns its number.
    pub(crate) fn push_parts<T: Scalar>(
        &mut self,
        name: String,
        role: Role,
        parts: usize,
        (rows, cols): (usize, usize),
    ) -> usize {
        let rows = parts * rows;
        let view = View { name, role, rows, cols, parts, offset: self.len, part_len: 0, transposed: false };
        self.append::<T>(view)
    }

    /// The same for weights of which the transposes are stored.
    pub(crate) fn push_transposed<T: Scalar>(&mut self, name: String, parts: usize, shape: (usize, usize)) -> usize {
        let (rows, cols) = (parts * shape.0, shape.1);
        let (role, offset) = (Role::Weight, self.len);
        self.append::<T>(View { name, role, rows, cols, parts, offset, part_len: 0, transposed: true })
    }

    fn append<T: Scalar>(&mut self, mut view: View) -> usize {
        view.part_len = view.find_part_len::<T>();
        self.len = view.range().end;
        self.views.push(view);
        self.views.len() - 1
    }

    /// Elements of the buffer, padding included.
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}
