//! `[thresholds]`: the table of its keys. The end of a key is its unit.

use std::time::Duration;

use super::reader::{Reader, Section};
use crate::model::{Message, Thresholds};

/// Where a key's value goes; the unit is in the key.
pub(super) enum Slot<'a> {
    /// `_percent`: a ratio.
    Percent(&'a mut f64),
    /// `_times` or a bare figure: a factor.
    Factor(&'a mut f64),
    /// `_ms`.
    Millis(&'a mut Duration),
    /// `_s`.
    Seconds(&'a mut Duration),
    /// `_days`.
    Days(&'a mut Duration),
    /// A count.
    Count(&'a mut u32),
}

type Pick = fn(&mut Thresholds) -> Slot<'_>;

/// Every key.
#[rustfmt::skip]
pub(super) const KEYS: [(&str, Pick); 37] = [
    ("loss_percent", |t| Slot::Percent(&mut t.loss)),
    ("latency_step_ms", |t| Slot::Millis(&mut t.latency_step)),
    ("latency_baseline_times", |t| Slot::Factor(&mut t.latency_times_baseline)),
    ("dns_slow_ms", |t| Slot::Millis(&mut t.dns_slow)),
    ("http_slow_ms", |t| Slot::Millis(&mut t.http_slow)),
    ("http_5xx_baseline_times", |t| Slot::Factor(&mut t.http_5xx_times_baseline)),
    ("http_5xx_for_s", |t| Slot::Seconds(&mut t.http_5xx_for)),
    ("http_errors_percent", |t| Slot::Percent(&mut t.http_errors)),
    ("http_errors_for_s", |t| Slot::Seconds(&mut t.http_errors_for)),
    ("link_saturated_percent", |t| Slot::Percent(&mut t.link_saturated)),
    ("link_saturated_for_s", |t| Slot::Seconds(&mut t.link_saturated_for)),
    ("link_errors_percent", |t| Slot::Percent(&mut t.link_errors)),
    ("tcp_retransmits_percent", |t| Slot::Percent(&mut t.tcp_retransmits)),
    ("cpu_shown_percent", |t| Slot::Percent(&mut t.cpu_shown)),
    ("cpu_shown_for_s", |t| Slot::Seconds(&mut t.cpu_shown_for)),
    ("cpu_warning_percent", |t| Slot::Percent(&mut t.cpu_warning)),
    ("cpu_warning_for_s", |t| Slot::Seconds(&mut t.cpu_warning_for)),
    ("cpu_critical_percent", |t| Slot::Percent(&mut t.cpu_critical)),
    ("cpu_critical_for_s", |t| Slot::Seconds(&mut t.cpu_critical_for)),
    ("memory_warning_percent", |t| Slot::Percent(&mut t.memory_warning)),
    ("memory_warning_for_s", |t| Slot::Seconds(&mut t.memory_warning_for)),
    ("memory_critical_percent", |t| Slot::Percent(&mut t.memory_critical)),
    ("memory_critical_for_s", |t| Slot::Seconds(&mut t.memory_critical_for)),
    ("disk_full_percent", |t| Slot::Percent(&mut t.disk_full)),
    ("disk_await_ms", |t| Slot::Millis(&mut t.disk_await)),
    ("disk_queue_requests", |t| Slot::Factor(&mut t.disk_queue)),
    ("table_warning_percent", |t| Slot::Percent(&mut t.table_warning)),
    ("table_critical_percent", |t| Slot::Percent(&mut t.table_critical)),
    ("silent_for_s", |t| Slot::Seconds(&mut t.silent_for)),
    ("clock_warning_ms", |t| Slot::Millis(&mut t.clock_warning)),
    ("clock_critical_ms", |t| Slot::Millis(&mut t.clock_critical)),
    ("certificate_left_days", |t| Slot::Days(&mut t.certificate_left)),
    ("availability_percent", |t| Slot::Percent(&mut t.availability)),
    ("recovery_success_percent", |t| Slot::Percent(&mut t.recovery_success)),
    ("recovery_probes", |t| Slot::Count(&mut t.recovery_probes)),
    ("recovery_latency_percent", |t| Slot::Percent(&mut t.recovery_latency)),
    ("recovery_latency_slack_ms", |t| Slot::Millis(&mut t.recovery_latency_slack)),
];

/// Pairs where the first may not lie above the second.
const ORDERED: [(&str, &str); 5] = [
    ("cpu_shown_percent", "cpu_warning_percent"),
    ("cpu_warning_percent", "cpu_critical_percent"),
    ("memory_warning_percent", "memory_critical_percent"),
    ("table_warning_percent", "table_critical_percent"),
    ("clock_warning_ms", "clock_critical_ms"),
];

pub(super) fn read(reader: &mut Reader<'_>, mut section: Section<'_, '_>) -> Thresholds {
    let mut t = Thresholds::default();
    let mut places = Vec::new();
    for (key, pick) in KEYS {
        let Some(value) = section.get(key) else { continue };
        places.push((key, value.span()));
        let seconds = |n: f64| Duration::try_from_secs_f64(n).unwrap_or(Duration::MAX);
        match pick(&mut t) {
            Slot::Percent(x) => set(x, reader.number(value, &(0.0..=100.0)), |n| n / 100.0),
            Slot::Factor(x) => set(x, reader.number(value, &(1.0..=1e6)), |n| n),
            Slot::Millis(x) => set(x, reader.number(value, &(0.0..=3.6e6)), |n| seconds(n / 1e3)),
            Slot::Seconds(x) => set(x, reader.number(value, &(1.0..=86_400.0)), seconds),
            Slot::Days(x) => set(x, reader.number(value, &(0.0..=3_650.0)), |n| seconds(n * 86_400.0)),
            Slot::Count(x) => set(x, reader.integer(value, &(1..=10_000_000)), |n| n),
        }
    }
    for (low, high) in ORDERED {
        let figure = |key: &str, t: &mut Thresholds| {
            KEYS.iter().find(|(k, _)| *k == key).map_or(0.0, |(_, pick)| match pick(t) {
                Slot::Percent(x) | Slot::Factor(x) => *x,
                Slot::Millis(x) | Slot::Seconds(x) | Slot::Days(x) => x.as_secs_f64(),
                Slot::Count(x) => f64::from(*x),
            })
        };
        let place = places.iter().find(|(k, _)| *k == low).or_else(|| places.iter().find(|(k, _)| *k == high));
        if let Some((_, span)) = place
            && figure(low, &mut t) > figure(high, &mut t)
        {
            reader.wrong(span.clone(), Message::new("config-order").with("low", low).with("high", high));
        }
    }
    section.finish(reader);
    t
}

fn set<T, N>(slot: &mut T, value: Option<N>, convert: impl FnOnce(N) -> T) {
    if let Some(n) = value {
        *slot = convert(n);
    }
}
