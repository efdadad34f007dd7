//! `chainrule tune`

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, anyhow, bail};
use chainrule::{Compute, Flow};
use chainrule_data::{check_place, write_atomically};
use chainrule_model::tune::{Log, Outcome as Training, Search, Space, Workers, picture};
use chainrule_model::{Fitted, Preset, Settings};
use serde_json::json;

use super::{print_json, program, read, resources};
use crate::args::TuneArgs;
use crate::failure::{Failure, OrFail, Outcome};
use crate::progress::Progress;
use crate::steps::Steps;
use crate::{interrupt, print};

/// Trials of the table at the end.
const SHOWN: usize = 10;

pub fn run(args: &TuneArgs) -> Outcome {
    let (space, bases) = settings(args).or_input()?;
    let svg = args.log.with_extension("svg");
    let places = [&args.log, &svg, &args.output];
    places.into_iter().try_for_each(|place| check_place(place)).or_input()?;
    let table = read(&args.data)?;
    let roles = args.roles.roles();
    let search = Search::new(&table, &roles, bases, &space, args.trials, args.score).or_input()?;
    let (mut log, known) = Log::open(&args.log, &search.header()).or_input()?;
    if !known.is_empty() {
        eprintln!("note: going on from {}, which has {} trainings", args.log.display(), known.len());
    }
    interrupt::listen().or_failed()?;
    let started = Instant::now();
    let is_over = || args.time.is_some_and(|time| started.elapsed() >= time) || is_interrupted();
    let (threads, isa) = resources(&args.run);
    let (mut done, all) = (known.len(), search.rungs().iter().sum::<usize>());
    let mut steps = Steps::new();
    let trainings = search.run(known, Workers { threads, isa }, &is_over, &mut |training| {
        log.add(training)?;
        done += 1;
        let score = training.score.map_or("failed".to_owned(), print::number);
        steps.show(|| format!("tuning      {done}/{all} trainings, the last on rung {}: {score}", training.rung));
        Ok(())
    });
    steps.finish();
    let trainings = trainings.or_failed()?;
    let ranking = search.ranking(&trainings);
    if !args.run.json {
        show(args, &search, &ranking, trainings.len()).or_failed()?;
    }
    let interrupted = is_interrupted();
    let Some(best) = ranking.first().filter(|best| best.score.is_some()) else {
        return Err(match interrupted {
            true => stopped(args, done, all),
            false => Failure::failed(anyhow!("no training was done in time: give more of it, or fewer rows")),
        });
    };
    let image = picture(&trainings, search.rungs().len(), search.score(), best.trial);
    write_atomically(&svg, |out| out.write_all(image.as_bytes())).or_failed()?;
    if interrupted {
        return Err(stopped(args, done, all));
    }
    let fitted = fit(&search, best, &mut Compute::with_isa(threads, isa))?;
    if is_interrupted() {
        return Err(stopped(args, done, all));
    }
    fitted.model.save(&args.output).or_failed()?;
    if args.run.json {
        return print_json(&json!({
            "score": search.score().name(),
            "best": best,
            "settings": fitted.model.card().settings,
            "ranking": ranking,
            "metrics": fitted.valid.map(|valid| valid.metrics),
            "trainings": trainings.len(),
            "model": args.output,
            "model_hash": fitted.model.digest().or_failed()?,
            "log": args.log,
            "picture": svg,
        }));
    }
    finish(args, &svg, &fitted).or_failed()
}

fn is_interrupted() -> bool {
    interrupt::flow() == Flow::Stop
}

fn stopped(args: &TuneArgs, done: usize, all: usize) -> Failure {
    let log = args.log.display();
    Failure::failed(anyhow!("stopped by Ctrl-C after {done} of {all} trainings; the same command goes on from {log}"))
}

/// The space, and the sets of settings to start from.
fn settings(args: &TuneArgs) -> anyhow::Result<(Space, Vec<Settings>)> {
    let space = match &args.space {
        Some(path) => read_space(path)?,
        None => Space::default(),
    };
    let own = args.settings.settings()?;
    let is_chosen = args.settings.preset().is_some() || own.preset != Preset::Auto || space.preset.is_empty();
    let bases = match is_chosen {
        true => vec![own],
        false => space.preset.iter().map(|&p| args.settings.settings_on(Some(p))).collect::<Result<_, _>>()?,
    };
    bases.iter().try_for_each(Settings::validate)?;
    if args.log == args.output {
        bail!("the log and the model cannot both be {}", args.log.display());
    }
    Ok((space, bases))
}

fn read_space(path: &PathBuf) -> anyhow::Result<Space> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Space::from_toml(&text).with_context(|| path.display().to_string())
}

/// Trains the best trial's model once more.
fn fit(search: &Search<'_>, best: &Training, compute: &mut Compute) -> Outcome<Fitted> {
    let mut progress = Progress::new("best trial  ".into());
    let fitted = search.fit(best, compute, &mut |turn, event| {
        progress.see(turn, event);
        interrupt::flow()
    });
    progress.finish();
    fitted.or_failed()
}

fn show(args: &TuneArgs, search: &Search<'_>, ranking: &[&Training], trainings: usize) -> std::io::Result<()> {
    let (rungs, score) = (search.rungs(), search.score().name());
    let sizes = rungs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    print::line("trials", &format!("{} on {} rungs ({sizes}), seed {}", rungs[0], rungs.len(), search.header().seed))?;
    print::line("trainings", &format!("{trainings} in {}", args.log.display()))?;
    print::line("", &format!("{:>5}  {:>4}  {:>6}  {score:>10}  settings", "trial", "rung", "epochs"))?;
    for training in ranking.iter().take(SHOWN) {
        let Training { trial, rung, epochs, score, error, .. } = training;
        let value = score.map_or("failed".to_owned(), print::number);
        let words = error.clone().unwrap_or_else(|| search.words(training));
        print::line("", &format!("{trial:>5}  {rung:>4}  {epochs:>6}  {value:>10}  {words}"))?;
    }
    if ranking.len() > SHOWN {
        print::line("", &format!("and {} more in the log", ranking.len() - SHOWN))?;
    }
    Ok(())
}

fn finish(args: &TuneArgs, svg: &Path, fitted: &Fitted) -> std::io::Result<()> {
    print::line("picture", &svg.display().to_string())?;
    if let Some(valid) = &fitted.valid {
        let rows = print::count(valid.rows);
        print::line("validation", &format!("{} ({rows} rows, those that chose it)", print::metrics(&valid.metrics)))?;
    }
    print::line("model", &args.output.display().to_string())?;
    let output = print::shell_word(&args.output.display().to_string());
    print::line("next", &format!("{} evaluate {output} TABLE", program()))
}
