//! Cross-validation: every row is judged once by a model that has not seen it.

use chainrule::{Compute, Event, Flow, Key};
use chainrule_data::{ClassTarget, Table, Task};

use crate::error::{Result, setting};
use crate::fit::prepare_rows;
use crate::matrices::{Matrices, Roles};
use crate::scores::Metrics;
use crate::settings::Settings;
use crate::split::folds;
use crate::target::{Hints, choose_task};
use crate::turns::Turn;

/// Fits on all folds but one and scores on that one, for each; stratified where the target is classes. `observer` is told
/// the fold (from 1) and the network with each event; if it stops a training, the folds done so far are returned.
///
/// # Errors
/// As [`prepare`](crate::prepare); fewer than two folds, or more folds than rows.
pub fn cross_validate(
    table: &Table,
    roles: &Roles,
    settings: &Settings,
    count: usize,
    compute: &mut Compute,
    observer: &mut dyn FnMut(usize, Turn, &Event) -> Flow,
) -> Result<Vec<Metrics>> {
    if count < 2 || count > table.rows {
        return setting(format!("folds must be 2 to {} (the rows of the table), got {count}", table.rows));
    }
    let column = table.column(&roles.target)?;
    let rows: Vec<u32> = (0..table.rows as u32).collect();
    let (task, _) = choose_task(settings, column, &rows, Hints::new(roles), &table.name)?;
    let classes = match task {
        Task::Classification => Some(ClassTarget::fit(column, &table.name)?.encode(column, &table.name)?),
        _ => None,
    };
    let fold_of = folds(table.rows, classes.as_deref(), count, Key::new(settings.seed).part(2));
    let mut scores = Vec::with_capacity(count);
    for fold in 0..count {
        let (held, rest): (Vec<u32>, Vec<u32>) = rows.iter().partition(|&&row| fold_of[row as usize] == fold);
        let prepared = prepare_rows(table, &rest, None, roles, settings)?;
        let mut stopped = false;
        let fitted = prepared.train(compute, &mut |turn, event| {
            let flow = observer(fold + 1, turn, event);
            stopped |= flow == Flow::Stop;
            flow
        })?;
        if stopped {
            break;
        }
        let card = fitted.model.card();
        let matrices = Matrices::new(table, &card.encoder, roles, &card.target, &card.network.head)?;
        scores.push(fitted.model.evaluate_rows(compute, &matrices, Some(&held))?.metrics);
    }
    Ok(scores)
}

/// One score over the folds that have it.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The score's name.
    pub name: &'static str,
    /// Its mean.
    pub mean: f64,
    /// Its standard deviation over the folds (ddof 0).
    pub deviation: f64,
}

/// Every score over the folds.
pub fn summarize(folds: &[Metrics]) -> Vec<Summary> {
    let mut columns: Vec<(&'static str, Vec<f64>)> = vec![];
    for (name, value) in folds.iter().flat_map(Metrics::list) {
        match columns.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => columns.push((name, vec![value])),
        }
    }
    let summary = |(name, values): (_, Vec<f64>)| {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        Summary { name, mean, deviation: variance.sqrt() }
    };
    columns.into_iter().map(summary).collect()
}
