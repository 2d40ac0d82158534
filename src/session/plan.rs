//! What to measure: from the targets, the names' addresses and what this host
//! uses, the probes that answer for them.
//!
//! Pure: the same state gives the same plan. Must never hold a probe's number.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use super::rhythm::{SUSPICIOUS, echo_interval, fit, hasten, loses, trace_interval};
use crate::model::host::IcmpRight;
use crate::model::probe::TraceProto;
use crate::model::{Ask, Detail, Host, Outcome, ProbeKind, QueryType, Role, Service, Target, TargetId};
use crate::state::{Hop, Path, State};

/// Most addresses of one name that are measured.
const MAX_ADDRESSES: usize = 8;
/// Most hops that are echoed to locate loss.
const MAX_HOP_ECHOES: usize = 64;
/// What is measured of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every layer under what was asked.
    Everything,
    /// Echo only.
    Echo,
    /// Hops only.
    Hops {
        /// Protocols in the order of preference.
        protos: Vec<TraceProto>,
        /// Destination port.
        port: Option<u16>,
    },
}

/// Address families that may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Families {
    /// IPv4.
    pub v4: bool,
    /// IPv6.
    pub v6: bool,
}

impl Families {
    fn allow(self, ip: IpAddr) -> bool {
        if ip.is_ipv4() { self.v4 } else { self.v6 }
    }
}

/// How often, and how long to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it; each is from one send to the next, or a time-out")]
pub struct Pace {
    pub echo: Duration,
    pub echo_gateway: Duration,
    pub echo_timeout: Duration,
    pub trace: Duration,
    pub connect: Duration,
    pub request: Duration,
    pub request_timeout: Duration,
    pub dns: Duration,
    pub dns_timeout: Duration,
    pub resolve: Duration,
}

impl Pace {
    /// For watching as long as it takes.
    pub fn watching(echo: Duration, timeout: Duration) -> Self {
        Self {
            echo,
            echo_gateway: echo.max(Duration::from_secs(1)),
            echo_timeout: timeout,
            trace: Duration::from_secs(1),
            connect: Duration::from_secs(2),
            request: Duration::from_secs(5),
            request_timeout: Duration::from_secs(5),
            dns: Duration::from_secs(3),
            dns_timeout: Duration::from_secs(2),
            resolve: Duration::from_secs(10),
        }
    }

    /// For an answer within seconds.
    pub fn checking() -> Self {
        Self {
            echo: Duration::from_millis(50),
            echo_gateway: Duration::from_millis(100),
            echo_timeout: Duration::from_secs(1),
            // A router's budget (Linux: six at once, then one a second) lasts for it.
            trace: Duration::from_millis(700),
            connect: Duration::from_millis(500),
            request: Duration::from_secs(1),
            request_timeout: Duration::from_secs(4),
            dns: Duration::from_millis(500),
            dns_timeout: Duration::from_millis(1_500),
            resolve: Duration::from_secs(2),
        }
    }
}

/// How long a connect may take: long enough for the "host unreachable" of a router
/// that first tries to resolve the host.
pub const CONNECT_TIMEOUT: Duration = Duration::from_millis(4_500);
/// Largest TTL of a first round.
pub const MAX_TTL: u8 = 64;

/// One probe wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What to do.
    pub ask: Ask,
    /// Interface index of a link-local destination.
    pub scope: u32,
    /// From one send to the next.
    pub interval: Duration,
    /// After this a reply is late.
    pub timeout: Duration,
    /// For whom.
    pub targets: Vec<TargetId>,
}

/// What the plan depends on besides the state.
#[derive(Debug, Clone)]
pub struct PlanOptions {
    /// What is measured of a target.
    pub scope: Scope,
    /// Families allowed.
    pub families: Families,
    /// Rhythm.
    pub pace: Pace,
    /// Packets a second for all probes together.
    pub packets_per_second: u32,
}

/// Wanted probes in the order of the wishes; a second wish for the same joins the
/// first.
#[derive(Debug, Default)]
struct Plan {
    wanted: Vec<Wanted>,
    index: HashMap<(Ask, u32), usize>,
}

impl Plan {
    fn want(&mut self, ask: Ask, scope: u32, interval: Duration, timeout: Duration, target: TargetId) {
        match self.index.entry((ask, scope)) {
            Entry::Vacant(free) => {
                let ask = free.key().0.clone();
                free.insert(self.wanted.len());
                self.wanted.push(Wanted { ask, scope, interval, timeout, targets: vec![target] });
            }
            Entry::Occupied(known) => {
                let wanted = &mut self.wanted[*known.get()];
                wanted.interval = wanted.interval.min(interval);
                if !wanted.targets.contains(&target) {
                    wanted.targets.push(target);
                }
            }
        }
    }
}

