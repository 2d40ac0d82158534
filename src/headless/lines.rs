//! What the commands say to people: plain lines, no colours, no screen.

use std::fmt::Write;
use std::net::IpAddr;

use super::figures::{reason, trace_reason, unsent_words, was_sent};
use super::ping::answer_words;
use crate::model::{Finding, Message, Outcome, ProbeKind, Sample, Severity, Target, Verdict};
use crate::state::{ProbeState, State};
use crate::text::{Texts, format};

// Writing to a String cannot fail; its results are passed over below.

/// The verdict: status and sentence, then every finding with evidence and steps.
pub fn verdict(state: &State, verdict: &Verdict, texts: &Texts) -> String {
    let mut out = String::new();
    let status = texts.word(status_id(verdict.status)).to_uppercase();
    let _ = writeln!(out, "{status}: {}", texts.render(&verdict.summary));
    let depth = |f: &Finding| {
        let mut depth = 0;
        let mut cause = f.caused_by.as_ref();
        while let Some(id) = cause.filter(|_| depth < 8) {
            depth += 1;
            cause = verdict.findings.iter().find(|g| g.id == *id).and_then(|g| g.caused_by.as_ref());
        }
        depth
    };
    for f in &verdict.findings {
        let pad = "  ".repeat(depth(f) + 1);
        let head = Message::new("line-finding")
            .with("severity", Message::new(severity_id(f.severity)))
            .with("code", f.code.as_str())
            .with("side", Message::new(side_id(f.side)))
            .with("confidence", Message::new(confidence_id(f.confidence)))
            .with("since", f.since.wall.0 as f64 / 1e6);
        let _ = writeln!(out, "\n{pad}{}", texts.render(&f.summary));
        let _ = writeln!(out, "{pad}{}", texts.render(&head));
        for e in &f.evidence {
            let line = Message::new("line-evidence")
                .with("probe", e.probe.as_str())
                .with("observed", e.observed.clone())
                .with("expected", e.expected.clone());
            let _ = writeln!(out, "{pad}{}", texts.render(&line));
        }
        if f.caused_by.is_none() {
            for next in &f.next {
                let _ = writeln!(out, "{pad}> {}", texts.render(next));
            }
        }
    }
    for id in &verdict.unmeasured {
        if let Some(target) = state.target(*id) {
            let why = state.probes_of(*id).find(|p| p.series.tally().sent() == 0).map_or_else(String::new, reason);
            let line = Message::new("line-unmeasured").with("target", target.name()).with("why", why);
            let _ = writeln!(out, "  {}", texts.render(&line));
        }
    }
    out
}

/// Message id of a status.
pub fn status_id(status: crate::model::Status) -> &'static str {
    use crate::model::Status;
    match status {
        Status::Healthy => "status-healthy",
        Status::Degraded => "status-degraded",
        Status::Fault => "status-fault",
        Status::Unmeasured => "status-unmeasured",
    }
}

fn severity_id(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "severity-info",
        Severity::Warning => "severity-warning",
        Severity::Critical => "severity-critical",
    }
}

fn side_id(side: crate::model::Side) -> &'static str {
    use crate::model::Side;
    match side {
        Side::Host => "side-host",
        Side::Path => "side-path",
        Side::Service => "side-service",
    }
}

fn confidence_id(confidence: crate::model::Confidence) -> &'static str {
    use crate::model::Confidence;
    match confidence {
        Confidence::Possible => "confidence-possible",
        Confidence::Likely => "confidence-likely",
        Confidence::Strong => "confidence-strong",
    }
}

