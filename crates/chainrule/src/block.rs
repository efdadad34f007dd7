//! The rows of a batch on their way through the network, cut into blocks that threads work on one by one.
//!
//! Forward pass, cost and recursion go row by row, so a block needs nothing of the others; only the gradient, Eq. (6), is a sum
//! over all rows, and takes the blocks in order. Buffers are made once and used for every batch.

use crate::compute::Compute;
use crate::data::{Batch, Dataset, Inputs};
use crate::kernel::{
    Apart, Buffer, Isa, Left, Operands, SparseRows, Team, gather, index, line_len, panels_len, scratch_len, stored_len,
    unpack,
};
use crate::layer::ensemble_dense::MemberSums;
use crate::layer::numeric_embedding::FeatureColumns;
use crate::matrix::Matrix;
use crate::scalar::Scalar;
use crate::spec::NetworkSpec;
use crate::topology::{PASSES, Topology};

/// Most rows of a block: its share of one panel stays in the first-level cache, its activations in the second.
const MOST_ROWS: usize = 128;

/// Most rows of a block that belongs to a member of an ensemble, whatever the threads.
const MEMBER_ROWS: usize = 64;

/// Blocks start at multiples of so many rows, as many as a register holds.
pub(crate) const REGISTER: usize = 16;

/// Bytes of a network's weights from which they do not stay in one core's cache.
const LARGE: usize = 1 << 20;

/// What a block runs on: the thread that holds it or, where there is but one block, the team.
pub(crate) type On<'a> = (Option<&'a mut Team>, Isa);

/// What is done with a block: its rows by number, and the place of the first among the batch's.
type Work<'a, T> = dyn Fn(On<'_>, &mut Block<T>, &[u32], usize) + Sync + 'a;

/// Some neighbouring rows of a batch.
pub(crate) struct Block<T> {
    /// Rows in use.
    pub(crate) rows: usize,
    /// The batch's row that is the first.
    pub(crate) first: usize,
    /// The member of an ensemble through which they go.
    pub(crate) member: usize,
    /// The first row's number where the rows of all members are counted, one member after the other.
    pub(crate) row_number: usize,
    /// The numeric features; empty unless some are embedded.
    pub(crate) features: FeatureColumns<T>,
    /// Category codes, (rows x categories).
    pub(crate) codes: Vec<u32>,
    /// What the scale layer makes h^(0) of, and in a backward pass the rows' parts of the gradient of the scale; empty without one.
    pub(crate) unscaled: Buffer<T>,
    /// h^(0) = x where only some of its elements are stored; its place in `h` means nothing then.
    pub(crate) sparse: Option<SparseRows<T>>,
    /// h^(0) = x, h^(1), ..., and z^(L) last; (rows x width) in panels, the last in lines if `in_lines`.
    pub(crate) h: Vec<Buffer<T>>,
    /// x of the layers where it is not h.
    pub(crate) entered: Vec<Option<Buffer<T>>>,
    /// y of the layers where it is not z.
    pub(crate) products: Vec<Option<Buffer<T>>>,
    /// Sums over the rows for the member's parameters.
    pub(crate) sums: Vec<MemberSums<T>>,
    /// phi'(z) of the layers that keep it.
    pub(crate) slopes: Vec<Option<Buffer<T>>>,
    /// dh/dalpha of the parametric layers, and in a backward pass the rows' parts of the gradient of alpha.
    pub(crate) by_alpha: Vec<Option<Buffer<T>>>,
    /// delta of each h, or u where that is not the same, stored like h; the first is empty unless the input has parameters of its own.
    pub(crate) delta: Vec<Buffer<T>>,
    /// Elements of h^(0) in panels, for which there is no room before they are needed.
    entrance_len: usize,
    /// Whether h^(0) may be sparse.
    takes_sparse: bool,
    /// Whether there will be a backward pass.
    trains: bool,
    /// Whether there are so few outputs that z^(L), delta^(L) and the means o are stored in lines.
    in_lines: bool,
    /// Targets, weights and offsets.
    batch: Batch<T>,
    /// Cost of each row.
    costs: Vec<T>,
    scratch: Buffer<T>,
}