/// Every probe wanted now.
pub fn plan(state: &State, options: &PlanOptions) -> Vec<Wanted> {
    let mut plan = Plan::default();
    let options = &PlanOptions {
        pace: Pace { trace: trace_interval(state, options), ..options.pace.clone() },
        ..options.clone()
    };
    for target in state.targets() {
        match target.role {
            Role::Watched => watched(state, options, target, &mut plan),
            Role::Gateway | Role::Hop => {
                let echo = if target.role == Role::Hop { options.pace.echo } else { options.pace.echo_gateway };
                if let Host::Addr { ip, .. } = target.host {
                    plan.want(Ask::Icmp { to: ip }, zone(state, target), echo, options.pace.echo_timeout, target.id);
                }
            }
            Role::Resolver => resolver(state, options, target, &mut plan),
        }
    }
    if options.scope == Scope::Everything {
        hasten(state, &mut plan.wanted);
    }
    if options.scope != Scope::Echo {
        fit(&mut plan.wanted, f64::from(options.packets_per_second));
    }
    plan.wanted
}

/// Whether this user may not send echoes at all.
fn no_echo(state: &State) -> bool {
    state.host.as_ref().is_some_and(|h| h.rights.icmp == IcmpRight::None)
}

/// Interface index of a link-local target's zone.
fn zone(state: &State, target: &Target) -> u32 {
    let Host::Addr { zone: Some(zone), .. } = &target.host else { return 0 };
    let by_name = state.network.links().iter().find(|l| l.name.as_str() == zone).map(|l| l.index);
    by_name.or_else(|| zone.parse().ok()).unwrap_or(0)
}

fn watched(state: &State, options: &PlanOptions, target: &Target, plan: &mut Plan) {
    let pace = &options.pace;
    if let Host::Name(name) = &target.host {
        plan.want(Ask::Resolve { name: name.clone() }, 0, pace.resolve, Duration::from_secs(4), target.id);
    }
    if state.network.listing().is_none() {
        // Which families and interfaces there are decides what is measured.
        return;
    }
    let scope = zone(state, target);
    for ip in addresses(state, options, target) {
        match &options.scope {
            Scope::Echo => plan.want(Ask::Icmp { to: ip }, scope, pace.echo, pace.echo_timeout, target.id),
            Scope::Hops { protos, port } => {
                let port = port.or(target.service.port());
                let ask = Ask::Trace { to: ip, protos: protos.clone(), port, max_ttl: MAX_TTL };
                plan.want(ask, scope, pace.trace, pace.echo_timeout, target.id);
            }
            Scope::Everything => {
                let echo = echo_interval(state, options, target, ip);
                plan.want(Ask::Icmp { to: ip }, scope, echo, pace.echo_timeout, target.id);
                // No path leads to an own address, but a datagram to it is answered, too.
                if !state.network.is_own(ip) || no_echo(state) {
                    plan.want(trace(ip, &target.service), scope, pace.trace, pace.echo_timeout, target.id);
                }
                service(options, target, ip, scope, plan);
            }
        }
    }
}

/// The addresses of a target that are measured.
fn addresses(state: &State, options: &PlanOptions, target: &Target) -> Vec<IpAddr> {
    match &target.host {
        Host::Addr { ip, .. } => vec![*ip],
        Host::Name(_) => {
            let usable = |ip: &&IpAddr| {
                options.families.allow(**ip)
                    && (ip.is_loopback() || state.network.is_own(**ip) || has_family(state, **ip))
            };
            let resolve = state.probes_of(target.id).find(|p| p.kind() == ProbeKind::Resolve);
            let answer = resolve.and_then(|p| p.last_answer()).map(|s| &s.outcome);
            match answer {
                Some(Outcome::Answered { detail: Detail::Resolve(r), .. }) => {
                    r.addresses.iter().filter(usable).take(MAX_ADDRESSES).copied().collect()
                }
                _ => Vec::new(),
            }
        }
    }
}

/// A family without a global address here is skipped; where this host has none at
/// all the missing address is the finding, and the target stays.
fn has_family(state: &State, ip: IpAddr) -> bool {
    let network = &state.network;
    network.has_global(ip.is_ipv4()) || ip.is_ipv4() && !network.has_global(false)
}

/// The layers' port shows in the trace, so that a firewall lets it pass alike.
fn trace(ip: IpAddr, service: &Service) -> Ask {
    let port = service.port().filter(|_| service.is_tcp());
    Ask::Trace { to: ip, protos: vec![TraceProto::Icmp, TraceProto::Udp, TraceProto::Tcp], port, max_ttl: MAX_TTL }
}

fn socket(ip: IpAddr, port: u16, scope: u32) -> SocketAddr {
    match ip {
        IpAddr::V4(_) => SocketAddr::new(ip, port),
        IpAddr::V6(v6) => SocketAddrV6::new(v6, port, 0, scope).into(),
    }
}

