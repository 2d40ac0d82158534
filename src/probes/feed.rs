//! What every probe task is given, and the shape it has.
//!
//! A *feed* is a task that runs as long as the session: the echo engine, the
//! tracer, the netlink listener. It is started again when it ends.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tokio::sync::{mpsc, watch};

use super::budget::Budget;
use super::clock::Clock;
use super::out::Out;
use crate::model::{Message, ProbeSpec};

/// The specifications that a feed shall carry out now; replaced whole.
pub type Specs = Arc<[ProbeSpec]>;

/// From where packets leave, as the command line says.
#[derive(Debug, Clone, Default)]
pub struct Egress {
    /// Bind to this interface (SO_BINDTODEVICE; needs no root for an unbound
    /// socket since Linux 5.7).
    pub interface: Option<String>,
    /// Bind to this source address; probes of the other family do without.
    pub source: Option<IpAddr>,
}

/// What a feed works with.
#[derive(Debug, Clone)]
pub struct FeedContext {
    /// Its orders: only specifications of the kinds it serves. Changes wake it.
    pub specs: watch::Receiver<Specs>,
    /// Where its records go.
    pub out: Out,
    /// The session's clocks.
    pub clock: Clock,
    /// From where packets leave.
    pub egress: Egress,
    /// The packet budget shared by all.
    pub budget: Budget,
    /// Addresses whose names (PTR) somebody would like to know. Send with
    /// `try_send`; a full channel drops the wish.
    pub names: mpsc::Sender<IpAddr>,
    /// To be touched at least every ten seconds.
    pub pulse: Pulse,
}

/// Why a feed ended.
#[derive(Debug)]
pub enum FeedEnd {
    /// It cannot work here at all; it is not started again until the session
    /// ends. The message says what is missing and what would grant it.
    Unavailable(Message),
    /// Something broke: operation and reason. It is started again.
    Broken(String),
}

/// A feed's future.
pub type FeedFuture = Pin<Box<dyn Future<Output = FeedEnd> + Send>>;

/// Starts a feed.
pub type FeedStart = fn(FeedContext) -> FeedFuture;

/// A sign of life, seen by the supervisor.
#[derive(Debug, Clone)]
pub struct Pulse {
    epoch: Instant,
    last_ms: Arc<AtomicU64>,
}

impl Pulse {
    /// Alive at `now`.
    pub fn new(now: Instant) -> Self {
        Self { epoch: now, last_ms: Arc::default() }
    }

    /// Says that the feed is alive.
    pub fn touch(&self) {
        self.last_ms.store(self.epoch.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// Milliseconds since the last sign of life.
    pub fn age_ms(&self) -> u64 {
        (self.epoch.elapsed().as_millis() as u64).saturating_sub(self.last_ms.load(Ordering::Relaxed))
    }
}
