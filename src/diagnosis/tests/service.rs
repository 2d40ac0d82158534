//! TLS and HTTP: each reason told apart.

use super::tape::Tape;
use super::world::{Reply, certificate, http, http_after};
use crate::model::Confidence::Strong;
use crate::model::Severity::{Critical, Warning};
use crate::model::sample::{Failure, Stage, Trust};
use crate::model::{Detail, Status, Untrusted};

const URL: &str = "https://10.77.9.20/";
const SOCKET: &str = "10.77.9.20:443";
const NOW: i64 = 1_795_161_600;

fn with_certificate(trust: Trust, days: i64) -> Tape {
    let mut t = Tape::watching(&[URL]);
    t.tls(SOCKET, Reply::Says(Detail::Tls(certificate(trust, NOW + days * 86_400))));
    t.until(3.0);
    t
}

#[test]
fn every_reason_against_a_certificate_has_its_code() {
    for (trust, code) in [
        (Trust::Expired, "tls.expired"),
        (Trust::NotYetValid, "tls.not_yet_valid"),
        (Trust::NameMismatch, "tls.name_mismatch"),
        (Trust::Untrusted, "tls.untrusted"),
        (Trust::IncompleteChain, "tls.incomplete_chain"),
        (Trust::Revoked, "tls.revoked"),
        (Trust::Invalid { why: Untrusted::new("odd") }, "tls.untrusted"),
    ] {
        let t = with_certificate(trust, 30);
        t.root(&format!("{code}@{SOCKET}"), Critical, Strong);
        assert_eq!(t.ids().len(), 1, "the page behind it is fine");
    }
}

#[test]
fn a_certificate_is_renewed_in_time_or_warned_of() {
    let t = with_certificate(Trust::Valid, 30);
    t.stayed_quiet();
    assert_eq!(t.status(), Status::Healthy);
    for days in [14, 3] {
        with_certificate(Trust::Valid, days).root("tls.expiring@10.77.9.20:443", Warning, Strong);
    }
}

#[test]
fn a_new_certificate_ends_it() {
    let mut t = with_certificate(Trust::Expired, -1);
    t.tls(SOCKET, Reply::Says(Detail::Tls(certificate(Trust::Valid, NOW + 90 * 86_400))));
    t.until(8.0);
    assert_eq!(t.status(), Status::Healthy);
}

#[test]
fn what_began_later_is_told_since_then() {
    let mut t = Tape::watching(&[URL]);
    t.until(10.0);
    t.http(SOCKET, Reply::Says(http(503)));
    t.until(14.0);
    t.root("http.5xx@10.77.9.20:443", Critical, Strong);
    let since = t.finding("http.5xx").since.mono.0 / 1_000_000;
    assert!((9_900..=11_100).contains(&since), "{since}");
}

#[test]
fn statuses_are_told_as_answered() {
    for (status, code) in [(500, "http.5xx"), (503, "http.5xx"), (404, "http.4xx"), (403, "http.4xx")] {
        let mut t = Tape::watching(&[URL]);
        t.http(SOCKET, Reply::Says(http(status)));
        t.until(2.0);
        t.root(&format!("{code}@{SOCKET}"), Critical, Strong);
    }
    for status in [200, 204, 301, 304] {
        let mut t = Tape::watching(&[URL]);
        t.http(SOCKET, Reply::Says(http(status)));
        t.until(3.0);
        t.stayed_quiet();
    }
}

#[test]
fn a_slow_first_byte_is_a_warning() {
    let mut t = Tape::watching(&[URL]);
    t.http(SOCKET, Reply::Says(http_after(200, 2_500)));
    t.until(3.0);
    t.root("http.slow@10.77.9.20:443", Warning, Strong);
    let mut t = Tape::watching(&[URL]);
    t.http(SOCKET, Reply::Says(http_after(200, 1_500)));
    t.until(3.0);
    t.stayed_quiet();
}

fn failing(stage: Stage, failure: &Failure, until: f64) -> Tape {
    let mut t = Tape::watching(&[URL]);
    for set in [Tape::tls, Tape::http] {
        set(&mut t, SOCKET, Reply::Fails(stage, failure.clone()));
    }
    t.until(until);
    t
}

#[test]
fn failures_above_an_open_port_are_told_apart() {
    let why = || Untrusted::new("record layer");
    for (stage, failure, code) in [
        (Stage::Handshake, Failure::Alert { code: 40 }, "tls.handshake_failed"),
        (Stage::Handshake, Failure::Incompatible { why: why() }, "tls.handshake_failed"),
        (Stage::Handshake, Failure::Protocol { why: why() }, "tls.handshake_failed"),
        (Stage::Handshake, Failure::Reset, "service.reset"),
        (Stage::FirstByte, Failure::Reset, "service.reset"),
        (Stage::FirstByte, Failure::Closed, "service.reset"),
    ] {
        let t = failing(stage, &failure, 5.0);
        t.root(&format!("{code}@{SOCKET}"), Critical, Strong);
        assert_eq!(t.ids().len(), 1);
    }
    failing(Stage::Handshake, &Failure::Silent, 9.0).root("service.silent@10.77.9.20:443", Critical, Strong);
}

#[test]
fn a_single_reset_is_not_yet_certain() {
    let mut t = Tape::watching(&["http://10.77.9.20/"]);
    t.until(2.5);
    t.http("10.77.9.20:80", Reply::Fails(Stage::FirstByte, Failure::Reset));
    t.until(3.5);
    t.http("10.77.9.20:80", Reply::Well(1));
    t.until(6.0);
    t.never_certain_but("none");
    assert_eq!(t.status(), Status::Healthy);
}

#[test]
fn a_closed_port_has_no_certificate_to_judge() {
    let mut t = with_certificate(Trust::Expired, -1);
    t.port(SOCKET, Reply::Refused);
    t.until(6.0);
    t.root("port.refused@10.77.9.20:443", Critical, Strong);
    assert_eq!(t.ids().len(), 1);
}

#[test]
fn one_certificate_does_not_explain_another_name_at_the_same_socket() {
    let mut t = Tape::watching(&["https://a.lab.test/", "https://b.lab.test/"]);
    for name in ["a.lab.test", "b.lab.test"] {
        t.world.names.insert(name.to_owned(), vec![super::world::ip("10.77.9.20")]);
    }
    let bad = Detail::Tls(certificate(Trust::NameMismatch, NOW + 90 * 86_400));
    t.world.reply_where(
        |ask| matches!(ask, crate::model::Ask::Tls { name, .. } if name == "a.lab.test"),
        Reply::Says(bad),
    );
    t.world.reply_where(
        |ask| matches!(ask, crate::model::Ask::Http { name, .. } if name == "b.lab.test"),
        Reply::Says(http(500)),
    );
    t.until(4.0);
    assert_eq!(t.finding("http.5xx").caused_by, None);
}
