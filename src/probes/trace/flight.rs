//! Reading what comes back from ICMP and UDP probes: which probe it answers and
//! what it means.
//!
//! Pure: bytes and control data in, a finding out. Must never know a socket.

use std::net::IpAddr;

use crate::model::hop::HopAnswer;
use crate::model::sample::IcmpError;
use crate::probes::wire::ancillary::QueuedError;
use crate::probes::wire::icmp::{Key, Mark, echo};

/// Which probe an answer belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Belongs {
    /// Our mark came back whole.
    Marked {
        /// Lane.
        lane: u32,
        /// Round, its low 24 bits.
        round: u32,
        /// TTL.
        ttl: u8,
    },
    /// Only the sequence number of an echo request did.
    Sequence(u16),
    /// Nothing did but the destination.
    Destination,
}

/// The mark of a probe.
pub(super) fn mark(lane: u32, round: u32, ttl: u8) -> Mark {
    Mark { who: lane, which: (round << 8) | u32::from(ttl) }
}

/// The probe that a payload of ours names.
pub(super) fn marked(key: &Key, payload: &[u8]) -> Option<Belongs> {
    let Mark { who, which } = key.open(payload)?;
    Some(Belongs::Marked { lane: who, round: which >> 8, ttl: which as u8 })
}

/// The sequence number of an echo request: low bits of the round, then the TTL,
/// moved by the lane's own `base`. It says both in the eight bytes that every
/// router quotes.
pub(super) fn sequence(base: u16, round: u32, ttl: u8) -> u16 {
    base.wrapping_add(((round & 0x3ff) as u16) << 6 | u16::from(ttl.wrapping_sub(1) & 0x3f))
}

/// Low ten bits of the round, and TTL, of a sequence number.
pub(super) fn of_sequence(base: u16, sequence: u16) -> (u32, u8) {
    let n = sequence.wrapping_sub(base);
    (u32::from(n >> 6), (n & 0x3f) as u8 + 1)
}

/// Which echo request an error quotes, if it is one of ours.
pub(super) fn quoted_echo(v6: bool, identifier: u16, key: &Key, data: &[u8]) -> Option<Belongs> {
    let quoted = echo(v6, data).filter(|e| !e.reply && e.identifier == identifier)?;
    Some(marked(key, quoted.payload).unwrap_or(Belongs::Sequence(quoted.sequence)))
}

/// What an error says about a probe to `to`; nothing where it says nothing.
pub(super) fn meaning(error: &QueuedError, to: IpAddr) -> Option<(IpAddr, HopAnswer)> {
    let from = error.offender.filter(|_| error.from_network)?;
    let answer = match error.meaning {
        IcmpError::TimeExceeded => HopAnswer::Expired,
        IcmpError::PortUnreachable | IcmpError::ProtocolUnreachable if from == to => HopAnswer::Reached,
        IcmpError::Redirect => return None,
        other => HopAnswer::Error(other),
    };
    Some((from, answer))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sequences_read_back(base: u16, round: u32, ttl in 1_u8..=64) {
            prop_assert_eq!(of_sequence(base, sequence(base, round, ttl)), (round & 0x3ff, ttl));
        }

        #[test]
        fn marks_read_back(lane: u32, round in 0_u32..1 << 24, ttl in 1_u8..=64) {
            let key = Key::default();
            let seal = key.seal(mark(lane, round, ttl));
            prop_assert_eq!(marked(&key, &seal), Some(Belongs::Marked { lane, round, ttl }));
            prop_assert_eq!(marked(&key, &seal[..15]), None);
        }
    }

    #[test]
    fn a_firewalls_port_unreachable_is_no_arrival() {
        let to = IpAddr::from([10, 0, 0, 9]);
        let by = |offender| QueuedError {
            errno: 111,
            from_network: true,
            meaning: IcmpError::PortUnreachable,
            offender: Some(offender),
        };
        assert_eq!(meaning(&by(to), to), Some((to, HopAnswer::Reached)));
        let router = IpAddr::from([10, 0, 0, 1]);
        assert_eq!(meaning(&by(router), to), Some((router, HopAnswer::Error(IcmpError::PortUnreachable))));
    }
}
