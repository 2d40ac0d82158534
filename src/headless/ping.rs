//! `frc ping`: echo only, for one target or ten thousand.

use std::collections::HashMap;
use std::fmt::Write;
use std::io::{self, Read};
use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use super::figures::{echo_answered, entries};
use super::output::{Stop, print, print_json, status};
use super::{Setup, TICK, What, lines};
use crate::model::target::Written;
use crate::model::{Detail, Message, Mistake, Outcome, ProbeId, ProbeKind, RecordKind, Role};
use crate::probes::Group;
use crate::session::TargetRequest;
use crate::session::live::Live;
use crate::session::plan::{Pace, Scope};
use crate::text::Texts;

/// With so few targets every reply is a line, as ping shows it.
const TALKATIVE: usize = 8;
/// Longest list read, in bytes.
const MAX_LIST: u64 = 16 << 20;

/// What to ping.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// Requests to each target; none for no end.
    pub count: Option<u32>,
    /// From one request to the next.
    pub interval: Duration,
}

/// Pings; the exit status of the contract.
///
/// # Errors
/// The probes could not be started, or standard output could not be written.
pub fn run(setup: &Setup, order: Order, json: bool, texts: &Texts) -> io::Result<u8> {
    let stop = Stop::on_signals()?;
    let rate = setup.targets.len() as f64 / order.interval.as_secs_f64().max(0.001);
    let talkative = !json && setup.targets.len() <= TALKATIVE;
    let what = What {
        scope: Scope::Echo,
        discover: false,
        count: order.count,
        groups: &[Group::Measure],
        // Asked for in so many words: the budget must not stand in the way.
        packets_per_second: (rate * 1.5) as u32,
        guide: None,
        keep_records: talkative,
    };
    let mut live = setup.start(Pace::watching(order.interval, setup.probe.timeout), what)?;
    let began = Instant::now();
    let mut open = true;
    while !stop.wanted() && open && !finished(&live, order, began.elapsed()) {
        live.pump(TICK);
        if talkative {
            open = print(&replies(&mut live, texts))?;
        }
    }
    report(&live, json, texts)?;
    Ok(exit_status(&live))
}

/// Whether every probe made its measurements, and names that do not resolve have
/// had their chance.
fn finished(live: &Live, order: Order, passed: Duration) -> bool {
    let Some(count) = order.count else { return false };
    let state = &live.session.state;
    let mut some = false;
    for probe in state.probes().filter(|p| p.kind() == ProbeKind::Icmp) {
        some = true;
        let tally = probe.series.tally();
        if tally.sent() + tally.unsent < u64::from(count) {
            return false;
        }
    }
    let unresolved = state.watched().any(|t| state.addresses_of(t.id).is_empty());
    passed > Duration::from_secs(5) || some && !unresolved
}

/// A line for every reply since the last call.
fn replies(live: &mut Live, texts: &Texts) -> String {
    let mut out = String::new();
    let known: HashMap<ProbeId, IpAddr> =
        live.session.state.probes().filter_map(|p| Some((p.spec.id, p.spec.ask.address()?))).collect();
    for record in live.session.take_records() {
        let RecordKind::Sample(sample) = record.kind else { continue };
        let Some(ip) = known.get(&sample.probe) else { continue };
        lines::echo(&mut out, *ip, &sample, texts);
    }
    out
}

fn report(live: &Live, json: bool, texts: &Texts) -> io::Result<bool> {
    let state = &live.session.state;
    let watched = || state.watched().filter(|t| t.role == Role::Watched);
    if json {
        let targets: Vec<_> = watched().flat_map(|t| entries(state, t)).collect();
        return print_json(&json!({ "schema": "frc.ping/1", "targets": targets }));
    }
    let mut out = String::new();
    for target in watched() {
        lines::ping_summary(&mut out, state, target, texts);
    }
    print(&out)
}

