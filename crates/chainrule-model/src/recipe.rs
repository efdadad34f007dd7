//! Presets: whole sets of settings under one name, as data. Every setting that is given beside a preset wins.

use chainrule::{Activation, Ensemble, EnsembleKind, Groups, Head, Metric, Optimizer, Schedule};
use chainrule_data::{NumericScaling, Task};
use serde::{Deserialize, Serialize};

use crate::choice::LEVEL_DECAY;
use crate::settings::{OneOrMany, PLAIN_RATE, Settings};

/// The name of a set of settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Two hidden layers, Adam, early stopping.
    #[default]
    Plain,
    /// RealMLP-TD (Holzmüller et al. 2024, arXiv 2407.04491).
    Realmlp,
    /// RealMLP-TD-S of the same paper, the simplified one.
    RealmlpS,
    /// TabM with piecewise-linear embeddings (Gorishniy et al. 2025, arXiv 2410.24210), on batches that its members share.
    Tabm,
    /// TabM-mini of the same paper: members that share all but their inputs' factors and output layers.
    TabmMini,
    /// Two networks by RealMLP-TD, with a lower rate for numbers, and epochs, batches and embeddings by the table; of epochs and embeddings
    /// it shows those of the smallest tables.
    Auto,
    /// The same, more networks, of which some have other vectors for numbers, and more epochs for classes.
    Best,
}

impl Preset {
    /// Every preset with its name.
    pub const ALL: [(&'static str, Self); 7] = [
        ("auto", Self::Auto),
        ("best", Self::Best),
        ("plain", Self::Plain),
        ("realmlp", Self::Realmlp),
        ("realmlp_s", Self::RealmlpS),
        ("tabm", Self::Tabm),
        ("tabm_mini", Self::TabmMini),
    ];

    /// The name in settings and flags.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, preset)| *preset == self).map_or("", |(name, _)| name)
    }

    pub(crate) fn looks_at_the_table(self) -> bool {
        matches!(self, Self::Auto | Self::Best)
    }

    /// Activation and learning rate for a task and its head.
    fn by_task(self, task: Task, head: &Head) -> (Activation, f64) {
        match (self, task == Task::Classification) {
            (Self::Plain, _) => (Activation::Relu, PLAIN_RATE),
            (Self::Tabm | Self::TabmMini, _) => (Activation::Relu, 2e-3),
            (_, true) => (Activation::Selu, 0.04),
            // RealMLP's rate is for a standardised target: on four tables of counts and amounts this left 0.98 of its deviance.
            (Self::Realmlp | Self::Auto | Self::Best, false) if is_count_or_amount(head) => (Activation::Mish, 0.04),
            (Self::Realmlp, false) => (Activation::Mish, 0.2),
            // On ten tables, eight of them with piecewise-linear vectors, this left 0.96 of the root mean square errors of 0.2 (two seeds, of
            // one table one), 0.05 0.95, 0.03 and 0.1 0.98 and 0.97. On samples of up to 2,500 rows there is no difference.
            (Self::RealmlpS | Self::Auto | Self::Best, false) => (Activation::Mish, 0.07),
        }
    }

    /// The score that chooses the best epoch.
    fn metric(self, head: &Head) -> Metric {
        match head {
            _ if self == Self::Plain => Metric::Cost,
            Head::WeibullAft { .. } => Metric::Cost,
            head if is_count_or_amount(head) => Metric::Cost,
            head if head.is_for_classes() => Metric::Accuracy,
            _ => Metric::Rmse,
        }
    }
}

/// Whether a head is for counts or amounts, whose errors grow with the mean.
pub(crate) fn is_count_or_amount(head: &Head) -> bool {
    matches!(head, Head::Poisson | Head::NegativeBinomial { .. } | Head::Gamma { .. } | Head::Tweedie { .. })
}

/// What the layers start with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// By `initializer`, and the output layer so that every row gets the training mean.
    #[default]
    BaseRate,
    /// Weights and biases that fit what arrives at each layer from the training rows.
    Data,
    /// Normal weights and biases, zeros in the output layer.
    Normal,
    /// Uniform weights and biases, and added to the output layer's what every row gets by `BaseRate`.
    Uniform,
}

/// The parts of a network and of its training that presets bring with them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// Frequencies of a periodic embedding of the numbers; 0: numbers are inputs as they are.
    pub frequencies: usize,
    /// Standard deviation of the initial frequencies.
    pub sigma: f64,
    /// Most bins of a piecewise-linear embedding of the numbers, with equal shares of the training rows but for frequent values; 0: none.
    #[serde(skip_serializing_if = "is_zero")]
    pub bins: usize,
    /// Length of the vectors of a piecewise-linear embedding.
    #[serde(skip_serializing_if = "is_zero")]
    pub dimension: usize,
    /// Part of several networks, rounded up, that have bins where there are frequencies too; the last ones have those. 0: all have one kind.
    #[serde(skip_serializing_if = "is_zero")]
    pub bins_share: f64,
    /// An ensemble in place of a single network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ensemble: Option<Ensemble>,
    /// Whether every input is multiplied by a trainable factor.
    pub scale: bool,
    /// Whether each unit mixes its activation with the identity by a trainable alpha.
    pub parametric: bool,
    /// What the layers start with.
    pub start: Start,
    /// Rates of kinds of parameters.
    pub groups: Groups,
    /// Course of the weight decay.
    pub decay_schedule: Schedule,
    /// Course of dropout.
    pub dropout_schedule: Schedule,
    /// Leave the last batch of an epoch out where it is smaller.
    pub drop_last: bool,
    /// Smoothing of the classes where no head is chosen, which then is categorical also for two.
    pub label_smoothing: f64,
    /// Keep predicted numbers within those of training.
    pub clip: bool,
    /// Length of the vectors of categories; 0: by their levels.
    pub category_dimension: usize,
}

