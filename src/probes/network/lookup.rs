//! What the kernel would do with a packet to each watched address (RTM_GETROUTE).
//!
//! Owns the question and the reading of its answers and refusals. Must never
//! decide when to ask.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;

use nix::errno::Errno;

use super::mapping::{self, RouteMessage};
use super::tables::Tables;
use crate::model::ProbeSpec;
use crate::model::link::{LookupResult, NextHop, Route, RouteKind, RouteLookup};
use crate::model::units::Prefix;
use crate::probes::feed::Egress;
use crate::probes::netlink::refusal;

const RTM_GETROUTE: u16 = 26;
const RTM_F_LOOKUP_TABLE: u32 = 0x1000;
/// Answer with the route that matched, not with the resolved path (Linux 4.13).
const RTM_F_FIB_MATCH: u32 = 0x2000;
const RTA_DST: u16 = 1;
const RTA_SRC: u16 = 2;
const RTA_OIF: u16 = 4;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

/// Most addresses looked up.
pub(super) const MAX_LOOKUPS: usize = 4096;

/// An address that somebody watches, with the interface of a link-local one.
pub(super) type Watched = (IpAddr, u32);

/// The distinct addresses of all specifications, in order, and how many more
/// than [`MAX_LOOKUPS`] there are.
pub(super) fn watched(specs: &[ProbeSpec]) -> (Vec<Watched>, usize) {
    let all: BTreeSet<Watched> = specs.iter().filter_map(|s| Some((s.ask.address()?, s.scope))).collect();
    let left_out = all.len().saturating_sub(MAX_LOOKUPS);
    (all.into_iter().take(MAX_LOOKUPS).collect(), left_out)
}

/// Looks every address up; one for which the kernel had no answer of any kind
/// (out of memory) is absent, since nothing was measured.
pub(super) fn look_up(tables: &mut Tables, watched: &[Watched], egress: &Egress) -> Vec<RouteLookup> {
    let device = egress.interface.as_deref().map(|name| tables.index(name));
    let source = egress.source.filter(|ip| tables.is_ours(*ip));
    let mut lookups = Vec::with_capacity(watched.len());
    for &(to, scope) in watched {
        let result = match (scope, device) {
            // The interface asked for does not exist: nothing can leave by it.
            (0, Some(None)) => Some(LookupResult::NoRoute),
            (0, Some(Some(index))) => ask(tables, to, source, index),
            (index, _) => ask(tables, to, source, index),
        };
        lookups.extend(result.map(|result| RouteLookup { to, result }));
    }
    lookups
}

fn ask(tables: &mut Tables, to: IpAddr, source: Option<IpAddr>, index: u32) -> Option<LookupResult> {
    let source = source.filter(|s| s.is_ipv4() == to.is_ipv4());
    let mut get = |flags| {
        let body = request(to, source, index, flags);
        tables.netlink.get(RTM_GETROUTE, &body, |_, body| mapping::route(body))
    };
    let path = get(RTM_F_LOOKUP_TABLE);
    match path {
        Ok(path) => {
            let matched = get(RTM_F_LOOKUP_TABLE | RTM_F_FIB_MATCH).ok().flatten();
            Some(answer(&path?, matched.as_ref().map(|m| &m.route), source))
        }
        Err(e) => refused(&e, tables.routes(), to),
    }
}

/// struct rtmsg and the attributes of the question.
fn request(to: IpAddr, source: Option<IpAddr>, index: u32, flags: u32) -> Vec<u8> {
    let bits = |ip: IpAddr| if ip.is_ipv4() { 32 } else { 128 };
    let family = if to.is_ipv4() { AF_INET } else { AF_INET6 };
    let mut body = vec![family, bits(to), source.map_or(0, bits), 0, 0, 0, 0, 0];
    body.extend(flags.to_ne_bytes());
    attribute(&mut body, RTA_DST, to);
    if let Some(source) = source {
        attribute(&mut body, RTA_SRC, source);
    }
    if index != 0 {
        body.extend(8_u16.to_ne_bytes());
        body.extend(RTA_OIF.to_ne_bytes());
        body.extend(index.to_ne_bytes());
    }
    body
}