impl<T: Scalar> Block<T> {
    /// Buffers for `capacity` rows; those of the backward pass only for `training`.
    fn new(spec: &NetworkSpec, topology: &Topology, capacity: usize, training: bool) -> Self {
        let buffer = |width: usize| Buffer::zeros(panels_len::<T>(capacity, width));
        let layers = &topology.layers;
        let in_lines = layers.last().is_some_and(|layer| layer.narrow);
        let outputs = stored_len::<T>(in_lines, capacity, spec.outputs);
        let lens = layers.iter().map(|l| panels_len::<T>(capacity, l.inputs)).chain([outputs]);
        // Without a backward pass only the last delta receives anything: the means.
        let used = |l: usize| l == layers.len() || training && (l > 0 || topology.goes_below(0));
        let delta = |(l, len): (usize, usize)| Buffer::zeros(if used(l) { len } else { 0 });
        let features = if topology.stem.has_numeric_embedding() { spec.inputs } else { 0 };
        Self {
            rows: 0,
            first: 0,
            member: 0,
            row_number: 0,
            features: FeatureColumns::new(features, capacity),
            codes: Vec::with_capacity(capacity * spec.embeddings.len()),
            unscaled: buffer(if spec.scale { spec.input_width() } else { 0 }),
            sparse: None,
            entrance_len: lens.clone().next().unwrap_or(0),
            takes_sparse: topology.takes_sparse(),
            trains: training,
            h: lens.clone().enumerate().map(|(l, len)| Buffer::zeros(if l > 0 { len } else { 0 })).collect(),
            entered: layers.iter().map(|l| l.members.r.map(|_| buffer(l.inputs))).collect(),
            products: layers.iter().map(|l| l.members.s.filter(|_| training).map(|_| buffer(l.outputs))).collect(),
            sums: layers.iter().map(|l| MemberSums::new(&l.members, l.inputs, l.outputs)).collect(),
            slopes: layers.iter().map(|l| (training && l.keeps_slope()).then(|| buffer(l.outputs))).collect(),
            by_alpha: layers.iter().map(|l| l.alpha.filter(|_| training).map(|_| buffer(l.outputs))).collect(),
            delta: lens.enumerate().map(delta).collect(),
            in_lines,
            batch: Batch::new(capacity, spec.head.target_width(spec.outputs)),
            costs: vec![T::ZERO; capacity],
            scratch: Buffer::zeros(scratch_len::<T>(spec.outputs)),
        }
    }

    /// Makes the selected rows, the first of which is the batch's row number `first`, the block's.
    /// With a team its threads share the gather of the numeric features: worth it for batches, not for single rows.
    pub(crate) fn load(&mut self, (team, isa): On<'_>, inputs: &Inputs<'_, T>, select: &[u32], first: usize) {
        self.rows = select.len();
        self.first = first;
        self.load_numeric((team, isa), inputs, select);
        self.codes.clear();
        for &row in select.iter().filter(|_| inputs.categories > 0) {
            let codes = &inputs.codes[row as usize * inputs.categories..][..inputs.categories];
            self.codes.extend_from_slice(codes);
        }
        self.batch.load_offset(inputs, select);
    }

    fn load_numeric(&mut self, (team, isa): On<'_>, inputs: &Inputs<'_, T>, select: &[u32]) {
        let width = inputs.width;
        let stored = match inputs.numeric {
            Matrix::Dense(_) => None,
            Matrix::Sparse(matrix) => Some((matrix, None)),
            Matrix::Split { parts, .. } => Some((parts.rest(), Some(parts))),
        };
        if let Some((matrix, parts)) = stored.filter(|_| self.takes_sparse) {
            let rows = self.sparse.get_or_insert_with(SparseRows::default);
            let apart = parts.map_or(Apart::NONE, |parts| Apart { whole: &parts.whole, usual: &parts.usual });
            rows.set(width, self.trains, apart, matrix, select);
            if let Some(parts) = parts {
                gather(team, isa, &parts.elements, parts.whole.len(), select, rows.whole_panels());
            }
            return;
        }
        self.sparse = None;
        if self.h[0].is_empty() {
            self.h[0] = Buffer::zeros(self.entrance_len);
        }
        if self.features.is_used() {
            return self.features.load(inputs, select);
        }
        let entrance = if self.unscaled.is_empty() { &mut self.h[0] } else { &mut self.unscaled };
        match inputs.numeric {
            Matrix::Dense(numeric) => gather(team, isa, numeric, width, select, entrance),
            Matrix::Sparse(_) | Matrix::Split { .. } => {
                entrance[..panels_len::<T>(self.rows, width)].fill(T::ZERO);
                for (place, &row) in select.iter().enumerate() {
                    let keep = |column, x| entrance[index::<T>(select.len(), place, column)] = x;
                    inputs.numeric.for_each(width, row as usize, keep);
                }
            }
        }
    }

