//! Permutation importance (Breiman 2001; Fisher, Rudin, Dominici 2019): how much worse a model's score gets where the cells of
//! one column are dealt to the rows anew.

use chainrule::{Compute, Key};
use chainrule_data::{ColumnPlace, Features, Table};
use serde::Serialize;

use crate::error::{Result, setting};
use crate::matrices::Matrices;
use crate::model::{Card, Model};
use crate::score::Score;

/// How much each column matters to a model on some rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Importance {
    /// The score that got worse.
    pub score: &'static str,
    /// Its value on the rows as they are.
    pub value: f64,
    /// Rows that were scored.
    pub rows: usize,
    /// How often each column was shuffled.
    pub repeats: usize,
    /// The columns that the model uses, the most important first.
    pub columns: Vec<ColumnImportance>,
}

/// How much one column matters.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnImportance {
    /// Its name.
    pub column: String,
    /// By how much the score gets worse, the mean over the repeats, in the score's unit.
    pub importance: f64,
    /// The standard deviation over the repeats (ddof 0).
    pub deviation: f64,
}

impl Model {
    /// Shuffles each column that the model uses `repeats` times among the rows of `table` and scores the model on them; target, row
    /// weight, exposure and event stay where they are. `score` is the model's [main one](Score::main) unless given. The shuffles
    /// are a function of `seed`, the same for any number of threads. `observer` is told how many of all scorings are done.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate); no repeat, fewer than two rows, a score that these rows do not have.
    pub fn importance(
        &self,
        compute: &mut Compute,
        table: &Table,
        score: Option<Score>,
        (repeats, seed): (usize, u64),
        observer: &mut dyn FnMut(usize, usize),
    ) -> Result<Importance> {
        let Card { encoder, roles, target, network, .. } = self.card();
        if let Err(missing) = table.column(&roles.target) {
            return setting(format!("{missing}; importance needs rows whose target is known"));
        }
        if repeats == 0 || table.rows < 2 {
            let what = if repeats == 0 { "at least one repeat" } else { "at least two rows to shuffle" };
            return setting(format!("{}: importance needs {what}", table.name));
        }
        let score = score.unwrap_or(Score::main(target));
        let mut matrices = Matrices::new(table, encoder, roles, target, &network.head)?;
        let value = score.of(&self.evaluate_rows(compute, &matrices, None)?.metrics)?;
        let places = encoder.places();
        let mut columns = Vec::with_capacity(places.len());
        for (number, place) in places.iter().enumerate() {
            let cells = Cells::of(&matrices.inputs.features, place);
            let mut losses = Vec::with_capacity(repeats);
            for repeat in 0..repeats {
                cells.deal(&order(table.rows, Key::new(seed).part(number as u64).part(repeat as u64)), &mut matrices);
                let shuffled = score.of(&self.evaluate_rows(compute, &matrices, None)?.metrics)?;
                losses.push(score.loss(value, shuffled));
                observer(number * repeats + repeat + 1, places.len() * repeats);
            }
            cells.deal(&(0..table.rows as u32).collect::<Vec<_>>(), &mut matrices);
            let (importance, deviation) = moments(&losses);
            columns.push(ColumnImportance { column: place.name.clone(), importance, deviation });
        }
        // Stable: columns that are alike stay in the table's order.
        columns.sort_by(|a, b| b.importance.total_cmp(&a.importance));
        Ok(Importance { score: score.name(), value, rows: table.rows, repeats, columns })
    }
}

/// A random order of `rows` rows.
fn order(rows: usize, key: Key) -> Vec<u32> {
    let mut order: Vec<u32> = (0..rows as u32).collect();
    key.shuffle(&mut order);
    order
}

/// The encoded cells of one column: encoding goes cell by cell, so that these can be shuffled in place of the table's.
struct Cells<'a> {
    place: &'a ColumnPlace,
    numeric: Vec<f32>,
    codes: Vec<u32>,
}

impl<'a> Cells<'a> {
    fn of(features: &Features, place: &'a ColumnPlace) -> Self {
        let numeric = features.numeric.chunks_exact(features.width.max(1));
        let codes = place.code.map(|j| features.codes.iter().skip(j).step_by(features.codes_width).copied());
        Self {
            place,
            numeric: numeric.flat_map(|row| &row[place.features.clone()]).copied().collect(),
            codes: codes.into_iter().flatten().collect(),
        }
    }

    /// Gives each row the cell that row `order[row]` had in the table.
    fn deal(&self, order: &[u32], matrices: &mut Matrices) {
        let Features { width, numeric, codes_width, codes, .. } = &mut matrices.inputs.features;
        let own = self.place.features.len();
        if own > 0 {
            for (row, &from) in numeric.chunks_exact_mut(*width).zip(order) {
                row[self.place.features.clone()].copy_from_slice(&self.numeric[from as usize * own..][..own]);
            }
        }
        if let Some(j) = self.place.code {
            for (row, &from) in codes.chunks_exact_mut(*codes_width).zip(order) {
                row[j] = self.codes[from as usize];
            }
        }
    }
}

/// Mean and standard deviation.
fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    (mean, (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt())
}
