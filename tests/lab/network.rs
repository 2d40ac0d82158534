//! Builds a topology out of network namespaces named as its hosts, and breaks
//! it. Runs inside a mount, network and process namespace of the scenario's own
//! (`isolate.rs`), so nothing of it outlives the test. Knows nothing of verdicts.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};

use crate::scenario::{Fault, Topology};

/// One end of a link.
#[derive(Debug, Clone)]
struct End {
    host: String,
    nic: String,
    addresses: Vec<(IpAddr, u8)>,
}

pub struct Network {
    topology: Topology,
    links: Vec<[End; 2]>,
}

/// Runs `work` on a thread inside that host's network. Threads, not processes:
/// sockets made there stay there wherever they are used.
pub fn on<T: Send + 'static>(host: &str, work: impl FnOnce() -> T + Send + 'static) -> thread::JoinHandle<T> {
    let path = format!("/run/netns/{host}");
    thread::spawn(move || {
        let file = std::fs::File::open(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
        setns(file, CloneFlags::CLONE_NEWNET).unwrap_or_else(|e| panic!("setns {path}: {e}"));
        work()
    })
}

/// Feeds a program its standard input; its words where it fails.
pub fn feed(command: &mut Command, input: &str) -> Result<(), String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("{command:?}: {e}"))?;
    let written = child.stdin.take().map(|mut pipe| pipe.write_all(input.as_bytes()));
    let output = child.wait_with_output().map_err(|e| e.to_string())?;
    if output.status.success() && !matches!(written, Some(Err(_))) {
        return Ok(());
    }
    Err(format!("{command:?}:\n{input}{}", String::from_utf8_lossy(&output.stderr)))
}

fn ip(host: Option<&str>, batch: &str) -> Result<(), String> {
    let mut command = Command::new("ip");
    if let Some(host) = host {
        command.args(["-n", host]);
    }
    feed(command.args(["-batch", "-"]), batch)
}

/// Commands of a scenario. A family stands before the object, as people write it;
/// a batch has one family for all its lines.
fn ip_lines(host: &str, lines: &[String]) -> Result<(), String> {
    for line in lines {
        match line.strip_prefix("-6 ") {
            Some(rest) => feed(Command::new("ip").args(["-n", host, "-6", "-batch", "-"]), rest)?,
            None => ip(Some(host), line)?,
        }
    }
    Ok(())
}

fn end(text: &str) -> Result<End, String> {
    let mut words = text.split_whitespace();
    let (Some(host), Some(nic)) = (words.next(), words.next()) else { return Err(format!("no link end: `{text}`")) };
    let mut addresses = Vec::new();
    for word in words {
        let parsed = word.split_once('/').and_then(|(a, l)| Some((a.parse().ok()?, l.parse().ok()?)));
        addresses.push(parsed.ok_or_else(|| format!("no address: `{word}`"))?);
    }
    Ok(End { host: host.into(), nic: nic.into(), addresses })
}

/// The network an address is in, as `ip route` writes it.
fn prefix((address, length): (IpAddr, u8)) -> String {
    let network: IpAddr = match address {
        IpAddr::V4(a) => IpAddr::V4((u32::from(a) & u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)).into()),
        IpAddr::V6(a) => {
            IpAddr::V6((u128::from(a) & u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)).into())
        }
    };
    format!("{network}/{length}")
}

impl Network {
    /// Builds it, and waits until every link carries both families.
    pub fn build(topology: Topology) -> Result<Self, String> {
        let links = topology.links.values().map(|[a, b]| Ok([end(a)?, end(b)?])).collect::<Result<Vec<_>, String>>()?;
        let network = Self { topology, links };

        let mut batch = String::new();
        for host in network.topology.hosts.keys() {
            let _ = writeln!(batch, "netns add {host}");
        }
        ip(None, &batch)?;
        for (host, kind) in &network.topology.hosts {
            let mut values = vec![
                // Duplicate address detection takes a second that proves nothing here.
                ("ipv6/conf/all/accept_dad", "0"),
                ("ipv6/conf/default/accept_dad", "0"),
                ("ipv6/conf/all/disable_ipv6", "0"),
                ("ipv6/conf/default/disable_ipv6", "0"),
            ];
            if kind.forwards {
                values.extend([("ipv4/ip_forward", "1"), ("ipv6/conf/all/forwarding", "1")]);
            }
            for (path, value) in values {
                sysctl(host, path, value)?;
            }
        }

        let mut pairs = String::new();
        let mut hosts: BTreeMap<&str, String> = BTreeMap::new();
        for [a, b] in &network.links {
            let _ =
                writeln!(pairs, "link add {} netns {} type veth peer name {} netns {}", a.nic, a.host, b.nic, b.host);
            for end in [a, b] {
                let lines = hosts.entry(&end.host).or_insert_with(|| "link set lo up\n".into());
                for (address, length) in &end.addresses {
                    let nodad = if address.is_ipv6() { " nodad" } else { "" };
                    let _ = writeln!(lines, "address add {address}/{length} dev {}{nodad}", end.nic);
                }
                let _ = writeln!(lines, "link set {} up", end.nic);
            }
        }
        ip(None, &pairs)?;
        for (host, lines) in hosts {
            ip(Some(host), &lines)?;
        }
        for host in network.topology.hosts.keys() {
            ip(Some(host), &network.routes(host))?;
        }
        network.settle();
        Ok(network)
    }

    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    fn forwards(&self, host: &str) -> bool {
        self.topology.hosts.get(host).is_some_and(|h| h.forwards)
    }

