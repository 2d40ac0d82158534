//! What is broken, whose side it is on, and what explains what.
//!
//! Owns the catalogue of codes, the rules by layer, the order of causes and the
//! verdict. Must never read a clock, do I/O, draw, or fail.

pub mod catalogue;
mod cause;
mod draft;
mod link;
mod listener;
mod names;
mod neighbour;
mod path;
mod reach;
mod scene;
mod service;
#[cfg(test)]
mod tests;
mod transport;

use std::collections::HashMap;
use std::time::Duration;

use self::catalogue::Class;
use self::draft::Draft;
use self::scene::{Life, Scene};
use crate::model::{At, Finding, FindingId, Message, Mono, Role, Severity, Status, TargetId, Thresholds, Verdict};
use crate::state::State;

/// A rule: what it finds in the scene.
type Rule = fn(&Scene<'_>) -> Vec<Draft>;

/// Every rule, lowest layer first.
const RULES: &[Rule] = &[
    link::links,
    link::refusing_routes,
    link::default_routes,
    neighbour::gateways,
    reach::dead,
    path::loss,
    path::rate_limits,
    path::changes,
    path::icmp_filtered,
    transport::ports,
    listener::expected,
    names::no_nameserver,
    names::servers,
    names::names,
    service::services,
];

/// The diagnosis over time: it remembers since when a finding stands.
#[derive(Debug, Clone, Default)]
pub struct Diagnosis {
    thresholds: Thresholds,
    standing: HashMap<FindingId, Standing>,
}

#[derive(Debug, Clone)]
struct Standing {
    since: At,
    seen: Mono,
    finding: Finding,
}

/// How long a finding that rules no longer give stays, where it was never certain;
/// what the kernel's tables say goes at once.
const LINGER: Duration = Duration::from_millis(1_500);

impl Diagnosis {
    /// A diagnosis with these limits.
    pub fn new(thresholds: Thresholds) -> Self {
        Self { thresholds, standing: HashMap::new() }
    }

    /// Judges everything known at `at`.
    pub fn judge(&mut self, state: &State, at: At) -> Verdict {
        let scene = Scene::new(state, &self.thresholds, at);
        let mut drafts: Vec<Draft> = RULES.iter().flat_map(|rule| rule(&scene)).collect();
        drafts.retain(|d| !is_replaced(d, &scene));
        soften(&mut drafts, &scene);
        let causes: Vec<Option<FindingId>> =
            (0..drafts.len()).map(|i| cause::cause_of(&drafts, i, &scene).map(|c| id_of(&drafts[c]))).collect();
        let fresh: Vec<Finding> =
            drafts.into_iter().zip(causes).map(|(draft, cause)| finish(draft, cause, at)).collect();
        let findings = cause::order(remember(&mut self.standing, fresh, at));
        verdict(&scene, findings)
    }
}

fn id_of(draft: &Draft) -> FindingId {
    FindingId(format!("{}@{}", draft.code.name, draft.subject))
}

/// `dns.server_unreachable` takes the place of `host.unreachable` and `port.*` for
/// its server.
fn is_replaced(draft: &Draft, scene: &Scene<'_>) -> bool {
    let about_host = draft.code.name == "host.unreachable" || draft.code.name.starts_with("port.");
    about_host
        && !draft.affects.is_empty()
        && draft.affects.iter().all(|(id, _)| scene.state.target(*id).is_some_and(|t| t.role == Role::Resolver))
}

/// A fault at one address is a warning where another address of the same target
/// does what was asked of it.
fn soften(drafts: &mut [Draft], scene: &Scene<'_>) {
    let at_fault: Vec<_> =
        drafts.iter().filter(|d| d.severity == Severity::Critical).flat_map(|d| d.affects.iter().copied()).collect();
    let works = |id: TargetId| {
        let mut addresses = scene.subjects.iter().filter(|s| s.target.id == id && s.address.is_some());
        addresses.any(|s| s.works() && !at_fault.contains(&(id, s.address)))
    };
    let far = |d: &Draft| d.code.class >= Class::Path && d.code.class != Class::Name && !d.affects.is_empty();
    for draft in drafts.iter_mut().filter(|d| far(d) && d.severity == Severity::Critical) {
        if draft.affects.iter().all(|(id, _)| works(*id)) {
            draft.severity = Severity::Warning;
        }
    }
}

fn finish(draft: Draft, caused_by: Option<FindingId>, at: At) -> Finding {
    let mut targets: Vec<TargetId> = draft.affects.iter().map(|(id, _)| *id).collect();
    targets.sort_unstable();
    targets.dedup();
    Finding {
        id: id_of(&draft),
        code: draft.code.name.to_owned(),
        layer: draft.code.layer,
        severity: draft.severity,
        confidence: draft.confidence,
        side: draft.code.side,
        subject: draft.subject,
        summary: draft.summary,
        since: draft.since.map_or(at, |mono| at.at_mono(mono)),
        evidence: draft.evidence,
        next: draft.next,
        caused_by,
        targets,
    }
}

/// Keeps a finding's first moment, and keeps one that flickers for [`LINGER`].
fn remember(standing: &mut HashMap<FindingId, Standing>, fresh: Vec<Finding>, at: At) -> Vec<Finding> {
    let mut findings = Vec::with_capacity(fresh.len());
    for mut finding in fresh {
        let entry = standing.entry(finding.id.clone()).or_insert_with(|| Standing {
            since: finding.since,
            seen: at.mono,
            finding: finding.clone(),
        });
        entry.since = entry.since.min(finding.since);
        finding.since = entry.since;
        entry.seen = at.mono;
        entry.finding = finding.clone();
        findings.push(finding);
    }
    standing.retain(|_, s| at.mono.since(s.seen) <= LINGER);
    let lingers = |f: &Finding| matches!(f.layer, crate::model::Layer::Network) && f.severity > Severity::Info;
    for s in standing.values().filter(|s| s.seen < at.mono && lingers(&s.finding)) {
        let explained = s.finding.caused_by.as_ref().is_none_or(|c| findings.iter().any(|f| f.id == *c));
        // The same targets are told about better now.
        let replaced = findings
            .iter()
            .any(|f| f.severity > Severity::Info && f.targets.iter().any(|t| s.finding.targets.contains(t)));
        if explained && !replaced {
            findings.push(s.finding.clone());
        }
    }
    findings
}

fn verdict(scene: &Scene<'_>, findings: Vec<Finding>) -> Verdict {
    let unmeasured = unmeasured(scene, &findings);
    let root = findings.first().filter(|f| f.severity > Severity::Info);
    let unlisted = listener::is_unknown(scene);
    let status = match root.map(|f| f.severity) {
        Some(Severity::Critical) => Status::Fault,
        Some(_) => Status::Degraded,
        None if !unmeasured.is_empty() || unlisted => Status::Unmeasured,
        None => Status::Healthy,
    };
    let judged = scene.judged().map(|s| s.target.id).collect::<std::collections::BTreeSet<_>>().len();
    let summary = match (root, status) {
        (Some(f), _) => f.summary.clone(),
        (None, Status::Unmeasured) if unmeasured.is_empty() => Message::new("verdict-unlisted"),
        (None, Status::Unmeasured) => Message::new("verdict-unmeasured").with("targets", unmeasured.len()),
        (None, _) => Message::new("verdict-healthy").with("targets", judged),
    };
    Verdict { status, side: root.map(|f| f.side), summary, findings, unmeasured, at: scene.at }
}

/// Targets that no measurement says anything about, and no finding explains.
fn unmeasured(scene: &Scene<'_>, findings: &[Finding]) -> Vec<TargetId> {
    let mut list: Vec<TargetId> = Vec::new();
    for target in scene.state.targets().filter(|t| t.role == Role::Watched) {
        let explained = findings.iter().any(|f| f.severity > Severity::Info && f.targets.contains(&target.id));
        let known =
            scene.subjects.iter().any(|s| s.target.id == target.id && s.life == Life::Alive && s.service_measured());
        if !explained && !known {
            list.push(target.id);
        }
    }
    if !scene.has_targets && scene.state.network.listing().is_none() {
        list.extend(scene.state.targets().map(|t| t.id));
    }
    list
}
