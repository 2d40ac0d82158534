//! Rules of the services that are to listen on this host, by the kernel's list of
//! sockets.

use std::time::Duration;

use super::catalogue::{PORT_LOOPBACK_ONLY, PORT_NOT_LISTENING};
use super::draft::Draft;
use super::scene::{Scene, Subject};
use crate::model::Message;
use crate::model::socket::{ExpectedService, Listener, MAX_LISTENERS, Sockets};

/// The list is written again every ten seconds at least; an older one is stale.
const STALE: Duration = Duration::from_secs(30);

/// An expected service has no socket, or one on loopback that others cannot reach.
/// Lookalikes that must stay quiet: a socket that systemd or a proxy holds in the
/// service's place, one bound to a single address of this host, one that listens
/// on loopback where that is said to be well, a list of sockets that was cut short
/// or is stale. Recovers with the first list that holds the socket.
///
/// A port that is forwarded by rules alone, with nobody listening, reads as not
/// listening: the kernel's list cannot tell.
pub fn expected(scene: &Scene<'_>) -> Vec<Draft> {
    let Some((at, sockets)) = listed(scene) else { return Vec::new() };
    let judge = |service: &ExpectedService| {
        let port = service.port.to_string();
        let listens = Message::new("want-listener").with("port", port.as_str());
        let (code, subject, seen, want) = match reach(sockets, service) {
            Reach::Unknown | Reach::Well => return None,
            // As `ss` writes a port of every address.
            Reach::Nowhere => {
                (PORT_NOT_LISTENING, format!("*:{}", service.port), Message::new("seen-no-listener"), listens)
            }
            Reach::Loopback(only) => {
                let seen = Message::new("seen-loopback-listener").with("address", only.local.ip());
                (PORT_LOOPBACK_ONLY, only.local.to_string(), seen, Message::new("want-reachable-listener"))
            }
        };
        let name = service.name.clone().unwrap_or_else(|| format!("{}/{port}", service.transport.name()));
        let mut draft = Draft::new(code, subject)
            .arg("port", port)
            .arg("transport", service.transport.name())
            .arg("service", name)
            .arg("named", u8::from(service.name.is_some()))
            .evidence("sockets", seen, want, scene.at(at));
        // It explains what targets at this host's own addresses say of that port.
        let refused = |s: &&Subject<'_>| {
            let reached = code == PORT_LOOPBACK_ONLY && s.address.is_some_and(|ip| ip.is_loopback());
            s.own && s.target.service.port() == Some(service.port) && !reached
        };
        for own in scene.watched().filter(refused) {
            draft.add(own);
        }
        Some(draft)
    };
    scene.state.expected.iter().filter_map(judge).collect()
}

/// Whether something is expected, and nobody could look for it.
pub fn is_unknown(scene: &Scene<'_>) -> bool {
    let unknown = |s: &Sockets| scene.state.expected.iter().any(|e| matches!(reach(s, e), Reach::Unknown));
    !scene.state.expected.is_empty() && listed(scene).is_none_or(|(_, sockets)| unknown(sockets))
}

fn listed<'a>(scene: &Scene<'a>) -> Option<(crate::model::Mono, &'a Sockets)> {
    let (at, sockets) = scene.state.sockets.as_ref()?;
    (scene.now().since(at.mono) <= STALE).then_some((at.mono, sockets))
}

/// Where a service can be reached.
enum Reach<'a> {
    Well,
    Loopback(&'a Listener),
    Nowhere,
    /// The list was cut short before it came up.
    Unknown,
}

