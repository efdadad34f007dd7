//! The products against the plain sums, term by term: the same bits on every instruction set, at sizes around the panels' and
//! registers' borders and with numbers that are not finite.

use proptest::prelude::*;

use super::*;
use crate::matrix::SparseMatrix;
use crate::scalar::Scalar;

const SIZES: [usize; 16] = [0, 1, 2, 3, 4, 7, 8, 10, 15, 16, 17, 31, 32, 33, 40, 65];

fn size() -> impl Strategy<Value = usize> {
    prop::sample::select(&SIZES[..])
}

/// Mostly ordinary numbers, some that are not.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        40 => -2.0..2.0f64,
        1 => Just(0.0),
        1 => Just(-0.0),
        1 => Just(1e-42),
        1 => Just(f64::INFINITY),
        1 => Just(f64::NAN),
    ]
}

/// A row-major matrix, and the same in panels.
struct Matrix<T> {
    cols: usize,
    elements: Vec<T>,
    panels: Buffer<T>,
}

impl<T: Scalar> Matrix<T> {
    fn new(rows: usize, cols: usize, numbers: &[f64], phase: usize) -> Self {
        let elements: Vec<T> = (0..rows * cols)
            .map(|i| T::from_f64(numbers[(i + phase) % numbers.len()] + (i % 5) as f64 * 0.125))
            .collect();
        let mut panels = Buffer::zeros(panels_len::<T>(rows, cols));
        pack(&elements, rows, cols, &mut panels);
        Self { cols, elements, panels }
    }

    fn at(&self, r: usize, c: usize) -> T {
        self.elements[r * self.cols + c]
    }
}

