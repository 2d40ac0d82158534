//! The course of one trace with one protocol: which TTL is sent when, what an
//! answer means for the rest, when a round is over.
//!
//! Pure: moments come in as arguments, packets are somebody else's. All TTLs of
//! a round are in flight together. The first round sweeps all of them but stops
//! where the destination answers; later ones go no further than the target. Its
//! routers may be another course's affair that meets the same ones: their answers
//! are taken over once this round has reached the target by itself, since only
//! that shows that they still lie on its way. A path in the dark spares its
//! routers: the error that explains it comes from the same small budget. Must
//! never know a socket or another protocol.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use super::round::{Probe, Round, State, bit};
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
/// How far beyond the last hop that answers, and how far in the dark: a router that
/// cannot find the target queues all of it, and then has errors for a few only.
const BEYOND: u8 = 4;
const BEYOND_DARK: u8 = 2;
/// Every so many rounds in the dark, the known routers are asked again.
const WALK: u32 = 10;
/// A path that was reached is in the dark after so many rounds in vain; before, a
/// lost packet explains it.
const DARK: u32 = 5;
/// A router's address that changed is taken for settled after so many rounds.
const SETTLES: u8 = 3;
/// How often the TTLs in front of a target are tried again at once where they were
/// silent: one of them may be the target's, and its answer lost.
const CLOSINGS: u8 = 8;
/// From one such try to the next.
const CLOSING: Duration = Duration::from_millis(150);
/// What systems put into the TTL of their answers.
const FIRST_TTLS: [u8; 3] = [64, 255, 128];

/// What to trace and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settings {
    /// Largest TTL, at most [`MAX_TTL`].
    pub max_ttl: u8,
    /// After this an answer is late.
    pub timeout: Duration,
    /// Whether every round asks every router: rounds that somebody counts.
    pub thorough: bool,
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
    /// The newest round that reached it.
    reached_in: Option<u32>,
    /// Largest TTL that somebody answered in the last round that said.
    far: u8,
    /// Where an error ended the path last.
    ended: Option<u8>,
    missed: u32,
    /// Who answered, by TTL from 1.
    route: Vec<Known>,
    /// Rounds since the last one that asked every router by itself.
    taken_over: u32,
    closings: u8,
    said: VecDeque<Step>,
}

/// Who answered at a TTL.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    from: Option<IpAddr>,
    /// Rounds until a change of address is settled.
    doubt: u8,
}

impl Course {
    /// Nothing known yet.
    pub(super) fn new(settings: Settings) -> Self {
        let settings = Settings { max_ttl: settings.max_ttl.clamp(1, MAX_TTL), ..settings };
        Self {
            settings,
            rounds: VecDeque::new(),
            begun: 0,
            reach: None,
            reached_in: None,
            far: 0,
            ended: None,
            missed: 0,
            route: Vec::new(),
            taken_over: 0,
            closings: 0,
            said: VecDeque::new(),
        }
    }

    /// Begins a round that asks for itself; its number.
    pub(super) fn begin(&mut self, now: Mono) -> u32 {
        let max = self.settings.max_ttl;
        if self.begun == 0 {
            return self.enter_round(now, 1, max, false, 0);
        }
        self.taken_over = 0;
        if self.missed.is_multiple_of(WALK) {
            self.ended = None;
        }
        match self.reach {
            Some(reach) if self.missed == 0 => self.enter_round(now, 1, reach, false, 0),
            _ if self.dark() && !self.missed.is_multiple_of(WALK) => self.begin_behind(now),
            reach => {
                let known = reach.unwrap_or(0).max(self.farthest()).saturating_add(BEYOND).min(max);
                self.enter_round(now, 1, self.ended.unwrap_or(known), self.ended.is_none(), 0)
            }
        }
    }

    /// Begins the first round where another course knows the routers up to `far`.
    pub(super) fn begin_after(&mut self, now: Mono, far: u8) -> u32 {
        self.far = far;
        let last = far.saturating_add(BEYOND_DARK).min(self.settings.max_ttl);
        self.enter_round(now, far.saturating_add(1).min(last), last, true, 0)
    }

    /// Begins a round from the last hop that answers.
    fn begin_behind(&mut self, now: Mono) -> u32 {
        let reach = self.reach.filter(|_| self.missed < WALK).unwrap_or(0);
        if let Some(ttl) = self.ended {
            return self.enter_round(now, ttl, ttl, false, 0);
        }
        let last = self.far.saturating_add(BEYOND_DARK).max(reach).min(self.settings.max_ttl);
        self.enter_round(now, self.far.max(1), last, true, 0)
    }

