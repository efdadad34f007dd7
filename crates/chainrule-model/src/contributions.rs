//! Why a row is predicted as it is: integrated gradients, gathered by the columns of the user's table.

use chainrule::{Attribution, Baseline, Compute, Head};
use chainrule_data::{Column, ColumnPlace, Table, Values};

use crate::error::{Result, setting};
use crate::matrices::InputMatrices;
use crate::model::{Card, Model};
use crate::target::Target;

/// The largest residual, for differences from the baseline below 1 and as a part of larger ones; see
/// [`integrated_gradients`](chainrule::Network::integrated_gradients).
const TOLERANCE: f64 = 1e-3;

/// What a prediction is made of, for every row of a table.
pub struct Contributions {
    /// The columns `baseline`, `contribution_<column>` for each that the model uses, and `completeness_residual`.
    pub table: Table,
    /// Rows whose residual is above the tolerance.
    pub coarse: usize,
}

impl Model {
    /// What each column contributes to each row's prediction f, by integrated gradients (Sundararajan, Taly, Yan 2017): baseline
    /// and contributions sum to f but for `completeness_residual`, which is the sum of the contributions less f - baseline.
    ///
    /// f is on the link's scale: of numbers the prediction in the target's unit, before it is kept within the range of training; of
    /// counts and amounts the logarithm of the mean, per unit of exposure, of times that of the distribution's scale; of fractions the
    /// logit of the mean; of two classes the logarithm of the odds of the predicted one or of `class`, of more its logit less the
    /// mean of all logits, which no shift of them changes; of ordered classes the logit of being above the lowest; of quantiles the
    /// lowest one.
    ///
    /// Of several networks f is the mean of theirs; a temperature of the classes does not enter.
    ///
    /// The baseline is a row of which nothing is known: every number at the middle of the training rows (their mean or, where numbers
    /// are scaled by ranks or robustly, their median), truth values and categories of two levels between both, other categories
    /// at none of their levels, that is embedded ones at the vector of levels not seen in training.
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and for a `class` that there is not or where there are none to choose.
    pub fn contributions(&self, compute: &mut Compute, table: &Table, class: Option<&str>) -> Result<Contributions> {
        let Card { encoder, roles, target, .. } = self.card();
        let v = self.output_factors(compute, table, class)?;
        let matrices = InputMatrices::new(table, encoder, roles)?;
        let (width, categories) = (matrices.features.width, matrices.features.codes_width);
        let (numeric, codes) = (vec![0.0; width], vec![0; categories]);
        let baseline = Baseline { numeric: &numeric, codes: &codes };
        let inputs = matrices.inputs();
        let mut found = Attribution::default();
        for network in self.networks() {
            let one = network.integrated_gradients(compute, &inputs, baseline, &v, TOLERANCE)?;
            found.add(&one, 1.0 / self.networks().len() as f64);
        }
        let (factor, shift) = match target {
            Target::Number(scaler) => (scaler.std, scaler.mean),
            Target::Classes(_) | Target::Plain => (1.0, 0.0),
        };
        let column =
            |name: String, values: Vec<f64>| Column { name, values: Values::Number(values.into_iter().collect()) };
        let contribution = |place: &ColumnPlace| {
            let of = |row: usize| {
                let numeric: f64 = found.numeric[row * width..][place.features.clone()].iter().sum();
                factor * (numeric + place.code.map_or(0.0, |j| found.categories[row * categories + j]))
            };
            column(format!("contribution_{}", place.name), (0..table.rows).map(of).collect())
        };
        let mut columns =
            vec![column("baseline".to_owned(), found.baseline.iter().map(|f| shift + factor * f).collect())];
        columns.extend(encoder.places().iter().map(contribution));
        columns.push(column("completeness_residual".to_owned(), found.residual.iter().map(|r| factor * r).collect()));
        let is_coarse = |&row: &usize| {
            let difference = found.value[row] - found.baseline[row];
            found.residual[row].abs() > TOLERANCE * difference.abs().max(1.0)
        };
        let coarse = (0..table.rows).filter(is_coarse).count();
        Ok(Contributions { table: Table::new("contributions", columns)?, coarse })
    }

    /// Which combination of the outputs is explained, for each row: (rows x outputs).
    fn output_factors(&self, compute: &mut Compute, table: &Table, class: Option<&str>) -> Result<Vec<f64>> {
        let Card { target, network, .. } = self.card();
        let (classes, outputs) = (target.classes(), network.outputs);
        let chosen = match class {
            Some(_) if classes.is_empty() => return setting("a class can be chosen only where classes are predicted"),
            Some(_) if matches!(network.head, Head::Ordinal { .. }) => {
                return setting("the ordinal head has one score for all classes: leave out the class");
            }
            Some(name) => match classes.iter().position(|class| class == name) {
                Some(class) => Some(class),
                None => return setting(format!("there is no class {name:?}; the classes are {}", classes.join(", "))),
            },
            None => None,
        };
        let mut v = vec![0.0; table.rows * outputs];
        let is_location = classes.is_empty() || matches!(network.head, Head::Ordinal { .. });
        let predicted = if is_location || chosen.is_some() { None } else { Some(self.predict(compute, table)?) };
        let predicted = predicted.as_ref().map(|p| &p.columns[0].values);
        for (row, v) in v.chunks_exact_mut(outputs).enumerate() {
            let class = match predicted {
                Some(Values::Category(c)) => c.codes[row] as usize,
                _ => chosen.unwrap_or(0),
            };
            match outputs {
                _ if is_location => v[0] = 1.0,
                // The only output is the logit of the second class.
                1 => v[0] = if class == 1 { 1.0 } else { -1.0 },
                2 => v.copy_from_slice(&if class == 1 { [-1.0, 1.0] } else { [1.0, -1.0] }),
                _ => {
                    v.fill(-1.0 / outputs as f64);
                    v[class] += 1.0;
                }
            }
        }
        Ok(v)
    }
}
