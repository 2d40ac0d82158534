//! Rules of hosts that show no life: who says so, and where their packets die.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

use super::catalogue::{
    Class, Code, GATEWAY_NOT_FORWARDING, HOST_UNREACHABLE, PATH_ADMIN_PROHIBITED, PATH_BLACKHOLE, PATH_LOOP,
    PATH_UNREACHABLE,
};
use super::draft::Draft;
use super::scene::{Complaint, Life, RESOLVING, Scene, Subject, WAIT_FOR_UNREACHABLE};
use crate::model::link::{LookupResult, NeighbourState};
use crate::model::sample::IcmpError;
use crate::model::{Confidence, Message, Mono, Outcome, ProbeKind, Role};
use crate::state::{Hop, Path, ProbeState};

/// A prompt "host unreachable" must have come at least so often, and over so long,
/// before it is the router's own word and not the end of a resolution.
const PROMPT: (u32, Duration) = (3, Duration::from_millis(3_500));

/// Silence for this long is no longer explained by a router that resolves.
const TWO_TRIES: Duration = Duration::from_millis(5_800);
/// What a hop answered longer ago is no part of the path that fails now.
const LATELY: Duration = Duration::from_secs(20);

/// Everything about subjects without life. One sentence a subject: who says
/// unreachable, where the path ends, or that nobody is there.
pub fn dead(scene: &Scene<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for subject in scene.judged().filter(|s| s.target.role != Role::Resolver || !scene.has_targets) {
        let Some(ip) = subject.address else { continue };
        if let Some(by) = prohibited_by(scene, subject) {
            push(&mut drafts, subject, PATH_ADMIN_PROHIBITED, &by.from.to_string(), |d| {
                d.arg("target", ip).arg("from", by.from).evidence(
                    "icmp",
                    said(&by),
                    Message::new("want-answer"),
                    scene.at(by.sent),
                )
            });
            continue;
        }
        // A resolver's own silence is the name rules' affair.
        let Life::Dead { since, .. } = subject.life else { continue };
        if subject.target.role == Role::Resolver {
            continue;
        }
        judge_dead(scene, subject, ip, since, &mut drafts);
    }
    if scene.has_targets && scene.names_used() {
        take_along_resolvers(scene, &mut drafts);
    }
    drafts.into_iter().map(|d| d.severity_by_use(scene)).collect()
}

/// A name server that dies where watched targets die shares their cause. A fault
/// that only it has is told by the rules of names.
fn take_along_resolvers(scene: &Scene<'_>, drafts: &mut [Draft]) {
    for subject in scene.resolvers() {
        let (Some(ip), Life::Dead { since, .. }) = (subject.address, subject.life) else { continue };
        if subject.on_link {
            continue;
        }
        let mut own = Vec::new();
        judge_dead(scene, subject, ip, since, &mut own);
        for mine in own.iter().filter(|d| d.code.class <= Class::Path) {
            if let Some(shared) = drafts.iter_mut().find(|d| d.code == mine.code && d.subject == mine.subject) {
                shared.add(subject);
            }
        }
    }
}

