//! ICMP and ICMPv6 echo (RFC 792, RFC 4443, 4.1), and the payload that tells
//! our packets from everybody else's.
//!
//! Owns the bytes. Must never know a socket.

use std::hash::{BuildHasher, RandomState};

/// Bytes of an ICMP header.
pub const HEADER: usize = 8;
/// Bytes of our payload.
pub const PAYLOAD: usize = 24;
/// Bytes of one of our echo requests.
pub const ECHO: usize = HEADER + PAYLOAD;

/// The mark in the payload of each of our packets: two numbers of ours and a
/// tag over them that nobody can make who has not seen the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Which probe or lane.
    pub who: u32,
    /// Which packet of it.
    pub which: u32,
}

/// The key of a process' marks, drawn at its making.
#[derive(Debug, Clone, Default)]
pub struct Key(RandomState);

impl Key {
    fn tag(&self, mark: Mark) -> u64 {
        self.0.hash_one((mark.who, mark.which))
    }

    /// A number that others cannot guess, for identifiers and starting points.
    pub fn random(&self, salt: u32) -> u16 {
        self.0.hash_one(("random", salt)) as u16
    }

    /// The 16 bytes that stand for `mark`.
    pub fn seal(&self, mark: Mark) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.tag(mark).to_be_bytes());
        bytes[8..12].copy_from_slice(&mark.who.to_be_bytes());
        bytes[12..].copy_from_slice(&mark.which.to_be_bytes());
        bytes
    }

    /// The mark that `bytes` begin with, if it is one of ours.
    pub fn open(&self, bytes: &[u8]) -> Option<Mark> {
        let mark = Mark { who: be32(bytes, 8)?, which: be32(bytes, 12)? };
        (bytes.get(..8)? == self.tag(mark).to_be_bytes()).then_some(mark)
    }
}

/// An echo message's numbers and payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Echo<'a> {
    /// Whether it is a reply; else a request.
    pub reply: bool,
    /// Identifier.
    pub identifier: u16,
    /// Sequence number.
    pub sequence: u16,
    /// What follows the header; may be cut short where it is a quotation.
    pub payload: &'a [u8],
}

/// Writes an echo request. The payload is the mark, and two bytes that keep the
/// checksum the same for all sequence numbers of one identifier and `flow`, so
/// that routers that hash it take all of them along one path (Paris traceroute,
/// Augustin et al. 2006). On IPv6 the kernel fills in the checksum; the sum of
/// the rest is the same all the same.
pub fn echo_request(v6: bool, identifier: u16, sequence: u16, seal: [u8; 16], flow: u16) -> [u8; ECHO] {
    let mut packet = [0; ECHO];
    packet[0] = if v6 { 128 } else { 8 };
    packet[4..6].copy_from_slice(&identifier.to_be_bytes());
    packet[6..8].copy_from_slice(&sequence.to_be_bytes());
    packet[HEADER..HEADER + 16].copy_from_slice(&seal);
    // Ones' complement: what the balance must add for the sum to be `flow`.
    let balance = fold(u32::from(flow) + u32::from(!sum(&packet)));
    packet[ECHO - 2..].copy_from_slice(&balance.to_be_bytes());
    if !v6 {
        let checksum = !sum(&packet);
        packet[2..4].copy_from_slice(&checksum.to_be_bytes());
    }
    packet
}

/// Reads an echo message, or the beginning of one that an error quotes.
pub fn echo(v6: bool, bytes: &[u8]) -> Option<Echo<'_>> {
    let header = bytes.get(..HEADER)?;
    let reply = match (v6, header[0], header[1]) {
        (false, 0, 0) | (true, 129, 0) => true,
        (false, 8, 0) | (true, 128, 0) => false,
        _ => return None,
    };
    Some(Echo { reply, identifier: be16(bytes, 4)?, sequence: be16(bytes, 6)?, payload: &bytes[HEADER..] })
}

/// What follows an IPv4 header, and that header's TTL.
pub fn skip_ipv4(bytes: &[u8]) -> Option<(&[u8], u8)> {
    let first = *bytes.first()?;
    let length = usize::from(first & 0xf) * 4;
    if first >> 4 != 4 || length < 20 {
        return None;
    }
    Some((bytes.get(length..)?, *bytes.get(8)?))
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The ones' complement sum of RFC 1071.
fn sum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|c| u32::from(c[0]) << 8 | u32::from(c.get(1).copied().unwrap_or(0)));
    fold(words.fold(0_u32, u32::wrapping_add))
}

fn fold(sum: u32) -> u16 {
    let sum = (sum & 0xffff) + (sum >> 16);
    ((sum & 0xffff) + (sum >> 16)) as u16
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_ipv4_header_with_options_is_skipped() {
        let mut bytes = vec![0x46; 24];
        bytes[8] = 61;
        bytes.extend([1, 2, 3]);
        assert_eq!(skip_ipv4(&bytes), Some((&[1, 2, 3][..], 61)));
        assert_eq!(skip_ipv4(&[0x44; 30]), None);
        assert_eq!(skip_ipv4(&[0x60; 40]), None);
    }

    proptest! {
        #[test]
        fn checksums_are_right_and_the_same_along_a_flow(
            id: u16, a: u16, b: u16, flow: u16, who: u32, which: u32,
        ) {
            let key = Key::default();
            let one = echo_request(false, id, a, key.seal(Mark { who, which }), flow);
            let two = echo_request(false, id, b, key.seal(Mark { who, which: which ^ 1 }), flow);
            prop_assert_eq!(sum(&one), 0xffff);
            // 0x0000 and 0xffff are the same number in ones' complement.
            let same = |c: &[u8; ECHO]| if c[2..4] == [0xff, 0xff] { [0, 0] } else { [c[2], c[3]] };
            prop_assert_eq!(same(&one), same(&two));
        }

        #[test]
        fn a_request_reads_back(v6: bool, id: u16, seq: u16, who: u32, which: u32) {
            let key = Key::default();
            let mark = Mark { who, which };
            let packet = echo_request(v6, id, seq, key.seal(mark), 7);
            let read = echo(v6, &packet).unwrap();
            prop_assert_eq!((read.reply, read.identifier, read.sequence), (false, id, seq));
            prop_assert_eq!(key.open(read.payload), Some(mark));
            prop_assert_eq!(Key::default().open(read.payload), None);
        }

        #[test]
        fn any_bytes_are_read_without_harm(v6: bool, bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            echo(v6, &bytes);
            skip_ipv4(&bytes);
            prop_assert_eq!(Key::default().open(&bytes), None);
        }
    }
}
