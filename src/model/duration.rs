//! How a stretch of time is written on the command line, in the configuration and
//! in runbooks. Owns the syntax only; each place sets its own bounds.

use std::time::Duration;

/// Longest stretch that may be written: a year.
const MAX: Duration = Duration::from_secs(366 * 86_400);

/// Why a stretch of time could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not a number with one of the units.
    #[error("write a number and a unit, as in 500ms, 8s, 2m, 1h or 14d")]
    Syntax,
    /// Beyond a year.
    #[error("longer than a year")]
    TooLong,
}

/// Reads `500ms`, `8s`, `2m` (or `2min`), `1h`, `14d`; a bare number is seconds.
/// Decimals are allowed, signs and exponents are not.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let text = text.trim();
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let seconds = match unit.trim_start() {
        "us" => 1e-6,
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return Err(DurationError::Syntax),
    };
    if !number.bytes().any(|b| b.is_ascii_digit()) {
        return Err(DurationError::Syntax);
    }
    let number: f64 = number.parse().map_err(|_| DurationError::Syntax)?;
    let value = Duration::try_from_secs_f64(number * seconds).map_err(|_| DurationError::TooLong)?;
    if value > MAX { Err(DurationError::TooLong) } else { Ok(value) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn units_are_read() {
        let ms = |text: &str| parse(text).map(|d| d.as_millis());
        assert_eq!(
            ["500ms", "8s", "8", "0.2", "2m", "1.5h", "14d"].map(ms),
            [500, 8_000, 8_000, 200, 120_000, 5_400_000, 1_209_600_000].map(Ok)
        );
        for bad in ["", "s", ".", "1e3", "-1s", "+1", "1x", "1.2.3s", "8 s s", "\u{0661}s"] {
            assert_eq!(parse(bad), Err(DurationError::Syntax), "{bad}");
        }
        assert_eq!(parse("99999999999999999999d"), Err(DurationError::TooLong));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }
    }
}
