//! What the probes can say about a runbook's conditions: every word of the
//! vocabulary over the state and the verdict.
//!
//! Owns what a figure means for a subject and when it counts as measured. None is
//! the third answer: nothing was sent, nothing came lately, or part of what was
//! asked for is unknown. Of several the worst counts, so a figure of several is
//! known only where all of them are, or where one is as bad as can be.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use super::judged::{Judged, finding};
use super::remembered::Remembered;
use crate::model::host::{Disk, HostLoad};
use crate::model::link::LookupResult;
use crate::model::sample::{NtpAnswer, TlsAnswer};
use crate::model::socket::{MAX_LISTENERS, Sockets, Transport};
use crate::model::{At, Detail, Mono, Outcome, ProbeKind, Role, Target, Verdict};
use crate::runbook::{Fact, Figure, Observations};
use crate::state::{Point, ProbeState, State, Stats};

/// How far back figures look.
pub const WINDOW: Duration = Duration::from_secs(60);
/// Tables of the kernel are written again every ten seconds at least; older than
/// this they are stale.
const TABLE_AGE: Duration = Duration::from_secs(30);
/// Load is read every two seconds.
const LOAD_AGE: Duration = Duration::from_secs(15);
/// A round of a trace may wait for that many silent hops.
const ROUND: Duration = Duration::from_secs(10);
/// File systems that are full and read-only by nature.
const IMAGES: [&str; 6] = ["squashfs", "erofs", "iso9660", "udf", "cramfs", "romfs"];

/// State and verdict as conditions see them at one moment. Answers are kept, for
/// conditions ask the same again and again.
#[derive(Debug)]
pub struct Observed<'a> {
    pub(super) state: &'a State,
    pub(super) verdict: &'a Verdict,
    remembered: &'a Remembered,
    at: At,
    figures: RefCell<HashMap<(Figure, String), Option<f64>>>,
    facts: RefCell<HashMap<(Fact, String), Option<bool>>>,
    /// Asked by every code of a path.
    pub(super) reach: OnceCell<Judged>,
}

impl Observations for Observed<'_> {
    fn figure(&self, figure: Figure, subject: &str) -> Option<f64> {
        let key = (figure, subject.to_owned());
        if let Some(known) = self.figures.borrow().get(&key) {
            return *known;
        }
        let value = self.measure(figure, subject);
        self.figures.borrow_mut().insert(key, value);
        value
    }

    fn fact(&self, fact: Fact, subject: &str) -> Option<bool> {
        let key = (fact, subject.to_owned());
        if let Some(known) = self.facts.borrow().get(&key) {
            return *known;
        }
        let value = self.establish(fact, subject);
        self.facts.borrow_mut().insert(key, value);
        value
    }
}

impl<'a> Observed<'a> {
    /// How things stand at `at`; the verdict is of the same moment.
    pub fn new(state: &'a State, verdict: &'a Verdict, remembered: &'a Remembered, at: At) -> Self {
        Self {
            state,
            verdict,
            remembered,
            at,
            figures: RefCell::default(),
            facts: RefCell::default(),
            reach: OnceCell::new(),
        }
    }

    fn measure(&self, figure: Figure, subject: &str) -> Option<f64> {
        let rtt = |q: fn(&Stats) -> Option<Duration>| {
            self.worst(subject, f64::max, None, |t| {
                let each = self.carriers(t)?.into_iter().map(|p| q(&p.series.since(self.window())).map(millis));
                each.reduce(|a, b| Some(a?.max(b?)))?
            })
        };
        match figure {
            Figure::Loss => self.worst(subject, f64::max, Some(1.0), |t| {
                let each = self.carriers(t)?.into_iter().map(|p| p.series.tally_since(self.window()).loss());
                each.reduce(|a, b| Some(a?.max(b?)))?
            }),
            Figure::RttP50 => rtt(|s| s.p50),
            Figure::RttP90 => rtt(|s| s.p90),
            Figure::RttP99 => rtt(|s| s.p99),
            // Nothing learns yet what is usual.
            Figure::Baseline => None,
            Figure::Success => self.worst(subject, f64::min, Some(0.0), |t| {
                let (passed, sent) = self.passed(t)?;
                (sent > 0).then(|| passed as f64 / sent as f64)
            }),
            Figure::Probes => self.worst(subject, f64::min, Some(0.0), |t| Some(self.passed(t)?.1 as f64)),
            Figure::DnsMs => self.worst(subject, f64::max, None, |t| self.dns_ms(t)),
            Figure::ClockOffset => self.clock_offset(),
            Figure::CertificateDays => self.worst(subject, f64::min, None, |t| self.certificate_days(t)),
            Figure::Cpu => self.load()?.cpu,
            Figure::Memory => {
                let load = self.load().filter(|l| l.memory_total > 0)?;
                Some(1.0 - load.memory_available as f64 / load.memory_total as f64)
            }
            Figure::Disk => self.disk(subject),
            Figure::IoPressure => Some(self.load()?.pressure?.io),
        }
    }

