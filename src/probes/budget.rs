//! One packet budget for all probes together: a console must not become the flood.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// A token bucket: `rate` packets a second, a tenth of a second's worth in a burst.
#[derive(Debug, Clone)]
pub struct Budget(Arc<Mutex<Bucket>>);

#[derive(Debug)]
struct Bucket {
    rate: f64,
    tokens: f64,
    filled: Instant,
    refused: u64,
}

impl Budget {
    /// A full bucket at `now`. `rate` is in packets a second.
    pub fn new(rate: u32, now: Instant) -> Self {
        let rate = f64::from(rate.max(10));
        Self(Arc::new(Mutex::new(Bucket { rate, tokens: burst(rate), filled: now, refused: 0 })))
    }

    /// Takes `packets` from the bucket if they are there; counts the refusal if not.
    pub fn take(&self, packets: u32, now: Instant) -> bool {
        let mut b = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now.saturating_duration_since(b.filled).as_secs_f64();
        b.tokens = (b.tokens + passed * b.rate).min(burst(b.rate));
        b.filled = b.filled.max(now);
        let wanted = f64::from(packets);
        if b.tokens >= wanted {
            b.tokens -= wanted;
            true
        } else {
            b.refused += u64::from(packets);
            false
        }
    }

    /// Changes the rate.
    pub fn set_rate(&self, rate: u32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).rate = f64::from(rate.max(10));
    }

    /// Packets refused since the last call.
    pub fn take_refused(&self) -> u64 {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).refused)
    }
}

fn burst(rate: f64) -> f64 {
    (rate / 10.0).max(64.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn spends_no_more_than_its_rate() {
        let start = Instant::now();
        let budget = Budget::new(1000, start);
        let sent = (0..10_000).filter(|i| budget.take(1, start + Duration::from_micros(i * 100))).count();
        assert!((1000..=1101).contains(&sent), "{sent}");
        assert_eq!(budget.take_refused(), 10_000 - sent as u64);
        assert_eq!(budget.take_refused(), 0);
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let start = Instant::now() + Duration::from_secs(100);
        let budget = Budget::new(10, start);
        while budget.take(1, start) {}
        assert!(!budget.take(1, start.checked_sub(Duration::from_secs(50)).unwrap()));
        assert!(!budget.take(1, start));
    }
}
