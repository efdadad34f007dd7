//! Who runs when: the best variant of each library, and then all of those in turn.

use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::peers::{self, Library, Task, Variant};
use super::process::Peer;
use super::setup::Missing;
use super::table::{Cell, Times, three_digits};
use crate::root;

/// Runs that decide between the variants of a library; the fastest counts.
const TRIALS: usize = 3;
/// Before each run: by then the threads of the peer that ran last have stopped waiting actively and sleep.
const PAUSE: Duration = Duration::from_millis(100);

pub struct Contest {
    missing: Missing,
    rounds: usize,
    /// PyTorch's compiled step competes too.
    compiled: bool,
}

/// A library's best variant, alive.
struct Entrant {
    peer: Peer,
    times: Times,
}

impl Contest {
    pub fn new(missing: Missing, rounds: usize, compiled: bool) -> Self {
        Self { missing, rounds, compiled }
    }

    /// A cell for each library. Only one peer is asked at a time, the others sleep.
    pub fn run(&self, task: &Task, libraries: &[Library]) -> Result<Vec<Cell>> {
        let mut entrants: Vec<_> = libraries.iter().map(|&library| self.best(library, task)).collect();
        for _ in 0..self.rounds {
            for entrant in &mut entrants {
                if let Ok(Entrant { peer, times }) = entrant {
                    match paused(peer) {
                        Ok(time) => times.rounds.push(time),
                        Err(error) => *entrant = Err(error),
                    }
                }
            }
        }
        let cell = |entrant: Result<Entrant>| entrant.map(|it| it.times).map_err(|error| format!("{error:#}"));
        Ok(entrants.into_iter().map(cell).collect())
    }

    /// The fastest variant; if none works, the error of the last.
    fn best(&self, library: Library, task: &Task) -> Result<Entrant> {
        if let Some(reason) = self.missing.reason(library) {
            bail!("{reason}");
        }
        let (mut best, mut failure): (Option<(f64, Entrant)>, _) = (None, None);
        let mut report = vec![];
        for variant in peers::variants(library, task, self.compiled)? {
            match try_out(&variant) {
                Ok((time, peer)) => {
                    report.push(format!("({}) {}", variant.name, three_digits(time)));
                    if best.as_ref().is_none_or(|(record, _)| time < *record) {
                        best = Some((time, Entrant { peer, times: Times { variant: variant.name, rounds: vec![] } }));
                    }
                }
                Err(error) => {
                    report.push(format!("({}) {error:#}", variant.name));
                    failure = Some(error);
                }
            }
        }
        eprintln!("{}, {library}, microseconds: {}", task.name().join(" "), report.join("; "));
        best.map(|(_, entrant)| entrant).ok_or_else(|| failure.unwrap_or_else(|| anyhow!("it has no variant")))
    }
}

/// A variant's best time, and its peer.
fn try_out(variant: &Variant) -> Result<(f64, Peer)> {
    let mut peer = Peer::start(variant)?;
    let times = (0..TRIALS).map(|_| paused(&mut peer)).collect::<Result<Vec<f64>>>()?;
    Ok((times.into_iter().fold(f64::INFINITY, f64::min), peer))
}

fn paused(peer: &mut Peer) -> Result<f64> {
    thread::sleep(PAUSE);
    peer.run()
}

/// What the engine's own benchmark of its matrix products prints.
pub fn kernels() -> Result<String> {
    let mut command = Command::new("cargo");
    command.args(["bench", "--quiet", "--locked", "-p", "chainrule", "--bench", "kernels"]).current_dir(root()?);
    let output = command.stderr(Stdio::inherit()).output().context("cargo cannot be started")?;
    ensure!(output.status.success(), "cargo bench failed");
    Ok(String::from_utf8(output.stdout)?)
}
