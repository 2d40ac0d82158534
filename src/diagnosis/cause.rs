//! Which finding explains which: the declared edges, and what both affect.

use std::net::IpAddr;

use super::catalogue::{Class, TIME_OFFSET, TLS_EXPIRED, TLS_NOT_YET_VALID};
use super::draft::Draft;
use super::scene::Scene;
use crate::model::{Finding, FindingId, Role, Severity, TargetId};

/// The index of the finding that explains `effect`: the one nearest to the root
/// among those of an earlier class that affect everything it affects.
pub fn cause_of(drafts: &[Draft], effect: usize, scene: &Scene<'_>) -> Option<usize> {
    let wanted = &drafts[effect];
    drafts
        .iter()
        .enumerate()
        .filter(|(i, d)| *i != effect && d.severity > Severity::Info && may_cause(d, wanted))
        .filter(|(_, d)| covers(d, wanted, scene))
        .min_by_key(|(_, d)| d.code.class)
        .map(|(i, _)| i)
}

/// The declared edges: by class, and the one that crosses the classes, from this
/// host's clock to the dates of certificates.
fn may_cause(cause: &Draft, effect: &Draft) -> bool {
    let by_clock = cause.code == TIME_OFFSET && cause.severity == Severity::Critical;
    by_clock && [TLS_EXPIRED, TLS_NOT_YET_VALID].contains(&effect.code) || cause.code.class.may_cause(effect.code.class)
}

/// Whether everything that `effect` affects suffers from `cause`. A fault of this
/// host as a whole (no affected target named) covers all; one of a single service
/// of it does not.
fn covers(cause: &Draft, effect: &Draft, scene: &Scene<'_>) -> bool {
    if cause.affects.is_empty() {
        return cause.code.class != Class::Listener;
    }
    if effect.affects.is_empty() {
        return false;
    }
    // A name server's trouble is explained by what cuts off the server itself.
    let own = |id| scene.state.target(id).is_some_and(|t| t.role == Role::Resolver);
    let resolvers: Vec<_> = effect.affects.iter().filter(|(id, _)| own(*id)).collect();
    let to_explain: Vec<_> = if resolvers.is_empty() { effect.affects.iter().collect() } else { resolvers };
    // A name that was resolved is not what keeps its address from working.
    if cause.code.class == Class::Name && effect.affects.iter().any(|(_, address)| address.is_some()) {
        return false;
    }
    // What is wrong with one port says nothing about another of the same host, and
    // one name's certificate nothing about another name at the same port.
    let of_one_service = cause.code.class >= Class::Listener || cause.code.class == Class::Firewall;
    let of_one_name = cause.code.class >= Class::Tls;
    let explains = |(cid, caddress): &(TargetId, Option<IpAddr>), id: TargetId, address: Option<IpAddr>| {
        match (caddress, address) {
            _ if of_one_name && *cid != id => false,
            _ if of_one_service && *cid != id && cause.subject != effect.subject => false,
            // One address: whoever is at it suffers alike.
            (Some(c), Some(e)) => *c == e,
            // The cause is about a name: it explains what that target lacks.
            (None, _) => *cid == id,
            (Some(_), None) => false,
        }
    };
    to_explain.into_iter().all(|(id, address)| cause.affects.iter().any(|c| explains(c, *id, *address)))
}

/// Roots first by severity, affected targets and layer, each followed by what it
/// causes; findings for information last.
pub fn order(findings: Vec<Finding>, scene: &Scene<'_>) -> Vec<Finding> {
    // Name servers and gateways count as targets only where nobody named one.
    let counts =
        |id: &&TargetId| !scene.has_targets || scene.state.target(**id).is_some_and(|t| t.role == Role::Watched);
    let suffering = |f: &Finding| f.targets.iter().filter(counts).count();

    let (mut info, rest): (Vec<_>, Vec<_>) = findings.into_iter().partition(|f| f.severity == Severity::Info);
    let (mut roots, mut effects): (Vec<_>, Vec<_>) = rest.into_iter().partition(|f| f.caused_by.is_none());
    roots.sort_by_key(|f| (std::cmp::Reverse(f.severity), std::cmp::Reverse(suffering(f)), f.layer, f.id.clone()));
    effects.sort_by_key(|f| (f.layer, f.id.clone()));
    info.sort_by_key(|f| (f.layer, f.id.clone()));
    let mut ordered = Vec::with_capacity(roots.len() + effects.len() + info.len());
    for root in roots {
        let id = root.id.clone();
        ordered.push(root);
        append_effects(&id, &mut effects, &mut ordered);
    }
    // A cycle is impossible by the order of classes; nothing may be lost even so.
    ordered.append(&mut effects);
    ordered.append(&mut info);
    ordered
}

fn append_effects(cause: &FindingId, effects: &mut Vec<Finding>, ordered: &mut Vec<Finding>) {
    let mut i = 0;
    let mut mine = Vec::new();
    while i < effects.len() {
        if effects[i].caused_by.as_ref() == Some(cause) { mine.push(effects.remove(i)) } else { i += 1 }
    }
    for finding in mine {
        let id = finding.id.clone();
        ordered.push(finding);
        append_effects(&id, effects, ordered);
    }
}
