//! How names are resolved here: `/etc/resolv.conf`, a local stub followed to its
//! upstream servers.
//!
//! Owns the feed and the reading of the files. Must never ask a server anything.

use std::fs;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::blocking::blocking;
use super::feed::{FeedContext, FeedEnd, FeedFuture};
use super::wire::resolv_conf::{self, MAX_BYTES, ResolvConf};
use crate::model::RecordKind;
use crate::model::host::{NameServer, ResolverConfig};

/// From one look at the files' dates to the next. Two stat calls in two seconds
/// cost less than a watch that would have to follow symbolic links and renames.
const INTERVAL: Duration = Duration::from_secs(2);

const RESOLV_CONF: &str = "/etc/resolv.conf";
/// Where systemd-resolved lists the servers behind its stub (systemd-resolved(8)).
const UPSTREAM: &str = "/run/systemd/resolve/resolv.conf";
/// Its stub, and the one that does not follow the search list.
const STUBS: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::new(127, 0, 0, 53)), IpAddr::V4(Ipv4Addr::new(127, 0, 0, 54))];
const DNS: u16 = 53;

/// Starts the feed. It writes [`RecordKind::Resolvers`].
pub fn run(ctx: FeedContext) -> FeedFuture {
    Box::pin(feed(ctx))
}

async fn feed(ctx: FeedContext) -> FeedEnd {
    let files = Files { conf: PathBuf::from(RESOLV_CONF), upstream: PathBuf::from(UPSTREAM) };
    let mut seen: Option<Stamps> = None;
    let mut written: Option<ResolverConfig> = None;
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        ctx.pulse.touch();
        let (asked, before) = (files.clone(), seen);
        let news = blocking(move || {
            let stamps = asked.stamps();
            (before != Some(stamps)).then(|| (stamps, asked.read()))
        })
        .await;
        match news {
            Ok(Some((stamps, config))) => {
                seen = Some(stamps);
                if written.as_ref() != Some(&config) {
                    ctx.out.put(RecordKind::Resolvers(config.clone()));
                    written = Some(config);
                }
            }
            Ok(None) => {}
            Err(e) => return FeedEnd::Broken(format!("{RESOLV_CONF}: {e}")),
        }
    }
}

/// The two files.
#[derive(Debug, Clone)]
struct Files {
    conf: PathBuf,
    upstream: PathBuf,
}

/// Inode, size and time of change of a file; none where there is no file.
type Stamp = Option<(u64, u64, i64, i64)>;
type Stamps = [Stamp; 2];

impl Files {
    fn stamps(&self) -> Stamps {
        [&self.conf, &self.upstream].map(|path| {
            let m = fs::metadata(path).ok()?;
            Some((m.ino(), m.size(), m.ctime(), m.ctime_nsec()))
        })
    }

    /// The configuration; without servers where none are named or no file is
    /// there (the C library would then try this host itself).
    fn read(&self) -> ResolverConfig {
        let conf = text(&self.conf).map(|t| resolv_conf::parse(&t)).unwrap_or_default();
        let stub = conf.servers.iter().map(|(ip, _)| *ip).find(|ip| STUBS.contains(ip));
        let upstream = stub.and_then(|_| text(&self.upstream)).map(|t| resolv_conf::parse(&t)).unwrap_or_default();
        ResolverConfig {
            servers: servers(&conf, &upstream),
            ndots: conf.ndots,
            search: conf.search,
            stub: stub.map(|ip| SocketAddr::new(ip, DNS)),
            source: if upstream.servers.is_empty() { self.conf.clone() } else { self.upstream.clone() },
        }
    }
}

/// The servers in their order, each once; a stub gives way to its upstreams
/// where they are known.
fn servers(conf: &ResolvConf, upstream: &ResolvConf) -> Vec<NameServer> {
    let mut servers: Vec<NameServer> = Vec::new();
    let mut add = |(ip, scope): &(IpAddr, Option<String>)| {
        let address = address(*ip, scope.as_deref());
        if servers.iter().all(|s| s.address != address) {
            servers.push(NameServer { address, interface: scope.clone() });
        }
    };
    for server in &conf.servers {
        if STUBS.contains(&server.0) && !upstream.servers.is_empty() {
            upstream.servers.iter().for_each(&mut add);
        } else {
            add(server);
        }
    }
    servers
}

/// A scope is an interface's name or its index; one that is not there is 0, with
/// which sending fails as it does for everybody else.
fn address(ip: IpAddr, scope: Option<&str>) -> SocketAddr {
    match (ip, scope) {
        (IpAddr::V6(v6), Some(scope)) => {
            let index = nix::net::if_::if_nametoindex(scope).ok().or_else(|| scope.parse().ok()).unwrap_or(0);
            SocketAddrV6::new(v6, DNS, 0, index).into()
        }
        (ip, _) => SocketAddr::new(ip, DNS),
    }
}

fn text(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    fs::File::open(path).ok()?.take(MAX_BYTES as u64).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> (tempfile::TempDir, Files) {
        let dir = tempfile::tempdir().unwrap();
        let files = Files { conf: dir.path().join("resolv.conf"), upstream: dir.path().join("upstream") };
        (dir, files)
    }

    fn addresses(config: &ResolverConfig) -> Vec<String> {
        config.servers.iter().map(|s| s.address.to_string()).collect()
    }

    #[test]
    fn no_file_and_no_line_mean_none_configured() {
        let (_dir, files) = files();
        let config = files.read();
        assert!(config.servers.is_empty() && config.stub.is_none());
        assert_eq!((config.ndots, &config.source), (1, &files.conf));
        fs::write(&files.conf, "search lab.test\n").unwrap();
        assert_eq!(files.read().search, ["lab.test"]);
        assert!(files.read().servers.is_empty());
    }

    #[test]
    fn a_stub_is_followed_to_its_upstreams() {
        let (_dir, files) = files();
        fs::write(&files.conf, "nameserver 127.0.0.53\noptions edns0 ndots:2\nsearch lab.test\n").unwrap();
        let config = files.read();
        assert_eq!(addresses(&config), ["127.0.0.53:53"], "nothing known behind it");
        fs::write(&files.upstream, "nameserver 192.0.2.1\nnameserver fe80::1%lo\nnameserver 192.0.2.1\n").unwrap();
        let config = files.read();
        let lo = nix::net::if_::if_nametoindex("lo").unwrap();
        assert_eq!(addresses(&config), ["192.0.2.1:53".to_owned(), format!("[fe80::1%{lo}]:53")]);
        assert_eq!(config.servers[1].interface.as_deref(), Some("lo"));
        assert_eq!(config.stub, Some("127.0.0.53:53".parse().unwrap()));
        assert_eq!((config.ndots, &config.source), (2, &files.upstream));
    }

    #[test]
    fn a_change_is_seen_by_the_files_stamps() {
        let (dir, files) = files();
        let none = files.stamps();
        fs::write(&files.conf, "nameserver 192.0.2.1\n").unwrap();
        let one = files.stamps();
        assert_ne!(none, one);
        let other = dir.path().join("new");
        fs::write(&other, "nameserver 192.0.2.2\n").unwrap();
        fs::rename(&other, &files.conf).unwrap();
        assert_ne!(files.stamps(), one, "same size, same second, another file");
    }
}
