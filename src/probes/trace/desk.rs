//! The tracer's desk: carries out what the courses want and hands them what
//! comes back.
//!
//! Owns the sockets and the traces. Must never plan a round.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::course::{Answer, Step};
use super::flight::{Belongs, mark, of_sequence, sequence};
use super::order::Trace;
use super::shared::{Shared, Taker};
use super::tcp::Attempt;
use super::wires::{Arrival, Carries, Wire};
use crate::model::hop::{HopOutcome, HopSample, RoundEnd};
use crate::model::probe::TraceProto;
use crate::model::sample::Unsent;
use crate::model::{Mono, ProbeId, RecordKind};
use crate::probes::feed::{FeedContext, FeedEnd};
use crate::probes::sys::batch::Batch;
use crate::probes::sys::socket::{Family, unopened, unsent};
use crate::probes::wire::icmp::{Key, echo_request};

/// TCP attempts under way at most; each holds a descriptor.
const MOST_ATTEMPTS: usize = 300;
/// How long a send waits for room among them.
const CROWDED: Duration = Duration::from_millis(20);
/// Addresses remembered as sent to be named.
const MOST_NAMES: usize = 8192;
/// How long a socket that could not be opened is left alone.
const RETRY: Duration = Duration::from_secs(30);
/// From one new trace's beginning to the next's, and all of them within this time.
const APART: Duration = Duration::from_millis(100);
const BEGINNINGS: Duration = Duration::from_secs(3);
/// Longest sleep, so that the supervisor sees us alive.
const PULSE: Duration = Duration::from_secs(5);
/// Length of a UDP probe's payload.
const UDP_PAYLOAD: usize = 24;

type Waiting = FuturesUnordered<Pin<Box<dyn Future<Output = (Attempted, bool)> + Send>>>;

/// A TCP attempt and the probe that it is.
struct Attempted {
    attempt: Attempt,
    lane: u32,
    round: u32,
    ttl: u8,
}

enum Opened {
    Not,
    Yes(Wire),
    Refused { reason: Unsent, since: Mono },
}

struct Desk {
    ctx: FeedContext,
    traces: HashMap<ProbeId, Trace>,
    /// When each trace wants to be polled, and the same by trace.
    wakes: BTreeSet<(Mono, ProbeId)>,
    wake_of: HashMap<ProbeId, Mono>,
    /// Orders that no protocol can carry out now, and when they were last told so.
    idle: HashMap<ProbeId, Mono>,
    by_lane: HashMap<u32, (ProbeId, usize)>,
    by_destination: HashMap<(TraceProto, IpAddr, u16), Vec<u32>>,
    icmp: [Opened; 2],
    udp: [Opened; 2],
    attempts: Waiting,
    shared: Shared,
    batch: Batch,
    arrivals: Vec<Arrival>,
    key: Key,
    next_lane: u32,
    named: HashSet<IpAddr>,
}

/// Runs until the session drops the feed's specifications.
pub(super) async fn run(ctx: FeedContext) -> FeedEnd {
    let mut desk = Desk {
        ctx,
        traces: HashMap::new(),
        wakes: BTreeSet::new(),
        wake_of: HashMap::new(),
        idle: HashMap::new(),
        by_lane: HashMap::new(),
        by_destination: HashMap::new(),
        icmp: [Opened::Not, Opened::Not],
        udp: [Opened::Not, Opened::Not],
        attempts: FuturesUnordered::new(),
        shared: Shared::default(),
        batch: Batch::default(),
        arrivals: Vec::new(),
        key: Key::default(),
        next_lane: 0,
        named: HashSet::new(),
    };
    desk.apply();
    loop {
        desk.ctx.pulse.touch();
        desk.turn();
        if let Err(end) = desk.wait().await {
            return end;
        }
    }
}

