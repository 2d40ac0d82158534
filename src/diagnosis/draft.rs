//! A finding under construction, and the evidence sentences that rules share.

use std::collections::HashSet;
use std::net::IpAddr;

use super::catalogue::Code;
use super::scene::{Scene, Subject};
use crate::model::{Arg, At, Confidence, Evidence, Message, Mono, Role, Severity, TargetId};

/// A finding before its causes are known.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Code.
    pub code: Code,
    /// As the contract writes it.
    pub subject: String,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// One sentence.
    pub summary: Message,
    /// What was measured.
    pub evidence: Vec<Evidence>,
    /// What to do.
    pub next: Vec<Message>,
    /// Since when, where the measurements tell.
    pub since: Option<Mono>,
    /// Whom it affects: targets, each at an address or as a whole.
    pub affects: Vec<(TargetId, Option<IpAddr>)>,
}

impl Draft {
    /// A critical, strong finding with the code's own sentence and steps.
    pub fn new(code: Code, subject: impl Into<String>) -> Self {
        let subject = subject.into();
        let message = Message { id: code.message_id().into(), args: Vec::new() };
        let next = (1..=next_steps(code))
            .map(|n| Message { id: format!("next-{}-{n}", code.dashed()).into(), args: Vec::new() });
        Self {
            code,
            summary: message,
            next: next.collect(),
            subject,
            severity: Severity::Critical,
            confidence: Confidence::Strong,
            evidence: Vec::new(),
            since: None,
            affects: Vec::new(),
        }
        .arg_subject()
    }

    fn arg_subject(self) -> Self {
        let subject = self.subject.clone();
        self.arg("subject", subject)
    }

    /// An argument for the sentence and for every step.
    #[must_use]
    pub fn arg(mut self, name: &'static str, value: impl Into<Arg>) -> Self {
        let value = value.into();
        for m in self.next.iter_mut().chain([&mut self.summary]) {
            m.args.push((name.into(), value.clone()));
        }
        self
    }

    /// Severity.
    #[must_use]
    pub fn severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    /// Confidence.
    #[must_use]
    pub fn confidence(self, confidence: Confidence) -> Self {
        Self { confidence, ..self }
    }

    /// Since when.
    #[must_use]
    pub fn since(self, since: Option<Mono>) -> Self {
        Self { since, ..self }
    }

    /// One more measurement held against what was expected.
    #[must_use]
    pub fn evidence(mut self, probe: &str, observed: Message, expected: Message, at: At) -> Self {
        self.evidence.push(Evidence { probe: probe.to_owned(), observed, expected, at });
        self
    }

    /// It affects this subject.
    #[must_use]
    pub fn affects(mut self, subject: &Subject<'_>) -> Self {
        self.add(subject);
        self
    }

    /// It affects this subject, too.
    pub fn add(&mut self, subject: &Subject<'_>) {
        let entry = (subject.target.id, subject.address);
        // Rules go through subjects in order; a search would cost the square of them.
        if self.affects.last() != Some(&entry) {
            self.affects.push(entry);
        }
    }

    /// Critical where a target it affects cannot be used at any other address, else a
    /// warning.
    #[must_use]
    pub fn severity_by_use(self, scene: &Scene<'_>) -> Self {
        let lost: HashSet<_> = self.affects.iter().copied().collect();
        let role = |id: TargetId| scene.state.target(id).map(|t| t.role);
        let mut watched = self.affects.iter().filter(|(id, _)| role(*id) == Some(Role::Watched)).peekable();
        let unusable = if !scene.has_targets || self.affects.is_empty() {
            self.affects.is_empty() || self.affects.iter().any(|(id, _)| !scene.usable_beside(*id, &lost))
        } else if watched.peek().is_some() {
            watched.any(|(id, _)| !scene.usable_beside(*id, &lost))
        } else {
            // Name servers only: one that is left is enough.
            !scene.resolvers().any(|s| scene.usable_beside(s.target.id, &lost))
        };
        let severity = if unusable { Severity::Critical } else { Severity::Warning };
        self.severity(severity)
    }
}

/// How many next steps a code has in the message files (`next-CODE-1` and so on);
/// a test holds it against them.
pub fn next_steps(code: Code) -> usize {
    match code.name {
        "path.hop_ratelimit" | "path.icmp_filtered" | "path.changed" | "dns.slow" | "http.slow" => 1,
        _ => 2,
    }
}

/// Adds `subject` to the draft with the same subject text, or starts a new one.
pub fn join<'d>(
    drafts: &'d mut Vec<Draft>,
    subject: &Subject<'_>,
    text: &str,
    make: impl FnOnce() -> Draft,
) -> &'d mut Draft {
    let index = drafts.iter().position(|d| d.subject == text).unwrap_or_else(|| {
        drafts.push(make());
        drafts.len() - 1
    });
    drafts[index].add(subject);
    &mut drafts[index]
}
