//! Request and response: TCP, UDP, DNS, TLS, HTTP, NTP and name resolution, all
//! with one signature.
//!
//! Owns that signature, the table of kinds and what a measurement is given. Must
//! never know when a measurement is due: that is `schedule`'s.

mod datagram;
mod dns;
mod http;
mod ntp;
mod resolve;
mod schedule;
mod system;
mod tcp;
mod tls;
mod trust;
mod udp;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

pub(super) use self::dns::Question;
pub(super) use self::resolve::ask_servers;
pub(super) use self::system::{Resolving, SystemNames};
use super::budget::Budget;
use super::feed::{Egress, FeedContext, FeedFuture};
use crate::model::sample::{Failure, Stage, Unsent};
use crate::model::{Outcome, ProbeKind, ProbeSpec};

/// A future on the heap.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// How much longer than its time-out an answer is waited for, so that late is
/// told from lost: until this many time-outs after the send.
const LATE_TIMEOUTS: u32 = 3;

/// A kind of measurement: one question, one answer.
pub trait Probe: Send + Sync {
    /// Which kind it is.
    fn kind(&self) -> ProbeKind;

    /// Packets that one measurement may send, for the budget.
    fn packets(&self) -> u32;

    /// Measures once. Ends by `ask.deadline`.
    fn measure(&self, spec: &ProbeSpec, ask: &AskContext) -> BoxFuture<Measured>;
}

/// The table of kinds that [`run`] serves.
static TABLE: [&dyn Probe; 7] = [&tcp::Tcp, &udp::Udp, &dns::Dns, &tls::Tls, &http::Http, &ntp::Ntp, &resolve::Resolve];

/// What came of one measurement.
pub struct Measured {
    /// When the first packet was sent.
    pub sent: Instant,
    /// What came of it.
    pub outcome: Outcome,
    /// Goes on listening after a loss and tells the round-trip time of an answer
    /// that comes late; ends by itself.
    pub late: Option<BoxFuture<Option<Duration>>>,
}

impl Measured {
    /// An outcome that no later answer changes.
    pub fn new(sent: Instant, outcome: Outcome) -> Self {
        Self { sent, outcome, late: None }
    }

    /// Nothing left this host.
    pub fn unsent(reason: Unsent) -> Self {
        Self::new(Instant::now(), Outcome::Unsent { reason })
    }
}

/// What every measurement of a session shares.
#[derive(Debug)]
pub struct Shared {
    /// From where packets leave.
    pub egress: Egress,
    /// For what a measurement sends beyond [`Probe::packets`].
    pub budget: Budget,
    /// Certificate checks with the system's trust anchors.
    pub trust: Arc<trust::Verifier>,
    /// How this host's own programs resolve names.
    pub names: SystemNames,
}

/// What one measurement is given.
#[derive(Debug, Clone)]
pub struct AskContext {
    /// Shared with the others.
    pub shared: Arc<Shared>,
    /// When this measurement is over.
    pub deadline: tokio::time::Instant,
    /// How far it came.
    pub progress: Progress,
}

/// How far a layered exchange came, for the outcome at its time-out.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<AtomicU8>);

impl Progress {
    const STAGES: [Stage; 4] = [Stage::Handshake, Stage::Request, Stage::FirstByte, Stage::Body];

    /// It came this far.
    pub fn reached(&self, stage: Stage) {
        let at = Self::STAGES.iter().position(|s| *s == stage).map_or(0, |i| i + 1);
        self.0.store(at as u8, Ordering::Relaxed);
    }

    /// How far it came; nothing before the connection stood.
    pub fn stage(&self) -> Option<Stage> {
        Self::STAGES.get(usize::from(self.0.load(Ordering::Relaxed)).checked_sub(1)?).copied()
    }
}

impl AskContext {
    /// Bounds a layered exchange: at the deadline it is lost if nothing answered,
    /// and silent at the stage that it reached otherwise.
    async fn within(self, sent: Instant, exchange: impl Future<Output = Outcome> + Send) -> Measured {
        let outcome = match tokio::time::timeout_at(self.deadline, exchange).await {
            Ok(outcome) => outcome,
            Err(_) => match self.progress.stage() {
                None => Outcome::Lost,
                Some(stage) => failed(sent, stage, Failure::Silent),
            },
        };
        Measured::new(sent, outcome)
    }
}

/// A failure above the transport, timed now.
fn failed(sent: Instant, stage: Stage, failure: Failure) -> Outcome {
    Outcome::Failed { rtt: sent.elapsed(), stage, failure }
}

/// A host as others may hear of it: the interface after `%` is this host's own
/// affair (RFC 6874, 4).
fn without_zone(name: &str) -> &str {
    name.split('%').next().unwrap_or(name)
}

/// The outcome of a specification that reached the wrong probe.
fn wrong_kind() -> BoxFuture<Measured> {
    let why = crate::model::Untrusted::new("specification of another kind");
    Box::pin(std::future::ready(Measured::unsent(Unsent::Local { why })))
}

/// The feed of all request and response probes.
pub fn run(ctx: FeedContext) -> FeedFuture {
    let shared = Arc::new(Shared {
        egress: ctx.egress.clone(),
        budget: ctx.budget.clone(),
        trust: Arc::new(trust::Verifier::system()),
        names: SystemNames::system(),
    });
    Box::pin(schedule::serve(ctx, shared, &TABLE))
}