    /// Begins a round in which another course asks the routers at the TTLs `taken`,
    /// and nobody those at `spared` (bit 0 is TTL 1).
    pub(super) fn begin_beyond(&mut self, now: Mono, taken: u64, spared: u64) -> u32 {
        self.taken_over += 1;
        let reach = self.reach.unwrap_or(self.settings.max_ttl);
        let before = (1 << (reach - 1)) - 1;
        let number = self.enter_round(now, 1, reach, false, taken & before);
        if let Some(round) = self.round(number) {
            round.todo.retain(|ttl| (taken | spared) & before & bit(*ttl) == 0);
        }
        number
    }

    fn enter_round(&mut self, now: Mono, first: u8, last: u8, scouts: bool, taken: u64) -> u32 {
        let number = self.begun;
        self.begun = number.wrapping_add(1);
        let scout = Some(self.settings.max_ttl).filter(|max| scouts && last < *max);
        self.rounds.push_back(Round {
            number,
            began: now,
            probes: Vec::new(),
            todo: (first..=last).chain(scout).collect(),
            limit: last,
            scout,
            taken,
            held: Vec::new(),
            open: taken.count_ones(),
            end: None,
            extra: false,
            next_send: now,
            over: false,
        });
        number
    }

    /// Whether the target is out of reach for longer than a lost packet explains.
    pub(super) fn dark(&self) -> bool {
        !self.settings.thorough && self.missed >= if self.reach.is_some() { DARK } else { 1 }
    }

    /// Whether the first round has neither reached the target nor ended.
    pub(super) fn undecided(&self) -> bool {
        self.begun == 1 && self.missed == 0 && self.reach.is_none() && !self.settings.thorough
    }

    /// Largest TTL that answered, the open round's included.
    pub(super) fn farthest(&self) -> u8 {
        self.rounds.back().and_then(Round::farthest).unwrap_or(0).max(self.far)
    }

    /// The routers in front of the target as this course met them itself, where
    /// the target is reached; an address that changed lately ends the list.
    pub(super) fn route(&self) -> Vec<Option<IpAddr>> {
        let Some(reach) = self.reach.filter(|_| self.missed == 0) else { return Vec::new() };
        let before = self.route.iter().take(usize::from(reach) - 1);
        before.take_while(|k| k.doubt == 0).map(|k| k.from).collect()
    }

    /// Rounds since the last one that asked every router by itself.
    pub(super) fn taken_over(&self) -> u32 {
        self.taken_over
    }

    /// When the TTLs in front of the target are to be tried once more.
    pub(super) fn closing_due(&self) -> Option<Mono> {
        let reach = self.reach.filter(|r| *r > 1 && !self.dark() && self.closings < CLOSINGS)?;
        let known = self.route.get(usize::from(reach) - 2).is_some_and(|k| k.from.is_some());
        if known || self.settings.thorough {
            return None;
        }
        self.all_sent_at().map(|at| at.after(CLOSING))
    }

    /// Tries them.
    pub(super) fn close(&mut self, now: Mono) {
        self.closings += 1;
        let Some(reach) = self.reach else { return };
        let known = self.route.iter().take(usize::from(reach) - 1).rposition(|k| k.from.is_some());
        let number = self.enter_round(now, known.map_or(1, |i| i as u8 + 2), reach, false, 0);
        if let Some(round) = self.round(number) {
            round.extra = true;
        }
    }

    fn meet(&mut self, ttl: u8, from: IpAddr) {
        let i = usize::from(ttl) - 1;
        if self.route.len() <= i {
            self.route.resize(i + 1, Known::default());
        }
        let known = &mut self.route[i];
        known.doubt = match known.from {
            Some(before) if before != from => SETTLES,
            _ => known.doubt.saturating_sub(1),
        };
        known.from = Some(from);
    }

    /// What became of a router that another course asked for this round; nothing
    /// where that says nothing about it.
    pub(super) fn taken(&mut self, round: u32, ttl: u8, told: Option<(Mono, HopOutcome)>) {
        let expected = self.route.get(usize::from(ttl).wrapping_sub(1)).and_then(|k| k.from);
        let Some(r) = self.round(round).filter(|r| r.taken & bit(ttl) != 0) else { return };
        let correction = matches!(told, Some((_, HopOutcome::Late { .. })));
        if !correction {
            r.open = r.open.saturating_sub(1);
        }
        let Some((sent, outcome)) = told else { return };
        let met = match &outcome {
            HopOutcome::Answered { from, answer: HopAnswer::Expired, .. } | HopOutcome::Late { from, .. } => {
                Some(*from)
            }
            HopOutcome::Silent => None,
            _ => return,
        };
        if met.is_some() && expected.is_some() && met != expected {
            // The other's way leads elsewhere now, or this one's: ask.
            self.taken_over = u32::MAX / 2;
            return;
        }
        match (r.end, r.over) {
            (Some((_, true)), _) => self.said.push_back(Step::Hop { round, ttl, sent, outcome }),
            (_, false) => r.held.push((ttl, sent, outcome)),
            _ => {}
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
        let ttl = *round.todo.front()?;
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
            let open = (r.open > 0).then(|| r.began.after(timeout));
            r.sending().then_some(r.next_send).into_iter().chain(waiting).chain(open)
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
            r.todo.clear();
        }
        self.said.push_back(Step::Hop { round, ttl, sent: at, outcome: HopOutcome::Unsent { reason } });
    }

