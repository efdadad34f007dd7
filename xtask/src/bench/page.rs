//! `docs/benchmarks.md`, written anew after each row, so that an interrupted run leaves what it has.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::Options;
use super::peers::Library;
use super::shape::{self, Shape};
use super::table::{Cell, Table};
use crate::root;

pub struct Page {
    /// False: rows are only printed.
    written: bool,
    introduction: String,
    shapes: String,
    tables: Vec<Table>,
    kernels: Option<String>,
    pub machine: String,
}

impl Page {
    pub fn new(options: &Options, shapes: &[Shape]) -> Self {
        Self {
            written: options.complete(),
            introduction: introduction(options),
            shapes: shape::markdown(shapes),
            tables: vec![],
            kernels: None,
            machine: String::new(),
        }
    }

    /// The next rows are of this table.
    pub fn begin(&mut self, table: Table) {
        println!("\n{}", table.head());
        self.tables.push(table);
    }

    /// The columns of the table begun last.
    pub fn libraries(&self) -> &[Library] {
        self.tables.last().map_or(&[], |table| &table.libraries)
    }

    /// A row of the table begun last.
    pub fn add(&mut self, name: [String; 2], cells: Vec<Cell>) -> Result<()> {
        if let Some(table) = self.tables.last_mut() {
            println!("{}", table.add(name, cells));
        }
        self.write()
    }

    /// The output of the kernels' benchmark.
    pub fn kernels(&mut self, output: String) -> Result<()> {
        print!("\n{output}");
        self.kernels = Some(output);
        self.write()
    }

    /// Says what became of the page.
    pub fn finish(&self) -> Result<()> {
        if self.written {
            println!("\nwritten: {}", path()?.display());
        } else {
            println!("\nnot the whole benchmark, so docs/benchmarks.md is as it was");
        }
        Ok(())
    }

    fn write(&self) -> Result<()> {
        if self.written { fs::write(path()?, self.markdown()).context("docs/benchmarks.md") } else { Ok(()) }
    }

    fn markdown(&self) -> String {
        let tables: String = self.tables.iter().map(|table| format!("\n{}", table.markdown())).collect();
        let kernels = self.kernels.as_ref().map_or(String::new(), |output| format!("\n{KERNELS}\n```\n{output}```\n"));
        let Self { introduction, shapes, machine, .. } = self;
        format!("# Benchmarks\n\n{introduction}\n{NOTES}\n{shapes}{tables}{kernels}\n## Machine\n\n{machine}\n{REPEAT}")
    }
}

fn path() -> Result<PathBuf> {
    Ok(root()?.join("docs/benchmarks.md"))
}

/// What is compared, and how.
fn introduction(options: &Options) -> String {
    let compiled = if options.all { ", fused or compiled" } else { " or fused" };
    let rounds = options.rounds;
    format!(
        "Each library trains, or predicts with, the same networks in single precision; a fresh permutation of the rows for
each epoch and the gathering of the batches are in the time. Of each library the fastest way for the row is chosen first
(one or two threads; PyTorch's optimizer as a loop, over tensor lists (`foreach`){compiled}), and then the chosen ones, all
alive but only one working at a time, take turns for {rounds} rounds of at least 0.2 s each. Times are medians in
microseconds for a step (a call, for predictions), with the way that was chosen in brackets, number of threads last;
comparisons are the library's time over chainrule's, taken round by round (median, and least to greatest): above 1
chainrule is faster.
"
    )
}

const NOTES: &str = "\
Optimizers are SGD without momentum and Adam; a step is forward, backward and update. The Rust libraries of other people
are built with the machine's own instructions, chainrule as everyone builds it: it chooses when it runs.
";

const KERNELS: &str = "\
## Kernels

chainrule's matrix products: activations times weights (H W), deltas times transposed weights (Delta W'), transposed
activations times deltas (H' Delta).
";

const REPEAT: &str = "\
## Repeat

    cargo xtask bench --help
    cargo xtask bench

The first run sets the libraries up (6 GB in `bench/.venv`, several minutes to build `bench/rust-peers`). Protocol, rules and
how to add a library: `bench/README.md`.
";

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::table::Times;
    use super::*;

    #[test]
    fn the_page_says_what_was_compared_then_shows_it_then_how_to_repeat_it() {
        let options = Options::parse_from(["bench", "--shapes", "A", "--rounds", "3"]);
        let mut page = Page::new(&options, &options.shapes().unwrap());
        page.machine = "- CPU: a machine\n".into();
        page.begin(Table::new("Training", ["shape", "optimizer"], &[]));
        let cell = Ok(Times { variant: "2".into(), rounds: vec![1.0] });
        page.add(["A".into(), "sgd".into()], vec![cell]).unwrap();
        page.kernels("width\n".into()).unwrap();
        let markdown = page.markdown();
        let parts = [
            "# Benchmarks\n",
            "for 3 rounds",
            "| A | 8 - 16 - 1 | relu | gaussian | 32 | 20000 |\n",
            "\n## Training\n\n| shape | optimizer | chainrule |\n",
            "| A | sgd | 1.00 (2) |\n",
            "\n## Kernels\n",
            "\n```\nwidth\n```\n",
            "\n## Machine\n\n- CPU: a machine\n",
            "\n## Repeat\n",
        ];
        let places: Vec<_> = parts.iter().map(|part| markdown.find(part).expect(part)).collect();
        assert!(places.is_sorted());
    }
}
