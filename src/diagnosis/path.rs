//! Rules of paths that work, but not well or not as before: loss read like an
//! expert, rate limits told apart from it, echo filtered, routes changed.

use std::net::IpAddr;
use std::time::Duration;

use super::catalogue::{PATH_CHANGED, PATH_HOP_RATELIMIT, PATH_ICMP_FILTERED, PATH_LOSS};
use super::draft::{Draft, join};
use super::scene::{Life, Scene, Subject};
use crate::model::probe::TraceProto;
use crate::model::{Confidence, Message, Mono, ProbeKind, Role, Severity};
use crate::state::stats::binomial_tail;
use crate::state::{Hop, Path, Point, ProbeState, Tally};

/// A loss this small is nobody's fault; what exceeds it must be beyond chance.
const HARMLESS: f64 = 0.02;
/// Chance that a harmless loss looks as bad as what was measured.
const CHANCE: f64 = 0.01;
/// Fewest packets of which a share means anything: losses come in bursts.
const FEWEST: u64 = 10;
/// Loss at one hop alone from which it is called a rate limit.
const LIMITED: f64 = 0.4;
/// Fewest answers expected from a hop before its silence is judged.
const ENOUGH: u64 = 6;

/// End-to-end loss that lasts. Must stay quiet about a loss at one hop that later
/// hops do not share, about 1 %, and about what chance explains. Recovers when the
/// window's loss falls below the threshold.
pub fn loss(scene: &Scene<'_>) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = Vec::new();
    for subject in scene.judged().filter(|s| s.life == Life::Alive) {
        let counted = end_to_end(scene, subject).or_else(|| by_trace(scene, subject));
        let Some((kind, tally)) = counted else { continue };
        if significant(&tally, scene.thresholds.loss).is_none() {
            continue;
        }
        // What an outage took before it ended was that fault's, not a loss that
        // lasts. A trace keeps no series of its own to tell it by.
        let series = subject.probe(kind).filter(|_| kind != ProbeKind::Trace);
        let from = series.map_or(scene.window(), |p| after_outage(p, scene.window()));
        let tally = series.map_or(tally, |p| p.series.tally_since(from));
        let Some(ratio) = significant(&tally, scene.thresholds.loss) else { continue };
        let Some(ip) = subject.address else { continue };
        let place = first_affected(scene, ip, ratio);
        let (text, hop) = match place {
            Place::From { ttl, address, .. } => (format!("hop {ttl} {address}"), u32::from(ttl).to_string()),
            Place::Unknown => (ip.to_string(), "none".to_owned()),
        };
        let located = matches!(place, Place::From { sure: true, .. }) && tally.sent() >= 40;
        let first_lost = subject.probe(kind).and_then(|p| first_loss(p, from));
        let draft = join(&mut drafts, subject, &text, || {
            let severity = if ratio >= 0.5 { Severity::Critical } else { Severity::Warning };
            Draft::new(PATH_LOSS, text.clone())
                .arg("target", ip)
                .arg("hop", hop)
                .arg("loss", ratio)
                .severity(severity)
                .since(first_lost)
                .confidence(match kind {
                    ProbeKind::Trace => Confidence::Possible,
                    _ if located => Confidence::Strong,
                    _ => Confidence::Likely,
                })
        });
        draft.evidence.push(crate::model::Evidence::from_probe(
            kind,
            Message::new("seen-loss")
                .with("lost", tally.lost + tally.errors)
                .with("sent", tally.sent())
                .with("loss", ratio),
            Message::new("want-loss").with("loss", scene.thresholds.loss),
            scene.at,
        ));
    }
    drafts
}

/// The loss of the probe that counts best: echo where it is answered at all, else
/// TCP connects.
fn end_to_end(scene: &Scene<'_>, subject: &Subject<'_>) -> Option<(ProbeKind, Tally)> {
    [ProbeKind::Icmp, ProbeKind::Tcp].into_iter().find_map(|kind| {
        let tally = subject.probe(kind)?.series.tally_since(scene.window());
        let rationed = kind == ProbeKind::Icmp && connects_lose_nothing(scene, subject, &tally);
        (tally.received() > 0 && !rationed).then_some((kind, tally))
    })
}

