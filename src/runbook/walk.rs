//! A runbook in progress: which steps are done, by whom and on what evidence, and
//! which is next.
//!
//! Owns the steps' state machine. Deterministic: the same runbook, observations,
//! ticks and times give the same walk.
//!
//! - A **Fault** step with a check asks a question. The probes tick it when the
//!   check holds, and it stays ticked with the evidence of that moment. When the
//!   check says no, the question is answered too: the fault is here, and the guide
//!   goes on.
//! - A **Response** step with a check is ticked when it holds, and stays ticked.
//! - A **Confirm** step with a check is ticked when it has held for its time
//!   without a gap, and opens again as soon as it no longer does, or nobody can
//!   tell: a recovery that cannot be measured is not confirmed.
//! - A person may tick or open any step; the probes then leave it alone.

use std::sync::Arc;
use std::time::Duration;

use super::condition::Truth;
use super::vocabulary::Observations;
use super::{Phase, Runbook, Step};
use crate::model::{At, Message, Mono, Untrusted};

/// Observations further apart than this are a gap: what happened in between
/// nobody saw, so a condition does not hold across it.
pub const GAP: Duration = Duration::from_secs(10);

/// Whether a step is done, and who says so.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Mark {
    /// Not done.
    #[default]
    Open,
    /// Ticked by the probes.
    Probes {
        /// What they saw.
        evidence: Option<Message>,
        /// When.
        at: At,
    },
    /// Ticked by a person.
    Person {
        /// Who.
        who: Untrusted,
        /// When.
        at: At,
    },
    /// Ticked by a person though the check did not hold.
    Overridden {
        /// Who.
        who: Untrusted,
        /// When.
        at: At,
        /// Why, in their words.
        reason: Option<Untrusted>,
    },
    /// Opened again by a person; the probes leave it alone.
    Reopened {
        /// Who.
        who: Untrusted,
        /// When.
        at: At,
    },
}

impl Mark {
    /// Whether the step counts as done.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Probes { .. } | Self::Person { .. } | Self::Overridden { .. })
    }
}

/// A step as it stands.
#[derive(Debug, Clone, Copy)]
pub struct StepView<'a> {
    /// Its number in the runbook.
    pub number: usize,
    /// The step.
    pub step: &'a Step,
    /// Whether it is done.
    pub mark: &'a Mark,
    /// What its check says now; not measured where it has none.
    pub truth: Truth,
    /// What the probes see of it now.
    pub now: Option<&'a Message>,
    /// Since when its check holds without a gap.
    pub held_since: Option<Mono>,
}

impl StepView<'_> {
    /// A Fault step that is open because its check says no: the fault is here.
    pub fn is_broken(&self) -> bool {
        self.step.phase == Phase::Fault && *self.mark == Mark::Open && self.truth == Truth::No
    }

    /// Whether it waits for a person: open, and no check could tick it.
    pub fn is_manual(&self) -> bool {
        self.step.check.is_none()
    }
}

#[derive(Debug, Clone, Default)]
struct Progress {
    mark: Mark,
    truth: Truth,
    now: Option<Message>,
    held_since: Option<Mono>,
}

/// A runbook in progress.
#[derive(Debug, Clone)]
pub struct Walk {
    runbook: Arc<Runbook>,
    started: At,
    progress: Vec<Progress>,
    observed: Option<Mono>,
    /// The current step and since when it is.
    current: Option<(usize, At)>,
}

impl Walk {
    /// Begins at `now`, with every step open.
    pub fn start(runbook: Arc<Runbook>, now: At) -> Self {
        let progress = vec![Progress::default(); runbook.steps.len()];
        let mut walk = Self { runbook, started: now, progress, observed: None, current: None };
        walk.advance(now);
        walk
    }

    /// The runbook.
    pub fn runbook(&self) -> &Runbook {
        &self.runbook
    }

    /// When it began.
    pub fn started(&self) -> At {
        self.started
    }

