//! The nouns of the house: what a target, a sample, a hop, a link, a finding is.
//!
//! Owns plain data and its invariants. Must never know a clock, a socket, a
//! screen or any other module of this crate: everybody else imports this one.

pub mod duration;
pub mod finding;
pub mod hop;
pub mod host;
pub mod link;
pub mod message;
pub mod millis;
pub mod mistake;
pub mod probe;
pub mod record;
pub mod sample;
pub mod socket;
pub mod target;
pub mod thresholds;
pub mod time;
pub mod units;
pub mod untrusted;

pub use finding::{Confidence, Evidence, Finding, FindingId, Layer, Severity, Side, Status, Verdict};
pub use message::{Arg, Message};
pub use mistake::Mistake;
pub use probe::{Ask, ProbeId, ProbeKind, ProbeSpec, QueryType};
pub use record::{Record, RecordKind};
pub use sample::{Detail, Outcome, Sample};
pub use target::{Host, Role, Service, Target, TargetId};
pub use thresholds::Thresholds;
pub use time::{At, Mono, Wall};
pub use untrusted::Untrusted;
