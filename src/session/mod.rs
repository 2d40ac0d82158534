//! A session: the log's one writer of numbers, the fold, the plan of what to
//! measure and the verdict over it.
//!
//! Owns the order of things: records are numbered, folded, judged, and what is to
//! be measured follows from them. Must never know a screen or a socket.

pub mod guide;
mod judged;
pub mod live;
pub mod observe;
pub mod plan;
pub mod remembered;
mod rhythm;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use self::guide::{FIRST_RESPONSE, Guide};
use self::plan::{PlanOptions, Wanted, plan, suspicious_hops};
use crate::diagnosis::Diagnosis;
use crate::model::host::HostIdentity;
use crate::model::record::{Action, Origin};
use crate::model::socket::ExpectedService;
use crate::model::target::Written;
use crate::model::{
    Ask, At, Host, Mono, ProbeId, ProbeSpec, Record, RecordKind, Role, Service, Target, TargetId, Thresholds, Verdict,
};
use crate::probes::Entry;
use crate::runbook::Runbook;
use crate::state::State;

/// A target as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRequest {
    /// Whom and what, and how it was written.
    pub written: Written,
    /// A person's own name for it.
    pub label: Option<String>,
}

/// What a session is to do.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// What to watch; nothing means whatever is found.
    pub targets: Vec<TargetRequest>,
    /// What to measure of it.
    pub plan: PlanOptions,
    /// Whether gateways and resolvers are found and watched.
    pub discover: bool,
    /// Limits of the diagnosis.
    pub thresholds: Thresholds,
    /// How many measurements each probe makes; none for no end.
    pub count: Option<u32>,
    /// Services that are to listen on this host.
    pub expected: Vec<ExpectedService>,
    /// Runbooks that may be walked, the user's own before built-in ones.
    pub runbooks: Vec<Runbook>,
    /// Whether it begins with the runbook of the first response.
    pub guide: bool,
    /// Whether records are kept until [`Session::take_records`] fetches them.
    pub keep_records: bool,
}

/// The session.
#[derive(Debug)]
pub struct Session {
    /// Everything known.
    pub state: State,
    options: SessionOptions,
    diagnosis: Diagnosis,
    guide: Guide,
    verdict: Verdict,
    seq: u64,
    next_target: u32,
    next_probe: u32,
    probes: HashMap<(Ask, u32), ProbeSpec>,
    planned: Option<(u64, Mono)>,
    specs: Vec<ProbeSpec>,
    hop_seen: HashMap<IpAddr, Mono>,
    fresh: Vec<Record>,
    keep_fresh: bool,
}

/// A hop is echoed for this long after its path was suspicious last.
const HOP_PATIENCE: Duration = Duration::from_secs(60);
/// Loss that calls for more probes comes without any change of structure.
const REPLAN: Duration = Duration::from_secs(1);
/// Most targets a session holds.
pub const MAX_TARGETS: usize = 100_000;

impl Session {
    /// A session that begins at `at` on this host.
    pub fn new(mut options: SessionOptions, identity: HostIdentity, at: At) -> Self {
        let verdict = Verdict {
            status: crate::model::Status::Unmeasured,
            side: None,
            summary: crate::model::Message::new("verdict-measuring"),
            findings: Vec::new(),
            unmeasured: Vec::new(),
            at,
        };
        let mut session = Self {
            state: State::default(),
            diagnosis: Diagnosis::new(options.thresholds),
            guide: Guide::new(std::mem::take(&mut options.runbooks)),
            verdict,
            seq: 0,
            next_target: 1,
            next_probe: 1,
            probes: HashMap::new(),
            planned: None,
            specs: Vec::new(),
            hop_seen: HashMap::new(),
            fresh: Vec::new(),
            keep_fresh: options.keep_records,
            options,
        };
        session.write(at, Origin::Session, RecordKind::Host(identity));
        if !session.options.expected.is_empty() {
            let expected = session.options.expected.clone();
            session.write(at, Origin::Session, RecordKind::Expected(expected));
        }
        for request in session.options.targets.clone() {
            session.watch(at, Origin::Session, &request);
        }
        if session.options.guide {
            session.start_runbook(FIRST_RESPONSE, at, Origin::Session);
        }
        session
    }

