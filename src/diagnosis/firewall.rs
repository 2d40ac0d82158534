//! Rules of this host's own packet filter.

use super::catalogue::FIREWALL_LOCAL_DROP;
use super::draft::{Draft, join};
use super::scene::{Scene, Subject};
use crate::model::sample::{IcmpError, Unsent};
use crate::model::{Confidence, Message, Mono, Outcome};
use crate::state::ProbeState;

/// This host's own rules refuse what is sent: EPERM, or an ICMP error from one of
/// our own addresses. Must stay quiet where what was asked for works all the same,
/// about a neighbour that our own kernel could not resolve, and about targets on
/// this host itself. EPERM is likely at most: a full connection table gives it,
/// too. Recovers with the first packet that is sent.
pub fn local_drops(scene: &Scene<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for subject in scene.depended().filter(|s| !s.own && !s.works(scene)) {
        let refused = subject.probes.iter().find_map(|p| Some((*p, refusal(scene, p)?)));
        let Some((probe, (seen, confidence, at))) = refused else { continue };
        let draft = join(&mut drafts, subject, "host", || {
            Draft::new(FIREWALL_LOCAL_DROP, "host").arg("target", subject_text(subject)).confidence(confidence)
        });
        draft.confidence = draft.confidence.max(confidence);
        draft.since = draft.since.into_iter().chain([at]).min();
        if draft.evidence.len() < MOST_EVIDENCE {
            let want = Message::new("want-passed");
            *draft = draft.clone().evidence(probe.kind().name(), seen, want, scene.at(at));
        }
    }
    drafts.into_iter().map(|d| d.severity_by_use(scene)).collect()
}

/// What is the same for a thousand targets need not be shown a thousand times.
const MOST_EVIDENCE: usize = 4;

fn subject_text(subject: &Subject<'_>) -> String {
    subject.socket_text().or_else(|| subject.address.map(|ip| ip.to_string())).unwrap_or_default()
}

fn refusal(scene: &Scene<'_>, probe: &ProbeState) -> Option<(Message, Confidence, Mono)> {
    let last = probe.last().filter(|s| s.sent >= scene.resumed && probe.is_fresh(scene.now()))?;
    match &last.outcome {
        Outcome::Unsent { reason: Unsent::Filtered } => {
            Some((Message::new("seen-eperm"), Confidence::Likely, last.sent))
        }
        Outcome::Icmp { from, error, .. } if scene.state.network.is_own(*from) => {
            let by_rule =
                matches!(error, IcmpError::AdminProhibited | IcmpError::PortUnreachable | IcmpError::NetUnreachable);
            let seen = Message::new("seen-icmp").with("from", *from).with("error", error.words());
            by_rule.then_some((seen, Confidence::Strong, last.sent))
        }
        _ => None,
    }
}
