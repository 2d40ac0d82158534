//! The sockets of this namespace by sock_diag (sock_diag(7)). Owns the requests
//! and the reading of their answers. Must never know a process.

use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use netlink_packet_core::{Emitable, NlasIterator, Parseable};
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, InetResponseHeader, SocketId, StateFlags, Timer};
use nix::sys::socket::SockProtocol;

use crate::model::socket::{TcpInfo, TcpState};
use crate::probes::netlink::Netlink;

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const IPPROTO_TCP: u8 = 6;
const IPPROTO_UDP: u8 = 17;
const INET_DIAG_INFO: u16 = 2;
/// struct inet_diag_msg.
const HEADER: usize = 72;
const TCP_CLOSE: u8 = 7;
const TCP_LISTEN: u8 = 10;
const TCP_NEW_SYN_RECV: u8 = 12;

/// One socket as the kernel lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Socket {
    /// What it is.
    pub(super) stage: Stage,
    /// Local address, IPv4 where the socket carries IPv4.
    pub(super) local: SocketAddr,
    /// Remote address.
    pub(super) remote: SocketAddr,
    /// Listener: connections waiting. Else bytes received and not read.
    pub(super) recv_queue: u32,
    /// Listener: most that may wait. Else bytes not acknowledged.
    pub(super) send_queue: u32,
    /// Owner.
    pub(super) uid: u32,
    /// Inode; 0 where no process holds it any more.
    pub(super) inode: u32,
    /// Interface it is bound to.
    pub(super) interface: u32,
    /// Retransmissions of the segment in flight, or unanswered window probes.
    pub(super) retransmits: u8,
    /// A remainder in FIN_WAIT_2 that sockstat counts as TIME_WAIT.
    pub(super) is_remainder: bool,
    /// From struct tcp_info, where it was asked for.
    pub(super) info: Option<TcpInfo>,
    /// To ask for this one again.
    id: SocketId,
    family: u8,
}

/// What a socket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Listening for TCP.
    Listener,
    /// A TCP connection.
    Connection(TcpState),
    /// A bound UDP socket without a peer.
    Bound,
}

/// A way to ask.
#[derive(Debug)]
pub(super) struct Diag {
    netlink: Netlink,
}

impl Diag {
    /// Opens the socket.
    pub(super) fn open() -> io::Result<Self> {
        Ok(Self { netlink: Netlink::open(SockProtocol::NetlinkSockDiag)? })
    }

    /// Hands over every TCP listener and connection but those in TIME_WAIT,
    /// family by family, listeners before the connections they accepted.
    /// `with_info` asks for tcp_info of each, at a hundred bytes or two apiece.
    pub(super) fn tcp(&mut self, with_info: bool, mut each: impl FnMut(Socket)) -> io::Result<()> {
        let states = StateFlags::all().difference(StateFlags::TIME_WAIT.union(StateFlags::CLOSE));
        let extensions = if with_info { ExtensionFlags::INFO } else { ExtensionFlags::empty() };
        for family in [AF_INET, AF_INET6] {
            self.dump(family, IPPROTO_TCP, states.clone(), extensions.clone(), &mut each)?;
        }
        Ok(())
    }

    /// Hands over every bound UDP socket without a peer.
    pub(super) fn udp(&mut self, mut each: impl FnMut(Socket)) -> io::Result<()> {
        for family in [AF_INET, AF_INET6] {
            self.dump(family, IPPROTO_UDP, StateFlags::CLOSE, ExtensionFlags::empty(), &mut each)?;
        }
        Ok(())
    }

    /// Asks for one connection's tcp_info; nothing where it is gone.
    pub(super) fn info(&mut self, socket: &Socket) -> Option<TcpInfo> {
        let request = InetRequest {
            family: socket.family,
            protocol: IPPROTO_TCP,
            extensions: ExtensionFlags::INFO,
            states: StateFlags::all(),
            socket_id: socket.id.clone(),
        };
        self.netlink.get(SOCK_DIAG_BY_FAMILY, &emitted(&request), |_, body| read(body, IPPROTO_TCP)?.info).ok()?
    }

    fn dump(
        &mut self,
        family: u8,
        protocol: u8,
        states: StateFlags,
        extensions: ExtensionFlags,
        each: &mut impl FnMut(Socket),
    ) -> io::Result<()> {
        let socket_id = if family == AF_INET { SocketId::new_v4() } else { SocketId::new_v6() };
        let request = InetRequest { family, protocol, extensions, states, socket_id };
        self.netlink
            .dump(SOCK_DIAG_BY_FAMILY, &emitted(&request), |_, body| {
                if let Some(socket) = read(body, protocol) {
                    each(socket);
                }
            })
            .map(|_| ())
    }
}

fn emitted(request: &InetRequest) -> Vec<u8> {
    let mut body = vec![0; request.buffer_len()];
    request.emit(&mut body);
    body
}

/// Reads struct inet_diag_msg and the attribute that matters. None for states
/// that are none of ours.
fn read(body: &[u8], protocol: u8) -> Option<Socket> {
    let header = InetResponseHeader::parse(body.get(..HEADER)?).ok()?;
    let stage = match (protocol, header.state) {
        (IPPROTO_UDP, TCP_CLOSE) => Stage::Bound,
        (IPPROTO_TCP, TCP_LISTEN) => Stage::Listener,
        (IPPROTO_TCP, state) => Stage::Connection(tcp_state(state)?),
        _ => return None,
    };
    let info = NlasIterator::new(body.get(HEADER..)?)
        .map_while(Result::ok)
        .find(|nla| nla.kind() == INET_DIAG_INFO && matches!(stage, Stage::Connection(_)))
        .and_then(|nla| tcp_info(nla.value()));
    let id = header.socket_id;
    Some(Socket {
        stage,
        local: address(id.source_address, id.source_port, id.interface_id),
        remote: address(id.destination_address, id.destination_port, id.interface_id),
        recv_queue: header.recv_queue,
        send_queue: header.send_queue,
        uid: header.uid,
        inode: header.inode,
        interface: id.interface_id,
        is_remainder: header.timer == Some(Timer::TimeWait),
        retransmits: match header.timer {
            Some(Timer::Retransmit(_, n)) => n,
            _ => 0,
        },
        info,
        id,
        family: header.family,
    })
}

