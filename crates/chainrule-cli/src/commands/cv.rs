//! `chainrule cv`

use chainrule_model::{Summary, cross_validate, summarize};
use serde_json::json;

use super::{compute, print_json, read};
use crate::args::CvArgs;
use crate::failure::{Failure, OrFail, Outcome};
use crate::progress::Progress;
use crate::{interrupt, print};

pub fn run(args: &CvArgs) -> Outcome {
    let settings = args.settings.settings().or_input()?;
    settings.validate().or_input()?;
    let table = read(&args.data)?;
    interrupt::listen().or_failed()?;
    let mut progress: Option<(usize, Progress)> = None;
    let mut compute = compute(&args.run);
    let roles = args.roles.roles();
    let scores = cross_validate(&table, &roles, &settings, args.folds, &mut compute, &mut |fold, turn, event| {
        if progress.as_ref().is_none_or(|(current, _)| *current != fold) {
            if let Some((_, done)) = progress.take() {
                done.finish();
            }
            progress = Some((fold, Progress::new(format!("fold {fold}/{}  ", args.folds))));
        }
        if let Some((_, progress)) = &mut progress {
            progress.see(turn, event);
        }
        interrupt::flow()
    });
    if let Some((_, done)) = progress {
        done.finish();
    }
    let scores = scores.or_input()?;
    if scores.is_empty() {
        return Err(Failure::failed(anyhow::anyhow!("stopped by Ctrl-C before the first fold was done")));
    }
    if scores.len() < args.folds {
        eprintln!("note: stopped by Ctrl-C after {} of {} folds", scores.len(), args.folds);
    }
    let summary = summarize(&scores);
    if args.run.json {
        let pick = |f: fn(&Summary) -> f64| {
            let entries = summary.iter().map(|s| (s.name.to_owned(), json!(f(s))));
            serde_json::Value::Object(entries.collect())
        };
        return print_json(&json!({
            "metrics": pick(|s| s.mean),
            "standard_deviation": pick(|s| s.deviation),
            "folds": scores,
        }));
    }
    for (fold, metrics) in scores.iter().enumerate() {
        print::line(&format!("fold {}/{}", fold + 1, args.folds), &print::metrics(metrics)).or_failed()?;
    }
    let shown = |s: &&Summary| print::shown(&scores[0]).any(|(name, _)| name == s.name);
    let parts = summary
        .iter()
        .filter(shown)
        .map(|s| format!("{} {} ± {}", s.name, print::number(s.mean), print::number(s.deviation)));
    print::line("mean", &parts.collect::<Vec<_>>().join(", ")).or_failed()
}
