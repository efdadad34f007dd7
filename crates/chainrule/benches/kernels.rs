//! The three matrix products of training beside the machine's peak of fused multiply-adds in the same run, on one thread:
//! `cargo bench -p chainrule --bench kernels [-- avx2]`.
//!
//! Peak and products take turns, so that a machine whose clock drifts is the same for all; printed are medians.

use std::hint::black_box;
use std::time::Instant;

use chainrule::Isa;
use chainrule::Scalar;
use chainrule::kernel::{
    Buffer, Finish, Left, Operands, Outer, Outers, Part, Product, Simd, Team, Tile, TileFn, VectorJob,
};
use chainrule::kernel::{multiply, outer_sums, panels_len};

const WIDTHS: [usize; 6] = [16, 64, 256, 512, 1024, 2048];
const BATCH: usize = 256;
const ROUNDS: usize = 9;

fn main() {
    let name = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let isa = name.map_or(Isa::detect(), |name| name.parse().expect("an instruction set of this CPU"));
    println!(
        "one thread, {isa}, batch {BATCH}; % of the peak of fused multiply-adds in the same round, median of {ROUNDS}"
    );
    table::<f32>(isa, "f32");
    table::<f64>(isa, "f64");
}

fn table<T: Scalar>(isa: Isa, name: &str) {
    println!("{name}: width     peak GFLOP/s   H W   Delta W'   H' Delta");
    for width in WIDTHS {
        let products = Products::<T>::new(width);
        let mut rounds: Vec<[f64; 4]> = (0..ROUNDS).map(|_| products.round(isa)).collect();
        let mut median = |i: usize| {
            rounds.sort_by(|a, b| a[i].total_cmp(&b[i]));
            rounds[ROUNDS / 2][i]
        };
        let [peak, forward, recursion, gradient] = [0, 1, 2, 3].map(&mut median);
        println!(
            "      {width:>5} {peak:>16.0} {:>5.0} {:>10.0} {:>10.0}",
            100.0 * forward,
            100.0 * recursion,
            100.0 * gradient
        );
    }
}

/// Square products of one width: H W, Delta W' and H' Delta, in blocks of rows as training has them.
struct Products<T> {
    width: usize,
    blocks: Vec<[Buffer<T>; 2]>,
    weight: Buffer<T>,
}

const BLOCK: usize = 64;

impl<T: Scalar> Products<T> {
    fn new(width: usize) -> Self {
        let random = |len: usize| {
            let mut buffer = Buffer::zeros(len);
            buffer.iter_mut().enumerate().for_each(|(i, x)| *x = T::from_f64((i % 17) as f64 - 8.0));
            buffer
        };
        let block = |_| [0; 2].map(|_| random(panels_len::<T>(BLOCK, width)));
        Self { width, blocks: (0..BATCH / BLOCK).map(block).collect(), weight: random(panels_len::<T>(width, width)) }
    }

    /// Peak in GFLOP/s, and the products' parts of it.
    fn round(&self, isa: Isa) -> [f64; 4] {
        let flops = 2.0 * (BATCH * self.width * self.width) as f64;
        let repeats = (2e8 / flops).ceil() as usize;
        let rate = |work: f64, f: &mut dyn FnMut()| {
            f();
            let start = Instant::now();
            (0..repeats).for_each(|_| f());
            work * repeats as f64 / start.elapsed().as_secs_f64() / 1e9
        };
        let mut out = Buffer::zeros(panels_len::<T>(BLOCK, self.width));
        let mut product = || {
            for [h, _] in &self.blocks {
                let product = Product {
                    rows: BLOCK,
                    cols: self.width,
                    depth: self.width,
                    left: Left::Panels(h),
                    right: &self.weight,
                    start: None,
                    finish: Finish::Keep,
                };
                multiply(None, isa, black_box(&product), &mut out, None, &|_, _, _| {});
            }
        };
        let forward = rate(flops, &mut product);
        let recursion = rate(flops, &mut product);
        let mut team = Team::new(1);
        let bias = panels_len::<T>(self.width, self.width);
        let width = self.width;
        let layer = Outer {
            rows: width,
            cols: width,
            exchanged: false,
            weight: 0,
            bias: Some(bias),
            transposed: None,
            moving: width,
        };
        let layers = Outers::new::<T>(vec![layer]);
        let mut gradient = Buffer::zeros(bias + panels_len::<T>(1, self.width));
        let outer = rate(flops, &mut || {
            outer_sums(&mut team, isa, false, black_box(&layers), self, [&mut gradient], &mut [], &Keep);
        });
        let mut peak_flops = 0.0;
        let per_call = T::dispatch(isa, Peak);
        let calls = (flops / per_call).ceil();
        let peak = rate(calls * per_call, &mut || {
            (0..calls as usize).for_each(|_| peak_flops += T::dispatch(isa, Peak));
        });
        [peak, forward / peak, recursion / peak, outer / peak]
    }
}

impl<T: Scalar> Operands<T> for Products<T> {
    fn blocks(&self, _: usize) -> usize {
        self.blocks.len()
    }

    fn block(&self, _: usize, block: usize) -> (usize, &[T], &[T]) {
        let [h, delta] = &self.blocks[block];
        (BLOCK, h, delta)
    }
}

struct Keep;

impl<T: Scalar> TileFn<T, 1> for Keep {
    fn apply(&self, _: Isa, _: Part, _: Tile, gradient: &mut [T], [to]: [&mut [T]; 1]) {
        to.copy_from_slice(gradient);
    }
}

/// Independent chains of fused multiply-adds on registers; returns their floating-point operations.
struct Peak;

impl<T: Scalar> VectorJob<T> for Peak {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) -> f64 {
        const CHAINS: usize = 12;
        const STEPS: usize = 512;
        let factor = simd.splat(black_box(T::from_f64(0.999)));
        let mut sums = [simd.splat(T::ONE); CHAINS];
        for _ in 0..STEPS {
            for sum in &mut sums {
                *sum = simd.fma(*sum, factor, factor);
            }
        }
        let mut total = sums[0];
        for sum in &sums[1..] {
            total = simd.add(total, *sum);
        }
        let mut lanes = [T::ZERO; 32];
        // SAFETY: a register has at most 16 lanes.
        #[allow(unsafe_code)]
        unsafe {
            simd.store(lanes.as_mut_ptr(), total)
        };
        black_box(lanes);
        (2 * CHAINS * STEPS * S::LANES) as f64
    }
}
