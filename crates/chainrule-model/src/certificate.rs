//! A model's derivatives, checked on rows of a table.

use chainrule::check::{Certificate, certify};
use chainrule::{Compute, NetworkSpec};
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
    /// Networks that were checked, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<usize>,
    /// The one of them, from 1, with the worst derivative, which is the one that is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst_member: Option<usize>,
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
    /// which takes one evaluation of the cost for each. Of several networks every one is compared.
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
        let data = matrices.dataset(Some(&select));
        let (mut certificate, mut member) = (certify(&self.members[0], compute, &data, parameters)?, 1);
        for (number, network) in (2..).zip(&self.members[1..]) {
            let other = certify(network, compute, &data, parameters)?;
            if other.worst.error > certificate.worst.error {
                (certificate, member) = (other, number);
            }
        }
        let several = self.members.len() > 1;
        let sample = match parameters {
            Some(_) if certificate.compared < certificate.parameters => {
                format!("{} of {} parameters, drawn at random", certificate.compared, certificate.parameters)
            }
            _ => format!("all {} parameters, and the inputs of every row", certificate.parameters),
        };
        let (worst_from, worst_to) = self.place(self.members[member - 1].spec(), &certificate);
        Ok(ModelCertificate {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            model_hash: self.digest()?,
            table: table.name.clone(),
            sample,
            members: several.then_some(self.members.len()),
            worst_member: several.then_some(member),
            worst_from,
            worst_to,
            holds: certificate.holds(),
            certificate,
        })
    }

    /// What row and column of the worst parameter are, which is one of `network`.
    fn place(&self, network: &NetworkSpec, certificate: &Certificate) -> (String, String) {
        let (names, worst) = (Names::new(&self.card, network), &certificate.worst);
        let parts: Vec<&str> = worst.parameter.split('.').collect();
        match parts.as_slice() {
            ["layers", l, kind] => {
                let l: usize = l.parse().unwrap_or(0);
                let (inputs, members) = (names.count(l), network.ensemble.map_or(1, |e| e.members));
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
    fn of_members(&self) -> String {
        match (self.members, self.worst_member) {
            (Some(members), Some(worst)) => format!(", of each of {members} members; the worst is in member {worst}"),
            _ => String::new(),
        }
    }

    /// The certificate as a page of text.
    pub fn text(&self) -> String {
        let Certificate { worst, rows, bound, method, kink_distance, .. } = &self.certificate;
        let kink = kink_distance.map_or("none".to_owned(), |distance| format!("{distance:.1e} away at the nearest"));
        let lines = [
            ("model", format!("hash {}", self.model_hash)),
            ("rows", format!("{rows} of {}", self.table)),
            ("compared", format!("{}{}", self.sample, self.of_members())),
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
