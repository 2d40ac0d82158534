use std::time::Duration;

use super::plan::{Families, Pace, PlanOptions, Scope};
use super::*;
use crate::model::host::{Disk, HostLoad, IcmpRight, Pressure, Rights, TraceRight};
use crate::model::link::{
    InterfaceAddress, Link, LinkCounters, LookupResult, Neighbour, NeighbourState, Network, NextHop, RouteLookup,
    Scope as Reach,
};
use crate::model::record::{Gap, GapCause};
use crate::model::sample::{Certificate, NtpAnswer, Phases, TlsAnswer, Trust};
use crate::model::socket::{Listener, Sockets, Transport};
use crate::model::{Detail, Outcome, ProbeKind, Sample, Untrusted, Wall};
use crate::runbook::{self, Fact, Figure, Mark, Observations, Truth};
use crate::session::observe::Observed;
use crate::session::remembered::Remembered;

const TARGET: &str = "10.0.0.9";

fn at(seconds: f64) -> At {
    let us = (seconds * 1e6) as i64;
    At { mono: Mono(us as u64 * 1_000), wall: Wall(1_700_000_000_000_000 + us) }
}

fn book(text: &str) -> Runbook {
    runbook::parse("book.md", text.trim_start()).unwrap()
}

/// A session on one target, its network known; records are fed by hand.
struct Bench {
    session: Session,
    now: f64,
    /// The target's link-layer address does not resolve.
    gone: bool,
    sent: HashMap<ProbeId, u32>,
}

impl Bench {
    fn new(targets: &[&str], runbooks: Vec<Runbook>) -> Self {
        let request = |t: &&str| TargetRequest { written: t.parse().unwrap(), label: None };
        let options = SessionOptions {
            targets: targets.iter().map(request).collect(),
            plan: PlanOptions {
                scope: Scope::Everything,
                families: Families { v4: true, v6: true },
                pace: Pace::watching(Duration::from_secs(1), Duration::from_secs(1)),
                packets_per_second: 2_000,
            },
            discover: true,
            thresholds: Thresholds::default(),
            count: None,
            expected: Vec::new(),
            guide: !runbooks.is_empty(),
            keep_records: true,
            runbooks,
        };
        let rights = Rights { icmp: IcmpRight::Raw, trace: TraceRight::Raw, packet: true, netadmin: true };
        let identity = HostIdentity { name: "here".into(), uid: 0, rights };
        let mut bench =
            Self { session: Session::new(options, identity, at(0.0)), now: 0.0, gone: false, sent: HashMap::new() };
        bench.tables();
        bench
    }

    fn put(&mut self, kind: RecordKind) {
        let entry = Entry { at: at(self.now), origin: Origin::Probe("bench".to_owned()), kind };
        self.session.apply(vec![entry]);
        self.session.replan(at(self.now));
    }

    /// What the kernel says: eth0 up with an address, every target on-link.
    fn tables(&mut self) {
        let link = Link {
            index: 2,
            name: "eth0".into(),
            kind: "".into(),
            admin_up: true,
            carrier: true,
            mtu: 1500,
            mac: None,
            speed_mbps: None,
            duplex: None,
            carrier_changes: Some(1),
            master: None,
            lower: None,
            counters: LinkCounters::default(),
        };
        let address = InterfaceAddress {
            index: 2,
            prefix: "10.0.0.7/24".parse().unwrap(),
            scope: Reach::Global,
            tentative: false,
            dad_failed: false,
            deprecated: false,
        };
        let neighbour = Neighbour {
            index: 2,
            ip: TARGET.parse().unwrap(),
            mac: None,
            state: NeighbourState::Failed,
            router: false,
        };
        self.put(RecordKind::Network(Box::new(Network {
            links: vec![link],
            addresses: vec![address],
            neighbours: if self.gone { vec![neighbour] } else { Vec::new() },
            ..Network::default()
        })));
        let to: Vec<IpAddr> =
            self.session.state.targets().flat_map(|t| self.session.state.addresses_of(t.id)).collect();
        let via = LookupResult::Via {
            next_hop: NextHop { gateway: None, index: 2 },
            source: None,
            matched: None,
            local: false,
        };
        self.put(RecordKind::Lookups(to.into_iter().map(|to| RouteLookup { to, result: via.clone() }).collect()));
    }

