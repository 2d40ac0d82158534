//! One traced path as its rounds told it: hops, who answers where, and how it
//! changed. Counts only probes that could have met the hop: what was sent beyond
//! the destination is forgotten.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use super::series::Point;
use super::stats::{Tally, quantile};
use crate::model::hop::{HopAnswer, HopOutcome, HopSample, RoundEnd};
use crate::model::probe::TraceProto;
use crate::model::sample::{IcmpError, Unsent};
use crate::model::{At, Mono};

/// Rounds whose answers are kept one by one, a hop.
pub const KEPT_ROUNDS: usize = 64;
/// Rounds that reached the destination from which its distance is taken: even
/// where seven packets in ten are lost, one of so many brings the true one.
const KEPT_LENGTHS: usize = 16;
/// Addresses kept for one hop; ECMP rarely shows more.
const KEPT_ADDRESSES: usize = 8;
/// Answers kept to compare a round with the one before.
const KEPT_ANSWERS: usize = 4;
/// Changes kept.
const KEPT_CHANGES: usize = 16;

/// The path one protocol takes to one destination.
#[derive(Debug, Clone, Default)]
pub struct Path {
    hops: Vec<Hop>,
    /// The newest complete round.
    pub last_round: Option<RoundEnd>,
    /// How many rounds are complete.
    pub rounds: u32,
    /// When the newest round that reached the destination began.
    pub last_reached: Option<Mono>,
    /// When the first round began.
    pub began: Option<Mono>,
    /// Why the newest probe that could not be sent was not.
    pub unsent: Option<Unsent>,
    reached_ttls: VecDeque<Option<u8>>,
    settled: Vec<Option<IpAddr>>,
    candidate: Option<(Vec<Option<IpAddr>>, u32)>,
    /// Changes of the path, oldest first.
    pub changes: VecDeque<PathChange>,
    /// Hops of the newest round that reached the destination.
    pub last_whole: Vec<Option<IpAddr>>,
}

/// The hops before and after a change that lasted.
#[derive(Debug, Clone, PartialEq)]
pub struct PathChange {
    /// When it was first seen.
    pub at: Mono,
    /// Addresses by TTL before; none where nobody answered.
    pub before: Vec<Option<IpAddr>>,
    /// Addresses by TTL after.
    pub after: Vec<Option<IpAddr>>,
}

/// One hop: everything that answered, or failed to, at one TTL.
#[derive(Debug, Clone, Default)]
pub struct Hop {
    /// Time to live.
    pub ttl: u8,
    /// Counts of probes sent with this TTL.
    pub tally: Tally,
    /// Who answered, the newest first, with the moment of the last answer.
    pub addresses: Vec<(IpAddr, Mono)>,
    /// The newest answer.
    pub last: Option<(Mono, HopAnswer, Duration)>,
    /// The newest ICMP error that was not a time exceeded, with who said it.
    pub error: Option<HopError>,
    /// Smallest MTU a router here told.
    pub mtu: Option<u32>,
    recent: VecDeque<(u32, Mono, Point)>,
    /// Who answered in the newest rounds: they overlap where one waits for silence.
    answered: VecDeque<(u32, IpAddr)>,
}

/// An ICMP error that ended a path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HopError {
    /// What it says.
    pub error: IcmpError,
    /// Who said it.
    pub from: IpAddr,
    /// When the probe was sent that it answers.
    pub sent: Mono,
    /// The longest it ever took at this hop.
    pub slowest: Duration,
    /// The quickest it ever took at this hop.
    pub quickest: Duration,
    /// How many there were.
    pub count: u32,
}

impl Hop {
    /// The address that answered last.
    pub fn address(&self) -> Option<IpAddr> {
        self.addresses.first().map(|(ip, _)| *ip)
    }

    /// Whether anybody ever answered here.
    pub fn answers(&self) -> bool {
        !self.addresses.is_empty()
    }

    /// When anybody answered here last.
    pub fn last_answer(&self) -> Option<Mono> {
        self.addresses.iter().map(|(_, at)| *at).max()
    }

    /// Share without an answer, 0 to 1.
    pub fn loss(&self) -> Option<f64> {
        self.tally.loss()
    }

