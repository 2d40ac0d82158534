//! Ports: refused, rejected, filtered, and services over UDP.

use super::tape::Tape;
use super::world::{Reply, certificate, ip, ntp};
use crate::model::Confidence::{Likely, Strong};
use crate::model::Severity::{Critical, Warning};
use crate::model::sample::{IcmpError, Trust};
use crate::model::{Detail, Status};

const SRV: &str = "10.77.9.20";
const PORT: &str = "10.77.9.20:443";

#[test]
fn a_refused_port_is_told_at_once() {
    let mut t = Tape::watching(&[PORT]);
    t.port(PORT, Reply::Refused);
    t.until(1.0);
    t.root("port.refused@10.77.9.20:443", Critical, Strong);
    assert_eq!(t.finding("port.refused").since.mono.0 / 1_000_000, 0, "since the first send");
}

#[test]
fn a_port_that_accepts_again_is_well_again() {
    let mut t = Tape::watching(&[PORT]);
    t.port(PORT, Reply::Refused);
    t.until(3.0);
    t.port(PORT, Reply::Well(1));
    t.until(4.0);
    assert_eq!(t.status(), Status::Healthy);
}

#[test]
fn a_refusal_long_ago_says_nothing_of_now() {
    let mut t = Tape::watching(&[PORT]);
    t.port(PORT, Reply::Refused);
    t.until(2.0);
    t.port(PORT, Reply::Still);
    t.until(12.0);
    assert!(t.find("port.refused").is_none());
    assert_eq!(t.status(), Status::Unmeasured);
}

#[test]
fn one_port_twice_is_one_finding() {
    let mut t = Tape::watching(&[PORT, "https://10.77.9.20/"]);
    t.port(PORT, Reply::Refused);
    t.until(2.0);
    t.root("port.refused@10.77.9.20:443", Critical, Strong);
    assert_eq!(t.verdict().root().unwrap().targets.len(), 2);
}

#[test]
fn two_ports_of_a_host_have_nothing_to_do_with_each_other() {
    let mut t = Tape::watching(&["10.77.9.20:22", "http://10.77.9.20/"]);
    t.port("10.77.9.20:22", Reply::Refused);
    t.http("10.77.9.20:80", Reply::Says(super::world::http(503)));
    t.until(3.0);
    assert_eq!(t.ids(), ["port.refused@10.77.9.20:22", "http.5xx@10.77.9.20:80"]);
    assert!(t.verdict().findings.iter().all(|f| f.caused_by.is_none()));
}

#[test]
fn a_port_that_swallows_connections_is_filtered() {
    let mut t = Tape::watching(&[PORT]);
    t.port(PORT, Reply::Silence);
    t.until(8.0);
    t.root("port.filtered@10.77.9.20:443", Critical, Strong);
    assert_eq!(t.ids().len(), 1);
}

#[test]
fn a_few_lost_connects_are_too_few() {
    let mut t = Tape::watching(&[PORT]);
    t.port(PORT, Reply::Silence);
    t.until(4.6);
    t.stayed_quiet();
    assert_eq!(t.status(), Status::Unmeasured);
}

#[test]
fn a_dead_host_has_no_filtered_port() {
    let mut t = Tape::watching(&[PORT]);
    t.until(2.0);
    t.dies_after(SRV, "10.77.1.1 10.77.12.2");
    t.until(12.0);
    t.never("port.filtered");
    t.root("path.blackhole@hop 2 10.77.12.2", Critical, Strong);
}

#[test]
fn a_host_that_only_its_trace_reaches_has_a_filtered_port() {
    let mut t = Tape::watching(&[PORT]);
    t.host(SRV, Reply::Silence);
    t.until(8.0);
    t.root("port.filtered@10.77.9.20:443", Critical, Strong);
}

#[test]
fn an_error_for_one_port_alone_is_a_rejection() {
    for error in [IcmpError::AdminProhibited, IcmpError::PortUnreachable, IcmpError::HostUnreachable] {
        for from in [SRV, "10.77.12.2"] {
            let mut t = Tape::watching(&[PORT]);
            t.port(PORT, Reply::Icmp(ip(from), error, 1));
            t.until(3.0);
            t.root("port.rejected@10.77.9.20:443", Critical, Strong);
            assert_eq!(t.ids().len(), 1, "{error:?} {from}");
        }
    }
}

#[test]
fn an_error_that_hits_the_whole_host_is_no_rejection() {
    let mut t = Tape::watching(&[PORT]);
    t.until(2.0);
    let error = Reply::Icmp(ip("10.77.12.2"), IcmpError::NetUnreachable, 1);
    t.host(SRV, error);
    t.world.path(SRV, "10.77.1.1 10.77.12.2");
    t.until(8.0);
    t.never("port.rejected");
    t.root("path.unreachable@10.77.12.2", Critical, Strong);
}

