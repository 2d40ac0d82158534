//! What stands in the lists, and in which order: rows told apart, paths gone
//! through, services that are missing, what is not measured.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::net::IpAddr;

use crossterm::event::KeyCode;
use frc::model::probe::TraceProto;
use frc::model::sample::Unsent;
use frc::model::socket::{ExpectedService, Transport};
use frc::model::{Ask, Outcome, RecordKind, Role};

use super::Screen;
use super::tape::Tape;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A second address of the first target, traced too.
fn two_families() -> Tape {
    let mut tape = Tape::at_second(20, false);
    tape.probe(20, &[1], Ask::Icmp { to: ip("fd77:9::20") });
    tape.probe(21, &[1], Ask::Resolve { name: "srv.lab.test".to_owned() });
    let protos = vec![TraceProto::Icmp];
    tape.probe(22, &[1], Ask::Trace { to: ip("fd77:9::20"), protos, port: None, max_ttl: 30 });
    tape
}

#[test]
fn rows_of_one_name_are_told_apart() {
    for (columns, rows) in [(120, 36), (80, 24), (100, 30), (160, 50)] {
        let text = Screen::new(two_families(), columns, rows).text();
        assert!(text.contains("srv.lab.test 10.77.9.20"), "{text}");
        assert!(text.contains("srv.lab.test fd77:9::20"), "{text}");
        let at = |what: &str| text.find(what).unwrap_or(usize::MAX);
        assert!(at("fd77:9::20") < at("resolve"), "{text}");
    }
}

#[test]
fn an_address_without_room_is_told_by_family_or_by_its_end() {
    let mut tape = Tape::blank();
    tape.begin();
    tape.target(30, "a-rather-long-name.lab.test", Role::Watched);
    tape.probe(31, &[30], Ask::Icmp { to: ip("192.0.2.17") });
    tape.probe(32, &[30], Ask::Icmp { to: ip("2001:db8:aaaa:bbbb::1") });
    tape.probe(33, &[30], Ask::Icmp { to: ip("2001:db8:aaaa:bbbb::2") });
    let text = Screen::new(tape, 120, 36).text();
    let rows: Vec<_> = text.lines().filter(|l| l.contains("a-rather")).collect();
    assert!(rows.iter().any(|r| r.contains("IPv4")), "{text}");
    assert!(rows.iter().any(|r| r.contains("b::1 ")) && rows.iter().any(|r| r.contains("b::2 ")), "{text}");
}

#[test]
fn every_traced_path_is_a_key_away() {
    let mut screen = Screen::new(two_families(), 120, 36);
    assert!(screen.text().contains("1 of 2"), "{}", screen.text());
    screen.press("2");
    screen.code(KeyCode::Right);
    assert!(screen.text().contains("Path srv.lab.test fd77:9::20"), "{}", screen.text());
    screen.press("l");
    assert!(screen.text().contains("Path srv.lab.test 10.77.9.20"), "{}", screen.text());
}

#[test]
fn a_service_that_nobody_offers_stands_first() {
    let mut tape = Tape::at_second(20, false);
    let expected = |port, name: Option<&str>| ExpectedService {
        port,
        transport: Transport::Tcp,
        name: name.map(str::to_owned),
        loopback_ok: false,
    };
    let at = tape.state.now;
    tape.write(at, RecordKind::Expected(vec![expected(22, None), expected(7001, None), expected(7002, Some("queue"))]));
    let mut screen = Screen::new(tape, 120, 36);
    let text = screen.text();
    assert!(text.contains("2 missing"), "{text}");
    assert!(text.contains("✗ :7001  expected, nobody listens"), "{text}");
    assert!(text.contains("✗ :7002  nobody listens: queue"), "{text}");
    assert!(!text.contains("✗ :22"), "{text}");
    screen.ui.size = (80, 24);
    assert!(screen.text().contains("✗ :7001"), "{}", screen.text());
}

