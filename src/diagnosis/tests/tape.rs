//! Plays a made-up network to a real session, record by record: the session plans,
//! the tape answers for its probes, and every verdict on the way is kept and held
//! against what must be true of any. No socket, no clock, no sleep.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;

use super::world::{Reply, Stop, World, ip, outcome, socket};
use crate::diagnosis::catalogue;
use crate::model::hop::{HopAnswer, HopOutcome, HopSample, RoundEnd};
use crate::model::host::{HostIdentity, IcmpRight, NameServer, ResolverConfig, Rights, TraceRight};
use crate::model::link::{Neighbour, Network};
use crate::model::probe::TraceProto;
use crate::model::record::{Gap, GapCause, Origin};
use crate::model::{
    Ask, At, Confidence, Finding, Mono, Outcome, ProbeId, ProbeSpec, RecordKind, Sample, Severity, Status, Thresholds,
    Untrusted, Verdict, Wall,
};
use crate::probes::Entry;
use crate::session::plan::{Families, Pace, PlanOptions, Scope};
use crate::session::{Session, SessionOptions, TargetRequest};
use crate::text::{Language, Texts};

/// 2026-11-20 08:00:00 UTC.
const BEGIN: i64 = 1_795_161_600;
/// One step of the tape, in milliseconds.
const STEP: u64 = 10;
/// How often the verdict is looked at, as `check` does.
const JUDGE: u64 = 200;

pub struct Tape {
    pub session: Session,
    pub world: World,
    /// Every verdict given, with its millisecond.
    pub verdicts: Vec<(u64, Verdict)>,
    ms: u64,
    coming: BTreeMap<(u64, u64), RecordKind>,
    sends: HashMap<ProbeId, (u64, u32)>,
    count: u64,
    seed: u64,
    texts: Texts,
}

impl Tape {
    /// `frc check` with these targets, in a network that is well.
    pub fn watching(targets: &[&str]) -> Self {
        Self::with(targets, Pace::checking(), IcmpRight::Raw)
    }

    pub fn with(targets: &[&str], pace: Pace, icmp: IcmpRight) -> Self {
        let request = |t: &&str| TargetRequest { written: t.parse().unwrap(), label: None };
        let options = SessionOptions {
            targets: targets.iter().map(request).collect(),
            plan: PlanOptions {
                scope: Scope::Everything,
                families: Families { v4: true, v6: true },
                pace,
                packets_per_second: 2_000,
            },
            discover: true,
            thresholds: Thresholds::default(),
            count: None,
            expected: Vec::new(),
            runbooks: Vec::new(),
            guide: false,
            keep_records: false,
        };
        let rights = Rights { icmp, trace: TraceRight::Errqueue, packet: false, netadmin: false };
        let identity = HostIdentity { name: Untrusted::new("web-7"), uid: 1000, rights };
        let mut tape = Self {
            session: Session::new(options, identity, at(0)),
            world: World::new(),
            verdicts: Vec::new(),
            ms: 0,
            coming: BTreeMap::new(),
            sends: HashMap::new(),
            count: 0,
            seed: 1,
            texts: Texts::new(Language::En),
        };
        if icmp == IcmpRight::None {
            let reason = crate::model::sample::Unsent::NotPermitted;
            tape.world.reply_where(|ask| matches!(ask, Ask::Icmp { .. }), Reply::Unsent(reason));
        }
        tape.resolvers(&["10.77.53.53"], &[]);
        tape
    }

    pub fn resolvers(&mut self, servers: &[&str], search: &[&str]) {
        let server = |s: &&str| NameServer { address: (ip(s), 53).into(), interface: None };
        let config = ResolverConfig {
            servers: servers.iter().map(server).collect(),
            search: search.iter().map(ToString::to_string).collect(),
            ndots: 1,
            stub: None,
            source: "/etc/resolv.conf".into(),
        };
        self.later(0, RecordKind::Resolvers(config));
    }

    /// Echo to this address brings that from now on.
    pub fn echo(&mut self, to: &str, reply: Reply) {
        let to = ip(to);
        self.world.reply_where(move |ask| matches!(ask, Ask::Icmp { to: x } if *x == to), reply);
    }

    /// Everything sent to this address brings that, hops left aside.
    pub fn host(&mut self, to: &str, reply: Reply) {
        let to = ip(to);
        self.world.reply_where(move |ask| ask.address() == Some(to), reply);
    }

