//! What a key does to the screen's own state, and what it asks of the world.
//!
//! Owns every decision about keys. Pure: no I/O, no clock; effects are returned.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::model::target::Address;
use crate::model::{Message, Role};
use crate::widgets::field::Field;
use crate::widgets::palette;
use crate::widgets::table::View;

use super::action::{self, Action, Entry, Key, Scope, TABLE};
use super::effect::{Command, Effect};
use super::follow;
use super::overlay;
use super::panes;
use super::rows;
use super::scene::Scene;
use super::seat::Seat;
use super::ui::{Mode, Pane, Question, Traced, Ui};

/// How long a word about what was done stands in the footer.
pub const NOTICE: std::time::Duration = std::time::Duration::from_secs(4);

/// Takes a key.
pub fn key(ui: &mut Ui, scene: &Scene<'_>, seat: &dyn Seat, key: KeyEvent) -> Vec<Effect> {
    ui.notice = None;
    if Key::Ctrl('c').is(key) {
        return quit(ui, seat);
    }
    if Key::Ctrl('z').is(key) && !typing(&ui.mode) {
        return vec![Effect::Suspend];
    }
    let mut mode = std::mem::take(&mut ui.mode);
    let effects = match &mut mode {
        Mode::Panes => return panes_key(ui, scene, seat, key),
        Mode::Help { scroll } => {
            match key.code {
                KeyCode::Down | KeyCode::Char('j') => *scroll = scroll.saturating_add(1),
                KeyCode::Up | KeyCode::Char('k') => *scroll = scroll.saturating_sub(1),
                KeyCode::PageDown | KeyCode::Char(' ') => *scroll = scroll.saturating_add(10),
                KeyCode::PageUp => *scroll = scroll.saturating_sub(10),
                _ => return Vec::new(),
            }
            Vec::new()
        }
        Mode::Palette { field, view } => match palette_key(ui, scene, field, view, key) {
            Chosen::Nothing => Vec::new(),
            Chosen::Close => return Vec::new(),
            Chosen::Action(action) => return choose(ui, scene, seat, action),
        },
        Mode::Filter { field, before } => {
            match key.code {
                KeyCode::Enter => return Vec::new(),
                KeyCode::Esc => {
                    ui.filter = std::mem::take(before);
                    rows::refresh(scene, ui);
                    return Vec::new();
                }
                _ => {
                    field.key(key);
                    ui.filter = field.text();
                    rows::refresh(scene, ui);
                }
            }
            Vec::new()
        }
        Mode::Target { field, error } => match key.code {
            KeyCode::Esc => return Vec::new(),
            KeyCode::Enter => {
                let text = field.text().trim().to_owned();
                match text.parse::<Address>() {
                    Ok(_) => return vec![Effect::Command(Command::AddTarget(text))],
                    Err(e) => *error = Some(Message::new("target-error").with("why", e.to_string())),
                }
                Vec::new()
            }
            _ => {
                if field.key(key) {
                    *error = None;
                }
                Vec::new()
            }
        },
        Mode::Note { field } => match (key.code, key.modifiers.contains(KeyModifiers::ALT)) {
            (KeyCode::Esc, _) => return Vec::new(),
            (KeyCode::Enter, false) => {
                let text = field.text().trim().to_owned();
                return if text.is_empty() { Vec::new() } else { vec![Effect::Command(Command::Note(text))] };
            }
            (KeyCode::Enter, true) => {
                field.paste("\n");
                Vec::new()
            }
            _ => {
                field.key(key);
                Vec::new()
            }
        },
        Mode::Confirm { yes, .. } => {
            return match (key.code, *yes) {
                (KeyCode::Char('y' | 'Y'), Question::Quit) => vec![Effect::Quit],
                (KeyCode::Char('y' | 'Y'), Question::Remove(id)) => vec![Effect::Command(Command::RemoveTarget(id))],
                _ => Vec::new(),
            };
        }
    };
    ui.mode = mode;
    effects
}

/// Takes a paste: words for the field that is open, nothing otherwise.
pub fn paste(ui: &mut Ui, scene: &Scene<'_>, text: &str) {
    match &mut ui.mode {
        Mode::Palette { field, .. } | Mode::Note { field } => field.paste(text),
        Mode::Target { field, error } => {
            field.paste(text);
            *error = None;
        }
        Mode::Filter { field, .. } => {
            field.paste(text);
            ui.filter = field.text();
            rows::refresh(scene, ui);
        }
        Mode::Panes | Mode::Help { .. } | Mode::Confirm { .. } => {}
    }
}