#[test]
fn what_our_own_firewall_refuses_is_this_hosts_affair() {
    let ours = |error| Reply::Icmp(ip("10.77.1.7"), error, 0);
    for error in [IcmpError::AdminProhibited, IcmpError::PortUnreachable] {
        let mut t = Tape::watching(&[PORT]);
        t.port(PORT, ours(error));
        t.until(3.0);
        t.root("firewall.local_drop@host", Critical, Strong);
        assert_eq!(t.ids().len(), 1);
    }
    let eperm = || Reply::Unsent(crate::model::sample::Unsent::Filtered);
    let mut t = Tape::watching(&[PORT]);
    t.host(SRV, eperm());
    t.until(3.0);
    t.root("firewall.local_drop@host", Critical, Likely);
    // Echo alone is nobody's loss where the service answers.
    let mut t = Tape::watching(&[PORT]);
    t.echo(SRV, eperm());
    t.until(6.0);
    t.stayed_quiet();
    assert_eq!(t.status(), Status::Healthy);
}

#[test]
fn refused_over_udp_is_refused_and_silence_of_an_unknown_service_is_nothing() {
    let mut t = Tape::watching(&["udp://10.77.9.20:9999"]);
    t.port("10.77.9.20:9999", Reply::Refused);
    t.until(2.0);
    t.root("port.refused@10.77.9.20:9999", Critical, Strong);

    let mut t = Tape::watching(&["udp://10.77.9.20:9999"]);
    t.port("10.77.9.20:9999", Reply::Silence);
    t.until(8.0);
    t.stayed_quiet();
    assert_eq!(t.status(), Status::Unmeasured);
}

#[test]
fn a_known_exchange_over_udp_must_be_answered() {
    let mut t = Tape::watching(&["udp://10.77.9.20:53"]);
    t.port("10.77.9.20:53", Reply::Silence);
    t.until(8.0);
    t.root("udp.no_reply@10.77.9.20:53", Critical, Strong);
}

#[test]
fn one_lost_datagram_is_too_few() {
    let mut t = Tape::watching(&["udp://10.77.9.20:53"]);
    t.until(4.0);
    t.port("10.77.9.20:53", Reply::Silence);
    t.until(4.8);
    t.port("10.77.9.20:53", Reply::Well(1));
    t.until(8.0);
    t.stayed_quiet();
}

#[test]
fn a_time_server_that_is_silent_or_unsynchronised_is_told() {
    let mut t = Tape::watching(&["ntp://10.77.9.20"]);
    t.port("10.77.9.20:123", Reply::Silence);
    t.until(8.0);
    t.root("time.server_unreachable@10.77.9.20:123", Critical, Strong);

    let mut t = Tape::watching(&["ntp://10.77.9.20"]);
    t.port("10.77.9.20:123", Reply::Says(ntp(0, 16)));
    t.until(3.0);
    t.root("time.unsynchronised@10.77.9.20:123", Critical, Strong);

    let mut t = Tape::watching(&["ntp://10.77.9.20"]);
    t.until(8.0);
    t.stayed_quiet();
    assert_eq!(t.status(), Status::Healthy);
}

#[test]
fn a_clock_that_is_off_is_told_and_explains_certificate_dates() {
    for (offset_ms, severity) in [(800, Warning), (-30_000, Critical)] {
        let mut t = Tape::watching(&["ntp://10.77.9.20"]);
        t.port("10.77.9.20:123", Reply::Says(ntp(offset_ms, 2)));
        t.until(3.0);
        t.root("time.offset@host", severity, Likely);
    }
    let mut t = Tape::watching(&["ntp://10.77.9.20"]);
    t.port("10.77.9.20:123", Reply::Says(ntp(300, 2)));
    t.until(8.0);
    t.stayed_quiet();

    let mut t = Tape::watching(&["ntp://10.77.9.20", "tls://10.77.9.20"]);
    t.port("10.77.9.20:123", Reply::Says(ntp(-86_400_000, 2)));
    t.tls("10.77.9.20:443", Reply::Says(Detail::Tls(certificate(Trust::NotYetValid, 4_000_000_000))));
    t.until(4.0);
    t.root("time.offset@host", Critical, Likely);
    let dates = t.finding("tls.not_yet_valid");
    assert_eq!(dates.caused_by.as_ref().map(|id| id.0.as_str()), Some("time.offset@host"));
}

#[test]
fn one_address_of_two_is_a_warning() {
    let mut t = Tape::watching(&["https://srv.lab.test/"]);
    t.port("[fd77:9::20]:443", Reply::Refused);
    t.until(4.0);
    t.root("port.refused@[fd77:9::20]:443", Warning, Strong);
    t.never_certain_but("none");
}

#[test]
fn one_address_of_two_is_no_certain_fault_before_the_other_was_measured() {
    let mut t = Tape::watching(&["tcp://srv.lab.test:443"]);
    t.port("[fd77:9::20]:443", Reply::Refused);
    t.port("10.77.9.20:443", Reply::Well(900));
    t.echo(SRV, Reply::Well(900));
    t.until(4.0);
    t.root("port.refused@[fd77:9::20]:443", Warning, Strong);
    t.never_certain_but("none");
}

#[test]
fn confidence_grows_with_what_was_lost() {
    let mut t = Tape::watching(&[PORT]);
    t.port(PORT, Reply::Silence);
    t.until(5.2);
    t.root("port.filtered@10.77.9.20:443", Critical, Likely);
}
