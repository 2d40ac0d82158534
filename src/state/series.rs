//! One probe's measurements over time: bounded, and able to tell an answer from a
//! loss, a loss from a late answer, and all of them from nothing measured.

use std::collections::VecDeque;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::stats::{Stats, Tally};
use crate::model::{Mono, Outcome};

/// Most measurements kept one by one (12 bytes each); older ones live on in the
/// totals and the histogram.
pub const KEPT: usize = 512;

/// What one measurement came to, without its details.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Answered in time.
    Answered(Duration),
    /// Answered after the time-out.
    Late(Duration),
    /// Silence.
    Lost,
    /// The host said no.
    Refused(Duration),
    /// An ICMP error came back.
    Error,
    /// Reached, then failed above the transport.
    Failed,
    /// Nothing was sent.
    Unsent,
}

impl Point {
    /// The point of an outcome.
    pub fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Answered { rtt, .. } => Self::Answered(*rtt),
            Outcome::Late { rtt } => Self::Late(*rtt),
            Outcome::Lost => Self::Lost,
            Outcome::Refused { rtt } => Self::Refused(*rtt),
            Outcome::Icmp { .. } => Self::Error,
            Outcome::Failed { .. } => Self::Failed,
            Outcome::Unsent { .. } => Self::Unsent,
        }
    }

    /// When the far host showed itself alive by it.
    fn seen_alive(self, sent: Mono) -> Option<Mono> {
        match self {
            Self::Answered(rtt) | Self::Late(rtt) | Self::Refused(rtt) => Some(sent.after(rtt)),
            Self::Failed => Some(sent),
            Self::Lost | Self::Error | Self::Unsent => None,
        }
    }

    /// Whether it shows the far host alive.
    pub fn shows_life(self) -> bool {
        matches!(self, Self::Answered(_) | Self::Late(_) | Self::Refused(_) | Self::Failed)
    }
}

/// A kept measurement: three words, because a console may hold ten thousand series.
#[derive(Debug, Clone, Copy)]
struct Entry {
    sent_ms: u32,
    seq: u32,
    packed: u32,
}

const TAG_SHIFT: u32 = 29;
const VALUE_MASK: u32 = (1 << TAG_SHIFT) - 1;

impl Entry {
    fn new(sent: Mono, seq: u32, point: Point) -> Self {
        let micros = |d: Duration| (d.as_micros() as u64).min(u64::from(VALUE_MASK)) as u32;
        let (tag, value) = match point {
            Point::Answered(d) => (0, micros(d)),
            Point::Late(d) => (1, micros(d)),
            Point::Lost => (2, 0),
            Point::Refused(d) => (3, micros(d)),
            Point::Error => (4, 0),
            Point::Failed => (5, 0),
            Point::Unsent => (6, 0),
        };
        Self { sent_ms: sent.millis() as u32, seq, packed: (tag << TAG_SHIFT) | value }
    }

    fn point(self) -> Point {
        let value = Duration::from_micros(u64::from(self.packed & VALUE_MASK));
        match self.packed >> TAG_SHIFT {
            0 => Point::Answered(value),
            1 => Point::Late(value),
            2 => Point::Lost,
            3 => Point::Refused(value),
            4 => Point::Error,
            5 => Point::Failed,
            _ => Point::Unsent,
        }
    }

    fn sent(self) -> Mono {
        Mono(u64::from(self.sent_ms) * 1_000_000)
    }
}

/// One probe's measurements, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Series {
    kept: VecDeque<Entry>,
    tally: Tally,
    older: Option<Box<Histogram<u32>>>,
    last_life: Option<Mono>,
    first: Option<Mono>,
}

impl Series {
    /// Adds a measurement. A late answer, or an error that comes after the time-out,
    /// replaces the loss with its number.
    pub fn push(&mut self, sent: Mono, seq: u32, point: Point) {
        if let Some(seen) = point.seen_alive(sent) {
            self.last_life = self.last_life.max(Some(seen));
        }
        if matches!(point, Point::Late(_) | Point::Error) && self.correct(seq, point) {
            return;
        }
        self.first.get_or_insert(sent);
        self.tally.add(point);
        if self.kept.len() == KEPT {
            self.evict();
        }
        self.kept.push_back(Entry::new(sent, seq, point));
    }

