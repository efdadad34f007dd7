//! `cargo xtask bench`: chainrule and other libraries in turn on one machine. Protocol and rules: `bench/README.md`.

mod contest;
pub mod machine;
mod page;
mod peers;
mod process;
mod setup;
mod shape;
mod table;

use anyhow::{Result, ensure};
use clap::{Parser, ValueEnum};

use contest::Contest;
use page::Page;
use peers::{Library, Optimizer, Task, Work};
use shape::Shape;
use table::Table;

/// The shape that is also trained with these activations instead of its own.
const OTHER_ACTIVATIONS: (&str, [&str; 2]) = ("D", ["tanh", "gelu"]);
/// Shapes and numbers of rows of the predictions.
const PREDICTED: [&str; 2] = ["D", "F"];
const PREDICTED_ROWS: [usize; 2] = [1, 1024];

/// chainrule beside other libraries, on the networks of bench/shapes.json
///
/// Sets the libraries up (the first time takes long), prints each row as it is done and writes docs/benchmarks.md. A run
/// that --shapes, --optimizers, --peers or --only narrows down prints its rows and leaves the page alone.
#[derive(Parser)]
#[command(bin_name = "cargo xtask bench")]
struct Options {
    /// Shapes, as in A,D; all if absent
    #[arg(long, value_delimiter = ',', value_parser = shape_name)]
    shapes: Vec<String>,
    /// Optimizers; all if absent
    #[arg(long, value_delimiter = ',')]
    optimizers: Vec<Optimizer>,
    /// Libraries beside chainrule; all if absent
    #[arg(long, value_delimiter = ',')]
    peers: Vec<Library>,
    /// One section alone
    #[arg(long)]
    only: Option<Section>,
    /// Rounds in which the libraries take turns
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Try PyTorch's compiled step too (needs a C++ compiler and half a minute for each row)
    #[arg(long)]
    all: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Section {
    Training,
    Prediction,
    Kernels,
}

pub fn run() -> Result<()> {
    let options = Options::parse_from(std::env::args().skip(1));
    let shapes = options.shapes()?;
    let mut page = Page::new(&options, &shapes);
    let tables = options.tables(&shapes);
    if !tables.is_empty() {
        let libraries: Vec<Library> = tables.iter().flat_map(|(table, _)| table.libraries.clone()).collect();
        let contest = Contest::new(setup::set_up(&libraries)?, usize::from(options.rounds), options.all);
        page.machine = machine::describe(&libraries);
        for (table, tasks) in tables {
            page.begin(table);
            for task in tasks {
                page.add(task.name(), contest.run(&task, page.libraries())?)?;
            }
        }
    }
    if options.wants(Section::Kernels) {
        page.kernels(contest::kernels()?)?;
    }
    page.finish()
}

fn shape_name(name: &str) -> Result<String> {
    ensure!(shape::read()?.iter().any(|shape| shape.name == name), "bench/shapes.json has no such shape");
    Ok(name.to_owned())
}

impl Options {
    /// The shapes asked for.
    fn shapes(&self) -> Result<Vec<Shape>> {
        let mut shapes = shape::read()?;
        shapes.retain(|shape| self.shapes.is_empty() || self.shapes.contains(&shape.name));
        Ok(shapes)
    }

    /// The kernels know neither shapes nor libraries, so a run narrowed down to some of those leaves them out.
    fn wants(&self, section: Section) -> bool {
        let default = section != Section::Kernels || self.complete();
        self.only.map_or(default, |only| only == section)
    }

    /// Whether the page would have everything.
    fn complete(&self) -> bool {
        self.shapes.is_empty() && self.optimizers.is_empty() && self.peers.is_empty() && self.only.is_none()
    }

    /// Empty tables of the sections asked for, each with what is to be measured for it.
    fn tables(&self, shapes: &[Shape]) -> Vec<(Table, Vec<Task>)> {
        use Library::{Burn, Candle, Jax, OnnxRuntime, ScikitLearn, Torch};
        let training = Table::new("Training", ["shape", "optimizer"], &[Jax, Torch, ScikitLearn, Candle, Burn]);
        let training = training.against(&[Jax, Torch]).against(&[Torch]).against(&[ScikitLearn]);
        let prediction = Table::new("Prediction", ["shape", "rows"], &[OnnxRuntime, Torch]);
        let prediction = prediction.against(&[OnnxRuntime]).against(&[Torch]);
        let mut tables = vec![];
        for (section, table, tasks) in [
            (Section::Training, training, self.training(shapes)),
            (Section::Prediction, prediction, predictions(shapes)),
        ] {
            let table = table.narrowed(|library| self.peers.is_empty() || self.peers.contains(&library));
            let worth_it = table.libraries.len() > 1 && !tasks.is_empty();
            if self.wants(section) && worth_it {
                tables.push((table, tasks));
            }
        }
        tables
    }

    fn training(&self, shapes: &[Shape]) -> Vec<Task> {
        let optimizers = if self.optimizers.is_empty() { Optimizer::value_variants() } else { &self.optimizers };
        let mut tasks = vec![];
        for shape in shapes {
            let others = OTHER_ACTIVATIONS.1.iter().filter(|_| shape.name == OTHER_ACTIVATIONS.0);
            for activation in std::iter::once(None).chain(others.map(|&name| Some(name))) {
                let task = |&optimizer| Task { shape: shape.name.clone(), activation, work: Work::Train(optimizer) };
                tasks.extend(optimizers.iter().map(task));
            }
        }
        tasks
    }
}

fn predictions(shapes: &[Shape]) -> Vec<Task> {
    let names = shapes.iter().map(|shape| &shape.name).filter(|name| PREDICTED.contains(&name.as_str()));
    let task = |shape: &String, rows| Task { shape: shape.clone(), activation: None, work: Work::Predict(rows) };
    names.flat_map(|shape| PREDICTED_ROWS.map(|rows| task(shape, rows))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &[&str]) -> Options {
        Options::parse_from([&["bench"], arguments].concat())
    }

    #[test]
    fn the_whole_benchmark_is_all_shapes_with_both_optimizers_and_one_with_more_activations() {
        let options = options(&[]);
        let shapes = options.shapes().unwrap();
        let tables = options.tables(&shapes);
        assert_eq!(tables[0].1.len(), 2 * (shapes.len() + 2));
        assert_eq!(tables[1].1.len(), 4);
        assert!(options.complete() && options.wants(Section::Kernels));
    }

    #[test]
    fn options_narrow_a_run_down() {
        let options = options(&["--shapes", "A,G", "--optimizers", "adam", "--peers", "torch,onnxruntime"]);
        let shapes = options.shapes().unwrap();
        let tables = options.tables(&shapes);
        let [(table, tasks)] = tables.as_slice() else { panic!("neither shape is predicted") };
        assert_eq!(table.libraries, [Library::Chainrule, Library::Torch]);
        assert_eq!(tasks.iter().map(|task| task.name().join(" ")).collect::<Vec<_>>(), ["A adam", "G adam"]);
        assert!(!options.complete() && !options.wants(Section::Kernels));
        assert!(self::options(&["--only", "kernels"]).wants(Section::Kernels));
        let unknown = Options::try_parse_from(["bench", "--shapes", "A,X"]).map(drop);
        assert!(unknown.unwrap_err().to_string().contains("no such shape"));
    }
}
