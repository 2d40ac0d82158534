//! The course of one trace with one protocol: which TTL is sent when, what an
//! answer means for the rest, when a round is over.
//!
//! Pure: moments come in as arguments, packets are somebody else's. All TTLs of
//! a round are in flight together. The first round sweeps all of them but stops
//! where the destination answers; later ones go no further than the target, or,
//! while it is not reached, a little beyond the last hop that answers, with a
//! full sweep now and then. Must never know a socket or another protocol.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use crate::model::Mono;
use crate::model::hop::{HopAnswer, HopOutcome};
use crate::model::sample::Unsent;

/// Largest TTL that is ever tried.
pub(super) const MAX_TTL: u8 = 64;
/// Answers are waited for that long after a round's last time-out: a router
/// that tries to resolve a neighbour says so after some three seconds.
const LINGER: Duration = Duration::from_secs(5);
/// From one packet to the next, for the TTLs that paths usually have.
const PACE: Duration = Duration::from_micros(1_500);
/// For those beyond: what is sent in vain reaches the target.
const PACE_FAR: Duration = Duration::from_millis(4);
const FAR: u8 = 20;
/// How far beyond the last hop that answers.
const BEYOND: u8 = 4;
/// Every so many rounds without reaching the target, all TTLs are tried.
const SWEEP: u32 = 10;
/// The same router this often in a round: a loop; no need to go round it again.
const LOOPED: usize = 3;

/// What systems put into the TTL of their answers.
const FIRST_TTLS: [u8; 3] = [64, 255, 128];

/// What to trace and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settings {
    /// Largest TTL, at most [`MAX_TTL`].
    pub max_ttl: u8,
    /// After this an answer is late.
    pub timeout: Duration,
}

/// What the course wants done or said.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// Send now, then say [`Course::sent`] or [`Course::unsent`].
    Send {
        /// Round.
        round: u32,
        /// With this TTL.
        ttl: u8,
    },
    /// Something became of a probe.
    Hop {
        /// Round.
        round: u32,
        /// Its TTL.
        ttl: u8,
        /// When it was sent.
        sent: Mono,
        /// What became of it.
        outcome: HopOutcome,
    },
    /// A round is over.
    End {
        /// Round.
        round: u32,
        /// When it began.
        began: Mono,
        /// Smallest TTL that reached the target.
        reached: Option<u8>,
        /// Largest TTL sent.
        probed: u8,
    },
}

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    /// Who.
    pub from: IpAddr,
    /// When it arrived.
    pub at: Mono,
    /// What it means.
    pub means: HopAnswer,
    /// TTL left in it.
    pub reply_ttl: Option<u8>,
}

/// One protocol's way to one target.
#[derive(Debug)]
pub(super) struct Course {
    settings: Settings,
    rounds: VecDeque<Round>,
    begun: u32,
    /// TTL of the target as last seen.
    reach: Option<u8>,
    /// Largest TTL that somebody answered in the last round that said.
    far: u8,
    missed: u32,
    said: VecDeque<Step>,
}

#[derive(Debug)]
struct Round {
    number: u32,
    began: Mono,
    /// By TTL, from 1.
    probes: Vec<Probe>,
    limit: u8,
    /// Where the path ended, and whether at the target.
    end: Option<(u8, bool)>,
    next_send: Mono,
    over: bool,
}

#[derive(Debug)]
struct Probe {
    sent: Mono,
    state: State,
    from: Option<IpAddr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Silent,
    Done,
}

impl Course {
    /// Nothing known yet.
    pub(super) fn new(settings: Settings) -> Self {
        let settings = Settings { max_ttl: settings.max_ttl.clamp(1, MAX_TTL), ..settings };
        Self { settings, rounds: VecDeque::new(), begun: 0, reach: None, far: 0, missed: 0, said: VecDeque::new() }
    }

    /// Begins a round.
    pub(super) fn begin(&mut self, now: Mono) {
        let (number, limit) = (self.begun, self.limit());
        self.begun = number.wrapping_add(1);
        let round = Round { number, began: now, probes: Vec::new(), limit, end: None, next_send: now, over: false };
        self.rounds.push_back(round);
    }

    fn limit(&self) -> u8 {
        let max = self.settings.max_ttl;
        match self.reach {
            _ if self.begun == 0 => max,
            Some(reach) if self.missed == 0 => reach,
            _ if self.missed % SWEEP == SWEEP - 1 => max,
            reach => reach.unwrap_or(0).max(self.far).saturating_add(BEYOND).min(max),
        }
    }

    /// Rounds begun.
    pub(super) fn begun(&self) -> u32 {
        self.begun
    }

