//! Figures as people read them. Owns digits and units, all in ASCII so that they
//! fit any terminal; must never decide whether a figure is good.
//!
//! A rounded figure never says more than the exact one: a loss that is not zero
//! does not read `0 %`, one that is not total does not read `100 %`.

use std::time::Duration;

/// A round-trip time for a column headed `ms`: `0.05`, `0.3`, `12`, `1.2 s`.
pub fn rtt(d: Duration) -> String {
    ms(d.as_secs_f64() * 1e3)
}

/// As [`rtt`], with the unit: `0.3 ms`, `1.2 s`.
pub fn rtt_unit(d: Duration) -> String {
    ms_unit(d.as_secs_f64() * 1e3)
}

/// Milliseconds for a column headed `ms`; see [`rtt`]. May be negative (offsets).
pub fn ms(ms: f64) -> String {
    match ms.abs() {
        a if !a.is_finite() => "-".to_owned(),
        0.0 => "0".to_owned(),
        a if a < 0.095 => trimmed(ms, if a < 0.000_95 { 4 } else { 2 }),
        a if a < 9.95 => fixed(ms, 1),
        a if a < 999.5 => fixed(ms, 0),
        a if a < 9_950.0 => format!("{} s", fixed(ms / 1e3, 1)),
        _ => format!("{} s", fixed(ms / 1e3, 0)),
    }
}

/// As [`ms()`], with the unit.
pub fn ms_unit(value: f64) -> String {
    let mut text = ms(value);
    if !text.ends_with('s') && text != "-" {
        text.push_str(" ms");
    }
    text
}

/// A ratio per cent: `0 %`, `0.4 %`, `12 %`, `99.95 %`, `100 %`; what would round
/// to an end it has not reached reads `<0.01 %` or `>99.99 %`.
pub fn percent(ratio: f64) -> String {
    let p = ratio * 100.0;
    match p {
        p if !p.is_finite() => "-".to_owned(),
        p if !(0.0..=100.0).contains(&p) => format!("{} %", fixed(p, 0)),
        0.0 => "0 %".to_owned(),
        100.0 => "100 %".to_owned(),
        p if p < 0.01 => "<0.01 %".to_owned(),
        p if p > 99.99 => ">99.99 %".to_owned(),
        p if p < 0.095 => format!("{} %", trimmed(p, 2)),
        p if p < 9.95 => format!("{} %", trimmed(p, 1)),
        p if p < 99.0 => format!("{} %", fixed(p, 0)),
        // Cut rather than rounded: 99.949 is under a bar of 99.95. The small
        // addend keeps what binary fractions put a hair below.
        p => format!("{} %", trimmed((p * 100.0 + 1e-6).floor() / 100.0, 2)),
    }
}

/// A count with thousands: `1,204`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// Bits a second in decimal units: `0 b/s`, `950 kb/s`, `1.2 Mb/s`.
pub fn bit_rate(bits: f64) -> String {
    scaled(bits, 1_000.0, &["b/s", "kb/s", "Mb/s", "Gb/s", "Tb/s"])
}

/// A link's speed from Mb/s: `10G`, `2.5G`, `100M`.
pub fn link_speed(mbps: u32) -> String {
    if mbps >= 1_000 { format!("{}G", trimmed(f64::from(mbps) / 1e3, 1)) } else { format!("{mbps}M") }
}

