//! The host the console runs on: its load, storage, limits and rights. Owns no
//! history and no judgement.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::untrusted::Untrusted;

/// Load and storage at one moment. Absent means not measured.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct HostLoad {
    /// Busy share of all CPUs since the last reading, 0 to 1.
    pub cpu: Option<f64>,
    /// Number of CPUs.
    pub cpus: u32,
    /// Load averages over 1, 5 and 15 minutes.
    pub load: [f64; 3],
    /// Bytes of memory in all.
    pub memory_total: u64,
    /// Bytes that programs may still get (MemAvailable).
    pub memory_available: u64,
    /// Bytes of swap in all.
    pub swap_total: u64,
    /// Bytes of swap in use.
    pub swap_used: u64,
    /// Pressure stall information, where the kernel has it.
    pub pressure: Option<Pressure>,
    /// Seconds since boot.
    #[serde(rename = "uptime_s")]
    pub uptime: u64,
    /// File descriptors in use, system wide, and their limit.
    pub file_descriptors: Option<(u64, u64)>,
    /// Mounted file systems with storage behind them, at most 256.
    pub disks: Vec<Disk>,
}

/// Share of time in which at least one task waited, over ten seconds, 0 to 1
/// (Documentation/accounting/psi.rst).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the kernel's")]
pub struct Pressure {
    pub cpu: f64,
    pub memory: f64,
    pub io: f64,
}

/// A mounted file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// Mount point.
    pub mount: Untrusted,
    /// File system type.
    pub kind: Untrusted,
    /// Bytes in all.
    pub total: u64,
    /// Bytes free for ordinary users.
    pub available: u64,
    /// Mounted read-only.
    pub read_only: bool,
    /// It does not answer; the figures are the last ones known.
    pub hung: bool,
}

/// How names are resolved here.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ResolverConfig {
    /// Servers in the order of use, a local stub followed to its upstreams.
    pub servers: Vec<NameServer>,
    /// Search list.
    pub search: Vec<String>,
    /// Dots a name needs to be tried as it stands first.
    pub ndots: u8,
    /// The stub that applications use, where there is one (127.0.0.53).
    pub stub: Option<SocketAddr>,
    /// Where it was read.
    pub source: PathBuf,
}

/// One configured name server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameServer {
    /// Address and port, scope id included for link-local ones.
    pub address: SocketAddr,
    /// Interface it belongs to, where systemd-resolved says so.
    pub interface: Option<String>,
}

/// What this user may measure here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rights {
    /// How echo is sent.
    pub icmp: IcmpRight,
    /// How paths are traced.
    pub trace: TraceRight,
    /// May open packet sockets.
    pub packet: bool,
    /// May read and change network configuration.
    pub netadmin: bool,
}

/// The rung of the ladder that echo stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the contract's")]
pub enum IcmpRight {
    Raw,
    Dgram,
    None,
}

/// The rung of the ladder that tracing stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the contract's")]
pub enum TraceRight {
    Raw,
    Errqueue,
}

/// Who and where, for the head of every answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostIdentity {
    /// Host name.
    pub name: Untrusted,
    /// Effective user id.
    pub uid: u32,
    /// What this user may measure.
    pub rights: Rights,
}
