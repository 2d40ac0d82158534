//! What this user may measure here: tried, not guessed.
//!
//! Owns the ladder raw, ICMP datagram, UDP, TCP. Must never change a right.

use caps::{CapSet, Capability};

use super::sys::socket::icmp_right;
use crate::model::host::{IcmpRight, Rights, TraceRight};

/// Finds out by opening sockets and reading the effective capabilities. Costs
/// a few system calls.
pub fn detect() -> Rights {
    let has = |capability| caps::has_cap(None, CapSet::Effective, capability).unwrap_or(false);
    let icmp = icmp_right();
    // All our tracing reads the error queue; what a raw socket adds is ICMP
    // probes without ping_group_range.
    let trace = if icmp == IcmpRight::Raw { TraceRight::Raw } else { TraceRight::Errqueue };
    Rights { icmp, trace, packet: has(Capability::CAP_NET_RAW), netadmin: has(Capability::CAP_NET_ADMIN) }
}
