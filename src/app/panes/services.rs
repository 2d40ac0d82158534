//! Pane 4: what listens on this host, and how its connections fare.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::Message;
use crate::model::socket::{ExpectedService, Listener, MAX_LISTENERS, Sockets, Transport};
use crate::text::format;
use crate::widgets::strip::Piece;
use crate::widgets::table::{self, Column};
use crate::widgets::{Ink, Meaning, gauge};

use super::super::scene::Scene;
use super::super::ui::{Pane, Ui};
use super::{Head, marked};

fn sockets<'a>(scene: &Scene<'a>) -> Option<&'a Sockets> {
    scene.state.sockets.as_ref().map(|(_, s)| s)
}

/// A line of the pane.
#[derive(Debug, Clone, Copy)]
pub enum Line<'a> {
    /// Somebody listens.
    Listens(&'a Listener),
    /// Somebody should, and nobody does.
    Missing(&'a ExpectedService),
}

impl Line<'_> {
    fn port(&self) -> (Transport, u16) {
        match self {
            Line::Listens(l) => (l.transport, l.local.port()),
            Line::Missing(e) => (e.transport, e.port),
        }
    }

    /// `:443`, or `u53` where it is UDP.
    fn port_words(&self) -> String {
        match self.port() {
            (Transport::Tcp, port) => format!(":{port}"),
            (Transport::Udp, port) => format!("u{port}"),
        }
    }
}

/// The lines shown: what is expected and missing, then the listeners, TCP first, by
/// port; sockets of one process on one port are one row.
pub fn rows<'a>(scene: &Scene<'a>, filter: &str) -> Vec<Line<'a>> {
    let Some(sockets) = sockets(scene) else { return Vec::new() };
    let filter = filter.to_lowercase();
    let has = |text: &str| filter.is_empty() || text.to_lowercase().contains(&filter);
    let holds = |l: &&Listener| has(&l.local.to_string()) || l.process.as_ref().is_some_and(|p| has(p.name.as_str()));
    let mut list: Vec<_> = sockets.listeners.iter().filter(holds).collect();
    list.sort_by_key(|l| (l.transport, l.local.port(), l.local.ip().is_loopback(), l.local.is_ipv6(), l.local));
    list.dedup_by(|a, b| {
        let same = (a.transport, a.local.port(), &a.process) == (b.transport, b.local.port(), &b.process);
        same && a.local.ip().is_loopback() == b.local.ip().is_loopback()
    });
    let listens =
        |e: &ExpectedService| sockets.listeners.iter().any(|l| (l.transport, l.local.port()) == (e.transport, e.port));
    // A list that was cut short cannot say that somebody is missing.
    let complete = sockets.listeners.len() < MAX_LISTENERS;
    let missing = scene.state.expected.iter().filter(|e| complete && !listens(e));
    let missing = missing.filter(|e| has(&e.port.to_string()) || e.name.as_deref().is_some_and(has));
    missing.map(Line::Missing).chain(list.into_iter().map(Line::Listens)).collect()
}

/// A queue over four fifths of its limit is about to overflow.
fn standing(scene: &Scene<'_>, line: &Line<'_>) -> Meaning {
    let Line::Listens(l) = line else { return Meaning::Fault };
    let port = format!(":{}", l.local.port());
    let about = scene.verdict.into_iter().flat_map(|v| &v.findings);
    let found = about.filter(|f| f.code.starts_with("port.") || f.code.starts_with("tcp."));
    let own = |subject: &str| {
        subject
            .strip_suffix(&port)
            .is_some_and(|host| host == "*" || host.trim_matches(['[', ']']) == l.local.ip().to_string())
    };
    match found.filter(|f| own(&f.subject)).map(|f| f.severity).max() {
        Some(severity) => Scene::of_severity(severity),
        None if l.transport == Transport::Tcp && l.queue_limit > 0 && l.queue * 5 >= l.queue_limit * 4 => {
            Meaning::Warning
        }
        None => Meaning::Good,
    }
}

