//! A finding, its evidence, and the verdict over all of them, as data.
//!
//! Owns the contract's vocabulary (layer, severity, confidence, side, status).
//! Must never decide anything: `diagnosis` does.

use serde::{Deserialize, Serialize};

use super::message::Message;
use super::probe::ProbeKind;
use super::target::TargetId;
use super::time::At;

/// A finding's identity, stable while it stands: `code@subject`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FindingId(pub String);

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),* }

        impl $name {
            /// The contract's word.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.pad(self.word()) }
        }
    };
}

words!(
    /// How bad it is, mildest first.
    Severity {
        /// Explains and harms nothing.
        Info = "info",
        /// A watched thing works, but badly.
        Warning = "warning",
        /// A watched thing cannot be used.
        Critical = "critical",
    }
);

words!(
    /// How sure the diagnosis is, least first.
    Confidence {
        /// Fits, and so do other causes.
        Possible = "possible",
        /// Fits better than anything else seen.
        Likely = "likely",
        /// Nothing else explains what was measured.
        Strong = "strong",
    }
);

words!(
    /// Whose side the fault is on.
    Side {
        /// This host.
        Host = "host",
        /// The network between.
        Path = "path",
        /// The far host or service.
        Service = "service",
    }
);

words!(
    /// The layer a finding belongs to, lowest first.
    Layer {
        /// Interfaces, carriers, local addresses.
        Link = "link",
        /// ARP and ND.
        Neighbour = "neighbour",
        /// Routes, gateways, paths.
        Network = "network",
        /// Ports and connections.
        Transport = "transport",
        /// DNS.
        Name = "name",
        /// Handshakes and certificates.
        Tls = "tls",
        /// HTTP and other services.
        Application = "application",
        /// Clocks.
        Time = "time",
        /// CPU, memory, storage, limits.
        Host = "host",
        /// Provider rules and addresses.
        Cloud = "cloud",
    }
);

words!(
    /// The answer in one word.
    Status {
        /// Everything asked for works.
        Healthy = "healthy",
        /// The worst is a warning.
        Degraded = "degraded",
        /// Something is critical.
        Fault = "fault",
        /// A target could not be judged, and nothing worse is known.
        Unmeasured = "unmeasured",
    }
);

/// One measurement held against what was expected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Which kind of probe, or which table of the kernel.
    pub probe: String,
    /// What was seen.
    pub observed: Message,
    /// What health would look like.
    pub expected: Message,
    /// When it was seen last.
    pub at: At,
}

impl Evidence {
    /// Evidence from a probe.
    pub fn from_probe(kind: ProbeKind, observed: Message, expected: Message, at: At) -> Self {
        Self { probe: kind.name().to_owned(), observed, expected, at }
    }
}

/// One thing that is so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable while it stands.
    pub id: FindingId,
    /// Code of the catalogue, as in `path.blackhole`.
    pub code: String,
    /// Layer of the code.
    pub layer: Layer,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// Whose side.
    pub side: Side,
    /// What is broken, as the contract writes it.
    pub subject: String,
    /// One sentence.
    pub summary: Message,
    /// Since when.
    pub since: At,
    /// What was measured.
    pub evidence: Vec<Evidence>,
    /// What to do next.
    pub next: Vec<Message>,
    /// The finding that explains this one.
    pub caused_by: Option<FindingId>,
    /// Watched targets that suffer from it.
    pub targets: Vec<TargetId>,
}

/// The answer: one status, one root, everything known in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// In one word.
    pub status: Status,
    /// Side of the root.
    pub side: Option<Side>,
    /// One sentence a tired person understands.
    pub summary: Message,
    /// Roots first, each followed by what it causes; info last.
    pub findings: Vec<Finding>,
    /// Watched targets that could not be judged.
    pub unmeasured: Vec<TargetId>,
    /// When it was given.
    pub at: At,
}

impl Verdict {
    /// The first root above info, where there is one.
    pub fn root(&self) -> Option<&Finding> {
        self.findings.first().filter(|f| f.severity > Severity::Info)
    }

    /// How many findings `root` explains.
    pub fn explained_by(&self, root: &FindingId) -> usize {
        let mut ids = vec![root];
        let mut count = 0;
        while let Some(id) = ids.pop() {
            for f in self.findings.iter().filter(|f| f.caused_by.as_ref() == Some(id)) {
                count += 1;
                ids.push(&f.id);
            }
        }
        count
    }
}
