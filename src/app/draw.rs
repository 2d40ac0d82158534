//! One picture: header, banner, panes, footer, and what is open on top.
//!
//! Owns the order of drawing. Pure: the same scene and screen state give the same
//! cells. Must never change what is measured.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use crate::model::host::IcmpRight;
use crate::model::{Message, ProbeKind, Role, Severity, Verdict};
use crate::text::format;
use crate::widgets::banner::{self, Banner, Fact};
use crate::widgets::panel::Panel;
use crate::widgets::strip::{self, Tab};
use crate::widgets::theme::Part;
use crate::widgets::{Ink, Meaning, ink};

use super::action::{self, TABLE};
use super::layout::{self, Layout};
use super::scene::Scene;
use super::seat::{Stand, Walk};
use super::ui::{Pane, Ui};
use super::{panes, update};

/// Draws everything; gives the place of the cursor, where something is typed.
pub fn draw(scene: &Scene<'_>, ui: &mut Ui, buf: &mut Buffer) -> Option<Position> {
    let area = buf.area;
    let layout = {
        // A frame's two lines and the head.
        let wants = |pane| (ui.count(pane).min(200) as u16) + 3;
        layout::of(area.width, area.height, ui.focus, ui.zoomed, (wants(Pane::Connectivity), wants(Pane::Path)))
    };
    draw_header(scene, buf, layout.header);
    banner::draw(buf, layout.banner, &banner_of(scene), scene.theme);
    if let Some(place) = layout.tabs {
        draw_tabs(scene, ui, buf, place);
    }
    draw_panes(scene, ui, buf, &layout);
    for (pane, place) in &layout.strips {
        draw_strip(scene, ui, buf, *pane, *place);
    }
    if let Some(place) = layout.step {
        draw_step(scene, buf, place);
    }
    if let Some(place) = layout.footer {
        draw_footer(scene, ui, buf, place);
    }
    let above_footer = Rect { height: area.height.saturating_sub(1), ..area };
    if ui.details {
        super::overlay::details(scene, ui, buf, above_footer);
    }
    let cursor = super::overlay::mode(scene, ui, buf, area);
    if scene.theme.glyphs.dot.is_ascii() {
        ink::to_ascii(buf);
    }
    cursor
}

/// What the banner says.
fn banner_of(scene: &Scene<'_>) -> Banner {
    let fact = |text: String, strong| Fact { text, strong };
    let Some(verdict) = scene.verdict else {
        let headline = scene.word("banner-waiting").into_owned();
        return Banner { meaning: Meaning::Unmeasured, headline, facts: vec![fact(progress(scene), false)] };
    };
    let mut facts = Vec::new();
    if let Some(root) = verdict.root() {
        let say = |id: String| scene.texts.word(&id).into_owned();
        facts.push(fact(say(format!("side-{}", root.side)), true));
        facts.push(fact(say(format!("confidence-{}", root.confidence)), false));
        let since = Message::new("banner-since").with("time", scene.texts.zone().time(root.since.wall));
        facts.push(fact(scene.say(&since), false));
        let explained = verdict.explained_by(&root.id);
        if explained > 0 {
            facts.push(fact(scene.say(&Message::new("banner-explains").with("count", explained)), false));
        }
        let others = verdict.findings.iter().filter(|f| f.severity > Severity::Info && f.caused_by.is_none()).count();
        if others > 1 {
            facts.push(fact(scene.say(&Message::new("banner-others").with("count", others - 1)), false));
        }
        if let Some(step) = now_words(scene, verdict) {
            facts.insert(facts.len().min(3), fact(step, true));
        }
    } else {
        let unmeasured = verdict.unmeasured.len();
        if unmeasured > 0 {
            facts.push(fact(scene.say(&Message::new("banner-unmeasured").with("count", unmeasured)), false));
        }
        let no_icmp = scene.state.host.as_ref().is_some_and(|h| h.rights.icmp == IcmpRight::None);
        if unmeasured > 0 && no_icmp {
            facts.push(fact(scene.word("banner-rights").into_owned(), true));
        }
        facts.push(fact(progress(scene), false));
    }
    Banner { meaning: scene.overall(), headline: scene.say(&verdict.summary), facts }
}

/// How much is watched, for a banner with nothing to report.
fn progress(scene: &Scene<'_>) -> String {
    // Echoes to hops come and go with suspicion; they are nobody's targets.
    let counts = |p: &&crate::state::ProbeState| {
        p.kind() != ProbeKind::Trace && scene.named_by(p).is_some_and(|t| t.role != Role::Hop)
    };
    let all = scene.state.probes().filter(counts).count();
    let measured = scene.state.probes().filter(counts).filter(|p| p.series.first().is_some()).count();
    if all == 0 {
        return scene.word("progress-discovering").into_owned();
    }
    let id = if measured < all { "progress-first-round" } else { "progress-watching" };
    let watched = scene.state.targets().filter(|t| t.role != Role::Hop).count();
    scene.say(&Message::new(id).with("measured", measured).with("probes", all).with("targets", watched))
}

