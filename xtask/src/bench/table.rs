//! Medians, ratios, and the Markdown of a table.

use std::collections::BTreeSet;

use super::peers::Library;

/// What the best variant of a library took in one row.
pub struct Times {
    pub variant: String,
    /// Microseconds for a step, one for each round.
    pub rounds: Vec<f64>,
}

/// The error says why there are no times.
pub type Cell = Result<Times, String>;

/// One row for each task, one column for each library, and columns that compare.
pub struct Table {
    title: &'static str,
    /// What the first cells of a row are.
    head: [&'static str; 2],
    /// chainrule is the first.
    pub libraries: Vec<Library>,
    /// Each column compares chainrule with the best of some libraries.
    against: Vec<Vec<Library>>,
    rows: Vec<([String; 2], Vec<Cell>)>,
}

impl Table {
    pub fn new(title: &'static str, head: [&'static str; 2], peers: &[Library]) -> Self {
        let libraries = [&[Library::Chainrule], peers].concat();
        Self { title, head, libraries, against: vec![], rows: vec![] }
    }

    /// With a column that compares chainrule with the best of these.
    pub fn against(mut self, peers: &[Library]) -> Self {
        self.against.push(peers.to_vec());
        self
    }

    /// Without the peers that are not wanted.
    pub fn narrowed(mut self, wanted: impl Fn(Library) -> bool) -> Self {
        self.libraries.retain(|&library| library == Library::Chainrule || wanted(library));
        self.against.iter_mut().for_each(|peers| peers.retain(|&library| wanted(library)));
        self.against.retain(|peers| !peers.is_empty());
        self.against.dedup();
        self
    }

    /// One cell for each library. Returns the row's line.
    pub fn add(&mut self, name: [String; 2], cells: Vec<Cell>) -> String {
        let line = self.line(&name, &cells);
        self.rows.push((name, cells));
        line
    }

    /// The two lines above the rows.
    pub fn head(&self) -> String {
        let libraries = self.libraries.iter().map(Library::to_string);
        let against = self.against.iter().map(|peers| {
            let names: Vec<String> = peers.iter().map(Library::to_string).collect();
            format!("against {}{}", if names.len() > 1 { "best of " } else { "" }, names.join(", "))
        });
        let cells: Vec<String> =
            self.head.iter().map(|&name| name.to_owned()).chain(libraries).chain(against).collect();
        format!("| {} |\n|{}", cells.join(" | "), "---|".repeat(cells.len()))
    }

    fn line(&self, name: &[String; 2], cells: &[Cell]) -> String {
        let times = cells.iter().map(|cell| match cell {
            Ok(times) => format!("{} ({})", three_digits(median(&times.rounds)), times.variant),
            Err(_) => "-".into(),
        });
        let against = self.against.iter().map(|peers| self.comparison(peers, cells).unwrap_or_else(|| "-".into()));
        let cells: Vec<String> = name.iter().cloned().chain(times).chain(against).collect();
        format!("| {} |", cells.join(" | "))
    }

    /// chainrule against the one of these with the lowest median.
    fn comparison(&self, peers: &[Library], cells: &[Cell]) -> Option<String> {
        let times = |library: Library| {
            let place = self.libraries.iter().position(|&it| it == library)?;
            Some(&cells.get(place)?.as_ref().ok()?.rounds)
        };
        let measured = peers.iter().filter_map(|&peer| Some((peer, times(peer)?)));
        let (best, theirs) = measured.min_by(|a, b| median(a.1).total_cmp(&median(b.1)))?;
        let Ratios { median, least, greatest } = ratios(theirs, times(Library::Chainrule)?);
        let [median, least, greatest] = [median, least, greatest].map(three_digits);
        let ratios = format!("{median} ({least} to {greatest})");
        Some(if peers.len() > 1 { format!("{best} {ratios}") } else { ratios })
    }

