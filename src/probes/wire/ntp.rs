//! NTP packets (RFC 5905, 7.3): the client's request and the server's answer.
//!
//! Owns the format and the offset's arithmetic. Must never know a socket or a
//! clock.

/// Length of a packet without extension fields, in bytes.
pub const PACKET_LEN: usize = 48;

/// Seconds from the NTP era 0 (1900) to the Unix epoch.
const UNIX_ERA: i128 = 2_208_988_800;

const NANOS: i128 = 1_000_000_000;

/// An NTP timestamp: 32 bits of seconds and 32 bits of fraction, of an era that
/// the packet does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// From nanoseconds since the Unix epoch.
    pub const fn from_unix_ns(ns: i128) -> Self {
        let seconds = ns.div_euclid(NANOS) + UNIX_ERA;
        let fraction = (ns.rem_euclid(NANOS) << 32) / NANOS;
        Self(((seconds as u64) << 32) | fraction as u64)
    }

    /// Nanoseconds from `earlier` to this one, the shorter way round the era.
    pub const fn since(self, earlier: Self) -> i64 {
        let difference = self.0.wrapping_sub(earlier.0) as i64;
        ((difference as i128 * NANOS) >> 32) as i64
    }
}

/// A client's request, version 4, mode 3. The transmit timestamp is a cookie that
/// the server returns as origin; it says nothing of our clock where it is random.
pub fn request(cookie: Timestamp) -> [u8; PACKET_LEN] {
    let mut packet = [0; PACKET_LEN];
    packet[0] = (4 << 3) | 3;
    packet[40..].copy_from_slice(&cookie.0.to_be_bytes());
    packet
}

/// A server's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Leap indicator; 3 is unsynchronised.
    pub leap: u8,
    /// Stratum; 0 is a kiss-o'-death.
    pub stratum: u8,
    /// Root delay in microseconds.
    pub root_delay_us: u32,
    /// Root dispersion in microseconds.
    pub root_dispersion_us: u32,
    /// Reference identifier: a kiss code or clock name up to stratum 1, else the
    /// upstream's IPv4 address or a hash.
    pub reference: [u8; 4],
    /// When the server received the request, by its clock.
    pub received: Timestamp,
    /// When the server answered, by its clock.
    pub transmitted: Timestamp,
}

/// Why a datagram is no answer to our request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAnswer {
    /// Shorter than a packet.
    #[error("shorter than an NTP packet")]
    Short,
    /// Version 0 or beyond 4, or not mode 4.
    #[error("not a server's NTP answer")]
    Mode,
    /// The origin timestamp is not our cookie: an answer to somebody else.
    #[error("answers another request")]
    Origin,
    /// Synchronised, but without a time.
    #[error("no time in it")]
    Empty,
}

/// Reads an answer to the request with that cookie.
pub fn read(packet: &[u8], cookie: Timestamp) -> Result<Answer, NotAnAnswer> {
    let Some(p) = packet.first_chunk::<PACKET_LEN>() else { return Err(NotAnAnswer::Short) };
    let version = (p[0] >> 3) & 7;
    if p[0] & 7 != 4 || !(1..=4).contains(&version) {
        return Err(NotAnAnswer::Mode);
    }
    if stamp(p, 24) != cookie {
        return Err(NotAnAnswer::Origin);
    }
    let answer = Answer {
        leap: p[0] >> 6,
        stratum: p[1],
        root_delay_us: short_us(word(p, 4)),
        root_dispersion_us: short_us(word(p, 8)),
        reference: [p[12], p[13], p[14], p[15]],
        received: stamp(p, 32),
        transmitted: stamp(p, 40),
    };
    if answer.stratum != 0 && answer.transmitted == Timestamp::default() {
        return Err(NotAnAnswer::Empty);
    }
    Ok(answer)
}

impl Answer {
    /// The server's clock minus ours in nanoseconds (RFC 5905, 8), our own send
    /// and receive moments given; 0 where the answer carries no time.
    pub const fn offset_ns(&self, sent: Timestamp, arrived: Timestamp) -> i64 {
        if self.transmitted.0 == 0 {
            return 0;
        }
        let there = self.received.since(sent) as i128;
        let back = self.transmitted.since(arrived) as i128;
        i128::midpoint(there, back) as i64
    }

    /// The reference identifier as people write it.
    pub fn reference_text(&self) -> String {
        if self.stratum <= 1 {
            let end = self.reference.iter().rposition(|b| *b != 0).map_or(0, |i| i + 1);
            String::from_utf8_lossy(&self.reference[..end]).into_owned()
        } else {
            std::net::Ipv4Addr::from(self.reference).to_string()
        }
    }
}

