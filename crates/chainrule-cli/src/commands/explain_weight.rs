//! `chainrule explain-weight`

use chainrule_model::WeightReport;
use serde_json::json;

use super::{compute, load, print_json, read_for};
use crate::args::ExplainWeightArgs;
use crate::failure::{OrFail, Outcome};
use crate::print;

pub fn run(args: &ExplainWeightArgs) -> Outcome {
    let model = load(&args.model)?.member(args.member).or_input()?;
    let table = read_for(&model, &args.data)?;
    let place = (args.layer, args.from.as_str(), args.to.as_str());
    let report = model.explain_weight(&mut compute(&args.run), &table, args.row, place).or_input()?;
    if args.run.json {
        return print_json(&json!(report));
    }
    show(&report).or_failed()
}

fn show(report: &WeightReport) -> std::io::Result<()> {
    let WeightReport { row, layer, layers, from, from_name, to, to_name, above, elements: e, .. } = report;
    let place = format!("W^({layer}) of {layers}, row {row} of the table, target {}", report.target);
    print::line("weight", &format!("w_ij = {}: {place}", number(e.weight)))?;
    print::line("", &format!("from i = {from}, {from_name:?}, to j = {to}, {to_name:?}"))?;
    print::line("h_i", &format!("{}  Eq. (2)", number(e.source)))?;
    print::line("z_j", &format!("{}  Eq. (2)", number(e.pre_activation)))?;
    if let (Some(slope), Some(sum), Some(activation)) = (e.slope, e.sum, &report.activation) {
        print::line("phi'(z_j)", &format!("{}  {activation}", number(slope)))?;
        terms(report)?;
        print::line("sum over k", &format!("{}  of {} nodes", number(sum), above.len()))?;
        print::line("delta_j", &format!("{}  sum times phi'(z_j), Eq. (4), (9)", number(e.delta)))?;
    } else {
        print::line("delta_j", &format!("{}  at the output, Eq. (10)", number(e.delta)))?;
    }
    print::line("gradient", &format!("{}  h_i delta_j, Eq. (6)", number(e.gradient)))?;
    let (rate, moved) = (e.learning_rate, number(e.updated_weight));
    print::line("update", &format!("w_ij - {rate} x gradient = {moved}  Eq. (7)"))?;
    print::line("cost", &format!("{}  of this row", number(e.cost)))?;
    print::line("change", &format!("{} predicted, {} measured", number(e.predicted_change), number(e.measured_change)))
}

/// What each node above contributes, the largest first where there are many.
fn terms(report: &WeightReport) -> std::io::Result<()> {
    const MOST: usize = 12;
    let terms = &report.elements.terms;
    let mut order: Vec<usize> = (0..terms.len()).collect();
    if terms.len() > MOST {
        order.sort_by(|&a, &b| terms[b].product.abs().total_cmp(&terms[a].product.abs()));
    }
    print::line("", &format!("{:>5}  {:>13}  {:>13}  {:>13}", "k", "delta_k", "w_jk", "delta_k w_jk"))?;
    for &k in order.iter().take(MOST) {
        let term = &terms[k];
        let numbers = [term.delta, term.weight, term.product].map(|x| format!("{:>13}", number(x))).join("  ");
        print::line("", &format!("{:>5}  {numbers}  {}", k + 1, report.above[k]))?;
    }
    if terms.len() > MOST {
        print::line("", &format!("  and {} smaller ones (--json has all)", terms.len() - MOST))?;
    }
    Ok(())
}

/// Six significant digits.
fn number(x: f64) -> String {
    match x.abs() {
        0.0 => "0".to_owned(),
        size if (1e-3..1e5).contains(&size) => {
            let digits = (5 - size.log10().floor() as i32).clamp(0, 8) as usize;
            format!("{x:.digits$}")
        }
        _ => format!("{x:.5e}"),
    }
}