/// A mapped address stands for the IPv4 it carries; a link-local one keeps its
/// interface.
fn address(ip: IpAddr, port: u16, interface: u32) -> SocketAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) if v6.is_unicast_link_local() => SocketAddrV6::new(v6, port, 0, interface).into(),
        ip => SocketAddr::new(ip, port),
    }
}

fn tcp_state(state: u8) -> Option<TcpState> {
    Some(match state {
        1 => TcpState::Established,
        2 => TcpState::SynSent,
        3 | TCP_NEW_SYN_RECV => TcpState::SynRecv,
        4 | 5 => TcpState::FinWait,
        6 => TcpState::TimeWait,
        8 => TcpState::CloseWait,
        9 => TcpState::LastAck,
        11 => TcpState::Closing,
        _ => return None,
    })
}

/// The fields of struct tcp_info (include/uapi/linux/tcp.h) at their offsets; an
/// older kernel's ends earlier.
fn tcp_info(bytes: &[u8]) -> Option<TcpInfo> {
    let word = |at: usize| bytes.get(at..)?.first_chunk().map(|b| u32::from_ne_bytes(*b));
    let micros = |us: u32| Duration::from_micros(us.into());
    Some(TcpInfo {
        mss: word(16)?,
        rtt: micros(word(68)?),
        rtt_var: micros(word(72)?),
        cwnd: word(80)?,
        total_retrans: word(100)?,
        segs_out: word(136).unwrap_or(0),
        // All ones before the first measurement.
        min_rtt: word(148).filter(|us| *us != u32::MAX).map(micros),
        peer_window: word(228),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// struct inet_diag_msg with mapped addresses, family IPv6.
    fn message(state: u8, timer: u8, retrans: u8) -> Vec<u8> {
        let mut bytes = vec![AF_INET6, state, timer, retrans];
        bytes.extend(443_u16.to_be_bytes());
        bytes.extend(50_000_u16.to_be_bytes());
        for last in [1, 2] {
            bytes.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, last]);
        }
        bytes.extend(0_u32.to_ne_bytes());
        bytes.extend([9; 8]);
        for word in [200_u32, 3, 128, 1000, 4711] {
            bytes.extend(word.to_ne_bytes());
        }
        bytes
    }

    #[test]
    fn a_mapped_connection_is_ipv4_and_counts_its_retransmissions() {
        let socket = read(&message(1, 1, 4), IPPROTO_TCP).unwrap();
        assert_eq!(socket.stage, Stage::Connection(TcpState::Established));
        assert_eq!(
            (socket.local, socket.remote),
            ("192.0.2.1:443".parse().unwrap(), "192.0.2.2:50000".parse().unwrap())
        );
        assert_eq!((socket.recv_queue, socket.send_queue, socket.uid, socket.inode), (3, 128, 1000, 4711));
        assert_eq!((socket.retransmits, socket.info), (4, None));
        assert_eq!(read(&message(1, 2, 4), IPPROTO_TCP).unwrap().retransmits, 0, "keep-alive is no loss");
    }

    #[test]
    fn states_are_told_apart_by_protocol() {
        assert_eq!(read(&message(10, 0, 0), IPPROTO_TCP).unwrap().stage, Stage::Listener);
        assert_eq!(read(&message(7, 0, 0), IPPROTO_UDP).unwrap().stage, Stage::Bound);
        assert_eq!(read(&message(7, 0, 0), IPPROTO_TCP), None);
        assert_eq!(read(&message(1, 0, 0), IPPROTO_UDP), None);
        assert_eq!(read(&message(12, 0, 0), IPPROTO_TCP).unwrap().stage, Stage::Connection(TcpState::SynRecv));
    }

    #[test]
    fn tcp_info_is_read_as_far_as_it_goes() {
        let mut bytes = vec![0_u8; 232];
        bytes[68..72].copy_from_slice(&1500_u32.to_ne_bytes());
        bytes[100..104].copy_from_slice(&7_u32.to_ne_bytes());
        bytes[148..152].copy_from_slice(&u32::MAX.to_ne_bytes());
        bytes[228..232].copy_from_slice(&65_535_u32.to_ne_bytes());
        let info = tcp_info(&bytes).unwrap();
        assert_eq!((info.rtt, info.total_retrans), (Duration::from_micros(1500), 7));
        assert_eq!((info.min_rtt, info.peer_window), (None, Some(65_535)));
        assert_eq!(tcp_info(&bytes[..104]).unwrap().peer_window, None);
        assert_eq!(tcp_info(&bytes[..103]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..160),
            v4: bool, state in 0_u8..14, tcp: bool,
        ) {
            if let [family, s, ..] = bytes.as_mut_slice() {
                (*family, *s) = (if v4 { AF_INET } else { AF_INET6 }, state);
            }
            let _ = read(&bytes, if tcp { IPPROTO_TCP } else { IPPROTO_UDP });
            let _ = tcp_info(&bytes);
        }
    }
}