impl Desk {
    /// Takes over the specifications. Traces that did not change go on.
    fn apply(&mut self) {
        let specs = self.ctx.specs.borrow_and_update().clone();
        self.traces.retain(|id, trace| {
            let same = specs.iter().find(|s| s.id == *id).filter(|s| trace.does(s));
            same.is_some_and(|spec| {
                trace.spec = spec.clone();
                true
            })
        });
        self.idle.retain(|id, _| specs.iter().any(|s| s.id == *id));
        let new: Vec<_> = specs.iter().filter(|s| !self.traces.contains_key(&s.id)).cloned().collect();
        // New ones begin apart from each other: their first routers are mostly the
        // same, and none of them is known yet.
        let apart = BEGINNINGS.checked_div(new.len().max(1) as u32).unwrap_or_default().min(APART);
        let now = self.ctx.clock.mono();
        for (n, spec) in new.iter().enumerate() {
            let Some(to) = spec.ask.address() else { continue };
            let icmp = self.open(TraceProto::Icmp, Family::of(to)).is_ok();
            let mut next = self.next_lane;
            let id = || {
                next = next.wrapping_add(1);
                next
            };
            let at = now.after(apart * n as u32);
            match Trace::new(spec, |proto| icmp || proto != TraceProto::Icmp, id, at) {
                Some(trace) => {
                    self.traces.insert(spec.id, trace);
                    self.idle.remove(&spec.id);
                }
                None => self.say_idle(spec.id, now),
            }
            self.next_lane = next;
        }
        self.index();
    }

    /// ICMP alone was ordered and is not permitted: not measured, said once per
    /// try.
    fn say_idle(&mut self, probe: ProbeId, now: Mono) {
        self.idle.insert(probe, now);
        let outcome = HopOutcome::Unsent { reason: Unsent::NotPermitted };
        let hop = HopSample { probe, proto: TraceProto::Icmp, round: 0, ttl: 1, sent: now, outcome };
        self.ctx.out.put(RecordKind::Hop(hop));
    }

    fn index(&mut self) {
        self.by_lane.clear();
        self.by_destination.clear();
        self.wakes.clear();
        self.wake_of.clear();
        for id in self.traces.keys().copied().collect::<Vec<_>>() {
            self.plan(id, Mono(0));
        }
        for (id, trace) in &self.traces {
            for (i, lane) in trace.lanes.iter().enumerate() {
                self.by_lane.insert(lane.id, (*id, i));
                self.by_destination.entry((lane.proto, trace.to, lane.port)).or_default().push(lane.id);
            }
        }
        self.shared.forget(|lane| !self.by_lane.contains_key(&lane));
    }

    fn turn(&mut self) {
        self.drain_all();
        let begun = self.ctx.clock.mono();
        while let Some((_, id)) = self.wakes.first().copied().filter(|(at, _)| *at <= begun) {
            while let Some((i, step)) = self.poll(id) {
                self.carry_out(id, i, step);
            }
            // At the earliest after this turn, so that the turn ends.
            self.plan(id, begun.after(Duration::from_nanos(1)));
        }
        let now = self.ctx.clock.mono();
        if self.idle.values().any(|told| now.since(*told) > RETRY) {
            self.apply();
        }
    }

    /// Enters when a trace is to be polled next, not before `earliest`.
    fn plan(&mut self, id: ProbeId, earliest: Mono) {
        if let Some(old) = self.wake_of.remove(&id) {
            self.wakes.remove(&(old, id));
        }
        if let Some(at) = self.traces.get(&id).and_then(Trace::next_wake) {
            let at = at.max(earliest);
            self.wakes.insert((at, id));
            self.wake_of.insert(id, at);
        }
    }

    fn poll(&mut self, id: ProbeId) -> Option<(usize, Step)> {
        let now = self.ctx.clock.mono();
        self.traces.get_mut(&id)?.poll(now, &mut self.shared)
    }

    async fn wait(&mut self) -> Result<(), FeedEnd> {
        let clock = self.ctx.clock;
        let now = clock.mono();
        let next = self.wakes.first().map_or(Mono(u64::MAX), |(at, _)| *at);
        let next = next.min(now.after(PULSE));
        tokio::select! {
            changed = self.ctx.specs.changed() => {
                if changed.is_err() {
                    return Err(FeedEnd::Broken("specifications: their writer is gone".to_owned()));
                }
                self.apply();
            }
            Some((attempted, answered)) = self.attempts.next() => self.take_attempt(&attempted, answered),
            () = ready(&self.icmp) => {}
            () = ready(&self.udp) => {}
            () = tokio::time::sleep_until(clock.instant(next).into()) => {}
        }
        Ok(())
    }

