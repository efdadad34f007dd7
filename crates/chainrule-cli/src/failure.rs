//! How a command fails: the message, and whose fault it was.

use std::io;
use std::process::ExitCode;

/// A failed command.
pub struct Failure {
    error: anyhow::Error,
    status: u8,
}

/// A command's result.
pub type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// Wrong usage or input: exit status 2.
    pub fn input(error: impl Into<anyhow::Error>) -> Self {
        Self { error: error.into(), status: 2 }
    }

    /// Anything else: exit status 1.
    pub fn failed(error: impl Into<anyhow::Error>) -> Self {
        Self { error: error.into(), status: 1 }
    }

    /// Prints the message and returns the exit status.
    pub fn report(self) -> ExitCode {
        // Whoever reads our output has had enough of it (`| head`): no message, as other tools do.
        let broken_pipe = self
            .error
            .chain()
            .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe));
        if !broken_pipe {
            eprintln!("error: {}", message(&self.error));
        }
        ExitCode::from(self.status)
    }
}

/// The error and its causes, without those that an error above them has already told.
fn message(error: &anyhow::Error) -> String {
    error
        .chain()
        .skip(1)
        .map(ToString::to_string)
        .fold(error.to_string(), |told, cause| if told.contains(&cause) { told } else { format!("{told}: {cause}") })
}

/// Marks an error as the input's or our own.
pub trait OrFail<T> {
    /// Wrong usage or input.
    fn or_input(self) -> Outcome<T>;
    /// Anything else.
    fn or_failed(self) -> Outcome<T>;
}

impl<T, E: Into<anyhow::Error>> OrFail<T> for Result<T, E> {
    fn or_input(self) -> Outcome<T> {
        self.map_err(Failure::input)
    }
    fn or_failed(self) -> Outcome<T> {
        self.map_err(Failure::failed)
    }
}
