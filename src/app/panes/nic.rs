//! Pane 3: this host's way onto the network: carrier, rates, errors, addresses,
//! the gateway next door.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::model::link::{Duplex, Link, LinkCounters, NeighbourState, Scope};
use crate::model::{Message, Severity};
use crate::state::LinkHistory;
use crate::text::format;
use crate::widgets::strip::Piece;
use crate::widgets::{Ink, Meaning, chart};

use super::super::scene::Scene;
use super::super::ui::{Pane, Ui};
use super::{Head, marked};

/// Errors and drops are counted over this long.
const WINDOW: Duration = Duration::from_secs(180);

/// Interfaces worth a line, the one that carries first.
pub fn interfaces(scene: &Scene<'_>, ui: &Ui) -> Vec<u32> {
    let first = scene.main_interface(ui);
    let mut list: Vec<_> = scene.state.network.links().iter().filter(|l| !l.is_loopback()).collect();
    list.sort_by_key(|l| (Some(l.index) != first, !l.admin_up, l.index));
    list.into_iter().map(|l| l.index).collect()
}

fn shown<'a>(scene: &Scene<'a>, ui: &Ui) -> Option<&'a Link> {
    let list = interfaces(scene, ui);
    let chosen = if ui.focus == Pane::Nic { list.get(ui.selected(Pane::Nic)) } else { list.first() };
    chosen.or(list.first()).and_then(|index| scene.state.network.link(*index))
}

fn standing(scene: &Scene<'_>, link: &Link) -> Meaning {
    let about = scene.verdict.into_iter().flat_map(|v| &v.findings);
    let found =
        about.filter(|f| f.subject == link.name.as_str() && f.severity > Severity::Info).map(|f| f.severity).max();
    match found {
        Some(severity) => Scene::of_severity(severity),
        None if !link.admin_up || !link.carrier => Meaning::Unmeasured,
        None => Meaning::Good,
    }
}

/// State, speed, duplex and MTU in a few words.
fn kind_words(scene: &Scene<'_>, link: &Link) -> String {
    let state = if !link.admin_up {
        "nic-down"
    } else if link.carrier {
        "nic-up"
    } else {
        "nic-no-carrier"
    };
    let mut words = vec![scene.word(state).into_owned()];
    words.extend(link.speed_mbps.map(format::link_speed));
    words.extend(link.duplex.map(|d| scene.word(if d == Duplex::Full { "nic-full" } else { "nic-half" }).into_owned()));
    words.join(" ")
}

/// What stands in the frame.
pub fn head(scene: &Scene<'_>, ui: &Ui) -> Head {
    let Some(link) = shown(scene, ui) else { return Head::default() };
    let meaning = standing(scene, link);
    Head {
        subject: link.name.to_string(),
        corner: kind_words(scene, link),
        corner_style: if meaning == Meaning::Good { scene.theme.dim() } else { scene.theme.meaning(meaning) },
    }
}

/// How things stand.
pub fn meaning(scene: &Scene<'_>, ui: &Ui) -> Option<Meaning> {
    let index = scene.main_interface(ui)?;
    scene.state.network.link(index).map(|l| standing(scene, l))
}

/// The pane in one line.
pub fn strip(scene: &Scene<'_>, ui: &Ui) -> Vec<Piece> {
    let Some(link) = scene.main_interface(ui).and_then(|i| scene.state.network.link(i)) else {
        let id = if scene.state.network.listing().is_some() { "nic-none" } else { "nic-waiting" };
        return vec![Piece::new(scene.word(id), scene.theme.dim())];
    };
    let mut pieces = vec![marked(scene, standing(scene, link), &format!("{} {}", link.name, kind_words(scene, link)))];
    if let Some(history) = scene.state.network.history(link.index) {
        if let Some(rates) = history.rates() {
            let text = Message::new("nic-rates").with("rx", rates.rx_bits).with("tx", rates.tx_bits);
            pieces.push(Piece::new(scene.say(&text), scene.theme.text()));
        }
        pieces.push(faults_piece(scene, history));
    }
    pieces
}

/// Errors and drops of the last minutes.
fn faults_piece(scene: &Scene<'_>, history: &LinkHistory) -> Piece {
    let growth = history.growth_since(scene.now().before(WINDOW)).unwrap_or_default();
    let errors = growth.rx_errors + growth.tx_errors;
    let drops = growth.rx_dropped + growth.tx_dropped + growth.rx_missed;
    let text = scene.say(&Message::new("nic-faults").with("errors", errors).with("drops", drops));
    let style = if errors > 0 { scene.theme.meaning(Meaning::Warning) } else { scene.theme.dim() };
    Piece::new(text, style)
}

