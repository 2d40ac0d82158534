//! Rules of ports: refused, rejected, filtered, not listening.

use std::time::Duration;

use super::catalogue::{PORT_FILTERED, PORT_REFUSED, PORT_REJECTED};
use super::draft::Draft;
use super::reach::icmp_word;
use super::scene::{Life, Scene, Subject};
use crate::model::sample::IcmpError;
use crate::model::{Confidence, Message, Outcome, ProbeKind};
use crate::state::{Point, ProbeState};

/// SYNs that must vanish, and for how long, before a port counts as filtered.
const VANISHED: (u32, Duration) = (2, Duration::from_millis(2_500));

/// What the port itself does. Must stay quiet while the host shows no life: then
/// the host or the path is the finding. Recovers with the first connect.
pub fn ports(scene: &Scene<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for subject in scene.watched() {
        let Some(text) = subject.socket_text() else { continue };
        for kind in [ProbeKind::Tcp, ProbeKind::Udp, ProbeKind::Ntp, ProbeKind::Dns] {
            if let Some(probe) = subject.probe(kind) {
                drafts.extend(judge(scene, subject, probe, &text));
            }
        }
    }
    drafts
}

fn judge(scene: &Scene<'_>, subject: &Subject<'_>, probe: &ProbeState, text: &str) -> Option<Draft> {
    let last = probe.last_sent()?;
    let kind = probe.kind();
    let since = probe.series.failing(|p| matches!(p, Point::Answered(_) | Point::Late(_))).map(|(_, at)| at);
    let at = scene.at(last.sent);
    let draft = |code| Draft::new(code, text).arg("target", subject.target.name()).since(since).affects(subject);
    match &last.outcome {
        Outcome::Refused { .. } => {
            let (seen, want) = (Message::new("seen-refused"), Message::new("want-open"));
            Some(draft(PORT_REFUSED).evidence(kind.name(), seen, want, at))
        }
        Outcome::Icmp { from, error, .. }
            if subject.life == Life::Alive && !matches!(error, IcmpError::TimeExceeded) =>
        {
            let seen = Message::new("seen-icmp").with("from", *from).with("error", icmp_word(*error));
            let code =
                if *error == IcmpError::PortUnreachable && kind != ProbeKind::Tcp && Some(*from) == subject.address {
                    PORT_REFUSED
                } else {
                    PORT_REJECTED
                };
            Some(draft(code).arg("from", *from).evidence(kind.name(), seen, Message::new("want-open"), at))
        }
        Outcome::Lost if kind == ProbeKind::Tcp && subject.life == Life::Alive => {
            let (lost, first) = probe.series.failing(Point::shows_life)?;
            let enough = lost >= VANISHED.0 && scene.now().since(first) >= VANISHED.1;
            let seen = Message::new("seen-syn-lost").with("lost", lost);
            let confidence = if lost >= 3 { Confidence::Strong } else { Confidence::Likely };
            enough.then(|| {
                draft(PORT_FILTERED).confidence(confidence).evidence("tcp", seen, Message::new("want-open"), at)
            })
        }
        _ => None,
    }
}
