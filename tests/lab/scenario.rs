//! Scenarios as data: a topology, what is broken in it and when, what is asked,
//! and the verdict that is true. Owns the shape of the TOML files; knows nothing
//! of how a network is built.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// A network and what runs in it; a scenario names one and adds to it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topology {
    /// The host that runs the program.
    pub client: String,
    /// What the client's resolv.conf says.
    pub nameservers: Vec<String>,
    pub hosts: BTreeMap<String, Host>,
    /// Both ends of each: `HOST NIC ADDRESS/LEN...`.
    pub links: BTreeMap<String, [String; 2]>,
    /// What the resolvers of kind `dns` know, both ways.
    #[serde(default)]
    pub names: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub services: BTreeMap<String, Service>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Host {
    /// A router: it gets routes to every network by itself.
    pub forwards: bool,
    /// Default routes.
    pub gateways: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    pub host: String,
    pub kind: Kind,
    /// Of `web`.
    #[serde(default)]
    pub sites: Vec<Site>,
    /// Of `tcp-broken` and `udp-broken`.
    pub port: Option<u16>,
    /// Of the broken ones: what they do to whoever asks.
    pub answer: Option<Answer>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// dnsmasq with the topology's names.
    Dns,
    /// nginx.
    Web,
    /// chronyd, stratum 2.
    Ntp,
    /// Ours: port 53, UDP and TCP.
    DnsBroken,
    /// Ours: one TCP port.
    TcpBroken,
}

impl Kind {
    /// The program it needs installed.
    pub fn program(self) -> Option<&'static str> {
        match self {
            Self::Dns => Some("dnsmasq"),
            Self::Web => Some("nginx"),
            Self::Ntp => Some("chronyd"),
            Self::DnsBroken | Self::TcpBroken => None,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    pub port: u16,
    /// HTTPS with the certificate of that name (`certificates.rs`).
    pub certificate: Option<String>,
    /// Status of every answer; 200 where nothing is said.
    pub status: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Listens, reads, says nothing.
    Silent,
    /// Accepts, then resets.
    Reset,
    /// Bytes of no protocol.
    Garbage,
    /// DNS: rcode 2.
    Servfail,
    /// DNS: rcode 5.
    Refused,
}

/// One thing broken.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Where.
    pub host: String,
    /// Seconds after the program's start; what has none stands long before it.
    pub after: Option<f64>,
    /// Arguments of `ip`, a line each.
    #[serde(default)]
    pub ip: Vec<String>,
    /// Firewall rules, `HOOK RULE`: `forward oifname eth1 drop`.
    #[serde(default)]
    pub nft: Vec<String>,
    /// Firewall rules taken back, all of the host's.
    #[serde(default)]
    pub nft_clear: bool,
    /// `PATH VALUE` under /proc/sys/net.
    #[serde(default)]
    pub sysctl: Vec<String>,
    /// A service to stop.
    pub stop: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    pub code: String,
    /// Any of these; none means any at all.
    #[serde(default)]
    pub subject: Vec<String>,
    pub side: Option<String>,
    pub severity: Option<String>,
}

/// The true verdict.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub status: String,
    /// The first root; none where nothing is wrong.
    pub root: Option<Expected>,
    /// Further roots, independent of the first.
    #[serde(default)]
    pub roots: Vec<Expected>,
    /// Findings that must stand too, whatever causes them.
    #[serde(default)]
    pub also: Vec<Expected>,
    /// Codes that must not appear, not even as info.
    #[serde(default)]
    pub never: Vec<String>,
    /// Longest the program may take, seconds.
    pub within: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum User {
    Root,
    /// No privilege, and no ICMP sockets either, as namespaces begin.
    Nobody,
    /// No privilege, but `ping_group_range` lets everybody ping, as systemd sets it.
    Pinger,
}

impl User {
    pub fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Nobody => "nobody",
            Self::Pinger => "pinger",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Why this scenario exists, in a sentence.
    about: String,
    #[serde(default)]
    topology: Option<String>,
    nameservers: Option<Vec<String>>,
    #[serde(default)]
    hosts: BTreeMap<String, Host>,
    #[serde(default)]
    links: BTreeMap<String, [String; 2]>,
    #[serde(default)]
    names: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    services: BTreeMap<String, Service>,
    targets: Vec<String>,
    #[serde(default)]
    options: Vec<String>,
    #[serde(default)]
    users: Vec<User>,
    /// What is measured is itself chance (packets lost at random): a miss is tried
    /// once more, and told.
    #[serde(default)]
    chance: bool,
    #[serde(default)]
    faults: Vec<Fault>,
    expect: Expect,
    expect_nobody: Option<Expect>,
    expect_pinger: Option<Expect>,
}

#[derive(Debug)]
pub struct Scenario {
    pub name: String,
    pub about: String,
    pub topology: Topology,
    pub targets: Vec<String>,
    /// Options of `frc check` beside `--json`.
    pub options: Vec<String>,
    pub users: Vec<User>,
    /// Whether a miss is tried once more.
    pub chance: bool,
    pub faults: Vec<Fault>,
    expect: Expect,
    expect_nobody: Option<Expect>,
    expect_pinger: Option<Expect>,
}

impl Scenario {
    pub fn read(path: &Path) -> Result<Self, String> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let file: File = parse(path)?;
        let base = file.topology.as_deref().unwrap_or("chain");
        let mut topology: Topology = parse(&folder().join("topologies").join(format!("{base}.toml")))?;
        topology.hosts.extend(file.hosts);
        topology.links.extend(file.links);
        topology.names.extend(file.names);
        topology.services.extend(file.services);
        topology.nameservers = file.nameservers.unwrap_or(topology.nameservers);
        let users = if file.users.is_empty() { vec![User::Root, User::Nobody] } else { file.users };
        let scenario = Self {
            name,
            about: file.about,
            topology,
            targets: file.targets,
            options: file.options,
            users,
            chance: file.chance,
            faults: file.faults,
            expect: file.expect,
            expect_nobody: file.expect_nobody,
            expect_pinger: file.expect_pinger,
        };
        scenario.validate().map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(scenario)
    }

    /// Mistakes that would otherwise show as a network that is broken by accident.
    fn validate(&self) -> Result<(), String> {
        let hosts = &self.topology.hosts;
        let ends = self.topology.links.values().flatten().map(|end| end.split(' ').next().unwrap_or(""));
        let named = self.faults.iter().map(|f| f.host.as_str());
        let served = self.topology.services.values().map(|s| s.host.as_str());
        for host in ends.chain(named).chain(served) {
            if !hosts.contains_key(host) {
                return Err(format!("no host `{host}`"));
            }
        }
        if let Some(name) =
            self.faults.iter().filter_map(|f| f.stop.as_ref()).find(|s| !self.topology.services.contains_key(*s))
        {
            return Err(format!("no service `{name}` to stop"));
        }
        if self.about.trim().is_empty() {
            return Err("says nothing about itself".into());
        }
        Ok(())
    }

    /// What is true for that user: less may be known without rights.
    pub fn expect(&self, user: User) -> &Expect {
        let own = match user {
            User::Root => None,
            User::Nobody => self.expect_nobody.as_ref(),
            User::Pinger => self.expect_pinger.as_ref(),
        };
        own.unwrap_or(&self.expect)
    }
}

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab")
}

fn parse<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
}

/// Every scenario there is, by name.
pub fn all() -> Result<Vec<Scenario>, String> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder().join("scenarios"))
        .map_err(|e| e.to_string())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    paths.sort();
    paths.iter().map(|path| Scenario::read(path)).collect()
}
