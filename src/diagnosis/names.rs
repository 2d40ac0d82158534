//! Rules of names: each configured server by itself, then what they say of a name.

use std::time::Duration;

use super::catalogue::{
    Code, DNS_NO_DATA, DNS_NO_NAMESERVER, DNS_NXDOMAIN, DNS_REFUSED, DNS_SERVER_UNREACHABLE, DNS_SERVFAIL, DNS_SLOW,
    DNS_TIMEOUT,
};
use super::draft::Draft;
use super::scene::{Life, Scene, Subject, needs_resolver};
use crate::model::sample::DnsAnswer;
use crate::model::{Ask, Confidence, Detail, Message, Mono, Outcome, ProbeKind, Role, Service, Severity, Target};
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
    /// What it says of some names, and the probes that ask for them.
    Says(Code, Vec<&'a ProbeState>),
    Silent(&'a ProbeState),
    Refuses(&'a ProbeState),
    Unknown,
}

/// No server configured although names are used.
pub fn no_nameserver(scene: &Scene<'_>) -> Vec<Draft> {
    let configured = scene.state.resolvers.as_ref().is_none_or(|(_, r)| !r.servers.is_empty());
    let named: Vec<_> = scene.watched().filter(|s| needs_resolver(scene.state, s)).collect();
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

/// Every configured server by itself. A dead one beside a live one is a warning.
/// Must stay quiet where nothing watched needs a name, about a query or two that
/// are lost, and about one kind of record that a server never answers for.
pub fn servers(scene: &Scene<'_>) -> Vec<Draft> {
    if !scene.names_used() {
        return Vec::new();
    }
    let names: Vec<_> = scene.watched().filter(|s| needs_resolver(scene.state, s)).collect();
    let judged: Vec<_> = scene.resolvers().map(|s| (s, health(scene, s))).collect();
    let answering = |h: &Health<'_>| matches!(h, Health::Answers | Health::Slow(..));
    let any_answers = judged.iter().any(|(_, h)| answering(h));
    let mut drafts = Vec::new();
    for (subject, health) in &judged {
        // What a server says of one name harms those alone whom nobody else helps.
        let hurt: Vec<_> = match health {
            Health::Says(_, probes) => {
                let asked = |s: &&&Subject<'_>| probes.iter().any(|p| asks_for(scene, p, s.target));
                names.iter().filter(asked).filter(|s| !answered_elsewhere(scene, subject, s.target)).collect()
            }
            _ if any_answers => Vec::new(),
            _ => names.iter().collect(),
        };
        let harmless = if names.is_empty() { any_answers } else { hurt.is_empty() };
        if let Some(mut draft) = server(scene, subject, health) {
            for name in hurt {
                draft.add(name);
            }
            let mildest = if harmless { Severity::Warning } else { Severity::Critical };
            let severity = draft.severity.min(mildest);
            drafts.push(draft.severity(severity));
        }
    }
    drafts
}

/// A watched question to a server of its own, as in `dns://SERVER/NAME`.
pub fn questions(scene: &Scene<'_>) -> Vec<Draft> {
    let asked = |s: &&Subject<'_>| matches!(s.target.service, Service::Dns { .. });
    let mut drafts = Vec::new();
    for subject in scene.watched().filter(asked) {
        drafts.extend(server(scene, subject, &health(scene, subject)));
        let Some(probe) = subject.probe(ProbeKind::Dns) else { continue };
        let Some(sample) = scene.newest(probe) else { continue };
        let Outcome::Answered { detail: Detail::Dns(answer), .. } = &sample.outcome else { continue };
        if answer.rcode == NXDOMAIN {
            let seen = Message::new("seen-nxdomain").with("servers", 1);
            let at = scene.at(sample.sent);
            let draft = Draft::new(DNS_NXDOMAIN, question(probe)).arg("servers", 1).since(Some(sample.sent));
            drafts.push(draft.affects(subject).evidence("dns", seen, Message::new("want-address-record"), at));
        }
    }
    drafts
}

/// The finding about one server.
fn server(scene: &Scene<'_>, subject: &Subject<'_>, health: &Health<'_>) -> Option<Draft> {
    let ip = subject.address?;
    let draft = |code: Code, probe: &ProbeState| {
        let since = scene.failing(probe, good).map(|(_, since)| since);
        Draft::new(code, format!("nameserver {ip}")).arg("server", ip).since(since).affects(subject)
    };
    let newest = |probe: &ProbeState| scene.newest(probe).map_or(scene.at, |s| scene.at(s.sent));
    let want = || Message::new("want-dns-answer");
    Some(match health {
        Health::Answers | Health::Unknown => return None,
        Health::Slow(probe, median) => {
            let ms = median.as_secs_f64() * 1e3;
            let slow = draft(DNS_SLOW, probe).severity(Severity::Warning).arg("ms", ms);
            slow.evidence("dns", Message::new("seen-rtt").with("ms", ms), Message::new("want-dns-quick"), newest(probe))
        }
        Health::Says(code, probes) => {
            let probe = probes.first()?;
            let name = question(probe);
            let seen = Message::new(if *code == DNS_SERVFAIL { "seen-servfail" } else { "seen-dns-refused" });
            let told = draft(*code, probe).arg("name", name.clone()).since(Some(newest(probe).mono));
            told.evidence("dns", seen.with("name", name), want(), newest(probe))
        }
        Health::Refuses(probe) => {
            let outcome = scene.newest(probe).map(|s| &s.outcome);
            let (seen, ours) = match outcome {
                Some(Outcome::Icmp { from, error, .. }) => (
                    Message::new("seen-icmp").with("from", *from).with("error", error.words()),
                    // What our own kernel could not resolve may be a gateway on the way.
                    scene.state.network.is_own(*from) && !subject.on_link,
                ),
                _ => (Message::new("seen-refused"), false),
            };
            let confidence = if ours { Confidence::Likely } else { Confidence::Strong };
            draft(DNS_SERVER_UNREACHABLE, probe).confidence(confidence).evidence("dns", seen, want(), newest(probe))
        }
        Health::Silent(probe) => {
            let (lost, _) = scene.failing(probe, good).unwrap_or_default();
            let code = if subject.life == Life::Alive { DNS_TIMEOUT } else { DNS_SERVER_UNREACHABLE };
            let sure = match subject.life {
                Life::Alive => true,
                Life::Dead { .. } => is_its_own_death(scene, subject),
                Life::Unknown => false,
            };
            let confidence = if sure { Confidence::Strong } else { Confidence::Likely };
            let seen = Message::new("seen-dns-silent").with("lost", lost);
            draft(code, probe).confidence(confidence).evidence("dns", seen, want(), newest(probe))
        }
    })
}

/// Whether silence is the server's own: a router says so, it is on our link, or
/// something beyond the gateway answers, be it a router on the way to it. Where
/// other targets are silent, too, the path is not excluded.
fn is_its_own_death(scene: &Scene<'_>, subject: &Subject<'_>) -> bool {
    let told = subject.complaints(scene).iter().any(|c| !scene.state.network.is_own(c.from));
    let dead = |s: &&Subject<'_>| !s.on_link && s.target.role == Role::Watched && matches!(s.life, Life::Dead { .. });
    if told || scene.subjects.iter().any(|s| dead(&s)) {
        return told;
    }
    let routers = |s: &Subject<'_>| {
        let trace = s.probe(ProbeKind::Trace);
        trace.is_some_and(|p| p.paths.iter().any(|(_, path)| path.hops().iter().any(|h| h.ttl > 1 && h.answers())))
    };
    let alive = |s: &&Subject<'_>| !s.on_link && s.target.role != Role::Gateway && s.life == Life::Alive;
    subject.on_link || routers(subject) || scene.subjects.iter().any(|s| alive(&s))
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

/// Whether a probe asks for the name of a target, as it stands or completed from
/// the search list.
fn asks_for(scene: &Scene<'_>, probe: &ProbeState, target: &Target) -> bool {
    let (Ask::Dns { name: asked, .. }, Some(name)) = (&probe.spec.ask, target.host.name()) else { return false };
    let Some(rest) = asked.strip_prefix(name) else { return false };
    let completed = |domain: &str| scene.state.resolvers.iter().any(|(_, r)| r.search.iter().any(|s| s == domain));
    rest.is_empty() || rest.strip_prefix('.').is_some_and(completed)
}

/// Whether a server other than this one gives an answer for the name.
fn answered_elsewhere(scene: &Scene<'_>, than: &Subject<'_>, target: &Target) -> bool {
    let fine = |p: &&ProbeState| {
        let newest = scene.newest(p).map(|s| &s.outcome);
        matches!(newest, Some(Outcome::Answered { detail: Detail::Dns(a), .. }) if matches!(a.rcode, NOERROR | NXDOMAIN))
    };
    let others = scene.resolvers().filter(|s| s.target.id != than.target.id);
    others.flat_map(|s| s.probes.iter().copied()).filter(|p| asks_for(scene, p, target)).any(|p| fine(&p))
}

fn health<'a>(scene: &Scene<'a>, subject: &Subject<'a>) -> Health<'a> {
    let mut says: Option<(Code, Vec<&ProbeState>)> = None;
    let (mut answers, mut slow, mut refuses, mut silent) = (false, None, None, None);
    for probe in subject.probes.iter().copied().filter(|p| p.kind() == ProbeKind::Dns) {
        match scene.newest(probe).map(|s| &s.outcome) {
            Some(Outcome::Answered { detail: Detail::Dns(answer), .. }) => {
                if let Some(code) = failure_code(probe, answer) {
                    let (first, probes) = says.get_or_insert_with(|| (code, Vec::new()));
                    if *first == code {
                        probes.push(probe);
                    }
                } else {
                    answers = true;
                    slow = slow.or_else(|| slowness(scene, probe).map(|median| (probe, median)));
                }
            }
            Some(Outcome::Refused { .. } | Outcome::Icmp { .. }) => refuses = refuses.or(Some(probe)),
            Some(Outcome::Lost) if is_silent(scene, subject, probe) => silent = silent.or(Some(probe)),
            _ => {}
        }
    }
    // One name in trouble says more than another that is well; any answer says more
    // than silence.
    match (says, slow, refuses, silent) {
        (Some((code, probes)), ..) => Health::Says(code, probes),
        (None, Some((probe, median)), ..) => Health::Slow(probe, median),
        _ if answers => Health::Answers,
        (_, _, Some(probe), _) => Health::Refuses(probe),
        (_, _, _, Some(probe)) => Health::Silent(probe),
        _ => Health::Unknown,
    }
}

fn slowness(scene: &Scene<'_>, probe: &ProbeState) -> Option<Duration> {
    let stats = probe.series.since(scene.window());
    stats.p50.filter(|median| *median > scene.thresholds.dns_slow && stats.tally.received() >= 3)
}

fn is_silent(scene: &Scene<'_>, subject: &Subject<'_>, probe: &ProbeState) -> bool {
    let long = if subject.life == Life::Alive { SILENT.1 } else { DEAD };
    // Other questions of the same server still wait for their answers.
    let waits = subject.probes.iter().any(|p| p.kind() == ProbeKind::Dns && scene.newest(p).is_none());
    scene.failing(probe, good).is_some_and(|(n, first)| {
        n >= SILENT.0
            && scene.now().since(first) >= long
            && !waits
            && scene.beyond_chance(probe, n)
            && !scene.loss_explains(subject, n)
    })
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
/// address of either family. Must stay quiet while this host's own resolution,
/// which goes through the whole search list, is still under way or succeeds.
pub fn names(scene: &Scene<'_>) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = Vec::new();
    for subject in scene.watched().filter(|s| s.address.is_none() && needs_resolver(scene.state, s)) {
        let Some(name) = subject.target.host.name() else { continue };
        if let Some(draft) = drafts.iter_mut().find(|d| d.subject == name) {
            draft.add(subject);
            continue;
        }
        let Some((code, servers, since)) = verdict_on(scene, subject.target) else { continue };
        let seen = if code == DNS_NXDOMAIN { "seen-nxdomain" } else { "seen-no-data" };
        let draft = Draft::new(code, name).arg("servers", servers).since(Some(since)).affects(subject);
        let seen = Message::new(seen).with("servers", servers);
        drafts.push(draft.evidence("dns", seen, Message::new("want-address-record"), scene.at));
    }
    drafts
}

/// What one server says of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Missing,
    Empty,
}

/// What the servers that answer agree on about a target's name, how many do, and
/// since when at the latest.
fn verdict_on(scene: &Scene<'_>, target: &Target) -> Option<(Code, usize, Mono)> {
    let resolve = scene.state.probe_at(target.id, None, ProbeKind::Resolve)?;
    let own = scene.newest(resolve)?;
    match &own.outcome {
        Outcome::Answered { detail: Detail::Resolve(r), .. } if !r.addresses.is_empty() => return None,
        Outcome::Unsent { .. } => return None,
        _ => {}
    }
    // Our own resolution asks for both families before it says that there is none.
    let sure = matches!(&own.outcome, Outcome::Answered { detail: Detail::Resolve(r), .. } if r.rcode == NXDOMAIN);
    let mut words = Vec::new();
    for server in scene.resolvers() {
        match word_of(scene, server, target, if sure { 1 } else { 2 }) {
            Ok(Some(word)) => words.push(word),
            Ok(None) => {}
            // Somebody knows it.
            Err(()) => return None,
        }
    }
    let first = *words.first()?;
    let agree = words.iter().all(|w| *w == first);
    let code = if first == Word::Missing { DNS_NXDOMAIN } else { DNS_NO_DATA };
    agree.then_some((code, words.len(), own.sent))
}

/// A server's word on a name: an error where it has an address, nothing while it
/// has not answered for both families.
fn word_of(scene: &Scene<'_>, server: &Subject<'_>, target: &Target, enough: u32) -> Result<Option<Word>, ()> {
    let (mut missing, mut empty) = (0, 0);
    for probe in server.probes.iter().filter(|p| asks_for(scene, p, target)) {
        let Some(Outcome::Answered { detail: Detail::Dns(answer), .. }) = scene.newest(probe).map(|s| &s.outcome)
        else {
            continue;
        };
        match answer.rcode {
            NXDOMAIN => missing += 1,
            NOERROR if answer.addresses.is_empty() => empty += 1,
            NOERROR => return Err(()),
            _ => {}
        }
    }
    Ok(match (missing, empty) {
        (n, 0) if n >= enough => Some(Word::Missing),
        (0, 2..) => Some(Word::Empty),
        // One family exists, though empty, so the name does.
        (1.., 1..) => Some(Word::Empty),
        _ => None,
    })
}
