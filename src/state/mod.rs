//! The fold: everything known is what the records said so far.
//!
//! Owns series, paths, the host's tables and their history, all bounded. Must never
//! read a clock, do I/O or judge: `now` is the newest record's or tick's time.

pub mod network;
pub mod path;
pub mod probe;
pub mod series;
pub mod stats;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

pub use network::{LinkHistory, LinkRates, NetworkState};
pub use path::{Hop, HopError, Path, PathChange, Paths};
pub use probe::ProbeState;
pub use series::{Bucket, Point, Series};
pub use stats::{Stats, Tally};

use crate::model::host::{HostIdentity, HostLoad, ResolverConfig};
use crate::model::record::{Action, Gap, GapCause, Origin, TaskHealth};
use crate::model::socket::{ExpectedService, KernelCounters, Sockets};
use crate::model::{
    At, Mono, ProbeId, ProbeKind, ProbeSpec, Record, RecordKind, Role, Target, TargetId, Untrusted, Verdict,
};

/// Names of addresses kept.
const KEPT_NAMES: usize = 8192;
/// Happenings kept for the timeline.
const KEPT_EVENTS: usize = 1024;
/// Gaps kept.
const KEPT_GAPS: usize = 32;
/// Kernel and load readings kept (two seconds apart: five minutes).
const KEPT_READINGS: usize = 150;

/// Everything known now.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Time of the newest record or tick.
    pub now: At,
    /// When the session began.
    pub began: At,
    /// Number of the newest record.
    pub seq: u64,
    /// Who and where.
    pub host: Option<HostIdentity>,
    /// This host's network.
    pub network: NetworkState,
    /// How names are resolved here, and since when it is known.
    pub resolvers: Option<(At, ResolverConfig)>,
    /// Services that are to listen on this host.
    pub expected: Vec<ExpectedService>,
    /// Sockets, and when they were listed.
    pub sockets: Option<(At, Sockets)>,
    targets: BTreeMap<TargetId, Target>,
    /// Shared with copies of the state, and copied one by one as they change: to
    /// hold a picture still must not cost a thousand series at once.
    probes: BTreeMap<ProbeId, Arc<ProbeState>>,
    by_target: HashMap<TargetId, Vec<ProbeId>>,
    by_address: HashMap<IpAddr, Vec<ProbeId>>,
    names: HashMap<IpAddr, Option<Untrusted>>,
    kernel: VecDeque<(At, KernelCounters)>,
    load: VecDeque<(At, HostLoad)>,
    tasks: BTreeMap<String, TaskHealth>,
    dropped: BTreeMap<String, u64>,
    gaps: VecDeque<Gap>,
    events: VecDeque<Event>,
    verdict: Option<Verdict>,
    revision: u64,
    structure: u64,
}

/// Something for the timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When.
    pub at: At,
    /// Who brought it about.
    pub origin: Origin,
    /// What.
    pub what: Happening,
}

/// What a timeline tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// The verdict changed to this one.
    Verdict(Arc<Verdict>),
    /// The path to an address changed.
    Path {
        /// Destination.
        to: IpAddr,
        /// Before and after.
        change: PathChange,
    },
    /// An interface went up or down.
    Link {
        /// Its name.
        name: Untrusted,
        /// Up with carrier, or not.
        up: bool,
    },
    /// A target was added or removed.
    Target {
        /// What people call it.
        name: String,
        /// Added, or removed.
        added: bool,
    },
    /// Nothing was measured for a while.
    Gap(Gap),
    /// A probe task was restarted or cannot work.
    Task(TaskHealth),
    /// A person did something.
    Action(Action),
}

