//! When each specification is due, how many measurements are in flight, and what
//! becomes of one that is late, cancelled or broken.
//!
//! Must never know a protocol.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant as StdInstant};

use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::Instant;

use super::{AskContext, BoxFuture, Measured, Probe, Progress, Shared};
use crate::model::sample::{Failure, Stage, Unsent};
use crate::model::{Outcome, ProbeId, ProbeSpec, RecordKind, Sample, Untrusted};
use crate::probes::feed::{FeedContext, FeedEnd};

/// Most measurements in flight together.
const MAX_IN_FLIGHT: usize = 512;

/// Most measurements of one specification in flight together.
const MAX_OVERLAP: u32 = 8;

/// Most losses that are still listened for; each holds a descriptor.
const MAX_LISTENING: usize = 128;

/// New specifications begin one after another, this far apart: a hundred are under
/// way within 50 ms, and thousands do not fall on one server's backlog together,
/// now or in any later round.
const STAGGER: Duration = Duration::from_micros(500);

/// A measurement that overstays its time-out by this much is broken.
const GRACE: Duration = Duration::from_secs(1);

/// The feed shows that it lives at least this often.
const PULSE: Duration = Duration::from_secs(5);

struct Entry {
    spec: ProbeSpec,
    /// Number of the next send.
    seq: u32,
    in_flight: u32,
    /// When the next is due; absent when there will be none.
    due: Option<Instant>,
    /// It was due while too many were in flight.
    held: bool,
}

impl Entry {
    fn overlap(&self) -> u32 {
        if self.spec.interval < self.spec.timeout { MAX_OVERLAP } else { 1 }
    }
}

/// A measurement under way.
struct Flight {
    probe: ProbeId,
    seq: u32,
    started: StdInstant,
    abort: AbortHandle,
}

/// What came of an attempt to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Started {
    Measuring,
    /// The budget kept it back.
    Refused,
    /// It is none of ours any more.
    Nothing,
}

/// A late answer: whose, which, sent when, after how long.
type Late = (ProbeId, u32, StdInstant, Option<Duration>);

struct Schedule {
    ctx: FeedContext,
    shared: Arc<Shared>,
    table: &'static [&'static dyn Probe],
    entries: HashMap<ProbeId, Entry>,
    due: BTreeSet<(Instant, ProbeId)>,
    flights: HashMap<Id, Flight>,
    measuring: JoinSet<Measured>,
    listening: JoinSet<Late>,
    panics: u64,
}

/// Serves the specifications of the kinds in `table` for as long as the session
/// lasts.
pub(super) async fn serve(ctx: FeedContext, shared: Arc<Shared>, table: &'static [&'static dyn Probe]) -> FeedEnd {
    let mut schedule = Schedule {
        ctx,
        shared,
        table,
        entries: HashMap::new(),
        due: BTreeSet::new(),
        flights: HashMap::new(),
        measuring: JoinSet::new(),
        listening: JoinSet::new(),
        panics: 0,
    };
    schedule.adopt();
    schedule.run().await
}

impl Schedule {
    async fn run(mut self) -> FeedEnd {
        loop {
            self.ctx.pulse.touch();
            let now = Instant::now();
            self.start_due(now);
            let next = match self.due.first() {
                Some((at, _)) if self.flights.len() < MAX_IN_FLIGHT => (*at).min(now + PULSE),
                _ => now + PULSE,
            };
            tokio::select! {
                changed = self.ctx.specs.changed() => {
                    if changed.is_err() {
                        return FeedEnd::Broken("specifications: the session let go of them".to_owned());
                    }
                    self.adopt();
                }
                Some(done) = self.measuring.join_next_with_id(), if !self.measuring.is_empty() => self.finish(done),
                Some(late) = self.listening.join_next(), if !self.listening.is_empty() => {
                    if let Ok((probe, seq, sent, Some(rtt))) = late && self.entries.contains_key(&probe) {
                        self.put(probe, seq, sent, Outcome::Late { rtt });
                    }
                }
                () = tokio::time::sleep_until(next) => {}
            }
        }
    }

    /// Takes over the specifications as they are now. What did not change keeps
    /// its rhythm and its numbers; what is gone is dropped at once.
    fn adopt(&mut self) {
        let specs = self.ctx.specs.borrow_and_update().clone();
        let wanted: HashMap<ProbeId, &ProbeSpec> = specs.iter().map(|s| (s.id, s)).collect();
        let gone: Vec<ProbeId> = self.entries.keys().filter(|id| !wanted.contains_key(*id)).copied().collect();
        for id in gone {
            self.cancel(id);
            self.unplan(id);
            self.entries.remove(&id);
        }
        let now = Instant::now();
        let mut stagger = Duration::ZERO;
        for spec in specs.iter() {
            let start = now + stagger;
            match self.entries.get(&spec.id) {
                Some(entry) if entry.spec == *spec => continue,
                Some(entry) if entry.spec.ask != spec.ask => self.cancel(spec.id),
                _ => {}
            }
            let entry = self.entries.entry(spec.id).or_insert_with(|| Entry {
                spec: spec.clone(),
                seq: 0,
                in_flight: 0,
                due: None,
                held: false,
            });
            let rhythm = (entry.spec.ask != spec.ask).then_some(start);
            let due = rhythm.or(entry.due.map(|due| due.min(now + spec.interval))).unwrap_or(start);
            entry.spec = spec.clone();
            self.plan(spec.id, due);
            // More than fit into an interval begin over again.
            stagger = if stagger + STAGGER < spec.interval { stagger + STAGGER } else { Duration::ZERO };
        }
    }

