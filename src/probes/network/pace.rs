//! When which table is read again. Pure: the time comes in as an argument.

use std::time::{Duration, Instant};

/// A table, or what follows from several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    /// Links, counters included.
    Links,
    /// Addresses.
    Addresses,
    /// Routes.
    Routes,
    /// Neighbours; read after the routes, which say which of them matter.
    Neighbours,
    /// The links' counters alone.
    Counters,
    /// Route lookups of watched addresses; last, since they name what was read.
    Lookups,
}

impl Table {
    /// In the order in which they are read.
    pub(super) const ALL: [Self; 6] =
        [Self::Links, Self::Addresses, Self::Routes, Self::Neighbours, Self::Counters, Self::Lookups];

    /// Read again after this long though nothing was notified. Some changes
    /// never are: IPv4 routes that went with their link, new neighbour entries.
    const fn refresh(self) -> Duration {
        match self {
            Self::Counters | Self::Neighbours => Duration::from_secs(1),
            Self::Links | Self::Addresses | Self::Routes => Duration::from_secs(10),
            Self::Lookups => Duration::from_secs(30),
        }
    }
}

/// A set of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Set(u8);

impl Set {
    /// All of them.
    pub(super) const fn all() -> Self {
        Self(0x3f)
    }

    /// Those tables.
    pub(super) const fn of<const N: usize>(tables: [Table; N]) -> Self {
        let mut set = 0;
        let mut i = 0;
        while i < N {
            set |= 1 << tables[i] as u8;
            i += 1;
        }
        Self(set)
    }

    /// Adds those of another set.
    pub(super) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Takes a table out.
    fn remove(&mut self, table: Table) {
        self.0 &= !(1 << table as u8);
    }

    /// Whether a table is in it.
    pub(super) fn has(self, table: Table) -> bool {
        self.0 & (1 << table as u8) != 0
    }

    /// Whether none is.
    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// A table that keeps changing is read four times a second at most ...
const MIN_GAP: Duration = Duration::from_millis(250);
/// ... and so that reading it takes one per cent of the time at most.
const COST_FACTOR: u32 = 100;
/// One that does not change, a thousandth.
const REFRESH_FACTOR: u32 = 1000;

/// Decides what is due.
#[derive(Debug)]
pub(super) struct Pace {
    dirty: Set,
    not_before: [Instant; 6],
    refresh_at: [Instant; 6],
}

impl Pace {
    /// Everything is due at once.
    pub(super) fn new(now: Instant) -> Self {
        Self { dirty: Set::all(), not_before: [now; 6], refresh_at: [now; 6] }
    }

    /// Something was notified.
    pub(super) fn mark(&mut self, dirty: Set) {
        self.dirty.add(dirty);
    }

    /// What is to be read now.
    pub(super) fn due(&self, now: Instant) -> Set {
        let mut set = Set::default();
        Table::ALL.into_iter().filter(|t| self.at(*t) <= now).for_each(|t| set.add(Set::of([t])));
        set
    }

    /// When something is due next.
    pub(super) fn next(&self) -> Instant {
        Table::ALL.into_iter().map(|t| self.at(t)).min().unwrap_or(self.refresh_at[0])
    }

    fn at(&self, table: Table) -> Instant {
        let i = table as usize;
        if self.dirty.has(table) { self.not_before[i] } else { self.refresh_at[i].max(self.not_before[i]) }
    }

    /// A table was read, and how long that took.
    pub(super) fn read(&mut self, table: Table, now: Instant, cost: Duration) {
        let i = table as usize;
        self.dirty.remove(table);
        self.not_before[i] = now + MIN_GAP.max(cost * COST_FACTOR);
        self.refresh_at[i] = now + table.refresh().max(cost * REFRESH_FACTOR);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn read_all(pace: &mut Pace, now: Instant, cost: Duration) {
        for table in Table::ALL {
            pace.read(table, now, cost);
        }
    }

    #[test]
    fn all_at_once_then_counters_and_neighbours_each_second() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        assert_eq!(pace.due(start), Set::all());
        read_all(&mut pace, start, MS);
        assert!(pace.due(start + 999 * MS).is_empty());
        assert_eq!(pace.due(start + 1000 * MS), Set::of([Table::Neighbours, Table::Counters]));
        assert_eq!(pace.next(), start + 1000 * MS);
    }

    #[test]
    fn a_notice_is_read_at_once_and_churn_four_times_a_second() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        read_all(&mut pace, start, MS);
        let links = Set::of([Table::Links]);
        pace.mark(links);
        assert!(pace.due(start + 249 * MS).is_empty());
        assert_eq!(pace.due(start + 250 * MS), links);
        pace.read(Table::Links, start + 250 * MS, MS);
        pace.mark(links);
        assert_eq!(pace.next(), start + 500 * MS);
    }

    #[test]
    fn a_dear_table_waits_longer_and_holds_no_other_up() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        read_all(&mut pace, start, MS);
        pace.read(Table::Routes, start, 1000 * MS);
        pace.mark(Set::of([Table::Routes, Table::Links]));
        assert_eq!(pace.due(start + 300 * MS), Set::of([Table::Links]));
        assert!(!pace.due(start + 99_000 * MS).has(Table::Routes));
        assert!(pace.due(start + 100_000 * MS).has(Table::Routes));
        pace.read(Table::Routes, start, 1000 * MS);
        assert!(!pace.due(start + 999_000 * MS).has(Table::Routes), "nothing was notified");
        assert!(pace.due(start + 1_000_000 * MS).has(Table::Routes));
    }
}
