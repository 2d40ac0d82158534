//! How a stretch of time stands in a record: milliseconds as a number, in a field
//! whose name ends in `_ms`. Exact to the nanosecond up to three weeks.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer};

fn to_ms(d: Duration) -> f64 {
    d.as_nanos() as f64 / 1e6
}

/// Nanoseconds, rounded; none for what is no stretch of time.
fn from_ms(ms: f64) -> Option<Duration> {
    let ns = (ms * 1e6).round();
    // The comparison is false for what is not a number.
    (ns >= 0.0 && ns <= u64::MAX as f64).then(|| Duration::from_nanos(ns as u64))
}

/// Writes milliseconds.
pub fn serialize<S: Serializer>(d: &Duration, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_f64(to_ms(*d))
}

/// Reads milliseconds.
pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    let ms = f64::deserialize(d)?;
    from_ms(ms).ok_or_else(|| serde::de::Error::custom(format!("{ms} ms is no stretch of time")))
}

/// The same for what may be absent, which stands as `null`.
pub mod option {
    use super::{Deserialize, Deserializer, Duration, Serializer, from_ms, to_ms};

    /// Writes milliseconds, or `null`.
    pub fn serialize<S: Serializer>(d: &Option<Duration>, s: S) -> Result<S::Ok, S::Error> {
        match d {
            Some(d) => s.serialize_f64(to_ms(*d)),
            None => s.serialize_none(),
        }
    }

    /// Reads milliseconds, or `null`.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Duration>, D::Error> {
        let Some(ms) = Option::<f64>::deserialize(d)? else { return Ok(None) };
        let d = from_ms(ms).ok_or_else(|| serde::de::Error::custom(format!("{ms} ms is no stretch of time")))?;
        Ok(Some(d))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_is_lost_within_three_weeks(ns in 0u64..1_814_400_000_000_000) {
            let d = Duration::from_nanos(ns);
            prop_assert_eq!(from_ms(to_ms(d)), Some(d));
        }

        #[test]
        fn any_number_is_read_or_refused(ms: f64) {
            let _ = from_ms(ms);
        }
    }

    #[test]
    fn what_is_no_stretch_of_time_is_refused() {
        for bad in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(from_ms(bad), None, "{bad}");
        }
    }
}
