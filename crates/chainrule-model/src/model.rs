//! The thing a user keeps: encoder, network and everything prediction needs.

use chainrule::{Compute, Distribution, Head, Network, NetworkSpec, Scale, TrainReport};
use chainrule_data::{Categories, Column, Encoder, Table, Values, number_text};
use serde::{Deserialize, Serialize};

use crate::error::{Result, setting};
use crate::matrices::{InputMatrices, Matrices, Roles};
use crate::scores::{Evaluation, Metrics, Scored, evaluate};
use crate::settings::Settings;
use crate::target::Target;

/// What is known about a model besides its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// The version of chainrule that made it.
    pub version: String,
    /// The columns' parts.
    pub roles: Roles,
    /// The target and the outputs.
    pub target: Target,
    /// The least and the greatest number that is predicted; None: no limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<[f64; 2]>,
    /// From columns to features.
    pub encoder: Encoder,
    /// The network.
    pub network: NetworkSpec,
    /// The settings it was trained with.
    pub settings: Settings,
    /// How training went.
    pub training: Training,
}

impl Card {
    /// The columns that held text in training, the target among them.
    pub fn text_columns(&self) -> impl Iterator<Item = &str> {
        let target = matches!(&self.target, Target::Classes(classes) if classes.is_text());
        self.encoder.text_columns().chain(target.then_some(self.roles.target.as_str()))
    }

    /// The network's means in the user's terms, see [`Target::decode`].
    fn decode(&self, means: &[f32]) -> Vec<f64> {
        let mut predictions = self.target.decode(means, &self.network.head, self.network.outputs);
        if let Some([least, most]) = self.range {
            predictions.iter_mut().for_each(|y| *y = y.max(least).min(most));
        }
        predictions
    }
}

/// How a model was trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Rows it learned from.
    pub rows: usize,
    /// Rows that chose the epoch.
    pub valid_rows: usize,
    /// Every epoch and why it ended.
    pub report: TrainReport,
    /// Scores on the validation rows.
    pub valid_metrics: Option<Metrics>,
}

/// A trained model.
pub struct Model {
    pub(crate) card: Card,
    pub(crate) network: Network<f32>,
}

impl Model {
    /// What is known about it.
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// Its network.
    pub fn network(&self) -> &Network<f32> {
        &self.network
    }

    /// Predictions for the rows of `table`, in their order: a column `prediction`, for classes `probability_<class>` for each,
    /// for quantiles `quantile_<level>` for each. The target column is not needed.
    ///
    /// # Errors
    /// A column that is missing, of another kind than in training, or holds infinite values.
    pub fn predict(&self, compute: &mut Compute, table: &Table) -> Result<Table> {
        Ok(Table::new("predictions", self.columns(compute, table, None)?)?)
    }

    /// The same with the columns `lower` and `upper`, between which the target is with probability `level`, as far as the
    /// head's distribution is true; it leaves equal probabilities on either side.
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and for classes, for a level that is not between 0 and 1, and for quantiles that do not
    /// include the two.
    pub fn predict_with_interval(&self, compute: &mut Compute, table: &Table, level: f64) -> Result<Table> {
        Ok(Table::new("predictions", self.columns(compute, table, Some(level))?)?)
    }

    /// The quantiles of each row's target at `levels` (0 < level < 1), as far as the head's distribution is true: a column
    /// `quantile_<level>` for each.
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and for classes, a level that is not between 0 and 1, and one that a head of quantiles
    /// was not trained for.
    pub fn predict_quantiles(&self, compute: &mut Compute, table: &Table, levels: &[f64]) -> Result<Table> {
        levels.iter().try_for_each(|&level| self.check_quantile(level))?;
        let matrices = InputMatrices::new(table, &self.card.encoder, &self.card.roles)?;
        let columns = quantile_columns(&self.distributions(compute, &matrices)?, levels);
        Ok(Table::new("predictions", columns)?)
    }

    fn columns(&self, compute: &mut Compute, table: &Table, level: Option<f64>) -> Result<Vec<Column>> {
        let matrices = InputMatrices::new(table, &self.card.encoder, &self.card.roles)?;
        if let Some(level) = level {
            self.check_interval(level)?;
        }
        let means = self.network.predict(compute, &matrices.inputs())?;
        let mut columns = self.point_columns(&means);
        if level.is_some() || matches!(self.card.network.head, Head::Quantile { .. }) {
            columns.extend(distribution_columns(&self.distributions(compute, &matrices)?, level));
        }
        Ok(columns)
    }

    /// Each row's distribution in the target's unit.
    fn distributions(&self, compute: &mut Compute, matrices: &InputMatrices) -> Result<Vec<Distribution>> {
        let distributions = self.network.distributions(compute, &matrices.inputs())?;
        Ok(distributions.into_iter().map(|d| self.card.target.in_its_unit(d)).collect())
    }

    /// Whether the head has such intervals.
    fn check_interval(&self, level: f64) -> Result<()> {
        if !(level > 0.0 && level < 1.0) {
            return setting(format!("an interval's level must be between 0 and 1, got {level}"));
        }
        let tail = (1.0 - level) / 2.0;
        self.check_levels(&format!("an interval of {level}"), &[tail, 1.0 - tail])
    }

    /// Whether the head has this quantile.
    fn check_quantile(&self, level: f64) -> Result<()> {
        if !(level > 0.0 && level < 1.0) {
            return setting(format!("a quantile's level must be between 0 and 1, got {level}"));
        }
        self.check_levels(&format!("the quantile {level}"), &[level])
    }

