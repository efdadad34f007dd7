//! Trainable vectors for the levels of a category: h_0 = E_c, row c of a table E for a row whose code is c. The derivative
//! of J with respect to E_c is the sum of delta^(0) over the rows with that code.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::kernel::index;
use crate::params::{Layout, Role};
use crate::scalar::Scalar;
use crate::spec::NetworkSpec;

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
    embeddings: Vec<Embedding>,
    /// Where their tables lie.
    tables: Vec<Range<usize>>,
    /// The input's column at which the first vector starts.
    first_column: usize,
}

impl CategoryEmbedding {
    /// Those of a network, if it has any; appends their tables to `layout`.
    pub(crate) fn new<T: Scalar>(spec: &NetworkSpec, layout: &mut Layout) -> Option<Self> {
        let embeddings = spec.embeddings.clone();
        let mut table = |(j, e): (usize, &Embedding)| {
            let view = layout.push::<T>(format!("embeddings.{j}.table"), Role::Table, e.levels, e.dimension);
            layout.views[view].range()
        };
        let tables = embeddings.iter().enumerate().map(&mut table).collect();
        let width: usize = embeddings.iter().map(|e| e.dimension).sum();
        let first_column = spec.input_width() - width;
        (!embeddings.is_empty()).then_some(Self { embeddings, tables, first_column })
    }

    /// Writes each row's vectors into the input's panels. `codes` is (rows x categories), row-major.
    pub(crate) fn forward<T: Scalar>(&self, rows: usize, parameters: &[T], codes: &[u32], x: &mut [T]) {
        self.each(|j, first, dimension| {
            let table = &parameters[self.tables[j].clone()];
            for r in 0..rows {
                let code = codes[r * self.embeddings.len() + j] as usize;
                for (d, &e) in table[code * dimension..][..dimension].iter().enumerate() {
                    x[index::<T>(rows, r, first + d)] = e;
                }
            }
        });
    }

    /// Adds the gradients of all tables to `gradient`, which begins like the flat buffer of parameters: the delta of each row goes
    /// to its code's row.
    ///
    /// `delta` is (rows x inputs) in panels, of which only the columns from the first vector on are read.
    pub(crate) fn gradient<T: Scalar>(&self, rows: usize, codes: &[u32], delta: &[T], gradient: &mut [T]) {
        self.each(|j, first, dimension| {
            let gradient = &mut gradient[self.tables[j].clone()];
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
