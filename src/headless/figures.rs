//! What the session knows of a target, as the contract's JSON.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::model::finding::{Finding, FindingId};
use crate::model::sample::{Phases, TlsAnswer, Unsent};
use crate::model::{Detail, Outcome, ProbeKind, Target};
use crate::state::{Hop, Path, Paths, ProbeState, State, Stats};
use crate::text::Texts;

/// Milliseconds with microsecond precision.
pub fn ms(d: Duration) -> f64 {
    (d.as_nanos() as f64 / 1e3).round() / 1e3
}

fn ms_or_null(d: Option<Duration>) -> Value {
    d.map_or(Value::Null, |d| json!(ms(d)))
}

/// A ratio with six digits.
fn ratio(r: Option<f64>) -> Value {
    r.map_or(Value::Null, |r| json!((r * 1e6).round() / 1e6))
}

/// A FINDING of the contract, its sentences in words.
#[derive(Debug, Serialize)]
pub struct FindingOut<'a> {
    id: &'a str,
    code: &'a str,
    layer: &'static str,
    severity: &'static str,
    confidence: &'static str,
    side: &'static str,
    subject: &'a str,
    summary: String,
    since: String,
    evidence: Vec<EvidenceOut<'a>>,
    next: Vec<String>,
    caused_by: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct EvidenceOut<'a> {
    probe: &'a str,
    observed: String,
    expected: String,
    at: String,
}

impl<'a> FindingOut<'a> {
    /// The finding in the language of `texts`.
    pub fn new(f: &'a Finding, texts: &Texts) -> Self {
        let evidence = f.evidence.iter().map(|e| EvidenceOut {
            probe: &e.probe,
            observed: texts.render(&e.observed),
            expected: texts.render(&e.expected),
            at: e.at.wall.rfc3339(),
        });
        let id = |FindingId(id): &'a FindingId| id.as_str();
        Self {
            id: id(&f.id),
            code: &f.code,
            layer: f.layer.word(),
            severity: f.severity.word(),
            confidence: f.confidence.word(),
            side: f.side.word(),
            subject: &f.subject,
            summary: texts.render(&f.summary),
            since: f.since.wall.rfc3339(),
            evidence: evidence.collect(),
            next: f.next.iter().map(|m| texts.render(m)).collect(),
            caused_by: f.caused_by.as_ref().map(id),
        }
    }
}

/// One entry of `targets`: a target at one address.
#[derive(Debug, Serialize)]
pub struct TargetOut<'a> {
    target: &'a str,
    address: Option<IpAddr>,
    probes: BTreeMap<&'static str, Value>,
}

/// Every entry of `targets` for a target; one without address where none is known.
pub fn entries<'a>(state: &'a State, target: &'a Target) -> Vec<TargetOut<'a>> {
    let resolve = state.probes_of(target.id).find(|p| p.kind() == ProbeKind::Resolve);
    let addresses = state.addresses_of(target.id);
    let slots: Vec<Option<IpAddr>> =
        if addresses.is_empty() { vec![None] } else { addresses.into_iter().map(Some).collect() };
    let entry = |address: Option<IpAddr>| {
        let mut probes: BTreeMap<&'static str, Value> = state
            .probes_of(target.id)
            .filter(|p| p.kind() != ProbeKind::Resolve && p.spec.ask.address() == address)
            .map(|p| (p.kind().name(), probe(state, p)))
            .collect();
        if let Some(resolve) = resolve {
            probes.entry("dns").or_insert_with(|| probe(state, resolve));
        }
        TargetOut { target: &target.text, address, probes }
    };
    slots.into_iter().map(entry).collect()
}

/// Whether the entry's echo was answered, where it was measured at all.
pub fn echo_answered(state: &State, target: &Target, address: Option<IpAddr>) -> Option<bool> {
    let tally = state.probe_at(target.id, address, ProbeKind::Icmp)?.series.tally();
    (tally.sent() > 0).then_some(tally.received() > 0)
}