    fn enter(&mut self, round: u32, ttl: u8, at: Mono, state: State) {
        let Some(round) = self.round(round) else { return };
        if round.todo.front() != Some(&ttl) {
            return;
        }
        round.todo.pop_front();
        round.probes.push(Probe { ttl, sent: at, state, from: None });
        round.next_send = at.after(if ttl < FAR { PACE } else { PACE_FAR });
    }

    /// An answer to the probe of this round and TTL; nothing comes of
    /// duplicates and of what is not known (any more). An error that comes
    /// after the time-out is told in full, since it explains the silence.
    pub(super) fn answered(&mut self, round: u32, ttl: u8, answer: Answer) {
        let max = self.settings.max_ttl;
        let timeout = self.settings.timeout;
        let Some(r) = self.round(round) else { return };
        let (end, scout) = (r.end, r.scout == Some(ttl));
        let Some(probe) = r.probes.iter_mut().find(|p| p.ttl == ttl) else { return };
        let (sent, state) = (probe.sent, probe.state);
        if state == State::Done {
            return;
        }
        probe.state = State::Done;
        // Where a scout dies says nothing about the hops before.
        if end.is_some_and(|(last, _)| ttl > last) || scout && answer.means != HopAnswer::Reached {
            return;
        }
        probe.from = Some(answer.from);
        let rtt = answer.at.since(sent);
        match answer.means {
            HopAnswer::Expired if !r.over && ttl >= r.limit => r.extend(ttl.saturating_add(BEYOND).min(max)),
            HopAnswer::Expired => {}
            HopAnswer::Reached => {
                r.end = Some((ttl, true));
                if scout && !r.over {
                    r.extend(ttl - 1);
                }
                let held = std::mem::take(&mut r.held);
                let number = r.number;
                let tell = |(ttl, sent, outcome)| Step::Hop { round: number, ttl, sent, outcome };
                self.said.extend(held.into_iter().map(tell));
            }
            HopAnswer::Error(_) => r.end = Some((ttl, false)),
        }
        let Some(r) = self.rounds.iter_mut().find(|r| r.number == round) else { return };
        if let Some((last, _)) = r.end {
            r.todo.retain(|t| *t < last);
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
        match answer.means {
            HopAnswer::Reached => {
                self.reach = Some(ttl);
                self.reached_in = self.reached_in.max(Some(round));
                self.far = ttl;
                self.missed = 0;
                self.ended = None;
            }
            HopAnswer::Expired => self.meet(ttl, answer.from),
            HopAnswer::Error(_) => self.ended = Some(ttl),
        }
        if over && answer.means == HopAnswer::Expired {
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
        let waits = |ttl: &u8| round.probes.iter().any(|p| p.ttl == *ttl && p.state == State::Waiting);
        let before = (1..).zip(&self.route).filter(|(_, k)| k.from == Some(from)).map(|(ttl, _)| ttl).find(waits);
        let away = |first: u8| first.checked_sub(reply_ttl?)?.checked_add(1);
        let distant = FIRST_TTLS.into_iter().filter_map(away).find(waits);
        let first = || round.waiting().map(|p| p.ttl).min();
        Some((round.number, before.or(distant).or_else(first)?))
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
            let last = round.end.map_or(u8::MAX, |(ttl, _)| ttl);
            for probe in &mut round.probes {
                if probe.state != State::Waiting || probe.sent.after(timeout) > now {
                    continue;
                }
                probe.state = State::Silent;
                if probe.ttl <= last && round.scout != Some(probe.ttl) {
                    let outcome = HopOutcome::Silent;
                    let (round, ttl) = (round.number, probe.ttl);
                    self.said.push_back(Step::Hop { round, ttl, sent: probe.sent, outcome });
                }
            }
            if round.sending() || round.waiting().next().is_some() {
                continue;
            }
            let reached = round.end.and_then(|(ttl, reached)| reached.then_some(ttl));
            if reached.is_some() && round.open > 0 && round.began.after(timeout) > now {
                continue;
            }
            round.over = true;
            round.open = 0;
            let (number, began) = (round.number, round.began);
            let probed = round.probes.iter().map(|p| p.ttl).filter(|t| round.scout != Some(*t)).max().unwrap_or(0);
            if reached.is_none() && !round.extra && self.reached_in.is_none_or(|newest| number > newest) {
                self.far = round.farthest().unwrap_or(self.far);
                self.missed = self.missed.saturating_add(1);
                // What lay before this round is to be asked anew.
                self.taken_over = 0;
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

#[cfg(test)]
#[path = "course_tests.rs"]
mod tests;
