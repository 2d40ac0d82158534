//! What runbook conditions ask, answered from the state and the verdict.
//!
//! Owns the joint between the vocabulary of conditions and the fold. Must never
//! answer yes for what was not measured.

use std::time::Duration;

use crate::model::{Detail, Mono, Outcome, ProbeKind, Role, Status, TargetId, Verdict};
use crate::runbook::{Fact, Figure, Observations, code_matches};
use crate::state::{ProbeState, State, Stats};

/// Figures look back this far.
const WINDOW: Duration = Duration::from_secs(60);

/// The state and the verdict as conditions see them.
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    /// Everything known.
    pub state: &'a State,
    /// What the diagnosis says.
    pub verdict: &'a Verdict,
}

impl<'a> Observed<'a> {
    fn now(&self) -> Mono {
        self.state.now.mono
    }

    /// The probes that a subject means.
    fn probes(&self, subject: &str) -> Vec<&'a ProbeState> {
        let wanted = |role: Role, name: &str, text: &str| match subject {
            "gateway" => role == Role::Gateway,
            "resolvers" => role == Role::Resolver,
            "targets" => role == Role::Watched,
            other => role != Role::Hop && (name == other || text == other),
        };
        let targets: Vec<TargetId> =
            self.state.targets().filter(|t| wanted(t.role, t.name(), &t.text)).map(|t| t.id).collect();
        // With nothing named, what was found by itself is what is watched.
        if targets.is_empty() && subject == "targets" {
            return [self.probes("gateway"), self.probes("resolvers")].concat();
        }
        let state = self.state;
        let mut probes: Vec<_> = targets.into_iter().flat_map(|id| state.probes_of(id)).collect();
        probes.retain(|p| !matches!(p.kind(), ProbeKind::Trace | ProbeKind::Resolve));
        probes.sort_by_key(|p| p.spec.id);
        probes.dedup_by_key(|p| p.spec.id);
        probes
    }

    /// The worst of what the subject's fresh probes say; none where any of them
    /// has nothing fresh to say.
    fn worst(&self, subject: &str, read: impl Fn(&Stats) -> Option<f64>) -> Option<f64> {
        let probes = self.probes(subject);
        let from = self.now().before(WINDOW);
        let mut worst = None;
        for probe in probes {
            if !self.has_sent(probe) {
                return None;
            }
            let value = read(&probe.series.since(from))?;
            worst = Some(worst.map_or(value, |w: f64| w.max(value)));
        }
        worst
    }

    /// Whether the probe sent anything lately: what never left this host says nothing
    /// about the network.
    fn has_sent(&self, probe: &ProbeState) -> bool {
        probe.is_fresh(self.now()) && probe.series.tally_since(self.now().before(WINDOW)).sent() > 0
    }

    fn carrying(&self, subject: &str) -> Option<u32> {
        if subject.is_empty() {
            let to = self.state.watched().flat_map(|t| self.state.addresses_of(t.id)).next();
            let to = to.or_else(|| self.state.network.default_gateways().first().map(|(ip, _)| *ip));
            return self.state.network.carrying_interface(to);
        }
        self.state.network.links().iter().find(|l| l.name.as_str() == subject).map(|l| l.index)
    }

    /// Whether what a finding code judges was measured at all: by its layer's own
    /// source.
    fn is_judged(&self, pattern: &str) -> bool {
        let any = |kinds: &[ProbeKind]| self.state.probes().any(|p| kinds.contains(&p.kind()) && self.has_sent(p));
        let traced = || {
            let mut paths = self.state.probes().flat_map(|p| p.paths.iter());
            paths.any(|(_, path)| path.rounds > 0 && path.hops().iter().any(|h| h.tally.sent() > 0))
        };
        match pattern.split('.').next().unwrap_or_default() {
            "link" | "addr" | "route" | "neigh" => self.state.network.listing().is_some(),
            "path" | "gateway" => traced() || any(&[ProbeKind::Icmp]),
            "dns" => any(&[ProbeKind::Dns, ProbeKind::Resolve]),
            "tls" => any(&[ProbeKind::Tls, ProbeKind::Http]),
            "http" | "service" => any(&[ProbeKind::Tls, ProbeKind::Http]),
            "port" | "tcp" => any(&[ProbeKind::Tcp, ProbeKind::Tls, ProbeKind::Http]),
            "time" => any(&[ProbeKind::Ntp]),
            "host" => any(&[ProbeKind::Icmp, ProbeKind::Tcp]) || self.state.load_now().is_some(),
            _ => self.verdict.status != Status::Unmeasured,
        }
    }
}

fn ms(d: Option<Duration>) -> Option<f64> {
    d.map(|d| d.as_secs_f64() * 1e3)
}

