//! Readers of the session without a screen: check, watch, ping, trace, runbook,
//! doctor.
//!
//! Owns what goes to standard output and which exit status follows. Must never
//! judge: it prints what the session knows.

pub mod check;
pub mod doctor;
mod figures;
mod lines;
pub mod output;
pub mod ping;
pub mod runbook;
pub mod trace;
pub mod watch;

use std::io;
use std::time::Duration;

use crate::config::Config;
use crate::model::host::HostIdentity;
use crate::model::record::Origin;
use crate::model::socket::ExpectedService;
use crate::model::target::Written;
use crate::model::{Host, Thresholds, Untrusted};
use crate::probes::{Egress, EngineOptions, Group, rights};
use crate::runbook::Runbook;
use crate::session::live::Live;
use crate::session::plan::{Families, Pace, PlanOptions, Scope};
use crate::session::{SessionOptions, TargetRequest};

/// How a command sees the network: from the command line and the configuration.
#[derive(Debug, Clone)]
pub struct Setup {
    /// What to watch.
    pub targets: Vec<TargetRequest>,
    /// Families allowed.
    pub families: Families,
    /// From where packets leave.
    pub egress: Egress,
    /// Packets a second for all probes together.
    pub packets_per_second: u32,
    /// Limits of the diagnosis.
    pub thresholds: Thresholds,
    /// Intervals and time-out where a command has no own.
    pub probe: crate::config::Probe,
    /// Services that are to listen on this host.
    pub expected: Vec<ExpectedService>,
    /// How a screen shall look, where there is one.
    pub screen: crate::config::Screen,
}

impl Setup {
    /// What the command line and the configuration say together. Configured targets
    /// are watched where the command line names none.
    pub fn new(targets: &[Written], global: &crate::cli::Global, config: &Config) -> Self {
        let asked = targets.iter().map(|w| TargetRequest { written: w.clone(), label: None });
        let configured = config
            .targets
            .iter()
            .flat_map(|t| t.targets.iter().map(|w| TargetRequest { written: w.clone(), label: t.name.clone() }));
        // What is configured for every day gives way to what is asked for now.
        let allowed = |t: &TargetRequest| match &t.written.address.host {
            Host::Addr { ip, .. } => global.allows(ip.is_ipv4()),
            Host::Name(_) => true,
        };
        Self {
            targets: if targets.is_empty() { configured.filter(allowed).collect() } else { asked.collect() },
            families: Families { v4: global.allows(true), v6: global.allows(false) },
            egress: Egress { interface: global.interface.clone(), source: global.source },
            packets_per_second: config.limits.packets_per_second,
            thresholds: config.thresholds,
            probe: config.probe,
            expected: config.services.clone(),
            screen: config.screen,
        }
    }

    /// The configured pace, for watching as long as it takes.
    pub fn pace(&self) -> Pace {
        let probe = &self.probe;
        Pace {
            trace: probe.trace_interval,
            connect: probe.service_interval,
            request: probe.service_interval,
            dns: probe.service_interval,
            resolve: probe.service_interval * 2,
            ..Pace::watching(probe.interval, probe.timeout)
        }
    }

    /// Starts a session over these settings.
    pub fn start(&self, pace: Pace, what: What) -> io::Result<Live> {
        let packets_per_second = self.packets_per_second.max(what.packets_per_second);
        let options = SessionOptions {
            targets: self.targets.clone(),
            plan: PlanOptions { scope: what.scope, families: self.families, pace, packets_per_second },
            discover: what.discover,
            thresholds: self.thresholds,
            count: what.count,
            expected: if what.discover { self.expected.clone() } else { Vec::new() },
            guide: what.guide.is_some(),
            keep_records: what.keep_records,
            runbooks: what.guide.unwrap_or_default(),
        };
        // Whether a service listens is in the kernel's list of sockets.
        let needs_host = !options.expected.is_empty() && !what.groups.contains(&Group::Host);
        let engine = EngineOptions {
            egress: self.egress.clone(),
            packets_per_second,
            groups: if needs_host { &[Group::Measure, Group::Names, Group::Host] } else { what.groups },
        };
        Live::start(options, engine, identity())
    }
}

/// What a command measures.
#[derive(Debug, Clone)]
pub struct What {
    /// Of each target.
    pub scope: Scope,
    /// Whether gateways and resolvers are found and watched, and this host's
    /// expected services judged.
    pub discover: bool,
    /// How many measurements each probe makes.
    pub count: Option<u32>,
    /// Groups of feeds that it needs.
    pub groups: &'static [Group],
    /// Packets a second that the request itself implies.
    pub packets_per_second: u32,
    /// The runbooks of a session that guides people through them; it begins with
    /// the first response.
    pub guide: Option<Vec<Runbook>>,
    /// Whether the session keeps its records, from the first on, to be fetched.
    pub keep_records: bool,
}

/// Who sits here, for what people do: the login name behind `sudo`, else the
/// user's.
pub fn person() -> Origin {
    let behind_sudo = std::env::var("SUDO_USER").ok().filter(|name| !name.is_empty());
    let uid = nix::unistd::getuid();
    let own = || nix::unistd::User::from_uid(uid).ok().flatten().map(|u| u.name);
    let named = || std::env::var("USER").ok().filter(|name| !name.is_empty());
    let name = behind_sudo.or_else(own).or_else(named).unwrap_or_else(|| uid.to_string());
    Origin::Person(Untrusted::new(&name))
}

impl What {
    /// Everything there is, for as long as somebody watches.
    pub fn everything() -> Self {
        Self {
            scope: Scope::Everything,
            discover: true,
            count: None,
            groups: &[Group::Measure, Group::Names, Group::Host],
            packets_per_second: 0,
            guide: None,
            keep_records: false,
        }
    }
}

/// Who and where this is.
pub fn identity() -> HostIdentity {
    let name = nix::unistd::gethostname().map(|n| Untrusted::new(&n.to_string_lossy())).unwrap_or_default();
    HostIdentity { name, uid: nix::unistd::geteuid().as_raw(), rights: rights::detect() }
}

/// The longest a loop without a screen sleeps between two looks at the clock and
/// the signals.
const TICK: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configured_pace_is_kept() {
        let mut config = Config::default();
        config.probe.service_interval = Duration::from_secs(7);
        config.probe.trace_interval = Duration::from_secs(9);
        config.probe.interval = Duration::from_millis(500);
        let pace = Setup::new(&[], &crate::cli::Global::default(), &config).pace();
        let seven = Duration::from_secs(7);
        assert_eq!([pace.connect, pace.request, pace.dns], [seven; 3]);
        assert_eq!((pace.trace, pace.echo), (Duration::from_secs(9), Duration::from_millis(500)));
    }
}
