//! Which paths can be shown, and which one is.
//!
//! Owns the choice, made with the figures and not with every key. Must never draw.

use std::collections::HashMap;

use crate::model::message::Arg;
use crate::model::{Finding, Message, ProbeId, ProbeKind, Role, TargetId, Verdict};
use crate::state::ProbeState;

use super::scene::Scene;
use super::ui::{Traced, Ui};

/// Reads anew which paths there are, and which to show.
pub fn refresh(scene: &Scene<'_>, ui: &mut Ui) {
    ui.paths = paths(scene);
    follow(scene, ui);
}

/// Chooses the path to show among those that there are.
pub fn follow(scene: &Scene<'_>, ui: &mut Ui) {
    ui.followed = chosen(scene, ui).or_else(|| telling(scene, ui));
}

/// Every traced path in the order to go through them: people's targets first, and of
/// a host IPv4 before IPv6. The hops of others' paths are left out; of several traces
/// to one address, the one that comes farthest stays.
fn paths(scene: &Scene<'_>) -> Vec<ProbeId> {
    let hosts = scene.hosts();
    let mut best: HashMap<_, (_, &ProbeState)> = HashMap::new();
    for probe in scene.state.probes().filter(|p| p.kind() == ProbeKind::Trace) {
        let Some(target) = scene.named_by(probe).filter(|t| t.role != Role::Hop) else { continue };
        let path = probe.paths.best().map(|(_, path)| path);
        let farthest = path.map(|path| (path.reached_lately(), path.hops().iter().filter(|h| h.answers()).count()));
        let place = (target.role, hosts.get(&target.host).copied(), probe.spec.ask.address());
        let slot = best.entry(place).or_insert((farthest, probe));
        if slot.0 < farthest {
            *slot = (farthest, probe);
        }
    }
    let mut list: Vec<_> = best.into_iter().map(|(place, (_, probe))| (place, probe.spec.id)).collect();
    list.sort_unstable();
    list.into_iter().map(|(_, id)| id).collect()
}

/// Whether a path leads to a target, be it by another trace to the same address.
fn serves(scene: &Scene<'_>, probe: &ProbeState, target: TargetId) -> bool {
    let to = probe.spec.ask.address();
    let mut traces = scene.state.probes_of(target).filter(|p| p.kind() == ProbeKind::Trace);
    traces.any(|p| p.spec.ask.address() == to)
}

/// The one that a person chose.
fn chosen(scene: &Scene<'_>, ui: &Ui) -> Option<ProbeId> {
    let traced = ui.traced?;
    let is_it = |p: &ProbeState| match traced {
        Traced::Address(ip) => p.spec.ask.address() == Some(ip),
        Traced::Target(id) => serves(scene, p, id),
    };
    ui.paths.iter().copied().find(|id| scene.state.probe(*id).is_some_and(is_it))
}

/// The one that tells most: that the root is about (the one it names, where it names
/// one), else one that is broken, else the first.
fn telling(scene: &Scene<'_>, ui: &Ui) -> Option<ProbeId> {
    let find = |holds: &dyn Fn(&ProbeState) -> bool| {
        ui.paths.iter().copied().find(|id| scene.state.probe(*id).is_some_and(holds))
    };
    let broken = |p: &ProbeState| p.paths.best().is_some_and(|(_, path)| path.rounds_unreached() >= 2);
    let of_root = |root: &Finding| {
        let about = |p: &ProbeState| root.targets.iter().any(|id| serves(scene, p, *id));
        find(&|p| about(p) && names(root, p)).or_else(|| find(&|p| about(p) && broken(p))).or_else(|| find(&about))
    };
    let root = scene.verdict.and_then(Verdict::root);
    root.and_then(of_root).or_else(|| find(&broken)).or_else(|| ui.paths.first().copied())
}

fn names(root: &Finding, probe: &ProbeState) -> bool {
    let to = probe.spec.ask.address().map(|ip| ip.to_string());
    to.is_some_and(|to| root.subject == to || mentions(&root.summary, &to))
}

/// Whether a sentence names `text`.
fn mentions(sentence: &Message, text: &str) -> bool {
    sentence.args.iter().any(|(_, arg)| matches!(arg, Arg::Text(t) if t == text))
}
