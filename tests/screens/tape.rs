//! A session made of records alone: a network that is well for a while, then loses
//! everything behind its third hop. No socket, no clock.

#![allow(dead_code, missing_docs, clippy::unwrap_used, reason = "shared by tests and by an example")]

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use frc::app::effect::Command;
use frc::app::seat::{Seat, Stand, Walk, WalkPhase, WalkStep};
use frc::model::finding::{Evidence, Layer, Side};
use frc::model::hop::{HopAnswer, HopOutcome, HopSample, RoundEnd};
use frc::model::host::{HostIdentity, IcmpRight, Rights, TraceRight};
use frc::model::probe::TraceProto;
use frc::model::record::Origin;
use frc::model::sample::{DnsAnswer, NtpAnswer};
use frc::model::target::Address;
use frc::model::{
    Ask, At, Confidence, Detail, Finding, FindingId, Message, Mono, Outcome, ProbeId, ProbeSpec, QueryType, Record,
    RecordKind, Role, Sample, Severity, Status, Target, TargetId, Verdict, Wall,
};
use frc::probes::Batch;
use frc::state::State;

#[path = "tape_host.rs"]
mod host;

use host::{kernel, load, lookups, network, resolvers, sockets};

/// 2025-11-20 03:11:00 UTC.
pub const BEGIN: i64 = 1_763_608_260_000_000;

/// When the path breaks, in seconds after the beginning.
pub const BREAK: u64 = 67;

