//! This host's network over time: rates from counters, carrier changes, and which
//! interface would carry a packet.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use crate::model::link::{Link, LinkCounters, LookupResult, Neighbour, Network, NextHop, RouteLookup, Scope};
use crate::model::{At, Mono};

/// Readings kept for a link's graphs and error rates.
const KEPT_READINGS: usize = 90;
/// How far back present rates look.
const RATES_OVER: Duration = Duration::from_millis(4_200);
/// Carrier changes kept for a link.
const KEPT_CHANGES: usize = 16;

/// Links, addresses, neighbours and routes, with what changed lately.
#[derive(Debug, Clone, Default)]
pub struct NetworkState {
    /// The newest listing, and when it was made.
    pub now: Option<(At, Network)>,
    /// The newest route lookups, and when they were made.
    lookups: HashMap<IpAddr, LookupResult>,
    /// When the lookups were made.
    pub lookups_at: Option<At>,
    /// The last way out that worked for an address, from before it was lost.
    remembered: HashMap<IpAddr, NextHop>,
    histories: BTreeMap<u32, LinkHistory>,
    /// Since when a neighbour has been without a link-layer address.
    unresolved: HashMap<(u32, IpAddr), Mono>,
    /// When a neighbour that had been without one got its link-layer address.
    resolved: HashMap<(u32, IpAddr), Mono>,
}

/// A link's counters and changes over time.
#[derive(Debug, Clone, Default)]
pub struct LinkHistory {
    readings: VecDeque<(Mono, LinkCounters)>,
    /// When the carrier or the administrative state changed, oldest first.
    pub changes: VecDeque<(At, bool)>,
    last: Option<(bool, Option<u32>)>,
}

/// Bits, packets and faults a second.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct LinkRates {
    pub rx_bits: f64,
    pub tx_bits: f64,
    pub rx_packets: f64,
    pub tx_packets: f64,
}

impl LinkHistory {
    /// Counters over time, oldest first.
    pub fn readings(&self) -> impl DoubleEndedIterator<Item = &(Mono, LinkCounters)> {
        self.readings.iter()
    }

    /// Rates over the newest readings: over a few seconds, because a change
    /// elsewhere in the tables repeats counters that were not read anew.
    pub fn rates(&self) -> Option<LinkRates> {
        let newest = self.readings.back()?;
        let from = newest.0.before(RATES_OVER);
        let mut earlier = self.readings.iter().rev().skip(1);
        let first = earlier.next()?;
        let oldest = earlier.take_while(|(at, _)| *at >= from).last().unwrap_or(first);
        Some(rates(*oldest, *newest))
    }

    /// Rates between each reading and the next, oldest first.
    pub fn rates_over_time(&self) -> Vec<(Mono, LinkRates)> {
        self.readings.iter().zip(self.readings.iter().skip(1)).map(|(a, b)| (b.0, rates(*a, *b))).collect()
    }

    /// How much each counter grew since the oldest reading at `from` or later.
    pub fn growth_since(&self, from: Mono) -> Option<LinkCounters> {
        let (_, newest) = self.readings.back()?;
        let (_, oldest) = self.readings.iter().find(|(at, _)| *at >= from)?;
        Some(difference(oldest, newest))
    }

    fn take(&mut self, at: At, link: &Link) {
        let up = link.admin_up && link.carrier;
        if let Some((was_up, was_changes)) = self.last {
            // The kernel's own count tells of flaps between two readings.
            let counted = match (was_changes, link.carrier_changes) {
                (Some(a), Some(b)) => b.saturating_sub(a),
                _ => 0,
            };
            let missed = if was_up == up { counted } else { counted.max(1) };
            for _ in 0..missed.min(KEPT_CHANGES as u32) {
                if self.changes.len() == KEPT_CHANGES {
                    self.changes.pop_front();
                }
                self.changes.push_back((at, up));
            }
        }
        self.last = Some((up, link.carrier_changes));
        let spaced = self.readings.back().is_none_or(|(last, _)| at.mono.since(*last) >= Duration::from_millis(500));
        if spaced {
            if self.readings.len() == KEPT_READINGS {
                self.readings.pop_front();
            }
            self.readings.push_back((at.mono, link.counters));
        }
    }
}

fn rates(a: (Mono, LinkCounters), b: (Mono, LinkCounters)) -> LinkRates {
    let seconds = b.0.since(a.0).as_secs_f64().max(0.001);
    let d = difference(&a.1, &b.1);
    let per = |n: u64| n as f64 / seconds;
    LinkRates {
        rx_bits: per(d.rx_bytes) * 8.0,
        tx_bits: per(d.tx_bytes) * 8.0,
        rx_packets: per(d.rx_packets),
        tx_packets: per(d.tx_packets),
    }
}