fn probe(state: &State, probe: &ProbeState) -> Value {
    if probe.kind() == ProbeKind::Trace {
        return trace_value(state, probe);
    }
    let stats = probe.series.total();
    let tally = stats.tally;
    let mut out = Map::new();
    if tally.sent() == 0 {
        out.insert("state".into(), json!("not_measured"));
        out.insert("reason".into(), json!(reason(probe)));
    } else {
        out.insert("state".into(), json!("measured"));
    }
    out.insert("sent".into(), json!(tally.sent()));
    out.insert("received".into(), json!(tally.received()));
    out.insert("late".into(), json!(tally.late));
    out.insert("loss".into(), ratio(tally.loss()));
    out.insert("rtt_ms".into(), rtt_value(&stats));
    out.insert("jitter_ms".into(), ms_or_null(stats.jitter));
    if let Some(sample) = probe.last_sent() {
        out.insert("last".into(), json!(outcome_word(&sample.outcome)));
    }
    if let Some(Outcome::Answered { detail, .. }) = probe.last_answer().map(|s| &s.outcome) {
        add_detail(&mut out, detail);
    }
    Value::Object(out)
}

fn rtt_value(stats: &Stats) -> Value {
    json!({
        "min": ms_or_null(stats.min), "p50": ms_or_null(stats.p50), "p90": ms_or_null(stats.p90),
        "p99": ms_or_null(stats.p99), "max": ms_or_null(stats.max),
    })
}

/// Why nothing was sent, as a word for scripts.
pub fn reason(probe: &ProbeState) -> String {
    match probe.last().map(|s| &s.outcome) {
        Some(Outcome::Unsent { reason }) => unsent_words(reason),
        _ => "no result yet".into(),
    }
}

/// Why a packet never left this host.
pub fn unsent_words(reason: &Unsent) -> String {
    match reason {
        Unsent::NotPermitted => "not permitted: see frc doctor".into(),
        Unsent::NoRoute => "no route".into(),
        Unsent::RouteRefuses => "the route refuses it".into(),
        Unsent::Filtered => "this host's own filter refuses it".into(),
        Unsent::NoSource => "no usable source address".into(),
        Unsent::InterfaceDown => "the interface is down".into(),
        Unsent::Budget => "kept back by the packet budget".into(),
        Unsent::Unresolved => "no address known".into(),
        Unsent::Local { why } => why.as_str().to_owned(),
    }
}

fn outcome_word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Answered { .. } => "answered",
        Outcome::Late { .. } => "late",
        Outcome::Lost => "lost",
        Outcome::Refused { .. } => "refused",
        Outcome::Icmp { .. } => "icmp_error",
        Outcome::Failed { .. } => "failed",
        Outcome::Unsent { .. } => "unsent",
    }
}

fn add_detail(out: &mut Map<String, Value>, detail: &Detail) {
    match detail {
        Detail::Echo { ttl } => {
            out.insert("reply_ttl".into(), json!(ttl));
        }
        Detail::Tcp | Detail::Udp { .. } => {}
        Detail::Dns(a) => {
            out.insert("rcode".into(), json!(a.rcode));
            out.insert("answers".into(), json!(a.answers));
            out.insert("ttl".into(), json!(a.ttl));
        }
        Detail::Resolve(r) => {
            out.insert("rcode".into(), json!(r.rcode));
            out.insert("answers".into(), json!(r.addresses));
            out.insert("from_hosts".into(), json!(r.from_hosts));
        }
        Detail::Tls(a) => {
            out.insert("phases_ms".into(), phases(&a.phases));
            add_tls(out, a);
        }
        Detail::Http(a) => {
            out.insert("status".into(), json!(a.status));
            out.insert("version".into(), json!(a.version));
            out.insert("phases_ms".into(), phases(&a.phases));
            out.insert("location".into(), json!(a.location));
        }
        Detail::Ntp(a) => {
            out.insert("offset_ms".into(), json!(a.offset_ns as f64 / 1e6));
            out.insert("stratum".into(), json!(a.stratum));
            out.insert("leap".into(), json!(a.leap));
        }
    }
}