    /// Round-trip time at quantile `q` over the rounds kept.
    pub fn rtt(&self, q: f64) -> Option<Duration> {
        let mut rtts: Vec<_> = self.rtts().collect();
        rtts.sort_unstable();
        quantile(&rtts, q)
    }

    fn rtts(&self) -> impl Iterator<Item = Duration> + '_ {
        self.recent.iter().filter_map(|(_, _, p)| match p {
            Point::Answered(d) | Point::Late(d) => Some(*d),
            _ => None,
        })
    }

    /// The rounds kept, oldest first.
    pub fn recent(&self) -> impl DoubleEndedIterator<Item = (Mono, Point)> + '_ {
        self.recent.iter().map(|(_, at, p)| (*at, *p))
    }

    /// Counts of the rounds that were sent at `from` or later.
    pub fn tally_since(&self, from: Mono) -> Tally {
        let mut tally = Tally::default();
        for (_, _, p) in self.recent.iter().rev().take_while(|(_, at, _)| *at >= from) {
            tally.add(*p);
        }
        tally
    }

    fn note(&mut self, from: IpAddr, sent: Mono) {
        self.addresses.retain(|(ip, _)| *ip != from);
        self.addresses.insert(0, (from, sent));
        self.addresses.truncate(KEPT_ADDRESSES);
    }

    fn push(&mut self, round: u32, sent: Mono, point: Point) {
        self.tally.add(point);
        if self.recent.len() == KEPT_ROUNDS {
            self.recent.pop_front();
        }
        self.recent.push_back((round, sent, point));
    }

    /// Turns the silence of `round` into a late answer.
    fn correct(&mut self, round: u32, point: Point) {
        if let Some(entry) = self.recent.iter_mut().rev().find(|(r, _, p)| *r == round && *p == Point::Lost) {
            entry.2 = point;
            self.tally.lost = self.tally.lost.saturating_sub(1);
            self.tally.add(point);
        }
    }

    fn fail(&mut self, error: IcmpError, from: IpAddr, sent: Mono, rtt: Duration) {
        let (slowest, quickest, count) = match self.error {
            Some(e) if e.error == error && e.from == from => (e.slowest.max(rtt), e.quickest.min(rtt), e.count + 1),
            _ => (rtt, rtt, 1),
        };
        self.error = Some(HopError { error, from, sent, slowest, quickest, count });
    }
}

impl Path {
    /// The hops, nearest first; `hops()[0]` has TTL 1.
    pub fn hops(&self) -> &[Hop] {
        &self.hops
    }

    /// TTL of the destination: the smallest that reached it in the newest rounds that
    /// did. It answers every larger one, too, so that a lost answer makes a path look
    /// longer than it is; a router that answers there since proves it longer.
    pub fn length(&self) -> Option<u8> {
        self.reached_ttls.iter().rev().filter_map(|r| *r).take(KEPT_LENGTHS).min()
    }

    /// Whether the newest complete round reached the destination.
    pub fn reaches(&self) -> bool {
        self.last_round.as_ref().is_some_and(|r| r.reached.is_some())
    }

    /// How many complete rounds in a row, newest first, failed to reach.
    pub fn rounds_unreached(&self) -> usize {
        self.reached_ttls.iter().rev().take_while(|r| r.is_none()).count()
    }

    /// Whether the destination was reached lately: one lost answer, or two, do not end
    /// a path.
    pub fn reached_lately(&self) -> bool {
        self.last_reached.is_some() && self.rounds_unreached() < 3
    }

    /// Whether the destination is out of reach for longer than a lost packet explains.
    pub fn is_dark(&self) -> bool {
        self.rounds_unreached() >= if self.last_reached.is_some() { 5 } else { 1 }
    }

    /// The farthest hop that answered to a probe sent at `from` or later.
    pub fn last_answering(&self, from: Mono) -> Option<&Hop> {
        self.hops.iter().rev().find(|h| h.last_answer().is_some_and(|at| at >= from))
    }

