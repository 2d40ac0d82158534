//! The one place where the session's clocks are read.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::model::{At, Mono, Wall};

/// Reads both clocks relative to the session's beginning. Copies agree.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    epoch: Instant,
}

impl Clock {
    /// Starts a session's clock.
    pub fn start() -> Self {
        Self { epoch: Instant::now() }
    }

    /// Now on the monotonic clock.
    pub fn mono(&self) -> Mono {
        self.of(Instant::now())
    }

    /// A moment taken elsewhere from the same monotonic clock.
    pub fn of(&self, instant: Instant) -> Mono {
        Mono::from_duration(instant.saturating_duration_since(self.epoch))
    }

    /// The instant of a moment of this session.
    pub fn instant(&self, mono: Mono) -> Instant {
        self.epoch + Duration::from_nanos(mono.0)
    }

    /// Now on both clocks.
    pub fn now(&self) -> At {
        let wall = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(d) => d.as_micros() as i64,
            Err(e) => -(e.duration().as_micros() as i64),
        };
        At { mono: self.mono(), wall: Wall(wall) }
    }
}
