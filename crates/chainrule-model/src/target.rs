//! From the target column to what the head is trained on, and from the head's means back to the user's terms.

use chainrule::{Distribution, Head, Scale};
use chainrule_data::{ClassTarget, Column, TargetScaler, Task, infer_task, numeric_target};
use serde::{Deserialize, Serialize};

use crate::error::{Result, setting};
use crate::matrices::Roles;
use crate::settings::{Settings, TaskChoice};

/// How the target column and the network's outputs correspond.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Classes under their names.
    Classes(ClassTarget),
    /// A number, standardised inside.
    Number(TargetScaler),
    /// A count or another number whose distribution has a unit of its own, as it is.
    Plain,
}

/// What the table has besides the target that says which likelihood is meant.
#[derive(Clone, Copy)]
pub(crate) struct Hints {
    /// A column of exposures.
    pub(crate) exposure: bool,
    /// A column that says which events were seen.
    pub(crate) event: bool,
}

impl Hints {
    pub(crate) fn new(roles: &Roles) -> Self {
        Self { exposure: roles.exposure.is_some(), event: roles.event.is_some() }
    }
}

/// The task of `settings`, told from the target column if it is `auto`; with a line that says why. `table` names it in
/// messages.
pub(crate) fn choose_task(
    settings: &Settings,
    column: &Column,
    rows: &[u32],
    hints: Hints,
    table: &str,
) -> Result<(Task, String)> {
    Ok(match (settings.task, &settings.head) {
        (TaskChoice::Regression, _) => (Task::Regression, "as asked".into()),
        (TaskChoice::Classification, _) => (Task::Classification, "as asked".into()),
        (TaskChoice::Count, _) => (Task::Count, "as asked".into()),
        (TaskChoice::Auto, Some(head)) => (task_of(head), format!("the head is {}", head.name())),
        (TaskChoice::Auto, None) if hints.event => (Task::Regression, "an event column is given".into()),
        (TaskChoice::Auto, None) if hints.exposure => (Task::Count, "an exposure is given".into()),
        (TaskChoice::Auto, None) => infer_task(column, rows, table)?,
    })
}

fn task_of(head: &Head) -> Task {
    match head {
        Head::Poisson | Head::NegativeBinomial { .. } => Task::Count,
        head if head.is_for_classes() => Task::Classification,
        _ => Task::Regression,
    }
}

/// The head for a task, or the one of `settings` if it fits, and its outputs.
pub(crate) fn choose_head(settings: &Settings, task: Task, hints: Hints, classes: usize) -> Result<(Head, usize)> {
    let usual = || match task {
        Task::Regression if hints.event => Head::WeibullAft { shape: Scale::Shared },
        Task::Regression => Head::gaussian(),
        Task::Count => Head::Poisson,
        Task::Classification if settings.recipe.label_smoothing > 0.0 => {
            Head::Categorical { smoothing: settings.recipe.label_smoothing, class_weights: vec![], soft: false }
        }
        Task::Classification if classes == 2 => Head::Bernoulli,
        Task::Classification => Head::categorical(),
    };
    let head = settings.head.clone().unwrap_or_else(usual);
    let name = head.name();
    if head.is_for_classes() != (task == Task::Classification)
        || matches!(head, Head::Pointwise { .. } | Head::Custom(_))
    {
        let task = if task == Task::Classification { "classification" } else { "a numeric target" };
        return setting(format!("the {name} head does not fit {task}"));
    }
    if hints.exposure && !takes_exposure(&head) {
        return setting(format!(
            "an exposure goes with counts and amounts, not with the {name} head: take --task count, or leave it out"
        ));
    }
    if hints.event != matches!(head, Head::WeibullAft { .. }) && hints.event {
        return setting(format!("an event column goes with the weibull_aft head, not with {name}"));
    }
    match head {
        Head::Bernoulli if classes != 2 => {
            setting(format!("the bernoulli head is for two classes, the target has {classes}; take categorical"))
        }
        Head::Categorical { soft: true, .. } => {
            setting("soft targets are probabilities of every class; the target column has one class in each row")
        }
        head if task == Task::Classification => {
            let outputs = if head == Head::Bernoulli { 1 } else { head.outputs(classes) };
            Ok((head, outputs))
        }
        head => {
            let outputs = head.outputs(1);
            Ok((head, outputs))
        }
    }
}

/// Whether the mean of what is predicted is proportional to e^z, so that an exposure is an offset.
fn takes_exposure(head: &Head) -> bool {
    matches!(head, Head::Poisson | Head::NegativeBinomial { .. } | Head::Gamma { .. } | Head::Tweedie { .. })
}

impl Target {
    /// The class names; empty for numbers.
    pub fn classes(&self) -> &[String] {
        match self {
            Self::Classes(classes) => classes.names(),
            Self::Number(_) | Self::Plain => &[],
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
    pub(crate) fn read(&self, column: &Column, table: &str, head: &Head) -> Result<Vec<f64>> {
        if let Self::Classes(classes) = self {
            return Ok(classes.encode(column, table)?.into_iter().map(f64::from).collect());
        }
        let values = numeric_target(column, table)?;
        for (row, &value) in values.iter().enumerate() {
            // The event, if there is one, is checked where it is read.
            let y = [value, 1.0];
            let outputs = head.outputs(1);
            if let Err(chainrule::Error::Target { head, range, .. }) =
                head.check_targets(row, &y[..head.target_width(outputs)], outputs)
            {
                let message = format!(
                    "{value} is outside the {head} head's range: {range}; take another head or --task regression"
                );
                let (table, column) = (table.to_owned(), column.name.clone());
                return Err(chainrule_data::Error::Cell { table, row: row + 1, column, message }.into());
            }
        }
        Ok(values)
    }

    /// What the head is trained on, from the user's terms; `events` as in [`Matrices`](crate::matrices::Matrices).
    pub(crate) fn encode(&self, values: &[f64], events: Option<&[f32]>) -> Vec<f32> {
        match (self, events) {
            (Self::Number(scaler), _) => values.iter().map(|&y| scaler.scale(y) as f32).collect(),
            (_, Some(events)) => values.iter().zip(events).flat_map(|(&y, &event)| [y as f32, event]).collect(),
            _ => values.iter().map(|&y| y as f32).collect(),
        }
    }

    /// The head's means (rows x outputs) in the user's terms: probabilities of every class (rows x classes), or one number
    /// for each row.
    pub(crate) fn decode(&self, means: &[f32], head: &Head, outputs: usize) -> Vec<f64> {
        let means: Vec<f64> = means.iter().map(|&o| f64::from(o)).collect();
        match self {
            Self::Classes(_) => head.class_probabilities(&means, outputs),
            Self::Plain => head.points(&means, outputs),
            Self::Number(scaler) => head.points(&means, outputs).into_iter().map(|o| scaler.unscale(o)).collect(),
        }
    }

    /// A distribution of what the head is trained on as one in the user's unit.
    pub(crate) fn in_its_unit(&self, distribution: Distribution) -> Distribution {
        match self {
            Self::Number(scaler) => distribution.rescaled(scaler.std, scaler.mean),
            Self::Classes(_) | Self::Plain => distribution,
        }
    }
}
