//! A team of threads for jobs that last microseconds.
//!
//! A job is a number of tasks whose results do not depend on who runs them. Every member owns a contiguous share, the same
//! one for equal jobs, so that its data stays in its core's cache; who is done early takes from the others. The caller
//! takes part and never waits for a member that has not started: on a busy machine it simply does the work itself.
//! Members spin for a moment after a job, then sleep; they end with the team.

use std::cell::UnsafeCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle, Thread};

/// Spins before a member goes to sleep (some tens of microseconds).
const SPINS: u32 = 4_000;

type Job = *const (dyn Fn(usize) + Sync);

/// One member's share of the current job: the job's number in the high half, the next unclaimed task in the low half,
/// so that a member that wakes late cannot claim a task of a job it has not seen.
#[repr(align(128))]
struct Share {
    claim: AtomicU64,
    end: AtomicU32,
    asleep: AtomicBool,
}

struct Shared {
    shares: Vec<Share>,
    /// The current job's number.
    number: AtomicU32,
    job: UnsafeCell<Option<Job>>,
    unfinished: AtomicUsize,
    panicked: AtomicBool,
    quit: AtomicBool,
}

// SAFETY: `job` is written by the caller only while `unfinished` is 0 (no member can hold a claim), and read by members
// only while they hold a claim, which keeps `unfinished` above 0; all other fields are atomics.
unsafe impl Sync for Shared {}
// SAFETY: the raw pointer in `job` is dereferenced only under the protocol above.
unsafe impl Send for Shared {}

/// Threads that run jobs together with the caller.
pub struct Team {
    shared: Arc<Shared>,
    members: Vec<Thread>,
    handles: Vec<JoinHandle<()>>,
}

impl Team {
    /// A team of `threads` (at least one: the caller).
    pub fn new(threads: usize) -> Self {
        let shares = (0..threads.max(1))
            .map(|_| Share { claim: AtomicU64::new(0), end: AtomicU32::new(0), asleep: AtomicBool::new(false) })
            .collect();
        let shared = Arc::new(Shared {
            shares,
            number: AtomicU32::new(0),
            job: UnsafeCell::new(None),
            unfinished: AtomicUsize::new(0),
            panicked: AtomicBool::new(false),
            quit: AtomicBool::new(false),
        });
        // A thread that cannot be had is no error: the others take its share.
        let handles: Vec<_> = (1..threads)
            .filter_map(|me| {
                let shared = Arc::clone(&shared);
                thread::Builder::new().name("chainrule".into()).spawn(move || member(&shared, me)).ok()
            })
            .collect();
        let members = handles.iter().map(|handle| handle.thread().clone()).collect();
        Self { shared, members, handles }
    }

    /// Threads, the caller included.
    pub fn threads(&self) -> usize {
        self.shared.shares.len()
    }

    /// Runs `task(0)`, ..., `task(tasks - 1)`, each once, on the team if `shared` (worth it from some ten microseconds of
    /// work on), else on the caller alone. Returns when all are done.
    pub fn run(&mut self, tasks: usize, shared: bool, task: &(dyn Fn(usize) + Sync)) {
        if !shared || self.handles.is_empty() || tasks < 2 {
            (0..tasks).for_each(task);
            return;
        }
        self.publish(tasks, task);
        self.shared.work(0);
        let mut spins = 0u32;
        while self.shared.unfinished.load(Ordering::Acquire) != 0 {
            spins += 1;
            if spins < SPINS { std::hint::spin_loop() } else { thread::yield_now() }
        }
        assert!(!self.shared.panicked.load(Ordering::Relaxed), "a task of the team panicked");
    }

    /// Runs `f` on each item, as [`run`](Self::run) does its tasks.
    pub fn for_each<X: Send>(&mut self, items: &mut [X], shared: bool, f: &(dyn Fn(usize, &mut X) + Sync)) {
        let count = items.len();
        let items = Shards::new(items);
        self.run(count, shared, &|i| {
            // SAFETY: every task is run once, and the exclusive borrow of the items outlives `run`.
            let item = unsafe { items.part(i, 1) };
            f(i, &mut item[0]);
        });
    }

    /// Runs `f` on each piece of `len` elements (the last may be shorter), shared by the team.
    pub fn for_each_chunk<X: Send>(&mut self, items: &mut [X], len: usize, f: &(dyn Fn(usize, &mut [X]) + Sync)) {
        let count = items.len();
        let items = Shards::new(items);
        self.run(count.div_ceil(len.max(1)), true, &|i| {
            // SAFETY: as in `for_each`; the pieces are disjoint.
            f(i, unsafe { items.part(i * len, len.min(count - i * len)) });
        });
    }