    fn probe(&self, kind: ProbeKind) -> ProbeId {
        self.session.state.probes().find(|p| p.kind() == kind).unwrap().spec.id
    }

    fn sample(&mut self, kind: ProbeKind, outcome: Outcome) {
        let probe = self.probe(kind);
        let seq = self.sent.entry(probe).or_default();
        *seq += 1;
        let sample = Sample { probe, seq: *seq, sent: at(self.now).mono, outcome };
        self.put(RecordKind::Sample(sample));
    }

    fn echo(&mut self, answered: bool) {
        self.sample(ProbeKind::Icmp, if answered { answer(Detail::Echo { ttl: Some(64) }) } else { Outcome::Lost });
    }

    /// So many seconds pass, each with an echo and a look.
    fn seconds(&mut self, n: u32, answered: bool) {
        for _ in 0..n {
            self.now += 1.0;
            self.echo(answered);
            if self.gone == answered {
                self.gone = !answered;
                self.tables();
            }
            if self.now % 10.0 == 0.0 {
                self.tables();
            }
            self.session.judge(at(self.now));
        }
    }

    fn figure(&self, figure: Figure, subject: &str) -> Option<f64> {
        self.seen(|o| o.figure(figure, subject))
    }

    fn fact(&self, fact: Fact, subject: &str) -> Option<bool> {
        self.seen(|o| o.fact(fact, subject))
    }

