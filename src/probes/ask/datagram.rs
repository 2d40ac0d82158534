//! One connected UDP socket: send, then wait for a datagram or for what ICMP
//! says. Owns the receive stamps. Must never know what the datagrams mean.

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockType, SockaddrStorage, recvmsg, send, setsockopt, sockopt};
use tokio::io::Interest;

use super::super::connect::{self, Offence};
use super::super::feed::Egress;
use super::super::sys::watched::{Watched, watch};
use crate::model::Outcome;
use crate::model::sample::{IcmpError, Unsent};

/// A stamp older than this is a stepped clock rather than a busy process.
const MAX_STAMP_AGE: Duration = Duration::from_secs(1);

/// A connected UDP socket.
#[derive(Debug)]
pub(super) struct Datagram {
    socket: Watched,
    to: SocketAddr,
}

/// What came back.
#[derive(Debug)]
pub(super) enum Event {
    /// A datagram from the peer, so many bytes of it in the buffer.
    Data { len: usize, at: Arrival },
    /// An ICMP error about what was sent.
    Icmp { offence: Offence, at: Instant },
    /// The socket failed without saying who is to blame.
    Broken(Errno),
}

/// When a datagram came, by the kernel's stamp.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    /// On the monotonic clock.
    pub mono: Instant,
    /// Nanoseconds since the Unix epoch.
    pub wall_ns: i128,
}

impl Datagram {
    /// Opens and connects; nothing is sent.
    pub(super) fn open(to: SocketAddr, egress: &Egress) -> Result<Self, Unsent> {
        let fd = connect::open(SockType::Datagram, to, egress)?;
        // Without stamps the arrival is when we were woken.
        let _ = setsockopt(&fd, sockopt::ReceiveTimestampns, &true);
        connect::start_connect(&fd, to).map_err(|e| connect::unsent("connect", e))?;
        let socket = watch(fd, Interest::READABLE | Interest::ERROR).map_err(|e| connect::local_io("reactor", &e))?;
        Ok(Self { socket, to })
    }

    /// Sends one datagram; returns when.
    pub(super) fn send(&self, payload: &[u8]) -> Result<(Instant, i128), Unsent> {
        let wall = wall_ns();
        let sent = Instant::now();
        match send(self.socket.as_raw_fd(), payload, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL) {
            Ok(_) => Ok((sent, wall)),
            Err(e) => Err(connect::unsent("send", e)),
        }
    }

    /// The next event. Waits for ever: bound it from outside.
    pub(super) async fn event(&self, buffer: &mut [u8]) -> Event {
        loop {
            let mut guard = match self.socket.ready(Interest::READABLE | Interest::ERROR).await {
                Ok(guard) => guard,
                Err(e) => return Event::Broken(errno(&e)),
            };
            let received = self.receive(buffer);
            if let Ok((len, at)) = received {
                return Event::Data { len, at };
            }
            // The error from the queue says more than the errno it became.
            if let Some(offence) = connect::icmp_errors(self.socket.get_ref()).into_iter().next() {
                return Event::Icmp { offence, at: Instant::now() };
            }
            match received {
                Err(Errno::EAGAIN) => guard.clear_ready(),
                Err(Errno::EINTR) | Ok(_) => {}
                Err(e) => return Event::Broken(e),
            }
        }
    }

    fn receive(&self, buffer: &mut [u8]) -> Result<(usize, Arrival), Errno> {
        let fd = self.socket.as_raw_fd();
        let mut control = nix::cmsg_space!(nix::sys::time::TimeSpec);
        let mut iov = [IoSliceMut::new(buffer)];
        let message = recvmsg::<SockaddrStorage>(fd, &mut iov, Some(&mut control), MsgFlags::MSG_DONTWAIT)?;
        let (mono, now_ns) = (Instant::now(), wall_ns());
        let stamp = message.cmsgs().ok().and_then(|mut parts| {
            parts.find_map(|part| match part {
                ControlMessageOwned::ScmTimestampns(t) => {
                    Some(i128::from(t.tv_sec()) * 1_000_000_000 + i128::from(t.tv_nsec()))
                }
                _ => None,
            })
        });
        let age = stamp.map(|s| now_ns - s).filter(|age| (0..MAX_STAMP_AGE.as_nanos() as i128).contains(age));
        let at = match age {
            Some(age) => Arrival {
                mono: mono.checked_sub(Duration::from_nanos(age as u64)).unwrap_or(mono),
                wall_ns: now_ns - age,
            },
            None => Arrival { mono, wall_ns: now_ns },
        };
        Ok((message.bytes, at))
    }

    /// The outcome of an event that is no answer.
    pub(super) fn outcome_of(&self, event: &Event, sent: Instant) -> Outcome {
        match event {
            Event::Icmp { offence, at } => {
                let rtt = at.saturating_duration_since(sent);
                let refused = offence.error == IcmpError::PortUnreachable && offence.from == self.to.ip();
                if refused {
                    Outcome::Refused { rtt }
                } else {
                    Outcome::Icmp { rtt, from: offence.from, error: offence.error }
                }
            }
            Event::Broken(Errno::ECONNREFUSED) => Outcome::Refused { rtt: sent.elapsed() },
            Event::Broken(e) => Outcome::Unsent { reason: connect::unsent("receive", *e) },
            Event::Data { .. } => Outcome::Lost,
        }
    }
}

fn errno(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

fn wall_ns() -> i128 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(d) => d.as_nanos() as i128,
        Err(e) => -(e.duration().as_nanos() as i128),
    }
}
