//! What was measured, on what: for the reader of the page.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use super::peers::Library;
use crate::root;

const UNKNOWN: &str = "unknown";

/// A Markdown list of date, machine and versions. What cannot be found out is unknown, never an error.
pub fn describe(libraries: &[Library]) -> String {
    format!("{}- Libraries: {}\n", host(), versions(libraries).join(", "))
}

/// The same without the libraries.
pub fn host() -> String {
    let cores = thread::available_parallelism().map_or(UNKNOWN.to_owned(), |count| count.to_string());
    let lines = [
        format!("- Date: {}", output("date", &["-u", "+%Y-%m-%d"])),
        format!("- CPU: {}, {cores} cores, {}", cpu(), caches()),
        format!("- System: {}", system()),
        format!("- Compiler: {}", output("rustc", &["--version"])),
        format!("- chainrule {}, commit {}", env!("CARGO_PKG_VERSION"), commit()),
    ];
    lines.join("\n") + "\n"
}

fn output(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments);
    if let Ok(root) = root() {
        command.current_dir(root);
    }
    let output = command.output().ok().filter(|output| output.status.success());
    output.map_or(UNKNOWN.to_owned(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The last commit, and whether the sources differ from it.
fn commit() -> String {
    let changed = output("git", &["status", "--porcelain", "--", "crates", "bench", "Cargo.lock"]);
    let hash = output("git", &["rev-parse", "--short", "HEAD"]);
    if changed.is_empty() { hash } else { format!("{hash} with changes") }
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).map_or(UNKNOWN.to_owned(), |text| text.trim().to_owned())
}

/// The processor's name and model.
pub fn cpu() -> String {
    let text = read("/proc/cpuinfo");
    let fields = fields(&text, ':');
    let field = |name| fields.get(name).copied().unwrap_or(UNKNOWN);
    format!("{} (family {}, model {})", field("model name"), field("cpu family"), field("model"))
}

fn system() -> String {
    let text = read("/etc/os-release");
    let name = fields(&text, '=').get("PRETTY_NAME").map_or(UNKNOWN, |name| name.trim_matches('"'));
    format!("{name}, kernel {}", read("/proc/sys/kernel/osrelease"))
}

/// `name: value` lines; of several with one name, the last.
fn fields(text: &str, separator: char) -> HashMap<&str, &str> {
    let split = |line| str::split_once(line, separator).map(|(name, value)| (name.trim(), value.trim()));
    text.lines().filter_map(split).collect()
}

/// The caches of the first core, as in `L1 48K data`.
fn caches() -> String {
    let folder = |index| format!("/sys/devices/system/cpu/cpu0/cache/index{index}");
    let found = (0..).map(folder).take_while(|folder| Path::new(folder).exists()).map(|folder| {
        let [level, size, kind] = ["level", "size", "type"].map(|name| read(format!("{folder}/{name}")));
        let kind = if kind == "Unified" { String::new() } else { format!(" {}", kind.to_lowercase()) };
        format!("L{level} {size}{kind}")
    });
    let found: Vec<String> = found.collect();
    if found.is_empty() { format!("caches {UNKNOWN}") } else { found.join(", ") }
}

/// Of each library, once.
fn versions(libraries: &[Library]) -> Vec<String> {
    let mut found = vec![];
    for (index, &library) in libraries.iter().enumerate() {
        let version = match (library.python_package(), library.rust_package()) {
            _ if libraries[..index].contains(&library) => continue,
            (Some(package), _) => installed(package),
            (_, Some(package)) => locked(package),
            (None, None) => continue,
        };
        found.push(format!("{library} {version}"));
    }
    found
}

fn installed(package: &str) -> String {
    let script = format!("from importlib.metadata import version; print(version({package:?}))");
    output("bench/.venv/bin/python", &["-c", &script])
}

fn locked(package: &str) -> String {
    let lock = root().map_or(UNKNOWN.to_owned(), |root| read(root.join("bench/rust-peers/Cargo.lock")));
    locked_version(&lock, package).unwrap_or(UNKNOWN).to_owned()
}

/// The version of a package in a lock file of cargo.
fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let (_, rest) = lock.split_once(&format!("\nname = {package:?}\nversion = \""))?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_a_lock_file() {
        let lock = "[[package]]\nname = \"burn-core\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"burn\"\nversion = \"2.1.0\"\n";
        assert_eq!(locked_version(lock, "burn"), Some("2.1.0"));
        assert_eq!(locked_version(lock, "bur"), None);
    }

    #[test]
    fn fields_of_a_list() {
        let text = "processor\t: 0\nmodel name\t: A CPU @ 2 GHz\nflags\nmodel\t: 7\n";
        let fields = fields(text, ':');
        assert_eq!((fields["model name"], fields["model"], fields.get("flags")), ("A CPU @ 2 GHz", "7", None));
    }

    #[test]
    fn what_is_not_there_is_unknown() {
        assert_eq!(output("no such program", &[]), UNKNOWN);
        assert_eq!(read("/no/such/file"), UNKNOWN);
    }
}
