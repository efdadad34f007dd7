//! Members of a model train side by side, as many at once as there are threads. No bit of one depends on how the others fare, but for
//! the judgement of the hopeless, which knows the first epochs of all before it and waits for them.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError, mpsc};
use std::thread::{self, Builder};
use std::time::Duration;

use chainrule::{Compute, EpochRecord, Event, Flow};

/// Time between looks for events of other threads: they wake nobody for each batch.
const PAUSE: Duration = Duration::from_millis(10);

/// Whose event it is, and who trains beside it; numbers are from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The network.
    pub member: usize,
    /// The first of those that train now.
    pub first: usize,
    /// The last of them.
    pub last: usize,
    /// Networks of the model.
    pub of: usize,
}

/// Who is told of every batch and epoch of each network, each training being an [`Event::Begin`]; from the thread that asked for the
/// training. Events of those that train side by side mingle, and where it says stop they end a moment later, one alone at once.
pub type Observer<'a> = dyn FnMut(Turn, &Event) -> Flow + 'a;

/// Trains one member: its number, from 0, what it has to compute on, and whom to tell.
pub(crate) type Train<'a, M> = dyn Fn(usize, &mut Compute, &mut dyn FnMut(&Event) -> Flow) -> M + Sync + 'a;

/// Trains the members from `next` on (from 0) of `count` that have their turn: as many as `compute` has threads. One alone ends at once where the
/// observer wants it, several do a moment later.
pub(crate) fn take_turn<M: Send>(
    next: usize,
    count: usize,
    compute: &mut Compute,
    observer: &mut Observer<'_>,
    train: &Train<'_, M>,
) -> Vec<M> {
    let now = next..count.min(next + compute.threads());
    if now.len() > 1 {
        let members = in_threads(now, count, compute, observer, train);
        // None where the system has no threads left.
        if !members.is_empty() {
            return members;
        }
    }
    let turn = Turn { member: next + 1, first: next + 1, last: next + 1, of: count };
    vec![train(next, compute, &mut |event| observer(turn, event))]
}

/// What the first of the members `now` became: all, but where the system has too few threads.
fn in_threads<M: Send>(
    now: Range<usize>,
    of: usize,
    compute: &Compute,
    observer: &mut Observer<'_>,
    train: &Train<'_, M>,
) -> Vec<M> {
    let (first, last) = (now.start + 1, now.end);
    let stop = AtomicBool::new(false);
    let (sender, events) = mpsc::channel();
    let caller = thread::current();
    thread::scope(|scope| {
        let begin = |(number, mut compute): (usize, Compute)| {
            let (sender, stop, caller) = (sender.clone(), &stop, caller.clone());
            let work = move || {
                let member = train(number, &mut compute, &mut |event| {
                    let told = sender.send((number, *event)).is_ok();
                    if told && !stop.load(Ordering::Relaxed) { Flow::Continue } else { Flow::Stop }
                });
                drop(sender);
                caller.unpark();
                member
            };
            Builder::new().name("chainrule member".into()).spawn_scoped(scope, work).ok()
        };
        let count = now.len();
        let threads: Vec<_> = now.zip(compute.divided(count)).map_while(begin).collect();
        drop(sender);
        let _at_last = Asks(&stop);
        loop {
            match events.try_recv() {
                Ok((number, event)) if !stop.load(Ordering::Relaxed) => {
                    let turn = Turn { member: number + 1, first, last, of };
                    stop.store(observer(turn, &event) == Flow::Stop, Ordering::Relaxed);
                }
                Ok(_) => {}
                Err(mpsc::TryRecvError::Empty) => thread::park_timeout(PAUSE),
                Err(mpsc::TryRecvError::Disconnected) => break,
            }
        }
        let joined = threads.into_iter().map(|thread| thread.join());
        joined.map(|member| member.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

/// Asks all to stop when it goes, which matters where the observer panics: those that train would go on to their end.
struct Asks<'a>(&'a AtomicBool);

impl Drop for Asks<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The epochs of all members so far.
pub(crate) struct Courses {
    of: Mutex<Vec<Course>>,
    changed: Condvar,
}

#[derive(Clone, Default)]
struct Course {
    epochs: Vec<EpochRecord>,
    over: bool,
}

impl Courses {
    pub(crate) fn new(members: usize) -> Self {
        Self { of: Mutex::new(vec![Course::default(); members]), changed: Condvar::new() }
    }

    /// That of `member`, to be told of its epochs.
    pub(crate) fn of(&self, member: usize) -> OwnCourse<'_> {
        OwnCourse { all: self, member }
    }

    fn change(&self, member: usize, change: impl FnOnce(&mut Course)) {
        change(&mut self.of.lock().unwrap_or_else(PoisonError::into_inner)[member]);
        self.changed.notify_all();
    }
}

/// The epochs of one member; it is over where this ends.
pub(crate) struct OwnCourse<'a> {
    all: &'a Courses,
    member: usize,
}

impl OwnCourse<'_> {
    pub(crate) fn add(&self, record: EpochRecord) {
        self.all.change(self.member, |course| course.epochs.push(record));
    }

    /// Its own epochs, and those of all members before it as soon as each is over or has done `epochs`.
    pub(crate) fn beside(&self, epochs: usize) -> (Vec<EpochRecord>, Vec<Vec<EpochRecord>>) {
        let before =
            |all: &[Course]| all[..self.member].iter().any(|course| !course.over && course.epochs.len() < epochs);
        let all = self.all.of.lock().unwrap_or_else(PoisonError::into_inner);
        let all = self.all.changed.wait_while(all, |all| before(all)).unwrap_or_else(PoisonError::into_inner);
        let epochs = |course: &Course| course.epochs.clone();
        (epochs(&all[self.member]), all[..self.member].iter().map(epochs).collect())
    }
}

