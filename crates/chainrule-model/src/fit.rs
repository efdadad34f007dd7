//! From a table to a model.

use chainrule::{
    Compute, Embedding, Ended, Event, Flow, Head, Key, Network, NetworkSpec, NumericEmbedding, RangeTest, Scale,
    range_test, train,
};
use chainrule_data::{ClassTarget, Column, Encoder, Table, TargetScaler, Task, Values, Warning, numeric_target};

use crate::error::{Error, Result, setting};
use crate::matrices::{Matrices, Roles, weights};
use crate::model::{Card, Model, Training};
use crate::recipe::{Recipe, Start};
use crate::scores::Evaluation;
use crate::settings::Settings;
use crate::split::holdout;
use crate::target::{Hints, Target, choose_head, choose_task};

/// Tables and settings turned into matrices and a network: all that can be known before training.
pub struct Prepared {
    roles: Roles,
    settings: Settings,
    target: Target,
    encoder: Encoder,
    network: NetworkSpec,
    task: Task,
    reason: String,
    warnings: Vec<Warning>,
    matrices: Matrices,
    train_rows: Vec<u32>,
    valid: Valid,
}

/// The rows that choose the epoch.
enum Valid {
    None,
    Rows(Vec<u32>),
    Table(Matrices),
}

/// A trained model, with its scores on the validation rows if there are any.
pub struct Fitted {
    /// The model.
    pub model: Model,
    /// Scores on the validation rows.
    pub valid: Option<Evaluation>,
}

/// Reads the target, chooses task, head and rows, fits the encoder on the training rows and encodes the tables.
///
/// # Errors
/// Settings that cannot work, an unknown column, a target or weight that cannot be used (with its row), no usable feature.
pub fn prepare(table: &Table, valid: Option<&Table>, roles: &Roles, settings: &Settings) -> Result<Prepared> {
    let rows: Vec<u32> = (0..table.rows as u32).collect();
    prepare_rows(table, &rows, valid, roles, settings)
}

/// [`prepare`] on `rows` (0-based) of the table only; one that stands there several times counts so often.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_rows(
    table: &Table,
    rows: &[u32],
    valid: Option<&Table>,
    roles: &Roles,
    settings: &Settings,
) -> Result<Prepared> {
    settings.validate()?;
    let column = table.column(&roles.target)?;
    let hints = Hints::new(roles);
    let (task, reason) = choose_task(settings, column, rows, hints, &table.name)?;
    let classes = if task == Task::Classification { Some(classes(table, column, settings)?) } else { None };
    let (train_rows, valid_rows) = split(table, column, rows, classes.as_ref(), valid.is_some(), settings)?;
    let count = classes.as_ref().map_or(0, |classes| classes.names().len());
    let (mut head, outputs) = choose_head(settings, task, hints, count)?;
    let settings = &settings.complete(task, &head);
    let target = match classes {
        Some(classes) => Target::Classes(classes),
        None if head.is_location_scale() => Target::Number(fit_scaler(table, column, roles, &train_rows)?),
        None => Target::Plain,
    };
    if let (Target::Number(scaler), Some(Scale::Fixed(scale))) = (&target, head.scale()) {
        // The user's is in the target's unit.
        head = head.with_scale(Scale::Fixed(scale / scaler.std));
    }
    let (encoder, warnings) = Encoder::fit(table, &roles.excluded(), &train_rows, &settings.encoder_settings())?;
    let matrices = Matrices::new(table, &encoder, roles, &target, &head)?;
    let valid = match valid {
        Some(valid) => Valid::Table(Matrices::new(valid, &encoder, roles, &target, &head)?),
        None if valid_rows.is_empty() => Valid::None,
        None => Valid::Rows(valid_rows),
    };
    let network = network(&encoder, settings, outputs, head)?;
    check_network(&network, settings)?;
    Ok(Prepared {
        roles: roles.clone(),
        settings: settings.clone(),
        target,
        encoder,
        network,
        task,
        reason,
        warnings,
        matrices,
        train_rows,
        valid,
    })
}

fn network(encoder: &Encoder, settings: &Settings, outputs: usize, head: Head) -> Result<NetworkSpec> {
    let Recipe { frequencies, sigma, scale, category_dimension, .. } = settings.recipe;
    let features = encoder.number_features();
    let periodic = NumericEmbedding::Periodic { features, frequencies, sigma };
    let plain = NetworkSpec::new(encoder.numeric_width(), settings.hidden_layers()?, outputs, head);
    Ok(NetworkSpec {
        numeric_embedding: Some(periodic).filter(|e| frequencies > 0 && !e.features().is_empty()),
        embeddings: encoder.embedded().iter().map(|e| embedding(e.levels, category_dimension)).collect(),
        scale,
        ..plain
    })
}

