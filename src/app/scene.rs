//! What a picture is drawn from: the state, the verdict, the words and the look.
//!
//! Owns the few readings that several panes share (how a probe stands, which target
//! the path pane follows). Must never change anything or read a clock.

use std::borrow::Cow;
use std::time::Duration;

use crate::model::{
    Detail, Finding, Message, Mono, Outcome, ProbeKind, Role, Severity, Status, Target, TargetId, Verdict, Wall,
};
use crate::state::{Bucket, Point, ProbeState, State, Stats};
use crate::text::Texts;
use crate::widgets::sparkline::{Mark, level};
use crate::widgets::{Meaning, Theme};

use super::seat::Walk;
use super::ui::Ui;

/// Figures and small graphs look back this far.
pub const LOOK_BACK: Duration = Duration::from_secs(60);

/// One column of a sparkline: wide enough that a settled screen rarely moves.
pub const BUCKET: Duration = Duration::from_secs(3);

/// So many failures in a row are a state and no longer an accident.
const STANDING: u32 = 3;

/// Above this much over the median a round-trip time is drawn at all, in ms.
const SLACK_MS: f64 = 1.0;

/// Everything a picture is drawn from.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// Everything known.
    pub state: &'a State,
    /// What the diagnosis says.
    pub verdict: Option<&'a Verdict>,
    /// The runbook being walked.
    pub walk: Option<&'a Walk>,
    /// Words.
    pub texts: &'a Texts,
    /// Colours and glyphs.
    pub theme: &'a Theme,
}

impl<'a> Scene<'a> {
    /// Words of an id.
    pub fn word(&self, id: &'a str) -> Cow<'a, str> {
        self.texts.word(id)
    }

    /// Words of a message.
    pub fn say(&self, message: &Message) -> String {
        self.texts.render(message)
    }

    /// Now on the monotonic clock.
    pub fn now(&self) -> Mono {
        self.state.now.mono
    }

    /// From when on figures count.
    pub fn from(&self) -> Mono {
        self.now().before(LOOK_BACK)
    }

    /// The wall time of a moment of this session.
    pub fn wall(&self, at: Mono) -> Wall {
        self.state.now.at_mono(at).wall
    }

    /// Local time of a moment, to the second.
    pub fn time(&self, at: Mono) -> String {
        self.texts.zone().time(self.wall(at))
    }

    /// How a severity looks.
    pub fn of_severity(severity: Severity) -> Meaning {
        match severity {
            Severity::Critical => Meaning::Fault,
            Severity::Warning => Meaning::Warning,
            Severity::Info => Meaning::Good,
        }
    }

    /// How the whole stands.
    pub fn overall(&self) -> Meaning {
        match self.verdict.map(|v| v.status) {
            Some(Status::Healthy) => Meaning::Good,
            Some(Status::Degraded) => Meaning::Warning,
            Some(Status::Fault) => Meaning::Fault,
            Some(Status::Unmeasured) | None => Meaning::Unmeasured,
        }
    }

    /// The worst finding about a target seen by a kind of probe.
    pub fn finding_about(&self, targets: &[TargetId], kind: ProbeKind) -> Option<&'a Finding> {
        let concerns = |f: &&Finding| {
            f.severity > Severity::Info
                && f.targets.iter().any(|t| targets.contains(t))
                && f.evidence.iter().any(|e| e.probe == kind.name())
        };
        self.verdict?.findings.iter().filter(concerns).max_by_key(|f| f.severity)
    }

    /// Figures of a probe over the last minute; while it fails without a break,
    /// those of the failing alone: what is down now is not 40 % down.
    pub fn stats(&self, probe: &ProbeState) -> Stats {
        let failing = probe.series.failing(|p| matches!(p, Point::Answered(_) | Point::Late(_)));
        let from = failing.filter(|(run, _)| *run >= STANDING).map_or(self.from(), |(_, since)| since.max(self.from()));
        probe.series.since(from)
    }

