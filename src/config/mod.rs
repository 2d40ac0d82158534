//! The configuration file: what it may say, its defaults, and every mistake in it.
//!
//! Owns `frc.toml`. Must never apply anything: it gives plain values, and either
//! all of them or a list of mistakes, so that nothing starts half-configured.

mod reader;
mod sections;
mod thresholds;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::BaseStrategy;

pub use crate::model::socket::{ExpectedService, Transport};
use crate::model::target::Written;
use crate::model::{Message, Mistake, Role, Thresholds};

/// Longest file read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Everything that may be configured.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config {
    /// What to watch besides what the command line names.
    pub targets: Vec<ConfiguredTarget>,
    /// Services that are to listen on this host.
    pub services: Vec<ExpectedService>,
    /// From where on a figure is told.
    pub thresholds: Thresholds,
    /// Whom to call, in the order of the keys.
    pub contacts: Vec<Contact>,
    /// How much may be sent.
    pub limits: Limits,
    /// How measurements are made.
    pub probe: Probe,
    /// How the console looks.
    pub screen: Screen,
}

/// One `[[target]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfiguredTarget {
    /// A person's own name for it.
    pub name: Option<String>,
    /// What to watch: one TARGET or several.
    pub targets: Vec<Written>,
    /// HTTP statuses that are well; empty for the console's own judgement.
    pub expect_status: Vec<u16>,
    /// From one probe to the next, where it differs from `[probe]`.
    pub interval: Option<Duration>,
    /// After this a reply is late, where it differs from `[probe]`.
    pub timeout: Option<Duration>,
    /// Why it is watched.
    pub role: Role,
}

/// Whom to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// As what: `network`, `database`, `provider`, ...
    pub role: String,
    /// How to reach them, in the person's own words.
    pub reach: String,
}

/// `[limits]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Packets a second for all probes together.
    pub packets_per_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { packets_per_second: 2_000 }
    }
}

/// `[probe]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// From one echo request to the next.
    pub interval: Duration,
    /// From one connection or query (TCP, UDP, DNS, TLS, HTTP, NTP) to the next.
    pub service_interval: Duration,
    /// From one round of a trace to the next.
    pub trace_interval: Duration,
    /// After this a reply is late.
    pub timeout: Duration,
}

impl Default for Probe {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(1),
            service_interval: Duration::from_secs(5),
            trace_interval: Duration::from_secs(2),
            timeout: Duration::from_secs(2),
        }
    }
}

/// `[screen]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Colours.
    pub theme: Theme,
    /// ASCII characters only, whatever the locale says.
    pub ascii: bool,
    /// Frames a second at most, unattended.
    pub frames_per_second: u8,
    /// Take the mouse (which keeps the terminal from selecting text).
    pub mouse: bool,
}

impl Default for Screen {
    fn default() -> Self {
        Self { theme: Theme::Auto, ascii: false, frames_per_second: 10, mouse: false }
    }
}

/// A set of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// By what the terminal tells.
    #[default]
    Auto,
    /// For a dark background.
    Dark,
    /// For a light background.
    Light,
    /// The terminal's own 16 colours.
    Sixteen,
}

/// Where the file is looked for: `frc/frc.toml` under `$XDG_CONFIG_HOME`, else
/// under `~/.config`. None without a home.
pub fn default_path() -> Option<PathBuf> {
    etcetera::choose_base_strategy().ok().map(|s| s.config_dir().join("frc").join("frc.toml"))
}

/// Where a user's own runbooks lie (`*.md`): `frc/runbooks` beside the file.
pub fn runbook_folder() -> Option<PathBuf> {
    default_path().map(|p| p.with_file_name("runbooks"))
}

/// Whether not even the folders down to the file may be looked into.
fn is_out_of_reach(path: &Path) -> bool {
    std::fs::metadata(path).is_err_and(|e| e.kind() == std::io::ErrorKind::PermissionDenied)
}

/// Reads `explicit`, which must exist, or the default file, which need not.
pub fn load(explicit: Option<&Path>) -> Result<Config, Vec<Mistake>> {
    let (path, required) = match explicit {
        Some(p) => (p.to_owned(), true),
        None => match default_path() {
            Some(p) => (p, false),
            None => return Ok(Config::default()),
        },
    };
    let name = path.display().to_string();
    let whole = |what: Message| vec![Mistake::whole(&name, what)];
    let mut bytes = Vec::new();
    let read = std::fs::File::open(&path).and_then(|f| f.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    match read {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && !required => return Ok(Config::default()),
        // Another user's home, as `su` and `setpriv` leave it in the environment: no
        // file there is ours.
        Err(_) if !required && is_out_of_reach(&path) => return Ok(Config::default()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err(whole(Message::new("config-missing"))),
        Err(e) => return Err(whole(Message::new("config-unreadable").with("why", e.to_string()))),
        Ok(_) => {}
    }
    if bytes.len() as u64 > MAX_BYTES {
        return Err(whole(Message::new("config-too-long").with("limit", MAX_BYTES)));
    }
    parse_bytes(&name, &bytes)
}

/// Reads a file's content; `name` is for the mistakes.
pub fn parse_bytes(name: &str, bytes: &[u8]) -> Result<Config, Vec<Mistake>> {
    match std::str::from_utf8(bytes) {
        Ok(text) => parse(name, text),
        Err(e) => {
            let valid = String::from_utf8_lossy(&bytes[..e.valid_up_to()]).into_owned();
            let at = valid.len();
            Err(vec![Mistake::at(name, &(valid + "\u{fffd}"), at..at + 3, Message::new("config-not-utf8"))])
        }
    }
}

/// Reads a file's text; `name` is for the mistakes.
pub fn parse(name: &str, text: &str) -> Result<Config, Vec<Mistake>> {
    sections::read(name, text)
}

#[cfg(test)]
mod tests;
