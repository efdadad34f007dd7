//! chainrule's side of the benchmark: trains or predicts with a network of `../shapes.json` and answers each line `run` with
//! the microseconds of a step (see `../README.md`).

mod predict;
mod shape;
mod train;

use std::io::{BufRead, StdinLock, stdin};
use std::time::Instant;

use anyhow::Result;
use chainrule::{Activation, Compute, Isa};
use clap::{Parser, ValueEnum};

/// A shorter stretch would measure the clock and the scheduler.
const MIN_SECONDS: f64 = 0.2;

#[derive(Parser)]
struct Arguments {
    /// Name of a shape
    #[arg(long)]
    shape: String,
    /// Default: the shape's own
    #[arg(long, value_parser = activation)]
    activation: Option<Activation>,
    /// Train with this optimizer
    #[arg(long)]
    optimizer: Option<OptimizerName>,
    /// Predict so many rows at a time
    #[arg(long, conflicts_with = "optimizer", required_unless_present = "optimizer")]
    rows: Option<usize>,
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Instruction set; the CPU's best if absent
    #[arg(long)]
    isa: Option<Isa>,
}

#[derive(Clone, Copy, ValueEnum)]
enum OptimizerName {
    Sgd,
    Adam,
}

fn activation(name: &str) -> Result<Activation> {
    Ok(serde_json::from_value(name.into())?)
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut shape = shape::Shape::named(&arguments.shape)?;
    shape.activation = arguments.activation.unwrap_or(shape.activation);
    let isa = arguments.isa.unwrap_or(Isa::detect());
    let mut compute = Compute::with_isa(arguments.threads, isa);
    match (arguments.optimizer, arguments.rows) {
        (Some(optimizer), _) => train::serve(&shape, optimizer, &mut compute),
        (None, rows) => predict::serve(&shape, rows.unwrap_or(1), &mut compute),
    }
}

/// The protocol, driven by the steps themselves: warms up, prints `ready`, then measures a stretch of steps for each `run`.
struct Protocol {
    lines: StdinLock<'static>,
    /// Steps of a stretch.
    steps: usize,
    repeats: usize,
    phase: Phase,
    done: usize,
    started: Instant,
}

#[derive(PartialEq)]
enum Phase {
    WarmUp,
    Calibrate,
    Run,
}

impl Protocol {
    fn new(steps: usize) -> Self {
        Self { lines: stdin().lock(), steps, repeats: 1, phase: Phase::WarmUp, done: 0, started: Instant::now() }
    }

    /// To be called after every step. False: it is time to end.
    fn step(&mut self) -> bool {
        self.done += 1;
        if self.done < self.steps * self.repeats {
            return true;
        }
        let seconds = self.started.elapsed().as_secs_f64();
        match self.phase {
            Phase::WarmUp => self.phase = Phase::Calibrate,
            Phase::Calibrate => {
                self.phase = Phase::Run;
                self.repeats = (MIN_SECONDS / seconds).ceil() as usize;
                println!("ready");
                if !self.asked() {
                    return false;
                }
            }
            Phase::Run => {
                println!("{:.3}", seconds / self.done as f64 * 1e6);
                if !self.asked() {
                    return false;
                }
            }
        }
        self.done = 0;
        self.started = Instant::now();
        true
    }

    /// Waits for the next line; false if it is no `run`.
    fn asked(&mut self) -> bool {
        let mut line = String::new();
        self.lines.read_line(&mut line).is_ok() && line.trim() == "run"
    }
}
