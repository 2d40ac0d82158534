//! Pane 1: does what is watched answer, how fast, and how did it go lately.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::{Ask, Detail, Message, Mono, Outcome, ProbeKind};
use crate::state::{Point, ProbeState};
use crate::text::format;
use crate::widgets::chart::{self, Chart, Slot};
use crate::widgets::strip::Piece;
use crate::widgets::table::{self, Column, Row};
use crate::widgets::{Meaning, sparkline};

use super::super::scene::Scene;
use super::super::ui::{Pane, Ui};
use super::outcome::outcome_words;
use super::{Head, marked};

/// Columns of the last minute.
const SPARK: u16 = 20;

/// What stands in the frame.
pub fn head(scene: &Scene<'_>, ui: &Ui) -> Head {
    let [fault, warning, _, unmeasured] = ui.standings;
    let count = Message::new("connectivity-corner")
        .with("probes", ui.rows.len())
        .with("fault", fault)
        .with("warning", warning)
        .with("unmeasured", unmeasured);
    let subject = if ui.filter.is_empty() {
        String::new()
    } else {
        scene.say(&Message::new("filter-subject").with("filter", ui.filter.as_str()))
    };
    let corner = if ui.rows.is_empty() { String::new() } else { scene.say(&count) };
    Head { subject, corner, corner_style: scene.theme.dim() }
}

/// How things stand.
pub fn meaning(ui: &Ui) -> Option<Meaning> {
    let [fault, warning, good, unmeasured] = ui.standings;
    match (fault, warning, good, unmeasured) {
        (1.., ..) => Some(Meaning::Fault),
        (_, 1.., ..) => Some(Meaning::Warning),
        (.., 0, 1..) => Some(Meaning::Unmeasured),
        (.., 0, 0) => None,
        _ => Some(Meaning::Good),
    }
}

/// The pane in one line: what fails by name, the rest by number.
pub fn strip(scene: &Scene<'_>, ui: &Ui) -> Vec<Piece> {
    let [fault, warning, good, unmeasured] = ui.standings;
    let mut pieces = Vec::new();
    for probe in ui.rows.iter().take(4).filter_map(|id| scene.state.probe(*id)) {
        let standing = scene.standing(probe);
        if matches!(standing, Meaning::Fault | Meaning::Warning) {
            let name = scene.name(probe);
            let loss = scene.stats(probe).tally.failure().map_or_else(String::new, format::percent);
            pieces.push(marked(scene, standing, &format!("{name} {} {loss}", what(&probe.spec.ask))));
        }
    }
    let more = (fault + warning).saturating_sub(pieces.len());
    if more > 0 {
        pieces.push(marked(scene, Meaning::Fault, &scene.say(&Message::new("strip-more").with("count", more))));
    }
    if good > 0 {
        pieces.push(marked(scene, Meaning::Good, &scene.say(&Message::new("strip-good").with("count", good))));
    }
    if unmeasured > 0 {
        let words = scene.say(&Message::new("strip-unmeasured").with("count", unmeasured));
        pieces.push(marked(scene, Meaning::Unmeasured, &words));
    }
    pieces
}

/// What a probe asks, as briefly as a column needs: `icmp`, `tls 443`, `dns`.
pub fn what(ask: &Ask) -> String {
    let kind = ask.kind().name();
    match ask {
        Ask::Tcp { to } | Ask::Udp { to } | Ask::Tls { to, .. } | Ask::Http { to, .. } => {
            format!("{kind} {}", to.port())
        }
        Ask::Dns { server, .. } if server.port() != 53 => format!("{kind} {}", server.port()),
        _ => kind.to_owned(),
    }
}

/// Draws the table, and where the pane has the screen the selected one's charts.
pub fn draw(scene: &Scene<'_>, ui: &mut Ui, buf: &mut Buffer, area: Rect) {
    if ui.rows.is_empty() {
        let id = if ui.filter.is_empty() { "connectivity-empty" } else { "filter-empty" };
        crate::widgets::Ink::new(buf, area, 0, scene.theme.glyphs.ellipsis).put(&scene.word(id), scene.theme.dim());
        return;
    }
    let wants_chart = ui.zoomed && area.height >= 16;
    let rows = if wants_chart { (ui.rows.len() as u16 + 1).min(area.height * 2 / 5).max(4) } else { area.height };
    let table = Rect { height: rows, ..area };
    draw_table(scene, ui, buf, table);
    if wants_chart {
        let chart = Rect { y: area.y + rows + 1, height: area.height - rows - 1, ..area };
        draw_chart(scene, ui, buf, chart);
    }
}