    /// Takes in one hop's answer or silence.
    pub fn hop(&mut self, sample: &HopSample) {
        if sample.ttl == 0 {
            return;
        }
        let index = usize::from(sample.ttl) - 1;
        while self.hops.len() <= index {
            self.hops.push(Hop { ttl: self.hops.len() as u8 + 1, ..Hop::default() });
        }
        let (round, sent) = (sample.round, sample.sent);
        if matches!(sample.outcome, HopOutcome::Answered { answer: HopAnswer::Expired, .. }) {
            self.farther_than(sample.ttl, sent);
        }
        let hop = &mut self.hops[index];
        match sample.outcome {
            HopOutcome::Answered { from, rtt, answer, .. } => {
                let corrected = hop.recent.iter().rev().any(|(r, _, p)| *r == round && *p == Point::Lost);
                match answer {
                    HopAnswer::Expired | HopAnswer::Reached => {
                        hop.note(from, sent);
                        if hop.answered.len() == KEPT_ANSWERS {
                            hop.answered.pop_front();
                        }
                        hop.answered.push_back((round, from));
                    }
                    HopAnswer::Error(error) => {
                        hop.fail(error, from, sent, rtt);
                        if let IcmpError::TooBig { mtu } = error {
                            hop.mtu = Some(hop.mtu.map_or(mtu, |m| m.min(mtu)));
                        }
                    }
                }
                hop.last = Some((sent, answer, rtt));
                let point = if matches!(answer, HopAnswer::Error(_)) { Point::Error } else { Point::Answered(rtt) };
                if corrected { hop.correct(round, point) } else { hop.push(round, sent, point) }
            }
            HopOutcome::Late { from, rtt } => {
                hop.note(from, sent);
                hop.correct(round, Point::Late(rtt));
            }
            HopOutcome::Silent => hop.push(round, sent, Point::Lost),
            HopOutcome::Unsent { ref reason } => {
                hop.push(round, sent, Point::Unsent);
                self.unsent = Some(reason.clone());
            }
        }
    }

    /// Takes in the end of a round.
    pub fn round(&mut self, end: &RoundEnd) {
        self.rounds += 1;
        self.began.get_or_insert(end.began);
        if self.reached_ttls.len() == KEPT_ROUNDS {
            self.reached_ttls.pop_front();
        }
        self.reached_ttls.push_back(end.reached);
        if end.reached.is_some() {
            self.last_reached = Some(end.began);
        }
        if end.reached.is_some() {
            self.forget_beyond();
        }
        self.compare(end);
        self.last_round = Some(end.clone());
    }

    /// Drops what lies beyond the destination in the newest rounds that reached it.
    fn forget_beyond(&mut self) {
        if let Some(length) = self.length() {
            self.hops.truncate(usize::from(length));
        }
    }

    /// A router answered at `ttl`: the destination lies beyond.
    fn farther_than(&mut self, ttl: u8, sent: Mono) {
        if self.last_reached.is_some_and(|at| at > sent) {
            return;
        }
        for reached in self.reached_ttls.iter_mut().flatten() {
            *reached = (*reached).max(ttl.saturating_add(1));
        }
    }

    fn compare(&mut self, end: &RoundEnd) {
        // A round that reached at a larger TTL lost the answer at the smaller one.
        let Some(length) = end.reached.filter(|r| Some(*r) == self.length()) else { return };
        let now: Vec<Option<IpAddr>> = self
            .hops
            .iter()
            .take(usize::from(length))
            .map(|h| h.answered.iter().rev().find(|(r, _)| *r == end.round).map(|(_, ip)| *ip))
            .collect();
        self.last_whole = merge(&self.last_whole, &now);
        if self.settled.is_empty() {
            self.settled = now;
            return;
        }
        // The destination is nearer than its lost answers had it look: no change.
        if let Some(end) = now.len().checked_sub(1)
            && self.settled.get(end..).is_some_and(|rest| rest.iter().all(|h| h.is_none() || *h == now[end]))
        {
            self.settled.truncate(now.len());
        }
        if same_path(&self.settled, &now) || self.is_sibling(&now) {
            self.settled = merge(&self.settled, &now);
            self.candidate = None;
            return;
        }
        let seen = match self.candidate.take() {
            Some((path, n)) if same_path(&path, &now) => (merge(&path, &now), n + 1),
            _ => (now, 1),
        };
        if seen.1 < 2 {
            self.candidate = Some(seen);
            return;
        }
        let before = std::mem::replace(&mut self.settled, seen.0);
        if self.changes.len() == KEPT_CHANGES {
            self.changes.pop_front();
        }
        self.changes.push_back(PathChange { at: end.began, before, after: self.settled.clone() });
        self.last_whole.clone_from(&self.settled);
    }