/// Bytes in binary units (IEC 80000-13): `512 B`, `1.5 GiB`.
pub fn bytes(n: u64) -> String {
    scaled(n as f64, 1_024.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB"])
}

/// A stretch of time: `07:41` under an hour, `2 h 03`, `3 d 04 h`.
pub fn duration(d: Duration) -> String {
    let s = d.as_secs();
    match s {
        0..3_600 => format!("{:02}:{:02}", s / 60, s % 60),
        3_600..86_400 => format!("{} h {:02}", s / 3_600, s % 3_600 / 60),
        _ => format!("{} d {:02} h", s / 86_400, s % 86_400 / 3_600),
    }
}

/// A running clock: `00:07:41`; hours grow past 99.
pub fn clock(d: Duration) -> String {
    let s = d.as_secs();
    format!("{:02}:{:02}:{:02}", s / 3_600, s % 3_600 / 60, s % 60)
}

/// How old or how far away, in its largest unit: `8 s`, `12 min`, `3 h`, `41 d`.
pub fn age(d: Duration) -> String {
    match d.as_secs() {
        s @ 0..60 => format!("{s} s"),
        s @ 60..3_600 => format!("{} min", s / 60),
        s @ 3_600..172_800 => format!("{} h", s / 3_600),
        s => format!("{} d", s / 86_400),
    }
}

/// A number without a unit: whole as it is, else three significant digits or so.
pub fn plain(n: f64) -> String {
    match n.abs() {
        a if !a.is_finite() => "-".to_owned(),
        a if n.fract() == 0.0 && a < 1e15 => format!("{n:.0}"),
        a if a < 0.1 => trimmed(n, 4),
        a if a < 10.0 => trimmed(n, 2),
        a if a < 100.0 => trimmed(n, 1),
        _ => fixed(n, 0),
    }
}

fn scaled(value: f64, step: f64, units: &[&str]) -> String {
    let mut value = value.max(0.0);
    let mut unit = 0;
    // 999.5 would print as 1000 of the smaller unit.
    while value >= step - 0.5 && unit + 1 < units.len() {
        value /= step;
        unit += 1;
    }
    let digits = usize::from(value < 9.95 && unit > 0);
    format!("{} {}", fixed(value, digits), units.get(unit).copied().unwrap_or_default())
}

fn fixed(value: f64, digits: usize) -> String {
    format!("{value:.digits$}")
}

/// Fixed digits, then trailing zeros cut.
fn trimmed(value: f64, digits: usize) -> String {
    let text = fixed(value, digits);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_have_the_digits_that_matter() {
        let shown = |us: u64| rtt(Duration::from_micros(us));
        assert_eq!(
            [0, 40, 96, 300, 9_940, 9_960, 12_400, 999_400, 999_600, 1_204_000, 12_000_000].map(shown),
            ["0", "0.04", "0.1", "0.3", "9.9", "10", "12", "999", "1.0 s", "1.2 s", "12 s"]
        );
        assert_eq!(rtt_unit(Duration::from_micros(300)), "0.3 ms");
        assert_eq!(ms_unit(1_204.0), "1.2 s");
        assert_eq!(ms(-12.0), "-12");
        assert_eq!(ms(f64::NAN), "-");
    }

    #[test]
    fn ratios_keep_their_ends_honest() {
        let shown = |r: f64| percent(r);
        assert_eq!(
            [0.0, 0.000_01, 0.0005, 0.004, 0.015, 0.07, 0.12, 0.985, 0.9949, 0.9995, 0.999_49, 0.999_99, 1.0]
                .map(shown),
            [
                "0 %", "<0.01 %", "0.05 %", "0.4 %", "1.5 %", "7 %", "12 %", "98 %", "99.49 %", "99.95 %", "99.94 %",
                ">99.99 %", "100 %"
            ]
        );
    }

    #[test]
    fn counts_rates_and_sizes() {
        assert_eq!([0, 999, 1_204, 1_234_567].map(count), ["0", "999", "1,204", "1,234,567"]);
        assert_eq!(
            [0.0, 999.0, 999.6, 1_200_000.0, 9.99e9].map(bit_rate),
            ["0 b/s", "999 b/s", "1.0 kb/s", "1.2 Mb/s", "10 Gb/s"]
        );
        assert_eq!([0, 512, 1_024, 1_610_612_736].map(bytes), ["0 B", "512 B", "1.0 KiB", "1.5 GiB"]);
        assert_eq!([100, 1_000, 2_500, 10_000].map(link_speed), ["100M", "1G", "2.5G", "10G"]);
    }

    #[test]
    fn stretches_of_time() {
        let s = Duration::from_secs;
        assert_eq!([461, 7_380, 273_600].map(|n| duration(s(n))), ["07:41", "2 h 03", "3 d 04 h"]);
        assert_eq!([8, 720, 10_800, 3_542_400].map(|n| age(s(n))), ["8 s", "12 min", "3 h", "41 d"]);
        assert_eq!(clock(s(461)), "00:07:41");
        assert_eq!([5_432.0, 0.25, 12.34].map(plain), ["5432", "0.25", "12.3"]);
    }

    proptest! {
        #[test]
        fn a_ratio_reads_as_an_end_only_at_that_end(r in 0.0f64..=1.0) {
            prop_assert_eq!(percent(r) == "0 %", r == 0.0);
            prop_assert_eq!(percent(r) == "100 %", r * 100.0 >= 100.0);
        }

        #[test]
        fn any_figure_is_short_ascii(x: f64, n: u64) {
            for text in [ms(x), percent(x), bit_rate(x), plain(x), count(n), bytes(n), age(Duration::from_secs(n))] {
                prop_assert!(text.is_ascii());
            }
        }
    }
}
