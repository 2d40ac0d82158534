//! What the console needs of a session: to read it, to feed it, to ask it.
//!
//! Owns the boundary, so that the screen is tested on any session. Must never
//! know how a session does it.

use crate::model::{At, Message, Verdict};
use crate::probes::Batch;
use crate::state::State;

use super::effect::Command;

/// A session as its screen sees it.
pub trait Seat {
    /// Everything known.
    fn state(&self) -> &State;

    /// What the diagnosis says; none before it said anything.
    fn verdict(&self) -> Option<&Verdict>;

    /// The runbook being walked, where there is one.
    fn walk(&self) -> Option<Walk>;

    /// Folds records in. True where something changed that a person should see at
    /// once (a verdict, a target, a link), not just newer figures.
    fn apply(&mut self, batch: Batch) -> bool;

    /// Time passes. As [`Seat::apply`].
    fn tick(&mut self, now: At) -> bool;

    /// Now.
    fn now(&self) -> At;

    /// Does what a person asked.
    ///
    /// # Errors
    /// Where it cannot be done; the message says why.
    fn command(&mut self, command: Command) -> Result<(), Message>;

    /// What would be lost by quitting now, where anything would.
    fn would_lose(&self) -> Option<Message> {
        None
    }
}

/// A runbook under way, its words already in the reader's language.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Walk {
    /// The runbook's id.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// Its phases in order: Fault, Response, Confirm.
    pub phases: Vec<WalkPhase>,
    /// The step to do now, by its number from 0 in the whole.
    pub current: Option<usize>,
}

/// A phase of a runbook.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WalkPhase {
    /// Its name.
    pub title: String,
    /// Its steps.
    pub steps: Vec<WalkStep>,
}

/// A step of a runbook.
#[derive(Debug, Clone, PartialEq)]
pub struct WalkStep {
    /// Its id.
    pub id: String,
    /// What to do, or what is checked.
    pub text: String,
    /// How it stands.
    pub stand: Stand,
    /// Who ticked it and when, or until when it is due: `ana 03:13`.
    pub note: String,
    /// What the probes see of it; may be empty.
    pub seen: String,
    /// Why it is done; may be empty.
    pub why: String,
    /// What is expected; may be empty.
    pub expect: String,
    /// The way back; may be empty.
    pub back: String,
    /// Commands to run, line by line.
    pub commands: Vec<String>,
}

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// Done, by a person's word or the probes'.
    Done,
    /// To be done.
    Open,
    /// The probes say it is not so.
    Failed,
    /// The probes cannot tell.
    Unmeasured,
}

impl Walk {
    /// The step to do now, with its phase and its number in the whole, counted
    /// from 1.
    pub fn current(&self) -> Option<(&WalkPhase, &WalkStep, usize)> {
        let n = self.current?;
        let mut steps = self.phases.iter().flat_map(|p| p.steps.iter().map(move |s| (p, s)));
        steps.nth(n).map(|(p, s)| (p, s, n + 1))
    }

    /// Steps in all.
    pub fn len(&self) -> usize {
        self.phases.iter().map(|p| p.steps.len()).sum()
    }

    /// Whether it has no step.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The step with that number, counted from 0.
    pub fn step(&self, n: usize) -> Option<&WalkStep> {
        self.phases.iter().flat_map(|p| &p.steps).nth(n)
    }
}
