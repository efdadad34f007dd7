//! `chainrule train`

use std::fmt::Write;
use std::time::{Duration, Instant};

use chainrule::{Ended, Flow};
use chainrule_data::{Table, Task, check_place};
use chainrule_model::{Choice, Evaluation, Fitted, Prepared, prepare};
use serde_json::json;

use super::{compute, print_json, program, read, read_like};
use crate::args::TrainArgs;
use crate::failure::{Failure, OrFail, Outcome};
use crate::progress::{Progress, duration};
use crate::{interrupt, print};

pub fn run(args: &TrainArgs) -> Outcome {
    let settings = args.settings.settings().or_input()?;
    settings.validate().or_input()?;
    check_place(&args.output).or_input()?;
    let started = Instant::now();
    let table = read(&args.data)?;
    let read_time = started.elapsed();
    let valid = args.valid.as_ref().map(|path| read_like(&table, &args.data, path)).transpose()?;
    let test = args.test.as_ref().map(|path| read_like(&table, &args.data, path)).transpose()?;
    let prepared = prepare(&table, valid.as_ref(), &args.roles.roles(), &settings).or_input()?;
    let facts = Facts::new(&table, read_time, &prepared);
    // The matrices hold what training needs.
    drop((table, valid));
    test.iter().try_for_each(|test| prepared.check(test)).or_input()?;
    facts.warn();
    if !args.run.json {
        facts.print().or_failed()?;
    }
    let mut compute = compute(&args.run);
    interrupt::listen().or_failed()?;
    let mut progress = Progress::new(if prepared.members() == 1 { "training    " } else { "" }.into());
    let out_of_time = || args.time.is_some_and(|most| started.elapsed() >= most);
    let mut stopped_by = None;
    let fitted = prepared.train(&mut compute, &mut |turn, event| {
        progress.see(turn, event);
        stopped_by = stopped_by.or(interrupt::asked().then_some("Ctrl-C")).or(out_of_time().then_some("--time"));
        if stopped_by.is_some() { Flow::Stop } else { Flow::Continue }
    });
    let time = progress.finish();
    let fitted = fitted.or_failed()?;
    fitted.left_out.iter().for_each(|note| eprintln!("note: left out: {note}"));
    let test = test.map(|test| fitted.model.evaluate(&mut compute, &test)).transpose().or_input()?;
    fitted.model.save(&args.output).or_failed()?;
    let hash = fitted.model.digest().or_failed()?;
    let result = Result { args, facts: &facts, fitted: &fitted, test: test.as_ref(), time, stopped_by, hash };
    if args.run.json {
        print_json(&result.json())?;
    } else {
        result.print().or_failed()?;
    }
    match fitted.ended().advice(&settings_of(&fitted)) {
        Some(advice) => Err(Failure::failed(anyhow::anyhow!("{advice}; the model is the best before that"))),
        None => Ok(()),
    }
}

fn settings_of(fitted: &Fitted) -> chainrule::TrainSettings {
    let settings = &fitted.model.card().settings;
    let plain = chainrule::TrainSettings::default();
    chainrule::TrainSettings { learning_rate: settings.learning_rate.unwrap_or(plain.learning_rate), ..plain }
}

/// What is known before training.
struct Facts {
    table: String,
    rows: usize,
    columns: usize,
    read_time: Duration,
    task: Task,
    reason: String,
    preset: String,
    network: String,
    two_kinds: Option<String>,
    own_rows: Option<usize>,
    train_rows: usize,
    valid_rows: usize,
    warnings: Vec<String>,
}

impl Facts {
    fn new(table: &Table, read_time: Duration, prepared: &Prepared) -> Self {
        let (task, reason) = prepared.task();
        Self {
            table: table.name.clone(),
            rows: table.rows,
            columns: table.columns.len(),
            read_time,
            task,
            reason: reason.to_owned(),
            preset: preset(prepared),
            network: print::architecture(prepared.network()),
            two_kinds: prepared.others().map(|others| print::two_kinds(prepared.network(), others)),
            own_rows: prepared.own_rows(),
            train_rows: prepared.train_rows(),
            valid_rows: prepared.valid_rows(),
            warnings: prepared.warnings().iter().map(|w| format!("column {:?}: {}", w.column, w.message)).collect(),
        }
    }

    /// Warnings go to standard error, the first few of many.
    fn warn(&self) {
        const MOST: usize = 8;
        for warning in self.warnings.iter().take(MOST) {
            eprintln!("note: {warning}");
        }
        if self.warnings.len() > MOST {
            eprintln!("note: and {} more columns; `chainrule inspect` names them", self.warnings.len() - MOST);
        }
    }

    fn print(&self) -> std::io::Result<()> {
        let seconds = duration(self.read_time.as_secs_f64());
        let (rows, columns) = (print::count(self.rows), print::count(self.columns));
        print::line("table", &format!("{}: {rows} rows, {columns} columns, read in {seconds}", self.table))?;
        print::line("task", &format!("{} ({})", task_name(self.task), self.reason))?;
        print::line("preset", &self.preset)?;
        print::line("network", &self.network)?;
        if let Some(two_kinds) = &self.two_kinds {
            print::line("", two_kinds)?;
        }
        let (train, valid) = (print::count(self.train_rows), print::count(self.valid_rows));
        let rows = match self.own_rows {
            None => format!("{train} to learn from, {valid} to choose the best epoch"),
            Some(own) => {
                format!(
                    "{train}; each network learns from all but about {}, which choose its best epoch",
                    print::count(own)
                )
            }
        };
        print::line("rows", &rows)
    }
}

