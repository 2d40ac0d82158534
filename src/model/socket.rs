//! Sockets of this host and the kernel's transport counters. Owns no history.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::untrusted::Untrusted;

/// Sockets at one moment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Sockets {
    /// Listening TCP and bound UDP sockets, at most [`MAX_LISTENERS`].
    pub listeners: Vec<Listener>,
    /// TCP connections counted by state.
    pub states: TcpStates,
    /// The connections worth showing: those with queues, retransmissions or to
    /// watched peers first, at most 256.
    pub connections: Vec<Connection>,
    /// How many entries were left out because a list was full.
    pub left_out: u32,
    /// Whether process names could be read for all sockets (needs privileges
    /// for other users' processes).
    pub processes_complete: bool,
}

/// Longest list of listeners kept in [`Sockets`].
pub const MAX_LISTENERS: usize = 1024;

/// Transport of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the protocols")]
pub enum Transport {
    #[default]
    Tcp,
    Udp,
}

impl Transport {
    /// As records and `ss` write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// Something that a person expects to listen on this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedService {
    /// Port.
    pub port: u16,
    /// Over which transport.
    pub transport: Transport,
    /// A person's own name for it.
    pub name: Option<String>,
    /// Listening on loopback only is well.
    pub loopback_ok: bool,
}

/// A listening TCP or bound UDP socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// Transport.
    pub transport: Transport,
    /// Local address and port.
    pub local: SocketAddr,
    /// Interface it is bound to, 0 for any.
    pub interface: u32,
    /// Owner.
    pub uid: u32,
    /// Process, where it may be known.
    pub process: Option<Process>,
    /// Connections waiting to be accepted now.
    pub queue: u32,
    /// Most that may wait (the smaller of backlog and somaxconn).
    pub queue_limit: u32,
    /// Established connections to this port.
    pub established: u32,
}

/// A process as a socket's owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Process id.
    pub pid: u32,
    /// Command name.
    pub name: Untrusted,
}

/// TCP connections by state (include/net/tcp_states.h), listeners excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the states")]
pub struct TcpStates {
    pub established: u32,
    pub syn_sent: u32,
    pub syn_recv: u32,
    pub fin_wait: u32,
    pub time_wait: u32,
    pub close_wait: u32,
    pub last_ack: u32,
    pub closing: u32,
}

/// A TCP state of a connection shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the states")]
pub enum TcpState {
    Established,
    SynSent,
    SynRecv,
    FinWait,
    TimeWait,
    CloseWait,
    LastAck,
    Closing,
}

impl TcpState {
    /// As `ss` writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Established => "ESTAB",
            Self::SynSent => "SYN-SENT",
            Self::SynRecv => "SYN-RECV",
            Self::FinWait => "FIN-WAIT",
            Self::TimeWait => "TIME-WAIT",
            Self::CloseWait => "CLOSE-WAIT",
            Self::LastAck => "LAST-ACK",
            Self::Closing => "CLOSING",
        }
    }
}

/// One TCP connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Here.
    pub local: SocketAddr,
    /// There.
    pub remote: SocketAddr,
    /// State.
    pub state: TcpState,
    /// Bytes received and not yet read.
    pub recv_queue: u32,
    /// Bytes sent and not yet acknowledged.
    pub send_queue: u32,
    /// Process, where it may be known.
    pub process: Option<Process>,
    /// From tcp_info, where the kernel gave it.
    pub info: Option<TcpInfo>,
}

/// The part of struct tcp_info that tells of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TcpInfo {
    /// Smoothed round-trip time.
    #[serde(rename = "rtt_ms", with = "super::millis")]
    pub rtt: Duration,
    /// Its variation.
    #[serde(rename = "rtt_var_ms", with = "super::millis")]
    pub rtt_var: Duration,
    /// Smallest round-trip time seen.
    #[serde(rename = "min_rtt_ms", with = "super::millis::option", default)]
    pub min_rtt: Option<Duration>,
    /// Segments retransmitted in all.
    pub total_retrans: u32,
    /// Segments sent in all.
    pub segs_out: u32,
    /// Congestion window in segments.
    pub cwnd: u32,
    /// Maximum segment size in bytes.
    pub mss: u32,
    /// Peer's receive window in bytes, where the kernel tells.
    pub peer_window: Option<u32>,
}

/// Kernel transport counters since boot, from `/proc/net/{snmp,snmp6,netstat,softnet_stat}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the kernel's")]
pub struct KernelCounters {
    pub tcp_active_opens: u64,
    pub tcp_passive_opens: u64,
    pub tcp_attempt_fails: u64,
    pub tcp_estab_resets: u64,
    pub tcp_in_segs: u64,
    pub tcp_out_segs: u64,
    pub tcp_retrans_segs: u64,
    pub tcp_in_errs: u64,
    pub tcp_out_rsts: u64,
    pub listen_overflows: u64,
    pub listen_drops: u64,
    pub syncookies_sent: u64,
    pub req_q_full_do_cookies: u64,
    pub udp_in_datagrams: u64,
    pub udp_no_ports: u64,
    pub udp_in_errors: u64,
    pub udp_rcvbuf_errors: u64,
    pub udp_sndbuf_errors: u64,
    pub ip_in_discards: u64,
    pub ip_out_discards: u64,
    pub ip_out_no_routes: u64,
    pub icmp_in_errors: u64,
    pub softnet_dropped: u64,
    pub softnet_time_squeeze: u64,
    /// Tracked connections now, where conntrack is loaded and readable.
    pub conntrack_count: Option<u64>,
    /// Most that may be tracked.
    pub conntrack_max: Option<u64>,
}
