//! Pane 5: the runbook under way: what was found, what to do now, what will show
//! that it is well again.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::{Message, Severity};
use crate::widgets::checklist::{self, Item, StepMark};
use crate::widgets::strip::Piece;
use crate::widgets::{Ink, ink};

use super::super::scene::Scene;
use super::super::seat::{Stand, Walk, WalkStep};
use super::super::ui::{Pane, Ui};
use super::Head;

/// What stands in the frame.
pub fn head(scene: &Scene<'_>) -> Head {
    let Some(walk) = scene.walk else { return Head::default() };
    let corner = match walk.current() {
        Some((_, _, n)) => Message::new("runbook-corner").with("step", n).with("steps", walk.len()),
        None => Message::new("runbook-done"),
    };
    Head { subject: walk.title.clone(), corner: scene.say(&corner), corner_style: scene.theme.dim() }
}

/// The pane in one line.
pub fn strip(scene: &Scene<'_>) -> Vec<Piece> {
    match scene.walk.and_then(Walk::current) {
        Some((phase, step, _)) => vec![
            Piece::new(format!("{} {}", scene.theme.glyphs.pointer, step.text), scene.theme.strong()),
            Piece::new(phase.title.clone(), scene.theme.dim()),
        ],
        None => next_words(scene).into_iter().take(1).map(|t| Piece::new(t, scene.theme.strong())).collect(),
    }
}

/// What the root finding says to do next.
fn next_words(scene: &Scene<'_>) -> Vec<String> {
    let root = scene.verdict.and_then(crate::model::Verdict::root);
    root.map(|f| f.next.iter().map(|m| scene.say(m)).collect()).unwrap_or_default()
}

/// Draws the checklist; without a runbook, the checks and the advice of the verdict.
pub fn draw(scene: &Scene<'_>, ui: &mut Ui, buf: &mut Buffer, area: Rect) {
    let Some(walk) = scene.walk else {
        draw_advice(scene, buf, area);
        return;
    };
    let selected = (ui.focus == Pane::Runbook).then(|| ui.selected(Pane::Runbook));
    let (items, at) = items(scene, walk, selected, ui.zoomed);
    let first = first_visible(scene, &items, at, area);
    let used = checklist::draw(buf, area, &items, first, scene.theme);
    let left = Rect { y: area.y + used, height: area.height - used, ..area };
    if left.height >= 4 {
        draw_lately(scene, buf, Rect { y: left.y + 1, height: left.height - 1, ..left });
    }
}

/// What happened last, in the room that the steps leave.
fn draw_lately(scene: &Scene<'_>, buf: &mut Buffer, area: Rect) {
    let events = super::timeline::rows(scene, "");
    if events.is_empty() {
        return;
    }
    let theme = scene.theme;
    Ink::new(buf, area, 0, theme.glyphs.ellipsis).put(&scene.word("runbook-lately"), theme.dim());
    let mut row = 1;
    for event in events {
        let (meaning, text) = super::timeline::words(scene, event);
        let (mark, style) = meaning.map_or((theme.glyphs.none, theme.dim()), |m| (theme.mark(m), theme.meaning(m)));
        for (n, line) in ink::wrap(&text, area.width.saturating_sub(8), 2, theme.glyphs.ellipsis).iter().enumerate() {
            if row >= area.height {
                return;
            }
            let mut pen = Ink::new(buf, area, row, theme.glyphs.ellipsis);
            if n == 0 {
                pen.put(mark, style).skip(1).cell(&scene.texts.zone().minute(event.at.wall), 6, theme.dim());
            } else {
                pen.skip(8);
            }
            pen.put(line, theme.dim());
            row += 1;
        }
    }
}

