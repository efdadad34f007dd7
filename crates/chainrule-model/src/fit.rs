//! From a table to a model.

use chainrule::{Compute, Embedding, Head, Network, NetworkSpec, NumericEmbedding, RangeTest, Scale, range_test};
use chainrule_data::{ClassTarget, Column, Encoder, Table, TargetScaler, Task, Values, Warning, numeric_target};

use crate::choice::Choice;
use crate::error::{Result, setting};
use crate::matrices::{Matrices, Roles, weights};
use crate::members::{self, Part, parts};
use crate::others::{Others, network_of};
use crate::recipe::{Recipe, Start};
use crate::settings::Settings;
use crate::target::{Hints, Target, choose_head, choose_task};

/// Tables and settings turned into matrices and a network: all that can be known before training.
pub struct Prepared {
    pub(crate) roles: Roles,
    pub(crate) settings: Settings,
    pub(crate) target: Target,
    pub(crate) encoder: Encoder,
    network: NetworkSpec,
    pub(crate) others: Option<Others>,
    task: Task,
    reason: String,
    choice: Option<Choice>,
    warnings: Vec<Warning>,
    pub(crate) matrices: Matrices,
    /// The rows of each member.
    pub(crate) parts: Vec<Part>,
    /// The rows that choose the epoch, where a table of their own has them.
    pub(crate) valid_table: Option<Matrices>,
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
    let count = classes.as_ref().map_or(0, |classes| classes.names().len());
    let (mut head, outputs) = choose_head(settings, task, hints, count)?;
    let (settings, choice) = settings.resolve((rows.len(), numbers(table, roles)), &head)?;
    let parts = split(table, column, rows, classes.as_ref(), valid.is_some(), &settings)?;
    // One encoder serves all members, which together learn from all rows.
    let fit_rows = if let [part] = &parts[..] { &part.train } else { rows };
    let settings = &settings.complete(task, &head);
    let target = match classes {
        Some(classes) => Target::Classes(classes),
        None if head.is_location_scale() => Target::Number(fit_scaler(table, column, roles, fit_rows)?),
        None => Target::Plain,
    };
    if let (Target::Number(scaler), Some(Scale::Fixed(scale))) = (&target, head.scale()) {
        // The user's is in the target's unit.
        head = head.with_scale(Scale::Fixed(scale / scaler.std));
    }
    let (encoder, warnings) = Encoder::fit(table, &roles.excluded(), fit_rows, &settings.encoder_settings())?;
    let matrices = Matrices::new(table, &encoder, roles, &target, &head)?;
    let valid_table = valid.map(|valid| Matrices::new(valid, &encoder, roles, &target, &head)).transpose()?;
    let network = network(&encoder, settings, outputs, head, (&matrices, fit_rows))?;
    check_network(&network, settings)?;
    let others = settings.recipe.with_bins(parts.len()).map(|first| {
        let recipe = Recipe { bins: 0, ..settings.recipe.clone() };
        let numeric_embedding = numeric_embedding(encoder.number_features(), &recipe, (&matrices, fit_rows));
        Others { first, numeric_embedding }
    });
    if let Some(others) = &others {
        check_network(&network_of(&network, Some(others), others.first), settings)?;
    }
    Ok(Prepared {
        roles: roles.clone(),
        settings: settings.clone(),
        target,
        encoder,
        network,
        others,
        task,
        reason,
        choice,
        warnings,
        matrices,
        parts,
        valid_table,
    })
}

/// How many of the columns hold numbers or times that say something of a row.
fn numbers(table: &Table, roles: &Roles) -> usize {
    let excluded = roles.excluded();
    let holds = |column: &&Column| matches!(column.values, Values::Number(_) | Values::Time(_));
    table.columns.iter().filter(holds).filter(|column| !excluded.contains(&column.name.as_str())).count()
}

fn network(
    encoder: &Encoder,
    settings: &Settings,
    outputs: usize,
    head: Head,
    training: (&Matrices, &[u32]),
) -> Result<NetworkSpec> {
    let Recipe { scale, category_dimension, ensemble, .. } = settings.recipe;
    let plain = NetworkSpec::new(encoder.numeric_width(), settings.hidden_layers()?, outputs, head);
    Ok(NetworkSpec {
        numeric_embedding: numeric_embedding(encoder.number_features(), &settings.recipe, training),
        embeddings: encoder.embedded().iter().map(|e| embedding(e.levels, category_dimension)).collect(),
        scale,
        ensemble,
        ..plain
    })
}

