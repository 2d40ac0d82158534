use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::model::{At, Message, Mistake, Mono, Wall};
use crate::text::{Language, Texts, Zone};

/// Observations by `name(subject)`; what is absent is not measured.
#[derive(Default, Clone)]
struct Seen(std::collections::HashMap<String, f64>);

impl Seen {
    fn with(mut self, what: &str, value: f64) -> Self {
        self.0.insert(what.to_owned(), value);
        self
    }

    fn get<T: PartialEq + Copy>(&self, words: &[vocabulary::Word<T>], asks: T, subject: &str) -> Option<f64> {
        let name = words.iter().find(|w| w.asks == asks)?.name;
        self.0.get(&format!("{name}({subject})")).copied()
    }
}

impl Observations for Seen {
    fn figure(&self, figure: Figure, subject: &str) -> Option<f64> {
        self.get(&vocabulary::FIGURES, figure, subject)
    }

    fn fact(&self, fact: Fact, subject: &str) -> Option<bool> {
        self.get(&vocabulary::FACTS, fact, subject).map(|n| n != 0.0)
    }
}

fn at(seconds: u64) -> At {
    At { mono: Mono(seconds * 1_000_000_000), wall: Wall(seconds as i64 * 1_000_000) }
}

fn truth(condition: &str, seen: &Seen) -> Truth {
    Condition::parse(condition).unwrap_or_else(|e| panic!("{condition}: {e:?}")).truth(seen)
}

fn refused(condition: &str) -> String {
    Condition::parse(condition).expect_err(condition).what.id.into_owned()
}

fn mistakes(text: &str) -> Vec<(String, u32, u32)> {
    parse("r.md", text)
        .expect_err(text)
        .into_iter()
        .map(|Mistake { what, line, column, .. }| (what.id.into_owned(), line, column))
        .collect()
}

#[test]
fn conditions_have_three_answers() {
    use Truth::{No, NotMeasured, Yes};
    let seen = Seen::default().with("loss(gateway)", 0.0).with("finding(dns.*)", 0.0).with("listening(5432)", 1.0);
    for (condition, expected) in [
        ("loss(\"gateway\") < 0.01", Yes),
        ("loss('gateway') >= 1", No),
        ("loss(\"x\") < 0.01", NotMeasured),
        ("!(loss(\"x\") < 0.01)", NotMeasured),
        ("!finding(\"dns.*\")", Yes),
        ("!finding(\"tls.*\")", NotMeasured),
        ("listening(5432) && loss(\"x\") < 1.0", NotMeasured),
        ("listening(5432) || loss(\"x\") < 1.0", Yes),
        ("!listening(5432) && loss(\"x\") < 1.0", No),
        ("loss(\"x\") == loss(\"x\")", NotMeasured),
        ("1.0 / loss(\"gateway\") > 5.0", NotMeasured),
        ("loss(\"x\") < 1.0 ? true : true", NotMeasured),
        ("listening(5432) ? loss(\"gateway\") * 2.0 - 1.0 < -0.5 : false", Yes),
        ("listening(5432) == true && (1 + 2) * 3 == 9", Yes),
    ] {
        assert_eq!(truth(condition, &seen), expected, "{condition}");
    }
}

#[test]
fn a_wrong_condition_is_a_mistake_in_the_file() {
    assert_eq!(refused(""), "condition-empty");
    assert_eq!(refused("loss("), "condition-syntax");
    assert_eq!(refused("los(\"a\") < 1.0"), "condition-unknown-near");
    assert_eq!(refused("zebra() < 1.0"), "condition-unknown");
    assert_eq!(refused("loss(\"a\")"), "condition-number-alone");
    assert_eq!(refused("listening(1) < 2"), "condition-not-a-number");
    assert_eq!(refused("1 / 2 < 1"), "condition-whole-division");
    assert_eq!(refused("loss() < 1.0"), "condition-takes-subject");
    assert_eq!(refused("cpu(\"a\") < 1.0"), "condition-takes-nothing");
    assert_eq!(refused("listening(\"a\")"), "condition-takes-port");
    assert_eq!(refused("listening(0)"), "condition-takes-port");
    assert_eq!(refused("[1].all(x, x < 2)"), "condition-unknown");
    assert_eq!(refused(&"(".repeat(300)), "condition-too-deep");
    assert_eq!(refused(&"x".repeat(500)), "condition-too-long");
    assert!(Condition::parse(&("true".to_owned() + &" && true".repeat(48))).is_ok());
}