    /// Ended rounds since the target was last reached; 0 while it is reached,
    /// and before the first round ends.
    pub(super) fn unreached(&self) -> u32 {
        self.missed
    }

    /// Whether the target was ever reached in a round still known.
    pub(super) fn reaches(&self) -> bool {
        self.reach.is_some() && self.missed == 0
    }

    /// When the newest round has sent everything, if it has.
    pub(super) fn all_sent_at(&self) -> Option<Mono> {
        let round = self.rounds.back()?;
        (!round.sending()).then(|| round.probes.last().map_or(round.began, |p| p.sent))
    }

    /// What is to be done or said next at `now`, if anything is.
    pub(super) fn poll(&mut self, now: Mono) -> Option<Step> {
        if self.said.is_empty() {
            self.advance(now);
        }
        if let Some(step) = self.said.pop_front() {
            return Some(step);
        }
        let round = self.rounds.iter_mut().find(|r| r.sending() && r.next_send <= now)?;
        let ttl = round.probes.len() as u8 + 1;
        Some(Step::Send { round: round.number, ttl })
    }

    /// When [`Course::poll`] has something next.
    pub(super) fn next_wake(&self) -> Option<Mono> {
        if !self.said.is_empty() {
            return Some(Mono(0));
        }
        let timeout = self.settings.timeout;
        let live = self.rounds.iter().filter(|r| !r.over);
        live.flat_map(|r| {
            let waiting = r.waiting().map(|p| p.sent.after(timeout)).min();
            r.sending().then_some(r.next_send).into_iter().chain(waiting)
        })
        .min()
    }

    /// Puts a send off, where there is no room for it.
    pub(super) fn postpone(&mut self, round: u32, until: Mono) {
        if let Some(round) = self.round(round) {
            round.next_send = round.next_send.max(until);
        }
    }

    /// The probe was sent at `at`.
    pub(super) fn sent(&mut self, round: u32, ttl: u8, at: Mono) {
        self.enter(round, ttl, at, State::Waiting);
    }

    /// The probe could not be sent. What stands in the way of one stands in the
    /// way of all but where the budget refuses.
    pub(super) fn unsent(&mut self, round: u32, ttl: u8, at: Mono, reason: Unsent) {
        self.enter(round, ttl, at, State::Done);
        if let Some(r) = self.round(round)
            && reason != Unsent::Budget
        {
            r.limit = ttl;
        }
        self.said.push_back(Step::Hop { round, ttl, sent: at, outcome: HopOutcome::Unsent { reason } });
    }

    fn enter(&mut self, round: u32, ttl: u8, at: Mono, state: State) {
        let Some(round) = self.round(round) else { return };
        if usize::from(ttl) != round.probes.len() + 1 {
            return;
        }
        round.probes.push(Probe { sent: at, state, from: None });
        round.next_send = at.after(if ttl < FAR { PACE } else { PACE_FAR });
    }

    /// An answer to the probe of this round and TTL; nothing comes of
    /// duplicates and of what is not known (any more). An error that comes
    /// after the time-out is told in full, since it explains the silence.
    pub(super) fn answered(&mut self, round: u32, ttl: u8, answer: Answer) {
        let max = self.settings.max_ttl;
        let timeout = self.settings.timeout;
        let Some(r) = self.round(round) else { return };
        let end = r.end;
        let Some(probe) = r.probes.get_mut(usize::from(ttl).wrapping_sub(1)) else { return };
        let (sent, state) = (probe.sent, probe.state);
        if state == State::Done {
            return;
        }
        probe.state = State::Done;
        if end.is_some_and(|(last, _)| ttl > last) {
            return;
        }
        probe.from = Some(answer.from);
        let rtt = answer.at.since(sent);
        match answer.means {
            HopAnswer::Expired if !r.over && ttl >= r.limit => r.limit = ttl.saturating_add(BEYOND).min(max),
            HopAnswer::Expired => {}
            HopAnswer::Reached => r.end = Some((ttl, true)),
            HopAnswer::Error(_) => r.end = Some((ttl, false)),
        }
        let over = r.over;
        let late = state == State::Silent || rtt > timeout;
        if late && state == State::Waiting {
            self.said.push_back(Step::Hop { round, ttl, sent, outcome: HopOutcome::Silent });
        }
        let outcome = if late && !matches!(answer.means, HopAnswer::Error(_)) {
            HopOutcome::Late { from: answer.from, rtt }
        } else {
            HopOutcome::Answered { from: answer.from, rtt, answer: answer.means, reply_ttl: answer.reply_ttl }
        };
        self.said.push_back(Step::Hop { round, ttl, sent, outcome });
        if answer.means == HopAnswer::Reached {
            self.reach = Some(ttl);
            self.far = ttl;
            self.missed = 0;
        } else if over {
            self.far = self.far.max(ttl);
        }
    }

