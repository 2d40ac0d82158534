//! The tracer: every `Ask::Trace` from one task, on the error queue.
//!
//! Works for any user: ICMP where a raw or a datagram socket may be opened, UDP
//! and TCP always. An answer is told as it arrives. What identifies a probe: for
//! ICMP the sequence number, which every router quotes, and our mark where more
//! is quoted; for UDP our mark in the payload, and where a router quotes eight
//! bytes only, which the kernel does not show, a guess (see
//! [`course::Course::guess`]); for TCP its own socket.
//!
//! A target that is on-link and does not resolve is told by this host's own
//! kernel some three seconds late, as `Answered` with an error after `Silent`.
//! A TCP probe does not wait that long.
//!
//! Owns the feed's life. Must never judge a path.

mod course;
mod desk;
mod flight;
mod order;
mod round;
mod shared;
mod tcp;
mod wires;

use super::feed::{FeedContext, FeedFuture};

/// The feed.
pub fn run(ctx: FeedContext) -> FeedFuture {
    Box::pin(desk::run(ctx))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::{Duration, Instant};

    use tokio::sync::{mpsc, watch};

    use super::*;
    use crate::model::hop::{HopAnswer, HopOutcome};
    use crate::model::probe::TraceProto;
    use crate::model::{Ask, ProbeId, ProbeSpec, RecordKind, TargetId};
    use crate::probes::feed::Pulse;
    use crate::probes::{Budget, Clock, Egress, Out};

    /// The whole feed on real sockets, as any user may: UDP and TCP to the
    /// loopback, where the first TTL arrives.
    #[tokio::test]
    async fn the_loopback_is_one_hop_away() {
        let to = IpAddr::from([127, 0, 0, 1]);
        // Nobody listens on a port that was just given back.
        let port = std::net::UdpSocket::bind((to, 0)).unwrap().local_addr().unwrap().port();
        let spec = |id, proto| ProbeSpec {
            id: ProbeId(id),
            targets: vec![TargetId(0)],
            ask: Ask::Trace { to, protos: vec![proto], port: Some(port), max_ttl: 8 },
            scope: 0,
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(5),
            count: Some(1),
        };
        let specs = [spec(0, TraceProto::Udp), spec(1, TraceProto::Tcp)];
        let clock = Clock::start();
        let out = Out::new("trace", clock);
        let (batches, mut carried) = (std::sync::mpsc::sync_channel(64), Vec::new());
        let (orders, specs) = watch::channel(specs.into());
        let (names, mut wishes) = mpsc::channel(8);
        let ctx = FeedContext {
            specs,
            out: out.clone(),
            clock,
            egress: Egress::default(),
            budget: Budget::new(1000, Instant::now()),
            names,
            pulse: Pulse::new(Instant::now()),
        };
        let feed = tokio::spawn(run(ctx));
        let carrier = tokio::spawn(async move { out.carry(batches.0).await });
        let receive = tokio::task::spawn_blocking(move || {
            while carried.iter().filter(|k| matches!(k, RecordKind::Round(_))).count() < 2 {
                let batch = batches.1.recv_timeout(Duration::from_secs(20)).unwrap();
                carried.extend(batch.into_iter().map(|e| e.kind));
            }
            carried
        });
        let carried = receive.await.unwrap();
        for kind in &carried {
            match kind {
                RecordKind::Hop(hop) => {
                    let reached = matches!(hop.outcome,
                        HopOutcome::Answered { from, answer: HopAnswer::Reached, .. } if from == to);
                    assert!(hop.ttl == 1 && reached, "{hop:?}");
                }
                RecordKind::Round(end) => assert_eq!(end.reached, Some(1)),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(wishes.recv().await, Some(to));
        drop(orders);
        assert!(matches!(feed.await, Ok(crate::probes::FeedEnd::Broken(_))));
        carrier.abort();
    }
}
