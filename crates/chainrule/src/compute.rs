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
}