fn typing(mode: &Mode) -> bool {
    matches!(mode, Mode::Palette { .. } | Mode::Filter { .. } | Mode::Target { .. } | Mode::Note { .. })
}

fn panes_key(ui: &mut Ui, scene: &Scene<'_>, seat: &dyn Seat, key: KeyEvent) -> Vec<Effect> {
    match action::of_key(key, ui.focus) {
        Some(action) => act(ui, scene, seat, action),
        None => Vec::new(),
    }
}

enum Chosen {
    Nothing,
    Close,
    Action(Action),
}

fn palette_key(ui: &Ui, scene: &Scene<'_>, field: &mut Field, view: &mut View, key: KeyEvent) -> Chosen {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let ranked = palette::rank(&field.text(), &overlay::palette_entries(scene, ui));
    match key.code {
        KeyCode::Esc => return Chosen::Close,
        KeyCode::Down => view.step(1, ranked.len()),
        KeyCode::Up => view.step(-1, ranked.len()),
        KeyCode::Char('n') if control => view.step(1, ranked.len()),
        KeyCode::Char('p') if control => view.step(-1, ranked.len()),
        KeyCode::Enter => {
            let entry = ranked.get(view.selected).and_then(|(n, _)| TABLE.get(*n));
            return entry.map_or(Chosen::Close, |e| Chosen::Action(e.action));
        }
        _ => {
            if field.key(key) {
                *view = View::default();
            }
        }
    }
    Chosen::Nothing
}

/// Does what was chosen from the palette. What acts on another pane's selection goes
/// to that pane first, so that nothing is done to what cannot be seen.
fn choose(ui: &mut Ui, scene: &Scene<'_>, seat: &dyn Seat, action: Action) -> Vec<Effect> {
    match action::entry_of(action).map(|e| e.scope) {
        Some(Scope::Panes(panes)) if !panes.contains(&ui.focus) => {
            panes.iter().take(1).for_each(|pane| show(ui, scene, *pane));
            Vec::new()
        }
        _ => act(ui, scene, seat, action),
    }
}

/// Whether an action does something here and now; what does not is not offered.
pub fn works(ui: &Ui, scene: &Scene<'_>, entry: &Entry) -> bool {
    let selected = || selected_target(ui, scene).and_then(|id| scene.state.target(id));
    entry.scope.holds(ui.focus)
        && match entry.action {
            Action::NextPath | Action::PreviousPath => ui.paths.len() > 1,
            Action::Trace => selected().is_some(),
            Action::RemoveTarget => selected().is_some_and(|t| t.role == Role::Watched),
            Action::Tick => scene.walk.is_some(),
            _ => true,
        }
}

/// Does an action.
pub fn act(ui: &mut Ui, scene: &Scene<'_>, seat: &dyn Seat, action: Action) -> Vec<Effect> {
    match action {
        Action::Show(pane) => show(ui, scene, pane),
        Action::NextPane => show(ui, scene, ui.focus.next(1)),
        Action::PreviousPane => show(ui, scene, ui.focus.next(-1)),
        Action::Zoom => ui.zoomed = !ui.zoomed,
        Action::Details => ui.details = !ui.details,
        Action::Back => back(ui, scene),
        Action::Up => step(ui, -1),
        Action::Down => step(ui, 1),
        Action::PageUp => step(ui, -(ui.page as isize)),
        Action::PageDown => step(ui, ui.page as isize),
        Action::First => step(ui, isize::MIN),
        Action::Last => step(ui, isize::MAX),
        Action::Filter => {
            let mut field = Field::line();
            field.paste(&ui.filter);
            ui.mode = Mode::Filter { field, before: ui.filter.clone() };
        }
        Action::AddTarget => ui.mode = Mode::Target { field: Field::line(), error: None },
        Action::Note => ui.mode = Mode::Note { field: Field::lines() },
        Action::Help => ui.mode = Mode::Help { scroll: 0 },
        Action::Palette => ui.mode = Mode::Palette { field: Field::line(), view: View::default() },
        Action::Freeze => ui.freeze(seat),
        Action::Trace => return trace(ui, scene),
        Action::NextPath => other_path(ui, scene, 1),
        Action::PreviousPath => other_path(ui, scene, -1),
        Action::RemoveTarget => ask_remove(ui, scene),
        Action::Tick => return tick(ui, scene),
        Action::Copy => {
            return panes::copied(ui.focus, scene, ui).map(Effect::Copy).into_iter().collect();
        }
        Action::Colours => return vec![Effect::Colours],
        Action::Redraw => return vec![Effect::Redraw],
        Action::Suspend => return vec![Effect::Suspend],
        Action::Quit => return quit(ui, seat),
    }
    Vec::new()
}