    fn unplan(&mut self, id: ProbeId) {
        if let Some(due) = self.entries.get_mut(&id).and_then(|e| e.due.take()) {
            self.due.remove(&(due, id));
        }
    }

    /// Sets when the next measurement is due; none when all were made.
    fn plan(&mut self, id: ProbeId, at: Instant) {
        self.unplan(id);
        let Some(entry) = self.entries.get_mut(&id) else { return };
        if entry.spec.count.is_none_or(|count| entry.seq < count) {
            entry.due = Some(at);
            self.due.insert((at, id));
        }
    }

    /// Drops what is in flight for `id` without a sample.
    fn cancel(&mut self, id: ProbeId) {
        self.flights.retain(|_, flight| {
            if flight.probe == id {
                flight.abort.abort();
            }
            flight.probe != id
        });
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.in_flight = 0;
            entry.held = false;
        }
    }

    fn start_due(&mut self, now: Instant) {
        while let Some((at, id)) = self.due.first().copied() {
            if at > now || self.flights.len() >= MAX_IN_FLIGHT {
                return;
            }
            let Some(entry) = self.entries.get_mut(&id) else {
                self.due.remove(&(at, id));
                continue;
            };
            let mut next = following(at, entry.spec.interval, now);
            if entry.in_flight >= entry.overlap() {
                entry.held = true;
            } else {
                let elsewhere = now + entry.spec.interval.mul_f64(place(id));
                if self.start(id) == Started::Refused {
                    next = elsewhere;
                }
            }
            self.plan(id, next);
        }
    }

    fn start(&mut self, id: ProbeId) -> Started {
        let Some(entry) = self.entries.get_mut(&id) else { return Started::Nothing };
        let kind = entry.spec.ask.kind();
        let Some(probe) = self.table.iter().find(|p| p.kind() == kind) else { return Started::Nothing };
        let seq = entry.seq;
        entry.seq = entry.seq.wrapping_add(1);
        let started = StdInstant::now();
        let now = Instant::now();
        if !self.ctx.budget.take(probe.packets(), now.into_std()) {
            self.put(id, seq, started, Outcome::Unsent { reason: Unsent::Budget });
            return Started::Refused;
        }
        entry.in_flight += 1;
        let deadline = now + entry.spec.timeout;
        let ask = AskContext { shared: self.shared.clone(), deadline, progress: Progress::default() };
        let (spec, probe, progress) = (entry.spec.clone(), *probe, ask.progress.clone());
        let abort = self.measuring.spawn(async move {
            let measuring: BoxFuture<Measured> = probe.measure(&spec, &ask);
            match tokio::time::timeout_at(deadline + GRACE, measuring).await {
                Ok(measured) => measured,
                // It should have ended by itself.
                Err(_) => Measured::new(started, broken(started, progress.stage())),
            }
        });
        self.flights.insert(abort.id(), Flight { probe: id, seq, started, abort });
        Started::Measuring
    }

    fn finish(&mut self, done: Result<(Id, Measured), JoinError>) {
        let (task, measured) = match done {
            Ok((task, measured)) => (task, Some(measured)),
            Err(e) => (e.id(), None),
        };
        // Cancelled ones are no longer known.
        let Some(Flight { probe, seq, started, .. }) = self.flights.remove(&task) else { return };
        let Measured { sent, outcome, late } = measured.unwrap_or_else(|| {
            self.panics += 1;
            tracing::error!(probe = probe.0, seq, panics = self.panics, "a measurement panicked");
            Measured::new(started, broken(started, None))
        });
        self.put(probe, seq, sent, outcome);
        if let Some(late) = late
            && self.listening.len() < MAX_LISTENING
        {
            self.listening.spawn(async move { (probe, seq, sent, late.await) });
        }
        let Some(entry) = self.entries.get_mut(&probe) else { return };
        entry.in_flight = entry.in_flight.saturating_sub(1);
        if std::mem::take(&mut entry.held) && entry.spec.count.is_none_or(|count| entry.seq < count) {
            self.start(probe);
        }
    }

    fn put(&self, probe: ProbeId, seq: u32, sent: StdInstant, outcome: Outcome) {
        let sent = self.ctx.clock.of(sent);
        self.ctx.out.put(RecordKind::Sample(Sample { probe, seq, sent, outcome }));
    }
}

/// After how many intervals a specification comes again that the budget refused,
/// 0.5 to 1.5. Those who came too many at once would come too many at once again;
/// this spreads them (multiples of the golden ratio leave no cluster).
fn place(id: ProbeId) -> f64 {
    0.5 + (f64::from(id.0) * 0.618_033_988_749_895).fract()
}

/// The next moment of a rhythm after `now`; moments that were missed are left out.
fn following(at: Instant, interval: Duration, now: Instant) -> Instant {
    let interval = interval.max(Duration::from_millis(1));
    let missed = now.saturating_duration_since(at).as_nanos() / interval.as_nanos();
    at + interval.saturating_mul(u32::try_from(missed + 1).unwrap_or(u32::MAX))
}

fn broken(started: StdInstant, stage: Option<Stage>) -> Outcome {
    let failure = Failure::Protocol { why: Untrusted::new("internal") };
    Outcome::Failed { rtt: started.elapsed(), stage: stage.unwrap_or(Stage::Body), failure }
}