    /// What enters the layer above the h of `below`, of all of which `entered` and `sparse` are the block's.
    pub(crate) fn left<'a>(
        sparse: &'a Option<SparseRows<T>>,
        entered: &'a [Option<Buffer<T>>],
        below: &'a [Buffer<T>],
    ) -> Left<'a, T> {
        let l = below.len() - 1;
        match sparse {
            Some(rows) if l == 0 => Left::Sparse(rows),
            _ => Left::Panels(entered[l].as_deref().unwrap_or(&below[l])),
        }
    }

    /// [`load`](Self::load) with targets and weights.
    pub(crate) fn load_all(&mut self, on: On<'_>, data: &Dataset<'_, T>, select: &[u32], first: usize) {
        self.load(on, &data.inputs, select, first);
        self.batch.load(data, select);
    }

    /// Turns z^(L) into delta^(L), Eq. (10), and the costs of the rows: of a member of an ensemble its share of the mean.
    pub(crate) fn cost(&mut self, isa: Isa, spec: &NetworkSpec) {
        let (shape, y) = ((self.rows, spec.outputs), self.batch.y());
        let ([.., z], [.., delta]) = (self.h.as_slice(), self.delta.as_mut_slice()) else { return };
        T::start(&spec.head, isa, shape, self.in_lines, z, &y, delta, &mut self.costs, &mut self.scratch);
        if spec.members() > 1 {
            let share = T::from_f64(1.0 / spec.members() as f64);
            let len = stored_len::<T>(self.in_lines, self.rows, spec.outputs);
            delta[..len].iter_mut().chain(&mut self.costs[..self.rows]).for_each(|x| *x = *x * share);
        }
    }

    /// Makes `delta` (rows of the batch x outputs), row-major, the delta^(L) of the rows `select`.
    pub(crate) fn start_from(&mut self, isa: Isa, outputs: usize, delta: &[T], select: &[u32]) {
        let line = line_len::<T>(self.rows);
        match self.delta.as_mut_slice() {
            [.., to] if self.in_lines => {
                for (row, &from) in select.iter().enumerate() {
                    let delta = &delta[from as usize * outputs..][..outputs];
                    delta.iter().enumerate().for_each(|(k, &delta)| to[k * line + row] = delta);
                }
            }
            [.., to] => gather(None, isa, delta, outputs, select, to),
            [] => {}
        }
    }

    /// Turns z^(L) into the means o.
    pub(crate) fn means(&mut self, isa: Isa, spec: &NetworkSpec) {
        let (shape, offset) = ((self.rows, spec.outputs), self.batch.y().offset);
        if let ([.., z], [.., o]) = (self.h.as_slice(), self.delta.as_mut_slice()) {
            T::mean(&spec.head, isa, shape, self.in_lines, z, offset, o, &mut self.scratch);
        }
    }

    /// Writes z^(L) of its rows, row-major.
    pub(crate) fn pre_activations(&self, outputs: usize, out: &mut [T]) {
        self.unpack_outputs(self.h.last().map_or(&[], |z| z), outputs, out);
    }

    /// Writes z^(L) of its rows to their places in the batch's of all members, row-major.
    pub(crate) fn write_pre_activations(&self, outputs: usize, out: &mut [T]) {
        self.pre_activations(outputs, &mut out[self.row_number * outputs..][..self.rows * outputs]);
    }

    /// Column `j` of h^(l); of z^(L) after the last layer.
    pub(crate) fn column(&self, l: usize, j: usize) -> impl Iterator<Item = T> + use<'_, T> {
        let is_output = l + 1 == self.h.len();
        (0..self.rows).map(move |row| {
            self.h[l][if is_output { self.output_place(row, j) } else { index::<T>(self.rows, row, j) }]
        })
    }

    /// Where output `k` of a row stands in z^(L), delta^(L) and the means o.
    fn output_place(&self, row: usize, k: usize) -> usize {
        if self.in_lines { k * line_len::<T>(self.rows) + row } else { index::<T>(self.rows, row, k) }
    }

    /// Copies a matrix that is stored like z^(L) to `out`, row-major.
    fn unpack_outputs(&self, matrix: &[T], outputs: usize, out: &mut [T]) {
        if !self.in_lines {
            return unpack(matrix, self.rows, outputs, out);
        }
        for (k, line) in matrix.chunks_exact(line_len::<T>(self.rows).max(1)).take(outputs).enumerate() {
            out.iter_mut().skip(k).step_by(outputs).zip(line).for_each(|(out, &x)| *out = x);
        }
    }

    /// Adds the means of its rows to those of the members before at their places in the batch's, row-major.
    fn add_means(&self, outputs: usize, out: &mut [T]) {
        let out = &mut out[self.first * outputs..][..self.rows * outputs];
        let o = self.delta.last().map_or(&[][..], |o| o);
        if self.member == 0 {
            return self.unpack_outputs(o, outputs, out);
        }
        for (row, out) in out.chunks_exact_mut(outputs).enumerate() {
            out.iter_mut().enumerate().for_each(|(k, out)| *out += o[self.output_place(row, k)]);
        }
    }
}

