//! What is broken, whose side it is on, and what explains what.
//!
//! Owns the catalogue of codes, the rules by layer, the order of causes and the
//! verdict. Must never read a clock, do I/O, draw, or fail.

pub mod catalogue;
mod cause;
mod draft;
mod firewall;
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

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use self::catalogue::Class;
use self::draft::Draft;
use self::scene::{Life, Scene, Subject};
use crate::model::{
    At, Confidence, Finding, FindingId, Layer, Message, Mono, Role, Service, Severity, Status, Target, TargetId,
    Thresholds, Verdict,
};
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
    firewall::local_drops,
    transport::ports,
    listener::expected,
    names::no_nameserver,
    names::servers,
    names::questions,
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
        let mut drafts = merge_same(drafts);
        soften(&mut drafts, &scene);
        let causes: Vec<Option<FindingId>> =
            (0..drafts.len()).map(|i| cause::cause_of(&drafts, i, &scene).map(|c| id_of(&drafts[c]))).collect();
        let fresh: Vec<Finding> =
            drafts.into_iter().zip(causes).map(|(draft, cause)| finish(draft, cause, at)).collect();
        let findings = cause::order(remember(&mut self.standing, fresh, at), &scene);
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
        && draft.affects.iter().all(|(id, _)| scene.state.target(*id).is_some_and(is_name_server))
}

fn is_name_server(target: &Target) -> bool {
    target.role == Role::Resolver || matches!(target.service, Service::Dns { .. })
}

/// Two rules, or one rule for two targets, may find the same: the worst of both
/// stands, for all whom either affects.
fn merge_same(drafts: Vec<Draft>) -> Vec<Draft> {
    let mut places: HashMap<FindingId, usize> = HashMap::with_capacity(drafts.len());
    let mut merged: Vec<Draft> = Vec::with_capacity(drafts.len());
    for draft in drafts {
        match places.entry(id_of(&draft)) {
            Entry::Vacant(free) => {
                free.insert(merged.len());
                merged.push(draft);
            }
            Entry::Occupied(known) => {
                let first = &mut merged[*known.get()];
                first.severity = first.severity.max(draft.severity);
                first.confidence = first.confidence.max(draft.confidence);
                first.since = match (first.since, draft.since) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
                for entry in draft.affects {
                    if !first.affects.contains(&entry) {
                        first.affects.push(entry);
                    }
                }
            }
        }
    }
    merged
}

/// A fault at one address is a warning where another address of the same target
/// does what was asked of it, and not certain to be worse until that one was
/// measured, too.
fn soften(drafts: &mut [Draft], scene: &Scene<'_>) {
    let at_fault: HashSet<_> =
        drafts.iter().filter(|d| d.severity == Severity::Critical).flat_map(|d| d.affects.iter().copied()).collect();
    let sound = |s: &&Subject<'_>| s.address.is_some() && !at_fault.contains(&(s.target.id, s.address));
    let works = |id: TargetId| scene.at_addresses(id).iter().filter(sound).any(|s| s.works(scene));
    let undecided = |s: &Subject<'_>| !matches!(s.life, Life::Dead { .. }) && !s.service_failed(scene);
    let open = |id: TargetId| scene.at_addresses(id).iter().filter(sound).any(undecided);
    let far = |d: &Draft| d.code.class >= Class::Path && d.code.class != Class::Name && !d.affects.is_empty();
    for draft in drafts.iter_mut().filter(|d| far(d) && d.severity == Severity::Critical) {
        if draft.affects.iter().all(|(id, _)| works(*id)) {
            draft.severity = Severity::Warning;
        } else if draft.affects.iter().any(|(id, _)| open(*id)) {
            draft.confidence = draft.confidence.min(Confidence::Likely);
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
    let from_tables = |f: &Finding| f.code.starts_with("route.");
    let lingers = |f: &Finding| f.layer == Layer::Network && f.severity > Severity::Info && !from_tables(f);
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
    // Without targets it is this host that is judged, and first it must be seen.
    let looked = scene.has_targets || scene.state.network.listing().is_some();
    let root = findings.first().filter(|f| f.severity > Severity::Info);
    let unlisted = listener::is_unknown(scene);
    let status = match root.map(|f| f.severity) {
        Some(Severity::Critical) => Status::Fault,
        Some(_) => Status::Degraded,
        None if !unmeasured.is_empty() || unlisted || !looked => Status::Unmeasured,
        None => Status::Healthy,
    };
    let judged = scene.judged().map(|s| s.target.id).collect::<std::collections::BTreeSet<_>>().len();
    let summary = match (root, status) {
        (Some(f), _) => f.summary.clone(),
        (None, Status::Unmeasured) if !looked => Message::new("verdict-measuring"),
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
        let known = scene.at_addresses(target.id).iter().any(|s| s.life == Life::Alive && s.service_measured(scene));
        if !explained && !known {
            list.push(target.id);
        }
    }
    list
}