fn judge_dead(scene: &Scene<'_>, subject: &Subject<'_>, ip: IpAddr, since: Mono, drafts: &mut Vec<Draft>) {
    // What our own kernel says is about the next hop: the neighbours' rule.
    let mut complaints = subject.complaints(scene);
    complaints.retain(|c| subject.on_link || !scene.state.network.is_own(c.from));
    // The newest word counts: routes change.
    let find = |wanted: fn(&Complaint) -> bool| complaints.iter().filter(|c| wanted(c)).max_by_key(|c| c.sent).copied();
    if subject.on_link || subject.target.role == Role::Gateway {
        return judge_neighbour(scene, subject, ip, since, drafts);
    }
    if let Some(c) = find(|c| c.error == IcmpError::NetUnreachable) {
        return push(drafts, subject, PATH_UNREACHABLE, &c.from.to_string(), |d| {
            d.arg("target", ip).arg("from", c.from).since(Some(since)).evidence(
                "icmp",
                said(&c),
                Message::new("want-answer"),
                scene.at(c.sent),
            )
        });
    }
    if let Some(c) = find(|c| c.error == IcmpError::HostUnreachable) {
        let slowest = complaints.iter().filter(|x| x.error == c.error).map(|x| x.slowest).max().unwrap_or(c.slowest);
        let count: u32 = complaints.iter().filter(|x| x.error == c.error).map(|x| x.count).sum();
        if slowest >= RESOLVING {
            return push(drafts, subject, HOST_UNREACHABLE, &ip.to_string(), |d| {
                d.arg("from", c.from).arg("place", "beyond").since(Some(since)).evidence(
                    "icmp",
                    said_late(&c, slowest),
                    Message::new("want-answer"),
                    scene.at(c.sent),
                )
            });
        }
        let silent_for = scene.now().since(since);
        let often = count >= PROMPT.0 && silent_for >= PROMPT.1;
        // Linux's own unreachable routes pay for the error twice and fall silent while
        // packets keep coming: after so long even one prompt word is worth something.
        if often || silent_for >= TWO_TRIES {
            return push(drafts, subject, PATH_UNREACHABLE, &c.from.to_string(), |d| {
                let d = d.confidence(if often { Confidence::Strong } else { Confidence::Likely });
                d.arg("target", ip).arg("from", c.from).since(Some(since)).evidence(
                    "icmp",
                    said(&c),
                    Message::new("want-answer"),
                    scene.at(c.sent),
                )
            });
        }
        return;
    }
    if let Some((ttl, from)) = repeated_hop(scene, ip, since) {
        return push(drafts, subject, PATH_LOOP, &format!("hop {ttl} {from}"), |d| {
            d.arg("target", ip).arg("from", from).since(Some(since)).evidence(
                "trace",
                Message::new("seen-loop").with("from", from),
                Message::new("want-path"),
                scene.at,
            )
        });
    }
    if subject.silent_long_enough(scene.now()) {
        judge_silence(scene, subject, ip, since, drafts);
    }
}

/// Someone on our own link is silent: its neighbour entry tells why.
fn judge_neighbour(scene: &Scene<'_>, subject: &Subject<'_>, ip: IpAddr, since: Mono, drafts: &mut Vec<Draft>) {
    if subject.own || subject.target.role == Role::Gateway {
        // Silence of a gateway that resolves is its right.
        return;
    }
    let network = &scene.state.network;
    let index = network.carrying_interface(Some(ip)).unwrap_or(0);
    let state = network.neighbour(index, ip).map(|n| n.state);
    let carried = network.link(index).is_none_or(|l| l.admin_up && l.carrier);
    if !carried {
        return;
    }
    let complaint = subject.complaints(scene).into_iter().find(|c| c.error == IcmpError::HostUnreachable);
    let given_up = complaint.is_some() || state == Some(NeighbourState::Failed);
    if given_up || state == Some(NeighbourState::Incomplete) {
        // Before the kernel gives up, a slow answer is still possible.
        let confidence = if given_up { Confidence::Strong } else { Confidence::Likely };
        return push(drafts, subject, HOST_UNREACHABLE, &ip.to_string(), |d| {
            d.arg("from", ip).arg("place", "link").confidence(confidence).since(Some(since)).evidence(
                "neighbour",
                Message::new("seen-no-arp").with("target", ip),
                Message::new("want-neighbour"),
                scene.at,
            )
        });
    }
    if subject.silent_long_enough(scene.now()) && state.is_some_and(NeighbourState::is_resolved) {
        push(drafts, subject, PATH_BLACKHOLE, &ip.to_string(), |d| {
            silence(d.arg("target", ip).arg("hop", "none").arg("from", "none"), scene, ip)
                .confidence(Confidence::Possible)
                .since(Some(since))
        });
    }
}

/// Nothing comes back at all: find where packets die.
fn judge_silence(scene: &Scene<'_>, subject: &Subject<'_>, ip: IpAddr, since: Mono, drafts: &mut Vec<Draft>) {
    if !lower_layers_well(scene, ip) {
        return;
    }
    // What was lost while the link or the gateway was away says nothing of the path.
    let since = since.max(carried_since(scene, ip));
    if scene.now().since(since) < WAIT_FOR_UNREACHABLE {
        return;
    }
    let lately = since.max(scene.now().before(LATELY));
    let Some((ttl, address)) = last_answering(scene, ip, lately) else {
        return judge_no_hops(scene, subject, ip, since, drafts);
    };
    let gateway = scene.state.network.gateway_of(ip).map(|(g, _)| g);
    if ttl == 1 && nothing_beyond_gateway(scene) {
        let only = !several_are_dead(scene);
        let subject_text = gateway.unwrap_or(address).to_string();
        push(drafts, subject, GATEWAY_NOT_FORWARDING, &subject_text, |d| {
            silence(d.arg("target", ip), scene, ip)
                .confidence(if only { Confidence::Likely } else { Confidence::Strong })
                .since(Some(since))
        });
    }
    let text = format!("hop {ttl} {address}");
    // A router that forgot the first packets meanwhile (its link went down) says
    // "host unreachable" after its second try only.
    let certain = scene.now().since(since) >= TWO_TRIES;
    push(drafts, subject, PATH_BLACKHOLE, &text, |d| {
        silence(d.arg("target", ip).arg("hop", u32::from(ttl)), scene, ip)
            .confidence(if certain { Confidence::Strong } else { Confidence::Likely })
            .arg("from", address)
            .since(Some(since))
            .evidence(
                "trace",
                Message::new("seen-last-hop").with("hop", u32::from(ttl)).with("from", address),
                Message::new("want-path"),
                scene.at,
            )
    });
}

