//! The choice of a head, as data.

use std::fmt;
use std::ops::Range;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::pointwise::PointwiseCost;
use super::scale::Scale;
use crate::activation::Activation;
use crate::check::Verified;
use crate::custom::CustomHead;
use crate::error::{Result, setting};

/// What the outputs mean and how they are judged: the likelihood of the targets.
///
/// As data the name alone, `"poisson"`, or the name with what is not as usual, `{ "student_t": { "degrees": 6 } }`.
///
#[doc = include_str!("../../../../docs/heads.md")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields, remote = "Self")]
pub enum Head {
    /// Real targets with normal errors, o = z.
    Gaussian {
        /// Standard deviation.
        #[serde(default)]
        scale: Scale,
    },
    /// Real targets with Laplace errors: the conditional median.
    Laplace {
        /// Mean absolute deviation.
        #[serde(default)]
        scale: Scale,
    },
    /// Real targets; errors normal up to a threshold and exponential beyond (Huber 1964).
    Huber {
        /// Threshold, in units of the scale.
        #[serde(default = "default_threshold")]
        threshold: f64,
        /// Standard deviation of the normal part.
        #[serde(default = "Scale::shared")]
        scale: Scale,
    },
    /// Real targets with heavy-tailed errors: Student's t.
    StudentT {
        /// Degrees of freedom.
        #[serde(default = "default_degrees")]
        degrees: f64,
        /// Scale.
        #[serde(default = "Scale::shared")]
        scale: Scale,
    },
    /// Quantiles of real targets, as many outputs for each target as levels; they cannot cross.
    Quantile {
        /// Probabilities, ascending.
        #[serde(default = "default_levels")]
        levels: Vec<f64>,
    },
    /// Targets 0 or 1 (or a probability between), o = sigmoid z; with several outputs each is a label of its own.
    Bernoulli,
    /// One of several classes: its number 0..outputs, or with `soft` a probability for each class; o = softmax z.
    Categorical {
        /// The part of the target's probability that is spread over all classes (Szegedy et al. 2016).
        #[serde(default)]
        smoothing: f64,
        /// A factor for each class's part of the cost; none: 1.
        #[serde(default)]
        class_weights: Vec<f64>,
        /// Targets are probabilities.
        #[serde(default)]
        soft: bool,
    },
    /// One of several classes in order, its number 0..=outputs: a cumulative logit model (McCullagh 1980).
    Ordinal {
        /// The thresholds between classes are the same for all rows (proportional odds); else functions of the row.
        #[serde(default = "default_proportional")]
        proportional: bool,
    },
    /// Counts, o = exp z.
    Poisson,
    /// Counts whose variance o + dispersion o^2 is larger than their mean o = exp z.
    NegativeBinomial {
        /// Dispersion.
        #[serde(default = "Scale::shared")]
        dispersion: Scale,
    },
    /// Targets > 0 whose standard deviation grows with their mean o = exp z.
    Gamma {
        /// 1 / squared coefficient of variation.
        #[serde(default)]
        shape: Scale,
    },
    /// Targets >= 0 with a mass at 0: a Poisson number of gamma amounts (Tweedie 1984), o = exp z.
    Tweedie {
        /// The variance is dispersion o^power, 1 < power < 2.
        #[serde(default = "default_power")]
        power: f64,
        /// Dispersion; a number, since the density has no closed form in it.
        #[serde(default)]
        dispersion: Scale,
    },
    /// Targets between 0 and 1, o = sigmoid z (Ferrari, Cribari-Neto 2004).
    Beta {
        /// The variance is o (1 - o) / (1 + precision).
        #[serde(default = "Scale::shared")]
        precision: Scale,
    },
    /// Times until an event, some of them cut off before it: accelerated failure with Weibull's distribution. Two targets
    /// for each time: the time, and 1 if the event was seen, 0 if the time is only a lower bound.
    WeibullAft {
        /// Shape: the hazard grows as time^(shape - 1).
        #[serde(default = "Scale::shared")]
        shape: Scale,
    },
    /// Eq. (10) as written: any of these costs of any element-wise output o(z).
    Pointwise {
        /// J(y, o), summed over the outputs.
        cost: PointwiseCost,
        /// o(z).
        output: Activation,
    },
    /// A user's own, which has passed the check of its derivatives.
    #[serde(skip)]
    Custom(Verified<dyn CustomHead>),
}

/// 95 % of the efficiency of the mean for normal errors.
fn default_threshold() -> f64 {
    1.345
}
fn default_degrees() -> f64 {
    4.0
}
fn default_levels() -> Vec<f64> {
    vec![0.05, 0.5, 0.95]
}
fn default_proportional() -> bool {
    true
}
fn default_power() -> f64 {
    1.5
}