    /// The host is dead, and its path ends in silence after these hops.
    pub fn dies_after(&mut self, to: &str, stops: &str) {
        self.host(to, Reply::Silence);
        self.world.path(to, stops);
    }

    /// Connections to `ADDR:PORT` (any protocol but the trace's) bring that.
    pub fn port(&mut self, to: &str, reply: Reply) {
        let to = socket(to);
        let fits = move |ask: &Ask| match ask {
            Ask::Tcp { to: x } | Ask::Udp { to: x } | Ask::Tls { to: x, .. } => *x == to,
            Ask::Http { to: x, .. } | Ask::Ntp { to: x } => *x == to,
            Ask::Dns { server, .. } => *server == to,
            _ => false,
        };
        self.world.reply_where(fits, reply);
    }

    pub fn tls(&mut self, to: &str, reply: Reply) {
        let to = socket(to);
        self.world.reply_where(move |ask| matches!(ask, Ask::Tls { to: x, .. } if *x == to), reply);
    }

    pub fn http(&mut self, to: &str, reply: Reply) {
        let to = socket(to);
        self.world.reply_where(move |ask| matches!(ask, Ask::Http { to: x, .. } if *x == to), reply);
    }

    /// This server answers every question with that.
    pub fn dns(&mut self, server: &str, reply: Reply) {
        let server = ip(server);
        let fits = move |ask: &Ask| matches!(ask, Ask::Dns { server: x, .. } if x.ip() == server);
        self.world.reply_where(fits, reply);
    }

    /// What this host's programs get for any name.
    pub fn resolving(&mut self, reply: Reply) {
        self.world.reply_where(|ask| matches!(ask, Ask::Resolve { .. }), reply);
    }

    /// Changes what the kernel lists, at once.
    pub fn network(&mut self, change: impl FnOnce(&mut Network)) {
        change(&mut self.world.network);
        self.list();
    }

    pub fn neighbour(&mut self, of: &str, change: impl FnOnce(&mut Neighbour)) {
        let of = ip(of);
        self.network(|n| change(n.neighbours.iter_mut().find(|n| n.ip == of).unwrap()));
    }

    /// Sleeps: nothing is measured, what is under way is lost.
    pub fn suspend(&mut self, seconds: u64) {
        let from = mono(self.ms);
        self.ms += seconds * 1_000;
        let overdue: Vec<_> = self.coming.range(..(self.ms, 0)).map(|(k, _)| *k).collect();
        for key in overdue {
            let kind = self.coming.remove(&key).unwrap();
            self.later(0, kind);
        }
        self.sends.values_mut().for_each(|(due, _)| *due = (*due).max(self.ms));
        self.later(0, RecordKind::Gap(Gap { from, to: mono(self.ms), cause: GapCause::Suspended }));
    }

    /// Plays on to that second.
    pub fn until(&mut self, seconds: f64) -> &mut Self {
        let end = (seconds * 1e3) as u64;
        while self.ms < end {
            if self.ms.is_multiple_of(1_000) {
                self.list();
            }
            self.deliver();
            self.session.replan(at(self.ms));
            self.send();
            if self.ms.is_multiple_of(JUDGE) && self.ms > 0 {
                self.judge();
            }
            self.ms += STEP;
        }
        self.deliver();
        self.judge();
        self
    }

    fn later(&mut self, delay: u64, kind: RecordKind) {
        self.count += 1;
        self.coming.insert((self.ms + delay, self.count), kind);
    }

    fn list(&mut self) {
        let asked: Vec<IpAddr> = self.session.specs().iter().filter_map(|s| s.ask.address()).collect();
        self.later(0, RecordKind::Network(Box::new(self.world.network.clone())));
        let lookups = self.world.lookups(asked.into_iter());
        self.later(0, RecordKind::Lookups(lookups));
    }

    fn deliver(&mut self) {
        while let Some(entry) = self.coming.first_entry().filter(|e| e.key().0 <= self.ms) {
            let kind = entry.remove();
            let origin = Origin::Probe("tape".to_owned());
            self.session.apply(vec![Entry { at: at(self.ms), origin, kind }]);
        }
    }

