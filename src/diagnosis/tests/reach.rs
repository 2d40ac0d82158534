//! Hosts that show no life, and where their packets die.

use super::tape::Tape;
use super::world::{Reply, Stop, ip};
use crate::model::Confidence::{Likely, Possible, Strong};
use crate::model::Severity::{Critical, Warning};
use crate::model::host::IcmpRight;
use crate::model::link::NeighbourState;
use crate::model::sample::{IcmpError, Unsent};
use crate::model::{Side, Status};
use crate::session::plan::Pace;
use std::time::Duration;

const SRV: &str = "10.77.9.20";
const SRV6: &str = "fd77:9::20";
const OTHER: &str = "10.77.8.20";
const R1: &str = "10.77.1.1";
const R2: &str = "10.77.12.2";

fn objects(t: &mut Tape, to: &str, from: &str, error: IcmpError, ms: u64) {
    t.host(to, Reply::Icmp(ip(from), error, ms));
    t.world.stops(to, vec![Stop::At(ip(R1)), Stop::Objects(ip(from), error, ms)]);
}

#[test]
fn packets_die_after_the_last_hop_that_answers() {
    let mut t = Tape::watching(&["https://10.77.9.20/", OTHER]);
    t.until(3.0);
    t.dies_after(SRV, "10.77.1.1 10.77.12.2");
    t.until(12.0);
    t.root("path.blackhole@hop 2 10.77.12.2", Critical, Strong);
    assert_eq!(t.verdict().side, Some(Side::Path));
    let since = t.finding("path.blackhole").since.mono.0 / 1_000_000;
    assert!((2_900..=3_100).contains(&since), "{since}");
    t.never_certain_but("path.blackhole");
    t.world.path(SRV, "10.77.1.1 10.77.12.2 10.77.9.20");
    t.host(SRV, Reply::Well(1));
    t.until(16.0);
    assert_eq!(t.status(), Status::Healthy);
}

#[test]
fn a_black_hole_waits_for_the_word_of_the_last_router() {
    let mut t = Tape::watching(&[SRV, OTHER]);
    t.until(2.0);
    t.dies_after(SRV, "10.77.1.1 10.77.12.2");
    t.until(6.0);
    t.never("path.blackhole");
}

#[test]
fn silent_hops_before_a_target_that_answers_are_well() {
    let mut t = Tape::watching(&[SRV]);
    t.world.path(SRV, "10.77.1.1 * * * 10.77.9.20");
    t.until(8.0);
    t.stayed_quiet();
    assert_eq!(t.status(), Status::Healthy);
}

#[test]
fn no_hop_at_all_though_others_work_is_possible_only() {
    let mut t = Tape::watching(&[SRV, OTHER]);
    t.until(2.0);
    t.dies_after(SRV, "* *");
    t.until(10.0);
    t.root("path.blackhole@10.77.9.20", Critical, Possible);
    t.never("gateway.not_forwarding");
}

#[test]
fn a_gateway_that_forwards_nothing_needs_two_targets_to_be_certain() {
    let mut t = Tape::watching(&[SRV, OTHER]);
    for to in [SRV, OTHER] {
        t.dies_after(to, R1);
    }
    t.until(8.0);
    t.root("gateway.not_forwarding@10.77.1.1", Critical, Strong);
    assert_eq!(t.verdict().root().unwrap().targets.len(), 2);

    let mut t = Tape::watching(&[SRV, "10.77.9.20:443", "https://10.77.9.20/"]);
    t.dies_after(SRV, R1);
    t.until(12.0);
    assert_eq!(t.finding("gateway.not_forwarding").confidence, Likely, "one address, however many targets");
}

#[test]
fn a_gateway_forwards_if_anything_beyond_it_was_ever_seen() {
    let mut t = Tape::watching(&[SRV, OTHER]);
    t.dies_after(SRV, R1);
    t.dies_after(OTHER, "10.77.1.1 10.77.12.2");
    t.until(8.0);
    t.never("gateway.not_forwarding");
}

#[test]
fn a_router_without_a_route_says_so_at_once() {
    let mut t = Tape::watching(&["https://10.77.9.20/"]);
    objects(&mut t, SRV, R2, IcmpError::NetUnreachable, 1);
    t.until(6.0);
    t.root("path.unreachable@10.77.12.2", Critical, Strong);
    t.never_certain_but("path.unreachable");
    t.never("port.rejected");
}

