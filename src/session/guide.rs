//! The runbook under way in a session.
//!
//! Owns which runbook is walked and when the probes' view of it is renewed. The
//! walk follows the records like everything else: it is started, ticked and
//! interrupted by them. Must never read a file or a clock.

use std::sync::Arc;
use std::time::Duration;

use super::Session;
use super::observe::Observed;
use super::remembered::Remembered;
use crate::model::record::{Action, Origin};
use crate::model::{At, Mono, Record, RecordKind, Untrusted, Verdict};
use crate::runbook::{Runbook, Walk};
use crate::state::State;

/// The runbook that a session begins with.
pub const FIRST_RESPONSE: &str = "first-response";

/// From one observation to the next at least; with many targets it is more, so
/// that looking costs little, and still less than [`crate::runbook::walk::GAP`].
const OBSERVE: Duration = Duration::from_millis(950);
const OBSERVE_MOST: Duration = Duration::from_secs(6);
/// How much later for each target.
const PER_TARGET: Duration = Duration::from_millis(1);

/// The runbooks known and the one being walked.
#[derive(Debug, Default)]
pub(super) struct Guide {
    runbooks: Vec<Runbook>,
    walk: Option<Walk>,
    remembered: Remembered,
    observed: Option<Mono>,
}

impl Guide {
    pub(super) fn new(runbooks: Vec<Runbook>) -> Self {
        Self { runbooks, ..Self::default() }
    }

    pub(super) fn runbooks(&self) -> &[Runbook] {
        &self.runbooks
    }

    pub(super) fn walk(&self) -> Option<&Walk> {
        self.walk.as_ref()
    }

    pub(super) fn knows(&self, id: &str) -> bool {
        self.runbooks.iter().any(|r| r.id == id)
    }

    /// Follows a record.
    pub(super) fn take(&mut self, record: &Record) {
        match &record.kind {
            RecordKind::Gap(_) => {
                self.remembered.gap();
                self.observed = None;
                if let Some(walk) = &mut self.walk {
                    walk.gap(record.at);
                }
            }
            RecordKind::Action(Action::Runbook { id }) => {
                if let Some(runbook) = self.runbooks.iter().find(|r| r.id == *id) {
                    self.walk = Some(Walk::start(Arc::new(runbook.clone()), record.at));
                    self.observed = None;
                }
            }
            RecordKind::Action(Action::Tick { runbook, step, done, reason }) => {
                if let Some(walk) = self.walk.as_mut().filter(|w| w.runbook().id == *runbook) {
                    walk.tick(step, *done, &who(&record.origin), reason.clone(), record.at);
                }
            }
            _ => {}
        }
    }

    /// Looks at what the probes see, where it is time; true where a step was
    /// ticked or opened by it.
    pub(super) fn observe(&mut self, state: &State, verdict: &Verdict, at: At) -> bool {
        let Some(walk) = &mut self.walk else { return false };
        let targets = state.targets().count().min(u32::MAX as usize) as u32;
        let pause = (OBSERVE + PER_TARGET.saturating_mul(targets)).min(OBSERVE_MOST);
        if self.observed.is_some_and(|last| at.mono.since(last) < pause) {
            return false;
        }
        self.observed = Some(at.mono);
        self.remembered.update(state, verdict, at);
        !walk.observe(&Observed::new(state, verdict, &self.remembered, at), at).is_empty()
    }
}

impl Session {
    /// The runbooks that may be walked.
    pub fn runbooks(&self) -> &[Runbook] {
        self.guide.runbooks()
    }

    /// The runbook under way.
    pub fn walk(&self) -> Option<&Walk> {
        self.guide.walk()
    }

    /// Begins a runbook anew; it takes the place of the one under way. False where
    /// there is none of that id.
    pub fn start_runbook(&mut self, id: &str, at: At, who: Origin) -> bool {
        let known = self.guide.knows(id);
        if known {
            self.act(at, who, Action::Runbook { id: id.to_owned() });
        }
        known
    }

    /// A person ticks a step of the runbook under way, or opens it again; `reason`
    /// is theirs for going against the probes. False where there is no such step.
    pub fn tick_step(&mut self, step: &str, done: bool, reason: Option<&str>, at: At, who: Origin) -> bool {
        let Some(runbook) = self.walk().map(Walk::runbook).filter(|r| r.steps.iter().any(|s| s.id == step)) else {
            return false;
        };
        let (runbook, step) = (runbook.id.clone(), step.to_owned());
        let reason = reason.map(Untrusted::new).filter(|r| !r.is_empty());
        self.act(at, who, Action::Tick { runbook, step, done, reason });
        true
    }

    /// A person writes something down.
    pub fn note(&mut self, text: &str, at: At, who: Origin) {
        self.act(at, who, Action::Note { text: Untrusted::new(text) });
    }
}

fn who(origin: &Origin) -> Untrusted {
    match origin {
        Origin::Person(name) => name.clone(),
        Origin::Session => Untrusted::new("frc"),
        Origin::Probe(task) => Untrusted::new(task),
    }
}
