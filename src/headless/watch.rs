//! `frc watch --json`: every record as a line, until somebody ends it.

use std::io;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::output::{Stop, print};
use super::{Setup, TICK, What};
use crate::model::record::Origin;
use crate::model::{Record, RecordKind};
use crate::probes::Group;
use crate::session::plan::Scope;

/// One line (`frc.record/1`).
#[derive(Debug, Serialize)]
struct RecordOut<'a> {
    schema: &'static str,
    seq: u64,
    at: String,
    origin: String,
    #[serde(flatten)]
    kind: &'a RecordKind,
}

/// Streams records; 0 once it was ended.
///
/// # Errors
/// The probes could not be started, or standard output could not be written.
pub fn run(setup: &Setup) -> io::Result<u8> {
    let stop = Stop::on_signals()?;
    let what = What {
        scope: Scope::Everything,
        discover: true,
        count: None,
        groups: &[Group::Measure, Group::Names, Group::Host],
        packets_per_second: 0,
        guide: None,
    };
    let mut live = setup.start(setup.pace(), what)?;
    live.session.keep_records();
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
            line(&mut out, &record)?;
        }
        if !out.is_empty() && !print(&out)? {
            break;
        }
    }
    Ok(0)
}

fn line(out: &mut String, record: &Record) -> io::Result<()> {
    let origin = match &record.origin {
        Origin::Session => "session".to_owned(),
        Origin::Probe(task) => format!("probe:{task}"),
        Origin::Person(name) => format!("person:{name}"),
    };
    let line =
        RecordOut { schema: "frc.record/1", seq: record.seq, at: record.at.wall.rfc3339(), origin, kind: &record.kind };
    out.push_str(&serde_json::to_string(&line)?);
    out.push('\n');
    Ok(())
}
