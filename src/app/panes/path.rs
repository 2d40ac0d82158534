//! Pane 2: the way to a target, hop by hop, and where it ends.

use std::net::IpAddr;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::model::probe::TraceProto;
use crate::model::{Message, Mono};
use crate::state::{Hop, Path, Point, ProbeState};
use crate::text::format;
use crate::widgets::strip::Piece;
use crate::widgets::table;
use crate::widgets::{Ink, Meaning};

use super::super::scene::Scene;
use super::super::ui::{Pane, Traced, Ui};
use super::{Head, hop, marked};

/// How long a hop may be silent and still count as answering.
const SPARED: std::time::Duration = std::time::Duration::from_millis(3_500);

/// A line of the pane.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// A hop, by its index.
    Hop(usize),
    /// Nothing answers from this TTL on.
    End(u8),
    /// No packet leaves this host: what is behind is not measured.
    Unsent,
    /// Who answered at a TTL while the path was whole.
    Before(u8, IpAddr, bool),
}

/// The path shown.
struct Followed<'a> {
    /// What its target is called, with the address.
    name: String,
    to: IpAddr,
    /// The protocol that leads.
    proto: &'static str,
    path: &'a Path,
    /// From one round to the next.
    interval: std::time::Duration,
    /// Which it is of how many, counted from 1.
    place: (usize, usize),
}

fn followed<'a>(scene: &Scene<'a>, ui: &Ui) -> Option<Followed<'a>> {
    let (_, probe) = scene.followed(ui)?;
    let (proto, path) = probe.paths.best()?;
    let proto = match proto {
        TraceProto::Icmp => "icmp",
        TraceProto::Udp => "udp",
        TraceProto::Tcp => "tcp",
    };
    Some(Followed {
        name: scene.full_name(probe),
        to: probe.spec.ask.address()?,
        proto,
        path,
        interval: probe.spec.interval,
        place: place(ui, probe),
    })
}

fn place(ui: &Ui, probe: &ProbeState) -> (usize, usize) {
    (ui.paths.iter().position(|id| *id == probe.spec.id).map_or(1, |n| n + 1), ui.paths.len())
}

/// The path `step` further among all that are traced.
pub fn neighbour(scene: &Scene<'_>, ui: &Ui, step: isize) -> Option<Traced> {
    let (_, probe) = scene.followed(ui)?;
    let (n, count) = place(ui, probe);
    let next = (n as isize - 1 + step).rem_euclid(count.max(1) as isize) as usize;
    let next = ui.paths.get(next).and_then(|id| scene.state.probe(*id))?;
    next.spec.ask.address().map(Traced::Address)
}

/// Whether not one packet of the newest round left this host: then the path is not
/// measured, and not broken.
fn is_unsent(path: &Path) -> bool {
    let Some(round) = &path.last_round else { return false };
    let newest = |h: &Hop| h.recent().next_back().filter(|(at, _)| *at >= round.began).map(|(_, p)| p);
    let mut points = path.hops().iter().filter_map(newest).peekable();
    points.peek().is_some() && points.all(|p| p == Point::Unsent)
}

/// The lines there are, nearest hop first.
pub fn rows(scene: &Scene<'_>, ui: &Ui) -> Vec<Line> {
    let Some(Followed { to, path, .. }) = followed(scene, ui) else { return Vec::new() };
    let before = |from: usize| {
        let whole = path.last_whole.iter().enumerate().skip(from);
        whole.filter_map(move |(n, ip)| ip.map(|ip| Line::Before(n as u8 + 1, ip, ip == to)))
    };
    if is_unsent(path) {
        return std::iter::once(Line::Unsent).chain(before(0)).collect();
    }
    // A router may spare an answer now and then; one that answered none of the last
    // few rounds does not count as answering.
    let from = path.last_round.as_ref().map_or(Mono(0), |r| r.began.before(SPARED));
    let answering = |h: &Hop| h.last_answer().is_some_and(|at| at >= from);
    let end = match path.length().filter(|_| path.reached_lately()) {
        Some(length) => usize::from(length),
        None => path.hops().iter().rposition(answering).map_or(0, |n| n + 1),
    };
    let mut lines: Vec<_> = (0..end.min(path.hops().len())).map(Line::Hop).collect();
    if !path.reached_lately() && path.rounds > 0 {
        lines.push(Line::End(end as u8 + 1));
        lines.extend(before(end));
    }
    lines
}

/// What stands in the frame.
pub fn head(scene: &Scene<'_>, ui: &Ui) -> Head {
    let Some(Followed { name, proto, path, place, .. }) = followed(scene, ui) else {
        let subject = scene.followed(ui).map_or_else(String::new, |(_, p)| scene.full_name(p));
        return Head { subject, ..Head::default() };
    };
    let hops = rows(scene, ui).iter().filter(|l| matches!(l, Line::Hop(_))).count();
    let changed = path.changes.back().map(|c| scene.time(c.at));
    let what = match (path.rounds, changed) {
        _ if is_unsent(path) => Message::new("path-corner-unsent").with("proto", proto),
        (0, _) => Message::new("path-first-round").with("proto", proto),
        (_, Some(time)) => {
            Message::new("path-corner-changed").with("proto", proto).with("hops", hops).with("time", time)
        }
        _ => Message::new("path-corner").with("proto", proto).with("hops", hops),
    };
    let corner = match place {
        (_, 0 | 1) => what,
        (n, of) => Message::new("path-corner-of").with("n", n).with("of", of).with("what", what),
    };
    Head { subject: name, corner: scene.say(&corner), corner_style: scene.theme.dim() }
}

