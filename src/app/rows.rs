//! Which rows the lists have, in which order.
//!
//! Owns order and filter; rebuilt with the figures, never for a key, so that a
//! thousand targets cost a key nothing.

use crate::model::{ProbeId, ProbeKind, Role};
use crate::state::ProbeState;
use crate::widgets::Meaning;

use super::scene::Scene;
use super::ui::{Pane, Ui};

/// Rebuilds the rows of every list.
pub fn refresh(scene: &Scene<'_>, ui: &mut Ui) {
    let kept = ui.rows.get(ui.selected(Pane::Connectivity)).copied().filter(|_| ui.has_moved);
    (ui.rows, ui.standings) = connectivity(scene, &ui.filter);
    // What is selected stays selected where the rows around it moved.
    if let Some(at) = kept.and_then(|id| ui.rows.iter().position(|r| *r == id)) {
        ui.view(Pane::Connectivity).selected = at;
    }
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
/// what was found by itself; with them, how many stand how.
fn connectivity(scene: &Scene<'_>, filter: &str) -> (Vec<ProbeId>, [usize; 4]) {
    let filter = filter.to_lowercase();
    let mut standings = [0; 4];
    let mut rows: Vec<_> = scene
        .state
        .probes()
        .filter(|p| p.kind() != ProbeKind::Trace)
        .filter_map(|p| {
            let target = scene.named_by(p)?;
            let shown = target.role != Role::Hop && (filter.is_empty() || holds(target.name(), p, &filter));
            shown.then(|| {
                let standing = class(scene.standing(p));
                standings[standing] += 1;
                // What is well and what is not measured stay where they are.
                ((standing.min(2), target.role, target.id, kind_order(p)), p.spec.id)
            })
        })
        .collect();
    rows.sort_unstable();
    (rows.into_iter().map(|(_, id)| id).collect(), standings)
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
