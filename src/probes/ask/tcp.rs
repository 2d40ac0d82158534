//! TCP connect: from SYN to ESTABLISHED, then closed. Must never send a byte.

use std::time::Instant;

use super::{AskContext, BoxFuture, Measured, Probe, wrong_kind};
use crate::model::probe::Ask;
use crate::model::sample::Detail;
use crate::model::{Outcome, ProbeKind, ProbeSpec};
use crate::probes::connect::{self, scoped};

/// The probe.
pub(super) struct Tcp;

impl Probe for Tcp {
    fn kind(&self) -> ProbeKind {
        ProbeKind::Tcp
    }

    fn packets(&self) -> u32 {
        4
    }

    fn measure(&self, spec: &ProbeSpec, ask: &AskContext) -> BoxFuture<Measured> {
        let Ask::Tcp { to } = spec.ask else { return wrong_kind() };
        let (to, ask) = (scoped(to, spec.scope), ask.clone());
        Box::pin(async move {
            let shared = ask.shared.clone();
            ask.within(Instant::now(), async move {
                match connect::tcp(to, &shared.egress).await {
                    Ok(c) => Outcome::Answered { rtt: c.rtt, detail: Detail::Tcp },
                    // Accepted is accepted, however short it lasted.
                    Err(Outcome::Failed { rtt, .. }) => Outcome::Answered { rtt, detail: Detail::Tcp },
                    Err(outcome) => outcome,
                }
            })
            .await
        })
    }
}
