//! Opening the sockets that probes need, by family, kind and egress.
//!
//! Owns which options each kind gets. Must never send or receive.

use std::ffi::OsString;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, SockFlag, SockProtocol, SockType, SockaddrStorage, bind, getsockname, setsockopt, socket, sockopt,
};

use super::options;
use crate::model::host::IcmpRight;
use crate::model::sample::Unsent;
use crate::model::untrusted::Untrusted;
use crate::probes::Egress;

/// Bytes of receive buffer wanted: room for 10,000 replies at once, each of
/// which the kernel accounts with some 700 bytes.
const RECEIVE_BUFFER: usize = 8 << 20;

/// An IP version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Family {
    V4,
    V6,
}

impl Family {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::V4, Self::V6];

    /// That of an address.
    pub const fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// 0 or 1, for tables.
    pub const fn index(self) -> usize {
        self as usize
    }

    fn address_family(self) -> AddressFamily {
        match self {
            Self::V4 => AddressFamily::Inet,
            Self::V6 => AddressFamily::Inet6,
        }
    }
}

/// The two kinds of ICMP socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IcmpKind {
    /// Needs CAP_NET_RAW; IPv4 data arrives with its IP header.
    Raw,
    /// Needs ping_group_range; the kernel sets the identifier.
    Dgram,
}

/// An open ICMP socket and the identifier of its echo requests.
#[derive(Debug)]
pub struct IcmpSocket {
    /// The socket.
    pub fd: OwnedFd,
    /// Raw or datagram.
    pub kind: IcmpKind,
    /// Identifier in the ICMP header.
    pub identifier: u16,
}

fn open(family: Family, kind: SockType, protocol: SockProtocol) -> nix::Result<OwnedFd> {
    socket(family.address_family(), kind, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK, protocol)
}

/// Whether a plain ICMP socket may be opened, and which. For both families
/// alike: CAP_NET_RAW and ping_group_range know no family.
pub fn icmp_right() -> IcmpRight {
    if open(Family::V4, SockType::Raw, SockProtocol::Icmp).is_ok() {
        IcmpRight::Raw
    } else if open(Family::V4, SockType::Datagram, SockProtocol::Icmp).is_ok() {
        IcmpRight::Dgram
    } else {
        IcmpRight::None
    }
}

/// Opens an ICMP socket for echo, raw where permitted and else datagram, with
/// error queue, kernel receive stamps and reply TTL. `identifier` is used on a
/// raw socket only. An error is that of the last attempt.
pub fn icmp(family: Family, identifier: u16, egress: &Egress) -> io::Result<IcmpSocket> {
    let protocol = match family {
        Family::V4 => SockProtocol::Icmp,
        Family::V6 => SockProtocol::IcmpV6,
    };
    let (fd, kind) = match open(family, SockType::Raw, protocol) {
        Ok(fd) => (fd, IcmpKind::Raw),
        Err(_) => (open(family, SockType::Datagram, protocol)?, IcmpKind::Dgram),
    };
    prepare(&fd, family, egress)?;
    let mut identifier = identifier;
    match kind {
        IcmpKind::Raw => {
            match family {
                Family::V4 => options::only_echo_replies_v4(&fd)?,
                Family::V6 => options::only_echo_replies_v6(&fd)?,
            }
            options::only_identifier(&fd, identifier, family == Family::V4)?;
        }
        IcmpKind::Dgram => {
            bind_source(&fd, family, egress, true)?;
            identifier = local_port(&fd)?;
        }
    }
    if kind == IcmpKind::Raw {
        bind_source(&fd, family, egress, false)?;
    }
    raise_receive_buffer(&fd);
    Ok(IcmpSocket { fd, kind, identifier })
}

/// Opens a UDP socket on a port of its own, with error queue and stamps.
pub fn udp(family: Family, egress: &Egress) -> io::Result<OwnedFd> {
    let fd = open(family, SockType::Datagram, SockProtocol::Udp)?;
    prepare(&fd, family, egress)?;
    bind_source(&fd, family, egress, true)?;
    Ok(fd)
}

/// Opens a TCP socket whose SYN leaves with this TTL.
pub fn tcp(family: Family, ttl: u8, egress: &Egress) -> io::Result<OwnedFd> {
    let fd = open(family, SockType::Stream, SockProtocol::Tcp)?;
    prepare(&fd, family, egress)?;
    match family {
        Family::V4 => setsockopt(&fd, sockopt::Ipv4Ttl, &i32::from(ttl))?,
        Family::V6 => setsockopt(&fd, sockopt::Ipv6Ttl, &i32::from(ttl))?,
    }
    // Closing with a reset leaves nothing half open at the far end.
    setsockopt(&fd, sockopt::Linger, &nix::libc::linger { l_onoff: 1, l_linger: 0 })?;
    bind_source(&fd, family, egress, false)?;
    Ok(fd)
}

