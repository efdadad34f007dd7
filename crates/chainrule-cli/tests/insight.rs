//! Importance, contributions and the search for settings, as a user calls them.
#![allow(clippy::unwrap_used)]

mod common;

use common::Folder;
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Runs `chainrule`, which must fail with `status`; returns its message.
fn fail(folder: &Folder, status: i32, arguments: &str) -> String {
    let output = folder.run(arguments);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{arguments}: {message}");
    assert!(output.stdout.is_empty() && message.starts_with("error: ") && !message.contains("panicked"), "{message}");
    message
}

/// A folder with a model of `y`, which is yes where a + b > 6.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.succeed("train train.csv --target y --ignore z,n --epochs 60 --effort fast");
    folder
}

#[test]
fn importance_ranks_columns_and_writes_them() {
    let folder = folder();
    let text = folder.succeed("importance model.safetensors train.csv --repeats 3 -o out.csv");
    assert!(
        text.starts_with("score       log_loss ") && text.contains("60 rows, each column shuffled 3 times"),
        "{text}"
    );
    let longest = |name: &str| text.lines().find(|l| l.starts_with(name)).unwrap().matches('#').count();
    assert!(longest("a ").max(longest("b ")) == 30 && longest("c ") < 10, "{text}");
    let written = folder.read("out.csv");
    let names: Vec<&str> = written.lines().map(|l| l.split(',').next().unwrap()).collect();
    assert_eq!((names[0], names.len(), names[3]), ("column", 4, "c"));
    let run = |more: &str| json(&folder.succeed(&format!("importance model.safetensors train.csv --json {more}")));
    let one = run("--threads 1 --seed 5");
    assert_eq!(run("--threads 3 --seed 5"), one);
    assert_ne!(run("--seed 6")["columns"], one["columns"]);
    assert_eq!(run("--metric auc")["score"], "auc");
    let csv = folder.succeed("importance model.safetensors train.csv --repeats 3 -o -");
    assert_eq!(csv, written);
}

#[test]
fn importance_says_what_it_lacks() {
    let folder = folder();
    folder.write("bare.csv", "a,b,c\n1,2,red\n2,3,blue\n");
    folder.write("other.csv", "p,q,y\n1,2,yes\n2,3,no\n");
    for (arguments, part) in [
        ("model.safetensors bare.csv", "bare.csv has no column \"y\""),
        ("model.safetensors bare.csv", "importance needs rows whose target is known"),
        ("model.safetensors other.csv", "other.csv has no column \"a\""),
        ("model.safetensors train.csv --repeats 0", "at least one repeat"),
        ("model.safetensors train.csv --repeats -1", "invalid value '-1'"),
        ("model.safetensors train.csv --metric rmsle", "\"rmsle\" is no score"),
        ("model.safetensors train.csv --metric rmse", "no rmse: take one of accuracy"),
        ("model.safetensors train.csv --json -o -", "name a file with -o"),
        ("model.safetensors train.csv -o out.xls", "name the file .csv"),
        ("train.csv train.csv", "no chainrule model"),
    ] {
        let message = fail(&folder, 2, &format!("importance {arguments}"));
        assert!(message.contains(part), "{arguments}: {message}");
    }
    assert!(!folder.files().contains(&"out.xls".to_owned()));
}

#[test]
fn contributions_stand_beside_the_predictions() {
    let folder = folder();
    folder.succeed("predict model.safetensors train.csv --contributions -o out.csv");
    let text = folder.read("out.csv");
    let header = "prediction,probability_no,probability_yes,baseline,contribution_a,contribution_b,contribution_c,completeness_residual";
    assert_eq!(text.lines().next(), Some(header));
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let numbers: Vec<f64> = cells[1..].iter().map(|cell| cell.parse().unwrap()).collect();
        let [no, yes, parts @ .., residual] = numbers.as_slice() else { panic!("{line}") };
        let odds = if cells[0] == "yes" { (yes / no).ln() } else { (no / yes).ln() };
        let sum = parts.iter().sum::<f64>() - residual;
        assert!((sum - odds).abs() < 1e-2 * odds.abs().max(1.0), "{line}: {sum} {odds}");
    }
    let yes = folder.succeed("predict model.safetensors train.csv --contributions --class yes");
    assert_ne!(yes, text);
    folder.write("some.csv", "a,b\n1,2\n");
    for (arguments, part) in [
        ("some.csv --contributions", "some.csv has no column \"c\""),
        ("train.csv --contributions --class maybe", "no class \"maybe\"; the classes are no, yes"),
        ("train.csv --class yes", "--contributions"),
    ] {
        let message = fail(&folder, 2, &format!("predict model.safetensors {arguments} -o new.csv"));
        assert!(message.contains(part), "{message}");
    }
    assert!(!folder.files().contains(&"new.csv".to_owned()));
}