fn reach<'a>(sockets: &'a Sockets, service: &ExpectedService) -> Reach<'a> {
    let its = |l: &&Listener| l.transport == service.transport && l.local.port() == service.port;
    let on_loopback = |l: &Listener| l.local.ip().to_canonical().is_loopback();
    let mut found = sockets.listeners.iter().filter(its);
    let cut_short = sockets.left_out > 0 && sockets.listeners.len() >= MAX_LISTENERS;
    match found.clone().min_by_key(|l| l.local) {
        Some(_) if service.loopback_ok || found.any(|l| !on_loopback(l)) => Reach::Well,
        _ if cut_short => Reach::Unknown,
        Some(only) => Reach::Loopback(only),
        None => Reach::Nowhere,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::Diagnosis;
    use crate::model::record::Origin;
    use crate::model::socket::Transport;
    use crate::model::{At, Finding, Mono, Record, RecordKind, Status, Thresholds, Verdict, Wall};
    use crate::state::State;

    fn at(seconds: u64) -> At {
        At { mono: Mono(seconds * 1_000_000_000), wall: Wall(seconds as i64 * 1_000_000) }
    }

    fn listener(local: &str, transport: Transport) -> Listener {
        Listener {
            transport,
            local: local.parse().unwrap(),
            interface: 0,
            uid: 0,
            process: None,
            queue: 0,
            queue_limit: 128,
            established: 0,
        }
    }

    fn sockets(locals: &[&str]) -> Sockets {
        Sockets { listeners: locals.iter().map(|l| listener(l, Transport::Tcp)).collect(), ..Sockets::default() }
    }

    /// The verdict `now` over sockets listed at the tenth second, where PostgreSQL
    /// is expected.
    fn verdict(listed: Option<Sockets>, loopback_ok: bool, now: u64) -> Verdict {
        let name = Some("PostgreSQL".to_owned());
        let expected = ExpectedService { port: 5432, transport: Transport::Tcp, name, loopback_ok };
        let mut state = State::default();
        let mut write = |kind| state.apply(&Record { seq: 1, at: at(10), origin: Origin::Session, kind });
        write(RecordKind::Network(Box::default()));
        write(RecordKind::Expected(vec![expected]));
        if let Some(sockets) = listed {
            write(RecordKind::Sockets(Box::new(sockets)));
        }
        Diagnosis::new(Thresholds::default()).judge(&state, at(now))
    }

    fn port(verdict: &Verdict) -> Option<(&str, &str)> {
        let port = |f: &&Finding| f.code.starts_with("port.");
        verdict.findings.iter().find(port).map(|f| (f.code.as_str(), f.subject.as_str()))
    }

    #[test]
    fn not_listening_fires() {
        let verdict = verdict(Some(sockets(&["0.0.0.0:22", "[::]:543"])), true, 11);
        assert_eq!(port(&verdict), Some(("port.not_listening", "*:5432")));
        assert_eq!(verdict.status, Status::Fault);
        assert!(verdict.root().is_some_and(|f| f.caused_by.is_none()));
    }

    #[test]
    fn not_listening_stays_quiet() {
        for local in ["0.0.0.0:5432", "[::]:5432", "192.0.2.7:5432"] {
            let verdict = verdict(Some(sockets(&["127.0.0.1:5432", local])), false, 11);
            assert_eq!(port(&verdict), None, "{local}");
        }
        let udp = Sockets { listeners: vec![listener("0.0.0.0:5432", Transport::Udp)], ..Sockets::default() };
        assert_eq!(port(&verdict(Some(udp), false, 11)), Some(("port.not_listening", "*:5432")));
    }

    #[test]
    fn not_listening_needs_a_fresh_and_complete_list() {
        for (listed, now) in [(None, 11), (Some(sockets(&[])), 60)] {
            let verdict = verdict(listed, false, now);
            assert_eq!(port(&verdict), None);
            assert_eq!(verdict.status, Status::Unmeasured);
        }
        let many: Vec<_> = (0..MAX_LISTENERS).map(|_| listener("0.0.0.0:1", Transport::Tcp)).collect();
        let cut = Sockets { listeners: many, left_out: 3, ..Sockets::default() };
        assert_eq!(port(&verdict(Some(cut), false, 11)), None);
    }

    #[test]
    fn loopback_only_fires() {
        for local in ["127.0.0.1:5432", "[::1]:5432", "[::ffff:127.0.0.1]:5432"] {
            let verdict = verdict(Some(sockets(&[local])), false, 11);
            assert_eq!(port(&verdict), Some(("port.loopback_only", local)));
        }
    }

    #[test]
    fn loopback_only_stays_quiet() {
        assert_eq!(port(&verdict(Some(sockets(&["127.0.0.1:5432"])), true, 11)), None);
        assert_eq!(port(&verdict(Some(sockets(&["127.0.0.1:5432", "10.0.0.1:5432"])), false, 11)), None);
    }

    #[test]
    fn loopback_only_needs_a_fresh_list() {
        assert_eq!(port(&verdict(Some(sockets(&["127.0.0.1:5432"])), false, 60)), None);
    }
}
