//! The kernel's tables, dumped: the one module that speaks rtnetlink's requests.
//!
//! Owns the requests, the bounds and what survives them. Must never wait for a
//! notification or write a record.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::io;
use std::net::IpAddr;

use nix::sys::socket::SockProtocol;

use super::mapping::{self, Weight};
use crate::model::link::{Duplex, InterfaceAddress, Link, MAX_ENTRIES, Neighbour, NeighbourState, Network, Route};
use crate::probes::netlink::Netlink;
use crate::probes::sys::ethtool::Ethtool;

const RTM_GETLINK: u16 = 18;
const RTM_GETADDR: u16 = 22;
const RTM_GETROUTE: u16 = 26;
const RTM_GETNEIGH: u16 = 30;
const RTM_GETSTATS: u16 = 94;
/// IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64).
const STATS_LINK_64: u32 = 1;

/// What the kernel holds now, and the sockets to ask it again.
#[derive(Debug)]
pub(super) struct Tables {
    /// For any request.
    pub(super) netlink: Netlink,
    ethtool: Option<Ethtool>,
    /// RTM_GETSTATS is there (Linux 4.7).
    has_stats: bool,
    links: Bounded<Link>,
    addresses: Bounded<InterfaceAddress>,
    neighbours: Bounded<Neighbour>,
    routes: Bounded<Route>,
}

/// A list and how many found no place in it.
#[derive(Debug)]
struct Bounded<T> {
    entries: Vec<T>,
    left_out: u32,
}

impl<T> Default for Bounded<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), left_out: 0 }
    }
}

