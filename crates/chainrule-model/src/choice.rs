//! Presets that look at the table first: embeddings, epochs, batches, members, dropout, how many rows are held out, and what
//! chooses the best epoch on them.

use std::collections::BTreeSet;

use chainrule::{Head, Metric};
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::recipe::{Preset, Recipe, is_count_or_amount};
use crate::settings::Settings;

/// What a preset that looks at the table has chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Rows of the table.
    pub rows: usize,
    /// Passes over the training rows.
    pub epochs: usize,
    /// Rows of a batch.
    pub batch: usize,
    /// Networks.
    pub members: usize,
    /// Part of the rows that each network holds out.
    pub valid_fraction: f64,
    /// The vectors of numbers.
    pub vectors: Vectors,
    /// Whether the cost chooses the best epoch, where the validation rows are too few to count errors.
    pub by_cost: bool,
    /// Whether hidden units are never dropped.
    pub without_dropout: bool,
    /// Decay of categories' vectors for each of their levels.
    pub level_decay: f64,
}

/// What stands for a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vectors {
    /// Itself.
    None,
    /// A periodic vector.
    Periodic,
    /// A piecewise-linear vector.
    PiecewiseLinear,
    /// In the last networks a periodic vector, in the others a piecewise-linear one.
    Mixed,
}

/// Up to so many rows there are so many epochs: the steps that lead to a good network grow more slowly than the rows. On six
/// tables of classes of 900 to 7,500 rows, three seeds each, 64 epochs left 0.97 of the errors of 256 (128 from 5,000 rows on).
/// Of a few hundred rows 64 epochs are too few steps: see `BATCHES`. On one table of 373,000 rows 32, with batches of
/// 512, left 0.95 of the deviance of 16, with the same number of steps.
const EPOCHS: [(usize, usize); 4] = [(600, 128), (75_000, 64), (500_000, 32), (usize::MAX, 16)];

/// And of classes. Beyond 8,192 rows 128 epochs left 0.93 of the errors of 64 and 0.96 of the log-loss (six tables of up to 45,000 rows). Of
/// bagging they left 0.98 of the errors on samples of 2,500 rows of ten tables, two of each, and 256 left 0.97. Numbers gained nothing.
const EPOCHS_OF_CLASSES: [(usize, usize); 5] = [EPOCHS[0], (8_192, 64), (75_000, 128), EPOCHS[2], EPOCHS[3]];
const EPOCHS_OF_BAGGED_CLASSES: [(usize, usize); 3] = [(75_000, 128), EPOCHS[2], EPOCHS[3]];

/// Up to so many rows batches are of so many. 128 is an option of RealMLP: on ten tables of 900 to 7,500 rows, three seeds each, they
/// left 0.98 of the errors and of the log-loss of 256. Fewer rows make more steps of smaller batches: on samples of 150 rows of
/// eighteen tables, two of each, these and the epochs above left 0.92 of the errors, the log-loss and the root mean square errors of 64
/// epochs and batches of 128; on samples of 400 rows 0.98; of 1,000 rows nothing was gained.
const BATCHES: [(usize, usize); 6] = [(200, 16), (350, 32), (600, 64), (8_192, 128), (200_000, 256), (usize::MAX, 512)];

/// Up to so many rows there are so many networks where no more are asked for. On the ten tables two left 0.95 of one's errors, and
/// 0.97 of its log-loss; on the samples of 150 and 400 rows four left 0.98 of the errors and the root mean square errors of two, and
/// 0.97 of their log-loss.
const NETWORKS: [(usize, usize); 2] = [(1_000, 4), (usize::MAX, 2)];

/// Up to so many rows the cost chooses the best epoch. On samples of 150, 400 and 1,000 rows of ten tables of classes, two of each, it
/// left 0.99, 0.99 and 0.98 of the errors that accuracy did, and 0.98, 0.97 and 0.98 of the log-loss; on four tables of 3,200 to 7,000
/// rows, three seeds each, 1.02 and 0.99.
const BY_COST: usize = 1_000;

/// Up to so many rows bagging has so many members: the more rows, the less one network differs from another.
const MEMBERS: [(usize, usize); 2] = [(30_000, 8), (usize::MAX, 5)];

/// And where numbers are predicted from piecewise-linear vectors, of which a part of the members has periodic ones instead. On five tables
/// twelve networks with the one and four with the other left 0.992 of the root mean square errors of eight with the one, sixteen with the
/// one 0.995, six and two 0.998.
const MIXED_MEMBERS: [(usize, usize); 2] = [(30_000, 16), MEMBERS[1]];
const BINS_SHARE: f64 = 0.75;

