//! Rules of the host's own links, addresses and routes: what the kernel's tables
//! say is certain at once.

use std::net::IpAddr;

use super::catalogue::{ADDR_MISSING, LINK_DOWN, LINK_NO_CARRIER, ROUTE_DEFAULT_MISSING, ROUTE_UNREACHABLE};
use super::draft::{Draft, join};
use super::scene::{Scene, Subject};
use crate::model::Message;
use crate::model::link::{InterfaceAddress, LookupResult, RouteKind, Scope};
use crate::model::units::Prefix;

/// Link down, no carrier, no address: on the interface that carries what is
/// watched. Must stay quiet about a NIC that carries nothing. Recovers as soon as
/// the kernel says so.
pub fn links(scene: &Scene<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for subject in scene.depended().filter(|s| !s.own && !is_loopback(s.address)) {
        if let Some(index) = scene.state.network.carrying_interface(subject.address) {
            judge_interface(scene, index, Some(subject), &mut drafts);
        }
    }
    if !scene.has_targets
        && let Some(index) = scene.state.network.carrying_interface(None)
    {
        judge_interface(scene, index, None, &mut drafts);
    }
    drafts.into_iter().map(|d| d.severity_by_use(scene)).collect()
}

fn is_loopback(ip: Option<IpAddr>) -> bool {
    ip.is_some_and(|ip| ip.is_loopback())
}

fn judge_interface(scene: &Scene<'_>, index: u32, subject: Option<&Subject<'_>>, drafts: &mut Vec<Draft>) {
    let network = &scene.state.network;
    let Some(link) = network.link(index).filter(|l| !l.is_loopback()) else { return };
    let name = link.name.as_str();
    let code = if !link.admin_up {
        LINK_DOWN
    } else if !link.carrier {
        LINK_NO_CARRIER
    } else if !network.interface_has_global(index) {
        // A bridge's or bond's port needs no address of its own.
        if link.master.is_some() || being_tried(scene, index) {
            return;
        }
        ADDR_MISSING
    } else {
        return;
    };
    if let Some(draft) = drafts.iter_mut().find(|d| d.code == code && d.subject == name) {
        if let Some(subject) = subject {
            draft.add(subject);
        }
        return;
    }
    let (observed, expected) = match code.name {
        "link.down" => (Message::new("seen-link-down"), Message::new("want-link-up")),
        "link.no_carrier" => (Message::new("seen-no-carrier"), Message::new("want-carrier")),
        _ => (Message::new("seen-no-address"), Message::new("want-address")),
    };
    let since = network.history(index).and_then(|h| h.changes.back()).filter(|(_, up)| !up).map(|(at, _)| at.mono);
    let mut draft = Draft::new(code, name).since(since).evidence("link", observed, expected, scene.at);
    if let Some(subject) = subject {
        draft.add(subject);
    }
    drafts.push(draft);
}

/// Whether duplicate address detection still runs for an address of the interface:
/// it will have one in a second or two.
fn being_tried(scene: &Scene<'_>, index: u32) -> bool {
    let tried = |a: &InterfaceAddress| a.index == index && a.tentative && !a.dad_failed && a.scope == Scope::Global;
    scene.state.network.listing().is_some_and(|n| n.addresses.iter().any(tried))
}

/// No default route for a family that something off-link needs. Must stay quiet
/// about a family that nobody uses.
pub fn default_routes(scene: &Scene<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let missing = |v4: bool| if v4 { "default IPv4" } else { "default IPv6" };
    let make = |v4: bool| {
        let family = if v4 { "IPv4" } else { "IPv6" };
        Draft::new(ROUTE_DEFAULT_MISSING, missing(v4)).arg("family", family).evidence(
            "route",
            Message::new("seen-no-default").with("family", family),
            Message::new("want-default"),
            scene.at,
        )
    };
    for subject in scene.depended().filter(|s| !s.own && !s.on_link) {
        let Some(ip) = subject.address.filter(|ip| leaves_the_link(*ip)) else { continue };
        if scene.state.network.lookup(ip) == Some(&LookupResult::NoRoute)
            && !scene.state.network.has_default(ip.is_ipv4())
        {
            join(&mut drafts, subject, missing(ip.is_ipv4()), || make(ip.is_ipv4()));
        }
    }
    if drafts.is_empty() && !scene.has_targets {
        drafts.extend(nowhere_to_go(scene).map(make));
    }
    drafts.into_iter().map(|d| d.severity_by_use(scene)).collect()
}

/// A default route would not help what never goes beyond a link.
fn leaves_the_link(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(a) => !a.is_link_local() && !a.is_multicast() && !a.is_broadcast() && !a.is_unspecified(),
        IpAddr::V6(a) => !a.is_unicast_link_local() && !a.is_multicast() && !a.is_unspecified(),
    }
}

/// Without targets: the family this host has addresses for, where no family has a
/// default route at all.
fn nowhere_to_go(scene: &Scene<'_>) -> Option<bool> {
    let network = &scene.state.network;
    network.listing()?;
    if network.has_default(true) || network.has_default(false) {
        return None;
    }
    // A route that refuses everything is the other finding.
    [true, false].into_iter().find(|v4| network.has_global(*v4))
}

/// The route lookup itself says blackhole, unreachable or prohibit.
pub fn refusing_routes(scene: &Scene<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for subject in scene.depended() {
        let Some(ip) = subject.address else { continue };
        let Some(LookupResult::Refused { kind, matched }) = scene.state.network.lookup(ip) else { continue };
        let text = matched.map_or_else(|| ip.to_string(), prefix_text);
        let word = route_word(*kind);
        join(&mut drafts, subject, &text, || {
            Draft::new(ROUTE_UNREACHABLE, text.clone()).arg("route", word).evidence(
                "route",
                Message::new("seen-route-refuses").with("route", word).with("prefix", text.clone()),
                Message::new("want-route"),
                scene.at,
            )
        });
    }
    drafts.into_iter().map(|d| d.severity_by_use(scene)).collect()
}

fn prefix_text(prefix: Prefix) -> String {
    prefix.to_string()
}

fn route_word(kind: RouteKind) -> &'static str {
    match kind {
        RouteKind::Blackhole => "blackhole",
        RouteKind::Prohibit => "prohibit",
        _ => "unreachable",
    }
}
