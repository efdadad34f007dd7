//! The main job, as a user does it.
#![allow(clippy::unwrap_used)]

mod common;

use common::Folder;
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn train_predict_and_evaluate_agree() {
    let folder = Folder::new();
    let trained = json(
        &folder.succeed("train train.csv --effort fast --target y --test train.csv --ignore z --epochs 60 --json"),
    );
    assert_eq!(trained["task"], "classification");
    assert_eq!(trained["metrics_on"], "test");
    let accuracy = trained["metrics"]["accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.9, "{trained}");
    for name in ["balanced_accuracy", "log_loss", "auc", "f1"] {
        assert!(trained["metrics"][name].is_f64(), "{name}: {trained}");
    }

    let evaluated = json(&folder.succeed("evaluate model.safetensors train.csv --json"));
    assert_eq!(evaluated["metrics"], trained["metrics"]);
    assert_eq!(evaluated["model_hash"], trained["model_hash"]);

    folder.succeed("predict model.safetensors train.csv -o out.csv");
    let predictions = folder.read("out.csv");
    assert_eq!(predictions.lines().next(), Some("prediction,probability_no,probability_yes"));
    let truth: Vec<String> =
        folder.read("train.csv").lines().skip(1).map(|l| l.split(',').nth(3).unwrap().into()).collect();
    let right = predictions.lines().skip(1).zip(&truth).filter(|(line, y)| line.split(',').next() == Some(y.as_str()));
    assert!((right.count() as f64 / 60.0 - accuracy).abs() < 1e-12);
}

#[test]
fn a_model_is_the_same_bits_whatever_the_threads_and_the_instruction_set() {
    let folder = Folder::new();
    let flags = "train train.csv --effort fast --target z --hidden 40,33 --activation gelu,tanh --dropout 0.2 --epochs 5 --json";
    let hash = |more: &str| json(&folder.succeed(&format!("{flags} {more}")))["model_hash"].clone();
    let expected = hash("--threads 1");
    for isa in chainrule::Isa::available() {
        for threads in [1, 3] {
            assert_eq!(hash(&format!("--threads {threads} --isa {isa}")), expected, "{isa}, {threads} threads");
        }
    }
    assert_ne!(hash("--seed 1"), expected);
}

#[test]
fn every_scaling_of_numbers_predicts_as_it_trained() {
    let folder = Folder::new();
    for scaling in ["standard", "robust", "quantile_normal"] {
        let flags = "--effort fast --target y --epochs 60 --min-level-rows 1 --category-indicator false --test train.csv --json";
        let trained = json(&folder.succeed(&format!("train train.csv {flags} --numeric-scaling {scaling}")));
        assert!(trained["metrics"]["accuracy"].as_f64().unwrap() > 0.85, "{scaling}: {trained}");
        let evaluated = json(&folder.succeed("evaluate model.safetensors train.csv --json"));
        assert_eq!(evaluated["metrics"], trained["metrics"], "{scaling}");
        let settings = json(&folder.succeed("inspect model.safetensors --json"))["settings"].clone();
        assert_eq!((&settings["numeric_scaling"], &settings["min_level_rows"]), (&scaling.into(), &1.into()));
    }
}

#[test]
fn counts_take_an_exposure_and_rows_a_weight() {
    let folder = Folder::new();
    let rows = (0..200).map(|i| format!("{},{},{},1\n", i % 7, 1 + i % 3, (i % 7) * (1 + i % 3) / 3));
    folder.write("counts.csv", "x,time,claims,w\n".to_owned() + &rows.collect::<String>());
    let trained =
        json(&folder.succeed(
            "train counts.csv --effort fast --target claims --exposure time --weight w --test counts.csv --json",
        ));
    assert_eq!((&trained["task"], &trained["head"]), (&"count".into(), &"poisson".into()));
    assert!(trained["metrics"]["r2"].as_f64().unwrap() > 0.8, "{trained}");
}

#[test]
fn a_regression_speaks_the_targets_unit() {
    let folder = Folder::new();
    let settings = "--epochs 300 --patience 0 --dropout 0 --ignore y";
    let text = folder.succeed(&format!("train train.csv --effort fast --target z {settings} --test train.csv --json"));
    let metrics = &json(&text)["metrics"];
    // z runs from 94 to 160; a network that knows its unit is a few units off.
    assert!(metrics["rmse"].as_f64().unwrap() < 4.0 && metrics["r2"].as_f64().unwrap() > 0.95, "{text}");
}

#[test]
fn a_table_comes_from_standard_input_and_goes_to_parquet() {
    let folder = Folder::new();
    let mut command = assert_cmd::Command::cargo_bin("chainrule").unwrap();
    let flags = ["train", "-", "--effort", "fast", "--target", "y", "--epochs", "2"];
    command.current_dir(folder.path()).args(flags).write_stdin(folder.read("train.csv")).assert().success();
    folder.succeed("predict model.safetensors train.csv -o out.parquet");
    folder.write("truth.csv", "prediction\n");
    assert!(std::fs::read(folder.path().join("out.parquet")).unwrap().starts_with(b"PAR1"));
}

#[test]
fn settings_come_from_a_file_and_flags_win() {
    let folder = Folder::new();
    folder.write("s.toml", "hidden = [12]\nepochs = 3\noptimizer = { kind = \"momentum\", nesterov = true }\n");
    folder.succeed("train train.csv --effort fast --target y --config s.toml --epochs 2 --patience 0");
    let card = json(&folder.succeed("inspect model.safetensors --json"));
    assert_eq!(card["network"]["hidden"][0]["width"], 12);
    assert_eq!(card["settings"]["epochs"], 2);
    assert_eq!(card["settings"]["optimizer"]["kind"], "momentum");
    let text = folder.succeed("inspect model.safetensors");
    assert!(text.contains("one-hot of 3 levels") && text.contains("layers.0.weight"), "{text}");
}

#[test]
fn cross_validation_scores_every_fold() {
    let folder = Folder::new();
    let text = folder.succeed("cv train.csv --effort fast --target y --folds 3 --epochs 20 --json");
    let scores = json(&text);
    assert_eq!(scores["folds"].as_array().unwrap().len(), 3);
    assert!(scores["metrics"]["accuracy"].as_f64().unwrap() > 0.6, "{text}");
    assert!(scores["standard_deviation"]["log_loss"].is_f64());
}

/// Texts that look like numbers where a file holds no others are still the texts of the training.
#[test]
fn codes_mean_the_same_in_every_file() {
    let folder = Folder::new();
    let row = |i: usize| ["1.0", "2.0", "x"][i % 3].to_owned() + ["\n", ",02\n", ",01\n", ",x1\n"][1 + i % 3];
    folder.write("codes.csv", "c,y\n".to_owned() + &(0..90).map(row).collect::<String>());
    folder.write("some.csv", "c,y\n1.0,02\n2.0,01\n");
    let train = "train codes.csv --effort fast --target y --test some.csv --valid some.csv --epochs 30 --json";
    assert_eq!(json(&folder.succeed(train))["test_metrics"]["accuracy"], 1.0);
    assert_eq!(json(&folder.succeed("evaluate model.safetensors some.csv --json"))["metrics"]["accuracy"], 1.0);
    let predictions = folder.succeed("predict model.safetensors some.csv");
    assert_eq!(
        predictions.lines().map(|l| l.split(',').next().unwrap()).collect::<Vec<_>>(),
        ["prediction", "02", "01"]
    );
}

#[test]
fn a_reader_who_has_had_enough_is_no_error() {
    let folder = Folder::new();
    folder.write("long.csv", "a,b,c,z,n\n".to_owned() + &"1,2,red,100,1\n".repeat(20_000));
    folder.succeed("train train.csv --effort fast --target y --epochs 1");
    let program = assert_cmd::cargo::cargo_bin("chainrule");
    for arguments in
        ["predict model.safetensors long.csv", "completions bash", "evaluate model.safetensors train.csv --json"]
    {
        let script = format!("{} {arguments} | exec 0<&-", program.display());
        let output =
            std::process::Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments}");
    }
}

