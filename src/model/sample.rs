//! What one measurement found. Owns the three answers: answered, not answered,
//! not measured; a lost packet is an outcome and never a number.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::message::Message;
use super::probe::ProbeId;
use super::time::Mono;
use super::untrusted::Untrusted;

/// One measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Which probe.
    pub probe: ProbeId,
    /// Counts this probe's sends from 0; a `Late` outcome repeats the number of
    /// the loss it corrects.
    pub seq: u32,
    /// When it was sent.
    #[serde(rename = "sent_ns")]
    pub sent: Mono,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What came of one send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The service answered as the protocol wants, within the time-out. Whether
    /// the answer is good news (HTTP 500, an expired certificate) is for the
    /// diagnosis to say.
    Answered {
        /// From send to answer. For HTTP and TLS: until the first byte or the
        /// end of the handshake.
        #[serde(rename = "rtt_ms", with = "super::millis")]
        rtt: Duration,
        /// What the answer said.
        detail: Detail,
    },
    /// The answer came after its time-out; corrects an earlier `Lost`.
    Late {
        /// From send to answer.
        #[serde(rename = "rtt_ms", with = "super::millis")]
        rtt: Duration,
    },
    /// Silence until the time-out.
    Lost,
    /// The host itself said no: RST, or ICMP port unreachable from its address.
    Refused {
        /// From send to refusal.
        #[serde(rename = "rtt_ms", with = "super::millis")]
        rtt: Duration,
    },
    /// An ICMP error other than the above. One that comes after the time-out
    /// repeats the number of the `Lost` that it explains and corrects.
    Icmp {
        /// From send to error.
        #[serde(rename = "rtt_ms", with = "super::millis")]
        rtt: Duration,
        /// Who reported it.
        from: IpAddr,
        /// What it said.
        error: IcmpError,
    },
    /// Reached, then something went wrong above the transport.
    Failed {
        /// From send to failure.
        #[serde(rename = "rtt_ms", with = "super::millis")]
        rtt: Duration,
        /// How far it came.
        stage: Stage,
        /// What happened.
        failure: Failure,
    },
    /// Nothing was sent; this is no statement about the network beyond this host.
    Unsent {
        /// Why not.
        reason: Unsent,
    },
}

impl Outcome {
    /// The round-trip time of an answer in time.
    pub fn rtt(&self) -> Option<Duration> {
        match self {
            Self::Answered { rtt, .. } => Some(*rtt),
            _ => None,
        }
    }

    /// Whether a packet left this host.
    pub fn was_sent(&self) -> bool {
        !matches!(self, Self::Unsent { .. })
    }

    /// Whether the far host itself showed that it is alive.
    pub fn shows_life(&self) -> bool {
        matches!(self, Self::Answered { .. } | Self::Late { .. } | Self::Refused { .. } | Self::Failed { .. })
    }
}

/// ICMP errors by meaning, IPv4 (RFC 792, 1812) and IPv6 (RFC 4443) alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IcmpError {
    /// v4 3/0, 3/6, 3/11; v6 1/0 no route.
    NetUnreachable,
    /// v4 3/1, 3/7, 3/8, 3/12; v6 1/3 address unreachable.
    HostUnreachable,
    /// v4 3/2.
    ProtocolUnreachable,
    /// v4 3/3; v6 1/4. From the destination itself this is `Refused`.
    PortUnreachable,
    /// v4 3/9, 3/10, 3/13; v6 1/1, 1/5, 1/6.
    AdminProhibited,
    /// v4 3/4; v6 type 2. The next hop's MTU where the router told it.
    TooBig {
        /// Bytes; 0 where an old router did not say.
        mtu: u32,
    },
    /// v4 11/0; v6 3/0.
    TimeExceeded,
    /// v4 5.
    Redirect,
    /// Anything else.
    Other {
        /// ICMP type.
        kind: u8,
        /// ICMP code.
        code: u8,
    },
}

