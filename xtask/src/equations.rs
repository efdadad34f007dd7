//! `docs/equations.md` against the code: each number (1) to (10) has one row, whose function and test exist and whose
//! function says which equation it is; and nothing in code and documents cites a number that there is not.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::root;

/// The equations of the slides.
const NUMBERS: std::ops::RangeInclusive<u32> = 1..=10;

pub fn check() -> Result<()> {
    let root = root()?;
    let page = fs::read_to_string(root.join("docs/equations.md")).context("docs/equations.md")?;
    let count = check_page(&root, &page)?;
    let mut cited = 0;
    for path in ["crates", "docs", "README.md", "ARCHITECTURE.md"] {
        cited += check_citations(&root.join(path))?;
    }
    println!("\nequations: {count} found, each with its function and test; {cited} citations");
    Ok(())
}

/// Checks every `Eq. (9)` in the Rust and Markdown files of a folder; returns how many there are.
fn check_citations(path: &Path) -> Result<usize> {
    if path.is_dir() {
        let entries = fs::read_dir(path).with_context(|| path.display().to_string())?;
        return entries.map(|entry| check_citations(&entry?.path())).sum();
    }
    if !path.extension().is_some_and(|ending| ending == "rs" || ending == "md") {
        return Ok(0);
    }
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut count = 0;
    for (line, text) in text.lines().enumerate() {
        for number in citations(text) {
            if !number.parse().is_ok_and(|number: u32| NUMBERS.contains(&number)) {
                bail!("{}, line {}: the slides have no Eq. ({number})", path.display(), line + 1);
            }
            count += 1;
        }
    }
    Ok(count)
}

/// The numbers that a line cites, as in `Eq. (6)` and `Eq. (3), (4)`.
fn citations(line: &str) -> Vec<&str> {
    let mut found = vec![];
    for after in line.split("Eq. (").skip(1) {
        let mut rest = Some(after);
        while let Some((number, after)) = rest.and_then(|rest| rest.split_once(')')) {
            found.push(number);
            rest = after.strip_prefix(", (");
        }
    }
    found
}

/// Checks a page against the code below `root`; returns how many equations it has.
fn check_page(root: &Path, page: &str) -> Result<usize> {
    let rows = rows(page);
    for number in NUMBERS {
        let found: Vec<_> = rows.iter().filter(|row| row.number == number).collect();
        let [row] = found.as_slice() else {
            bail!("docs/equations.md: Eq. ({number}) has {} rows, not one", found.len());
        };
        row.check(root).with_context(|| format!("docs/equations.md, Eq. ({number})"))?;
    }
    if let Some(row) = rows.iter().find(|row| !NUMBERS.contains(&row.number)) {
        bail!("docs/equations.md: the slides have no Eq. ({})", row.number);
    }
    Ok(rows.len())
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
        let (owner, name) = self.name.rsplit_once("::").unwrap_or(("", &self.name));
        let lines: Vec<&str> = text.lines().collect();
        let is_word = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let holds = |line: &str, before: &str, word: &str| {
            line.split_once(before).is_some_and(|(_, rest)| rest.strip_prefix(word).is_some_and(is_word))
        };
        // `Dense::backward` is the first `fn backward` in an `impl` of `Dense`.
        let words = |line: &str| line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == owner);
        let from = lines.iter().position(|line| line.starts_with("impl") && words(line));
        let from = if owner.is_empty() { Some(0) } else { from };
        let from = from.with_context(|| format!("{} has no impl of {owner}", self.file))?;
        let defines = |line: &&str| ["fn ", "struct ", "trait "].iter().any(|kind| holds(line, kind, name));
        let at = lines[from..].iter().position(defines).map(|at| from + at);
        let at = at.with_context(|| format!("{} has no {}", self.file, self.name))?;
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

    #[test]
    fn a_citation_of_no_equation_fails() {
        assert_eq!(citations("Eq. (3), (4) and f(x), then Eq. (10)."), ["3", "4", "10"]);
        let folder = std::env::temp_dir().join(format!("equations-{}", std::process::id()));
        fs::create_dir_all(folder.join("inner")).unwrap();
        fs::write(folder.join("inner/a.rs"), format!("// {} (9)\n", "Eq.")).unwrap();
        assert_eq!(check_citations(&folder).unwrap(), 1);
        fs::write(folder.join("b.md"), format!("\n{} (1), (11)\n", "Eq.")).unwrap();
        let error = check_citations(&folder).unwrap_err().to_string();
        fs::remove_dir_all(&folder).unwrap();
        assert!(error.contains("b.md, line 2: the slides have no"), "{error}");
    }

    /// The page as it is passes; with an equation gone, doubled, pointing nowhere or at another function it does not.
    #[test]
    fn a_page_with_a_fault_fails() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let page = fs::read_to_string(root.join("docs/equations.md")).unwrap();
        assert_eq!(check_page(&root, &page).unwrap(), 10);
        let fails = |page: &str, message: &str| {
            let error = format!("{:#}", check_page(&root, page).unwrap_err());
            assert!(error.contains(message), "{error}");
        };
        let line = page.lines().find(|line| line.starts_with("| (9)")).unwrap();
        fails(&page.replace(line, ""), "Eq. (9) has 0 rows");
        fails(&page.replace(line, &format!("{line}\n{line}")), "Eq. (9) has 2 rows");
        fails(&page.replace(line, &format!("{line}\n{}", line.replace("(9)", "(11)"))), "no Eq. (11)");
        fails(&page.replace(line, &line.replace("Dense::backward", "Dense::backwards")), "has no Dense::backwards");
        fails(&page.replace(line, &line.replace("Dense::backward", "Sparse::backward")), "has no impl of Sparse");
        fails(&page.replace(line, &line.replace("Dense::backward", "Dense::forward")), "does not name it");
        fails(&page.replace(line, &line.replace("derivatives.rs", "nowhere.rs")), "nowhere.rs");
    }
}
