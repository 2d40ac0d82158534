//! NTP client exchange: one request, the server's clock against ours. Must never
//! set a clock.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_proto::op::Message as DnsMessage;

use super::datagram::{Arrival, Datagram, Event};
use super::{AskContext, BoxFuture, LATE_TIMEOUTS, Measured, Probe, wrong_kind};
use crate::model::probe::Ask;
use crate::model::sample::{Detail, NtpAnswer};
use crate::model::{Outcome, ProbeKind, ProbeSpec, Untrusted};
use crate::probes::connect::scoped;
use crate::probes::wire::ntp::{self, Timestamp};

/// The probe.
pub(super) struct Ntp;

impl Probe for Ntp {
    fn kind(&self) -> ProbeKind {
        ProbeKind::Ntp
    }

    fn packets(&self) -> u32 {
        1
    }

    fn measure(&self, spec: &ProbeSpec, ask: &AskContext) -> BoxFuture<Measured> {
        let Ask::Ntp { to } = spec.ask else { return wrong_kind() };
        Box::pin(measure(scoped(to, spec.scope), spec.timeout, ask.clone()))
    }
}

/// A request with a random cookie in place of our time, which a stranger cannot
/// guess (RFC 5905 allows any value; so does chrony).
pub(super) fn fresh_request() -> (Timestamp, [u8; ntp::PACKET_LEN]) {
    // Four random message ids: the one source of randomness at hand.
    let cookie = (0..4).fold(0u64, |c, _| (c << 16) | u64::from(DnsMessage::query().metadata.id));
    (Timestamp(cookie), ntp::request(Timestamp(cookie)))
}

async fn measure(to: SocketAddr, timeout: Duration, ask: AskContext) -> Measured {
    let socket = match Datagram::open(to, &ask.shared.egress) {
        Ok(socket) => socket,
        Err(reason) => return Measured::unsent(reason),
    };
    let (cookie, packet) = fresh_request();
    let (sent, sent_ns) = match socket.send(&packet) {
        Ok(sent) => sent,
        Err(reason) => return Measured::unsent(reason),
    };
    match tokio::time::timeout_at(ask.deadline, answer(&socket, cookie)).await {
        Ok(Ok((answer, at))) => {
            let rtt = at.mono.saturating_duration_since(sent);
            let offset_ns = answer.offset_ns(Timestamp::from_unix_ns(sent_ns), Timestamp::from_unix_ns(at.wall_ns));
            let detail = Detail::Ntp(NtpAnswer {
                offset_ns,
                stratum: answer.stratum,
                leap: answer.leap,
                reference: Untrusted::new(&answer.reference_text()),
                root_delay_us: answer.root_delay_us,
                root_dispersion_us: answer.root_dispersion_us,
            });
            Measured::new(sent, Outcome::Answered { rtt, detail })
        }
        Ok(Err(event)) => Measured::new(sent, socket.outcome_of(&event, sent)),
        Err(_) => {
            let end = ask.deadline + timeout * (LATE_TIMEOUTS - 1);
            let late = Box::pin(async move {
                let answered = tokio::time::timeout_at(end, answer(&socket, cookie)).await.ok()?.ok()?;
                Some(answered.1.mono.saturating_duration_since(sent))
            });
            Measured { sent, outcome: Outcome::Lost, late: Some(late) }
        }
    }
}

/// Waits for the answer to our request; what answers another one is passed over.
async fn answer(socket: &Datagram, cookie: Timestamp) -> Result<(ntp::Answer, Arrival), Event> {
    let mut buffer = [0; 1024];
    loop {
        match socket.event(&mut buffer).await {
            Event::Data { len, at } => {
                if let Ok(answer) = ntp::read(&buffer[..len.min(1024)], cookie) {
                    return Ok((answer, at));
                }
            }
            other => return Err(other),
        }
    }
}