#[test]
fn host_unreachable_prompt_every_time_is_the_routers_own_word() {
    let mut t = Tape::watching(&[SRV6]);
    t.host(SRV6, Reply::Icmp(ip("fd77:12::2"), IcmpError::HostUnreachable, 1));
    t.world
        .stops(SRV6, vec![Stop::At(ip("fd77:1::1")), Stop::Objects(ip("fd77:12::2"), IcmpError::HostUnreachable, 1)]);
    t.until(8.0);
    t.root("path.unreachable@fd77:12::2", Critical, Strong);
    t.never("host.unreachable");
}

#[test]
fn host_unreachable_seconds_late_means_nobody_is_there() {
    let mut t = Tape::watching(&["10.77.9.20:22"]);
    objects(&mut t, SRV, R2, IcmpError::HostUnreachable, 3_050);
    t.until(8.0);
    t.root("host.unreachable@10.77.9.20", Critical, Strong);
    assert_eq!(t.verdict().side, Some(Side::Service));
    t.never("path.unreachable");
    t.never("path.blackhole");
    t.never("port.rejected");
}

#[test]
fn an_on_link_host_that_does_not_resolve_is_not_there() {
    let mut t = Tape::watching(&["10.77.1.50", SRV]);
    t.network(|n| {
        n.neighbours.push(super::world::neighbour(2, "10.77.1.50"));
        n.neighbours[2].state = NeighbourState::Incomplete;
    });
    t.host("10.77.1.50", Reply::Icmp(ip("10.77.1.7"), IcmpError::HostUnreachable, 3_050));
    t.world.path("10.77.1.50", "*");
    t.until(2.8);
    t.never_certain_but("none");
    t.until(4.0);
    t.neighbour("10.77.1.50", |n| n.state = NeighbourState::Failed);
    t.until(6.0);
    t.root("host.unreachable@10.77.1.50", Critical, Strong);
    assert_eq!(t.ids().len(), 1);
}

#[test]
fn an_on_link_host_that_resolves_but_is_silent_may_be_filtering() {
    let mut t = Tape::watching(&["10.77.1.50"]);
    t.network(|n| n.neighbours.push(super::world::neighbour(2, "10.77.1.50")));
    t.dies_after("10.77.1.50", "*");
    t.until(10.0);
    t.root("path.blackhole@10.77.1.50", Critical, Possible);
}

#[test]
fn prohibited_by_a_router_for_everything() {
    let mut t = Tape::watching(&["10.77.9.20:22"]);
    objects(&mut t, SRV, R2, IcmpError::AdminProhibited, 1);
    t.until(5.0);
    t.root("path.admin_prohibited@10.77.12.2", Critical, Strong);
    assert!(t.verdict().findings.iter().skip(1).all(|f| f.caused_by.is_some()), "{:?}", t.ids());
}

#[test]
fn who_may_not_send_an_echo_learns_of_the_prohibition_by_the_rest() {
    let mut t = Tape::with(&["10.77.9.20:22"], Pace::checking(), IcmpRight::None);
    t.echo(SRV, Reply::Unsent(Unsent::NotPermitted));
    t.port("10.77.9.20:22", Reply::Icmp(ip(R2), IcmpError::AdminProhibited, 1));
    t.world.stops(SRV, vec![Stop::At(ip(R1)), Stop::Objects(ip(R2), IcmpError::AdminProhibited, 1)]);
    t.until(5.0);
    t.root("path.admin_prohibited@10.77.12.2", Critical, Strong);

    let mut t = Tape::with(&["10.77.9.20:22"], Pace::checking(), IcmpRight::None);
    t.echo(SRV, Reply::Unsent(Unsent::NotPermitted));
    t.port("10.77.9.20:22", Reply::Icmp(ip(R2), IcmpError::AdminProhibited, 1));
    t.until(5.0);
    t.never("path.admin_prohibited");
    t.root("port.rejected@10.77.9.20:22", Critical, Strong);
}

#[test]
fn prohibited_for_one_port_is_not_the_paths_fault() {
    let mut t = Tape::watching(&["10.77.9.20:22"]);
    t.port("10.77.9.20:22", Reply::Icmp(ip(R2), IcmpError::AdminProhibited, 1));
    t.until(5.0);
    t.never("path.admin_prohibited");
    t.root("port.rejected@10.77.9.20:22", Critical, Strong);
}

#[test]
fn prohibited_echo_alone_is_a_filter() {
    let mut t = Tape::watching(&["10.77.9.20:22"]);
    t.echo(SRV, Reply::Icmp(ip(R2), IcmpError::AdminProhibited, 1));
    t.until(6.0);
    t.stayed_quiet();
    assert!(t.find("path.icmp_filtered").is_some());
    assert_eq!(t.status(), Status::Healthy);
}

