//! Rules of neighbours: whether gateways resolve.

use std::time::Duration;

use super::catalogue::NEIGH_GATEWAY_UNRESOLVED;
use super::draft::{Draft, join};
use super::scene::{Scene, Subject, last_life};
use crate::model::link::NeighbourState;
use crate::model::sample::IcmpError;
use crate::model::{Confidence, Message, Role};

/// An entry that is still incomplete after this long will not resolve by itself;
/// the kernel gives up after three tries a second apart.
const INCOMPLETE: Duration = Duration::from_millis(1_500);

/// By then it has given up.
const GIVEN_UP: Duration = Duration::from_millis(3_200);

/// The gateway's link-layer address does not resolve. Must stay quiet while the
/// kernel is still asking, about a gateway that merely does not answer echo, and
/// on a link that is itself down. Recovers when the entry resolves.
pub fn gateways(scene: &Scene<'_>) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = Vec::new();
    let network = &scene.state.network;
    for subject in scene.depended() {
        let Some((gateway, index)) = gateway(scene, subject) else { continue };
        if network.link(index).is_none_or(|l| !l.admin_up || !l.carrier) {
            continue;
        }
        let Some(entry) = network.neighbour(index, gateway) else { continue };
        let since = network.unresolved_since(index, gateway);
        // An answer to something sent since then came through it.
        let through = subject.address.and_then(|ip| last_life(scene.state, ip));
        if through.is_some_and(|life| since.is_none_or(|s| life > s)) {
            continue;
        }
        let asked_for = since.map_or(Duration::ZERO, |s| scene.now().since(s));
        let given_up =
            subject.complaints(scene).iter().any(|c| network.is_own(c.from) && c.error == IcmpError::HostUnreachable);
        let confidence = match entry.state {
            NeighbourState::Failed => Confidence::Strong,
            NeighbourState::Incomplete if given_up => Confidence::Strong,
            NeighbourState::Incomplete if asked_for >= GIVEN_UP => Confidence::Strong,
            NeighbourState::Incomplete if asked_for >= INCOMPLETE => Confidence::Likely,
            _ => continue,
        };
        let interface = network.link(index).map(|l| l.name.as_str().to_owned()).unwrap_or_default();
        let text = gateway.to_string();
        join(&mut drafts, subject, &text, || {
            Draft::new(NEIGH_GATEWAY_UNRESOLVED, text.clone())
                .arg("interface", interface.clone())
                .confidence(confidence)
                .since(since)
                .evidence(
                    "neighbour",
                    Message::new("seen-neighbour-unresolved").with("interface", interface),
                    Message::new("want-neighbour"),
                    scene.at,
                )
        });
    }
    drafts.into_iter().map(|d| d.severity_by_use(scene)).collect()
}

/// The gateway a subject depends on, with its interface.
fn gateway(scene: &Scene<'_>, subject: &Subject<'_>) -> Option<(std::net::IpAddr, u32)> {
    let ip = subject.address?;
    if subject.target.role == Role::Gateway {
        return scene.state.network.default_gateways().into_iter().find(|(g, _)| *g == ip);
    }
    scene.state.network.gateway_of(ip)
}
