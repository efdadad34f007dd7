//! Efforts, presets that look at the table, models of several networks, and limits of time.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

use common::Folder;
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_table_chooses_the_preset_and_flags_win() {
    let folder = Folder::new();
    let text = folder.succeed("train train.csv --target y --epochs 3");
    assert!(
        text.contains("preset      auto: 4 networks of up to 3 epochs (chosen for classification of 60 rows)"),
        "{text}"
    );
    let text = folder.succeed("train train.csv --target y --hidden 8 --batch 60");
    assert!(
        text.contains("preset      auto: 4 networks of up to 128 epochs (chosen for classification of 60 rows)"),
        "{text}"
    );
    assert!(text.contains("-> 8 mish") || text.contains("-> 8 selu"), "{text}");
    let card = json(&folder.succeed("inspect model.safetensors --json"));
    assert_eq!((&card["settings"]["preset"], &card["settings"]["epochs"]), (&"auto".into(), &128.into()));
    let text = folder.succeed("train train.csv --target y --effort fast --epochs 2");
    assert!(text.contains("preset      plain: 1 network of up to 2 epochs (as asked)"), "{text}");
    folder.write("s.toml", "preset = \"plain\"\nepochs = 2\n");
    let report = json(&folder.succeed("train train.csv --target y --config s.toml --json"));
    assert_eq!((&report["preset"], &report["members"]), (&"plain".into(), &1.into()));
}

#[test]
fn the_best_effort_is_several_networks_that_every_command_takes() {
    let folder = Folder::new();
    let flags = "--target y --ignore z --effort best --epochs 8 --hidden 8 --batch 16";
    let report = json(&folder.succeed(&format!("train train.csv {flags} --test train.csv --json")));
    assert_eq!((&report["preset"], &report["members"], &report["valid_rows"]), (&"best".into(), &8.into(), &60.into()));
    let evaluated = json(&folder.succeed("evaluate model.safetensors train.csv --json"));
    assert_eq!(evaluated["metrics"], report["test_metrics"]);
    assert!(folder.succeed("evaluate model.safetensors train.csv").contains("calibration_error"));
    let text = folder.succeed("inspect model.safetensors");
    assert!(text.contains("8 such networks") && text.contains("member  epochs  best epoch"), "{text}");
    assert_eq!(json(&folder.succeed("inspect model.safetensors --json"))["members"], 8);
    let text = folder.succeed("check model.safetensors train.csv --rows 5 --parameters 20");
    assert!(text.contains("of each of 8 members; the worst is in member"), "{text}");
    let explain = |more: &str| {
        let place = "--row 1 --layer 1 --from 1 --to 1";
        json(&folder.succeed(&format!("explain-weight model.safetensors train.csv {place} {more} --json")))
    };
    assert_eq!(explain("")["weight"], explain("--member 1")["weight"]);
    assert_ne!(explain("")["weight"], explain("--member 8")["weight"]);
    let text = folder.succeed(&format!("train train.csv {flags} --members 3"));
    assert!(text.contains("best: 3 networks of up to 8 epochs (chosen for classification of 60 rows)"), "{text}");
    assert!(
        text.contains("60; each network learns from all but about 12") && text.contains("the model is 3 networks"),
        "{text}"
    );
    let scores = json(&folder.succeed(&format!("cv train.csv {flags} --members 2 --folds 2 --json")));
    assert_eq!(scores["folds"].as_array().unwrap().len(), 2);
}

/// A regression of several networks has intervals from rows that none of them learned from.
#[test]
fn several_networks_have_intervals() {
    let folder = Folder::new();
    let flags = "--target z --ignore y,n --effort fast --members 4 --valid-fraction 0.25 --epochs 150 --learning-rate 0.01 --hidden 32";
    folder.succeed(&format!("train train.csv {flags}"));
    let text = folder.succeed("predict model.safetensors train.csv --interval 0.8");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("prediction,lower,upper"));
    let width = |line: &str| {
        let x: Vec<f64> = line.split(',').map(|x| x.parse().unwrap()).collect();
        assert!((0.5 * (x[1] + x[2]) - x[0]).abs() < 1e-6, "{line}");
        x[2] - x[1]
    };
    let widths: Vec<f64> = lines.map(width).collect();
    assert!(widths.len() == 60 && widths.iter().all(|w| *w > 0.0 && (w - widths[0]).abs() < 1e-6), "{widths:?}");
    assert!(folder.succeed("inspect model.safetensors").contains("from the errors on 60 held-out rows"));
}

#[test]
fn when_the_time_is_over_the_best_so_far_is_the_model() {
    let folder = Folder::new();
    let started = Instant::now();
    let flags = "--target y --effort best --epochs 100000000 --time 2s --threads 2 --json";
    let report = json(&folder.succeed(&format!("train train.csv {flags}")));
    assert!(started.elapsed() < Duration::from_secs(20));
    assert_eq!((&report["stopped_by"], &report["ended"]["kind"]), (&"--time".into(), &"stopped".into()));
    // Those that trained side by side.
    assert_eq!(report["members"], 2);
    folder.succeed("evaluate model.safetensors train.csv");
    let text = folder.succeed("train train.csv --target y --epochs 2 --effort fast --time 1h");
    assert!(!text.contains("stopped"), "{text}");
}
