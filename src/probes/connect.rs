//! Sockets towards one destination: opened, bound to the session's egress,
//! connected, and asked what ICMP said about them.
//!
//! Owns the mapping of errno and of the kernel's error queue to outcomes. Must
//! never know what is sent over the socket.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, SockaddrStorage, bind, connect, recvmsg,
    setsockopt, socket, sockopt,
};
use tokio::net::TcpStream;

use super::feed::Egress;
use super::sys::options::tcp_handshake;
use crate::model::sample::{Failure, IcmpError, Stage, Unsent};
use crate::model::{Outcome, Untrusted};

/// Most entries read from one socket's error queue; the kernel bounds it by the
/// receive buffer, we do not follow a flood.
const MAX_QUEUED: usize = 16;

/// `SO_EE_ORIGIN_ICMP` and `SO_EE_ORIGIN_ICMP6` of linux/errqueue.h.
const ORIGIN_ICMP: u8 = 2;
const ORIGIN_ICMP6: u8 = 3;

/// An ICMP error that came back for a socket's packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offence {
    /// Who sent it.
    pub from: IpAddr,
    /// What it said.
    pub error: IcmpError,
}

/// The destination with its interface index, where one is needed.
pub fn scoped(to: SocketAddr, scope: u32) -> SocketAddr {
    match to {
        SocketAddr::V6(a) if a.scope_id() == 0 && scope != 0 => {
            SocketAddrV6::new(*a.ip(), a.port(), a.flowinfo(), scope).into()
        }
        other => other,
    }
}

/// A nonblocking socket for packets to `to`, bound as `egress` says, which keeps
/// ICMP errors in its error queue (ip(7), `IP_RECVERR`).
pub fn open(kind: SockType, to: SocketAddr, egress: &Egress) -> Result<OwnedFd, Unsent> {
    let family = if to.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let fd = socket(family, kind, flags, None).map_err(|e| match e {
        Errno::EPERM | Errno::EACCES => Unsent::NotPermitted,
        // A kernel without IPv6.
        Errno::EAFNOSUPPORT => Unsent::NoSource,
        other => local("socket", other),
    })?;
    let queued = if to.is_ipv4() {
        setsockopt(&fd, sockopt::Ipv4RecvErr, &true)
    } else {
        setsockopt(&fd, sockopt::Ipv6RecvErr, &true)
    };
    queued.map_err(|e| local("IP_RECVERR", e))?;
    if let Some(name) = &egress.interface {
        setsockopt(&fd, sockopt::BindToDevice, &name.into()).map_err(|e| match e {
            Errno::EPERM => Unsent::NotPermitted,
            other => local("SO_BINDTODEVICE", other),
        })?;
    }
    if let Some(source) = egress.source.filter(|s| s.is_ipv4() == to.is_ipv4()) {
        let from = match to {
            SocketAddr::V6(a) => scoped(SocketAddr::new(source, 0), a.scope_id()),
            SocketAddr::V4(_) => SocketAddr::new(source, 0),
        };
        bind(fd.as_raw_fd(), &SockaddrStorage::from(from)).map_err(|e| unsent("bind", e))?;
    }
    Ok(fd)
}

/// Connects a socket of [`open`]; true when it is connected already, false when
/// the handshake is under way.
pub fn start_connect(fd: &OwnedFd, to: SocketAddr) -> Result<bool, Errno> {
    match connect(fd.as_raw_fd(), &SockaddrStorage::from(to)) {
        Ok(()) => Ok(true),
        Err(Errno::EINPROGRESS) => Ok(false),
        Err(e) => Err(e),
    }
}

/// A TCP connection and the time from SYN to ESTABLISHED: the kernel's own measure
/// where it took one, else as this process saw it.
#[derive(Debug)]
pub struct Connected {
    /// The connection, owned by this runtime's reactor.
    pub stream: TcpStream,
    /// Before the SYN was sent.
    pub sent: Instant,
    /// Until it was established.
    pub rtt: Duration,
}