/// A reference to the second parameter, shared or exclusive as that to the head.
macro_rules! scale_of {
    ($head:expr) => {
        match $head {
            Head::Gaussian { scale }
            | Head::Laplace { scale }
            | Head::Huber { scale, .. }
            | Head::StudentT { scale, .. }
            | Head::NegativeBinomial { dispersion: scale }
            | Head::Gamma { shape: scale }
            | Head::Tweedie { dispersion: scale, .. }
            | Head::Beta { precision: scale }
            | Head::WeibullAft { shape: scale } => Some(scale),
            _ => None,
        }
    };
}

impl Head {
    /// Every head that has a name alone, with its usual parameters.
    pub fn all() -> Vec<Self> {
        vec![
            Self::gaussian(),
            Self::Laplace { scale: Scale::Unit },
            Self::Huber { threshold: default_threshold(), scale: Scale::Shared },
            Self::StudentT { degrees: default_degrees(), scale: Scale::Shared },
            Self::Quantile { levels: default_levels() },
            Self::Bernoulli,
            Self::categorical(),
            Self::Ordinal { proportional: default_proportional() },
            Self::Poisson,
            Self::NegativeBinomial { dispersion: Scale::Shared },
            Self::Gamma { shape: Scale::Unit },
            Self::Tweedie { power: default_power(), dispersion: Scale::Unit },
            Self::Beta { precision: Scale::Shared },
            Self::WeibullAft { shape: Scale::Shared },
        ]
    }