/// What to do now: the runbook's step, else the finding's first advice.
fn now_words(scene: &Scene<'_>, verdict: &Verdict) -> Option<String> {
    if let Some((walk, (_, step, n))) = scene.walk.and_then(|w| Some((w, w.current()?))) {
        let text =
            Message::new("banner-step").with("step", n).with("steps", walk.len()).with("text", step.text.as_str());
        return Some(scene.say(&text));
    }
    let next = verdict.root()?.next.first()?;
    Some(scene.say(&Message::new("banner-next").with("text", next.clone())))
}

fn draw_header(scene: &Scene<'_>, buf: &mut Buffer, area: Rect) {
    if area.is_empty() {
        return;
    }
    let theme = scene.theme;
    let mut pen = Ink::new(buf, area, 0, theme.glyphs.ellipsis);
    let zone = scene.texts.zone();
    let clock = format!("  {} {} ", zone.time(scene.state.now.wall), zone.name(scene.state.now.wall));
    pen.right(&clock, theme.strong());
    let running = format::age(scene.state.now.mono.since(scene.state.began.mono));
    if area.width >= 80 {
        pen.right(&scene.say(&Message::new("header-running").with("age", running)), theme.dim());
    }
    pen.skip(1).put("frc", theme.strong());
    if let Some(host) = &scene.state.host {
        pen.put("  ", Style::new()).put(host.name.as_str(), theme.text());
    }
    let Some(walk) = scene.walk else { return };
    pen.skip(3);
    let current = walk.current().map(|(phase, ..)| phase.title.as_str());
    for (n, phase) in walk.phases.iter().enumerate() {
        if n > 0 {
            pen.put(" ", theme.dim()).put(theme.glyphs.horizontal, theme.style(Part::Border)).put(" ", theme.dim());
        }
        let done = !phase.steps.is_empty() && phase.steps.iter().all(|s| s.stand == Stand::Done);
        let is_current = current == Some(phase.title.as_str());
        let style = if is_current { theme.strong() } else { theme.dim() };
        let title = if is_current { phase.title.to_uppercase() } else { phase.title.to_lowercase() };
        pen.put(&title, style);
        if done {
            pen.put(" ", style).put(theme.glyphs.good, theme.meaning(Meaning::Good));
        }
    }
}

fn draw_tabs(scene: &Scene<'_>, ui: &Ui, buf: &mut Buffer, area: Rect) {
    let tabs: Vec<_> = Pane::ALL
        .into_iter()
        .map(|pane| Tab {
            key: pane.key(),
            name: scene.word(pane.tab()).into_owned(),
            meaning: panes::meaning(pane, scene, ui),
            chosen: pane == ui.focus,
        })
        .collect();
    strip::tabs(buf, area, &tabs, scene.theme);
}

fn draw_panes(scene: &Scene<'_>, ui: &mut Ui, buf: &mut Buffer, layout: &Layout) {
    for (pane, place) in &layout.framed {
        let head = panes::head(*pane, scene, ui);
        let key = pane.key().to_string();
        let panel = Panel {
            key: &key,
            title: &scene.word(pane.title()),
            subject: &head.subject,
            corner: &head.corner,
            corner_style: head.corner_style,
            focused: *pane == ui.focus,
        };
        let inside = panel.draw(buf, *place, scene.theme);
        if *pane == ui.focus {
            ui.page = inside.height.saturating_sub(2).max(1);
        }
        panes::draw(*pane, scene, ui, buf, inside);
    }
    if let Some(place) = layout.single {
        let head = panes::head(ui.focus, scene, ui);
        let title = Rect { height: 1, ..place };
        let words = if head.subject.is_empty() { scene.word(ui.focus.title()).into_owned() } else { head.subject };
        Ink::new(buf, Rect { x: 1, width: title.width.saturating_sub(2), ..title }, 0, scene.theme.glyphs.ellipsis)
            .right(&head.corner, head.corner_style)
            .put(&words, scene.theme.strong());
        let inside = Rect {
            x: place.x + 1,
            y: place.y + 1,
            width: place.width.saturating_sub(2),
            height: place.height.saturating_sub(1),
        };
        ui.page = inside.height.saturating_sub(2).max(1);
        panes::draw(ui.focus, scene, ui, buf, inside);
    }
}

