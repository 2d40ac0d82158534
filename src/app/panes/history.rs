//! Pane 1 in depth: one probe's charts over time, its phases, everything about it.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::{Detail, Message, Mono, Outcome};
use crate::state::path::KEPT_ROUNDS;
use crate::state::{Hop, Point, ProbeState};
use crate::text::format;
use crate::widgets::Ink;
use crate::widgets::chart::{self, Chart, Slot};

use super::super::scene::Scene;
use super::super::ui::{Pane, Ui};
use super::connectivity::what;
use super::outcome::outcome_words;

/// The charts of what is selected: round-trip times with losses over time.
pub fn draw_chart(scene: &Scene<'_>, ui: &Ui, buf: &mut Buffer, area: Rect) {
    let Some(probe) = ui.rows.get(ui.selected(Pane::Connectivity)).and_then(|id| scene.state.probe(*id)) else {
        return;
    };
    let theme = scene.theme;
    let plot = area.width.saturating_sub(Chart::MARGIN);
    let count = chart::slots(plot, theme);
    let step = probe.spec.interval.max(Duration::from_millis(200));
    let newest = scene.now().0 / step.as_nanos().max(1) as u64;
    let from = Mono(newest.saturating_sub(count as u64 - 1) * step.as_nanos() as u64);
    let slots = slots(probe.series.points_since(from), newest, step, count);
    let times = time_labels(scene, newest, step, count);
    let total = probe.series.total();
    let figure = |d: Option<Duration>| d.map_or_else(|| theme.glyphs.dash.to_owned(), format::rtt_unit);
    let title = Message::new("chart-title")
        .with("name", scene.full_name(probe))
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
        Ink::new(buf, line, 0, theme.glyphs.ellipsis).put(&text, theme.text());
    }
}

/// The newest points, one a slot of `step`, aligned so that the picture moves in steps.
fn slots(points: impl Iterator<Item = (Mono, Point)>, newest: u64, step: Duration, count: usize) -> Vec<Slot> {
    let mut slots = vec![Slot::default(); count];
    for (sent, point) in points {
        let back = newest.saturating_sub(sent.0 / step.as_nanos().max(1) as u64) as usize;
        let Some(slot) = count.checked_sub(back + 1).and_then(|n| slots.get_mut(n)) else { continue };
        match point {
            Point::Answered(rtt) => slot.value = Some(slot.value.unwrap_or(0.0).max(rtt.as_secs_f64() * 1e3)),
            Point::Late(_) => slot.late = true,
            Point::Lost | Point::Error | Point::Failed | Point::Refused(_) => slot.lost = true,
            Point::Unsent => {}
        }
    }
    slots
}

/// How far apart a hop's rounds are, on the average.
fn between(hop: &Hop) -> Option<Duration> {
    let ((first, _), (last, _)) = (hop.recent().next()?, hop.recent().next_back()?);
    let rounds = hop.recent().count().saturating_sub(1) as u32;
    last.since(first).checked_div(rounds)
}

/// A hop's rounds over time; `interval` is from one round to the next.
pub fn draw_hop(scene: &Scene<'_>, hop: &Hop, interval: Duration, buf: &mut Buffer, area: Rect) {
    let theme = scene.theme;
    let count = chart::slots(area.width.saturating_sub(Chart::MARGIN), theme);
    // All the rounds kept in all the room there is: what one of them found holds until
    // the next.
    let apart = between(hop).unwrap_or(interval).max(Duration::from_millis(200));
    let step = (apart * KEPT_ROUNDS as u32 / count.max(1) as u32).max(Duration::from_millis(200));
    let newest = scene.now().0 / step.as_nanos().max(1) as u64;
    let mut slots = slots(hop.recent(), newest, step, count);
    let span = (apart.as_nanos() / step.as_nanos().max(1)) as usize * 3 / 2;
    let (mut held, mut since) = (Slot::default(), span);
    for slot in &mut slots {
        if *slot == Slot::default() && since < span {
            since += 1;
            *slot = held;
        } else {
            (held, since) = (*slot, 0);
        }
    }
    let times = time_labels(scene, newest, step, count);
    let name = hop.address().map_or_else(|| scene.word("path-silent").into_owned(), |ip| ip.to_string());
    let title = Message::new("path-chart")
        .with("hop", hop.ttl)
        .with("name", name)
        .with("sent", hop.tally.sent())
        .with("answered", hop.tally.received());
    let title = scene.say(&title);
    let chart = Chart { title: &title, slots: &slots, label: Some(format::ms_unit), times: &times, reference: None };
    chart.draw(buf, area, theme);
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
    Some((format!("{} {}", scene.full_name(probe), what(&probe.spec.ask)), lines))
}
