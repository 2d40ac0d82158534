//! A path's elements as the tracer reports them. Owns no statistics.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::probe::{ProbeId, TraceProto};
use super::sample::{IcmpError, Unsent};
use super::time::Mono;

/// What came of one probe with one TTL.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HopSample {
    /// Which trace.
    pub probe: ProbeId,
    /// With which protocol.
    pub proto: TraceProto,
    /// Counts rounds from 0.
    pub round: u32,
    /// Time to live it was sent with.
    pub ttl: u8,
    /// When it was sent.
    #[serde(rename = "sent_ns")]
    pub sent: Mono,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: HopOutcome,
}

/// What came of a probe that was to die on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum HopOutcome {
    /// Somebody answered in time. An error ([`HopAnswer::Error`]) is told so
    /// after its time-out too, up to five seconds, and then corrects an earlier
    /// `Silent` of the same round and TTL: a router that has to resolve the
    /// destination says "host unreachable" after some three seconds.
    Answered {
        /// Who.
        from: IpAddr,
        /// From send to answer.
        #[serde(rename = "rtt_ms", with = "super::millis")]
        rtt: Duration,
        /// What kind of answer.
        answer: HopAnswer,
        /// TTL left in the answer, where the socket tells it.
        reply_ttl: Option<u8>,
    },
    /// The answer came after the time-out; corrects an earlier `Silent`.
    Late {
        /// Who.
        from: IpAddr,
        /// From send to answer.
        #[serde(rename = "rtt_ms", with = "super::millis")]
        rtt: Duration,
    },
    /// Nobody answered within the time-out.
    Silent,
    /// It was not sent.
    Unsent {
        /// Why not.
        reason: Unsent,
    },
}

/// What a hop's answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HopAnswer {
    /// A router on the way: time exceeded.
    Expired,
    /// The destination itself (echo reply, SYN+ACK, RST, port unreachable).
    Reached,
    /// Any other ICMP error; the path ends here for this probe.
    Error(IcmpError),
}

/// The end of a round: every probe of it was answered or timed out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoundEnd {
    /// Which trace.
    pub probe: ProbeId,
    /// With which protocol.
    pub proto: TraceProto,
    /// Counts rounds from 0.
    pub round: u32,
    /// When the first probe of it was sent.
    #[serde(rename = "began_ns")]
    pub began: Mono,
    /// Smallest TTL that reached the destination, where one did.
    pub reached: Option<u8>,
    /// Largest TTL sent.
    pub probed: u8,
    /// Whether all probes of the round could have met the same path: one flow
    /// identifier (UDP ports, ICMP checksum and identifier, flow label).
    pub one_flow: bool,
}