const TUNE: &str = "tune train.csv --target z --ignore y --epochs 15 --trials 6 --space space.toml";

fn tuning() -> Folder {
    let folder = Folder::new();
    folder
        .write("space.toml", "preset = [\"plain\", \"realmlp_s\"]\nwidth = [4, 8]\ndepth = [1, 2]\nbatch = [16, 32]\n");
    folder
}

#[test]
fn a_search_writes_model_log_and_picture_and_goes_on_from_its_log() {
    let folder = tuning();
    let whole = json(&folder.succeed(&format!("{TUNE} --threads 1 --json")));
    assert_eq!((&whole["score"], &whole["trainings"]), (&"rmse".into(), &8.into()));
    assert_eq!(whole["metrics"]["rmse"], whole["best"]["score"]);
    let log = folder.read("tune.jsonl");
    assert_eq!(log.lines().count(), 9);
    assert!(folder.read("tune.svg").ends_with("</svg>\n"));
    let evaluated = json(&folder.succeed("evaluate model.safetensors train.csv --json"));
    assert_eq!(evaluated["model_hash"], whole["model_hash"]);

    // Cut in the middle of a line, and with other threads.
    let cut = log.lines().take(5).map(str::len).sum::<usize>() + 5 + 20;
    folder.write("tune.jsonl", &log[..cut]);
    let output = folder.run(&format!("{TUNE} --threads 3"));
    let (text, note) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success() && note.contains("going on from tune.jsonl, which has 4 trainings"), "{note}");
    assert!(text.contains("6 on 2 rungs (6, 2), seed 0") && text.contains("picture     tune.svg"), "{text}");
    let evaluated = json(&folder.succeed("evaluate model.safetensors train.csv --json"));
    assert_eq!(evaluated["model_hash"], whole["model_hash"]);
    assert_eq!(folder.read("tune.jsonl").lines().count(), 9);

    // A finished log needs no training.
    let again = json(&folder.succeed(&format!("{TUNE} --json")));
    assert_eq!(
        (&again["model_hash"], &again["ranking"][0]["trial"]),
        (&whole["model_hash"], &whole["ranking"][0]["trial"])
    );
    let message = fail(&folder, 2, &format!("{TUNE} --seed 1"));
    assert!(
        message.contains("tune.jsonl, line 1") && message.contains("seed 1") | message.contains("seed 0"),
        "{message}"
    );
}

#[test]
fn a_search_that_cannot_be_is_refused() {
    let folder = tuning();
    folder.write("bad.toml", "width = [0]\n");
    folder.write("train.jsonl", "not a log\n");
    let before = folder.files();
    for (arguments, part) in [
        ("--target z --trials 0", "trials must be at least 1"),
        ("--target z --time 0s", "is no time; write it as"),
        ("--target z --time -1", "is no time; write it as"),
        ("--target z --epochs 0", "epochs must be at least 1"),
        ("--target nothing", "no column \"nothing\""),
        ("--target z --valid-fraction 0", "valid_fraction must be above 0"),
        ("--target z --space bad.toml", "bad.toml: width: must be at least 1"),
        ("--target z --space none.toml", "none.toml: No such file"),
        ("--target z --log train.jsonl", "train.jsonl, line 1: this is no log of a search"),
        ("--target z --log model.safetensors", "cannot both be"),
        ("--target z --log none/tune.jsonl", "no folder"),
        ("--target z --score fastest", "\"fastest\" is no score"),
    ] {
        let message = fail(&folder, 2, &format!("tune train.csv {arguments}"));
        assert!(message.contains(part), "{arguments}: {message}");
    }
    assert_eq!(folder.files(), before);
    let help = folder.succeed("tune --help");
    assert!(help.contains("learning_rate_factor = {") && help.contains("--valid-fraction"), "{help}");
}

/// Ctrl-C ends a search at once, and the same command finishes it.
#[cfg(unix)]
#[test]
fn an_interrupted_search_goes_on() {
    use std::process::{Command, Stdio};
    use std::time::Duration;

    let folder = tuning();
    // Trainings that take for ever.
    let arguments =
        "tune train.csv --target z --ignore y --trials 3 --space space.toml --epochs 3000000 --patience 0 --threads 1";
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("chainrule"))
        .current_dir(folder.path())
        .args(arguments.split(' '))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(!folder.files().contains(&"model.safetensors".to_owned()), "{:?}", folder.files());
    assert_eq!(folder.read("tune.jsonl").lines().count(), 1);
    // Time is up before anything is done: no model either.
    let message = fail(&folder, 1, &format!("{arguments} --time 1s --json"));
    assert!(message.contains("no training was done in time"), "{message}");
}