/// Up to so many rows each network holds out such a part of them to choose its epoch: the more rows, the smaller a part can do that, and
/// the rest is learned from. On twelve tables of classes and numbers of 12,000 to 43,000 rows a twentieth left 0.95 of the errors of a
/// fifth (0.80 on krkopt, 0.90 on electricity, whose neighbouring rows are alike; 0.99 to 1.02 on the other four of classes) and 0.99 of
/// the root mean square errors; on samples of 2,500 rows of eighteen tables nothing was gained for classes. Counts and amounts keep the
/// fifth: with a twentieth insurance claims had 1.01 of the deviance, three seeds.
const HELD_OUT: [(usize, f64); 2] = [(8_192, 0.2), (usize::MAX, 0.05)];

/// From more rows than these on, where numbers are predicted, no hidden unit is dropped. On nine tables of 2,900 to 45,700 rows this left
/// 0.98 of the root mean square errors, on samples of 1,000 and 2,500 rows of nine tables 0.99, of 400 rows 1.01. Counts and amounts
/// never have dropout: on four tables of them of 17,000 to 373,000 rows this left 0.96 of the deviance.
const DROPOUT: usize = 600;

/// From more rows than these on numbers get piecewise-linear vectors. On eleven tables of 5,400 to 49,000 rows they left 0.94 of
/// the errors of periodic ones; on six of 450 to 4,200 rows the latter left 0.92 of theirs.
const PERIODIC: usize = 5_000;

/// Bins and length of these vectors: cut so finely that they see jumps as trees do. On seven tables of 5,400 to 49,000 rows they
/// left 0.87 of the errors, 0.90 of the log-loss and all of the root mean square errors of 48 bins between quantiles.
const PIECEWISE_LINEAR: (usize, usize) = (256, 8);

/// From more columns of numbers than these on they have no vectors. On samples of 12,000 rows of two tables of 784 columns this left 0.90 and
/// 0.96 of the errors and 0.83 and 0.80 of the log-loss, in an eighth and a tenth of the time.
const WIDE: usize = 256;

/// From 10 levels on the vectors of a category decay by more than other parameters; of many rows only where a level has less than
/// `ROWS_OF_A_LEVEL` of them on average. On airlines-44k (3,500 tail numbers), vehicles-mpg (3,198 models) and insteval (2,972 students) this
/// left 0.92 of the error, 0.91 and 0.99 of the root mean square error; on tables whose levels have more rows, 0.99 to 1.00.
pub(crate) const LEVEL_DECAY: f64 = 0.1;
const ROWS_OF_A_LEVEL: f64 = 3_000.0;

/// The value of the first step that `rows` do not exceed.
fn up_to<T: Copy, const N: usize>(rows: usize, steps: &[(usize, T); N]) -> T {
    steps.iter().find(|(most, _)| rows <= *most).unwrap_or(&steps[N - 1]).1
}

/// What suits a table of `rows` rows with `numbers` columns of numbers.
fn choose(preset: Preset, (rows, numbers): (usize, usize), head: &Head) -> Choice {
    let bagging = preset == Preset::Best;
    let (amounts, classes) = (is_count_or_amount(head), head.is_for_classes());
    let epochs = match (classes, bagging) {
        (true, true) => up_to(rows, &EPOCHS_OF_BAGGED_CLASSES),
        (true, false) => up_to(rows, &EPOCHS_OF_CLASSES),
        (false, _) => up_to(rows, &EPOCHS),
    };
    let vectors = match numbers {
        1..=WIDE if rows > PERIODIC && bagging && !classes && !amounts => Vectors::Mixed,
        0..=WIDE if rows > PERIODIC => Vectors::PiecewiseLinear,
        0..=WIDE => Vectors::Periodic,
        _ => Vectors::None,
    };
    let members = match (bagging, vectors) {
        (true, Vectors::Mixed) => up_to(rows, &MIXED_MEMBERS),
        (true, _) => up_to(rows, &MEMBERS),
        (false, _) => up_to(rows, &NETWORKS),
    };
    Choice {
        rows,
        epochs,
        batch: up_to(rows, &BATCHES),
        members: members.min(rows.max(1)),
        valid_fraction: if amounts { HELD_OUT[0].1 } else { up_to(rows, &HELD_OUT) },
        vectors,
        by_cost: rows <= BY_COST,
        without_dropout: amounts || !classes && rows > DROPOUT,
        level_decay: LEVEL_DECAY.min(ROWS_OF_A_LEVEL / rows.max(1) as f64),
    }
}