#[test]
fn without_held_out_rows_the_training_cost_is_shown() {
    let folder = Folder::new();
    let text = folder.succeed("train train.csv --effort fast --target y --epochs 2 --valid-fraction 0");
    assert!(text.contains("on the training rows; none were held out"), "{text}");
}

#[test]
fn completions_and_help_are_printed() {
    let folder = Folder::new();
    assert!(folder.succeed("completions bash").contains("_chainrule"));
    let help = folder.succeed("train --help");
    for flag in [
        "--target",
        "--effort",
        "--time",
        "--members",
        "--hidden",
        "--activation",
        "--learning-rate",
        "--patience",
        "--exposure",
    ] {
        assert!(help.contains(flag), "{flag}");
    }
}

/// Ctrl-C in the middle: the training ends after the batch and the model is written.
#[cfg(unix)]
#[test]
fn an_interrupted_training_leaves_a_usable_model() {
    use std::process::{Command, Stdio};
    use std::time::Duration;

    let folder = Folder::new();
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("chainrule"))
        .current_dir(folder.path())
        .args("train train.csv --effort fast --target y --epochs 100000000 --patience 0 --json".split(' '))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert!(child.wait().unwrap().success());
    let text = folder.succeed("evaluate model.safetensors train.csv --json");
    assert!(json(&text)["metrics"]["accuracy"].as_f64().unwrap() > 0.9);
}
