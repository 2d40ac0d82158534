//! One round of a course: what was sent, what is to be sent yet, and where the path
//! ended. Pure. Must never know the round before.

use std::collections::VecDeque;
use std::net::IpAddr;

use crate::model::Mono;
use crate::model::hop::HopOutcome;

/// The same router this often in a round: a loop; no need to go round it again.
const LOOPED: usize = 3;

/// One round.
#[derive(Debug)]
pub(super) struct Round {
    /// Counts from 0.
    pub(super) number: u32,
    /// When it began.
    pub(super) began: Mono,
    /// What was sent, in that order.
    pub(super) probes: Vec<Probe>,
    /// TTLs still to be sent.
    pub(super) todo: VecDeque<u8>,
    /// Largest TTL planned, the scout's left aside.
    pub(super) limit: u8,
    /// A probe far beyond what is known: only the target's answer to it counts.
    pub(super) scout: Option<u8>,
    /// These TTLs are another course's affair.
    pub(super) taken: u64,
    /// What it told of them, until this round has reached the target.
    pub(super) held: Vec<(u8, Mono, HopOutcome)>,
    /// How many of them are still open.
    pub(super) open: u32,
    /// Where the path ended, and whether at the target.
    pub(super) end: Option<(u8, bool)>,
    /// Out of turn: that it does not reach the target says nothing new.
    pub(super) extra: bool,
    /// When the next is.
    pub(super) next_send: Mono,
    /// Whether it ended.
    pub(super) over: bool,
}

/// One probe of it.
#[derive(Debug)]
pub(super) struct Probe {
    /// TTL.
    pub(super) ttl: u8,
    /// When.
    pub(super) sent: Mono,
    /// What came of it.
    pub(super) state: State,
    /// Who answered.
    pub(super) from: Option<IpAddr>,
}

/// What is known of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It may be answered yet.
    Waiting,
    /// Its time is over.
    Silent,
    /// It was answered, or not sent.
    Done,
}

/// The bit of a TTL, from 1.
pub(super) fn bit(ttl: u8) -> u64 {
    1_u64.checked_shl(u32::from(ttl.wrapping_sub(1))).unwrap_or(0)
}

impl Round {
    pub(super) fn sending(&self) -> bool {
        !self.over && !self.todo.is_empty()
    }

    /// Plans the TTLs up to `limit`, too.
    pub(super) fn extend(&mut self, limit: u8) {
        let from = self.limit + 1;
        self.todo.extend((from..=limit).filter(|t| Some(*t) != self.scout));
        self.limit = self.limit.max(limit);
    }

    pub(super) fn waiting(&self) -> impl Iterator<Item = &Probe> {
        let last = self.end.map_or(u8::MAX, |(ttl, _)| ttl);
        self.probes.iter().filter(move |p| p.ttl <= last && p.state == State::Waiting)
    }

    /// Largest TTL that a router answered; in a loop, where it closes.
    pub(super) fn farthest(&self) -> Option<u8> {
        let mut seen: Vec<(IpAddr, usize)> = Vec::new();
        let mut farthest = None;
        for probe in &self.probes {
            let Some(from) = probe.from else { continue };
            farthest = farthest.max(Some(probe.ttl));
            match seen.iter_mut().find(|(a, _)| *a == from) {
                Some((_, n)) if *n + 1 >= LOOPED => break,
                Some((_, n)) => *n += 1,
                None => seen.push((from, 1)),
            }
        }
        farthest
    }
}
