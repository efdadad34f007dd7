//! Everything a user can choose about a model, as data: flags, TOML files and keyword arguments fill this one struct.

use chainrule::{Activation, Head, Hidden, Initializer, Metric, Optimizer, Schedule, TrainSettings};
use chainrule_data::{EncoderSettings, NumericScaling, Task};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::recipe::{Preset, Recipe, Start};

/// The learning rate of plain settings.
pub(crate) const PLAIN_RATE: f64 = 1e-3;

/// What is predicted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskChoice {
    /// Told from the target column.
    #[default]
    Auto,
    /// A number.
    Regression,
    /// One of several classes.
    Classification,
    /// A count: a whole number >= 0, with an exposure perhaps.
    Count,
}

/// How to build and train a model. Every field has a default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The preset that these settings came from, see [`Settings::preset`].
    pub preset: Preset,
    /// Names of the settings that were chosen by hand, those of the recipe as in `recipe.clip`: a preset that looks at the
    /// table leaves them alone.
    #[serde(skip)]
    pub given: Vec<String>,
    /// What is predicted.
    pub task: TaskChoice,
    /// The likelihood; by task if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<Head>,
    /// The classes from the lowest to the highest, where their order matters and they are no numbers; empty: sorted.
    pub class_order: Vec<String>,
    /// Units of each hidden layer, input side first.
    pub hidden: Vec<usize>,
    /// Activation of the hidden layers: one for all, or one for each; by preset and task if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activation: Option<OneOrMany<Activation>>,
    /// Probability with which a hidden unit is dropped in training.
    pub dropout: f64,
    /// Initial weights; by activation if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initializer: Option<Initializer>,
    /// Optimizer.
    pub optimizer: Optimizer,
    /// Base learning rate; by preset and task if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// Course of the learning rate.
    pub schedule: Schedule,
    /// Rows of a batch; by the number of training rows if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<usize>,
    /// Passes over the training rows, at most.
    pub epochs: usize,
    /// Epochs without a better score after which training stops; 0: never.
    pub patience: usize,
    /// The score that early stopping watches; by preset and head if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
    /// Penalty l1 sum |w|.
    pub l1: f64,
    /// Penalty (l2 / 2) sum w^2.
    pub l2: f64,
    /// The longest that a gradient may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// Decay of the average of the parameters that becomes the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ema: Option<f64>,
    /// Part of the rows that is held out for validation where no validation table is given; 0: none. Several members hold
    /// out equal parts, each its own: about this, or less where there are so many of them that each row is held out once.
    pub valid_fraction: f64,
    /// Networks that are trained side by side, each on the rows but for a part of its own, and averaged (bagging);
    /// where no rows are held out they differ by their seeds alone.
    #[serde(skip_serializing_if = "is_one")]
    pub members: usize,
    /// Categories with more levels get trainable vectors, the others one input for each level.
    pub one_hot_max_levels: usize,
    /// A level of a category with more levels counts as unseen where fewer training rows have it.
    pub min_level_rows: usize,
    /// Whether categories and truth values that are missing get an input of their own; otherwise they are zeros.
    pub category_indicator: bool,
    /// How numbers become inputs.
    pub numeric_scaling: NumericScaling,
    /// Seed of everything random.
    pub seed: u64,
    /// What presets bring with them.
    #[serde(skip_serializing_if = "Recipe::is_default")]
    pub recipe: Recipe,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            preset: Preset::Plain,
            given: vec![],
            task: TaskChoice::Auto,
            head: None,
            class_order: vec![],
            hidden: vec![256, 256],
            activation: None,
            dropout: 0.1,
            initializer: None,
            optimizer: Optimizer::adam(),
            learning_rate: None,
            schedule: Schedule::Cosine,
            batch: None,
            epochs: 100,
            patience: 16,
            metric: None,
            l1: 0.0,
            l2: 0.0,
            clip_norm: None,
            ema: None,
            valid_fraction: 0.2,
            members: 1,
            one_hot_max_levels: 8,
            min_level_rows: 2,
            category_indicator: true,
            numeric_scaling: NumericScaling::Standard,
            seed: 0,
            recipe: Recipe::default(),
        }
    }
}

fn is_one(members: &usize) -> bool {
    *members == 1
}

/// A value for all layers, or one for each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// For all.
    One(T),
    /// For each.
    Many(Vec<T>),
}