/// Where nothing else may be sent: the target's answers to the trace's SYNs. Those to
/// its UDP probes do not count, they are rationed; few as they are, these are a hint.
fn by_trace(scene: &Scene<'_>, subject: &Subject<'_>) -> Option<(ProbeKind, Tally)> {
    let path = subject.probe(ProbeKind::Trace)?.paths.get(TraceProto::Tcp)?;
    let target = path.hops().get(usize::from(path.length()?).checked_sub(1)?)?;
    let tally = target.tally_since(scene.window());
    (tally.received() > 0 && tally.sent() >= ENOUGH).then_some((ProbeKind::Trace, tally))
}

/// Whether connects to the same host, too many for chance, all went through at
/// their first SYN while echo was lost: the host rations its echo replies, the path
/// loses nothing.
fn connects_lose_nothing(scene: &Scene<'_>, subject: &Subject<'_>, echo: &Tally) -> bool {
    /// A SYN that was lost is sent again after a second (RFC 6298 2.1).
    const SENT_AGAIN: Duration = Duration::from_millis(900);
    let (Some(loss), Some(probe)) = (echo.loss(), subject.probe(ProbeKind::Tcp)) else { return false };
    let mut through = 0;
    for (_, point) in probe.series.points_since(scene.window()) {
        match point {
            Point::Answered(rtt) | Point::Refused(rtt) if rtt < SENT_AGAIN => through += 1,
            Point::Unsent => {}
            _ => return false,
        }
    }
    (1.0 - loss).powi(through) < CHANCE
}

/// The loss, where it exceeds the threshold and chance does not explain it.
fn significant(tally: &Tally, threshold: f64) -> Option<f64> {
    let ratio = tally.loss()?;
    let beyond = tally.sent() >= FEWEST
        && ratio > threshold
        && binomial_tail(tally.lost + tally.errors, tally.sent(), HARMLESS) < CHANCE;
    beyond.then_some(ratio)
}

/// When the last outage of the window ended: a run of failures that lasted, and that
/// the loss beside it does not explain. The window's beginning where there was none.
fn after_outage(probe: &ProbeState, window: Mono) -> Mono {
    const LASTED: Duration = Duration::from_secs(2);
    /// That the loss beside a run explains it must be at least so likely.
    const EXPLAINED: f64 = 1e-3;
    let failed = |p: Point| matches!(p, Point::Lost | Point::Error);
    let mut points: Vec<_> = probe.series.points_since(window).filter(|(_, p)| *p != Point::Unsent).collect();
    // Losses are told when their time is up, after later answers.
    points.sort_by_key(|(sent, _)| *sent);
    let lost = points.iter().filter(|(_, p)| failed(*p)).count();
    let mut end = window;
    let mut run: Option<(Mono, usize)> = None;
    for (sent, point) in &points {
        match run {
            _ if failed(*point) => run = Some(run.map_or((*sent, 1), |(began, n)| (began, n + 1))),
            Some((began, n)) => {
                let beside = (lost - n + 1) as f64 / (points.len() - n + 2) as f64;
                if sent.since(began) >= LASTED && n >= 3 && beside.powi(n as i32) < EXPLAINED {
                    end = *sent;
                }
                run = None;
            }
            None => {}
        }
    }
    end
}

/// When the first packet of the window was lost.
fn first_loss(probe: &ProbeState, from: Mono) -> Option<Mono> {
    probe.series.points_since(from).find(|(_, p)| matches!(p, Point::Lost | Point::Error)).map(|(at, _)| at)
}

