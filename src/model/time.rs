//! Points in time as values. Owns the two clocks' types; never reads a clock.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Monotonic time: nanoseconds since the session began. All intervals, ages and
/// round-trip times come from this clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Mono(pub u64);

impl Mono {
    /// The moment `d` after the session began.
    pub const fn from_duration(d: Duration) -> Self {
        Self(d.as_nanos() as u64)
    }

    /// Time passed since `earlier`; zero when `earlier` is in the future.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The moment `d` later, saturating.
    pub const fn after(self, d: Duration) -> Self {
        Self(self.0.saturating_add(d.as_nanos() as u64))
    }

    /// The moment `d` earlier, saturating at the session's beginning.
    pub const fn before(self, d: Duration) -> Self {
        Self(self.0.saturating_sub(d.as_nanos() as u64))
    }

    /// Whole milliseconds since the session began.
    pub const fn millis(self) -> u64 {
        self.0 / 1_000_000
    }
}

/// Wall-clock time: microseconds since the Unix epoch, UTC. Used to label, never
/// to measure. In records it stands as RFC 3339 with microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Wall(pub i64);

impl Serialize for Wall {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let t = jiff::Timestamp::from_microsecond(self.0).unwrap_or_default();
        s.collect_str(&format_args!("{t:.6}"))
    }
}

impl<'de> Deserialize<'de> for Wall {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let t: jiff::Timestamp = String::deserialize(d)?.parse().map_err(serde::de::Error::custom)?;
        Ok(Self(t.as_microsecond()))
    }
}

impl Wall {
    /// Whole seconds since the Unix epoch, rounded towards the past.
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// RFC 3339 in UTC with milliseconds, as every record and report carries it.
    pub fn rfc3339(self) -> String {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(t) => format!("{t:.3}"),
            Err(_) => "1970-01-01T00:00:00.000Z".to_owned(),
        }
    }
}

/// One moment on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct At {
    /// For measuring.
    #[serde(rename = "mono_ns")]
    pub mono: Mono,
    /// For labelling.
    pub wall: Wall,
}

impl At {
    /// The same moment shifted to `mono`, assuming the wall clock ran evenly.
    pub fn at_mono(self, mono: Mono) -> Self {
        let delta = (mono.0 as i128 - self.mono.0 as i128) / 1_000;
        Self { mono, wall: Wall(self.wall.0.saturating_add(delta as i64)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_labels_are_utc_with_milliseconds() {
        assert_eq!(Wall(1_763_625_600_123_456).rfc3339(), "2025-11-20T08:00:00.123Z");
        assert_eq!(Wall(i64::MAX).rfc3339(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn shifting_keeps_both_clocks_together() {
        let a = At { mono: Mono(5_000_000), wall: Wall(1_000_000) };
        assert_eq!(a.at_mono(Mono(2_000_000)).wall, Wall(997_000));
        assert_eq!(Mono(1).since(Mono(9)), Duration::ZERO);
    }
}
