//! The state arranged for judging: for every watched target at every address, what
//! its probes say, whether it lives, and which way its packets go.
//!
//! Owns the facts that several rules share; must never give a finding.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

use crate::model::hop::HopAnswer;
use crate::model::link::LookupResult;
use crate::model::sample::IcmpError;
use crate::model::{At, Detail, Mono, Outcome, ProbeKind, Role, Sample, Service, Target, TargetId, Thresholds};
use crate::state::{Path, Point, ProbeState, State};

/// How far back loss and figures are judged.
pub const WINDOW: Duration = Duration::from_secs(60);
/// An ICMP "host unreachable" that took at least this long came from a router that
/// first tried to resolve the host (Linux tries for about three seconds).
pub const RESOLVING: Duration = Duration::from_millis(700);
/// How long to wait for a "host unreachable" before silence is a black hole.
pub const WAIT_FOR_UNREACHABLE: Duration = Duration::from_millis(4_200);

/// Everything there is to judge.
pub struct Scene<'a> {
    /// What is known.
    pub state: &'a State,
    /// Now.
    pub at: At,
    /// Limits.
    pub thresholds: &'a Thresholds,
    /// Whether anybody named a target; else everything found is judged.
    pub has_targets: bool,
    /// Watched targets at their addresses, and the discovered ones that count, in
    /// the order of their targets' numbers.
    pub subjects: Vec<Subject<'a>>,
    /// What was sent before this moment is not judged: the process slept since.
    pub resumed: Mono,
    names_used: bool,
}

/// One target at one address.
pub struct Subject<'a> {
    /// The target.
    pub target: &'a Target,
    /// Where; none while its name has no address.
    pub address: Option<IpAddr>,
    /// Its probes at that address.
    pub probes: Vec<&'a ProbeState>,
    /// Whether anybody is there.
    pub life: Life,
    /// Whether the address is this host's own.
    pub own: bool,
    /// Whether the address is in a prefix of this host's interfaces, or a route
    /// leads to it without a gateway.
    pub on_link: bool,
}

/// Whether a host shows life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It did lately.
    Alive,
    /// It did not, though asked often enough.
    Dead {
        /// When the first send was made that has had no answer since.
        since: Mono,
        /// How many sends failed since.
        failures: u32,
    },
    /// Too early to say, or not measured.
    Unknown,
}

/// An ICMP error about a subject, from whichever probe it came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Complaint {
    /// What it says.
    pub error: IcmpError,
    /// Who says it.
    pub from: IpAddr,
    /// At which TTL, where it came from a trace.
    pub ttl: Option<u8>,
    /// Quickest and slowest arrival.
    pub quickest: Duration,
    /// Slowest arrival.
    pub slowest: Duration,
    /// How many.
    pub count: u32,
    /// When the newest was sent that it answers.
    pub sent: Mono,
}

impl<'a> Scene<'a> {
    /// Arranges the state.
    pub fn new(state: &'a State, thresholds: &'a Thresholds, at: At) -> Self {
        let has_targets = state.watched().next().is_some();
        let judged = |t: &&Target| match t.role {
            Role::Watched | Role::Resolver | Role::Gateway => true,
            Role::Hop => false,
        };
        let mut subjects = Vec::new();
        for target in state.targets().filter(judged) {
            let addresses = state.addresses_of(target.id);
            if addresses.is_empty() {
                subjects.push(Subject::new(state, at.mono, target, None));
            }
            for address in addresses {
                subjects.push(Subject::new(state, at.mono, target, Some(address)));
            }
        }
        let mut scene =
            Self { state, at, thresholds, has_targets, subjects, resumed: state.resumed(), names_used: true };
        scene.names_used = !has_targets || scene.watched().any(|s| needs_resolver(state, s));
        scene
    }

    /// Now on the monotonic clock.
    pub fn now(&self) -> Mono {
        self.at.mono
    }

    /// The beginning of the window in which figures are judged.
    pub fn window(&self) -> Mono {
        self.now().before(WINDOW).max(self.resumed)
    }

