//! `frc trace`: the hops to each target.

use std::io;
use std::time::{Duration, Instant};

use serde_json::json;

use super::figures::{trace_entry, was_sent};
use super::output::{Stop, print, print_json, status};
use super::{Setup, TICK, What, lines};
use crate::model::ProbeKind;
use crate::model::probe::TraceProto;
use crate::probes::Group;
use crate::session::live::Live;
use crate::session::plan::{Pace, Scope};
use crate::text::Texts;

/// Rounds where nobody said how many.
const ROUNDS: u32 = 3;
/// Up to so many rounds follow each other quickly; more would meet the routers'
/// budget for errors (Linux: six at once, then one a second).
const QUICK_ROUNDS: u32 = 5;

/// How long names may keep a finished trace waiting.
const NAMES: Duration = Duration::from_millis(250);

/// What to trace with.
#[derive(Debug, Clone)]
pub struct Order {
    /// Rounds.
    pub rounds: Option<u32>,
    /// Protocols, the preferred one first; empty for all.
    pub protos: Vec<TraceProto>,
    /// Destination port.
    pub port: Option<u16>,
}

/// Traces; the exit status of the contract.
///
/// # Errors
/// The probes could not be started, or standard output could not be written.
pub fn run(setup: &Setup, order: Order, json: bool, texts: &Texts) -> io::Result<u8> {
    let stop = Stop::on_signals()?;
    let rounds = order.rounds.unwrap_or(ROUNDS);
    let protos =
        if order.protos.is_empty() { vec![TraceProto::Icmp, TraceProto::Udp, TraceProto::Tcp] } else { order.protos };
    let what = What {
        scope: Scope::Hops { protos, port: order.port },
        discover: false,
        count: Some(rounds),
        groups: &[Group::Measure, Group::Names],
        packets_per_second: 0,
        guide: None,
        keep_records: false,
    };
    let mut pace = Pace::watching(Duration::from_secs(1), Duration::from_secs(1));
    pace.trace = if rounds <= QUICK_ROUNDS { Duration::from_millis(200) } else { Duration::from_secs(1) };
    let mut live = setup.start(pace, what)?;
    let began = Instant::now();
    while !stop.wanted() && !finished(&live, rounds, began.elapsed()) {
        live.pump(TICK);
    }
    let named = Instant::now();
    while names_missing(&live) && named.elapsed() < NAMES && !stop.wanted() {
        live.pump(TICK);
    }
    report(&live, json, texts)?;
    Ok(exit_status(&live))
}

/// Whether a hop's name is not known yet, nor that it has none.
fn names_missing(live: &Live) -> bool {
    let state = &live.session.state;
    let hops = state.probes().flat_map(|p| p.paths.iter()).flat_map(|(_, path)| path.hops());
    hops.filter_map(crate::state::Hop::address).any(|ip| !state.name_is_settled(ip))
}

/// Whether the leading protocol of every trace made its rounds. Names that do not
/// resolve have five seconds.
fn finished(live: &Live, rounds: u32, passed: Duration) -> bool {
    let state = &live.session.state;
    let patience = Duration::from_secs(5);
    let mut traces = state.probes().filter(|p| p.kind() == ProbeKind::Trace).peekable();
    let unresolved = state.watched().any(|t| state.addresses_of(t.id).is_empty());
    if unresolved && passed < patience {
        return false;
    }
    if traces.peek().is_none() {
        return passed > patience;
    }
    traces.all(|p| p.paths.iter().map(|(_, path)| path.rounds).max().unwrap_or(0) >= rounds || not_possible(p, passed))
}

/// A trace that nothing was heard of for this long cannot be sent.
fn not_possible(probe: &crate::state::ProbeState, passed: Duration) -> bool {
    probe.paths.iter().next().is_none() && passed > Duration::from_secs(10)
}

fn report(live: &Live, json: bool, texts: &Texts) -> io::Result<bool> {
    let state = &live.session.state;
    let mut traces = Vec::new();
    let mut out = String::new();
    for target in state.watched() {
        let addresses = state.addresses_of(target.id);
        if addresses.is_empty() {
            traces.extend(trace_entry(state, target, None, None));
            lines::unresolved(&mut out, target, texts);
        }
        for address in addresses {
            let probe = state.probe_at(target.id, Some(address), ProbeKind::Trace);
            traces.extend(trace_entry(state, target, Some(address), probe.map(|p| &p.paths)));
            lines::hops(&mut out, state, target, address, probe, texts);
        }
    }
    if json { print_json(&json!({ "schema": "frc.trace/1", "traces": traces })) } else { print(&out) }
}

fn exit_status(live: &Live) -> u8 {
    let state = &live.session.state;
    let mut reached = Vec::new();
    for target in state.watched() {
        let addresses = state.addresses_of(target.id);
        if addresses.is_empty() {
            reached.push(false);
        }
        for address in addresses {
            let probe = state.probe_at(target.id, Some(address), ProbeKind::Trace);
            if let Some(p) = probe.filter(|p| p.paths.iter().any(|(_, path)| was_sent(path))) {
                reached.push(p.paths.iter().any(|(_, path)| path.last_reached.is_some()));
            }
        }
    }
    match (reached.is_empty(), reached.iter().all(|r| *r)) {
        (true, _) => status::UNMEASURED,
        (false, true) => status::GOOD,
        (false, false) => status::FAULT,
    }
}
