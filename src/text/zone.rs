//! The local time zone. Owns how a moment is written for people; records carry
//! UTC ([`Wall::rfc3339`]) and never come through here.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::Wall;

/// A time zone to label moments in.
#[derive(Debug, Clone)]
pub struct Zone(TimeZone);

impl Zone {
    /// The system's zone (`TZ`, else `/etc/localtime`, else UTC).
    pub fn local() -> Self {
        Self(TimeZone::system())
    }

    /// Universal time.
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// `03:12:07`.
    pub fn time(&self, at: Wall) -> String {
        self.print(at, "%H:%M:%S")
    }

    /// `03:12`.
    pub fn minute(&self, at: Wall) -> String {
        self.print(at, "%H:%M")
    }

    /// `2026-11-20`.
    pub fn date(&self, at: Wall) -> String {
        self.print(at, "%Y-%m-%d")
    }

    /// `2026-11-20 03:12:07`.
    pub fn date_time(&self, at: Wall) -> String {
        self.print(at, "%Y-%m-%d %H:%M:%S")
    }

    /// The zone's abbreviation at that moment (`CET`, `UTC`, `+0530`).
    pub fn name(&self, at: Wall) -> String {
        self.print(at, "%Z")
    }

    fn print(&self, at: Wall, format: &str) -> String {
        let stamp = Timestamp::from_microsecond(at.0).unwrap_or_default();
        let zoned = stamp.to_zoned(self.0.clone());
        jiff::fmt::strtime::format(format, &zoned).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_in_the_zone() {
        let at = Wall(1_763_625_600_000_000);
        assert_eq!(Zone::utc().date_time(at), "2025-11-20 08:00:00");
        assert_eq!(Zone::utc().name(at), "UTC");
        let east = Zone(TimeZone::fixed(jiff::tz::offset(2)));
        assert_eq!(
            (east.time(at), east.minute(at), east.date(at)),
            ("10:00:00".into(), "10:00".into(), "2025-11-20".into())
        );
        assert_eq!(Zone::utc().time(Wall(i64::MAX)), "00:00:00");
    }
}
