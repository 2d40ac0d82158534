//! Links, addresses and routes of this host.

use super::tape::Tape;
use super::world::{Reply, address, default_route, ip, link, route};
use crate::model::Confidence::Strong;
use crate::model::Severity::{Critical, Warning};
use crate::model::link::{LookupResult, RouteKind, Scope};
use crate::model::{Side, Status};

const SRV: &str = "10.77.9.20";

/// `ip link set eth0 down`: connected routes go with it, addresses stay.
fn down(t: &mut Tape) {
    t.network(|n| {
        n.links[1].admin_up = false;
        n.links[1].carrier = false;
        n.routes.clear();
    });
}

#[test]
fn the_carrying_interface_is_down() {
    let mut t = Tape::watching(&[SRV, "https://srv.lab.test/", "10.77.1.50"]);
    t.until(2.0);
    down(&mut t);
    t.until(6.0);
    t.root("link.down@eth0", Critical, Strong);
    assert_eq!(t.verdict().side, Some(Side::Host));
    assert!(t.first("link.down") <= 2_200);
    let others: Vec<_> = t.verdict().findings.iter().skip(1).filter(|f| f.caused_by.is_none()).collect();
    assert!(others.is_empty(), "{others:?}");
    t.never("neigh.gateway_unresolved");
    t.never("path.blackhole");
}

#[test]
fn a_down_link_that_comes_up_is_forgotten_at_once() {
    let mut t = Tape::watching(&[SRV]);
    t.until(2.0);
    down(&mut t);
    t.until(4.0);
    t.network(|n| {
        n.links[1].admin_up = true;
        n.links[1].carrier = true;
        n.routes = vec![default_route(2, "10.77.1.1")];
    });
    t.until(5.0);
    assert_eq!(t.ids(), Vec::<String>::new());
    assert_eq!(t.status(), Status::Healthy);
}

#[test]
fn down_from_the_start_with_names_only() {
    let mut t = Tape::watching(&["srv.lab.test", "https://srv.lab.test/"]);
    t.resolving(Reply::Unsent(crate::model::sample::Unsent::NoRoute));
    down(&mut t);
    t.until(6.0);
    t.root("link.down@eth0", Critical, Strong);
    assert_eq!(t.verdict().findings.iter().filter(|f| f.caused_by.is_none()).count(), 1, "{:?}", t.ids());
}

#[test]
fn no_carrier_explains_what_is_silent_behind_it() {
    let mut t = Tape::watching(&[SRV, "srv4.lab.test"]);
    t.until(2.0);
    t.network(|n| n.links[1].carrier = false);
    for to in [SRV, "10.77.53.53", "10.77.1.1"] {
        t.dies_after(to, "*");
    }
    t.resolving(Reply::Silence);
    t.until(10.0);
    t.root("link.no_carrier@eth0", Critical, Strong);
    let roots: Vec<_> = t.verdict().findings.iter().filter(|f| f.caused_by.is_none()).map(|f| &f.code).collect();
    assert_eq!(roots, ["link.no_carrier"], "{:?}", t.ids());
}

#[test]
fn an_unused_interface_may_be_down() {
    let mut t = Tape::watching(&[SRV]);
    t.network(|n| {
        let mut spare = link(3, "eth1", "");
        spare.admin_up = false;
        spare.carrier = false;
        n.links.push(spare);
    });
    t.until(5.0);
    t.stayed_quiet();
}

#[test]
fn nothing_is_said_of_links_when_none_is_known_to_carry() {
    let mut t = Tape::watching(&[SRV]);
    t.network(|n| {
        let mut spare = link(3, "eth1", "");
        spare.carrier = false;
        n.links.push(spare);
        n.addresses.push(address(3, "192.0.2.9/24", Scope::Global));
        n.links[1].carrier = false;
        n.routes.clear();
    });
    t.until(5.0);
    t.never("link.no_carrier");
    t.root("route.default_missing@default IPv4", Critical, Strong);
}

#[test]
fn one_of_two_links_down_is_a_warning_for_a_name_behind_both() {
    let mut t = Tape::watching(&["two.lab.test"]);
    t.world.names.insert("two.lab.test".to_owned(), vec![ip(SRV), ip("10.88.0.20")]);
    t.network(|n| {
        n.links.push(link(3, "eth1", ""));
        n.addresses.push(address(3, "10.88.0.7/24", Scope::Global));
    });
    t.until(3.0);
    t.network(|n| n.links[2].carrier = false);
    t.host("10.88.0.20", Reply::Silence);
    t.world.path("10.88.0.20", "*");
    t.until(8.0);
    t.root("link.no_carrier@eth1", Warning, Strong);
}