    fn publish(&mut self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        let shared = &*self.shared;
        let number = shared.number.load(Ordering::Relaxed).wrapping_add(1);
        let job: *const (dyn Fn(usize) + Sync + '_) = task;
        // SAFETY: only the lifetime changes. `run` returns after `unfinished` has fallen to 0, when no member can hold a
        // claim on this job any more, so the pointer is never used after the borrow ends.
        let job: Job = unsafe { std::mem::transmute(job) };
        // SAFETY: `unfinished` is 0 here, so no member reads `job` (see `Sync for Shared`).
        unsafe { *shared.job.get() = Some(job) };
        shared.unfinished.store(tasks, Ordering::Relaxed);
        let threads = shared.shares.len();
        for (i, share) in shared.shares.iter().enumerate() {
            // A member that still looks at the last job must not claim under the new `end`: close the share first.
            share.claim.store(u64::from(number) << 32 | u64::from(u32::MAX), Ordering::Release);
            share.end.store(((i + 1) * tasks / threads) as u32, Ordering::Release);
            share.claim.store(u64::from(number) << 32 | (i * tasks / threads) as u64, Ordering::Release);
        }
        // Sequentially consistent together with `sleep`: either the member sees the new number or we see it asleep.
        shared.number.store(number, Ordering::SeqCst);
        for (member, share) in self.members.iter().zip(&shared.shares[1..]) {
            if share.asleep.load(Ordering::SeqCst) {
                member.unpark();
            }
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.quit.store(true, Ordering::SeqCst);
        for member in &self.members {
            member.unpark();
        }
        for handle in self.handles.drain(..) {
            // A member's panic has been reported by `run`.
            let _ = handle.join();
        }
    }
}

impl Shared {
    /// Runs tasks of the current job, from the own share first, until none is left to claim.
    fn work(&self, me: usize) {
        let number = self.number.load(Ordering::Acquire);
        let threads = self.shares.len();
        for share in (0..threads).map(|i| &self.shares[(me + i) % threads]) {
            while let Some(task) = share.claim(number) {
                // SAFETY: the claim keeps `unfinished` above 0, so `job` is this job's and its borrow lives.
                let job = unsafe { (*self.job.get()).map(|job| &*job) };
                let run = std::panic::AssertUnwindSafe(|| job.into_iter().for_each(|job| job(task)));
                if std::panic::catch_unwind(run).is_err() {
                    self.panicked.store(true, Ordering::Relaxed);
                }
                self.unfinished.fetch_sub(1, Ordering::Release);
            }
        }
    }
}

impl Share {
    /// The next task of job `number` in this share.
    fn claim(&self, number: u32) -> Option<usize> {
        let mut seen = self.claim.load(Ordering::Acquire);
        loop {
            // Where `end` is already a later job's, the share was closed before, and the exchange below fails.
            if (seen >> 32) as u32 != number || seen as u32 >= self.end.load(Ordering::Acquire) {
                return None;
            }
            match self.claim.compare_exchange_weak(seen, seen + 1, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(seen as u32 as usize),
                Err(now) => seen = now,
            }
        }
    }
}

fn member(shared: &Shared, me: usize) {
    let mut done = 0u32;
    let mut spins = 0u32;
    while !shared.quit.load(Ordering::Relaxed) {
        let number = shared.number.load(Ordering::Acquire);
        if number != done {
            shared.work(me);
            done = number;
            spins = 0;
        } else if spins < SPINS {
            spins += 1;
            std::hint::spin_loop();
        } else {
            sleep(shared, me, done);
            spins = 0;
        }
    }
}

fn sleep(shared: &Shared, me: usize, done: u32) {
    shared.shares[me].asleep.store(true, Ordering::SeqCst);
    if shared.number.load(Ordering::SeqCst) == done && !shared.quit.load(Ordering::SeqCst) {
        thread::park();
    }
    shared.shares[me].asleep.store(false, Ordering::SeqCst);
}

/// A slice whose disjoint parts are written by several threads.
pub(super) struct Shards<T>(*mut T);

// SAFETY: `part`'s contract makes concurrent uses disjoint.
unsafe impl<T: Send> Sync for Shards<T> {}

impl<T> Shards<T> {
    pub(super) fn new(slice: &mut [T]) -> Self {
        Self(slice.as_mut_ptr())
    }

    /// Where element `offset` stands, for prefetching.
    pub(super) fn address(&self, offset: usize) -> *const T {
        self.0.wrapping_add(offset)
    }

    /// # Safety
    /// The range must lie in the slice, whose borrow must live on, and no two live parts may overlap.
    #[allow(clippy::mut_from_ref)]
    pub(super) unsafe fn part(&self, offset: usize, len: usize) -> &mut [T] {
        // SAFETY: see the function's contract.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(offset), len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_runs_once_whatever_the_team() {
        for threads in [1, 2, 3, 8] {
            let mut team = Team::new(threads);
            for round in 0..2_000 {
                let tasks = round % 19;
                let counts: Vec<AtomicU32> = (0..tasks).map(|_| AtomicU32::new(0)).collect();
                team.run(tasks, true, &|i| {
                    counts[i].fetch_add(1, Ordering::Relaxed);
                });
                assert!(counts.iter().all(|c| c.load(Ordering::Relaxed) == 1));
            }
        }
    }

    #[test]
    fn a_sleeping_team_wakes_up() {
        let mut team = Team::new(3);
        for _ in 0..5 {
            let sum = AtomicUsize::new(0);
            team.run(100, true, &|i| {
                sum.fetch_add(i, Ordering::Relaxed);
            });
            assert_eq!(sum.into_inner(), 4950);
            thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    #[test]
    #[should_panic(expected = "a task of the team panicked")]
    fn a_panic_in_a_task_reaches_the_caller() {
        Team::new(2).run(8, true, &|i| assert!(i != 7));
    }
}
