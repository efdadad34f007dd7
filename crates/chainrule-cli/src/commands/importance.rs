//! `chainrule importance`

use chainrule_data::{Column, Table, Values, check_table_path, write_table};
use chainrule_model::{ColumnImportance, Importance};
use serde_json::json;

use super::{compute, load, print_json, read_for};
use crate::args::ImportanceArgs;
use crate::failure::{Failure, OrFail, Outcome};
use crate::print;
use crate::steps::Steps;

/// Characters of the longest bar.
const WIDTH: f64 = 30.0;

pub fn run(args: &ImportanceArgs) -> Outcome {
    let to_stdout = args.output.as_ref().is_some_and(|output| output.as_os_str() == "-");
    if to_stdout && args.run.json {
        return Err(Failure::input(anyhow::anyhow!("--json and -o - both want standard output: name a file with -o")));
    }
    args.output.iter().try_for_each(|output| check_table_path(output)).or_input()?;
    let model = load(&args.model)?;
    let table = read_for(&model, &args.data)?;
    let mut steps = Steps::new();
    let found =
        model.importance(&mut compute(&args.run), &table, args.metric, (args.repeats, args.seed), &mut |done, all| {
            steps.show(|| format!("importance  {done}/{all} scorings"));
        });
    steps.finish();
    let found = found.or_input()?;
    if let Some(output) = &args.output {
        write_table(&as_table(&found).or_failed()?, output).or_failed()?;
    }
    if args.run.json {
        let mut object = json!(found);
        object["seed"] = json!(args.seed);
        object["model_hash"] = json!(model.digest().or_failed()?);
        return print_json(&object);
    }
    if to_stdout { Ok(()) } else { show(&found).or_failed() }
}

fn as_table(found: &Importance) -> chainrule_data::Result<Table> {
    let numbers = |name: &str, value: fn(&ColumnImportance) -> f64| Column {
        name: name.to_owned(),
        values: Values::Number(found.columns.iter().map(value).collect()),
    };
    let names = found.columns.iter().map(|c| Some(c.column.as_str())).collect();
    let columns = vec![
        Column { name: "column".to_owned(), values: Values::Category(names) },
        numbers("importance", |c| c.importance),
        numbers("deviation", |c| c.deviation),
    ];
    Table::new("importance", columns)
}

fn show(found: &Importance) -> std::io::Result<()> {
    let Importance { score, value, rows, repeats, columns } = found;
    let rows = print::count(*rows);
    print::line("score", &format!("{score} {} ({rows} rows, each column shuffled {repeats} times)", number(*value)))?;
    let longest = columns.iter().map(|c| c.column.chars().count()).max().unwrap_or(0).clamp(6, 40);
    let most = columns.first().map_or(0.0, |c| c.importance);
    print::line(&format!("{:<longest$}", "column"), &format!("{:>11}  {:>9}", "importance", "deviation"))?;
    for ColumnImportance { column, importance, deviation } in columns {
        let part = if most > 0.0 { importance.max(0.0) / most } else { 0.0 };
        let bar = "#".repeat((part * WIDTH).round() as usize);
        let numbers = format!("{:>11}  {:>9}  {bar}", number(*importance), number(*deviation));
        print::line(&format!("{column:<longest$}"), numbers.trim_end())?;
    }
    Ok(())
}

/// As other scores, but for tiny ones, of which many are nothing but chance.
fn number(x: f64) -> String {
    if x.abs() < 1e-6 { "0".to_owned() } else { print::number(x) }
}
