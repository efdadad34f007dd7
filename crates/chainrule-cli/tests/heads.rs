//! Every head from the command line: training, prediction with intervals, scores, certificates, the elements of a weight.
#![allow(clippy::unwrap_used)]

mod common;

use common::Folder;
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A number in [0, 1) from a counter, spread like random ones.
fn uniform(i: u64) -> f64 {
    let mut x = i.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// `data.csv`: features `a` and `b`, and a target for every head. `real` is about 50 + 20 a with errors of deviation 5.
fn folder(rows: u64) -> Folder {
    let folder = Folder::new();
    let mut text = "a,b,real,positive,amount,fraction,count,time,seen,grade,exposure\n".to_owned();
    for i in 0..rows {
        let u = |k: u64| uniform(16 * i + k);
        let (a, b) = (2.0 * u(0) - 1.0, 2.0 * u(1) - 1.0);
        let normal = (0..12).map(|k| uniform(1_000_000 + 16 * i + k)).sum::<f64>() - 6.0;
        let real = 50.0 + 20.0 * a + 5.0 * normal;
        let exponential = -(1.0 - u(2)).ln();
        let positive = (0.5 + a).exp() * (exponential + 0.01);
        let amount = if u(3) < 0.3 { 0.0 } else { positive };
        let fraction = 1.0 / (1.0 + (-(a + normal)).exp());
        let count = (f64::exp(1.0 + a) * 2.0 * u(4)).floor();
        let (time, seen) = (positive.min(3.0), u8::from(positive < 3.0));
        let grade = ["low", "medium", "high"][usize::from(real > 42.0) + usize::from(real > 58.0)];
        text += &format!(
            "{a:.4},{b:.4},{real:.3},{positive:.4},{amount:.4},{fraction:.6},{count},{time:.4},{seen},{grade},{:.2}\n",
            0.5 + u(5)
        );
    }
    folder.write("data.csv", text);
    folder
}

const TARGETS: &str = "real,positive,amount,fraction,count,time,seen,grade,exposure";

/// Flags that train a small network on `target` with `head`.
fn flags(target: &str, head: &str, more: &str) -> String {
    let used = |name: &&str| *name != target && !more.split([' ', '=']).any(|word| word == *name);
    let ignore: Vec<&str> = TARGETS.split(',').filter(used).collect();
    format!(
        "data.csv --effort fast --target {target} --head {head} --ignore {} --hidden 8 --epochs 30 --dropout 0 {more}",
        ignore.join(",")
    )
}

/// The columns of the predictions.
fn predictions(folder: &Folder, more: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let text = folder.succeed(&format!("predict model.safetensors data.csv {more}"));
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    (lines.next().unwrap(), lines.collect())
}

#[test]
fn every_head_trains_predicts_intervals_and_is_certified() {
    let folder = folder(300);
    let cases = [
        ("real", "gaussian", ""),
        ("real", "gaussian:scale=learned", ""),
        ("real", "laplace", ""),
        ("real", "huber:threshold=1", ""),
        ("real", "student_t:degrees=6", ""),
        ("real", "quantile", ""),
        ("count", "poisson", "--exposure exposure"),
        ("count", "negative_binomial", ""),
        ("positive", "gamma", ""),
        ("amount", "tweedie:power=1.4", "--exposure exposure"),
        ("fraction", "beta", ""),
        ("time", "weibull_aft", "--event seen"),
    ];
    for (target, head, more) in cases {
        let trained = json(&folder.succeed(&format!("train {} --test data.csv --json", flags(target, head, more))));
        let metrics = &trained["metrics"];
        assert!(metrics["deviance"].is_f64() && metrics["nll"].is_f64(), "{head}: {trained}");
        assert_eq!(metrics["rmse"].is_f64(), head != "weibull_aft", "{head}: {trained}");
        let (names, rows) = predictions(&folder, "--interval 0.9");
        let at = |name: &str| names.iter().position(|n| n == name).unwrap();
        let value = |row: &[String], name: &str| row[at(name)].parse::<f64>().unwrap();
        assert_eq!(rows.len(), 300);
        for row in &rows {
            let (lower, upper) = (value(row, "lower"), value(row, "upper"));
            let prediction = value(row, "prediction");
            assert!(lower <= prediction && prediction <= upper && lower.is_finite(), "{head}: {names:?} {row:?}");
        }
        let certificate = json(&folder.succeed("check model.safetensors data.csv --rows 10 --parameters 40 --json"));
        assert_eq!(certificate["holds"], true, "{head}: {certificate}");
        assert_eq!(certificate["model_hash"], trained["model_hash"]);
    }
}

#[test]
fn classes_in_order_get_probabilities_and_no_interval() {
    let folder = folder(300);
    let flags = flags("grade", "ordinal", "--class-order low,medium,high --learning-rate 0.02");
    let trained = json(&folder.succeed(&format!("train {flags} --test data.csv --json")));
    assert_eq!((&trained["task"], &trained["head"]), (&"classification".into(), &"ordinal".into()));
    assert!(trained["metrics"]["accuracy"].as_f64().unwrap() > 0.7, "{trained}");
    let (names, rows) = predictions(&folder, "");
    assert_eq!(names, ["prediction", "probability_low", "probability_medium", "probability_high"]);
    for row in rows {
        let p: Vec<f64> = row[1..].iter().map(|p| p.parse().unwrap()).collect();
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-6 && p.iter().all(|&p| p >= 0.0), "{row:?}");
    }
    let refused = folder.run("predict model.safetensors data.csv --interval 0.9");
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no intervals: it gives the probability of each class"));
}