/// No router answers at all. Where other targets work, the path to this one is
/// dark; where none does, the gateway forwards nothing.
fn judge_no_hops(scene: &Scene<'_>, subject: &Subject<'_>, ip: IpAddr, since: Mono, drafts: &mut Vec<Draft>) {
    let gateway = scene.state.network.gateway_of(ip).map(|(g, _)| g);
    if let (true, Some(gateway)) = (nothing_beyond_gateway(scene), gateway) {
        let only = !several_are_dead(scene);
        return push(drafts, subject, GATEWAY_NOT_FORWARDING, &gateway.to_string(), |d| {
            silence(d.arg("target", ip), scene, ip)
                .confidence(if only { Confidence::Likely } else { Confidence::Strong })
                .since(Some(since))
        });
    }
    push(drafts, subject, PATH_BLACKHOLE, &ip.to_string(), |d| {
        silence(d.arg("target", ip).arg("hop", "none").arg("from", "none"), scene, ip)
            .confidence(Confidence::Possible)
            .since(Some(since))
    });
}

/// Whether every off-link address that is watched is silent, and no hop beyond the
/// first was ever seen on the way to any.
fn nothing_beyond_gateway(scene: &Scene<'_>) -> bool {
    let far = |s: &&Subject<'_>| !s.on_link && !s.own && s.address.is_some() && s.target.role != Role::Gateway;
    let mut subjects = scene.subjects.iter().filter(far).peekable();
    subjects.peek().is_some()
        && subjects.all(|s| {
            let beyond = s
                .probe(ProbeKind::Trace)
                .is_some_and(|p| p.paths.iter().any(|(_, path)| path.hops().iter().any(|h| h.ttl > 1 && h.answers())));
            s.life != Life::Alive && !beyond
        })
}

/// Whether two addresses beyond the gateway or more are dead, and none is still
/// being measured: one alone may be dead by itself.
fn several_are_dead(scene: &Scene<'_>) -> bool {
    let far = |s: &&Subject<'_>| !s.on_link && !s.own && s.target.role != Role::Gateway;
    let lives = scene.subjects.iter().filter(far).filter_map(|s| Some((s.address?, s.life)));
    let (dead, rest): (HashSet<_>, HashSet<_>) = {
        let (dead, rest): (Vec<_>, Vec<_>) = lives.partition(|(_, life)| matches!(life, Life::Dead { .. }));
        (dead.into_iter().map(|(ip, _)| ip).collect(), rest.into_iter().map(|(ip, _)| ip).collect())
    };
    dead.len() >= 2 && rest.is_empty()
}

/// Since when the link and the gateway on the way to `ip` have been well.
fn carried_since(scene: &Scene<'_>, ip: IpAddr) -> Mono {
    match scene.state.network.lookup(ip) {
        Some(LookupResult::Via { next_hop, .. }) => scene.state.network.carried_since(next_hop.index, next_hop.gateway),
        _ => Mono::default(),
    }
}

/// Whether links, routes and the gateway on the way to `ip` give no cause.
fn lower_layers_well(scene: &Scene<'_>, ip: IpAddr) -> bool {
    let network = &scene.state.network;
    let Some(LookupResult::Via { next_hop, .. }) = network.lookup(ip) else { return network.lookup(ip).is_none() };
    let link = network.link(next_hop.index).is_none_or(|l| l.admin_up && l.carrier);
    let resolved =
        next_hop.gateway.is_none_or(|g| network.neighbour(next_hop.index, g).is_none_or(|n| n.state.is_resolved()));
    link && resolved
}