/// Draws the interface, and where the pane has the screen everything about it.
pub fn draw(scene: &Scene<'_>, ui: &mut Ui, buf: &mut Buffer, area: Rect) {
    let Some(link) = shown(scene, ui) else {
        let id = if scene.state.network.listing().is_some() { "nic-none" } else { "nic-waiting" };
        Ink::new(buf, area, 0, scene.theme.glyphs.ellipsis).put(&scene.word(id), scene.theme.dim());
        return;
    };
    let wide = ui.zoomed && area.height >= 14;
    let graph_rows = if wide { (area.height / 3).clamp(4, 12) } else { 2 };
    draw_rates(scene, link, buf, Rect { height: graph_rows.min(area.height), ..area });
    let mut row = graph_rows;
    for (text, style) in lines(scene, link) {
        if row >= area.height {
            return;
        }
        Ink::new(buf, area, row, scene.theme.glyphs.ellipsis).put(&text, style);
        row += 1;
    }
    if wide {
        draw_tables(
            scene,
            ui,
            link,
            buf,
            Rect { y: area.y + row + 1, height: area.height.saturating_sub(row + 1), ..area },
        );
    } else {
        let others = interfaces(scene, ui).len().saturating_sub(1);
        if others > 0 && row < area.height {
            let text = scene.say(&Message::new("nic-others").with("count", others));
            Ink::new(buf, area, row, scene.theme.glyphs.ellipsis).put(&text, scene.theme.dim());
        }
    }
}

/// Rates as words at the left, mirrored over time at the right.
fn draw_rates(scene: &Scene<'_>, link: &Link, buf: &mut Buffer, area: Rect) {
    let Some(history) = scene.state.network.history(link.index) else { return };
    let rates = history.rates();
    let middle = area.height / 2;
    let words =
        [(0, "rx", Meaning::Good, rates.map(|r| r.rx_bits)), (middle, "tx", Meaning::Focus, rates.map(|r| r.tx_bits))];
    for (row, name, meaning, bits) in words {
        let text = bits.map_or_else(|| scene.theme.glyphs.dash.to_owned(), format::bit_rate);
        Ink::new(buf, area, row, scene.theme.glyphs.ellipsis)
            .put(name, scene.theme.meaning(meaning))
            .put(" ", Style::new())
            .cell_right(&text, 9, scene.theme.text());
    }
    let margin = 14.min(area.width);
    let graph = Rect { x: area.x + margin, width: area.width - margin, ..area };
    // One reading in three, so that the picture moves seldom.
    let over_time = history.rates_over_time();
    let pick = |f: fn(&crate::state::LinkRates) -> f64| over_time.iter().map(|(_, r)| Some(f(r))).collect::<Vec<_>>();
    let (up, down) = chart::mirrored(buf, graph, &pick(|r| r.rx_bits), &pick(|r| r.tx_bits), scene.theme);
    if area.height >= 4 {
        for (row, top) in [(1, up), (middle + 1, down)] {
            let text = scene.say(&Message::new("nic-scale").with("top", top));
            Ink::new(buf, Rect { width: margin.saturating_sub(1), ..area }, row, scene.theme.glyphs.ellipsis)
                .put(&text, scene.theme.dim());
        }
    }
}

/// The lines under the rates: faults, addresses, gateway, what else there is.
fn lines(scene: &Scene<'_>, link: &Link) -> Vec<(String, Style)> {
    let mut lines = Vec::new();
    if let Some(history) = scene.state.network.history(link.index) {
        let piece = faults_piece(scene, history);
        let kind = Message::new("nic-kind").with("kind", &link.kind).with("mtu", link.mtu);
        lines.push((format!("{}  {}", piece.text, scene.say(&kind)), piece.style));
    }
    let Some(listing) = scene.state.network.listing() else { return lines };
    let own = listing.addresses.iter().filter(|a| a.index == link.index && a.scope != Scope::Link);
    let addresses: Vec<_> = own.map(|a| a.prefix.to_string()).collect();
    if addresses.is_empty() {
        lines.push((scene.word("nic-no-address").into_owned(), scene.theme.meaning(Meaning::Warning)));
    } else {
        lines.push((addresses.join("  "), scene.theme.text()));
    }
    for (gateway, _) in scene.state.network.default_gateways().iter().filter(|(_, index)| *index == link.index) {
        let neighbour = scene.state.network.neighbour(link.index, *gateway);
        let line = if let Some(mac) = neighbour.and_then(|n| n.mac.filter(|_| n.state.is_resolved())) {
            let text = Message::new("nic-gateway").with("address", *gateway).with("mac", mac.to_string());
            (scene.say(&text), scene.theme.text())
        } else {
            let text = scene.say(&Message::new("nic-gateway-unresolved").with("address", *gateway));
            (text, scene.theme.meaning(Meaning::Unmeasured))
        };
        lines.push(line);
    }
    let neighbours = listing.neighbours.iter().filter(|n| n.index == link.index).count();
    let failed =
        listing.neighbours.iter().filter(|n| n.index == link.index && n.state == NeighbourState::Failed).count();
    let routes = listing.routes.iter().filter(|r| r.next_hops.iter().any(|h| h.index == link.index)).count();
    let text = Message::new("nic-tables").with("neighbours", neighbours).with("failed", failed).with("routes", routes);
    lines.push((scene.say(&text), scene.theme.dim()));
    lines
}