#[derive(Clone)]
pub struct Tape {
    pub state: State,
    pub verdict: Option<Verdict>,
    pub walk: bool,
    /// Whether the path ever breaks.
    pub breaks: bool,
    pub commands: Vec<Command>,
    pub loses: bool,
    pub seq: u64,
    pub second: u64,
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn socket(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn at(ms: u64) -> At {
    At { mono: Mono(ms * 1_000_000), wall: Wall(BEGIN + ms as i64 * 1_000) }
}

/// A small wander, the same every time.
fn wander(n: u64, salt: u64) -> f64 {
    let x = (n.wrapping_mul(2_654_435_761) ^ salt.wrapping_mul(40_503)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (x >> 40) as f64 / (1u64 << 24) as f64
}

impl Tape {
    /// Nothing known yet.
    pub fn blank() -> Self {
        Self {
            state: State::default(),
            verdict: None,
            walk: false,
            breaks: true,
            commands: Vec::new(),
            loses: false,
            seq: 0,
            second: 0,
        }
    }

    /// Played up to that second.
    pub fn at_second(second: u64, breaks: bool) -> Self {
        let mut tape = Self { breaks, walk: true, ..Self::blank() };
        tape.begin();
        while tape.second < second {
            tape.play_second();
        }
        tape
    }

    /// A thousand targets, all well but some.
    pub fn thousand() -> Self {
        let mut tape = Self::at_second(1, false);
        for n in 0..1000u32 {
            let address = IpAddr::from([10, 80, (n / 250) as u8, (n % 250) as u8 + 1]);
            tape.target(100 + n, &address.to_string(), Role::Watched);
            tape.probe(100 + n, &[100 + n], Ask::Icmp { to: address });
        }
        for second in 1..70 {
            for n in 0..1000u32 {
                let rtt = Duration::from_micros(300 + (wander(second, u64::from(n)) * 90.0) as u64);
                let outcome = if n % 97 == 3 { Outcome::Lost } else { answered(rtt, Detail::Echo { ttl: Some(60) }) };
                tape.sample(100 + n, second, outcome);
            }
            tape.play_second();
        }
        tape
    }

    pub fn write(&mut self, at: At, kind: RecordKind) {
        self.seq += 1;
        self.state.apply(&Record { seq: self.seq, at, origin: Origin::Session, kind });
    }

    pub fn target(&mut self, id: u32, text: &str, role: Role) {
        let address: Address = text.parse().unwrap();
        let target = Target {
            id: TargetId(id),
            text: text.to_owned(),
            host: address.host,
            service: address.service,
            role,
            label: None,
        };
        self.write(at(self.second * 1000), RecordKind::TargetAdded(target));
    }

    pub fn probe(&mut self, id: u32, targets: &[u32], ask: Ask) {
        let spec = ProbeSpec {
            id: ProbeId(id),
            targets: targets.iter().map(|t| TargetId(*t)).collect(),
            ask,
            scope: 0,
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            count: None,
        };
        self.write(at(self.second * 1000), RecordKind::ProbeAdded(spec));
    }

    pub fn sample(&mut self, probe: u32, second: u64, outcome: Outcome) {
        let sent = at(second * 1000 + u64::from(probe % 50) * 7);
        let sample = Sample { probe: ProbeId(probe), seq: second as u32, sent: sent.mono, outcome };
        self.write(at(second * 1000 + 900), RecordKind::Sample(sample));
    }

    /// Host, targets, probes: what is known within the first second.
    pub fn begin(&mut self) {
        let rights = Rights { icmp: IcmpRight::Raw, trace: TraceRight::Raw, packet: true, netadmin: true };
        self.write(at(0), RecordKind::Host(HostIdentity { name: "web-7".into(), uid: 0, rights }));
        self.target(1, "srv.lab.test", Role::Watched);
        self.target(2, "tls://srv.lab.test", Role::Watched);
        self.target(3, "ntp://ntp.lab.test", Role::Watched);
        self.target(4, "udp://api.eu.example:443", Role::Watched);
        self.target(5, "10.77.1.1", Role::Gateway);
        self.target(6, "10.77.1.53", Role::Resolver);
        self.target(7, "10.77.1.54", Role::Resolver);
        let srv = ip("10.77.9.20");
        self.probe(1, &[1, 2], Ask::Icmp { to: srv });
        self.probe(2, &[2], Ask::Tls { to: socket("10.77.9.20:443"), name: "srv.lab.test".to_owned() });
        self.probe(3, &[3], Ask::Ntp { to: socket("10.77.1.123:123") });
        self.probe(4, &[4], Ask::Udp { to: socket("10.99.0.7:443") });
        self.probe(5, &[5], Ask::Icmp { to: ip("10.77.1.1") });
        for (probe, server) in [(6, "10.77.1.53:53"), (7, "10.77.1.54:53")] {
            let ask = Ask::Dns { server: socket(server), name: "srv.lab.test".to_owned(), qtype: QueryType::A };
            self.probe(probe, &[probe], ask);
        }
        let protos = vec![TraceProto::Icmp];
        self.probe(8, &[1], Ask::Trace { to: srv, protos, port: None, max_ttl: 30 });
        for (address, name) in [("10.77.1.1", "gw"), ("10.77.12.2", "edge-2"), ("10.77.23.3", "core-1")] {
            self.write(at(100), RecordKind::Name { address: ip(address), name: Some(name.into()) });
        }
        self.write(at(100), RecordKind::Resolvers(resolvers()));
    }

    /// One second more.
    pub fn play_second(&mut self) {
        let s = self.second;
        let broken = self.breaks && s >= BREAK;
        self.echoes(s, broken);
        self.trace(s, broken);
        if s.is_multiple_of(2) {
            self.write(at(s * 1000 + 910), RecordKind::Network(Box::new(network(s))));
            self.write(at(s * 1000 + 910), RecordKind::Lookups(lookups()));
            self.write(at(s * 1000 + 920), RecordKind::Load(Box::new(load(s))));
            self.write(at(s * 1000 + 930), RecordKind::Sockets(Box::new(sockets(s))));
            self.write(at(s * 1000 + 930), RecordKind::Kernel(kernel(s)));
        }
        if s == 3 || (self.breaks && s == BREAK + 4) {
            let verdict = if broken { fault() } else { healthy() };
            self.verdict = Some(verdict.clone());
            self.write(at(s * 1000 + 950), RecordKind::Verdict(Box::new(verdict)));
        }
        self.second += 1;
        self.state.tick(at(self.second * 1000));
    }

    fn echoes(&mut self, s: u64, broken: bool) {
        let us = |base: f64, spread: f64, salt| Duration::from_micros((base + spread * wander(s, salt)) as u64);
        let echo = |rtt| answered(rtt, Detail::Echo { ttl: Some(60) });
        self.sample(1, s, if broken { Outcome::Lost } else { echo(us(600.0, 80.0, 1)) });
        self.sample(2, s, if broken { Outcome::Lost } else { answered(us(3_100.0, 400.0, 2), Detail::Tcp) });
        let ntp = NtpAnswer {
            offset_ns: 2_000_000,
            stratum: 2,
            leap: 0,
            reference: "GPS".into(),
            root_delay_us: 100,
            root_dispersion_us: 10,
        };
        self.sample(3, s, answered(us(400.0, 60.0, 3), Detail::Ntp(ntp)));
        self.sample(4, s, Outcome::Lost);
        self.sample(5, s, echo(us(290.0, if s.is_multiple_of(23) { 2_600.0 } else { 30.0 }, 5)));
        let dns =
            || Detail::Dns(DnsAnswer { addresses: vec![ip("10.77.9.20")], ttl: Some(60), ..DnsAnswer::default() });
        self.sample(6, s, answered(us(400.0, 50.0, 6), dns()));
        let slow = us(if s.is_multiple_of(11) { 380_000.0 } else { 36_000.0 }, 4_000.0, 7);
        self.sample(7, s, if s.is_multiple_of(9) { Outcome::Lost } else { answered(slow, dns()) });
    }

    fn trace(&mut self, s: u64, broken: bool) {
        let hops = ["10.77.1.1", "10.77.12.2", "10.77.23.3", "10.77.34.4", "10.77.9.20"];
        let answering = if broken { 3 } else { 5 };
        for (n, hop) in hops.iter().enumerate() {
            let rtt = Duration::from_micros((200.0 + 100.0 * n as f64 + 60.0 * wander(s, 90 + n as u64)) as u64);
            let answer = if n == 4 { HopAnswer::Reached } else { HopAnswer::Expired };
            let outcome = if n < answering {
                HopOutcome::Answered { from: ip(hop), rtt, answer, reply_ttl: Some(64 - n as u8) }
            } else {
                HopOutcome::Silent
            };
            let sample = HopSample {
                probe: ProbeId(8),
                proto: TraceProto::Icmp,
                round: s as u32,
                ttl: n as u8 + 1,
                sent: at(s * 1000 + 300).mono,
                outcome,
            };
            self.write(at(s * 1000 + 800), RecordKind::Hop(sample));
        }
        let end = RoundEnd {
            probe: ProbeId(8),
            proto: TraceProto::Icmp,
            round: s as u32,
            began: at(s * 1000 + 300).mono,
            reached: (!broken).then_some(5),
            probed: 5,
            one_flow: true,
        };
        self.write(at(s * 1000 + 801), RecordKind::Round(end));
    }
}

fn answered(rtt: Duration, detail: Detail) -> Outcome {
    Outcome::Answered { rtt, detail }
}

/// Messages of the tests' own: the words of findings are the diagnosis's.
fn words(text: &'static str) -> Message {
    Message::new(text)
}

fn healthy() -> Verdict {
    Verdict {
        status: Status::Healthy,
        side: None,
        summary: words("Everything watched answers as it should"),
        findings: Vec::new(),
        unmeasured: vec![TargetId(4)],
        at: at(3_950),
    }
}

fn fault() -> Verdict {
    let since = at(BREAK * 1000 + 100);
    let id = |code: &str, subject: &str| FindingId(format!("{code}@{subject}"));
    let root = Finding {
        id: id("path.blackhole", "hop 3 10.77.23.3"),
        code: "path.blackhole".to_owned(),
        layer: Layer::Network,
        severity: Severity::Critical,
        confidence: Confidence::Strong,
        side: Side::Path,
        subject: "hop 3 10.77.23.3".to_owned(),
        summary: words("Packets die after 10.77.23.3, hop 3 of 5: no router behind it answers"),
        since,
        evidence: vec![Evidence {
            probe: "trace".to_owned(),
            observed: words("hops 4 and 5 stay silent for icmp, udp and tcp alike"),
            expected: words("an answer from 10.77.34.4 and from the target"),
            at: since,
        }],
        next: vec![words("Call the owner of 10.77.23.3")],
        caused_by: None,
        targets: vec![TargetId(1), TargetId(2)],
    };
    let symptom = |code: &str, subject: &str, probe: &str, text: &'static str, target| Finding {
        id: id(code, subject),
        code: code.to_owned(),
        subject: subject.to_owned(),
        summary: words(text),
        caused_by: Some(root.id.clone()),
        evidence: vec![Evidence {
            probe: probe.to_owned(),
            observed: words(text),
            expected: words("an answer"),
            at: since,
        }],
        next: Vec::new(),
        targets: vec![TargetId(target)],
        ..root.clone()
    };
    let findings = vec![
        root.clone(),
        symptom("host.unreachable", "10.77.9.20", "icmp", "10.77.9.20 does not answer", 1),
        symptom("port.filtered", "10.77.9.20:443", "tls", "10.77.9.20:443 does not answer", 2),
        Finding {
            severity: Severity::Warning,
            caused_by: None,
            side: Side::Service,
            ..symptom("dns.slow", "nameserver 10.77.1.54", "dns", "10.77.1.54 answers slowly", 7)
        },
    ];
    Verdict {
        status: Status::Fault,
        side: Some(Side::Path),
        summary: root.summary.clone(),
        findings,
        unmeasured: vec![TargetId(4)],
        at: at(BREAK * 1000 + 4_950),
    }
}

fn walk(broken: bool) -> Walk {
    let step = |id: &str, text: &str, stand, note: &str| WalkStep {
        id: id.to_owned(),
        text: text.to_owned(),
        stand,
        note: note.to_owned(),
        seen: String::new(),
        commands: Vec::new(),
        why: String::new(),
        expect: String::new(),
        back: String::new(),
    };
    let phase = |title: &str, steps| WalkPhase { title: title.to_owned(), steps };
    let call = WalkStep {
        why: "the last router to answer knows best what follows it".to_owned(),
        expect: "a ticket number and a time".to_owned(),
        back: "nothing to undo".to_owned(),
        ..step("call", "Call the owner of 10.77.23.3", Stand::Open, "due 03:20")
    };
    Walk {
        current: Some(3),
        id: "first-response".to_owned(),
        title: if broken { "Path black hole".to_owned() } else { "First response".to_owned() },
        phases: vec![
            phase(
                "Fault",
                vec![
                    step("link", "Link and gateway are well", Stand::Done, "03:12"),
                    step("path", "The path ends beyond our network", Stand::Done, "03:12"),
                ],
            ),
            phase(
                "Response",
                vec![
                    step("severity", "Severity set, commander named", Stand::Done, "ana 03:13"),
                    call,
                    step("standby", "Move traffic to the standby", Stand::Open, "needs approval"),
                ],
            ),
            phase(
                "Confirm",
                vec![
                    step("probes", "99.95 % of 2,000 probes pass", Stand::Failed, "now 0 %"),
                    step("rtt", "RTT within 15 % of 0.6 ms", Stand::Unmeasured, "not measured"),
                ],
            ),
        ],
    }
}

impl Seat for Tape {
    fn state(&self) -> &State {
        &self.state
    }

    fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }

    fn walk(&self) -> Option<Walk> {
        self.walk.then(|| walk(self.verdict.as_ref().is_some_and(|v| v.status == Status::Fault)))
    }

    fn apply(&mut self, batch: Batch) -> bool {
        for entry in batch {
            self.write(entry.at, entry.kind);
        }
        false
    }

    fn tick(&mut self, now: At) -> bool {
        let before = self.verdict.clone();
        while at((self.second + 1) * 1000).mono <= now.mono {
            self.play_second();
        }
        self.state.tick(now);
        before != self.verdict
    }

    fn now(&self) -> At {
        self.state.now
    }

    fn command(&mut self, command: Command) -> Result<(), Message> {
        if let Command::AddTarget(text) = &command {
            let id = 1_000 + self.commands.len() as u32;
            self.target(id, text, Role::Watched);
        }
        self.commands.push(command);
        Ok(())
    }

    fn would_lose(&self) -> Option<Message> {
        self.loses.then(|| Message::new("confirm-remove").with("name", "x"))
    }
}
