//! Where probes put what they found: batched, bounded, what is dropped counted.
//!
//! Must never block a probe.

use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::clock::Clock;
use crate::model::record::Origin;
use crate::model::{At, RecordKind};

/// A record before the session numbers it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// When.
    pub at: At,
    /// Who wrote it.
    pub origin: Origin,
    /// What.
    pub kind: RecordKind,
}

/// Records that travel together, at most [`MAX_BATCH`].
pub type Batch = Vec<Entry>;

/// Most entries that wait while the reader is busy; more are dropped and counted.
pub const MAX_BATCH: usize = 65_536;

/// How long the first entry of a batch waits for company.
pub const BATCH_DELAY: Duration = Duration::from_millis(40);

/// A probe's way to write records. Cheap to clone; clones write to the same log.
#[derive(Debug, Clone)]
pub struct Out {
    task: Arc<str>,
    clock: Clock,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    waiting: Mutex<Waiting>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    entries: Batch,
    dropped: u64,
}

impl Out {
    /// A writer for the task of that name.
    pub fn new(task: &str, clock: Clock) -> Self {
        let shared = Shared { waiting: Mutex::default(), wake: Notify::new() };
        Self { task: task.into(), clock, shared: Arc::new(shared) }
    }

    /// A writer to the same log for another task.
    pub fn for_task(&self, task: &str) -> Self {
        Self { task: task.into(), ..self.clone() }
    }

    /// Writes a record, stamped now.
    pub fn put(&self, kind: RecordKind) {
        self.put_at(self.clock.now(), kind);
    }

    /// Writes a record with its own stamp.
    pub fn put_at(&self, at: At, kind: RecordKind) {
        let mut waiting = self.lock();
        if waiting.entries.len() >= MAX_BATCH {
            waiting.dropped += 1;
            return;
        }
        let first = waiting.entries.is_empty();
        waiting.entries.push(Entry { at, origin: Origin::Probe(self.task.to_string()), kind });
        drop(waiting);
        if first {
            self.shared.wake.notify_one();
        }
    }

    /// Takes everything that waits; for tests and for the last flush.
    pub fn take(&self) -> Batch {
        let mut waiting = self.lock();
        let mut batch = std::mem::take(&mut waiting.entries);
        let dropped = std::mem::take(&mut waiting.dropped);
        drop(waiting);
        if dropped > 0 {
            let kind = RecordKind::Dropped { what: "records".to_owned(), count: dropped };
            batch.push(Entry { at: self.clock.now(), origin: Origin::Session, kind });
        }
        batch
    }

    /// Carries batches to `to` until its receiver is gone. A full channel keeps
    /// the batch waiting, where it goes on growing up to [`MAX_BATCH`].
    pub async fn carry(&self, to: SyncSender<Batch>) {
        loop {
            self.shared.wake.notified().await;
            tokio::time::sleep(BATCH_DELAY).await;
            let batch = self.take();
            match to.try_send(batch) {
                Ok(()) => {}
                Err(TrySendError::Disconnected(_)) => return,
                Err(TrySendError::Full(batch)) => self.put_back(batch),
            }
        }
    }

    fn put_back(&self, mut batch: Batch) {
        let mut waiting = self.lock();
        let room = MAX_BATCH.saturating_sub(batch.len());
        let excess = waiting.entries.len().saturating_sub(room);
        waiting.dropped += excess as u64;
        batch.extend(waiting.entries.drain(..).take(room));
        waiting.entries = batch;
        drop(waiting);
        self.shared.wake.notify_one();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