    /// The round and TTL that an answer from `from` belongs to when nothing in
    /// it says so (a router that quotes eight bytes of UDP, of which the kernel
    /// shows none). Of the probes of the newest round that still wait: the one
    /// where that router answered before; else the one as far away as the
    /// answer's own TTL says it came; else the one with the smallest TTL.
    pub(super) fn guess(&self, from: IpAddr, reply_ttl: Option<u8>) -> Option<(u32, u8)> {
        let round = self.rounds.iter().rev().find(|r| r.waiting().next().is_some())?;
        let waits = |i: &usize| round.probes.get(*i).is_some_and(|p| p.state == State::Waiting);
        let others = self.rounds.iter().rev().filter(|r| r.number != round.number);
        let before = others.filter_map(|r| r.probes.iter().position(|p| p.from == Some(from))).find(waits);
        let away = |first: u8| Some(usize::from(first.checked_sub(reply_ttl?)?));
        let distant = FIRST_TTLS.into_iter().filter_map(away).find(waits);
        let first = || round.probes.iter().position(|p| p.state == State::Waiting);
        let i = before.or(distant).or_else(first)?;
        Some((round.number, i as u8 + 1))
    }

    /// The newest known round whose number has these low bits.
    pub(super) fn round_like(&self, low: u32, mask: u32) -> Option<u32> {
        self.rounds.iter().rev().map(|r| r.number).find(|n| n & mask == low & mask)
    }

    fn round(&mut self, number: u32) -> Option<&mut Round> {
        self.rounds.iter_mut().find(|r| r.number == number)
    }

    fn advance(&mut self, now: Mono) {
        let timeout = self.settings.timeout;
        for i in 0..self.rounds.len() {
            let round = &mut self.rounds[i];
            if round.over {
                continue;
            }
            let last = round.end.map_or(usize::MAX, |(ttl, _)| usize::from(ttl));
            for (n, probe) in round.probes.iter_mut().enumerate() {
                if probe.state != State::Waiting || probe.sent.after(timeout) > now {
                    continue;
                }
                probe.state = State::Silent;
                if n < last {
                    let outcome = HopOutcome::Silent;
                    let (round, ttl) = (round.number, n as u8 + 1);
                    self.said.push_back(Step::Hop { round, ttl, sent: probe.sent, outcome });
                }
            }
            if round.sending() || round.waiting().next().is_some() {
                continue;
            }
            round.over = true;
            let (number, began, probed) = (round.number, round.began, round.probes.len() as u8);
            let reached = round.end.and_then(|(ttl, reached)| reached.then_some(ttl));
            if reached.is_some() {
                self.missed = 0;
                self.reach = reached;
            } else {
                self.far = round.farthest().unwrap_or(self.far);
                self.missed = self.missed.saturating_add(1);
            }
            self.said.push_back(Step::End { round: number, began, reached, probed });
        }
        let keep = timeout + LINGER;
        let old = |r: &Round| r.over && r.probes.last().is_none_or(|p| p.sent.after(keep) < now);
        // The round before the newest stays: `guess` learns from it.
        while self.rounds.len() > 2 && self.rounds.front().is_some_and(old) {
            self.rounds.pop_front();
        }
        while self.rounds.len() > 64 {
            self.rounds.pop_front();
        }
    }
}

impl Round {
    /// TTLs from 1 that count: up to where the path ended.
    fn span(&self) -> u8 {
        self.end.map_or(self.limit, |(ttl, _)| ttl.min(self.limit))
    }

    fn sending(&self) -> bool {
        !self.over && self.probes.len() < usize::from(self.span())
    }

    fn waiting(&self) -> impl Iterator<Item = &Probe> {
        self.probes.iter().take(usize::from(self.span())).filter(|p| p.state == State::Waiting)
    }

    /// Largest TTL that a router answered; in a loop, where it closes.
    fn farthest(&self) -> Option<u8> {
        let mut seen: Vec<(IpAddr, usize)> = Vec::new();
        let mut farthest = None;
        for (i, probe) in self.probes.iter().enumerate() {
            let Some(from) = probe.from else { continue };
            farthest = Some(i as u8 + 1);
            match seen.iter_mut().find(|(a, _)| *a == from) {
                Some((_, n)) if *n + 1 >= LOOPED => break,
                Some((_, n)) => *n += 1,
                None => seen.push((from, 1)),
            }
        }
        farthest
    }
}

#[cfg(test)]
#[path = "course_tests.rs"]
mod tests;
