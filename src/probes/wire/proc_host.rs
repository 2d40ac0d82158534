//! The text of `/proc/pressure/*`, `/proc/sys/fs/file-nr`, `/proc/loadavg` and
//! `/proc/uptime` (Documentation/accounting/psi.rst, proc(5)). Owns their
//! grammar. Must never open a file.

/// The `some avg10` figure of a pressure file as a ratio, 0 to 1.
pub fn pressure(text: &str) -> Option<f64> {
    let line = text.lines().find_map(|l| l.strip_prefix("some "))?;
    let avg10 = line.split_ascii_whitespace().find_map(|w| w.strip_prefix("avg10="))?;
    finite(avg10).map(|p| (p / 100.0).clamp(0.0, 1.0))
}

/// File handles in use and their limit, from `file-nr` (allocated, free, limit).
pub fn file_handles(text: &str) -> Option<(u64, u64)> {
    let mut words = text.split_ascii_whitespace();
    let allocated: u64 = words.next()?.parse().ok()?;
    let free: u64 = words.next()?.parse().ok()?;
    Some((allocated.saturating_sub(free), words.next()?.parse().ok()?))
}

/// Load averages over 1, 5 and 15 minutes.
pub fn load_average(text: &str) -> Option<[f64; 3]> {
    let mut words = text.split_ascii_whitespace().map(finite);
    Some([words.next()??, words.next()??, words.next()??])
}

/// Whole seconds since boot.
pub fn uptime(text: &str) -> Option<u64> {
    finite(text.split_ascii_whitespace().next()?).map(|s| s.max(0.0) as u64)
}

fn finite(word: &str) -> Option<f64> {
    word.parse().ok().filter(|n: &f64| n.is_finite())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_kernels_own_print_outs() {
        let psi = "some avg10=12.50 avg60=0.00 avg300=0.00 total=5\nfull avg10=1.00 avg60=0.00 avg300=0.00 total=1\n";
        assert_eq!(pressure(psi), Some(0.125));
        assert_eq!(file_handles("1216\t16\t9223372036854775807\n"), Some((1200, i64::MAX as u64)));
        assert_eq!(load_average("0.52 0.58 0.59 1/597 12345\n"), Some([0.52, 0.58, 0.59]));
        assert_eq!(uptime("350735.47 234388.90\n"), Some(350_735));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(some )?(avg10=)?[-0-9.eE nafi]{0,20} ?[-0-9. ]{0,20}\\PC{0,20}") {
            if let Some(p) = pressure(&text) {
                prop_assert!((0.0..=1.0).contains(&p));
            }
            let _ = (file_handles(&text), load_average(&text), uptime(&text));
        }
    }
}
