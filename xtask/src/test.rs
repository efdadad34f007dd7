//! `cargo xtask test`: what `.ci/run` runs.

use std::time::Instant;

use anyhow::Result;

use crate::{call, equations, readme, wheel};

pub fn run() -> Result<()> {
    let started = Instant::now();
    call("cargo", &["fmt", "--all", "--check"], &[])?;
    call(
        "cargo",
        &["clippy", "--workspace", "--all-targets", "--all-features", "--locked", "--", "-D", "warnings"],
        &[],
    )?;
    call("cargo", &["test", "--workspace", "--all-features", "--locked"], &[])?;
    call(
        "cargo",
        &["doc", "--workspace", "--all-features", "--no-deps", "--locked"],
        &[("RUSTDOCFLAGS", "-D warnings")],
    )?;
    equations::check()?;
    readme::run()?;
    wheel::test()?;
    println!("\nall passed in {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}
