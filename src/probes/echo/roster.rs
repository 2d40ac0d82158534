//! Who is to be asked when, and what is on its way: the echo engines' books.
//!
//! Pure: time comes in as an argument, nothing is sent here. Must never know a
//! socket.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use super::agenda::Agenda;
use crate::model::{Ask, Mono, ProbeId, ProbeSpec};

/// Sends of one probe that are remembered at most: answered, waiting or late.
const MOST_FLIGHTS: usize = 1024;
/// Sends of one probe that are remembered past its time-out, at least.
const LATE_FLIGHTS: usize = 16;
/// They are remembered for this long: a router that first tries to resolve the host
/// takes some three seconds to say that it is unreachable.
const LATE_FOR: Duration = Duration::from_secs(5);
/// The first send comes within this time, however long the interval.
const FIRST_WITHIN: Duration = Duration::from_secs(1);

/// Every probe with its next send and its flights.
#[derive(Debug, Default)]
pub(super) struct Roster {
    slots: HashMap<u32, Slot>,
    by_id: HashMap<ProbeId, u32>,
    by_address: HashMap<IpAddr, Vec<u32>>,
    agenda: Agenda<(u32, Wake)>,
    next_serial: u32,
    per_second: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wake {
    Timeout { seq: u32 },
    Send,
}

#[derive(Debug)]
struct Slot {
    spec: ProbeSpec,
    to: IpAddr,
    due: Option<Mono>,
    next_seq: u32,
    /// Of the flight in front.
    first_seq: u32,
    flights: VecDeque<Flight>,
}

#[derive(Debug, Clone, Copy)]
struct Flight {
    sent: Mono,
    state: FlightState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FlightState {
    Waiting,
    Overdue,
    Done,
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Send this, then say [`Roster::sent`] or leave it as unsent.
    Send(Order),
    /// Nobody answered in time.
    Lost(Flown),
}

/// One send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Order {
    /// The slot's number, never reused.
    pub serial: u32,
    /// For whom.
    pub probe: ProbeId,
    /// Sample number.
    pub seq: u32,
    /// Destination.
    pub to: IpAddr,
    /// Interface index of a link-local destination.
    pub scope: u32,
}

/// One packet that was on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flown {
    /// For whom.
    pub probe: ProbeId,
    /// Sample number.
    pub seq: u32,
    /// When it left.
    pub sent: Mono,
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Landing {
    /// In time.
    InTime(Flown),
    /// After its time-out, and the loss was not said yet.
    LateUnsaid(Flown),
    /// After its time-out.
    Late(Flown),
}

impl Roster {
    /// Takes over the specifications of echo: new ones begin, changed ones go
    /// on with their numbers, missing ones end. The others are not disturbed.
    pub(super) fn apply(&mut self, specs: &[ProbeSpec], now: Mono) {
        let mut gone: HashMap<ProbeId, u32> = std::mem::take(&mut self.by_id);
        self.per_second = 0.0;
        for spec in specs {
            let Ask::Icmp { to } = spec.ask else { continue };
            self.per_second += 1.0 / spec.interval.as_secs_f64().max(0.001);
            let same = |s: &Slot| s.to == to && s.spec.scope == spec.scope;
            let known = gone.get(&spec.id).copied().filter(|serial| self.slots.get(serial).is_some_and(same));
            if known.is_some() {
                gone.remove(&spec.id);
            }
            let serial = known.unwrap_or_else(|| {
                self.next_serial = self.next_serial.wrapping_add(1);
                self.next_serial
            });
            self.by_id.insert(spec.id, serial);
            let changed = if let Some(slot) = self.slots.get_mut(&serial) {
                let rhythm = |s: &ProbeSpec| (s.interval, s.count);
                let changed = rhythm(&slot.spec) != rhythm(spec);
                slot.spec = spec.clone();
                changed
            } else {
                let slot =
                    Slot { spec: spec.clone(), to, due: None, next_seq: 0, first_seq: 0, flights: VecDeque::new() };
                self.slots.insert(serial, slot);
                self.by_address.entry(to).or_default().push(serial);
                true
            };
            if changed {
                let first = now.after(spec.interval.min(FIRST_WITHIN).mul_f64(phase(serial)));
                self.plan(serial, first);
            }
        }
        for serial in gone.into_values() {
            let Some(slot) = self.slots.remove(&serial) else { continue };
            if let Some(serials) = self.by_address.get_mut(&slot.to) {
                serials.retain(|s| *s != serial);
                if serials.is_empty() {
                    self.by_address.remove(&slot.to);
                }
            }
        }
    }