/// The vectors of the numbers, if there are to be any. A number that never changes has no bins, and stays as it is; in an ensemble, whose
/// first layer meets each member's vectors by themselves, one of two values too, of which every function is linear. (With `auto`
/// the vectors of such numbers left 0.93 of the errors of dna, twelve seeds, 0.99 of those of telco-churn, six, and 1.02 of those of
/// covertype, one: there they stay.)
fn numeric_embedding(
    mut features: Vec<usize>,
    recipe: &Recipe,
    (matrices, rows): (&Matrices, &[u32]),
) -> Option<NumericEmbedding> {
    let &Recipe { frequencies, sigma, bins, dimension, ensemble, .. } = recipe;
    let embedding = match (frequencies, bins) {
        (0, 0) => return None,
        (_, 1..) => {
            let least = if ensemble.is_some() { 3 } else { 2 };
            features.retain(|&feature| matrices.has_values(rows, feature, least));
            let edges = features.iter().map(|&feature| matrices.bin_edges(rows, feature, bins)).collect();
            NumericEmbedding::PiecewiseLinear { features, edges, dimension }
        }
        (_, 0) => NumericEmbedding::Periodic { features, frequencies, sigma },
    };
    Some(embedding).filter(|e| !e.features().is_empty())
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

/// Training and validation rows of each member among `rows`.
fn split(
    table: &Table,
    column: &Column,
    rows: &[u32],
    classes: Option<&ClassTarget>,
    valid_table: bool,
    settings: &Settings,
) -> Result<Vec<Part>> {
    let hold = !valid_table && settings.valid_fraction > 0.0;
    let codes = match classes {
        Some(classes) if hold => Some(classes.encode(column, &table.name)?),
        _ => None,
    };
    let codes: Option<Vec<u32>> = codes.map(|all| rows.iter().map(|&row| all[row as usize]).collect());
    parts(rows, codes.as_deref(), hold, settings)
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
    /// As [`evaluate`](crate::Model::evaluate).
    pub fn check(&self, table: &Table) -> Result<()> {
        Matrices::new(table, &self.encoder, &self.roles, &self.target, &self.network.head).map(drop)
    }

    /// How the target column and the outputs correspond.
    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// Columns that were left out or look odd.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The network to be trained; of several the first.
    pub fn network(&self) -> &NetworkSpec {
        &self.network
    }

    /// The last of several networks, where their numbers have other vectors than those of the first.
    pub fn others(&self) -> Option<&Others> {
        self.others.as_ref()
    }

    /// The settings, with everything that depends on the table.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What a preset that looks at the table has chosen.
    pub fn choice(&self) -> Option<&Choice> {
        self.choice.as_ref()
    }

    /// Networks to be trained.
    pub fn members(&self) -> usize {
        self.parts.len()
    }

    /// Training rows: of several members those that any of them learns from.
    pub fn train_rows(&self) -> usize {
        match &self.parts[..] {
            [part] => part.train.len(),
            parts => parts[0].train.len() + parts[0].valid.len(),
        }
    }

    /// Rows that one of several members holds out of those that the others learn from; None where there are none.
    pub fn own_rows(&self) -> Option<usize> {
        let own = self.parts[0].valid.len();
        (self.parts.len() > 1 && own > 0).then_some(own)
    }

    /// Validation rows: of several members those that any of them is judged on.
    pub fn valid_rows(&self) -> usize {
        let held = || self.parts.iter().map(|part| part.valid.len()).sum();
        self.valid_table.as_ref().map_or_else(held, |matrices| matrices.values.len())
    }

    /// Looks for a learning rate by a short training on the training rows, see [`range_test`].
    ///
    /// # Errors
    /// An optimizer without learning rate, a cost that never falls, a target outside the head's range.
    pub fn range_test(&self, compute: &mut Compute) -> Result<RangeTest> {
        let rows = &self.parts[0].train;
        let settings = self.settings.train_settings(rows.len());
        Ok(range_test(&self.start(compute, 0)?, compute, &self.matrices.dataset(Some(rows)), &settings)?)
    }

    /// A member's network before the first step.
    pub(crate) fn start(&self, compute: &mut Compute, member: usize) -> Result<Network<f32>> {
        let rows = &self.parts[member].train;
        let seed = members::seed(self.settings.seed, member);
        let mut network = Network::<f32>::new(&network_of(&self.network, self.others.as_ref(), member), seed)?;
        match self.settings.recipe.start {
            Start::BaseRate => self.start_at_base_rate(&mut network, rows)?,
            Start::Data => network.start_from_data(compute, &self.matrices.dataset(Some(rows)), seed)?,
            Start::Normal => network.start_normal(seed),
            Start::Uniform => {
                network.start_uniform(seed);
                self.add_base_rate(&mut network, rows)?;
            }
        }
        Ok(network)
    }

    /// Lets training start where every row gets the training mean: the output's weights are 0, its bias is the mean on
    /// the link's scale. Drawn output weights would start with noise as large as the target, and some of it would stay.
    fn start_at_base_rate(&self, network: &mut Network<f32>, rows: &[u32]) -> Result<()> {
        let last = network.views().len() - 1;
        for number in [last - 1, last] {
            let zeros = vec![0.0; network.parameter(number).len()];
            network.set_parameter(number, &zeros)?;
        }
        self.add_base_rate(network, rows)
    }

    /// Adds the training mean on the link's scale to the output's bias, of an ensemble to each member's.
    fn add_base_rate(&self, network: &mut Network<f32>, rows: &[u32]) -> Result<()> {
        let last = network.views().len() - 1;
        let (bias, rate) = (network.parameter(last), self.base_rate(rows));
        let bias: Vec<f32> = bias.iter().zip(rate.iter().cycle()).map(|(b, &rate)| b + rate as f32).collect();
        Ok(network.set_parameter(last, &bias)?)
    }

    /// What each output is, before its link, for a network that knows nothing of the row.
    fn base_rate(&self, rows: &[u32]) -> Vec<f64> {
        // As if each class had been seen half a time more than it was.
        const PRIOR: f64 = 0.5;
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
}

/// The z with ln(1 + e^z) = x, for an x that is not too close to 0.
fn inverse_softplus(x: f64) -> f64 {
    x.max(1e-3).exp_m1().ln()
}
