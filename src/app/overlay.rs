//! What opens over the panes: details, help, palette, fields, questions.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::model::Message;
use crate::widgets::field::Field;
use crate::widgets::palette::{self, Entry};
use crate::widgets::panel::Panel;
use crate::widgets::theme::Part;
use crate::widgets::{Ink, Meaning, help, ink};

use super::action::{self, Group, TABLE};
use super::scene::Scene;
use super::ui::{Mode, Ui};
use super::{panes, update};

/// The details of what is selected, in the middle.
pub fn details(scene: &Scene<'_>, ui: &mut Ui, buf: &mut Buffer, area: Rect) {
    let Some((title, lines)) = panes::details(ui.focus, scene, ui) else {
        ui.details = false;
        return;
    };
    let theme = scene.theme;
    let width = area.width.min(84);
    let label = lines.iter().map(|(w, _)| ink::width(w)).max().unwrap_or(0).min(width / 3);
    let room = width.saturating_sub(label + 6);
    let mut text = Vec::new();
    for (word, what) in &lines {
        for (n, line) in ink::wrap(what, room, 12, theme.glyphs.ellipsis).into_iter().enumerate() {
            text.push((if n == 0 { word.as_str() } else { "" }, line));
        }
    }
    let height = area.height.min(text.len() as u16 + 2);
    let frame = middle(area, width, height);
    ink::clear(buf, frame);
    let inside = Panel { title: &title, focused: true, ..Panel::default() }.draw(buf, frame, theme);
    let most = (text.len() as u16).saturating_sub(inside.height);
    ui.details_scroll = ui.details_scroll.min(most);
    for (n, (word, line)) in
        text.iter().skip(usize::from(ui.details_scroll)).take(usize::from(inside.height)).enumerate()
    {
        let mut pen = Ink::new(buf, inside, n as u16, theme.glyphs.ellipsis);
        if label > 0 {
            pen.cell(word, label, theme.dim()).skip(2);
        }
        pen.put(line, theme.text());
    }
}

/// What the mode opens; gives the cursor's place.
pub fn mode(scene: &Scene<'_>, ui: &mut Ui, buf: &mut Buffer, area: Rect) -> Option<Position> {
    let mut mode = std::mem::take(&mut ui.mode);
    let cursor = match &mut mode {
        Mode::Panes => None,
        Mode::Help { scroll } => {
            let groups = help_groups(scene, ui);
            let most = help::draw(buf, area, &scene.word("help-title"), &groups, *scroll, scene.theme);
            *scroll = (*scroll).min(most);
            None
        }
        Mode::Palette { field, view } => {
            let entries = palette_entries(scene, ui);
            let ranked = palette::rank(&field.text(), &entries);
            palette::draw(buf, area, &scene.word("palette-title"), field, &entries, &ranked, view, scene.theme)
        }
        Mode::Filter { field, .. } => prompt(scene, buf, area, "filter-prompt", field, None),
        Mode::Target { field, error } => prompt(scene, buf, area, "target-prompt", field, error.as_ref()),
        Mode::Note { field } => note(scene, buf, area, field),
        Mode::Confirm { question, .. } => {
            confirm(scene, buf, area, question);
            None
        }
    };
    ui.mode = mode;
    cursor
}

fn middle(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}

fn help_groups(scene: &Scene<'_>, ui: &Ui) -> Vec<help::Group> {
    let here = |group: Group| TABLE.iter().filter(move |e| e.group == group && update::works(ui, scene, e));
    Group::ALL
        .iter()
        .map(|(group, id)| help::Group {
            title: scene.word(id).into_owned(),
            keys: here(*group).map(|e| (action::key_names(e), scene.word(e.text).into_owned())).collect(),
        })
        .collect()
}

/// Every action as the palette lists it, in the table's order.
pub fn palette_entries(scene: &Scene<'_>, ui: &Ui) -> Vec<Entry> {
    TABLE
        .iter()
        .map(|e| Entry {
            text: scene.word(e.text).into_owned(),
            keys: action::key_names(e),
            enabled: update::works(ui, scene, e),
        })
        .collect()
}

/// A field of one line over the footer, with what is wrong above it.
fn prompt(
    scene: &Scene<'_>,
    buf: &mut Buffer,
    area: Rect,
    label: &'static str,
    field: &mut Field,
    error: Option<&Message>,
) -> Option<Position> {
    if area.is_empty() {
        return None;
    }
    let theme = scene.theme;
    let line = Rect { y: area.bottom() - 1, height: 1, ..area };
    if let Some(error) = error {
        let lines = ink::wrap(&scene.say(error), area.width.saturating_sub(3), 3, theme.glyphs.ellipsis);
        let height = (lines.len() as u16).min(line.y);
        let above = Rect { y: line.y - height, height, ..area };
        ink::clear(buf, above);
        for (n, text) in lines.iter().enumerate() {
            Ink::new(buf, above, n as u16, theme.glyphs.ellipsis)
                .skip(1)
                .put(if n == 0 { theme.glyphs.fault } else { " " }, theme.meaning(Meaning::Fault))
                .put(" ", theme.text())
                .put(text, theme.meaning(Meaning::Fault));
        }
    }
    ink::clear(buf, line);
    let words = scene.word(label);
    Ink::new(buf, line, 0, theme.glyphs.ellipsis).skip(1).put(&words, theme.style(Part::Focus));
    let used = (ink::width(&words) + 2).min(line.width.saturating_sub(1));
    field.draw(buf, Rect { x: line.x + used, width: line.width - used, ..line }, theme)
}

/// A field of several lines.
fn note(scene: &Scene<'_>, buf: &mut Buffer, area: Rect, field: &mut Field) -> Option<Position> {
    let frame = middle(area, 72, 9);
    ink::clear(buf, frame);
    let panel = Panel {
        title: &scene.word("note-title"),
        corner: &scene.word("note-keys"),
        corner_style: scene.theme.dim(),
        focused: true,
        ..Panel::default()
    };
    let inside = panel.draw(buf, frame, scene.theme);
    field.draw(buf, inside, scene.theme)
}

fn confirm(scene: &Scene<'_>, buf: &mut Buffer, area: Rect, question: &Message) {
    let theme = scene.theme;
    let width = area.width.min(60);
    let lines = ink::wrap(&scene.say(question), width.saturating_sub(4), 6, theme.glyphs.ellipsis);
    let frame = middle(area, width, lines.len() as u16 + 3);
    ink::clear(buf, frame);
    let inside = Panel { focused: true, ..Panel::default() }.draw(buf, frame, theme);
    for (n, line) in lines.iter().enumerate() {
        Ink::new(buf, inside, n as u16, theme.glyphs.ellipsis).put(line, theme.strong());
    }
    Ink::new(buf, inside, lines.len() as u16, theme.glyphs.ellipsis).put(&scene.word("confirm-keys"), theme.dim());
}