    /// Looks at what the probes see. Returns the numbers of the steps whose mark
    /// changed.
    pub fn observe(&mut self, seen: &dyn Observations, now: At) -> Vec<usize> {
        let gap = self.observed.is_none_or(|last| now.mono.since(last) > GAP || now.mono < last);
        self.observed = Some(now.mono);
        let mut changed = Vec::new();
        for (number, (step, progress)) in self.runbook.steps.iter().zip(&mut self.progress).enumerate() {
            let Some(check) = &step.check else { continue };
            progress.truth = check.truth(seen);
            progress.now = check.evidence(seen);
            let began = progress.held_since.filter(|_| !gap).unwrap_or(now.mono);
            progress.held_since = (progress.truth == Truth::Yes).then_some(began);
            let held = progress.held_since.is_some_and(|since| now.mono.since(since) >= step.hold);
            match progress.mark {
                Mark::Open if held => {
                    progress.mark = Mark::Probes { evidence: progress.now.clone(), at: now };
                    changed.push(number);
                }
                Mark::Probes { .. } if !held && step.phase == Phase::Confirm => {
                    progress.mark = Mark::Open;
                    changed.push(number);
                }
                _ => {}
            }
        }
        self.advance(now);
        changed
    }

    /// Nothing was measured for a while: what held must begin anew, and what a
    /// measurement confirmed is open again.
    pub fn gap(&mut self, now: At) {
        self.observed = None;
        for (step, progress) in self.runbook.steps.iter().zip(&mut self.progress) {
            progress.held_since = None;
            progress.truth = Truth::NotMeasured;
            progress.now = None;
            if step.phase == Phase::Confirm && matches!(progress.mark, Mark::Probes { .. }) {
                progress.mark = Mark::Open;
            }
        }
        self.advance(now);
    }

    /// A person ticks a step, or opens it again. False where there is no such step.
    pub fn tick(&mut self, step: &str, done: bool, who: &Untrusted, reason: Option<Untrusted>, now: At) -> bool {
        let Some(number) = self.runbook.steps.iter().position(|s| s.id == step) else { return false };
        let Some(progress) = self.progress.get_mut(number) else { return false };
        let checked = self.runbook.steps.get(number).is_some_and(|s| s.check.is_some());
        let who = who.clone();
        progress.mark = if !done {
            Mark::Reopened { who, at: now }
        } else if checked && progress.truth != Truth::Yes {
            Mark::Overridden { who, at: now, reason }
        } else {
            Mark::Person { who, at: now }
        };
        self.advance(now);
        true
    }

    /// A step as it stands.
    pub fn step(&self, number: usize) -> Option<StepView<'_>> {
        let step = self.runbook.steps.get(number)?;
        let p = self.progress.get(number)?;
        Some(StepView { number, step, mark: &p.mark, truth: p.truth, now: p.now.as_ref(), held_since: p.held_since })
    }

    /// Every step as it stands, in order.
    pub fn steps(&self) -> impl Iterator<Item = StepView<'_>> {
        (0..self.progress.len()).filter_map(|n| self.step(n))
    }

    /// The step to do now; none where everything is done or answered.
    pub fn current(&self) -> Option<StepView<'_>> {
        self.current.and_then(|(number, _)| self.step(number))
    }

    /// Until when the current step should be done, where it has a time-box.
    pub fn due(&self) -> Option<At> {
        let (number, since) = self.current?;
        let time_box = self.runbook.steps.get(number)?.time_box?;
        Some(since.at_mono(since.mono.after(time_box)))
    }

    /// The phase of the current step; Confirm once everything is done.
    pub fn phase(&self) -> Phase {
        self.current().map_or(Phase::Confirm, |s| s.step.phase)
    }

    /// Steps done and steps in all, of a phase.
    pub fn count(&self, phase: Phase) -> (usize, usize) {
        let of_phase = self.steps().filter(|s| s.step.phase == phase);
        of_phase.fold((0, 0), |(done, all), s| (done + usize::from(s.mark.is_done()), all + 1))
    }

    /// Whether every Confirm step is done, and there is one.
    pub fn is_confirmed(&self) -> bool {
        let (done, all) = self.count(Phase::Confirm);
        all > 0 && done == all
    }

    fn advance(&mut self, now: At) {
        let next = self.steps().find(|s| !s.mark.is_done() && !s.is_broken()).map(|s| s.number);
        if next != self.current.map(|(n, _)| n) {
            self.current = next.map(|n| (n, now));
        }
    }
}
