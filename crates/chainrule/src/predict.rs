//! Predictions.

use crate::block::Blocks;
use crate::compute::Compute;
use crate::data::Inputs;
use crate::error::{Error, Result, expect_len};
use crate::network::Network;
use crate::scalar::Scalar;
use crate::spec::NetworkSpec;

/// Rows that pass through the network at a time.
pub(crate) const CHUNK: usize = 1024;

/// `most` rows of a single network are so many of this one: of an ensemble fewer, since each of its members has them all.
pub(crate) fn rows_at_a_time(spec: &NetworkSpec, most: usize) -> usize {
    most.div_ceil(spec.members()).next_multiple_of(64).min(most)
}

/// Rows of which the means are found at a time.
pub(crate) fn chunk(spec: &NetworkSpec) -> usize {
    rows_at_a_time(spec, CHUNK)
}

/// Predicts with one network again and again, without allocating.
///
/// A row's prediction is the same bits in whatever company it comes.
pub struct Predictor<'a, T> {
    network: &'a Network<T>,
    blocks: Blocks<T>,
    rows: Vec<u32>,
}

impl<'a, T: Scalar> Predictor<'a, T> {
    /// Buffers for calls of about `rows` rows (more are worked off in pieces) on `compute`.
    pub fn new(network: &'a Network<T>, rows: usize, compute: &Compute) -> Self {
        let capacity = rows.clamp(1, chunk(network.spec()));
        let blocks = Blocks::new(network.spec(), &network.topology, capacity, compute, false);
        Self { network, rows: Vec::with_capacity(blocks.capacity()), blocks }
    }

    /// The means o of every row into `out` (rows x outputs), row-major.
    ///
    /// # Errors
    /// If the inputs do not fit the network or are not finite, or `out` has another size.
    pub fn predict(&mut self, compute: &mut Compute, inputs: &Inputs<'_, T>, out: &mut [T]) -> Result<()> {
        self.numbered(compute, inputs, inputs.rows, |place| place as u32, out)
    }

    /// The means of the rows with these numbers.
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and if there is no row of such a number.
    pub fn predict_selected(
        &mut self,
        compute: &mut Compute,
        inputs: &Inputs<'_, T>,
        select: &[u32],
        out: &mut [T],
    ) -> Result<()> {
        if let Some(&row) = select.iter().find(|&&row| row as usize >= inputs.rows) {
            return Err(Error::Shape { what: "selected row".into(), expected: inputs.rows, got: row as usize });
        }
        self.numbered(compute, inputs, select.len(), |place| select[place], out)
    }

    fn numbered(
        &mut self,
        compute: &mut Compute,
        inputs: &Inputs<'_, T>,
        count: usize,
        number: impl Fn(usize) -> u32,
        out: &mut [T],
    ) -> Result<()> {
        let outputs = self.network.spec().outputs;
        inputs.check(self.network.spec())?;
        expect_len("means", count * outputs, out.len())?;
        let capacity = self.blocks.capacity();
        let mut rows = std::mem::take(&mut self.rows);
        for first in (0..count).step_by(capacity) {
            rows.clear();
            rows.extend((first..count.min(first + capacity)).map(&number));
            means(
                self.network,
                compute,
                &mut self.blocks,
                inputs,
                &rows,
                &mut out[first * outputs..][..rows.len() * outputs],
            );
        }
        self.rows = rows;
        Ok(())
    }
}

/// The means of the selected rows, at most as many as `blocks` has room for, row-major into `out`.
pub(crate) fn means<T: Scalar>(
    network: &Network<T>,
    compute: &mut Compute,
    blocks: &mut Blocks<T>,
    inputs: &Inputs<'_, T>,
    select: &[u32],
    out: &mut [T],
) {
    let Network { topology, parameters, .. } = network;
    let spec = network.spec();
    blocks.each(compute, select, &|(team, isa), block, select, first| {
        block.load((None, isa), inputs, select, first);
        topology.forward((team, isa), parameters, block, None);
        block.means(isa, spec);
    });
    blocks.write_means(spec.outputs, out);
}
