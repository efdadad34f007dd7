//! Where a thread of a team starts and wakes up.

use std::thread::JoinHandle;

/// Does `wake`, which makes a thread run, so that it does not run on the caller's core, if it may on another.
///
/// A system likes to put a thread where its waker runs, and there it waits for milliseconds, the time of a hundred jobs, until it is
/// moved. Once awake it may run anywhere again.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(super) fn elsewhere<T>(thread: &JoinHandle<T>, wake: impl FnOnce()) {
    use std::os::unix::thread::JoinHandleExt;

    let (thread, size) = (thread.as_pthread_t(), size_of::<libc::cpu_set_t>());
    // SAFETY: all zeros are a set, the empty one; the thread is not joined as long as its handle is there, and the sets have the
    // size that is told.
    unsafe {
        let mut all: libc::cpu_set_t = std::mem::zeroed();
        if libc::pthread_getaffinity_np(thread, size, &mut all) != 0 {
            return wake();
        }
        let mut others = all;
        let here = libc::sched_getcpu();
        if (0..libc::CPU_SETSIZE).contains(&here) {
            libc::CPU_CLR(here as usize, &mut others);
        }
        if libc::CPU_COUNT(&others) == 0 || libc::pthread_setaffinity_np(thread, size, &others) != 0 {
            return wake();
        }
        wake();
        libc::pthread_setaffinity_np(thread, size, &all);
    }
}

/// Does `wake`: elsewhere the system chooses.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn elsewhere<T>(_: &JoinHandle<T>, wake: impl FnOnce()) {
    wake();
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::{Arc, Barrier};
    use std::thread;

    use super::*;

    /// The cores on which a thread may run, as the system prints them.
    fn allowed() -> Option<String> {
        let status = std::fs::read_to_string("/proc/thread-self/status").ok()?;
        status.lines().find(|line| line.starts_with("Cpus_allowed_list")).map(str::to_owned)
    }

    #[test]
    fn a_thread_is_woken_and_may_run_everywhere_again() {
        let (all, awake) = (allowed(), Arc::new(Barrier::new(2)));
        let thread = thread::spawn({
            let awake = Arc::clone(&awake);
            move || {
                awake.wait();
                // The second time its waker has given it back all cores.
                awake.wait();
                allowed()
            }
        });
        elsewhere(&thread, || {
            awake.wait();
        });
        awake.wait();
        assert!(all.is_some());
        assert_eq!(thread.join().unwrap(), all);
    }
}