    fn plan(&mut self, serial: u32, at: Mono) {
        let Some(slot) = self.slots.get_mut(&serial) else { return };
        slot.due = slot.spec.count.is_none_or(|n| slot.next_seq < n).then_some(at);
        if slot.due.is_some() {
            self.agenda.put(at, slot.spec.interval, (serial, Wake::Send));
        }
    }

    /// Sends a second, all probes together.
    pub(super) fn per_second(&self) -> f64 {
        self.per_second
    }

    /// When [`Roster::pop`] is wanted again.
    pub(super) fn next_wake(&self) -> Option<Mono> {
        self.agenda.first()
    }

    /// The next thing to do at `now`. A send is booked with the next number;
    /// it counts as unsent until [`Roster::sent`].
    pub(super) fn pop(&mut self, now: Mono) -> Option<Due> {
        while let Some((at, (serial, wake))) = self.agenda.take(now) {
            let Some(slot) = self.slots.get_mut(&serial) else { continue };
            match wake {
                Wake::Timeout { seq } => {
                    let probe = slot.spec.id;
                    let Some(flight) = slot.flight(seq).filter(|f| f.state == FlightState::Waiting) else { continue };
                    flight.state = FlightState::Overdue;
                    return Some(Due::Lost(Flown { probe, seq, sent: flight.sent }));
                }
                Wake::Send if slot.due == Some(at) => {
                    let (probe, to, scope) = (slot.spec.id, slot.to, slot.spec.scope);
                    let seq = slot.next_seq;
                    slot.next_seq = seq.wrapping_add(1);
                    let next = slot.next_due(at, serial, now);
                    self.plan(serial, next);
                    return Some(Due::Send(Order { serial, probe, seq, to, scope }));
                }
                Wake::Send => {}
            }
        }
        None
    }

    /// The order was carried out at `at`.
    pub(super) fn sent(&mut self, order: Order, at: Mono) {
        let Some(slot) = self.slots.get_mut(&order.serial) else { return };
        slot.book(order.seq, at);
        let (until, wake) = (at.after(slot.spec.timeout), Wake::Timeout { seq: order.seq });
        self.agenda.put(until, slot.spec.timeout, (order.serial, wake));
    }

    /// The order was not carried out after all.
    pub(super) fn unsent(&mut self, order: Order) {
        if let Some(flight) = self.slots.get_mut(&order.serial).and_then(|s| s.flight(order.seq)) {
            flight.state = FlightState::Done;
        }
    }

    /// An answer to number `seq` of slot `serial` that arrived at `at`. Nothing
    /// for duplicates and for what is not known (any more).
    pub(super) fn landed(&mut self, serial: u32, seq: u32, from: Option<IpAddr>, at: Mono) -> Option<Landing> {
        let slot = self.slots.get_mut(&serial)?;
        if from.is_some_and(|from| from != slot.to) {
            return None;
        }
        let (probe, timeout) = (slot.spec.id, slot.spec.timeout);
        let flight = slot.flight(seq)?;
        let flown = Flown { probe, seq, sent: flight.sent };
        let landing = match flight.state {
            FlightState::Done => return None,
            FlightState::Overdue => Landing::Late(flown),
            FlightState::Waiting if at.since(flight.sent) > timeout => Landing::LateUnsaid(flown),
            FlightState::Waiting => Landing::InTime(flown),
        };
        flight.state = FlightState::Done;
        Some(landing)
    }

    /// The slot and full number of a packet to `to` of which only the low 16
    /// bits of the number are known: an ICMP error that quotes eight bytes.
    pub(super) fn find(&self, to: IpAddr, matches: impl Fn(u32, u32) -> bool) -> Option<(u32, u32)> {
        self.by_address.get(&to)?.iter().find_map(|serial| {
            let slot = self.slots.get(serial)?;
            // The newest first: it is the likeliest.
            let open = slot.flights.iter().enumerate().rev().filter(|(_, f)| f.state != FlightState::Done);
            open.map(|(i, _)| slot.first_seq.wrapping_add(i as u32))
                .find(|seq| matches(*serial, *seq))
                .map(|seq| (*serial, seq))
        })
    }
}

impl Slot {
    fn flight(&mut self, seq: u32) -> Option<&mut Flight> {
        self.flights.get_mut(seq.wrapping_sub(self.first_seq) as usize)
    }

