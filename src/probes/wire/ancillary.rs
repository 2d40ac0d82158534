//! The control messages that come with a datagram: kernel receive stamp, TTL,
//! and the extended error of the error queue (`cmsg(3)`, `ip(7)`, `ipv6(7)`).
//!
//! Owns their layout on Linux. Must never touch a socket.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use nix::libc;

use crate::model::sample::IcmpError;

/// What came beside a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ancillary {
    /// When the kernel received it: time since the Unix epoch.
    pub stamp: Option<Duration>,
    /// TTL or hop limit it arrived with.
    pub ttl: Option<u8>,
    /// The error, from the error queue.
    pub error: Option<QueuedError>,
}

/// One entry of the error queue (`struct sock_extended_err`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuedError {
    /// The errno that the packet met.
    pub errno: u32,
    /// Whether an ICMP message said so; else this host's own kernel.
    pub from_network: bool,
    /// What the message said. Of a local error the errno's meaning.
    pub meaning: IcmpError,
    /// Who reported it; absent for local errors.
    pub offender: Option<IpAddr>,
}

const ALIGN: usize = size_of::<usize>();
/// `struct cmsghdr`: length (a word), level, type.
const HEADER: usize = size_of::<usize>() + 8;

/// Reads the control messages of one datagram. What is unknown or cut short is
/// left out.
pub fn parse(control: &[u8]) -> Ancillary {
    let mut found = Ancillary::default();
    let mut rest = control;
    while let Some((level, kind, data, next)) = split(rest) {
        match (level, kind) {
            (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => found.stamp = stamp(data),
            (libc::IPPROTO_IP, libc::IP_TTL) | (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => {
                found.ttl = int(data, 0).and_then(|n| u8::try_from(n).ok());
            }
            (libc::IPPROTO_IP, libc::IP_RECVERR) | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) => {
                found.error = queued(data);
            }
            _ => {}
        }
        rest = next;
    }
    found
}

fn split(rest: &[u8]) -> Option<(i32, i32, &[u8], &[u8])> {
    let length = usize::from_ne_bytes(rest.get(..ALIGN)?.try_into().ok()?);
    let level = int(rest, ALIGN)?;
    let kind = int(rest, ALIGN + 4)?;
    let data = rest.get(HEADER..length)?;
    let next = length.checked_next_multiple_of(ALIGN)?;
    Some((level, kind, data, rest.get(next..).unwrap_or_default()))
}

fn int(data: &[u8], at: usize) -> Option<i32> {
    Some(i32::from_ne_bytes(data.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn stamp(data: &[u8]) -> Option<Duration> {
    let word = |at: usize| -> Option<u64> {
        let bytes = data.get(at..at + ALIGN)?;
        let n = isize::from_ne_bytes(bytes.try_into().ok()?);
        u64::try_from(n).ok()
    };
    let nanos = u32::try_from(word(ALIGN)?).ok().filter(|n| *n < 1_000_000_000)?;
    Some(Duration::new(word(0)?, nanos))
}

fn queued(data: &[u8]) -> Option<QueuedError> {
    let errno = int(data, 0)? as u32;
    let [origin, kind, code, _] = *data.get(4..8)? else { return None };
    let info = int(data, 8)? as u32;
    let offender = data.get(16..).and_then(sockaddr).map(|(ip, _)| ip);
    let meaning = match origin {
        libc::SO_EE_ORIGIN_ICMP => IcmpError::from_v4(kind, code, info),
        libc::SO_EE_ORIGIN_ICMP6 => IcmpError::from_v6(kind, code, info),
        _ if errno == libc::EMSGSIZE as u32 => IcmpError::TooBig { mtu: info },
        _ => IcmpError::Other { kind, code },
    };
    let from_network = matches!(origin, libc::SO_EE_ORIGIN_ICMP | libc::SO_EE_ORIGIN_ICMP6);
    Some(QueuedError { errno, from_network, meaning, offender })
}

/// Address and port of a `sockaddr_in` or `sockaddr_in6`.
pub fn sockaddr(name: &[u8]) -> Option<(IpAddr, u16)> {
    let family = u16::from_ne_bytes(name.get(..2)?.try_into().ok()?);
    let port = u16::from_be_bytes(name.get(2..4)?.try_into().ok()?);
    let ip = match i32::from(family) {
        libc::AF_INET => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(name.get(4..8)?).ok()?)),
        libc::AF_INET6 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(name.get(8..24)?).ok()?)),
        _ => return None,
    };
    Some((ip, port))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(level: i32, kind: i32, data: &[u8]) -> Vec<u8> {
        let mut bytes = (HEADER + data.len()).to_ne_bytes().to_vec();
        bytes.extend(level.to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(ALIGN), 0);
        bytes
    }

    #[test]
    fn reads_stamp_ttl_and_error_of_one_datagram() {
        let mut control =
            message(libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS, &[7_isize.to_ne_bytes(), 9_isize.to_ne_bytes()].concat());
        control.extend(message(libc::IPPROTO_IP, libc::IP_TTL, &62_i32.to_ne_bytes()));
        let mut error = 113_u32.to_ne_bytes().to_vec();
        error.extend([libc::SO_EE_ORIGIN_ICMP, 11, 0, 0]);
        error.extend([0; 8]);
        error.extend((libc::AF_INET as u16).to_ne_bytes());
        error.extend([0, 0, 10, 0, 1, 1]);
        error.extend([0; 8]);
        control.extend(message(libc::IPPROTO_IP, libc::IP_RECVERR, &error));
        let found = parse(&control);
        assert_eq!(found.stamp, Some(Duration::new(7, 9)));
        assert_eq!(found.ttl, Some(62));
        let error = found.error.unwrap();
        assert!(error.from_network);
        assert_eq!((error.meaning, error.errno), (IcmpError::TimeExceeded, 113));
        assert_eq!(error.offender, Some(IpAddr::from([10, 0, 1, 1])));
    }

    #[test]
    fn a_local_error_has_no_offender() {
        let mut error = (libc::EMSGSIZE as u32).to_ne_bytes().to_vec();
        error.extend([libc::SO_EE_ORIGIN_LOCAL, 0, 0, 0]);
        error.extend(1400_u32.to_ne_bytes());
        error.extend([0; 20]);
        let found = parse(&message(libc::IPPROTO_IPV6, libc::IPV6_RECVERR, &error)).error.unwrap();
        assert!(!found.from_network);
        assert_eq!((found.meaning, found.offender), (IcmpError::TooBig { mtu: 1400 }, None));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            parse(&bytes);
        }

        #[test]
        fn any_data_behind_a_true_header_is_read_without_harm(
            kind in prop_oneof![
                Just((libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS)), Just((libc::IPPROTO_IP, libc::IP_RECVERR)),
                Just((libc::IPPROTO_IPV6, libc::IPV6_RECVERR)), Just((libc::IPPROTO_IP, libc::IP_TTL)),
            ],
            data in proptest::collection::vec(any::<u8>(), 0..64),
        ) {
            parse(&message(kind.0, kind.1, &data));
        }
    }
}
