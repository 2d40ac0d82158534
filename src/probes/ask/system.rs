//! What this host's own programs know of names before they ask anybody: the hosts
//! file and the resolver configuration, read again when they change.
//!
//! Must never send a query.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use crate::probes::wire::resolv_conf;

/// Servers that glibc uses (MAXNS in resolv.h).
const MAX_SERVERS: usize = 3;

/// Longest hosts file read, in bytes; blocklists have a few megabytes.
const MAX_HOSTS_BYTES: u64 = 16 * 1024 * 1024;

/// Most names whose hosts entries are remembered, and most addresses of one.
const MAX_REMEMBERED: usize = 1024;
const MAX_ADDRESSES: usize = 32;

/// The resolver configuration in the form that queries need.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resolving {
    /// Servers in their order.
    pub servers: Vec<SocketAddr>,
    /// Search list.
    pub search: Vec<String>,
    /// Dots that a name needs to be tried as it stands first.
    pub ndots: u8,
}

/// The two files. The hosts file is not held: it is searched once for each name
/// after it changed.
#[derive(Debug)]
pub struct SystemNames {
    hosts: PathBuf,
    resolv_conf: PathBuf,
    read: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    hosts: Option<Version>,
    by_name: HashMap<String, Vec<IpAddr>>,
    by_address: HashMap<IpAddr, Option<String>>,
    resolv_conf: Option<Version>,
    resolving: Arc<Resolving>,
}

/// Tells one state of a file from another.
type Version = (SystemTime, u64, u64);

impl SystemNames {
    /// Those of this host.
    pub fn system() -> Self {
        Self::at("/etc/hosts".into(), "/etc/resolv.conf".into())
    }

    /// Files of that format elsewhere.
    pub fn at(hosts: PathBuf, resolv_conf: PathBuf) -> Self {
        Self { hosts, resolv_conf, read: Mutex::default() }
    }

    /// The resolver configuration as it is now; without servers where there is none.
    pub fn resolving(&self) -> Arc<Resolving> {
        let mut known = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let version = version(&self.resolv_conf);
        if version.is_none() || known.resolv_conf != version {
            let text = read(&self.resolv_conf, resolv_conf::MAX_BYTES as u64);
            known.resolving = Arc::new(resolving(&resolv_conf::parse(&text)));
            known.resolv_conf = version;
        }
        known.resolving.clone()
    }

    /// The hosts file's addresses of `name`, in the order of its lines.
    pub fn hosts_addresses(&self, name: &str) -> Vec<IpAddr> {
        let mut known = self.fresh_hosts();
        if let Some(found) = known.by_name.get(name) {
            return found.clone();
        }
        let found = find_addresses(&read(&self.hosts, MAX_HOSTS_BYTES), name);
        if known.by_name.len() >= MAX_REMEMBERED {
            known.by_name.clear();
        }
        known.by_name.insert(name.to_owned(), found.clone());
        found
    }

    /// The hosts file's first name of `address`.
    pub fn hosts_name(&self, address: IpAddr) -> Option<String> {
        let mut known = self.fresh_hosts();
        if let Some(found) = known.by_address.get(&address) {
            return found.clone();
        }
        let found = find_name(&read(&self.hosts, MAX_HOSTS_BYTES), address);
        if known.by_address.len() >= MAX_REMEMBERED {
            known.by_address.clear();
        }
        known.by_address.insert(address, found.clone());
        found
    }

    fn fresh_hosts(&self) -> std::sync::MutexGuard<'_, Known> {
        let mut known = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let version = version(&self.hosts);
        if version.is_none() || known.hosts != version {
            known.by_name.clear();
            known.by_address.clear();
            known.hosts = version;
        }
        known
    }
}

fn version(path: &Path) -> Option<Version> {
    use std::os::unix::fs::MetadataExt;
    let meta = fs::metadata(path).ok()?;
    Some((meta.modified().ok()?, meta.len(), meta.ino()))
}

