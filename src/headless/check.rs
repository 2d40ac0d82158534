//! `frc check`: measure for a while, one verdict, an exit status.

use std::io;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::figures::{FindingOut, TargetOut, entries};
use super::output::{Stop, print, print_json, status};
use super::{Setup, TICK, What, lines};
use crate::model::host::HostIdentity;
use crate::model::{Confidence, Finding, ProbeKind, Role, Severity, Side, Status, Target, TargetId, Wall};
use crate::probes::Group;
use crate::session::Session;
use crate::session::live::Live;
use crate::session::plan::{Pace, Scope};
use crate::text::Texts;

/// How often the verdict is looked at while measuring.
const JUDGE: Duration = Duration::from_millis(200);

#[derive(Debug, Serialize)]
struct CheckOut<'a> {
    schema: &'static str,
    version: &'static str,
    started: String,
    duration_ms: u64,
    host: HostOut<'a>,
    verdict: VerdictOut<'a>,
    findings: Vec<FindingOut<'a>>,
    targets: Vec<TargetOut<'a>>,
}

/// The `host` object: who measured, and with which rights.
#[derive(Debug, Serialize)]
pub struct HostOut<'a> {
    name: &'a str,
    uid: u32,
    rights: crate::model::host::Rights,
}

impl<'a> HostOut<'a> {
    /// From the session's identity.
    pub fn new(identity: &'a HostIdentity) -> Self {
        Self { name: identity.name.as_str(), uid: identity.uid, rights: identity.rights }
    }
}

#[derive(Debug, Serialize)]
struct VerdictOut<'a> {
    status: Status,
    side: Option<Side>,
    summary: String,
    root: Option<FindingOut<'a>>,
}

/// Runs the check; the exit status of the contract.
///
/// # Errors
/// The probes could not be started, or standard output could not be written.
pub fn run(setup: &Setup, window: Duration, json: bool, texts: &Texts) -> io::Result<u8> {
    let stop = Stop::on_signals()?;
    let began = Instant::now();
    let what = What {
        scope: Scope::Everything,
        discover: true,
        count: None,
        groups: &[Group::Measure, Group::Names],
        packets_per_second: 0,
        guide: None,
        keep_records: false,
    };
    let mut live = setup.start(Pace::checking(), what)?;
    let started = live.now().wall;
    let mut judged = Instant::now();
    while began.elapsed() < window && !stop.wanted() {
        live.pump(TICK.min(window.saturating_sub(began.elapsed())));
        if judged.elapsed() >= JUDGE {
            judged = Instant::now();
            live.judge();
            if all_certain(&live.session) {
                break;
            }
        }
    }
    live.judge();
    report(&live, started, began.elapsed(), json, texts)?;
    Ok(exit_status(live.session.verdict().status))
}

/// Whether every watched target has a strong critical cause. That of every name
/// server is also the cause of a name that could not be looked up.
fn all_certain(session: &Session) -> bool {
    let certain = |f: &&Finding| f.severity == Severity::Critical && f.confidence == Confidence::Strong;
    let (state, verdict) = (&session.state, session.verdict());
    let has_cause = |id: TargetId| verdict.findings.iter().filter(certain).any(|f| f.targets.contains(&id));
    let mut watched = state.watched().peekable();
    if watched.peek().is_none() {
        return false;
    }
    let mut resolvers = state.targets().filter(|t| t.role == Role::Resolver).peekable();
    let nobody_to_ask = resolvers.peek().is_some() && resolvers.all(|t| has_cause(t.id));
    let tried = |t: &Target| state.probes_of(t.id).any(|p| p.kind() == ProbeKind::Resolve && p.last().is_some());
    let unresolved = |t: &Target| t.host.name().is_some() && state.addresses_of(t.id).is_empty() && tried(t);
    watched.all(|t| has_cause(t.id) || nobody_to_ask && unresolved(t))
}

/// The contract's exit status of a verdict.
pub fn exit_status(verdict: Status) -> u8 {
    match verdict {
        Status::Healthy => status::GOOD,
        Status::Degraded => status::DEGRADED,
        Status::Fault => status::FAULT,
        Status::Unmeasured => status::UNMEASURED,
    }
}

fn report(live: &Live, started: Wall, took: Duration, json: bool, texts: &Texts) -> io::Result<bool> {
    let (state, verdict) = (&live.session.state, live.session.verdict());
    if !json {
        return print(&lines::verdict(state, verdict, texts));
    }
    let Some(host) = &state.host else { return Err(io::Error::other("the session has no host")) };
    let watched: Vec<_> = state.watched().collect();
    let shown: Vec<_> = if watched.is_empty() { state.targets().collect() } else { watched };
    print_json(&CheckOut {
        schema: "frc.check/1",
        version: env!("CARGO_PKG_VERSION"),
        started: started.rfc3339(),
        duration_ms: took.as_millis() as u64,
        host: HostOut::new(host),
        verdict: VerdictOut {
            status: verdict.status,
            side: verdict.side,
            summary: texts.render(&verdict.summary),
            root: verdict.root().map(|f| FindingOut::new(f, texts)),
        },
        findings: verdict.findings.iter().map(|f| FindingOut::new(f, texts)).collect(),
        targets: shown.into_iter().flat_map(|t| entries(state, t)).collect(),
    })
}