/// The farthest router that answered lately on the way to `ip`, over every protocol.
pub fn last_answering(scene: &Scene<'_>, ip: IpAddr, from: Mono) -> Option<(u8, IpAddr)> {
    scene
        .state
        .probes_to(ip)
        .flat_map(|p| p.paths.iter())
        .filter_map(|(_, path)| path.last_answering(from))
        .filter_map(|hop| Some((hop.ttl, hop.address()?)))
        .filter(|(_, address)| *address != ip)
        .max_by_key(|(ttl, _)| *ttl)
}

/// The first router that answers again and again at larger TTLs of one path, with
/// others or silence between: packets go in a circle (RFC 1812's TTL is what ends
/// it). Must stay quiet about a firewall that answers in the name of everything
/// behind it, and about what an earlier fault left behind.
fn repeated_hop(scene: &Scene<'_>, ip: IpAddr, since: Mono) -> Option<(u8, IpAddr)> {
    let lately = since.max(scene.now().before(LATELY));
    scene.state.probes_to(ip).flat_map(|p| p.paths.iter()).find_map(|(_, path)| loop_in(path, lately))
}

fn loop_in(path: &Path, lately: Mono) -> Option<(u8, IpAddr)> {
    let current = |h: &&Hop| h.last_answer().is_some_and(|at| at >= lately);
    let hops: Vec<_> = path.hops().iter().filter(current).filter_map(|h| Some((h.ttl, h.address()?))).collect();
    hops.iter().enumerate().find_map(|(i, (ttl, ip))| {
        let again = hops[i + 1..].iter().filter(|(_, x)| x == ip).count();
        let for_others = hops[i + 1..].iter().any(|(t, x)| x == ip && *t == ttl + 1);
        (again >= 2 && !for_others).then_some((*ttl, *ip))
    })
}

/// Who forbids it: a router for any kind of probe, or the host itself for every
/// kind.
fn prohibited_by(scene: &Scene<'_>, subject: &Subject<'_>) -> Option<Complaint> {
    subject.address?;
    let complaint = subject
        .complaints(scene)
        .into_iter()
        .find(|c| c.error == IcmpError::AdminProhibited && !scene.state.network.is_own(c.from))?;
    let measured = |p: &&&ProbeState| !matches!(p.kind(), ProbeKind::Trace | ProbeKind::Resolve);
    let newest: Vec<_> = subject.probes.iter().filter(measured).map(|p| scene.newest(p).map(|s| &s.outcome)).collect();
    let forbidden = |o: &&Outcome| matches!(o, Outcome::Icmp { error: IcmpError::AdminProhibited, .. });
    let all_kinds = newest.iter().flatten().all(forbidden);
    // Who may not send an echo cannot see whether the host lives behind one port that
    // is forbidden, until everything else has failed long enough.
    let all_sent = newest.iter().all(Option::is_some);
    let sure = all_sent || matches!(subject.life, Life::Dead { .. });
    let counted = complaint.count >= 2 || subject.probes.len() > 2;
    (counted && all_kinds && sure).then_some(complaint)
}

fn silence(draft: Draft, scene: &Scene<'_>, ip: IpAddr) -> Draft {
    let mut draft = draft;
    for probe in scene.state.probes_to(ip).filter(|p| p.kind() != ProbeKind::Trace) {
        let tally = probe.series.tally_since(scene.window());
        if tally.sent() > 0 {
            let observed = Message::new("seen-lost").with("lost", tally.lost + tally.errors).with("sent", tally.sent());
            draft = draft.evidence(probe.kind().name(), observed, Message::new("want-answer"), scene.at);
        }
    }
    draft
}

fn said(c: &Complaint) -> Message {
    Message::new("seen-icmp").with("from", c.from).with("error", c.error.words())
}

fn said_late(c: &Complaint, slowest: Duration) -> Message {
    Message::new("seen-icmp-late")
        .with("from", c.from)
        .with("error", c.error.words())
        .with("seconds", slowest.as_secs_f64())
}

fn push(drafts: &mut Vec<Draft>, subject: &Subject<'_>, code: Code, text: &str, fill: impl FnOnce(Draft) -> Draft) {
    let same = drafts.iter().position(|d| d.code == code && d.subject == text);
    match same {
        Some(i) => drafts[i].add(subject),
        None => drafts.push(fill(Draft::new(code, text)).affects(subject)),
    }
}
