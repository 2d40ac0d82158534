//! The sockets of the tracer: one for ICMP and one for UDP per family, shared by
//! all traces, and a bounded number of TCP attempts.
//!
//! Owns opening, sending and draining. A UDP probe always leaves from the same
//! port, an echo request with the same identifier and checksum, so that all
//! probes to a target are one flow. Must never know a round's plan.

use std::io::{self, IoSlice};
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use tokio::io::Interest;

use super::flight::{Belongs, marked, meaning, quoted_echo};
use crate::model::Mono;
use crate::model::hop::HopAnswer;
use crate::model::sample::Unsent;
use crate::probes::sys::batch::{Batch, Datagram};
use crate::probes::sys::options::probe_mtu;
use crate::probes::sys::socket::{Family, IcmpKind, icmp, sockaddr, udp, unsent};
use crate::probes::sys::stamp::Both;
use crate::probes::sys::watched::{Watched, watch};
use crate::probes::wire::ancillary;
use crate::probes::wire::icmp::{Key, echo, skip_ipv4};
use crate::probes::{Clock, Egress};

/// How often a send is repeated that met an error left by an earlier packet.
const ATTEMPTS: usize = 3;

/// What a wire carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carries {
    /// Echo, on a raw or a datagram socket, with this identifier.
    Icmp(IcmpKind, u16),
    /// Datagrams.
    Udp,
}

/// An open socket.
pub(super) struct Wire {
    fd: Watched,
    family: Family,
    /// What goes over it.
    pub carries: Carries,
}

/// An answer as read, not yet assigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arrival {
    /// Where the probe was to go.
    pub to: IpAddr,
    /// And to which port; 0 for ICMP.
    pub port: u16,
    /// What identifies the probe.
    pub belongs: Belongs,
    /// Who answered.
    pub from: IpAddr,
    /// When.
    pub at: Mono,
    /// What it means.
    pub answer: HopAnswer,
    /// TTL left in the answer.
    pub reply_ttl: Option<u8>,
}

impl Wire {
    /// Opens the ICMP wire of a family.
    pub(super) fn icmp(family: Family, identifier: u16, egress: &Egress) -> io::Result<Self> {
        let socket = icmp(family, identifier, egress)?;
        Self::over(socket.fd, family, Carries::Icmp(socket.kind, socket.identifier))
    }

    /// Opens the UDP wire of a family.
    pub(super) fn udp(family: Family, egress: &Egress) -> io::Result<Self> {
        Self::over(udp(family, egress)?, family, Carries::Udp)
    }

    fn over(fd: OwnedFd, family: Family, carries: Carries) -> io::Result<Self> {
        probe_mtu(&fd, family == Family::V6)?;
        let fd = watch(fd, Interest::READABLE | Interest::ERROR)?;
        Ok(Self { fd, family, carries })
    }

    /// Sends one probe and says when. `drain` takes what an earlier packet met
    /// off the socket, where that stands in the way.
    pub(super) fn send(
        &self,
        to: (IpAddr, u16, u32),
        ttl: u8,
        packet: &[u8],
        clock: Clock,
        mut drain: impl FnMut(&Self),
    ) -> Result<Mono, Unsent> {
        let destination = sockaddr(to.0, to.1, to.2);
        let hops = i32::from(ttl);
        let beside = match self.family {
            Family::V4 => [ControlMessage::Ipv4Ttl(&hops)],
            Family::V6 => [ControlMessage::Ipv6HopLimit(&hops)],
        };
        let mut attempt = 1;
        loop {
            let at = clock.mono();
            let parts = [IoSlice::new(packet)];
            match sendmsg(self.fd.as_raw_fd(), &parts, &beside, MsgFlags::MSG_DONTWAIT, Some(&destination)) {
                Ok(_) => return Ok(at),
                Err(errno) if attempt >= ATTEMPTS => return Err(unsent(&io::Error::from(errno))),
                Err(_) => drain(self),
            }
            attempt += 1;
        }
    }

    /// Ready when something can be read or an error waits. Everything is to be
    /// read afterwards.
    pub(super) async fn ready(&self) {
        match self.fd.ready(Interest::READABLE | Interest::ERROR).await {
            Ok(mut guard) => guard.clear_ready(),
            // The runtime is shutting down.
            Err(_) => std::future::pending().await,
        }
    }

    /// Reads both queues until they are empty.
    pub(super) fn drain(&self, batch: &mut Batch, key: &Key, clock: Clock, into: &mut Vec<Arrival>) {
        for _ in 0..64 {
            let mut more = false;
            for errors in [true, false] {
                let got = batch.receive(self.fd.get_ref().as_fd(), errors);
                more |= !matches!(got, Ok(0));
                if matches!(got, Ok(1..)) {
                    let both = Both::now(clock);
                    let read = |d| if errors { self.read_error(key, both, d) } else { self.read_reply(key, both, d) };
                    into.extend(batch.datagrams().filter_map(read));
                }
            }
            if !more {
                return;
            }
        }
    }

    fn read_error(&self, key: &Key, both: Both, datagram: Datagram<'_>) -> Option<Arrival> {
        let beside = ancillary::parse(datagram.control);
        let (to, port) = datagram.peer?;
        let belongs = match self.carries {
            Carries::Icmp(_, identifier) => quoted_echo(self.family == Family::V6, identifier, key, datagram.data)?,
            Carries::Udp => marked(key, datagram.data).unwrap_or(Belongs::Destination),
        };
        let (from, answer) = meaning(&beside.error?, to)?;
        let port = if self.carries == Carries::Udp { port } else { 0 };
        Some(Arrival { to, port, belongs, from, at: both.of(beside.stamp), answer, reply_ttl: beside.ttl })
    }

    fn read_reply(&self, key: &Key, both: Both, datagram: Datagram<'_>) -> Option<Arrival> {
        let beside = ancillary::parse(datagram.control);
        let (from, port) = datagram.peer?;
        let v6 = self.family == Family::V6;
        let (belongs, reply_ttl) = match self.carries {
            Carries::Icmp(kind, _) => {
                let (body, ttl) = if kind == IcmpKind::Raw && !v6 {
                    let (body, ttl) = skip_ipv4(datagram.data)?;
                    (body, Some(ttl))
                } else {
                    (datagram.data, beside.ttl)
                };
                let reply = echo(v6, body).filter(|e| e.reply)?;
                (marked(key, reply.payload)?, ttl)
            }
            // A service answers: what it says may or may not repeat our mark.
            Carries::Udp => (marked(key, datagram.data).unwrap_or(Belongs::Destination), beside.ttl),
        };
        let port = if self.carries == Carries::Udp { port } else { 0 };
        Some(Arrival {
            to: from,
            port,
            belongs,
            from,
            at: both.of(beside.stamp),
            answer: HopAnswer::Reached,
            reply_ttl,
        })
    }
}
