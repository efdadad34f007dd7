//! The networks of `bench/shapes.json`.

use std::fs;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::root;

/// What a reader of the tables wants to know of a shape.
#[derive(Debug, Deserialize)]
pub struct Shape {
    pub name: String,
    widths: Vec<usize>,
    batch: usize,
    rows: usize,
    cost: String,
    activation: String,
}

pub fn read() -> Result<Vec<Shape>> {
    #[derive(Deserialize)]
    struct Table {
        shapes: Vec<Shape>,
    }
    let text = fs::read_to_string(root()?.join("bench/shapes.json")).context("bench/shapes.json")?;
    let table: Table = serde_json::from_str(&text).context("bench/shapes.json")?;
    Ok(table.shapes)
}

/// The shapes as a Markdown table.
pub fn markdown(shapes: &[Shape]) -> String {
    let mut lines = vec![
        "| shape | units of the layers | activation | cost | batch | rows |".to_owned(),
        "|---|---|---|---|---|---|".to_owned(),
    ];
    lines.extend(shapes.iter().map(|shape| {
        let Shape { name, batch, rows, cost, activation, .. } = shape;
        let widths: Vec<String> = shape.widths.iter().map(usize::to_string).collect();
        format!("| {name} | {} | {activation} | {cost} | {batch} | {rows} |", widths.join(" - "))
    }));
    lines.join("\n") + "\n"
}
