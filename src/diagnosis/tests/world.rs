//! The made-up network that a tape plays: what each kind of probe would bring back
//! from it. Everything is well unless a test says otherwise.
//!
//! ```text
//!   this host 10.77.1.7 -- r1 10.77.1.1 -- r2 10.77.12.2 -- srv 10.77.9.20
//!             fd77:1::7       fd77:1::1       fd77:12::2        fd77:9::20
//!                               |
//!                       ns1 10.77.53.53, ns2 10.77.54.54
//! ```

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::model::link::{
    InterfaceAddress, Link, LinkCounters, LookupResult, Neighbour, NeighbourState, Network, NextHop, Route, RouteKind,
    RouteLookup, Scope,
};
use crate::model::sample::{
    Certificate, DnsAnswer, Failure, HttpAnswer, IcmpError, NtpAnswer, Phases, Resolved, Stage, TlsAnswer, Trust,
    Unsent,
};
use crate::model::units::Mac;
use crate::model::{Ask, Detail, Outcome, QueryType, Untrusted};

/// What comes back from one send.
#[derive(Debug, Clone)]
pub enum Reply {
    /// What a healthy service says, after so many milliseconds.
    Well(u64),
    /// This, after a millisecond.
    Says(Detail),
    /// Nothing.
    Silence,
    /// Nothing for so many out of a hundred, evenly strewn.
    Lossy(u32),
    /// RST, or port unreachable from the host itself.
    Refused,
    /// An ICMP error: from whom, which, after how many milliseconds.
    Icmp(IpAddr, IcmpError, u64),
    /// Accepted, then this.
    Fails(Stage, Failure),
    /// Nothing was sent.
    Unsent(Unsent),
    /// No sample at all: the probe stands still.
    Still,
}

/// One element of a path.
#[derive(Debug, Clone, Copy)]
pub enum Stop {
    /// Answers in time.
    At(IpAddr),
    /// Never answers.
    Mute,
    /// Answers one round in so many.
    Seldom(IpAddr, u32),
    /// Ends the path with an ICMP error after so many milliseconds.
    Objects(IpAddr, IcmpError, u64),
}

/// To which asks a reply belongs.
type Fits = Box<dyn Fn(&Ask) -> bool>;

/// The network.
pub struct World {
    pub network: Network,
    pub refused: HashMap<IpAddr, LookupResult>,
    pub names: HashMap<String, Vec<IpAddr>>,
    pub hosts_file: Vec<String>,
    replies: Vec<(Fits, Reply)>,
    paths: HashMap<IpAddr, Vec<Stop>>,
}

