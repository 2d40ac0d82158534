//! Routers that several paths share are asked once for all of them: Linux answers
//! six expired probes at once and then one a second to each asker.
//!
//! Owns which course asked whom lately and who takes that over. A course takes
//! over what a walk to another target is told by the routers that both met at the
//! same TTL; a walk is fresh for one turn. Every course walks by itself now and
//! then, and then the others take over from it. Pure. Must never know a socket.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use super::order::Lane;
use super::round::bit;
use crate::model::Mono;
use crate::model::hop::{HopAnswer, HopOutcome};
use crate::model::probe::TraceProto;

/// So many rounds are taken over before a course walks by itself, where the walk
/// that it would take over is getting old anyway.
const WALKS_EVERY: u32 = 9;
/// So many are taken over at most.
const WALKS_AFTER: u32 = 24;
/// Walks remembered of one lane: its answers may still come.
const KEPT_WALKS: usize = 3;
/// Routers remembered.
const MOST_ROUTERS: usize = 65_536;

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
    /// Walks by lane, oldest first.
    walks: HashMap<u32, VecDeque<Walk>>,
    /// The newest walk by protocol, TTL and router.
    met: HashMap<(TraceProto, u8, IpAddr), Taker>,
}

#[derive(Debug)]
struct Walk {
    round: u32,
    /// When its oldest part was asked.
    since: Mono,
    route: Vec<Option<IpAddr>>,
    reached: bool,
    told: Vec<(u8, Mono, HopOutcome)>,
    takers: Vec<(Taker, u64)>,
}

impl Shared {
    /// Begins a round of `lane`: by itself, or beyond the routers that a fresh walk
    /// asks.
    pub(super) fn begin(&mut self, lane: &mut Lane, interval: Duration, now: Mono) {
        // With TCP each probe is a flow of its own and may meet other routers.
        let route = if lane.proto == TraceProto::Tcp { Vec::new() } else { lane.course.route() };
        if route.iter().all(Option::is_none) {
            lane.course.begin(now);
            return;
        }
        let waited = lane.course.taken_over();
        let lender = self
            .lender(lane, &route, interval, now)
            .filter(|(_, w)| waited < WALKS_EVERY || waited < WALKS_AFTER && now.since(w.since) < interval / 2);
        let mut since = now;
        let round = match lender {
            Some((by, walk)) => {
                since = walk.since;
                let (taken, spared) = common(&walk.route, &route);
                let round = lane.course.begin_beyond(now, taken, spared);
                for (ttl, sent, outcome) in walk.told.iter().filter(|(ttl, ..)| taken & bit(*ttl) != 0) {
                    let says = *outcome != HopOutcome::Silent || walk.reached;
                    lane.course.taken(round, *ttl, says.then(|| (*sent, outcome.clone())));
                }
                if let Some(walk) = self.walk(by) {
                    walk.takers.push((Taker { lane: lane.id, round }, taken));
                }
                round
            }
            None => lane.course.begin(now),
        };
        if self.met.len() > MOST_ROUTERS {
            self.met.clear();
        }
        for (ttl, router) in (1..).zip(&route) {
            if let Some(router) = router {
                self.met.insert((lane.proto, ttl, *router), Taker { lane: lane.id, round });
            }
        }
        let walks = self.walks.entry(lane.id).or_default();
        if walks.len() >= KEPT_WALKS {
            walks.pop_front();
        }
        walks.push_back(Walk { round, since, route, reached: false, told: Vec::new(), takers: Vec::new() });
    }

    /// The fresh walk of another lane that met the farthest router of `route`.
    fn lender(&self, lane: &Lane, route: &[Option<IpAddr>], interval: Duration, now: Mono) -> Option<(Taker, &Walk)> {
        route.iter().enumerate().rev().find_map(|(i, router)| {
            let (ttl, router) = (i as u8 + 1, (*router)?);
            let by = *self.met.get(&(lane.proto, ttl, router)).filter(|by| by.lane != lane.id)?;
            let walk = self.walks.get(&by.lane)?.iter().rev().find(|w| w.round == by.round)?;
            (now.since(walk.since) < interval).then_some((by, walk))
        })
    }

    fn walk(&mut self, by: Taker) -> Option<&mut Walk> {
        self.walks.get_mut(&by.lane)?.iter_mut().rev().find(|w| w.round == by.round)
    }

    /// A course told this of its round: who takes it over, and whether it says
    /// anything about others. Silence does only where the walk reached its own
    /// target: else it may be its own affair.
    pub(super) fn told(&mut self, by: Taker, ttl: u8, sent: Mono, outcome: &HopOutcome) -> (Vec<Taker>, bool) {
        let Some(walk) = self.walk(by) else { return (Vec::new(), false) };
        walk.reached |= matches!(outcome, HopOutcome::Answered { answer: HopAnswer::Reached, .. });
        if usize::from(ttl) <= walk.route.len() {
            walk.told.push((ttl, sent, outcome.clone()));
        }
        let says = *outcome != HopOutcome::Silent || walk.reached;
        (walk.takers.iter().filter(|(_, taken)| taken & bit(ttl) != 0).map(|(taker, _)| *taker).collect(), says)
    }

    /// A lane is gone.
    pub(super) fn forget(&mut self, gone: impl Fn(u32) -> bool) {
        self.walks.retain(|lane, _| !gone(*lane));
        self.met.retain(|_, by| !gone(by.lane));
    }
}

/// The TTLs where two routes met the same router, and those in front of the last of
/// them, with nothing different before, where `theirs` knows a router and `ours` does
/// not: most likely the same, whose budget is used up by asking. The first one is
/// this host's own gateway, before any paths part.
fn common(theirs: &[Option<IpAddr>], ours: &[Option<IpAddr>]) -> (u64, u64) {
    let (mut taken, mut spared, mut open) = (0, 0, 0);
    let mut parted = false;
    for (ttl, pair) in (1_u8..=64).zip(theirs.iter().zip(ours)) {
        match pair {
            (Some(a), Some(b)) if a == b => {
                taken |= bit(ttl);
                spared |= std::mem::take(&mut open);
            }
            (Some(_), Some(_)) => {
                parted = true;
                open &= bit(1);
            }
            (Some(_), None) if !parted => open |= bit(ttl),
            _ => {}
        }
    }
    let gateway = spared & bit(1);
    (taken | gateway, spared & !gateway)
}

#[cfg(test)]
#[path = "shared_tests.rs"]
mod tests;
