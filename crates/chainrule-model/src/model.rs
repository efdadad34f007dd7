//! The thing a user keeps: encoder, network and everything prediction needs.

use chainrule::{Compute, Distribution, Head, Network, NetworkSpec, Scale, TrainReport};
use chainrule_data::{Categories, Column, ColumnType, Encoder, Table, Values, number_text};
use serde::{Deserialize, Serialize};

use crate::conformal::Conformal;
use crate::error::{Result, setting};
use crate::matrices::{InputMatrices, Matrices, Roles};
use crate::others::{Others, network_of};
use crate::predictions::Predictions;
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
    /// The smoothing of the labels that is taken out of class probabilities: (q - e / classes) / (1 - e) in place of q; None: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smoothing: Option<f64>,
    /// What the logarithms of class probabilities are then divided by; None: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// The errors of numbers on held-out rows, from which intervals are made; None: intervals are the head's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conformal: Option<Conformal>,
    /// From columns to features.
    pub encoder: Encoder,
    /// The network; of several the first.
    pub network: NetworkSpec,
    /// The last ones, where their numbers have other vectors than those of the first; None: all are alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others: Option<Others>,
    /// The settings it was trained with.
    pub settings: Settings,
    /// How training went.
    pub training: Training,
}

impl Card {
    /// Networks of the model.
    pub fn members(&self) -> usize {
        1 + self.training.further.len()
    }

    /// The network number `member`, from 0.
    pub fn network_of(&self, member: usize) -> NetworkSpec {
        network_of(&self.network, self.others.as_ref(), member)
    }

    /// What columns held in training where cells alone do not say it, the target among them, for
    /// [`ReadOptions::known`](chainrule_data::ReadOptions::known).
    pub fn known_columns(&self) -> impl Iterator<Item = (&str, ColumnType)> {
        let is_text = matches!(&self.target, Target::Classes(classes) if classes.is_text());
        let target = is_text.then_some((self.roles.target.as_str(), ColumnType::Category));
        self.encoder.known_columns().chain(target)
    }
}

/// How a model was trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Rows it learned from; of several networks those that any of them did.
    pub rows: usize,
    /// Rows that chose the epoch, likewise.
    pub valid_rows: usize,
    /// Every epoch and why it ended; of several networks the first one's.
    pub report: TrainReport,
    /// The other networks'.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<TrainReport>,
    /// Scores on the validation rows: of several networks each one's on those that it did not learn from.
    pub valid_metrics: Option<Metrics>,
}

impl Training {
    /// The reports of all networks.
    pub fn reports(&self) -> impl Iterator<Item = &TrainReport> {
        std::iter::once(&self.report).chain(&self.further)
    }
}

/// A trained model: one network, or several whose predictions are averaged.
pub struct Model {
    pub(crate) card: Card,
    pub(crate) members: Vec<Network<f32>>,
}

impl Model {
    /// What is known about it.
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// Its network, of several the first.
    pub fn network(&self) -> &Network<f32> {
        &self.members[0]
    }

    /// Its networks.
    pub fn networks(&self) -> &[Network<f32>] {
        &self.members
    }

    /// The model of network `number` (from 1) alone.
    ///
    /// # Errors
    /// If there is no such network.
    pub fn member(mut self, number: usize) -> Result<Self> {
        let count = self.members.len();
        if !(1..=count).contains(&number) {
            return setting(format!("--member {number}: the model has the members 1 to {count}"));
        }
        self.members = vec![self.members.swap_remove(number - 1)];
        self.card.network = self.members[0].spec().clone();
        self.card.others = None;
        let training = &mut self.card.training;
        if number > 1 {
            training.report = training.further.swap_remove(number - 2);
        }
        training.further.clear();
        Ok(self)
    }

    /// Predictions for the rows of `table`, in their order: a column `prediction`, for classes `probability_<class>` for each,
    /// for quantiles `quantile_<level>` for each. The target column is not needed.
    ///
    /// # Errors
    /// A column that is missing, of another kind than in training, or holds infinite values.
    pub fn predict(&self, compute: &mut Compute, table: &Table) -> Result<Table> {
        Ok(Table::new("predictions", self.columns(compute, table, None)?)?)
    }