impl State {
    /// Takes in one record.
    pub fn apply(&mut self, record: &Record) {
        self.seq = record.seq;
        self.revision += 1;
        if self.began == At::default() {
            self.began = record.at;
        }
        self.now = self.now.max(record.at);
        match &record.kind {
            RecordKind::Host(identity) => {
                self.host = Some(identity.clone());
                self.structure += 1;
            }
            RecordKind::TargetAdded(target) => self.add_target(record, target),
            RecordKind::TargetRemoved(id) => self.remove_target(record, *id),
            RecordKind::ProbeAdded(spec) => self.add_probe(spec, record.at),
            RecordKind::ProbeRemoved(id) => self.remove_probe(*id),
            RecordKind::Sample(sample) => {
                if let Some(probe) = self.probes.get_mut(&sample.probe).map(Arc::make_mut) {
                    let resolved = probe.kind() == ProbeKind::Resolve && probe.resolves_anew(sample);
                    probe.take_sample(sample);
                    self.structure += u64::from(resolved);
                }
            }
            RecordKind::Hop(sample) => {
                if let Some(probe) = self.probes.get_mut(&sample.probe).map(Arc::make_mut) {
                    probe.paths.since.get_or_insert(record.at);
                    probe.paths.entry(sample.proto).hop(sample);
                }
            }
            RecordKind::Round(end) => self.take_round(record, end),
            RecordKind::Name { address, name } => {
                if self.names.len() < KEPT_NAMES || self.names.contains_key(address) {
                    self.names.insert(*address, name.clone());
                }
            }
            RecordKind::Network(network) => self.take_network(record, network),
            RecordKind::Lookups(lookups) => {
                self.structure += u64::from(self.network.take_lookups(record.at, lookups));
            }
            RecordKind::Resolvers(config) => {
                self.resolvers = Some((record.at, config.clone()));
                self.structure += 1;
            }
            RecordKind::Expected(expected) => self.expected.clone_from(expected),
            RecordKind::Sockets(sockets) => self.sockets = Some((record.at, (**sockets).clone())),
            RecordKind::Kernel(counters) => push_bounded(&mut self.kernel, (record.at, *counters), KEPT_READINGS),
            RecordKind::Load(load) => push_bounded(&mut self.load, (record.at, (**load).clone()), KEPT_READINGS),
            RecordKind::Task(health) => self.take_task(record, health),
            RecordKind::Dropped { what, count } => {
                if self.dropped.len() < 64 || self.dropped.contains_key(what) {
                    *self.dropped.entry(what.clone()).or_default() += count;
                }
            }
            RecordKind::Gap(gap) => {
                push_bounded(&mut self.gaps, gap.clone(), KEPT_GAPS);
                self.happen(record, Happening::Gap(gap.clone()));
            }
            RecordKind::Verdict(verdict) => {
                self.verdict = Some((**verdict).clone());
                self.happen(record, Happening::Verdict(Arc::new((**verdict).clone())));
            }
            RecordKind::Action(action) => self.happen(record, Happening::Action(action.clone())),
        }
    }

    /// Time passes without a record.
    pub fn tick(&mut self, now: At) {
        self.now = self.now.max(now);
    }

    fn happen(&mut self, record: &Record, what: Happening) {
        let event = Event { at: record.at, origin: record.origin.clone(), what };
        push_bounded(&mut self.events, event, KEPT_EVENTS);
    }

    fn add_target(&mut self, record: &Record, target: &Target) {
        self.structure += 1;
        if self.targets.insert(target.id, target.clone()).is_none() && target.role == Role::Watched {
            self.happen(record, Happening::Target { name: target.name().to_owned(), added: true });
        }
    }

    fn remove_target(&mut self, record: &Record, id: TargetId) {
        self.structure += 1;
        if let Some(target) = self.targets.remove(&id)
            && target.role == Role::Watched
        {
            self.happen(record, Happening::Target { name: target.name().to_owned(), added: false });
        }
    }

    fn add_probe(&mut self, spec: &ProbeSpec, at: At) {
        self.unlink(spec.id);
        for target in &spec.targets {
            self.by_target.entry(*target).or_default().push(spec.id);
        }
        if let Some(ip) = spec.ask.address() {
            self.by_address.entry(ip).or_default().push(spec.id);
        }
        match self.probes.get_mut(&spec.id) {
            Some(probe) => Arc::make_mut(probe).spec = spec.clone(),
            None => {
                self.probes.insert(spec.id, Arc::new(ProbeState::new(spec.clone(), at)));
            }
        }
    }

    fn remove_probe(&mut self, id: ProbeId) {
        self.unlink(id);
        self.probes.remove(&id);
    }

    fn unlink(&mut self, id: ProbeId) {
        let Some(probe) = self.probes.get(&id) else { return };
        let drop_from = |list: Option<&mut Vec<ProbeId>>| {
            list.is_some_and(|l| {
                l.retain(|p| *p != id);
                l.is_empty()
            })
        };
        for target in &probe.spec.targets {
            if drop_from(self.by_target.get_mut(target)) {
                self.by_target.remove(target);
            }
        }
        if let Some(ip) = probe.spec.ask.address()
            && drop_from(self.by_address.get_mut(&ip))
        {
            self.by_address.remove(&ip);
        }
    }

    fn take_round(&mut self, record: &Record, end: &crate::model::hop::RoundEnd) {
        let Some(probe) = self.probes.get_mut(&end.probe).map(Arc::make_mut) else { return };
        let path = probe.paths.entry(end.proto);
        let before = path.changes.back().map(|c| c.at);
        path.round(end);
        let change = path.changes.back().filter(|c| Some(c.at) != before).cloned();
        if let (Some(change), Some(to)) = (change, probe.spec.ask.address()) {
            self.happen(record, Happening::Path { to, change });
        }
    }

    fn take_network(&mut self, record: &Record, network: &crate::model::link::Network) {
        let up = |l: &crate::model::link::Link| l.admin_up && l.carrier;
        let changed: Vec<_> = network
            .links
            .iter()
            .filter(|l| self.network.link(l.index).is_some_and(|old| up(old) != up(l)))
            .map(|l| (l.name.clone(), up(l)))
            .collect();
        for (name, up) in changed {
            self.happen(record, Happening::Link { name, up });
        }
        self.structure += u64::from(self.network.take_network(record.at, network));
    }

