//! The libraries of the benchmark, and the ways of running each.

use std::fmt::{self, Display};
use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use crate::{root, target_folder};

/// Numbers of threads that every library is tried with.
const THREADS: [usize; 2] = [1, 2];

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum Library {
    #[value(skip)]
    Chainrule,
    Jax,
    Torch,
    #[value(name = "sklearn")]
    ScikitLearn,
    Candle,
    Burn,
    #[value(name = "onnxruntime")]
    OnnxRuntime,
}

impl Library {
    /// Its package in Python's index.
    pub fn python_package(self) -> Option<&'static str> {
        match self {
            Self::Jax => Some("jax"),
            Self::Torch => Some("torch"),
            Self::ScikitLearn => Some("scikit-learn"),
            Self::OnnxRuntime => Some("onnxruntime"),
            Self::Chainrule | Self::Candle | Self::Burn => None,
        }
    }

    /// Its crate, for a peer of `bench/rust-peers`.
    pub fn rust_package(self) -> Option<&'static str> {
        match self {
            Self::Candle => Some("candle-core"),
            Self::Burn => Some("burn"),
            _ => None,
        }
    }
}

impl Display for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Chainrule => "chainrule",
            Self::Jax => "JAX",
            Self::Torch => "PyTorch",
            Self::ScikitLearn => "scikit-learn",
            Self::Candle => "candle",
            Self::Burn => "burn",
            Self::OnnxRuntime => "onnxruntime",
        })
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Optimizer {
    Sgd,
    Adam,
}

impl Optimizer {
    fn name(self) -> &'static str {
        match self {
            Self::Sgd => "sgd",
            Self::Adam => "adam",
        }
    }
}

/// What a row of a table measures.
pub struct Task {
    pub shape: String,
    /// The shape's own if absent.
    pub activation: Option<&'static str>,
    pub work: Work,
}

#[derive(Clone, Copy)]
pub enum Work {
    Train(Optimizer),
    /// So many rows in one call.
    Predict(usize),
}

impl Task {
    /// The first cells of its row.
    pub fn name(&self) -> [String; 2] {
        let shape = [Some(self.shape.as_str()), self.activation].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let work = match self.work {
            Work::Train(optimizer) => optimizer.name().to_owned(),
            Work::Predict(rows) => rows.to_string(),
        };
        [shape, work]
    }
}

/// One way of running a library: a program of `bench/README.md` and its arguments.
pub struct Variant {
    /// What tells it from the library's other variants, number of threads last.
    pub name: String,
    pub program: PathBuf,
    pub arguments: Vec<String>,
}

/// All variants of a library that can do a task; with `compiled`, PyTorch's compiled step among them.
pub fn variants(library: Library, task: &Task, compiled: bool) -> Result<Vec<Variant>> {
    let kinds: &[&str] = match (library, task.work) {
        (Library::Torch, Work::Train(_)) if compiled => &["eager", "foreach", "fused", "compile"],
        (Library::Torch, Work::Train(_)) => &["eager", "foreach", "fused"],
        _ => &[""],
    };
    let mut variants = vec![];
    for kind in kinds {
        for threads in THREADS {
            let name = if kind.is_empty() { threads.to_string() } else { format!("{kind}, {threads}") };
            let arguments = arguments(library, task, kind, threads);
            variants.push(Variant { name, program: program(library)?, arguments });
        }
    }
    Ok(variants)
}

fn program(library: Library) -> Result<PathBuf> {
    let bench = root()?.join("bench");
    Ok(match library {
        Library::Chainrule => target_folder()?.join("release/chainrule-peer"),
        Library::Candle => bench.join("rust-peers/target/release/candle_peer"),
        Library::Burn => bench.join("rust-peers/target/release/burn_peer"),
        _ => bench.join(".venv/bin/python"),
    })
}

/// Arguments for a program that runs in `bench`.
fn arguments(library: Library, task: &Task, kind: &str, threads: usize) -> Vec<String> {
    let script: &[&str] = match (library, task.work) {
        (Library::Jax, _) => &["peers/jax_peer.py"],
        (Library::Torch, Work::Train(_)) => &["peers/torch_peer.py", "--variant", kind],
        (Library::ScikitLearn, _) => &["peers/sklearn_peer.py"],
        (Library::Torch, Work::Predict(_)) => &["peers/predict_peer.py", "--engine", "torch"],
        (Library::OnnxRuntime, _) => &["peers/predict_peer.py", "--engine", "onnxruntime"],
        (Library::Chainrule | Library::Candle | Library::Burn, _) => &[],
    };
    let mut arguments: Vec<String> = script.iter().map(|&word| word.to_owned()).collect();
    let mut add = |name: &str, value: &str| arguments.extend([name.to_owned(), value.to_owned()]);
    add("--shape", &task.shape);
    add("--threads", &threads.to_string());
    if let Some(activation) = task.activation {
        add("--activation", activation);
    }
    match task.work {
        Work::Train(optimizer) => add("--optimizer", optimizer.name()),
        Work::Predict(rows) => add("--rows", &rows.to_string()),
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variant_has_its_arguments() {
        let task = Task { shape: "D".into(), activation: Some("tanh"), work: Work::Train(Optimizer::Adam) };
        let line = |library, kind| arguments(library, &task, kind, 2).join(" ");
        let common = "--shape D --threads 2 --activation tanh --optimizer adam";
        assert_eq!(line(Library::Chainrule, ""), common);
        assert_eq!(line(Library::Torch, "fused"), format!("peers/torch_peer.py --variant fused {common}"));
        let task = Task { shape: "F".into(), activation: None, work: Work::Predict(1024) };
        let line = arguments(Library::OnnxRuntime, &task, "", 1).join(" ");
        assert_eq!(line, "peers/predict_peer.py --engine onnxruntime --shape F --threads 1 --rows 1024");
    }
}