    /// How a probe stands, from its figures and from what the diagnosis found.
    pub fn standing(&self, probe: &ProbeState) -> Meaning {
        let tally = self.stats(probe).tally;
        if tally.sent() == 0 || !probe.is_fresh(self.now()) {
            return Meaning::Unmeasured;
        }
        // Silence of a service that need not answer says nothing.
        if probe.kind() == ProbeKind::Udp && tally.received() == 0 && tally.errors == 0 {
            return Meaning::Unmeasured;
        }
        let found = self.finding_about(&probe.spec.targets, probe.kind()).map(|f| Self::of_severity(f.severity));
        if found == Some(Meaning::Fault) {
            return Meaning::Fault;
        }
        let answered_badly = matches!(
            probe.last().map(|s| &s.outcome),
            Some(Outcome::Answered { detail: Detail::Http(answer), .. }) if answer.status >= 500
        );
        match tally.failure() {
            Some(f) if f >= 0.5 => Meaning::Fault,
            _ if answered_badly => Meaning::Fault,
            Some(f) if f > 0.05 => Meaning::Warning,
            _ => found.unwrap_or(Meaning::Good),
        }
    }

    /// The last minute of a probe as a sparkline.
    pub fn sparkline(&self, probe: &ProbeState, usual: Option<Duration>, columns: usize) -> Vec<Mark> {
        let usual = usual.map_or(0.0, |d| d.as_secs_f64() * 1e3);
        let mark = |bucket: Bucket| match bucket {
            Bucket::Gap => Mark::Gap,
            Bucket::Measured { answered: 0, late: 0, .. } => Mark::Lost,
            Bucket::Measured { failed, .. } if failed > 0 => Mark::Some,
            Bucket::Measured { late, .. } if late > 0 => Mark::Late,
            Bucket::Measured { worst, .. } => Mark::Level(level(worst.as_secs_f64() * 1e3, usual, SLACK_MS)),
        };
        // The newest column holds the newest measurement; only a probe that fell
        // silent has empty ones after it.
        let newest = probe.series.last().map(|(sent, _)| sent).filter(|_| probe.is_fresh(self.now()));
        // A slow probe's bucket spans several columns: a pause between two of its
        // sends is no gap.
        let span = (probe.spec.interval * 6 / 5).as_nanos().div_ceil(BUCKET.as_nanos()).clamp(1, 20) as usize;
        let count = columns.div_ceil(span);
        let buckets = probe.series.buckets(newest.unwrap_or(self.now()), BUCKET * span as u32, count);
        let marks: Vec<_> = buckets.into_iter().flat_map(|b| std::iter::repeat_n(mark(b), span)).collect();
        marks.get(marks.len().saturating_sub(columns)..).unwrap_or_default().to_vec()
    }

    /// The target that the path pane follows: chosen by a person, else one that the
    /// root is about, else the first watched one that is traced, else any.
    pub fn followed(&self, ui: &Ui) -> Option<(&'a Target, &'a ProbeState)> {
        let trace_of = |id: TargetId| self.state.probes_of(id).find(|p| p.kind() == ProbeKind::Trace);
        let pair = |t: &'a Target| trace_of(t.id).map(|p| (t, p));
        let root = || self.verdict.and_then(Verdict::root).map(|f| f.targets.as_slice()).unwrap_or_default();
        ui.traced
            .and_then(|id| self.state.target(id))
            .and_then(pair)
            .or_else(|| root().iter().filter_map(|id| self.state.target(*id)).find_map(pair))
            .or_else(|| self.state.watched().find_map(pair))
            .or_else(|| self.state.targets().filter(|t| t.role != Role::Hop).find_map(pair))
    }

    /// The target to name a probe by: the one a person named, else the first.
    pub fn named_by(&self, probe: &ProbeState) -> Option<&'a Target> {
        let targets = || probe.spec.targets.iter().filter_map(|id| self.state.target(*id));
        targets().find(|t| t.role == Role::Watched).or_else(|| targets().next())
    }

    /// What to call a probe's target where its kind stands beside it: the label, or
    /// the host without scheme and port.
    pub fn name(&self, probe: &ProbeState) -> String {
        self.named_by(probe).map_or_else(String::new, |t| t.label.clone().unwrap_or_else(|| t.host.to_string()))
    }

    /// The interface to show first: the one that carries what is watched.
    pub fn main_interface(&self, ui: &Ui) -> Option<u32> {
        let to = self.followed(ui).and_then(|(_, p)| p.spec.ask.address());
        let gateway = || self.state.network.default_gateways().first().map(|(_, index)| *index);
        let any = || self.state.network.links().iter().find(|l| !l.is_loopback()).map(|l| l.index);
        to.and_then(|ip| self.state.network.carrying_interface(Some(ip)))
            .or_else(gateway)
            .or_else(|| self.state.network.carrying_interface(None))
            .or_else(any)
    }
}
