use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::model::finding::{Confidence, Evidence, Finding, FindingId, Layer, Severity, Side, Status};
use crate::model::hop::{HopAnswer, HopOutcome};
use crate::model::host::{Disk, IcmpRight, NameServer, Pressure, Rights, TraceRight};
use crate::model::link::{
    Duplex, InterfaceAddress, Link, LinkCounters, LookupResult, Neighbour, NeighbourState, NextHop, Route, RouteKind,
    Scope,
};
use crate::model::probe::TraceProto;
use crate::model::sample::{
    Certificate, DnsAnswer, Failure, HttpAnswer, IcmpError, NtpAnswer, Phases, Resolved, Stage, TlsAnswer, Trust,
    Unsent,
};
use crate::model::socket::{Connection, Listener, Process, TcpInfo, TcpState, TcpStates, Transport};
use crate::model::target::{Host, Role, Service};
use crate::model::{Ask, Detail, Outcome, QueryType, Wall};

const RTT: Duration = Duration::from_nanos(1_234_567);

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn at() -> At {
    At { mono: Mono(1_234_567_890), wall: Wall(1_763_625_600_123_456) }
}

fn sample(outcome: Outcome) -> RecordKind {
    RecordKind::Sample(Sample { probe: ProbeId(3), seq: 7, sent: Mono(99), outcome })
}

fn answered(detail: Detail) -> RecordKind {
    sample(Outcome::Answered { rtt: RTT, detail })
}

fn hop(outcome: HopOutcome) -> RecordKind {
    let (probe, proto) = (ProbeId(3), TraceProto::Udp);
    RecordKind::Hop(HopSample { probe, proto, round: 1, ttl: 4, sent: Mono(5), outcome })
}

fn target(host: Host, service: Service) -> RecordKind {
    let label = Some("db".to_owned());
    RecordKind::TargetAdded(Target { id: TargetId(1), text: "x".into(), host, service, role: Role::Watched, label })
}

fn tls() -> TlsAnswer {
    TlsAnswer {
        phases: Phases { dns: None, connect: Some(RTT), tls: Some(RTT), ttfb: None, total: RTT * 2 },
        version: "TLSv1.3".into(),
        cipher: "TLS13_AES_256_GCM_SHA384".into(),
        trust: Trust::Invalid { why: "bad".into() },
        chain: vec![Certificate {
            subject: "srv".into(),
            issuer: "ca".into(),
            names: vec!["srv".into()],
            not_before: -1,
            not_after: 2,
        }],
    }
}

fn link() -> Link {
    Link {
        index: 2,
        name: "eth0".into(),
        kind: "veth".into(),
        admin_up: true,
        carrier: true,
        mtu: 1500,
        mac: Some("02:00:5e:10:00:01".parse().unwrap()),
        speed_mbps: Some(1000),
        duplex: Some(Duplex::Full),
        carrier_changes: Some(2),
        master: None,
        lower: Some(1),
        counters: LinkCounters { rx_bytes: u64::MAX, ..LinkCounters::default() },
    }
}

fn finding() -> Finding {
    let message = || Message::new("finding-path-loss").with("loss", 0.25).with("cause", Message::new("side-path"));
    Finding {
        id: FindingId("path.loss@10.0.0.9".into()),
        code: "path.loss".into(),
        layer: Layer::Network,
        severity: Severity::Warning,
        confidence: Confidence::Likely,
        side: Side::Path,
        subject: "10.0.0.9".into(),
        summary: message(),
        since: at(),
        evidence: vec![Evidence { probe: "icmp".into(), observed: message(), expected: message(), at: at() }],
        next: vec![Message::new("next-path-loss-1")],
        caused_by: Some(FindingId("x".into())),
        targets: vec![TargetId(1)],
    }
}

