//! Rules of TLS and HTTP: what an answering service says, each reason told apart.

use super::catalogue::{
    Code, HTTP_4XX, HTTP_5XX, HTTP_SLOW, SERVICE_RESET, SERVICE_SILENT, TLS_EXPIRED, TLS_EXPIRING,
    TLS_HANDSHAKE_FAILED, TLS_INCOMPLETE_CHAIN, TLS_NAME_MISMATCH, TLS_NOT_YET_VALID, TLS_REVOKED, TLS_UNTRUSTED,
};
use super::draft::Draft;
use super::scene::{Scene, Subject};
use crate::model::sample::{Failure, HttpAnswer, Stage, TlsAnswer, Trust};
use crate::model::{At, Confidence, Detail, Message, Mono, Outcome, ProbeKind, Severity};
use crate::state::{Point, ProbeState};

/// What the service on top of an open port does. Must stay quiet where the port
/// itself is the finding. Recovers with the first good answer.
pub fn services(scene: &Scene<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for subject in scene.watched() {
        let Some(text) = subject.socket_text() else { continue };
        let judge = Judge { scene, subject, text };
        if let Some(probe) = subject.probe(ProbeKind::Tls) {
            drafts.extend(judge.tls(probe));
        }
        if let Some(probe) = subject.probe(ProbeKind::Http) {
            drafts.extend(judge.http(probe));
        }
    }
    drafts
}

struct Judge<'s, 'a> {
    scene: &'s Scene<'a>,
    subject: &'s Subject<'a>,
    text: String,
}

impl Judge<'_, '_> {
    fn draft(&self, code: Code, probe: &ProbeState) -> Draft {
        let since = self.failing(probe).map(|(_, at)| at);
        Draft::new(code, self.text.clone()).arg("target", self.subject.target.name()).since(since).affects(self.subject)
    }

    fn failing(&self, probe: &ProbeState) -> Option<(u32, Mono)> {
        self.scene.failing(probe, |p| matches!(p, Point::Answered(_) | Point::Late(_)))
    }

    fn tls(&self, probe: &ProbeState) -> Option<Draft> {
        let sample = self.scene.newest(probe)?;
        let at = self.scene.at(sample.sent);
        match &sample.outcome {
            Outcome::Answered { detail: Detail::Tls(answer), .. } => self.certificate(probe, answer, at),
            Outcome::Failed { stage, failure, .. } => Some(self.failed(probe, *stage, failure, at)),
            _ => None,
        }
    }

    fn certificate(&self, probe: &ProbeState, answer: &TlsAnswer, at: At) -> Option<Draft> {
        let leaf = answer.chain.first();
        let date = |seconds: Option<i64>| seconds.map_or_else(String::new, day);
        let (code, seen) = match &answer.trust {
            Trust::Valid => return self.expiring(probe, answer, at),
            Trust::Expired => (TLS_EXPIRED, Message::new("seen-expired").with("date", date(leaf.map(|c| c.not_after)))),
            Trust::NotYetValid => {
                (TLS_NOT_YET_VALID, Message::new("seen-not-yet-valid").with("date", date(leaf.map(|c| c.not_before))))
            }
            Trust::NameMismatch => (TLS_NAME_MISMATCH, Message::new("seen-names").with("names", names(leaf))),
            Trust::IncompleteChain => (
                TLS_INCOMPLETE_CHAIN,
                Message::new("seen-chain").with("issuer", leaf.map_or("", |c| c.issuer.as_str())),
            ),
            Trust::Revoked => (TLS_REVOKED, Message::new("seen-revoked")),
            Trust::Untrusted => {
                (TLS_UNTRUSTED, Message::new("seen-issuer").with("issuer", leaf.map_or("", |c| c.issuer.as_str())))
            }
            Trust::Invalid { why } => (TLS_UNTRUSTED, Message::new("seen-invalid").with("why", why)),
        };
        Some(self.draft(code, probe).since(Some(at.mono)).evidence("tls", seen, Message::new("want-certificate"), at))
    }

