//! Appointments in order of time, cheap where many have the same rhythm.
//!
//! With ten thousand probes a heap costs more than everything else in user
//! space; but what is put off by the same duration, again and again, comes in
//! order by itself. Pure. Must never know what an appointment is about.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use crate::model::Mono;

/// Rhythms that get a queue of their own.
const MOST_QUEUES: usize = 8;

/// Appointments of type `T`.
#[derive(Debug)]
pub(super) struct Agenda<T> {
    queues: Vec<(Duration, VecDeque<(Mono, T)>)>,
    rest: BinaryHeap<Reverse<(Mono, T)>>,
}

impl<T: Ord> Default for Agenda<T> {
    fn default() -> Self {
        Self { queues: Vec::new(), rest: BinaryHeap::new() }
    }
}

impl<T: Ord + Copy> Agenda<T> {
    /// Makes an appointment that belongs to the rhythm `every`.
    pub(super) fn put(&mut self, at: Mono, every: Duration, what: T) {
        if !self.queues.iter().any(|(e, _)| *e == every) && self.queues.len() < MOST_QUEUES {
            self.queues.push((every, VecDeque::new()));
        }
        match self.queues.iter_mut().find(|(e, _)| *e == every) {
            Some((_, queue)) if queue.back().is_none_or(|(last, _)| *last <= at) => queue.push_back((at, what)),
            _ => self.rest.push(Reverse((at, what))),
        }
    }

    /// When the first appointment is.
    pub(super) fn first(&self) -> Option<Mono> {
        let queued = self.queues.iter().filter_map(|(_, q)| q.front().map(|(at, _)| *at));
        queued.chain(self.rest.peek().map(|Reverse((at, _))| *at)).min()
    }

    /// Takes the first appointment out, if it is due at `now`.
    pub(super) fn take(&mut self, now: Mono) -> Option<(Mono, T)> {
        let first = self.first().filter(|at| *at <= now)?;
        let queue = self.queues.iter_mut().find(|(_, q)| q.front().is_some_and(|(at, _)| *at == first));
        match queue {
            Some((_, queue)) => queue.pop_front(),
            None => self.rest.pop().map(|Reverse(entry)| entry),
        }
    }

    /// Appointments made and not taken out.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.rest.len() + self.queues.iter().map(|(_, q)| q.len()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn comes_out_in_order_and_whole(entries in proptest::collection::vec((0_u64..1000, 0_u64..12), 0..200)) {
            let mut agenda = Agenda::default();
            for (n, (at, every)) in entries.iter().enumerate() {
                agenda.put(Mono(*at), Duration::from_millis(*every), n);
            }
            let mut last = Mono(0);
            let mut seen = vec![false; entries.len()];
            while let Some((at, n)) = agenda.take(Mono(2000)) {
                prop_assert!(at >= last);
                prop_assert!(!std::mem::replace(&mut seen[n], true));
                last = at;
            }
            prop_assert!(seen.into_iter().all(|s| s));
        }
    }
}