fn prepare(fd: &OwnedFd, family: Family, egress: &Egress) -> io::Result<()> {
    match family {
        Family::V4 => {
            setsockopt(fd, sockopt::Ipv4RecvErr, &true)?;
            setsockopt(fd, sockopt::Ipv4RecvTtl, &true)?;
        }
        Family::V6 => {
            setsockopt(fd, sockopt::Ipv6RecvErr, &true)?;
            setsockopt(fd, sockopt::Ipv6RecvHopLimit, &true)?;
        }
    }
    setsockopt(fd, sockopt::ReceiveTimestampns, &true)?;
    if let Some(interface) = &egress.interface {
        setsockopt(fd, sockopt::BindToDevice, &OsString::from(interface))?;
    }
    Ok(())
}

fn bind_source(fd: &OwnedFd, family: Family, egress: &Egress, always: bool) -> io::Result<()> {
    let source = egress.source.filter(|a| Family::of(*a) == family);
    if source.is_none() && !always {
        return Ok(());
    }
    let any = match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        Family::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let scope = match (&egress.interface, source) {
        (Some(interface), Some(IpAddr::V6(a))) if a.is_unicast_link_local() => {
            nix::net::if_::if_nametoindex(interface.as_str()).unwrap_or(0)
        }
        _ => 0,
    };
    bind(fd.as_raw_fd(), &sockaddr(source.unwrap_or(any), 0, scope))?;
    Ok(())
}

/// A socket address with its scope; the scope is used for IPv6 only.
pub fn sockaddr(address: IpAddr, port: u16, scope: u32) -> SockaddrStorage {
    SockaddrStorage::from(match address {
        IpAddr::V4(a) => SocketAddr::from((a, port)),
        IpAddr::V6(a) => SocketAddr::V6(SocketAddrV6::new(a, port, 0, scope)),
    })
}

/// The local port; on an ICMP datagram socket the echo identifier.
fn local_port(fd: &OwnedFd) -> io::Result<u16> {
    let name: SockaddrStorage = getsockname(fd.as_raw_fd())?;
    let port = name.as_sockaddr_in().map(nix::sys::socket::SockaddrIn::port);
    port.or_else(|| name.as_sockaddr_in6().map(nix::sys::socket::SockaddrIn6::port))
        .ok_or_else(|| io::Error::other("getsockname: no port"))
}

/// As large a receive buffer as this user may have.
pub fn raise_receive_buffer(fd: &impl std::os::fd::AsFd) {
    if setsockopt(fd, sockopt::RcvBufForce, &RECEIVE_BUFFER).is_err() {
        // Capped silently at net.core.rmem_max.
        let _ = setsockopt(fd, sockopt::RcvBuf, &RECEIVE_BUFFER);
    }
}

/// What a failure to open or bind a socket means.
pub fn unopened(error: &io::Error) -> Unsent {
    use nix::libc::{EADDRNOTAVAIL, EAFNOSUPPORT, ENODEV};
    match error.raw_os_error() {
        _ if error.kind() == io::ErrorKind::PermissionDenied => Unsent::NotPermitted,
        // No such address here, or no IPv6 at all.
        Some(EADDRNOTAVAIL | EAFNOSUPPORT) => Unsent::NoSource,
        Some(ENODEV) => Unsent::InterfaceDown,
        _ => Unsent::Local { why: Untrusted::new(&format!("socket: {error}")) },
    }
}

/// What a failure to send means.
pub fn unsent(error: &io::Error) -> Unsent {
    use nix::libc::{EACCES, EADDRNOTAVAIL, EHOSTUNREACH, EINVAL, ENETDOWN, ENETUNREACH, ENODEV, ENXIO, EPERM};
    match error.raw_os_error() {
        Some(ENETUNREACH) => Unsent::NoRoute,
        Some(EHOSTUNREACH | EINVAL | EACCES) => Unsent::RouteRefuses,
        Some(EPERM) => Unsent::Filtered,
        Some(EADDRNOTAVAIL) => Unsent::NoSource,
        Some(ENETDOWN | ENODEV | ENXIO) => Unsent::InterfaceDown,
        _ => Unsent::Local { why: Untrusted::new(&format!("send: {error}")) },
    }
}
