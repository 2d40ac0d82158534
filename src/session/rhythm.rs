//! How often the wanted probes are made: slower where they would crowd out each
//! other or spend the routers' answers, sooner where something fails.
//!
//! Pure: the same state gives the same rhythm. Must never decide what is measured.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use super::plan::{PlanOptions, Wanted};
use crate::model::{Mono, Outcome, ProbeKind, Target};
use crate::state::{Path, ProbeState, State};

/// Loss from which on hops are echoed, and how far back it is looked for.
pub(super) const SUSPICIOUS: (u64, Duration) = (2, Duration::from_secs(30));

/// Traces follow each other that often at most where there are several, and where
/// one of them does not reach its target.
const SEVERAL: Duration = Duration::from_secs(1);
const IN_THE_DARK: Duration = Duration::from_secs(2);
/// Echoes this close belong to a check.
const CLOSE: Duration = Duration::from_millis(100);

/// What fails is asked again so soon: the sooner it is certain, the sooner it is
/// told, and the sooner a recovery shows.
const AGAIN: Duration = Duration::from_secs(1);
/// A path that loses some packets is echoed so often, to tell how many and where.
const COUNTING: Duration = Duration::from_millis(200);
/// At most so many probes are hastened; where more fail the cause is not theirs.
const HASTENED: usize = 24;

/// Asks again soon where something failed, so that a slow rhythm does not delay the
/// verdict.
pub(super) fn hasten(state: &State, wanted: &mut [Wanted]) {
    let from = state.now.mono.before(SUSPICIOUS.1);
    let slow = |w: &&mut Wanted| w.interval > if w.ask.kind() == ProbeKind::Icmp { COUNTING } else { AGAIN };
    let running: HashMap<_, _> = state.probes().map(|p| ((&p.spec.ask, p.spec.scope), p)).collect();
    let troubled = |w: &&mut Wanted| {
        let Some(probe) = running.get(&(&w.ask, w.scope)) else { return false };
        match w.ask.kind() {
            ProbeKind::Icmp => loses(probe, from),
            ProbeKind::Trace => false,
            _ => probe.last_sent().is_some_and(|s| !matches!(s.outcome, Outcome::Answered { .. })),
        }
    };
    for w in wanted.iter_mut().filter(slow).filter(troubled).take(HASTENED) {
        w.interval = if w.ask.kind() == ProbeKind::Icmp { COUNTING } else { AGAIN };
    }
}

/// Share of the packet budget that a plan may fill; the rest is for answers that
/// call for more, and for names.
const SHARE: f64 = 0.6;

/// Slows everything down alike where there are more targets than the packet budget
/// lets be measured at the rhythm wanted: every second measurement made is worth
/// more than a random half refused. By whole powers of two, so that one target more
/// does not change every probe.
pub(super) fn fit(wanted: &mut [Wanted], budget: f64) {
    let packets = |w: &Wanted| match w.ask.kind() {
        ProbeKind::Icmp | ProbeKind::Udp | ProbeKind::Ntp => 1.0,
        ProbeKind::Dns | ProbeKind::Resolve => 2.0,
        ProbeKind::Tcp | ProbeKind::Trace => 4.0,
        ProbeKind::Tls | ProbeKind::Http => 12.0,
    };
    let load: f64 = wanted.iter().map(|w| packets(w) / w.interval.as_secs_f64().max(0.001)).sum();
    let mut factor = 1;
    while load / f64::from(factor) > budget * SHARE && factor < 1024 {
        factor *= 2;
    }
    for w in wanted {
        w.interval *= factor;
    }
}

/// How often a path is traced. Routers that several paths share are asked once for
/// all of them; still the "host unreachable" that explains a dead target comes out of
/// the same small budget of the last router (Linux: six at once, then one a second),
/// which answers for its other paths, and as a target of its own, as well.
pub(super) fn trace_interval(state: &State, options: &PlanOptions) -> Duration {
    let base = options.pace.trace;
    let traces = || state.probes().filter(|p| p.kind() == ProbeKind::Trace);
    if traces().count() < 2 {
        return base;
    }
    let dark = traces().any(|p| {
        let mut ended = p.paths.iter().map(|(_, path)| path).filter(|path| path.rounds > 0).peekable();
        ended.peek().is_some() && ended.all(Path::is_dark)
    });
    base.max(if dark { IN_THE_DARK } else { SEVERAL })
}

/// How often a watched host is echoed in a check. Where some are lost, more of them
/// tell a tenth from a twentieth.
pub(super) fn echo_interval(state: &State, options: &PlanOptions, target: &Target, ip: IpAddr) -> Duration {
    let base = options.pace.echo;
    let loses = || {
        let echo = state.probe_at(target.id, Some(ip), ProbeKind::Icmp);
        echo.is_some_and(|p| loses(p, state.now.mono.before(SUSPICIOUS.1)))
    };
    if base <= CLOSE && loses() { base * 2 / 5 } else { base }
}

/// Whether a probe lost some of its packets, but not all.
pub(super) fn loses(probe: &ProbeState, from: Mono) -> bool {
    let tally = probe.series.tally_since(from);
    tally.lost + tally.errors >= SUSPICIOUS.0 && tally.received() > 0
}
