//! Everything that may wake the application, as data.
//!
//! Owns the vocabulary of the event loop. Must never act.

use crossterm::event::KeyEvent;

use crate::model::Message;
use crate::probes::Batch;

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// A key.
    Key(KeyEvent),
    /// Text was pasted; line ends are `\n`.
    Paste(String),
    /// The terminal has another size, or may have.
    Resize,
    /// Records arrived.
    Batch(Batch),
    /// Somebody asked us to stop for a while (SIGTSTP).
    Suspend,
    /// We run again after a stop (SIGCONT).
    Continue,
    /// Something asked for was done, or could not be; for the footer.
    Notice(Message),
    /// The program shall end.
    Ending(Ending),
}

/// Why the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The user quit.
    Quit,
    /// A signal asked for it; its number.
    Signal(i32),
    /// The terminal is gone.
    TerminalGone,
    /// One of the console's own threads panicked; its message was printed.
    Panicked,
}

impl Ending {
    /// The exit status: 0 where a person ended it, 128 and the signal's number where
    /// a signal did, 1 where the terminal went away, 101 after a panic.
    pub fn status(self) -> u8 {
        match self {
            Self::Quit => 0,
            Self::Signal(n) => 128u8.saturating_add(n.clamp(0, 127) as u8),
            Self::TerminalGone => 1,
            Self::Panicked => 101,
        }
    }
}
