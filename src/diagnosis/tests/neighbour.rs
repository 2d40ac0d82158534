//! Gateways and whether they resolve.

use super::tape::Tape;
use super::world::Reply;
use crate::model::Confidence::Strong;
use crate::model::Severity::Critical;
use crate::model::link::NeighbourState;
use crate::model::sample::IcmpError;
use crate::model::{Side, Status};

const SRV: &str = "10.77.9.20";
const GATEWAY: &str = "10.77.1.1";

/// The gateway falls silent: its neighbour entry goes the kernel's way.
fn gateway_dies(t: &mut Tape, until: f64) {
    for to in [SRV, GATEWAY, "10.77.53.53"] {
        t.host(to, Reply::Icmp(super::world::ip("10.77.1.7"), IcmpError::HostUnreachable, 3_000));
        t.world.path(to, "*");
    }
    t.resolving(Reply::Silence);
    t.neighbour(GATEWAY, |n| (n.state, n.mac) = (NeighbourState::Incomplete, None));
    t.until(until);
    t.neighbour(GATEWAY, |n| n.state = NeighbourState::Failed);
}

#[test]
fn a_gateway_that_does_not_resolve_is_told() {
    let mut t = Tape::watching(&[SRV, "https://srv4.lab.test/"]);
    t.until(2.0);
    gateway_dies(&mut t, 5.0);
    t.until(9.0);
    t.root("neigh.gateway_unresolved@10.77.1.1", Critical, Strong);
    assert_eq!(t.verdict().side, Some(Side::Path));
    let roots: Vec<_> = t.verdict().findings.iter().filter(|f| f.caused_by.is_none()).map(|f| &f.id.0).collect();
    assert_eq!(roots.len(), 1, "{:?}", t.ids());
    t.never_certain_but("neigh.gateway_unresolved");
}

#[test]
fn an_entry_under_way_is_not_yet_a_finding() {
    let mut t = Tape::watching(&[SRV]);
    t.network(|n| n.neighbours[0].state = NeighbourState::Incomplete);
    t.until(1.2);
    t.neighbour(GATEWAY, |n| n.state = NeighbourState::Reachable);
    t.until(5.0);
    t.stayed_quiet();
}

#[test]
fn a_gateway_that_is_silent_but_resolves_is_well() {
    for targets in [&[SRV][..], &[]] {
        let mut t = Tape::watching(targets);
        t.echo(GATEWAY, Reply::Silence);
        t.until(10.0);
        t.stayed_quiet();
        assert_eq!(t.status(), Status::Healthy);
    }
}

#[test]
fn a_stale_entry_is_well() {
    let mut t = Tape::watching(&[SRV]);
    t.neighbour(GATEWAY, |n| n.state = NeighbourState::Stale);
    t.until(5.0);
    t.stayed_quiet();
}

#[test]
fn without_targets_a_dead_gateway_is_told() {
    let mut t = Tape::watching(&[]);
    t.until(2.0);
    gateway_dies(&mut t, 5.0);
    t.until(8.0);
    assert_eq!(t.verdict().root().map(|f| f.code.as_str()), Some("neigh.gateway_unresolved"), "{:?}", t.ids());
    assert_eq!(t.verdict().root().map(|f| f.confidence), Some(Strong));
}

#[test]
fn it_recovers_with_the_entry() {
    let mut t = Tape::watching(&[SRV]);
    t.until(2.0);
    gateway_dies(&mut t, 5.0);
    t.until(8.0);
    t.network(|n| n.neighbours[0] = super::world::neighbour(2, GATEWAY));
    for to in [SRV, GATEWAY, "10.77.53.53"] {
        t.host(to, Reply::Well(1));
        t.world.path(to, &format!("10.77.1.1 {to}"));
    }
    t.until(9.0);
    assert_eq!(t.ids(), Vec::<String>::new());
}