    /// Whether `now` differs only by addresses that took turns with the settled
    /// ones before: parallel routers, not a change.
    fn is_sibling(&self, now: &[Option<IpAddr>]) -> bool {
        now.len() == self.settled.len()
            && self.settled.iter().zip(now).zip(&self.hops).all(|((a, b), hop)| match (a, b) {
                (Some(a), Some(b)) if a != b => {
                    let recently = |ip: &IpAddr| hop.addresses.iter().filter(|(x, _)| x == ip).count() > 0;
                    recently(a) && recently(b) && hop.addresses.len() > 2
                }
                _ => true,
            })
    }
}

/// Whether two paths agree wherever both know who answered.
fn same_path(a: &[Option<IpAddr>], b: &[Option<IpAddr>]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.is_none() || b.is_none() || a == b)
}

/// `new`, with the gaps filled from `old` where the lengths agree.
fn merge(old: &[Option<IpAddr>], new: &[Option<IpAddr>]) -> Vec<Option<IpAddr>> {
    if old.len() != new.len() {
        return new.to_vec();
    }
    old.iter().zip(new).map(|(o, n)| n.or(*o)).collect()
}

/// All protocols' paths to one destination.
#[derive(Debug, Clone, Default)]
pub struct Paths {
    list: Vec<(TraceProto, Path)>,
    /// When the first record about it came.
    pub since: Option<At>,
}

impl Paths {
    /// The path of a protocol.
    pub fn get(&self, proto: TraceProto) -> Option<&Path> {
        self.list.iter().find(|(p, _)| *p == proto).map(|(_, path)| path)
    }

    /// Every protocol's path, in the order they were first seen.
    pub fn iter(&self) -> impl Iterator<Item = (TraceProto, &Path)> {
        self.list.iter().map(|(proto, path)| (*proto, path))
    }

    pub(super) fn entry(&mut self, proto: TraceProto) -> &mut Path {
        let index = self.list.iter().position(|(p, _)| *p == proto).unwrap_or_else(|| {
            self.list.push((proto, Path::default()));
            self.list.len() - 1
        });
        &mut self.list[index].1
    }

    /// The path that tells most: one that reaches, else the one that comes farthest.
    pub fn best(&self) -> Option<(TraceProto, &Path)> {
        let farthest = |path: &Path| path.hops().iter().rev().find(|h| h.answers()).map_or(0, |h| h.ttl);
        // `max_by_key` takes the last of equals; the preferred protocol came first.
        self.list
            .iter()
            .rev()
            .max_by_key(|(_, path)| (path.reached_lately(), farthest(path)))
            .map(|(p, path)| (*p, path))
    }