fn draw_table(scene: &Scene<'_>, ui: &mut Ui, buf: &mut Buffer, area: Rect) {
    let heads = [
        "head-target",
        "head-probe",
        "head-loss",
        "head-p50",
        "head-p90",
        "head-p99",
        "head-jitter",
        "head-last-minute",
    ];
    let heads = heads.map(|id| scene.word(id));
    let spark = if area.width >= 150 { SPARK * 2 } else { SPARK };
    let columns = [
        Column::words("", 1, 0),
        Column::words(&heads[0], 12, 1),
        Column::words(&heads[1], 9, 0).rank(1),
        Column::figures(&heads[2], 7),
        Column::figures(&heads[3], 6),
        Column::figures(&heads[4], 6).rank(4),
        Column::figures(&heads[5], 6).rank(2),
        Column::figures(&heads[6], 6).rank(5),
        Column::words(&heads[7], spark, 0).rank(3),
    ];
    let rows = std::mem::take(&mut ui.rows);
    let focused = ui.focus == Pane::Connectivity;
    let mut view = *ui.view(Pane::Connectivity);
    table::draw(buf, area, scene.theme, &columns, rows.len(), &mut view, focused, |n, row| {
        if let Some(probe) = rows.get(n).and_then(|id| scene.state.probe(*id)) {
            draw_row(scene, probe, row, usize::from(spark));
        }
    });
    *ui.view(Pane::Connectivity) = view;
    ui.rows = rows;
}

fn draw_row(scene: &Scene<'_>, probe: &ProbeState, row: &mut Row<'_>, spark: usize) {
    let theme = scene.theme;
    let standing = scene.standing(probe);
    let style = theme.meaning(standing);
    row.put(0, theme.mark(standing), style);
    let name = scene.name(probe);
    let failing = matches!(standing, Meaning::Fault | Meaning::Warning);
    let name_style = if row.selected || failing { theme.strong() } else { theme.text() };
    let (mut pen, _) = row.column(1);
    pen.put(&name, name_style);
    if let Some(address) = probe.spec.ask.address().map(|ip| ip.to_string()).filter(|a| !name.contains(a.as_str())) {
        // An address is whole or not there.
        if pen.left() > crate::widgets::ink::width(&address) {
            pen.put(" ", name_style).put(&address, theme.dim());
        }
    }
    row.put(2, &what(&probe.spec.ask), theme.dim());
    let stats = scene.stats(probe);
    if standing == Meaning::Unmeasured {
        row.rest(3).put(&scene.say(&why_unmeasured(probe)), theme.meaning(Meaning::Unmeasured));
        return;
    }
    let loss = stats.tally.failure().map_or_else(|| theme.glyphs.dash.to_owned(), format::percent);
    row.put_right(3, &loss, if failing { style } else { theme.text() });
    for (column, figure) in [(4, stats.p50), (5, stats.p90), (6, stats.p99), (7, stats.jitter)] {
        let text = figure.map_or_else(|| theme.glyphs.dash.to_owned(), format::rtt);
        row.put_right(column, &text, theme.text());
    }
    let (mut pen, width) = row.column(8);
    sparkline::draw(&mut pen, &scene.sparkline(probe, probe.series.since(scene.from()).p50, spark), width, theme);
}

/// Why there is nothing to say about a probe.
fn why_unmeasured(probe: &ProbeState) -> Message {
    match probe.last().map(|s| &s.outcome) {
        None if probe.kind() == ProbeKind::Resolve => Message::new("unmeasured-resolving"),
        None => Message::new("unmeasured-first-round"),
        Some(outcome @ Outcome::Unsent { .. }) => outcome_words(outcome),
        Some(_) if probe.kind() == ProbeKind::Udp => Message::new("unmeasured-udp-silence"),
        Some(_) => Message::new("unmeasured-stale"),
    }
}

/// The charts of what is selected: round-trip times with losses over time.
fn draw_chart(scene: &Scene<'_>, ui: &Ui, buf: &mut Buffer, area: Rect) {
    let Some(probe) = ui.rows.get(ui.selected(Pane::Connectivity)).and_then(|id| scene.state.probe(*id)) else {
        return;
    };
    let theme = scene.theme;
    let plot = area.width.saturating_sub(Chart::MARGIN);
    let count = chart::slots(plot, theme);
    // The newest points, one a slot, aligned so that the picture moves in steps.
    let step = probe.spec.interval.max(Duration::from_millis(200));
    let newest = scene.now().0 / step.as_nanos().max(1) as u64;
    let mut slots = vec![Slot::default(); count];
    let from = Mono(newest.saturating_sub(count as u64 - 1) * step.as_nanos() as u64);
    for (sent, point) in probe.series.points_since(from) {
        let back = newest.saturating_sub(sent.0 / step.as_nanos().max(1) as u64) as usize;
        let Some(slot) = count.checked_sub(back + 1).and_then(|n| slots.get_mut(n)) else { continue };
        match point {
            Point::Answered(rtt) => slot.value = Some(slot.value.unwrap_or(0.0).max(rtt.as_secs_f64() * 1e3)),
            Point::Late(_) => slot.late = true,
            Point::Lost | Point::Error | Point::Failed | Point::Refused(_) => slot.lost = true,
            Point::Unsent => {}
        }
    }
    let times = time_labels(scene, newest, step, count);
    let total = probe.series.total();
    let figure = |d: Option<Duration>| d.map_or_else(|| theme.glyphs.dash.to_owned(), format::rtt_unit);
    let title = Message::new("chart-title")
        .with("name", scene.name(probe))
        .with("probe", what(&probe.spec.ask))
        .with("sent", total.tally.sent())
        .with("answered", total.tally.answered)
        .with("late", total.tally.late)
        .with("min", figure(total.min))
        .with("p50", figure(total.p50))
        .with("p90", figure(total.p90))
        .with("p99", figure(total.p99))
        .with("max", figure(total.max));
    let title = scene.say(&title);
    let phases = phases(scene, probe);
    let room = u16::from(phases.is_some());
    let chart = Chart { title: &title, slots: &slots, label: Some(format::ms_unit), times: &times, reference: None };
    chart.draw(buf, Rect { height: area.height - room, ..area }, theme);
    if let Some(text) = phases {
        let line = Rect { y: area.bottom() - 1, height: 1, ..area };
        crate::widgets::Ink::new(buf, line, 0, theme.glyphs.ellipsis).put(&text, theme.text());
    }
}