fn show(ui: &mut Ui, scene: &Scene<'_>, pane: Pane) {
    // The runbook opens at the step to do now.
    if pane == Pane::Runbook && ui.focus != pane {
        ui.view(pane).selected = scene.walk.and_then(|w| w.current).unwrap_or(0);
    }
    ui.focus = pane;
    ui.details = false;
    ui.details_scroll = 0;
}

/// One step back: details, then zoom, then filter, then the frozen picture.
fn back(ui: &mut Ui, scene: &Scene<'_>) {
    if ui.details {
        ui.details = false;
        ui.details_scroll = 0;
    } else if ui.zoomed {
        ui.zoomed = false;
    } else if !ui.filter.is_empty() {
        ui.filter.clear();
        rows::refresh(scene, ui);
    } else {
        ui.is_frozen = false;
    }
}

fn step(ui: &mut Ui, rows: isize) {
    if ui.details {
        ui.details_scroll = ui.details_scroll.saturating_add_signed(rows.clamp(-999, 999) as i16);
        return;
    }
    let count = ui.count(ui.focus);
    ui.moved.insert(ui.focus);
    ui.view(ui.focus).step(rows, count);
}

fn selected_target(ui: &Ui, scene: &Scene<'_>) -> Option<crate::model::TargetId> {
    let probe = scene.state.probe(*ui.rows.get(ui.selected(Pane::Connectivity))?)?;
    scene.named_by(probe).map(|t| t.id)
}

fn trace(ui: &mut Ui, scene: &Scene<'_>) -> Vec<Effect> {
    let Some(id) = selected_target(ui, scene).filter(|_| ui.focus == Pane::Connectivity) else { return Vec::new() };
    ui.traced = Some(Traced::Target(id));
    follow::follow(scene, ui);
    show(ui, scene, Pane::Path);
    vec![Effect::Command(Command::Trace(id))]
}

/// Shows another of the traced paths, from its first hop.
fn other_path(ui: &mut Ui, scene: &Scene<'_>, step: isize) {
    if let Some(traced) = panes::path::neighbour(scene, ui, step) {
        ui.traced = Some(traced);
        follow::follow(scene, ui);
        *ui.view(Pane::Path) = View::default();
        ui.moved.remove(&Pane::Path);
        ui.counts.insert(Pane::Path, panes::path::rows(scene, ui).len());
    }
}

fn ask_remove(ui: &mut Ui, scene: &Scene<'_>) {
    let target = selected_target(ui, scene).and_then(|id| scene.state.target(id));
    match target {
        Some(t) if t.role == Role::Watched => {
            let question = Message::new("confirm-remove").with("name", t.name());
            ui.mode = Mode::Confirm { question, yes: Question::Remove(t.id) };
        }
        Some(t) => notice(ui, scene, Message::new("notice-not-removable").with("name", t.name())),
        None => {}
    }
}

fn tick(ui: &mut Ui, scene: &Scene<'_>) -> Vec<Effect> {
    let Some(walk) = scene.walk else { return Vec::new() };
    let tickable = super::draw::tickable(walk, ui.selected(Pane::Runbook));
    let Some((runbook, step, done)) = tickable else { return Vec::new() };
    if done {
        let count = walk.len();
        ui.view(Pane::Runbook).step(1, count);
    }
    vec![Effect::Command(Command::Tick { runbook, step, done })]
}

/// Quits, or asks first where something would be lost; asked twice, quits.
fn quit(ui: &mut Ui, seat: &dyn Seat) -> Vec<Effect> {
    let asked = matches!(ui.mode, Mode::Confirm { yes: Question::Quit, .. });
    match seat.would_lose() {
        Some(question) if !asked => {
            ui.mode = Mode::Confirm { question, yes: Question::Quit };
            Vec::new()
        }
        _ => vec![Effect::Quit],
    }
}

/// Says something in the footer for a while.
pub fn notice(ui: &mut Ui, scene: &Scene<'_>, message: Message) {
    ui.notice = Some((message, scene.now().after(NOTICE)));
}
