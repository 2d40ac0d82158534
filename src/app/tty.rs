//! The terminal device: its modes, its size, and bytes to it.
//!
//! Owns entering and leaving the screen, so that every way out of the program
//! (quit, error, panic, signal) leaves the terminal as it was. Must never know
//! what is drawn, and never block for ever: a terminal that does not take bytes
//! is waited for in slices, and given up when the program ends.

use std::env;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::stat::Mode;
use nix::sys::termios::{FlowArg, SetArg, Termios, cfmakeraw, tcflow, tcgetattr, tcsetattr};
use nix::unistd::{isatty, write};

/// Alternate screen, cursor hidden, bracketed paste on, mouse reports off.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[0m\x1b[2J\x1b[H";

/// Cancels a sequence cut short (CAN), ends a synchronized update, resets colours,
/// leaves the alternate screen, shows the cursor.
const LEAVE: &[u8] = b"\x18\x1b[?2026l\x1b[0m\x1b[?2004l\x1b[?1049l\x1b[?25h";

/// How long one wait for a stalled terminal lasts before looking around.
const SLICE: u16 = 100;

/// How long leaving waits for a stalled terminal.
const LEAVE_PATIENCE: Duration = Duration::from_millis(500);

/// Why the console cannot have a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoScreen {
    /// Standard input or output is no terminal.
    NotATerminal,
    /// `TERM` says that the terminal has no cursor addressing.
    Dumb,
    /// Its modes could not be read or set.
    Broken(Errno),
}

/// Why bytes did not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteEnd {
    /// The terminal is gone.
    Gone,
    /// The caller's condition said to give up while the terminal was stalled.
    GivenUp,
}

/// The terminal of standard input and output.
#[derive(Debug)]
pub struct Tty {
    /// A description of its own, non-blocking; its flags are not shared with the
    /// shell. None where it could not be opened: then writes may block.
    own: Option<OwnedFd>,
    before: Mutex<Option<Termios>>,
    entered: AtomicBool,
    /// Held while bytes go out, so that leaving does not cut a picture in two.
    turn: Mutex<()>,
}

impl Tty {
    /// Opens the terminal of standard output.
    ///
    /// # Errors
    /// Where there is no terminal that could show the console.
    pub fn open() -> Result<Self, NoScreen> {
        let (input, output) = (std::io::stdin(), std::io::stdout());
        if !isatty(input.as_fd()).unwrap_or(false) || !isatty(output.as_fd()).unwrap_or(false) {
            return Err(NoScreen::NotATerminal);
        }
        if env::var_os("TERM").is_none_or(|t| t.is_empty() || t == "dumb" || t == "unknown") {
            return Err(NoScreen::Dumb);
        }
        let flags = OFlag::O_RDWR | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let own = open("/proc/self/fd/1", flags, Mode::empty()).ok().filter(|fd| isatty(fd).unwrap_or(false));
        Ok(Self { own, before: Mutex::default(), entered: AtomicBool::new(false), turn: Mutex::default() })
    }

    /// Takes the terminal: raw mode, alternate screen.
    ///
    /// # Errors
    /// Where its modes cannot be read or set.
    pub fn enter(&self) -> Result<(), NoScreen> {
        let input = std::io::stdin();
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let found = tcgetattr(input.as_fd()).map_err(NoScreen::Broken)?;
        // After a stop the shell may have given it other modes; while it is still
        // ours (SIGSTOP from outside) those found first are the ones to go back to.
        if !self.is_entered() {
            *before = None;
        }
        let original = before.get_or_insert(found).clone();
        drop(before);
        let mut raw = original;
        cfmakeraw(&mut raw);
        self.entered.store(true, Ordering::SeqCst);
        retry(|| tcsetattr(input.as_fd(), SetArg::TCSANOW, &raw)).map_err(NoScreen::Broken)?;
        let _ = self.write_until(ENTER, deadline(LEAVE_PATIENCE));
        Ok(())
    }

