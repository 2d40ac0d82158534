//! The screen: keys in, cells out, on sessions made of records.

mod hostile;
mod lists;
mod pictures;
mod tape;
mod whatever;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use frc::app::effect::Effect;
use frc::app::scene::Scene;
use frc::app::seat::{Seat, Walk};
use frc::app::ui::Ui;
use frc::app::{draw, rows, update};
use frc::text::{Language, Texts, Zone};
use frc::widgets::theme::{ASCII, Theme, UNICODE};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use tape::Tape;

/// A console without a terminal.
struct Screen {
    tape: Tape,
    ui: Ui,
    texts: Texts,
    theme: Theme,
    walk: Option<Walk>,
}

impl Screen {
    fn new(tape: Tape, columns: u16, rows: u16) -> Self {
        let walk = tape.walk();
        let mut screen = Self {
            tape,
            ui: Ui { size: (columns, rows), ..Ui::default() },
            texts: Texts::in_zone(Language::En, Zone::utc()),
            theme: Theme::built_in("dark", &UNICODE),
            walk,
        };
        screen.with(|ui, scene, _| rows::refresh(scene, ui));
        screen
    }

    fn ascii(mut self) -> Self {
        self.theme = Theme::built_in("mono", &ASCII);
        self
    }

    fn with<T>(&mut self, act: impl FnOnce(&mut Ui, &Scene<'_>, &dyn Seat) -> T) -> T {
        let scene = Scene {
            state: &self.tape.state,
            verdict: self.tape.verdict.as_ref(),
            walk: self.walk.as_ref(),
            texts: &self.texts,
            theme: &self.theme,
        };
        act(&mut self.ui, &scene, &self.tape)
    }

    fn key(&mut self, key: KeyEvent) -> Vec<Effect> {
        self.with(|ui, scene, seat| update::key(ui, scene, seat, key))
    }

    /// Presses letters, one after the other.
    fn press(&mut self, keys: &str) -> Vec<Effect> {
        keys.chars().flat_map(|c| self.key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE))).collect()
    }

    fn code(&mut self, code: KeyCode) -> Vec<Effect> {
        self.key(KeyEvent::new(code, KeyModifiers::NONE))
    }

    fn draw(&mut self) -> (Buffer, Option<Position>) {
        let (columns, rows) = self.ui.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
        let cursor = self.with(|ui, scene, _| draw::draw(scene, ui, &mut buffer));
        (buffer, cursor)
    }

    fn text(&mut self) -> String {
        let (buffer, _) = self.draw();
        let width = usize::from(buffer.area.width).max(1);
        let lines = buffer.content().chunks(width).map(|line| {
            let mut text = String::new();
            let mut skip = 0;
            for cell in line {
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                text.push_str(cell.symbol());
                skip = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
            }
            text.trim_end().to_owned()
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

#[test]
fn keys_go_where_they_should() {
    let mut screen = Screen::new(Tape::at_second(90, true), 120, 36);
    screen.press("2");
    assert_eq!(screen.ui.focus, frc::app::ui::Pane::Path);
    screen.code(KeyCode::Tab);
    assert_eq!(screen.ui.focus, frc::app::ui::Pane::Nic);
    screen.press("zz7");
    screen.code(KeyCode::Tab);
    assert_eq!(screen.ui.focus, frc::app::ui::Pane::Connectivity);
    screen.press("jj");
    assert_eq!(screen.ui.selected(frc::app::ui::Pane::Connectivity), 2);
    screen.press("Gk");
    assert_eq!(screen.ui.selected(frc::app::ui::Pane::Connectivity), 5);
    assert_eq!(screen.press("q"), [Effect::Quit]);
}

#[test]
fn a_target_is_added_and_a_mistake_is_told_where_it_is_made() {
    let mut screen = Screen::new(Tape::at_second(90, true), 120, 36);
    screen.press("thost:99999");
    assert!(screen.code(KeyCode::Enter).is_empty());
    assert!(screen.text().contains("Cannot watch that: bad port \"99999\""), "{}", screen.text());
    for _ in 0..4 {
        screen.code(KeyCode::Backspace);
    }
    let effects = screen.code(KeyCode::Enter);
    assert_eq!(effects, [Effect::Command(frc::app::effect::Command::AddTarget("host:9".to_owned()))]);
    assert!(!screen.text().contains("Watch (host"));
}

/// Whoever knows a footer word finds the command by it.
#[test]
fn footer_words_find_their_commands() {
    use frc::app::action::TABLE;
    let mut screen = Screen::new(Tape::at_second(90, true), 120, 36);
    let entries = screen.with(|ui, scene, _| frc::app::overlay::palette_entries(scene, ui));
    for (n, entry) in TABLE.iter().enumerate() {
        let Some((word, _)) = entry.footer else { continue };
        let word = screen.texts.word(word).into_owned();
        let found = frc::widgets::palette::rank(&word, &entries);
        assert!(found.iter().take(3).any(|(at, _)| *at == n), "{word}: {found:?}");
    }
}

#[test]
fn the_palette_finds_what_can_be_done() {
    let mut screen = Screen::new(Tape::at_second(90, true), 120, 36);
    screen.press(":addtarg");
    assert!(screen.text().contains("Add a target to watch"));
    screen.code(KeyCode::Esc);
    screen.press(":quit");
    assert_eq!(screen.code(KeyCode::Enter), [Effect::Quit]);
}

#[test]
fn a_filter_narrows_and_escape_takes_it_back() {
    let mut screen = Screen::new(Tape::at_second(90, true), 120, 36);
    let all = screen.ui.rows.len();
    screen.press("/dns");
    assert_eq!(screen.ui.rows.len(), 2);
    screen.code(KeyCode::Enter);
    assert!(screen.text().contains("filter \"dns\""));
    screen.code(KeyCode::Esc);
    assert_eq!(screen.ui.rows.len(), all);
}

#[test]
fn quitting_asks_where_something_would_be_lost() {
    let mut screen = Screen::new(Tape { loses: true, ..Tape::at_second(90, true) }, 80, 24);
    assert!(screen.press("q").is_empty());
    assert!(screen.text().contains("y does it"));
    assert!(screen.press("n").is_empty());
    assert!(screen.press("q").is_empty());
    assert_eq!(screen.press("y"), [Effect::Quit]);
    assert!(screen.key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)).is_empty());
    assert_eq!(screen.key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)), [Effect::Quit]);
}

