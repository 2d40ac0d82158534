//! Pane 1: does what is watched answer, how fast, and how did it go lately.

use std::net::IpAddr;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::model::host::IcmpRight;
use crate::model::sample::Unsent;
use crate::model::{Ask, Message, Outcome, ProbeKind, Role};
use crate::state::ProbeState;
use crate::text::format;
use crate::widgets::strip::Piece;
use crate::widgets::table::{self, Column, Row};
use crate::widgets::{Ink, Meaning, ink, sparkline};

use super::super::scene::Scene;
use super::super::ui::{Pane, Ui};
use super::outcome::outcome_words;
use super::{Head, marked};

/// Columns of the last minute.
const SPARK: u16 = 15;

/// Columns that a name keeps beside its address.
const NAME: u16 = 10;

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
            let name = scene.full_name(probe);
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
        Ask::Dns { qtype, .. } => format!("{kind} {qtype}"),
        _ => kind.to_owned(),
    }
}

/// Draws the table, and where the pane has the screen the selected one's charts.
pub fn draw(scene: &Scene<'_>, ui: &mut Ui, buf: &mut Buffer, area: Rect) {
    if ui.rows.is_empty() {
        let id = if ui.filter.is_empty() { "connectivity-empty" } else { "filter-empty" };
        Ink::new(buf, area, 0, scene.theme.glyphs.ellipsis).put(&scene.word(id), scene.theme.dim());
        return;
    }
    let wants_chart = ui.zoomed && area.height >= 16;
    let area = if area.height >= 6 { draw_rights(scene, buf, area) } else { area };
    let rows = if wants_chart { (ui.rows.len() as u16 + 1).min(area.height * 2 / 5).max(4) } else { area.height };
    let table = Rect { height: rows, ..area };
    draw_table(scene, ui, buf, table);
    if wants_chart {
        let chart = Rect { y: area.y + rows + 1, height: area.height - rows - 1, ..area };
        super::history::draw_chart(scene, ui, buf, chart);
    }
}

/// Where this user may not measure something, says so once, with the way to it, on
/// the last line; the room that is left.
fn draw_rights(scene: &Scene<'_>, buf: &mut Buffer, area: Rect) -> Rect {
    if !scene.state.host.as_ref().is_some_and(|h| h.rights.icmp == IcmpRight::None) {
        return area;
    }
    let line = Rect { y: area.bottom() - 1, height: 1, ..area };
    Ink::new(buf, line, 0, scene.theme.glyphs.ellipsis)
        .put(scene.theme.mark(Meaning::Unmeasured), scene.theme.meaning(Meaning::Unmeasured))
        .put(" ", scene.theme.dim())
        .put(&scene.word("unmeasured-rights"), scene.theme.meaning(Meaning::Unmeasured));
    Rect { height: area.height - 1, ..area }
}

fn draw_table(scene: &Scene<'_>, ui: &mut Ui, buf: &mut Buffer, area: Rect) {
    let (spark, lately) =
        if area.width >= 150 { (SPARK * 2, "head-last-minutes") } else { (SPARK, "head-last-minute") };
    let heads = ["head-target", "head-probe", "head-loss", "head-p50", "head-p90", "head-p99", "head-jitter", lately];
    let heads = heads.map(|id| scene.word(id));
    let columns = [
        Column::words("", 1, 0),
        Column::words(&heads[0], 20, 1),
        Column::words(&heads[1], 8, 0).rank(1),
        Column::figures(&heads[2], 6),
        Column::figures(&heads[3], 6),
        Column::figures(&heads[4], 6).rank(4),
        Column::figures(&heads[5], 6).rank(2),
        Column::figures(&heads[6], 6).rank(5),
        Column::words(&heads[7], spark, 0).rank(3),
    ];
    let rows = std::mem::take(&mut ui.rows);
    let focused = ui.focus == Pane::Connectivity;
    let mut view = *ui.view(Pane::Connectivity);
    let probe = |n: usize| rows.get(n).and_then(|id| scene.state.probe(*id));
    let mut above = None;
    table::draw(buf, area, scene.theme, &columns, rows.len(), &mut view, focused, |n, row| {
        let Some(probe) = probe(n) else { return };
        let name = Name::of(scene, probe);
        draw_row(scene, probe, &name, above.as_ref() == Some(&name), row, usize::from(spark));
        above = Some(name);
    });
    *ui.view(Pane::Connectivity) = view;
    ui.rows = rows;
}

/// What a row is called: its target, and the address where that says more.
#[derive(Debug, PartialEq)]
struct Name {
    host: String,
    address: Option<String>,
    /// Where it does not fit.
    short: Short,
}

/// What becomes of an address that does not fit.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Short {
    /// Left out: the target has no other.
    Nothing,
    /// Its family: the target has no other of it.
    Family(&'static str),
    /// Its end: addresses of one network begin alike.
    End,
}

