//! From rtnetlink's messages to our nouns. Pure. Owns which attribute means
//! what; must never talk to the kernel.
//!
//! Messages are read attribute by attribute, so that one that a newer kernel
//! writes otherwise costs that attribute and not the whole link or route.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_packet_core::{NlaBuffer, NlasIterator, Parseable, ParseableParametrized};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressHeader, AddressScope};
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkHeader, LinkLayerType, Stats64};
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourHeader, NeighbourState as Nud,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteHeader, RouteLwEnCapType, RouteProtocol, RouteType, RouteVia,
};
use netlink_packet_route::stats::{StatsAttribute, StatsHeader};

use crate::model::Untrusted;
use crate::model::link::{
    InterfaceAddress, Link, LinkCounters, Neighbour, NeighbourState, NextHop, Route, RouteKind, Scope,
};
use crate::model::units::{Mac, Prefix};

/// Lengths of the fixed parts (struct ifinfomsg, ifaddrmsg, ndmsg, rtmsg, if_stats_msg).
const LINK_HEADER: usize = 16;
const ADDRESS_HEADER: usize = 8;
const NEIGHBOUR_HEADER: usize = 12;
const ROUTE_HEADER: usize = 12;
const STATS_HEADER: usize = 12;

/// Attributes read of a link (IFLA_ADDRESS, IFNAME, MTU, LINK, MASTER, STATS64,
/// CARRIER_CHANGES, LINK_NETNSID), others are passed over unparsed.
const LINK_ATTRIBUTES: [u16; 8] = [1, 3, 4, 5, 10, 23, 35, 37];
const IFLA_LINKINFO: u16 = 18;
const IFLA_INFO_KIND: u16 = 1;

/// Table that holds the host's own addresses; never listed.
const RT_TABLE_LOCAL: u32 = 255;

fn attributes(body: &[u8], header: usize) -> impl Iterator<Item = NlaBuffer<&[u8]>> {
    NlasIterator::new(body.get(header..).unwrap_or_default()).map_while(Result::ok)
}

/// A link, without speed and duplex. None for what is none (a bridge's view of
/// its ports) or is malformed.
pub(super) fn link(body: &[u8]) -> Option<Link> {
    let header = LinkHeader::parse(body.get(..LINK_HEADER)?).ok()?;
    if header.interface_family != AddressFamily::Unspec {
        return None;
    }
    let loopback = header.link_layer_type == LinkLayerType::Loopback;
    let mut link = Link {
        index: header.index,
        name: Untrusted::default(),
        kind: Untrusted::new(if loopback { "loopback" } else { "" }),
        admin_up: header.flags.contains(LinkFlags::Up),
        carrier: header.flags.contains(LinkFlags::LowerUp),
        mtu: 0,
        mac: None,
        speed_mbps: None,
        duplex: None,
        carrier_changes: None,
        master: None,
        lower: None,
        counters: LinkCounters::default(),
    };
    let mut lower_elsewhere = false;
    for nla in attributes(body, LINK_HEADER) {
        if nla.kind() == IFLA_LINKINFO {
            let kind = attributes(nla.value(), 0).find(|n| n.kind() == IFLA_INFO_KIND);
            if let Some(kind) = kind {
                let name = kind.value().split(|b| *b == 0).next().unwrap_or_default();
                link.kind = Untrusted::from_bytes(name);
            }
            continue;
        }
        if !LINK_ATTRIBUTES.contains(&nla.kind()) {
            continue;
        }
        match LinkAttribute::parse_with_param(&nla, AddressFamily::Unspec) {
            Ok(LinkAttribute::IfName(name)) => link.name = Untrusted::new(&name),
            Ok(LinkAttribute::Mtu(mtu)) => link.mtu = mtu,
            Ok(LinkAttribute::Address(bytes)) if !loopback => link.mac = mac(&bytes),
            Ok(LinkAttribute::Link(index)) => link.lower = Some(index),
            Ok(LinkAttribute::LinkNetNsId(_)) => lower_elsewhere = true,
            Ok(LinkAttribute::Controller(index)) => link.master = Some(index),
            Ok(LinkAttribute::CarrierChanges(n)) => link.carrier_changes = Some(n),
            Ok(LinkAttribute::Stats64(stats)) => link.counters = counters(&stats),
            _ => {}
        }
    }
    // An index of another namespace means nothing here; index 0 is "none".
    link.lower = link.lower.filter(|l| !lower_elsewhere && *l != 0 && *l != link.index);
    (link.index != 0 && !link.name.is_empty()).then_some(link)
}