    /// The newest measurement of a probe that still says something about now.
    pub fn newest<'p>(&self, probe: &'p ProbeState) -> Option<&'p Sample> {
        let spec = &probe.spec;
        let patience = spec.interval * 3 + spec.timeout + Duration::from_secs(1);
        let current = |s: &&Sample| s.sent >= self.resumed && self.now().since(s.sent) <= patience;
        probe.last_sent().filter(current)
    }

    /// How many of a probe's newest sends in a row fail `good`, and since when.
    pub fn failing(&self, probe: &ProbeState, good: impl Fn(Point) -> bool) -> Option<(u32, Mono)> {
        probe.series.failing_since(self.resumed, good)
    }

    /// Whether `failures` in a row are more than the loss that was there before
    /// explains.
    pub fn beyond_chance(&self, probe: &ProbeState, failures: u32) -> bool {
        beyond_chance(probe, failures, self.window())
    }

    /// Whether the loss that echo to the subject measures may have taken so many
    /// packets in a row.
    pub fn loss_explains(&self, subject: &Subject<'_>, packets: u32) -> bool {
        let tally = subject.probe(ProbeKind::Icmp).map(|p| p.series.tally_since(self.window()));
        let ratio = tally.filter(|t| t.received() > 0).and_then(|t| t.loss()).unwrap_or(0.0);
        ratio.powi(packets as i32) >= CHANCE
    }

    /// Subjects that people named.
    pub fn watched(&self) -> impl Iterator<Item = &Subject<'a>> {
        self.subjects.iter().filter(|s| s.target.role == Role::Watched)
    }

    /// Subjects whose reachability is judged: the watched ones, or everything
    /// found where nothing is watched.
    pub fn judged(&self) -> impl Iterator<Item = &Subject<'a>> {
        self.subjects
            .iter()
            .filter(|s| s.target.role == Role::Watched || !self.has_targets && s.target.role != Role::Hop)
    }

    /// What is judged, and the name servers where names are used: all that the
    /// lower layers of this host must carry.
    pub fn depended(&self) -> impl Iterator<Item = &Subject<'a>> {
        let used = |s: &&Subject<'a>| self.names_used && s.target.role == Role::Resolver && self.has_targets;
        self.judged().chain(self.subjects.iter().filter(used))
    }

    /// Whether anything watched needs a name server, or everything found counts.
    pub fn names_used(&self) -> bool {
        self.names_used
    }

    /// The name servers.
    pub fn resolvers(&self) -> impl Iterator<Item = &Subject<'a>> {
        self.subjects.iter().filter(|s| s.target.role == Role::Resolver)
    }

    /// Both clocks at an earlier moment.
    pub fn at(&self, mono: Mono) -> At {
        self.at.at_mono(mono)
    }

    /// A target at each of its addresses.
    pub fn at_addresses(&self, target: TargetId) -> &[Subject<'a>] {
        let start = self.subjects.partition_point(|s| s.target.id < target);
        let length = self.subjects[start..].partition_point(|s| s.target.id == target);
        &self.subjects[start..start + length]
    }

    /// Whether the target lives at an address that `lost` does not name.
    pub fn usable_beside(&self, target: TargetId, lost: &HashSet<(TargetId, Option<IpAddr>)>) -> bool {
        self.at_addresses(target)
            .iter()
            .any(|s| s.address.is_some() && s.life == Life::Alive && !lost.contains(&(target, s.address)))
    }
}

/// A name that the hosts file does not answer by itself.
pub fn needs_resolver(state: &State, subject: &Subject<'_>) -> bool {
    let named = subject.target.host.name().is_some_and(|n| n != "localhost");
    let from_hosts = |p: &ProbeState| {
        let answer = p.last_answer().map(|s| &s.outcome);
        matches!(answer, Some(Outcome::Answered { detail: Detail::Resolve(r), .. }) if r.from_hosts)
    };
    named && !state.probes_of(subject.target.id).any(from_hosts)
}

/// A run this improbable is no chance.
const CHANCE: f64 = 1e-3;

fn beyond_chance(probe: &ProbeState, failures: u32, window: Mono) -> bool {
    let tally = probe.series.tally_since(window);
    if tally.received() == 0 {
        return true;
    }
    // Laplace's rule: what was seen, and one of either more.
    let lost = (tally.lost + tally.errors).saturating_sub(u64::from(failures));
    let sent = tally.sent().saturating_sub(u64::from(failures));
    ((lost + 1) as f64 / (sent + 2) as f64).powi(failures as i32) < CHANCE
}

