//! `chainrule evaluate`

use serde_json::json;

use super::{compute, load, print_json, read_for};
use crate::args::EvaluateArgs;
use crate::failure::{OrFail, Outcome};
use crate::print;

pub fn run(args: &EvaluateArgs) -> Outcome {
    let model = load(&args.model)?;
    let table = read_for(&model, &args.data)?;
    let scores = model.evaluate(&mut compute(&args.run), &table).or_input()?;
    let classes = model.card().target.classes();
    if args.run.json {
        return print_json(&json!({
            "metrics": scores.metrics,
            "rows": scores.rows,
            "classes": classes,
            "confusion": scores.confusion,
            "model_hash": model.digest().or_failed()?,
        }));
    }
    print::line("rows", &print::count(scores.rows)).or_failed()?;
    for (name, value) in print::shown(&scores.metrics) {
        print::line(&format!("{name:<18}"), &print::number(value)).or_failed()?;
    }
    print::confusion(&scores, classes).or_failed()
}