impl Observations for Observed<'_> {
    fn figure(&self, figure: Figure, subject: &str) -> Option<f64> {
        let load = self.state.load_now();
        match figure {
            Figure::Loss => self.worst(subject, |s| s.tally.failure()),
            Figure::RttP50 => self.worst(subject, |s| ms(s.p50)),
            Figure::RttP90 => self.worst(subject, |s| ms(s.p90)),
            Figure::RttP99 => self.worst(subject, |s| ms(s.p99)),
            // No baseline is learned yet, and no recovery is followed.
            Figure::Baseline | Figure::Success | Figure::Probes => None,
            Figure::DnsMs => {
                let dns = self.probes(subject).into_iter().filter(|p| p.kind() == ProbeKind::Dns);
                dns.filter_map(|p| ms(p.series.since(self.now().before(WINDOW)).p50)).reduce(f64::max)
            }
            Figure::ClockOffset => {
                let offsets = self.state.probes().filter(|p| p.is_fresh(self.now())).filter_map(|p| {
                    match &p.last_answer()?.outcome {
                        Outcome::Answered { detail: Detail::Ntp(a), .. } => Some((a.offset_ns as f64 / 1e9).abs()),
                        _ => None,
                    }
                });
                offsets.reduce(f64::min)
            }
            Figure::CertificateDays => {
                let now = self.state.now.wall.unix_seconds();
                let left = self.probes(subject).into_iter().filter_map(|p| match &p.last_answer()?.outcome {
                    Outcome::Answered { detail: Detail::Tls(a), .. } => a.chain.first().map(|c| c.not_after),
                    Outcome::Answered { detail: Detail::Http(a), .. } => {
                        a.tls.as_ref().and_then(|t| t.chain.first()).map(|c| c.not_after)
                    }
                    _ => None,
                });
                left.map(|end| (end - now) as f64 / 86_400.0).reduce(f64::min)
            }
            Figure::Cpu => load?.cpu,
            Figure::Memory => {
                let l = load?;
                crate::model::units::ratio(l.memory_total.saturating_sub(l.memory_available), l.memory_total)
            }
            Figure::Disk => {
                let disks = load?.disks.iter().filter(|d| subject.is_empty() || d.mount.as_str() == subject);
                let shares = disks
                    .filter(|d| !d.hung)
                    .filter_map(|d| crate::model::units::ratio(d.total.saturating_sub(d.available), d.total));
                shares.reduce(f64::max)
            }
            Figure::IoPressure => load?.pressure.map(|p| p.io),
        }
    }

    fn fact(&self, fact: Fact, subject: &str) -> Option<bool> {
        match fact {
            Fact::Finding => {
                let found = self
                    .verdict
                    .findings
                    .iter()
                    .any(|f| f.severity > crate::model::Severity::Info && code_matches(subject, &f.code));
                (found || self.is_judged(subject)).then_some(found)
            }
            Fact::Listening => {
                let port: u16 = subject.parse().ok()?;
                let (_, sockets) = self.state.sockets.as_ref()?;
                Some(sockets.listeners.iter().any(|l| l.local.port() == port))
            }
            Fact::Answers => {
                let probes = self.probes(subject);
                let sent: Vec<_> = probes.iter().filter(|p| self.has_sent(p)).collect();
                let from = self.now().before(WINDOW);
                (!sent.is_empty()).then(|| sent.iter().any(|p| p.series.tally_since(from).answered > 0))
            }
            Fact::Measured => Some(self.probes(subject).iter().any(|p| self.has_sent(p))),
            Fact::LinkUp => {
                self.state.network.listing()?;
                let link = self.carrying(subject).and_then(|index| self.state.network.link(index))?;
                Some(link.admin_up && link.carrier)
            }
            Fact::HasAddress => {
                self.state.network.listing()?;
                Some(self.state.network.interface_has_global(self.carrying(subject)?))
            }
            Fact::HasRoute => {
                let listing = self.state.network.listing()?;
                Some(listing.routes.iter().any(|r| !r.next_hops.is_empty()))
            }
            Fact::Writable => {
                let load = self.state.load_now()?;
                // What is always read-only (images) is not known apart from what turned so.
                (!load.disks.is_empty()).then(|| !load.disks.iter().any(|d| d.read_only && d.mount.as_str() == "/"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{At, Message};

    /// Before anything was measured no condition is met, and none is refused.
    #[test]
    fn nothing_measured_is_neither_yes_nor_no() {
        let state = State::default();
        let verdict = Verdict {
            status: Status::Unmeasured,
            side: None,
            summary: Message::new("verdict-measuring"),
            findings: Vec::new(),
            unmeasured: Vec::new(),
            at: At::default(),
        };
        let seen = Observed { state: &state, verdict: &verdict };
        for code in ["link.*", "path.loss", "dns.*", "tls.*", "http.*", "port.*", "time.offset", "host.*", "*"] {
            assert_eq!(seen.fact(Fact::Finding, code), None, "{code}");
        }
        for fact in [Fact::Answers, Fact::LinkUp, Fact::HasAddress, Fact::HasRoute, Fact::Writable] {
            assert_eq!(seen.fact(fact, "targets"), None, "{fact:?}");
        }
        for figure in [Figure::Loss, Figure::RttP90, Figure::Success, Figure::Disk, Figure::ClockOffset] {
            assert_eq!(seen.figure(figure, "targets"), None, "{figure:?}");
        }
        assert_eq!(seen.fact(Fact::Measured, "targets"), Some(false));
    }
}
