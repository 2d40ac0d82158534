//! One ordered trace: its lanes (a course per protocol) and whose turn it is.
//!
//! The first protocol leads. Where it does not reach the target, the others run
//! too: a moment after its first round was sent in vain, or in its next turn
//! when it met an error or stopped reaching the target; then in place of every
//! third of its rounds, so that no router is asked more often (Linux answers one
//! a second to each asker). One of them that does reach the target takes most of
//! the turns. Where none does, turns are rare: the error that explains the silence
//! comes from the same budget. Pure. Must never know a socket.

use std::net::IpAddr;
use std::time::Duration;

use super::course::{Course, MAX_TTL, Settings, Step};
use super::shared::Shared;
use crate::model::probe::TraceProto;
use crate::model::{Ask, Mono, ProbeSpec};

/// The others begin that long after the leader's first round was sent in vain.
const PATIENCE: Duration = Duration::from_millis(300);
/// Every so many turns without reaching the target belong to the others.
const OTHERS_TURN: u32 = 3;
/// Every so many turns are still the leader's where another one reaches the target.
const LEADERS_TURN: u32 = 5;
/// From one turn to the next, at least, where none reaches it.
const REST: Duration = Duration::from_secs(2);
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
        let settings =
            Settings { max_ttl: (*max_ttl).clamp(1, MAX_TTL), timeout: spec.timeout, thorough: spec.count.is_some() };
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
    /// [`Trace::lanes`]). `shared` knows what other traces ask of the same routers.
    pub(super) fn poll(&mut self, now: Mono, shared: &mut Shared) -> Option<(usize, Step)> {
        self.take_turn(now, shared);
        self.lanes.iter_mut().enumerate().find_map(|(i, lane)| Some((i, lane.course.poll(now)?)))
    }

    fn take_turn(&mut self, now: Mono, shared: &mut Shared) {
        if self.others_due().is_some_and(|due| due <= now) {
            // After an error the router that sent it needs a rest.
            if self.leader_fails() {
                self.next_turn = now.after(self.rhythm());
            }
            self.begin_others(now);
        }
        for lane in &mut self.lanes {
            if lane.course.closing_due().is_some_and(|due| due <= now) {
                lane.course.close(now);
            }
        }
        if now < self.next_turn || self.ended() {
            return;
        }
        let rhythm = self.rhythm();
        let next = self.next_turn.after(rhythm);
        self.next_turn = if next <= now { now.after(rhythm) } else { next };
        if self.lanes.first().is_some_and(|l| l.course.undecided()) {
            // What the first round brings decides how the next is to be.
            return;
        }
        self.turns_unreached = if self.leader_fails() { self.turns_unreached + 1 } else { 0 };
        match self.deputy() {
            Some(i) if !self.turns_unreached.is_multiple_of(LEADERS_TURN) => self.begin(i, now, shared),
            None if self.turns_unreached % OTHERS_TURN == OTHERS_TURN - 1
                && self.lanes.len() > 1
                && self.spec.count.is_none() =>
            {
                self.begin_others(now);
            }
            _ => {
                self.led += 1;
                self.begin(0, now, shared);
            }
        }
    }

    /// From one turn to the next.
    fn rhythm(&self) -> Duration {
        let dark = self.lanes.first().is_some_and(|l| l.course.dark()) && self.deputy().is_none();
        if dark { self.spec.interval.max(REST) } else { self.spec.interval }
    }

    /// The lane that reaches the target where the leader does not.
    fn deputy(&self) -> Option<usize> {
        let stands_in = self.leader_fails() && self.spec.count.is_none();
        stands_in.then(|| self.lanes.iter().position(|l| l.course.reaches())).flatten()
    }

    fn begin(&mut self, i: usize, now: Mono, shared: &mut Shared) {
        if let Some(lane) = self.lanes.get_mut(i) {
            shared.begin(lane, self.spec.interval, now);
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
        let far = self.lanes.first().map_or(0, |l| l.course.farthest());
        for lane in self.lanes.iter_mut().skip(1) {
            // The routers in front answered the leader.
            if lane.course.begun() == 0 && self.spec.count.is_none() {
                lane.course.begin_after(now, far);
            } else {
                lane.course.begin(now);
            }
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
        let closing = self.lanes.iter().filter_map(|l| l.course.closing_due());
        lanes.chain(turn).chain(closing).chain(self.others_due()).min()
    }
}

#[cfg(test)]
#[path = "order_tests.rs"]
mod tests;
