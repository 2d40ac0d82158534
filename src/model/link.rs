//! This host's network as the kernel lists it: links, addresses, neighbours,
//! routes and the route lookups of watched addresses. Owns no history.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::units::{Mac, Prefix};
use super::untrusted::Untrusted;

/// Everything rtnetlink tells, complete each time. Bounded by [`MAX_ENTRIES`] a list.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Network {
    /// Interfaces by index.
    pub links: Vec<Link>,
    /// Addresses of all interfaces.
    pub addresses: Vec<InterfaceAddress>,
    /// Neighbour tables (ARP and ND) without multicast and noarp entries.
    pub neighbours: Vec<Neighbour>,
    /// Routes of all tables but local.
    pub routes: Vec<Route>,
    /// How many entries were left out because a list was full.
    pub left_out: u32,
}

/// Longest list kept in a [`Network`].
pub const MAX_ENTRIES: usize = 4096;

/// One interface.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// Kernel index.
    pub index: u32,
    /// Interface name.
    pub name: Untrusted,
    /// Kind as rtnetlink names it (`veth`, `bridge`, `bond`, `vlan`, `wireguard`,
    /// `tun`, ...); empty for physical devices, `loopback` for lo.
    pub kind: Untrusted,
    /// Administratively up (IFF_UP).
    pub admin_up: bool,
    /// Carrier (IFF_LOWER_UP), meaningful while up.
    pub carrier: bool,
    /// Bytes.
    pub mtu: u32,
    /// Link-layer address, where it has one of six bytes.
    pub mac: Option<Mac>,
    /// Mb/s, where the driver says (ethtool or sysfs).
    pub speed_mbps: Option<u32>,
    /// Duplex, where the driver says.
    pub duplex: Option<Duplex>,
    /// Carrier changes since the link exists.
    pub carrier_changes: Option<u32>,
    /// Index of the bridge, bond or VRF it belongs to.
    pub master: Option<u32>,
    /// Index of the link underneath (VLAN) or the other end (veth).
    pub lower: Option<u32>,
    /// Counters at this moment.
    pub counters: LinkCounters,
}

impl Link {
    /// Whether this is loopback.
    pub fn is_loopback(&self) -> bool {
        self.kind.as_str() == "loopback"
    }
}

/// Duplex mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Duplex {
    Half,
    Full,
}

/// Interface counters since boot (struct rtnl_link_stats64).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the kernel's")]
pub struct LinkCounters {
    pub rx_bytes: u64,
    pub tx_bytes: u64,
    pub rx_packets: u64,
    pub tx_packets: u64,
    pub rx_errors: u64,
    pub tx_errors: u64,
    pub rx_dropped: u64,
    pub tx_dropped: u64,
    pub rx_missed: u64,
    pub rx_crc_errors: u64,
    pub rx_frame_errors: u64,
    pub rx_fifo_errors: u64,
    pub tx_carrier_errors: u64,
    pub collisions: u64,
}

/// One address of an interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceAddress {
    /// Interface.
    pub index: u32,
    /// Address and prefix length.
    pub prefix: Prefix,
    /// Where it is meaningful.
    pub scope: Scope,
    /// Duplicate address detection under way.
    pub tentative: bool,
    /// Duplicate address detection found another owner.
    pub dad_failed: bool,
    /// No longer preferred for new connections.
    pub deprecated: bool,
}

/// Reach of an address (rtnetlink scope).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the kernel's")]
pub enum Scope {
    Host,
    Link,
    Site,
    Global,
}

/// One neighbour entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbour {
    /// Interface.
    pub index: u32,
    /// Whose.
    pub ip: IpAddr,
    /// Link-layer address where known.
    pub mac: Option<Mac>,
    /// State of the entry.
    pub state: NeighbourState,
    /// Marked as a router by ND.
    pub router: bool,
}

/// Neighbour unreachability detection states (RFC 4861 7.3.2, Linux NUD_*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's")]
pub enum NeighbourState {
    Incomplete,
    Reachable,
    Stale,
    Delay,
    Probe,
    Failed,
    Permanent,
    Other,
}

impl NeighbourState {
    /// Whether the kernel has a link-layer address it would use now.
    pub fn is_resolved(self) -> bool {
        !matches!(self, Self::Incomplete | Self::Failed | Self::Other)
    }
}

/// One route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Destination; length 0 is a default route.
    pub destination: Prefix,
    /// Table number; 254 is main.
    pub table: u32,
    /// Metric; smaller wins.
    pub metric: u32,
    /// What it does with packets.
    pub kind: RouteKind,
    /// Ways out; none for blackhole and the like.
    pub next_hops: Vec<NextHop>,
    /// Preferred source address.
    pub source: Option<IpAddr>,
}

impl Route {
    /// Whether this is a default route that carries packets.
    pub fn is_default(&self) -> bool {
        self.destination.len == 0 && self.kind == RouteKind::Unicast
    }
}

/// Where a route leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NextHop {
    /// Gateway; none means on-link.
    pub gateway: Option<IpAddr>,
    /// Interface index.
    pub index: u32,
}

/// What a route does with packets (rtnetlink RTN_*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the kernel's")]
pub enum RouteKind {
    Unicast,
    Local,
    Broadcast,
    Multicast,
    Blackhole,
    Unreachable,
    Prohibit,
    Throw,
    Other,
}

/// What the kernel would do with a packet to a watched address now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteLookup {
    /// The watched address.
    pub to: IpAddr,
    /// The kernel's answer.
    #[serde(flatten)]
    pub result: LookupResult,
}

/// The kernel's answer to a route lookup (RTM_GETROUTE).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum LookupResult {
    /// It would be sent this way.
    Via {
        /// Way out.
        next_hop: NextHop,
        /// Source address chosen.
        source: Option<IpAddr>,
        /// The route that matched, where the kernel told (RTM_F_FIB_MATCH).
        matched: Option<Prefix>,
        /// The address is this host's own.
        local: bool,
    },
    /// A route says no.
    Refused {
        /// Blackhole, Unreachable or Prohibit.
        kind: RouteKind,
        /// The route that says so, where it is known.
        matched: Option<Prefix>,
    },
    /// No route matches.
    NoRoute,
}