impl Drop for OwnCourse<'_> {
    fn drop(&mut self) {
        self.all.change(self.member, |course| course.over = true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BATCHES: usize = 200;

    fn batch(batch: usize) -> Event {
        Event::Batch { epoch: 1, batch, batches: BATCHES, rows: 1, cost: 0.0 }
    }

    #[test]
    fn as_many_take_their_turn_as_there_are_threads() {
        let (mut compute, caller) = (Compute::new(2), thread::current().id());
        let train = |number: usize, compute: &mut Compute, tell: &mut dyn FnMut(&Event) -> Flow| {
            (1..=BATCHES).for_each(|i| assert_eq!(tell(&batch(i)), Flow::Continue));
            (number, compute.threads())
        };
        let mut told = vec![vec![]; 5];
        let mut observer = |turn: Turn, event: &Event| {
            assert_eq!((thread::current().id(), turn.of), (caller, 5));
            let Event::Batch { batch, .. } = *event else { panic!("{event:?}") };
            told[turn.member - 1].push((turn.first, turn.last, batch));
            Flow::Continue
        };
        let mut members = vec![];
        while members.len() < 5 {
            members.extend(take_turn(members.len(), 5, &mut compute, &mut observer, &train));
        }
        assert_eq!(members, [(0, 1), (1, 1), (2, 1), (3, 1), (4, 2)]);
        for (told, (first, last)) in told.iter().zip([(1, 2), (1, 2), (3, 4), (3, 4), (5, 5)]) {
            assert!(told.iter().copied().eq((1..=BATCHES).map(|i| (first, last, i))), "{told:?}");
        }
    }

    #[test]
    fn who_is_asked_to_stop_does_and_is_asked_once() {
        for threads in [1, 3] {
            let train = |number: usize, _: &mut Compute, tell: &mut dyn FnMut(&Event) -> Flow| {
                while tell(&batch(1)) == Flow::Continue {
                    thread::sleep(Duration::from_micros(50));
                }
                number
            };
            let mut asked = 0;
            let mut observer = |_, _: &Event| {
                asked += 1;
                Flow::Stop
            };
            let members = take_turn(0, 3, &mut Compute::new(threads), &mut observer, &train);
            assert!(members.into_iter().eq(0..threads) && asked == 1, "{threads}: {asked}");
        }
    }

    #[test]
    #[should_panic(expected = "of member 1")]
    fn a_panic_is_the_callers() {
        let train =
            |number: usize, _: &mut Compute, _: &mut dyn FnMut(&Event) -> Flow| assert!(number != 1, "of member 1");
        take_turn(0, 2, &mut Compute::new(2), &mut |_, _| Flow::Continue, &train);
    }

    #[test]
    #[should_panic(expected = "of the observer")]
    fn a_panic_of_the_observer_ends_all() {
        let train = |_: usize, _: &mut Compute, tell: &mut dyn FnMut(&Event) -> Flow| {
            while tell(&batch(1)) == Flow::Continue {
                thread::sleep(Duration::from_micros(50));
            }
        };
        take_turn(0, 2, &mut Compute::new(2), &mut |_, _| panic!("of the observer"), &train);
    }

    #[test]
    fn a_member_waits_for_the_first_epochs_of_those_before_it() {
        let record = |epoch| EpochRecord { epoch, train_cost: 0.0, valid_score: None, learning_rate: 0.1, best: false };
        let courses = Courses::new(4);
        // The first two are over, one of them too early; the third is slow.
        for (member, epochs) in [(0, 5), (1, 1)] {
            let course = courses.of(member);
            (1..=epochs).for_each(|epoch| course.add(record(epoch)));
        }
        let seen = thread::scope(|scope| {
            let last = courses.of(3);
            last.add(record(1));
            let last = scope.spawn(move || last.beside(2));
            let third = courses.of(2);
            for epoch in 1..=2 {
                thread::sleep(Duration::from_millis(20));
                assert!(!last.is_finished());
                third.add(record(epoch));
            }
            last.join().unwrap()
        });
        assert_eq!((seen.0.len(), seen.1.iter().map(Vec::len).collect::<Vec<_>>()), (1, vec![5, 1, 2]));
    }
}