/// Where a loss begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At this hop: it and everything behind it lose, what is before it does not.
    From {
        /// Its TTL.
        ttl: u8,
        /// Who answers there.
        address: IpAddr,
        /// Whether the hop right before it is known to be well; else it may begin at
        /// one between them that says nothing.
        sure: bool,
    },
    /// Not yet, or not to be, known.
    Unknown,
}

/// The first hop from which on every hop shares the loss, once a hop in front of it
/// is known to be well, or there is none.
fn first_affected(scene: &Scene<'_>, ip: IpAddr, ratio: f64) -> Place {
    let Some((_, path)) = scene.state.probes_to(ip).find_map(|p| p.paths.best()) else { return Place::Unknown };
    let Some(length) = path.length() else { return Place::Unknown };
    let (mut ttl, mut address, mut sure) = (length, ip, true);
    for hop in path.hops().iter().rev().filter(|h| h.ttl < length) {
        let Some(router) = hop.address() else {
            // One that never answers cannot be judged; its neighbours can. But its
            // answers may have been lost like the others.
            let asked = hop.tally.sent().min(1000) as i32;
            if ratio.powi(asked) > UNCLEAR {
                return Place::Unknown;
            }
            sure = false;
            continue;
        };
        match echo_of_hop(scene, router, ratio) {
            Echoes::Share => (ttl, address, sure) = (hop.ttl, router, true),
            // It may begin at a hop in between that says nothing.
            Echoes::Well if !sure && address == ip => return Place::Unknown,
            Echoes::Well => return Place::From { ttl, address, sure },
            Echoes::Mute => sure = false,
            Echoes::Unclear => return Place::Unknown,
        }
    }
    if !sure && address == ip { Place::Unknown } else { Place::From { ttl, address, sure } }
}

/// Chance of being wrong about one hop from which on nothing is said about it.
const UNCLEAR: f64 = 0.005;

/// What echoes to a hop's own address say about a loss at the end of the path.
enum Echoes {
    /// The hop loses as well.
    Share,
    /// It does not.
    Well,
    /// It answers none.
    Mute,
    /// There are too few yet.
    Unclear,
}

/// Echoes to a hop's own address: unlike answers to expired probes these are not
/// taken from the small budget for errors.
fn echo_of_hop(scene: &Scene<'_>, address: IpAddr, ratio: f64) -> Echoes {
    let probe = scene.state.probes_to(address).find(|p| p.kind() == ProbeKind::Icmp);
    let Some(tally) = probe.map(|p| p.series.tally_since(scene.window())) else { return Echoes::Unclear };
    let (lost, sent) = (tally.lost + tally.errors, tally.sent());
    if tally.received() == 0 {
        return if ratio.powi(sent.min(1000) as i32) < UNCLEAR { Echoes::Mute } else { Echoes::Unclear };
    }
    let Some(loss) = tally.loss().filter(|_| sent >= 20) else { return Echoes::Unclear };
    // Shared where a healthy hop could hardly lose so much, and the loss is of the
    // same order as the end's; well where one that shares it could hardly lose so
    // little.
    if loss >= ratio * 0.35 && binomial_tail(lost, sent, HARMLESS) < UNCLEAR {
        Echoes::Share
    } else if loss < ratio * 0.5 && 1.0 - binomial_tail(lost + 1, sent, ratio) < UNCLEAR {
        Echoes::Well
    } else {
        Echoes::Unclear
    }
}