fn word(p: &[u8; PACKET_LEN], at: usize) -> u32 {
    u32::from_be_bytes([p[at], p[at + 1], p[at + 2], p[at + 3]])
}

fn stamp(p: &[u8; PACKET_LEN], at: usize) -> Timestamp {
    Timestamp((u64::from(word(p, at)) << 32) | u64::from(word(p, at + 4)))
}

/// NTP short format (16.16 seconds) in microseconds, saturating.
fn short_us(value: u32) -> u32 {
    u32::try_from((u64::from(value) * 1_000_000) >> 16).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(cookie: Timestamp, received: Timestamp, transmitted: Timestamp) -> [u8; PACKET_LEN] {
        let mut p = [0; PACKET_LEN];
        p[0] = (4 << 3) | 4;
        p[1] = 2;
        p[4..8].copy_from_slice(&0x0001_8000u32.to_be_bytes());
        p[12..16].copy_from_slice(&[192, 0, 2, 1]);
        p[24..32].copy_from_slice(&cookie.0.to_be_bytes());
        p[32..40].copy_from_slice(&received.0.to_be_bytes());
        p[40..48].copy_from_slice(&transmitted.0.to_be_bytes());
        p
    }

    #[test]
    fn a_clock_five_seconds_ahead_is_seen() {
        let at = |ms: i128| Timestamp::from_unix_ns(1_800_000_000 * NANOS + ms * 1_000_000);
        let packet = answer(Timestamp(7), at(5_010), at(5_011));
        let read = read(&packet, Timestamp(7)).unwrap();
        let offset = read.offset_ns(at(0), at(21));
        assert!((offset - 5_000_000_000).abs() < 10, "{offset}");
        assert_eq!(read.root_delay_us, 1_500_000);
        assert_eq!(read.reference_text(), "192.0.2.1");
    }

    #[test]
    fn what_is_not_for_us_is_refused() {
        let packet = answer(Timestamp(7), Timestamp(1), Timestamp(1));
        assert_eq!(read(&packet, Timestamp(8)), Err(NotAnAnswer::Origin));
        assert_eq!(read(&packet[..47], Timestamp(7)), Err(NotAnAnswer::Short));
        assert_eq!(read(&request(Timestamp(7)), Timestamp(0)), Err(NotAnAnswer::Mode));
        let empty = answer(Timestamp(7), Timestamp(0), Timestamp(0));
        assert_eq!(read(&empty, Timestamp(7)), Err(NotAnAnswer::Empty));
    }

    #[test]
    fn a_kiss_is_read_by_its_code() {
        let mut packet = answer(Timestamp(7), Timestamp(0), Timestamp(0));
        packet[0] |= 0xc0;
        packet[1] = 0;
        packet[12..16].copy_from_slice(b"RATE");
        let kiss = read(&packet, Timestamp(7)).unwrap();
        assert_eq!((kiss.leap, kiss.stratum, kiss.reference_text().as_str()), (3, 0, "RATE"));
        assert_eq!(kiss.offset_ns(Timestamp(1), Timestamp(2)), 0);
    }

    #[test]
    fn offsets_cross_the_era_of_2036() {
        let before = Timestamp(0u64.wrapping_sub(1 << 31));
        let after = Timestamp(1 << 31);
        assert_eq!(after.since(before), 1_000_000_000);
        assert_eq!(before.since(after), -1_000_000_000);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(packet in proptest::collection::vec(any::<u8>(), 0..80),
                                         cookie: u64, sent: u64, arrived: u64) {
            if let Ok(a) = read(&packet, Timestamp(cookie)) {
                let _ = (a.offset_ns(Timestamp(sent), Timestamp(arrived)), a.reference_text());
            }
        }

        #[test]
        fn any_answer_with_our_cookie_is_survived(mut packet in proptest::collection::vec(any::<u8>(), 48..80),
                                                  sent: u64, arrived: u64) {
            packet[0] = (packet[0] & 0xc0) | (4 << 3) | 4;
            let cookie = Timestamp(u64::from_be_bytes(packet[24..32].try_into().unwrap()));
            if let Ok(a) = read(&packet, cookie) {
                let _ = (a.offset_ns(Timestamp(sent), Timestamp(arrived)), a.reference_text());
            }
        }

        #[test]
        fn unix_time_survives_the_round_trip(a in -(1i64 << 60)..(1i64 << 60), d in -1_000_000_000_000i64..1_000_000_000_000) {
            let x = Timestamp::from_unix_ns(i128::from(a));
            let y = Timestamp::from_unix_ns(i128::from(a) + i128::from(d));
            prop_assert!((y.since(x) - d).abs() <= 2);
        }
    }
}