impl<T> Bounded<T> {
    fn push(&mut self, entry: T) {
        if self.entries.len() < MAX_ENTRIES {
            self.entries.push(entry);
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    fn extend(&mut self, entries: impl IntoIterator<Item = T>) {
        for entry in entries {
            self.push(entry);
        }
    }

    /// Lists in the order of their worth, cut to one list's length.
    fn join<const N: usize>(lists: [Self; N]) -> Self {
        let mut all = Self::default();
        for list in lists {
            all.left_out = all.left_out.saturating_add(list.left_out);
            all.extend(list.entries);
        }
        all
    }
}

impl Tables {
    /// Opens the sockets; nothing is read yet.
    ///
    /// # Errors
    /// No netlink socket (a sandbox without AF_NETLINK, or no descriptors left).
    pub(super) fn open() -> io::Result<Self> {
        Ok(Self {
            netlink: Netlink::open(SockProtocol::NetlinkRoute)?,
            ethtool: Ethtool::open().ok(),
            has_stats: true,
            links: Bounded::default(),
            addresses: Bounded::default(),
            neighbours: Bounded::default(),
            routes: Bounded::default(),
        })
    }

    /// Everything read so far.
    pub(super) fn network(&self) -> Network {
        let left_out = [self.links.left_out, self.addresses.left_out, self.neighbours.left_out, self.routes.left_out];
        Network {
            links: self.links.entries.clone(),
            addresses: self.addresses.entries.clone(),
            neighbours: self.neighbours.entries.clone(),
            routes: self.routes.entries.clone(),
            left_out: left_out.iter().fold(0, |sum, n| sum.saturating_add(*n)),
        }
    }

    /// Routes read so far.
    pub(super) fn routes(&self) -> &[Route] {
        &self.routes.entries
    }

    /// Whether an address is one of this host's, and usable.
    pub(super) fn is_ours(&self, ip: IpAddr) -> bool {
        self.addresses.entries.iter().any(|a| a.prefix.ip == ip && !a.dad_failed)
    }

    /// Index of the link of that name.
    pub(super) fn index(&self, name: &str) -> Option<u32> {
        self.links.entries.iter().find(|l| l.name.as_str() == name).map(|l| l.index)
    }

    /// Reads the links with their counters, speed and duplex.
    pub(super) fn read_links(&mut self) -> io::Result<()> {
        let mut links = self.dump(RTM_GETLINK, &[0; 16], |body, links: &mut Bounded<Link>| {
            links.extend(mapping::link(body));
        })?;
        links.entries.sort_by_key(|l| l.index);
        for link in links.entries.iter_mut().filter(|l| l.admin_up && !l.is_loopback()) {
            let settings = self.ethtool.as_ref().map(|e| e.settings(link.name.as_str())).unwrap_or_default();
            link.speed_mbps = settings.speed;
            link.duplex = settings.full_duplex.map(|full| if full { Duplex::Full } else { Duplex::Half });
        }
        self.links = links;
        Ok(())
    }

    /// Reads the links' counters alone.
    pub(super) fn read_counters(&mut self) -> io::Result<()> {
        if self.has_stats {
            let mut request = [0; 12];
            request[8..].copy_from_slice(&STATS_LINK_64.to_ne_bytes());
            let mut read = HashMap::new();
            let answer = self.netlink.dump(RTM_GETSTATS, &request, |_, body| read.extend(mapping::stats(body)));
            if answer.is_ok() {
                for link in &mut self.links.entries {
                    if let Some(counters) = read.get(&link.index) {
                        link.counters = *counters;
                    }
                }
                return Ok(());
            }
            self.has_stats = false;
        }
        self.read_links()
    }

    /// Reads the addresses.
    pub(super) fn read_addresses(&mut self) -> io::Result<()> {
        self.addresses = self.dump(RTM_GETADDR, &[0; 8], |body, list: &mut Bounded<_>| {
            list.extend(mapping::address(body));
        })?;
        Ok(())
    }

    /// Reads the neighbours. Next hops of routes, routers and those that do not
    /// resolve are kept first.
    pub(super) fn read_neighbours(&mut self) -> io::Result<()> {
        let hops = self.routes.entries.iter().flat_map(|r| &r.next_hops);
        let gateways: HashSet<IpAddr> = hops.filter_map(|h| h.gateway).collect();
        let [first, then] = self.dump(RTM_GETNEIGH, &[0; 12], |body, lists: &mut [Bounded<Neighbour>; 2]| {
            if let Some(n) = mapping::neighbour(body) {
                let matters = n.router
                    || gateways.contains(&n.ip)
                    || matches!(n.state, NeighbourState::Incomplete | NeighbourState::Failed);
                lists[usize::from(!matters)].push(n);
            }
        })?;
        let mut all = Bounded::join([first, then]);
        // The kernel lists them by hash; a list in order compares equal.
        all.entries.sort_by_key(|n| (n.index, n.ip));
        self.neighbours = all;
        Ok(())
    }

    /// Reads the routes of all tables but local.
    pub(super) fn read_routes(&mut self) -> io::Result<()> {
        let lists = self.dump(RTM_GETROUTE, &[0; 12], |body, lists: &mut [Bounded<Route>; 3]| {
            if let Some(m) = mapping::route(body).filter(mapping::RouteMessage::is_listed) {
                let list = match m.weight {
                    Weight::Decisive => 0,
                    Weight::Configured => 1,
                    Weight::Learned => 2,
                };
                lists[list].push(m.route);
            }
        })?;
        let mut all = Bounded::join(lists);
        all.entries
            .sort_by_key(|r| (r.destination.ip.is_ipv6(), r.table != 254, r.table, Reverse(r.is_default()), r.metric));
        self.routes = all;
        Ok(())
    }

    /// Dumps a table into fresh lists; once more where it changed meanwhile.
    fn dump<T: Default>(&mut self, kind: u16, body: &[u8], mut each: impl FnMut(&[u8], &mut T)) -> io::Result<T> {
        let mut lists = T::default();
        if self.netlink.dump(kind, body, |_, body| each(body, &mut lists))? {
            lists = T::default();
            self.netlink.dump(kind, body, |_, body| each(body, &mut lists))?;
        }
        Ok(lists)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_survives_the_bound_and_the_rest_is_counted() {
        let fill = |n: usize| {
            let mut list = Bounded::default();
            (0..n).for_each(|i| list.push(i));
            list
        };
        let all = Bounded::join([fill(2), fill(MAX_ENTRIES), fill(MAX_ENTRIES + 5)]);
        assert_eq!(all.entries.len(), MAX_ENTRIES);
        assert_eq!(all.entries[..4], [0, 1, 0, 1]);
        assert_eq!(all.left_out as usize, 2 + MAX_ENTRIES + 5);
    }

    #[test]
    fn this_hosts_loopback_is_listed() {
        let mut tables = Tables::open().unwrap();
        tables.read_links().unwrap();
        tables.read_addresses().unwrap();
        tables.read_routes().unwrap();
        tables.read_neighbours().unwrap();
        tables.read_counters().unwrap();
        let network = tables.network();
        let lo = network.links.iter().find(|l| l.is_loopback()).unwrap();
        assert_eq!(tables.index("lo"), Some(lo.index));
        assert!(lo.mac.is_none() && lo.mtu > 0);
    }
}