const PAGE: &str = r#"+++
id = "db"
match = ["port.*", "host.memory"]
severity = "SEV2"
+++
# Database down

Read this first.

## Fault: what is broken

- [ ] It **listens** on `5432`
  on this host
  <!-- frc
  id: listens
  why: Without it
    nothing works.
  check: listening(5432)
  -->

      ss -ltnp

- not a step
- [x] Look at the [log](https://wiki/log) <!-- expect: no errors -->
  - [ ] Nested

## Response

1. [ ] Restart it

   ```frc
   time-box: 5m
   rollback: stop it again
   ```

## Confirm

- [ ] Clients come back
  <!-- check: answers("db")
       hold: 30s -->
"#;

#[test]
fn a_page_becomes_steps() {
    let book = parse("db.md", PAGE).unwrap();
    assert_eq!((book.id.as_str(), book.title.as_str(), book.severity), ("db", "Database down", Some(2)));
    assert_eq!(book.about[0].as_str(), "Read this first.");
    assert!(book.fits("port.refused") && book.fits("host.memory") && !book.fits("host.memory2"));
    let titles: Vec<_> = book.steps.iter().map(|s| (s.phase, s.title.as_str(), s.id.as_str())).collect();
    assert_eq!(
        titles,
        [
            (Phase::Fault, "It listens on 5432 on this host", "listens"),
            (Phase::Fault, "Look at the log", "look-at-the-log"),
            (Phase::Fault, "Nested", "nested"),
            (Phase::Response, "Restart it", "restart-it"),
            (Phase::Confirm, "Clients come back", "clients-come-back"),
        ]
    );
    assert_eq!(book.steps[0].why.as_ref().unwrap().as_str(), "Without it nothing works.");
    assert_eq!(book.steps[0].check.as_ref().unwrap().source(), "listening(5432)");
    assert_eq!(book.steps[0].body[0].as_str(), "    ss -ltnp");
    assert_eq!(book.steps[1].expect.as_ref().unwrap().as_str(), "no errors");
    assert_eq!(book.steps[3].time_box, Some(Duration::from_secs(300)));
    assert_eq!(book.steps[4].hold, Duration::from_secs(30));
}

#[test]
fn anybodys_checklist_works_unchanged() {
    let book =
        parse("Deploy Steps.md", "Some words\n\n* [ ] one\n* [ ] one\n<!-- more to come -->\n- [x] three\n").unwrap();
    assert_eq!((book.id.as_str(), book.title.as_str()), ("deploy-steps", "Deploy Steps"));
    let ids: Vec<_> = book.steps.iter().map(|s| (s.phase, s.id.as_str())).collect();
    assert_eq!(ids, [(Phase::Response, "one"), (Phase::Response, "one-2"), (Phase::Response, "three")]);
    assert!(book.steps.iter().all(|s| s.check.is_none()));
}

#[test]
fn mistakes_in_a_runbook_have_their_place() {
    let text = "+++\nid = 3\nsevrity = \"SEV1\"\n+++\n- [ ] a\n  <!-- frc\n  check: los(\"x\") < 1.0\n  hold: soon\n  wy: x\n  -->\n- [ ]\n";
    let found = mistakes(text);
    let expected = [
        ("runbook-bad-id", 2, 6),
        ("runbook-unknown-key-near", 3, 1),
        ("condition-unknown-near", 7, 10),
        ("runbook-duration", 8, 9),
        ("runbook-unknown-key-near", 9, 3),
    ];
    for (id, line, column) in expected {
        assert!(found.contains(&(id.to_owned(), line, column)), "{id} {line}:{column} not in {found:?}");
    }
    assert_eq!(mistakes("# Empty\n"), [("runbook-no-steps".to_owned(), 0, 0)]);
    assert_eq!(mistakes(&"- [ ] a\n".repeat(MAX_STEPS + 1))[0].0, "runbook-too-many-steps");
    assert_eq!(mistakes(&"x".repeat(MAX_BYTES + 1))[0].0, "runbook-file-too-long");
    let twice = "- [ ] a\n  <!-- id: x -->\n- [ ] b\n  <!-- id: x -->\n";
    assert_eq!(mistakes(twice)[0].0, "runbook-id-twice");
    assert_eq!(mistakes("- [ ] a\n  <!-- hold: 5s -->\n")[0].0, "runbook-hold-without-check");
}

fn walk(text: &str) -> Walk {
    Walk::start(Arc::new(parse("w.md", text).unwrap()), at(0))
}

const LOOP: &str = "## Fault\n- [ ] gw\n  <!-- check: loss(\"gateway\") < 0.01 -->\n- [ ] look\n## Response\n- [ ] act\n  <!-- time-box: 2m -->\n\
                    ## Confirm\n- [ ] well\n  <!-- check: loss(\"api\") < 0.01\n  hold: 30s -->\n";

#[test]
fn fault_steps_tick_with_their_evidence_and_stay() {
    let mut w = walk(LOOP);
    assert_eq!(w.current().unwrap().step.id, "gw");
    assert!(w.observe(&Seen::default(), at(1)).is_empty(), "not measured ticks nothing");
    assert_eq!(w.observe(&Seen::default().with("loss(gateway)", 0.0), at(2)), [0]);
    assert_eq!(w.observe(&Seen::default().with("loss(gateway)", 1.0), at(3)), [0; 0]);
    let Mark::Probes { evidence: Some(evidence), at: when } = w.step(0).unwrap().mark else { panic!() };
    let texts = Texts::in_zone(Language::En, Zone::utc());
    assert_eq!((texts.render(evidence).as_str(), *when), ("gateway: 0 % lost", at(2)));
    assert_eq!((w.current().unwrap().step.id.as_str(), w.count(Phase::Fault)), ("look", (1, 2)));
}

#[test]
fn a_broken_layer_is_an_answer_and_the_guide_goes_on() {
    let mut w = walk(LOOP);
    w.observe(&Seen::default().with("loss(gateway)", 1.0), at(1));
    assert!(w.step(0).unwrap().is_broken());
    assert_eq!(w.current().unwrap().step.id, "look");
    assert!(w.tick("look", true, &"ana".into(), None, at(5)));
    assert_eq!((w.phase(), w.due()), (Phase::Response, Some(at(125))));
    assert_eq!(w.count(Phase::Fault), (1, 2));
}

#[test]
fn confirm_ticks_only_after_holding_without_a_gap() {
    let good = Seen::default().with("loss(api)", 0.0);
    let ticked = |w: &Walk| w.step(3).unwrap().mark.is_done();
    let mut w = walk(LOOP);
    for s in 1..31 {
        w.observe(&good, at(s));
        assert!(!ticked(&w), "{s}");
    }
    w.observe(&Seen::default(), at(31));
    for s in 32..62 {
        w.observe(&good, at(s));
        assert!(!ticked(&w), "not measured began it anew, {s}");
    }
    assert_eq!(w.observe(&good, at(62)), [3]);
    assert!(w.is_confirmed());
    assert_eq!(w.observe(&Seen::default(), at(63)), [3], "what cannot be measured is not confirmed");
    assert!(!ticked(&w));

    let mut w = walk(LOOP);
    w.observe(&good, at(1));
    w.observe(&good, at(100));
    assert!(!ticked(&w), "nobody looked in between");
    let mut w = walk(LOOP);
    for s in 1..=31 {
        w.observe(&good, at(s));
    }
    assert!(ticked(&w));
    w.gap(at(32));
    assert!(!ticked(&w), "a gap opens it");
}

#[test]
fn a_person_has_the_last_word() {
    let mut w = walk(LOOP);
    let ana = Untrusted::new("ana");
    w.observe(&Seen::default().with("loss(gateway)", 0.0), at(1));
    assert!(w.tick("gw", false, &ana, None, at(2)));
    assert!(w.observe(&Seen::default().with("loss(gateway)", 0.0), at(3)).is_empty());
    assert!(matches!(w.step(0).unwrap().mark, Mark::Reopened { .. }));
    assert!(w.tick("well", true, &ana, Some("seen by eye".into()), at(4)));
    assert!(matches!(w.step(3).unwrap().mark, Mark::Overridden { reason: Some(_), .. }));
    w.tick("gw", true, &ana, None, at(5));
    assert!(matches!(w.step(0).unwrap().mark, Mark::Person { .. }));
    assert!(!w.tick("nothing", true, &ana, None, at(6)));
}

#[test]
fn the_built_in_runbooks_are_read_and_fit_the_screen() {
    for (name, text) in BUILTIN {
        let book = parse(name, text).unwrap_or_else(|m| panic!("{name}: {m:#?}"));
        assert!((12..=18).contains(&book.steps.len()), "{name}: {} steps", book.steps.len());
        for step in &book.steps {
            assert!(step.title.as_str().chars().count() <= 50, "{}", step.title);
            assert!(step.why.is_some() && step.expect.is_some(), "{}", step.title);
        }
        for phase in Phase::ALL {
            assert!(book.phase(phase).count() > 0);
        }
    }
    assert!(builtin("en").iter().any(|b| b.id == "first-response" && b.fits("link.down")));
}

#[test]
fn a_healthy_host_walks_through_by_itself() {
    let mut seen = Seen::default();
    for (what, value) in [
        ("clock_offset()", 0.01),
        ("disk()", 0.5),
        ("writable()", 1.0),
        ("io_pressure()", 0.0),
        ("link_up()", 1.0),
        ("has_address()", 1.0),
        ("has_route()", 1.0),
        ("loss(gateway)", 0.0),
        ("answers(resolvers)", 1.0),
        ("answers(targets)", 1.0),
        ("loss(targets)", 0.0),
        ("rtt_p90(targets)", 1.1),
        ("baseline(targets)", 1.0),
        ("probes(targets)", 2_000.0),
        ("success(targets)", 0.9995),
        ("finding(*)", 0.0),
    ] {
        seen = seen.with(what, value);
    }
    for (_, text) in BUILTIN {
        for part in text.split("finding(\"").skip(1) {
            seen = seen.with(&format!("finding({})", part.split('"').next().unwrap()), 0.0);
        }
    }
    let book = builtin("en").remove(0);
    let mut w = Walk::start(Arc::new(book), at(0));
    for s in 1..=61 {
        w.observe(&seen, at(s));
    }
    assert_eq!(w.current().unwrap().step.id, "acknowledge");
    assert_eq!(w.count(Phase::Fault), (7, 9), "all but the two that only people can do");
    assert!(w.is_confirmed());
}

#[test]
fn every_word_has_its_sentence_and_its_page() {
    let texts = Texts::in_zone(Language::En, Zone::utc());
    let figures = vocabulary::FIGURES.iter().map(|w| (w.name, w.what, w.saw));
    for (name, what, saw) in figures.chain(vocabulary::FACTS.iter().map(|w| (w.name, w.what, w.saw))) {
        assert!(texts.has(what), "{what}");
        for value in [0.0, 1.0] {
            let m = Message { id: saw.into(), args: Vec::new() };
            let m = m.with("value", value).with("subject", "x").with("named", 1u8);
            assert!(texts.problems(&m).is_empty(), "{:?}", texts.problems(&m));
        }
        assert!(DOC.contains(&format!("| `{name}(")), "{name} is not in docs/runbooks.md");
    }
    for key in attributes::KEYS {
        assert!(DOC.contains(&format!("| `{key}` |")), "{key} is not in docs/runbooks.md");
    }
}

const DOC: &str = include_str!("../../docs/runbooks.md");

#[test]
fn the_page_s_own_example_is_read() {
    let example = DOC.split("````markdown\n").nth(1).unwrap().split("````").next().unwrap();
    let book = parse("example.md", example).unwrap_or_else(|m| panic!("{m:#?}"));
    assert_eq!((book.id.as_str(), book.steps.len()), ("db-down", 4));
    assert_eq!(book.steps.iter().filter(|s| s.check.is_some()).count(), 2);
}

#[test]
fn evidence_names_what_decided() {
    let texts = Texts::in_zone(Language::En, Zone::utc());
    let told = |condition: &str, seen: &Seen| {
        Condition::parse(condition).unwrap().evidence(seen).map(|m| {
            assert!(texts.problems(&m).is_empty(), "{:?}", texts.problems(&m));
            texts.render(&m)
        })
    };
    let four = "!finding(\"a\") && !finding(\"b\") && !finding(\"c\") && !finding(\"d\")";
    let seen = Seen::default().with("finding(a)", 0.0).with("finding(b)", 0.0).with("finding(c)", 0.0);
    assert_eq!(told(four, &seen).unwrap(), "d: finding not measured");
    assert_eq!(told(four, &seen.clone().with("finding(d)", 1.0)).unwrap(), "d stands");
    assert_eq!(told(four, &seen.with("finding(d)", 0.0)).unwrap(), "no a, no b, no c");
    let seen = Seen::default().with("answers(targets)", 1.0).with("finding(*)", 0.0).with("disk()", 0.5);
    let all = "answers(\"targets\") && !finding(\"*\") && disk() < 0.9";
    assert_eq!(told(all, &seen).unwrap(), "targets: answered, no finding, fullest disk 50 %");
    assert_eq!(told("cpu() < 1.0", &seen).unwrap(), "CPU not measured");
    assert_eq!(told("true", &seen), None);
}

/// Pages built to hurt are refused or read in no time; nobody measures here, a
/// page that does not end shows itself.
#[test]
fn a_page_built_to_hurt_does_no_harm() {
    for piece in [
        "- ",
        "> ",
        "[",
        "*_",
        "- [ ] ",
        "`",
        "<!--",
        "<!-- frc\n",
        "- [ ] a\n <!-- frc\n",
        "+++\n",
        "  - a\n",
        "![",
        "&",
        "\\",
    ] {
        let _ = parse("f.md", &piece.repeat(MAX_BYTES / piece.len()));
    }
    let deep: String = (0..200).map(|n| " ".repeat(2 * n) + "- [ ] a\n").collect();
    assert_eq!(parse("f.md", &deep).unwrap().steps.len(), 16);
    for piece in
        ["(", "!", "-", "a?", "true?", "[", "{", "a.", "1+", "a(", "!(", "true&&", "\"", "true?true:", "a||b&&"]
    {
        let _ = Condition::parse(&piece.repeat(400 / piece.len()));
        let _ = Condition::parse(&(piece.repeat(300 / piece.len()) + "true"));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse("f.md", &String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_pieces_are_read_or_refused(pieces in proptest::collection::vec(prop::sample::select(vec![
        "- [ ] ", "- ", "  ", "\n", "\n\n", "+++\n", "id = 'a'\n", "match = [", "## Fault\n", "## Confirm\n", "<!-- frc\n", "<!-- ",
        "-->", "why: ", "check: ", "hold: 5s\n", "loss(\"a\")", " < 1.0", "```frc\n", "```\n", "~~~", "> ", "\t", "é", "\u{202e}",
        "(", "&&", "!", "finding('x')", "| a |", "[a](b)", "1. ", "\r\n", "<b>", "* [x] ", "- [ ]\n",
    ]), 0..60)) {
        if let Ok(book) = parse("f.md", &pieces.concat()) {
            prop_assert!(book.steps.len() <= MAX_STEPS);
            let mut w = Walk::start(Arc::new(book), at(0));
            w.observe(&Seen::default(), at(1));
            prop_assert!(w.steps().all(|s| !s.mark.is_done()) || w.steps().any(|s| s.step.check.is_some()));
        }
    }

    #[test]
    fn any_condition_is_read_or_refused(text in "(\\PC{0,60}|[()!<>=&|?:\\[\\]{}.,'\"0-9a-z+*/% -]{0,120})") {
        if let Ok(c) = Condition::parse(&text) {
            let _ = c.truth(&Seen::default());
            let _ = c.evidence(&Seen::default());
        }
    }
}