/// Whether both are the same bits, or both NaN (whose payload is free).
fn same<T: Scalar>(a: T, b: T) -> bool {
    let (a, b) = (a.to_f64(), b.to_f64());
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

impl<T: Scalar> Matrix<T> {
    /// The transpose in panels.
    fn transposed(&self, rows: usize) -> Buffer<T> {
        let mut panels = Buffer::zeros(panels_len::<T>(self.cols, rows));
        transpose(&self.panels, rows, self.cols, &mut panels);
        panels
    }

    /// The same in lines.
    fn lines(&self, rows: usize) -> Buffer<T> {
        let mut lines = Buffer::zeros(lines_len::<T>(rows, self.cols));
        for (r, c) in (0..rows).flat_map(|r| (0..self.cols).map(move |c| (r, c))) {
            lines[c * line_len::<T>(rows) + r] = self.at(r, c);
        }
        lines
    }
}

/// Whether a matrix without its zeros has an element in these tests; it stands for zero where it has not.
fn is_stored<T: Scalar>(x: T) -> bool {
    x.to_f64().abs() >= 1.0 || x.to_f64().is_nan()
}

/// Which columns of a sparse matrix are apart in these tests, if some are.
#[derive(Clone, Copy)]
struct SomeApart(bool);

impl SomeApart {
    fn is_whole(self, column: usize) -> bool {
        self.0 && column % 5 < 2
    }

    /// The usual value of a column, zero where it has none.
    fn usual<T: Scalar>(self, column: usize) -> T {
        T::from_f64(if self.0 && column % 3 == 2 && !self.is_whole(column) { column as f64 / 8.0 } else { 0.0 })
    }
}

impl<T: Scalar> Matrix<T> {
    /// The stored elements, and the whole columns.
    fn sparse(&self, rows: usize, by_column: bool, apart: SomeApart) -> SparseRows<T> {
        let (mut starts, mut places, mut values) = (vec![0], vec![], vec![]);
        for r in 0..rows {
            for c in (0..self.cols).filter(|&c| is_stored(self.at(r, c)) && !apart.is_whole(c)) {
                places.push(c as u32);
                values.push(self.at(r, c));
            }
            starts.push(places.len());
        }
        let stored = SparseMatrix { starts: &starts, columns: &places, values: &values };
        let columns = 0..self.cols as u32;
        let whole: Vec<u32> = columns.clone().filter(|&c| apart.is_whole(c as usize)).collect();
        let usual: Vec<(u32, T)> =
            columns.map(|c| (c, apart.usual(c as usize))).filter(|(_, u)| *u != T::ZERO).collect();
        let all: Vec<u32> = (0..rows as u32).collect();
        let mut sparse = SparseRows::default();
        sparse.set(self.cols, by_column, Apart { whole: &whole, usual: &usual }, stored, &all);
        let of_whole = |r: usize| whole.iter().map(move |&c| self.at(r, c as usize));
        let elements: Vec<T> = (0..rows).flat_map(of_whole).collect();
        pack(&elements, rows, whole.len(), sparse.whole_panels());
        sparse
    }

    /// The terms of a chain over `columns` in which row `r` meets the elements that `right` gives: those that are stored, after the usual
    /// values and before the whole columns.
    fn sparse_chain(&self, r: usize, apart: SomeApart, first: T, right: impl Fn(usize) -> T) -> T {
        let columns = || 0..self.cols;
        let usual = columns().filter(|&c| apart.usual::<T>(c) != T::ZERO).map(|c| (apart.usual(c), c));
        let stored = columns().filter(|&c| is_stored(self.at(r, c)) && !apart.is_whole(c)).map(|c| (self.at(r, c), c));
        let whole = columns().filter(|&c| apart.is_whole(c)).map(|c| (self.at(r, c), c));
        usual.chain(stored).chain(whole).fold(first, |sum, (x, c)| x.mul_add(right(c), sum))
    }
}

fn is_few(cols: usize) -> bool {
    (1..=MOST_ACROSS).contains(&cols)
}

fn product_is_the_plain_sum<T: Scalar>((rows, cols, depth): (usize, usize, usize), numbers: &[f64], finish: usize) {
    let left = Matrix::<T>::new(rows, depth, numbers, 0);
    let right = Matrix::<T>::new(depth, cols, numbers, 3);
    let start = Matrix::<T>::new(1, cols, numbers, 5);
    let gate = Matrix::<T>::new(rows, cols, numbers, 7);
    let product = Product {
        rows,
        cols,
        depth,
        left: Left::Panels(&left.panels),
        right: &right.panels,
        start: (finish != 1).then_some(&*start.panels),
        finish: match finish {
            0 => Finish::Keep,
            1 => Finish::AtLeast(T::from_f64(0.5)),
            _ => Finish::WherePositive(&gate.panels),
        },
    };
    let plain = |r: usize, c: usize, sparse: Option<SomeApart>| {
        let first = if finish != 1 { start.at(0, c) } else { T::ZERO };
        let sum = match sparse {
            None => (0..depth).fold(first, |sum, k| left.at(r, k).mul_add(right.at(k, c), sum)),
            Some(apart) => left.sparse_chain(r, apart, first, |k| right.at(k, c)),
        };
        match finish {
            0 => sum,
            1 if sum < T::from_f64(0.5) => T::from_f64(0.5),
            2 if gate.at(r, c).partial_cmp(&T::ZERO) != Some(std::cmp::Ordering::Greater) => T::ZERO,
            _ => sum,
        }
    };
    let compare = |isa: Isa, way: &str, sparse, out: &[T], place: &dyn Fn(usize, usize) -> usize| {
        for (r, c) in (0..rows).flat_map(|r| (0..cols).map(move |c| (r, c))) {
            let (got, plain) = (out[place(r, c)], plain(r, c, sparse));
            assert!(same(got, plain), "{isa}, {way}, ({r}, {c}): {got}, not {plain}");
        }
    };
    let (lines, transposed) = (left.lines(rows), right.transposed(depth));
    let [none, some] = [SomeApart(false), SomeApart(true)];
    let [sparse, split] = [none, some].map(|apart| left.sparse(rows, false, apart));
    let ways = [
        Some(("in panels", product.left, None)),
        is_few(depth).then_some(("in lines", Left::Lines(&lines), None)),
        Some(("without zeros", Left::Sparse(&sparse), Some(none))),
        Some(("some columns apart", Left::Sparse(&split), Some(some))),
    ];
    for isa in Isa::available() {
        for ((way, left, sparse), threads) in ways.into_iter().flatten().flat_map(|way| [(way, 1), (way, 3)]) {
            let mut out = Buffer::zeros(panels_len::<T>(rows, cols));
            let mut team = Team::new(threads);
            let team = (threads > 1).then_some(&mut team);
            multiply(team, isa, &Product { left, ..product }, &mut out, None, &|_, _, _| {});
            compare(isa, &format!("{threads} threads, {way}"), sparse, &out, &|r, c| index::<T>(rows, r, c));
        }
        if finish == 0 && is_few(cols) {
            let mut out = Buffer::zeros(lines_len::<T>(rows, cols));
            multiply_across(isa, &Product { right: &transposed, ..product }, &mut out);
            compare(isa, "across", None, &out, &|r, c| c * line_len::<T>(rows) + r);
        }
    }
}

/// One layer over several blocks of rows: how many, h and delta; and sparse h, if it is there so.
struct Rows<'a, T>(Vec<(usize, &'a [T], &'a [T])>, Vec<SparseRows<T>>);

impl<T: Scalar> Operands<T> for Rows<'_, T> {
    fn blocks(&self, _: usize) -> usize {
        self.0.len()
    }
    fn block(&self, _: usize, block: usize) -> (usize, &[T], &[T]) {
        self.0[block]
    }
    fn sparse(&self, block: usize) -> Option<&SparseRows<T>> {
        self.1.get(block)
    }
}

