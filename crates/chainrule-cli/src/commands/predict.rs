//! `chainrule predict`

use chainrule_data::{Table, check_table_path, write_table};
use serde_json::json;

use super::{compute, load, print_json, read_for};
use crate::args::PredictArgs;
use crate::failure::{Failure, OrFail, Outcome};
use crate::print;

pub fn run(args: &PredictArgs) -> Outcome {
    let to_stdout = args.output.as_os_str() == "-";
    if to_stdout && args.run.json {
        return Err(Failure::input(anyhow::anyhow!("--json needs a file for the predictions: add -o FILE")));
    }
    check_table_path(&args.output).or_input()?;
    let model = load(&args.model)?;
    let table = read_for(&model, &args.data)?;
    let mut compute = compute(&args.run);
    let predictions = match args.interval {
        Some(level) => model.predict_with_interval(&mut compute, &table, level),
        None => model.predict(&mut compute, &table),
    };
    let mut predictions = predictions.or_input()?;
    if args.contributions {
        let found = model.contributions(&mut compute, &table, args.class.as_deref()).or_input()?;
        if found.coarse > 0 {
            let (coarse, rows) = (print::count(found.coarse), print::count(table.rows));
            eprintln!(
                "note: {coarse} of {rows} rows have contributions that do not quite add up; see completeness_residual"
            );
        }
        let columns = predictions.columns.into_iter().chain(found.table.columns).collect();
        predictions = Table::new(predictions.name, columns).or_failed()?;
    }
    write_table(&predictions, &args.output).or_failed()?;
    if args.run.json {
        return print_json(&json!({
            "rows": predictions.rows,
            "output": args.output,
            "model_hash": model.digest().or_failed()?,
        }));
    }
    if !to_stdout {
        let rows = print::count(predictions.rows);
        print::line("predictions", &format!("{} ({rows} rows)", args.output.display())).or_failed()?;
    }
    Ok(())
}
