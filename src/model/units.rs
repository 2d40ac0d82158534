//! Ratios, prefixes and hardware addresses as values. Owns no formatting for
//! people beyond what the field itself fixes (CIDR, MAC notation).

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An address block in CIDR notation, host bits kept as given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    /// The block's address.
    pub ip: IpAddr,
    /// Prefix length in bits, at most 32 or 128.
    pub len: u8,
}

impl Prefix {
    /// The block; a length beyond the family's is cut to it.
    pub fn new(ip: IpAddr, len: u8) -> Self {
        Self { ip, len: len.min(if ip.is_ipv4() { 32 } else { 128 }) }
    }

    /// Whether `ip` lies in the block.
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.ip, ip) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                let shift = 32 - u32::from(self.len);
                (u64::from(u32::from(net)) >> shift) == (u64::from(u32::from(ip)) >> shift)
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                let shift = 128 - u32::from(self.len);
                u128::from(net).checked_shr(shift) == u128::from(ip).checked_shr(shift)
            }
            _ => false,
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.len)
    }
}

impl FromStr for Prefix {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let (ip, len) = s.split_once('/').ok_or_else(|| format!("{s}: no prefix length"))?;
        let ip: IpAddr = ip.parse().map_err(|e| format!("{ip}: {e}"))?;
        let len: u8 = len.parse().map_err(|e| format!("{len}: {e}"))?;
        if len > if ip.is_ipv4() { 32 } else { 128 } {
            return Err(format!("{len}: longer than the address"));
        }
        Ok(Self { ip, len })
    }
}

impl Serialize for Prefix {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Prefix {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A link-layer (MAC) address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl FromStr for Mac {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 6];
        let mut parts = s.split(':');
        for byte in &mut bytes {
            let part = parts.next().filter(|p| p.len() == 2 && p.bytes().all(|b| b.is_ascii_hexdigit()));
            let value = part.and_then(|p| u8::from_str_radix(p, 16).ok());
            *byte = value.ok_or_else(|| format!("{s}: not six bytes as in 02:00:5e:10:00:01"))?;
        }
        if parts.next().is_some() {
            return Err(format!("{s}: more than six bytes"));
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Mac {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Mac {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// `part` of `whole` as a ratio; nothing when there is no whole.
pub fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn default_routes_contain_everything_of_their_family() {
        let v4: Prefix = "0.0.0.0/0".parse().unwrap();
        let v6: Prefix = "::/0".parse().unwrap();
        assert!(v4.contains("203.0.113.9".parse().unwrap()));
        assert!(v6.contains("2001:db8::1".parse().unwrap()));
        assert!(!v4.contains("2001:db8::1".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn prefixes_print_as_they_parse(ip: IpAddr, len in 0u8..=128) {
            let p = Prefix::new(ip, len);
            prop_assert_eq!(p.to_string().parse::<Prefix>().unwrap(), p);
            prop_assert!(p.contains(ip));
        }

        #[test]
        fn hardware_addresses_print_as_they_parse(bytes: [u8; 6]) {
            prop_assert_eq!(Mac(bytes).to_string().parse(), Ok(Mac(bytes)));
        }

        #[test]
        fn parsing_never_panics(s in ".{0,60}") {
            let _ = (s.parse::<Prefix>(), s.parse::<Mac>());
        }
    }
}
