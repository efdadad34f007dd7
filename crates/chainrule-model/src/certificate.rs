//! A model's derivatives, checked on rows of a table.

use chainrule::Compute;
use chainrule::check::{Certificate, certify};
use chainrule_data::Table;
use serde::{Deserialize, Serialize};

use crate::error::{Result, setting};
use crate::matrices::Matrices;
use crate::model::{Card, Model};
use crate::names::Names;

/// What was checked, of which model, and how well it agreed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelCertificate {
    /// The version of chainrule that checked.
    pub version: String,
    /// The model's digest.
    pub model_hash: String,
    /// The table's name.
    pub table: String,
    /// Which parameters were compared, in words.
    pub sample: String,
    /// The source node of the worst weight, or what else the row of its parameter is.
    pub worst_from: String,
    /// Its destination node, or what else the column is.
    pub worst_to: String,
    /// Whether every derivative compared is within the bound.
    pub holds: bool,
    /// The comparison.
    #[serde(flatten)]
    pub certificate: Certificate,
}

impl Model {
    /// Compares the derivatives of the cost on at most `rows` rows of `table`, evenly spread, with those of an independent
    /// reference, in double precision: see [`chainrule::check`]. `parameters` bounds how many are compared; all with None,
    /// which takes one evaluation of the cost for each.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub fn certify(
        &self,
        compute: &mut Compute,
        table: &Table,
        rows: usize,
        parameters: Option<usize>,
    ) -> Result<ModelCertificate> {
        let Card { encoder, roles, target, network, .. } = &self.card;
        if rows == 0 || parameters == Some(0) {
            return setting("a check needs at least one row and one parameter");
        }
        let matrices = Matrices::new(table, encoder, roles, target, &network.head)?;
        let count = rows.min(table.rows);
        let select: Vec<u32> = (0..count).map(|i| (i * table.rows / count) as u32).collect();
        let certificate = certify(&self.network, compute, &matrices.dataset(Some(&select)), parameters)?;
        let sample = match parameters {
            Some(_) if certificate.compared < certificate.parameters => {
                format!("{} of {} parameters, drawn at random", certificate.compared, certificate.parameters)
            }
            _ => format!("all {} parameters, and the inputs of every row", certificate.parameters),
        };
        let (worst_from, worst_to) = self.place(&certificate);
        Ok(ModelCertificate {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            model_hash: self.digest()?,
            table: table.name.clone(),
            sample,
            worst_from,
            worst_to,
            holds: certificate.holds(),
            certificate,
        })
    }

    /// What row and column of the worst parameter are.
    fn place(&self, certificate: &Certificate) -> (String, String) {
        let (names, worst) = (Names::new(&self.card), &certificate.worst);
        let parts: Vec<&str> = worst.parameter.split('.').collect();
        match parts.as_slice() {
            ["layers", l, kind] => {
                let l: usize = l.parse().unwrap_or(0);
                let (inputs, members) = (names.count(l), self.card.network.ensemble.map_or(1, |e| e.members));
                let from =
                    if *kind != "weight" { (*kind).to_owned() } else { names.node(l, worst.row % inputs).to_owned() };
                // Some parameters have a row or a matrix for each member of an ensemble.
                let member = if *kind == "weight" { worst.row / inputs } else { worst.row };
                let of =
                    |node: &str| if members > 1 { format!("{node}, member {}", member + 1) } else { node.to_owned() };
                let above = if *kind == "r" { l } else { l + 1 };
                (from, of(names.node(above, worst.column)))
            }
            ["embeddings", j, _] => {
                let column = j.parse().ok().and_then(|j: usize| self.card.encoder.embedded().into_iter().nth(j));
                let name = column.map_or_else(String::new, |column| column.name);
                (format!("level {} of {name}", worst.row + 1), format!("element {}", worst.column + 1))
            }
            ["numeric_embedding", kind] => {
                (format!("{kind} {}", worst.column + 1), format!("row {} of the features", worst.row + 1))
            }
            ["scale"] => ("scale".to_owned(), names.node(0, worst.column).to_owned()),
            _ => (format!("row {}", worst.row + 1), names.node(0, worst.column).to_owned()),
        }
    }
}

impl ModelCertificate {
    /// The certificate as a page of text.
    pub fn text(&self) -> String {
        let Certificate { worst, rows, bound, method, kink_distance, .. } = &self.certificate;
        let kink = kink_distance.map_or("none".to_owned(), |distance| format!("{distance:.1e} away at the nearest"));
        let lines = [
            ("model", format!("hash {}", self.model_hash)),
            ("rows", format!("{rows} of {}", self.table)),
            ("compared", self.sample.clone()),
            ("reference", format!("{method}, double precision")),
            ("kinks", kink),
            ("worst", format!("{} from {:?} to {:?}", worst.parameter, self.worst_from, self.worst_to)),
            ("analytic", format!("{:e}", worst.analytic)),
            ("numeric", format!("{:e}", worst.numeric)),
            ("error", format!("{:.1e} (relative; the bound is {bound:.0e})", worst.error)),
            ("verdict", if self.holds { "every derivative compared is right" } else { "NOT RIGHT" }.to_owned()),
            ("checked by", format!("chainrule {}", self.version)),
        ];
        lines.iter().map(|(heading, text)| format!("{heading:<12}{text}\n")).collect()
    }
}
