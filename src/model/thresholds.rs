//! The limits that judgement starts from (mission: "Thresholds to start from").
//! All are configurable; ratios are 0 to 1.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// When something counts as wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// End-to-end loss above this is a finding.
    pub loss: f64,
    /// Median DNS answer above this is slow.
    pub dns_slow: Duration,
    /// First byte of an HTTP answer after this is slow.
    pub http_slow: Duration,
    /// A certificate with this or less left is expiring.
    pub certificate_left: Duration,
    /// Clock off by more than this is critical.
    pub clock_offset: Duration,
    /// File system use above this is full.
    pub disk_full: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            loss: 0.05,
            dns_slow: Duration::from_millis(500),
            http_slow: Duration::from_secs(2),
            certificate_left: Duration::from_secs(14 * 86_400),
            clock_offset: Duration::from_secs(5),
            disk_full: 0.95,
        }
    }
}
