//! Presets that look at the table first: which other preset they are, for how many epochs, with how many members.

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::recipe::Preset;
use crate::settings::Settings;

/// What a preset that looks at the table has chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The preset that makes the model.
    pub preset: Preset,
    /// Rows of the table.
    pub rows: usize,
    /// Passes over the training rows.
    pub epochs: usize,
    /// Whether fewer rows would get more epochs.
    pub shortened: bool,
    /// Networks.
    pub members: usize,
}

/// Up to so many rows there are so many epochs: the steps that lead to a good network grow more slowly than the rows. On ten tables of
/// 3,000 to 21,000 rows 128 epochs left the errors of 256 (geometric mean of the ratios 0.996) and 64 did too, but for the smallest.
const EPOCHS: [(usize, usize); 4] = [(5_000, 256), (75_000, 128), (200_000, 64), (usize::MAX, 32)];

/// Up to so many rows bagging has so many members: the more rows, the less one network differs from another.
const MEMBERS: [(usize, usize); 2] = [(30_000, 8), (usize::MAX, 5)];

/// What suits a table of `rows` rows.
fn choose(preset: Preset, rows: usize) -> Choice {
    let up_to = |steps: &[(usize, usize)]| steps.iter().find(|(most, _)| rows <= *most).map_or(1, |(_, value)| *value);
    let epochs = up_to(&EPOCHS);
    let members = if preset == Preset::Best { up_to(&MEMBERS) } else { 1 };
    Choice { preset: Preset::Realmlp, rows, epochs, shortened: epochs < EPOCHS[0].1, members }
}

impl Settings {
    /// The same with a preset that looks at the table replaced by what it chooses for one of `rows` rows. What was chosen by
    /// hand stays: what is among `given`, and what differs from the preset.
    pub(crate) fn resolve(&self, rows: usize) -> Result<(Self, Option<Choice>)> {
        if !self.preset.looks_at_the_table() {
            return Ok((self.clone(), None));
        }
        let choice = choose(self.preset, rows);
        let preset = Self::preset(choice.preset);
        let mut resolved = fields(&Self { epochs: choice.epochs, members: choice.members, ..preset })?;
        // Heads are no preset's matter, and a user's own cannot be written as data.
        let own = fields(&Self { head: None, ..self.clone() })?;
        let base = fields(&Self { given: vec![], ..Self::preset(self.preset) })?;
        keep(&mut resolved, &own, &base, &self.given, "");
        let resolved: Self = serde_json::from_value(Value::Object(resolved)).map_err(unwritable)?;
        Ok((Self { preset: choice.preset, head: self.head.clone(), ..resolved }, Some(choice)))
    }
}

fn fields(settings: &Settings) -> Result<Map<String, Value>> {
    match serde_json::to_value(settings).map_err(unwritable)? {
        Value::Object(fields) => Ok(fields),
        _ => Ok(Map::new()),
    }
}

fn unwritable(error: serde_json::Error) -> Error {
    Error::Setting(format!("these settings cannot go with a preset that looks at the table: {error}"))
}

/// Puts into `resolved` every entry of `own` that is given or not as in `base`; of the recipe, entry by entry.
fn keep(
    resolved: &mut Map<String, Value>,
    own: &Map<String, Value>,
    base: &Map<String, Value>,
    given: &[String],
    prefix: &str,
) {
    for key in base.keys().chain(own.keys().filter(|key| !base.contains_key(*key))) {
        let path = format!("{prefix}{key}");
        let inner = ["recipe", "recipe.groups"].contains(&path.as_str());
        match (own.get(key), base.get(key)) {
            (Some(Value::Object(own)), Some(Value::Object(base))) if inner => {
                let entry = resolved.entry(key.clone()).or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(resolved) = entry {
                    keep(resolved, own, base, given, &format!("{path}."));
                }
            }
            (own, base) if own != base || given.contains(&path) => match own {
                Some(value) => drop(resolved.insert(key.clone(), value.clone())),
                None => drop(resolved.remove(key)),
            },
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;
    use chainrule::{Head, Optimizer};

    #[test]
    fn the_more_rows_the_fewer_epochs_and_members() {
        let at = |preset, rows| {
            let choice = choose(preset, rows);
            (choice.epochs, choice.members, choice.shortened)
        };
        assert_eq!(at(Preset::Auto, 100), (256, 1, false));
        assert_eq!(at(Preset::Auto, 40_000), (128, 1, true));
        assert_eq!(at(Preset::Best, 30_000), (128, 8, true));
        assert_eq!(at(Preset::Best, 10_000_000), (32, 5, true));
        assert!(EPOCHS.is_sorted_by(|a, b| a.0 < b.0 && a.1 > b.1) && MEMBERS.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn what_is_chosen_by_hand_stays() {
        let auto = Settings::preset(Preset::Auto);
        let (plain, choice) = auto.resolve(50_000).unwrap();
        assert_eq!(plain, Settings { epochs: 128, ..Settings::preset(Preset::Realmlp) });
        assert_eq!(choice.unwrap().epochs, 128);
        // Another value, and the value that the preset has by itself.
        let mut own = Settings { head: Some(Head::Poisson), optimizer: Optimizer::Sgd, ..auto };
        own.recipe = Recipe { clip: false, ..own.recipe };
        own.given = vec!["epochs".into()];
        let (resolved, _) = own.resolve(50_000).unwrap();
        let recipe = Recipe { clip: false, ..Settings::preset(Preset::Realmlp).recipe };
        let expected = Settings {
            head: Some(Head::Poisson),
            optimizer: Optimizer::Sgd,
            recipe,
            ..Settings::preset(Preset::Realmlp)
        };
        assert_eq!(resolved, expected);
        assert_eq!(resolved.epochs, 256);
        let fixed = Settings { members: 3, ..Settings::preset(Preset::Best) };
        assert_eq!(fixed.resolve(100).unwrap().0.members, 3);
    }

    #[test]
    fn other_presets_are_what_they_are() {
        let settings = Settings { epochs: 5, ..Settings::default() };
        assert_eq!(settings.resolve(1_000_000).unwrap(), (settings.clone(), None));
    }
}