impl<'a> Subject<'a> {
    fn new(state: &'a State, now: Mono, target: &'a Target, address: Option<IpAddr>) -> Self {
        let probes: Vec<_> = state.probes_of(target.id).filter(|p| p.spec.ask.address() == address).collect();
        let life = address.map_or(Life::Unknown, |ip| life(state, ip, now));
        let own = address.is_some_and(|ip| state.network.is_own(ip) || is_local(state, ip));
        let on_link = own || address.is_some_and(|ip| routed_on_link(state, ip));
        Self { target, address, probes, life, own, on_link }
    }

    /// Its probe of a kind.
    pub fn probe(&self, kind: ProbeKind) -> Option<&'a ProbeState> {
        self.probes.iter().copied().find(|p| p.kind() == kind)
    }

    /// `ADDR:PORT` as the contract writes a service's subject.
    pub fn socket_text(&self) -> Option<String> {
        let (ip, port) = (self.address?, self.target.service.port()?);
        Some(std::net::SocketAddr::new(ip, port).to_string())
    }

    /// Every ICMP error about this address that is still current: newer than the
    /// last sign of life, and than [`WINDOW`].
    pub fn complaints(&self, scene: &Scene<'_>) -> Vec<Complaint> {
        let Some(ip) = self.address else { return Vec::new() };
        let floor = last_life(scene.state, ip).map_or(scene.window(), |l| l.max(scene.window()));
        let mut list: Vec<Complaint> = Vec::new();
        for probe in scene.state.probes_to(ip) {
            list.extend(probe_complaint(probe, floor));
            for (_, path) in probe.paths.iter() {
                list.extend(path_complaints(path, floor));
            }
        }
        list.retain(|c| !matches!(c.error, IcmpError::TooBig { .. } | IcmpError::TimeExceeded | IcmpError::Redirect));
        list
    }

    /// Whether probes of at least two kinds, or enough of one, have been tried for
    /// long enough that silence means something.
    pub fn silent_long_enough(&self, now: Mono) -> bool {
        matches!(self.life, Life::Dead { since, .. } if now.since(since) >= WAIT_FOR_UNREACHABLE)
    }

    /// Whether the newest measurement of what was asked is an answer.
    pub fn works(&self, scene: &Scene<'_>) -> bool {
        let Some(kind) = self.service_kind() else { return self.life == Life::Alive };
        let answer = |s: &Sample| matches!(s.outcome, Outcome::Answered { .. });
        self.probe(kind).and_then(|p| scene.newest(p)).is_some_and(answer)
    }

    /// Whether the newest measurement of what was asked is anything but an answer.
    pub fn service_failed(&self, scene: &Scene<'_>) -> bool {
        let failed = |s: &Sample| !matches!(s.outcome, Outcome::Answered { .. });
        let newest = self.service_kind().and_then(|kind| self.probe(kind)).and_then(|p| scene.newest(p));
        newest.is_some_and(failed)
    }

    fn service_kind(&self) -> Option<ProbeKind> {
        Some(match self.target.service {
            Service::Host => return None,
            Service::Tcp { .. } => ProbeKind::Tcp,
            Service::Udp { .. } => ProbeKind::Udp,
            Service::Tls { .. } => ProbeKind::Tls,
            Service::Http { .. } => ProbeKind::Http,
            Service::Dns { .. } => ProbeKind::Dns,
            Service::Ntp { .. } => ProbeKind::Ntp,
        })
    }

    /// Whether what was asked of the target, beyond the host itself, has been
    /// answered lately. Silence that is no finding yet, and that of a UDP service
    /// without a known exchange, says nothing.
    pub fn service_measured(&self, scene: &Scene<'_>) -> bool {
        let Some(kind) = self.service_kind() else { return true };
        let said = |p: &ProbeState| {
            let patience = p.spec.interval * 3 + p.spec.timeout + Duration::from_secs(1);
            let lately = |sent: Mono| sent >= scene.resumed && scene.now().since(sent) <= patience;
            p.series.last_life().is_some_and(lately)
        };
        self.probe(kind).is_some_and(said)
    }
}

fn probe_complaint(probe: &ProbeState, floor: Mono) -> Option<Complaint> {
    let sample = probe.last_icmp().filter(|s| s.sent >= floor)?;
    let Outcome::Icmp { rtt, from, error } = sample.outcome else { return None };
    let count = probe.series.tally_since(floor).errors as u32;
    let slowest = probe.slowest_error().unwrap_or(rtt).max(rtt);
    Some(Complaint { error, from, ttl: None, quickest: rtt, slowest, count, sent: sample.sent })
}

