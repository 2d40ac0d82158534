//! TCP probes: a connect with a small TTL, each from a port of its own.
//!
//! Owns one connection attempt from SYN to close. A reply of the target ends
//! it at once with a reset, so that nothing stays half open there. Must never
//! know a round.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{connect, getsockopt, sockopt};
use tokio::io::Interest;

use super::flight::meaning;
use crate::model::Mono;
use crate::model::hop::HopAnswer;
use crate::model::sample::IcmpError;
use crate::probes::sys::batch::Batch;
use crate::probes::sys::options;
use crate::probes::sys::socket::{Family, sockaddr, tcp};
use crate::probes::sys::stamp::Both;
use crate::probes::sys::watched::{Watched, watch};
use crate::probes::wire::ancillary;
use crate::probes::{Clock, Egress};

/// The kernel repeats a SYN after a second; a probe is given up before, or it
/// would count twice at the routers.
const GIVE_UP: Duration = Duration::from_millis(970);

/// A connection attempt under way.
pub(super) struct Attempt {
    fd: Watched,
    to: IpAddr,
    /// When the SYN was sent.
    pub sent: Mono,
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Finding {
    /// Who answered.
    pub from: IpAddr,
    /// When.
    pub at: Mono,
    /// What it means.
    pub answer: HopAnswer,
    /// TTL left in an ICMP answer.
    pub reply_ttl: Option<u8>,
}

impl Attempt {
    /// Sends a SYN. An error means that nothing was sent.
    pub(super) fn start(to: IpAddr, port: u16, scope: u32, ttl: u8, egress: &Egress, clock: Clock) -> io::Result<Self> {
        let fd = tcp(Family::of(to), ttl, egress)?;
        let sent = clock.mono();
        match connect(fd.as_raw_fd(), &sockaddr(to, port, scope)) {
            // What a local stack refuses at once shows in SO_ERROR as well.
            Ok(()) | Err(Errno::EINPROGRESS | Errno::ECONNREFUSED) => {}
            Err(errno) => return Err(errno.into()),
        }
        let fd = watch(fd, Interest::WRITABLE | Interest::ERROR)?;
        Ok(Self { fd, to, sent })
    }

    /// Waits for the answer, less than a second; false when none came.
    pub(super) async fn ready(&self) -> bool {
        let ready = tokio::time::timeout(GIVE_UP, self.fd.ready(Interest::WRITABLE | Interest::ERROR)).await;
        matches!(ready, Ok(Ok(_)))
    }

    /// Reads what came of it.
    pub(super) fn read(&self, clock: Clock, batch: &mut Batch) -> Option<Finding> {
        let both = Both::now(clock);
        let socket = self.fd.get_ref();
        if matches!(batch.receive(socket.as_fd(), true), Ok(1..)) {
            for datagram in batch.datagrams() {
                let beside = ancillary::parse(datagram.control);
                let Some(error) = beside.error else { continue };
                if let Some((from, answer)) = meaning(&error, self.to) {
                    return Some(Finding { from, at: both.of(beside.stamp), answer, reply_ttl: beside.ttl });
                }
            }
        }
        let reached = |at| Finding { from: self.to, at, answer: HopAnswer::Reached, reply_ttl: None };
        match getsockopt(socket, sockopt::SocketError) {
            Ok(0) => {
                // The kernel measured the handshake itself, without our wake-up.
                let rtt = options::tcp_rtt(socket).map(|us| Duration::from_micros(u64::from(us)));
                let at = rtt.map_or(both.mono(), |rtt| self.sent.after(rtt).min(both.mono()));
                Some(reached(at))
            }
            Ok(nix::libc::ECONNREFUSED) => Some(reached(both.mono())),
            // An ICMP error of which the queue kept nothing.
            Ok(nix::libc::EHOSTUNREACH) => {
                Some(Finding { answer: HopAnswer::Error(IcmpError::HostUnreachable), ..reached(both.mono()) })
            }
            Ok(_) | Err(_) => None,
        }
    }
}
