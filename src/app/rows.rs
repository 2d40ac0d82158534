//! Which rows the lists have, in which order.
//!
//! Owns order and filter; rebuilt with the figures, never for a key, so that a
//! thousand targets cost a key nothing.

use std::collections::HashMap;

use crate::model::sample::Unsent;
use crate::model::{Finding, Outcome, ProbeId, ProbeKind, Role, Severity, TargetId, Verdict};
use crate::state::ProbeState;
use crate::widgets::Meaning;

use super::scene::Scene;
use super::ui::{Pane, Ui};

/// Rebuilds the rows of every list.
pub fn refresh(scene: &Scene<'_>, ui: &mut Ui) {
    let kept = ui.rows.get(ui.selected(Pane::Connectivity)).copied().filter(|_| ui.moved.contains(&Pane::Connectivity));
    (ui.rows, ui.standings) = connectivity(scene, &ui.filter);
    // What is selected stays selected where the rows around it moved.
    if let Some(at) = kept.and_then(|id| ui.rows.iter().position(|r| *r == id)) {
        ui.view(Pane::Connectivity).selected = at;
    }
    super::follow::refresh(scene, ui);
    let counts = [
        (Pane::Path, super::panes::path::rows(scene, ui).len()),
        (Pane::Nic, super::panes::nic::interfaces(scene, ui).len()),
        (Pane::Services, super::panes::services::rows(scene, &ui.filter).len()),
        (Pane::Runbook, scene.walk.map_or(0, super::seat::Walk::len)),
        (Pane::Timeline, super::panes::timeline::rows(scene, &ui.filter).len()),
        (Pane::Host, scene.state.tasks().count()),
    ];
    ui.counts.extend(counts);
}

/// The probes shown as connections: what fails first, then people's targets, then
/// what was found by itself, an address together; with them, how many stand how.
fn connectivity(scene: &Scene<'_>, filter: &str) -> (Vec<ProbeId>, [usize; 4]) {
    let filter = filter.to_lowercase();
    let found = Found::of(scene.verdict);
    let hosts = scene.hosts();
    let mut standings = [0; 4];
    let mut rows: Vec<_> = scene
        .state
        .probes()
        .filter(|p| p.kind() != ProbeKind::Trace)
        .filter_map(|p| {
            let target = scene.named_by(p)?;
            let shown = target.role != Role::Hop && (filter.is_empty() || holds(target.name(), p, &filter));
            shown.then(|| {
                let standing = class(scene.standing_with(p, found.about(p)));
                standings[standing] += 1;
                // A name that resolves says little; one that does not, says it all.
                let resolves = p.kind() == ProbeKind::Resolve && standing > 1;
                // What is well and what is not measured now stay where they are; what
                // this user may never measure stands last.
                let forbidden = Outcome::Unsent { reason: Unsent::NotPermitted };
                let class = if p.last().is_some_and(|s| s.outcome == forbidden) { 3 } else { standing.min(2) };
                let host = hosts.get(&target.host);
                let place = (class, target.role, host, resolves, p.spec.ask.address(), kind_order(p));
                (place, p.spec.id)
            })
        })
        .collect();
    rows.sort_unstable();
    (rows.into_iter().map(|(_, id)| id).collect(), standings)
}

/// The worst finding by target and kind of probe, so that a thousand rows do not
/// each go through all of them.
struct Found<'a>(HashMap<(TargetId, &'a str), &'a Finding>);

impl<'a> Found<'a> {
    fn of(verdict: Option<&'a Verdict>) -> Self {
        let mut worst: HashMap<_, &Finding> = HashMap::new();
        for finding in verdict.into_iter().flat_map(|v| &v.findings).filter(|f| f.severity > Severity::Info) {
            for kind in finding.evidence.iter().map(|e| e.probe.as_str()) {
                for target in &finding.targets {
                    let slot = worst.entry((*target, kind)).or_insert(finding);
                    if slot.severity <= finding.severity {
                        *slot = finding;
                    }
                }
            }
        }
        Self(worst)
    }

    fn about(&self, probe: &ProbeState) -> Option<&'a Finding> {
        let kind = probe.kind().name();
        let found = probe.spec.targets.iter().filter_map(|id| self.0.get(&(*id, kind)));
        found.copied().max_by_key(|f| f.severity)
    }
}

fn class(meaning: Meaning) -> usize {
    match meaning {
        Meaning::Fault => 0,
        Meaning::Warning => 1,
        Meaning::Good | Meaning::Focus => 2,
        Meaning::Unmeasured => 3,
    }
}

fn kind_order(probe: &ProbeState) -> usize {
    ProbeKind::ALL.iter().position(|k| *k == probe.kind()).unwrap_or(ProbeKind::ALL.len())
}

fn holds(name: &str, probe: &ProbeState, filter: &str) -> bool {
    name.to_lowercase().contains(filter)
        || probe.kind().name().contains(filter)
        || probe.spec.ask.address().is_some_and(|ip| ip.to_string().contains(filter))
}
