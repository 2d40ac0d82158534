//! The probes' front: one thread with one runtime that runs every feed, fed with
//! specifications and emptied of records.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, mpsc, watch};

use super::budget::Budget;
use super::clock::Clock;
use super::feed::{Egress, FeedContext, FeedFuture, Pulse, Specs};
use super::feeds::{FEEDS, FeedRow, Group};
use super::out::{Batch, Out};
use super::supervise::supervise;
use crate::model::record::{Gap, GapCause};
use crate::model::{At, ProbeKind, ProbeSpec, RecordKind};

/// Settings of a session's probes.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// From where packets leave.
    pub egress: Egress,
    /// Packets a second for all probes together.
    pub packets_per_second: u32,
    /// Which groups of feeds run.
    pub groups: &'static [Group],
}

/// The running probes. Dropping it stops them.
#[derive(Debug)]
pub struct Engine {
    specs: watch::Sender<Specs>,
    budget: Budget,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

/// Wishes for names that may wait.
const NAMES_WAITING: usize = 1024;
/// How often the clocks are compared.
const CLOCK_CHECK: Duration = Duration::from_secs(1);
/// A wall clock that moved by more than this against the monotonic one was set.
const STEP: Duration = Duration::from_millis(500);
/// A second that took longer than this was not lived through.
const SUSPENDED: Duration = Duration::from_secs(4);

impl Engine {
    /// Starts the thread and the feeds of the wanted groups on it; batches go to `sink`.
    ///
    /// # Errors
    /// The thread or its runtime could not be made.
    pub fn start(clock: Clock, options: EngineOptions, sink: SyncSender<Batch>) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(8).build()?;
        let (specs, orders) = watch::channel(Specs::from([]));
        let (stop, stopped) = watch::channel(false);
        let budget = Budget::new(options.packets_per_second, Instant::now());
        let shared = budget.clone();
        let thread = std::thread::Builder::new().name("probes".to_owned()).spawn(move || {
            runtime.block_on(run(clock, options, shared, orders, stopped, sink));
            runtime.shutdown_timeout(Duration::from_millis(50));
        })?;
        Ok(Self { specs, budget, stop, thread: Some(thread) })
    }

    /// Replaces what is measured; what is unchanged keeps its rhythm.
    pub fn set_specs(&self, specs: Vec<ProbeSpec>) {
        self.specs.send_replace(specs.into());
    }

    /// Changes the packet budget.
    pub fn set_packet_rate(&self, packets_per_second: u32) {
        self.budget.set_rate(packets_per_second);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has already said so.
            let _ = thread.join();
        }
    }
}

async fn run(
    clock: Clock,
    options: EngineOptions,
    budget: Budget,
    orders: watch::Receiver<Specs>,
    mut stopped: watch::Receiver<bool>,
    sink: SyncSender<Batch>,
) {
    let out = Out::new("engine", clock);
    let (names, wishes) = mpsc::channel(NAMES_WAITING);
    let context = |name: &'static str, specs: watch::Receiver<Specs>| FeedContext {
        specs,
        out: out.for_task(name),
        clock,
        egress: options.egress.clone(),
        budget: budget.clone(),
        names: names.clone(),
        pulse: Pulse::new(Instant::now()),
    };
    let mut shares = Vec::new();
    for row in FEEDS.iter().filter(|row| options.groups.contains(&row.group)) {
        let (share, specs) = watch::channel(Specs::from([]));
        tokio::spawn(supervise(row.name, row.start, context(row.name, specs)));
        shares.push((row, share));
    }
    if options.groups.contains(&Group::Names) {
        let wishes = Arc::new(Mutex::new(wishes));
        let start = move |ctx| names_feed(ctx, Arc::clone(&wishes));
        tokio::spawn(supervise("names", start, context("names", orders.clone())));
    }
    tokio::spawn(distribute(orders, shares));
    tokio::spawn(watch_clocks(clock, out.clone(), budget.clone()));
    let carried = out.clone();
    let last = sink.clone();
    tokio::select! {
        () = carried.carry(sink) => {}
        _ = stopped.wait_for(|s| *s) => {
            let _ = last.try_send(out.take());
        }
    }
}

/// The names' feed holds the receiving end of the wishes for as long as it runs.
fn names_feed(ctx: FeedContext, wishes: Arc<Mutex<mpsc::Receiver<IpAddr>>>) -> FeedFuture {
    Box::pin(async move { super::names::run(ctx, wishes.lock_owned().await).await })
}

/// Gives every feed its share of the orders, and wakes it only when that changed.
async fn distribute(mut orders: watch::Receiver<Specs>, shares: Vec<(&'static FeedRow, watch::Sender<Specs>)>) {
    loop {
        let all = orders.borrow_and_update().clone();
        for (row, share) in &shares {
            let serves_all = row.serves.len() == ProbeKind::ALL.len();
            let mine: Specs = if serves_all {
                Arc::clone(&all)
            } else {
                all.iter().filter(|s| row.serves.contains(&s.ask.kind())).cloned().collect()
            };
            share.send_if_modified(|old| {
                let changed = **old != *mine;
                *old = mine;
                changed
            });
        }
        if orders.changed().await.is_err() {
            return;
        }
    }
}

/// Tells when the process was suspended, the wall clock was set, or the packet
/// budget kept something back.
async fn watch_clocks(clock: Clock, out: Out, budget: Budget) {
    let mut before = clock.now();
    loop {
        tokio::time::sleep(CLOCK_CHECK).await;
        let now = clock.now();
        if let Some(gap) = gap_between(before, now) {
            out.put(RecordKind::Gap(gap));
        }
        let refused = budget.take_refused();
        if refused > 0 {
            out.put(RecordKind::Dropped { what: "packets".to_owned(), count: refused });
        }
        before = now;
    }
}

/// The gap that two readings [`CLOCK_CHECK`] apart betray.
fn gap_between(before: At, now: At) -> Option<Gap> {
    let passed = now.mono.since(before.mono);
    let wall_ms = (now.wall.0 - before.wall.0) / 1_000;
    let by_ms = wall_ms - passed.as_millis() as i64;
    let cause = if passed > SUSPENDED || by_ms > SUSPENDED.as_millis() as i64 && passed > CLOCK_CHECK * 2 {
        GapCause::Suspended
    } else if by_ms.unsigned_abs() > STEP.as_millis() as u64 {
        GapCause::ClockStep { by_ms }
    } else {
        return None;
    };
    Some(Gap { from: before.mono, to: now.mono, cause })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Mono, Wall};

    fn at(mono_ms: u64, wall_ms: i64) -> At {
        At { mono: Mono(mono_ms * 1_000_000), wall: Wall(wall_ms * 1_000) }
    }

    #[test]
    fn clocks_that_part_are_told() {
        assert_eq!(gap_between(at(0, 0), at(1000, 1001)), None);
        assert_eq!(gap_between(at(0, 0), at(1400, 1400)), None);
        let step = gap_between(at(0, 0), at(1000, -59_000)).map(|g| g.cause);
        assert_eq!(step, Some(GapCause::ClockStep { by_ms: -60_000 }));
        let slept = gap_between(at(0, 0), at(90_000, 90_000)).map(|g| g.cause);
        assert_eq!(slept, Some(GapCause::Suspended));
    }
}