impl Recipe {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Of so many networks the first ones, whose numbers have the vectors of bins, where the others have periodic ones; None: all are alike.
    pub(crate) fn with_bins(&self, members: usize) -> Option<usize> {
        let count = (self.bins_share * members as f64).ceil() as usize;
        (self.bins > 0 && self.frequencies > 0 && count < members).then_some(count)
    }
}

/// Whether a number that older versions do not know can be left out of a file.
fn is_zero<N: Default + PartialEq>(number: &N) -> bool {
    *number == N::default()
}

impl Settings {
    /// A preset's settings. What depends on the task is left open: see [`learning_rate`](Self::learning_rate).
    pub fn preset(preset: Preset) -> Self {
        let simple = Self {
            preset,
            hidden: vec![256; 3],
            activation: None,
            dropout: 0.0,
            optimizer: Optimizer::Adam {
                beta1: 0.9,
                beta2: 0.95,
                epsilon: 1e-8,
                epsilon_hat: false,
                weight_decay: 0.0,
            },
            learning_rate: None,
            schedule: Schedule::CosineWaves,
            batch: Some(256),
            epochs: 256,
            patience: 0,
            metric: None,
            one_hot_max_levels: 1000,
            category_indicator: false,
            numeric_scaling: NumericScaling::Robust,
            recipe: Recipe {
                scale: true,
                start: Start::Normal,
                groups: Groups { bias: 0.1, scale: 6.0, ntk: true, ..Groups::default() },
                drop_last: true,
                label_smoothing: 0.1,
                ..Recipe::default()
            },
            ..Self::default()
        };
        match preset {
            Preset::Plain => Self::default(),
            Preset::RealmlpS => simple,
            Preset::Realmlp => Self {
                dropout: 0.15,
                optimizer: Optimizer::Adam {
                    beta1: 0.9,
                    beta2: 0.95,
                    epsilon: 1e-8,
                    epsilon_hat: false,
                    weight_decay: 0.02,
                },
                one_hot_max_levels: 8,
                recipe: Recipe {
                    frequencies: 16,
                    sigma: 0.1,
                    parametric: true,
                    start: Start::Data,
                    groups: Groups::realmlp(),
                    decay_schedule: Schedule::FlatCosine,
                    dropout_schedule: Schedule::FlatCosine,
                    clip: true,
                    category_dimension: 8,
                    ..simple.recipe
                },
                ..simple
            },
            Preset::Auto | Preset::Best => Self {
                preset,
                epochs: 64,
                members: if preset == Preset::Best { 8 } else { 2 },
                recipe: Recipe {
                    groups: Groups { level_decay: LEVEL_DECAY, ..Groups::realmlp() },
                    ..Self::preset(Preset::Realmlp).recipe
                },
                ..Self::preset(Preset::Realmlp)
            },
            Preset::Tabm => Self::tabm(preset, EnsembleKind::Full),
            Preset::TabmMini => Self::tabm(preset, EnsembleKind::Mini),
        }
    }

    fn tabm(preset: Preset, kind: EnsembleKind) -> Self {
        Self {
            preset,
            hidden: vec![512; 2],
            activation: None,
            optimizer: Optimizer::adamw(3e-4),
            learning_rate: None,
            schedule: Schedule::Constant,
            batch: Some(256),
            epochs: 1000,
            metric: None,
            clip_norm: Some(1.0),
            one_hot_max_levels: 1000,
            category_indicator: false,
            numeric_scaling: NumericScaling::QuantileNormal,
            recipe: Recipe {
                bins: 48,
                dimension: 16,
                ensemble: Some(Ensemble { members: 32, kind }),
                start: Start::Uniform,
                groups: Groups { decay_all: true, ..Groups::default() },
                ..Recipe::default()
            },
            ..Self::default()
        }
    }

    /// The same with everything that depends on task and head.
    pub(crate) fn complete(&self, task: Task, head: &Head) -> Self {
        let (activation, learning_rate) = self.preset.by_task(task, head);
        Self {
            activation: self.activation.clone().or(Some(OneOrMany::One(activation))),
            learning_rate: self.learning_rate.or(Some(learning_rate)),
            metric: self.metric.or(Some(self.preset.metric(head))),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_have_a_rate_that_auto_lowers() {
        let rate = |preset, task, head: &Head| Settings::preset(preset).complete(task, head).learning_rate;
        let rates = |preset| {
            let regression = [Head::gaussian(), Head::Poisson].map(|head| rate(preset, Task::Regression, &head));
            (rate(preset, Task::Classification, &Head::Bernoulli), regression)
        };
        assert_eq!(rates(Preset::Realmlp), (Some(0.04), [Some(0.2), Some(0.04)]));
        assert_eq!(rates(Preset::Auto), (Some(0.04), [Some(0.07), Some(0.04)]));
        assert_eq!(rates(Preset::Best), rates(Preset::Auto));
    }
}
