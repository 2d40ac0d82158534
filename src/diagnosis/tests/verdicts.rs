//! The verdict as a whole: status, order, causes, time.

use super::tape::Tape;
use super::world::{Reply, certificate, http};
use crate::model::host::IcmpRight;
use crate::model::sample::Trust;
use crate::model::{Detail, FindingId, Layer, Severity, Status};
use crate::session::plan::Pace;

const SRV: &str = "10.77.9.20";

#[test]
fn all_is_well() {
    let mut t = Tape::watching(&["srv.lab.test", "https://srv.lab.test/", "10.77.9.20:22"]);
    t.until(8.0);
    t.stayed_quiet();
    assert_eq!(t.status(), Status::Healthy);
}

#[test]
fn nothing_measured_is_never_healthy() {
    for targets in [&[SRV][..], &["srv.lab.test"], &["10.77.9.20:443"], &[]] {
        let mut t = Tape::watching(targets);
        t.until(0.0);
        assert_eq!(t.status(), Status::Unmeasured, "{targets:?}");
    }
}

#[test]
fn without_rights_and_without_another_answer_a_host_is_not_measured() {
    let mut t = Tape::with(&[SRV], Pace::checking(), IcmpRight::None);
    t.world.reply_where(|ask| matches!(ask, crate::model::Ask::Trace { .. }), Reply::Still);
    t.until(8.0);
    t.stayed_quiet();
    assert_eq!(t.status(), Status::Unmeasured);

    let mut t = Tape::with(&["10.77.9.20:443"], Pace::checking(), IcmpRight::None);
    t.until(8.0);
    t.stayed_quiet();
    assert_eq!(t.status(), Status::Healthy);
}

#[test]
fn information_never_changes_the_status() {
    let mut t = Tape::watching(&["10.77.9.20:443"]);
    t.echo(SRV, Reply::Silence);
    t.until(6.0);
    assert!(!t.ids().is_empty());
    assert_eq!(t.status(), Status::Healthy);
}

#[test]
fn causes_are_followed_from_the_lowest_layer_up() {
    let mut t = Tape::watching(&["https://10.77.9.20/"]);
    t.tls("10.77.9.20:443", Reply::Says(Detail::Tls(certificate(Trust::Expired, 0))));
    t.http("10.77.9.20:443", Reply::Says(http(500)));
    t.until(3.0);
    assert_eq!(t.ids(), ["tls.expired@10.77.9.20:443", "http.5xx@10.77.9.20:443"]);
    let root = FindingId("tls.expired@10.77.9.20:443".to_owned());
    assert_eq!(t.finding("http.5xx").caused_by, Some(root.clone()));
    assert_eq!(t.verdict().explained_by(&root), 1);
}

#[test]
fn roots_stand_by_severity_then_targets_then_layer() {
    let mut t = Tape::watching(&["10.77.9.20:22", "http://10.77.8.20/", "10.77.8.20:80", "srv4.lab.test"]);
    t.resolvers(&["10.77.53.53", "10.77.54.54"], &[]);
    t.dns("10.77.53.53", Reply::Silence);
    t.port("10.77.9.20:22", Reply::Refused);
    t.port("10.77.8.20:80", Reply::Refused);
    t.until(6.0);
    let codes: Vec<_> = t.verdict().findings.iter().map(|f| f.subject.as_str()).collect();
    assert_eq!(codes, ["10.77.8.20:80", "10.77.9.20:22", "nameserver 10.77.53.53"]);
    let severities: Vec<_> = t.verdict().findings.iter().map(|f| f.severity).collect();
    assert_eq!(severities, [Severity::Critical, Severity::Critical, Severity::Warning]);
}

#[test]
fn layers_of_equal_roots_run_upwards() {
    let mut t = Tape::watching(&["http://10.77.8.20/", "10.77.9.20:22"]);
    t.http("10.77.8.20:80", Reply::Says(http(500)));
    t.port("10.77.9.20:22", Reply::Refused);
    t.until(3.0);
    let layers: Vec<_> = t.verdict().findings.iter().map(|f| f.layer).collect();
    assert_eq!(layers, [Layer::Transport, Layer::Application]);
}

#[test]
fn a_finding_keeps_its_first_moment() {
    let mut t = Tape::watching(&["10.77.9.20:22"]);
    t.until(3.0);
    t.port("10.77.9.20:22", Reply::Refused);
    t.until(6.0);
    let since = t.finding("port.refused").since;
    assert!((2_900..=3_600).contains(&since.mono.millis()), "{since:?}");
    t.until(60.0);
    assert_eq!(t.finding("port.refused").since, since);
}

#[test]
fn an_address_taken_away_is_judged_no_longer() {
    let mut t = Tape::watching(&["srv.lab.test"]);
    t.until(2.0);
    t.dies_after("fd77:9::20", "fd77:1::1 fd77:12::2");
    t.until(9.0);
    t.finding("path.blackhole");
    t.world.names.insert("srv.lab.test".to_owned(), vec![super::world::ip(SRV)]);
    t.until(15.0);
    assert_eq!(t.status(), Status::Healthy);
}
