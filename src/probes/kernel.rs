//! The kernel's transport counters and the connection tracking table's fill.
//!
//! Owns the feed and which counter stands for what. Must never judge a rate.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::blocking::blocking;
use super::feed::{FeedContext, FeedEnd, FeedFuture};
use super::wire::proc_net;
use crate::model::RecordKind;
use crate::model::socket::KernelCounters;

const INTERVAL: Duration = Duration::from_secs(2);
/// Nothing is older than this.
const REWRITE: Duration = Duration::from_secs(10);

/// Starts the feed. It writes [`RecordKind::Kernel`].
pub fn run(ctx: FeedContext) -> FeedFuture {
    Box::pin(feed(ctx))
}

async fn feed(ctx: FeedContext) -> FeedEnd {
    let mut written: Option<(Instant, KernelCounters)> = None;
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        ctx.pulse.touch();
        let counters = match blocking(|| read(Path::new("/proc"))).await {
            Ok(Some(counters)) => counters,
            Ok(None) => return FeedEnd::Broken("/proc/net/snmp: cannot be read".to_owned()),
            Err(e) => return FeedEnd::Broken(format!("kernel counters: {e}")),
        };
        let now = Instant::now();
        if written.is_none_or(|(at, before)| before != counters || now.duration_since(at) >= REWRITE) {
            ctx.out.put(RecordKind::Kernel(counters));
            written = Some((now, counters));
        }
    }
}

/// Reads all counters below `proc`; none where not even `net/snmp` is there. A
/// file that is missing (no IPv6, no conntrack) leaves its counters at zero or
/// absent.
fn read(proc: &Path) -> Option<KernelCounters> {
    let text = |file: &str| fs::read_to_string(proc.join(file)).ok();
    let mut c = KernelCounters::default();
    proc_net::paired(&text("net/snmp")?, |group, name, value| snmp(&mut c, group, name, value));
    if let Some(text) = text("net/netstat") {
        proc_net::paired(&text, |group, name, value| netstat(&mut c, group, name, value));
    }
    if let Some(text) = text("net/snmp6") {
        proc_net::listed(&text, |name, value| snmp6(&mut c, name, value));
    }
    if let Some(text) = text("net/softnet_stat") {
        (c.softnet_dropped, c.softnet_time_squeeze) = proc_net::softnet(&text);
    }
    let number = |file: PathBuf| fs::read_to_string(file).ok()?.trim_ascii().parse().ok();
    c.conntrack_count = number(proc.join("sys/net/netfilter/nf_conntrack_count"));
    c.conntrack_max = number(proc.join("sys/net/netfilter/nf_conntrack_max"));
    Some(c)
}

fn snmp(c: &mut KernelCounters, group: &str, name: &str, value: u64) {
    let counter = match (group, name) {
        ("Tcp", "ActiveOpens") => &mut c.tcp_active_opens,
        ("Tcp", "PassiveOpens") => &mut c.tcp_passive_opens,
        ("Tcp", "AttemptFails") => &mut c.tcp_attempt_fails,
        ("Tcp", "EstabResets") => &mut c.tcp_estab_resets,
        ("Tcp", "InSegs") => &mut c.tcp_in_segs,
        ("Tcp", "OutSegs") => &mut c.tcp_out_segs,
        ("Tcp", "RetransSegs") => &mut c.tcp_retrans_segs,
        ("Tcp", "InErrs") => &mut c.tcp_in_errs,
        ("Tcp", "OutRsts") => &mut c.tcp_out_rsts,
        ("Udp", "InDatagrams") => &mut c.udp_in_datagrams,
        ("Udp", "NoPorts") => &mut c.udp_no_ports,
        ("Udp", "InErrors") => &mut c.udp_in_errors,
        ("Udp", "RcvbufErrors") => &mut c.udp_rcvbuf_errors,
        ("Udp", "SndbufErrors") => &mut c.udp_sndbuf_errors,
        ("Ip", "InDiscards") => &mut c.ip_in_discards,
        ("Ip", "OutDiscards") => &mut c.ip_out_discards,
        ("Ip", "OutNoRoutes") => &mut c.ip_out_no_routes,
        ("Icmp", "InErrors") => &mut c.icmp_in_errors,
        _ => return,
    };
    *counter = counter.saturating_add(value);
}

/// IPv6 adds to the same counters; TCP counts both families in `snmp`.
fn snmp6(c: &mut KernelCounters, name: &str, value: u64) {
    let counter = match name {
        "Udp6InDatagrams" => &mut c.udp_in_datagrams,
        "Udp6NoPorts" => &mut c.udp_no_ports,
        "Udp6InErrors" => &mut c.udp_in_errors,
        "Udp6RcvbufErrors" => &mut c.udp_rcvbuf_errors,
        "Udp6SndbufErrors" => &mut c.udp_sndbuf_errors,
        "Ip6InDiscards" => &mut c.ip_in_discards,
        "Ip6OutDiscards" => &mut c.ip_out_discards,
        "Ip6OutNoRoutes" => &mut c.ip_out_no_routes,
        "Icmp6InErrors" => &mut c.icmp_in_errors,
        _ => return,
    };
    *counter = counter.saturating_add(value);
}

fn netstat(c: &mut KernelCounters, group: &str, name: &str, value: u64) {
    let counter = match (group, name) {
        ("TcpExt", "ListenOverflows") => &mut c.listen_overflows,
        ("TcpExt", "ListenDrops") => &mut c.listen_drops,
        ("TcpExt", "SyncookiesSent") => &mut c.syncookies_sent,
        ("TcpExt", "TCPReqQFullDoCookies") => &mut c.req_q_full_do_cookies,
        _ => return,
    };
    *counter = value;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_families_are_summed_and_what_is_absent_is_not_zero() {
        let proc = tempfile::tempdir().unwrap();
        let net = proc.path().join("net");
        fs::create_dir(&net).unwrap();
        assert_eq!(read(proc.path()), None);
        fs::write(
            net.join("snmp"),
            "Udp: InDatagrams NoPorts RcvbufErrors\nUdp: 10 2 1\nTcp: ActiveOpens RetransSegs\nTcp: 5 6\n\
             UdpLite: InDatagrams\nUdpLite: 99\n",
        )
        .unwrap();
        fs::write(net.join("snmp6"), "Udp6InDatagrams 30\nUdp6RcvbufErrors 4\nIp6OutNoRoutes 7\n").unwrap();
        fs::write(net.join("netstat"), "TcpExt: SyncookiesSent ListenOverflows\nTcpExt: 8 9\n").unwrap();
        let c = read(proc.path()).unwrap();
        assert_eq!((c.udp_in_datagrams, c.udp_rcvbuf_errors, c.udp_no_ports), (40, 5, 2));
        assert_eq!((c.tcp_active_opens, c.tcp_retrans_segs, c.ip_out_no_routes), (5, 6, 7));
        assert_eq!((c.syncookies_sent, c.listen_overflows), (8, 9));
        assert_eq!((c.conntrack_count, c.conntrack_max), (None, None));
    }

    #[test]
    fn this_kernel_is_read() {
        assert!(read(Path::new("/proc")).is_some());
    }
}