    /// Gives the terminal back as it was found. Does nothing where it was not
    /// taken. Waits for a stalled terminal half a second, no more.
    pub fn leave(&self) {
        if !self.entered.swap(false, Ordering::SeqCst) {
            return;
        }
        let expired = deadline(LEAVE_PATIENCE);
        let _turn = loop {
            match self.turn.try_lock() {
                Ok(turn) => break Some(turn),
                Err(TryLockError::Poisoned(turn)) => break Some(turn.into_inner()),
                // A painter that panicked while writing holds it for ever.
                Err(TryLockError::WouldBlock) if expired() => break None,
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        // A terminal stopped by flow control would keep our last bytes for ever.
        let _ = tcflow(self.fd(), FlowArg::TCOON);
        let _ = self.write_until(LEAVE, deadline(LEAVE_PATIENCE));
        let before = self.before.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(before) = before {
            let _ = retry(|| tcsetattr(std::io::stdin().as_fd(), SetArg::TCSANOW, &before));
        }
    }

    /// Whether the terminal is ours now.
    pub fn is_entered(&self) -> bool {
        self.entered.load(Ordering::SeqCst)
    }

    /// Writes a picture, all of it or, where the terminal is no longer ours, nothing.
    ///
    /// # Errors
    /// As [`Tty::write_until`].
    pub fn write_picture(&self, bytes: &[u8], give_up: impl Fn() -> bool) -> Result<(), WriteEnd> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_entered() {
            return Err(WriteEnd::GivenUp);
        }
        self.write_until(bytes, || give_up() || !self.is_entered())
    }

    /// Writes all of `bytes`. While the terminal takes none, asks `give_up` ten
    /// times a second.
    ///
    /// # Errors
    /// Where the terminal is gone, or the caller gave up.
    pub fn write_until(&self, mut bytes: &[u8], give_up: impl Fn() -> bool) -> Result<(), WriteEnd> {
        while !bytes.is_empty() {
            match write(self.fd(), bytes) {
                Ok(n) => bytes = bytes.get(n..).unwrap_or_default(),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => {
                    if give_up() {
                        return Err(WriteEnd::GivenUp);
                    }
                    let mut fds = [PollFd::new(self.fd(), PollFlags::POLLOUT)];
                    match poll(&mut fds, SLICE) {
                        Ok(_) | Err(Errno::EINTR) => {}
                        Err(_) => return Err(WriteEnd::Gone),
                    }
                    if hung_up(fds[0].revents()) {
                        return Err(WriteEnd::Gone);
                    }
                }
                Err(_) => return Err(WriteEnd::Gone),
            }
        }
        Ok(())
    }

    /// Whether the terminal has hung up.
    pub fn is_gone(&self) -> bool {
        let input = std::io::stdin();
        let mut fds = [PollFd::new(self.fd(), PollFlags::empty()), PollFd::new(input.as_fd(), PollFlags::empty())];
        match poll(&mut fds, 0u16) {
            Ok(0) | Err(_) => false,
            Ok(_) => fds.iter().any(|fd| hung_up(fd.revents())),
        }
    }

    fn fd(&self) -> BorrowedFd<'_> {
        static OUTPUT: std::sync::OnceLock<std::io::Stdout> = std::sync::OnceLock::new();
        match &self.own {
            Some(fd) => fd.as_fd(),
            None => OUTPUT.get_or_init(std::io::stdout).as_fd(),
        }
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Columns and rows now. A terminal that says 0 (a serial line) has what
/// `COLUMNS` and `LINES` say, else 80 by 24.
pub fn size() -> (u16, u16) {
    let said = crossterm::terminal::window_size().map_or((0, 0), |s| (s.columns, s.rows));
    let from_env = |name: &str, fallback| {
        env::var(name).ok().and_then(|v| v.parse().ok()).filter(|n| (1..=1000).contains(n)).unwrap_or(fallback)
    };
    match said {
        (0, _) | (_, 0) => (from_env("COLUMNS", 80), from_env("LINES", 24)),
        // More cells than any screen has would only cost memory.
        (columns, rows) => (columns.min(1000), rows.min(500)),
    }
}

/// Whether what poll reported means that the terminal is gone.
pub fn hung_up(events: Option<PollFlags>) -> bool {
    events.is_none_or(|e| e.intersects(PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL))
}

fn deadline(patience: Duration) -> impl Fn() -> bool {
    let end = Instant::now() + patience;
    move || Instant::now() >= end
}

fn retry(mut call: impl FnMut() -> nix::Result<()>) -> nix::Result<()> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            other => return other,
        }
    }
}