    /// The same with the columns `lower` and `upper`, between which the target is with probability `level`: the prediction
    /// and as much on either side as the errors on held-out rows say ([`Conformal`]), in units of the head's scale or standard
    /// deviation, cut where the target cannot be. Where they say nothing (a head of quantiles, a scale that was given, times that
    /// were cut off, fewer than level / (1 - level) of them) as far as the head's distribution is true; it then leaves equal
    /// probabilities on either side.
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
        let predictions = self.predictions_of_all(compute, &matrices, true)?;
        let columns = quantile_columns(&predictions.distributions, levels);
        Ok(Table::new("predictions", columns)?)
    }

    fn columns(&self, compute: &mut Compute, table: &Table, level: Option<f64>) -> Result<Vec<Column>> {
        let matrices = InputMatrices::new(table, &self.card.encoder, &self.card.roles)?;
        if let Some(level) = level {
            self.check_interval(level)?;
        }
        let distributions = level.is_some() || matches!(self.card.network.head, Head::Quantile { .. });
        let predictions = self.predictions_of_all(compute, &matrices, distributions)?;
        let mut columns = self.point_columns(&predictions.values);
        if let Some(Distribution::Quantiles { levels, .. }) = predictions.distributions.first() {
            columns.extend(quantile_columns(&predictions.distributions, levels));
        }
        if let Some(level) = level {
            columns.extend(self.interval_columns(&predictions, level));
        }
        Ok(columns)
    }

    fn predictions_of_all(
        &self,
        compute: &mut Compute,
        matrices: &InputMatrices,
        distributions: bool,
    ) -> Result<Predictions> {
        let inputs = matrices.inputs();
        let rows: Vec<u32> = (0..inputs.rows as u32).collect();
        self.predictions(compute, &inputs, &rows, distributions)
    }

    /// `lower` and `upper` at a level.
    fn interval_columns(&self, predictions: &Predictions, level: f64) -> [Column; 2] {
        let errors = self.card.conformal.as_ref();
        let bounds = |(value, distribution): (&f64, &Distribution)| {
            let held_out = errors.and_then(|errors| errors.interval(*value, distribution, level));
            held_out.or_else(|| distribution.interval(level)).unwrap_or((f64::NAN, f64::NAN))
        };
        let bounds: Vec<_> = predictions.values.iter().zip(&predictions.distributions).map(bounds).collect();
        let lower = numbers("lower".into(), bounds.iter().map(|(lower, _)| *lower));
        [lower, numbers("upper".into(), bounds.iter().map(|(_, upper)| *upper))]
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

    fn point_columns(&self, predictions: &[f64]) -> Vec<Column> {
        let classes = self.card.target.classes();
        if classes.is_empty() {
            return vec![numbers("prediction".into(), predictions.iter().copied())];
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
        let all: Vec<u32>;
        let rows = match rows {
            Some(rows) => rows,
            None => {
                all = (0..matrices.values.len() as u32).collect();
                &all
            }
        };
        let predictions = self.predictions(compute, &matrices.inputs.inputs(), rows, true)?;
        Ok(self.score(matrices, rows, &predictions))
    }

    /// Scores predictions of the rows with these numbers.
    pub(crate) fn score(&self, matrices: &Matrices, rows: &[u32], predictions: &Predictions) -> Evaluation {
        let of = |row: &u32| *row as usize;
        let weights =
            matrices.weights.as_ref().map(|w| rows.iter().map(|row| f64::from(w[of(row)])).collect::<Vec<_>>());
        // Targets of times stand beside whether their event was seen.
        let seen = matches!(self.card.network.head, Head::WeibullAft { .. })
            .then(|| rows.iter().map(|&row| matrices.seen(row)).collect::<Vec<_>>());
        let values: Vec<f64> = rows.iter().map(|row| matrices.values[of(row)]).collect();
        let scored = Scored {
            predictions: &predictions.values,
            values: &values,
            weights: weights.as_deref(),
            distributions: &predictions.distributions,
            seen: seen.as_deref(),
        };
        evaluate(&self.card.target, &scored)
    }
}

fn numbers(name: String, values: impl IntoIterator<Item = f64>) -> Column {
    Column { name, values: Values::Number(values.into_iter().collect()) }
}

fn quantile_columns(distributions: &[Distribution], levels: &[f64]) -> Vec<Column> {
    let column = |&level: &f64| {
        let quantile = distributions.iter().map(|d| d.quantile(level).unwrap_or(f64::NAN));
        numbers(format!("quantile_{}", number_text(level)), quantile)
    };
    levels.iter().map(column).collect()
}
