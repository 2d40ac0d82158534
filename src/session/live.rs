//! A session with its probes running: records in, specifications out.
//!
//! Owns the joint between the log and the engine. Must never draw or print.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use super::{Session, SessionOptions};
use crate::model::At;
use crate::model::host::HostIdentity;
use crate::probes::{Batch, Clock, Engine, EngineOptions};

/// Batches that may wait for the session; more stay with the probes.
const BATCHES_WAITING: usize = 64;

/// A session and what feeds it.
#[derive(Debug)]
pub struct Live {
    /// The session.
    pub session: Session,
    /// The session's clocks.
    pub clock: Clock,
    engine: Engine,
    batches: Receiver<Batch>,
}

impl Live {
    /// Starts measuring.
    ///
    /// # Errors
    /// The probes' thread or runtime could not be made.
    pub fn start(options: SessionOptions, engine: EngineOptions, identity: HostIdentity) -> io::Result<Self> {
        let clock = Clock::start();
        let (sink, batches) = sync_channel(BATCHES_WAITING);
        let session = Session::new(options, identity, clock.now());
        let engine = Engine::start(clock, engine, sink)?;
        let mut live = Self { session, clock, engine, batches };
        live.replan();
        Ok(live)
    }

    /// Waits for records for at most `wait` and takes them in; true where any came.
    pub fn pump(&mut self, wait: Duration) -> bool {
        let first = match self.batches.recv_timeout(wait) {
            Ok(batch) => batch,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                self.replan();
                return false;
            }
        };
        self.session.apply(first);
        while let Ok(more) = self.batches.try_recv() {
            self.session.apply(more);
        }
        self.replan();
        true
    }

    /// Takes in records that came by another way than [`Live::pump`].
    pub fn take(&mut self, batch: Batch) {
        self.session.apply(batch);
        self.replan();
    }

    /// Hands over the channel of batches, for a loop that waits for more than
    /// records; [`Live::pump`] finds nothing from then on.
    pub fn split_batches(&mut self) -> Receiver<Batch> {
        std::mem::replace(&mut self.batches, sync_channel(1).1)
    }

    /// Plans anew, and tells the probes what changed.
    pub fn replan(&mut self) {
        if self.session.replan(self.clock.now()) {
            self.engine.set_specs(self.session.specs().to_vec());
        }
    }

    /// Judges now; true where the verdict changed.
    pub fn judge(&mut self) -> bool {
        self.session.judge(self.clock.now())
    }

    /// Now.
    pub fn now(&self) -> At {
        self.clock.now()
    }
}