    fn seen<T>(&self, ask: impl Fn(&Observed<'_>) -> T) -> T {
        let remembered = Remembered::default();
        ask(&Observed::new(&self.session.state, self.session.verdict(), &remembered, at(self.now)))
    }

    fn mark(&self, step: usize) -> &Mark {
        self.session.walk().unwrap().step(step).unwrap().mark
    }
}

fn answer(detail: Detail) -> Outcome {
    Outcome::Answered { rtt: Duration::from_millis(20), detail }
}

#[test]
fn loss_is_measured_stale_or_never_asked() {
    let mut bench = Bench::new(&[TARGET], Vec::new());
    assert_eq!(bench.figure(Figure::Loss, "targets"), None);
    assert_eq!(bench.fact(Fact::Answers, TARGET), None);
    assert_eq!(bench.fact(Fact::Measured, TARGET), Some(false));
    bench.seconds(3, true);
    bench.seconds(1, false);
    assert_eq!(bench.figure(Figure::Loss, "targets"), Some(0.25));
    assert_eq!(bench.figure(Figure::RttP50, TARGET), Some(20.0));
    assert_eq!(bench.fact(Fact::Answers, "targets"), Some(true));
    assert_eq!(bench.fact(Fact::Measured, TARGET), Some(true));
    assert_eq!(bench.figure(Figure::Loss, "nobody"), None);
    bench.now += 30.0;
    assert_eq!(bench.figure(Figure::Loss, "targets"), None, "stale");
    assert_eq!(bench.fact(Fact::Answers, "targets"), None, "stale");
    assert_eq!(bench.fact(Fact::Measured, TARGET), Some(false));
}

#[test]
fn what_was_never_sent_is_no_loss_and_no_silence() {
    let mut bench = Bench::new(&[TARGET], Vec::new());
    bench.seconds(3, true);
    bench.now += 1.0;
    bench.sample(ProbeKind::Icmp, Outcome::Unsent { reason: crate::model::sample::Unsent::InterfaceDown });
    assert_eq!(bench.figure(Figure::Loss, TARGET), None);
    let mut bench = Bench::new(&[TARGET], Vec::new());
    bench.now += 1.0;
    bench.sample(ProbeKind::Icmp, Outcome::Unsent { reason: crate::model::sample::Unsent::NoRoute });
    assert_eq!(bench.fact(Fact::Answers, TARGET), None);
}

#[test]
fn where_echo_is_filtered_the_service_tells() {
    let mut bench = Bench::new(&["10.0.0.9:443"], Vec::new());
    for _ in 0..4 {
        bench.now += 1.0;
        bench.echo(false);
        bench.sample(ProbeKind::Tcp, answer(Detail::Tcp));
    }
    assert_eq!(bench.figure(Figure::Loss, "targets"), Some(0.0));
    assert_eq!(bench.fact(Fact::Answers, "targets"), Some(true));
}

#[test]
fn of_several_the_worst_counts_and_all_must_be_known() {
    let mut bench = Bench::new(&[TARGET, "10.0.0.10"], Vec::new());
    bench.seconds(4, true);
    assert_eq!(bench.figure(Figure::Loss, TARGET), Some(0.0));
    assert_eq!(bench.figure(Figure::Loss, "targets"), None, "the other is not measured");
    assert_eq!(bench.fact(Fact::Answers, "targets"), None);
    let mut bench = Bench::new(&[TARGET, "10.0.0.10"], Vec::new());
    bench.seconds(4, false);
    assert_eq!(bench.figure(Figure::Loss, "targets"), Some(1.0), "it cannot be worse");
    assert_eq!(bench.fact(Fact::Answers, "targets"), Some(false));
}

#[test]
fn no_finding_is_said_only_of_what_was_judged() {
    let mut bench = Bench::new(&[TARGET], Vec::new());
    assert_eq!(bench.fact(Fact::Finding, "link.*"), Some(false), "the kernel's tables are known");
    assert_eq!(bench.fact(Fact::Finding, "path.*"), None);
    bench.seconds(3, true);
    assert_eq!(bench.fact(Fact::Finding, "path.*"), Some(false));
    assert_eq!(bench.fact(Fact::Finding, "*"), Some(false));
    assert_eq!(bench.fact(Fact::Finding, "tls.*"), None, "nobody speaks TLS here");
    assert_eq!(bench.fact(Fact::Finding, "time.offset"), None);
    assert_eq!(bench.fact(Fact::Finding, "cloud.nonsense"), None);
    bench.now += 60.0;
    assert_eq!(bench.fact(Fact::Finding, "link.*"), None, "stale");
    assert_eq!(bench.fact(Fact::Finding, "path.*"), None, "stale");
}

#[test]
fn silence_that_no_finding_explains_yet_is_not_judged() {
    let mut bench = Bench::new(&[TARGET], Vec::new());
    bench.seconds(2, false);
    assert_eq!(bench.session.verdict().findings, []);
    assert_eq!(bench.fact(Fact::Finding, "path.*"), None);
    assert_eq!(bench.fact(Fact::Finding, "*"), None);
    bench.seconds(10, false);
    assert_eq!(bench.fact(Fact::Finding, "*"), Some(true), "{:?}", bench.session.verdict().status);
}

#[test]
fn a_service_is_judged_by_its_own_probes() {
    let mut bench = Bench::new(&["10.0.0.9:443"], Vec::new());
    bench.seconds(3, true);
    assert_eq!(bench.fact(Fact::Finding, "port.*"), None);
    bench.sample(ProbeKind::Tcp, answer(Detail::Tcp));
    assert_eq!(bench.fact(Fact::Finding, "port.*"), Some(false));
    assert_eq!(bench.fact(Fact::Finding, "port.not_listening"), None, "nothing is expected here");
}

#[test]
fn this_hosts_tables_answer_while_fresh() {
    let mut bench = Bench::new(&[TARGET], Vec::new());
    for (fact, subject) in
        [(Fact::LinkUp, ""), (Fact::HasAddress, "eth0"), (Fact::HasRoute, ""), (Fact::LinkUp, "eth0")]
    {
        assert_eq!(bench.fact(fact, subject), Some(true), "{fact:?}");
    }
    assert_eq!(bench.fact(Fact::LinkUp, "eth9"), Some(false));
    assert_eq!(bench.fact(Fact::Listening, "22"), None);
    let listener = Listener {
        transport: Transport::Tcp,
        local: "[::]:22".parse().unwrap(),
        interface: 0,
        uid: 0,
        process: None,
        queue: 0,
        queue_limit: 0,
        established: 0,
    };
    bench.put(RecordKind::Sockets(Box::new(Sockets { listeners: vec![listener], ..Sockets::default() })));
    assert_eq!(bench.fact(Fact::Listening, "22"), Some(true));
    assert_eq!(bench.fact(Fact::Listening, "23"), Some(false));
    bench.now += 40.0;
    for (fact, subject) in [(Fact::LinkUp, ""), (Fact::HasAddress, ""), (Fact::HasRoute, ""), (Fact::Listening, "22")] {
        assert_eq!(bench.fact(fact, subject), None, "{fact:?}");
    }
}

fn disk(mount: &str, used: u64, read_only: bool, hung: bool) -> Disk {
    let kind = if mount.starts_with("/snap") { "squashfs" } else { "ext4" };
    Disk { mount: mount.into(), kind: kind.into(), total: 100, available: 100 - used, read_only, hung }
}

#[test]
fn load_and_disks_answer_while_fresh() {
    let mut bench = Bench::new(&[TARGET], Vec::new());
    for figure in [Figure::Cpu, Figure::Memory, Figure::Disk, Figure::IoPressure] {
        assert_eq!(bench.figure(figure, ""), None);
    }
    assert_eq!(bench.fact(Fact::Writable, ""), None);
    let load = HostLoad {
        cpu: Some(0.5),
        memory_total: 400,
        memory_available: 100,
        pressure: Some(Pressure { io: 0.25, ..Pressure::default() }),
        disks: vec![disk("/", 40, false, false), disk("/var", 90, false, false), disk("/snap/x", 100, true, false)],
        ..HostLoad::default()
    };
    bench.put(RecordKind::Load(Box::new(load.clone())));
    let figures = [(Figure::Cpu, "", 0.5), (Figure::Memory, "", 0.75), (Figure::IoPressure, "", 0.25)];
    for (figure, subject, value) in figures.into_iter().chain([(Figure::Disk, "", 0.9), (Figure::Disk, "/", 0.4)]) {
        assert_eq!(bench.figure(figure, subject), Some(value), "{figure:?}");
    }
    assert_eq!(bench.figure(Figure::Disk, "/none"), None);
    assert_eq!(bench.fact(Fact::Writable, ""), Some(true), "an image is no disk that turned read-only");

    let mut remembered = Remembered::default();
    remembered.update(&bench.session.state, bench.session.verdict(), at(bench.now));
    let turned = HostLoad { disks: vec![disk("/", 40, true, false)], ..load.clone() };
    bench.put(RecordKind::Load(Box::new(turned)));
    assert_eq!(bench.fact(Fact::Writable, ""), None, "it may be meant to be");
    let seen = Observed::new(&bench.session.state, bench.session.verdict(), &remembered, at(bench.now));
    assert_eq!(seen.fact(Fact::Writable, ""), Some(false), "it was writable before");

    let hung = HostLoad { disks: vec![disk("/", 40, false, false), disk("/mnt", 0, false, true)], ..load };
    bench.put(RecordKind::Load(Box::new(hung)));
    assert_eq!(bench.figure(Figure::Disk, ""), None, "a disk that does not answer may be full");
    assert_eq!(bench.fact(Fact::Writable, ""), None);
    bench.now += 20.0;
    assert_eq!(bench.figure(Figure::Cpu, ""), None, "stale");
}

#[test]
fn clock_and_certificate_are_measured_by_whom_they_are_asked_of() {
    let mut bench = Bench::new(&["ntp://10.0.0.9", "tls://10.0.0.9"], Vec::new());
    bench.now += 1.0;
    assert_eq!(bench.figure(Figure::ClockOffset, ""), None);
    let ntp = |stratum, offset_ns| {
        answer(Detail::Ntp(NtpAnswer {
            offset_ns,
            stratum,
            leap: 0,
            reference: "".into(),
            root_delay_us: 0,
            root_dispersion_us: 0,
        }))
    };
    bench.sample(ProbeKind::Ntp, ntp(16, 0));
    assert_eq!(bench.figure(Figure::ClockOffset, ""), None, "the server does not know the time itself");
    bench.sample(ProbeKind::Ntp, ntp(2, -1_500_000_000));
    assert_eq!(bench.figure(Figure::ClockOffset, ""), Some(1.5));

    assert_eq!(bench.figure(Figure::CertificateDays, "tls://10.0.0.9"), None);
    let not_after = at(bench.now).wall.unix_seconds() + 10 * 86_400 + 5;
    let leaf = Certificate { subject: "".into(), issuer: "".into(), names: Vec::new(), not_before: 0, not_after };
    bench.sample(
        ProbeKind::Tls,
        answer(Detail::Tls(TlsAnswer {
            phases: Phases::default(),
            version: String::new(),
            cipher: String::new(),
            trust: Trust::Valid,
            chain: vec![leaf],
        })),
    );
    assert_eq!(bench.figure(Figure::CertificateDays, "tls://10.0.0.9"), Some(10.0));
}

#[test]
fn a_recovery_counts_from_its_beginning() {
    let mut bench = Bench::new(&[TARGET], vec![book("+++\nid = \"first-response\"\n+++\n- [ ] x\n")]);
    let mut remembered = Remembered::default();
    let mut counted = |bench: &mut Bench, n: u32, answered: bool| {
        for _ in 0..n {
            bench.seconds(1, answered);
            remembered.update(&bench.session.state, bench.session.verdict(), at(bench.now));
        }
        let seen = Observed::new(&bench.session.state, bench.session.verdict(), &remembered, at(bench.now));
        (seen.figure(Figure::Probes, TARGET), seen.figure(Figure::Success, TARGET))
    };
    assert_eq!(counted(&mut bench, 12, false), (None, None), "a fault stands");
    assert_eq!(counted(&mut bench, 5, true).0, None, "it is not over yet, or only just");
    let (probes, success) = counted(&mut bench, 90, true);
    assert!(probes.is_some_and(|n| (10.0..=90.0).contains(&n)), "{probes:?}");
    assert_eq!(success, Some(1.0), "what was lost before does not count");
    let (_, success) = counted(&mut bench, 1, false);
    assert!(success.is_some_and(|s| s < 1.0));
    assert_eq!(counted(&mut bench, 12, false), (None, None), "the next fault ends it");
}

const CHECKED: &str = r#"
+++
id = "first-response"
+++
## Fault

- [ ] It answers
  <!-- check: answers("targets") -->

## Response

- [ ] Tell them

## Confirm

- [ ] No loss
  <!-- frc
  check: loss("targets") < 0.5
  hold: 5s
  -->
"#;

#[test]
fn the_probes_tick_and_open_steps() {
    let mut bench = Bench::new(&[TARGET], vec![book(CHECKED)]);
    let walk = bench.session.walk().unwrap();
    assert_eq!(walk.runbook().id, "first-response", "it begins by itself");
    assert_eq!(walk.step(0).unwrap().truth, Truth::NotMeasured);
    bench.seconds(2, true);
    assert!(matches!(bench.mark(0), Mark::Probes { .. }));
    assert_eq!(*bench.mark(2), Mark::Open, "it has not held for its time");
    bench.seconds(6, true);
    assert!(matches!(bench.mark(2), Mark::Probes { .. }));
    bench.now += 8.0;
    bench.session.judge(at(bench.now));
    assert_eq!(*bench.mark(2), Mark::Open, "nobody can tell any more");
}

#[test]
fn a_gap_opens_what_was_confirmed() {
    let mut bench = Bench::new(&[TARGET], vec![book(CHECKED)]);
    bench.seconds(8, true);
    assert!(matches!(bench.mark(2), Mark::Probes { .. }));
    let (from, to) = (at(bench.now).mono, at(bench.now).mono);
    bench.put(RecordKind::Gap(Gap { from, to, cause: GapCause::Suspended }));
    assert_eq!(*bench.mark(2), Mark::Open);
    bench.seconds(2, true);
    assert_eq!(*bench.mark(2), Mark::Open, "what held before the gap does not count");
    bench.seconds(6, true);
    assert!(matches!(bench.mark(2), Mark::Probes { .. }));
}

#[test]
fn what_people_do_is_on_record_with_their_name() {
    let mut bench = Bench::new(&[TARGET], vec![book(CHECKED), book("+++\nid = \"db\"\n+++\n- [ ] y\n")]);
    bench.session.take_records();
    let ana = || Origin::Person("ana".into());
    assert!(bench.session.tick_step("it-answers", true, Some("seen by hand"), at(1.0), ana()));
    assert!(!bench.session.tick_step("no-such-step", true, None, at(1.0), ana()));
    bench.session.note("called the NOC\u{1b}[2J", at(2.0), ana());
    let Mark::Overridden { who, reason, .. } = bench.mark(0) else { panic!("{:?}", bench.mark(0)) };
    assert_eq!((who.as_str(), reason.as_ref().map(Untrusted::as_str)), ("ana", Some("seen by hand")));
    assert!(bench.session.tick_step("it-answers", false, None, at(3.0), ana()));
    assert!(matches!(bench.mark(0), Mark::Reopened { .. }));
    assert!(!bench.session.start_runbook("none", at(4.0), ana()));
    assert!(bench.session.start_runbook("db", at(4.0), ana()));
    assert_eq!(bench.session.walk().unwrap().runbook().id, "db");
    let records = bench.session.take_records();
    assert_eq!(records.len(), 4);
    assert!(records.iter().all(|r| r.origin == ana() && matches!(r.kind, RecordKind::Action(_))));
    let RecordKind::Action(Action::Note { text }) = &records[1].kind else { panic!("{records:?}") };
    assert_eq!(text.as_str(), "called the NOC\\x1b[2J");
}

#[test]
fn without_a_guide_nothing_is_walked() {
    let bench = Bench::new(&[TARGET], Vec::new());
    assert!(bench.session.walk().is_none());
    assert_eq!(bench.session.runbooks(), []);
}

#[test]
fn what_fails_is_asked_again_soon_and_calms_down_when_well() {
    let mut bench = Bench::new(&["10.0.0.9:5432"], Vec::new());
    bench.seconds(2, true);
    let pace = |bench: &Bench, kind: ProbeKind| {
        let spec = bench.session.specs().iter().find(|s| s.ask.kind() == kind);
        spec.map(|s| s.interval)
    };
    let calm = pace(&bench, ProbeKind::Tcp).unwrap();
    assert!(calm > Duration::from_secs(1));
    bench.sample(ProbeKind::Tcp, Outcome::Lost);
    bench.seconds(2, true);
    assert_eq!(pace(&bench, ProbeKind::Tcp), Some(Duration::from_secs(1)));
    bench.sample(ProbeKind::Tcp, answer(Detail::Tcp));
    bench.seconds(2, true);
    assert_eq!(pace(&bench, ProbeKind::Tcp), Some(calm));
}
