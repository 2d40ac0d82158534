//! Rules of names: each configured server by itself, then what they say of a name.

use std::time::Duration;

use super::catalogue::{
    Code, DNS_NO_DATA, DNS_NO_NAMESERVER, DNS_NXDOMAIN, DNS_REFUSED, DNS_SERVER_UNREACHABLE, DNS_SERVFAIL, DNS_SLOW,
    DNS_TIMEOUT,
};
use super::draft::Draft;
use super::scene::{Life, Scene, Subject};
use crate::model::sample::DnsAnswer;
use crate::model::{Ask, Confidence, Detail, Message, Outcome, ProbeKind, QueryType, Severity, Target};
use crate::state::{Point, ProbeState};

/// Queries that must go unanswered, and for how long, before a server is silent.
const SILENT: (u32, Duration) = (3, Duration::from_secs(2));
/// The same where nothing else shows the server alive: by then the kernel has given
/// up on a gateway or neighbour that does not resolve, and that is the finding.
const DEAD: Duration = Duration::from_millis(3_700);
/// Response codes (RFC 1035 4.1.1).
const NOERROR: u16 = 0;
const SERVFAIL: u16 = 2;
const NXDOMAIN: u16 = 3;
const REFUSED: u16 = 5;

/// What a name server does as a whole.
enum Health<'a> {
    Answers,
    Slow(&'a ProbeState, Duration),
    Says(Code, &'a ProbeState),
    Silent(&'a ProbeState),
    Refuses(&'a ProbeState),
    Unknown,
}

/// No server configured although names are used.
pub fn no_nameserver(scene: &Scene<'_>) -> Vec<Draft> {
    let configured = scene.state.resolvers.as_ref().is_none_or(|(_, r)| !r.servers.is_empty());
    let named: Vec<_> = scene.watched().filter(|s| needs_resolver(scene, s)).collect();
    if configured || named.is_empty() && scene.has_targets {
        return Vec::new();
    }
    let mut draft = Draft::new(DNS_NO_NAMESERVER, "host")
        .severity(if named.is_empty() { Severity::Warning } else { Severity::Critical })
        .evidence("resolv.conf", Message::new("seen-no-nameserver"), Message::new("want-nameserver"), scene.at);
    for subject in named {
        draft.add(subject);
    }
    vec![draft]
}

/// A name that the hosts file does not answer by itself.
fn needs_resolver(scene: &Scene<'_>, subject: &Subject<'_>) -> bool {
    let from_hosts = scene.state.probes_of(subject.target.id).any(|p| {
        matches!(p.last_answer().map(|s| &s.outcome), Some(Outcome::Answered { detail: Detail::Resolve(r), .. }) if r.from_hosts)
    });
    subject.target.host.name().is_some_and(|n| n != "localhost") && !from_hosts
}

/// Every configured server by itself. A dead one beside a live one is a warning.
pub fn servers(scene: &Scene<'_>) -> Vec<Draft> {
    let judged: Vec<_> = scene.resolvers().map(|s| (s, health(scene, s))).collect();
    let any_answers = judged.iter().any(|(_, h)| matches!(h, Health::Answers | Health::Slow(..)));
    let names: Vec<_> = scene.watched().filter(|s| needs_resolver(scene, s)).collect();
    if scene.has_targets && names.is_empty() {
        return Vec::new();
    }
    let mut drafts = Vec::new();
    for (subject, health) in &judged {
        let Some(ip) = subject.address else { continue };
        let text = format!("nameserver {ip}");
        let draft = |code: Code| {
            let mut d = Draft::new(code, text.clone()).arg("server", ip).affects(subject);
            if !any_answers {
                for name in &names {
                    d.add(name);
                }
            }
            d.severity(if any_answers { Severity::Warning } else { Severity::Critical })
        };
        let seen = |probe: &ProbeState, message: Message, want: &'static str| {
            let at = scene.at(probe.last().map_or(scene.now(), |s| s.sent));
            ("dns", message, Message::new(want), at, probe.series.failing(good).map(|(_, since)| since))
        };
        let (draft, (probe, observed, expected, at, since)) = match health {
            Health::Answers | Health::Unknown => continue,
            Health::Slow(probe, median) => (
                draft(DNS_SLOW).severity(Severity::Warning).arg("ms", median.as_secs_f64() * 1e3),
                seen(probe, Message::new("seen-rtt").with("ms", median.as_secs_f64() * 1e3), "want-dns-quick"),
            ),
            Health::Says(code, probe) => (
                draft(*code).arg("name", question(probe)),
                seen(
                    probe,
                    Message::new(if *code == DNS_SERVFAIL { "seen-servfail" } else { "seen-dns-refused" })
                        .with("name", question(probe)),
                    "want-dns-answer",
                ),
            ),
            Health::Refuses(probe) => {
                (draft(DNS_SERVER_UNREACHABLE), seen(probe, Message::new("seen-refused"), "want-dns-answer"))
            }
            Health::Silent(probe) => {
                let (lost, _) = probe.series.failing(good).unwrap_or_default();
                let code = if subject.life == Life::Alive { DNS_TIMEOUT } else { DNS_SERVER_UNREACHABLE };
                let confidence = if subject.life == Life::Unknown { Confidence::Likely } else { Confidence::Strong };
                (
                    draft(code).confidence(confidence),
                    seen(probe, Message::new("seen-dns-silent").with("lost", lost), "want-dns-answer"),
                )
            }
        };
        drafts.push(draft.since(since).evidence(probe, observed, expected, at));
    }
    drafts
}

fn good(point: Point) -> bool {
    matches!(point, Point::Answered(_) | Point::Late(_))
}

fn question(probe: &ProbeState) -> String {
    match &probe.spec.ask {
        Ask::Dns { name, .. } => name.clone(),
        _ => String::new(),
    }
}

fn health<'a>(scene: &Scene<'a>, subject: &Subject<'a>) -> Health<'a> {
    let mut worst = Health::Unknown;
    for probe in subject.probes.iter().copied().filter(|p| p.kind() == ProbeKind::Dns) {
        let Some(last) = probe.last_sent() else { continue };
        match &last.outcome {
            Outcome::Answered { detail: Detail::Dns(answer), .. } => match failure_code(probe, answer) {
                // One name in trouble says more than another that is well.
                Some(code) => worst = Health::Says(code, probe),
                None if matches!(worst, Health::Unknown | Health::Answers) => {
                    let stats = probe.series.since(scene.window());
                    worst = match stats.p50 {
                        Some(median) if median > scene.thresholds.dns_slow && stats.tally.answered >= 3 => {
                            Health::Slow(probe, median)
                        }
                        _ => Health::Answers,
                    };
                }
                None => {}
            },
            Outcome::Refused { .. } | Outcome::Icmp { .. } if !matches!(worst, Health::Answers) => {
                worst = Health::Refuses(probe);
            }
            Outcome::Lost if !matches!(worst, Health::Answers | Health::Says(..)) => {
                let long = if subject.life == Life::Alive { SILENT.1 } else { DEAD };
                let silent = probe
                    .series
                    .failing(good)
                    .is_some_and(|(n, first)| n >= SILENT.0 && scene.now().since(first) >= long);
                if silent {
                    worst = Health::Silent(probe);
                }
            }
            _ => {}
        }
    }
    worst
}

/// Whether the answer to a watched name is a failure of the server's. A server
/// without a watched name is alive on any well-formed reply.
fn failure_code(probe: &ProbeState, answer: &DnsAnswer) -> Option<Code> {
    let liveness_only = matches!(&probe.spec.ask, Ask::Dns { name, .. } if name == ".");
    match answer.rcode {
        _ if liveness_only => None,
        SERVFAIL => Some(DNS_SERVFAIL),
        REFUSED => Some(DNS_REFUSED),
        _ => None,
    }
}

/// Every server that answers says that a watched name does not exist, or has no
/// address of either family.
pub fn names(scene: &Scene<'_>) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = Vec::new();
    for subject in scene.watched().filter(|s| s.address.is_none() && needs_resolver(scene, s)) {
        let Some(name) = subject.target.host.name() else { continue };
        if let Some(draft) = drafts.iter_mut().find(|d| d.subject == name) {
            draft.add(subject);
            continue;
        }
        if let Some((code, servers)) = verdict_on(scene, subject.target) {
            let seen = if code == DNS_NXDOMAIN { "seen-nxdomain" } else { "seen-no-data" };
            drafts.push(Draft::new(code, name).arg("servers", servers).affects(subject).evidence(
                "dns",
                Message::new(seen).with("servers", servers),
                Message::new("want-address-record"),
                scene.at,
            ));
        }
    }
    drafts
}

/// What the servers that answer agree on about a target's name, and how many do.
fn verdict_on(scene: &Scene<'_>, target: &Target) -> Option<(Code, usize)> {
    let name = target.host.name()?;
    let mut nxdomain = 0_usize;
    let mut empty = (0, 0);
    for probe in scene.resolvers().flat_map(|s| &s.probes) {
        let Ask::Dns { name: asked, qtype, .. } = &probe.spec.ask else { continue };
        let ours = asked == name || asked.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        let Some(Outcome::Answered { detail: Detail::Dns(answer), .. }) = probe.last_sent().map(|s| &s.outcome) else {
            continue;
        };
        match (ours, answer.rcode, answer.addresses.is_empty(), qtype) {
            (true, NXDOMAIN, ..) => nxdomain += 1,
            (true, NOERROR, true, QueryType::A) => empty.0 += 1,
            (true, NOERROR, true, QueryType::Aaaa) => empty.1 += 1,
            // Somebody knows it.
            (true, NOERROR, false, _) => return None,
            _ => {}
        }
    }
    match (nxdomain, empty) {
        (n, (0, 0)) if n > 0 => Some((DNS_NXDOMAIN, n.div_ceil(2))),
        (0, (a, aaaa)) if a > 0 && aaaa > 0 => Some((DNS_NO_DATA, a.min(aaaa))),
        _ => None,
    }
}
