//! `chainrule check`

use std::path::{Path, PathBuf};

use chainrule::check::{BOUND, Certificate, Combination, builtins};
use chainrule_data::{check_place, read_table, write_atomically};
use serde_json::{Value, json};

use super::{compute, load, print_json};
use crate::args::CheckArgs;
use crate::failure::{Failure, OrFail, Outcome};
use crate::print;

pub fn run(args: &CheckArgs) -> Outcome {
    match (&args.model, &args.table) {
        (Some(model), Some(table)) => of_model(args, model, table),
        _ => of_builtins(args),
    }
}

/// One head's combinations.
struct Row {
    head: &'static str,
    combinations: usize,
    worst: Certificate,
    place: Combination,
    failed: usize,
}

impl Row {
    fn new(combination: &Combination, certificate: &Certificate) -> Self {
        let (worst, place) = (certificate.clone(), combination.clone());
        Self { head: combination.head.name(), combinations: 0, worst, place, failed: 0 }
    }

    fn see(&mut self, combination: &Combination, certificate: &Certificate) {
        self.combinations += 1;
        self.failed += usize::from(!certificate.holds());
        if certificate.worst.error > self.worst.worst.error {
            (self.worst, self.place) = (certificate.clone(), combination.clone());
        }
    }

    fn json(&self) -> Value {
        json!({
            "head": self.head,
            "combinations": self.combinations,
            "failed": self.failed,
            "worst": self.worst,
            "worst_combination": self.place.to_string(),
        })
    }
}

/// Every combination of what is built in, a line for each head.
fn of_builtins(args: &CheckArgs) -> Outcome {
    let mut rows: Vec<Row> = vec![];
    builtins(&mut compute(&args.run), &mut |combination, certificate| {
        let known = rows.iter().position(|row| row.head == combination.head.name());
        let at = known.unwrap_or_else(|| {
            rows.push(Row::new(combination, certificate));
            rows.len() - 1
        });
        rows[at].see(combination, certificate);
    })
    .or_failed()?;
    let combinations = rows.iter().map(|row| row.combinations).sum::<usize>();
    let failed = rows.iter().map(|row| row.failed).sum::<usize>();
    let worst = rows.iter().map(|row| row.worst.worst.error).fold(0.0, f64::max);
    if args.run.json {
        let heads: Vec<Value> = rows.iter().map(Row::json).collect();
        let all = json!({
            "combinations": combinations, "failed": failed, "worst_error": worst, "bound": BOUND, "heads": heads
        });
        print_json(&all)?;
    } else {
        show(&rows, combinations, worst).or_failed()?;
    }
    match failed {
        0 => Ok(()),
        _ => Err(Failure::failed(anyhow::anyhow!("{failed} of {combinations} combinations are not within the bound"))),
    }
}

fn show(rows: &[Row], combinations: usize, worst: f64) -> std::io::Result<()> {
    print::line("head", "             combinations    worst  at")?;
    for row in rows {
        let (error, place) = (row.worst.worst.error, &row.place);
        print::line(&format!("{:<18}", row.head), &format!("{:>19}  {error:.1e}  {place}", row.combinations))?;
    }
    let count = print::count(combinations);
    print::line("all", &format!("{count:>25}  {worst:.1e}  (relative; the bound is {BOUND:.0e})"))?;
    print::line("reference", "complex step; erf and ln Gamma by value and derivative; double precision")
}

/// One model on some rows: a certificate in two files.
fn of_model(args: &CheckArgs, model: &Path, table: &Path) -> Outcome {
    let files = ["json", "txt"].map(|ending| {
        let mut name = args.output.clone().into_os_string();
        name.push(format!(".{ending}"));
        PathBuf::from(name)
    });
    files.iter().try_for_each(|file| check_place(file)).or_input()?;
    let model = load(model)?;
    let table = read_table(table, &args.reading.options(model.card().known_columns())).or_input()?;
    let parameters = Some(args.parameters).filter(|&count| count > 0);
    let certificate = model.certify(&mut compute(&args.run), &table, args.rows, parameters).or_input()?;
    let text = certificate.text();
    let json = serde_json::to_string_pretty(&certificate).or_failed()?;
    write_atomically(&files[0], |out| out.write_all(format!("{json}\n").as_bytes())).or_failed()?;
    write_atomically(&files[1], |out| out.write_all(text.as_bytes())).or_failed()?;
    if args.run.json {
        print_json(&json!(certificate))?;
    } else {
        print!("{text}");
        let [json, txt] = files.each_ref().map(|file| file.display());
        print::line("certificate", &format!("{json}, {txt}")).or_failed()?;
    }
    if certificate.holds {
        return Ok(());
    }
    Err(Failure::failed(anyhow::anyhow!("a derivative is wrong by {:.1e}", certificate.certificate.worst.error)))
}