impl Settings {
    /// Reads settings from TOML; keys that are absent are those of `preset`, or of the preset that the text names, or of
    /// [`Preset::Auto`].
    ///
    /// # Errors
    /// [`Error::Setting`] with the line that is wrong and, for a misspelt key, the nearest right one.
    pub fn from_toml(text: &str, preset: Option<Preset>) -> Result<Self> {
        let table: toml::Table = text.parse().map_err(unusable)?;
        Self::check_keys(&table)?;
        // From the text, since then an error has the line.
        let read: Self = toml::from_str(text).map_err(unusable)?;
        let preset = preset.unwrap_or_else(|| read.named_in(&table));
        Self::over_preset(table, preset)
    }

    /// Reads settings from a JSON object, as [`from_toml`](Self::from_toml).
    ///
    /// # Errors
    /// [`Error::Setting`] with the key that is wrong and, for a misspelt one, the nearest right one.
    pub fn from_json(text: &str) -> Result<Self> {
        let table: toml::Table = serde_json::from_str(text).map_err(unusable)?;
        Self::check_keys(&table)?;
        let read: Self = table.clone().try_into().map_err(unusable)?;
        let preset = read.named_in(&table);
        Self::over_preset(table, preset)
    }

    /// The preset that a table names, or the one where none is named.
    fn named_in(&self, table: &toml::Table) -> Preset {
        if table.contains_key("preset") { self.preset } else { Preset::Auto }
    }

    fn check_keys(table: &toml::Table) -> Result<()> {
        let known = Self::keys();
        match table.keys().find(|key| !known.contains(key)) {
            Some(key) => Err(Error::Setting(format!("unknown setting `{key}`{}", nearest(key, &known)))),
            None => Ok(()),
        }
    }

    /// The preset's settings with those of `table` in their place.
    fn over_preset(mut table: toml::Table, preset: Preset) -> Result<Self> {
        let given = paths(&table, "");
        let preset = Self::preset(preset);
        table.insert("preset".into(), toml::Value::try_from(preset.preset).map_err(unusable)?);
        let mut all = toml::Table::try_from(&preset).map_err(unusable)?;
        lay_over(&mut all, table, 0);
        let settings: Self = all.try_into().map_err(unusable)?;
        let given = if settings.preset.looks_at_the_table() { given } else { vec![] };
        Ok(Self { given, ..settings })
    }

    /// The names of all settings.
    pub fn keys() -> Vec<String> {
        let full = Self {
            head: Some(Head::gaussian()),
            initializer: Some(Initializer::HeUniform),
            batch: Some(1),
            clip_norm: Some(1.0),
            ema: Some(0.0),
            activation: Some(OneOrMany::One(Activation::Relu)),
            learning_rate: Some(1.0),
            metric: Some(Metric::Cost),
            members: 2,
            ..Self::preset(Preset::Realmlp)
        };
        let value = serde_json::to_value(full).unwrap_or_default();
        value.as_object().map(|fields| fields.keys().cloned().collect()).unwrap_or_default()
    }

    /// Refuses settings that cannot work, whatever the table.
    ///
    /// # Errors
    /// [`Error::Setting`] with the setting's name.
    pub fn validate(&self) -> Result<()> {
        if !(0.0..1.0).contains(&self.valid_fraction) {
            return Err(Error::Setting(format!("valid_fraction must be in [0, 1), got {}", self.valid_fraction)));
        }
        if self.epochs == 0 {
            return Err(Error::Setting("epochs must be at least 1".into()));
        }
        if self.members == 0 {
            return Err(Error::Setting("members must be at least 1".into()));
        }
        let Recipe {
            frequencies,
            sigma,
            label_smoothing,
            category_dimension,
            bins,
            dimension,
            bins_share,
            start,
            ensemble,
            ..
        } = self.recipe;
        if frequencies > 1024 || (frequencies > 0 && !(sigma > 0.0 && sigma.is_finite())) {
            return Err(Error::Setting("recipe: frequencies must be 0 to 1024, and sigma > 0 with them".into()));
        }
        if !(0.0..1.0).contains(&label_smoothing) || category_dimension > 1024 {
            let message = "recipe: label_smoothing must be in [0, 1), and category_dimension 0 to 1024";
            return Err(Error::Setting(message.into()));
        }
        if bins > 256 || (bins > 0 && ![1, 2, 4, 8, 16].contains(&dimension)) {
            let message = "recipe: bins must be 0 to 256, and dimension 1, 2, 4, 8 or 16 with them";
            return Err(Error::Setting(message.into()));
        }
        if !(0.0..=1.0).contains(&bins_share) {
            return Err(Error::Setting(format!("recipe: bins_share must be in [0, 1], got {bins_share}")));
        }
        if bins > 0 && frequencies > 0 && bins_share == 0.0 {
            let message = "recipe: numbers get one kind of vectors: set bins or frequencies to 0, or bins_share to the part of the networks \
                           that has bins";
            return Err(Error::Setting(message.into()));
        }
        if ensemble.is_some() && start == Start::Data {
            let message = "recipe: start = \"data\" is for single networks; an ensemble starts \"uniform\"";
            return Err(Error::Setting(message.into()));
        }
        let complete = self.complete(Task::Regression, &Head::gaussian());
        complete.hidden_layers()?;
        self.encoder_settings().validate()?;
        Ok(complete.train_settings(1).validate()?)
    }

