//! One probe's past: its series, its path where it traces, and its newest answers
//! whole.

use std::time::Duration;

use super::path::Paths;
use super::series::{Point, Series};
use crate::model::sample::Unsent;
use crate::model::{At, Detail, Mono, Outcome, ProbeKind, ProbeSpec, Sample};

/// What is known of one probe.
#[derive(Debug, Clone)]
pub struct ProbeState {
    /// What it does.
    pub spec: ProbeSpec,
    /// Since when.
    pub since: At,
    /// Its measurements; empty for traces.
    pub series: Series,
    /// Its paths, where it traces.
    pub paths: Paths,
    last: Option<Sample>,
    before_budget: Option<Sample>,
    last_answer: Option<Sample>,
    last_icmp: Option<Sample>,
    slowest_error: Option<Duration>,
}

impl ProbeState {
    pub(super) fn new(spec: ProbeSpec, since: At) -> Self {
        Self {
            spec,
            since,
            series: Series::default(),
            paths: Paths::default(),
            last: None,
            before_budget: None,
            last_answer: None,
            last_icmp: None,
            slowest_error: None,
        }
    }

    /// Whether a name's answer differs from the one before.
    pub(super) fn resolves_anew(&self, sample: &Sample) -> bool {
        let addresses = |s: &Sample| match &s.outcome {
            Outcome::Answered { detail: Detail::Resolve(r), .. } => Some(r.clone()),
            _ => None,
        };
        let new = addresses(sample);
        new.is_some() && self.last_answer.as_ref().and_then(addresses) != new
    }

    pub(super) fn take_sample(&mut self, sample: &Sample) {
        self.series.push(sample.sent, sample.seq, Point::of(&sample.outcome));
        match sample.outcome {
            Outcome::Answered { .. } => {
                self.last_answer = Some(sample.clone());
                self.slowest_error = None;
            }
            Outcome::Icmp { rtt, .. } => {
                self.last_icmp = Some(sample.clone());
                self.slowest_error = self.slowest_error.max(Some(rtt));
            }
            _ => {}
        }
        // What corrects an earlier loss is not the newest measurement.
        let newest = self.last.as_ref().is_none_or(|l| sample.sent >= l.sent);
        if newest && !matches!(sample.outcome, Outcome::Late { .. }) {
            // What the budget kept back takes nothing from what was measured before.
            let kept_back = matches!(sample.outcome, Outcome::Unsent { reason: Unsent::Budget });
            let before = self.last.replace(sample.clone());
            match before.filter(|b| b.outcome.was_sent()) {
                Some(before) if kept_back => self.before_budget = Some(before),
                _ if kept_back => {}
                _ => self.before_budget = None,
            }
        }
    }

    /// Its kind.
    pub fn kind(&self) -> ProbeKind {
        self.spec.ask.kind()
    }

    /// The newest measurement, late answers left aside.
    pub fn last(&self) -> Option<&Sample> {
        self.last.as_ref()
    }

    /// The newest answer in time.
    pub fn last_answer(&self) -> Option<&Sample> {
        self.last_answer.as_ref()
    }

    /// The newest ICMP error.
    pub fn last_icmp(&self) -> Option<&Sample> {
        self.last_icmp.as_ref()
    }

    /// How long the slowest ICMP error took since the last answer.
    pub fn slowest_error(&self) -> Option<Duration> {
        self.slowest_error
    }

    /// The newest measurement that says something about the network: not one that
    /// was never sent.
    pub fn last_sent(&self) -> Option<&Sample> {
        self.last.as_ref().filter(|s| s.outcome.was_sent()).or(self.before_budget.as_ref())
    }

    /// Whether it has measured within a few of its own intervals before `now`;
    /// what is not fresh is not measured.
    pub fn is_fresh(&self, now: Mono) -> bool {
        let patience = self.spec.interval * 3 + self.spec.timeout + Duration::from_secs(1);
        self.spec.count.is_some() || self.series.last().is_some_and(|(sent, _)| now.since(sent) <= patience)
    }
}