fn mac(bytes: &[u8]) -> Option<Mac> {
    bytes.try_into().ok().map(Mac)
}

fn counters(s: &Stats64) -> LinkCounters {
    LinkCounters {
        rx_bytes: s.rx_bytes,
        tx_bytes: s.tx_bytes,
        rx_packets: s.rx_packets,
        tx_packets: s.tx_packets,
        rx_errors: s.rx_errors,
        tx_errors: s.tx_errors,
        rx_dropped: s.rx_dropped,
        tx_dropped: s.tx_dropped,
        rx_missed: s.rx_missed_errors,
        rx_crc_errors: s.rx_crc_errors,
        rx_frame_errors: s.rx_frame_errors,
        rx_fifo_errors: s.rx_fifo_errors,
        tx_carrier_errors: s.tx_carrier_errors,
        collisions: s.collisions,
    }
}

/// The counters of RTM_NEWSTATS with the interface's index.
pub(super) fn stats(body: &[u8]) -> Option<(u32, LinkCounters)> {
    let header = StatsHeader::parse(body).ok()?;
    attributes(body, STATS_HEADER).find_map(|nla| match StatsAttribute::parse(&nla) {
        Ok(StatsAttribute::Link64(stats)) => Some((header.ifindex, counters(&stats))),
        _ => None,
    })
}

/// An address of an interface.
pub(super) fn address(body: &[u8]) -> Option<InterfaceAddress> {
    let header = AddressHeader::parse(body.get(..ADDRESS_HEADER)?).ok()?;
    let mut flags = AddressFlags::from_bits_retain(u32::from(header.flags.bits()));
    let (mut address, mut local) = (None, None);
    for nla in attributes(body, ADDRESS_HEADER) {
        match AddressAttribute::parse(&nla) {
            Ok(AddressAttribute::Address(ip)) => address = Some(ip),
            Ok(AddressAttribute::Local(ip)) => local = Some(ip),
            Ok(AddressAttribute::Flags(all)) => flags = all,
            _ => {}
        }
    }
    Some(InterfaceAddress {
        index: header.index,
        // On a point-to-point link IFA_ADDRESS is the peer's, IFA_LOCAL ours.
        prefix: Prefix::new(local.or(address)?, header.prefix_len),
        scope: match header.scope {
            AddressScope::Universe => Scope::Global,
            AddressScope::Site => Scope::Site,
            AddressScope::Link => Scope::Link,
            AddressScope::Host | AddressScope::Nowhere => Scope::Host,
            // Scopes in between are an administrator's own, closer than global.
            _ => Scope::Site,
        },
        tentative: flags.contains(AddressFlags::Tentative),
        dad_failed: flags.contains(AddressFlags::Dadfailed),
        deprecated: flags.contains(AddressFlags::Deprecated),
    })
}

/// A neighbour entry. None for multicast, noarp, proxy and bridge entries.
pub(super) fn neighbour(body: &[u8]) -> Option<Neighbour> {
    let header = NeighbourHeader::parse(body.get(..NEIGHBOUR_HEADER)?).ok()?;
    let family = header.family;
    if header.state == Nud::Noarp || header.flags.contains(NeighbourFlags::Proxy) {
        return None;
    }
    let (mut ip, mut address) = (None, None);
    for nla in attributes(body, NEIGHBOUR_HEADER) {
        match NeighbourAttribute::parse_with_param(&nla, family) {
            Ok(NeighbourAttribute::Destination(NeighbourAddress::Inet(v4))) => ip = Some(IpAddr::V4(v4)),
            Ok(NeighbourAttribute::Destination(NeighbourAddress::Inet6(v6))) => ip = Some(IpAddr::V6(v6)),
            Ok(NeighbourAttribute::LinkLayerAddress(bytes)) => address = mac(&bytes),
            _ => {}
        }
    }
    Some(Neighbour {
        index: header.ifindex,
        ip: ip.filter(|ip| !ip.is_multicast())?,
        mac: address,
        state: match header.state {
            Nud::Incomplete => NeighbourState::Incomplete,
            Nud::Reachable => NeighbourState::Reachable,
            Nud::Stale => NeighbourState::Stale,
            Nud::Delay => NeighbourState::Delay,
            Nud::Probe => NeighbourState::Probe,
            Nud::Failed => NeighbourState::Failed,
            Nud::Permanent => NeighbourState::Permanent,
            _ => NeighbourState::Other,
        },
        router: header.flags.contains(NeighbourFlags::Router),
    })
}

