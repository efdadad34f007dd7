//! Every operation of every back end against the scalar operation, lane by lane, on ordinary and special values.

use super::{Isa, Simd, VectorJob};
use crate::scalar::Scalar;

/// Zeros, subnormals, ties, infinities, NaN and ordinary values, so that all pairs of them meet.
const SPECIAL: [f64; 16] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.1,
    -3.7,
    1e-40,
    -1e-40,
    5e-324,
    1e30,
    -2.5e-12,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    16_777_217.0,
    f64::MAX,
];

/// The operations applied to three slices of one length, a multiple of the panel; one row for each operation.
struct Apply<'a, T>(&'a [T], &'a [T], &'a [T]);

impl<T: Scalar> VectorJob<T> for Apply<'_, T> {
    type Output = Vec<Vec<T>>;

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) -> Vec<Vec<T>> {
        assert_eq!(T::PANEL / 2 % S::LANES, 0);
        let mut rows = vec![Vec::new(); OPERATIONS];
        let mut lanes = [T::ZERO; 16];
        for i in (0..self.0.len()).step_by(S::LANES) {
            // SAFETY: the slices' length is a multiple of `LANES`.
            let [a, b, c] = [self.0, self.1, self.2].map(|s| unsafe { simd.load(s[i..i + S::LANES].as_ptr()) });
            for (row, result) in rows.iter_mut().zip(operations(simd, a, b, c)) {
                // SAFETY: no register has more than 16 lanes.
                unsafe { simd.store(lanes.as_mut_ptr(), result) };
                row.extend_from_slice(&lanes[..S::LANES]);
            }
        }
        rows
    }
}

const OPERATIONS: usize = 23;

#[inline(always)]
fn operations<T: Scalar, S: Simd<T>>(s: S, a: S::Vector, b: S::Vector, c: S::Vector) -> [S::Vector; OPERATIONS] {
    let (x, y) = (s.to_bits(a), s.to_bits(b));
    let flag = |mask| s.select(mask, s.splat(T::ONE), s.splat(T::ZERO));
    let any = |mask| s.splat(if s.any(mask) { T::ONE } else { T::ZERO });
    let nothing = s.lt(s.splat(T::ONE), s.splat(T::ZERO));
    let everything = s.le(s.splat(T::ONE), s.splat(T::ONE));
    [
        s.add(a, b),
        s.sub(a, b),
        s.mul(a, b),
        s.div(a, b),
        s.fma(a, b, c),
        s.fnma(a, b, c),
        s.sqrt(a),
        s.neg(a),
        s.abs(a),
        s.max(a, b),
        s.min(a, b),
        flag(s.lt(a, b)),
        flag(s.le(a, b)),
        flag(s.eq(a, b)),
        s.from_bits(s.add_bits(x, y)),
        s.from_bits(s.sub_bits(x, y)),
        s.from_bits(s.and_bits(x, y)),
        s.from_bits(s.or_bits(x, y)),
        s.from_bits(s.shl_bits(x, 3)),
        s.from_bits(s.shr_bits(x, 20)),
        s.from_bits(s.splat_bits(0x1234_5678_3f80_0001)),
        any(nothing),
        any(everything),
    ]
}

macro_rules! against_scalar {
    ($name:ident, $t:ty, $bits:ty) => {
        #[test]
        fn $name() {
            let triples: Vec<[$t; 3]> =
                (0..16 * 16 * 16).map(|i| [i / 256, i / 16 % 16, i % 16].map(|k| SPECIAL[k] as $t)).collect();
            let [a, b, c] = [0, 1, 2].map(|k| triples.iter().map(|t| t[k]).collect::<Vec<_>>());
            let flag = |x: bool| if x { 1.0 } else { 0.0 };
            for isa in Isa::available() {
                let rows = <$t>::dispatch(isa, Apply(&a, &b, &c));
                for (i, &[a, b, c]) in triples.iter().enumerate() {
                    let (x, y) = (a.to_bits(), b.to_bits());
                    let expected: [$t; OPERATIONS] = [
                        a + b,
                        a - b,
                        a * b,
                        a / b,
                        a.mul_add(b, c),
                        (-a).mul_add(b, c),
                        a.sqrt(),
                        -a,
                        a.abs(),
                        if a > b { a } else { b },
                        if a < b { a } else { b },
                        flag(a < b),
                        flag(a <= b),
                        flag(a == b),
                        <$t>::from_bits(x.wrapping_add(y)),
                        <$t>::from_bits(x.wrapping_sub(y)),
                        <$t>::from_bits(x & y),
                        <$t>::from_bits(x | y),
                        <$t>::from_bits(x << 3),
                        <$t>::from_bits(x >> 20),
                        <$t>::from_bits(0x1234_5678_3f80_0001_u64 as $bits),
                        0.0,
                        1.0,
                    ];
                    for (k, (row, expected)) in rows.iter().zip(expected).enumerate() {
                        // A NaN's sign and payload are free: the instruction sets choose them differently.
                        let same = row[i].to_bits() == expected.to_bits() || row[i].is_nan() && expected.is_nan();
                        assert!(same, "{isa} operation {k} of {a:e}, {b:e}, {c:e}: {:e}, not {expected:e}", row[i]);
                    }
                }
            }
        }
    };
}

against_scalar!(single_precision_lanes_follow_the_scalar_operations, f32, u32);
against_scalar!(double_precision_lanes_follow_the_scalar_operations, f64, u64);