struct Keep;

impl<T: Scalar> TileFn<T, 1> for Keep {
    fn apply(&self, _: Isa, _: Part, _: Tile, gradient: &mut [T], [to]: [&mut [T]; 1]) {
        to.copy_from_slice(gradient);
    }
}

fn outer_sum_is_the_plain_sum<T: Scalar>((rows, cols): (usize, usize), blocks: &[usize], numbers: &[f64]) {
    let blocks: Vec<_> = blocks
        .iter()
        .enumerate()
        .map(|(i, &n)| (n, Matrix::<T>::new(n, rows, numbers, i), Matrix::<T>::new(n, cols, numbers, i + 4)))
        .collect();
    let bias = panels_len::<T>(rows, cols);
    let layer = Outer { rows, cols, exchanged: false, weight: 0, bias: Some(bias), transposed: Some(0), moving: cols };
    // Four running sums of each sixteen rows.
    let in_groups = |j: usize| {
        let mut total = T::ZERO;
        for (n, _, delta) in &blocks {
            for first in (0..*n).step_by(16) {
                let mut sums = [T::ZERO; 4];
                (first..(*n).min(first + 16)).for_each(|r| sums[r % 4] += delta.at(r, j));
                total += sums[0] + sums[1] + (sums[2] + sums[3]);
            }
        }
        total
    };
    let weight = |i: usize, j: usize, sparse: Option<SomeApart>| {
        let terms = blocks.iter().flat_map(|(n, h, delta)| (0..*n).map(move |r| (h.at(r, i), delta.at(r, j))));
        let is_there = |h: T| sparse.is_none_or(|apart| is_stored(h) || apart.is_whole(i));
        let sum = terms.filter(|&(h, _)| is_there(h)).fold(T::ZERO, |sum, (h, delta)| h.mul_add(delta, sum));
        match sparse.map(|apart| apart.usual::<T>(i)) {
            Some(u) if u != T::ZERO && !blocks.is_empty() => u.mul_add(in_groups(j), sum),
            _ => sum,
        }
    };
    let total = |j: usize| {
        let terms = blocks.iter().flat_map(|(n, _, delta)| (0..*n).map(move |r| delta.at(r, j)));
        terms.fold(T::ZERO, |sum, delta| sum + delta)
    };
    for isa in Isa::available() {
        let ways = [None, Some(SomeApart(false)), Some(SomeApart(true))];
        for (sparse, threads) in ways.into_iter().flat_map(|way| [(way, 1), (way, 2)]) {
            let mut gradient = Buffer::zeros(bias + panels_len::<T>(1, cols));
            let mut transposed = Buffer::zeros(panels_len::<T>(cols, rows));
            let layers = Outers::new::<T>(vec![layer.clone()]);
            let mut team = Team::new(threads);
            let mut h: Vec<SparseRows<T>> =
                sparse.map_or(vec![], |apart| blocks.iter().map(|(n, h, _)| h.sparse(*n, true, apart)).collect());
            h.iter_mut().zip(&blocks).for_each(|(h, (_, _, delta))| h.set_delta(isa, cols, &delta.panels));
            let dense = blocks.iter().map(|(n, h, delta)| (*n, &*h.panels, &*delta.panels)).collect();
            let operands = Rows(dense, h);
            outer_sums(&mut team, isa, true, &layers, &operands, [&mut gradient], &mut transposed, &Keep);
            for (i, j) in (0..rows).flat_map(|i| (0..cols).map(move |j| (i, j))) {
                let (got, mirrored) = (gradient[index::<T>(rows, i, j)], transposed[index::<T>(cols, j, i)]);
                let plain = weight(i, j, sparse);
                assert!(same(got, plain) && same(mirrored, plain), "{isa}, ({i}, {j}): {got}, {mirrored}, not {plain}");
            }
            for j in 0..cols {
                let (got, plain) = (gradient[bias + index::<T>(1, 0, j)], total(j));
                assert!(same(got, plain), "{isa}, bias {j}: {got}, not {plain}");
            }
            if rows == 0 || !is_few(cols) || sparse.is_some() {
                continue;
            }
            let lines: Vec<_> = blocks.iter().map(|(n, _, delta)| delta.lines(*n)).collect();
            let in_lines = blocks.iter().zip(&lines).map(|((n, h, _), delta)| (*n, &*h.panels, &**delta)).collect();
            let bias = panels_len::<T>(cols, rows);
            let moving = cols - usize::from(cols > 2);
            let (weight_at, bias_at) = (0, Some(bias));
            let layer = Outer {
                rows: cols,
                cols: rows,
                exchanged: true,
                weight: weight_at,
                bias: bias_at,
                transposed: None,
                moving,
            };
            let mut gradient = Buffer::zeros(bias + panels_len::<T>(1, cols));
            outer_sums(
                &mut team,
                isa,
                true,
                &Outers::new::<T>(vec![layer]),
                &Rows(in_lines, vec![]),
                [&mut gradient],
                &mut [],
                &Keep,
            );
            for (i, j) in (0..rows).flat_map(|i| (0..cols).map(move |j| (i, j))) {
                let plain = if j < moving { weight(i, j, None) } else { T::ZERO };
                let got = gradient[index::<T>(cols, j, i)];
                assert!(same(got, plain), "{isa}, exchanged ({i}, {j}): {got}, not {plain}");
            }
            for j in 0..cols {
                let (got, plain) = (gradient[bias + j], total(j));
                assert!(same(got, plain), "{isa}, exchanged, bias {j}: {got}, not {plain}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_product_is_the_plain_sum(
        shape in (size(), size(), size()),
        numbers in prop::collection::vec(number(), 61),
        finish in 0..3usize,
    ) {
        product_is_the_plain_sum::<f32>(shape, &numbers, finish);
        product_is_the_plain_sum::<f64>(shape, &numbers, finish);
    }

    #[test]
    fn every_gradient_is_the_plain_sum(
        shape in (size(), size()),
        blocks in prop::collection::vec(size(), 0..4),
        numbers in prop::collection::vec(number(), 61),
    ) {
        outer_sum_is_the_plain_sum::<f32>(shape, &blocks, &numbers);
        outer_sum_is_the_plain_sum::<f64>(shape, &blocks, &numbers);
    }
}

/// Rows beyond a part's, in blocks that end inside it, in one block and in many short ones; and a W without rows.
#[test]
fn gradients_go_on_where_a_part_of_the_rows_ends() {
    let numbers: Vec<f64> = (0..61).map(|i| f64::from(i * 7 % 61) / 8.0 - 3.0).collect();
    for shape in [(0, 1), (0, 40), (1, 3), (33, 40)] {
        for blocks in [&[65, 65][..], &[300], &[5; 12]] {
            outer_sum_is_the_plain_sum::<f32>(shape, blocks, &numbers);
            outer_sum_is_the_plain_sum::<f64>(shape, blocks, &numbers);
        }
    }
}

/// So many rows that tiles are computed together, some rows in turn; the last columns, too few for whole registers, too.
#[test]
fn gradients_over_very_many_rows_are_the_plain_sum() {
    let numbers: Vec<f64> = (0..61).map(|i| f64::from(i * 7 % 61) / 8.0 - 3.0).collect();
    for blocks in [&[100; 21][..], &[1_030, 1_030]] {
        outer_sum_is_the_plain_sum::<f32>((200, 131), blocks, &numbers);
        outer_sum_is_the_plain_sum::<f64>((100, 67), blocks, &numbers);
    }
}
