//! The layout of every matrix inside the engine: column panels.
//!
//! A (rows x cols) matrix is cut into panels of `T::PANEL` neighbouring columns; each panel is stored row after row, the
//! last one padded with unused columns: element (r, c) lies at `(c / P) * rows * P + r * P + c % P`. Products then read
//! one operand element by element and the other in whole registers, in memory order, without packing or transposing.

use crate::scalar::Scalar;

/// Panels that hold `cols` columns.
pub fn panel_count<T: Scalar>(cols: usize) -> usize {
    cols.div_ceil(T::PANEL)
}

/// Elements of a (rows x cols) matrix in panels, padding included.
pub fn panels_len<T: Scalar>(rows: usize, cols: usize) -> usize {
    panel_count::<T>(cols) * rows * T::PANEL
}

/// Where element (r, c) of a matrix of `rows` rows lies.
pub fn index<T: Scalar>(rows: usize, r: usize, c: usize) -> usize {
    (c / T::PANEL) * rows * T::PANEL + r * T::PANEL + c % T::PANEL
}

/// Copies the rows named by `select` from the row-major `source` (its rows `width` long) into the panels of `out`,
/// a (`select.len()` x `cols`) matrix with `cols >= width`; columns from `width` on are left as they are.
pub fn gather<T: Scalar>(source: &[T], width: usize, select: &[u32], out: &mut [T]) {
    let rows = select.len();
    let full = width / T::PANEL;
    for (r, &row) in select.iter().enumerate() {
        let from = &source[row as usize * width..][..width];
        let (chunks, rest) = from.split_at(full * T::PANEL);
        for (panel, chunk) in chunks.chunks_exact(T::PANEL).enumerate() {
            out[(panel * rows + r) * T::PANEL..][..T::PANEL].copy_from_slice(chunk);
        }
        if !rest.is_empty() {
            out[(full * rows + r) * T::PANEL..][..rest.len()].copy_from_slice(rest);
        }
    }
}

/// Copies a row-major (rows x cols) matrix into panels; the padding becomes zero.
pub fn pack<T: Scalar>(source: &[T], rows: usize, cols: usize, out: &mut [T]) {
    out[..panels_len::<T>(rows, cols)].fill(T::ZERO);
    for r in 0..rows {
        for c in 0..cols {
            out[index::<T>(rows, r, c)] = source[r * cols + c];
        }
    }
}

/// Copies panels back into a row-major (rows x cols) matrix.
pub fn unpack<T: Scalar>(panels: &[T], rows: usize, cols: usize, out: &mut [T]) {
    for r in 0..rows {
        for c in 0..cols {
            out[r * cols + c] = panels[index::<T>(rows, r, c)];
        }
    }
}

/// Writes the transpose of the (rows x cols) matrix `from` to `to`, both in panels.
pub fn transpose<T: Scalar>(from: &[T], rows: usize, cols: usize, to: &mut [T]) {
    for r in 0..rows {
        for c in 0..cols {
            to[index::<T>(cols, c, r)] = from[index::<T>(rows, r, c)];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pack_and_unpack_are_inverse_at_every_odd_size() {
        for (rows, cols) in [(0, 3), (1, 1), (3, 31), (2, 32), (5, 33), (7, 65)] {
            let source: Vec<f32> = (0..rows * cols).map(|i| i as f32 + 1.0).collect();
            let mut panels = vec![f32::NAN; panels_len::<f32>(rows, cols)];
            pack(&source, rows, cols, &mut panels);
            assert_eq!(panels.iter().filter(|x| **x != 0.0).count(), rows * cols);
            let mut back = vec![0.0; rows * cols];
            unpack(&panels, rows, cols, &mut back);
            assert_eq!(back, source);
            let mut once = vec![0.0; panels_len::<f32>(cols, rows)];
            let mut twice = vec![0.0; panels_len::<f32>(rows, cols)];
            transpose(&panels, rows, cols, &mut once);
            transpose(&once, cols, rows, &mut twice);
            assert_eq!(twice, panels);
        }
    }

    #[test]
    fn gather_is_pack_of_the_selected_rows() {
        for width in [1usize, 15, 16, 17, 40] {
            let source: Vec<f64> = (0..6 * width).map(|i| i as f64).collect();
            let select = [4u32, 0, 4, 5];
            let chosen: Vec<f64> =
                select.iter().flat_map(|&r| source[r as usize * width..][..width].to_vec()).collect();
            let mut expected = vec![0.0; panels_len::<f64>(4, width)];
            pack(&chosen, 4, width, &mut expected);
            let mut out = vec![0.0; expected.len()];
            gather(&source, width, &select, &mut out);
            assert_eq!(out, expected);
        }
    }
}
