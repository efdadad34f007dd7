//! A team of threads for jobs that last microseconds.
//!
//! A job is a number of tasks whose results do not depend on who runs them. Every member owns a contiguous share, the same
//! one for equal jobs, so that its data stays in its core's cache; who is done early takes from the others. The caller
//! takes part and never waits for a member that has not started: on a busy machine it simply does the work itself.
//! Members spin for a moment after a job, then sleep; they end with the team.
//!
//! A cache line's way from core to core takes as long as a thousand multiply-adds. So each line has one writer as far as can be: the
//! caller writes the shares, which hold all that a member must read to begin, and a member its report.

use std::cell::UnsafeCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use super::place::elsewhere;

/// Spins before a member goes to sleep (some tens of microseconds).
const SPINS: u32 = 4_000;

type Job = *const (dyn Fn(usize) + Sync);

/// One member's share of the current job.
#[repr(align(128))]
struct Share {
    /// The job's number in the high half, the next unclaimed task in the low half, so that a member that wakes late cannot claim a
    /// task of a job it has not seen.
    claim: AtomicU64,
    end: AtomicU32,
    job: UnsafeCell<Option<Job>>,
}

/// What a member tells the caller.
#[repr(align(128))]
struct Report {
    /// Tasks finished, of all jobs.
    finished: AtomicUsize,
    asleep: AtomicBool,
}

struct Shared {
    shares: Vec<Share>,
    reports: Vec<Report>,
    panicked: AtomicBool,
    quit: AtomicBool,
}

// SAFETY: `job` of a share is written by the caller only while every task is finished (no member can hold a claim), and read by
// members only while they hold a claim on that share, whose task is then unfinished; all other fields are atomics.
unsafe impl Sync for Shared {}
// SAFETY: the raw pointer in `job` is dereferenced only under the protocol above.
unsafe impl Send for Shared {}

/// Threads that run jobs together with the caller.
pub struct Team {
    shared: Arc<Shared>,
    members: Vec<JoinHandle<()>>,
    /// The current job's number.
    number: u32,
    /// Tasks of all jobs.
    published: usize,
}

impl Team {
    /// A team of `threads` (at least one: the caller).
    pub fn new(threads: usize) -> Self {
        let share = |_| Share { claim: AtomicU64::new(0), end: AtomicU32::new(0), job: UnsafeCell::new(None) };
        let report = |_| Report { finished: AtomicUsize::new(0), asleep: AtomicBool::new(false) };
        let shared = Arc::new(Shared {
            shares: (0..threads.max(1)).map(share).collect(),
            reports: (0..threads.max(1)).map(report).collect(),
            panicked: AtomicBool::new(false),
            quit: AtomicBool::new(false),
        });
        // A thread that cannot be had is no error: the others take its share.
        let members: Vec<_> = (1..threads)
            .filter_map(|me| {
                let shared = Arc::clone(&shared);
                thread::Builder::new().name("chainrule".into()).spawn(move || member(&shared, me)).ok()
            })
            .collect();
        members.iter().for_each(|member| elsewhere(member, || {}));
        Self { shared, members, number: 0, published: 0 }
    }

    /// Threads, the caller included.
    pub fn threads(&self) -> usize {
        self.shared.shares.len()
    }

    /// Runs `task(0)`, ..., `task(tasks - 1)`, each once, on the team if `shared` (worth it from some microseconds of
    /// work on), else on the caller alone. Returns when all are done.
    pub fn run(&mut self, tasks: usize, shared: bool, task: &(dyn Fn(usize) + Sync)) {
        if !shared || self.members.is_empty() || tasks < 2 {
            (0..tasks).for_each(task);
            return;
        }
        self.publish(tasks, task);
        self.shared.work(0, self.number);
        let mut spins = 0u32;
        while self.shared.finished() != self.published {
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
        let before = self.number;
        self.number = before.wrapping_add(1);
        self.published = self.published.wrapping_add(tasks);
        let job: *const (dyn Fn(usize) + Sync + '_) = task;
        // SAFETY: only the lifetime changes. `run` returns after all tasks are finished, when no member can hold a claim on
        // this job any more, so the pointer is never used after the borrow ends.
        let job: Job = unsafe { std::mem::transmute(job) };
        let threads = shared.shares.len();
        for (i, share) in shared.shares.iter().enumerate() {
            // A member that still looks at the last job must not claim under the new `end`: close the share first.
            share.claim.store(u64::from(before) << 32 | u64::from(u32::MAX), Ordering::Release);
            share.end.store(((i + 1) * tasks / threads) as u32, Ordering::Release);
            // SAFETY: all tasks before are finished, so no member reads `job` (see `Sync for Shared`).
            unsafe { *share.job.get() = Some(job) };
            share.claim.store(u64::from(self.number) << 32 | (i * tasks / threads) as u64, Ordering::Release);
        }
        // A member that falls asleep at this very moment may be missed. Its share is then taken by others, and the next job wakes it.
        for (member, report) in self.members.iter().zip(&shared.reports[1..]) {
            if report.asleep.load(Ordering::Relaxed) {
                elsewhere(member, || member.thread().unpark());
            }
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.quit.store(true, Ordering::Release);
        for member in &self.members {
            member.thread().unpark();
        }
        for member in self.members.drain(..) {
            // A member's panic has been reported by `run`.
            let _ = member.join();
        }
    }
}

impl Shared {
    /// Runs tasks of job `number`, from the own share first, until none is left to claim.
    fn work(&self, me: usize, number: u32) {
        let threads = self.shares.len();
        let mut finished = 0;
        for share in (0..threads).map(|i| &self.shares[(me + i) % threads]) {
            while let Some(task) = share.claim(number) {
                // SAFETY: the claimed task is unfinished, so `job` is this job's and its borrow lives.
                let job = unsafe { (*share.job.get()).map(|job| &*job) };
                let run = std::panic::AssertUnwindSafe(|| job.into_iter().for_each(|job| job(task)));
                if std::panic::catch_unwind(run).is_err() {
                    self.panicked.store(true, Ordering::Relaxed);
                }
                finished += 1;
            }
        }
        if finished > 0 {
            let report = &self.reports[me].finished;
            report.store(report.load(Ordering::Relaxed).wrapping_add(finished), Ordering::Release);
        }
    }

    /// Tasks finished, of all jobs.
    fn finished(&self) -> usize {
        self.reports.iter().fold(0, |sum, report| sum.wrapping_add(report.finished.load(Ordering::Acquire)))
    }
}

impl Share {
    /// The current job's number.
    fn number(&self) -> u32 {
        (self.claim.load(Ordering::Acquire) >> 32) as u32
    }

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
    while !shared.quit.load(Ordering::Acquire) {
        let number = shared.shares[me].number();
        if number != done {
            shared.work(me, number);
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
    let asleep = &shared.reports[me].asleep;
    asleep.store(true, Ordering::SeqCst);
    if shared.shares[me].number() == done && !shared.quit.load(Ordering::Acquire) {
        thread::park();
    }
    asleep.store(false, Ordering::Relaxed);
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
