//! A folder with small tables, and the binary run inside it.
#![allow(dead_code)] // each test file uses its part
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use tempfile::TempDir;

/// A folder of its own, with `train.csv`: 60 rows, numbers `a` and `b`, text `c`, classes `y`, number `z`, count `n`.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let rows = (0..60).map(|i| {
            let (a, b) = ((i * 37 % 60) as f64 / 10.0, (i * 17 % 60) as f64 / 10.0);
            let c = ["red", "green", "blue"][i % 3];
            let y = if a + b > 6.0 { "yes" } else { "no" };
            format!("{a},{b},{c},{y},{:.3},{}\n", 100.0 + 10.0 * a - b, i % 4)
        });
        folder.write("train.csv", &("a,b,c,y,z,n\n".to_owned() + &rows.collect::<String>()));
        folder
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path().join(name), content).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// Runs `chainrule` with arguments separated by spaces.
    pub fn run(&self, arguments: &str) -> Output {
        let mut command = Command::cargo_bin("chainrule").unwrap();
        command.current_dir(self.path()).args(arguments.split_whitespace()).output().unwrap()
    }

    /// Runs `chainrule`, which must succeed; returns its standard output.
    pub fn succeed(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The names of the files.
    pub fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}