    /// Enters a send. Numbers between the last one and this were not sent.
    fn book(&mut self, seq: u32, sent: Mono) {
        let interval = self.spec.interval.max(Duration::from_millis(1));
        let within = |d: Duration| (d.as_nanos() / interval.as_nanos()).min(MOST_FLIGHTS as u128) as usize;
        let most = (within(self.spec.timeout) + within(LATE_FOR).max(LATE_FLIGHTS)).min(MOST_FLIGHTS);
        if self.flights.is_empty() {
            self.first_seq = seq;
        }
        let next = self.first_seq.wrapping_add(self.flights.len() as u32);
        for _ in 0..seq.wrapping_sub(next).min(most as u32) {
            self.flights.push_back(Flight { sent, state: FlightState::Done });
        }
        self.flights.push_back(Flight { sent, state: FlightState::Waiting });
        while self.flights.len() > most || self.flights.front().is_some_and(|f| f.state == FlightState::Done) {
            self.flights.pop_front();
            self.first_seq = self.first_seq.wrapping_add(1);
        }
    }

    /// One interval after `at`; the second send of a slow probe takes its place
    /// within the interval, and after a pause the missed ones are not made up.
    fn next_due(&self, at: Mono, serial: u32, now: Mono) -> Mono {
        let interval = self.spec.interval.max(Duration::from_millis(1));
        let next = if self.next_seq == 1 && interval > FIRST_WITHIN {
            at.after(interval + interval.saturating_sub(FIRST_WITHIN).mul_f64(phase(serial)))
        } else {
            at.after(interval)
        };
        if next <= now { now.after(interval) } else { next }
    }
}

/// The place of a slot within its interval, 0 to 1: multiples of the golden
/// ratio fill it evenly however many there are.
fn phase(serial: u32) -> f64 {
    (f64::from(serial.wrapping_sub(1)) * 0.618_033_988_749_895).fract()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TargetId;

    fn ms(n: u64) -> Mono {
        Mono(n * 1_000_000)
    }

    fn spec(id: u32, interval_ms: u64, count: Option<u32>) -> ProbeSpec {
        ProbeSpec {
            id: ProbeId(id),
            targets: vec![TargetId(0)],
            ask: Ask::Icmp { to: IpAddr::from([10, 0, (id >> 8) as u8, id as u8]) },
            scope: 0,
            interval: Duration::from_millis(interval_ms),
            timeout: Duration::from_millis(500),
            count,
        }
    }

    fn orders(roster: &mut Roster, from: u64, to: u64) -> Vec<(u64, Order)> {
        let mut all = Vec::new();
        for t in from..to {
            while let Some(due) = roster.pop(ms(t)) {
                if let Due::Send(order) = due {
                    roster.sent(order, ms(t));
                    all.push((t, order));
                }
            }
        }
        all
    }

    #[test]
    fn sends_are_spread_over_the_interval() {
        let mut roster = Roster::default();
        let specs: Vec<_> = (0..1000).map(|i| spec(i, 1000, None)).collect();
        roster.apply(&specs, ms(0));
        let sent = orders(&mut roster, 0, 5000);
        assert!((4990..=5010).contains(&sent.len()), "{}", sent.len());
        for window in 0..50 {
            let n = sent.iter().filter(|(t, _)| t / 100 == window).count();
            assert!((95..=105).contains(&n), "{n} in the window {window}");
        }
    }

    #[test]
    fn slow_probes_begin_within_a_second_and_spread_later() {
        let mut roster = Roster::default();
        let specs: Vec<_> = (0..100).map(|i| spec(i, 60_000, None)).collect();
        roster.apply(&specs, ms(0));
        assert_eq!(orders(&mut roster, 0, 1001).len(), 100);
        let later = orders(&mut roster, 1001, 180_000);
        let most = (0..180).map(|s| later.iter().filter(|(t, _)| t / 1000 == s).count()).max();
        assert!(most <= Some(4), "{most:?} in a second");
    }

    #[test]
    fn a_late_reply_follows_its_loss_and_a_duplicate_is_nothing() {
        let mut roster = Roster::default();
        roster.apply(&[spec(1, 1000, None)], ms(0));
        let Some(Due::Send(order)) = roster.pop(ms(0)) else { panic!("nothing to send") };
        roster.sent(order, ms(0));
        assert_eq!(roster.pop(ms(499)), None);
        let flown = Flown { probe: ProbeId(1), seq: 0, sent: ms(0) };
        assert_eq!(roster.pop(ms(500)), Some(Due::Lost(flown)));
        assert_eq!(roster.landed(order.serial, 0, Some(order.to), ms(700)), Some(Landing::Late(flown)));
        assert_eq!(roster.landed(order.serial, 0, Some(order.to), ms(701)), None);
        assert_eq!(roster.landed(order.serial, 9, Some(order.to), ms(701)), None);
    }

    #[test]
    fn a_reply_from_elsewhere_is_nothing() {
        let mut roster = Roster::default();
        roster.apply(&[spec(1, 1000, None)], ms(0));
        let (_, order) = orders(&mut roster, 0, 1)[0];
        assert_eq!(roster.landed(order.serial, 0, Some(IpAddr::from([9, 9, 9, 9])), ms(1)), None);
        assert!(matches!(roster.landed(order.serial, 0, Some(order.to), ms(1)), Some(Landing::InTime(_))));
    }

    #[test]
    fn counts_end_and_numbers_go_on_when_the_interval_changes() {
        let mut roster = Roster::default();
        roster.apply(&[spec(1, 100, Some(3)), spec(2, 100, None)], ms(0));
        let sent = orders(&mut roster, 0, 1000);
        assert_eq!(sent.iter().filter(|(_, o)| o.probe == ProbeId(1)).count(), 3);
        let before = sent.iter().filter(|(_, o)| o.probe == ProbeId(2)).count() as u32;
        roster.apply(&[spec(2, 50, None)], ms(1000));
        let after = orders(&mut roster, 1000, 1100);
        assert_eq!(after.first().map(|(_, o)| o.seq), Some(before));
        assert_eq!(after.len(), 2);
    }

    #[test]
    fn who_asks_and_others_that_come_do_not_disturb() {
        let mut roster = Roster::default();
        roster.apply(&[spec(1, 1000, None)], ms(0));
        assert_eq!(orders(&mut roster, 0, 500).len(), 1);
        let shared = ProbeSpec { targets: vec![TargetId(0), TargetId(7)], ..spec(1, 1000, None) };
        roster.apply(&[shared, spec(2, 1000, None)], ms(500));
        let sent = orders(&mut roster, 500, 1900);
        let first: Vec<_> = sent.iter().filter(|(_, o)| o.probe == ProbeId(1)).map(|(t, _)| *t).collect();
        assert_eq!(first, [1000]);
    }

    #[test]
    fn a_destination_that_changes_is_left_alone() {
        let mut roster = Roster::default();
        roster.apply(&[spec(1, 100, None)], ms(0));
        let moved = ProbeSpec { id: ProbeId(1), ..spec(2, 100, None) };
        roster.apply(std::slice::from_ref(&moved), ms(1));
        assert!(orders(&mut roster, 1, 1000).iter().all(|(_, o)| Some(o.to) == moved.ask.address()));
        assert_eq!((roster.slots.len(), roster.by_address.len()), (1, 1));
        roster.apply(&[], ms(1000));
        assert_eq!((roster.slots.len(), roster.by_address.len()), (0, 0));
        assert!(orders(&mut roster, 1000, 2000).is_empty());
    }

    #[test]
    fn a_pause_is_not_made_up_for() {
        let mut roster = Roster::default();
        roster.apply(&[spec(1, 100, None)], ms(0));
        orders(&mut roster, 0, 1000);
        assert!(orders(&mut roster, 60_000, 60_001).len() <= 1);
        assert_eq!(orders(&mut roster, 60_001, 61_001).len(), 10);
    }

    #[test]
    fn errors_that_quote_little_are_found_by_their_low_bits() {
        let mut roster = Roster::default();
        roster.apply(&[spec(1, 100, None)], ms(0));
        let sent = orders(&mut roster, 0, 450);
        let (_, third) = sent[2];
        let found = roster.find(third.to, |_, seq| seq as u16 == 2);
        assert_eq!(found, Some((third.serial, 2)));
        roster.landed(third.serial, 2, None, ms(460));
        assert_eq!(roster.find(third.to, |_, seq| seq as u16 == 2), None);
    }

    #[test]
    fn memory_is_bounded_when_nobody_answers() {
        let mut roster = Roster::default();
        roster.apply(&[spec(1, 10, None)], ms(0));
        orders(&mut roster, 0, 60_000);
        assert!(roster.slots.values().all(|s| s.flights.len() <= MOST_FLIGHTS));
        assert!(roster.agenda.len() <= 52);
    }
}