    fn establish(&self, fact: Fact, subject: &str) -> Option<bool> {
        match fact {
            Fact::Finding => finding(self, subject),
            Fact::Listening => self.listening(subject.parse().ok()?),
            Fact::Answers => all(self.targets(subject).iter().map(|t| self.answers(t))),
            Fact::Measured => {
                let targets = self.targets(subject);
                let measured = |t: &&Target| self.state.probes_of(t.id).any(|p| self.is_fresh(p));
                Some(!targets.is_empty() && targets.iter().all(measured))
            }
            Fact::LinkUp => self.interfaces(subject, |index| {
                Some(self.state.network.link(index).is_some_and(|l| l.admin_up && l.carrier))
            }),
            Fact::HasAddress => self.interfaces(subject, |index| {
                let network = &self.state.network;
                Some(network.interface_has_global(index) || network.link(index)?.is_loopback())
            }),
            Fact::HasRoute => self.has_route(),
            Fact::Writable => self.writable(),
        }
    }

    // Subjects.

    /// The targets of a subject; everything found where nobody named any.
    pub(super) fn targets(&self, subject: &str) -> Vec<&'a Target> {
        let of = |wanted: &dyn Fn(&Target) -> bool| self.state.targets().filter(|t| wanted(t)).collect::<Vec<_>>();
        match subject {
            "gateway" => of(&|t| t.role == Role::Gateway),
            "resolvers" => of(&|t| t.role == Role::Resolver),
            "targets" => {
                let watched = of(&|t| t.role == Role::Watched);
                if watched.is_empty() { of(&|t| t.role != Role::Hop) } else { watched }
            }
            name => of(&|t| t.role != Role::Hop && (t.name() == name || t.text == name)),
        }
    }

    /// The worst of what each target of a subject says. `extreme` is as bad as it
    /// can be: then nobody else need be known.
    fn worst(
        &self,
        subject: &str,
        pick: fn(f64, f64) -> f64,
        extreme: Option<f64>,
        each: impl Fn(&'a Target) -> Option<f64>,
    ) -> Option<f64> {
        let values: Vec<_> = self.targets(subject).into_iter().map(each).collect();
        let worst = values.iter().flatten().copied().reduce(pick)?;
        (values.iter().all(Option::is_some) || Some(worst) == extreme).then_some(worst)
    }

    // Freshness.

    fn window(&self) -> Mono {
        self.at.mono.before(WINDOW)
    }

    fn lately(&self, probe: &ProbeState) -> Mono {
        let round = if probe.kind() == ProbeKind::Trace { ROUND } else { Duration::ZERO };
        self.at.mono.before(probe.spec.interval * 3 + probe.spec.timeout + Duration::from_secs(1) + round)
    }

    /// Whether something was sent lately and its outcome is known.
    pub(super) fn is_fresh(&self, probe: &ProbeState) -> bool {
        let from = self.lately(probe);
        if probe.kind() == ProbeKind::Trace {
            return probe.paths.iter().any(|(_, path)| path.last_round.as_ref().is_some_and(|r| r.began >= from));
        }
        probe.last_sent().is_some_and(|s| s.sent >= from)
    }

    /// Whether it was answered lately, late or not.
    pub(super) fn is_answered(&self, probe: &ProbeState) -> bool {
        let from = self.lately(probe);
        let reached = probe.paths.iter().any(|(_, path)| path.last_reached.is_some_and(|at| at >= from));
        let mut points = probe.series.points_since(from).rev();
        reached || points.any(|(_, p)| matches!(p, Point::Answered(_) | Point::Late(_)))
    }

    /// Whether anybody was heard at that address lately.
    pub(super) fn is_alive(&self, ip: IpAddr) -> bool {
        self.state.probes_to(ip).any(|p| {
            self.is_answered(p) || p.series.last_life().is_some_and(|sent| sent >= self.lately(p)) && self.is_fresh(p)
        })
    }

    /// The kernel's tables, while they are fresh.
    pub(super) fn has_tables(&self) -> bool {
        self.state.network.now.as_ref().is_some_and(|(at, _)| self.at.mono.since(at.mono) <= TABLE_AGE)
    }

    /// Whether the way to an address is known.
    pub(super) fn has_lookup(&self, ip: IpAddr) -> bool {
        let fresh = self.state.network.lookups_at.is_some_and(|at| self.at.mono.since(at.mono) <= TABLE_AGE);
        fresh && self.state.network.lookup(ip).is_some()
    }

    pub(super) fn sockets(&self) -> Option<&'a Sockets> {
        self.state.sockets.as_ref().filter(|(at, _)| self.at.mono.since(at.mono) <= TABLE_AGE).map(|(_, s)| s)
    }

    pub(super) fn load(&self) -> Option<&'a HostLoad> {
        let (at, load) = self.state.load().next_back()?;
        (self.at.mono.since(at.mono) <= LOAD_AGE).then_some(load)
    }

    // Probes.

    /// Silence that says nothing: a UDP service that never answered may have no
    /// answer to give, a gateway whose link-layer address is known may not answer
    /// echo at all.
    pub(super) fn is_mute(&self, probe: &ProbeState) -> bool {
        if probe.series.tally().received() > 0 {
            return false;
        }
        let gateway = || {
            let is = |id| self.state.target(id).is_some_and(|t| t.role == Role::Gateway);
            probe.spec.targets.iter().any(|id| is(*id))
        };
        let resolved = || {
            let ip = probe.spec.ask.address()?;
            Some(self.state.network.neighbour(probe.spec.scope, ip)?.state.is_resolved())
        };
        match probe.kind() {
            ProbeKind::Udp => true,
            ProbeKind::Icmp => gateway() && resolved() == Some(true),
            _ => false,
        }
    }

    /// For every address of a target the probe whose packets tell of the way
    /// there; none where one of them is not measured.
    fn carriers(&self, target: &Target) -> Option<Vec<&'a ProbeState>> {
        let addresses = self.state.addresses_of(target.id);
        let carriers: Option<Vec<_>> = addresses.into_iter().map(|ip| self.carrier(target, ip)).collect();
        carriers.filter(|list| !list.is_empty())
    }

    /// Echo; where it was never answered though another probe was, that one, for
    /// then echo is filtered.
    fn carrier(&self, target: &Target, ip: IpAddr) -> Option<&'a ProbeState> {
        const ORDER: [ProbeKind; 7] = [
            ProbeKind::Icmp,
            ProbeKind::Tcp,
            ProbeKind::Dns,
            ProbeKind::Ntp,
            ProbeKind::Udp,
            ProbeKind::Tls,
            ProbeKind::Http,
        ];
        let measured: Vec<_> = ORDER
            .iter()
            .filter_map(|kind| self.state.probe_at(target.id, Some(ip), *kind))
            .filter(|p| self.is_fresh(p) && !self.is_mute(p))
            .collect();
        let heard = measured.iter().find(|p| p.series.tally().received() > 0);
        heard.or(measured.first()).copied()
    }

    /// Probes passed and probes sent since the recovery began.
    fn passed(&self, target: &Target) -> Option<(u64, u64)> {
        let counts = |p: &&ProbeState| {
            let filtered = p.kind() == ProbeKind::Icmp
                && p.series.tally().received() == 0
                && p.spec.ask.address().is_some_and(|ip| self.is_alive(ip));
            !matches!(p.kind(), ProbeKind::Trace | ProbeKind::Resolve) && !filtered && !self.is_mute(p)
        };
        let each: Vec<_> = self.state.probes_of(target.id).filter(counts).collect();
        let each = each.into_iter().map(|p| self.remembered.passed(p.spec.id, p.series.tally()));
        each.reduce(|a, b| a.zip(b).map(|((p, s), (q, t))| (p + q, s + t)))?
    }

    fn answers(&self, target: &Target) -> Option<bool> {
        let probes = || self.state.probes_of(target.id).filter(|p| p.kind() != ProbeKind::Resolve);
        if probes().any(|p| self.is_answered(p)) {
            return Some(true);
        }
        probes().any(|p| self.is_fresh(p) && !self.is_mute(p)).then_some(false)
    }

    /// Of a name server its own answers, of a name this host's resolution.
    fn dns_ms(&self, target: &Target) -> Option<f64> {
        let of = |kind| self.state.probes_of(target.id).filter(move |p| p.kind() == kind).collect::<Vec<_>>();
        let mut probes = of(ProbeKind::Dns);
        if probes.is_empty() {
            probes = of(ProbeKind::Resolve);
        }
        let median = |p: &ProbeState| self.is_fresh(p).then(|| p.series.since(self.window()).p50.map(millis)).flatten();
        probes.into_iter().map(median).reduce(|a, b| Some(a?.max(b?)))?
    }

    /// By the server nearest to the source of time among those that answered.
    fn clock_offset(&self) -> Option<f64> {
        let answer = |p: &'a ProbeState| match p.last_sent().filter(|_| self.is_fresh(p)).map(|s| &s.outcome) {
            Some(Outcome::Answered { detail: Detail::Ntp(answer), .. }) => Some(answer),
            _ => None,
        };
        let synchronised = |a: &&NtpAnswer| (1..16).contains(&a.stratum) && a.leap != 3;
        let answers = self.state.probes().filter(|p| p.kind() == ProbeKind::Ntp).filter_map(answer);
        let best = answers.filter(synchronised).min_by_key(|a| (a.stratum, a.root_dispersion_us))?;
        Some(best.offset_ns.unsigned_abs() as f64 / 1e9)
    }

    /// Of the certificate that expires first.
    fn certificate_days(&self, target: &Target) -> Option<f64> {
        let shown = |p: &'a ProbeState| -> Option<&'a TlsAnswer> {
            match p.last_sent().filter(|_| self.is_fresh(p)).map(|s| &s.outcome) {
                Some(Outcome::Answered { detail: Detail::Tls(answer), .. }) => Some(answer),
                _ => None,
            }
        };
        let now = self.at.wall.unix_seconds();
        let days = |p| Some((shown(p)?.chain.first()?.not_after - now).div_euclid(86_400) as f64);
        let probes = self.state.probes_of(target.id).filter(|p| p.kind() == ProbeKind::Tls);
        probes.map(days).reduce(|a, b| Some(a?.min(b?)))?
    }

    // This host.

    /// A file system that does not answer may be full.
    fn disk(&self, mount: &str) -> Option<f64> {
        let used = |d: &Disk| (!d.hung && d.total > 0).then(|| 1.0 - d.available.min(d.total) as f64 / d.total as f64);
        let mut disks = self.load()?.disks.iter();
        if !mount.is_empty() {
            return used(disks.find(|d| d.mount.as_str() == mount)?);
        }
        disks.filter(|d| !is_image(d)).map(used).reduce(|a, b| Some(a?.max(b?)))?
    }

    /// One that was read-only from the beginning may be meant to be: nobody knows.
    fn writable(&self) -> Option<bool> {
        all(self.load()?.disks.iter().filter(|d| !is_image(d)).map(|d| match (d.hung, d.read_only) {
            (false, false) => Some(true),
            (false, true) if self.remembered.was_writable(&d.mount) => Some(false),
            _ => None,
        }))
    }

    fn listening(&self, port: u16) -> Option<bool> {
        let sockets = self.sockets()?;
        let found = sockets.listeners.iter().any(|l| l.transport == Transport::Tcp && l.local.port() == port);
        let complete = sockets.left_out == 0 || sockets.listeners.len() < MAX_LISTENERS;
        (found || complete).then_some(found)
    }

    /// The interface of that name, or those that carry what is watched.
    fn interfaces(&self, name: &str, holds: impl Fn(u32) -> Option<bool>) -> Option<bool> {
        if !self.has_tables() {
            return None;
        }
        let network = &self.state.network;
        if !name.is_empty() {
            return network.links().iter().find(|l| l.name.as_str() == name).map_or(Some(false), |l| holds(l.index));
        }
        let addresses: Vec<_> =
            self.targets("targets").iter().flat_map(|t| self.state.addresses_of(t.id)).map(Some).collect();
        let addresses = if addresses.is_empty() { vec![None] } else { addresses };
        let mut carrying: Vec<_> = addresses.into_iter().map(|ip| network.carrying_interface(ip)).collect();
        carrying.sort_unstable();
        carrying.dedup();
        all(carrying.into_iter().map(|index| holds(index?)))
    }

    fn has_route(&self) -> Option<bool> {
        if !self.has_tables() {
            return None;
        }
        let network = &self.state.network;
        let addresses: Vec<_> = self.targets("targets").iter().flat_map(|t| self.state.addresses_of(t.id)).collect();
        if addresses.is_empty() {
            return Some(network.has_default(true) || network.has_default(false));
        }
        all(addresses.into_iter().map(|ip| {
            let result = network.lookup(ip).filter(|_| self.has_lookup(ip))?;
            Some(matches!(result, LookupResult::Via { .. }))
        }))
    }
}

/// No as soon as one is no, yes where there are some and all are yes.
fn all(each: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    each.fold(None, |so_far: Option<Option<bool>>, one| {
        Some(match (so_far, one) {
            (_, Some(false)) | (Some(Some(false)), _) => Some(false),
            (None | Some(Some(true)), Some(true)) => Some(true),
            _ => None,
        })
    })
    .flatten()
}

fn is_image(disk: &Disk) -> bool {
    IMAGES.contains(&disk.kind.as_str())
}

fn millis(d: Duration) -> f64 {
    d.as_secs_f64() * 1e3
}
