//! Routers that several paths share are asked once for all of them: Linux answers
//! six expired probes at once and then one a second to each asker.
//!
//! Owns which course asked whom lately and who takes that over. A course takes
//! over what a walk to another target is told by the routers that both met, one
//! after the other from the first on; a walk is fresh for one turn. Every course
//! walks by itself now and then, and then the others take over from it. Pure. Must
//! never know a socket.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use super::order::Lane;
use crate::model::Mono;
use crate::model::hop::{HopAnswer, HopOutcome};
use crate::model::probe::TraceProto;

/// So many rounds are taken over before a course walks by itself, where the walk
/// that it would take over is getting old anyway.
const WALKS_EVERY: u32 = 9;
/// So many are taken over at most.
const WALKS_AFTER: u32 = 24;
/// A walk is remembered for so many of its turns.
const KEPT_TURNS: u32 = 3;
/// Walks remembered behind one first router.
const MOST_WALKS: usize = 256;

/// A course in one of its rounds, and what is to be told to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taker {
    /// Lane.
    pub lane: u32,
    /// Its round.
    pub round: u32,
}

/// What is asked of the routers now.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Walks by protocol and first router, oldest first.
    walks: HashMap<(TraceProto, IpAddr), VecDeque<Walk>>,
    /// The same by lane: the key, for its newest walk.
    open: HashMap<u32, (TraceProto, IpAddr)>,
}

#[derive(Debug)]
struct Walk {
    lane: u32,
    round: u32,
    /// When its oldest part was asked.
    since: Mono,
    until: Mono,
    route: Vec<Option<IpAddr>>,
    reached: bool,
    told: Vec<(u8, Mono, HopOutcome)>,
    takers: Vec<(Taker, u8)>,
}

impl Shared {
    /// Begins a round of `lane`: by itself, or beyond the routers that a fresh walk
    /// asks.
    pub(super) fn begin(&mut self, lane: &mut Lane, interval: Duration, now: Mono) {
        // With TCP each probe is a flow of its own and may meet other routers.
        let route = if lane.proto == TraceProto::Tcp { Vec::new() } else { lane.course.route() };
        let Some(first) = route.first().copied().flatten() else {
            lane.course.begin(now);
            return;
        };
        let key = (lane.proto, first);
        let walks = self.walks.entry(key).or_default();
        while walks.front().is_some_and(|w| w.until <= now) || walks.len() >= MOST_WALKS {
            walks.pop_front();
        }
        let fresh = |w: &&mut Walk| w.lane != lane.id && now.since(w.since) < interval;
        let lender = walks
            .iter_mut()
            .filter(fresh)
            .map(|w| (common(&w.route, &route), w))
            .filter(|(taken, _)| *taken > 0)
            .max_by_key(|(taken, w)| (*taken, w.since));
        let waited = lane.course.taken_over();
        let lender =
            lender.filter(|(_, w)| waited < WALKS_EVERY || waited < WALKS_AFTER && now.since(w.since) < interval / 2);
        let mut since = now;
        let round = match lender {
            Some((taken, walk)) => {
                since = walk.since;
                let round = lane.course.begin_beyond(now, taken);
                for (ttl, sent, outcome) in walk.told.iter().filter(|(ttl, ..)| *ttl <= taken) {
                    if *outcome != HopOutcome::Silent || walk.reached {
                        lane.course.taken(round, *ttl, Some((*sent, outcome.clone())));
                    } else {
                        lane.course.taken(round, *ttl, None);
                    }
                }
                walk.takers.push((Taker { lane: lane.id, round }, taken));
                round
            }
            None => lane.course.begin(now),
        };
        let until = now.after(interval * KEPT_TURNS);
        let walk =
            Walk { lane: lane.id, round, since, until, route, reached: false, told: Vec::new(), takers: Vec::new() };
        walks.push_back(walk);
        self.open.insert(lane.id, key);
    }

    /// A course told this of its round: who takes it over, and whether it says
    /// anything about others. Silence does only where the walk reached its own
    /// target: else it may be its own affair.
    pub(super) fn told(&mut self, by: Taker, ttl: u8, sent: Mono, outcome: &HopOutcome) -> (Vec<Taker>, bool) {
        let walks = self.open.get(&by.lane).and_then(|key| self.walks.get_mut(key));
        let walk = walks.and_then(|w| w.iter_mut().rev().find(|w| w.lane == by.lane && w.round == by.round));
        let Some(walk) = walk else { return (Vec::new(), false) };
        walk.reached |= matches!(outcome, HopOutcome::Answered { answer: HopAnswer::Reached, .. });
        if usize::from(ttl) <= walk.route.len() {
            walk.told.push((ttl, sent, outcome.clone()));
        }
        let says = *outcome != HopOutcome::Silent || walk.reached;
        (walk.takers.iter().filter(|(_, taken)| ttl <= *taken).map(|(taker, _)| *taker).collect(), says)
    }

    /// A lane is gone.
    pub(super) fn forget(&mut self, gone: impl Fn(u32) -> bool) {
        for walks in self.walks.values_mut() {
            walks.retain(|w| !gone(w.lane));
        }
        self.walks.retain(|_, walks| !walks.is_empty());
        self.open.retain(|lane, _| !gone(*lane));
    }
}

/// How many TTLs two routes share: up to the last one where both met the same
/// router, without having met different ones before. Silence fits everything.
fn common(a: &[Option<IpAddr>], b: &[Option<IpAddr>]) -> u8 {
    let mut shared = 0;
    for (i, pair) in a.iter().zip(b).enumerate() {
        match pair {
            (Some(a), Some(b)) if a == b => shared = i as u8 + 1,
            (Some(_), Some(_)) => break,
            _ => {}
        }
    }
    shared
}

#[cfg(test)]
#[path = "shared_tests.rs"]
mod tests;