/// The usual regression: its scale is estimated after training, and its intervals hold what they promise.
#[test]
fn the_usual_regression_has_honest_intervals() {
    let folder = folder(3000);
    folder.succeed(&format!("train {}", flags("real", "gaussian", "--batch 64")));
    let (_, rows) = predictions(&folder, "--interval 0.9");
    let truth = folder.read("data.csv");
    let truth = truth.lines().skip(1).map(|line| line.split(',').nth(2).unwrap().parse::<f64>().unwrap());
    let inside = rows.iter().zip(truth).filter(|(row, y)| {
        let (lower, upper): (f64, f64) = (row[1].parse().unwrap(), row[2].parse().unwrap());
        lower <= *y && *y <= upper
    });
    let coverage = inside.count() as f64 / 3000.0;
    assert!((0.87..0.93).contains(&coverage), "{coverage}");
    // Errors of deviation 5: an interval of 2 * 1.645 * 5.
    let width = rows[0][2].parse::<f64>().unwrap() - rows[0][1].parse::<f64>().unwrap();
    assert!((15.0..18.0).contains(&width), "{width}");
}

#[test]
fn quantiles_come_as_columns_and_only_their_intervals() {
    let folder = folder(300);
    folder.succeed(&format!("train {}", flags("real", "quantile:levels=0.1/0.5/0.9", "")));
    let (names, rows) = predictions(&folder, "--interval 0.8");
    assert_eq!(names, ["prediction", "quantile_0.1", "quantile_0.5", "quantile_0.9", "lower", "upper"]);
    for row in rows {
        let x: Vec<f64> = row.iter().map(|x| x.parse().unwrap()).collect();
        assert!(x[1] <= x[2] && x[2] <= x[3] && x[4] == x[1] && x[5] == x[3] && (x[0] - x[2]).abs() < 1e-3, "{row:?}");
    }
    let message = String::from_utf8(folder.run("predict model.safetensors data.csv --interval 0.9").stderr).unwrap();
    assert!(
        message.contains("an interval of 0.9 needs the quantiles 0.05 and 0.95; this model has 0.1, 0.5, 0.9"),
        "{message}"
    );
}

#[test]
fn a_scale_that_is_given_is_in_the_targets_unit() {
    let folder = folder(300);
    folder.succeed(&format!("train {}", flags("real", "gaussian:scale=10", "")));
    let (_, rows) = predictions(&folder, "--interval 0.9");
    let width = rows[0][2].parse::<f64>().unwrap() - rows[0][1].parse::<f64>().unwrap();
    assert!((width - 2.0 * 1.644_853_6 * 10.0).abs() < 1e-3, "{width}");
}

#[test]
fn the_elements_of_a_weight_have_names_and_add_up() {
    let folder = folder(300);
    folder.succeed(&format!(
        "train {}",
        flags("grade", "categorical", "--class-order low,medium,high --activation tanh")
    ));
    let explain = |more: &str| {
        json(&folder.succeed(&format!("explain-weight model.safetensors data.csv --row 17 {more} --json")))
    };
    let report = explain("--layer 1 --from b --to 2");
    assert_eq!(
        (&report["from"], &report["from_name"], &report["to_name"]),
        (&2.into(), &"b".into(), &"unit 2 of hidden layer 1".into())
    );
    assert_eq!(report["above"], serde_json::json!(["low", "medium", "high"]));
    let number = |name: &str| report[name].as_f64().unwrap();
    let products = report["terms"].as_array().unwrap().iter().map(|term| term["product"].as_f64().unwrap());
    let close = |a: f64, b: f64| assert!((a - b).abs() <= 1e-12 * a.abs().max(1e-6), "{a} {b}: {report}");
    close(products.sum(), number("sum"));
    close(number("sum") * number("slope"), number("delta"));
    close(number("source") * number("delta"), number("gradient"));
    close(number("weight") - number("learning_rate") * number("gradient"), number("updated_weight"));
    assert!((number("measured_change") / number("predicted_change") - 1.0).abs() < 0.01, "{report}");
    let output = explain("--layer 2 --from 3 --to high");
    assert_eq!((&output["to"], &output["slope"]), (&3.into(), &Value::Null));
    let text = folder.succeed("explain-weight model.safetensors data.csv --row 17 --layer 1 --from 1 --to 2");
    for part in
        ["h_i", "z_j", "phi'(z_j)", "delta_k w_jk", "Eq. (4)", "Eq. (6)", "Eq. (7)", "medium", "\"a\"", "predicted"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_certificate_is_written_and_the_built_ins_are_listed() {
    let folder = folder(60);
    folder.succeed(&format!("train {}", flags("real", "gaussian", "")));
    let text = folder.succeed("check model.safetensors data.csv --parameters 0 --rows 5 -o proof");
    assert!(text.contains("every derivative compared is right") && text.contains("proof.json, proof.txt"), "{text}");
    assert!(text.starts_with(&folder.read("proof.txt")));
    let certificate = json(&folder.read("proof.json"));
    let compared = certificate["compared"].as_u64().unwrap();
    // Two inputs of five rows besides the parameters.
    assert_eq!(compared, certificate["parameters"].as_u64().unwrap() + 10);
    for name in ["analytic", "numeric", "error", "parameter"] {
        assert!(!certificate["worst"][name].is_null(), "{name}: {certificate}");
    }
}