    /// The records written since the last call, oldest first.
    pub fn take_records(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.fresh)
    }

    fn write(&mut self, at: At, origin: Origin, kind: RecordKind) {
        self.seq += 1;
        let record = Record { seq: self.seq, at, origin, kind };
        self.state.apply(&record);
        self.guide.take(&record);
        if self.keep_fresh {
            self.fresh.push(record);
        }
    }

    /// Takes in what the probes found.
    pub fn apply(&mut self, batch: Vec<Entry>) {
        for entry in batch {
            self.write(entry.at, entry.origin, entry.kind);
        }
    }

    /// Finds what matters and plans anew; true where the probes to run changed.
    pub fn replan(&mut self, at: At) -> bool {
        self.state.tick(at);
        let settled = self.planned.is_some_and(|(structure, when)| {
            structure == self.state.structure() && (!self.options.discover || at.mono.since(when) < REPLAN)
        });
        if settled {
            return false;
        }
        if self.options.discover {
            self.discover(at);
        }
        self.planned = Some((self.state.structure(), at.mono));
        let wanted = plan(&self.state, &self.options.plan);
        self.reconcile(at, wanted)
    }

    /// Judges everything known, and looks at it with the eyes of the runbook once
    /// a second; true where the verdict changed in substance, or a step's mark.
    pub fn judge(&mut self, at: At) -> bool {
        self.state.tick(at);
        let verdict = self.diagnosis.judge(&self.state, at);
        let changed = differs(&self.verdict, &verdict);
        self.verdict = verdict;
        if changed {
            let verdict = Box::new(self.verdict.clone());
            self.write(at, Origin::Session, RecordKind::Verdict(verdict));
        }
        self.guide.observe(&self.state, &self.verdict, at) || changed
    }

    /// The newest verdict.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// The probes to run.
    pub fn specs(&self) -> &[ProbeSpec] {
        &self.specs
    }

    /// What the session does.
    pub fn options(&self) -> &SessionOptions {
        &self.options
    }

    /// Watches one more target, unless it is watched already; its number.
    pub fn watch(&mut self, at: At, origin: Origin, request: &TargetRequest) -> Option<TargetId> {
        let same = |t: &&Target| {
            t.host == request.written.address.host
                && t.service == request.written.address.service
                && t.role == Role::Watched
        };
        if let Some(known) = self.state.targets().find(same) {
            return Some(known.id);
        }
        if self.next_target as usize > MAX_TARGETS {
            return None;
        }
        Some(self.add_target(
            at,
            origin,
            Target {
                id: TargetId(self.next_target),
                text: request.written.text.clone(),
                host: request.written.address.host.clone(),
                service: request.written.address.service.clone(),
                role: Role::Watched,
                label: request.label.clone(),
            },
        ))
    }

    /// Watches a target no longer.
    pub fn unwatch(&mut self, at: At, origin: Origin, id: TargetId) {
        if self.state.target(id).is_some() {
            self.write(at, origin, RecordKind::TargetRemoved(id));
        }
    }

    /// Puts a person's action on record.
    pub fn act(&mut self, at: At, who: Origin, action: Action) {
        self.write(at, who, RecordKind::Action(action));
    }

    fn add_target(&mut self, at: At, origin: Origin, target: Target) -> TargetId {
        let id = target.id;
        self.next_target += 1;
        self.write(at, origin, RecordKind::TargetAdded(target));
        id
    }

    /// Adds gateways, resolvers and suspicious hops that came up, and drops those
    /// that are gone.
    fn discover(&mut self, at: At) {
        let mut found: Vec<(Role, IpAddr, Option<String>, u16)> = Vec::new();
        for (ip, index) in self.gateways() {
            found.push((Role::Gateway, ip, self.zone_of(ip, index), 0));
        }
        if self.wants_resolvers()
            && let Some((_, config)) = &self.state.resolvers
        {
            for server in &config.servers {
                let zone = match server.address {
                    std::net::SocketAddr::V6(v6) if v6.scope_id() != 0 => {
                        self.zone_of(v6.ip().to_owned().into(), v6.scope_id())
                    }
                    _ => None,
                };
                found.push((Role::Resolver, server.address.ip(), zone, server.address.port()));
            }
        }
        for ip in suspicious_hops(&self.state) {
            self.hop_seen.insert(ip, at.mono);
        }
        self.hop_seen.retain(|_, seen| at.mono.since(*seen) < HOP_PATIENCE);
        found.extend(self.hop_seen.keys().map(|ip| (Role::Hop, *ip, None, 0)));
        self.keep_only(at, &found);
        for (role, ip, zone, port) in found {
            let known = |t: &Target| t.role == role && matches!(t.host, Host::Addr { ip: known, .. } if known == ip);
            if self.state.targets().any(known) {
                continue;
            }
            let service = match role {
                Role::Resolver => Service::Dns { port, name: ".".to_owned(), qtype: crate::model::QueryType::Ns },
                _ => Service::Host,
            };
            let host = Host::Addr { ip, zone };
            let target =
                Target { id: TargetId(self.next_target), text: host.to_string(), host, service, role, label: None };
            self.add_target(at, Origin::Session, target);
        }
    }

    fn keep_only(&mut self, at: At, found: &[(Role, IpAddr, Option<String>, u16)]) {
        let gone: Vec<TargetId> = self
            .state
            .targets()
            .filter(|t| t.role != Role::Watched)
            .filter(|t| {
                !found
                    .iter()
                    .any(|(role, ip, ..)| *role == t.role && matches!(t.host, Host::Addr { ip: x, .. } if x == *ip))
            })
            .map(|t| t.id)
            .collect();
        for id in gone {
            self.write(at, Origin::Session, RecordKind::TargetRemoved(id));
        }
    }

    /// The gateways that count: those on the way to what is watched, or every
    /// default gateway.
    fn gateways(&self) -> Vec<(IpAddr, u32)> {
        let defaults = self.state.network.default_gateways();
        let watched: Vec<_> = self.state.watched().map(|t| t.id).collect();
        if watched.is_empty() {
            return defaults;
        }
        let mut used = Vec::new();
        for id in watched {
            for ip in self.state.addresses_of(id) {
                match self.state.network.gateway_of(ip) {
                    Some(gateway) if !used.contains(&gateway) => used.push(gateway),
                    _ => {}
                }
            }
        }
        used
    }

    /// Resolvers count where names are watched, or nothing is.
    fn wants_resolvers(&self) -> bool {
        let mut watched = self.state.watched().peekable();
        watched.peek().is_none() || watched.any(|t| t.host.name().is_some_and(|n| n != "localhost"))
    }

    fn zone_of(&self, ip: IpAddr, index: u32) -> Option<String> {
        let link_local = matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local());
        let name = || self.state.network.link(index).map_or_else(|| index.to_string(), |l| l.name.as_str().to_owned());
        link_local.then(name)
    }

    /// Makes the running probes those that are wanted; what is unchanged keeps its
    /// number.
    fn reconcile(&mut self, at: At, wanted: Vec<Wanted>) -> bool {
        let mut changed = false;
        let mut keep = HashMap::with_capacity(wanted.len());
        let mut specs = Vec::with_capacity(wanted.len());
        for w in wanted {
            let key = (w.ask.clone(), w.scope);
            let known = self.probes.remove(&key);
            let id = known.as_ref().map_or(ProbeId(self.next_probe), |s| s.id);
            let spec = ProbeSpec {
                id,
                targets: w.targets,
                ask: w.ask,
                scope: w.scope,
                interval: w.interval,
                timeout: w.timeout,
                count: self.options.count,
            };
            if known.is_none() {
                self.next_probe += 1;
            }
            if known.as_ref() != Some(&spec) {
                changed = true;
                self.write(at, Origin::Session, RecordKind::ProbeAdded(spec.clone()));
            }
            specs.push(spec.clone());
            keep.insert(key, spec);
        }
        let gone = std::mem::replace(&mut self.probes, keep);
        for spec in gone.into_values() {
            changed = true;
            self.write(at, Origin::Session, RecordKind::ProbeRemoved(spec.id));
        }
        self.specs = specs;
        changed
    }
}

/// Whether two verdicts differ in what they say, not merely in when.
fn differs(a: &Verdict, b: &Verdict) -> bool {
    let key = |v: &Verdict| {
        let findings: Vec<_> =
            v.findings.iter().map(|f| (f.id.clone(), f.severity, f.confidence, f.caused_by.clone())).collect();
        (v.status, findings)
    };
    key(a) != key(b)
}