    fn correct(&mut self, seq: u32, point: Point) -> bool {
        let Some(entry) = self.kept.iter_mut().rev().find(|e| e.seq == seq) else {
            return false;
        };
        if entry.point() != Point::Lost {
            // A second answer to the same send: the first one counts.
            return true;
        }
        *entry = Entry::new(entry.sent(), seq, point);
        self.tally.lost = self.tally.lost.saturating_sub(1);
        self.tally.add(point);
        true
    }

    fn evict(&mut self) {
        let Some(entry) = self.kept.pop_front() else { return };
        if let Point::Answered(rtt) | Point::Late(rtt) = entry.point() {
            if self.older.is_none() {
                self.older = Histogram::new(2).ok().map(Box::new);
            }
            if let Some(h) = &mut self.older {
                h.saturating_record(rtt.as_micros() as u64);
            }
        }
    }

    /// Counts since the beginning.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Figures since the beginning; percentiles within 1 % once [`KEPT`] is exceeded.
    pub fn total(&self) -> Stats {
        let mut stats = Stats::of(self.kept.iter().map(|e| e.point()));
        stats.tally = self.tally;
        if let Some(older) = &self.older {
            stats.merge_older(older, &self.rtts());
        }
        stats
    }

    fn rtts(&self) -> Vec<u64> {
        let rtt = |e: &Entry| match e.point() {
            Point::Answered(d) | Point::Late(d) => Some(d.as_micros() as u64),
            _ => None,
        };
        self.kept.iter().filter_map(rtt).collect()
    }

    /// Figures of what was sent at `from` or later.
    pub fn since(&self, from: Mono) -> Stats {
        Stats::of(self.points_since(from).map(|(_, p)| p))
    }

    /// Counts of what was sent at `from` or later; cheaper than [`Series::since`].
    pub fn tally_since(&self, from: Mono) -> Tally {
        let mut tally = Tally::default();
        for entry in self.kept.iter().rev().take_while(|e| e.sent() >= from) {
            tally.add(entry.point());
        }
        tally
    }

    /// Measurements sent at `from` or later, oldest first.
    pub fn points_since(&self, from: Mono) -> impl DoubleEndedIterator<Item = (Mono, Point)> + '_ {
        // Entries arrive nearly in order of sending; a time-out's worth of disorder
        // at the seam is harmless because only single points shift.
        let from_ms = from.0.div_ceil(1_000_000);
        let start = self.kept.partition_point(|e| u64::from(e.sent_ms) < from_ms);
        self.kept.range(start..).map(|e| (e.sent(), e.point()))
    }

    /// The newest measurement.
    pub fn last(&self) -> Option<(Mono, Point)> {
        self.kept.back().map(|e| (e.sent(), e.point()))
    }

    /// When the host last showed itself alive: when the answer came, since an answer
    /// that took long is no older for it.
    pub fn last_life(&self) -> Option<Mono> {
        self.last_life
    }

    /// When the first measurement was sent.
    pub fn first(&self) -> Option<Mono> {
        self.first
    }

    /// How many of the newest measurements in a row fail `good`, and when the
    /// oldest of those was sent. What was not sent counts neither way.
    pub fn failing(&self, good: impl Fn(Point) -> bool) -> Option<(u32, Mono)> {
        self.failing_since(Mono(0), good)
    }

    /// The same of what was sent at `from` or later.
    pub fn failing_since(&self, from: Mono, good: impl Fn(Point) -> bool) -> Option<(u32, Mono)> {
        // A loss is told when its time is up, after answers to later sends: what
        // was sent before the newest good one is no part of the run.
        let newest_good = self.kept.iter().rposition(|e| good(e.point()));
        let after = newest_good.map_or(0, |i| i + 1);
        let floor = newest_good.map(|i| self.kept[i].sent_ms);
        let mut run: Option<(u32, Mono)> = None;
        for e in self.kept.range(after..) {
            let counts = e.point() != Point::Unsent && u64::from(e.sent_ms) >= from.millis();
            if counts && floor.is_none_or(|f| e.sent_ms > f) {
                run = Some(run.map_or((1, e.sent()), |(n, since)| (n + 1, since.min(e.sent()))));
            }
        }
        run
    }

    /// Buckets of `width` each, the last one holding `now`; for small graphs. A
    /// bucket without a send is [`Bucket::Gap`].
    pub fn buckets(&self, now: Mono, width: Duration, count: usize) -> Vec<Bucket> {
        let mut buckets = vec![Bucket::Gap; count];
        let width_ns = width.as_nanos().max(1) as u64;
        let newest = now.0 / width_ns;
        let oldest = (newest + 1).saturating_sub(count as u64);
        for (sent, point) in self.points_since(Mono(oldest * width_ns)) {
            let index = (sent.0 / width_ns).saturating_sub(oldest) + (count as u64).saturating_sub(newest - oldest + 1);
            if let Some(bucket) = buckets.get_mut(index as usize) {
                bucket.add(point);
            }
        }
        buckets
    }
}

