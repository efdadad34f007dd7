//! `docs/equations.md` against the code: each number (1) to (10) has one row, whose function and test exist and whose
//! function says which equation it is.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::root;

/// The equations of the slides.
const NUMBERS: std::ops::RangeInclusive<u32> = 1..=10;

pub fn check() -> Result<()> {
    let root = root()?;
    let page = fs::read_to_string(root.join("docs/equations.md")).context("docs/equations.md")?;
    let rows = rows(&page);
    for number in NUMBERS {
        let found: Vec<_> = rows.iter().filter(|row| row.number == number).collect();
        let [row] = found.as_slice() else {
            bail!("docs/equations.md: Eq. ({number}) has {} rows, not one", found.len());
        };
        row.check(&root).with_context(|| format!("docs/equations.md, Eq. ({number})"))?;
    }
    println!("\nequations: {} found, each with its function and test", rows.len());
    Ok(())
}

/// `| (9) | statement | words | `file.rs`: `function` | `file.rs`: `test` |`
struct Row {
    number: u32,
    function: Place,
    test: Place,
}

/// A function in a file.
struct Place {
    file: String,
    name: String,
}

fn rows(page: &str) -> Vec<Row> {
    page.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<Row> {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let number = cells.get(1)?.strip_prefix('(')?.strip_suffix(')')?.parse().ok()?;
    let mut places = cells.iter().rev().filter(|cell| !cell.is_empty()).map(|cell| place(cell));
    let test = places.next()??;
    let function = places.next()??;
    Some(Row { number, function, test })
}

fn place(cell: &str) -> Option<Place> {
    let (file, name) = cell.split_once(": ")?;
    let bare = |text: &str| text.trim_matches('`').to_owned();
    Some(Place { file: bare(file), name: bare(name) })
}

impl Row {
    fn check(&self, root: &Path) -> Result<()> {
        let function = self.function.documented(root)?;
        // `Eq. (9)` alone or among others, as in `Eq. (6), (7)`.
        if !function.contains("Eq. (") || !function.contains(&format!("({})", self.number)) {
            bail!("the documentation of {} in {} does not name it", self.function.name, self.function.file);
        }
        self.test.documented(root).map(drop)
    }
}

impl Place {
    /// The lines of comment above the definition.
    fn documented(&self, root: &Path) -> Result<String> {
        let text = fs::read_to_string(root.join(&self.file)).with_context(|| self.file.clone())?;
        let name = self.name.rsplit("::").next().unwrap_or(&self.name);
        let lines: Vec<&str> = text.lines().collect();
        let defines = |line: &&str| {
            ["fn ", "struct ", "trait "].iter().any(|kind| {
                line.split_once(kind).is_some_and(|(_, rest)| {
                    rest.strip_prefix(name)
                        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
                })
            })
        };
        let at = lines.iter().position(defines).with_context(|| format!("{} has no {}", self.file, self.name))?;
        let above = lines[..at].iter().rev().take_while(|line| {
            let line = line.trim_start();
            line.starts_with("//") || line.starts_with("#[")
        });
        Ok(above.copied().collect::<Vec<_>>().join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_and_other_lines_are_not() {
        let row = row("| (9) | x | words | `a.rs`: `A::f` | `b.rs`: `t` |").unwrap();
        assert_eq!((row.number, row.function.name.as_str(), row.test.file.as_str()), (9, "A::f", "b.rs"));
        assert!(rows("| --- |\n| equation | b | c |\ntext").is_empty());
    }
}