/// At least one of every kind, and every shape within it.
fn examples() -> Vec<RecordKind> {
    let name = || Host::Name("srv.lab.test".into());
    let addr = |zone: Option<&str>| Host::Addr { ip: ip("fe80::1"), zone: zone.map(str::to_owned) };
    let probe = |ask| {
        let (interval, timeout) = (Duration::from_secs(1), Duration::from_millis(1_500));
        RecordKind::ProbeAdded(ProbeSpec {
            id: ProbeId(9),
            targets: vec![TargetId(1), TargetId(2)],
            ask,
            scope: 0,
            interval,
            timeout,
            count: Some(3),
        })
    };
    let socket = || "[2001:db8::1]:443".parse().unwrap();
    let process = || Some(Process { pid: 1, name: "nginx".into() });
    let via = LookupResult::Via {
        next_hop: NextHop { gateway: Some(ip("10.0.0.1")), index: 2 },
        source: Some(ip("10.0.0.7")),
        matched: Some("0.0.0.0/0".parse().unwrap()),
        local: false,
    };
    let refused = LookupResult::Refused { kind: RouteKind::Prohibit, matched: None };
    let lookup = |result| RouteLookup { to: ip("10.0.9.9"), result };
    let task = |state| RecordKind::Task(TaskHealth { task: "echo".into(), state, restarts: 2 });
    let gap = |cause| RecordKind::Gap(Gap { from: Mono(1), to: Mono(2), cause });
    let rights = Rights { icmp: IcmpRight::Dgram, trace: TraceRight::Errqueue, packet: false, netadmin: false };
    vec![
        RecordKind::Host(HostIdentity { name: "web-7".into(), uid: 1000, rights }),
        target(name(), Service::Host),
        target(addr(None), Service::Tcp { port: 22 }),
        target(addr(Some("eth0")), Service::Udp { port: 53 }),
        target(name(), Service::Tls { port: 443 }),
        target(name(), Service::Http { tls: true, port: 443, path: "/?a".into() }),
        target(name(), Service::Dns { port: 53, name: ".".into(), qtype: QueryType::Aaaa }),
        target(name(), Service::Ntp { port: 123 }),
        RecordKind::TargetRemoved(TargetId(4)),
        probe(Ask::Icmp { to: ip("::1") }),
        probe(Ask::Tcp { to: socket() }),
        probe(Ask::Udp { to: socket() }),
        probe(Ask::Dns { server: socket(), name: ".".into(), qtype: QueryType::Ns }),
        probe(Ask::Tls { to: socket(), name: "h".into() }),
        probe(Ask::Http { to: socket(), name: "h".into(), tls: true, path: "/".into() }),
        probe(Ask::Ntp { to: socket() }),
        probe(Ask::Trace { to: ip("::1"), protos: vec![TraceProto::Icmp], port: Some(1), max_ttl: 64 }),
        probe(Ask::Resolve { name: "h".into() }),
        RecordKind::ProbeRemoved(ProbeId(4)),
        answered(Detail::Echo { ttl: Some(64) }),
        answered(Detail::Tcp),
        answered(Detail::Udp { bytes: 5 }),
        answered(Detail::Dns(DnsAnswer { rcode: 3, ttl: Some(5), ..DnsAnswer::default() })),
        answered(Detail::Tls(tls())),
        answered(Detail::Http(HttpAnswer {
            status: 200,
            phases: Phases::default(),
            version: "HTTP/1.1".into(),
            location: None,
            date: Some(-5),
            bytes: 9,
            tls: Some(Box::new(tls())),
        })),
        answered(Detail::Ntp(NtpAnswer {
            offset_ns: -5,
            stratum: 2,
            leap: 0,
            reference: "GPS".into(),
            root_delay_us: 1,
            root_dispersion_us: 2,
        })),
        answered(Detail::Resolve(Resolved { addresses: vec![ip("::1")], from_hosts: true, rcode: 0 })),
        sample(Outcome::Late { rtt: RTT }),
        sample(Outcome::Lost),
        sample(Outcome::Refused { rtt: RTT }),
        sample(Outcome::Icmp { rtt: RTT, from: ip("10.0.0.1"), error: IcmpError::TooBig { mtu: 1400 } }),
        sample(Outcome::Icmp { rtt: RTT, from: ip("::1"), error: IcmpError::HostUnreachable }),
        sample(Outcome::Failed { rtt: RTT, stage: Stage::Handshake, failure: Failure::Alert { code: 40 } }),
        sample(Outcome::Failed { rtt: RTT, stage: Stage::Body, failure: Failure::Silent }),
        sample(Outcome::Unsent { reason: Unsent::NoRoute }),
        sample(Outcome::Unsent { reason: Unsent::Local { why: "EIO".into() } }),
        hop(HopOutcome::Answered { from: ip("::1"), rtt: RTT, answer: HopAnswer::Expired, reply_ttl: None }),
        hop(HopOutcome::Answered {
            from: ip("10.0.0.1"),
            rtt: RTT,
            answer: HopAnswer::Error(IcmpError::AdminProhibited),
            reply_ttl: Some(60),
        }),
        hop(HopOutcome::Late { from: ip("::1"), rtt: RTT }),
        hop(HopOutcome::Silent),
        hop(HopOutcome::Unsent { reason: Unsent::Budget }),
        RecordKind::Round(RoundEnd {
            probe: ProbeId(3),
            proto: TraceProto::Tcp,
            round: 1,
            began: Mono(6),
            reached: Some(4),
            probed: 5,
            one_flow: true,
        }),
        RecordKind::Name { address: ip("::1"), name: Some("localhost".into()) },
        RecordKind::Name { address: ip("::1"), name: None },
        RecordKind::Network(Box::new(Network {
            links: vec![link()],
            addresses: vec![InterfaceAddress {
                index: 2,
                prefix: "10.0.0.7/24".parse().unwrap(),
                scope: Scope::Global,
                tentative: false,
                dad_failed: false,
                deprecated: true,
            }],
            neighbours: vec![Neighbour {
                index: 2,
                ip: ip("10.0.0.1"),
                mac: None,
                state: NeighbourState::Stale,
                router: true,
            }],
            routes: vec![Route {
                destination: "::/0".parse().unwrap(),
                table: 254,
                metric: 5,
                kind: RouteKind::Unicast,
                next_hops: vec![NextHop { gateway: None, index: 2 }],
                source: None,
            }],
            left_out: 1,
        })),
        RecordKind::Lookups(vec![lookup(via), lookup(refused), lookup(LookupResult::NoRoute)]),
        RecordKind::Expected(vec![ExpectedService {
            port: 5432,
            transport: Transport::Tcp,
            name: Some("PostgreSQL".into()),
            loopback_ok: true,
        }]),
        RecordKind::Resolvers(ResolverConfig {
            servers: vec![NameServer { address: socket(), interface: Some("eth0".into()) }],
            search: vec!["lab.test".into()],
            ndots: 1,
            stub: None,
            source: "/etc/resolv.conf".into(),
        }),
        RecordKind::Sockets(Box::new(Sockets {
            listeners: vec![Listener {
                transport: Transport::Udp,
                local: socket(),
                interface: 0,
                uid: 0,
                process: process(),
                queue: 1,
                queue_limit: 128,
                established: 3,
            }],
            states: TcpStates { established: 3, ..TcpStates::default() },
            connections: vec![Connection {
                local: socket(),
                remote: socket(),
                state: TcpState::CloseWait,
                recv_queue: 1,
                send_queue: 2,
                process: process(),
                info: Some(TcpInfo { rtt: RTT, min_rtt: Some(RTT), ..TcpInfo::default() }),
            }],
            left_out: 0,
            processes_complete: false,
        })),
        RecordKind::Kernel(KernelCounters { conntrack_max: Some(u64::MAX), ..KernelCounters::default() }),
        RecordKind::Load(Box::new(HostLoad {
            cpu: Some(0.25),
            load: [0.1, 0.2, 0.3],
            uptime: 77,
            pressure: Some(Pressure { cpu: 0.0, memory: 0.5, io: 1.0 }),
            file_descriptors: Some((1, u64::MAX)),
            disks: vec![Disk {
                mount: "/".into(),
                kind: "ext4".into(),
                total: 2,
                available: 1,
                read_only: false,
                hung: true,
            }],
            ..HostLoad::default()
        })),
        task(TaskState::Running),
        task(TaskState::Restarting { why: "panic".into(), pause: RTT }),
        task(TaskState::Unavailable { why: Message::new("sockets-unavailable").with("error", "EPERM") }),
        RecordKind::Dropped { what: "records".into(), count: u64::MAX },
        gap(GapCause::Suspended),
        gap(GapCause::ClockStep { by_ms: -7 }),
        RecordKind::Verdict(Box::new(Verdict {
            status: Status::Degraded,
            side: None,
            summary: Message::new("verdict-measuring"),
            findings: vec![finding()],
            unmeasured: vec![TargetId(2)],
            at: at(),
        })),
        RecordKind::Action(Action::Tick {
            runbook: "r".into(),
            step: "s".into(),
            done: true,
            reason: Some("seen by hand".into()),
        }),
        RecordKind::Action(Action::Tick { runbook: "r".into(), step: "s".into(), done: false, reason: None }),
        RecordKind::Action(Action::Runbook { id: "r".into() }),
        RecordKind::Action(Action::Note { text: "called the NOC".into() }),
    ]
}

