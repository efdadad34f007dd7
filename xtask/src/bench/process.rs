//! A peer as a process that speaks the protocol of `bench/README.md`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};

use super::peers::Variant;
use crate::root;

/// A peer that has warmed up. It ends when dropped.
pub struct Peer {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts it and waits until it is ready. A peer that cannot do what is asked is an error that says why.
    pub fn start(variant: &Variant) -> Result<Self> {
        let mut command = Command::new(&variant.program);
        command.args(&variant.arguments).current_dir(root()?.join("bench"));
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.with_context(|| format!("{} cannot be started", variant.program.display()))?;
        let input = child.stdin.take().context("standard input is piped")?;
        let output = BufReader::new(child.stdout.take().context("standard output is piped")?);
        let mut peer = Self { child, input, output };
        let line = peer.line()?;
        ready(&line)?;
        Ok(peer)
    }

    /// One timed stretch: microseconds for a step.
    pub fn run(&mut self) -> Result<f64> {
        writeln!(self.input, "run")?;
        microseconds(&self.line()?)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            bail!("its program ended early ({})", self.child.wait()?);
        }
        Ok(line.trim().to_owned())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nobody to tell.
        let _ = writeln!(self.input, "quit");
        let _ = self.child.wait();
    }
}

fn ready(line: &str) -> Result<()> {
    match line.split_once(' ') {
        Some(("unsupported", reason)) => Err(anyhow!("{reason}")),
        _ if line == "ready" => Ok(()),
        _ => bail!("its program said {line:?}, neither ready nor unsupported"),
    }
}

fn microseconds(line: &str) -> Result<f64> {
    let number: Option<f64> = line.parse().ok().filter(|value: &f64| value.is_finite() && *value > 0.0);
    number.with_context(|| format!("its program said {line:?}, not a time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_ready_or_says_why_not() {
        assert!(ready("ready").is_ok());
        assert_eq!(ready("unsupported no gelu here").unwrap_err().to_string(), "no gelu here");
        assert!(ready("Traceback").is_err());
    }

    #[test]
    fn a_time_is_a_positive_number() {
        assert_eq!(microseconds("12.345").unwrap(), 12.345);
        for line in ["", "ready", "nan", "-1", "0.000", "inf"] {
            assert!(microseconds(line).is_err(), "{line:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_process_answers_and_a_broken_one_is_an_error() {
        let shell = |script: &str| Variant {
            name: String::new(),
            program: "sh".into(),
            arguments: vec!["-c".into(), script.into()],
        };
        let mut peer = Peer::start(&shell("echo ready; read line; echo 2.5; read line; exit 3")).unwrap();
        assert_eq!(peer.run().unwrap(), 2.5);
        assert!(peer.run().unwrap_err().to_string().contains("exit status: 3"));
        assert!(Peer::start(&shell("echo unsupported reason")).is_err());
    }
}