impl Settings {
    /// The same with a preset that looks at the table replaced by what it chooses for one of so many rows and columns of numbers and this
    /// head. What was chosen by hand stays: what is among `given`, and what differs from the preset.
    pub(crate) fn resolve(&self, size: (usize, usize), head: &Head) -> Result<(Self, Option<Choice>)> {
        if !self.preset.looks_at_the_table() {
            return Ok((self.clone(), None));
        }
        let choice = choose(self.preset, size, head);
        let preset = Self { given: vec![], ..Self::preset(self.preset) };
        let Choice { epochs, batch, members, valid_fraction, .. } = choice;
        let metric = choice.by_cost.then_some(Metric::Cost);
        let dropout = if choice.without_dropout { 0.0 } else { preset.dropout };
        let batch = Some(batch);
        let mut chosen = Self { epochs, batch, members, valid_fraction, metric, dropout, ..preset.clone() };
        chosen.recipe.groups.level_decay = choice.level_decay;
        if !self.given.iter().any(|key| key == "recipe.frequencies") {
            chosen.recipe = with_vectors(&chosen.recipe, choice.vectors);
        }
        let mut resolved = fields(&chosen)?;
        // Heads are no preset's matter, and a user's own cannot be written as data.
        let own = fields(&Self { head: None, ..self.clone() })?;
        let base = fields(&preset)?;
        keep(&mut resolved, &own, &base, &self.given, "");
        let resolved: Self = serde_json::from_value(Value::Object(resolved)).map_err(unwritable)?;
        Ok((Self { head: self.head.clone(), ..resolved }, Some(choice)))
    }
}

