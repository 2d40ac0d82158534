use proptest::prelude::*;

use super::*;

const EXAMPLE: &str = include_str!("../../assets/frc.example.toml");

/// (id, line, column) of every mistake.
fn mistakes(text: &str) -> Vec<(String, u32, u32)> {
    parse("frc.toml", text).expect_err(text).into_iter().map(|m| (m.what.id.to_string(), m.line, m.column)).collect()
}

fn one(text: &str) -> Mistake {
    let mut all = parse("frc.toml", text).expect_err(text);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[test]
fn the_example_shows_the_defaults() {
    assert_eq!(parse("frc.example.toml", EXAMPLE), Ok(Config::default()));
    assert_eq!(parse("frc.toml", ""), Ok(Config::default()));
}

#[test]
fn the_example_without_its_comment_marks_shows_the_rest() {
    let whole: String = EXAMPLE
        .lines()
        .map(|l| if l.starts_with('#') && l.len() > 1 && !l.starts_with("# ") { &l[1..] } else { l })
        .fold(String::new(), |all, l| all + l + "\n");
    let config = parse("frc.example.toml", &whole).unwrap();
    let target = &config.targets[0];
    assert_eq!((target.name.as_deref(), target.targets.len()), (Some("shop"), 2));
    assert_eq!((target.expect_status.clone(), target.interval), (vec![200, 204], Some(Duration::from_secs(2))));
    assert_eq!(config.services[0].port, 5432);
    assert!(config.services[0].loopback_ok);
    assert_eq!(config.contacts.len(), 3);
}

#[test]
fn the_example_names_every_threshold() {
    for (key, _) in thresholds::KEYS {
        assert!(EXAMPLE.contains(&format!("\n{key} = ")), "{key} is not in the example");
    }
}

#[test]
fn values_are_taken_in_their_units() {
    let config = parse(
        "f",
        "[thresholds]\nloss_percent = 2.5\ndns_slow_ms = 50\ncertificate_left_days = 30\n\
         [probe]\ninterval_s = 0.5\n[limits]\npackets_per_second = 0x64\n\
         [[target]]\ntarget = \"h:22\"\nrole = \"gateway\"\n[[service]]\nport = 53\ntransport = \"udp\"",
    )
    .unwrap();
    assert!((config.thresholds.loss - 0.025).abs() < 1e-9);
    assert_eq!(config.thresholds.dns_slow, Duration::from_millis(50));
    assert_eq!(config.thresholds.certificate_left, Duration::from_secs(30 * 86_400));
    assert_eq!(config.probe.interval, Duration::from_millis(500));
    assert_eq!(config.limits.packets_per_second, 100);
    assert_eq!(config.targets[0].role, Role::Gateway);
    assert_eq!(config.services[0].transport, Transport::Udp);
}

#[test]
fn a_key_that_is_nearly_right_is_suggested() {
    let m = one("[treshold]\nloss_percent = 1\n");
    assert_eq!((m.what.id.as_ref(), m.line, m.column, m.width), ("config-unknown-key-near", 1, 2, 8));
    assert!(m.what.args.contains(&("near".into(), "thresholds".into())), "{:?}", m.what);
    assert_eq!(one("[probe]\nintervall_s = 1").what.id, "config-unknown-key-near");
    assert_eq!(one("[probe]\nzebra = 1").what.id, "config-unknown-key");
    assert_eq!(one("[screen]\ntheme = \"drak\"").what.id, "config-choice-near");
}

#[test]
fn every_mistake_is_told_not_only_the_first() {
    let text = "\
[[target]]
name = \"a\"
target = \"h:99999\"
[[target]]
name = \"a\"
target = [\"ok\", 5, \"ftp://h\"]
expect_status = 99
[[target]]
[[service]]
port = 0
transport = \"sctp\"
loopback_ok = 1
[thresholds]
loss_percent = \"5\"
cpu_warning_percent = 95
[limits]
packets_per_second = 1
[contacts]
network = \"a\\u001bb\"
";
    let found = mistakes(text);
    let places: Vec<_> = found.iter().map(|(id, line, _)| (id.as_str(), *line)).collect();
    assert_eq!(
        places,
        [
            ("config-target", 3),
            ("config-twice", 5),
            ("config-type", 6),
            ("config-target", 6),
            ("config-range", 7),
            ("config-key-missing", 8),
            ("config-range", 10),
            ("config-choice", 11),
            ("config-type", 12),
            ("config-type", 14),
            ("config-order", 15),
            ("config-range", 17),
            ("config-characters", 19),
        ]
    );
}

#[test]
fn broken_syntax_is_placed_and_the_rest_still_read() {
    let found = mistakes("[probe]\ninterval_s = = 1\n[limits]\npackets_per_second = true\n[limits]\n");
    assert!(found.iter().any(|(id, line, _)| id == "config-syntax" && *line == 2), "{found:?}");
    assert!(found.iter().any(|(id, line, _)| id == "config-type" && *line == 4), "{found:?}");
    assert!(found.iter().any(|(id, line, _)| id == "config-syntax" && *line == 5), "{found:?}");
    let m = &parse_bytes("f", b"[probe]\n\xff").unwrap_err()[0];
    assert_eq!((m.what.id.as_ref(), m.line, m.column), ("config-not-utf8", 2, 1));
}

#[test]
fn an_explicit_file_must_exist() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.toml");
    assert_eq!(load(Some(&path)).unwrap_err()[0].what.id, "config-missing");
    assert_eq!(load(Some(folder.path())).unwrap_err()[0].what.id, "config-unreadable");
    std::fs::write(&path, "#".repeat(2 << 20)).unwrap();
    assert_eq!(load(Some(&path)).unwrap_err()[0].what.id, "config-too-long");
    std::fs::write(&path, "[screen]\nascii = true").unwrap();
    assert!(load(Some(&path)).unwrap().screen.ascii);
}

/// Files built to hurt are refused or read in no time; one that does not end
/// shows itself.
#[test]
fn a_file_built_to_hurt_does_no_harm() {
    for piece in
        ["=\n", "a", "[[target]]\n", "[", "\"", "a.", "x = 1\n", "[probe]\n", "{", "[[service]]\nport = 1\n", "\u{1}"]
    {
        let found = parse("f", &piece.repeat((1 << 18) / piece.len())).expect_err(piece);
        assert!(!found.is_empty() && found.len() <= 100, "{piece}: {}", found.len());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse_bytes("f", &bytes);
    }

    /// Pieces of real files in any order reach deeper than noise does.
    #[test]
    fn any_pieces_are_read_or_refused(pieces in proptest::collection::vec(
        prop::sample::select(vec![
            "[[target]]\n", "[target]\n", "target = ", "[\"h\", ", "\"https://h/\"\n", "]\n", "[probe]\n", "[thresholds]\n",
            "interval_s = ", "loss_percent = ", "1e999\n", "-1\n", "nan\n", "0x", "\"\"\"", "\n", "=", ".", "\u{202e}", "é",
            "[[service]]\n", "port = ", "99999999999999999999\n", "{", "}", "name = 'a'\n", "1979-05-27\n", "[contacts]\n",
        ]), 0..30)) {
        let _ = parse("f", &pieces.concat());
    }
}
