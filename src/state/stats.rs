//! Counts and percentiles of a set of measurements. Owns the arithmetic of loss,
//! lateness and jitter.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::series::Point;
use crate::model::units::ratio;

/// Measurements counted by what they came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Answered in time.
    pub answered: u64,
    /// Answered after the time-out.
    pub late: u64,
    /// Silence.
    pub lost: u64,
    /// Refused by the host itself.
    pub refused: u64,
    /// ICMP errors from others.
    pub errors: u64,
    /// Failed above the transport.
    pub failed: u64,
    /// Not sent.
    pub unsent: u64,
}

impl Tally {
    /// Counts one more.
    pub fn add(&mut self, point: Point) {
        match point {
            Point::Answered(_) => self.answered += 1,
            Point::Late(_) => self.late += 1,
            Point::Lost => self.lost += 1,
            Point::Refused(_) => self.refused += 1,
            Point::Error => self.errors += 1,
            Point::Failed => self.failed += 1,
            Point::Unsent => self.unsent += 1,
        }
    }

    /// Measurements that left this host.
    pub fn sent(&self) -> u64 {
        self.answered + self.late + self.lost + self.refused + self.errors + self.failed
    }

    /// Measurements that brought any answer from the host itself.
    pub fn received(&self) -> u64 {
        self.answered + self.late + self.refused + self.failed
    }

    /// Share of what was sent that brought no answer from the host, 0 to 1; none
    /// where nothing was sent.
    pub fn loss(&self) -> Option<f64> {
        ratio(self.lost + self.errors, self.sent())
    }

    /// Share of what was sent that did not do what was asked, 0 to 1.
    pub fn failure(&self) -> Option<f64> {
        ratio(self.sent() - self.answered - self.late, self.sent())
    }
}

/// Counts and round-trip times.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Stats {
    /// Counts.
    pub tally: Tally,
    /// Smallest.
    pub min: Option<Duration>,
    /// Median.
    pub p50: Option<Duration>,
    /// Exceeded by one in ten.
    pub p90: Option<Duration>,
    /// Exceeded by one in a hundred.
    pub p99: Option<Duration>,
    /// Largest.
    pub max: Option<Duration>,
    /// Mean difference between one answer and the next (as RFC 3550 6.4.1, not
    /// smoothed).
    pub jitter: Option<Duration>,
}

impl Stats {
    /// Figures of points in the order of sending.
    pub fn of(points: impl Iterator<Item = Point>) -> Self {
        let mut tally = Tally::default();
        let mut rtts = Vec::new();
        for point in points {
            tally.add(point);
            if let Point::Answered(rtt) | Point::Late(rtt) = point {
                rtts.push(rtt);
            }
        }
        let steps = rtts.windows(2).map(|w| w[0].abs_diff(w[1]));
        let jitter = (rtts.len() > 1).then(|| steps.sum::<Duration>() / (rtts.len() as u32 - 1));
        rtts.sort_unstable();
        let at = |q: f64| quantile(&rtts, q);
        Self { tally, min: at(0.0), p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1.0), jitter }
    }

    /// Replaces percentiles by those over `older` and `newer` (microseconds) together.
    pub(super) fn merge_older(&mut self, older: &Histogram<u32>, newer: &[u64]) {
        let mut all = older.clone();
        for &us in newer {
            all.saturating_record(us);
        }
        let at = |q: f64| Some(Duration::from_micros(all.value_at_quantile(q)));
        let extreme = |own: Option<Duration>, old: u64, pick: fn(Duration, Duration) -> Duration| {
            let old = Duration::from_micros(old);
            Some(own.map_or(old, |own| pick(own, old)))
        };
        self.min = extreme(self.min, older.min(), Duration::min);
        self.max = extreme(self.max, older.max(), Duration::max);
        (self.p50, self.p90, self.p99) = (at(0.5), at(0.9), at(0.99));
    }
}

/// The value at quantile `q` (0 to 1) of sorted values by the nearest-rank method;
/// the median of an even count is the mean of the middle two.
pub fn quantile(sorted: &[Duration], q: f64) -> Option<Duration> {
    let n = sorted.len();
    if n == 0 {
        return None;
    }
    if (q - 0.5).abs() < f64::EPSILON && n.is_multiple_of(2) {
        return Some((sorted[n / 2 - 1] + sorted[n / 2]) / 2);
    }
    let rank = (q * n as f64).ceil() as usize;
    sorted.get(rank.clamp(1, n) - 1).copied()
}

/// Probability of `hits` or more in `trials` where each hits with probability `p`:
/// the upper tail of the binomial distribution. Used to tell a loss that is there
/// from one that chance explains.
pub fn binomial_tail(hits: u64, trials: u64, p: f64) -> f64 {
    if hits == 0 {
        return 1.0;
    }
    if hits > trials || p <= 0.0 {
        return 0.0;
    }
    let (ln_p, ln_q) = (p.ln(), (1.0 - p).ln());
    let mut ln_choose = 0.0;
    let mut tail = 0.0;
    for k in 0..=trials {
        if k > 0 {
            ln_choose += ((trials - k + 1) as f64).ln() - (k as f64).ln();
        }
        if k >= hits {
            tail += (ln_choose + k as f64 * ln_p + (trials - k) as f64 * ln_q).exp();
        }
    }
    tail.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_by_nearest_rank() {
        let v: Vec<_> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(quantile(&v, 0.99), Some(Duration::from_millis(99)));
        assert_eq!(quantile(&v, 0.0), Some(Duration::from_millis(1)));
        assert_eq!(quantile(&v, 0.5), Some(Duration::from_micros(50_500)));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn a_loss_that_chance_explains_has_a_large_tail() {
        assert!(binomial_tail(1, 8, 0.02) > 0.1);
        assert!(binomial_tail(16, 160, 0.02) < 1e-6);
        assert!((binomial_tail(0, 5, 0.5) - 1.0).abs() < 1e-12);
        assert!((binomial_tail(5, 5, 0.5) - 0.03125).abs() < 1e-12);
    }

    #[test]
    fn jitter_is_the_mean_step() {
        let ms = Duration::from_millis;
        let s = Stats::of(
            [Point::Answered(ms(1)), Point::Lost, Point::Answered(ms(3)), Point::Answered(ms(2))].into_iter(),
        );
        assert_eq!(s.jitter, Some(Duration::from_micros(1500)));
        assert_eq!(s.tally.loss(), Some(0.25));
    }
}