#[test]
fn routers_that_repeat_are_a_loop() {
    let mut t = Tape::watching(&[SRV, OTHER]);
    t.until(2.0);
    t.dies_after(SRV, "10.77.1.1 10.77.12.2 10.77.23.3 10.77.12.2 10.77.23.3 10.77.12.2 10.77.23.3");
    t.until(9.0);
    t.root("path.loop@hop 2 10.77.12.2", Critical, Strong);
    t.never("path.blackhole");
}

#[test]
fn a_firewall_that_answers_for_everything_behind_it_is_no_loop() {
    let mut t = Tape::watching(&[SRV, OTHER]);
    t.until(2.0);
    t.dies_after(SRV, "10.77.1.1 10.77.12.2 10.77.12.2 10.77.12.2 10.77.12.2 10.77.12.2");
    t.until(9.0);
    t.never("path.loop");
}

#[test]
fn a_loop_of_the_past_is_none_now() {
    let mut t = Tape::watching(&[SRV, OTHER]);
    t.dies_after(SRV, "10.77.1.1 10.77.12.2 10.77.23.3 10.77.12.2 10.77.23.3 10.77.12.2");
    t.until(5.0);
    t.finding("path.loop");
    t.dies_after(SRV, "10.77.1.1 10.77.12.2");
    t.until(50.0);
    assert!(t.find("path.loop").is_none());
    t.root("path.blackhole@hop 2 10.77.12.2", Critical, Strong);
}

#[test]
fn one_family_dead_beside_a_good_one_is_a_warning() {
    let mut t = Tape::watching(&["srv.lab.test"]);
    t.until(2.0);
    t.dies_after(SRV6, "fd77:1::1 fd77:12::2");
    t.until(9.0);
    t.root("path.blackhole@hop 2 fd77:12::2", Warning, Strong);
    assert_eq!(t.status(), Status::Degraded);
}

#[test]
fn heavy_loss_is_no_black_hole() {
    let mut pace = Pace::watching(Duration::from_secs(1), Duration::from_secs(1));
    pace.trace = Duration::from_secs(5);
    let mut t = Tape::with(&[SRV], pace, IcmpRight::Raw);
    t.echo(SRV, Reply::Lossy(70));
    t.world.stops(SRV, vec![Stop::At(ip(R1)), Stop::At(ip(R2)), Stop::Seldom(ip(SRV), 4)]);
    t.until(120.0);
    t.never("path.blackhole");
    t.never("gateway.not_forwarding");
    assert_eq!(t.finding("path.loss").severity, Critical);
}

#[test]
fn what_was_lost_before_a_sleep_is_not_judged_after_it() {
    let mut t = Tape::watching(&["https://10.77.9.20/", OTHER]);
    t.until(5.0);
    t.host(SRV, Reply::Silence);
    t.until(5.9);
    t.suspend(3_600);
    t.host(SRV, Reply::Well(1));
    t.until(3_610.0);
    t.stayed_quiet();
}

#[test]
fn after_a_sleep_nothing_is_known_until_it_is_measured_again() {
    let mut t = Tape::watching(&["10.77.9.20:443"]);
    t.port("10.77.9.20:443", Reply::Refused);
    t.until(3.0);
    t.suspend(600);
    t.port("10.77.9.20:443", Reply::Still);
    t.echo(SRV, Reply::Still);
    t.until(603.5);
    assert!(t.find("port.refused").is_none(), "{:?}", t.ids());
    assert_eq!(t.status(), Status::Unmeasured);
}

#[test]
fn loss_on_waking_needs_its_own_proof() {
    let mut t = Tape::watching(&[SRV, OTHER]);
    t.until(3.0);
    t.suspend(600);
    t.dies_after(SRV, "10.77.1.1 10.77.12.2");
    t.until(606.0);
    t.never("path.blackhole");
    t.until(612.0);
    t.root("path.blackhole@hop 2 10.77.12.2", Critical, Strong);
    let since = t.finding("path.blackhole").since.mono.0 / 1_000_000;
    assert!(since >= 603_000, "{since}");
}

#[test]
fn packets_kept_back_are_no_losses() {
    let mut t = Tape::watching(&[SRV, "10.77.9.20:443"]);
    t.until(2.0);
    t.host(SRV, Reply::Unsent(Unsent::Budget));
    t.until(20.0);
    t.stayed_quiet();
    assert_eq!(t.status(), Status::Unmeasured);
}