    /// Whether the head has the quantiles that `what` is made of.
    fn check_levels(&self, what: &str, needed: &[f64]) -> Result<()> {
        let NetworkSpec { head, outputs, .. } = &self.card.network;
        let name = head.name();
        if head.is_for_classes() {
            return setting(format!("the {name} head has no intervals: it gives the probability of each class"));
        }
        if head.scale() == Some(Scale::Unit) {
            return setting(format!("this model does not know the spread of its {name} head; train it again"));
        }
        let example = head.distributions(&vec![0.0; *outputs]);
        let has = |level: &f64| example.as_ref().is_some_and(|all| all[0].quantile(*level).is_some());
        match head {
            _ if needed.iter().all(has) => Ok(()),
            Head::Quantile { levels } => {
                let round = |x: &f64| number_text((1e9 * x).round() / 1e9);
                let needed = needed.iter().map(round).collect::<Vec<_>>().join(" and ");
                let have = levels.iter().map(f64::to_string).collect::<Vec<_>>().join(", ");
                setting(format!("{what} needs the quantiles {needed}; this model has {have}"))
            }
            _ => setting(format!("the {name} head has no intervals")),
        }
    }

    fn point_columns(&self, means: &[f32]) -> Vec<Column> {
        let predictions = self.card.decode(means);
        let classes = self.card.target.classes();
        if classes.is_empty() {
            return vec![numbers("prediction".into(), predictions)];
        }
        let rows = predictions.chunks_exact(classes.len());
        let codes = rows.clone().map(|p| chainrule::metric::most_probable(p) as u32).collect();
        let best = Values::Category(Categories { codes, levels: classes.to_vec() });
        let probabilities = classes
            .iter()
            .enumerate()
            .map(|(k, class)| numbers(format!("probability_{class}"), rows.clone().map(|p| p[k])));
        std::iter::once(Column { name: "prediction".into(), values: best }).chain(probabilities).collect()
    }

    /// Scores the model on the rows of `table`, which has the target column and those of weight and exposure if the model
    /// was trained with them.
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and for a target that is missing or not among the classes.
    pub fn evaluate(&self, compute: &mut Compute, table: &Table) -> Result<Evaluation> {
        let Card { encoder, roles, target, network, .. } = &self.card;
        let matrices = Matrices::new(table, encoder, roles, target, &network.head)?;
        self.evaluate_rows(compute, &matrices, None)
    }

    pub(crate) fn evaluate_rows(
        &self,
        compute: &mut Compute,
        matrices: &Matrices,
        rows: Option<&[u32]>,
    ) -> Result<Evaluation> {
        let inputs = matrices.inputs.inputs();
        let means = match rows {
            Some(rows) => self.network.predict_selected(compute, &inputs, rows)?,
            None => self.network.predict(compute, &inputs)?,
        };
        let NetworkSpec { head, outputs, .. } = &self.card.network;
        let predictions = self.card.decode(&means);
        let mut distributions = vec![];
        if !head.is_for_classes() {
            let z = self.network.pre_activations(compute, &inputs, rows)?;
            let all = z.chunks_exact(*outputs).flat_map(|z| head.distributions(z).into_iter().flatten());
            distributions = all.map(|d| self.card.target.in_its_unit(d)).collect();
        }
        let selected = |values: Vec<f64>| match rows {
            Some(rows) => rows.iter().map(|&row| values[row as usize]).collect(),
            None => values,
        };
        let weights = matrices.weights.as_ref().map(|w| selected(w.iter().map(|&w| f64::from(w)).collect()));
        let seen = matches!(head, Head::WeibullAft { .. }).then(|| {
            let events = matrices.targets.iter().skip(1).step_by(2).map(|&event| f64::from(event));
            selected(events.collect()).iter().map(|&event| event == 1.0).collect::<Vec<_>>()
        });
        let scored = Scored {
            predictions: &predictions,
            values: &selected(matrices.values.clone()),
            weights: weights.as_deref(),
            distributions: &distributions,
            seen: seen.as_deref(),
        };
        Ok(evaluate(&self.card.target, &scored))
    }
}

fn numbers(name: String, values: impl IntoIterator<Item = f64>) -> Column {
    Column { name, values: Values::Number(values.into_iter().collect()) }
}

/// `lower` and `upper` at a level, and all quantiles of distributions known by them.
fn distribution_columns(distributions: &[Distribution], level: Option<f64>) -> Vec<Column> {
    let mut columns = vec![];
    if let Some(Distribution::Quantiles { levels, .. }) = distributions.first() {
        columns.extend(quantile_columns(distributions, levels));
    }
    if let Some(level) = level {
        let bounds: Vec<_> = distributions.iter().map(|d| d.interval(level).unwrap_or((f64::NAN, f64::NAN))).collect();
        columns.push(numbers("lower".into(), bounds.iter().map(|(lower, _)| *lower)));
        columns.push(numbers("upper".into(), bounds.iter().map(|(_, upper)| *upper)));
    }
    columns
}

fn quantile_columns(distributions: &[Distribution], levels: &[f64]) -> Vec<Column> {
    let column = |&level: &f64| {
        let quantile = distributions.iter().map(|d| d.quantile(level).unwrap_or(f64::NAN));
        numbers(format!("quantile_{}", number_text(level)), quantile)
    };
    levels.iter().map(column).collect()
}
