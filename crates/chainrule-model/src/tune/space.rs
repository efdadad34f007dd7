//! What a search may choose: for each setting a list of values or a range.

use chainrule::{Key, Optimizer};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, setting};
use crate::recipe::Preset;
use crate::settings::Settings;

/// Standard deviation of the frequencies of periodic embeddings where a preset has none: RealMLP's.
const SIGMA: f64 = 0.1;

/// What may be chosen, each setting by itself. An empty list leaves a setting as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Space {
    /// Sets of settings to start from.
    pub preset: Vec<Preset>,
    /// The learning rate over the preset's own.
    pub learning_rate_factor: Values,
    /// Units of every hidden layer.
    pub width: Vec<usize>,
    /// Hidden layers.
    pub depth: Vec<usize>,
    /// Probability with which a hidden unit is dropped.
    pub dropout: Values,
    /// Decoupled weight decay of Adam, with other optimizers the l2 penalty.
    pub weight_decay: Values,
    /// Rows of a batch.
    pub batch: Vec<usize>,
    /// Frequencies of a periodic embedding of the numbers; 0: none.
    pub frequencies: Vec<usize>,
    /// Length of the vectors of categories with many levels; 0: by their levels.
    pub category_dimension: Vec<usize>,
}

/// Numbers to choose from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a list of numbers, or { low = 0.1, high = 10.0, log = true }")]
pub enum Values {
    /// Each of these with the same probability.
    List(Vec<f64>),
    /// Uniform between two, or uniform in the logarithm.
    Between {
        /// The least.
        low: f64,
        /// The greatest.
        high: f64,
        /// Whether the logarithm is uniform.
        #[serde(default)]
        log: bool,
    },
}

impl Space {
    /// [`Space::default`] as a file.
    pub const DEFAULT: &'static str = r#"preset = ["plain", "realmlp"]
learning_rate_factor = { low = 0.2, high = 5.0, log = true }  # times the preset's own rate
width = [64, 128, 256, 512]       # units of every hidden layer
depth = [1, 2, 3, 4]              # hidden layers
dropout = { low = 0.0, high = 0.4 }
weight_decay = [0.0, 0.001, 0.01, 0.1]
batch = [64, 128, 256, 512]
frequencies = [0, 16]             # of a periodic embedding of the numbers; 0: none
category_dimension = [0, 4, 16]   # length of the vectors of categories; 0: by their levels
"#;

    /// Reads a space from TOML; keys that are absent are those of the default.
    ///
    /// # Errors
    /// [`Error::Setting`] with the line that is wrong, or the key whose values cannot be chosen from.
    pub fn from_toml(text: &str) -> Result<Self> {
        let space: Self = toml::from_str(text).map_err(|e| Error::Setting(e.to_string().trim_end().to_owned()))?;
        let ranges = [
            ("learning_rate_factor", &space.learning_rate_factor),
            ("dropout", &space.dropout),
            ("weight_decay", &space.weight_decay),
        ];
        for (key, values) in ranges {
            values.check().map_err(|message| Error::Setting(format!("{key}: {message}")))?;
        }
        if let Some(open) = space.preset.iter().find(|preset| preset.looks_at_the_table()) {
            return setting(format!("preset: {} chooses another by the table; name those to compare", open.name()));
        }
        let lists = [("width", &space.width), ("batch", &space.batch)];
        match lists.iter().find(|(_, list)| list.contains(&0)) {
            Some((key, _)) => setting(format!("{key}: must be at least 1")),
            None => Ok(space),
        }
    }

    /// The choices of one trial, a function of `key`, from `bases` sets of settings.
    pub(super) fn draw(&self, key: Key, bases: usize) -> Choice {
        let uniform = |dimension: u64| key.part(dimension).uniform(0);
        Choice {
            base: (uniform(0) * bases as f64) as usize,
            learning_rate_factor: self.learning_rate_factor.draw(uniform(1)),
            width: one_of(&self.width, uniform(2)),
            depth: one_of(&self.depth, uniform(3)),
            dropout: self.dropout.draw(uniform(4)),
            weight_decay: self.weight_decay.draw(uniform(5)),
            batch: one_of(&self.batch, uniform(6)),
            frequencies: one_of(&self.frequencies, uniform(7)),
            category_dimension: one_of(&self.category_dimension, uniform(8)),
        }
    }
}