    fn carry_out(&mut self, id: ProbeId, i: usize, step: Step) {
        let Some(trace) = self.traces.get_mut(&id) else { return };
        let Some(lane) = trace.lanes.get(i) else { return };
        let (proto, lane) = (lane.proto, lane.id);
        match step {
            Step::Send { round, ttl } => self.send(id, i, round, ttl),
            Step::Hop { round, ttl, sent, outcome } => {
                if let HopOutcome::Answered { from, .. } | HopOutcome::Late { from, .. } = outcome {
                    self.wish_name(from);
                }
                let (takers, says) = self.shared.told(Taker { lane, round }, ttl, sent, &outcome);
                for taker in takers {
                    let Some((id, i)) = self.by_lane.get(&taker.lane).copied() else { continue };
                    if let Some(lane) = self.lane(id, i) {
                        lane.course.taken(taker.round, ttl, says.then(|| (sent, outcome.clone())));
                        self.plan(id, Mono(0));
                    }
                }
                let hop = HopSample { probe: id, proto, round, ttl, sent, outcome };
                self.ctx.out.put(RecordKind::Hop(hop));
            }
            Step::End { round, began, reached, probed } => {
                if i == 0 {
                    trace.leader_ended(reached.is_some());
                }
                let one_flow = proto != TraceProto::Tcp;
                let end = RoundEnd { probe: id, proto, round, began, reached, probed, one_flow };
                self.ctx.out.put(RecordKind::Round(end));
            }
        }
    }

    fn wish_name(&mut self, address: IpAddr) {
        if self.named.len() >= MOST_NAMES {
            self.named.clear();
        }
        if self.named.insert(address) && self.ctx.names.try_send(address).is_err() {
            // Asked again with the next answer.
            self.named.remove(&address);
        }
    }

    fn send(&mut self, id: ProbeId, i: usize, round: u32, ttl: u8) {
        let Some(trace) = self.traces.get(&id) else { return };
        let Some(lane) = trace.lanes.get(i) else { return };
        let (to, port, scope, proto, lane_id) = (trace.to, lane.port, trace.spec.scope, lane.proto, lane.id);
        let clock = self.ctx.clock;
        if proto == TraceProto::Tcp && self.attempts.len() >= MOST_ATTEMPTS {
            let until = clock.mono().after(CROWDED);
            if let Some(lane) = self.lane(id, i) {
                lane.course.postpone(round, until);
            }
            return;
        }
        let family = Family::of(to);
        let result = if !self.ctx.budget.take(1, Instant::now()) {
            Err(Unsent::Budget)
        } else if proto == TraceProto::Tcp {
            let attempt = Attempt::start(to, port, scope, ttl, &self.ctx.egress, clock);
            attempt.map_err(|e| unsent(&e)).map(|attempt| {
                let sent = attempt.sent;
                let attempted = Attempted { attempt, lane: lane_id, round, ttl };
                self.attempts.push(Box::pin(async move {
                    let answered = attempted.attempt.ready().await;
                    (attempted, answered)
                }));
                sent
            })
        } else {
            self.open(proto, family).and_then(|()| self.send_packet(proto, (to, port, scope), lane_id, round, ttl))
        };
        let now = clock.mono();
        let Some(lane) = self.lane(id, i) else { return };
        match result {
            Ok(at) => lane.course.sent(round, ttl, at),
            Err(reason) => lane.course.unsent(round, ttl, now, reason),
        }
    }

    fn send_packet(
        &mut self,
        proto: TraceProto,
        to: (IpAddr, u16, u32),
        lane: u32,
        round: u32,
        ttl: u8,
    ) -> Result<Mono, Unsent> {
        let family = Family::of(to.0);
        let Self { icmp, udp, batch, arrivals, key, ctx, .. } = self;
        let wires = if proto == TraceProto::Icmp { icmp } else { udp };
        let Opened::Yes(wire) = &wires[family.index()] else { return Err(Unsent::NotPermitted) };
        let seal = key.seal(mark(lane, round, ttl));
        let drain = |wire: &Wire| wire.drain(batch, key, ctx.clock, arrivals);
        match wire.carries {
            Carries::Icmp(_, identifier) => {
                let base = key.random(lane);
                let packet =
                    echo_request(family == Family::V6, identifier, sequence(base, round, ttl), seal, key.random(lane));
                wire.send(to, ttl, &packet, ctx.clock, drain)
            }
            Carries::Udp => {
                let mut payload = [0; UDP_PAYLOAD];
                payload[..seal.len()].copy_from_slice(&seal);
                wire.send(to, ttl, &payload, ctx.clock, drain)
            }
        }
    }