/// Local times along the axis, at whole minutes.
fn time_labels(scene: &Scene<'_>, newest: u64, step: Duration, count: usize) -> Vec<(usize, String)> {
    let step_us = step.as_micros().max(1) as i64;
    let now = scene.wall(Mono(newest * step.as_nanos() as u64)).0;
    let first = now - step_us * count as i64;
    let minute = 60_000_000;
    let mut labels = Vec::new();
    let mut at = (first.div_euclid(minute) + 1) * minute;
    while at <= now && labels.len() < 64 {
        let slot = ((at - first) / step_us) as usize;
        labels.push((slot.min(count.saturating_sub(1)), scene.texts.zone().minute(crate::model::Wall(at))));
        at += minute;
    }
    labels
}

/// The phases of the newest answer, where the probe has phases.
fn phases(scene: &Scene<'_>, probe: &ProbeState) -> Option<String> {
    let sample = probe.last_answer()?;
    let Outcome::Answered { detail: Detail::Http(answer), .. } = &sample.outcome else { return None };
    let p = &answer.phases;
    let ms = |d: Option<Duration>| d.map_or_else(|| scene.theme.glyphs.dash.to_owned(), format::rtt_unit);
    let text = Message::new("chart-phases")
        .with("status", answer.status)
        .with("connect", ms(p.connect))
        .with("tls", ms(p.tls))
        .with("ttfb", ms(p.ttfb))
        .with("total", ms(Some(p.total)));
    Some(scene.say(&text))
}

/// Everything about the selected probe.
pub fn details(scene: &Scene<'_>, ui: &Ui) -> Option<(String, Vec<(String, String)>)> {
    let probe = scene.state.probe(*ui.rows.get(ui.selected(Pane::Connectivity))?)?;
    let theme = scene.theme;
    let mut lines = Vec::new();
    let mut add = |id: &'static str, text: String| lines.push((scene.texts.word(id).into_owned(), text));
    for target in probe.spec.targets.iter().filter_map(|id| scene.state.target(*id)) {
        add("detail-target", target.text.clone());
    }
    if let Some(ip) = probe.spec.ask.address() {
        let name = scene.state.name_of(ip).map_or_else(String::new, |n| format!(" {n}"));
        add("detail-address", format!("{ip}{name}"));
    }
    if let Some(finding) = scene.finding_about(&probe.spec.targets, probe.kind()) {
        add("detail-finding", scene.say(&finding.summary));
        let layer = format!("layer-{}", finding.layer);
        add("detail-layer", format!("{} {}", scene.texts.word(&layer), finding.code));
    }
    if let Some(sample) = probe.last() {
        let text = Message::new("detail-at")
            .with("what", outcome_words(&sample.outcome))
            .with("time", scene.time(sample.sent));
        add("detail-last", scene.say(&text));
    }
    for (id, stats) in [("detail-minute", scene.stats(probe)), ("detail-session", probe.series.total())] {
        let figure = |d: Option<Duration>| d.map_or_else(|| theme.glyphs.dash.to_owned(), format::rtt_unit);
        let counts = Message::new("detail-counts")
            .with("sent", stats.tally.sent())
            .with("answered", stats.tally.answered)
            .with("late", stats.tally.late)
            .with("lost", stats.tally.lost)
            .with("refused", stats.tally.refused)
            .with("errors", stats.tally.errors)
            .with("failed", stats.tally.failed)
            .with("unsent", stats.tally.unsent);
        add(id, scene.say(&counts));
        let times = Message::new("detail-times")
            .with("min", figure(stats.min))
            .with("p50", figure(stats.p50))
            .with("p90", figure(stats.p90))
            .with("p99", figure(stats.p99))
            .with("max", figure(stats.max))
            .with("jitter", figure(stats.jitter));
        add("detail-none", scene.say(&times));
    }
    let rhythm = Message::new("detail-rhythm-text")
        .with("interval", format::rtt_unit(probe.spec.interval))
        .with("timeout", format::rtt_unit(probe.spec.timeout));
    add("detail-rhythm", scene.say(&rhythm));
    if let Some(text) = phases(scene, probe) {
        add("detail-phases", text);
    }
    let name = scene.name(probe);
    Some((format!("{name} {}", what(&probe.spec.ask)), lines))
}