/// A stretch of a series, for drawing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Bucket {
    /// Nothing was measured.
    #[default]
    Gap,
    /// Something was.
    Measured {
        /// Largest round-trip time answered, zero where none was.
        worst: Duration,
        /// Answers in time.
        answered: u16,
        /// Answers after the time-out.
        late: u16,
        /// Losses, errors, refusals and failures.
        failed: u16,
    },
}

impl Bucket {
    fn add(&mut self, point: Point) {
        if point == Point::Unsent {
            return;
        }
        if *self == Self::Gap {
            *self = Self::Measured { worst: Duration::ZERO, answered: 0, late: 0, failed: 0 };
        }
        if let Self::Measured { worst, answered, late, failed } = self {
            match point {
                Point::Answered(rtt) => {
                    *worst = (*worst).max(rtt);
                    *answered = answered.saturating_add(1);
                }
                Point::Late(rtt) => {
                    *worst = (*worst).max(rtt);
                    *late = late.saturating_add(1);
                }
                _ => *failed = failed.saturating_add(1),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(s: u64) -> Mono {
        Mono(s * 1_000_000_000)
    }

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_late_reply_turns_its_loss_into_a_late_answer() {
        let mut s = Series::default();
        s.push(at(1), 0, Point::Lost);
        s.push(at(2), 1, Point::Answered(MS));
        s.push(at(1), 0, Point::Late(1500 * MS));
        let t = s.tally();
        assert_eq!((t.sent(), t.received(), t.late, t.lost), (2, 2, 1, 0));
        s.push(at(1), 0, Point::Late(1500 * MS));
        assert_eq!(s.tally(), t, "a duplicate counts once");
    }

    #[test]
    fn an_answer_that_took_long_shows_life_when_it_came() {
        let mut s = Series::default();
        s.push(at(1), 0, Point::Lost);
        assert_eq!(s.last_life(), None);
        s.push(at(1), 0, Point::Late(1500 * MS));
        assert_eq!(s.last_life(), Some(at(1).after(1500 * MS)));
    }

    #[test]
    fn gaps_are_not_losses() {
        let mut s = Series::default();
        s.push(at(1), 0, Point::Answered(MS));
        s.push(at(9), 1, Point::Lost);
        let b = s.buckets(at(9), Duration::from_secs(1), 10);
        assert_eq!(b.iter().filter(|b| **b == Bucket::Gap).count(), 8);
        assert!(matches!(b[9], Bucket::Measured { failed: 1, .. }));
        assert!(matches!(b[1], Bucket::Measured { answered: 1, .. }));
    }

    #[test]
    fn what_was_not_sent_is_no_loss() {
        let mut s = Series::default();
        s.push(at(1), 0, Point::Unsent);
        assert_eq!(s.tally().loss(), None);
        assert_eq!(s.failing(Point::shows_life), None);
    }

    #[test]
    fn totals_survive_eviction() {
        let mut s = Series::default();
        for i in 0..2000u32 {
            s.push(at(u64::from(i)), i, Point::Answered(Duration::from_micros(100 + u64::from(i % 100))));
        }
        let total = s.total();
        assert_eq!(total.tally.received(), 2000);
        let p50 = total.p50.unwrap().as_micros();
        assert!((147..=152).contains(&p50), "{p50}");
        assert!(size_of::<Entry>() * KEPT <= 6 * 1024);
    }

    proptest! {
        #[test]
        fn counts_always_add_up(points in proptest::collection::vec((0u32..40, 0u8..7), 0..900)) {
            let mut s = Series::default();
            for (i, (seq, kind)) in points.iter().enumerate() {
                let p = match kind {
                    0 => Point::Answered(MS), 1 => Point::Late(MS), 2 => Point::Lost, 3 => Point::Refused(MS),
                    4 => Point::Error, 5 => Point::Failed, _ => Point::Unsent,
                };
                s.push(at(i as u64), *seq, p);
            }
            let t = s.tally();
            prop_assert!(t.received() <= t.sent());
            prop_assert!(t.loss().is_none_or(|l| (0.0..=1.0).contains(&l)));
            prop_assert_eq!(s.buckets(at(points.len() as u64), Duration::from_secs(3), 20).len(), 20);
        }
    }
}
