//! One line of the log that everything is a fold over (`frc.record/1`).
//!
//! Owns the kinds of records and their envelope. Must never know who writes or
//! reads them.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::finding::Verdict;
use super::hop::{HopSample, RoundEnd};
use super::host::{HostIdentity, HostLoad, ResolverConfig};
use super::link::{Network, RouteLookup};
use super::message::Message;
use super::probe::{ProbeId, ProbeSpec};
use super::sample::Sample;
use super::socket::{ExpectedService, KernelCounters, Sockets};
use super::target::{Target, TargetId};
use super::time::{At, Mono};
use super::untrusted::Untrusted;

/// One thing that was measured, decided or done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Counts the session's records from 1; set by the session.
    pub seq: u64,
    /// When.
    pub at: At,
    /// Who wrote it.
    pub origin: Origin,
    /// What.
    #[serde(flatten)]
    pub kind: RecordKind,
}

/// Who wrote a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The console itself.
    Session,
    /// A probe, by its task's name.
    Probe(String),
    /// A person.
    Person(Untrusted),
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data", rename_all = "snake_case")]
pub enum RecordKind {
    /// The session began on this host.
    Host(HostIdentity),
    /// A target is watched from now on.
    TargetAdded(Target),
    /// A target is no longer watched.
    TargetRemoved(TargetId),
    /// A probe runs from now on, or runs with other settings.
    ProbeAdded(ProbeSpec),
    /// A probe no longer runs.
    ProbeRemoved(ProbeId),
    /// One measurement.
    Sample(Sample),
    /// One hop's answer or silence.
    Hop(HopSample),
    /// A trace's round is complete.
    Round(RoundEnd),
    /// The name of an address (PTR), or that it has none.
    Name {
        /// Address asked for.
        address: IpAddr,
        /// Its name.
        name: Option<Untrusted>,
    },
    /// Links, addresses, neighbours and routes, complete.
    Network(Box<Network>),
    /// Route lookups of watched addresses, complete.
    Lookups(Vec<RouteLookup>),
    /// Services that are to listen on this host, complete.
    Expected(Vec<ExpectedService>),
    /// How names are resolved here.
    Resolvers(ResolverConfig),
    /// Sockets, complete.
    Sockets(Box<Sockets>),
    /// Kernel counters.
    Kernel(KernelCounters),
    /// Load and storage.
    Load(Box<HostLoad>),
    /// A probe task's health.
    Task(TaskHealth),
    /// Something was left out because a limit was reached.
    Dropped {
        /// What, as a word of the code (`records`, `packets`, `neighbours`).
        what: String,
        /// How many since the last such record.
        count: u64,
    },
    /// Nothing was measured for a while: the process was suspended, or the wall
    /// clock stepped.
    Gap(Gap),
    /// What the diagnosis says; written when it changes.
    Verdict(Box<Verdict>),
    /// A person did something.
    Action(Action),
}

/// A stretch without measurements.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// First moment without.
    #[serde(rename = "from_ns")]
    pub from: Mono,
    /// First moment with measurements again.
    #[serde(rename = "to_ns")]
    pub to: Mono,
    /// Why.
    #[serde(flatten)]
    pub cause: GapCause,
}

/// Why nothing was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum GapCause {
    /// The process was stopped, or the machine slept.
    Suspended,
    /// The wall clock was set; measurements went on.
    ClockStep {
        /// By how much, in milliseconds; positive is forward.
        by_ms: i64,
    },
}

/// A supervised task's health.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskHealth {
    /// The task's name.
    pub task: String,
    /// How it is.
    #[serde(flatten)]
    pub state: TaskState,
    /// How often it was restarted.
    pub restarts: u32,
}

/// How a supervised task is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum TaskState {
    /// At work.
    Running,
    /// It panicked, failed or hung, and starts again after a pause.
    Restarting {
        /// What happened.
        why: Untrusted,
        /// How long it waits.
        #[serde(rename = "pause_ms", with = "super::millis")]
        pause: Duration,
    },
    /// It cannot work here (rights, kernel); others go on.
    Unavailable {
        /// What is missing, for people.
        why: Message,
    },
}

/// What a person did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Ticked a step, or took the tick back, over what the probes say.
    Tick {
        /// Runbook's id.
        runbook: String,
        /// Step's id within it.
        step: String,
        /// Ticked or not.
        done: bool,
        /// Why, in their words, where they went against the probes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Untrusted>,
    },
    /// Started a runbook.
    Runbook {
        /// Its id.
        id: String,
    },
    /// Wrote something down.
    Note {
        /// The words.
        text: Untrusted,
    },
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
