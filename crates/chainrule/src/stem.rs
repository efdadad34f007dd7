//! The input side of a network: from a row's features and codes to h^(0), in this order: the vectors of embedded features, the
//! other features as they are, the vectors of categories; all times their scale, if there is one.

use std::ops::Range;

use crate::block::{Block, On};
use crate::kernel::{Isa, add_rows, index};
use crate::layer::category_embedding::CategoryEmbedding;
use crate::layer::numeric_embedding::NumericLayer;
use crate::layer::scale;
use crate::params::{Layout, Role};
use crate::scalar::Scalar;
use crate::spec::NetworkSpec;

/// The layers of the input side.
pub(crate) struct Stem {
    numeric: Option<Numeric>,
    categories: Option<CategoryEmbedding>,
    /// Where the factors of the scale layer lie.
    scale: Option<Range<usize>>,
    /// Elements of h^(0).
    width: usize,
}

struct Numeric {
    layer: NumericLayer,
    /// The features that are embedded, and the length of their vectors.
    embedded: (Vec<usize>, usize),
    /// The others.
    plain: Vec<usize>,
}

impl Stem {
    /// Appends the parameters to `layout`.
    pub(crate) fn new<T: Scalar>(spec: &NetworkSpec, layout: &mut Layout) -> Self {
        let categories = CategoryEmbedding::new::<T>(spec, layout);
        let numeric = spec.numeric_embedding.as_ref().map(|embedding| Numeric {
            layer: NumericLayer::new::<T>(embedding, layout),
            embedded: (embedding.features().to_vec(), embedding.dimension()),
            plain: (0..spec.inputs).filter(|feature| !embedding.features().contains(feature)).collect(),
        });
        let width = spec.input_width();
        let scale = spec.scale.then(|| {
            let view = layout.push::<T>("scale".into(), Role::Scale, 1, width);
            layout.views[view].range()
        });
        Self { numeric, categories, scale, width }
    }

    /// Whether the recursion goes down to it.
    pub(crate) fn has_parameters(&self) -> bool {
        self.numeric.is_some() || self.categories.is_some() || self.scale.is_some()
    }

    /// Whether it reads features one by one instead of rows.
    pub(crate) fn has_numeric_embedding(&self) -> bool {
        self.numeric.is_some()
    }

    /// h^(0) from the features and codes in `block`.
    pub(crate) fn forward<T: Scalar>(&self, isa: Isa, parameters: &[T], block: &mut Block<T>) {
        T::stem_forward(self, isa, parameters, block);
    }

    /// As above, in machine code of its own.
    pub(crate) fn forward_generic<T: Scalar>(&self, isa: Isa, parameters: &[T], block: &mut Block<T>) {
        let Block { rows, features, codes, unscaled, h, .. } = block;
        let (rows, h) = (*rows, &mut h[0]);
        let entrance = if self.scale.is_some() { &mut *unscaled } else { &mut *h };
        if let Some(Numeric { layer, embedded: (embedded, dimension), plain }) = &self.numeric {
            layer.forward(isa, rows, parameters, features, entrance);
            for (i, &feature) in plain.iter().enumerate() {
                let column = embedded.len() * dimension + i;
                for (row, &x) in features.feature(feature)[..rows].iter().enumerate() {
                    entrance[index::<T>(rows, row, column)] = x;
                }
            }
        }
        if let Some(categories) = &self.categories {
            categories.forward(rows, parameters, codes, entrance);
        }
        if let Some(place) = &self.scale {
            scale::forward(isa, (rows, self.width), &parameters[place.clone()], unscaled, h);
        }
    }

    /// From delta^(0) = dJ/dh^(0) to what arrives at the embeddings.
    pub(crate) fn backward<T: Scalar>(&self, isa: Isa, parameters: &[T], block: &mut Block<T>) {
        if let Some(place) = &self.scale {
            let s = &parameters[place.clone()];
            scale::backward(isa, (block.rows, self.width), s, &mut block.delta[0], &mut block.unscaled);
        }
    }

    /// Elements of the scratch that [`gradient`](Self::gradient) needs.
    pub(crate) fn sums_len<T: Scalar>(&self) -> usize {
        self.numeric.as_ref().map_or(0, |numeric| numeric.layer.sums::<T>().0)
    }

    /// The gradients of its parameters, sums over the rows of all blocks in order, into the zeroed `gradient`, which begins like
    /// the flat buffer of parameters. `sums` is zeroed scratch.
    pub(crate) fn gradient<T: Scalar>(
        &self,
        on: On<'_>,
        parameters: &[T],
        blocks: &[Block<T>],
        sums: &mut [T],
        gradient: &mut [T],
    ) {
        let isa = on.1;
        if let Some(numeric) = &self.numeric {
            numeric.layer.gradient(on, parameters, blocks, sums, gradient);
        }
        for block in blocks {
            if let Some(categories) = &self.categories {
                categories.gradient(block.rows, &block.codes, &block.delta[0], gradient);
            }
            if let Some(place) = &self.scale {
                add_rows(isa, (block.rows, self.width), &block.unscaled, &mut gradient[place.clone()]);
            }
        }
    }

    /// dJ/dx of `features` numeric features for the rows of a block, row-major.
    pub(crate) fn input_delta<T: Scalar>(
        &self,
        isa: Isa,
        features: usize,
        parameters: &[T],
        block: &Block<T>,
    ) -> Vec<T> {
        T::stem_input_delta(self, isa, features, parameters, block)
    }

    /// As above, in machine code of its own.
    pub(crate) fn input_delta_generic<T: Scalar>(
        &self,
        isa: Isa,
        features: usize,
        parameters: &[T],
        block: &Block<T>,
    ) -> Vec<T> {
        let rows = block.rows;
        let mut delta = vec![T::ZERO; rows * features];
        let column = |column: usize| (0..rows).map(move |row| block.delta[0][index::<T>(rows, row, column)]);
        let mut write = |feature: usize, dx: &mut dyn Iterator<Item = T>| {
            dx.enumerate().for_each(|(row, dx)| delta[row * features + feature] = dx);
        };
        let Some(Numeric { layer, embedded: (embedded, dimension), plain }) = &self.numeric else {
            (0..features).for_each(|feature| write(feature, &mut column(feature)));
            return delta;
        };
        for (i, &feature) in embedded.iter().enumerate() {
            let mut dx = vec![T::ZERO; rows.next_multiple_of(T::PANEL)];
            layer.input_delta(isa, i, parameters, block, &mut dx);
            write(feature, &mut dx[..rows].iter().copied());
        }
        for (i, &feature) in plain.iter().enumerate() {
            write(feature, &mut column(embedded.len() * dimension + i));
        }
        delta
    }

    /// dJ/dE_c of the vectors of the row's codes for the rows of a block, row-major: the last `columns` elements of h^(0).
    pub(crate) fn vector_delta<T: Scalar>(&self, columns: usize, block: &Block<T>) -> Vec<T> {
        let places =
            (0..block.rows).flat_map(|row| (self.width - columns..self.width).map(move |column| (row, column)));
        places.map(|(row, column)| block.delta[0][index::<T>(block.rows, row, column)]).collect()
    }
}
