//! `chainrule inspect`

use chainrule::TrainReport;
use chainrule_model::{Card, Target, Training};
use serde_json::json;

use super::{load, print_json};
use crate::args::InspectArgs;
use crate::failure::{OrFail, Outcome};
use crate::print;

pub fn run(args: &InspectArgs) -> Outcome {
    let model = load(&args.model)?;
    let hash = model.digest().or_failed()?;
    let card = model.card();
    if args.json {
        let mut object = json!(card);
        object["model_hash"] = json!(hash);
        object["parameters"] = json!(card.network.parameter_shapes());
        object["members"] = json!(model.networks().len());
        return print_json(&object);
    }
    show(card, &hash).or_failed()
}

fn show(card: &Card, hash: &str) -> std::io::Result<()> {
    print::line("model", &format!("chainrule {}, hash {hash}", card.version))?;
    let target = match &card.target {
        Target::Classes(_) => {
            let names = card.target.classes();
            let shown = names.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
            format!("{} classes: {shown}{}", names.len(), if names.len() > 10 { ", ..." } else { "" })
        }
        Target::Number(scaler) => {
            format!("number, mean {} ± {}", print::number(scaler.mean), print::number(scaler.std))
        }
        Target::Plain => "number, as it is".into(),
    };
    print::line("target", &format!("{:?}: {target}", card.roles.target))?;
    let roles = &card.roles;
    for (name, column) in [("weight", &roles.weight), ("exposure", &roles.exposure), ("event", &roles.event)] {
        if let Some(column) = column {
            print::line(name, &format!("{column:?}"))?;
        }
    }
    print::line("network", &print::architecture(&card.network))?;
    if !card.training.further.is_empty() {
        let members = card.members();
        print::line("members", &format!("{members} such networks, whose predictions are averaged"))?;
    }
    if let Some(others) = &card.others {
        print::line("", &print::two_kinds(&card.network, others))?;
    }
    if let serde_json::Value::Object(head) = json!(card.network.head) {
        print::line("head", &serde_json::Value::Object(head).to_string())?;
    }
    if let Some(smoothing) = card.smoothing {
        print::line("smoothing", &format!("{smoothing}: what it added to the probabilities is taken out"))?;
    }
    if let Some(temperature) = card.temperature {
        print::line("temperature", &format!("{temperature}: it divides the logarithms of the probabilities"))?;
    }
    if let Some(errors) = &card.conformal {
        print::line("intervals", &format!("from the errors on {} held-out rows", print::count(errors.rows)))?;
    }
    for (name, rows, cols) in card.network.parameter_shapes() {
        print::line("", &format!("{name:<20} {rows} x {cols}"))?;
    }
    let columns = card.encoder.columns();
    print::line("columns", &format!("{} used, {} left out", columns.len(), card.encoder.left_out().len()))?;
    for c in columns {
        print::line("", &format!("{:<24} {:<9} {}; {}", c.name, c.kind.to_string(), c.encoding, c.statistics))?;
    }
    for left in card.encoder.left_out() {
        print::line("", &format!("{:<24} {}", left.column, left.message))?;
    }
    let training = &card.training;
    print::line("training", &format!("{} rows, {} to choose the epoch", training.rows, training.valid_rows))?;
    match training.further.is_empty() {
        true => history(&training.report)?,
        false => members(training)?,
    }
    match &training.valid_metrics {
        Some(metrics) => print::line("validation", &print::metrics(metrics)),
        None => Ok(()),
    }
}

/// A line for each network.
fn members(training: &Training) -> std::io::Result<()> {
    print::line("", "member  epochs  best epoch  validation")?;
    for (number, report) in (1..).zip(training.reports()) {
        let best = report.best_epoch.unwrap_or(report.history.len());
        let score = report.history.get(best.wrapping_sub(1)).and_then(|record| record.valid_score);
        let score = score.map_or("-".into(), |score| format!("{score:.5}"));
        print::line("", &format!("{number:>6}  {:>6}  {best:>10}  {score:>10}", report.history.len()))?;
    }
    Ok(())
}

/// The epochs, about 20 of many, the best among them.
fn history(report: &TrainReport) -> std::io::Result<()> {
    const SHOWN: usize = 20;
    print::line("", "epoch  training cost  validation  learning rate")?;
    let every = report.history.len().div_ceil(SHOWN).max(1);
    for record in &report.history {
        let best = Some(record.epoch) == report.best_epoch;
        if !best && record.epoch % every != 0 && record.epoch != 1 {
            continue;
        }
        let valid = record.valid_score.map_or("-".into(), |score| format!("{score:.5}"));
        let mark = if best { "  <- the model" } else { "" };
        let (epoch, cost, rate) = (record.epoch, record.train_cost, record.learning_rate);
        print::line("", &format!("{epoch:>5}  {cost:>13.5}  {valid:>10}  {rate:>13.2e}{mark}"))?;
    }
    Ok(())
}