/// How much a route matters when not all can be kept; smaller matters more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// Default routes and those that refuse.
    Decisive,
    /// Made by the kernel, an administrator, DHCP or router advertisements.
    Configured,
    /// Learned by a routing daemon.
    Learned,
}

/// A route as the kernel prints it, whatever its table.
pub(super) struct RouteMessage {
    /// The route.
    pub(super) route: Route,
    /// What it is worth.
    pub(super) weight: Weight,
    /// A cache entry and no route.
    pub(super) cloned: bool,
}

impl RouteMessage {
    /// Whether it belongs into the list of routes.
    pub(super) fn is_listed(&self) -> bool {
        !self.cloned && self.route.table != RT_TABLE_LOCAL
    }
}

/// A route of RTM_NEWROUTE.
pub(super) fn route(body: &[u8]) -> Option<RouteMessage> {
    let header = RouteHeader::parse(body).ok()?;
    let family = header.address_family;
    let any = match family {
        AddressFamily::Inet => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        AddressFamily::Inet6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        _ => return None,
    };
    let kind = kind(header.kind);
    let mut route = Route {
        destination: Prefix::new(any, header.destination_prefix_length),
        table: u32::from(header.table),
        metric: 0,
        kind,
        next_hops: Vec::new(),
        source: None,
    };
    let mut single = NextHop { gateway: None, index: 0 };
    for nla in attributes(body, ROUTE_HEADER) {
        match RouteAttribute::parse_with_param(&nla, (family, header.kind, RouteLwEnCapType::None)) {
            Ok(RouteAttribute::Destination(to)) => {
                if let Some(ip) = ip(&to) {
                    route.destination = Prefix::new(ip, header.destination_prefix_length);
                }
            }
            Ok(RouteAttribute::Table(table)) => route.table = table,
            Ok(RouteAttribute::Priority(metric)) => route.metric = metric,
            Ok(RouteAttribute::PrefSource(source)) => route.source = ip(&source),
            Ok(RouteAttribute::MultiPath(hops)) => {
                route.next_hops.extend(hops.iter().map(|hop| {
                    let mut next = NextHop { gateway: None, index: hop.interface_index };
                    hop.attributes.iter().for_each(|a| gateway(a, &mut next));
                    next
                }));
            }
            Ok(other) => gateway(&other, &mut single),
            Err(_) => {}
        }
    }
    if route.next_hops.is_empty() && (single.index != 0 || single.gateway.is_some()) && !refuses(kind) {
        route.next_hops.push(single);
    }
    let weight = if route.destination.len == 0 || refuses(kind) {
        Weight::Decisive
    } else {
        match header.protocol {
            RouteProtocol::Unspec
            | RouteProtocol::IcmpRedirect
            | RouteProtocol::Kernel
            | RouteProtocol::Boot
            | RouteProtocol::Static
            | RouteProtocol::Ra
            | RouteProtocol::Dhcp => Weight::Configured,
            _ => Weight::Learned,
        }
    };
    Some(RouteMessage { route, weight, cloned: header.flags.contains(RouteFlags::Cloned) })
}

fn gateway(attribute: &RouteAttribute, next: &mut NextHop) {
    match attribute {
        RouteAttribute::Gateway(address) => next.gateway = ip(address),
        RouteAttribute::Via(RouteVia::Inet(v4)) => next.gateway = Some((*v4).into()),
        RouteAttribute::Via(RouteVia::Inet6(v6)) => next.gateway = Some((*v6).into()),
        RouteAttribute::Oif(index) => next.index = *index,
        _ => {}
    }
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(v4) => Some((*v4).into()),
        RouteAddress::Inet6(v6) => Some((*v6).into()),
        _ => None,
    }
}

/// Whether a route of that kind turns packets down.
pub(super) fn refuses(kind: RouteKind) -> bool {
    matches!(kind, RouteKind::Blackhole | RouteKind::Unreachable | RouteKind::Prohibit)
}

fn kind(kind: RouteType) -> RouteKind {
    match kind {
        RouteType::Unicast => RouteKind::Unicast,
        // An anycast address of ours is answered here.
        RouteType::Local | RouteType::Anycast => RouteKind::Local,
        RouteType::Broadcast => RouteKind::Broadcast,
        RouteType::Multicast => RouteKind::Multicast,
        RouteType::BlackHole => RouteKind::Blackhole,
        RouteType::Unreachable => RouteKind::Unreachable,
        RouteType::Prohibit => RouteKind::Prohibit,
        RouteType::Throw => RouteKind::Throw,
        _ => RouteKind::Other,
    }
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
mod tests;
