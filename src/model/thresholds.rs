//! From where on a figure is told. Owns the defaults (those of the field's
//! guides); the configuration may change each, the rules read them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Every threshold that may be set. Ratios are 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// End-to-end loss above which a path is at fault, ratio.
    pub loss: f64,
    /// Step in round-trip time at a hop that is told.
    pub latency_step: Duration,
    /// Multiple of the baseline that is told too, if at least 20 ms above it.
    pub latency_times_baseline: f64,
    /// Median DNS answer time that is slow.
    pub dns_slow: Duration,
    /// Time to the first byte of an HTTP response that is slow.
    pub http_slow: Duration,
    /// Multiple of its baseline above which the share of 5xx is told.
    pub http_5xx_times_baseline: f64,
    /// For how long it must stay there.
    pub http_5xx_for: Duration,
    /// Share of failed requests that is critical, ratio.
    pub http_errors: f64,
    /// For how long it must stay there.
    pub http_errors_for: Duration,
    /// Share of a link's speed that saturates it, ratio.
    pub link_saturated: f64,
    /// For how long it must stay there.
    pub link_saturated_for: Duration,
    /// Share of packets with errors or drops that is told, ratio.
    pub link_errors: f64,
    /// Share of segments sent again that is told, ratio.
    pub tcp_retransmits: f64,
    /// CPU use that is shown, ratio.
    pub cpu_shown: f64,
    /// For how long it must stay there.
    pub cpu_shown_for: Duration,
    /// CPU use that warns, ratio.
    pub cpu_warning: f64,
    /// For how long it must stay there.
    pub cpu_warning_for: Duration,
    /// CPU use that is critical, ratio.
    pub cpu_critical: f64,
    /// For how long it must stay there.
    pub cpu_critical_for: Duration,
    /// Memory use that warns, ratio.
    pub memory_warning: f64,
    /// For how long it must stay there.
    pub memory_warning_for: Duration,
    /// Memory use that is critical, ratio.
    pub memory_critical: f64,
    /// For how long it must stay there.
    pub memory_critical_for: Duration,
    /// Use of a file system or of its inodes that is told, ratio.
    pub disk_full: f64,
    /// Time a request waits for a disk that is told.
    pub disk_await: Duration,
    /// Requests waiting for a disk that are told with it.
    pub disk_queue: f64,
    /// Use of pools, tables and limits that warns, ratio.
    pub table_warning: f64,
    /// Use of pools, tables and limits that is critical, ratio.
    pub table_critical: f64,
    /// Silence of a watched thing that is told.
    pub silent_for: Duration,
    /// Clock offset that warns.
    pub clock_warning: Duration,
    /// Clock offset that is critical.
    pub clock_critical: Duration,
    /// Certificate lifetime left that warns.
    pub certificate_left: Duration,
    /// Availability over the window below which it is told, ratio.
    pub availability: f64,
    /// Share of probes that must pass for a recovery, ratio.
    pub recovery_success: f64,
    /// Probes needed to say so; fewer is not measured.
    pub recovery_probes: u32,
    /// How far above its baseline latency may stay after a recovery, ratio.
    pub recovery_latency: f64,
    /// The same in time; the larger of both counts.
    pub recovery_latency_slack: Duration,
}

impl Default for Thresholds {
    fn default() -> Self {
        let ms = Duration::from_millis;
        let s = Duration::from_secs;
        Self {
            loss: 0.05,
            latency_step: ms(100),
            latency_times_baseline: 3.0,
            dns_slow: ms(500),
            http_slow: s(2),
            http_5xx_times_baseline: 3.0,
            http_5xx_for: s(120),
            http_errors: 0.30,
            http_errors_for: s(60),
            link_saturated: 0.90,
            link_saturated_for: s(30),
            link_errors: 0.001,
            tcp_retransmits: 0.05,
            cpu_shown: 0.70,
            cpu_shown_for: s(300),
            cpu_warning: 0.85,
            cpu_warning_for: s(300),
            cpu_critical: 0.90,
            cpu_critical_for: s(60),
            memory_warning: 0.85,
            memory_warning_for: s(300),
            memory_critical: 0.90,
            memory_critical_for: s(60),
            disk_full: 0.95,
            disk_await: ms(200),
            disk_queue: 5.0,
            table_warning: 0.80,
            table_critical: 0.90,
            silent_for: s(300),
            clock_warning: ms(500),
            clock_critical: s(5),
            certificate_left: s(14 * 86_400),
            availability: 0.99,
            recovery_success: 0.9995,
            recovery_probes: 2_000,
            recovery_latency: 0.15,
            recovery_latency_slack: ms(2),
        }
    }
}
