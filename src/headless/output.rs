//! Standard output as a destination that may close, and signals as a flag.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

/// Exit statuses of the contract.
pub mod status {
    /// Healthy; all answered.
    pub const GOOD: u8 = 0;
    /// Degraded.
    pub const DEGRADED: u8 = 1;
    /// Fault; some did not answer.
    pub const FAULT: u8 = 2;
    /// Not measured.
    pub const UNMEASURED: u8 = 3;
}

/// Standard output could not be written, for another reason than that nobody
/// reads it.
#[derive(Debug, thiserror::Error)]
#[error("standard output: {0}")]
pub struct Unwritten(io::Error);

/// Whether an error is about standard output, and not about what was to be done.
pub fn is_unwritten(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Unwritten>)
}

/// Writes text to standard output; false where its reader went away, which is no
/// error: there is nobody to tell.
///
/// # Errors
/// Writing failed for another reason, a full disk for instance.
pub fn print(text: &str) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(e) => Err(io::Error::new(e.kind(), Unwritten(e))),
    }
}

/// Writes one JSON document and a line's end; false where nobody reads.
///
/// # Errors
/// As [`print`].
pub fn print_json<T: Serialize>(value: &T) -> io::Result<bool> {
    let mut text = serde_json::to_string(value)?;
    text.push('\n');
    print(&text)
}

/// A flag that SIGINT and SIGTERM raise.
#[derive(Debug, Clone)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Listens to the signals from now on; a second one ends the program at once.
    ///
    /// # Errors
    /// The handler could not be installed.
    pub fn on_signals() -> io::Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&flag))?;
            signal_hook::flag::register(signal, Arc::clone(&flag))?;
        }
        Ok(Self(flag))
    }

    /// Whether somebody wants an end.
    pub fn wanted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