#[test]
fn a_step_is_ticked_and_a_note_written() {
    use frc::app::effect::Command;
    let mut screen = Screen::new(Tape::at_second(90, true), 120, 36);
    screen.press("5");
    let tick = Command::Tick { runbook: "first-response".to_owned(), step: "call".to_owned(), done: true };
    assert_eq!(screen.press(" "), [Effect::Command(tick)]);
    screen.press("ncalled the provider");
    assert_eq!(screen.code(KeyCode::Enter), [Effect::Command(Command::Note("called the provider".to_owned()))]);
}

#[test]
fn a_steady_screen_costs_next_to_nothing() {
    let mut screen = Screen::new(Tape::at_second(300, false), 120, 36);
    let (mut shown, _) = screen.draw();
    let (mut bytes, mut most) = (0, 0);
    for _ in 0..60 {
        screen.tape.play_second();
        screen.with(|ui, scene, _| rows::refresh(scene, ui));
        let (buffer, cursor) = screen.draw();
        let mut out = Vec::new();
        let frame = frc::app::terminal::Frame { buffer, cursor };
        frc::app::terminal::encode(&shown, None, &frame, false, &mut out);
        bytes += out.len();
        most = most.max(out.len());
        shown = frame.buffer;
    }
    println!("{} B/s, at most {most} B in one second", bytes / 60);
    assert!(bytes / 60 <= 1_000, "{} B/s", bytes / 60);
}

#[test]
fn only_a_screenful_of_a_thousand_targets_is_drawn() {
    let mut screen = Screen::new(Tape::thousand(), 120, 36);
    assert!(screen.ui.rows.len() >= 1000);
    let text = screen.text();
    assert!(text.contains("10.80."), "{text}");
    screen.press("G");
    assert!(screen.text().contains("10.77.1.5"));
}

/// No timed test: prints what a key and a refresh cost with a thousand targets.
#[test]
fn what_a_key_costs() {
    let mut screen = Screen::new(Tape::thousand(), 120, 36);
    let mut times = Vec::new();
    for n in 0..200 {
        let begin = std::time::Instant::now();
        screen.press(if n % 3 == 0 { "k" } else { "j" });
        screen.draw();
        times.push(begin.elapsed());
    }
    times.sort();
    let begin = std::time::Instant::now();
    screen.with(|ui, scene, _| rows::refresh(scene, ui));
    println!("key p50 {:?} p99 {:?}; rows {:?}", times[100], times[198], begin.elapsed());
}