/// The blocks of a batch.
///
/// Where there is work for several threads, each takes blocks of its own through the whole network. A network that is large for its
/// rows would have to go through every core's cache then; there the batch is one block, and the threads share each layer's columns.
///
/// A batch goes through an ensemble once for each member: first all blocks of the first member, then those of the next. Their cut
/// does not depend on the threads, since a block makes sums over its rows for its member.
pub(crate) struct Blocks<T> {
    blocks: Vec<Block<T>>,
    /// Members of the ensemble.
    members: usize,
    /// Layers below the output layer.
    hidden: usize,
    /// Rows that there is room for.
    capacity: usize,
    /// Most rows of each.
    block_rows: usize,
    /// Blocks that hold the current batch: of all members, and of each.
    used: usize,
    member_blocks: usize,
    /// Whether threads share the work.
    shared: bool,
    /// Whether they share the columns of the one block.
    by_columns: bool,
    /// The gradient of all parameters that are no layer's W or b, and scratch for it.
    pub(crate) others: [Buffer<T>; 2],
}

impl<T: Scalar> Blocks<T> {
    /// Room for `capacity` rows, with the buffers of the backward pass only for `training`.
    pub(crate) fn new(
        spec: &NetworkSpec,
        topology: &Topology,
        capacity: usize,
        compute: &Compute,
        training: bool,
    ) -> Self {
        let (threads, passes) = (compute.team.threads(), if training { PASSES } else { 1 });
        // More weights than activations are a reason for columns, not for threads: one row of a tiny network has that.
        let worth = Self::go_by_columns(topology, capacity, threads, false)
            || topology.is_shared(spec.members() * capacity, passes);
        Self::cut(spec, topology, capacity, if worth { threads } else { 1 }, training)
    }

    /// The same, cut for so many threads whatever the work.
    pub(crate) fn cut(
        spec: &NetworkSpec,
        topology: &Topology,
        capacity: usize,
        threads: usize,
        training: bool,
    ) -> Self {
        let members = spec.members();
        let by_columns = Self::go_by_columns(topology, capacity, threads, training);
        let share = match spec.ensemble {
            None => capacity.div_ceil(threads).next_multiple_of(REGISTER).clamp(1, MOST_ROWS),
            Some(_) => MEMBER_ROWS,
        };
        let block_rows = if by_columns { capacity.max(1) } else { share };
        let block = |_| Block::new(spec, topology, block_rows.min(capacity), training);
        let blocks = (0..members * capacity.div_ceil(block_rows)).map(block).collect();
        let others = if training { topology.others_len::<T>() } else { [0; 2] }.map(Buffer::zeros);
        let (hidden, shared) = (spec.hidden.len(), threads > 1);
        Self { blocks, members, hidden, capacity, block_rows, used: 0, member_blocks: 0, shared, by_columns, others }
    }

