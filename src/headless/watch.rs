//! `frc watch --json`: every record as a line, until somebody ends it.
//!
//! Owns the form of a line (docs/records.md): the record as the model writes it,
//! with its sentences in words and the number of a probe explained.

use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::figures::FindingOut;
use super::output::{Stop, print};
use super::{Setup, TICK, What};
use crate::model::record::{Origin, TaskHealth, TaskState};
use crate::model::{ProbeId, Record, RecordKind, Side, Status, TargetId};
use crate::state::State;
use crate::text::Texts;

/// One line (`frc.record/1`).
#[derive(Debug, Serialize)]
struct Line<'a> {
    schema: &'static str,
    seq: u64,
    at: String,
    origin: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<Of<'a>>,
    #[serde(flatten)]
    body: Body<'a>,
}

/// What a probe's number stands for.
#[derive(Debug, Serialize)]
struct Of<'a> {
    kind: &'static str,
    to: Option<IpAddr>,
    targets: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Body<'a> {
    Plain(&'a RecordKind),
    /// Its sentences are in words.
    Worded {
        kind: &'static str,
        data: Box<Worded<'a>>,
    },
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Worded<'a> {
    Verdict {
        status: Status,
        side: Option<Side>,
        summary: String,
        root: Option<Box<FindingOut<'a>>>,
        findings: Vec<FindingOut<'a>>,
        unmeasured: Vec<&'a str>,
    },
    Task {
        task: &'a str,
        state: &'static str,
        why: String,
        restarts: u32,
    },
}

/// Streams records; 0 once it was ended.
///
/// # Errors
/// The probes could not be started, or standard output could not be written.
pub fn run(setup: &Setup, texts: &Texts) -> io::Result<u8> {
    let stop = Stop::on_signals()?;
    let what = What { keep_records: true, ..What::everything() };
    let mut live = setup.start(setup.pace(), what)?;
    let mut judged = Instant::now();
    let mut out = String::new();
    while !stop.wanted() {
        live.pump(TICK);
        if judged.elapsed() >= Duration::from_secs(1) {
            judged = Instant::now();
            live.judge();
        }
        out.clear();
        for record in live.session.take_records() {
            line(&mut out, &record, &live.session.state, texts)?;
        }
        if !out.is_empty() && !print(&out)? {
            break;
        }
    }
    Ok(0)
}

fn line(out: &mut String, record: &Record, state: &State, texts: &Texts) -> io::Result<()> {
    let line = Line {
        schema: "frc.record/1",
        seq: record.seq,
        at: record.at.wall.rfc3339(),
        origin: match &record.origin {
            Origin::Session => "session".to_owned(),
            Origin::Probe(task) => format!("probe:{task}"),
            Origin::Person(name) => format!("person:{name}"),
        },
        of: probe_of(&record.kind).and_then(|id| of(id, state)),
        body: body(&record.kind, state, texts),
    };
    out.push_str(&serde_json::to_string(&line)?);
    out.push('\n');
    Ok(())
}

fn probe_of(kind: &RecordKind) -> Option<ProbeId> {
    match kind {
        RecordKind::Sample(sample) => Some(sample.probe),
        RecordKind::Hop(hop) => Some(hop.probe),
        RecordKind::Round(end) => Some(end.probe),
        _ => None,
    }
}

fn of(id: ProbeId, state: &State) -> Option<Of<'_>> {
    let probe = state.probe(id)?;
    let targets = probe.spec.targets.iter().filter_map(|t| state.target(*t)).map(|t| t.text.as_str()).collect();
    Some(Of { kind: probe.kind().name(), to: probe.spec.ask.address(), targets })
}

