//! A step on one thread or on all of them.
//!
//! Both give the same bits, and which is faster depends on the machine and on what else runs there: where two cores share a cache,
//! 1 million multiply-adds are worth sharing, and where they do not, 20 million may not be. A virtual machine's cores move from the one
//! place to the other. So steps of such a size are timed both ways, now and again.

use std::time::{Duration, Instant};

use crate::block::Blocks;
use crate::compute::Compute;
use crate::network::Network;
use crate::scalar::Scalar;

/// Steps that are timed on each way. More than half of them must be as all later ones: a thread may have to wake up first.
const TIMED: usize = 9;

/// Steps on the faster way before both are timed again: at first, and once the answer was the same several times.
const LEAST: usize = 256;
const MOST: usize = 16_384;

/// The blocks of the batches, cut for one thread, for all, or both.
pub(super) struct Ways<T> {
    ways: Vec<Blocks<T>>,
    /// Number of the current one.
    way: usize,
    /// None: there is but one.
    trial: Option<Trial>,
}

impl<T: Scalar> Ways<T> {
    /// Room for batches of `capacity` rows.
    pub(super) fn new(network: &Network<T>, capacity: usize, compute: &Compute) -> Self {
        let (spec, topology, threads) = (network.spec(), &network.topology, compute.team.threads());
        let doubtful = threads > 1 && topology.is_doubtful(spec.members() * capacity);
        let ways = match doubtful {
            true => [1, threads].map(|threads| Blocks::cut(spec, topology, capacity, threads, true)).into(),
            false => vec![Blocks::new(spec, topology, capacity, compute, true)],
        };
        Self { ways, way: 0, trial: doubtful.then(Trial::new) }
    }

    /// The blocks of the current step.
    pub(super) fn blocks(&mut self) -> &mut Blocks<T> {
        &mut self.ways[self.way]
    }

    /// To be called before each step.
    pub(super) fn begin(&mut self) {
        if let Some(trial) = &mut self.trial {
            self.way = trial.begin();
        }
    }

    /// To be called after each step.
    pub(super) fn end(&mut self) {
        if let Some(trial) = &mut self.trial {
            trial.end();
        }
    }
}

/// Which of two ways is taken: rounds of steps on the first, on the second, and then on the faster.
struct Trial {
    /// Steps of this round so far.
    step: usize,
    times: [[Duration; TIMED]; 2],
    faster: usize,
    /// Steps of this round on it.
    keep: usize,
    /// When the current step began, if it is timed.
    started: Option<Instant>,
}

impl Trial {
    fn new() -> Self {
        Self { step: 0, times: [[Duration::ZERO; TIMED]; 2], faster: 0, keep: LEAST, started: None }
    }

    /// Before a step: its way.
    #[inline(never)]
    fn begin(&mut self) -> usize {
        self.started = self.is_timed().then(Instant::now);
        self.way()
    }

    #[inline(never)]
    fn end(&mut self) {
        self.step(self.started.map(|started| started.elapsed()));
    }

    fn is_timed(&self) -> bool {
        self.step < 2 * TIMED
    }

    /// The way of the next step.
    fn way(&self) -> usize {
        if self.is_timed() { self.step / TIMED } else { self.faster }
    }

    /// After a step, which took so long if it was timed.
    fn step(&mut self, time: Option<Duration>) {
        if let (true, Some(time)) = (self.is_timed(), time) {
            self.times[self.step / TIMED][self.step % TIMED] = time;
        }
        self.step += 1;
        if self.step == 2 * TIMED {
            self.choose();
        } else if self.step == 2 * TIMED + self.keep {
            self.step = 0;
        }
    }

    /// The way whose median is less.
    fn choose(&mut self) {
        let [first, second] = self.times.each_mut().map(|times| *times.select_nth_unstable(TIMED / 2).1);
        let faster = usize::from(second < first);
        self.keep = if faster == self.faster { (2 * self.keep).min(MOST) } else { LEAST };
        self.faster = faster;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps on each way of the next so many, where a step on the second takes so many microseconds and one on the first 10.
    fn steps(trial: &mut Trial, steps: usize, second: u64) -> [usize; 2] {
        let mut taken = [0, 0];
        for step in 0..steps {
            let way = trial.way();
            taken[way] += 1;
            // Every third is disturbed.
            let time = [10, second][way] + if step % 3 == 0 { 1000 } else { 0 };
            trial.step(trial.is_timed().then(|| Duration::from_micros(time)));
        }
        taken
    }

    #[test]
    fn most_steps_go_the_faster_way_and_change_with_it() {
        let mut trial = Trial::new();
        let [first, second] = steps(&mut trial, 20_000, 9);
        assert!(first < 200 && second > 19_000, "{first} {second}");
        steps(&mut trial, MOST, 11);
        let [first, second] = steps(&mut trial, 20_000, 11);
        assert!(first > 19_000 && second < 200, "{first} {second}");
    }
}
