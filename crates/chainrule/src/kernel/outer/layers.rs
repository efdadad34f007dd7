//! The layers whose gradients are computed together, and where these belong.

use std::ops::{Deref, Range};

use crate::kernel::across::MOST_ACROSS;
use crate::kernel::panels::panels_len;
use crate::scalar::Scalar;

/// One layer's gradient and where it belongs in the flat buffers of all parameters.
#[derive(Clone, Debug)]
pub struct Outer {
    /// Rows of W.
    pub rows: usize,
    /// Columns of W, and of b.
    pub cols: usize,
    /// The operands change places: what is stored, and has these rows and columns, is W' = Σ delta h', with at most [`MOST_ACROSS`]
    /// rows. b has as many columns as it has rows, and delta is stored in lines.
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

/// The layers of a network, whose parameters have been found disjoint.
#[derive(Clone, Debug)]
pub struct Outers {
    layers: Vec<Outer>,
    /// Where the last parameter ends, and the last W' of those that are kept.
    lens: [usize; 2],
    /// Whether some are so large that a next tile is fetched ahead.
    pub(super) has_large: bool,
    /// Width of the panels of the numbers that they are for.
    panel: usize,
}

impl Outers {
    /// The layers of a network of numbers `T`.
    ///
    /// # Panics
    /// If parameters overlap, the places of the W' are not in order, or operands change places where W' has more than [`MOST_ACROSS`]
    /// rows or a transpose beside it.
    pub fn new<T: Scalar>(layers: Vec<Outer>) -> Self {
        let mut lens = [0, 0];
        let mut places: Vec<Range<usize>> = layers.iter().flat_map(Outer::places::<T>).collect();
        places.sort_by_key(|place| (place.start, place.end));
        assert!(places.windows(2).all(|pair| pair[0].end <= pair[1].start), "parameters overlap");
        for layer in &layers {
            assert!(!layer.exchanged || layer.rows <= MOST_ACROSS, "W' has too many rows");
            assert!(!layer.exchanged || layer.transposed.is_none(), "W' has no transpose beside it");
            if let Some(start) = layer.transposed {
                assert!(start >= lens[1], "transposed weights overlap or are not in order");
                lens[1] = start + panels_len::<T>(layer.cols, layer.rows);
            }
        }
        lens[0] = places.last().map_or(0, |last| last.end);
        let has_large = layers.iter().any(Outer::is_large::<T>);
        Self { layers, lens, has_large, panel: T::PANEL }
    }

    /// Elements of the buffers of all parameters and of the W' that are kept.
    ///
    /// # Panics
    /// If the layers were made for another type of number.
    pub fn lens<T: Scalar>(&self) -> [usize; 2] {
        assert_eq!(self.panel, T::PANEL, "the layers are those of another type of number");
        self.lens
    }
}

impl Deref for Outers {
    type Target = [Outer];
    fn deref(&self) -> &[Outer] {
        &self.layers
    }
}

impl Outer {
    /// Where W and b lie.
    fn places<T: Scalar>(&self) -> [Range<usize>; 2] {
        let weight = self.weight..self.weight + panels_len::<T>(self.rows, self.cols);
        let cols = if self.exchanged { self.rows } else { self.cols };
        let bias = self.bias.map_or(weight.end..weight.end, |bias| bias..bias + panels_len::<T>(1, cols));
        [weight, bias]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A layer of 3 x 5 weights, one panel of 96 elements, with b and W' at these places.
    fn layer(weight: usize, bias: usize, transposed: Option<usize>) -> Outer {
        Outer { rows: 3, cols: 5, exchanged: false, weight, bias: Some(bias), transposed, moving: 5 }
    }

    #[test]
    fn layers_in_any_order_end_where_the_last_of_them_does() {
        let layers = Outers::new::<f32>(vec![layer(128, 224, Some(0)), layer(0, 96, Some(160))]);
        assert_eq!(layers.lens::<f32>(), [256, 320]);
    }

    #[test]
    fn places_that_overlap_are_refused() {
        for layers in [
            vec![layer(0, 95, None)],
            vec![layer(0, 96, None), layer(127, 223, None)],
            vec![layer(0, 96, None), layer(128, 64, None)],
            vec![layer(0, 96, Some(0)), layer(128, 224, Some(159))],
        ] {
            let refused = std::panic::catch_unwind(|| Outers::new::<f32>(layers.clone()));
            assert!(refused.is_err(), "{layers:?}");
        }
    }
}