fn service(options: &PlanOptions, target: &Target, ip: IpAddr, scope: u32, plan: &mut Plan) {
    let pace = &options.pace;
    let name = || match &target.host {
        Host::Name(n) => n.clone(),
        Host::Addr { ip, .. } => ip.to_string(),
    };
    let mut want =
        |ask: Ask, interval: Duration, timeout: Duration| plan.want(ask, scope, interval, timeout, target.id);
    let to = |port: u16| socket(ip, port, scope);
    if let Some(port) = target.service.port().filter(|_| target.service.is_tcp()) {
        want(Ask::Tcp { to: to(port) }, pace.connect, CONNECT_TIMEOUT);
    }
    match &target.service {
        Service::Host | Service::Tcp { .. } => {}
        Service::Udp { port } => want(Ask::Udp { to: to(*port) }, pace.connect, pace.dns_timeout),
        Service::Tls { port } => want(Ask::Tls { to: to(*port), name: name() }, pace.request, pace.request_timeout),
        Service::Http { tls, port, path } => {
            if *tls {
                want(Ask::Tls { to: to(*port), name: name() }, pace.request * 3, pace.request_timeout);
            }
            let ask = Ask::Http { to: to(*port), name: name(), tls: *tls, path: path.clone() };
            want(ask, pace.request, pace.request_timeout);
        }
        Service::Dns { port, name, qtype } => {
            want(Ask::Dns { server: to(*port), name: name.clone(), qtype: *qtype }, pace.dns, pace.dns_timeout);
        }
        Service::Ntp { port } => want(Ask::Ntp { to: to(*port) }, pace.request, pace.dns_timeout),
    }
}

fn resolver(state: &State, options: &PlanOptions, target: &Target, plan: &mut Plan) {
    let Host::Addr { ip, .. } = target.host else { return };
    let pace = &options.pace;
    let scope = zone(state, target);
    let port = target.service.port().unwrap_or(53);
    let server = socket(ip, port, scope);
    plan.want(Ask::Icmp { to: ip }, scope, pace.echo_gateway, pace.echo_timeout, target.id);
    if no_echo(state) {
        // Without echo, a connect tells a dead server from a silent one.
        plan.want(Ask::Tcp { to: server }, scope, pace.connect, CONNECT_TIMEOUT, target.id);
    }
    let names: Vec<&str> = state.watched().filter_map(|t| t.host.name()).filter(|n| *n != "localhost").collect();
    let mut dns = |name: String, qtype| {
        plan.want(Ask::Dns { server, name, qtype }, scope, pace.dns, pace.dns_timeout, target.id);
    };
    if names.is_empty() {
        // Any well-formed reply shows that the server lives.
        dns(".".to_owned(), QueryType::Ns);
    }
    for name in names {
        let full = on_the_wire(state, name);
        dns(full.clone(), QueryType::A);
        dns(full, QueryType::Aaaa);
    }
    let own = state.network.is_own(ip);
    let off_link = !own && state.network.on_link(ip).is_none() && state.network.listing().is_some();
    if off_link {
        let nobody_else = state.watched().next().is_none();
        let slower = if nobody_else { pace.trace } else { pace.trace * 4 };
        plan.want(trace(ip, &Service::Host), scope, slower, pace.echo_timeout, target.id);
    }
}

/// The name as it is asked on the wire: one without enough dots has the first
/// search domain appended (resolv.conf(5), `ndots`).
fn on_the_wire(state: &State, name: &str) -> String {
    let Some((_, config)) = &state.resolvers else { return name.to_owned() };
    let dots = name.bytes().filter(|b| *b == b'.').count();
    match config.search.first() {
        Some(domain) if dots < usize::from(config.ndots.max(1)) => format!("{name}.{domain}"),
        _ => name.to_owned(),
    }
}

/// Routers on watched paths that lose packets, to be echoed so that the loss can
/// be located.
pub fn suspicious_hops(state: &State) -> Vec<IpAddr> {
    let from = state.now.mono.before(SUSPICIOUS.1);
    let mut hops = Vec::new();
    for probe in state.probes().filter(|p| p.kind() == ProbeKind::Icmp) {
        let Some(ip) = probe.spec.ask.address() else { continue };
        let is_hop = |id: &TargetId| state.target(*id).is_some_and(|t| t.role == Role::Hop);
        if probe.spec.targets.iter().all(is_hop) || !loses(probe, from) {
            continue;
        }
        let path = state.probes_to(ip).find_map(|p| p.paths.best()).map(|(_, path)| path);
        for hop in path.into_iter().flat_map(Path::hops).filter_map(Hop::address) {
            if hop != ip && !hops.contains(&hop) && hops.len() < MAX_HOP_ECHOES {
                hops.push(hop);
            }
        }
    }
    hops
}