impl IcmpError {
    /// What it says, for people.
    pub fn words(self) -> Message {
        match self {
            Self::NetUnreachable => Message::new("icmp-net-unreachable"),
            Self::HostUnreachable => Message::new("icmp-host-unreachable"),
            Self::ProtocolUnreachable => Message::new("icmp-protocol-unreachable"),
            Self::PortUnreachable => Message::new("icmp-port-unreachable"),
            Self::AdminProhibited => Message::new("icmp-admin-prohibited"),
            Self::TooBig { mtu } => Message::new("icmp-too-big").with("mtu", mtu),
            Self::TimeExceeded => Message::new("icmp-time-exceeded"),
            Self::Redirect => Message::new("icmp-redirect"),
            Self::Other { kind, code } => Message::new("icmp-other").with("type", kind).with("code", code),
        }
    }

    /// From an ICMPv4 type and code.
    pub const fn from_v4(kind: u8, code: u8, mtu: u32) -> Self {
        match (kind, code) {
            (3, 0 | 6 | 11) => Self::NetUnreachable,
            (3, 1 | 5 | 7 | 8 | 12) => Self::HostUnreachable,
            (3, 2) => Self::ProtocolUnreachable,
            (3, 3) => Self::PortUnreachable,
            (3, 4) => Self::TooBig { mtu },
            (3, 9 | 10 | 13..=15) => Self::AdminProhibited,
            (5, _) => Self::Redirect,
            (11, 0) => Self::TimeExceeded,
            _ => Self::Other { kind, code },
        }
    }

    /// From an ICMPv6 type and code.
    pub const fn from_v6(kind: u8, code: u8, mtu: u32) -> Self {
        match (kind, code) {
            (1, 0) => Self::NetUnreachable,
            (1, 1 | 5 | 6) => Self::AdminProhibited,
            (1, 2 | 3) => Self::HostUnreachable,
            (1, 4) => Self::PortUnreachable,
            (2, _) => Self::TooBig { mtu },
            (3, 0) => Self::TimeExceeded,
            (4, 1) => Self::ProtocolUnreachable,
            (137, _) => Self::Redirect,
            _ => Self::Other { kind, code },
        }
    }
}

/// How far a layered exchange came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Connected; the TLS handshake was under way.
    Handshake,
    /// The request was being written.
    Request,
    /// Waiting for the first byte of the answer.
    FirstByte,
    /// Reading the rest, or making sense of it.
    Body,
}

/// What went wrong above the transport.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// Accepted, then said nothing until the time-out.
    Silent,
    /// Reset the connection.
    Reset,
    /// Closed without an answer.
    Closed,
    /// A TLS alert (RFC 8446, 6), by its number.
    Alert {
        /// AlertDescription.
        code: u8,
    },
    /// No common TLS version or cipher suite, told by our own side.
    Incompatible {
        /// What our side said.
        why: Untrusted,
    },
    /// Not the protocol at all, or broken.
    Protocol {
        /// What our side made of it.
        why: Untrusted,
    },
}

/// Why nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unsent {
    /// No socket of this kind for this user.
    NotPermitted,
    /// The kernel has no route (ENETUNREACH).
    NoRoute,
    /// The route says unreachable (EHOSTUNREACH at once), or blackhole (EINVAL)
    /// or prohibit (EACCES).
    RouteRefuses,
    /// The kernel's own filter refused the packet (EPERM).
    Filtered,
    /// No usable source address (EADDRNOTAVAIL).
    NoSource,
    /// The interface is down (ENETDOWN).
    InterfaceDown,
    /// Kept back by the packet budget.
    Budget,
    /// Nobody to send to: no address known yet.
    Unresolved,
    /// Any other local failure, with errno's name.
    Local {
        /// What the operation and the system said.
        why: Untrusted,
    },
}

/// What an answer said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "of")]
pub enum Detail {
    /// Echo reply.
    Echo {
        /// TTL or hop limit left in the reply, where the socket tells it.
        ttl: Option<u8>,
    },
    /// Accepted, then closed by us.
    Tcp,
    /// A datagram came back.
    Udp {
        /// Its length in bytes.
        bytes: u32,
    },
    /// A DNS response.
    Dns(DnsAnswer),
    /// A completed handshake.
    Tls(TlsAnswer),
    /// An HTTP response.
    Http(HttpAnswer),
    /// A time.
    Ntp(NtpAnswer),
    /// Addresses of a name.
    Resolve(Resolved),
}

