//! The console: terminal, keys and the loop that ties them to the session.

pub mod event;
pub mod input;
pub mod keys;
pub mod terminal;
pub mod tty;

/// Starts one of the console's own threads. Should it panic, the application is
/// told to end.
pub(crate) fn thread(
    name: &str,
    events: &std::sync::mpsc::SyncSender<event::Event>,
    run: impl FnOnce() + Send + 'static,
) -> std::io::Result<std::thread::JoinHandle<()>> {
    let events = events.clone();
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err() {
            let _ = events.send(event::Event::Ending(event::Ending::Panicked));
        }
    })
}
