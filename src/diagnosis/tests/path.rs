//! Loss, rate limits, filtered echo, changed paths.

use super::tape::Tape;
use super::world::{Reply, Stop, ip};
use crate::model::Severity::{Critical, Info, Warning};
use crate::model::Status;

const SRV: &str = "10.77.9.20";

#[test]
fn loss_over_the_threshold_is_told() {
    for (percent, severity) in [(12, Warning), (30, Warning), (60, Critical)] {
        let mut t = Tape::watching(&[SRV]);
        t.echo(SRV, Reply::Lossy(percent));
        t.until(8.0);
        assert_eq!(t.finding("path.loss").severity, severity, "{percent}");
        assert_eq!(t.verdict().root().map(|f| f.code.as_str()), Some("path.loss"));
    }
}

#[test]
fn a_little_loss_and_a_single_loss_are_nothing() {
    for percent in [0, 1, 2] {
        let mut t = Tape::watching(&[SRV]);
        t.echo(SRV, Reply::Lossy(percent));
        t.until(8.0);
        t.never("path.loss");
    }
    let mut t = Tape::watching(&[SRV]);
    t.echo(SRV, Reply::Lossy(100));
    t.until(0.1);
    t.echo(SRV, Reply::Well(1));
    t.until(3.0);
    t.stayed_quiet();
}

#[test]
fn loss_goes_when_it_is_over() {
    let mut t = Tape::watching(&[SRV]);
    t.echo(SRV, Reply::Lossy(30));
    t.until(8.0);
    t.echo(SRV, Reply::Well(1));
    t.until(75.0);
    assert_eq!(t.ids(), Vec::<String>::new());
}

#[test]
fn loss_is_located_by_echo_to_the_hops() {
    let mut t = Tape::watching(&[SRV]);
    for to in [SRV, "10.77.12.2"] {
        t.echo(to, Reply::Lossy(25));
    }
    t.until(12.0);
    assert_eq!(t.finding("path.loss").subject, "hop 2 10.77.12.2");

    let mut t = Tape::watching(&[SRV]);
    t.echo(SRV, Reply::Lossy(25));
    t.until(12.0);
    assert_eq!(t.finding("path.loss").subject, "hop 3 10.77.9.20");
}

#[test]
fn a_host_that_rations_echo_but_answers_every_connection_loses_nothing() {
    let mut t = Tape::watching(&["10.77.9.20:22"]);
    t.echo(SRV, Reply::Lossy(60));
    t.until(20.0);
    assert!(t.find("path.loss").is_none(), "{:?}", t.ids());
}

#[test]
fn a_hop_that_rations_its_answers_is_information() {
    let mut t = Tape::watching(&[SRV]);
    t.world.stops(SRV, vec![Stop::At(ip("10.77.1.1")), Stop::Seldom(ip("10.77.12.2"), 4), Stop::At(ip(SRV))]);
    t.until(12.0);
    t.stayed_quiet();
    let limited = t.finding("path.hop_ratelimit");
    assert_eq!((limited.severity, limited.subject.as_str()), (Info, "hop 2 10.77.12.2"));
    assert_eq!(t.status(), Status::Healthy);
}

#[test]
fn too_few_rounds_say_nothing_of_a_rate_limit() {
    let mut t = Tape::watching(&[SRV]);
    t.world.stops(SRV, vec![Stop::At(ip("10.77.1.1")), Stop::Seldom(ip("10.77.12.2"), 4), Stop::At(ip(SRV))]);
    t.until(2.0);
    t.never("path.hop_ratelimit");
}

#[test]
fn filtered_echo_is_information_where_a_service_answers() {
    let mut t = Tape::watching(&["10.77.9.20:443"]);
    t.echo(SRV, Reply::Silence);
    t.until(6.0);
    t.stayed_quiet();
    assert_eq!(t.finding("path.icmp_filtered").severity, Info);
    assert_eq!(t.status(), Status::Healthy);

    let mut t = Tape::watching(&["10.77.9.20:443"]);
    t.dies_after(SRV, "10.77.1.1");
    t.until(8.0);
    t.never("path.icmp_filtered");
}

#[test]
fn a_changed_path_is_information() {
    let mut t = Tape::watching(&[SRV]);
    t.until(4.0);
    t.world.path(SRV, "10.77.1.1 10.77.23.3 10.77.9.20");
    t.until(8.0);
    t.stayed_quiet();
    assert_eq!(t.finding("path.changed").severity, Info);

    let mut t = Tape::watching(&[SRV]);
    t.until(4.0);
    t.world.path(SRV, "10.77.1.1 * 10.77.9.20");
    t.until(8.0);
    t.never("path.changed");
}