impl Default for Space {
    fn default() -> Self {
        Self {
            preset: vec![Preset::Plain, Preset::Realmlp],
            learning_rate_factor: Values::Between { low: 0.2, high: 5.0, log: true },
            width: vec![64, 128, 256, 512],
            depth: vec![1, 2, 3, 4],
            dropout: Values::Between { low: 0.0, high: 0.4, log: false },
            weight_decay: Values::List(vec![0.0, 0.001, 0.01, 0.1]),
            batch: vec![64, 128, 256, 512],
            frequencies: vec![0, 16],
            category_dimension: vec![0, 4, 16],
        }
    }
}

impl Values {
    fn check(&self) -> Result<(), String> {
        match *self {
            Self::List(ref list) if list.iter().any(|x| !(*x >= 0.0 && x.is_finite())) => {
                Err("every number must be finite and at least 0".to_owned())
            }
            Self::List(_) => Ok(()),
            Self::Between { low, high, log } => {
                let ascends = low <= high && low >= 0.0 && high.is_finite();
                match (ascends, log && low == 0.0) {
                    (false, _) => Err(format!("needs 0 <= low <= high, got {low} and {high}")),
                    (_, true) => Err("low must be above 0 for a logarithm".to_owned()),
                    _ => Ok(()),
                }
            }
        }
    }

    /// The value at `u` of [0, 1), to three digits, so that it can be read and typed.
    fn draw(&self, u: f64) -> Option<f64> {
        match *self {
            Self::List(ref list) => one_of(list, u),
            Self::Between { low, high, log: true } => Some(three_digits((low.ln() + u * (high / low).ln()).exp())),
            Self::Between { low, high, log: false } => Some(three_digits(low + u * (high - low))),
        }
    }
}

fn one_of<T: Copy>(list: &[T], u: f64) -> Option<T> {
    list.get((u * list.len() as f64) as usize).copied()
}

fn three_digits(x: f64) -> f64 {
    format!("{x:.2e}").parse().unwrap_or(x)
}

/// What one trial changes about the settings it starts from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Choice {
    /// Which of the sets of settings, from 0.
    pub base: usize,
    /// The learning rate over the preset's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rate_factor: Option<f64>,
    /// Units of every hidden layer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,
    /// Hidden layers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth: Option<usize>,
    /// Probability of dropout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropout: Option<f64>,
    /// Weight decay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
    /// Rows of a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<usize>,
    /// Frequencies of a periodic embedding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequencies: Option<usize>,
    /// Length of the vectors of categories.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category_dimension: Option<usize>,
}

impl Choice {
    /// `base` with these choices; `rate` is its own learning rate.
    pub(super) fn settings(&self, base: &Settings, rate: f64) -> Settings {
        let mut s = base.clone();
        if let Some(factor) = self.learning_rate_factor {
            s.learning_rate = Some(rate * factor);
        }
        let depth = self.depth.unwrap_or(s.hidden.len());
        s.hidden = match (self.width, s.hidden.last()) {
            (Some(width), _) => vec![width; depth],
            // Layers beyond the base's are as its last.
            (None, Some(&last)) => (0..depth).map(|l| s.hidden.get(l).copied().unwrap_or(last)).collect(),
            (None, None) => vec![],
        };
        s.dropout = self.dropout.unwrap_or(s.dropout);
        match (self.weight_decay, &mut s.optimizer) {
            (Some(decay), Optimizer::Adam { weight_decay, .. }) => *weight_decay = decay,
            (Some(decay), _) => s.l2 = decay,
            (None, _) => {}
        }
        s.batch = self.batch.or(s.batch);
        if let Some(frequencies) = self.frequencies {
            s.recipe.frequencies = frequencies;
            s.recipe.sigma = if s.recipe.sigma > 0.0 { s.recipe.sigma } else { SIGMA };
        }
        s.recipe.category_dimension = self.category_dimension.unwrap_or(s.recipe.category_dimension);
        s
    }

