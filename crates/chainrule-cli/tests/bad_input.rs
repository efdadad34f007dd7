//! Wrong usage and wrong input: one clear message, the right exit status, and no file left behind.
#![allow(clippy::unwrap_used)]

mod common;

use common::Folder;

/// What is run, the exit status, and what the message must say.
struct Case(&'static str, i32, &'static [&'static str]);

const CASES: &[Case] = &[
    // 1-4: the file
    Case("train nothing.csv --target y", 2, &["nothing.csv", "No such file"]),
    Case("train . --target y", 2, &["a folder, not a file"]),
    Case("train empty.csv --target y", 2, &["empty.csv", "empty"]),
    Case("train header.csv --target y", 2, &["header.csv", "no row"]),
    // 5-9: its form
    Case("train ragged.csv --target y", 2, &["ragged.csv", "line 3"]),
    Case("train latin.csv --target y", 2, &["latin.csv", "line 3", "UTF-8"]),
    Case("train cut.parquet --target y", 2, &["cut.parquet: cannot be read: Invalid Parquet file"]),
    Case("train cut.csv.gz --target y", 2, &["cut.csv.gz"]),
    Case("train damaged.arrow --target y", 2, &["damaged.arrow", "it is damaged"]),
    Case("train odd.csv --target y", 2, &["odd.csv", "delimiter"]),
    // 10-14: columns
    Case("train train.csv --target Y", 2, &["no column \"Y\"", "did you mean \"y\""]),
    Case("train train.csv --target y --ignore aa", 2, &["no column \"aa\""]),
    Case("train train.csv --target y --weight c", 2, &["column \"c\""]),
    Case("train train.csv --target y --types c=number", 2, &["\"c\"", "red"]),
    Case("train constant.csv --target y", 2, &["constant.csv", "no column"]),
    // 15-20: values
    Case("train gap.csv --target y", 2, &["gap.csv", "row 2", "missing"]),
    Case("train one.csv --target y", 2, &["one class only", "\"yes\""]),
    Case("train inf.csv --target y", 2, &["inf.csv", "row 2", "column \"a\"", "inf"]),
    Case("train negative.csv --target y --task count", 2, &["row 2", "-1"]),
    Case("train train.csv --target c --task regression", 2, &["column \"c\"", "row 1"]),
    Case("train train.csv --target z --weight negative_weight", 2, &["negative_weight"]),
    // 21-28: settings
    Case("train train.csv --target y --hiden 8", 2, &["--hiden", "--hidden"]),
    Case("train train.csv --target y --activation rleu", 2, &["rleu", "relu"]),
    Case("train train.csv --target y --dropout 1.5", 2, &["dropout", "1.5"]),
    Case("train train.csv --target y --learning-rate=-1", 2, &["learning_rate"]),
    Case("train train.csv --target y --config wrong.toml", 2, &["wrong.toml", "`hiden`", "`hidden`"]),
    Case("train train.csv --target y --head poisson --task classification", 2, &["poisson"]),
    Case("train train.csv --effort fast --target y --metric rmse", 2, &["metric rmse", "bernoulli"]),
    Case("train train.csv --target y --threads 100000", 2, &["--threads", "1024"]),
    Case("train train.csv --target y --epochs -1", 2, &["--epochs", "-1"]),
    Case("train train.csv --effort fast --target y --hidden 100000,100000", 2, &["10001000001 parameters"]),
    Case("train train.csv --target z --exposure n", 2, &["n", "above 0"]),
    Case("train train.csv --target n --exposure z --head gaussian", 2, &["exposure", "--task count"]),
    Case("train train.csv --target y --output nowhere/m.safetensors", 2, &["nowhere", "no folder"]),
    Case("cv train.csv --target y --folds 1", 2, &["folds"]),
    Case("train train.csv --target y --optimizer lbfgs", 2, &["L-BFGS", "without dropout"]),
    Case("train train.csv --target y --clip-norm -1", 2, &["clip_norm must be > 0", "-1"]),
    Case("train train.csv --target y --ema 1", 2, &["ema must be in [0, 1)"]),
    Case("train train.csv --target y --time abc", 2, &["--time", "\"abc\" is no time", "10m"]),
    Case("train train.csv --target y --time 0s", 2, &["--time", "is no time"]),
    Case("train train.csv --target y --members 0", 2, &["members must be at least 1"]),
    Case("train train.csv --target y --members -1", 2, &["--members", "-1"]),
    Case("train train.csv --target y --members 61", 2, &["members must be 1 to 60", "got 61"]),
    Case("cv train.csv --target y --members 49", 2, &["members must be 1 to 48", "got 49"]),
    Case("train train.csv --target y --effort huge", 2, &["--effort", "fast", "best"]),
    Case("train train.csv --target y --effort best --preset plain", 2, &["--effort", "--preset"]),
    Case("find-lr train.csv --target Y", 2, &["no column \"Y\"", "did you mean \"y\""]),
    Case("find-lr train.csv --target y --optimizer rprop", 2, &["no learning rate to look for"]),
    // 29-35: models and prediction
    Case("predict train.csv train.csv", 2, &["train.csv", "no chainrule model"]),
    Case("predict cut.safetensors train.csv", 2, &["cut.safetensors", "cut short"]),
    Case("predict altered.safetensors train.csv", 2, &["altered.safetensors", "digest"]),
    Case("predict huge.safetensors train.csv", 2, &["huge.safetensors"]),
    Case("predict newer.safetensors train.csv", 2, &["newer.safetensors", "chainrule-9", "chainrule-3"]),
    Case("predict /dev/null train.csv", 2, &["/dev/null", "no chainrule model"]),
    Case("predict good.safetensors other.csv", 2, &["other.csv", "no column \"b\""]),
    Case("predict good.safetensors text.csv", 2, &["text.csv", "column \"a\"", "row 2"]),
    Case("evaluate good.safetensors unknown.csv", 2, &["unknown.csv", "row 2", "maybe"]),
    Case("predict good.safetensors train.csv -o out.xlsx", 2, &["out.xlsx", ".csv"]),
    Case("predict good.safetensors train.csv -o nowhere/out.csv", 2, &["nowhere/out.csv", "no folder"]),
    Case("train train.csv --target y --test unknown.csv --epochs 1000000 --patience 0", 2, &["unknown.csv", "maybe"]),
    // 36: training breaks
    Case(
        "train train.csv --effort fast --target z --learning-rate 1e30 --optimizer sgd --epochs 3",
        1,
        &["learning rate", "try"],
    ),
    // heads, certificates and weights
    Case("train train.csv --target z --head gausian", 2, &["--head", "unknown head `gausian`"]),
    Case("train train.csv --target z --head student_t:degrees=-1", 2, &["degrees must be > 0"]),
    Case("train train.csv --target a --head gamma", 2, &["train.csv, row 1, column \"a\"", "gamma", "> 0"]),
    Case("train train.csv --target y --head ordinal", 2, &["--class-order no,yes"]),
    Case("train train.csv --target y --head ordinal --class-order no,maybe", 2, &["column \"y\"", "\"maybe\""]),
    Case("train train.csv --target z --head weibull_aft --event c", 2, &["column \"c\"", "row 1"]),
    Case("train train.csv --target z --event n", 2, &["column \"n\"", "event"]),
    Case("train train.csv --target z --head gaussian --event n", 2, &["weibull_aft"]),
    Case("train train.csv --target z --head beta", 2, &["row 1", "beta", "between 0 and 1"]),
    Case("train train.csv --target z --head gaussian --exposure n", 2, &["exposure", "gaussian"]),
    Case("predict good.safetensors train.csv --interval 0.9", 2, &["bernoulli", "probability of each class"]),
    Case("predict good.safetensors train.csv --interval 1.5", 2, &["between 0 and 1", "1.5"]),
    Case("check good.safetensors", 2, &["<TABLE>"]),
    Case("check good.safetensors other.csv", 2, &["other.csv"]),
    Case("check good.safetensors train.csv -o nowhere/c", 2, &["nowhere"]),
    Case("explain-weight good.safetensors train.csv --row 99 --layer 1 --from 1 --to 1", 2, &["--row 99", "1 to 60"]),
    Case("explain-weight good.safetensors train.csv --row 1 --layer 9 --from 1 --to 1", 2, &["--layer 9", "1 to 3"]),
    Case("explain-weight good.safetensors train.csv --row 1 --layer 1 --from x --to 1", 2, &["--from x", "\"a\""]),
    Case(
        "explain-weight good.safetensors train.csv --row 1 --layer 1 --from 1 --to 1 --member 2",
        2,
        &["--member 2", "1 to 1"],
    ),
];

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("empty.csv", "");
    folder.write("header.csv", "a,y\n");
    folder.write("ragged.csv", "a,y\n1,yes\n2,no,3\n");
    folder.write("latin.csv", b"a,y\n1,yes\n2,n\xf6\n");
    folder.write("cut.parquet", b"PAR1 and then nothing that makes sense");
    folder.write("cut.csv.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b\xd2\x49");
    folder.write("odd.csv", "a~y\n1~yes\n2~no\n");
    folder.write("constant.csv", "a,y\n1,yes\n1,no\n1,yes\n1,no\n");
    folder.write("gap.csv", "a,y\n1,yes\n2,\n3,no\n");
    folder.write("one.csv", "a,y\n1,yes\n2,yes\n");
    folder.write("inf.csv", "a,y\n1,yes\ninf,no\n3,yes\n4,no\n");
    folder.write("negative.csv", "a,y\n1,3\n2,-1\n3,0\n");
    folder.write("wrong.toml", "hiden = [8]\n");
    folder.write("other.csv", "a,c\n1,red\n");
    folder.write("text.csv", "a,b,c,z,n\n1,2,red,1,1\nx,2,red,1,1\n");
    folder.write("unknown.csv", "a,b,c,z,n,y\n1,2,red,1,1,yes\n1,2,red,1,1,maybe\n");
    folder.succeed("train train.csv --effort fast --target y --epochs 2 --output good.safetensors");
    folder.succeed("predict good.safetensors train.csv -o damaged.arrow");
    let mut arrow = std::fs::read(folder.path().join("damaged.arrow")).unwrap();
    // 60 numbers of 8 bytes: their length becomes one beyond the file.
    let length = arrow.windows(8).rposition(|bytes| bytes == 480_u64.to_le_bytes()).unwrap();
    arrow[length + 4] = 1;
    folder.write("damaged.arrow", arrow);
    let good = std::fs::read(folder.path().join("good.safetensors")).unwrap();
    folder.write("cut.safetensors", &good[..good.len() / 2]);
    let version = good.windows(11).position(|bytes| bytes == b"chainrule-3").unwrap();
    let mut newer = good.clone();
    newer[version + 10] = b'9';
    folder.write("newer.safetensors", newer);
    let mut altered = good.clone();
    *altered.last_mut().unwrap() ^= 1;
    folder.write("altered.safetensors", altered);
    // A header that claims far more than the file holds.
    folder.write("huge.safetensors", [&u64::MAX.to_le_bytes()[..], &good[8..]].concat());
    folder
}

/// What is wrong with how a case failed.
fn complaints(folder: &Folder, Case(arguments, status, parts): &Case) -> Vec<String> {
    let before = folder.files();
    let output = folder.run(arguments);
    let message = String::from_utf8_lossy(&output.stderr);
    let expected = [
        (output.status.code() == Some(*status), format!("exit status {:?}, not {status}", output.status.code())),
        (message.matches("error: ").count() == 1, "not exactly one error".to_owned()),
        (!message.contains("panicked"), "a panic".to_owned()),
        (folder.files() == before, "a file is left behind".to_owned()),
    ];
    let said = parts.iter().map(|part| (message.contains(part), format!("{part:?} is not said")));
    let failed = expected.into_iter().chain(said).filter(|(holds, _)| !holds);
    failed.map(|(_, complaint)| format!("{arguments}\n  {complaint}: {message}")).collect()
}

#[test]
fn each_gives_one_clear_message_and_no_file() {
    let folder = folder();
    let complaints: Vec<String> = CASES.iter().flat_map(|case| complaints(&folder, case)).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// A full disk: nothing more can be written, and the error of that leaves no file.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_without_a_file() {
    let folder = Folder::new();
    // Files of this shell's programs end after 50 blocks, and writing more is an error, as on a full disk.
    let limited = |arguments: &str| {
        let program = assert_cmd::cargo::cargo_bin("chainrule");
        let script = format!("trap '' XFSZ; ulimit -f 50; exec {} {arguments}", program.display());
        let output =
            std::process::Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let before = folder.files();
    let (status, message) = limited("train train.csv --effort fast --target y --epochs 2");
    assert_eq!(status, Some(1), "{message}");
    assert!(message.contains("error: model.safetensors: File too large"), "{message}");
    assert_eq!(message.matches("too large").count(), 1, "{message}");
    assert_eq!(folder.files(), before);

    folder.succeed("train train.csv --effort fast --target y --epochs 2");
    let good = std::fs::read(folder.path().join("model.safetensors")).unwrap();
    assert_eq!(limited("train train.csv --effort fast --target y --epochs 3").0, Some(1));
    assert_eq!(std::fs::read(folder.path().join("model.safetensors")).unwrap(), good, "the old model is kept");

    std::os::unix::fs::symlink("/dev/full", folder.path().join("full.csv")).unwrap();
    let output = folder.run("predict model.safetensors train.csv -o full.csv");
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("No space left on device"), "{message}");
}
