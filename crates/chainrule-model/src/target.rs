//! From the target column to what the head is trained on, and from the head's means back to the user's terms.

use chainrule::Head;
use chainrule_data::{ClassTarget, Column, TargetScaler, Task, infer_task, numeric_target};
use serde::{Deserialize, Serialize};

use crate::error::{Result, setting};
use crate::settings::{Settings, TaskChoice};

/// How the target column and the network's outputs correspond.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Classes under their names.
    Classes(ClassTarget),
    /// A number, standardised inside.
    Number(TargetScaler),
    /// A count, or another number >= 0 whose logarithm is learned, as it is.
    Count,
}

/// The task of `settings`, told from the target column if it is `auto`; with a line that says why. `table` names it in
/// messages.
pub(crate) fn choose_task(
    settings: &Settings,
    column: &Column,
    rows: &[u32],
    exposure: bool,
    table: &str,
) -> Result<(Task, String)> {
    Ok(match settings.task {
        TaskChoice::Regression => (Task::Regression, "as asked".into()),
        TaskChoice::Classification => (Task::Classification, "as asked".into()),
        TaskChoice::Count => (Task::Count, "as asked".into()),
        TaskChoice::Auto => match settings.head {
            Some(Head::Poisson) => (Task::Count, "the head is poisson".into()),
            Some(Head::Gaussian) => (Task::Regression, "the head is gaussian".into()),
            Some(Head::Bernoulli | Head::Categorical) => (Task::Classification, "the head is for classes".into()),
            _ if exposure => (Task::Count, "an exposure is given".into()),
            _ => infer_task(column, rows, table)?,
        },
    })
}

/// The head for a task, or the one of `settings` if it fits.
pub(crate) fn choose_head(settings: &Settings, task: Task, classes: usize) -> Result<(Head, usize)> {
    let usual = match task {
        Task::Regression => Head::Gaussian,
        Task::Count => Head::Poisson,
        Task::Classification if classes == 2 => Head::Bernoulli,
        Task::Classification => Head::Categorical,
    };
    match (settings.head.unwrap_or(usual), task) {
        (Head::Gaussian, Task::Regression | Task::Count) => Ok((Head::Gaussian, 1)),
        (Head::Poisson, Task::Regression | Task::Count) => Ok((Head::Poisson, 1)),
        (Head::Bernoulli, Task::Classification) if classes == 2 => Ok((Head::Bernoulli, 1)),
        (Head::Bernoulli, Task::Classification) => {
            setting(format!("the bernoulli head is for two classes, the target has {classes}; take categorical"))
        }
        (Head::Categorical, Task::Classification) => Ok((Head::Categorical, classes)),
        (head, _) => {
            let task = if task == Task::Classification { "classification" } else { "a numeric target" };
            setting(format!("the {} head does not fit {task}", head.name()))
        }
    }
}

impl Target {
    /// The class names; empty for numbers.
    pub fn classes(&self) -> &[String] {
        match self {
            Self::Classes(classes) => classes.names(),
            Self::Number(_) | Self::Count => &[],
        }
    }

    /// Whether it can be used, for one that comes from a file.
    pub(crate) fn check(&self) -> Result<(), String> {
        match self {
            Self::Number(TargetScaler { mean, std }) if !(mean.is_finite() && std.is_finite() && *std > 0.0) => {
                Err(format!("the target's mean {mean} and standard deviation {std} cannot scale it"))
            }
            _ => Ok(()),
        }
    }

    /// The target column in the user's terms: class numbers, or the values as they are. `table` names it in messages.
    pub(crate) fn read(&self, column: &Column, table: &str) -> Result<Vec<f64>> {
        if let Self::Classes(classes) = self {
            return Ok(classes.encode(column, table)?.into_iter().map(f64::from).collect());
        }
        let values = numeric_target(column, table)?;
        match values.iter().position(|&y| y < 0.0) {
            Some(row) if *self == Self::Count => setting(format!(
                "{table}, row {}, column {:?}: a count cannot be {}; take --task regression",
                row + 1,
                column.name,
                values[row],
            )),
            _ => Ok(values),
        }
    }

    /// What the head is trained on, from the user's terms.
    pub(crate) fn encode(&self, values: &[f64]) -> Vec<f32> {
        match self {
            Self::Number(scaler) => values.iter().map(|&y| scaler.scale(y) as f32).collect(),
            Self::Classes(_) | Self::Count => values.iter().map(|&y| y as f32).collect(),
        }
    }

    /// The head's means in the user's terms: probabilities of every class (rows x classes), or one number for each row.
    pub(crate) fn decode(&self, means: &[f32], head: Head) -> Vec<f64> {
        match self {
            Self::Classes(_) if head == Head::Bernoulli => {
                means.iter().flat_map(|&p| [1.0 - f64::from(p), f64::from(p)]).collect()
            }
            Self::Classes(_) | Self::Count => means.iter().map(|&o| f64::from(o)).collect(),
            Self::Number(scaler) => means.iter().map(|&o| scaler.unscale(f64::from(o))).collect(),
        }
    }
}