    /// Whether threads share the columns of each layer. The activations of all rows then move between the cores' caches, which is less
    /// than the weights where these are more: each core would read all of them, and a training step changes them as well.
    fn go_by_columns(topology: &Topology, capacity: usize, threads: usize, training: bool) -> bool {
        let weights = topology.work();
        let large = weights * size_of::<T>() >= LARGE || training && weights >= capacity * topology.widths();
        threads > 1 && large && capacity <= MOST_ROWS * threads && !topology.goes_by_rows()
    }

    /// Rows that there is room for.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Makes the rows `select` the current batch: `f` is called for each block with its rows and the place of the first among
    /// them.
    pub(crate) fn each(&mut self, compute: &mut Compute, select: &[u32], f: &Work<'_, T>) {
        let parts = select.len().div_ceil(self.block_rows);
        let used = self.members * parts;
        (self.used, self.member_blocks) = (used, parts);
        let Compute { team, isa } = compute;
        match &mut self.blocks[..used] {
            [block] if self.by_columns => f((Some(team), *isa), block, select, 0),
            blocks => team.for_each(blocks, self.shared, &|i, block| {
                // Equal shares in whole registers of rows.
                let place = |i: usize| (i * select.len().div_ceil(REGISTER) / parts * REGISTER).min(select.len());
                let (from, to) = (place(i % parts), place(i % parts + 1));
                block.member = i / parts;
                block.row_number = block.member * select.len() + from;
                f((None, *isa), block, &select[from..to], from);
            }),
        }
    }

    /// The blocks of the current batch, in the order of their rows.
    pub(crate) fn used(&self) -> &[Block<T>] {
        &self.blocks[..self.used]
    }

    /// The means of the batch, row-major, which `Block::means` has left in the blocks: of an ensemble the mean of its members'.
    pub(crate) fn write_means(&self, outputs: usize, out: &mut [T]) {
        self.used().iter().for_each(|block| block.add_means(outputs, out));
        if self.members > 1 {
            let share = T::from_f64(1.0 / self.members as f64);
            out.iter_mut().for_each(|o| *o = *o * share);
        }
    }

    /// The cost of the batch: the sum over its rows.
    pub(crate) fn cost(&self) -> f64 {
        Self::sum(self.used(), |block| &block.costs[..block.rows])
    }

    /// Whether threads share the work.
    pub(crate) fn shared(&self) -> bool {
        self.shared
    }

    /// The total weight of the batch.
    pub(crate) fn total_weight(&self) -> f64 {
        // Each member has all rows.
        let blocks = &self.blocks[..self.member_blocks];
        if blocks.iter().all(|block| block.batch.y().weights.is_none()) {
            return blocks.iter().map(|block| block.rows as f64).sum();
        }
        Self::sum(blocks, |block| block.batch.y().weights.unwrap_or_default())
    }

    /// A sum over the rows that does not depend on how they are cut into blocks: eight running sums, then those.
    fn sum<'a>(blocks: &'a [Block<T>], values: impl Fn(&'a Block<T>) -> &'a [T]) -> f64 {
        let mut sums = [0.0; 8];
        let mut row = 0usize;
        for values in blocks.iter().map(values) {
            let (head, tail) = values.split_at((row.wrapping_neg() % 8).min(values.len()));
            for (value, place) in head.iter().zip(row % 8..) {
                sums[place] += value.to_f64();
            }
            let eights = tail.chunks_exact(8);
            let rest = eights.remainder();
            for eight in eights {
                for (sum, value) in sums.iter_mut().zip(eight) {
                    *sum += value.to_f64();
                }
            }
            for (sum, value) in sums.iter_mut().zip(rest) {
                *sum += value.to_f64();
            }
            row += values.len();
        }
        sums.iter().sum()
    }
}

impl<T: Scalar> Operands<T> for Blocks<T> {
    fn blocks(&self, layer: usize) -> usize {
        if layer < self.hidden { self.used } else { self.member_blocks }
    }

    /// Layers from the output layer on are those of the members, who have one each.
    fn block(&self, layer: usize, block: usize) -> (usize, &[T], &[T]) {
        let (layer, member) = (layer.min(self.hidden), layer.saturating_sub(self.hidden));
        let block = &self.blocks[member * self.member_blocks + block];
        (block.rows, block.entered[layer].as_deref().unwrap_or(&block.h[layer]), &block.delta[layer + 1])
    }

    fn sparse(&self, block: usize) -> Option<&SparseRows<T>> {
        self.blocks[block].sparse.as_ref()
    }
}
