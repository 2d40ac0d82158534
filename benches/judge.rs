//! How long one verdict over 1,000 targets takes: `cargo bench --bench judge`.
//!
//! Not a timed test: it prints figures. Each target has an echo, a trace of three
//! hops and a connect; all are well, or every fifth port is refused, or nothing
//! beyond the first hop answers.

#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints, and may panic")]

use std::net::IpAddr;
use std::time::{Duration, Instant};

use frc::diagnosis::Diagnosis;
use frc::model::hop::{HopAnswer, HopOutcome, HopSample, RoundEnd};
use frc::model::probe::TraceProto;
use frc::model::record::Origin;
use frc::model::{
    Ask, At, Detail, Host, Mono, Outcome, ProbeId, ProbeSpec, Record, RecordKind, Role, Sample, Service, Target,
    TargetId, Thresholds, Wall,
};
use frc::state::State;

const TARGETS: u32 = 1_000;
const SECONDS: u64 = 60;

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    Ports,
    Everything,
}

fn at(ms: u64) -> At {
    At { mono: Mono(ms * 1_000_000), wall: Wall(ms as i64 * 1_000) }
}

struct Log {
    state: State,
    seq: u64,
}

impl Log {
    fn write(&mut self, ms: u64, kind: RecordKind) {
        self.seq += 1;
        self.state.apply(&Record { seq: self.seq, at: at(ms), origin: Origin::Session, kind });
    }

    fn trace(&mut self, id: ProbeId, round: u32, ms: u64, hops: &[Option<IpAddr>], to: IpAddr) {
        let sent = Mono(ms * 1_000_000);
        for (i, hop) in hops.iter().enumerate() {
            let answer = if *hop == Some(to) { HopAnswer::Reached } else { HopAnswer::Expired };
            let rtt = Duration::from_millis(1);
            let outcome =
                hop.map_or(HopOutcome::Silent, |from| HopOutcome::Answered { from, rtt, answer, reply_ttl: None });
            let ttl = i as u8 + 1;
            self.write(
                ms,
                RecordKind::Hop(HopSample { probe: id, proto: TraceProto::Icmp, round, ttl, sent, outcome }),
            );
        }
        let reached = hops.iter().position(|h| *h == Some(to)).map(|i| i as u8 + 1);
        let (proto, probed) = (TraceProto::Icmp, hops.len() as u8);
        self.write(
            ms,
            RecordKind::Round(RoundEnd { probe: id, proto, round, began: sent, reached, probed, one_flow: true }),
        );
    }
}

fn state(fault: Fault) -> State {
    let mut log = Log { state: State::default(), seq: 0 };
    let routers: [IpAddr; 2] = [[10, 77, 1, 1].into(), [10, 77, 12, 2].into()];
    for n in 0..TARGETS {
        let to = IpAddr::from([10, 80, (n / 250) as u8, (n % 250) as u8 + 1]);
        let (id, socket) = (TargetId(n), (to, 443).into());
        let (host, service) = (Host::Addr { ip: to, zone: None }, Service::Tcp { port: 443 });
        log.write(
            0,
            RecordKind::TargetAdded(Target {
                id,
                text: to.to_string(),
                host,
                service,
                role: Role::Watched,
                label: None,
            }),
        );
        let trace = Ask::Trace { to, protos: vec![TraceProto::Icmp], port: None, max_ttl: 64 };
        for (i, ask) in [Ask::Icmp { to }, Ask::Tcp { to: socket }, trace].into_iter().enumerate() {
            let (interval, timeout) = (Duration::from_secs(1), Duration::from_secs(1));
            let spec = ProbeSpec {
                id: ProbeId(n * 3 + i as u32),
                targets: vec![id],
                ask,
                scope: 0,
                interval,
                timeout,
                count: None,
            };
            log.write(0, RecordKind::ProbeAdded(spec));
        }
    }
    for second in 0..SECONDS {
        let (ms, broken) = (second * 1_000, second > 20);
        for n in 0..TARGETS {
            let to = IpAddr::from([10, 80, (n / 250) as u8, (n % 250) as u8 + 1]);
            let rtt = Duration::from_millis(1);
            let dead = broken && fault == Fault::Everything;
            let well = |detail| if dead { Outcome::Lost } else { Outcome::Answered { rtt, detail } };
            let refused = broken && fault == Fault::Ports && n % 5 == 0;
            let connect = if refused { Outcome::Refused { rtt } } else { well(Detail::Tcp) };
            for (i, outcome) in [well(Detail::Echo { ttl: Some(60) }), connect].into_iter().enumerate() {
                let sample = Sample {
                    probe: ProbeId(n * 3 + i as u32),
                    seq: second as u32,
                    sent: Mono(ms * 1_000_000),
                    outcome,
                };
                log.write(ms, RecordKind::Sample(sample));
            }
            let path =
                if dead { [Some(routers[0]), None, None] } else { [Some(routers[0]), Some(routers[1]), Some(to)] };
            if second % 5 == 0 {
                log.trace(ProbeId(n * 3 + 2), (second / 5) as u32, ms, &path, to);
            }
        }
    }
    log.state
}

fn main() {
    for (name, fault) in
        [("all well", Fault::None), ("200 ports refused", Fault::Ports), ("all dead", Fault::Everything)]
    {
        let state = state(fault);
        let mut diagnosis = Diagnosis::new(Thresholds::default());
        let now = at(SECONDS * 1_000);
        let mut took: Vec<Duration> = (0..100)
            .map(|_| {
                let began = Instant::now();
                let verdict = diagnosis.judge(&state, now);
                assert!(verdict.unmeasured.len() < 10);
                began.elapsed()
            })
            .collect();
        took.sort_unstable();
        let findings = diagnosis.judge(&state, now).findings.len();
        println!("{name}: {findings} findings, median {:?}, worst {:?}", took[50], took[99]);
    }
}
