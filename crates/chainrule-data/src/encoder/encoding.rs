//! The encoding of one column: which features it gives, and their values.

use std::collections::BTreeSet;
use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use crate::date::DateOrder;
use crate::table::ColumnType;
use crate::time::TimeParts;

use super::scale::Scale;

pub(super) const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// `missing` everywhere: values were missing in training, so an indicator feature says where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Encoding {
    /// Scaled; a missing number becomes 0.
    Number { scale: Scale, missing: bool },
    /// -1 for false, 1 for true, 0 for missing.
    Boolean { missing: bool },
    /// Two levels that were never missing are -1 and 1, and 0 for an unseen one. Otherwise one feature of 0 or 1 per
    /// level; an unseen level counts as missing where that was seen in training, else it is all zeros.
    OneHot { levels: Vec<String>, missing: bool },
    /// A code: 0 for a missing, rare or unseen level, then the levels in order from 1.
    Embedded { levels: Vec<String> },
    /// The parts of a date that varied in training. `order`: how its texts were written there, if that had to be found out.
    Time {
        days: Scale,
        year: bool,
        weekday: bool,
        clock: bool,
        missing: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<DateOrder>,
    },
}

impl Encoding {
    /// Whether the encoding can be used, for one that comes from a file.
    pub(super) fn check(&self) -> Result<(), String> {
        match self {
            Encoding::Number { scale, .. } | Encoding::Time { days: scale, .. } => scale.check(),
            Encoding::Boolean { .. } => Ok(()),
            Encoding::OneHot { levels, .. } | Encoding::Embedded { levels } => {
                let distinct: BTreeSet<&String> = levels.iter().collect();
                if levels.is_empty() {
                    return Err("no level".to_owned());
                }
                if distinct.len() < levels.len() { Err("a level stands twice".to_owned()) } else { Ok(()) }
            }
        }
    }

    /// What the column holds.
    pub(super) fn kind(&self) -> ColumnType {
        match self {
            Encoding::Number { .. } => ColumnType::Number,
            Encoding::Boolean { .. } => ColumnType::Boolean,
            Encoding::OneHot { .. } | Encoding::Embedded { .. } => ColumnType::Category,
            Encoding::Time { .. } => ColumnType::Time,
        }
    }

    /// What to declare the column as where another table is read for this encoding, if its cells alone do not say it.
    pub(super) fn known(&self) -> Option<ColumnType> {
        match self {
            Encoding::Time { order, .. } => order.map(ColumnType::from),
            Encoding::OneHot { .. } | Encoding::Embedded { .. } => Some(ColumnType::Category),
            Encoding::Number { .. } | Encoding::Boolean { .. } => None,
        }
    }

    /// How many numeric features the column gives.
    pub(super) fn width(&self) -> usize {
        match self {
            Encoding::Number { missing, .. } | Encoding::Boolean { missing } => 1 + usize::from(*missing),
            Encoding::OneHot { .. } if self.is_two_way() => 1,
            Encoding::OneHot { levels, missing } => levels.len() + usize::from(*missing),
            Encoding::Embedded { .. } => 0,
            Encoding::Time { year, weekday, clock, missing, .. } => {
                1 + 2 * usize::from(*year) + 2 * usize::from(*clock) + 7 * usize::from(*weekday) + usize::from(*missing)
            }
        }
    }

    /// How many of the features are numbers; they come first. The others are signs, indicators and cycles.
    pub(super) fn numbers(&self) -> usize {
        usize::from(matches!(self, Encoding::Number { .. } | Encoding::Time { .. }))
    }

    /// How many codes the column has, where it gives codes.
    pub(super) fn embedded_levels(&self) -> Option<usize> {
        if let Encoding::Embedded { levels } = self { Some(levels.len() + 1) } else { None }
    }

    /// The numeric features in order, for the column `name`.
    pub(super) fn feature_names(&self, name: &str) -> Vec<String> {
        let mut names = Vec::new();
        let missing = match self {
            Encoding::Number { missing, .. } | Encoding::Boolean { missing } => {
                names.push(name.to_owned());
                *missing
            }
            Encoding::OneHot { levels, missing } => {
                let shown = if self.is_two_way() { &levels[1..] } else { levels };
                names.extend(shown.iter().map(|level| format!("{name} = {level}")));
                *missing
            }
            Encoding::Embedded { .. } => false,
            Encoding::Time { year, weekday, clock, missing, .. } => {
                names.push(format!("{name} day"));
                let mut cycle = |period: &str| names.extend(["sin", "cos"].map(|f| format!("{name} {f} of {period}")));
                if *year {
                    cycle("year");
                }
                if *clock {
                    cycle("day");
                }
                if *weekday {
                    names.extend(WEEKDAYS.map(|day| format!("{name} is {day}")));
                }
                *missing
            }
        };
        if missing {
            names.push(format!("{name} is missing"));
        }
        names
    }

    /// Whether one feature of -1 and 1 tells the two levels apart.
    pub(super) fn is_two_way(&self) -> bool {
        matches!(self, Encoding::OneHot { levels, missing: false } if levels.len() == 2)
    }

    pub(super) fn description(&self) -> String {
        match self {
            Encoding::Number { scale, .. } => scale.description().to_owned(),
            Encoding::Boolean { .. } => "-1 or 1".to_owned(),
            Encoding::OneHot { levels, .. } if self.is_two_way() => {
                format!("-1 for {:?}, 1 for {:?}", levels[0], levels[1])
            }
            Encoding::OneHot { levels, .. } => format!("one-hot of {} levels", levels.len()),
            Encoding::Embedded { levels } => format!("embedding of {} levels", levels.len()),
            Encoding::Time { year, weekday, clock, order, .. } => {
                let parts = [(*year, "time of year"), (*clock, "time of day"), (*weekday, "weekday")];
                let varied = parts.iter().filter(|(used, _)| *used).map(|(_, name)| format!(", {name}"));
                let written = order.map(|order| format!("; written {}", order.words()));
                format!("day{}{}", varied.collect::<String>(), written.unwrap_or_default())
            }
        }
    }

    /// What the training rows showed.
    pub(super) fn statistics(&self, missing_rows: usize) -> String {
        let values = match self {
            Encoding::Number { scale, .. } => scale.words(""),
            Encoding::Time { days, .. } => days.words(" days since 1970"),
            Encoding::Boolean { .. } => "true, false".to_owned(),
            Encoding::OneHot { levels, .. } => levels.join(", "),
            Encoding::Embedded { levels } => format!("{} levels", levels.len()),
        };
        if missing_rows == 0 { values } else { format!("{values}; {missing_rows} training rows missing") }
    }
}

/// Sine and cosine of a fraction of a cycle.
pub(super) fn cycle(fraction: f64) -> [f32; 2] {
    let (sin, cos) = (TAU * fraction).sin_cos();
    [sin as f32, cos as f32]
}

/// The features of a moment as [`Encoding::Time`] names them; `uses`: time of year, time of day, weekday.
pub(super) fn time_features(out: &mut [f32], parts: &TimeParts, days: &Scale, uses: [bool; 3]) {
    let [year, clock, weekday] = uses;
    let (first, mut rest) = out.split_at_mut(1);
    first[0] = days.apply(parts.days);
    for (used, fraction) in [(year, parts.year_fraction), (clock, parts.day_fraction)] {
        if used {
            let (here, after) = rest.split_at_mut(2);
            here.copy_from_slice(&cycle(fraction));
            rest = after;
        }
    }
    if weekday {
        rest[parts.weekday] = 1.0;
    }
}
