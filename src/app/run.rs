//! The loop: waits for events, folds them in, draws when something visible changed.
//!
//! Owns the session on this thread, the clock of drawing, and carrying out effects.
//! Wakes once a second for clocks, and for what arrives.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::Message;
use crate::probes::Batch;
use crate::text::Texts;
use crate::widgets::Theme;

use super::effect::{Command, Effect};
use super::event::{Ending, Event};
use super::scene::Scene;
use super::seat::{Seat, Walk};
use super::terminal::{Frame, Terminal};
use super::tty::{NoScreen, Tty};
use super::ui::Ui;
use super::{clipboard, draw, input, look, rows, suspend, tty, update};

/// Most pictures a second that nobody asked for by a key, where nothing is said.
const UNASKED: u8 = 10;
/// Least time between two pictures for newer figures alone, while the first ones
/// come in; later they wait for the next second.
const FIRST_FIGURES: Duration = Duration::from_millis(200);
/// How long after something new is watched its first figures come in.
const SETTLING: Duration = Duration::from_secs(6);
/// Events that may wait; beyond it their senders wait.
const WAITING: usize = 256;
/// Events taken at most before a picture is drawn.
const AT_ONCE: usize = 64;

/// How the console shall look.
#[derive(Debug, Clone)]
pub struct AppOptions {
    /// `--no-color`.
    pub no_color: bool,
    /// `--ascii`.
    pub ascii: bool,
    /// The colours asked for.
    pub theme: crate::config::Theme,
    /// Pictures a second at most that nobody asked for by a key.
    pub frames_per_second: u8,
}

impl Default for AppOptions {
    fn default() -> Self {
        Self { no_color: false, ascii: false, theme: crate::config::Theme::Auto, frames_per_second: UNASKED }
    }
}

/// Why there is no screen, for people.
pub fn why_no_screen(why: &NoScreen) -> Message {
    match why {
        NoScreen::NotATerminal => Message::new("screen-no-terminal"),
        NoScreen::Dumb => Message::new("screen-dumb"),
        NoScreen::Broken(errno) => Message::new("screen-broken").with("errno", errno.desc()),
    }
}

/// Runs the console on the terminal until it ends. The terminal is as it was found
/// when this returns, and when it panics.
///
/// # Errors
/// Where there is no terminal that could show it; see [`why_no_screen`].
pub fn run(
    options: &AppOptions,
    texts: &Texts,
    seat: &mut dyn Seat,
    batches: Receiver<Batch>,
) -> Result<Ending, NoScreen> {
    let tty = Arc::new(Tty::open()?);
    let (sender, inbox) = sync_channel(WAITING);
    let broken = |_| NoScreen::Broken(nix::errno::Errno::EAGAIN);
    super::guard_panics(&tty);
    let last_resort = Arc::clone(&tty);
    input::watch_signals(&sender, move || last_resort.leave()).map_err(broken)?;
    let terminal = Terminal::start(Arc::clone(&tty), sender.clone())?;
    input::watch_keys(&sender).map_err(broken)?;
    bridge(batches, &sender).map_err(broken)?;
    let look = look::Look {
        no_color: options.no_color,
        ascii: options.ascii,
        theme: options.theme,
        around: look::Surroundings::of_process(),
    };
    let now = Instant::now();
    let mut console = Console {
        texts,
        theme: look.theme(),
        look,
        pause: Duration::from_secs(1) / u32::from(options.frames_per_second.max(1)),
        seat,
        terminal,
        tty,
        sender,
        ui: Ui { size: tty::size(), ..Ui::default() },
        walk: None,
        due: Some(now),
        settled: now + SETTLING,
        drawn: None,
        refreshed: None,
    };
    Ok(console.run(&inbox))
}

/// Carries batches into the event channel. Where the application is busy it waits,
/// and the probes' side counts what it must drop.
fn bridge(batches: Receiver<Batch>, events: &SyncSender<Event>) -> std::io::Result<()> {
    let out = events.clone();
    super::thread("frc-batches", events, move || {
        for batch in batches {
            if out.send(Event::Batch(batch)).is_err() {
                return;
            }
        }
    })?;
    Ok(())
}