/// Counters that moved, neighbours, routes, other interfaces: side by side.
fn draw_tables(scene: &Scene<'_>, ui: &Ui, link: &Link, buf: &mut Buffer, area: Rect) {
    let Some(listing) = scene.state.network.listing() else { return };
    let name_of = |index: u32| scene.state.network.link(index).map_or_else(String::new, |l| l.name.to_string());
    let growth = scene.state.network.history(link.index).and_then(|h| h.growth_since(scene.now().before(WINDOW)));
    let counters = counters(&link.counters, &growth.unwrap_or_default());
    let neighbours = listing.neighbours.iter().filter(|n| n.index == link.index).map(|n| {
        let mac = n.mac.map_or_else(|| scene.word("nic-unresolved").into_owned(), |m| m.to_string());
        format!("{} {mac}", n.ip)
    });
    let routes = listing.routes.iter().map(|r| {
        let via = r.next_hops.first().map_or_else(String::new, |h| {
            format!(" {}{}", h.gateway.map_or_else(String::new, |g| format!("via {g} ")), name_of(h.index))
        });
        format!("{}{via}", r.destination)
    });
    let others = interfaces(scene, ui)
        .into_iter()
        .filter_map(|i| scene.state.network.link(i))
        .map(|l| format!("{} {} {}", scene.theme.mark(standing(scene, l)), l.name, kind_words(scene, l)));
    let columns: [(&str, Vec<String>); 4] = [
        ("nic-head-counters", counters),
        ("nic-head-neighbours", neighbours.collect()),
        ("nic-head-routes", routes.collect()),
        ("nic-head-interfaces", others.collect()),
    ];
    let count = if area.width >= 110 { 4 } else { 2 };
    let per_row = 4 / count as u16;
    let (width, height) = (area.width / count as u16, area.height / per_row);
    for (n, (head, lines)) in columns.iter().enumerate() {
        let (x, y) = ((n % count) as u16 * width, (n / count) as u16 * height);
        let place = Rect { x: area.x + x, y: area.y + y, width: width.saturating_sub(2), height };
        Ink::new(buf, place, 0, scene.theme.glyphs.ellipsis).put(&scene.word(head), scene.theme.dim());
        for (row, line) in lines.iter().take(usize::from(height.saturating_sub(1))).enumerate() {
            Ink::new(buf, place, row as u16 + 1, scene.theme.glyphs.ellipsis).put(line, scene.theme.text());
        }
    }
}

/// Every counter that is not zero, by the kernel's name, with its recent growth.
fn counters(now: &LinkCounters, growth: &LinkCounters) -> Vec<String> {
    let table = [
        ("rx_packets", now.rx_packets, growth.rx_packets),
        ("tx_packets", now.tx_packets, growth.tx_packets),
        ("rx_errors", now.rx_errors, growth.rx_errors),
        ("tx_errors", now.tx_errors, growth.tx_errors),
        ("rx_dropped", now.rx_dropped, growth.rx_dropped),
        ("tx_dropped", now.tx_dropped, growth.tx_dropped),
        ("rx_missed", now.rx_missed, growth.rx_missed),
        ("rx_crc_errors", now.rx_crc_errors, growth.rx_crc_errors),
        ("rx_frame_errors", now.rx_frame_errors, growth.rx_frame_errors),
        ("rx_fifo_errors", now.rx_fifo_errors, growth.rx_fifo_errors),
        ("tx_carrier_errors", now.tx_carrier_errors, growth.tx_carrier_errors),
        ("collisions", now.collisions, growth.collisions),
    ];
    let shown = table.into_iter().filter(|(_, total, _)| *total > 0);
    shown.map(|(name, total, grown)| format!("{name} {} +{}", format::count(total), format::count(grown))).collect()
}

/// Everything about the interface shown.
pub fn details(scene: &Scene<'_>, ui: &Ui) -> Option<(String, Vec<(String, String)>)> {
    let link = shown(scene, ui)?;
    let mut out = vec![(String::new(), kind_words(scene, link))];
    if let Some(mac) = link.mac {
        out.push((scene.texts.word("nic-mac").into_owned(), mac.to_string()));
    }
    out.extend(lines(scene, link).into_iter().map(|(text, _)| (String::new(), text)));
    let growth = scene.state.network.history(link.index).and_then(|h| h.growth_since(scene.now().before(WINDOW)));
    out.extend(counters(&link.counters, &growth.unwrap_or_default()).into_iter().map(|c| (String::new(), c)));
    for (at, up) in scene.state.network.history(link.index).into_iter().flat_map(|h| h.changes.iter().rev()) {
        let id = if *up { "event-link-up" } else { "event-link-down" };
        let text = Message::new(id).with("name", &link.name);
        out.push((scene.time(at.mono), scene.say(&text)));
    }
    Some((link.name.to_string(), out))
}