    /// The hidden layers of [`complete`](Self::complete) settings.
    pub(crate) fn hidden_layers(&self) -> Result<Vec<Hidden>> {
        let activation = |layer: usize| match &self.activation {
            None => Ok(Activation::Relu),
            Some(OneOrMany::One(activation)) => Ok(*activation),
            Some(OneOrMany::Many(each)) if each.len() == self.hidden.len() => Ok(each[layer]),
            Some(OneOrMany::Many(each)) => Err(Error::Setting(format!(
                "{} activations for {} hidden layers: give one, or one for each layer",
                each.len(),
                self.hidden.len()
            ))),
        };
        let layer = |(l, &width): (usize, &usize)| {
            let (dropout, initializer, parametric) = (self.dropout, self.initializer, self.recipe.parametric);
            Ok(Hidden { width, activation: activation(l)?, dropout, initializer, parametric })
        };
        self.hidden.iter().enumerate().map(layer).collect()
    }

    /// How columns become inputs.
    pub(crate) fn encoder_settings(&self) -> EncoderSettings {
        EncoderSettings {
            numeric_scaling: self.numeric_scaling,
            category_indicator: self.category_indicator,
            one_hot_max_levels: self.one_hot_max_levels,
            min_level_rows: self.min_level_rows,
            keep: vec![],
        }
    }

    /// The engine's settings for a training set of `rows` rows, of [`complete`](Self::complete) settings.
    pub(crate) fn train_settings(&self, rows: usize) -> TrainSettings {
        TrainSettings {
            epochs: self.epochs,
            batch: self.batch.unwrap_or_else(|| usual_batch(rows)),
            drop_last: self.recipe.drop_last,
            optimizer: self.optimizer,
            learning_rate: self.learning_rate.unwrap_or(PLAIN_RATE),
            schedule: self.schedule,
            decay_schedule: self.recipe.decay_schedule,
            dropout_schedule: self.recipe.dropout_schedule,
            groups: self.recipe.groups,
            l1: self.l1,
            l2: self.l2,
            clip_norm: self.clip_norm,
            ema: self.ema,
            patience: self.patience,
            metric: self.metric.unwrap_or_default(),
            seed: self.seed,
            ..TrainSettings::default()
        }
    }
}

/// Replaces the entries of `under` by those of `over`; in tables of the recipe, which are structs and not variants with fields
/// of their own, entry by entry.
fn lay_over(under: &mut toml::Table, over: toml::Table, depth: usize) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(toml::Value::Table(inner)), toml::Value::Table(value))
                if ["recipe", "groups"][depth.min(1)] == key =>
            {
                lay_over(inner, value, depth + 1);
            }
            (_, value) => drop(under.insert(key, value)),
        }
    }
}

/// The names of all entries, those of the recipe's tables with the names of these before them.
fn paths(table: &toml::Table, prefix: &str) -> Vec<String> {
    let path = |(key, value): (&String, &toml::Value)| match value {
        toml::Value::Table(inner) if ["recipe", "recipe.groups"].contains(&format!("{prefix}{key}").as_str()) => {
            paths(inner, &format!("{prefix}{key}."))
        }
        _ => vec![format!("{prefix}{key}")],
    };
    table.iter().flat_map(path).collect()
}

/// Enough steps in an epoch for small tables, full kernels for large ones.
fn usual_batch(rows: usize) -> usize {
    match rows {
        0..=1024 => 32,
        1025..=8192 => 128,
        8193..=30_000 => 256,
        30_001..=100_000 => 512,
        _ => 1024,
    }
}

/// What the reader says of settings that it cannot read.
fn unusable(error: impl std::fmt::Display) -> Error {
    Error::Setting(error.to_string().trim_end().to_owned())
}