    /// The head of that name, with its usual parameters.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|head| head.name() == name)
    }

    /// Gaussian with variance 1: squared error.
    pub fn gaussian() -> Self {
        Self::Gaussian { scale: Scale::Unit }
    }

    /// Categorical without smoothing and class weights: cross-entropy.
    pub fn categorical() -> Self {
        Self::Categorical { smoothing: 0.0, class_weights: vec![], soft: false }
    }

    /// The name in specifications and flags.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Gaussian { .. } => "gaussian",
            Self::Laplace { .. } => "laplace",
            Self::Huber { .. } => "huber",
            Self::StudentT { .. } => "student_t",
            Self::Quantile { .. } => "quantile",
            Self::Bernoulli => "bernoulli",
            Self::Categorical { .. } => "categorical",
            Self::Ordinal { .. } => "ordinal",
            Self::Poisson => "poisson",
            Self::NegativeBinomial { .. } => "negative_binomial",
            Self::Gamma { .. } => "gamma",
            Self::Tweedie { .. } => "tweedie",
            Self::Beta { .. } => "beta",
            Self::WeibullAft { .. } => "weibull_aft",
            Self::Pointwise { .. } => "pointwise",
            Self::Custom(head) => head.get().name(),
        }
    }

    /// The second parameter, of distributions that have one.
    pub fn scale(&self) -> Option<Scale> {
        scale_of!(self).copied()
    }

    /// The same with another second parameter; unchanged if it has none.
    #[must_use]
    pub fn with_scale(mut self, scale: Scale) -> Self {
        if let Some(own) = scale_of!(&mut self) {
            *own = scale;
        }
        self
    }

    /// Whether moving and stretching the targets moves and stretches the distribution, so that they may be standardised.
    pub fn is_location_scale(&self) -> bool {
        matches!(
            self,
            Self::Gaussian { .. }
                | Self::Laplace { .. }
                | Self::Huber { .. }
                | Self::StudentT { .. }
                | Self::Quantile { .. }
        )
    }

    /// Whether the targets are classes.
    pub fn is_for_classes(&self) -> bool {
        matches!(self, Self::Bernoulli | Self::Categorical { .. } | Self::Ordinal { .. })
    }

    /// Outputs of a network for `targets` targets, or for one target of so many classes.
    pub fn outputs(&self, targets: usize) -> usize {
        match self {
            Self::Quantile { levels } => targets * levels.len(),
            Self::Ordinal { .. } => targets.saturating_sub(1),
            _ if self.scale().is_some_and(Scale::is_output) => 2 * targets,
            _ => targets,
        }
    }

    /// What `outputs` outputs are for: so many targets, or one target of so many classes.
    pub(crate) fn targets(&self, outputs: usize) -> usize {
        match self {
            Self::Quantile { levels } => outputs / levels.len(),
            Self::Ordinal { .. } => outputs + 1,
            _ if self.scale().is_some_and(Scale::is_output) => outputs / 2,
            _ => outputs,
        }
    }

    /// Numbers in a row of targets for a network with `outputs` outputs.
    pub fn target_width(&self, outputs: usize) -> usize {
        match self {
            Self::Categorical { soft: false, .. } | Self::Ordinal { .. } => 1,
            Self::WeibullAft { .. } => 2 * self.targets(outputs),
            Self::Custom(head) => head.target_width(outputs),
            _ => self.targets(outputs),
        }
    }

    /// The outputs that an offset is added to: those of location, not of scale.
    pub(crate) fn offset_outputs(&self, outputs: usize) -> std::iter::StepBy<Range<usize>> {
        match self {
            Self::Quantile { levels } => (0..outputs).step_by(levels.len()),
            // All thresholds move with the first.
            Self::Ordinal { .. } => (0..1).step_by(1),
            _ => (0..self.targets(outputs)).step_by(1),
        }
    }

    /// The outputs that are the same for all rows: their weights stay zero, only their biases move.
    pub(crate) fn held_outputs(&self, outputs: usize) -> Range<usize> {
        match (self, self.scale()) {
            (Self::Ordinal { proportional: true }, _) => 1..outputs,
            (_, Some(Scale::Shared)) => outputs / 2..outputs,
            _ => outputs..outputs,
        }
    }

    /// Refuses parameters that cannot work, and a network's number of outputs that does not fit.
    pub(crate) fn check_outputs(&self, outputs: usize) -> Result<()> {
        self.validate()?;
        let name = self.name();
        let (least, step) = match self {
            Self::Categorical { .. } => (2, 1),
            Self::Quantile { levels } => (levels.len(), levels.len()),
            _ if self.scale().is_some_and(Scale::is_output) => (2, 2),
            _ => (1, 1),
        };
        if outputs < least {
            return setting(format!("the {name} head needs at least {least} outputs, got {outputs}"));
        }
        if !outputs.is_multiple_of(step) {
            return setting(format!("the {name} head needs {step} outputs for each target, got {outputs}"));
        }
        match self {
            Self::Categorical { class_weights, .. } if ![0, outputs].contains(&class_weights.len()) => {
                setting(format!("{} class weights for {outputs} classes", class_weights.len()))
            }
            _ => Ok(()),
        }
    }

    fn validate(&self) -> Result<()> {
        let name = self.name();
        let check = |fits: bool, what: &str, got: &dyn fmt::Debug| {
            if fits { Ok(()) } else { setting(format!("{name}: {what}, got {got:?}")) }
        };
        if let Some(Scale::Fixed(value)) = self.scale() {
            check(value > 0.0 && value.is_finite(), "the scale, shape, dispersion or precision must be > 0", &value)?;
        }
        match self {
            Self::Huber { threshold, .. } => {
                check(*threshold > 0.0 && threshold.is_finite(), "threshold must be > 0", threshold)
            }
            Self::StudentT { degrees, .. } => {
                check(*degrees > 0.0 && degrees.is_finite(), "degrees must be > 0", degrees)
            }
            Self::Tweedie { power, dispersion } => {
                check(*power > 1.0 && *power < 2.0, "power must be between 1 and 2", power)?;
                check(!dispersion.is_output(), "dispersion must be a number or \"unit\"", dispersion)
            }
            Self::Quantile { levels } => {
                let inside = levels.iter().all(|level| *level > 0.0 && *level < 1.0);
                let ascending = levels.is_sorted_by(|a, b| a < b);
                check(inside && ascending && !levels.is_empty(), "levels must ascend between 0 and 1", levels)
            }
            Self::Categorical { smoothing, class_weights, .. } => {
                check((0.0..1.0).contains(smoothing), "smoothing must be in [0, 1)", smoothing)?;
                let fit = class_weights.iter().all(|w| *w >= 0.0 && w.is_finite());
                check(fit, "class weights must be finite and >= 0", class_weights)
            }
            Self::Pointwise { output: Activation::Custom(_), .. } => {
                setting("pointwise: a custom output needs a custom head, which has its own delta")
            }
            _ => Ok(()),
        }
    }
}

impl Serialize for Head {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if Self::named(self.name()).as_ref() == Some(self) {
            return serializer.serialize_str(self.name());
        }
        // The derived one, which `remote` makes a plain function.
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Head {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HeadVisitor)
    }
}

struct HeadVisitor;

impl<'de> Visitor<'de> for HeadVisitor {
    type Value = Head;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a head, alone or with its parameters")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Head, E> {
        Head::named(name).ok_or_else(|| {
            let names: Vec<_> = Head::all().iter().map(Head::name).collect();
            E::custom(format!("unknown head `{name}`; the heads are {}", names.join(", ")))
        })
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Head, M::Error> {
        Head::deserialize(MapAccessDeserializer::new(map))
    }
}
