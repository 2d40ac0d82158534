//! The text tables under `/proc/net`: `snmp`, `netstat`, `snmp6`,
//! `softnet_stat` and `sockstat` (net/ipv4/proc.c, net/ipv6/proc.c,
//! net/core/net-procfs.c). Owns their grammar. Must never open a file.

/// One number of a paired table (`snmp`, `netstat`): a line of names and a line
/// of values, both beginning with the same `Group:`.
///
/// Values are signed in the kernel's print-out where the MIB says so (TCP
/// MaxConn is -1); a negative or malformed one reads as absent.
pub fn paired<'a>(text: &'a str, mut each: impl FnMut(&'a str, &'a str, u64)) {
    let mut lines = text.lines();
    while let (Some(names), Some(values)) = (lines.next(), lines.next()) {
        let (Some((group, names)), Some((same, values))) = (names.split_once(':'), values.split_once(':')) else {
            continue;
        };
        if group != same {
            continue;
        }
        for (name, value) in names.split_ascii_whitespace().zip(values.split_ascii_whitespace()) {
            if let Ok(value) = value.parse() {
                each(group, name, value);
            }
        }
    }
}

/// The numbers of `snmp6`: a name and a value a line.
pub fn listed<'a>(text: &'a str, mut each: impl FnMut(&'a str, u64)) {
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        if let (Some(name), Some(Ok(value))) = (words.next(), words.next().map(str::parse)) {
            each(name, value);
        }
    }
}

/// Totals over all CPUs of `softnet_stat`: packets dropped because the backlog
/// was full, and times the softirq ran out of budget (columns 2 and 3, hexadecimal).
pub fn softnet(text: &str) -> (u64, u64) {
    let mut sums = (0_u64, 0_u64);
    for line in text.lines() {
        let mut columns = line.split_ascii_whitespace().map(|c| u64::from_str_radix(c, 16).unwrap_or(0)).skip(1);
        sums.0 = sums.0.saturating_add(columns.next().unwrap_or(0));
        sums.1 = sums.1.saturating_add(columns.next().unwrap_or(0));
    }
    sums
}

/// The TCP line of `sockstat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TcpStat {
    /// Sockets in use in this namespace.
    pub inuse: u32,
    /// Connections no process owns any more.
    pub orphan: u32,
    /// Connections in TIME_WAIT.
    pub time_wait: u32,
}

/// Reads the TCP line of `sockstat`; absent when there is none.
pub fn sockstat(text: &str) -> Option<TcpStat> {
    let rest = text.lines().find_map(|l| l.strip_prefix("TCP:"))?;
    let mut stat = TcpStat::default();
    let mut words = rest.split_ascii_whitespace();
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        let Ok(value) = value.parse() else { continue };
        match name {
            "inuse" => stat.inuse = value,
            "orphan" => stat.orphan = value,
            "tw" => stat.time_wait = value,
            _ => {}
        }
    }
    Some(stat)
}

/// TCP sockets in use over IPv6, from `sockstat6`; 0 when there is no such line.
pub fn tcp6_inuse(text: &str) -> u32 {
    let rest = text.lines().find_map(|l| l.strip_prefix("TCP6:"));
    rest.and_then(|r| r.split_ascii_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paired_lines_give_names_their_values() {
        let text =
            "Ip: Forwarding DefaultTTL InDiscards\nIp: 1 64 7\nTcp: MaxConn ActiveOpens\nTcp: -1 5\nTcp: A\nUdp: 3\n";
        let mut seen = Vec::new();
        paired(text, |g, n, v| seen.push((g, n, v)));
        assert_eq!(
            seen,
            [("Ip", "Forwarding", 1), ("Ip", "DefaultTTL", 64), ("Ip", "InDiscards", 7), ("Tcp", "ActiveOpens", 5)]
        );
    }

    #[test]
    fn a_list_gives_a_number_a_line() {
        let mut seen = Vec::new();
        listed("Ip6InReceives                   \t12\nbroken\nUdp6InErrors\t0\n", |n, v| seen.push((n, v)));
        assert_eq!(seen, [("Ip6InReceives", 12), ("Udp6InErrors", 0)]);
    }

    #[test]
    fn softnet_columns_are_hexadecimal_and_summed() {
        let text = "0000272d 0000000a 00000001 00000000\n000034d9 00000001 0000000f\n";
        assert_eq!(softnet(text), (11, 16));
    }

    #[test]
    fn sockstat_has_one_tcp_line() {
        let text = "sockets: used 30\nTCP: inuse 5 orphan 1 tw 40000 alloc 8 mem 1\nUDP: inuse 2 mem 0\n";
        assert_eq!(sockstat(text), Some(TcpStat { inuse: 5, orphan: 1, time_wait: 40_000 }));
        assert_eq!(sockstat("UDP: inuse 2\n"), None);
        assert_eq!(tcp6_inuse("TCP6: inuse 12\nUDP6: inuse 1\n"), 12);
        assert_eq!(tcp6_inuse(""), 0);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC{0,40}(\n[A-Za-z]{1,3}: [-0-9a-f ]{0,30}){0,6}") {
            paired(&text, |_, _, _| {});
            listed(&text, |_, _| {});
            let _ = softnet(&text);
            let _ = (sockstat(&text), tcp6_inuse(&text));
        }
    }
}