/// `; did you mean ...?` or the list of what there is.
fn nearest(name: &str, known: &[String]) -> String {
    let best = known.iter().map(|k| (strsim::jaro_winkler(name, k), k)).max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((likeness, key)) if likeness > 0.8 => format!("; did you mean `{key}`?"),
        _ => format!("; the settings are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chainrule::Groups;

    #[test]
    fn toml_fills_the_struct_and_the_rest_stays_default() {
        let text =
            "hidden = [8]\nactivation = \"tanh\"\nbatch = 7\noptimizer = { kind = \"sgd\" }\nhead = \"poisson\"\n";
        let settings = Settings::from_toml(text, Some(Preset::Plain)).unwrap();
        assert_eq!(settings.hidden, [8]);
        assert_eq!(settings.activation, Some(OneOrMany::One(Activation::Tanh)));
        assert_eq!((settings.batch, settings.optimizer, settings.head), (Some(7), Optimizer::Sgd, Some(Head::Poisson)));
        assert_eq!(settings.epochs, Settings::default().epochs);
    }

    #[test]
    fn every_default_survives_a_round_trip() {
        let text = toml::to_string(&Settings::default()).unwrap();
        assert_eq!(Settings::from_toml(&text, None).unwrap(), Settings::default());
    }

    #[test]
    fn json_is_read_as_toml_is() {
        let json = r#"{"preset": "realmlp", "epochs": 7, "dropout": 0, "recipe": {"groups": {"scale": 2}}}"#;
        let toml = "preset = \"realmlp\"\nepochs = 7\ndropout = 0.0\nrecipe.groups.scale = 2.0\n";
        assert_eq!(Settings::from_json(json).unwrap(), Settings::from_toml(toml, None).unwrap());
        let wrong = |text: &str| Settings::from_json(text).unwrap_err().to_string();
        assert!(wrong(r#"{"epoch": 3}"#).ends_with("did you mean `epochs`?"));
        assert!(wrong(r#"{"epochs": "3"}"#).contains("epochs"), "{}", wrong(r#"{"epochs": "3"}"#));
    }

    #[test]
    fn what_is_given_wins_over_the_preset() {
        let text = "preset = \"realmlp\"\nepochs = 7\noptimizer = { kind = \"sgd\" }\n[recipe]\nclip = false\n[recipe.groups]\nscale = 2.0\n";
        let settings = Settings::from_toml(text, None).unwrap();
        let preset = Settings::preset(Preset::Realmlp);
        let groups = Groups { scale: 2.0, ..preset.recipe.groups };
        let recipe = Recipe { clip: false, groups, ..preset.recipe.clone() };
        assert_eq!(settings, Settings { epochs: 7, optimizer: Optimizer::Sgd, recipe, ..preset });
        let other = Settings::from_toml("preset = \"realmlp\"", Some(Preset::RealmlpS)).unwrap();
        assert_eq!(other, Settings::preset(Preset::RealmlpS));
        let complete = other.complete(Task::Classification, &Head::categorical());
        assert_eq!((complete.learning_rate, complete.metric), (Some(0.04), Some(Metric::Accuracy)));
    }

    #[test]
    fn what_a_file_gives_is_remembered_for_presets_that_look_at_the_table() {
        let text = "epochs = 256\nseed = 3\n[recipe]\nclip = true\n[recipe.groups]\nscale = 2.0\n";
        let settings = Settings::from_toml(text, Some(Preset::Auto)).unwrap();
        assert_eq!(settings.given, ["epochs", "recipe.clip", "recipe.groups.scale", "seed"]);
        assert_eq!(Settings::from_toml(text, None).unwrap(), settings);
        assert_eq!(Settings::from_toml(text, Some(Preset::Plain)).unwrap().given, [""; 0]);
    }

    #[test]
    fn every_preset_survives_a_round_trip() {
        for (name, preset) in Preset::ALL {
            let settings = Settings::preset(preset);
            settings.validate().unwrap();
            let read = Settings::from_toml(&toml::to_string(&settings).unwrap(), None).unwrap();
            assert_eq!(Settings { given: vec![], ..read }, settings, "{name}");
        }
    }

    #[test]
    fn a_misspelt_key_names_the_nearest() {
        let error = Settings::from_toml("hiden = [8]", None).unwrap_err().to_string();
        assert_eq!(error, "unknown setting `hiden`; did you mean `hidden`?");
        let error = Settings::from_toml("epochs = \"many\"", None).unwrap_err().to_string();
        assert!(error.contains("epochs = \"many\"") && error.contains("invalid type"), "{error}");
    }

    #[test]
    fn impossible_values_are_refused() {
        for text in [
            "valid_fraction = 1.0",
            "epochs = 0",
            "batch = 0",
            "activation = [\"relu\"]",
            "learning_rate = -1.0",
            "clip_norm = 0.0",
            "ema = 1.0",
            "optimizer = { kind = \"rprop\", grow = 0.9 }",
            "min_level_rows = 0",
            "members = 0",
            "recipe.bins_share = 1.5",
            "recipe = { frequencies = 4, sigma = 0.1, bins = 4, dimension = 4 }",
        ] {
            assert!(Settings::from_toml(text, Some(Preset::Plain)).unwrap().validate().is_err(), "{text}");
        }
    }
}
