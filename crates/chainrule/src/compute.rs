//! What a computation runs on.

use crate::kernel::{Isa, Team};

/// A team of threads and an instruction set. The results do not depend on either.
pub struct Compute {
    pub(crate) team: Team,
    pub(crate) isa: Isa,
}

impl Compute {
    /// `threads` threads (at least one) and the best instruction set of this CPU.
    pub fn new(threads: usize) -> Self {
        Self::with_isa(threads, Isa::detect())
    }

    /// The same with a chosen instruction set, to compare one with another.
    pub fn with_isa(threads: usize, isa: Isa) -> Self {
        Self { team: Team::new(threads), isa }
    }

    /// Its threads.
    pub fn threads(&self) -> usize {
        self.team.threads()
    }

    /// One for each of `count` jobs side by side: the same instruction set, as many threads in all, but at least one each.
    pub fn divided(&self, count: usize) -> Vec<Self> {
        let threads = |job: usize| (self.threads() + job) / count;
        (0..count).rev().map(|job| Self::with_isa(threads(job), self.isa)).collect()
    }
}
