//! What observing needs to know of the past beyond the state: since when things
//! have been well, how many probes had passed until then, and which file systems
//! could be written to.
//!
//! Bounded by the probes and mounts that exist. Must never judge by itself.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::model::{At, Finding, Layer, Mono, ProbeId, Severity, Status, Untrusted, Verdict};
use crate::state::{State, Tally};

/// What was sent before the recovery may still be lost after it: counting begins
/// when the longest time-out has passed.
const SETTLE: Duration = Duration::from_secs(6);
/// Most mounts remembered.
const MAX_MOUNTS: usize = 256;

/// The past that counts.
#[derive(Debug, Clone, Default)]
pub struct Remembered {
    well_since: Option<Mono>,
    /// Every probe's counts when counting began.
    begin: Option<HashMap<ProbeId, Tally>>,
    writable: HashSet<Untrusted>,
}

impl Remembered {
    /// Takes in how things stand.
    pub fn update(&mut self, state: &State, verdict: &Verdict, at: At) {
        if verdict.findings.iter().any(costs_probes) {
            self.gap();
        } else if self.well_since.is_none() && verdict.status != Status::Unmeasured {
            self.well_since = Some(at.mono);
        }
        if self.begin.is_none() && self.well_since.is_some_and(|since| at.mono.since(since) >= SETTLE) {
            self.begin = Some(state.probes().map(|p| (p.spec.id, p.series.tally())).collect());
        }
        for disk in state.load_now().into_iter().flat_map(|l| &l.disks).filter(|d| !d.read_only && !d.hung) {
            if self.writable.len() < MAX_MOUNTS && !self.writable.contains(&disk.mount) {
                self.writable.insert(disk.mount.clone());
            }
        }
    }

    /// A recovery does not reach across what nobody saw.
    pub fn gap(&mut self) {
        self.well_since = None;
        self.begin = None;
    }

    /// Probes passed and probes sent since the recovery began; none while it has
    /// not, or has only just.
    pub fn passed(&self, probe: ProbeId, now: Tally) -> Option<(u64, u64)> {
        let begin = self.begin.as_ref()?.get(&probe).copied().unwrap_or_default();
        let sent = now.sent().saturating_sub(begin.sent());
        let passed = (now.answered + now.late).saturating_sub(begin.answered + begin.late);
        Some((passed.min(sent), sent))
    }

    /// Whether the file system there could be written to before.
    pub fn was_writable(&self, mount: &Untrusted) -> bool {
        self.writable.contains(mount)
    }
}

/// Whether probes fail while it stands: what is critical, and whatever is wrong
/// with the way there.
fn costs_probes(finding: &Finding) -> bool {
    finding.severity == Severity::Critical || finding.severity > Severity::Info && finding.layer <= Layer::Network
}