/// An interface goes down: what was well a moment ago is not well now.
#[test]
fn what_no_longer_leaves_this_host_is_not_measured() {
    let mut tape = Tape::at_second(30, false);
    for second in 30..33 {
        tape.sample(1, second, Outcome::Unsent { reason: Unsent::NoRoute });
    }
    let text = Screen::new(tape, 120, 36).text();
    assert!(text.contains("not sent: no route"), "{text}");
}

/// A long path whose middle is silent, and which ends: the end is in sight, and
/// silent hops are no alarm.
#[test]
fn the_end_of_a_long_path_is_in_sight() {
    use frc::model::hop::{HopAnswer, HopOutcome, HopSample, RoundEnd};
    use frc::model::{Mono, ProbeId};
    let mut tape = Tape::at_second(20, false);
    let to = ip("203.0.113.9");
    tape.target(40, "far.lab.test", Role::Watched);
    tape.probe(41, &[40], Ask::Trace { to, protos: vec![TraceProto::Icmp], port: None, max_ttl: 64 });
    let at = tape.state.now;
    for round in 0..4u32 {
        let sent = Mono(at.mono.0 + u64::from(round) * 1_000_000);
        for ttl in 1..=64u8 {
            let answers = ttl <= 60 && !(20..=30).contains(&ttl);
            let outcome = if answers {
                let from = IpAddr::from([198, 51, 100, ttl]);
                let rtt = std::time::Duration::from_micros(200);
                HopOutcome::Answered { from, rtt, answer: HopAnswer::Expired, reply_ttl: None }
            } else {
                HopOutcome::Silent
            };
            let sample = HopSample { probe: ProbeId(41), proto: TraceProto::Icmp, round, ttl, sent, outcome };
            tape.write(at, RecordKind::Hop(sample));
        }
        let probe = ProbeId(41);
        let proto = TraceProto::Icmp;
        let end = RoundEnd { probe, proto, round, began: sent, reached: None, probed: 64, one_flow: true };
        tape.write(at, RecordKind::Round(end));
    }
    for (columns, rows) in [(120, 36), (80, 24)] {
        let mut screen = Screen::new(tape.clone(), columns, rows);
        let text = screen.text();
        assert!(text.contains("far.lab.test"), "{text}");
        if columns > 80 {
            assert!(text.contains("60 198.51.100.60"), "{text}");
            assert!(text.contains("61  nothing answers") || text.contains("61 nothing answers"), "{text}");
        }
        screen.press("2g");
        let text = screen.text();
        assert!(text.contains("1 198.51.100.1"), "{text}");
        screen.press("jjjjjjjjjjjjjjjjjjjjj");
        assert!(screen.text().contains("no answer"), "{}", screen.text());
    }
}

/// Everything of the screen is a key away where only one pane has room.
#[test]
fn a_small_screen_reaches_everything() {
    let mut screen = Screen::new(Tape::at_second(90, true), 80, 24);
    for (keys, shows) in [
        ("1", "srv.lab.test 10.77.9.20"),
        ("2", "before: 10.77.34.4"),
        ("3", "gw 10.77.1.1"),
        ("4", "sshd"),
        ("5", "Call the owner of 10.77.23.3"),
        ("6", "Watching srv.lab.test"),
        ("7", "cpu"),
    ] {
        screen.press(keys);
        assert!(screen.text().contains(shows), "{keys}: {}", screen.text());
        screen.press("z");
        assert!(screen.text().contains("Packets die after"), "{}", screen.text());
        screen.press("z");
    }
    screen.press("1");
    screen.code(KeyCode::Enter);
    assert!(screen.text().contains("since start"), "{}", screen.text());
    screen.code(KeyCode::Esc);
    for (keys, shows) in
        [("?", "Keys that work here"), (":", "command"), ("/", "Filter"), ("t", "Watch"), ("n", "Note")]
    {
        screen.press(keys);
        assert!(screen.text().contains(shows), "{keys}: {}", screen.text());
        screen.code(KeyCode::Esc);
    }
    screen.press("p");
    assert!(screen.ui.frozen.is_some());
}
