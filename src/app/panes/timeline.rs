//! Pane 6: what happened, in order: verdicts, paths, links, targets, people.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::record::{Action, GapCause, Origin, TaskState};
use crate::model::{Message, Status};
use crate::state::{Event, Happening};
use crate::text::format;
use crate::widgets::strip::Piece;
use crate::widgets::table::{self, Column};
use crate::widgets::{Ink, Meaning};

use super::super::scene::Scene;
use super::super::ui::{Pane, Ui};
use super::Head;

/// The happenings shown, the newest first.
pub fn rows<'a>(scene: &Scene<'a>, filter: &str) -> Vec<&'a Event> {
    let filter = filter.to_lowercase();
    let holds = |e: &&Event| filter.is_empty() || words(scene, e).1.to_lowercase().contains(&filter);
    scene.state.events().rev().filter(holds).collect()
}

/// What stands in the frame.
pub fn head(scene: &Scene<'_>) -> Head {
    let zone = scene.texts.zone().name(scene.state.now.wall);
    Head { subject: String::new(), corner: zone, corner_style: scene.theme.dim() }
}

/// The pane in one line: the newest happening.
pub fn strip(scene: &Scene<'_>) -> Vec<Piece> {
    let Some(event) = scene.state.events().next_back() else {
        return vec![Piece::new(scene.word("timeline-empty"), scene.theme.dim())];
    };
    let (_, text) = words(scene, event);
    vec![Piece::new(format!("{} {text}", scene.time(event.at.mono)), scene.theme.dim())]
}

/// A happening's meaning, where it has one, and its words.
pub(super) fn words(scene: &Scene<'_>, event: &Event) -> (Option<Meaning>, String) {
    let (meaning, message) = match &event.what {
        Happening::Verdict(v) => {
            let meaning = match v.status {
                Status::Healthy => Meaning::Good,
                Status::Degraded => Meaning::Warning,
                Status::Fault => Meaning::Fault,
                Status::Unmeasured => Meaning::Unmeasured,
            };
            (Some(meaning), v.summary.clone())
        }
        Happening::Path { to, change } => {
            let hop = change.before.iter().zip(&change.after).position(|(a, b)| a != b);
            let hop = hop.unwrap_or(change.before.len().min(change.after.len()));
            (None, Message::new("event-path").with("to", *to).with("hop", hop + 1))
        }
        Happening::Link { name, up: true } => (Some(Meaning::Good), Message::new("event-link-up").with("name", name)),
        Happening::Link { name, up: false } => {
            (Some(Meaning::Fault), Message::new("event-link-down").with("name", name))
        }
        Happening::Target { name, added } => {
            let id = if *added { "event-target-added" } else { "event-target-removed" };
            (None, Message::new(id).with("name", name.as_str()))
        }
        Happening::Gap(gap) => {
            let message = match gap.cause {
                GapCause::Suspended => Message::new("event-gap").with("seconds", gap.to.since(gap.from).as_secs_f64()),
                GapCause::ClockStep { by_ms } => Message::new("event-clock-step").with("ms", by_ms as f64),
            };
            (Some(Meaning::Unmeasured), message)
        }
        Happening::Task(health) => match &health.state {
            TaskState::Running => {
                (Some(Meaning::Good), Message::new("event-task-running").with("task", health.task.as_str()))
            }
            TaskState::Restarting { why, .. } => (
                Some(Meaning::Warning),
                Message::new("event-task-restarting").with("task", health.task.as_str()).with("why", why),
            ),
            TaskState::Unavailable { why } => {
                let message = Message::new("event-task-unavailable").with("task", health.task.as_str());
                (Some(Meaning::Unmeasured), message.with("why", why.clone()))
            }
        },
        Happening::Action(action) => (None, action_words(action)),
    };
    (meaning, scene.say(&message))
}

fn action_words(action: &Action) -> Message {
    match action {
        Action::Tick { step, done: true, .. } => Message::new("event-ticked").with("step", step.as_str()),
        Action::Tick { step, done: false, .. } => Message::new("event-unticked").with("step", step.as_str()),
        Action::Runbook { id } => Message::new("event-runbook").with("id", id.as_str()),
        Action::Note { text } => Message::new("event-note").with("text", text),
    }
}

/// Draws the happenings, the newest first.
pub fn draw(scene: &Scene<'_>, ui: &mut Ui, buf: &mut Buffer, area: Rect) {
    let list = rows(scene, &ui.filter);
    if list.is_empty() {
        Ink::new(buf, area, 0, scene.theme.glyphs.ellipsis).put(&scene.word("timeline-empty"), scene.theme.dim());
        return;
    }
    let heads = ["head-time", "head-who", "head-what"].map(|id| scene.word(id));
    let columns = [
        Column::words(&heads[0], 8, 0),
        Column::words(&heads[1], 9, 0).rank(1),
        Column::words("", 1, 0),
        Column::words(&heads[2], 10, 1),
    ];
    let focused = ui.focus == Pane::Timeline;
    let mut view = *ui.view(Pane::Timeline);
    table::draw(buf, area, scene.theme, &columns, list.len(), &mut view, focused, |n, row| {
        let Some(event) = list.get(n) else { return };
        let (meaning, text) = words(scene, event);
        row.put(0, &scene.time(event.at.mono), scene.theme.dim());
        row.put(1, &who(scene, event), scene.theme.dim());
        if let Some(m) = meaning {
            row.put(2, scene.theme.mark(m), scene.theme.meaning(m));
        }
        row.put(3, &text, scene.theme.text());
    });
    *ui.view(Pane::Timeline) = view;
}

fn who(scene: &Scene<'_>, event: &Event) -> String {
    match &event.origin {
        Origin::Session => scene.word("who-console").into_owned(),
        Origin::Probe(task) => task.clone(),
        Origin::Person(name) => name.to_string(),
    }
}

/// Everything about the selected happening.
pub fn details(scene: &Scene<'_>, ui: &Ui) -> Option<(String, Vec<(String, String)>)> {
    let list = rows(scene, &ui.filter);
    let event = list.get(ui.selected(Pane::Timeline))?;
    let (_, text) = words(scene, event);
    let mut lines = vec![
        (scene.texts.word("head-who").into_owned(), who(scene, event)),
        (scene.texts.word("head-time").into_owned(), scene.texts.zone().date_time(event.at.wall)),
    ];
    match &event.what {
        Happening::Path { change, .. } => {
            let shown = |hops: &[Option<std::net::IpAddr>]| {
                let hops = hops.iter().map(|h| h.map_or_else(|| "*".to_owned(), |ip| ip.to_string()));
                hops.collect::<Vec<_>>().join(" ")
            };
            lines.push((scene.texts.word("path-before-word").into_owned(), shown(&change.before)));
            lines.push((scene.texts.word("path-after-word").into_owned(), shown(&change.after)));
        }
        Happening::Verdict(v) => {
            for f in v.findings.iter().take(20) {
                lines.push((f.code.clone(), scene.say(&f.summary)));
            }
        }
        Happening::Gap(gap) => {
            let length = format::duration(gap.to.since(gap.from));
            lines.push((scene.texts.word("head-time").into_owned(), length));
        }
        _ => {}
    }
    Some((text, lines))
}