/// How things stand.
pub fn meaning(scene: &Scene<'_>, ui: &Ui) -> Option<Meaning> {
    let Followed { path, .. } = followed(scene, ui)?;
    if path.rounds == 0 || is_unsent(path) {
        return Some(Meaning::Unmeasured);
    }
    let lossy = path.hops().last().and_then(|h| h.tally_since(scene.from()).loss()).is_some_and(|l| l > 0.05);
    Some(match (path.reached_lately(), lossy) {
        (false, _) if path.rounds_unreached() >= 2 => Meaning::Fault,
        (true, false) => Meaning::Good,
        _ => Meaning::Warning,
    })
}

/// The pane in one line.
pub fn strip(scene: &Scene<'_>, ui: &Ui) -> Vec<Piece> {
    let Some(Followed { name, path, .. }) = followed(scene, ui) else {
        return vec![Piece::new(scene.word("path-none"), scene.theme.dim())];
    };
    let standing = meaning(scene, ui).unwrap_or(Meaning::Unmeasured);
    let lines = rows(scene, ui);
    let hops = lines.iter().filter(|l| matches!(l, Line::Hop(_))).count();
    let last = lines.iter().rev().find_map(|l| match l {
        Line::Hop(n) => path.hops().get(*n)?.address(),
        _ => None,
    });
    let words = match (path.rounds, path.reached_lately(), last) {
        _ if is_unsent(path) => Message::new("path-strip-unsent").with("name", name.as_str()),
        (0, ..) => Message::new("path-strip-first").with("name", name.as_str()),
        (_, true, _) => Message::new("path-strip-whole").with("name", name.as_str()).with("hops", hops),
        (_, _, Some(ip)) => {
            Message::new("path-strip-ends").with("name", name.as_str()).with("address", ip).with("hop", hops)
        }
        _ => Message::new("path-strip-nothing").with("name", name.as_str()),
    };
    vec![marked(scene, standing, &scene.say(&words))]
}

/// Draws the hops.
pub fn draw(scene: &Scene<'_>, ui: &mut Ui, buf: &mut Buffer, area: Rect) {
    let ellipsis = scene.theme.glyphs.ellipsis;
    let Some(Followed { path, interval, .. }) = followed(scene, ui) else {
        let id = if scene.followed(ui).is_some() { "path-waiting" } else { "path-none" };
        Ink::new(buf, area, 0, ellipsis).put(&scene.word(id), scene.theme.dim());
        return;
    };
    let lines = rows(scene, ui);
    let notes = if ui.zoomed { change_lines(scene, path) } else { Vec::new() };
    let below = (notes.len() as u16 + u16::from(!notes.is_empty())).min(area.height / 2);
    let table_area = Rect { height: area.height - below, ..area };
    let wanted = lines.len() as u16 + 1;
    let chart = if ui.zoomed && table_area.height >= wanted.min(area.height / 2) + 9 {
        table_area.height - wanted.max(table_area.height / 2).min(table_area.height - 9)
    } else {
        0
    };
    let table_area = Rect { height: table_area.height - chart, ..table_area };
    let heads = hop::Heads::of(scene, path, ui.zoomed && area.width >= 100, area.width);
    let columns = heads.columns();
    let focused = ui.focus == Pane::Path;
    let mut view = *ui.view(Pane::Path);
    let last = lines.iter().rposition(|l| matches!(l, Line::Hop(_)));
    // Where nobody scrolled, the place where it breaks is in sight.
    let broken = lines.iter().position(|l| matches!(l, Line::End(_) | Line::Unsent));
    if let Some(at) = broken.filter(|_| !focused || !ui.moved.contains(&Pane::Path)) {
        view.selected = at;
    }
    table::draw(buf, table_area, scene.theme, &columns, lines.len(), &mut view, focused, |n, row| match lines.get(n) {
        Some(Line::Hop(h)) => {
            if let Some(hop) = path.hops().get(*h) {
                heads.draw(scene, path, hop, last == Some(n) && !path.reached_lately(), row);
            }
        }
        Some(Line::End(ttl)) => {
            let style = scene.theme.meaning(Meaning::Fault);
            row.put(0, scene.theme.mark(Meaning::Fault), style);
            row.put_right(1, &ttl.to_string(), scene.theme.dim());
            row.rest(2).put(&scene.say(&end_words(path, last.and(lines.get(n.wrapping_sub(1))))), scene.theme.strong());
        }
        Some(Line::Unsent) => {
            let style = scene.theme.meaning(Meaning::Unmeasured);
            row.put(0, scene.theme.mark(Meaning::Unmeasured), style);
            row.rest(2).put(&scene.word("path-unsent"), style);
        }
        Some(Line::Before(ttl, ip, is_target)) => {
            row.put(0, scene.theme.glyphs.none, scene.theme.dim());
            row.put_right(1, &ttl.to_string(), scene.theme.dim());
            let id = if *is_target { "path-before-target" } else { "path-before" };
            let id = Message::new(id).with("address", *ip);
            let mut pen = row.rest(2);
            pen.put(&scene.say(&id), scene.theme.dim());
            if let Some(name) = scene.state.name_of(*ip).filter(|_| !is_target) {
                pen.put("  ", Style::new()).put(name.as_str(), scene.theme.dim());
            }
        }
        None => {}
    });
    *ui.view(Pane::Path) = view;
    let shown = match lines.get(view.selected) {
        Some(Line::Hop(n)) => path.hops().get(*n),
        _ => {
            last.and_then(|n| lines.get(n)).and_then(|l| if let Line::Hop(n) = l { path.hops().get(*n) } else { None })
        }
    };
    if let Some(hop) = shown.filter(|_| chart > 0) {
        let place = Rect { y: table_area.bottom() + 1, height: chart - 1, ..area };
        super::history::draw_hop(scene, hop, interval, buf, place);
    }
    let table_area = Rect { height: table_area.height + chart, ..table_area };
    for (n, note) in notes.iter().enumerate() {
        let row = table_area.height + 1 + n as u16;
        if row < area.height {
            Ink::new(buf, area, row, ellipsis).put(note, scene.theme.dim());
        }
    }
}