/// The file's text up to `limit` bytes; nothing where it cannot be read, which is
/// what programs make of it too.
fn read(path: &Path, limit: u64) -> String {
    let mut bytes = Vec::new();
    if let Ok(file) = fs::File::open(path) {
        let _ = file.take(limit).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn resolving(conf: &resolv_conf::ResolvConf) -> Resolving {
    let servers = conf.servers.iter().take(MAX_SERVERS).map(|(ip, scope)| match ip {
        IpAddr::V4(ip) => SocketAddr::from((*ip, 53)),
        IpAddr::V6(ip) => {
            let index = scope.as_deref().map_or(0, interface_index);
            SocketAddrV6::new(*ip, 53, 0, index).into()
        }
    });
    Resolving { servers: servers.collect(), search: conf.search.clone(), ndots: conf.ndots }
}

fn interface_index(scope: &str) -> u32 {
    scope.parse().ok().or_else(|| nix::net::if_::if_nametoindex(scope).ok()).unwrap_or(0)
}

/// Lines of a hosts file (hosts(5)): address, then names.
fn lines(text: &str) -> impl Iterator<Item = (IpAddr, std::str::SplitAsciiWhitespace<'_>)> {
    text.lines().filter_map(|line| {
        let mut words = line.split('#').next().unwrap_or_default().split_ascii_whitespace();
        let address = words.next()?;
        let ip: IpAddr = address.split('%').next()?.parse().ok()?;
        Some((ip, words))
    })
}

fn find_addresses(text: &str, name: &str) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for (ip, mut names) in lines(text) {
        if names.any(|n| n.strip_suffix('.').unwrap_or(n).eq_ignore_ascii_case(name)) && !found.contains(&ip) {
            found.push(ip);
            if found.len() == MAX_ADDRESSES {
                break;
            }
        }
    }
    found
}

fn find_name(text: &str, address: IpAddr) -> Option<String> {
    lines(text).find(|(ip, _)| *ip == address).and_then(|(_, mut names)| names.next().map(str::to_owned))
}

/// `localhost` and what is under it never leaves the host (RFC 6761, 6.3).
pub(super) fn is_localhost(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// The addresses of `localhost` where the hosts file has none.
pub(super) const LOCALHOST: [IpAddr; 2] = [IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::LOCALHOST)];

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    const HOSTS: &str = "# made by hand\n127.0.0.1 localhost\n::1\tlocalhost ip6-localhost\n\
                         10.0.0.5 db.lab.test DB # the old one\n10.0.0.6 db.lab.test\nfe80::1%eth0 gw\nbroken line\n";

    #[test]
    fn names_are_found_in_all_lines_whatever_their_case() {
        let ip = |s: &str| s.parse::<IpAddr>().unwrap();
        assert_eq!(find_addresses(HOSTS, "db.lab.test"), [ip("10.0.0.5"), ip("10.0.0.6")]);
        assert_eq!(find_addresses(HOSTS, "db"), [ip("10.0.0.5")]);
        assert_eq!(find_addresses(HOSTS, "localhost"), [ip("127.0.0.1"), ip("::1")]);
        assert_eq!(find_addresses(HOSTS, "gw"), [ip("fe80::1")]);
        assert!(find_addresses(HOSTS, "one").is_empty());
        assert_eq!(find_name(HOSTS, ip("10.0.0.5")).as_deref(), Some("db.lab.test"));
        assert_eq!(find_name(HOSTS, ip("10.0.0.9")), None);
    }

    #[test]
    fn a_changed_file_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let (hosts, conf) = (dir.path().join("hosts"), dir.path().join("resolv.conf"));
        let names = SystemNames::at(hosts.clone(), conf.clone());
        assert!(names.hosts_addresses("a").is_empty() && names.resolving().servers.is_empty());
        fs::File::create(&hosts).unwrap().write_all(b"10.0.0.1 a\n").unwrap();
        fs::File::create(&conf).unwrap().write_all(b"nameserver 10.0.0.53\nsearch lab.test\n").unwrap();
        assert_eq!(names.hosts_addresses("a"), ["10.0.0.1".parse::<IpAddr>().unwrap()]);
        let resolving = names.resolving();
        assert_eq!(resolving.servers, ["10.0.0.53:53".parse::<SocketAddr>().unwrap()]);
        assert_eq!(resolving.search, ["lab.test"]);
        fs::File::create(&hosts).unwrap().write_all(b"10.0.0.12 a b\n").unwrap();
        assert_eq!(names.hosts_addresses("a"), ["10.0.0.12".parse::<IpAddr>().unwrap()]);
        assert_eq!(names.hosts_name("10.0.0.12".parse().unwrap()).as_deref(), Some("a"));
    }

    proptest! {
        #[test]
        fn any_hosts_file_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400), ip: IpAddr) {
            let text = String::from_utf8_lossy(&bytes);
            prop_assert!(find_addresses(&text, "a").len() <= MAX_ADDRESSES);
            let _ = find_name(&text, ip);
        }
    }
}