fn check_network(network: &NetworkSpec, settings: &Settings) -> Result<()> {
    // Training keeps a few numbers for each, of four bytes.
    const MOST_PARAMETERS: usize = 1 << 31;
    network.validate()?;
    settings.metric.unwrap_or_default().check(network)?;
    settings.train_settings(1).check_network(network)?;
    let parameters: usize = network.parameter_shapes().iter().map(|(_, rows, cols)| rows * cols).sum();
    if parameters > MOST_PARAMETERS {
        return setting(format!(
            "the network would have {parameters} parameters; take fewer or narrower hidden layers"
        ));
    }
    Ok(())
}

/// The classes of the target, in the order that the settings give. An ordinal head needs one; numbers have one.
fn classes(table: &Table, column: &Column, settings: &Settings) -> Result<ClassTarget> {
    let classes = ClassTarget::fit(column, &table.name)?;
    if !settings.class_order.is_empty() {
        return Ok(classes.in_order(&settings.class_order, column, &table.name)?);
    }
    if matches!(settings.head, Some(Head::Ordinal { .. })) && matches!(column.values, Values::Category(_)) {
        return setting(format!(
            "the ordinal head needs the order of the classes, such as --class-order {}",
            classes.names().join(",")
        ));
    }
    Ok(classes)
}

/// Training and validation rows among `rows`.
fn split(
    table: &Table,
    column: &Column,
    rows: &[u32],
    classes: Option<&ClassTarget>,
    valid_table: bool,
    settings: &Settings,
) -> Result<(Vec<u32>, Vec<u32>)> {
    if valid_table || settings.valid_fraction == 0.0 {
        return Ok((rows.to_vec(), vec![]));
    }
    let codes = match classes {
        Some(classes) => Some(classes.encode(column, &table.name)?),
        None => None,
    };
    let codes: Option<Vec<u32>> = codes.map(|all| rows.iter().map(|&row| all[row as usize]).collect());
    let key = Key::new(settings.seed).part(1);
    let (train, held) = holdout(rows.len(), codes.as_deref(), settings.valid_fraction, key);
    let numbers = |places: Vec<u32>| places.into_iter().map(|place| rows[place as usize]).collect();
    Ok((numbers(train), numbers(held)))
}

fn fit_scaler(table: &Table, column: &Column, roles: &Roles, rows: &[u32]) -> Result<TargetScaler> {
    let values = numeric_target(column, &table.name)?;
    let weights = weights(table, roles)?;
    let values: Vec<f64> = rows.iter().map(|&row| values[row as usize]).collect();
    let weights: Option<Vec<f32>> = weights.map(|w| rows.iter().map(|&row| w[row as usize]).collect());
    Ok(TargetScaler::fit(&values, weights.as_deref()))
}

/// Vectors of this length or, where it is 0, of one that grows slowly with the number of levels.
fn embedding(levels: usize, dimension: usize) -> Embedding {
    let usual = if levels > 100 { 16 } else { 8 };
    Embedding { levels, dimension: if dimension > 0 { dimension } else { usual } }
}

impl Prepared {
    /// What is predicted, and why it was taken for that.
    pub fn task(&self) -> (Task, &str) {
        (self.task, &self.reason)
    }

    /// Whether a table can be scored by the model once it is trained.
    ///
    /// # Errors
    /// As [`Model::evaluate`].
    pub fn check(&self, table: &Table) -> Result<()> {
        Matrices::new(table, &self.encoder, &self.roles, &self.target, &self.network.head).map(drop)
    }

    /// Columns that were left out or look odd.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The network to be trained.
    pub fn network(&self) -> &NetworkSpec {
        &self.network
    }

    /// Training rows.
    pub fn train_rows(&self) -> usize {
        self.train_rows.len()
    }

    /// Validation rows.
    pub fn valid_rows(&self) -> usize {
        match &self.valid {
            Valid::None => 0,
            Valid::Rows(rows) => rows.len(),
            Valid::Table(matrices) => matrices.values.len(),
        }
    }

    /// Looks for a learning rate by a short training on the training rows, see [`range_test`].
    ///
    /// # Errors
    /// An optimizer without learning rate, a cost that never falls, a target outside the head's range.
    pub fn range_test(&self, compute: &mut Compute) -> Result<RangeTest> {
        let settings = self.settings.train_settings(self.train_rows.len());
        let data = self.matrices.dataset(Some(&self.train_rows));
        Ok(range_test(&self.start(compute)?, compute, &data, &settings)?)
    }

    /// The network before the first step.
    fn start(&self, compute: &mut Compute) -> Result<Network<f32>> {
        let mut network = Network::<f32>::new(&self.network, self.settings.seed)?;
        let data = self.matrices.dataset(Some(&self.train_rows));
        match self.settings.recipe.start {
            Start::BaseRate => self.start_at_base_rate(&mut network)?,
            Start::Data => network.start_from_data(compute, &data, self.settings.seed)?,
            Start::Normal => network.start_normal(self.settings.seed),
        }
        Ok(network)
    }

