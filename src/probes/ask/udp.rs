//! One UDP datagram, and whatever comes back. Where the port has a well-known
//! exchange the datagram begins it; else it is empty, and silence means nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::datagram::{Datagram, Event};
use super::{AskContext, BoxFuture, LATE_TIMEOUTS, Measured, Probe, Question, Shared, ntp, wrong_kind};
use crate::model::probe::{Ask, QueryType};
use crate::model::sample::Detail;
use crate::model::{Outcome, ProbeKind, ProbeSpec};
use crate::probes::connect::scoped;

/// The probe.
pub(super) struct Udp;

impl Probe for Udp {
    fn kind(&self) -> ProbeKind {
        ProbeKind::Udp
    }

    fn packets(&self) -> u32 {
        1
    }

    fn measure(&self, spec: &ProbeSpec, ask: &AskContext) -> BoxFuture<Measured> {
        let Ask::Udp { to } = spec.ask else { return wrong_kind() };
        Box::pin(measure(scoped(to, spec.scope), spec.timeout, ask.shared.clone(), ask.deadline))
    }
}

async fn measure(to: SocketAddr, timeout: Duration, shared: Arc<Shared>, deadline: tokio::time::Instant) -> Measured {
    let socket = match Datagram::open(to, &shared.egress) {
        Ok(socket) => socket,
        Err(reason) => return Measured::unsent(reason),
    };
    let (sent, _) = match socket.send(&opening(to.port())) {
        Ok(sent) => sent,
        Err(reason) => return Measured::unsent(reason),
    };
    let mut buffer = [0; 2048];
    match tokio::time::timeout_at(deadline, socket.event(&mut buffer)).await {
        Ok(Event::Data { len, at }) => {
            let rtt = at.mono.saturating_duration_since(sent);
            Measured::new(sent, Outcome::Answered { rtt, detail: Detail::Udp { bytes: len as u32 } })
        }
        Ok(event) => Measured::new(sent, socket.outcome_of(&event, sent)),
        Err(_) => {
            let end = deadline + timeout * (LATE_TIMEOUTS - 1);
            let late = Box::pin(async move {
                let mut buffer = [0; 64];
                match tokio::time::timeout_at(end, socket.event(&mut buffer)).await {
                    Ok(Event::Data { at, .. }) => Some(at.mono.saturating_duration_since(sent)),
                    _ => None,
                }
            });
            Measured { sent, outcome: Outcome::Lost, late: Some(late) }
        }
    }
}

/// What a server of that well-known port would answer.
fn opening(port: u16) -> Vec<u8> {
    match port {
        53 => Question::new(".", QueryType::Ns).map(|q| q.wire().to_vec()).unwrap_or_default(),
        123 => ntp::fresh_request().1.to_vec(),
        _ => Vec::new(),
    }
}
