//! The threads that wait: for keys, and for signals.
//!
//! Own nothing but the waiting; what they see goes to the event channel. Must
//! never decide what a key or a signal does.

use std::os::fd::AsFd;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::read;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::Signals;

use super::event::{Ending, Event};
use super::keys::{Input, Reader};
use super::tty::hung_up;

/// How long the rest of an escape sequence may take, in milliseconds. Beyond it
/// an Escape was a key, which then still shows within a frame of 16 ms.
const ESCAPE_MS: u16 = 12;

/// Starts the thread that reads keys from standard input.
///
/// # Errors
/// Where no thread can be started.
pub fn watch_keys(events: &SyncSender<Event>) -> std::io::Result<()> {
    let out = events.clone();
    super::thread("frc-keys", events, move || {
        read_keys(&out);
    })?;
    Ok(())
}

fn read_keys(events: &SyncSender<Event>) {
    let input = std::io::stdin();
    let (mut reader, mut found, mut bytes) = (Reader::default(), Vec::new(), [0u8; 1024]);
    loop {
        let timeout = if reader.is_waiting() { PollTimeout::from(ESCAPE_MS) } else { PollTimeout::NONE };
        let mut fds = [PollFd::new(input.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, timeout) {
            Err(Errno::EINTR | Errno::EAGAIN) => continue,
            Err(_) => return gone(events),
            Ok(0) => reader.quiet(&mut found),
            Ok(_) if hung_up(fds[0].revents()) => return gone(events),
            Ok(_) => match read(input.as_fd(), &mut bytes) {
                Err(Errno::EINTR | Errno::EAGAIN) => continue,
                Ok(0) | Err(_) => return gone(events),
                Ok(n) => reader.feed(bytes.get(..n).unwrap_or_default(), &mut found),
            },
        }
        for input in found.drain(..) {
            let event = match input {
                Input::Key(key) => Event::Key(key),
                Input::Paste(text) => Event::Paste(text),
            };
            if events.send(event).is_err() {
                return;
            }
        }
    }
}

fn gone(events: &SyncSender<Event>) {
    let _ = events.send(Event::Ending(Ending::TerminalGone));
}

/// Starts the thread that waits for signals. A second request to end, while the
/// first has not been met, ends the process at once through `last_resort`.
///
/// # Errors
/// Where handlers or the thread cannot be set up.
pub fn watch_signals(events: &SyncSender<Event>, last_resort: impl Fn() + Send + 'static) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT])?;
    let out = events.clone();
    super::thread("frc-signals", events, move || {
        let mut ending = false;
        for signal in signals.forever() {
            let event = match signal {
                SIGWINCH => Event::Resize,
                SIGTSTP => Event::Suspend,
                SIGCONT => Event::Continue,
                ends => {
                    if std::mem::replace(&mut ending, true) {
                        last_resort();
                        std::process::exit(128 + ends);
                    }
                    Event::Ending(Ending::Signal(ends))
                }
            };
            if !deliver(&out, event) {
                last_resort();
                std::process::exit(128 + signal);
            }
        }
    })?;
    Ok(())
}

/// Sends without waiting for long. A resize that finds no room is met by the next
/// picture anyway; a request to end that finds none for a second means that the
/// application hangs: false.
fn deliver(events: &SyncSender<Event>, event: Event) -> bool {
    let must = matches!(event, Event::Ending(_));
    let mut event = event;
    for _ in 0..20 {
        match events.try_send(event) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => return true,
            Err(TrySendError::Full(_)) if !must => return true,
            Err(TrySendError::Full(back)) => event = back,
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}