fn add_tls(out: &mut Map<String, Value>, a: &TlsAnswer) {
    out.insert("version".into(), json!(a.version));
    out.insert("cipher".into(), json!(a.cipher));
    out.insert("trust".into(), json!(a.trust));
    if let Some(leaf) = a.chain.first() {
        let date = |s: i64| crate::model::Wall(s.saturating_mul(1_000_000)).rfc3339();
        out.insert("subject".into(), json!(leaf.subject));
        out.insert("issuer".into(), json!(leaf.issuer));
        out.insert("not_before".into(), json!(date(leaf.not_before)));
        out.insert("not_after".into(), json!(date(leaf.not_after)));
    }
}

fn phases(p: &Phases) -> Value {
    json!({
        "dns": ms_or_null(p.dns), "connect": ms_or_null(p.connect), "tls": ms_or_null(p.tls),
        "ttfb": ms_or_null(p.ttfb), "total": ms(p.total),
    })
}

/// Whether a packet of this path ever left.
pub fn was_sent(path: &Path) -> bool {
    path.hops().iter().any(|h| h.tally.sent() > 0)
}

fn trace_value(state: &State, probe: &ProbeState) -> Value {
    match probe.paths.best().filter(|(_, path)| was_sent(path)) {
        None => json!({ "state": "not_measured", "reason": trace_reason(probe) }),
        Some((proto, path)) => json!({
            "state": "measured", "reached": probe.paths.reaches(), "proto": proto, "hops": hops(state, path),
        }),
    }
}

/// Why a trace sent nothing.
pub fn trace_reason(probe: &ProbeState) -> String {
    let unsent = probe.paths.iter().find_map(|(_, path)| path.unsent.clone());
    unsent.map_or_else(|| reason(probe), |why| unsent_words(&why))
}

/// The `hops` of one path.
pub fn hops(state: &State, path: &Path) -> Vec<Value> {
    let last = path.hops().iter().rposition(Hop::answers).map_or(0, |i| i + 1);
    // A path that does not reach shows one silent hop behind the last that answers.
    let shown = if path.reached_lately() { path.hops().len() } else { (last + 1).min(path.hops().len()) };
    path.hops().iter().take(shown).map(|h| hop(state, h)).collect()
}

fn hop(state: &State, hop: &Hop) -> Value {
    let names: Vec<_> = hop.addresses.iter().filter_map(|(ip, _)| state.name_of(*ip)).collect();
    let rtt = |q| ms_or_null(hop.rtt(q));
    json!({
        "ttl": hop.ttl,
        "addresses": hop.addresses.iter().map(|(ip, _)| ip).collect::<Vec<_>>(),
        "names": names,
        "sent": hop.tally.sent(),
        "received": hop.tally.received(),
        "loss": ratio(hop.loss()),
        "rtt_ms": { "min": rtt(0.0), "p50": rtt(0.5), "p90": rtt(0.9), "p99": rtt(0.99), "max": rtt(1.0) },
        "mtu": hop.mtu,
    })
}

/// One entry of `traces`.
pub fn trace_entry(state: &State, target: &Target, address: Option<IpAddr>, paths: Option<&Paths>) -> Vec<Value> {
    let none = || json!({ "target": target.text, "address": address, "reached": false, "proto": null, "hops": [] });
    let Some(paths) = paths else { return vec![none()] };
    match paths.best().filter(|(_, path)| was_sent(path)) {
        None => vec![none()],
        Some((proto, path)) => vec![json!({
            "target": target.text, "address": address, "reached": path.last_reached.is_some(), "proto": proto, "hops": hops(state, path),
        })],
    }
}