struct Console<'a> {
    texts: &'a Texts,
    theme: Theme,
    look: look::Look,
    /// Least time between two pictures that nobody asked for.
    pause: Duration,
    seat: &'a mut dyn Seat,
    terminal: Terminal,
    tty: Arc<Tty>,
    sender: SyncSender<Event>,
    ui: Ui,
    walk: Option<Walk>,
    /// When the next picture is to be drawn, where one is.
    due: Option<Instant>,
    /// Until then figures are drawn as they come.
    settled: Instant,
    drawn: Option<Instant>,
    /// When rows and the runbook were read last.
    refreshed: Option<Instant>,
}

impl Console<'_> {
    fn run(&mut self, inbox: &Receiver<Event>) -> Ending {
        let mut second = Instant::now() + self.until_second();
        loop {
            if self.due.is_some_and(|due| due <= Instant::now()) {
                self.draw();
            }
            let wake = self.due.map_or(second, |due| due.min(second));
            match inbox.recv_timeout(wake.saturating_duration_since(Instant::now())) {
                Ok(event) => {
                    let more = std::iter::from_fn(|| inbox.try_recv().ok()).take(AT_ONCE);
                    for event in std::iter::once(event).chain(more).collect::<Vec<_>>() {
                        if let Some(ending) = self.take(event) {
                            return ending;
                        }
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ending::TerminalGone,
            }
            if Instant::now() >= second {
                second = Instant::now() + self.until_second().max(Duration::from_millis(20));
                if self.tty.is_gone() {
                    return Ending::TerminalGone;
                }
                let now = self.seat.now();
                self.seat.tick(now);
                // A picture held still has no clock that runs.
                if !self.ui.is_frozen {
                    self.draw_within(Duration::ZERO);
                }
            }
        }
    }

    /// How long until the wall clock shows the next second.
    fn until_second(&self) -> Duration {
        let into = self.seat.now().wall.0.rem_euclid(1_000_000) as u64;
        Duration::from_micros(1_000_000 - into)
    }

    /// Asks for a picture, at most `pause` after the one before.
    fn draw_within(&mut self, pause: Duration) {
        let now = Instant::now();
        let at = self.drawn.map_or(now, |drawn| (drawn + pause).max(now));
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    fn take(&mut self, event: Event) -> Option<Ending> {
        match event {
            Event::Key(key) => {
                let effects = self.with_scene(|ui, scene, seat| update::key(ui, scene, seat, key));
                self.draw_within(Duration::ZERO);
                return effects.into_iter().find_map(|effect| self.carry_out(effect));
            }
            Event::Paste(text) => {
                self.with_scene(|ui, scene, _| update::paste(ui, scene, &text));
                self.draw_within(Duration::ZERO);
            }
            Event::Resize => {
                self.ui.size = tty::size();
                self.terminal.forget();
                self.draw_within(self.pause.min(Duration::from_millis(20)));
            }
            Event::Batch(batch) => {
                let visible = self.seat.apply(batch);
                if self.ui.is_frozen {
                    return None;
                }
                if visible {
                    self.settled = Instant::now() + SETTLING;
                    self.refreshed = None;
                    self.draw_within(self.pause);
                } else if Instant::now() < self.settled {
                    self.draw_within(self.pause.max(FIRST_FIGURES));
                }
            }
            Event::Suspend => self.suspend(),
            Event::Continue => {
                if self.terminal.enter().is_err() {
                    return Some(Ending::TerminalGone);
                }
                self.ui.size = tty::size();
                self.draw_within(Duration::ZERO);
            }
            Event::Notice(message) => {
                self.notice(message);
                self.draw_within(Duration::ZERO);
            }
            Event::Ending(ending) => return Some(ending),
        }
        None
    }

    fn suspend(&mut self) {
        if suspend::possible() {
            self.terminal.leave();
            // Returns when somebody continues us; SIGCONT then takes the screen again.
            suspend::stop();
        } else {
            self.notice(Message::new("notice-no-shell"));
            self.draw_within(Duration::ZERO);
        }
    }

    fn notice(&mut self, message: Message) {
        let until = self.seat.now().mono.after(update::NOTICE);
        self.ui.notice = Some((message, until));
    }

    fn carry_out(&mut self, effect: Effect) -> Option<Ending> {
        match effect {
            Effect::Command(command) => self.command(command),
            Effect::Copy(text) => self.copy(&text),
            Effect::Colours => {
                if self.look.switch() {
                    self.theme = self.look.theme();
                } else {
                    self.notice(Message::new("notice-own-colours"));
                }
            }
            Effect::Redraw => self.terminal.forget(),
            Effect::Suspend if suspend::possible() => suspend::ask(),
            Effect::Suspend => self.notice(Message::new("notice-no-shell")),
            Effect::Quit => return Some(Ending::Quit),
        }
        None
    }

    fn command(&mut self, command: Command) {
        let done = match &command {
            Command::AddTarget(text) => Some(Message::new("notice-added").with("target", text.as_str())),
            Command::Note(_) => Some(Message::new("notice-noted")),
            Command::RemoveTarget(_) => Some(Message::new("notice-removed")),
            Command::Trace(_) | Command::Tick { .. } => None,
        };
        self.settled = Instant::now() + SETTLING;
        match (self.seat.command(command), done) {
            (Ok(()), Some(message)) | (Err(message), _) => self.notice(message),
            (Ok(()), None) => {}
        }
        self.refreshed = None;
    }

    fn copy(&mut self, text: &str) {
        let in_tmux = std::env::var_os("TMUX").is_some_and(|t| !t.is_empty());
        if in_tmux && clipboard::to_tmux(text.to_owned(), &self.sender).is_ok() {
            return;
        }
        let id = if self.terminal.send(&clipboard::osc52(text)) { "notice-copied" } else { "notice-copy-failed" };
        self.notice(Message::new(id));
    }

    fn with_scene<T>(&mut self, act: impl FnOnce(&mut Ui, &Scene<'_>, &dyn Seat) -> T) -> T {
        let mut ui = std::mem::take(&mut self.ui);
        let frozen = ui.frozen.take();
        let scene = match &frozen {
            Some(f) => Scene {
                state: &f.state,
                verdict: f.verdict.as_ref(),
                walk: f.walk.as_ref(),
                texts: self.texts,
                theme: &self.theme,
            },
            None => Scene {
                state: self.seat.state(),
                verdict: self.seat.verdict(),
                walk: self.walk.as_ref(),
                texts: self.texts,
                theme: &self.theme,
            },
        };
        ui.is_frozen = frozen.is_some();
        let result = act(&mut ui, &scene, self.seat);
        // A key may have let the picture go; else it stays held.
        if ui.is_frozen {
            ui.frozen = frozen;
        }
        ui.is_frozen = ui.frozen.is_some();
        self.ui = ui;
        result
    }

    fn draw(&mut self) {
        let now = Instant::now();
        let stale = self.refreshed.is_none_or(|r| now.duration_since(r) >= Duration::from_millis(900));
        if stale {
            self.walk = self.seat.walk();
            self.refreshed = Some(now);
        }
        if self.ui.notice.as_ref().is_some_and(|(_, until)| *until <= self.seat.now().mono) {
            self.ui.notice = None;
        }
        let area = Rect::new(0, 0, self.ui.size.0, self.ui.size.1);
        let mut buffer = self.terminal.spare().unwrap_or_default();
        buffer.resize(area);
        buffer.reset();
        let (buffer, cursor) = self.with_scene(move |ui, scene, _| {
            if stale {
                rows::refresh(scene, ui);
            }
            let mut buffer: Buffer = buffer;
            let cursor = draw::draw(scene, ui, &mut buffer);
            (buffer, cursor)
        });
        self.terminal.show(Frame { buffer, cursor });
        self.drawn = Some(now);
        self.due = None;
    }
}