/// How the path ends: silence, or an error that somebody told.
fn end_words(path: &Path, last: Option<&Line>) -> Message {
    let hop = match last {
        Some(Line::Hop(n)) => path.hops().get(*n),
        _ => None,
    };
    match hop.and_then(|h| h.error) {
        Some(e) => Message::new("path-error").with("from", e.from).with("error", e.error.words()),
        None => Message::new("path-end"),
    }
}

/// Changes of the path in words, the newest first.
fn change_lines(scene: &Scene<'_>, path: &Path) -> Vec<String> {
    let shown = |hops: &[Option<IpAddr>], n: usize| match hops.get(n) {
        Some(Some(ip)) => ip.to_string(),
        Some(None) => "*".to_owned(),
        None => scene.theme.glyphs.dash.to_owned(),
    };
    let mut lines = Vec::new();
    for change in path.changes.iter().rev().take(4) {
        let hops = change.before.len().max(change.after.len());
        let differing: Vec<_> = (0..hops).filter(|n| change.before.get(*n) != change.after.get(*n)).collect();
        for n in differing.into_iter().take(4) {
            let text = Message::new("path-changed-hop")
                .with("time", scene.time(change.at))
                .with("hop", n + 1)
                .with("before", shown(&change.before, n))
                .with("after", shown(&change.after, n));
            lines.push(scene.say(&text));
        }
    }
    lines
}

/// Everything about the selected hop.
pub fn details(scene: &Scene<'_>, ui: &Ui) -> Option<(String, Vec<(String, String)>)> {
    let Followed { name, proto, path, .. } = followed(scene, ui)?;
    let mut lines = Vec::new();
    let mut add = |id: &'static str, text: String| lines.push((scene.texts.word(id).into_owned(), text));
    add("detail-target", format!("{name} {proto}"));
    let lines_there = rows(scene, ui);
    let hop = match lines_there.get(ui.selected(Pane::Path)) {
        Some(Line::Hop(n)) => path.hops().get(*n),
        _ => None,
    };
    let title = hop.map_or_else(
        || scene.word("path-end").into_owned(),
        |h| scene.say(&Message::new("path-hop-title").with("hop", h.ttl)),
    );
    if let Some(hop) = hop {
        for (ip, at) in &hop.addresses {
            let name = scene.state.name_of(*ip).map_or_else(String::new, |n| format!(" {n}"));
            let seen = Message::new("detail-seen").with("what", format!("{ip}{name}")).with("time", scene.time(*at));
            add("detail-address", scene.say(&seen));
        }
        let counts = Message::new("path-counts")
            .with("sent", hop.tally.sent())
            .with("answered", hop.tally.received())
            .with("late", hop.tally.late);
        add("detail-session", scene.say(&counts));
        let figure = |q| hop.rtt(q).map_or_else(|| scene.theme.glyphs.dash.to_owned(), format::rtt_unit);
        let times = Message::new("path-times")
            .with("min", figure(0.0))
            .with("p50", figure(0.5))
            .with("p90", figure(0.9))
            .with("p99", figure(0.99))
            .with("max", figure(1.0));
        add("detail-none", scene.say(&times));
        if let Some(e) = hop.error {
            let text = Message::new("path-error").with("from", e.from).with("error", e.error.words());
            add("detail-error", scene.say(&text));
        }
    }
    if let Some(at) = path.last_reached.filter(|at| *at > Mono(0)) {
        add("path-reached-last", scene.time(at));
    }
    for line in change_lines(scene, path) {
        add("path-change", line);
    }
    Some((title, lines))
}
