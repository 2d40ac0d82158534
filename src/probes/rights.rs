//! What this user may measure here: tried, not guessed.
//!
//! Owns the ladder raw, ICMP datagram, UDP, TCP. Must never gain a right.

use caps::{CapSet, Capability};

use super::sys::socket::icmp_right;
use crate::model::host::{IcmpRight, Rights, TraceRight};

/// What measuring may need: packets of our own, the receive buffer's limit and the
/// firewall's rules, other users' sockets by name.
const NEEDED: [Capability; 4] =
    [Capability::CAP_NET_RAW, Capability::CAP_NET_ADMIN, Capability::CAP_SYS_PTRACE, Capability::CAP_DAC_READ_SEARCH];

/// Gives up every capability that measuring does not need. To be called before the
/// first thread starts, since capabilities belong to threads. A program that is
/// started later by root gets root's own again (capabilities(7), exec by uid 0).
pub fn drop_beyond_need() {
    for set in [CapSet::Inheritable, CapSet::Effective, CapSet::Permitted] {
        let Ok(held) = caps::read(None, set) else { continue };
        let inheritable = matches!(set, CapSet::Inheritable);
        let kept = held.into_iter().filter(|c| !inheritable && NEEDED.contains(c)).collect();
        // Giving up needs no right; where a sandbox refuses even that, the others
        // keep what they had and nothing is gained by stopping.
        if let Err(error) = caps::set(None, set, &kept) {
            tracing::warn!(%error, ?set, "capabilities not dropped");
        }
    }
}

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
