//! States that invite a wrong cause: lossy networks, half-measured ones, this
//! host's own addresses, hosts without rights.

use std::time::Duration;

use super::tape::Tape;
use super::world::{Reply, Stop, ip};
use crate::model::Confidence::{Likely, Strong};
use crate::model::Severity::Critical;
use crate::model::Status;
use crate::model::host::IcmpRight;
use crate::model::sample::IcmpError;
use crate::session::plan::Pace;

const SRV: &str = "10.77.9.20";
const NS1: &str = "10.77.53.53";

fn watching(targets: &[&str]) -> Tape {
    Tape::with(targets, Pace::watching(Duration::from_secs(1), Duration::from_secs(1)), IcmpRight::Raw)
}

#[test]
fn loss_alone_is_never_taken_for_anything_else() {
    for percent in [20, 50, 70] {
        for mut t in
            [Tape::watching(&["10.77.9.20:443", "srv4.lab.test"]), watching(&["10.77.9.20:443", "srv4.lab.test"])]
        {
            for to in [SRV, NS1] {
                t.host(to, Reply::Lossy(percent));
                t.world.stops(to, vec![Stop::At(ip("10.77.1.1")), Stop::Seldom(ip(to), 3)]);
            }
            t.until(90.0);
            for code in ["path.blackhole", "gateway.not_forwarding", "port.filtered"] {
                t.never(code);
            }
            t.never_certain_but("path.loss");
            t.finding("path.loss");
        }
    }
}

#[test]
fn the_console_started_in_the_middle_of_an_outage_names_no_port() {
    let mut t = watching(&["https://10.77.9.20/", "10.77.8.20"]);
    t.dies_after(SRV, "10.77.1.1 10.77.12.2");
    t.until(30.0);
    t.root("path.blackhole@hop 2 10.77.12.2", Critical, Strong);
    t.never_certain_but("path.blackhole");
}

#[test]
fn a_fault_that_comes_and_goes_leaves_no_other_behind() {
    let mut t = watching(&["https://10.77.9.20/", "10.77.8.20"]);
    let mut now = 10.0;
    t.until(now);
    for _ in 0..4 {
        t.dies_after(SRV, "10.77.1.1 10.77.12.2");
        t.until(now + 12.0);
        t.host(SRV, Reply::Well(1));
        t.world.path(SRV, "10.77.1.1 10.77.12.2 10.77.9.20");
        t.until(now + 24.0);
        assert_eq!(t.ids(), Vec::<String>::new(), "at {now}");
        now += 24.0;
    }
    t.never_certain_but("path.blackhole");
}

#[test]
fn this_hosts_own_addresses_depend_on_no_link() {
    for target in ["127.0.0.1:22", "10.77.1.7:22", "localhost"] {
        let mut t = Tape::watching(&[target]);
        t.world.names.insert("localhost".to_owned(), vec![ip("127.0.0.1")]);
        t.network(|n| n.links[1].carrier = false);
        t.dies_after(NS1, "*");
        t.until(8.0);
        t.stayed_quiet();
        assert_eq!(t.status(), Status::Healthy, "{target}");
    }
}

#[test]
fn without_echo_a_dead_path_is_found_all_the_same() {
    let mut t = Tape::with(&["10.77.9.20:443", "10.77.8.20:443"], Pace::checking(), IcmpRight::None);
    t.until(3.0);
    t.dies_after(SRV, "10.77.1.1 10.77.12.2");
    t.until(16.0);
    t.root("path.blackhole@hop 2 10.77.12.2", Critical, Strong);
    t.never_certain_but("path.blackhole");
}

#[test]
fn while_addresses_are_being_resolved_nothing_is_said() {
    let mut t = Tape::watching(&["https://srv.lab.test/"]);
    t.resolving(Reply::Still);
    t.until(8.0);
    t.stayed_quiet();
    assert_eq!(t.status(), Status::Unmeasured);
}

#[test]
fn two_targets_at_one_host_share_its_fault_and_keep_their_own() {
    let mut t = Tape::watching(&["10.77.9.20:22", "https://10.77.9.20/"]);
    t.host(SRV, Reply::Icmp(ip("10.77.12.2"), IcmpError::HostUnreachable, 3_050));
    t.world.stops(
        SRV,
        vec![Stop::At(ip("10.77.1.1")), Stop::Objects(ip("10.77.12.2"), IcmpError::HostUnreachable, 3_050)],
    );
    t.until(9.0);
    t.root("host.unreachable@10.77.9.20", Critical, Strong);
    assert_eq!(t.verdict().root().unwrap().targets.len(), 2);
    assert_eq!(t.ids().len(), 1);
}

#[test]
fn a_server_beyond_a_gateway_that_passes_nothing_is_not_certainly_the_culprit() {
    let mut t = Tape::watching(&["srv4.lab.test"]);
    t.dies_after(NS1, "10.77.1.1");
    t.resolving(Reply::Silence);
    t.until(10.0);
    t.root("dns.server_unreachable@nameserver 10.77.53.53", Critical, Likely);
}

#[test]
fn a_kind_of_probe_that_stands_still_proves_nothing() {
    let mut t = Tape::watching(&["https://10.77.9.20/"]);
    t.until(3.0);
    t.host(SRV, Reply::Still);
    t.until(60.0);
    t.stayed_quiet();
    assert_eq!(t.status(), Status::Unmeasured);
}

#[test]
fn what_could_not_be_sent_is_no_fault_of_the_far_side() {
    use crate::model::sample::Unsent;
    for reason in [Unsent::NotPermitted, Unsent::Budget, Unsent::InterfaceDown, Unsent::NoSource] {
        let mut t = Tape::watching(&["10.77.9.20:443", "srv4.lab.test"]);
        for to in [SRV, NS1] {
            t.host(to, Reply::Unsent(reason.clone()));
        }
        t.resolving(Reply::Unsent(reason));
        t.until(12.0);
        t.stayed_quiet();
        assert_eq!(t.status(), Status::Unmeasured);
    }
}

#[test]
fn an_early_wake_does_not_make_two_losses_an_outage() {
    let mut t = watching(&["https://10.77.9.20/", "10.77.8.20"]);
    t.until(10.0);
    for n in 0..5 {
        t.host(SRV, Reply::Silence);
        t.until(12.0 + f64::from(n) * 63.0);
        t.suspend(60);
        t.host(SRV, Reply::Well(1));
        t.until(73.0 + f64::from(n) * 63.0);
    }
    t.stayed_quiet();
}
