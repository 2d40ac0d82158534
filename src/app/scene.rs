//! What a picture is drawn from: the state, the verdict, the words and the look.
//!
//! Owns the few readings that several panes share (how a probe stands, which target
//! the path pane follows). Must never change anything or read a clock.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use crate::model::{
    Detail, Finding, Host, Layer, Message, Mono, Outcome, ProbeKind, Role, Severity, Status, Target, TargetId, Verdict,
    Wall,
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
pub const BUCKET: Duration = Duration::from_secs(4);

/// So many failures in a row are a state and no longer an accident; of a probe that
/// asks seldom, fewer.
const STANDING: (u32, u32) = (3, 2);

/// From this interval on a probe asks seldom.
const SELDOM: Duration = Duration::from_secs(3);

/// So many sends in a row that never left this host: nothing is measured now,
/// whatever was a moment ago.
const UNSENT: usize = 2;

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
        probe.series.since(self.counted_from(probe))
    }

    /// From when on a probe's figures count; see [`Scene::stats`].
    fn counted_from(&self, probe: &ProbeState) -> Mono {
        let enough = if probe.spec.interval >= SELDOM { STANDING.1 } else { STANDING.0 };
        let failing = probe.series.failing(|p| matches!(p, Point::Answered(_) | Point::Late(_)));
        failing.filter(|(run, _)| *run >= enough).map_or(self.from(), |(_, since)| since.max(self.from()))
    }

    /// Whether what a probe would send does not leave this host now.
    pub fn is_unsent(&self, probe: &ProbeState) -> bool {
        let newest = probe.series.points_since(self.from()).rev().take(UNSENT);
        let (count, unsent) = newest.fold((0, true), |(n, all), (_, p)| (n + 1, all && p == Point::Unsent));
        unsent && count == UNSENT
    }

    /// How a probe stands, from its figures and from what the diagnosis found.
    pub fn standing(&self, probe: &ProbeState) -> Meaning {
        let found = self.finding_about(&probe.spec.targets, probe.kind());
        self.standing_with(probe, found)
    }

    /// As [`Scene::standing`], where the worst finding about it is known.
    pub fn standing_with(&self, probe: &ProbeState, found: Option<&Finding>) -> Meaning {
        let tally = probe.series.tally_since(self.counted_from(probe));
        if tally.sent() == 0 || !probe.is_fresh(self.now()) || self.is_unsent(probe) {
            return Meaning::Unmeasured;
        }
        // Silence of a service that need not answer says nothing.
        if probe.kind() == ProbeKind::Udp && tally.received() == 0 && tally.errors == 0 {
            return Meaning::Unmeasured;
        }
        let failure = tally.failure();
        if failure == Some(0.0) && self.is_older(probe) {
            return Meaning::Unmeasured;
        }
        // An answer may itself be the bad news. That others are lost on the way is not,
        // where all of these came: it is said of another address of the same target.
        let of_answers = |f: &&Finding| matches!(f.layer, Layer::Name | Layer::Tls | Layer::Application | Layer::Time);
        let found = found.filter(|f| failure > Some(0.0) || of_answers(f)).map(|f| Self::of_severity(f.severity));
        if found == Some(Meaning::Fault) {
            return Meaning::Fault;
        }
        let answered_badly = matches!(
            probe.last().map(|s| &s.outcome),
            Some(Outcome::Answered { detail: Detail::Http(answer), .. }) if answer.status >= 500
        );
        match failure {
            Some(f) if f >= 0.5 => Meaning::Fault,
            _ if answered_badly => Meaning::Fault,
            Some(f) if f > 0.05 => Meaning::Warning,
            _ => found.unwrap_or(Meaning::Good),
        }
    }

    /// Whether a probe that asks seldom measured last before something beneath it
    /// broke: then it was well, and says nothing about now.
    fn is_older(&self, probe: &ProbeState) -> bool {
        let above = matches!(probe.kind(), ProbeKind::Tls | ProbeKind::Http | ProbeKind::Dns | ProbeKind::Ntp);
        let Some((sent, _)) = probe.series.last().filter(|_| above) else { return false };
        let beneath = |f: &&Finding| {
            f.severity == Severity::Critical
                && matches!(f.layer, Layer::Link | Layer::Neighbour | Layer::Network | Layer::Transport)
                && f.since.mono > sent
        };
        let mut broken = self.verdict.into_iter().flat_map(|v| &v.findings).filter(beneath);
        broken.any(|f| f.targets.iter().any(|id| probe.spec.targets.contains(id)))
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

    /// The first target of each host: what is asked of one host stands together.
    pub fn hosts(&self) -> HashMap<&'a Host, TargetId> {
        let mut hosts = HashMap::new();
        for target in self.state.targets() {
            hosts.entry(&target.host).or_insert(target.id);
        }
        hosts
    }

    /// The path that is shown, and whose it is; see [`super::follow`].
    pub fn followed(&self, ui: &Ui) -> Option<(&'a Target, &'a ProbeState)> {
        let probe = self.state.probe(ui.followed?)?;
        Some((self.named_by(probe)?, probe))
    }

    /// The target to name a probe by: the one a person named, else the first.
    pub fn named_by(&self, probe: &ProbeState) -> Option<&'a Target> {
        let targets = || probe.spec.targets.iter().filter_map(|id| self.state.target(*id));
        targets().find(|t| t.role == Role::Watched).or_else(|| targets().next())
    }

    /// What to call a probe's target where its kind stands beside it: the label, or
    /// the host without scheme and port; what was found by itself by what it is.
    pub fn name(&self, probe: &ProbeState) -> String {
        let Some(target) = self.named_by(probe) else { return String::new() };
        let role = match target.role {
            Role::Gateway => Some("role-gateway"),
            Role::Resolver => Some("role-resolver"),
            _ => None,
        };
        let own = || role.map_or_else(|| target.host.to_string(), |id| self.texts.word(id).into_owned());
        target.label.clone().unwrap_or_else(own)
    }

    /// A probe's name with its address, where that says more.
    pub fn full_name(&self, probe: &ProbeState) -> String {
        let name = self.name(probe);
        match probe.spec.ask.address().map(|ip| ip.to_string()) {
            Some(address) if !name.contains(&address) => format!("{name} {address}"),
            _ => name,
        }
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