fn draw_strip(scene: &Scene<'_>, ui: &Ui, buf: &mut Buffer, pane: Pane, area: Rect) {
    let name = scene.word(pane.tab());
    let mut pen = Ink::new(buf, area, 0, scene.theme.glyphs.ellipsis);
    pen.skip(1).put(pane.key().encode_utf8(&mut [0; 4]), scene.theme.style(Part::Focus)).skip(1);
    pen.cell(&name, 8, scene.theme.text()).skip(1);
    strip::pieces(&mut pen, &panes::strip(pane, scene, ui), 2);
}

/// The present step of the runbook, under a rule where there is room.
fn draw_step(scene: &Scene<'_>, buf: &mut Buffer, area: Rect) {
    let theme = scene.theme;
    let mut row = 0;
    if area.height >= 3 {
        let rule = theme.glyphs.horizontal.repeat(usize::from(area.width));
        Ink::new(buf, area, 0, "").put(&rule, theme.style(Part::Border));
        row = 1;
    }
    let inside = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
    let mut pen = Ink::new(buf, inside, row, theme.glyphs.ellipsis);
    if let Some((walk, (phase, step, n))) = scene.walk.and_then(|w| Some((w, w.current()?))) {
        let where_to =
            Message::new("step-of").with("phase", phase.title.as_str()).with("step", n).with("steps", walk.len());
        let where_to = scene.say(&where_to);
        if area.width >= 60 {
            pen.right(&where_to, theme.dim());
        }
        pen.put(theme.glyphs.pointer, theme.meaning(Meaning::Focus))
            .put(" ", theme.text())
            .put(&step.text, theme.strong());
        let second = if step.why.is_empty() { &step.note } else { &step.why };
        Ink::new(buf, inside, row + 1, theme.glyphs.ellipsis).skip(2).put(second, theme.dim());
    } else {
        let next = scene.verdict.and_then(|v| now_words(scene, v));
        let words = next.unwrap_or_else(|| scene.word("step-nothing").into_owned());
        for (n, line) in ink::wrap(&words, inside.width, 2, theme.glyphs.ellipsis).iter().enumerate() {
            Ink::new(buf, inside, row + n as u16, theme.glyphs.ellipsis).put(line, theme.text());
        }
    }
}

/// Keys that work here, or the word about what was just done; at the right, what
/// the probes stand on.
fn draw_footer(scene: &Scene<'_>, ui: &Ui, buf: &mut Buffer, area: Rect) {
    let theme = scene.theme;
    let mut pen = Ink::new(buf, area, 0, theme.glyphs.ellipsis);
    pen.skip(1);
    if ui.is_frozen {
        let words = Message::new("footer-frozen").with("time", scene.texts.zone().time(scene.state.now.wall));
        pen.put(&format!(" {} ", scene.say(&words)), theme.style(Part::Chosen)).skip(2);
    }
    if let Some((notice, _)) = &ui.notice {
        pen.put(&scene.say(notice), theme.strong());
        return;
    }
    if area.width >= 100 {
        pen.right(&stands_on(scene), theme.dim());
    }
    let works = |e: &&action::Entry| update::works(ui, scene, e);
    let shown = TABLE.iter().filter(works).filter_map(|e| e.footer.map(|(w, rank)| (e, w, rank)));
    let mut keys: Vec<_> = shown
        .map(|(e, word, rank)| (rank, e.keys.first().map(|k| k.name()).unwrap_or_default(), scene.word(word)))
        .collect();
    // What is needed least gives way first.
    let needed = |keys: &[(u8, String, _)]| {
        keys.iter()
            .map(|(_, k, w): &(u8, String, std::borrow::Cow<'_, str>)| ink::width(k) + ink::width(w) + 3)
            .sum::<u16>()
    };
    while needed(&keys) > pen.left() {
        let Some(worst) = keys.iter().enumerate().max_by_key(|(n, (rank, ..))| (*rank, *n)).map(|(n, _)| n) else {
            break;
        };
        keys.remove(worst);
    }
    for (_, key, word) in &keys {
        pen.put(key, theme.style(Part::Focus)).put(" ", theme.dim()).put(word, theme.text()).skip(2);
    }
}

fn stands_on(scene: &Scene<'_>) -> String {
    let rights = scene.state.host.as_ref().map(|h| h.rights.icmp);
    let id = match rights {
        Some(IcmpRight::Raw) => "footer-icmp-raw",
        Some(IcmpRight::Dgram) => "footer-icmp-dgram",
        Some(IcmpRight::None) => "footer-icmp-none",
        None => return String::new(),
    };
    let dropped: u64 = scene.state.dropped().values().sum();
    let text = Message::new("footer-right").with("rights", Message::new(id)).with("dropped", dropped);
    format!("{} ", scene.say(&text))
}

/// Whether a runbook step may be ticked now.
pub(super) fn tickable(walk: &Walk, n: usize) -> Option<(String, String, bool)> {
    let step = walk.step(n)?;
    Some((walk.id.clone(), step.id.clone(), step.stand != Stand::Done))
}