    /// Whether any protocol reached the destination lately.
    pub fn reaches(&self) -> bool {
        self.list.iter().any(|(_, path)| path.reached_lately())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ProbeId;

    const MS: Duration = Duration::from_millis(1);

    fn ip(n: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, n])
    }

    fn run(path: &mut Path, round: u32, hops: &[Option<u8>]) {
        let sent = Mono(u64::from(round) * 1_000_000_000);
        for (i, hop) in hops.iter().enumerate() {
            let reached = i + 1 == hops.len();
            let outcome = hop.map_or(HopOutcome::Silent, |n| HopOutcome::Answered {
                from: ip(n),
                rtt: MS,
                answer: if reached { HopAnswer::Reached } else { HopAnswer::Expired },
                reply_ttl: None,
            });
            path.hop(&HopSample { probe: ProbeId(0), proto: TraceProto::Icmp, round, ttl: i as u8 + 1, sent, outcome });
        }
        let reached = hops.last().copied().flatten().map(|_| hops.len() as u8);
        let end = RoundEnd {
            probe: ProbeId(0),
            proto: TraceProto::Icmp,
            round,
            began: sent,
            reached,
            probed: hops.len() as u8,
            one_flow: true,
        };
        path.round(&end);
    }

    #[test]
    fn what_lies_beyond_the_destination_is_forgotten() {
        let mut p = Path::default();
        for ttl in 1..=8u8 {
            let outcome = if ttl < 3 {
                HopOutcome::Answered { from: ip(ttl), rtt: MS, answer: HopAnswer::Expired, reply_ttl: None }
            } else {
                HopOutcome::Answered { from: ip(9), rtt: MS, answer: HopAnswer::Reached, reply_ttl: None }
            };
            p.hop(&HopSample { probe: ProbeId(0), proto: TraceProto::Icmp, round: 0, ttl, sent: Mono(0), outcome });
        }
        p.round(&RoundEnd {
            probe: ProbeId(0),
            proto: TraceProto::Icmp,
            round: 0,
            began: Mono(0),
            reached: Some(3),
            probed: 8,
            one_flow: true,
        });
        assert_eq!(p.hops().len(), 3);
        assert_eq!(p.hops()[2].address(), Some(ip(9)));
    }

    #[test]
    fn the_distance_is_the_smallest_that_reached_until_a_router_answers_there() {
        let mut p = Path::default();
        run(&mut p, 0, &[Some(1), None, None, Some(9)]);
        assert_eq!(p.length(), Some(4));
        run(&mut p, 1, &[Some(1), Some(2), Some(9)]);
        run(&mut p, 2, &[Some(1), Some(2), Some(9)]);
        assert_eq!(p.length(), Some(3));
        assert!(p.changes.is_empty(), "the same path, better known");
        for round in 3..9 {
            run(&mut p, round, &[Some(1), Some(2), None, Some(9)]);
        }
        assert_eq!((p.length(), p.hops().len()), (Some(3), 3), "lost answers do not make it longer");
        run(&mut p, 9, &[Some(1), Some(2), Some(3), Some(9)]);
        assert_eq!((p.length(), p.hops().len()), (Some(4), 4), "a router there does");
    }

    #[test]
    fn a_change_is_told_once_it_lasts() {
        let mut p = Path::default();
        for r in 0..4 {
            run(&mut p, r, &[Some(1), Some(2), Some(9)]);
        }
        run(&mut p, 4, &[Some(1), None, Some(9)]);
        assert!(p.changes.is_empty(), "silence is no change");
        run(&mut p, 5, &[Some(1), Some(3), Some(9)]);
        assert!(p.changes.is_empty(), "once is not yet a change");
        run(&mut p, 6, &[Some(1), Some(3), Some(9)]);
        assert_eq!(p.changes.len(), 1);
        assert_eq!(p.changes[0].before, vec![Some(ip(1)), Some(ip(2)), Some(ip(9))]);
        assert_eq!(p.changes[0].after[1], Some(ip(3)));
    }

    #[test]
    fn a_broken_path_keeps_what_it_was() {
        let mut p = Path::default();
        run(&mut p, 0, &[Some(1), Some(2), Some(9)]);
        run(&mut p, 9, &[Some(1), None, None, None]);
        assert!(!p.reaches());
        assert_eq!(p.last_whole.len(), 3);
        assert_eq!(p.last_answering(Mono(9_000_000_000)).map(|h| h.ttl), Some(1));
        assert_eq!(p.rounds_unreached(), 1);
    }

    #[test]
    fn a_late_error_corrects_silence() {
        let mut p = Path::default();
        run(&mut p, 0, &[Some(1), None]);
        let outcome = HopOutcome::Answered {
            from: ip(1),
            rtt: 3000 * MS,
            answer: HopAnswer::Error(IcmpError::HostUnreachable),
            reply_ttl: None,
        };
        p.hop(&HopSample { probe: ProbeId(0), proto: TraceProto::Icmp, round: 0, ttl: 2, sent: Mono(0), outcome });
        assert_eq!(p.hops()[1].tally.sent(), 1);
        assert_eq!(p.hops()[1].error.map(|e| e.slowest), Some(3000 * MS));
    }
}