/// The same with other vectors in place of periodic ones.
fn with_vectors(recipe: &Recipe, vectors: Vectors) -> Recipe {
    let (bins, dimension) = PIECEWISE_LINEAR;
    match vectors {
        Vectors::None => Recipe { frequencies: 0, ..recipe.clone() },
        Vectors::Periodic => recipe.clone(),
        Vectors::PiecewiseLinear => Recipe { frequencies: 0, bins, dimension, ..recipe.clone() },
        Vectors::Mixed => Recipe { bins, dimension, bins_share: BINS_SHARE, ..recipe.clone() },
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

/// Puts into `resolved` every entry of `own` that is given or not as in `base`; of the recipe, entry by entry. What is left out where it
/// is zero is not there at all.
fn keep(
    resolved: &mut Map<String, Value>,
    own: &Map<String, Value>,
    base: &Map<String, Value>,
    given: &[String],
    prefix: &str,
) {
    let keys: BTreeSet<String> = [&*resolved, own, base].into_iter().flat_map(Map::keys).cloned().collect();
    for key in &keys {
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
    use chainrule::Optimizer;

    #[test]
    fn rows_and_head_choose_epochs_members_and_how_much_is_held_out() {
        let held_out = |rows| choose(Preset::Best, (rows, 1), &Head::gaussian()).valid_fraction;
        assert_eq!((held_out(8_192), held_out(8_193)), (0.2, 0.05));
        assert_eq!(choose(Preset::Auto, (100_000, 1), &Head::Poisson).valid_fraction, 0.2);
        let of = |preset, rows, head: &Head| {
            let choice = choose(preset, (rows, 1), head);
            (choice.epochs, choice.members)
        };
        let at = |preset, rows| of(preset, rows, &Head::gaussian());
        assert_eq!(at(Preset::Auto, 600), (128, 4));
        assert_eq!(at(Preset::Auto, 1), (128, 1));
        assert_eq!(at(Preset::Auto, 601), (64, 4));
        assert_eq!(at(Preset::Auto, 1_001), (64, 2));
        assert_eq!(at(Preset::Auto, 100_000), (32, 2));
        assert_eq!([5_000, 5_001, 30_001].map(|rows| at(Preset::Best, rows)), [(64, 8), (64, 16), (64, 5)]);
        assert_eq!(of(Preset::Best, 30_000, &Head::Poisson), (64, 8));
        let classes = |preset, rows| of(preset, rows, &Head::Bernoulli).0;
        assert_eq!([600, 601, 8_193, 75_001].map(|rows| classes(Preset::Auto, rows)), [128, 64, 128, 32]);
        assert_eq!([601, 75_000, 75_001].map(|rows| classes(Preset::Best, rows)), [128, 128, 32]);
        assert_eq!(at(Preset::Best, 10_000_000), (16, 5));
        assert!(EPOCHS.is_sorted_by(|a, b| a.0 < b.0 && a.1 > b.1));
        assert!(EPOCHS_OF_CLASSES.is_sorted_by(|a, b| a.0 < b.0));
        assert!(EPOCHS_OF_BAGGED_CLASSES.is_sorted_by(|a, b| a.0 < b.0));
        assert!(MEMBERS.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn units_are_dropped_for_classes_and_for_numbers_of_few_rows() {
        let dropped = |rows, head: &Head| !choose(Preset::Auto, (rows, 1), head).without_dropout;
        assert!(dropped(600, &Head::gaussian()) && !dropped(601, &Head::gaussian()));
        assert!(dropped(1_000_000, &Head::Bernoulli) && !dropped(100, &Head::Poisson));
    }

    #[test]
    fn numbers_have_vectors_unless_there_are_many_columns_of_them() {
        let auto = Settings::preset(Preset::Auto);
        let of = |settings: &Settings, size| {
            let recipe = settings.resolve(size, &Head::gaussian()).unwrap().0.recipe;
            (recipe.frequencies, recipe.bins)
        };
        assert_eq!(of(&auto, (5_000, 256)), (16, 0));
        assert_eq!(of(&auto, (5_001, 256)), (0, 256));
        assert_eq!([5_000, 5_001].map(|rows| of(&auto, (rows, 257))), [(0, 0); 2]);
        let periodic = Settings { given: vec!["recipe.frequencies".into()], ..auto.clone() };
        assert_eq!(of(&periodic, (5_001, 257)), (16, 0));
        let best = Settings::preset(Preset::Best).resolve((5_001, 1), &Head::gaussian()).unwrap().0;
        assert_eq!((best.recipe.frequencies, best.recipe.bins), (16, 256));
        assert_eq!([16, 5, 3, 1].map(|members| best.recipe.with_bins(members)), [Some(12), Some(4), None, None]);
        assert_eq!(of(&Settings::preset(Preset::Best), (5_001, 257)), (0, 0));
        let mut cut = auto;
        cut.recipe = Recipe { frequencies: 0, bins: 48, ..cut.recipe };
        assert_eq!(of(&cut, (5_001, 257)), (0, 48));
    }

    #[test]
    fn what_is_chosen_by_hand_stays() {
        let auto = Settings::preset(Preset::Auto);
        let few = auto.resolve((5_000, 1), &Head::gaussian()).unwrap().0;
        assert_eq!(few, Settings { batch: Some(128), dropout: 0.0, ..auto.clone() });
        let (plain, choice) = auto.resolve((100_000, 1), &Head::gaussian()).unwrap();
        let mut piecewise_linear = with_vectors(&auto.recipe, Vectors::PiecewiseLinear);
        piecewise_linear.groups.level_decay = 0.03;
        assert_eq!((piecewise_linear.frequencies, piecewise_linear.bins), (0, 256));
        let many = Settings { epochs: 32, valid_fraction: 0.05, dropout: 0.0, ..auto.clone() };
        assert_eq!(plain, Settings { recipe: piecewise_linear.clone(), ..many.clone() });
        assert_eq!(choice.unwrap().epochs, 32);
        let periodic = Settings { given: vec!["recipe.frequencies".into()], ..auto.clone() };
        let periodic = periodic.resolve((100_000, 1), &Head::gaussian()).unwrap().0.recipe;
        assert_eq!((periodic.frequencies, periodic.bins), (16, 0));
        let mut like_others = Settings { given: vec!["recipe.groups.level_decay".into()], ..auto.clone() };
        like_others.recipe.groups.level_decay = 0.0;
        let like_others = like_others.resolve((100_000, 1), &Head::gaussian()).unwrap().0.recipe;
        assert_eq!(like_others.groups.level_decay, 0.0);
        let few = |metric| Settings { metric, ..auto.clone() }.resolve((1_000, 1), &Head::gaussian()).unwrap().0.metric;
        assert_eq!((few(None), few(Some(Metric::Accuracy))), (Some(Metric::Cost), Some(Metric::Accuracy)));
        // Another value, and the value that the preset has by itself.
        let mut own = Settings { head: Some(Head::Poisson), optimizer: Optimizer::Sgd, ..auto.clone() };
        own.recipe = Recipe { clip: false, ..own.recipe };
        own.given = vec!["epochs".into()];
        let (resolved, _) = own.resolve((100_000, 1), &Head::Poisson).unwrap();
        let recipe = Recipe { clip: false, ..piecewise_linear };
        let expected =
            Settings { head: Some(Head::Poisson), optimizer: Optimizer::Sgd, dropout: 0.0, recipe, ..auto.clone() };
        assert_eq!(resolved, expected);
        assert_eq!(resolved.epochs, 64);
        let drops = Settings { given: vec!["dropout".into()], ..auto }.resolve((100, 1), &Head::Poisson).unwrap().0;
        assert_eq!(drops.dropout, 0.15);
        let fixed = Settings { members: 3, ..Settings::preset(Preset::Best) };
        assert_eq!(fixed.resolve((100, 1), &Head::gaussian()).unwrap().0.members, 3);
    }

    #[test]
    fn other_presets_are_what_they_are() {
        let settings = Settings { epochs: 5, ..Settings::default() };
        assert_eq!(settings.resolve((1_000_000, 1), &Head::gaussian()).unwrap(), (settings.clone(), None));
    }
}
