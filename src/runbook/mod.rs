//! Runbooks: Markdown in, steps out, and a walk through them that ticks what the
//! probes can tell.
//!
//! Owns the file format, its conditions and the steps' state machine. Must never
//! know a clock, a screen or how anything is measured: time and observations are
//! arguments.

mod attributes;
mod compile;
pub mod condition;
mod front_matter;
mod markdown;
pub mod vocabulary;
pub mod walk;

use std::time::Duration;

pub use condition::{Condition, Truth};
pub use markdown::parse;
pub use vocabulary::{Fact, Figure, Observations};
pub use walk::{Mark, StepView, Walk};

use crate::model::Untrusted;

/// Longest file read, in bytes.
pub const MAX_BYTES: usize = 256 << 10;
/// Most steps in one runbook.
pub const MAX_STEPS: usize = 200;

/// The three phases of an incident, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// What is broken.
    Fault,
    /// What is done about it.
    Response,
    /// Whether it is really well again.
    Confirm,
}

impl Phase {
    /// All of them, in their order.
    pub const ALL: [Self; 3] = [Self::Fault, Self::Response, Self::Confirm];
}

/// A runbook as read. Everything in it is safe to show.
#[derive(Debug, Clone, PartialEq)]
pub struct Runbook {
    /// Identity; a user's runbook takes the place of a built-in one of the same id.
    pub id: String,
    /// What it is for.
    pub title: Untrusted,
    /// The paragraphs above the first phase.
    pub about: Vec<Untrusted>,
    /// Finding codes it fits; `*` at the end stands for anything.
    pub matches: Vec<String>,
    /// Severity to propose, 1 (worst) to 4.
    pub severity: Option<u8>,
    /// The steps, phase by phase.
    pub steps: Vec<Step>,
}

impl Runbook {
    /// Whether it fits a finding's code.
    pub fn fits(&self, code: &str) -> bool {
        self.matches.iter().any(|pattern| code_matches(pattern, code))
    }

    /// The steps of a phase with their numbers in [`Self::steps`].
    pub fn phase(&self, phase: Phase) -> impl Iterator<Item = (usize, &Step)> {
        self.steps.iter().enumerate().filter(move |(_, s)| s.phase == phase)
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Identity within the runbook.
    pub id: String,
    /// Which phase it belongs to.
    pub phase: Phase,
    /// What to do or to establish.
    pub title: Untrusted,
    /// Why.
    pub why: Option<Untrusted>,
    /// What to expect.
    pub expect: Option<Untrusted>,
    /// The way back.
    pub rollback: Option<Untrusted>,
    /// Who does it.
    pub role: Option<Untrusted>,
    /// Where to read more.
    pub link: Option<Untrusted>,
    /// What the probes can tell about it.
    pub check: Option<Condition>,
    /// For how long the check must hold.
    pub hold: Duration,
    /// How long it may take.
    pub time_box: Option<Duration>,
    /// What else stands under it, line by line.
    pub body: Vec<Untrusted>,
}

/// Whether a pattern of finding codes (`dns.*`, `path.loss`, `*`) takes a code in.
pub fn code_matches(pattern: &str, code: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => code.starts_with(start),
        None => pattern == code,
    }
}

/// The built-in runbooks in the language with this tag, else in English.
pub fn builtin(_language: &str) -> Vec<Runbook> {
    BUILTIN.iter().filter_map(|(name, text)| parse(name, text).ok()).collect()
}

/// The built-in files: name and text.
pub const BUILTIN: [(&str, &str); 1] =
    [("first-response.md", include_str!("../../assets/runbooks/en/first-response.md"))];

#[cfg(test)]
mod tests;
