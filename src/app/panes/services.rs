//! Pane 4: what listens on this host, and how its connections fare.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::Message;
use crate::model::socket::{Listener, Sockets, Transport};
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

/// The listeners shown, TCP first, by port; sockets of one process on one port are
/// one row.
pub fn rows<'a>(scene: &Scene<'a>, filter: &str) -> Vec<&'a Listener> {
    let Some(sockets) = sockets(scene) else { return Vec::new() };
    let filter = filter.to_lowercase();
    let holds = |l: &&Listener| {
        filter.is_empty()
            || l.local.to_string().contains(&filter)
            || l.process.as_ref().is_some_and(|p| p.name.as_str().to_lowercase().contains(&filter))
    };
    let mut list: Vec<_> = sockets.listeners.iter().filter(holds).collect();
    list.sort_by_key(|l| (l.transport, l.local.port(), l.local.ip().is_loopback(), l.local.is_ipv6(), l.local));
    list.dedup_by(|a, b| {
        let same = (a.transport, a.local.port(), &a.process) == (b.transport, b.local.port(), &b.process);
        same && a.local.ip().is_loopback() == b.local.ip().is_loopback()
    });
    list
}

/// A queue over four fifths of its limit is about to overflow.
fn standing(scene: &Scene<'_>, l: &Listener) -> Meaning {
    let port = format!(":{}", l.local.port());
    let about = scene.verdict.into_iter().flat_map(|v| &v.findings);
    let found = about.filter(|f| f.code.starts_with("port.") || f.code.starts_with("tcp."));
    let found = found.filter(|f| f.subject.ends_with(&port)).map(|f| f.severity).max();
    match found {
        Some(severity) => Scene::of_severity(severity),
        None if l.transport == Transport::Tcp && l.queue_limit > 0 && l.queue * 5 >= l.queue_limit * 4 => {
            Meaning::Warning
        }
        None => Meaning::Good,
    }
}

/// What stands in the frame.
pub fn head(scene: &Scene<'_>) -> Head {
    let count = rows(scene, "").iter().filter(|l| l.transport == Transport::Tcp).count();
    let corner = sockets(scene).map(|_| scene.say(&Message::new("services-corner").with("count", count)));
    Head { subject: String::new(), corner: corner.unwrap_or_default(), corner_style: scene.theme.dim() }
}

/// How things stand.
pub fn meaning(scene: &Scene<'_>) -> Option<Meaning> {
    sockets(scene)?;
    let worst = rows(scene, "").into_iter().map(|l| standing(scene, l));
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
        .map(|(m, l)| marked(scene, m, &format!(":{} {}", l.local.port(), process(scene, l))))
        .collect();
    let listening = list.iter().filter(|l| l.transport == Transport::Tcp).count();
    pieces.push(marked(scene, Meaning::Good, &scene.say(&Message::new("services-corner").with("count", listening))));
    let states = Message::new("services-states")
        .with("established", sockets.states.established)
        .with("waiting", sockets.states.time_wait);
    pieces.push(Piece::new(scene.say(&states), scene.theme.dim()));
    pieces
}

fn process(scene: &Scene<'_>, l: &Listener) -> String {
    l.process.as_ref().map_or_else(|| scene.word("services-unknown").into_owned(), |p| p.name.to_string())
}

/// Draws listeners, and beneath them the connections by state.
pub fn draw(scene: &Scene<'_>, ui: &mut Ui, buf: &mut Buffer, area: Rect) {
    let Some(sockets) = sockets(scene) else {
        Ink::new(buf, area, 0, scene.theme.glyphs.ellipsis).put(&scene.word("services-waiting"), scene.theme.dim());
        return;
    };
    let list = rows(scene, &ui.filter);
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

fn draw_listeners(scene: &Scene<'_>, ui: &mut Ui, buf: &mut Buffer, area: Rect, list: &[&Listener]) {
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
        let Some(l) = list.get(n) else { return };
        let meaning = standing(scene, l);
        row.put(0, scene.theme.mark(meaning), scene.theme.meaning(meaning));
        let port = match l.transport {
            Transport::Tcp => format!(":{}", l.local.port()),
            Transport::Udp => format!("u{}", l.local.port()),
        };
        row.put(1, &port, scene.theme.text());
        let (mut pen, _) = row.column(2);
        pen.put(&process(scene, l), scene.theme.text());
        if l.local.ip().is_loopback() {
            pen.put(" ", scene.theme.dim()).put(&scene.word("services-loopback"), scene.theme.dim());
        }
        if l.transport == Transport::Tcp {
            row.put_right(3, &format::count(u64::from(l.established)), scene.theme.text());
            row.put_right(4, &format!("{}/{}", l.queue, l.queue_limit), scene.theme.dim());
        }
        row.put(5, &l.local.ip().to_string(), scene.theme.dim());
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
    let l = list.get(ui.selected(Pane::Services))?;
    let mut lines = Vec::new();
    let mut add = |id: &'static str, text: String| lines.push((scene.texts.word(id).into_owned(), text));
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