fn path_complaints(path: &Path, floor: Mono) -> impl Iterator<Item = Complaint> + '_ {
    path.hops().iter().filter_map(move |hop| {
        let e = hop.error.filter(|e| e.sent >= floor)?;
        Some(Complaint {
            error: e.error,
            from: e.from,
            ttl: Some(hop.ttl),
            quickest: e.quickest,
            slowest: e.slowest,
            count: e.count,
            sent: e.sent,
        })
    })
}

fn is_local(state: &State, ip: IpAddr) -> bool {
    matches!(state.network.lookup(ip), Some(LookupResult::Via { local: true, .. }))
}

fn routed_on_link(state: &State, ip: IpAddr) -> bool {
    match state.network.lookup(ip) {
        Some(LookupResult::Via { next_hop, .. }) => next_hop.gateway.is_none(),
        _ => state.network.on_link(ip).is_some(),
    }
}

/// When a send was last made to the address that showed it alive.
pub fn last_life(state: &State, ip: IpAddr) -> Option<Mono> {
    let reached = |p: &ProbeState| p.paths.iter().filter_map(|(_, path)| last_reached(path)).max();
    // An error from the host itself is a sign of life, too.
    let objected = |p: &ProbeState| match p.last_icmp() {
        Some(Sample { sent, outcome: Outcome::Icmp { from, .. }, .. }) if *from == ip && !state.network.is_own(ip) => {
            Some(*sent)
        }
        _ => None,
    };
    state.probes_to(ip).flat_map(|p| [p.series.last_life(), reached(p), objected(p)]).flatten().max()
}

/// A hop that answered as the destination counts at once, before its round ends.
fn last_reached(path: &Path) -> Option<Mono> {
    let open = path.hops().iter().rev().filter_map(|h| match h.last {
        Some((sent, HopAnswer::Reached, _)) => Some(sent),
        _ => None,
    });
    open.chain(path.last_reached).max()
}

/// Whether the address shows life, over every probe that sends to it.
fn life(state: &State, ip: IpAddr, now: Mono) -> Life {
    let resumed = state.resumed();
    let last = last_life(state, ip).filter(|l| *l >= resumed);
    let quickest = state.probes_to(ip).map(|p| p.spec.interval).min().unwrap_or_default();
    let patience =
        (quickest * 3 + Duration::from_millis(500)).clamp(Duration::from_millis(1_500), Duration::from_secs(20));
    if last.is_some_and(|l| now.since(l) <= patience) {
        return Life::Alive;
    }
    let mut failures = 0;
    let mut since: Option<Mono> = None;
    let mut fail = |sent: Mono, n: u32| {
        if last.is_none_or(|l| sent > l) {
            failures += n;
            since = Some(since.map_or(sent, |s| s.min(sent)));
        }
    };
    for probe in state.probes_to(ip) {
        if let Some((n, sent)) = probe.series.failing_since(resumed, Point::shows_life) {
            fail(sent, n);
        }
        for (_, path) in probe.paths.iter() {
            // The rounds that ended; an open one has not yet had its chance.
            let ended = path.last_round.as_ref().filter(|r| path.rounds_unreached() > 0 && r.began >= resumed);
            if let Some(round) = ended {
                let after = path.last_reached.map(|l| l.after(probe.spec.interval)).or(path.began);
                fail(after.unwrap_or(round.began).max(resumed), path.rounds_unreached() as u32);
            }
        }
    }
    if last.is_some_and(|l| now.since(l) <= WINDOW) && only_unlucky(state, ip, now.before(WINDOW).max(resumed)) {
        return Life::Alive;
    }
    match since {
        Some(since) if failures >= 3 && now.since(since) >= Duration::from_secs(2) => Life::Dead { since, failures },
        _ => Life::Unknown,
    }
}

/// Whether the failures since the last sign of life are no more than a lossy path
/// explains: no probe that was answered in the window says otherwise.
fn only_unlucky(state: &State, ip: IpAddr, window: Mono) -> bool {
    let mut heard = false;
    for probe in state.probes_to(ip) {
        let Some((failures, _)) = probe.series.failing_since(window, Point::shows_life) else { continue };
        let tally = probe.series.tally_since(window);
        // An error is somebody's word, not bad luck.
        if probe.series.last().is_some_and(|(_, p)| p == Point::Error) || tally.received() == 0 {
            continue;
        }
        if beyond_chance(probe, failures, window) {
            return false;
        }
        heard = true;
    }
    heard
}
