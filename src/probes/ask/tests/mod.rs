//! The asks against servers of their own on loopback, and their rhythm on a clock
//! that the test moves.

mod chains;
mod messages;
mod resolving;
mod rhythm;
mod servers;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::system::SystemNames;
use super::trust::Verifier;
use super::{AskContext, Measured, Probe, Progress, Shared};
use crate::model::probe::Ask;
use crate::model::{Outcome, ProbeId, ProbeSpec};
use crate::probes::budget::Budget;
use crate::probes::feed::Egress;

/// What all measurements of a test share; no trust anchors, no resolver.
fn shared() -> Arc<Shared> {
    let nowhere = || PathBuf::from("/nonexistent/frc");
    Arc::new(Shared {
        egress: Egress::default(),
        budget: Budget::new(1_000_000, Instant::now()),
        trust: Arc::new(Verifier::with_anchors(Vec::new())),
        names: SystemNames::at(nowhere(), nowhere()),
    })
}

fn spec(id: u32, ask: Ask) -> ProbeSpec {
    ProbeSpec {
        id: ProbeId(id),
        targets: Vec::new(),
        ask,
        scope: 0,
        interval: Duration::from_secs(1),
        timeout: Duration::from_secs(5),
        count: None,
    }
}

/// One measurement by the real probe of its kind.
async fn measure(ask: Ask, timeout: Duration, shared: Arc<Shared>) -> Measured {
    let spec = ProbeSpec { timeout, ..spec(0, ask) };
    let context = AskContext { shared, deadline: tokio::time::Instant::now() + timeout, progress: Progress::default() };
    let probe: &dyn Probe = *super::TABLE.iter().find(|p| p.kind() == spec.ask.kind()).unwrap();
    probe.measure(&spec, &context).await
}

/// Its outcome; long enough for any machine to answer.
async fn outcome(ask: Ask) -> Outcome {
    measure(ask, Duration::from_secs(20), shared()).await.outcome
}