    fn open(&mut self, proto: TraceProto, family: Family) -> Result<(), Unsent> {
        let now = self.ctx.clock.mono();
        let identifier = self.key.random(u32::MAX - family.index() as u32);
        let wires = if proto == TraceProto::Icmp { &mut self.icmp } else { &mut self.udp };
        match &wires[family.index()] {
            Opened::Yes(_) => return Ok(()),
            Opened::Refused { reason, since } if now.since(*since) < RETRY => return Err(reason.clone()),
            Opened::Refused { .. } | Opened::Not => {}
        }
        let opened = match proto {
            TraceProto::Icmp => Wire::icmp(family, identifier, &self.ctx.egress),
            TraceProto::Udp | TraceProto::Tcp => Wire::udp(family, &self.ctx.egress),
        };
        let (state, result) = match opened {
            Ok(wire) => (Opened::Yes(wire), Ok(())),
            Err(error) => {
                let reason = unopened(&error);
                (Opened::Refused { reason: reason.clone(), since: now }, Err(reason))
            }
        };
        wires[family.index()] = state;
        result
    }

    fn drain_all(&mut self) {
        let Self { icmp, udp, batch, arrivals, key, ctx, .. } = self;
        for opened in icmp.iter().chain(udp.iter()) {
            if let Opened::Yes(wire) = opened {
                wire.drain(batch, key, ctx.clock, arrivals);
            }
        }
        for arrival in std::mem::take(&mut self.arrivals) {
            self.take_arrival(arrival);
        }
    }

    fn take_arrival(&mut self, arrival: Arrival) {
        let Arrival { to, port, belongs, from, at, answer, reply_ttl } = arrival;
        let answer = Answer { from, at, means: answer, reply_ttl };
        let found = match belongs {
            Belongs::Marked { lane, round, ttl } => {
                self.lane_of(lane, to).and_then(|l| l.round_like(round, 0xff_ffff)).map(|round| (lane, round, ttl))
            }
            Belongs::Sequence(sequence) => self.lanes_to(TraceProto::Icmp, to, 0).find_map(|lane| {
                let (low, ttl) = of_sequence(self.key.random(lane), sequence);
                Some((lane, self.lane_of(lane, to)?.round_like(low, 0x3ff)?, ttl))
            }),
            Belongs::Destination => self.lanes_to(TraceProto::Udp, to, port).find_map(|lane| {
                let (round, ttl) = self.lane_of(lane, to)?.guess(from, reply_ttl)?;
                Some((lane, round, ttl))
            }),
        };
        if let Some((lane, round, ttl)) = found {
            self.give(lane, round, ttl, answer);
        }
    }

    fn take_attempt(&mut self, attempted: &Attempted, answered: bool) {
        let Attempted { attempt, lane, round, ttl } = attempted;
        let finding = if answered { attempt.read(self.ctx.clock, &mut self.batch) } else { None };
        if let Some(f) = finding {
            let answer = Answer { from: f.from, at: f.at, means: f.answer, reply_ttl: f.reply_ttl };
            self.give(*lane, *round, *ttl, answer);
        }
    }

    fn give(&mut self, lane: u32, round: u32, ttl: u8, answer: Answer) {
        let Some((id, i)) = self.by_lane.get(&lane).copied() else { return };
        if let Some(lane) = self.lane(id, i) {
            lane.course.answered(round, ttl, answer);
            self.plan(id, Mono(0));
        }
    }

    fn lane(&mut self, id: ProbeId, i: usize) -> Option<&mut super::order::Lane> {
        self.traces.get_mut(&id)?.lanes.get_mut(i)
    }

    /// The course of a lane, if it goes to `to`.
    fn lane_of(&self, lane: u32, to: IpAddr) -> Option<&super::course::Course> {
        let (id, i) = self.by_lane.get(&lane)?;
        let trace = self.traces.get(id).filter(|t| t.to == to)?;
        Some(&trace.lanes.get(*i)?.course)
    }

    fn lanes_to(&self, proto: TraceProto, to: IpAddr, port: u16) -> impl Iterator<Item = u32> + '_ {
        self.by_destination.get(&(proto, to, port)).into_iter().flatten().copied()
    }
}

/// Ready when one of the open wires is.
async fn ready(wires: &[Opened; 2]) {
    let one = async |opened: &Opened| match opened {
        Opened::Yes(wire) => wire.ready().await,
        Opened::Not | Opened::Refused { .. } => std::future::pending().await,
    };
    tokio::select! {
        () = one(&wires[0]) => {}
        () = one(&wires[1]) => {}
    }
}