/// Growth of every counter; a counter that was reset has not grown.
fn difference(a: &LinkCounters, b: &LinkCounters) -> LinkCounters {
    let d = |a: u64, b: u64| b.saturating_sub(a);
    LinkCounters {
        rx_bytes: d(a.rx_bytes, b.rx_bytes),
        tx_bytes: d(a.tx_bytes, b.tx_bytes),
        rx_packets: d(a.rx_packets, b.rx_packets),
        tx_packets: d(a.tx_packets, b.tx_packets),
        rx_errors: d(a.rx_errors, b.rx_errors),
        tx_errors: d(a.tx_errors, b.tx_errors),
        rx_dropped: d(a.rx_dropped, b.rx_dropped),
        tx_dropped: d(a.tx_dropped, b.tx_dropped),
        rx_missed: d(a.rx_missed, b.rx_missed),
        rx_crc_errors: d(a.rx_crc_errors, b.rx_crc_errors),
        rx_frame_errors: d(a.rx_frame_errors, b.rx_frame_errors),
        rx_fifo_errors: d(a.rx_fifo_errors, b.rx_fifo_errors),
        tx_carrier_errors: d(a.tx_carrier_errors, b.tx_carrier_errors),
        collisions: d(a.collisions, b.collisions),
    }
}

impl NetworkState {
    /// Takes in a listing; true where it differs in more than counters and
    /// neighbours.
    pub(super) fn take_network(&mut self, at: At, network: &Network) -> bool {
        let differs = self.listing().is_none_or(|old| structure_differs(old, network));
        for link in &network.links {
            self.histories.entry(link.index).or_default().take(at, link);
        }
        self.histories.retain(|index, _| network.links.iter().any(|l| l.index == *index));
        let unresolved: Vec<_> = network
            .neighbours
            .iter()
            .filter(|n| n.mac.is_none() || !n.state.is_resolved())
            .map(|n| (n.index, n.ip))
            .collect();
        let listed = |(index, ip): &(u32, IpAddr)| network.neighbours.iter().any(|n| n.index == *index && n.ip == *ip);
        self.resolved.retain(|key, _| listed(key));
        for key in self.unresolved.keys().filter(|key| !unresolved.contains(key) && listed(key)) {
            self.resolved.insert(*key, at.mono);
        }
        self.unresolved.retain(|key, _| unresolved.contains(key));
        for key in unresolved {
            self.unresolved.entry(key).or_insert(at.mono);
        }
        self.now = Some((at, network.clone()));
        differs
    }

    /// Takes in route lookups; true where one changed.
    pub(super) fn take_lookups(&mut self, at: At, lookups: &[RouteLookup]) -> bool {
        let before = std::mem::take(&mut self.lookups);
        self.lookups = lookups.iter().map(|l| (l.to, l.result.clone())).collect();
        self.lookups_at = Some(at);
        self.remembered.retain(|ip, _| lookups.iter().any(|l| l.to == *ip));
        for l in lookups {
            if let LookupResult::Via { next_hop, local: false, .. } = l.result {
                self.remembered.insert(l.to, next_hop);
            }
        }
        before != self.lookups
    }

    /// The newest listing.
    pub fn listing(&self) -> Option<&Network> {
        self.now.as_ref().map(|(_, n)| n)
    }

    /// Links by index; none before the first listing.
    pub fn links(&self) -> &[Link] {
        self.listing().map_or(&[], |n| &n.links)
    }

    /// The link with that index.
    pub fn link(&self, index: u32) -> Option<&Link> {
        self.links().iter().find(|l| l.index == index)
    }

    /// What a link did over time.
    pub fn history(&self, index: u32) -> Option<&LinkHistory> {
        self.histories.get(&index)
    }

    /// What the kernel says about a watched address.
    pub fn lookup(&self, to: IpAddr) -> Option<&LookupResult> {
        self.lookups.get(&to)
    }

    /// The neighbour entry of an address on a link (any link where `index` is 0).
    pub fn neighbour(&self, index: u32, ip: IpAddr) -> Option<&Neighbour> {
        self.listing()?.neighbours.iter().find(|n| n.ip == ip && (index == 0 || n.index == index))
    }

    /// Since when a neighbour's entry has been without a usable link-layer address.
    pub fn unresolved_since(&self, index: u32, ip: IpAddr) -> Option<Mono> {
        self.unresolved.get(&(index, ip)).copied()
    }

    /// Since when the link has been up and the neighbour on it resolved, as far as
    /// either was seen to change.
    pub fn carried_since(&self, index: u32, neighbour: Option<IpAddr>) -> Mono {
        let up = self.history(index).and_then(|h| h.changes.back()).filter(|(_, up)| *up).map(|(at, _)| at.mono);
        let resolved = neighbour.and_then(|ip| self.resolved.get(&(index, ip)).copied());
        up.max(resolved).unwrap_or_default()
    }