/// A DNS response (RFC 1035).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DnsAnswer {
    /// RCODE with its extension: 0 no error, 2 server failure, 3 name error, 5 refused.
    pub rcode: u16,
    /// A and AAAA records found at the end of the CNAME chain, sorted.
    pub addresses: Vec<IpAddr>,
    /// Every answer record as text, at most 64.
    pub answers: Vec<Untrusted>,
    /// Smallest TTL among the answers, in seconds.
    pub ttl: Option<u32>,
    /// Authoritative answer bit.
    pub authoritative: bool,
    /// Truncated over UDP, so that the answer is from TCP.
    pub over_tcp: bool,
}

/// Phases of a connection, each from the end of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Phases {
    /// Name resolution, where this probe made one.
    #[serde(rename = "dns_ms", with = "super::millis::option", default)]
    pub dns: Option<Duration>,
    /// TCP handshake.
    #[serde(rename = "connect_ms", with = "super::millis::option", default)]
    pub connect: Option<Duration>,
    /// TLS handshake.
    #[serde(rename = "tls_ms", with = "super::millis::option", default)]
    pub tls: Option<Duration>,
    /// From the request's last byte to the answer's first.
    #[serde(rename = "ttfb_ms", with = "super::millis::option", default)]
    pub ttfb: Option<Duration>,
    /// From the beginning to the answer's end.
    #[serde(rename = "total_ms", with = "super::millis")]
    pub total: Duration,
}

/// A completed TLS handshake.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TlsAnswer {
    /// Time spent.
    pub phases: Phases,
    /// `TLSv1.2`, `TLSv1.3`.
    pub version: String,
    /// Cipher suite by its IANA name.
    pub cipher: String,
    /// What the verifier said of the chain.
    pub trust: Trust,
    /// The chain as sent, leaf first, at most 10.
    pub chain: Vec<Certificate>,
}

/// What the verifier said of a certificate chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// It holds.
    Valid,
    /// A certificate of it has expired.
    Expired,
    /// A certificate of it is not valid yet.
    NotYetValid,
    /// Valid for other names.
    NameMismatch,
    /// Its root is not in the store (self-signed included).
    Untrusted,
    /// An intermediate certificate was not sent.
    IncompleteChain,
    /// Revoked by a list we hold.
    Revoked,
    /// Anything else.
    Invalid {
        /// The verifier's words.
        why: Untrusted,
    },
}

/// The fields of a certificate that people ask for (RFC 5280).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Subject common name, or the first alternative name.
    pub subject: Untrusted,
    /// Issuer's common name.
    pub issuer: Untrusted,
    /// Subject alternative names, at most 32.
    pub names: Vec<Untrusted>,
    /// Seconds since the Unix epoch.
    pub not_before: i64,
    /// Seconds since the Unix epoch.
    pub not_after: i64,
}

/// An HTTP response.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpAnswer {
    /// Status code.
    pub status: u16,
    /// Time spent.
    pub phases: Phases,
    /// `HTTP/1.1`, `HTTP/2.0`.
    pub version: String,
    /// Location header of a redirect.
    pub location: Option<Untrusted>,
    /// Date header, seconds since the Unix epoch.
    pub date: Option<i64>,
    /// Body bytes read, at most 1 MiB.
    pub bytes: u64,
    /// The handshake underneath, for https.
    pub tls: Option<Box<TlsAnswer>>,
}

/// An NTP answer (RFC 5905).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NtpAnswer {
    /// Server's clock minus ours, in nanoseconds.
    pub offset_ns: i64,
    /// 0 kiss-o'-death or unspecified, 1 primary, 16 unsynchronised.
    pub stratum: u8,
    /// 3 means unsynchronised.
    pub leap: u8,
    /// Reference identifier or kiss code as text.
    pub reference: Untrusted,
    /// Root delay in microseconds.
    pub root_delay_us: u32,
    /// Root dispersion in microseconds.
    pub root_dispersion_us: u32,
}

/// A name's addresses, as this host's programs see them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Resolved {
    /// In the order of preference (RFC 6724), each once.
    pub addresses: Vec<IpAddr>,
    /// Whether the hosts file answered.
    pub from_hosts: bool,
    /// RCODE where a server said no; 0 with no addresses means no data.
    pub rcode: u16,
}