/// A hop answers only some probes while what lies behind it loses nothing: its
/// answers are rationed, its forwarding is well. For information only.
pub fn rate_limits(scene: &Scene<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for subject in scene.judged().filter(|s| s.life == Life::Alive) {
        let Some(trace) = subject.probe(ProbeKind::Trace) else { continue };
        let Some((_, path)) = trace.paths.best().filter(|(_, p)| p.reaches()) else { continue };
        let end = end_to_end(scene, subject).and_then(|(_, t)| t.loss());
        for hop in path.hops().iter().filter(|h| Some(h.ttl) != path.length()) {
            if let Some((address, tally)) = limited(scene, path, hop, end) {
                let text = format!("hop {} {address}", hop.ttl);
                join(&mut drafts, subject, &text, || {
                    Draft::new(PATH_HOP_RATELIMIT, text.clone())
                        .arg("from", address)
                        .arg("hop", u32::from(hop.ttl))
                        .severity(Severity::Info)
                        .evidence(
                            "trace",
                            Message::new("seen-loss")
                                .with("lost", tally.lost)
                                .with("sent", tally.sent())
                                .with("loss", tally.loss().unwrap_or(0.0)),
                            Message::new("want-later-hops-well"),
                            scene.at,
                        )
                });
            }
        }
    }
    drafts
}

fn limited(scene: &Scene<'_>, path: &Path, hop: &Hop, end: Option<f64>) -> Option<(IpAddr, Tally)> {
    let address = hop.address()?;
    let tally = hop.tally_since(scene.window());
    let loss = tally.loss().filter(|l| tally.sent() >= ENOUGH && *l > LIMITED && tally.received() > 0)?;
    let later = path.hops().iter().filter(|h| h.ttl > hop.ttl).filter_map(|h| {
        let t = h.tally_since(scene.window());
        t.loss().filter(|_| t.sent() >= ENOUGH)
    });
    let healthiest = later.chain(end).fold(f64::INFINITY, f64::min);
    (healthiest <= loss * 0.6).then_some((address, tally))
}

/// Echo dies, but TCP or UDP to the same host works: a filter, not a fault. Must
/// stay quiet while nothing else proves the host alive.
pub fn icmp_filtered(scene: &Scene<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for subject in scene.judged().filter(|s| s.life == Life::Alive && s.target.role != Role::Gateway && !s.own) {
        let (Some(ip), Some(echo)) = (subject.address, subject.probe(ProbeKind::Icmp)) else { continue };
        let tally = echo.series.tally_since(scene.window());
        let dead = scene
            .failing(echo, Point::shows_life)
            .is_some_and(|(n, since)| n >= 5 && scene.now().since(since) >= Duration::from_secs(2));
        if !dead || tally.received() > 0 {
            continue;
        }
        drafts.push(Draft::new(PATH_ICMP_FILTERED, ip.to_string()).severity(Severity::Info).affects(subject).evidence(
            "icmp",
            Message::new("seen-lost").with("lost", tally.lost + tally.errors).with("sent", tally.sent()),
            Message::new("want-answer"),
            scene.at,
        ));
    }
    drafts
}

/// The hops changed within the last ten minutes. For information only; parallel
/// routers that take turns are no change.
pub fn changes(scene: &Scene<'_>) -> Vec<Draft> {
    const LATELY: Duration = Duration::from_secs(600);
    let mut drafts = Vec::new();
    for subject in scene.judged() {
        let (Some(ip), Some(trace)) = (subject.address, subject.probe(ProbeKind::Trace)) else { continue };
        let newest = trace.paths.iter().filter_map(|(_, p)| p.changes.back()).max_by_key(|c| c.at);
        let Some(change) = newest.filter(|c| scene.now().since(c.at) <= LATELY) else { continue };
        let differs = change.before.iter().zip(&change.after).position(|(a, b)| a != b);
        let ttl = differs.unwrap_or(change.before.len().min(change.after.len())) + 1;
        let text = |path: &[Option<IpAddr>]| {
            path.get(ttl - 1).copied().flatten().map_or_else(|| "-".to_owned(), |ip| ip.to_string())
        };
        drafts.push(
            Draft::new(PATH_CHANGED, ip.to_string())
                .severity(Severity::Info)
                .since(Some(change.at))
                .affects(subject)
                .evidence(
                    "trace",
                    Message::new("seen-path-changed").with("hop", ttl).with("after", text(&change.after)),
                    Message::new("want-path-before").with("before", text(&change.before)),
                    scene.at(change.at),
                ),
        );
    }
    drafts
}