#[test]
fn no_address_is_told_but_not_while_one_is_being_tried() {
    let mut t = Tape::watching(&[SRV]);
    t.network(|n| {
        n.addresses.retain(|a| a.index != 2);
        n.routes.clear();
    });
    t.until(2.0);
    t.root("addr.missing@eth0", Critical, Strong);

    let mut t = Tape::watching(&["fd77:9::20"]);
    t.network(|n| {
        n.addresses.retain(|a| a.index != 2);
        n.addresses.push(address(2, "fd77:1::7/64", Scope::Global));
        n.addresses.last_mut().unwrap().tentative = true;
        n.routes = vec![default_route(2, "fd77:1::1")];
    });
    t.until(1.0);
    t.never("addr.missing");
    t.network(|n| n.addresses.last_mut().unwrap().tentative = false);
    t.until(5.0);
    t.stayed_quiet();
}

#[test]
fn a_link_local_address_alone_is_none() {
    let mut t = Tape::watching(&[SRV]);
    t.network(|n| {
        n.addresses.retain(|a| a.index != 2);
        n.addresses.push(address(2, "169.254.7.7/16", Scope::Link));
        n.addresses.push(address(2, "fe80::7/64", Scope::Link));
        n.routes.clear();
    });
    t.until(2.0);
    t.root("addr.missing@eth0", Critical, Strong);
}

#[test]
fn a_missing_default_route_matters_to_what_needs_it() {
    let mut t = Tape::watching(&[SRV]);
    t.network(|n| n.routes.clear());
    t.until(3.0);
    t.root("route.default_missing@default IPv4", Critical, Strong);
    t.network(|n| n.routes = vec![default_route(2, "10.77.1.1")]);
    t.until(5.0);
    assert_eq!(t.ids(), Vec::<String>::new(), "what the kernel says goes at once");

    let mut t = Tape::watching(&["10.77.1.50"]);
    t.network(|n| n.routes.clear());
    t.until(5.0);
    t.stayed_quiet();

    let mut t = Tape::watching(&[SRV]);
    t.network(|n| n.routes = vec![route(2, "10.77.0.0/16", Some(ip("10.77.1.1")))]);
    t.until(5.0);
    t.stayed_quiet();
}

#[test]
fn a_family_that_this_host_has_not_is_skipped() {
    let mut t = Tape::watching(&["https://srv.lab.test/"]);
    t.network(|n| {
        n.addresses.retain(|a| a.prefix.ip != ip("fd77:1::7"));
        n.routes.retain(|r| r.destination.ip.is_ipv4());
    });
    t.until(5.0);
    t.stayed_quiet();
    assert_eq!(t.status(), Status::Healthy);
}

#[test]
fn one_family_without_a_default_route_is_a_warning_beside_a_good_one() {
    let mut t = Tape::watching(&["https://srv.lab.test/"]);
    t.network(|n| n.routes.retain(|r| r.destination.ip.is_ipv4()));
    t.until(5.0);
    t.root("route.default_missing@default IPv6", Warning, Strong);
}

fn refuse(t: &mut Tape, to: &str, kind: RouteKind) {
    let matched = Some("10.77.9.0/24".parse().unwrap());
    t.world.refused.insert(ip(to), LookupResult::Refused { kind, matched });
}

#[test]
fn a_route_that_refuses_is_told_by_its_prefix() {
    for kind in [RouteKind::Blackhole, RouteKind::Unreachable, RouteKind::Prohibit] {
        let mut t = Tape::watching(&["https://10.77.9.20/"]);
        refuse(&mut t, SRV, kind);
        t.until(3.0);
        t.root("route.unreachable@10.77.9.0/24", Critical, Strong);
        assert_eq!(t.ids().len(), 1);
    }
}

#[test]
fn a_refusing_route_elsewhere_is_nobodys_trouble() {
    let mut t = Tape::watching(&[SRV]);
    refuse(&mut t, "10.77.9.21", RouteKind::Blackhole);
    t.until(3.0);
    t.stayed_quiet();
}

#[test]
fn a_route_that_refuses_the_name_server_explains_it() {
    let mut t = Tape::watching(&["srv4.lab.test"]);
    refuse(&mut t, "10.77.53.53", RouteKind::Blackhole);
    t.resolving(Reply::Unsent(crate::model::sample::Unsent::RouteRefuses));
    t.until(5.0);
    t.root("route.unreachable@10.77.9.0/24", Critical, Strong);
}

#[test]
fn without_targets_links_and_routes_of_this_host_are_judged() {
    let mut t = Tape::watching(&[]);
    t.until(5.0);
    t.stayed_quiet();
    assert_eq!(t.status(), Status::Healthy);
    down(&mut t);
    t.until(7.0);
    t.root("link.down@eth0", Critical, Strong);

    let mut t = Tape::watching(&[]);
    t.network(|n| n.routes.clear());
    t.until(3.0);
    t.root("route.default_missing@default IPv4", Critical, Strong);
}