/// One echo's outcome, in the form of ping.
pub fn echo(out: &mut String, ip: IpAddr, sample: &Sample, texts: &Texts) {
    let seq = sample.seq + 1;
    match &sample.outcome {
        Outcome::Answered { rtt, .. } => {
            let _ = write!(out, "{ip} seq={seq}");
            answer_words(out, &sample.outcome);
            let _ = writeln!(out, " time={} ms", format::rtt(*rtt));
        }
        Outcome::Late { rtt } => {
            let _ = writeln!(out, "{ip} seq={seq} late time={} ms", format::rtt(*rtt));
        }
        Outcome::Lost => {
            let _ = writeln!(out, "{ip} seq={seq} lost");
        }
        Outcome::Icmp { from, error, .. } => {
            let _ = writeln!(out, "{ip} seq={seq} {} from {from}", texts.render(&error.words()));
        }
        Outcome::Unsent { reason } => {
            let _ = writeln!(out, "{ip} seq={seq} not sent: {}", unsent_words(reason));
        }
        Outcome::Refused { .. } | Outcome::Failed { .. } => {}
    }
}

/// A target's echo figures, a line for each address.
pub fn ping_summary(out: &mut String, state: &State, target: &Target, texts: &Texts) {
    let addresses = state.addresses_of(target.id);
    if addresses.is_empty() {
        return unresolved(out, target, texts);
    }
    for ip in addresses {
        let Some(probe) = state.probe_at(target.id, Some(ip), ProbeKind::Icmp) else { continue };
        let stats = probe.series.total();
        let t = stats.tally;
        let name = if target.text == ip.to_string() { target.text.clone() } else { format!("{} {ip}", target.text) };
        let Some(loss) = t.loss() else {
            let line = Message::new("line-unmeasured").with("target", name).with("why", reason(probe));
            let _ = writeln!(out, "{}", texts.render(&line));
            continue;
        };
        let line = Message::new("line-ping")
            .with("target", name)
            .with("sent", t.sent())
            .with("received", t.received())
            .with("late", t.late)
            .with("loss", loss);
        let _ = write!(out, "{}", texts.render(&line));
        if let (Some(min), Some(p50), Some(p90), Some(max)) = (stats.min, stats.p50, stats.p90, stats.max) {
            let rtts = Message::new("line-rtts")
                .with("min", format::rtt(min))
                .with("p50", format::rtt(p50))
                .with("p90", format::rtt(p90))
                .with("max", format::rtt(max));
            let _ = write!(out, "{}", texts.render(&rtts));
        }
        out.push('\n');
    }
}

/// A name without addresses.
pub fn unresolved(out: &mut String, target: &Target, texts: &Texts) {
    let line = Message::new("line-unresolved").with("target", target.text.as_str());
    let _ = writeln!(out, "{}", texts.render(&line));
}

/// A path, a line for each hop.
pub fn hops(out: &mut String, state: &State, target: &Target, ip: IpAddr, probe: Option<&ProbeState>, texts: &Texts) {
    let Some((proto, path)) = probe.and_then(|p| p.paths.best()).filter(|(_, path)| was_sent(path)) else {
        let why = probe.map_or_else(String::new, trace_reason);
        let line = Message::new("line-unmeasured").with("target", target.text.as_str()).with("why", why);
        let _ = writeln!(out, "{}", texts.render(&line));
        return;
    };
    let head = Message::new(if path.last_reached.is_some() { "line-trace-reached" } else { "line-trace-open" })
        .with("target", target.text.as_str())
        .with("address", ip)
        .with("proto", proto.to_string())
        .with("rounds", path.rounds);
    let _ = writeln!(out, "{}", texts.render(&head));
    let last = path.hops().iter().rposition(crate::state::Hop::answers).map_or(0, |i| i + 1);
    for hop in path.hops().iter().take(last.max(1)) {
        let who = hop.address().map_or_else(
            || "*".to_owned(),
            |ip| match state.name_of(ip) {
                Some(name) => format!("{ip} {name}"),
                None => ip.to_string(),
            },
        );
        let rtt = |q: f64| hop.rtt(q).map_or_else(|| "-".to_owned(), format::rtt);
        let loss = hop.loss().map_or_else(|| "-".to_owned(), format::percent);
        let _ =
            writeln!(out, "{:>3}  {who:<48} {loss:>6}  {:>7} {:>7} {:>7} ms", hop.ttl, rtt(0.0), rtt(0.5), rtt(1.0));
    }
    if path.last_reached.is_none() {
        let line = Message::new("line-trace-end").with("ttl", last + 1);
        let _ = writeln!(out, "{}", texts.render(&line));
    }
}