fn attribute(body: &mut Vec<u8>, kind: u16, ip: IpAddr) {
    let octets = match ip {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    body.extend((4 + octets.len() as u16).to_ne_bytes());
    body.extend(kind.to_ne_bytes());
    body.extend(octets);
}

/// An answer that leads somewhere, or a route that says no without an errno.
fn answer(path: &RouteMessage, matched: Option<&Route>, asked: Option<IpAddr>) -> LookupResult {
    let prefix = matched.map(|m| m.destination);
    if mapping::refuses(path.route.kind) {
        return LookupResult::Refused { kind: path.route.kind, matched: prefix };
    }
    LookupResult::Via {
        next_hop: path.route.next_hops.first().copied().unwrap_or(NextHop { gateway: None, index: 0 }),
        // The kernel repeats no source that it was asked with.
        source: path.route.source.or(asked),
        matched: prefix,
        local: path.route.kind == RouteKind::Local,
    }
}

/// What an errno of the lookup means (net/ipv4/fib_semantics.c `fib_props`,
/// net/ipv6/route.c `ip6_rt_type_to_error`).
fn refused(error: &io::Error, routes: &[Route], to: IpAddr) -> Option<LookupResult> {
    let kind = match refusal(error)? {
        Errno::EHOSTUNREACH => RouteKind::Unreachable,
        Errno::EINVAL => RouteKind::Blackhole,
        Errno::EACCES => RouteKind::Prohibit,
        // The last three: the family is switched off here, or the interface is gone.
        Errno::ENETUNREACH | Errno::ENETDOWN | Errno::EOPNOTSUPP | Errno::EAFNOSUPPORT | Errno::ENODEV => {
            return Some(LookupResult::NoRoute);
        }
        _ => return None,
    };
    Some(LookupResult::Refused { kind, matched: refusing_route(routes, kind, to) })
}

/// The route that refuses. The kernel tells its kind by the errno and keeps its
/// prefix to itself, so it is the longest one of that kind that holds the
/// address: in main where there is one, else in any table. None where a rule
/// refuses, or the list of routes was cut before it.
fn refusing_route(routes: &[Route], kind: RouteKind, to: IpAddr) -> Option<Prefix> {
    const MAIN: u32 = 254;
    let fits = routes.iter().filter(|r| r.kind == kind && r.destination.contains(to));
    fits.max_by_key(|r| (r.table == MAIN, r.destination.len)).map(|r| r.destination)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Ask, ProbeId, TargetId};

    fn spec(ask: Ask, scope: u32) -> ProbeSpec {
        let second = Duration::from_secs(1);
        ProbeSpec {
            id: ProbeId(1),
            targets: vec![TargetId(1)],
            ask,
            scope,
            interval: second,
            timeout: second,
            count: None,
        }
    }

    fn route(to: &str, table: u32, kind: RouteKind) -> Route {
        Route { destination: to.parse().unwrap(), table, metric: 0, kind, next_hops: Vec::new(), source: None }
    }

    #[test]
    fn each_address_is_looked_up_once() {
        let (a, b) = ("192.0.2.1".parse().unwrap(), "fe80::1".parse().unwrap());
        let specs = [
            spec(Ask::Icmp { to: a }, 0),
            spec(Ask::Tcp { to: (a, 80).into() }, 0),
            spec(Ask::Icmp { to: b }, 2),
            spec(Ask::Icmp { to: b }, 3),
            spec(Ask::Resolve { name: "x".into() }, 0),
        ];
        assert_eq!(watched(&specs), (vec![(a, 0), (b, 2), (b, 3)], 0));
    }

    #[test]
    fn the_longest_refusing_route_is_named() {
        let routes = [
            route("0.0.0.0/0", 254, RouteKind::Unicast),
            route("10.0.0.0/8", 254, RouteKind::Unreachable),
            route("10.1.0.0/16", 254, RouteKind::Unreachable),
            route("10.1.2.0/24", 100, RouteKind::Unreachable),
            route("10.1.2.0/28", 254, RouteKind::Prohibit),
        ];
        let to = "10.1.2.3".parse().unwrap();
        let error = |e: Errno| io::Error::from_raw_os_error(e as i32);
        assert_eq!(
            refused(&error(Errno::EHOSTUNREACH), &routes, to),
            Some(LookupResult::Refused { kind: RouteKind::Unreachable, matched: Some("10.1.0.0/16".parse().unwrap()) })
        );
        assert_eq!(
            refused(&error(Errno::EINVAL), &routes, to),
            Some(LookupResult::Refused { kind: RouteKind::Blackhole, matched: None })
        );
        assert_eq!(refused(&error(Errno::ENETUNREACH), &routes, to), Some(LookupResult::NoRoute));
        assert_eq!(refused(&error(Errno::ENOBUFS), &routes, to), None);
    }

    #[test]
    fn a_question_is_aligned() {
        for to in ["192.0.2.1", "2001:db8::1"] {
            let to: IpAddr = to.parse().unwrap();
            let body = request(to, Some(to), 7, RTM_F_LOOKUP_TABLE);
            assert_eq!(body.len() % 4, 0);
            assert_eq!(body[1], body[2]);
        }
    }

    #[test]
    fn loopback_is_local() {
        let mut tables = Tables::open().unwrap();
        let to: IpAddr = "127.0.0.1".parse().unwrap();
        let lookups = look_up(&mut tables, &[(to, 0)], &Egress::default());
        assert!(matches!(lookups[0].result, LookupResult::Via { local: true, .. }), "{lookups:?}");
    }
}