    /// Trains the network. `observer` is told of every batch and epoch.
    ///
    /// # Errors
    /// A target outside the head's range, or a cost that became infinite before the first epoch was done.
    pub fn train(self, compute: &mut Compute, observer: &mut dyn FnMut(&Event<'_>) -> Flow) -> Result<Fitted> {
        let mut network = self.start(compute)?;
        let data = self.matrices.dataset(Some(&self.train_rows));
        let mut settings = self.settings.train_settings(self.train_rows.len());
        let valid = match &self.valid {
            Valid::None => None,
            Valid::Rows(rows) => Some(self.matrices.dataset(Some(rows))),
            Valid::Table(matrices) => Some(matrices.dataset(None)),
        };
        if valid.is_none() {
            // The training cost falls whatever happens: it cannot tell when to stop.
            settings.patience = 0;
        }
        let report = train(&mut network, compute, &data, valid.as_ref(), &settings, observer)?;
        if let (Some(advice), None | Some(0)) = (report.ended.advice(&settings), report.best_epoch) {
            return Err(Error::Setting(advice));
        }
        network.estimate_scale(compute, valid.as_ref().unwrap_or(&data))?;
        let training =
            Training { rows: self.train_rows.len(), valid_rows: self.valid_rows(), report, valid_metrics: None };
        self.finish(network, training, compute)
    }

    /// Lets training start where every row gets the training mean: the output's weights are 0, its bias is the mean on
    /// the link's scale. Drawn output weights would start with noise as large as the target, and some of it would stay.
    fn start_at_base_rate(&self, network: &mut Network<f32>) -> Result<()> {
        let bias: Vec<f32> = self.base_rate().iter().map(|&b| b as f32).collect();
        let last = network.views().len() - 1;
        let weights = &network.views()[last - 1];
        network.set_parameter(last - 1, &vec![0.0; weights.rows * weights.cols])?;
        Ok(network.set_parameter(last, &bias)?)
    }

    /// What each output is, before its link, for a network that knows nothing of the row.
    fn base_rate(&self) -> Vec<f64> {
        // As if each class had been seen half a time more than it was.
        const PRIOR: f64 = 0.5;
        let rows = &self.train_rows;
        let mut bias = vec![0.0; self.network.outputs];
        match &self.network.head {
            Head::Poisson
            | Head::NegativeBinomial { .. }
            | Head::Gamma { .. }
            | Head::Tweedie { .. }
            | Head::WeibullAft { .. } => bias[0] = self.matrices.mean_target(rows).max(1e-6).ln(),
            Head::Beta { .. } => {
                let mean = self.matrices.mean_target(rows);
                bias[0] = (mean / (1.0 - mean)).ln();
            }
            Head::Bernoulli => {
                let totals = self.matrices.class_weights(rows, 2);
                bias[0] = ((totals[1] + PRIOR) / (totals[0] + PRIOR)).ln();
            }
            Head::Categorical { .. } => {
                let totals = self.matrices.class_weights(rows, bias.len());
                bias = totals.iter().map(|total| (total + PRIOR).ln()).collect();
                // Adding the same to every class changes no probability.
                let mean = bias.iter().sum::<f64>() / bias.len() as f64;
                bias.iter_mut().for_each(|bias| *bias -= mean);
            }
            Head::Ordinal { .. } => {
                let totals = self.matrices.class_weights(rows, bias.len() + 1);
                let above = |k: usize| totals[k + 1..].iter().map(|total| total + PRIOR).sum::<f64>();
                let all = above(0) + totals[0] + PRIOR;
                let logits: Vec<f64> = (0..bias.len()).map(|k| (above(k) / (all - above(k))).ln()).collect();
                bias[0] = logits[0];
                (1..bias.len()).for_each(|k| bias[k] = inverse_softplus(logits[k - 1] - logits[k]));
            }
            Head::Quantile { levels } => {
                let quantiles = self.matrices.quantiles(rows, levels);
                bias[0] = quantiles[0];
                (1..bias.len()).for_each(|l| bias[l] = inverse_softplus(quantiles[l] - quantiles[l - 1]));
            }
            // The target is standardised.
            _ => {}
        }
        bias
    }

    fn finish(self, network: Network<f32>, training: Training, compute: &mut Compute) -> Result<Fitted> {
        let is_number = matches!(self.target, Target::Number(_));
        let range = (is_number && self.settings.recipe.clip).then(|| self.matrices.range(&self.train_rows));
        let card = Card {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            roles: self.roles,
            target: self.target,
            range,
            encoder: self.encoder,
            network: network.spec().clone(),
            settings: self.settings,
            training,
        };
        let mut model = Model { card, network };
        let valid = match &self.valid {
            Valid::None => None,
            Valid::Rows(rows) => Some(model.evaluate_rows(compute, &self.matrices, Some(rows))?),
            Valid::Table(matrices) => Some(model.evaluate_rows(compute, matrices, None)?),
        };
        model.card.training.valid_metrics = valid.as_ref().map(|v| v.metrics.clone());
        Ok(Fitted { model, valid })
    }
}

/// The z with ln(1 + e^z) = x, for an x that is not too close to 0.
fn inverse_softplus(x: f64) -> f64 {
    x.max(1e-3).exp_m1().ln()
}

impl Fitted {
    /// Why training ended.
    pub fn ended(&self) -> &Ended {
        &self.model.card.training.report.ended
    }
}