/// The items, and the index of the one to keep in sight.
fn items(scene: &Scene<'_>, walk: &Walk, selected: Option<usize>, open: bool) -> (Vec<Item>, usize) {
    let current = walk.current().map(|(_, _, n)| n - 1);
    let (mut items, mut at, mut n) = (Vec::new(), 0, 0);
    for phase in &walk.phases {
        if !items.is_empty() {
            items.push(Item::Space);
        }
        let done = phase.steps.iter().filter(|s| s.stand == Stand::Done).count();
        let range = n..n + phase.steps.len();
        let note = Message::new("runbook-phase").with("done", done).with("steps", phase.steps.len());
        items.push(Item::Heading {
            text: phase.title.clone(),
            note: scene.say(&note),
            current: current.is_some_and(|c| range.contains(&c)),
        });
        for step in &phase.steps {
            let is_current = current == Some(n);
            if selected.map_or(is_current, |s| s == n) {
                at = items.len();
            }
            let details =
                if open || is_current || selected == Some(n) { step_details(scene, step) } else { Vec::new() };
            items.push(Item::Step {
                mark: mark(step, is_current),
                text: step.text.clone(),
                note: step.note.clone(),
                details,
                selected: selected == Some(n),
            });
            n += 1;
        }
    }
    (items, at)
}

fn mark(step: &WalkStep, is_current: bool) -> StepMark {
    match step.stand {
        Stand::Done => StepMark::Done,
        Stand::Failed => StepMark::Failed,
        _ if is_current => StepMark::Now,
        Stand::Open => StepMark::Todo,
        Stand::Unmeasured => StepMark::Unmeasured,
    }
}

fn step_details(scene: &Scene<'_>, step: &WalkStep) -> Vec<(String, String)> {
    let parts = [
        ("runbook-seen", &step.seen),
        ("runbook-why", &step.why),
        ("runbook-expect", &step.expect),
        ("runbook-back", &step.back),
    ];
    let told = parts.into_iter().filter(|(_, text)| !text.is_empty());
    let mut lines: Vec<_> = told.map(|(id, text)| (scene.texts.word(id).into_owned(), text.clone())).collect();
    // The Markdown's own indentation is no part of a command.
    let commands = step.commands.iter().map(|c| c.trim()).filter(|c| !c.is_empty());
    for (n, command) in commands.enumerate() {
        let word = if n == 0 { scene.texts.word("runbook-run").into_owned() } else { String::new() };
        lines.push((word, command.to_owned()));
    }
    lines
}

/// The first item such that item `at` is wholly in sight.
fn first_visible(scene: &Scene<'_>, items: &[Item], at: usize, area: Rect) -> usize {
    let mut room = area.height;
    let mut first = at;
    for (n, item) in items.iter().enumerate().take(at + 1).rev() {
        let lines = checklist::lines_of(item, area.width, scene.theme);
        if lines > room {
            break;
        }
        room -= lines;
        first = n;
    }
    first
}

/// The verdict as a checklist: what was seen against what was expected, then what
/// to do.
fn draw_advice(scene: &Scene<'_>, buf: &mut Buffer, area: Rect) {
    let Some(verdict) = scene.verdict else {
        Ink::new(buf, area, 0, scene.theme.glyphs.ellipsis).put(&scene.word("runbook-waiting"), scene.theme.dim());
        return;
    };
    let mut items = Vec::new();
    for finding in verdict.findings.iter().filter(|f| f.severity > Severity::Info && f.caused_by.is_none()).take(4) {
        items.push(Item::Heading { text: scene.say(&finding.summary), note: String::new(), current: true });
        for evidence in &finding.evidence {
            items.push(Item::Step {
                mark: StepMark::Failed,
                text: scene.say(&evidence.observed),
                note: evidence.probe.clone(),
                details: vec![(scene.texts.word("runbook-expect").into_owned(), scene.say(&evidence.expected))],
                selected: false,
            });
        }
        for next in &finding.next {
            let text = scene.say(next);
            items.push(Item::Step {
                mark: StepMark::Todo,
                text,
                note: String::new(),
                details: Vec::new(),
                selected: false,
            });
        }
        items.push(Item::Space);
    }
    if items.is_empty() {
        let text = scene.word("runbook-nothing").into_owned();
        items.push(Item::Heading { text, note: String::new(), current: false });
    }
    checklist::draw(buf, area, &items, 0, scene.theme);
}

/// Everything about the selected step.
pub fn details(scene: &Scene<'_>, ui: &Ui) -> Option<(String, Vec<(String, String)>)> {
    let step = scene.walk?.step(ui.selected(Pane::Runbook))?;
    let mut lines = step_details(scene, step);
    if !step.note.is_empty() {
        lines.insert(0, (String::new(), step.note.clone()));
    }
    Some((step.text.clone(), lines))
}