impl Name {
    fn of(scene: &Scene<'_>, probe: &ProbeState) -> Self {
        let name = scene.name(probe);
        let ip = probe.spec.ask.address();
        let address = ip.map(|ip| ip.to_string()).filter(|a| !name.contains(a.as_str()));
        let short = ip.map_or(Short::Nothing, |ip| short(scene, probe, ip));
        Self { host: name, address, short }
    }

    fn draw(&self, pen: &mut Ink<'_>, style: Style, dim: Style, ellipsis: &str) {
        let Some(address) = &self.address else {
            pen.put(&self.host, style);
            return;
        };
        let (room, name, whole) = (pen.left(), ink::width(&self.host), ink::width(address));
        let (name, address) = match self.short {
            _ if name + 1 + whole <= room => (name, address.clone()),
            Short::Nothing => (room, String::new()),
            Short::Family(word) => (room.saturating_sub(ink::width(word) + 1), word.to_owned()),
            Short::End => {
                let kept = room.saturating_sub(name.min(NAME) + 2).min(whole);
                let end: String = address.chars().skip(usize::from(whole - kept)).collect();
                (room.saturating_sub(kept + 2), format!("{ellipsis}{end}"))
            }
        };
        pen.put_within(&self.host, name, style).put(" ", dim).put(&address, dim);
    }
}

/// How to tell an address from the target's others.
fn short(scene: &Scene<'_>, probe: &ProbeState, own: IpAddr) -> Short {
    // What was found by itself is called by what it is, and there may be several.
    if scene.named_by(probe).is_some_and(|t| t.role != Role::Watched) {
        return Short::End;
    }
    let targets = probe.spec.targets.iter();
    let others = targets.flat_map(|id| scene.state.probes_of(*id)).filter_map(|p| p.spec.ask.address());
    others.filter(|ip| *ip != own).fold(Short::Nothing, |short, other| match short {
        _ if other.is_ipv4() == own.is_ipv4() => Short::End,
        Short::Nothing if own.is_ipv4() => Short::Family("IPv4"),
        Short::Nothing => Short::Family("IPv6"),
        kept => kept,
    })
}

fn draw_row(scene: &Scene<'_>, probe: &ProbeState, name: &Name, repeats: bool, row: &mut Row<'_>, spark: usize) {
    let theme = scene.theme;
    let standing = scene.standing(probe);
    let style = theme.meaning(standing);
    row.put(0, theme.mark(standing), style);
    let failing = matches!(standing, Meaning::Fault | Meaning::Warning);
    // The same name again stands back, so that a target's rows read as one.
    let name_style = match (repeats, failing) {
        _ if row.selected => theme.strong(),
        (true, _) => theme.dim(),
        (false, true) => theme.strong(),
        (false, false) => theme.text(),
    };
    let (mut pen, _) = row.column(1);
    name.draw(&mut pen, name_style, theme.dim(), theme.glyphs.ellipsis);
    row.put(2, &what(&probe.spec.ask), theme.dim());
    if standing == Meaning::Unmeasured {
        row.rest(3).put(&scene.say(&why_unmeasured(scene, probe)), theme.meaning(Meaning::Unmeasured));
        return;
    }
    let stats = scene.stats(probe);
    let loss = stats.tally.failure().map_or_else(|| theme.glyphs.dash.to_owned(), format::percent);
    row.put_right(3, &loss, if failing { style } else { theme.text() });
    for (column, figure) in [(4, stats.p50), (5, stats.p90), (6, stats.p99), (7, stats.jitter)] {
        let text = figure.map_or_else(|| theme.glyphs.dash.to_owned(), format::rtt);
        row.put_right(column, &text, theme.text());
    }
    let (mut pen, width) = row.column(8);
    // Where every answer came and is itself the fault, the line of answers would lie.
    let bad_answer = failing && stats.tally.failure() == Some(0.0);
    if let Some(finding) = scene.finding_about(&probe.spec.targets, probe.kind()).filter(|_| bad_answer) {
        pen.put(&finding.code, style);
        return;
    }
    sparkline::draw(&mut pen, &scene.sparkline(probe, probe.series.since(scene.from()).p50, spark), width, theme);
}

/// Why there is nothing to say about a probe. That this user may not send it is said
/// once, beneath.
fn why_unmeasured(scene: &Scene<'_>, probe: &ProbeState) -> Message {
    match probe.last().map(|s| &s.outcome) {
        None if probe.kind() == ProbeKind::Resolve => Message::new("unmeasured-resolving"),
        None => Message::new("unmeasured-first-round"),
        Some(Outcome::Unsent { reason: Unsent::NotPermitted }) => Message::new("unmeasured-not-permitted"),
        Some(outcome @ Outcome::Unsent { .. }) => outcome_words(outcome),
        Some(_) if probe.kind() == ProbeKind::Udp => Message::new("unmeasured-udp-silence"),
        Some(_) => match probe.series.last() {
            Some((sent, _)) => Message::new("unmeasured-since").with("time", scene.time(sent)),
            None => Message::new("unmeasured-stale"),
        },
    }
}
