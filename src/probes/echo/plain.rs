//! Echo by surge-ping, for kernels that do not offer what the queue engine asks
//! for (sandboxes that implement a part of Linux only).
//!
//! surge-ping 0.9.1 would do for many targets by its cost, but, measured over a
//! veth pair beside ping: a median of 13 us where ping and the queue engine say
//! 41 and 43, because it stamps after sending; 50 us instead of 5 with 10,000
//! targets, because it stamps replies when it gets round to reading them; no
//! ICMP error on a datagram socket, whose silence it cannot tell from a loss; no
//! hop limit of IPv6 replies. CPU for 10 s of 1,000 and 10,000 targets: 0.37 s
//! and 1.14 s (the queue engine 0.21 s and 0.99 s, fping 0.39 s and 3.3 s). So
//! the queue engine leads wherever it can be opened.
//!
//! Owns one client per family. Must never decide when something is due.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use surge_ping::{Client, Config, ICMP, IcmpPacket, PingIdentifier, PingSequence, SurgeError};

use super::roster::Order;
use crate::model::sample::IcmpError;
use crate::probes::Egress;
use crate::probes::sys::socket::{Family, raise_receive_buffer};
use crate::probes::sys::watched::of_surge;

/// How long a reply is waited for; after the probe's own time-out it is late.
const PATIENCE: Duration = Duration::from_secs(30);

/// A ping under way.
pub(super) type Pinging = Pin<Box<dyn Future<Output = Ping> + Send>>;

/// What became of one.
pub(super) struct Ping {
    /// The order that it carries out.
    pub(super) order: Order,
    /// The reply or the error, and after how long; or why nothing was sent.
    /// Nothing when nobody answered.
    pub(super) result: io::Result<Option<(Told, Duration)>>,
}

/// What an ICMP message said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// Echo reply, with the TTL left in it where surge-ping tells it.
    Reply(Option<u8>),
    /// Somebody reported an error.
    Error(IpAddr, IcmpError),
}

/// A client for one family.
pub(super) struct Plain {
    client: Client,
}

impl Plain {
    /// Opens it. Must be called within the runtime.
    pub(super) fn open(family: Family, egress: &Egress) -> io::Result<Self> {
        let kind = if family == Family::V4 { ICMP::V4 } else { ICMP::V6 };
        let mut config = Config::builder().kind(kind);
        if let Some(interface) = &egress.interface {
            config = config.interface(interface);
        }
        if let Some(source) = egress.source.filter(|a| Family::of(*a) == family) {
            config = config.bind((source, 0).into());
        }
        let client = Client::new(&config.build())?;
        let socket = client.get_socket();
        raise_receive_buffer(&of_surge(&socket));
        Ok(Self { client })
    }

    /// A ping; it is sent when first polled.
    pub(super) fn ping(&self, order: Order, sequence: u16, payload: [u8; 16]) -> Pinging {
        let client = self.client.clone();
        Box::pin(async move {
            let mut pinger = client.pinger(order.to, PingIdentifier(order.serial as u16)).await;
            pinger.scope_id(order.scope).timeout(PATIENCE);
            let result = match pinger.ping(PingSequence(sequence), &payload).await {
                Ok((packet, rtt)) => Ok(Some((told(&packet), rtt))),
                Err(SurgeError::IOError(error)) => Err(error),
                Err(_) => Ok(None),
            };
            Ping { order, result }
        })
    }
}

fn told(packet: &IcmpPacket) -> Told {
    match packet {
        IcmpPacket::V4(p) => match (p.get_icmp_type().0, p.get_icmp_code().0) {
            (0, _) => Told::Reply(p.get_ttl()),
            (kind, code) => Told::Error(p.get_source().into(), IcmpError::from_v4(kind, code, 0)),
        },
        IcmpPacket::V6(p) => match (p.get_icmpv6_type().0, p.get_icmpv6_code().0) {
            (129, _) => Told::Reply(None),
            (kind, code) => Told::Error(p.get_source().into(), IcmpError::from_v6(kind, code, 0)),
        },
    }
}