    fn take_task(&mut self, record: &Record, health: &TaskHealth) {
        use crate::model::record::TaskState;
        if self.tasks.get(&health.task) == Some(health) {
            return;
        }
        self.tasks.insert(health.task.clone(), health.clone());
        if health.state != TaskState::Running {
            self.happen(record, Happening::Task(health.clone()));
        }
    }

    /// Grows with every record; a reader that saw it knows whether to look again.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Grows when something changed that decides what is to be measured.
    pub fn structure(&self) -> u64 {
        self.structure
    }

    /// Every target, in the order they were added.
    pub fn targets(&self) -> impl DoubleEndedIterator<Item = &Target> {
        self.targets.values()
    }

    /// Targets that people or the configuration named.
    pub fn watched(&self) -> impl DoubleEndedIterator<Item = &Target> {
        self.targets.values().filter(|t| t.role == Role::Watched)
    }

    /// The target with that number.
    pub fn target(&self, id: TargetId) -> Option<&Target> {
        self.targets.get(&id)
    }

    /// Every probe.
    pub fn probes(&self) -> impl DoubleEndedIterator<Item = &ProbeState> {
        self.probes.values().map(Arc::as_ref)
    }

    /// The probe with that number.
    pub fn probe(&self, id: ProbeId) -> Option<&ProbeState> {
        self.probes.get(&id).map(Arc::as_ref)
    }

    /// The probes that serve a target.
    pub fn probes_of(&self, target: TargetId) -> impl Iterator<Item = &ProbeState> {
        self.by_target.get(&target).into_iter().flatten().filter_map(|id| self.probes.get(id)).map(Arc::as_ref)
    }

    /// The probes that send to an address.
    pub fn probes_to(&self, address: IpAddr) -> impl Iterator<Item = &ProbeState> {
        self.by_address.get(&address).into_iter().flatten().filter_map(|id| self.probes.get(id)).map(Arc::as_ref)
    }

    /// The addresses at which a target is measured, each once, in a stable order.
    pub fn addresses_of(&self, target: TargetId) -> Vec<IpAddr> {
        let mut addresses: Vec<_> = self.probes_of(target).filter_map(|p| p.spec.ask.address()).collect();
        addresses.sort_unstable_by_key(|ip| (ip.is_ipv6(), *ip));
        addresses.dedup();
        addresses
    }

    /// A target's probe of a kind at an address.
    pub fn probe_at(&self, target: TargetId, address: Option<IpAddr>, kind: ProbeKind) -> Option<&ProbeState> {
        self.probes_of(target).find(|p| p.kind() == kind && p.spec.ask.address() == address)
    }

    /// Whether the name of an address, or that it has none, is known.
    pub fn name_is_settled(&self, address: IpAddr) -> bool {
        self.names.contains_key(&address)
    }

    /// The name of an address, where it is known and has one.
    pub fn name_of(&self, address: IpAddr) -> Option<&Untrusted> {
        self.names.get(&address)?.as_ref()
    }

    /// Kernel counters over time, oldest first.
    pub fn kernel(&self) -> impl DoubleEndedIterator<Item = &(At, KernelCounters)> {
        self.kernel.iter()
    }

    /// Load readings over time, oldest first.
    pub fn load(&self) -> impl DoubleEndedIterator<Item = &(At, HostLoad)> {
        self.load.iter()
    }

    /// The newest load reading.
    pub fn load_now(&self) -> Option<&HostLoad> {
        self.load.back().map(|(_, l)| l)
    }

    /// Health of every probe task that said anything.
    pub fn tasks(&self) -> impl Iterator<Item = &TaskHealth> {
        self.tasks.values()
    }

    /// What was left out, by what it was.
    pub fn dropped(&self) -> &BTreeMap<String, u64> {
        &self.dropped
    }

    /// Stretches without measurements, oldest first.
    pub fn gaps(&self) -> impl DoubleEndedIterator<Item = &Gap> {
        self.gaps.iter()
    }

    /// Whether a gap overlaps the time since `from`.
    pub fn gapped_since(&self, from: Mono) -> bool {
        self.gaps.iter().any(|g| g.to >= from)
    }

    /// When measuring went on after the process last slept; what was sent before
    /// says nothing about now. The session's beginning where it never slept.
    pub fn resumed(&self) -> Mono {
        let slept = |g: &&Gap| g.cause == GapCause::Suspended;
        self.gaps.iter().rev().find(slept).map(|g| g.to).unwrap_or_default()
    }

    /// Happenings, oldest first.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = &Event> {
        self.events.iter()
    }

    /// The newest verdict on record.
    pub fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }
}

fn push_bounded<T>(list: &mut VecDeque<T>, item: T, limit: usize) {
    if list.len() >= limit {
        list.pop_front();
    }
    list.push_back(item);
}