    /// Whether an address lies in a prefix of one of this host's interfaces, and of
    /// which one.
    pub fn on_link(&self, ip: IpAddr) -> Option<u32> {
        let addresses = &self.listing()?.addresses;
        let holds = |a: &&crate::model::link::InterfaceAddress| {
            let full = if ip.is_ipv4() { 32 } else { 128 };
            a.prefix.len < full && a.prefix.contains(ip)
        };
        addresses.iter().filter(holds).max_by_key(|a| a.prefix.len).map(|a| a.index)
    }

    /// Whether the address is this host's own.
    pub fn is_own(&self, ip: IpAddr) -> bool {
        ip.is_loopback() || self.listing().is_some_and(|n| n.addresses.iter().any(|a| a.prefix.ip == ip))
    }

    /// Whether this host has a global address of the family on any interface but
    /// loopback.
    pub fn has_global(&self, v4: bool) -> bool {
        self.listing().is_some_and(|n| n.addresses.iter().any(|a| a.prefix.ip.is_ipv4() == v4 && self.is_global(a)))
    }

    fn is_global(&self, a: &crate::model::link::InterfaceAddress) -> bool {
        let usable = !a.tentative && !a.dad_failed;
        let reach = matches!(a.scope, Scope::Global | Scope::Site) && !a.prefix.ip.is_loopback();
        usable && reach && self.link(a.index).is_none_or(|l| !l.is_loopback())
    }

    /// Whether the interface has a usable address beyond link-local, of any family.
    pub fn interface_has_global(&self, index: u32) -> bool {
        let link_local_v4 = |ip: IpAddr| matches!(ip, IpAddr::V4(v4) if v4.is_link_local());
        self.listing().is_some_and(|n| {
            n.addresses.iter().any(|a| a.index == index && self.is_global(a) && !link_local_v4(a.prefix.ip))
        })
    }

    /// The interface that carries packets to `to` by the contract's rule: the
    /// route's; else the one whose prefix holds it; else the only one with a global
    /// address; else the only one that is not loopback.
    pub fn carrying_interface(&self, to: Option<IpAddr>) -> Option<u32> {
        let routed = to.and_then(|ip| match self.lookup(ip) {
            Some(LookupResult::Via { next_hop, .. }) => Some(next_hop.index),
            _ => None,
        });
        let remembered =
            || to.and_then(|ip| self.remembered.get(&ip)).map(|n| n.index).filter(|i| self.link(*i).is_some());
        let holding = || to.and_then(|ip| self.on_link(ip));
        let only = |wanted: &dyn Fn(&Link) -> bool| {
            let mut fitting = self.links().iter().filter(|l| !l.is_loopback() && wanted(l));
            match (fitting.next(), fitting.next()) {
                (Some(l), None) => Some(l.index),
                _ => None,
            }
        };
        routed
            .or_else(remembered)
            .or_else(holding)
            .or_else(|| only(&|l| self.interface_has_global(l.index)))
            .or_else(|| only(&|l| l.master.is_none() && !is_placeholder(l)))
    }

    /// The gateway on the way to `to`, with its interface; none where it is on-link
    /// or has no route.
    pub fn gateway_of(&self, to: IpAddr) -> Option<(IpAddr, u32)> {
        match self.lookup(to)? {
            LookupResult::Via { next_hop: NextHop { gateway: Some(g), index }, .. } => Some((*g, *index)),
            _ => None,
        }
    }

    /// Every default gateway with its interface, best metric first.
    pub fn default_gateways(&self) -> Vec<(IpAddr, u32)> {
        let Some(listing) = self.listing() else { return Vec::new() };
        let mut routes: Vec<_> = listing.routes.iter().filter(|r| r.is_default()).collect();
        routes.sort_by_key(|r| (r.destination.ip.is_ipv6(), r.table != 254, r.metric));
        let mut seen = Vec::new();
        for hop in routes.iter().flat_map(|r| &r.next_hops) {
            if let Some(g) = hop.gateway
                && !seen.contains(&(g, hop.index))
            {
                seen.push((g, hop.index));
            }
        }
        seen
    }

    /// Whether there is a default route of the family, gateway or not.
    pub fn has_default(&self, v4: bool) -> bool {
        self.listing().is_some_and(|n| n.routes.iter().any(|r| r.is_default() && r.destination.ip.is_ipv4() == v4))
    }
}

fn structure_differs(a: &Network, b: &Network) -> bool {
    let link = |l: &Link| (l.index, l.admin_up, l.carrier, l.name.clone());
    a.addresses != b.addresses || a.routes != b.routes || !a.links.iter().map(link).eq(b.links.iter().map(link))
}

/// Devices the kernel makes by itself when a module is loaded; nobody's NIC.
fn is_placeholder(link: &Link) -> bool {
    matches!(
        link.name.as_str(),
        "sit0" | "tunl0" | "gre0" | "gretap0" | "erspan0" | "ip6tnl0" | "ip6gre0" | "ip_vti0" | "ip6_vti0"
    ) || link.kind.as_str() == "dummy"
}