    /// Title, rows, and why cells are empty.
    pub fn markdown(&self) -> String {
        let lines = self.rows.iter().map(|(name, cells)| self.line(name, cells));
        let lines: Vec<String> = std::iter::once(self.head()).chain(lines).collect();
        let reasons: BTreeSet<String> = self.rows.iter().flat_map(|(_, cells)| self.reasons(cells)).collect();
        let reasons: String = reasons.iter().map(|reason| format!("\n{reason}\n")).collect();
        format!("## {}\n\n{}\n{reasons}", self.title, lines.join("\n"))
    }

    fn reasons(&self, cells: &[Cell]) -> Vec<String> {
        let reason = |(library, cell): (&Library, &Cell)| {
            cell.as_ref().err().map(|reason| format!("Where {library} was not measured: {reason}."))
        };
        self.libraries.iter().zip(cells).filter_map(reason).collect()
    }
}

#[derive(Debug, PartialEq)]
struct Ratios {
    median: f64,
    least: f64,
    greatest: f64,
}

/// Theirs over ours, round by round: above 1 we are faster. A round's two times lie a second apart, so what slows the whole
/// machine down for longer than that cancels.
fn ratios(theirs: &[f64], ours: &[f64]) -> Ratios {
    let ratios: Vec<f64> = theirs.iter().zip(ours).map(|(theirs, ours)| theirs / ours).collect();
    Ratios {
        median: median(&ratios),
        least: ratios.iter().copied().fold(f64::INFINITY, f64::min),
        greatest: ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    }
}

/// Of an even number of values the mean of the two in the middle; of none, not a number.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => sorted[len / 2],
        len => (sorted[len / 2 - 1] + sorted[len / 2]) / 2.0,
    }
}

/// Three digits, or all before the point.
pub fn three_digits(time: f64) -> String {
    let decimals = if time < 10.0 { 2 } else { usize::from(time < 100.0) };
    format!("{time:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        // The machine is half as fast in the second round. The ratio of the medians would be 3.
        let found = ratios(&[2.0, 4.0, 3.0], &[1.0, 2.0, 1.0]);
        assert_eq!(found, Ratios { median: 2.0, least: 2.0, greatest: 3.0 });
    }

    #[test]
    fn times_have_three_digits() {
        assert_eq!([1.2345, 12.345, 123.45, 123456.7].map(three_digits), ["1.23", "12.3", "123", "123457"]);
    }

    fn times(variant: &str, rounds: &[f64]) -> Cell {
        Ok(Times { variant: variant.into(), rounds: rounds.into() })
    }

    #[test]
    fn a_table_compares_with_the_best_and_says_what_is_missing() {
        use Library::{Jax, ScikitLearn, Torch};
        let table = Table::new("Training", ["shape", "optimizer"], &[Jax, Torch, ScikitLearn]);
        let mut table = table.against(&[Jax, Torch]).against(&[ScikitLearn]);
        let cells = vec![
            times("1", &[10.0, 10.0, 20.0]),
            times("1", &[30.0, 31.0, 32.0]),
            times("fused, 2", &[15.0, 25.0, 40.0]),
            Err("no gelu".into()),
        ];
        let line = table.add(["D".into(), "sgd".into()], cells);
        let expected = "| D | sgd | 10.0 (1) | 31.0 (1) | 25.0 (fused, 2) | - | PyTorch 2.00 (1.50 to 2.50) | - |";
        assert_eq!(line, expected);
        let markdown = table.markdown();
        assert!(
            markdown.starts_with("## Training\n\n| shape | optimizer | chainrule | JAX | PyTorch | scikit-learn |")
        );
        assert!(markdown.contains(&format!("{}\n{expected}\n", "---|".repeat(8))));
        assert!(markdown.ends_with("\nWhere scikit-learn was not measured: no gelu.\n"));
    }

    #[test]
    fn a_narrowed_table_keeps_chainrule_and_has_no_column_twice() {
        let table = Table::new("Training", ["a", "b"], &[Library::Jax, Library::Torch]);
        let table = table.against(&[Library::Jax, Library::Torch]).against(&[Library::Torch]);
        let table = table.narrowed(|library| library == Library::Torch);
        assert_eq!(table.head().lines().next(), Some("| a | b | chainrule | PyTorch | against PyTorch |"));
    }
}
