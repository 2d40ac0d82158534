//! Whether "no finding" means that all is well, or that nobody looked.
//!
//! Owns, for every code of the catalogue, which measurements its rule needs: where
//! they are missing or stale, or fail for another reason, it has not been judged.

use super::observe::Observed;
use crate::diagnosis::catalogue::{self, Code};
use crate::model::{Layer, ProbeKind, Role, Severity, Target};
use crate::runbook::code_matches;

/// Whether a code has been judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judged {
    /// Nothing here that it could be about.
    Moot,
    /// On fresh measurements.
    Yes,
    /// Not, or not on all that it is about.
    No,
}

impl From<bool> for Judged {
    fn from(judged: bool) -> Self {
        if judged { Self::Yes } else { Self::No }
    }
}

/// Whether a finding stands whose code fits the pattern. What explains and harms
/// nothing counts where it is asked for by its whole code.
pub(super) fn finding(seen: &Observed<'_>, pattern: &str) -> Option<bool> {
    let exact = !pattern.ends_with('*');
    let mut findings = seen.verdict.findings.iter().filter(|f| code_matches(pattern, &f.code));
    if findings.any(|f| exact || f.severity > Severity::Info) {
        return Some(true);
    }
    let mut answer = None;
    for code in catalogue::ALL.iter().filter(|c| code_matches(pattern, c.name)) {
        match judged(seen, *code) {
            Judged::Moot => {}
            Judged::Yes => answer = Some(false),
            Judged::No => return None,
        }
    }
    answer
}

fn judged(seen: &Observed<'_>, code: Code) -> Judged {
    match code.layer {
        Layer::Link => seen.has_tables().into(),
        Layer::Neighbour if seen.targets("gateway").is_empty() => Judged::Moot,
        Layer::Neighbour => seen.has_tables().into(),
        Layer::Network if code.name.starts_with("route.") => {
            let targets = seen.targets("targets");
            let mut addresses = targets.iter().flat_map(|t| seen.state.addresses_of(t.id));
            (seen.has_tables() && addresses.all(|ip| seen.has_lookup(ip))).into()
        }
        Layer::Network => *seen.reach.get_or_init(|| reach(seen)),
        Layer::Transport => transport(seen, code),
        Layer::Name => names(seen),
        Layer::Tls => probes(seen, &[ProbeKind::Tls]),
        Layer::Application if code.name.starts_with("http.") => probes(seen, &[ProbeKind::Http]),
        Layer::Application => probes(seen, &[ProbeKind::Tls, ProbeKind::Http]),
        Layer::Time => probes(seen, &[ProbeKind::Ntp]),
        Layer::Host => seen.load().is_some().into(),
        Layer::Cloud => Judged::No,
    }
}

/// Every address of every target was heard lately. Silence without a finding has
/// not yet been judged.
fn reach(seen: &Observed<'_>) -> Judged {
    let targets = seen.targets("targets");
    if targets.is_empty() {
        return Judged::Moot;
    }
    let heard = |t: &&Target| {
        let addresses = seen.state.addresses_of(t.id);
        let gateway = t.role == Role::Gateway && seen.has_tables();
        let mute = gateway && seen.state.probes_of(t.id).any(|p| seen.is_fresh(p) && seen.is_mute(p));
        !addresses.is_empty() && addresses.iter().all(|ip| seen.is_alive(*ip) || mute)
    };
    targets.iter().all(heard).into()
}

fn transport(seen: &Observed<'_>, code: Code) -> Judged {
    match code.name {
        "port.not_listening" | "port.loopback_only" if seen.state.expected.is_empty() => Judged::Moot,
        "firewall.local_drop" => probes(seen, &[ProbeKind::Icmp, ProbeKind::Tcp, ProbeKind::Udp]),
        "udp.no_reply" => probes(seen, &[ProbeKind::Udp]),
        name if name.starts_with("port.") && code.side == crate::model::Side::Service => {
            probes(seen, &[ProbeKind::Tcp, ProbeKind::Udp])
        }
        _ => seen.sockets().is_some().into(),
    }
}

/// Every name server answers by itself, and every watched name was looked up.
fn names(seen: &Observed<'_>) -> Judged {
    let servers = seen.targets("resolvers");
    let named: Vec<&Target> =
        seen.state.watched().filter(|t| t.host.name().is_some_and(|n| n != "localhost")).collect();
    if servers.is_empty() && named.is_empty() {
        return Judged::Moot;
    }
    let answered = |t: &&Target, kind: ProbeKind| {
        let mut probes = seen.state.probes_of(t.id).filter(|p| p.kind() == kind).peekable();
        probes.peek().is_some() && probes.all(|p| seen.is_answered(p))
    };
    let known = seen.state.resolvers.is_some();
    let all =
        servers.iter().all(|t| answered(t, ProbeKind::Dns)) && named.iter().all(|t| answered(t, ProbeKind::Resolve));
    (known && all).into()
}

/// The probes of these kinds of all that is watched were answered lately.
fn probes(seen: &Observed<'_>, kinds: &[ProbeKind]) -> Judged {
    let mut probes =
        seen.state.watched().flat_map(|t| seen.state.probes_of(t.id)).filter(|p| kinds.contains(&p.kind())).peekable();
    if probes.peek().is_none() {
        return Judged::Moot;
    }
    probes.all(|p| seen.is_answered(p)).into()
}