    /// Default routes as written; for hosts that forward, one to every network,
    /// along the fewest links.
    fn routes(&self, host: &str) -> String {
        let mut lines = String::new();
        for gateway in self.topology.hosts.get(host).map(|h| h.gateways.as_slice()).unwrap_or_default() {
            let _ = writeln!(lines, "route add default via {gateway}");
        }
        if !self.forwards(host) {
            return lines;
        }
        for ipv6 in [false, true] {
            // Breadth first: each host reached, with the neighbour that leads to it.
            let mut via: BTreeMap<&str, Option<IpAddr>> = BTreeMap::from([(host, None)]);
            let mut queue = VecDeque::from([host]);
            let mut known: Vec<String> = Vec::new();
            while let Some(here) = queue.pop_front() {
                let through = via[here];
                for (near, far) in self.ends_of(here) {
                    let Some(own) = near.addresses.iter().find(|(a, _)| a.is_ipv6() == ipv6) else { continue };
                    let network = prefix(*own);
                    if !known.contains(&network) {
                        if let Some(gateway) = through {
                            let _ = writeln!(lines, "route add {network} via {gateway}");
                        }
                        known.push(network);
                    }
                    let Some((next, _)) = far.addresses.iter().find(|(a, _)| a.is_ipv6() == ipv6) else { continue };
                    if self.forwards(&far.host) && !via.contains_key(far.host.as_str()) {
                        via.insert(&far.host, through.or(Some(*next)));
                        queue.push_back(&far.host);
                    }
                }
            }
        }
        lines
    }

    fn ends_of<'a>(&'a self, host: &str) -> impl Iterator<Item = (&'a End, &'a End)> {
        self.links.iter().filter_map(move |[a, b]| match host {
            h if h == a.host => Some((a, b)),
            h if h == b.host => Some((b, a)),
            _ => None,
        })
    }

    /// One connection attempt over every link and family: refused is an answer.
    /// IPv6 multicast needs up to a second after a pair comes up.
    fn settle(&self) {
        let mut waits = Vec::new();
        for [a, b] in &self.links {
            for (address, _) in &b.addresses {
                let to = SocketAddr::new(*address, 9);
                waits.push(on(&a.host, move || drop(TcpStream::connect_timeout(&to, Duration::from_secs(2)))));
            }
        }
        for wait in waits {
            let _ = wait.join();
        }
    }

    /// Forgets all neighbours, as if what is broken had been so for long: a
    /// kernel asks again for eight seconds before it gives up one it knew.
    pub fn age(&self) -> Result<(), String> {
        self.topology.hosts.keys().try_for_each(|host| ip(Some(host), "neigh flush all\n"))
    }
}

/// Breaks something, or mends it.
pub fn apply(fault: &Fault) -> Result<(), String> {
    if fault.nft_clear {
        feed(Command::new("ip").args(["netns", "exec", &fault.host, "nft", "flush", "ruleset"]), "")?;
    }
    for (i, rule) in fault.nft.iter().enumerate() {
        let (hook, rule) = rule.split_once(' ').ok_or_else(|| format!("no rule: `{rule}`"))?;
        let name = format!("{hook}{i}");
        let script = format!(
            "table inet lab {{ chain {name} {{ type filter hook {hook} priority 0; policy accept; {rule}; }}; }}\n"
        );
        feed(Command::new("ip").args(["netns", "exec", &fault.host, "nft", "-f", "-"]), &script)?;
    }
    for line in &fault.sysctl {
        let (path, value) = line.split_once(' ').ok_or_else(|| format!("no sysctl: `{line}`"))?;
        sysctl(&fault.host, path, value)?;
    }
    if !fault.ip.is_empty() {
        ip_lines(&fault.host, &fault.ip)?;
    }
    Ok(())
}

/// Writes a value under /proc/sys/net as that host sees it.
pub fn sysctl(host: &str, path: &str, value: &str) -> Result<(), String> {
    let (path, value) = (format!("/proc/sys/net/{path}"), value.to_owned());
    on(host, move || std::fs::write(&path, value).map_err(|e| format!("{path}: {e}")))
        .join()
        .unwrap_or_else(|_| Err("no thread".into()))
}