pub fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub fn socket(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

impl World {
    pub fn new() -> Self {
        let network = Network {
            links: vec![link(1, "lo", "loopback"), link(2, "eth0", "")],
            addresses: vec![
                address(1, "127.0.0.1/8", Scope::Host),
                address(2, "10.77.1.7/24", Scope::Global),
                address(2, "fd77:1::7/64", Scope::Global),
                address(2, "fe80::7/64", Scope::Link),
            ],
            neighbours: vec![neighbour(2, "10.77.1.1"), neighbour(2, "fd77:1::1")],
            routes: vec![default_route(2, "10.77.1.1"), default_route(2, "fd77:1::1")],
            left_out: 0,
        };
        let names = HashMap::from([
            ("srv.lab.test".to_owned(), vec![ip("10.77.9.20"), ip("fd77:9::20")]),
            ("srv4.lab.test".to_owned(), vec![ip("10.77.9.20")]),
        ]);
        Self {
            network,
            refused: HashMap::new(),
            names,
            hosts_file: Vec::new(),
            replies: Vec::new(),
            paths: HashMap::new(),
        }
    }

    pub fn reply_where(&mut self, fits: impl Fn(&Ask) -> bool + 'static, reply: Reply) {
        self.replies.push((Box::new(fits), reply));
    }

    /// The path to an address: `10.77.1.1 * 10.77.9.20`; one that does not end at
    /// the address ends in silence.
    pub fn path(&mut self, to: &str, stops: &str) {
        let stop = |s: &str| if s == "*" { Stop::Mute } else { Stop::At(ip(s)) };
        self.stops(to, stops.split_whitespace().map(stop).collect());
    }

    pub fn stops(&mut self, to: &str, stops: Vec<Stop>) {
        self.paths.insert(ip(to), stops);
    }

    /// What a send brings.
    pub fn reply(&self, ask: &Ask) -> Reply {
        if let Some((_, reply)) = self.replies.iter().rev().find(|(fits, _)| fits(ask)) {
            return reply.clone();
        }
        match ask.address().map(|to| self.lookup(to)) {
            Some(LookupResult::NoRoute) => Reply::Unsent(Unsent::NoRoute),
            Some(LookupResult::Refused { .. }) => Reply::Unsent(Unsent::RouteRefuses),
            _ => Reply::Well(1),
        }
    }

    /// What a healthy world answers.
    pub fn detail(&self, ask: &Ask, unix_seconds: i64) -> Detail {
        match ask {
            Ask::Icmp { .. } | Ask::Trace { .. } => Detail::Echo { ttl: Some(60) },
            Ask::Tcp { .. } => Detail::Tcp,
            Ask::Udp { .. } => Detail::Udp { bytes: 12 },
            Ask::Dns { name, qtype, .. } => self.dns(name, *qtype),
            Ask::Tls { .. } => Detail::Tls(certificate(Trust::Valid, unix_seconds + 90 * 86_400)),
            Ask::Http { .. } => http(200),
            Ask::Ntp { .. } => ntp(0, 2),
            Ask::Resolve { name } => {
                let addresses = self.names.get(name).cloned().unwrap_or_default();
                let rcode = if self.names.contains_key(name) { 0 } else { 3 };
                Detail::Resolve(Resolved { addresses, from_hosts: self.hosts_file.contains(name), rcode })
            }
        }
    }

    fn dns(&self, name: &str, qtype: QueryType) -> Detail {
        let known = self.names.get(name);
        let rcode = if known.is_none() && name != "." { 3 } else { 0 };
        let of_type = |ip: &&IpAddr| ip.is_ipv4() == (qtype == QueryType::A);
        let addresses = known.into_iter().flatten().filter(of_type).copied().collect();
        Detail::Dns(DnsAnswer { rcode, addresses, ..DnsAnswer::default() })
    }

    pub fn path_to(&self, to: IpAddr) -> Vec<Stop> {
        if let Some(path) = self.paths.get(&to) {
            return path.clone();
        }
        match self.lookup(to) {
            LookupResult::Via { next_hop: NextHop { gateway: Some(g), .. }, .. } => {
                let second = if to.is_ipv4() { "10.77.12.2" } else { "fd77:12::2" };
                vec![Stop::At(g), Stop::At(ip(second)), Stop::At(to)]
            }
            LookupResult::Via { .. } => vec![Stop::At(to)],
            _ => Vec::new(),
        }
    }

    pub fn lookups(&self, asked: impl Iterator<Item = IpAddr>) -> Vec<RouteLookup> {
        let mut all: Vec<_> = asked.collect();
        all.sort_unstable();
        all.dedup();
        all.into_iter().map(|to| RouteLookup { to, result: self.lookup(to) }).collect()
    }

    fn lookup(&self, to: IpAddr) -> LookupResult {
        if let Some(refused) = self.refused.get(&to) {
            return refused.clone();
        }
        let via = |next_hop, local| LookupResult::Via { next_hop, source: None, matched: None, local };
        if to.is_loopback() || self.network.addresses.iter().any(|a| a.prefix.ip == to) {
            return via(NextHop { gateway: None, index: 1 }, true);
        }
        let up = |index: u32| self.network.links.iter().any(|l| l.index == index && l.admin_up);
        let holds = |a: &&InterfaceAddress| up(a.index) && a.prefix.len < 128 && a.prefix.contains(to);
        if let Some(a) = self.network.addresses.iter().find(holds) {
            return via(NextHop { gateway: None, index: a.index }, false);
        }
        let fitting = |r: &&Route| r.destination.contains(to) && r.next_hops.iter().any(|h| up(h.index));
        let best = self.network.routes.iter().filter(fitting).max_by_key(|r| r.destination.len);
        best.map_or(LookupResult::NoRoute, |r| via(r.next_hops[0], false))
    }
}

pub fn link(index: u32, name: &str, kind: &str) -> Link {
    Link {
        index,
        name: Untrusted::new(name),
        kind: Untrusted::new(kind),
        admin_up: true,
        carrier: true,
        mtu: 1500,
        mac: Some(Mac([2, 0, 0, 0, 0, index as u8])),
        speed_mbps: None,
        duplex: None,
        carrier_changes: Some(2),
        master: None,
        lower: None,
        counters: LinkCounters::default(),
    }
}

pub fn address(index: u32, prefix: &str, scope: Scope) -> InterfaceAddress {
    let prefix = prefix.parse().unwrap();
    InterfaceAddress { index, prefix, scope, tentative: false, dad_failed: false, deprecated: false }
}

pub fn neighbour(index: u32, of: &str) -> Neighbour {
    let mac = Some(Mac([2, 0, 0, 0, 1, 1]));
    Neighbour { index, ip: ip(of), mac, state: NeighbourState::Reachable, router: false }
}

pub fn default_route(index: u32, gateway: &str) -> Route {
    let gateway = ip(gateway);
    let destination = if gateway.is_ipv4() { "0.0.0.0/0" } else { "::/0" };
    route(index, destination, Some(gateway))
}

pub fn route(index: u32, destination: &str, gateway: Option<IpAddr>) -> Route {
    let destination = destination.parse().unwrap();
    let next_hops = vec![NextHop { gateway, index }];
    Route { destination, table: 254, metric: 100, kind: RouteKind::Unicast, next_hops, source: None }
}

pub fn certificate(trust: Trust, not_after: i64) -> TlsAnswer {
    let leaf = Certificate {
        subject: Untrusted::new("srv.lab.test"),
        issuer: Untrusted::new("Lab CA"),
        names: vec![Untrusted::new("srv.lab.test")],
        not_before: 1_700_000_000,
        not_after,
    };
    TlsAnswer {
        phases: Phases::default(),
        version: "TLSv1.3".to_owned(),
        cipher: "TLS13_AES_256_GCM_SHA384".to_owned(),
        trust,
        chain: vec![leaf],
    }
}

pub fn http(status: u16) -> Detail {
    http_after(status, 3)
}

pub fn http_after(status: u16, ttfb_ms: u64) -> Detail {
    Detail::Http(HttpAnswer {
        status,
        phases: Phases { ttfb: Some(Duration::from_millis(ttfb_ms)), ..Phases::default() },
        version: "HTTP/1.1".to_owned(),
        location: None,
        date: None,
        bytes: 2,
        tls: None,
    })
}

pub fn ntp(offset_ms: i64, stratum: u8) -> Detail {
    Detail::Ntp(NtpAnswer {
        offset_ns: offset_ms * 1_000_000,
        stratum,
        leap: if stratum == 16 { 3 } else { 0 },
        reference: Untrusted::new("LAB"),
        root_delay_us: 10,
        root_dispersion_us: 10,
    })
}

/// An answer with this response code and nothing in it.
pub fn rcode(rcode: u16) -> Reply {
    Reply::Says(Detail::Dns(DnsAnswer { rcode, ..DnsAnswer::default() }))
}

/// The outcome of a reply that is neither silence nor loss.
pub fn outcome(reply: &Reply, healthy: Detail) -> Outcome {
    let ms = Duration::from_millis;
    match reply {
        Reply::Well(after) => Outcome::Answered { rtt: ms(*after), detail: healthy },
        Reply::Says(detail) => Outcome::Answered { rtt: ms(1), detail: detail.clone() },
        Reply::Refused => Outcome::Refused { rtt: ms(1) },
        Reply::Icmp(from, error, after) => Outcome::Icmp { rtt: ms(*after), from: *from, error: *error },
        Reply::Fails(stage, failure) => Outcome::Failed { rtt: ms(2), stage: *stage, failure: failure.clone() },
        Reply::Unsent(reason) => Outcome::Unsent { reason: reason.clone() },
        Reply::Silence | Reply::Lossy(_) | Reply::Still => Outcome::Lost,
    }
}