/// The preset and, where the table chooses what it is, that: `auto: 4 networks of up to 128 epochs (chosen for classification of 454 rows)`.
fn preset(prepared: &Prepared) -> String {
    let settings = prepared.settings();
    let numbered = |number: usize, what: &str| match number {
        1 => format!("1 {what}"),
        number => format!("{} {what}s", print::count(number)),
    };
    let (networks, epochs) = (numbered(prepared.members(), "network"), numbered(settings.epochs, "epoch"));
    let reason = match prepared.choice() {
        None => "as asked".to_owned(),
        Some(Choice { rows, .. }) => {
            format!("chosen for {} of {} rows", task_name(prepared.task().0), print::count(*rows))
        }
    };
    format!("{}: {networks} of up to {epochs} ({reason})", settings.preset.name())
}

fn task_name(task: Task) -> &'static str {
    match task {
        Task::Regression => "regression",
        Task::Classification => "classification",
        Task::Count => "count",
    }
}

/// What is known after training.
struct Result<'a> {
    args: &'a TrainArgs,
    facts: &'a Facts,
    fitted: &'a Fitted,
    test: Option<&'a Evaluation>,
    time: Duration,
    /// What ended training before its time.
    stopped_by: Option<&'static str>,
    hash: String,
}

impl Result<'_> {
    /// The scores that say most, and on which rows.
    fn best_scores(&self) -> Option<(&'static str, &Evaluation)> {
        self.test.map(|test| ("test", test)).or(self.fitted.valid.as_ref().map(|valid| ("validation", valid)))
    }

    fn print(&self) -> std::io::Result<()> {
        print::line("trained", &self.trained())?;
        let report = &self.fitted.model.card().training.report;
        if let (None, Some(last)) = (self.best_scores(), report.history.last()) {
            print::line(
                "",
                &format!("cost {} on the training rows; none were held out", print::number(last.train_cost)),
            )?;
        }
        for (name, scores) in [("validation", self.fitted.valid.as_ref()), ("test", self.test)] {
            if let Some(scores) = scores {
                print::line(
                    name,
                    &format!("{} ({} rows)", print::metrics(&scores.metrics), print::count(scores.rows)),
                )?;
            }
        }
        if let Some(test) = self.test {
            print::confusion(test, self.fitted.model.card().target.classes())?;
        }
        let (output, hash) = (self.args.output.display(), &self.hash[..12]);
        print::line("model", &format!("{output} (hash {hash})"))?;
        let output = print::shell_word(&output.to_string());
        let table =
            self.args.test.as_ref().map_or("TABLE".into(), |test| print::shell_word(&test.display().to_string()));
        print::line("next", &format!("{} predict {output} {table} -o predictions.csv", program()))
    }

    /// How training went, in a line.
    fn trained(&self) -> String {
        let card = self.fitted.model.card();
        let (training, networks) = (&card.training, card.members());
        let epochs: usize = training.reports().map(|report| report.history.len()).sum();
        let plural = if epochs == 1 { "" } else { "s" };
        let mut text = format!("{epochs} epoch{plural} in {}", duration(self.time.as_secs_f64()));
        let why = match self.fitted.ended() {
            Ended::Converged if networks == 1 => ", converged",
            Ended::Patience if networks == 1 => ", stopped early",
            Ended::NonFinite { .. } => ", broken off",
            _ => "",
        };
        text.push_str(why);
        if let Some(by) = self.stopped_by {
            // Writing to a string cannot fail.
            let _ = write!(text, ", stopped by {by}");
        }
        match training.report.best_epoch {
            _ if networks > 1 => drop(write!(text, "; the model is {networks} networks, each of its best epoch")),
            Some(best) => drop(write!(text, "; the model is that of epoch {best}")),
            None => {}
        }
        text
    }

    fn json(&self) -> serde_json::Value {
        let report = &self.fitted.model.card().training.report;
        let metrics = |scores: Option<&Evaluation>| scores.map(|s| json!(s.metrics));
        json!({
            "metrics": metrics(self.best_scores().map(|(_, scores)| scores)),
            "metrics_on": self.best_scores().map(|(name, _)| name),
            "valid_metrics": metrics(self.fitted.valid.as_ref()),
            "test_metrics": metrics(self.test),
            "model": self.args.output,
            "model_hash": self.hash,
            "task": task_name(self.facts.task),
            "head": self.fitted.model.card().network.head,
            "preset": self.fitted.model.card().settings.preset.name(),
            "network": self.facts.network,
            "members": self.fitted.model.networks().len(),
            "left_out": self.fitted.left_out,
            "train_rows": self.facts.train_rows,
            "valid_rows": self.facts.valid_rows,
            "epochs": report.history.len(),
            "best_epoch": report.best_epoch,
            "ended": self.fitted.ended(),
            "stopped_by": self.stopped_by,
            "read_seconds": self.facts.read_time.as_secs_f64(),
            "train_seconds": self.time.as_secs_f64(),
            "warnings": self.facts.warnings,
        })
    }
}
