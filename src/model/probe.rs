//! What is measured, how often, and from where: the order given to the probes.
//!
//! Owns the specification of one measurement. Must never hold a result.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::target::TargetId;

/// A probe's number within a session, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProbeId(pub u32);

/// The kinds of probe, named as in the contract's `probes` object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeKind {
    /// ICMP echo.
    Icmp,
    /// TCP connect.
    Tcp,
    /// UDP datagram.
    Udp,
    /// DNS query to one server.
    Dns,
    /// TLS handshake.
    Tls,
    /// HTTP request.
    Http,
    /// NTP client exchange.
    Ntp,
    /// Hop-by-hop path.
    Trace,
    /// Name to addresses, as this host's own programs would.
    Resolve,
}

impl ProbeKind {
    /// Every kind, in the order of the layers they test.
    pub const ALL: [Self; 9] =
        [Self::Resolve, Self::Icmp, Self::Trace, Self::Tcp, Self::Udp, Self::Dns, Self::Tls, Self::Http, Self::Ntp];

    /// The contract's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Icmp => "icmp",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Dns => "dns",
            Self::Tls => "tls",
            Self::Http => "http",
            Self::Ntp => "ntp",
            Self::Trace => "trace",
            Self::Resolve => "resolve",
        }
    }
}

impl fmt::Display for ProbeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// DNS record types that may be asked for (RFC 1035, 3596, 2782).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names are the record types")]
pub enum QueryType {
    A,
    Aaaa,
    Cname,
    Mx,
    Ns,
    Ptr,
    Soa,
    Srv,
    Txt,
}

impl QueryType {
    /// Every type with its master-file mnemonic and its number.
    pub const ALL: [(Self, &'static str, u16); 9] = [
        (Self::A, "A", 1),
        (Self::Aaaa, "AAAA", 28),
        (Self::Cname, "CNAME", 5),
        (Self::Mx, "MX", 15),
        (Self::Ns, "NS", 2),
        (Self::Ptr, "PTR", 12),
        (Self::Soa, "SOA", 6),
        (Self::Srv, "SRV", 33),
        (Self::Txt, "TXT", 16),
    ];

    /// The number on the wire.
    pub fn number(self) -> u16 {
        Self::ALL.iter().find(|(t, ..)| *t == self).map_or(1, |(_, _, n)| *n)
    }
}

impl fmt::Display for QueryType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(Self::ALL.iter().find(|(t, ..)| t == self).map_or("A", |(_, name, _)| name))
    }
}

impl FromStr for QueryType {
    type Err = ();

    fn from_str(s: &str) -> Result<Self, ()> {
        Self::ALL.iter().find(|(_, name, _)| name.eq_ignore_ascii_case(s)).map(|(t, ..)| *t).ok_or(())
    }
}

/// Transport of a trace probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the protocols")]
pub enum TraceProto {
    Icmp,
    Udp,
    Tcp,
}

impl fmt::Display for TraceProto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Icmp => "icmp",
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        })
    }
}

/// One measurement to make, again and again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Ask {
    /// Echo request.
    Icmp {
        /// Destination.
        to: IpAddr,
    },
    /// Connect and close.
    Tcp {
        /// Destination.
        to: SocketAddr,
    },
    /// One datagram. Where the port has a well-known exchange (DNS, NTP), that
    /// one; else empty, and silence means nothing.
    Udp {
        /// Destination.
        to: SocketAddr,
    },
    /// One question to one server, recursion desired, no retries.
    Dns {
        /// The server.
        server: SocketAddr,
        /// The name as it goes on the wire, without search list.
        name: String,
        /// The record type.
        qtype: QueryType,
    },
    /// Handshake, certificate recorded whatever it is.
    Tls {
        /// Destination.
        to: SocketAddr,
        /// Server name for SNI and for matching; an address literal is allowed.
        name: String,
    },
    /// GET, one response, redirects recorded and not followed.
    Http {
        /// Destination.
        to: SocketAddr,
        /// Host name as in the URL, without port.
        name: String,
        /// Whether over TLS.
        tls: bool,
        /// Path and query.
        path: String,
    },
    /// Client exchange (RFC 5905, mode 3).
    Ntp {
        /// The server.
        to: SocketAddr,
    },
    /// The path.
    Trace {
        /// Destination.
        to: IpAddr,
        /// Protocols, the preferred one first; the first that this user may use
        /// leads, the others are used where the first does not reach.
        protos: Vec<TraceProto>,
        /// Destination port for TCP (default 80) and UDP (default 33434).
        port: Option<u16>,
        /// Largest TTL tried.
        max_ttl: u8,
    },
    /// The host's own name resolution (hosts file, then resolvers).
    Resolve {
        /// The name as written.
        name: String,
    },
}

impl Ask {
    /// The kind of probe that does this.
    pub fn kind(&self) -> ProbeKind {
        match self {
            Self::Icmp { .. } => ProbeKind::Icmp,
            Self::Tcp { .. } => ProbeKind::Tcp,
            Self::Udp { .. } => ProbeKind::Udp,
            Self::Dns { .. } => ProbeKind::Dns,
            Self::Tls { .. } => ProbeKind::Tls,
            Self::Http { .. } => ProbeKind::Http,
            Self::Ntp { .. } => ProbeKind::Ntp,
            Self::Trace { .. } => ProbeKind::Trace,
            Self::Resolve { .. } => ProbeKind::Resolve,
        }
    }

    /// The address that packets go to; none for [`Ask::Resolve`].
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Icmp { to } | Self::Trace { to, .. } => Some(*to),
            Self::Tcp { to } | Self::Udp { to } | Self::Tls { to, .. } | Self::Http { to, .. } | Self::Ntp { to } => {
                Some(to.ip())
            }
            Self::Dns { server, .. } => Some(server.ip()),
            Self::Resolve { .. } => None,
        }
    }
}

/// A measurement with its place and rhythm.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProbeSpec {
    /// Number within the session.
    pub id: ProbeId,
    /// For whom; several targets at one address share its probes.
    pub targets: Vec<TargetId>,
    /// What to do.
    pub ask: Ask,
    /// Interface index for a link-local destination; 0 otherwise.
    #[serde(default)]
    pub scope: u32,
    /// From one send to the next.
    #[serde(rename = "interval_ms", with = "super::millis")]
    pub interval: Duration,
    /// After this a reply is late.
    #[serde(rename = "timeout_ms", with = "super::millis")]
    pub timeout: Duration,
    /// How many to send before stopping; none for as long as it is watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}