/// Connects to `to`. Waits as long as the kernel does: bound it from outside. An
/// error is the outcome that says why there is no connection; `Failed` where it was
/// accepted and reset before we could see it stand.
pub async fn tcp(to: SocketAddr, egress: &Egress) -> Result<Connected, Outcome> {
    let fd = open(SockType::Stream, to, egress).map_err(|reason| Outcome::Unsent { reason })?;
    let sent = Instant::now();
    if let Err(e) = start_connect(&fd, to) {
        return Err(match e {
            Errno::ECONNREFUSED => Outcome::Refused { rtt: sent.elapsed() },
            other => Outcome::Unsent { reason: unsent("connect", other) },
        });
    }
    let std = std::net::TcpStream::from(fd);
    let stream = TcpStream::from_std(std).map_err(|e| Outcome::Unsent { reason: local_io("reactor", &e) })?;
    loop {
        if let Err(e) = stream.writable().await {
            return Err(Outcome::Unsent { reason: local_io("poll", &e) });
        }
        let rtt = sent.elapsed();
        match stream.take_error() {
            Ok(Some(e)) => return Err(failed_connect(&stream, &e, rtt)),
            Ok(None) => {}
            Err(e) => return Err(Outcome::Unsent { reason: local_io("SO_ERROR", &e) }),
        }
        match stream.peer_addr() {
            Ok(_) => {
                // From here on an ICMP error is a hint to the kernel, not the end.
                let _ = if to.is_ipv4() {
                    setsockopt(&stream, sockopt::Ipv4RecvErr, &false)
                } else {
                    setsockopt(&stream, sockopt::Ipv6RecvErr, &false)
                };
                // Small messages go at once; Nagle's wait would read as the server's.
                let _ = stream.set_nodelay(true);
                // The kernel's own time is free of how late we were woken, but may
                // leave out what a repeated SYN cost.
                let rtt = match tcp_handshake(&stream) {
                    Some((us, 0)) => rtt.min(Duration::from_micros(u64::from(us))),
                    _ => rtt,
                };
                return Ok(Connected { stream, sent, rtt });
            }
            // Woken for nothing: drop the readiness and wait again.
            Err(e) if e.kind() == ErrorKind::NotConnected => {
                let _ = stream.try_io(tokio::io::Interest::WRITABLE, || Err::<(), _>(ErrorKind::WouldBlock.into()));
            }
            Err(e) => return Err(Outcome::Unsent { reason: local_io("getpeername", &e) }),
        }
    }
}

/// An RST leaves nothing in the error queue; an ICMP error leaves its sender and
/// its type there (`tcp_v4_err`, net/ipv4/tcp_ipv4.c), whatever errno it became.
fn failed_connect(stream: &TcpStream, error: &io::Error, rtt: Duration) -> Outcome {
    if let Some(Offence { from, error }) = icmp_errors(stream).into_iter().next() {
        return Outcome::Icmp { rtt, from, error };
    }
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ECONNREFUSED) => Outcome::Refused { rtt },
        // An RST in answer to the SYN is ECONNREFUSED; these say that the connection
        // stood before it came (`tcp_reset`, net/ipv4/tcp_input.c).
        Some(Errno::ECONNRESET | Errno::EPIPE) => {
            Outcome::Failed { rtt, stage: Stage::Request, failure: Failure::Reset }
        }
        Some(Errno::ETIMEDOUT) => Outcome::Lost,
        Some(e) => Outcome::Unsent { reason: unsent("connect", e) },
        None => Outcome::Unsent { reason: local_io("connect", error) },
    }
}

/// Takes everything from the socket's error queue; what is not from ICMP is
/// passed over.
pub fn icmp_errors(fd: &impl AsFd) -> Vec<Offence> {
    let fd = fd.as_fd().as_raw_fd();
    let mut found = Vec::new();
    // Room for sock_extended_err with an IPv6 address and for a time stamp.
    let mut control = nix::cmsg_space!([u8; 64], [u8; 64]);
    for _ in 0..MAX_QUEUED {
        let mut payload = [0u8; 64];
        let mut iov = [io::IoSliceMut::new(&mut payload)];
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let Ok(message) = recvmsg::<SockaddrStorage>(fd, &mut iov, Some(&mut control), flags) else { break };
        let Ok(parts) = message.cmsgs() else { continue };
        found.extend(parts.filter_map(|part| offence(&part)));
    }
    found
}

fn offence(part: &ControlMessageOwned) -> Option<Offence> {
    match part {
        ControlMessageOwned::Ipv4RecvErr(e, Some(from)) if e.ee_origin == ORIGIN_ICMP => Some(Offence {
            from: IpAddr::from(from.sin_addr.s_addr.to_ne_bytes()),
            error: IcmpError::from_v4(e.ee_type, e.ee_code, e.ee_info),
        }),
        ControlMessageOwned::Ipv6RecvErr(e, Some(from)) if e.ee_origin == ORIGIN_ICMP6 => Some(Offence {
            from: IpAddr::from(from.sin6_addr.s6_addr),
            error: IcmpError::from_v6(e.ee_type, e.ee_code, e.ee_info),
        }),
        _ => None,
    }
}

/// What an errno returned at once by bind, connect or send says: the packet never
/// left this host.
pub fn unsent(operation: &'static str, errno: Errno) -> Unsent {
    match errno {
        Errno::ENETUNREACH => Unsent::NoRoute,
        Errno::EHOSTUNREACH | Errno::EINVAL | Errno::EACCES => Unsent::RouteRefuses,
        Errno::EPERM => Unsent::Filtered,
        Errno::EADDRNOTAVAIL => Unsent::NoSource,
        Errno::ENETDOWN => Unsent::InterfaceDown,
        other => local(operation, other),
    }
}

fn local(operation: &'static str, errno: Errno) -> Unsent {
    Unsent::Local { why: Untrusted::new(&format!("{operation}: {errno}")) }
}

/// Likewise for an [`io::Error`] of the runtime.
pub fn local_io(operation: &'static str, error: &io::Error) -> Unsent {
    match error.raw_os_error() {
        Some(raw) => local(operation, Errno::from_raw(raw)),
        None => Unsent::Local { why: Untrusted::new(&format!("{operation}: {error}")) },
    }
}