    /// The choices in words.
    pub(super) fn words(&self) -> String {
        let numbers = [
            ("rate x", self.learning_rate_factor),
            ("width ", self.width.map(|n| n as f64)),
            ("depth ", self.depth.map(|n| n as f64)),
            ("dropout ", self.dropout),
            ("decay ", self.weight_decay),
            ("batch ", self.batch.map(|n| n as f64)),
            ("frequencies ", self.frequencies.map(|n| n as f64)),
            ("category ", self.category_dimension.map(|n| n as f64)),
        ];
        let given = numbers.iter().filter_map(|(name, value)| Some(format!("{name}{}", (*value)?)));
        given.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_file_that_is_shown() {
        assert_eq!(Space::from_toml(Space::DEFAULT).unwrap(), Space::default());
        let some = Space::from_toml("width = [8]\ndropout = []\n").unwrap();
        assert_eq!(some, Space { width: vec![8], dropout: Values::List(vec![]), ..Space::default() });
    }

    #[test]
    fn impossible_spaces_are_refused() {
        for (text, part) in [
            ("widht = [8]", "unknown field `widht`"),
            ("width = [0]", "width: must be at least 1"),
            ("dropout = { low = 0.5, high = 0.1 }", "dropout: needs 0 <= low <= high"),
            ("learning_rate_factor = { low = 0.0, high = 1.0, log = true }", "low must be above 0"),
            ("learning_rate_factor = \"high\"", "expected a list of numbers, or {"),
            ("weight_decay = [-1.0]", "weight_decay: every number must be finite and at least 0"),
            ("preset = [\"best\"]", "preset: best chooses another by the table"),
        ] {
            let message = Space::from_toml(text).unwrap_err().to_string();
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn draws_lie_in_the_space_and_cover_it() {
        let space = Space::default();
        let draws: Vec<Choice> = (0..400).map(|trial| space.draw(Key::new(1).part(trial), 2)).collect();
        for choice in &draws {
            assert!((0.2..=5.0).contains(&choice.learning_rate_factor.unwrap()) && choice.base < 2, "{choice:?}");
            assert!((0.0..=0.4).contains(&choice.dropout.unwrap()) && space.width.contains(&choice.width.unwrap()));
        }
        for width in &space.width {
            let count = draws.iter().filter(|choice| choice.width == Some(*width)).count();
            assert!((70..130).contains(&count), "{width}: {count}");
        }
        // Half of the factors are below 1, the middle of the logarithms.
        let below = draws.iter().filter(|choice| choice.learning_rate_factor < Some(1.0)).count();
        assert!((160..240).contains(&below), "{below}");
    }

    #[test]
    fn choices_change_settings_and_nothing_else() {
        let base = Settings::preset(Preset::Realmlp);
        assert_eq!(Choice::default().settings(&base, 0.04), base);
        let choice =
            Choice { learning_rate_factor: Some(0.5), depth: Some(4), weight_decay: Some(0.3), ..Choice::default() };
        let settings = choice.settings(&base, 0.04);
        assert_eq!((settings.learning_rate, settings.hidden.as_slice()), (Some(0.02), &[256; 4][..]));
        assert!(matches!(settings.optimizer, Optimizer::Adam { weight_decay: 0.3, beta2: 0.95, .. }));
        let base = Settings { optimizer: Optimizer::Sgd, ..Settings::default() };
        let choice = Choice { weight_decay: Some(0.3), frequencies: Some(16), width: Some(8), ..Choice::default() };
        let settings = choice.settings(&base, 1.0);
        assert_eq!((settings.l2, settings.recipe.sigma, settings.hidden.as_slice()), (0.3, SIGMA, &[8, 8][..]));
        assert_eq!(choice.words(), "width 8, decay 0.3, frequencies 16");
    }
}