fn exit_status(live: &Live) -> u8 {
    let state = &live.session.state;
    let mut measured = false;
    let mut all = true;
    for target in state.watched() {
        let addresses = state.addresses_of(target.id);
        all &= !addresses.is_empty();
        let resolved_to_nothing = addresses.is_empty() && target.host.name().is_some();
        measured |= resolved_to_nothing;
        for address in addresses {
            match echo_answered(state, target, Some(address)) {
                Some(answered) => {
                    measured = true;
                    all &= answered;
                }
                None => all = false,
            }
        }
    }
    match (measured, all) {
        (false, _) => status::UNMEASURED,
        (true, true) => status::GOOD,
        (true, false) => status::FAULT,
    }
}

/// Reads a list of targets, one a line; `-` is standard input. Empty lines and what
/// follows `#` are passed over.
///
/// # Errors
/// Every line that is no target, with its place; or that the file cannot be read.
pub fn read_list(path: &Path) -> Result<Vec<TargetRequest>, Vec<Mistake>> {
    let name = path.display().to_string();
    let whole = |what: Message| vec![Mistake::whole(&name, what)];
    let mut bytes = Vec::new();
    let read = if name == "-" {
        io::stdin().lock().take(MAX_LIST + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|f| f.take(MAX_LIST + 1).read_to_end(&mut bytes))
    };
    read.map_err(|e| whole(Message::new("list-unreadable").with("why", e.to_string())))?;
    if bytes.len() as u64 > MAX_LIST {
        return Err(whole(Message::new("list-too-long").with("limit", MAX_LIST)));
    }
    let text = String::from_utf8(bytes).map_err(|_| whole(Message::new("list-not-utf8")))?;
    // Some editors begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut requests = Vec::new();
    let mut mistakes = Vec::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let wanted = line.split('#').next().unwrap_or_default().trim();
        let start = offset + line.find(wanted).unwrap_or(0);
        offset += line.len();
        match wanted.parse::<Written>() {
            _ if wanted.is_empty() => {}
            Ok(written) => requests.push(TargetRequest { written, label: None }),
            Err(e) if mistakes.len() < 20 => {
                let why = Message::new("list-bad-target").with("why", e.to_string());
                mistakes.push(Mistake::at(&name, text, start..start + wanted.len(), why));
            }
            Err(_) => {}
        }
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    if requests.is_empty() {
        return Err(whole(Message::new("list-empty")));
    }
    Ok(requests)
}

/// `64 bytes from`-like words of an answer for people.
pub(super) fn answer_words(out: &mut String, outcome: &Outcome) {
    if let Outcome::Answered { detail: Detail::Echo { ttl: Some(ttl) }, .. } = outcome {
        // Writing to a String cannot fail.
        let _ = write!(out, " ttl={ttl}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Vec<String>, Vec<Mistake>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list");
        std::fs::write(&path, text).unwrap();
        Ok(read_list(&path)?.into_iter().map(|t| t.written.text).collect())
    }

    #[test]
    fn a_list_is_read_as_any_editor_writes_it() {
        let text = "\u{feff}192.0.2.1\r\n\r\n# all of rack 4\r\n  db-1  # the old one\r\n[::1]:22";
        assert_eq!(read(text.as_bytes()).unwrap(), ["192.0.2.1", "db-1", "[::1]:22"]);
    }

    #[test]
    fn every_bad_line_is_told_with_its_place() {
        let mistakes = read(b"db-1\n  two words\nh:99999\n").unwrap_err();
        let places: Vec<_> = mistakes.iter().map(|m| (m.line, m.column)).collect();
        assert_eq!(places, [(2, 3), (3, 1)]);
        for nothing in ["", "\n#\n", "\u{feff}"] {
            assert_eq!(read(nothing.as_bytes()).unwrap_err().len(), 1);
        }
        assert_eq!(read(&b"bad host\n".repeat(1_000)).unwrap_err().len(), 20);
    }
}