fn counts(list: &[Line<'_>]) -> Message {
    let listening = list.iter().filter(|l| matches!(l, Line::Listens(l) if l.transport == Transport::Tcp)).count();
    Message::new("services-corner").with("count", listening).with("missing", missing(list))
}

/// What stands in the frame.
pub fn head(scene: &Scene<'_>) -> Head {
    let corner = sockets(scene).map(|_| scene.say(&counts(&rows(scene, ""))));
    Head { subject: String::new(), corner: corner.unwrap_or_default(), corner_style: scene.theme.dim() }
}

/// How things stand.
pub fn meaning(scene: &Scene<'_>) -> Option<Meaning> {
    sockets(scene)?;
    let worst = rows(scene, "").into_iter().map(|l| standing(scene, &l));
    Some(
        worst
            .max_by_key(|m| matches!(m, Meaning::Warning) as u8 + 2 * matches!(m, Meaning::Fault) as u8)
            .unwrap_or(Meaning::Good),
    )
}

/// The pane in one line.
pub fn strip(scene: &Scene<'_>) -> Vec<Piece> {
    let Some(sockets) = sockets(scene) else {
        return vec![Piece::new(scene.word("services-waiting"), scene.theme.dim())];
    };
    let list = rows(scene, "");
    let mut pieces: Vec<_> = list
        .iter()
        .map(|l| (standing(scene, l), l))
        .filter(|(m, _)| *m != Meaning::Good)
        .take(4)
        .map(|(m, l)| marked(scene, m, &format!("{} {}", l.port_words(), what(scene, l))))
        .collect();
    let listening = list.iter().filter(|l| matches!(l, Line::Listens(_)) && l.port().0 == Transport::Tcp).count();
    let listening = Message::new("services-corner").with("count", listening).with("missing", 0);
    pieces.push(marked(scene, Meaning::Good, &scene.say(&listening)));
    let states = Message::new("services-states")
        .with("established", sockets.states.established)
        .with("waiting", sockets.states.time_wait);
    pieces.push(Piece::new(scene.say(&states), scene.theme.dim()));
    pieces
}

fn missing(list: &[Line<'_>]) -> usize {
    list.iter().filter(|l| matches!(l, Line::Missing(_))).count()
}

/// Whose a line is: the process, or the name of what is missing.
fn what(scene: &Scene<'_>, line: &Line<'_>) -> String {
    match line {
        Line::Listens(l) => process(scene, l),
        Line::Missing(e) => match &e.name {
            Some(name) => scene.say(&Message::new("services-missing-named").with("name", name.as_str())),
            None => scene.word("services-missing").into_owned(),
        },
    }
}

/// Its name, where it may be known; why not is said once, beneath.
fn process(scene: &Scene<'_>, l: &Listener) -> String {
    l.process.as_ref().map_or_else(|| scene.theme.glyphs.dash.to_owned(), |p| p.name.to_string())
}

/// Draws listeners, and beneath them the connections by state.
pub fn draw(scene: &Scene<'_>, ui: &mut Ui, buf: &mut Buffer, area: Rect) {
    let Some(sockets) = sockets(scene) else {
        Ink::new(buf, area, 0, scene.theme.glyphs.ellipsis).put(&scene.word("services-waiting"), scene.theme.dim());
        return;
    };
    let list = rows(scene, &ui.filter);
    let nameless = |l: &Line<'_>| matches!(l, Line::Listens(l) if l.process.is_none() && l.transport == Transport::Tcp);
    let area = if area.height >= 5 && !sockets.processes_complete && list.iter().any(nameless) {
        let line = Rect { y: area.bottom() - 1, height: 1, ..area };
        Ink::new(buf, line, 0, scene.theme.glyphs.ellipsis)
            .put(&scene.word("services-nameless"), scene.theme.meaning(Meaning::Unmeasured));
        Rect { height: area.height - 1, ..area }
    } else {
        area
    };
    let below = if area.height >= 7 { 3 } else { 0 };
    let connections = ui.zoomed && area.height >= 16;
    let height = if connections { (list.len() as u16 + 1).min(area.height / 2) } else { area.height - below };
    draw_listeners(scene, ui, buf, Rect { height, ..area }, &list);
    if connections {
        let place = Rect { y: area.y + height + 1, height: area.height.saturating_sub(height + 1 + below), ..area };
        draw_connections(scene, sockets, buf, place);
    }
    if below > 0 {
        draw_states(scene, sockets, buf, Rect { y: area.bottom() - 2, height: 2, ..area });
    }
}

fn draw_listeners(scene: &Scene<'_>, ui: &mut Ui, buf: &mut Buffer, area: Rect, list: &[Line<'_>]) {
    let heads = ["head-port", "head-process", "head-established", "head-queue", "head-address"];
    let heads = heads.map(|id| scene.word(id));
    let columns = [
        Column::words("", 1, 0),
        Column::words(&heads[0], 6, 0),
        Column::words(&heads[1], 10, 1),
        Column::figures(&heads[2], 5),
        Column::figures(&heads[3], 10).rank(2),
        Column::words(&heads[4], 24, 0).rank(3),
    ];
    let focused = ui.focus == Pane::Services;
    let mut view = *ui.view(Pane::Services);
    table::draw(buf, area, scene.theme, &columns, list.len(), &mut view, focused, |n, row| {
        let Some(line) = list.get(n) else { return };
        let theme = scene.theme;
        let meaning = standing(scene, line);
        row.put(0, theme.mark(meaning), theme.meaning(meaning));
        let l = match line {
            Line::Listens(l) => l,
            Line::Missing(_) => {
                row.put(1, &line.port_words(), theme.strong());
                row.rest(2).put(&what(scene, line), theme.meaning(meaning));
                return;
            }
        };
        row.put(1, &line.port_words(), theme.text());
        let (mut pen, _) = row.column(2);
        pen.put(&process(scene, l), theme.text());
        if l.local.ip().is_loopback() {
            let (id, style) = match meaning {
                Meaning::Good => ("services-loopback", theme.dim()),
                _ => ("services-loopback-only", theme.meaning(meaning)),
            };
            pen.put(" ", style).put(&scene.word(id), style);
        }
        if l.transport == Transport::Tcp {
            row.put_right(3, &format::count(u64::from(l.established)), theme.text());
            row.put_right(4, &format!("{}/{}", l.queue, l.queue_limit), theme.dim());
        }
        row.put(5, &l.local.ip().to_string(), theme.dim());
    });
    *ui.view(Pane::Services) = view;
}

fn draw_connections(scene: &Scene<'_>, sockets: &Sockets, buf: &mut Buffer, area: Rect) {
    let heads = [
        "head-state",
        "head-local",
        "head-remote",
        "head-process",
        "head-sendq",
        "head-recvq",
        "head-rtt",
        "head-retransmits",
    ];
    let heads = heads.map(|id| scene.word(id));
    let columns = [
        Column::words(&heads[0], 10, 0),
        Column::words(&heads[1], 16, 1).rank(3),
        Column::words(&heads[2], 16, 1),
        Column::words(&heads[3], 10, 0).rank(2),
        Column::figures(&heads[4], 8),
        Column::figures(&heads[5], 8),
        Column::figures(&heads[6], 8).rank(1),
        Column::figures(&heads[7], 8),
    ];
    let mut view = table::View::default();
    table::draw(buf, area, scene.theme, &columns, sockets.connections.len(), &mut view, false, |n, row| {
        let Some(c) = sockets.connections.get(n) else { return };
        row.put(0, c.state.name(), scene.theme.text());
        row.put(1, &c.local.to_string(), scene.theme.dim());
        row.put(2, &c.remote.to_string(), scene.theme.text());
        row.put(3, &c.process.as_ref().map_or_else(String::new, |p| p.name.to_string()), scene.theme.dim());
        row.put_right(4, &format::count(u64::from(c.send_queue)), scene.theme.text());
        row.put_right(5, &format::count(u64::from(c.recv_queue)), scene.theme.text());
        if let Some(info) = c.info {
            row.put_right(6, &format::rtt(info.rtt), scene.theme.text());
            let style = if info.total_retrans > 0 { scene.theme.meaning(Meaning::Warning) } else { scene.theme.text() };
            row.put_right(7, &format::count(u64::from(info.total_retrans)), style);
        }
    });
}

fn draw_states(scene: &Scene<'_>, sockets: &Sockets, buf: &mut Buffer, area: Rect) {
    let s = sockets.states;
    let all =
        s.established + s.syn_sent + s.syn_recv + s.fin_wait + s.time_wait + s.close_wait + s.last_ack + s.closing;
    let pairs = [("services-estab", s.established), ("services-time-wait", s.time_wait)];
    let others = Message::new("services-others")
        .with("opening", s.syn_sent + s.syn_recv)
        .with("closing", s.fin_wait + s.last_ack + s.closing)
        .with("close_wait", s.close_wait);
    let others = scene.say(&others);
    for (row, (id, count)) in pairs.into_iter().enumerate() {
        let mut pen = Ink::new(buf, area, row as u16, scene.theme.glyphs.ellipsis);
        pen.cell(&scene.word(id), 7, scene.theme.dim());
        let share = crate::model::units::ratio(u64::from(count), u64::from(all)).unwrap_or(0.0);
        gauge::draw(&mut pen, share, 10, scene.theme.meaning(Meaning::Good), scene.theme);
        pen.skip(1).put(&format::count(u64::from(count)), scene.theme.text());
        if row == 0 && area.width >= 52 {
            pen.right(&others, scene.theme.dim());
        }
    }
}

/// Everything about the selected listener.
pub fn details(scene: &Scene<'_>, ui: &Ui) -> Option<(String, Vec<(String, String)>)> {
    let sockets = sockets(scene)?;
    let list = rows(scene, &ui.filter);
    let line = list.get(ui.selected(Pane::Services))?;
    let mut lines = Vec::new();
    let mut add = |id: &'static str, text: String| lines.push((scene.texts.word(id).into_owned(), text));
    let l = match line {
        Line::Listens(l) => l,
        Line::Missing(_) => {
            add("detail-finding", what(scene, line));
            return Some((line.port_words(), lines));
        }
    };
    add("detail-address", l.local.to_string());
    if let Some(p) = &l.process {
        add("head-process", format!("{} {}", p.name, p.pid));
    }
    if l.transport == Transport::Tcp {
        let queue = Message::new("services-queue").with("queue", l.queue).with("limit", l.queue_limit);
        add("head-queue", scene.say(&queue));
        add("head-established", format::count(u64::from(l.established)));
    }
    for c in sockets.connections.iter().filter(|c| c.local.port() == l.local.port()).take(20) {
        add("detail-connection", format!("{} {} {}/{}", c.state.name(), c.remote, c.send_queue, c.recv_queue));
    }
    if !sockets.processes_complete {
        add("detail-none", scene.word("services-incomplete").into_owned());
    }
    Some((format!(":{} {}", l.local.port(), process(scene, l)), lines))
}