    fn send(&mut self) {
        let new = self.session.specs().iter().any(|s| !self.sends.contains_key(&s.id));
        for spec in self.session.specs().to_vec() {
            let (due, n) = *self.sends.entry(spec.id).or_insert((self.ms, 0));
            if self.ms >= due {
                self.sends.insert(spec.id, (self.ms + spec.interval.as_millis() as u64, n + 1));
                if matches!(spec.ask, Ask::Trace { .. }) { self.trace(&spec, n) } else { self.sample(&spec, n) }
            }
        }
        if new {
            // The kernel is asked about a new address at once.
            self.list();
        }
    }

    fn sample(&mut self, spec: &ProbeSpec, seq: u32) {
        let mut reply = self.world.reply(&spec.ask);
        if let Reply::Lossy(percent) = reply {
            reply = if self.chance() < percent { Reply::Silence } else { Reply::Well(1) };
        }
        let timeout = spec.timeout.as_millis() as u64;
        let sample = |outcome| RecordKind::Sample(Sample { probe: spec.id, seq, sent: mono(self.ms), outcome });
        let healthy = self.world.detail(&spec.ask, at(self.ms).wall.unix_seconds());
        let brought = sample(outcome(&reply, healthy));
        let lost = sample(Outcome::Lost);
        match reply {
            Reply::Still => {}
            Reply::Silence | Reply::Lossy(_) => self.later(timeout, lost),
            Reply::Icmp(_, _, after) if after > timeout => {
                self.later(timeout, lost);
                self.later(after, brought);
            }
            Reply::Icmp(_, _, after) => self.later(after, brought),
            Reply::Well(after) => self.later(after, brought),
            Reply::Fails(_, crate::model::sample::Failure::Silent) => self.later(timeout, brought),
            _ => self.later(1, brought),
        }
    }

    fn trace(&mut self, spec: &ProbeSpec, round: u32) {
        let Some(to) = spec.ask.address() else { return };
        if matches!(self.world.reply(&spec.ask), Reply::Unsent(_) | Reply::Still) {
            return;
        }
        let proto = TraceProto::Icmp;
        let mut stops = self.world.path_to(to);
        let ends = matches!(stops.last(), Some(Stop::Objects(..))) || stops.iter().any(|s| is_at(s, to));
        if !ends {
            stops.extend([Stop::Mute; 5]);
        }
        let (mut reached, mut last) = (None, 1);
        for (i, stop) in stops.iter().enumerate() {
            let ttl = i as u8 + 1;
            let hop = |outcome| {
                RecordKind::Hop(HopSample { probe: spec.id, proto, round, ttl, sent: mono(self.ms), outcome })
            };
            let answered = |from, answer, after| HopOutcome::Answered {
                from,
                rtt: Duration::from_millis(after),
                answer,
                reply_ttl: None,
            };
            let (delay, outcome) = match *stop {
                Stop::At(from) if from == to => {
                    reached.get_or_insert(ttl);
                    (1, answered(from, HopAnswer::Reached, 1))
                }
                Stop::At(from) => (1, answered(from, HopAnswer::Expired, 1)),
                Stop::Seldom(from, of) if round.is_multiple_of(of) => (1, answered(from, HopAnswer::Expired, 1)),
                Stop::Objects(from, error, after) => (after, answered(from, HopAnswer::Error(error), after)),
                Stop::Mute | Stop::Seldom(..) => (1_000, HopOutcome::Silent),
            };
            let (silent, record) = (hop(HopOutcome::Silent), hop(outcome));
            if delay > 1_000 {
                self.later(1_000, silent);
            }
            self.later(delay, record);
            last = last.max(delay.min(1_000));
        }
        let probed = stops.len() as u8;
        let began = mono(self.ms);
        self.later(
            last,
            RecordKind::Round(RoundEnd { probe: spec.id, proto, round, began, reached, probed, one_flow: true }),
        );
    }

