//! The thread that owns the terminal.
//!
//! Owns what the terminal shows now and the way from there to the next picture.
//! Receives whole pictures through a slot where the newest wins; a terminal that
//! stalls costs pictures and nothing else. Must never know what a picture means.

use std::io::Write;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Position;
use unicode_width::UnicodeWidthStr;

use super::event::{Ending, Event};
use super::tty::{NoScreen, Tty, WriteEnd};

/// How long the application waits for the painter to let go of the terminal.
const HANDOVER: Duration = Duration::from_secs(1);

/// Most bytes of extra sequences (clipboard) that wait; more are refused.
const MAX_EXTRA: usize = 128 * 1024;

/// One whole picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Every cell.
    pub buffer: Buffer,
    /// Where the cursor stands, in a text field.
    pub cursor: Option<Position>,
}

#[derive(Debug, Default)]
struct Slot {
    frame: Option<Frame>,
    spare: Option<Buffer>,
    /// Draw everything, whatever is thought to be on screen.
    whole: bool,
    extra: Vec<u8>,
    /// The painter shall not touch the terminal.
    paused: bool,
    /// The painter is between taking a picture and having written it.
    busy: bool,
    stop: bool,
}

#[derive(Debug)]
struct Shared {
    slot: Mutex<Slot>,
    changed: Condvar,
    tty: Arc<Tty>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The application's end of the terminal thread.
#[derive(Debug)]
pub struct Terminal {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Terminal {
    /// Takes the terminal and starts its thread. When the terminal is gone,
    /// `events` is told.
    ///
    /// # Errors
    /// Where its modes cannot be set or no thread can be started.
    pub fn start(tty: Arc<Tty>, events: SyncSender<Event>) -> Result<Self, NoScreen> {
        tty.enter()?;
        let shared = Arc::new(Shared { slot: Mutex::default(), changed: Condvar::new(), tty });
        let painter = Arc::clone(&shared);
        let thread = super::thread("frc-paint", &events.clone(), move || {
            if paint(&painter) == Err(WriteEnd::Gone) {
                let _ = events.send(Event::Ending(Ending::TerminalGone));
            }
        })
        .map_err(|_| NoScreen::Broken(nix::errno::Errno::EAGAIN))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Shows `frame` as soon as the terminal takes it; replaces a picture that
    /// still waits. Never blocks.
    pub fn show(&self, frame: Frame) {
        let mut slot = self.shared.lock();
        if let Some(old) = slot.frame.replace(frame) {
            slot.spare = Some(old.buffer);
        }
        drop(slot);
        self.shared.changed.notify_all();
    }

    /// A buffer that is no longer needed, to draw the next picture into.
    pub fn spare(&self) -> Option<Buffer> {
        self.shared.lock().spare.take()
    }

    /// Draws the next picture whole: the terminal was resized, or others wrote to it.
    pub fn forget(&self) {
        self.shared.lock().whole = true;
    }

    /// Sends a control sequence between two pictures. False where too much waits.
    pub fn send(&self, bytes: &[u8]) -> bool {
        let mut slot = self.shared.lock();
        if slot.extra.len() + bytes.len() > MAX_EXTRA {
            return false;
        }
        slot.extra.extend_from_slice(bytes);
        drop(slot);
        self.shared.changed.notify_all();
        true
    }

    /// Gives the terminal back for a while (Ctrl-Z).
    pub fn leave(&self) {
        self.pause();
        self.shared.tty.leave();
    }

    /// Takes it again; the next picture is drawn whole.
    ///
    /// # Errors
    /// Where its modes cannot be set any more.
    pub fn enter(&self) -> Result<(), NoScreen> {
        self.pause();
        self.shared.tty.enter()?;
        let mut slot = self.shared.lock();
        slot.paused = false;
        slot.whole = true;
        drop(slot);
        self.shared.changed.notify_all();
        Ok(())
    }

    fn pause(&self) {
        let mut slot = self.shared.lock();
        slot.paused = true;
        self.shared.changed.notify_all();
        let _ = self.shared.changed.wait_timeout_while(slot, HANDOVER, |s| s.busy);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.pause();
        self.shared.lock().stop = true;
        self.shared.changed.notify_all();
        self.shared.tty.leave();
        // A painter that is still busy is stuck in a write that never ends; the
        // process is about to end anyway.
        if !self.shared.lock().busy
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}

fn paint(shared: &Shared) -> Result<(), WriteEnd> {
    let mut shown = Buffer::default();
    let mut cursor = None;
    let mut bytes = Vec::new();
    loop {
        let mut slot = shared
            .changed
            .wait_while(shared.lock(), |s| !s.stop && (s.paused || (s.frame.is_none() && s.extra.is_empty())))
            .unwrap_or_else(PoisonError::into_inner);
        if slot.stop {
            return Ok(());
        }
        slot.busy = true;
        let (frame, extra) = (slot.frame.take(), std::mem::take(&mut slot.extra));
        let whole = frame.is_some() && std::mem::take(&mut slot.whole);
        drop(slot);

        bytes.clear();
        if let Some(mut frame) = frame {
            settle(&mut frame.buffer);
            encode(&shown, cursor, &frame, whole, &mut bytes);
            cursor = frame.cursor;
            let old = std::mem::replace(&mut shown, frame.buffer);
            shared.lock().spare = Some(old);
        }
        bytes.extend_from_slice(&extra);
        let written = shared.tty.write_picture(&bytes, || {
            let slot = shared.lock();
            slot.stop || slot.paused
        });
        let mut slot = shared.lock();
        slot.busy = false;
        // What was given up half written cannot be built upon.
        slot.whole |= written.is_err();
        drop(slot);
        shared.changed.notify_all();
        if written == Err(WriteEnd::Gone) {
            return written;
        }
    }
}

/// Takes out wide characters whose second half was drawn over, or would stand
/// beyond the edge: what is over it wins, and no cell hides another from the diff.
fn settle(buffer: &mut Buffer) {
    let width = usize::from(buffer.area.width);
    for n in 0..buffer.content.len() {
        let symbol = buffer.content[n].symbol();
        if symbol.is_ascii() || symbol.width() < 2 {
            continue;
        }
        let covered = buffer.content.get(n + 1).is_none_or(|next| next.symbol() != " ");
        if covered || (n + 1) % width == 0 {
            buffer.content[n].set_symbol(" ");
        }
    }
}

/// The bytes that turn what is shown into `frame`, as one synchronized update;
/// nothing at all where nothing changed.
pub fn encode(shown: &Buffer, cursor: Option<Position>, frame: &Frame, whole: bool, bytes: &mut Vec<u8>) {
    let whole = whole || shown.area != frame.buffer.area;
    let begin = bytes.len();
    // Writing to a Vec cannot fail.
    let _ = queue!(bytes, BeginSynchronizedUpdate, Hide);
    let preamble = bytes.len();
    if whole {
        let _ = queue!(bytes, Clear(ClearType::All));
        draw(&Buffer::filled(frame.buffer.area, Cell::EMPTY), &frame.buffer, bytes);
    } else {
        draw(shown, &frame.buffer, bytes);
    }
    if bytes.len() == preamble && cursor == frame.cursor {
        bytes.truncate(begin);
        return;
    }
    if let Some(at) = frame.cursor {
        let _ = queue!(bytes, MoveTo(at.x, at.y), Show);
    }
    let _ = queue!(bytes, EndSynchronizedUpdate);
}

fn draw(from: &Buffer, to: &Buffer, bytes: &mut Vec<u8>) {
    let changes = from.diff(to);
    if !changes.is_empty() {
        let mut backend = CrosstermBackend::new(&mut *bytes);
        let _ = backend.draw(changes.into_iter());
        let _ = Write::flush(&mut backend);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::layout::Rect;
    use ratatui::style::{Color, Style};

    use super::*;

    fn picture(lines: &[&str]) -> Frame {
        Frame { buffer: Buffer::with_lines(lines.iter().copied()), cursor: None }
    }

    fn bytes(from: &Frame, to: &Frame, whole: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(&from.buffer, from.cursor, to, whole, &mut bytes);
        bytes
    }

    #[test]
    fn nothing_changed_costs_no_byte() {
        let a = picture(&["hello", "there"]);
        assert!(bytes(&a, &a, false).is_empty());
    }

    #[test]
    fn a_change_is_one_synchronized_update_of_few_bytes() {
        let out = bytes(&picture(&["12:00:01"]), &picture(&["12:00:02"]), false);
        assert!(out.starts_with(b"\x1b[?2026h") && out.ends_with(b"\x1b[?2026l"));
        assert!(out.len() < 60, "{}", out.len());
    }

    #[test]
    fn the_cursor_moves_alone() {
        let a = picture(&["hello"]);
        let b = Frame { cursor: Some(Position::new(2, 0)), ..a.clone() };
        assert_eq!(bytes(&a, &b, false), b"\x1b[?2026h\x1b[?25l\x1b[1;3H\x1b[?25h\x1b[?2026l");
    }

    fn pictures() -> impl Strategy<Value = Vec<Frame>> {
        let cell = (prop::sample::select(vec!["a", "b", " ", "█", "网", "é"]), 0u8..4);
        let frame = (1u16..12, 1u16..6, prop::collection::vec(cell, 60)).prop_map(|(w, h, cells)| {
            let mut buffer = Buffer::empty(Rect::new(0, 0, w, h));
            for (n, (symbol, colour)) in cells.into_iter().enumerate() {
                let (x, y) = (n as u16 % 12, n as u16 / 12);
                if y < h {
                    buffer.set_stringn(
                        x,
                        y,
                        symbol,
                        usize::from(w.saturating_sub(x)),
                        Style::new().fg(Color::Indexed(colour)),
                    );
                }
            }
            Frame { buffer, cursor: None }
        });
        prop::collection::vec(frame, 1..5)
    }

    proptest! {
        /// Whatever was dropped in between, the terminal shows the last picture.
        #[test]
        fn the_terminal_shows_the_last_picture(frames in pictures()) {
            let mut shown = Buffer::default();
            let mut terminal = vt100::Parser::new(1, 1, 0);
            for mut frame in frames {
                settle(&mut frame.buffer);
                let mut out = Vec::new();
                encode(&shown, None, &frame, false, &mut out);
                terminal.screen_mut().set_size(frame.buffer.area.height, frame.buffer.area.width);
                terminal.process(&out);
                shown = frame.buffer;
                for y in 0..shown.area.height {
                    let mut skip = 0;
                    for x in 0..shown.area.width {
                        if skip > 0 { skip -= 1; continue; }
                        let want = shown.cell((x, y)).unwrap().symbol();
                        let seen = terminal.screen().cell(y, x).unwrap();
                        let seen = if seen.contents().is_empty() { " " } else { seen.contents() };
                        prop_assert_eq!(seen, want, "at {},{}", x, y);
                        skip = UnicodeWidthStr::width(want).saturating_sub(1);
                    }
                }
            }
        }
    }
}
