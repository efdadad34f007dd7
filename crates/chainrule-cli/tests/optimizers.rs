//! Every optimizer from the command line, and the search for a learning rate.
#![allow(clippy::unwrap_used)]

mod common;

use common::Folder;
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn every_optimizer_trains() {
    let folder = Folder::new();
    for (name, rate) in [("rmsprop", 0.01), ("adagrad", 0.05), ("rprop", 0.001), ("lbfgs", 0.001)] {
        let flags =
            format!("--optimizer {name} --learning-rate {rate} --hidden 16 --dropout 0 --batch 60 --patience 0 --json");
        let more = if name == "lbfgs" { "" } else { "--clip-norm 1 --ema 0.9" };
        let report =
            json(&folder.succeed(&format!("train train.csv --effort fast --target z --epochs 100 {flags} {more}")));
        assert!(report["metrics"]["r2"].as_f64().unwrap() > 0.9, "{name}: {report}");
    }
    let card = json(&folder.succeed("inspect model.safetensors --json"));
    assert_eq!(card["settings"]["optimizer"], serde_json::json!({ "kind": "lbfgs", "history": 10, "tolerance": 1e-4 }));
    folder.succeed("train train.csv --effort fast --target y --epochs 2 --clip-norm 0.5 --ema 0.9");
    let card = json(&folder.succeed("inspect model.safetensors --json"));
    assert_eq!((&card["settings"]["clip_norm"], &card["settings"]["ema"]), (&0.5.into(), &0.9.into()));
}

/// Without hidden layers L-BFGS says that it has come to the end.
#[test]
fn a_linear_model_converges() {
    let folder = Folder::new();
    folder.write("s.toml", "hidden = []\noptimizer = { kind = \"lbfgs\", tolerance = 1e-3 }\nl2 = 0.01\n");
    let text = folder.succeed("train train.csv --effort fast --target z --config s.toml --valid-fraction 0");
    assert!(text.contains(", converged"), "{text}");
}

#[test]
fn a_learning_rate_is_found_and_the_command_that_takes_it() {
    let folder = Folder::new();
    let found = json(&folder.succeed("find-lr train.csv --effort fast --target z --hidden 16 --lr 3 --json"));
    let rate = found["learning_rate"].as_f64().unwrap();
    assert!((1e-5..1.0).contains(&rate), "{found}");
    assert!(found["points"].as_array().unwrap().len() > 100);
    let command = found["command"].as_str().unwrap();
    let (_, arguments) = command.split_once(" train ").unwrap();
    assert!(arguments.starts_with("train.csv --effort fast --target z --hidden 16 --learning-rate 0."), "{command}");
    folder.succeed(&format!("train {arguments} --epochs 3"));
    let text = folder.succeed("find-lr train.csv --effort fast --target z --hidden 16");
    assert!(text.contains("suggestion") && text.contains("####") && text.contains(" train train.csv"), "{text}");
    assert_eq!(folder.files(), ["model.safetensors", "train.csv"]);
}
