//! From the kernel's receive stamps, which are wall time, to our monotonic clock.
//!
//! Owns one reading of both clocks. Must never be kept longer than one drain:
//! the wall clock may be set at any time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::model::Mono;
use crate::probes::Clock;

/// A reading of both clocks that took longer was interrupted.
const PROMPT: Duration = Duration::from_micros(2);
const ATTEMPTS: usize = 4;

/// Both clocks, read one after the other.
#[derive(Debug, Clone, Copy)]
pub struct Both {
    mono: Mono,
    wall: Duration,
}

impl Both {
    /// Reads them. Being interrupted between the two would move every stamp, so
    /// a reading that took long is repeated.
    pub fn now(clock: Clock) -> Self {
        let mut best: Option<(Duration, Self)> = None;
        for _ in 0..ATTEMPTS {
            let before = clock.mono();
            let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let took = clock.mono().since(before);
            let both = Self { mono: before.after(took / 2), wall };
            if best.is_none_or(|(least, _)| took < least) {
                best = Some((took, both));
            }
            if took < PROMPT {
                break;
            }
        }
        best.map_or_else(|| Self { mono: clock.mono(), wall: Duration::ZERO }, |(_, both)| both)
    }

    /// The moment of the reading.
    pub fn mono(&self) -> Mono {
        self.mono
    }

    /// The moment that a stamp names, or the reading's own where there is no
    /// stamp or one that is not a plausible past: in the future, or more than
    /// a minute old.
    pub fn of(&self, stamp: Option<Duration>) -> Mono {
        match stamp.and_then(|s| self.wall.checked_sub(s)) {
            Some(age) if age < Duration::from_secs(60) => self.mono.before(age),
            _ => self.mono,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_as_old_as_the_wall_clock_says() {
        let both = Both { mono: Mono(5_000_000_000), wall: Duration::from_secs(1_000) };
        assert_eq!(both.of(Some(Duration::from_millis(999_998))), Mono(4_998_000_000));
        assert_eq!(both.of(Some(Duration::from_secs(1_001))), both.mono);
        assert_eq!(both.of(Some(Duration::from_secs(900))), both.mono);
        assert_eq!(both.of(None), both.mono);
    }
}
