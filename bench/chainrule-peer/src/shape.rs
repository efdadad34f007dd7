//! The shapes of the benchmark, and their tables.

use anyhow::{Context, Result};
use chainrule::{Activation, Head, Hidden, Key, NetworkSpec};
use serde::Deserialize;

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Cost {
    Gaussian,
    Categorical,
}

/// One entry of `shapes.json`.
#[derive(Clone, Deserialize)]
pub struct Shape {
    name: String,
    widths: Vec<usize>,
    pub batch: usize,
    pub rows: usize,
    cost: Cost,
    pub activation: Activation,
    pub steps: usize,
}

impl Shape {
    pub fn named(name: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Table {
            shapes: Vec<Shape>,
        }
        let table: Table = serde_json::from_str(include_str!("../../shapes.json"))?;
        table.shapes.into_iter().find(|shape| shape.name == name).with_context(|| format!("no shape {name}"))
    }

    pub fn inputs(&self) -> usize {
        self.widths[0]
    }

    pub fn outputs(&self) -> usize {
        self.widths[self.widths.len() - 1]
    }

    pub fn network(&self) -> NetworkSpec {
        let last = self.widths.len() - 1;
        let hidden = self.widths[1..last].iter().map(|&width| Hidden::new(width, self.activation)).collect();
        let head = match self.cost {
            Cost::Gaussian => Head::gaussian(),
            Cost::Categorical => Head::categorical(),
        };
        NetworkSpec::new(self.widths[0], hidden, self.outputs(), head)
    }

    /// Random inputs (mean 0, standard deviation 1) and targets of `rows` rows.
    pub fn table(&self, rows: usize) -> (Vec<f32>, Vec<f32>) {
        let key = Key::new(1);
        let sum = |i: u64| (0..3).map(|j| key.uniform(3 * i + j) as f32).sum::<f32>();
        let x = (0..rows * self.inputs()).map(|i| 2.0 * (sum(i as u64) - 1.5)).collect();
        let classes = self.outputs() as u64;
        let y = |i: u64| match self.cost {
            Cost::Categorical => key.part(1).below(i, classes) as f32,
            Cost::Gaussian => key.part(1).uniform(i) as f32,
        };
        (x, (0..rows as u64).map(y).collect())
    }
}
