//! What both Rust peers share: arguments, thread limits, data, shuffled batches and the line protocol (`../README.md`).
//! The counterpart of `../peers/common.py`; shapes, learning rates and data are the same.

use std::env;
use std::io::{self, BufRead};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_distr::StandardNormal;
use serde::Deserialize;

/// A shorter stretch would measure the clock and the scheduler.
const MIN_SECONDS: f64 = 0.2;
const SEED: u64 = 1;

#[derive(Parser)]
pub struct Arguments {
    #[arg(long)]
    shape: String,
    /// Default: the shape's own
    #[arg(long)]
    activation: Option<Activation>,
    #[arg(long)]
    pub optimizer: Optimizer,
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

#[derive(Clone, Copy, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    Relu,
    Tanh,
    Gelu,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Optimizer {
    Sgd,
    Adam,
}

impl Optimizer {
    pub fn learning_rate(self) -> f64 {
        match self {
            Self::Sgd => 1e-2,
            Self::Adam => 1e-3,
        }
    }
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Cost {
    Gaussian,
    Categorical,
}

/// One entry of `../shapes.json`.
#[derive(Clone, Deserialize)]
pub struct Shape {
    name: String,
    pub widths: Vec<usize>,
    pub batch: usize,
    pub rows: usize,
    pub cost: Cost,
    pub activation: Activation,
    pub steps: usize,
}

impl Shape {
    pub fn inputs(&self) -> usize {
        self.widths[0]
    }

    pub fn outputs(&self) -> usize {
        self.widths[self.widths.len() - 1]
    }

    /// (inputs, outputs) of each dense layer.
    pub fn layers(&self) -> impl Iterator<Item = (usize, usize)> {
        self.widths.windows(2).map(|pair| (pair[0], pair[1]))
    }
}

/// The command line's shape (with the activation asked for) and the arguments; sets the size of rayon's pool.
pub fn parse_arguments() -> (Shape, Arguments) {
    let arguments = Arguments::parse();
    limit_threads(arguments.threads);
    #[derive(Deserialize)]
    struct Table {
        shapes: Vec<Shape>,
    }
    let table: Table = serde_json::from_str(include_str!("../../shapes.json")).expect("shapes.json matches `Shape`");
    let found = table.shapes.into_iter().find(|shape| shape.name == arguments.shape);
    let mut shape = found.unwrap_or_else(|| panic!("no shape {} in shapes.json", arguments.shape));
    shape.activation = arguments.activation.unwrap_or(shape.activation);
    (shape, arguments)
}

/// Candle reads the environment, burn the pool. The environment is set by starting over, as it must not change later;
/// the main thread is one of the pool, which spares a hand-over for each parallel operation.
fn limit_threads(threads: usize) {
    const NAME: &str = "RAYON_NUM_THREADS";
    if env::var(NAME).ok() != Some(threads.to_string()) {
        let program = env::current_exe().expect("a running program has a path");
        let error = Command::new(program).args(env::args_os().skip(1)).env(NAME, threads.to_string()).exec();
        panic!("cannot start over with {NAME} set: {error}");
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).use_current_thread();
    pool.build_global().expect("nothing has used the pool yet");
}

/// Standard normal numbers, for the inputs or for real targets.
pub fn normal_values(count: usize) -> Vec<f32> {
    StdRng::seed_from_u64(SEED).sample_iter(StandardNormal).take(count).collect()
}

/// One class number a row.
pub fn class_numbers(shape: &Shape) -> Vec<u32> {
    let mut random = StdRng::seed_from_u64(SEED);
    (0..shape.rows).map(|_| random.random_range(0..shape.outputs() as u32)).collect()
}

/// Row numbers of the batches of an epoch, drawn anew when all are used.
pub struct ShuffledRows {
    order: Vec<u32>,
    next: usize,
    random: StdRng,
}

impl ShuffledRows {
    pub fn new(rows: usize) -> Self {
        Self { order: (0..rows as u32).collect(), next: rows, random: StdRng::seed_from_u64(SEED) }
    }

    /// The next `count` rows; a fresh permutation when fewer are left.
    pub fn take(&mut self, count: usize) -> &[u32] {
        if self.next + count > self.order.len() {
            self.order.shuffle(&mut self.random);
            self.next = 0;
        }
        self.next += count;
        &self.order[self.next - count..self.next]
    }
}

/// Warms up, prints `ready`, then answers each line `run` with microseconds per step, until `quit` or the end.
/// A run is `steps` steps, repeated so that it lasts `MIN_SECONDS`.
pub fn serve(steps: usize, mut step: impl FnMut()) {
    let mut seconds = |repeats: usize| {
        let start = Instant::now();
        (0..repeats * steps).for_each(|_| step());
        start.elapsed().as_secs_f64()
    };
    seconds(1);
    let repeats = (MIN_SECONDS / seconds(1).min(seconds(1))).ceil() as usize;
    println!("ready");
    for line in io::stdin().lock().lines() {
        if line.expect("standard input is text").trim() == "quit" {
            return;
        }
        println!("{:.3}", seconds(repeats) / (repeats * steps) as f64 * 1e6);
    }
}
