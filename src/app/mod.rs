//! The console: terminal, keys and the loop that ties them to a session.
//!
//! | file | owns |
//! | --- | --- |
//! | `tty`, `terminal` | the device, and the thread that draws on it |
//! | `keys`, `input` | bytes to keys; the threads that wait |
//! | `event`, `effect` | what wakes the loop, what it asks of the world |
//! | `action` | the one table of what can be done |
//! | `ui`, `update` | what the screen remembers, what a key does to it |
//! | `seat`, `scene` | the session as the screen sees it |
//! | `layout`, `draw`, `overlay`, `panes` | a picture |
//! | `run`, `live` | the loop, and the session behind it |

pub mod action;
pub mod clipboard;
pub mod draw;
pub mod effect;
pub mod event;
pub mod follow;
pub mod input;
pub mod keys;
pub mod layout;
pub mod live;
pub mod look;
pub mod overlay;
pub mod panes;
pub mod rows;
pub mod run;
pub mod scene;
pub mod seat;
pub mod suspend;
pub mod terminal;
pub mod tty;
pub mod ui;
pub mod update;

use std::panic;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;

pub use event::Ending;
pub use run::{AppOptions, run, why_no_screen};
pub use seat::Seat;

/// Prefix of the names of the console's own threads.
const OWN: &str = "frc-";

/// Starts one of the console's own threads. Should it panic, the application is
/// told to end.
fn thread(
    name: &str,
    events: &SyncSender<event::Event>,
    run: impl FnOnce() + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    let events = events.clone();
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        if panic::catch_unwind(panic::AssertUnwindSafe(run)).is_err() {
            let _ = events.send(event::Event::Ending(Ending::Panicked));
        }
    })
}

/// Makes a panic of the console's own threads give the terminal back before its
/// message is printed. A panic of any other thread (a probe's) while the screen is
/// up prints nothing: its supervisor catches it and the screen shows it.
fn guard_panics(tty: &Arc<tty::Tty>) {
    let tty = Arc::downgrade(tty);
    let application = std::thread::current().id();
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let thread = std::thread::current();
        let own = thread.id() == application || thread.name().is_some_and(|n| n.starts_with(OWN));
        match tty.upgrade().filter(|t| t.is_entered()) {
            Some(tty) if own => {
                tty.leave();
                before(info);
            }
            Some(_) => {}
            None => before(info),
        }
    }));
}