    /// 0 to 99, the same every time.
    fn chance(&mut self) -> u32 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.seed >> 33) % 100) as u32
    }

    fn judge(&mut self) {
        self.session.judge(at(self.ms));
        let verdict = self.session.verdict().clone();
        self.hold(&verdict);
        self.verdicts.push((self.ms, verdict));
    }

    /// What is true of every verdict.
    fn hold(&self, verdict: &Verdict) {
        let mut seen = HashSet::new();
        let mut info = false;
        for f in &verdict.findings {
            let code = catalogue::find(&f.code).unwrap_or_else(|| panic!("{} is no code", f.code));
            assert_eq!((f.layer, f.side), (code.layer, code.side), "{}", f.code);
            assert!(seen.insert(f.id.clone()), "{} stands twice", f.id.0);
            let cause = f.caused_by.as_ref();
            assert!(cause.is_none_or(|c| seen.contains(c)), "{} comes before its cause", f.id.0);
            assert!(!info || f.severity == Severity::Info, "{} comes after information", f.id.0);
            info = f.severity == Severity::Info;
            assert!(f.since.mono.0 <= self.ms * 1_000_000, "{} is from the future", f.id.0);
            assert!(!f.evidence.is_empty(), "{} has no evidence", f.id.0);
            let seen_and_wanted = f.evidence.iter().flat_map(|e| [&e.observed, &e.expected]);
            for message in [&f.summary].into_iter().chain(&f.next).chain(seen_and_wanted) {
                assert_eq!(self.texts.problems(message), Vec::<String>::new(), "{}", f.id.0);
            }
        }
        assert_eq!(self.texts.problems(&verdict.summary), Vec::<String>::new());
        let worst = verdict.findings.iter().map(|f| f.severity).max().filter(|s| *s > Severity::Info);
        match verdict.status {
            Status::Fault => assert_eq!(worst, Some(Severity::Critical)),
            Status::Degraded => assert_eq!(worst, Some(Severity::Warning)),
            Status::Healthy => assert!(worst.is_none() && verdict.unmeasured.is_empty()),
            Status::Unmeasured => assert!(worst.is_none()),
        }
    }

    pub fn verdict(&self) -> &Verdict {
        self.session.verdict()
    }

    pub fn find(&self, code: &str) -> Option<&Finding> {
        self.verdict().findings.iter().find(|f| f.code == code)
    }

    #[track_caller]
    pub fn finding(&self, code: &str) -> &Finding {
        self.find(code).unwrap_or_else(|| panic!("no {code}: {:?}", self.ids()))
    }

    /// `code@subject` of every finding, in order.
    pub fn ids(&self) -> Vec<String> {
        self.verdict().findings.iter().map(|f| f.id.0.clone()).collect()
    }

    /// The first root is this one.
    #[track_caller]
    pub fn root(&self, id: &str, severity: Severity, confidence: Confidence) {
        let root = self.verdict().root();
        let said = root.map(|f| (f.id.0.as_str(), f.severity, f.confidence));
        assert_eq!(said, Some((id, severity, confidence)), "all: {:?}", self.ids());
    }

    /// That code was never given, in no verdict so far.
    #[track_caller]
    pub fn never(&self, code: &str) {
        let when = self.verdicts.iter().find(|(_, v)| v.findings.iter().any(|f| f.code == code));
        assert!(when.is_none(), "{code} at {} ms", when.map_or(0, |w| w.0));
    }

    /// Nothing above information was ever found.
    #[track_caller]
    pub fn stayed_quiet(&self) {
        for (ms, verdict) in &self.verdicts {
            let loud = verdict.findings.iter().find(|f| f.severity > Severity::Info);
            assert!(loud.is_none(), "{:?} at {ms} ms", loud.map(|f| &f.id));
        }
    }

    /// When a code was given first, in milliseconds.
    #[track_caller]
    pub fn first(&self, code: &str) -> u64 {
        let given = self.verdicts.iter().find(|(_, v)| v.findings.iter().any(|f| f.code == code));
        given.unwrap_or_else(|| panic!("{code} was never given")).0
    }

    /// No strong critical root but this one was ever given: what stands first and
    /// certain ends a `check`.
    #[track_caller]
    pub fn never_certain_but(&self, code: &str) {
        for (ms, verdict) in &self.verdicts {
            let certain = |f: &&Finding| f.severity == Severity::Critical && f.confidence == Confidence::Strong;
            let wrong = verdict.findings.iter().filter(certain).find(|f| f.caused_by.is_none() && f.code != code);
            assert!(wrong.is_none(), "{:?} at {ms} ms", wrong.map(|f| &f.id));
        }
    }

    pub fn status(&self) -> Status {
        self.verdict().status
    }
}

fn is_at(stop: &Stop, to: IpAddr) -> bool {
    matches!(stop, Stop::At(x) if *x == to)
}

fn mono(ms: u64) -> Mono {
    Mono(ms * 1_000_000)
}

fn at(ms: u64) -> At {
    At { mono: mono(ms), wall: Wall(BEGIN * 1_000_000 + ms as i64 * 1_000) }
}