fn body<'a>(kind: &'a RecordKind, state: &'a State, texts: &Texts) -> Body<'a> {
    match kind {
        RecordKind::Verdict(verdict) => {
            let text = |id: &TargetId| state.target(*id).map(|t| t.text.as_str());
            let data = Worded::Verdict {
                status: verdict.status,
                side: verdict.side,
                summary: texts.render(&verdict.summary),
                root: verdict.root().map(|f| Box::new(FindingOut::new(f, texts))),
                findings: verdict.findings.iter().map(|f| FindingOut::new(f, texts)).collect(),
                unmeasured: verdict.unmeasured.iter().filter_map(text).collect(),
            };
            Body::Worded { kind: "verdict", data: Box::new(data) }
        }
        RecordKind::Task(TaskHealth { task, state: TaskState::Unavailable { why }, restarts }) => {
            let data = Worded::Task { task, state: "unavailable", why: texts.render(why), restarts: *restarts };
            Body::Worded { kind: "task", data: Box::new(data) }
        }
        _ => Body::Plain(kind),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::{Ask, At, Message, Mono, Outcome, ProbeSpec, Sample, Target, Verdict, Wall};
    use crate::text::Language;

    fn written(state: &State, kind: RecordKind) -> Value {
        let at = At { mono: Mono(0), wall: Wall(1_763_625_600_123_456) };
        let record = Record { seq: 7, at, origin: Origin::Probe("echo".to_owned()), kind };
        let mut out = String::new();
        line(&mut out, &record, state, &Texts::new(Language::En)).unwrap();
        assert!(out.ends_with('\n') && out.matches('\n').count() == 1);
        serde_json::from_str(&out).unwrap()
    }

    fn watching(text: &str) -> State {
        let mut state = State::default();
        let written: crate::model::target::Written = text.parse().unwrap();
        let mut put = |kind| {
            state.apply(&Record { seq: 1, at: At::default(), origin: Origin::Session, kind });
        };
        put(RecordKind::TargetAdded(Target {
            id: TargetId(1),
            text: written.text.clone(),
            host: written.address.host,
            service: written.address.service,
            role: crate::model::Role::Watched,
            label: None,
        }));
        put(RecordKind::ProbeAdded(ProbeSpec {
            id: ProbeId(3),
            targets: vec![TargetId(1)],
            ask: Ask::Icmp { to: "127.0.0.1".parse().unwrap() },
            scope: 0,
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(2),
            count: None,
        }));
        state
    }

    #[test]
    fn a_sample_says_of_what_it_is() {
        let sample = Sample {
            probe: ProbeId(3),
            seq: 0,
            sent: Mono(5),
            outcome: Outcome::Late { rtt: Duration::from_millis(4) },
        };
        let line = written(&watching("127.0.0.1"), RecordKind::Sample(sample));
        let wanted = json!({"schema": "frc.record/1", "seq": 7, "at": "2025-11-20T08:00:00.123Z",
            "origin": "probe:echo", "of": {"kind": "icmp", "to": "127.0.0.1", "targets": ["127.0.0.1"]},
            "kind": "sample", "data": {"probe": 3, "seq": 0, "sent_ns": 5, "outcome": "late", "rtt_ms": 4.0}});
        assert_eq!(line, wanted);
    }

    #[test]
    fn sentences_are_in_words() {
        let verdict = Verdict {
            status: Status::Unmeasured,
            side: None,
            summary: Message::new("verdict-unmeasured").with("targets", 1),
            findings: Vec::new(),
            unmeasured: vec![TargetId(1)],
            at: At::default(),
        };
        let line = written(&watching("srv"), RecordKind::Verdict(Box::new(verdict)));
        assert_eq!(line["kind"], "verdict");
        assert_eq!(line["data"]["unmeasured"], json!(["srv"]));
        assert!(line["data"]["summary"].as_str().is_some_and(|s| s.contains("could not be judged")), "{line}");
        let why = Message::new("sockets-unavailable").with("error", "EPERM");
        let state = TaskState::Unavailable { why };
        let line =
            written(&State::default(), RecordKind::Task(TaskHealth { task: "sockets".into(), state, restarts: 0 }));
        assert!(line["data"]["why"].as_str().is_some_and(|s| s.contains("EPERM")), "{line}");
    }
}
