//! Trainable vectors for the levels of a category: h_0 = E_c, row c of a table E for a row whose code is c. The derivative
//! of J with respect to E_c is the sum of delta^(0) over the rows with that code.

use serde::{Deserialize, Serialize};

use crate::kernel::index;
use crate::params::View;
use crate::scalar::Scalar;

/// One embedded category.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Embedding {
    /// Levels; codes are 0..levels.
    pub levels: usize,
    /// Length of each level's vector.
    pub dimension: usize,
}

/// All embedded categories of a network: category j fills `embeddings[j].dimension` columns of the input.
#[derive(Clone, Debug)]
pub(crate) struct CategoryEmbedding {
    pub(crate) embeddings: Vec<Embedding>,
    pub(crate) tables: Vec<usize>,
    /// The input's column at which the first vector starts.
    pub(crate) first_column: usize,
}

impl CategoryEmbedding {
    /// Writes each row's vectors into the input's panels. `codes` is (rows x categories), row-major.
    pub(crate) fn forward<T: Scalar>(&self, rows: usize, views: &[View], flat: &[T], codes: &[u32], x: &mut [T]) {
        self.each(|j, first, dimension| {
            let table = &flat[views[self.tables[j]].range::<T>()];
            for r in 0..rows {
                let code = codes[r * self.embeddings.len() + j] as usize;
                for (d, &e) in table[code * dimension..][..dimension].iter().enumerate() {
                    x[index::<T>(rows, r, first + d)] = e;
                }
            }
        });
    }

    /// Adds the gradient of table `j` to `gradient`, which has the table's layout: the delta of each row goes to its code's row.
    ///
    /// `delta` is (rows x inputs) in panels, of which only the columns from `first_column` on are read.
    pub(crate) fn gradient<T: Scalar>(&self, j: usize, rows: usize, codes: &[u32], delta: &[T], gradient: &mut [T]) {
        self.each(|number, first, dimension| {
            if number != j {
                return;
            }
            for r in 0..rows {
                let code = codes[r * self.embeddings.len() + j] as usize;
                for (d, g) in gradient[code * dimension..][..dimension].iter_mut().enumerate() {
                    *g += delta[index::<T>(rows, r, first + d)];
                }
            }
        });
    }

    /// Calls `f` with each category's number, first column and dimension.
    fn each(&self, mut f: impl FnMut(usize, usize, usize)) {
        let mut column = self.first_column;
        for (j, embedding) in self.embeddings.iter().enumerate() {
            f(j, column, embedding.dimension);
            column += embedding.dimension;
        }
    }
}
