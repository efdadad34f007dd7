//! Ctrl-C: the first asks a training to end after the batch, the second ends the program at once.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use chainrule::Flow;

static ASKED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C only asks.
pub fn listen() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        eprintln!("\nending after this batch; Ctrl-C again to quit at once");
    })
    .context("Ctrl-C cannot be handled")
}

/// Whether it was pressed.
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// What a training does next.
pub fn flow() -> Flow {
    if asked() { Flow::Stop } else { Flow::Continue }
}
