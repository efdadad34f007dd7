//! Results as a person reads them.

use std::io::{self, Write};

use chainrule::{NetworkSpec, NumericEmbedding};
use chainrule_model::{Evaluation, Metrics, Others};

/// One line: a heading, and what belongs to it.
pub fn line(heading: &str, text: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{heading:<12}{text}")
}

/// `accuracy 0.9825, ...`: what fits into a line.
pub fn metrics(metrics: &Metrics) -> String {
    let short = shown(metrics).filter(|(name, _)| *name != "calibration_error");
    let parts = short.map(|(name, value)| format!("{name} {}", number(value)));
    parts.collect::<Vec<_>>().join(", ")
}

/// The scores for a person: where there are classes, errors of their numbers say little.
pub fn shown(metrics: &Metrics) -> impl Iterator<Item = (&'static str, f64)> {
    let classes = metrics.accuracy.is_some();
    metrics.list().into_iter().filter(move |(name, _)| !(classes && ["rmse", "mae", "r2"].contains(name)))
}

/// A path as a shell reads it.
pub fn shell_word(path: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c);
    if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

/// Four significant digits, more for large numbers.
pub fn number(x: f64) -> String {
    if x == 0.0 {
        return "0".into();
    }
    if !(1e-3..1e9).contains(&x.abs()) {
        return format!("{x:.3e}");
    }
    let digits = (4 - x.abs().max(1e-3).log10().ceil() as i32).clamp(0, 6) as usize;
    format!("{x:.digits$}")
}

/// `30 -> 256 relu -> 256 relu -> 1 bernoulli`
pub fn architecture(spec: &NetworkSpec) -> String {
    let embedded: usize = spec.embeddings.iter().map(|e| e.dimension).sum();
    let embedded = if embedded > 0 { format!(" + {embedded} embedded") } else { String::new() };
    let hidden = spec.hidden.iter().map(|h| format!("{} {} -> ", h.width, h.activation.name()));
    let parameters: usize = spec.parameter_shapes().iter().map(|(_, rows, cols)| rows * cols).sum();
    let ensemble = spec.ensemble.map_or(String::new(), |e| format!("{} x ", e.members));
    format!(
        "{ensemble}{}{embedded} -> {}{} {} ({} parameters)",
        spec.inputs,
        hidden.collect::<String>(),
        spec.outputs,
        spec.head.name(),
        count(parameters)
    )
}

/// Which networks have which vectors for numbers, where they differ.
pub fn two_kinds(first: &NetworkSpec, others: &Others) -> String {
    let kind = |embedding: &Option<NumericEmbedding>| match embedding {
        Some(NumericEmbedding::PiecewiseLinear { .. }) => "piecewise-linear vectors",
        Some(NumericEmbedding::Periodic { .. }) => "periodic vectors",
        None => "no vectors",
    };
    let (count, first, others) = (others.first, kind(&first.numeric_embedding), kind(&others.numeric_embedding));
    format!("numbers have {first} in the first {count}, {others} in the others")
}

/// 1234567 -> 1,234,567
pub fn count(n: usize) -> String {
    let digits = n.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|g| std::str::from_utf8(g).ok()).collect();
    groups.join(",")
}

/// The table of true (down) against predicted (across) classes, for up to 20 classes.
pub fn confusion(evaluation: &Evaluation, classes: &[String]) -> io::Result<()> {
    const MOST: usize = 20;
    if evaluation.confusion.is_empty() || classes.len() > MOST {
        return Ok(());
    }
    let cell = |x: f64| if x.fract() == 0.0 { format!("{x:.0}") } else { format!("{x:.1}") };
    let longest = classes.iter().map(|c| c.chars().count()).max().unwrap_or(0);
    let widest = evaluation.confusion.iter().flatten().map(|&x| cell(x).len()).max().unwrap_or(0).max(longest.min(12));
    let short = |name: &str| name.chars().take(widest).collect::<String>();
    let mut out = io::stdout().lock();
    write!(out, "{:<width$}", "true \\ predicted", width = longest.max(16))?;
    for class in classes {
        write!(out, "  {:>widest$}", short(class))?;
    }
    writeln!(out)?;
    for (class, row) in classes.iter().zip(&evaluation.confusion) {
        write!(out, "{class:<width$}", width = longest.max(16))?;
        for &x in row {
            write!(out, "  {:>widest$}", cell(x))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_four_digits() {
        assert_eq!(number(0.982_456), "0.9825");
        assert_eq!(number(0.0), "0");
        assert_eq!(number(0.002_057_4), "0.002057");
        assert_eq!(number(-1.234_56e-5), "-1.235e-5");
        assert_eq!(number(f64::NAN), "NaN");
        assert_eq!(number(52_345.678), "52346");
        assert_eq!(number(3.271_82), "3.272");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(12), "12");
    }

    #[test]
    fn paths_are_quoted_where_a_shell_needs_it() {
        assert_eq!(shell_word("a/b-1.csv"), "a/b-1.csv");
        assert_eq!(shell_word("my table's.csv"), r"'my table'\''s.csv'");
    }
}