#[test]
fn every_record_is_read_as_it_was_written() {
    for (n, kind) in examples().into_iter().enumerate() {
        for origin in [Origin::Session, Origin::Probe("echo".into()), Origin::Person("ana".into())] {
            let record = Record { seq: n as u64, at: at(), origin, kind: kind.clone() };
            let text = serde_json::to_string(&record).unwrap();
            let again: Record = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(again, record, "{text}");
        }
    }
}

/// Whatever has no unit in its name is a number of things, a ratio or a word; no
/// time stands as an object.
#[test]
fn no_stretch_of_time_stands_as_seconds_and_nanoseconds() {
    for kind in examples() {
        let text = serde_json::to_string(&kind).unwrap();
        for ugly in ["\"nanos\"", "\"secs\"", "\"sent\":", "\"rtt\":", "\"mono\":"] {
            assert!(!text.contains(ugly), "{ugly} in {text}");
        }
    }
}

#[test]
fn samples_are_flat_and_carry_their_units() {
    let json = |kind: RecordKind| serde_json::to_value(kind).unwrap();
    let echo = json(answered(Detail::Echo { ttl: Some(64) }));
    let wanted = serde_json::json!({"kind": "sample", "data": {
        "probe": 3, "seq": 7, "sent_ns": 99, "outcome": "answered", "rtt_ms": 1.234_567,
        "detail": {"of": "echo", "ttl": 64}}});
    assert_eq!(echo, wanted);
    assert_eq!(json(sample(Outcome::Lost))["data"]["outcome"], "lost");
    assert_eq!(json(hop(HopOutcome::Silent))["data"]["outcome"], "silent");
}

proptest! {
    #[test]
    fn times_are_read_as_they_were_written(
        ns in 0u64..1_814_400_000_000_000, wall in -62_000_000_000_000_000i64..253_000_000_000_000_000
    ) {
        let outcome = Outcome::Late { rtt: Duration::from_nanos(ns) };
        let kind = RecordKind::Sample(Sample { probe: ProbeId(1), seq: 1, sent: Mono(ns), outcome });
        let at = At { mono: Mono(ns), wall: Wall(wall) };
        let record = Record { seq: 1, at, origin: Origin::Session, kind };
        let again: Record = serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap();
        prop_assert_eq!(again, record);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,80}") {
        let _ = serde_json::from_str::<Record>(&text);
    }
}