    fn expiring(&self, probe: &ProbeState, answer: &TlsAnswer, at: At) -> Option<Draft> {
        let left = answer.chain.first()?.not_after - at.wall.unix_seconds();
        let limit = self.scene.thresholds.certificate_left.as_secs() as i64;
        (left <= limit).then(|| {
            let days = left.max(0) / 86_400;
            self.draft(TLS_EXPIRING, probe).severity(Severity::Warning).since(Some(at.mono)).arg("days", days).evidence(
                "tls",
                Message::new("seen-days-left").with("days", days),
                Message::new("want-days-left").with("days", limit / 86_400),
                at,
            )
        })
    }

    fn http(&self, probe: &ProbeState) -> Option<Draft> {
        let sample = self.scene.newest(probe)?;
        let at = self.scene.at(sample.sent);
        match &sample.outcome {
            Outcome::Answered { detail: Detail::Http(answer), .. } => self.response(probe, answer, at),
            Outcome::Failed { stage, failure, .. } => Some(self.failed(probe, *stage, failure, at)),
            _ => None,
        }
    }

    fn response(&self, probe: &ProbeState, answer: &HttpAnswer, at: At) -> Option<Draft> {
        let code = match answer.status {
            500..=599 => HTTP_5XX,
            400..=499 => HTTP_4XX,
            _ => return self.slow(probe, answer, at),
        };
        let seen = Message::new("seen-status").with("status", answer.status.to_string());
        let draft = self.draft(code, probe).arg("status", answer.status.to_string()).since(Some(at.mono));
        Some(draft.evidence("http", seen, Message::new("want-status"), at))
    }

    fn slow(&self, probe: &ProbeState, answer: &HttpAnswer, at: At) -> Option<Draft> {
        let ttfb = answer.phases.ttfb.filter(|t| *t > self.scene.thresholds.http_slow)?;
        let ms = ttfb.as_secs_f64() * 1e3;
        let want = Message::new("want-first-byte").with("ms", self.scene.thresholds.http_slow.as_secs_f64() * 1e3);
        let draft = self.draft(HTTP_SLOW, probe).since(Some(at.mono)).severity(Severity::Warning).arg("ms", ms);
        Some(draft.evidence("http", Message::new("seen-first-byte").with("ms", ms), want, at))
    }

    fn failed(&self, probe: &ProbeState, stage: Stage, failure: &Failure, at: At) -> Draft {
        let code = match (stage, failure) {
            (_, Failure::Silent) => SERVICE_SILENT,
            (
                Stage::Handshake,
                Failure::Closed | Failure::Alert { .. } | Failure::Incompatible { .. } | Failure::Protocol { .. },
            ) => TLS_HANDSHAKE_FAILED,
            (_, Failure::Alert { .. } | Failure::Incompatible { .. }) => TLS_HANDSHAKE_FAILED,
            (_, Failure::Reset | Failure::Closed | Failure::Protocol { .. }) => SERVICE_RESET,
        };
        // Once may be a restart; what is not HTTP at all has no code of its own.
        let confidence = match (code, failure, self.failing(probe)) {
            (SERVICE_RESET, Failure::Protocol { .. }, _) => Confidence::Possible,
            (SERVICE_RESET | SERVICE_SILENT, _, None | Some((1, _))) => Confidence::Likely,
            _ => Confidence::Strong,
        };
        let seen = match failure {
            Failure::Silent => Message::new("seen-silent"),
            Failure::Reset => Message::new("seen-reset"),
            Failure::Closed => Message::new("seen-closed"),
            Failure::Alert { code } => Message::new("seen-alert").with("code", *code),
            Failure::Incompatible { why } | Failure::Protocol { why } => Message::new("seen-protocol").with("why", why),
        };
        self.draft(code, probe).confidence(confidence).evidence(
            probe.kind().name(),
            seen,
            Message::new("want-answer"),
            at,
        )
    }
}

fn names(leaf: Option<&crate::model::sample::Certificate>) -> String {
    leaf.map_or_else(String::new, |c| {
        c.names.iter().take(4).map(crate::model::Untrusted::as_str).collect::<Vec<_>>().join(", ")
    })
}

/// A day as `2026-11-20`, UTC.
fn day(unix_seconds: i64) -> String {
    crate::model::Wall(unix_seconds.saturating_mul(1_000_000)).rfc3339().chars().take(10).collect()
}
