//! One ordered trace: its lanes (a course per protocol) and whose turn it is.
//!
//! The first protocol leads. Where it does not reach the target, the others run
//! too: a moment after its first round was sent in vain, or in its next turn
//! when it met an error or stopped reaching the target; then in place of every
//! fifth of its rounds, so that no router is asked more often (Linux answers one
//! a second to each asker). Pure. Must never know a socket.

use std::net::IpAddr;
use std::time::Duration;

use super::course::{Course, MAX_TTL, Settings, Step};
use crate::model::probe::TraceProto;
use crate::model::{Ask, Mono, ProbeSpec};

/// The others begin that long after the leader's first round was sent in vain.
const PATIENCE: Duration = Duration::from_millis(300);
/// Every so many turns without reaching the target belong to the others.
const OTHERS_TURN: u32 = 5;
/// Where UDP probes go: the first port of traceroute, where nobody listens.
const UDP_PORT: u16 = 33_434;
const TCP_PORT: u16 = 80;

/// A protocol's part of a trace.
#[derive(Debug)]
pub(super) struct Lane {
    /// Number, never reused; stands in the marks of its packets.
    pub id: u32,
    /// Protocol.
    pub proto: TraceProto,
    /// Destination port; 0 for ICMP.
    pub port: u16,
    /// Its rounds.
    pub course: Course,
}

/// A trace as ordered.
#[derive(Debug)]
pub(super) struct Trace {
    /// The order.
    pub spec: ProbeSpec,
    /// Destination.
    pub to: IpAddr,
    /// Protocols, the leader first.
    pub lanes: Vec<Lane>,
    next_turn: Mono,
    turns_unreached: u32,
    others_begun: bool,
    led: u32,
}

impl Trace {
    /// Takes up a trace with these usable protocols; none if there is none, or
    /// if `spec` orders no trace. `id` numbers the lanes.
    pub(super) fn new(
        spec: &ProbeSpec,
        usable: impl Fn(TraceProto) -> bool,
        mut id: impl FnMut() -> u32,
        at: Mono,
    ) -> Option<Self> {
        let Ask::Trace { to, protos, port, max_ttl } = &spec.ask else { return None };
        let settings = Settings { max_ttl: (*max_ttl).clamp(1, MAX_TTL), timeout: spec.timeout };
        let mut lanes: Vec<Lane> = Vec::new();
        for proto in protos {
            if usable(*proto) && !lanes.iter().any(|l| l.proto == *proto) {
                let port = match proto {
                    TraceProto::Icmp => 0,
                    TraceProto::Udp => port.unwrap_or(UDP_PORT),
                    TraceProto::Tcp => port.unwrap_or(TCP_PORT),
                };
                lanes.push(Lane { id: id(), proto: *proto, port, course: Course::new(settings) });
            }
        }
        if lanes.is_empty() {
            return None;
        }
        Some(Self {
            spec: spec.clone(),
            to: *to,
            lanes,
            next_turn: at,
            turns_unreached: 0,
            others_begun: false,
            led: 0,
        })
    }

    /// Whether this trace is what `spec` orders, for whomever and however often: a
    /// new rhythm takes effect with the next round, and answers under way are not
    /// forgotten for it.
    pub(super) fn does(&self, spec: &ProbeSpec) -> bool {
        let what = |s: &ProbeSpec| (s.ask.clone(), s.scope, s.timeout, s.count);
        what(&self.spec) == what(spec)
    }

    /// What is to be done or said next, and by which lane (its place in
    /// [`Trace::lanes`]).
    pub(super) fn poll(&mut self, now: Mono) -> Option<(usize, Step)> {
        self.take_turn(now);
        self.lanes.iter_mut().enumerate().find_map(|(i, lane)| Some((i, lane.course.poll(now)?)))
    }

    fn take_turn(&mut self, now: Mono) {
        if self.others_due().is_some_and(|due| due <= now) {
            // After an error the router that sent it needs a rest.
            if self.leader_fails() {
                self.next_turn = now.after(self.spec.interval);
            }
            self.begin_others(now);
        }
        if now < self.next_turn || self.ended() {
            return;
        }
        let next = self.next_turn.after(self.spec.interval);
        self.next_turn = if next <= now { now.after(self.spec.interval) } else { next };
        self.turns_unreached = if self.leader_fails() { self.turns_unreached + 1 } else { 0 };
        if self.turns_unreached % OTHERS_TURN == OTHERS_TURN - 1 && self.lanes.len() > 1 && self.spec.count.is_none() {
            self.begin_others(now);
        } else if let Some(leader) = self.lanes.first_mut() {
            self.led += 1;
            leader.course.begin(now);
        }
    }

    fn leader_fails(&self) -> bool {
        self.lanes.first().is_some_and(|l| l.course.unreached() > 0)
    }

    /// Whether the leader has led all the rounds it should.
    fn ended(&self) -> bool {
        self.spec.count.is_some_and(|n| self.led >= n)
    }

    /// When the others are to begin for the first time since the leader last
    /// reached the target.
    fn others_due(&self) -> Option<Mono> {
        let leader = &self.lanes.first()?.course;
        if self.others_begun || self.lanes.len() == 1 || leader.reaches() || leader.begun() == 0 {
            return None;
        }
        if leader.unreached() > 0 {
            return Some(self.next_turn);
        }
        (leader.begun() == 1).then(|| leader.all_sent_at()).flatten().map(|at| at.after(PATIENCE))
    }

    fn begin_others(&mut self, now: Mono) {
        self.others_begun = true;
        for lane in self.lanes.iter_mut().skip(1) {
            lane.course.begin(now);
        }
    }

    /// To be called at the end of each of the leader's rounds.
    pub(super) fn leader_ended(&mut self, reached: bool) {
        if reached {
            self.others_begun = false;
        }
    }

    /// When [`Trace::poll`] has something next.
    pub(super) fn next_wake(&self) -> Option<Mono> {
        let turn = (!self.ended()).then_some(self.next_turn);
        let lanes = self.lanes.iter().filter_map(|l| l.course.next_wake());
        lanes.chain(turn).chain(self.others_due()).min()
    }
}

#[cfg(test)]
#[path = "order_tests.rs"]
mod tests;
