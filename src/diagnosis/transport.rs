//! Rules of ports: refused, rejected, filtered, and of services over UDP.

use std::time::Duration;

use super::catalogue::{
    Code, PORT_FILTERED, PORT_REFUSED, PORT_REJECTED, TIME_OFFSET, TIME_SERVER_UNREACHABLE, TIME_UNSYNCHRONISED,
    UDP_NO_REPLY,
};
use super::draft::Draft;
use super::scene::{Life, Scene, Subject, last_life};
use crate::model::sample::{IcmpError, NtpAnswer};
use crate::model::{Ask, At, Confidence, Detail, Message, Mono, Outcome, ProbeKind, Severity};
use crate::state::{Point, ProbeState};

/// SYNs that must vanish, and for how long, before a port counts as filtered.
const VANISHED: (u32, Duration) = (2, Duration::from_millis(2_500));
/// The same of datagrams, of which none is sent again by the kernel.
const UNANSWERED: (u32, Duration) = (3, Duration::from_secs(2));
/// A connect sends three SYNs before it is given up (after 0, 1 and 3 seconds).
const SYNS: u32 = 3;
/// Ports with a well-known exchange over UDP: DNS and NTP.
const KNOWN_EXCHANGE: [u16; 2] = [53, 123];

/// What the port itself does. Must stay quiet while the host shows no life: then
/// the host or the path is the finding. Recovers with the first connect.
pub fn ports(scene: &Scene<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for subject in scene.watched() {
        let Some(text) = subject.socket_text() else { continue };
        for kind in [ProbeKind::Tcp, ProbeKind::Udp, ProbeKind::Ntp] {
            if let Some(probe) = subject.probe(kind) {
                drafts.extend(Port { scene, subject, probe, text: &text }.judge());
            }
        }
    }
    drafts
}

struct Port<'s, 'a> {
    scene: &'s Scene<'a>,
    subject: &'s Subject<'a>,
    probe: &'s ProbeState,
    text: &'s str,
}

impl Port<'_, '_> {
    fn judge(&self) -> Option<Draft> {
        let last = self.scene.newest(self.probe)?;
        let at = self.scene.at(last.sent);
        match &last.outcome {
            Outcome::Refused { .. } => {
                let (seen, want) = (Message::new("seen-refused"), Message::new("want-open"));
                Some(self.draft(PORT_REFUSED).evidence(self.kind().name(), seen, want, at))
            }
            Outcome::Icmp { from, error, .. } => self.objected(*from, *error, at),
            Outcome::Lost => self.silent(at),
            Outcome::Answered { detail: Detail::Ntp(answer), .. } => self.time(answer, at),
            _ => None,
        }
    }

    fn kind(&self) -> ProbeKind {
        self.probe.kind()
    }

    fn failing(&self) -> Option<(u32, Mono)> {
        self.scene.failing(self.probe, |p| matches!(p, Point::Answered(_) | Point::Late(_)))
    }

    fn draft(&self, code: Code) -> Draft {
        let port = self.subject.target.service.port().unwrap_or_default();
        Draft::new(code, self.text)
            .arg("target", self.subject.target.name())
            .arg("port", u32::from(port))
            .since(self.failing().map(|(_, at)| at))
            .affects(self.subject)
    }

    /// Whether the host showed life after the port began to fail: until then a
    /// fault of the whole path looks just the same.
    fn host_well_since(&self, began: Mono) -> bool {
        let life = self.subject.address.and_then(|ip| last_life(self.scene.state, ip));
        self.subject.life == Life::Alive && life.is_some_and(|l| l > began)
    }

    fn objected(&self, from: std::net::IpAddr, error: IcmpError, at: At) -> Option<Draft> {
        let (_, began) = self.failing()?;
        // What our own kernel says is the neighbours' affair, or our own filter's.
        let ours = self.scene.state.network.is_own(from) && !self.subject.own;
        if error == IcmpError::TimeExceeded || ours || !self.host_well_since(began) {
            return None;
        }
        let seen = Message::new("seen-icmp").with("from", from).with("error", error.words());
        let refusal =
            error == IcmpError::PortUnreachable && self.kind() != ProbeKind::Tcp && Some(from) == self.subject.address;
        let code = if refusal { PORT_REFUSED } else { PORT_REJECTED };
        Some(self.draft(code).arg("from", from).evidence(self.kind().name(), seen, Message::new("want-open"), at))
    }

    fn silent(&self, at: At) -> Option<Draft> {
        let (lost, began) = self.scene.failing(self.probe, Point::shows_life)?;
        let (code, (enough, long)) = match &self.probe.spec.ask {
            Ask::Tcp { .. } => (PORT_FILTERED, VANISHED),
            Ask::Udp { to } if KNOWN_EXCHANGE.contains(&to.port()) => (UDP_NO_REPLY, UNANSWERED),
            Ask::Ntp { .. } => (TIME_SERVER_UNREACHABLE, UNANSWERED),
            _ => return None,
        };
        let told = lost >= enough && self.scene.now().since(began) >= long && self.host_well_since(began);
        let tries = lost * if self.kind() == ProbeKind::Tcp { SYNS } else { 1 };
        if !told || !self.scene.beyond_chance(self.probe, lost) || self.scene.loss_explains(self.subject, tries) {
            return None;
        }
        let confidence = if lost >= 3 { Confidence::Strong } else { Confidence::Likely };
        let (seen, want) =
            if code == PORT_FILTERED { ("seen-syn-lost", "want-open") } else { ("seen-unanswered", "want-answer") };
        let seen = Message::new(seen).with("lost", lost);
        Some(self.draft(code).confidence(confidence).evidence(self.kind().name(), seen, Message::new(want), at))
    }

    /// A server that says itself that it does not know the time (RFC 5905 7.3: leap
    /// 3, stratum 16; stratum 0 is a kiss-o'-death).
    fn time(&self, answer: &NtpAnswer, at: At) -> Option<Draft> {
        let lost = answer.leap == 3 || answer.stratum == 0 || answer.stratum >= 16;
        if !lost {
            return self.offset(answer, at);
        }
        let seen = Message::new("seen-unsynchronised").with("stratum", u32::from(answer.stratum));
        let draft = self.draft(TIME_UNSYNCHRONISED).since(Some(at.mono));
        Some(draft.evidence("ntp", seen, Message::new("want-synchronised"), at))
    }

    /// This host's clock against a server that knows the time. One server alone may
    /// itself be wrong: `likely` at most.
    fn offset(&self, answer: &NtpAnswer, at: At) -> Option<Draft> {
        let off = Duration::from_nanos(answer.offset_ns.unsigned_abs());
        let limits = self.scene.thresholds;
        let severity = if off > limits.clock_critical {
            Severity::Critical
        } else if off > limits.clock_warning {
            Severity::Warning
        } else {
            return None;
        };
        let seconds = (answer.offset_ns as f64 / 1e7).round() / 1e2;
        let seen = Message::new("seen-offset").with("seconds", seconds);
        let want = Message::new("want-offset").with("seconds", limits.clock_warning.as_secs_f64());
        let draft = Draft::new(TIME_OFFSET, "host").severity(severity).confidence(Confidence::Likely);
        let draft = draft.arg("seconds", seconds).arg("server", self.subject.target.name());
        Some(draft.since(self.probe.series.first()).evidence("ntp", seen, want, at))
    }
}
