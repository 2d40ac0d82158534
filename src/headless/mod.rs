//! Readers of the session without a screen: check, watch, ping, trace, doctor.
//!
//! Owns what goes to standard output and which exit status follows. Must never
//! judge: it prints what the session knows.

pub mod check;
pub mod doctor;
mod figures;
mod lines;
pub mod output;
pub mod ping;
pub mod trace;
pub mod watch;

use std::io;
use std::time::Duration;

use crate::config::Config;
use crate::model::host::HostIdentity;
use crate::model::target::Written;
use crate::model::{Thresholds, Untrusted};
use crate::probes::{Egress, EngineOptions, Group, rights};
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
    /// Echo interval and time-out where a command has no own.
    pub probe: crate::config::Probe,
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
        Self {
            targets: if targets.is_empty() { configured.collect() } else { asked.collect() },
            families: Families { v4: !global.ipv6_only, v6: !global.ipv4_only },
            egress: Egress { interface: global.interface.clone(), source: global.source },
            packets_per_second: config.limits.packets_per_second,
            thresholds: config.thresholds,
            probe: config.probe,
        }
    }

    /// Starts a session over these settings.
    pub fn start(&self, pace: Pace, what: What) -> io::Result<Live> {
        let options = SessionOptions {
            targets: self.targets.clone(),
            plan: PlanOptions { scope: what.scope, families: self.families, pace },
            discover: what.discover,
            thresholds: self.thresholds,
            count: what.count,
        };
        let engine = EngineOptions {
            egress: self.egress.clone(),
            packets_per_second: self.packets_per_second.max(what.packets_per_second),
            groups: what.groups,
        };
        Live::start(options, engine, identity())
    }
}

/// What a command measures.
#[derive(Debug, Clone)]
pub struct What {
    /// Of each target.
    pub scope: Scope,
    /// Whether gateways and resolvers are found and watched.
    pub discover: bool,
    /// How many measurements each probe makes.
    pub count: Option<u32>,
    /// Groups of feeds that it needs.
    pub groups: &'static [Group],
    /// Packets a second that the request itself implies.
    pub packets_per_second: u32,
}

/// Who and where this is.
pub fn identity() -> HostIdentity {
    let name = nix::unistd::gethostname().map(|n| Untrusted::new(&n.to_string_lossy())).unwrap_or_default();
    HostIdentity { name, uid: nix::unistd::geteuid().as_raw(), rights: rights::detect() }
}

/// The longest a loop without a screen sleeps between two looks at the clock and
/// the signals.
const TICK: Duration = Duration::from_millis(50);
