//! Listening, bound and connected sockets of this host.
//!
//! Owns the feed, its pace and which sockets are worth showing. Must never judge
//! a queue or a count.

mod diag;
mod owners;

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use self::diag::{Diag, Socket, Stage};
use self::owners::Owners;
use super::blocking::blocking;
use super::feed::{FeedContext, FeedEnd, FeedFuture};
use super::wire::proc_net;
use crate::model::socket::{Connection, Listener, MAX_LISTENERS, Sockets, TcpState, TcpStates, Transport};
use crate::model::{Message, RecordKind};

/// From one reading to the next ...
const INTERVAL: Duration = Duration::from_secs(2);
/// ... unless a reading is dear: it takes half a per cent of the time at most.
const COST_FACTOR: u32 = 200;
/// Nothing is older than this.
const REWRITE: Duration = Duration::from_secs(10);
/// A pulse at least this often, however long a pause is.
const PULSE: Duration = Duration::from_secs(5);
const MAX_CONNECTIONS: usize = 256;
/// Up to so many connections tcp_info is asked for with the list; beyond, only
/// for those shown.
const INFO_WITH_LIST: u32 = 512;

/// Starts the feed. It writes [`RecordKind::Sockets`].
pub fn run(ctx: FeedContext) -> FeedFuture {
    Box::pin(async move {
        match feed(ctx).await {
            Ok(end) => end,
            Err(e) => FeedEnd::Broken(format!("sock_diag: {e}")),
        }
    })
}

async fn feed(mut ctx: FeedContext) -> io::Result<FeedEnd> {
    let mut diag = match Diag::open() {
        Ok(diag) => diag,
        Err(e) => return Ok(unavailable(&e)),
    };
    let mut owners = Owners::default();
    let mut written: Option<(Instant, Sockets)> = None;
    loop {
        ctx.pulse.touch();
        let watched: HashSet<IpAddr> = ctx.specs.borrow_and_update().iter().filter_map(|s| s.ask.address()).collect();
        let began = Instant::now();
        let (back, read) = blocking(move || {
            let read = read(&mut diag, &watched);
            (diag, read)
        })
        .await?;
        diag = back;
        let found = match read {
            Ok(found) => found,
            // The kernel was built without inet_diag.
            Err(e) if e.raw_os_error() == Some(nix::libc::ENOENT) => return Ok(unavailable(&e)),
            Err(e) => return Err(e),
        };
        let cost = began.elapsed();
        let unknown = owners.unknown(&found.inodes(), began);
        write(&ctx, &mut written, found.named(&owners));
        if !unknown.is_empty() {
            let searched = unknown.clone();
            let began = Instant::now();
            let owned = blocking(move || owners::search(Path::new("/proc"), &unknown)).await?;
            owners.learn(owned, &searched, Instant::now(), began.elapsed());
            write(&ctx, &mut written, found.named(&owners));
        }
        let mut pause = INTERVAL.max(cost * COST_FACTOR).saturating_sub(began.elapsed());
        while pause > Duration::ZERO {
            let step = pause.min(PULSE);
            tokio::time::sleep(step).await;
            ctx.pulse.touch();
            pause -= step;
        }
    }
}

fn unavailable(error: &io::Error) -> FeedEnd {
    FeedEnd::Unavailable(Message::new("sockets-unavailable").with("error", error.to_string()))
}

fn write(ctx: &FeedContext, written: &mut Option<(Instant, Sockets)>, sockets: Sockets) {
    let now = Instant::now();
    if written.as_ref().is_none_or(|(at, before)| now.duration_since(*at) >= REWRITE || *before != sockets) {
        ctx.out.put(RecordKind::Sockets(Box::new(sockets.clone())));
        *written = Some((now, sockets));
    }
}

/// What one reading found, processes not yet named.
#[derive(Debug, Default)]
struct Found {
    listeners: Vec<(Socket, u32)>,
    bound: Vec<Socket>,
    connections: Vec<Socket>,
    states: TcpStates,
    left_out: u32,
}

/// Reads everything. TIME_WAIT is counted from sockstat and never listed: a busy
/// host has a hundred thousand of them.
fn read(diag: &mut Diag, watched: &HashSet<IpAddr>) -> io::Result<Found> {
    let stat = ["/proc/net/sockstat", "/proc/net/sockstat6"]
        .map(|file| std::fs::read_to_string(file).ok().unwrap_or_default());
    let tcp = proc_net::sockstat(&stat[0]).unwrap_or_default();
    let inuse = tcp.inuse.saturating_add(tcp.orphan).saturating_add(proc_net::tcp6_inuse(&stat[1]));
    let with_info = inuse <= INFO_WITH_LIST;
    let mut found = Found::default();
    found.states.time_wait = tcp.time_wait;
    let mut accepted: HashMap<(u16, IpAddr), u32> = HashMap::new();
    let mut ports: HashSet<u16> = HashSet::new();
    diag.tcp(with_info, |socket| match socket.stage {
        Stage::Listener => {
            ports.insert(socket.local.port());
            if found.listeners.len() < MAX_LISTENERS {
                found.listeners.push((socket, 0));
            } else {
                found.left_out = found.left_out.saturating_add(1);
            }
        }
        Stage::Connection(state) => {
            found.states.count(state);
            if socket.is_remainder {
                found.states.time_wait = found.states.time_wait.saturating_sub(1);
            }
            if state == TcpState::Established && ports.contains(&socket.local.port()) {
                *accepted.entry((socket.local.port(), socket.local.ip())).or_default() += 1;
            }
            found.consider(socket, watched);
        }
        Stage::Bound => {}
    })?;
    for (listener, established) in &mut found.listeners {
        *established = count_accepted(&accepted, listener.local);
    }
    // Without udp_diag (a module) the rest is still worth having.
    let room = MAX_LISTENERS.saturating_sub(found.listeners.len());
    let _ = diag.udp(|socket| {
        if found.bound.len() < room {
            found.bound.push(socket);
        } else {
            found.left_out = found.left_out.saturating_add(1);
        }
    });
    found.choose(watched);
    if !with_info {
        for connection in &mut found.connections {
            connection.info = diag.info(connection);
        }
    }
    Ok(found)
}

/// Established connections to a listener: to its address, or for a wildcard to
/// any of the host's (an IPv6 wildcard takes IPv4 too).
fn count_accepted(accepted: &HashMap<(u16, IpAddr), u32>, listener: SocketAddr) -> u32 {
    let to_it = |ip: &IpAddr| match listener.ip() {
        any if any.is_unspecified() => any.is_ipv6() || ip.is_ipv4(),
        own => own == *ip,
    };
    accepted.iter().filter(|((port, ip), _)| *port == listener.port() && to_it(ip)).map(|(_, n)| *n).sum()
}

trait Count {
    fn count(&mut self, state: TcpState);
}

impl Count for TcpStates {
    fn count(&mut self, state: TcpState) {
        let counter = match state {
            TcpState::Established => &mut self.established,
            TcpState::SynSent => &mut self.syn_sent,
            TcpState::SynRecv => &mut self.syn_recv,
            TcpState::FinWait => &mut self.fin_wait,
            TcpState::TimeWait => &mut self.time_wait,
            TcpState::CloseWait => &mut self.close_wait,
            TcpState::LastAck => &mut self.last_ack,
            TcpState::Closing => &mut self.closing,
        };
        *counter = counter.saturating_add(1);
    }
}

/// What makes a connection worth showing, the most important first.
fn worth(socket: &Socket, watched: &HashSet<IpAddr>) -> (u8, bool, bool, u64) {
    let queues = u64::from(socket.recv_queue) + u64::from(socket.send_queue);
    let unfinished = !matches!(socket.stage, Stage::Connection(TcpState::Established));
    (socket.retransmits, watched.contains(&socket.remote.ip()), queues > 0 || unfinished, queues)
}

impl Found {
    /// Keeps a connection for now; of many, the better half.
    fn consider(&mut self, socket: Socket, watched: &HashSet<IpAddr>) {
        self.connections.push(socket);
        if self.connections.len() >= 4 * MAX_CONNECTIONS {
            self.choose(watched);
        }
    }

    /// Keeps the connections most worth showing, in that order.
    fn choose(&mut self, watched: &HashSet<IpAddr>) {
        self.connections.sort_by_cached_key(|s| (Reverse(worth(s, watched)), s.local, s.remote));
        let excess = self.connections.len().saturating_sub(MAX_CONNECTIONS);
        self.left_out = self.left_out.saturating_add(excess as u32);
        self.connections.truncate(MAX_CONNECTIONS);
    }

    /// The inodes whose processes are of interest.
    fn inodes(&self) -> HashSet<u32> {
        let listeners = self.listeners.iter().map(|(s, _)| s);
        listeners.chain(&self.bound).chain(&self.connections).map(|s| s.inode).filter(|i| *i != 0).collect()
    }

    /// With the processes that are known. This console's own UDP sockets are no
    /// service of the host.
    fn named(&self, owners: &Owners) -> Sockets {
        let own = std::process::id();
        let listener = |transport, s: &Socket, queue, queue_limit, established| Listener {
            transport,
            local: s.local,
            interface: s.interface,
            uid: s.uid,
            process: owners.of(s.inode),
            queue,
            queue_limit,
            established,
        };
        let tcp = self.listeners.iter().map(|(s, n)| listener(Transport::Tcp, s, s.recv_queue, s.send_queue, *n));
        let udp = self.bound.iter().map(|s| listener(Transport::Udp, s, 0, 0, 0));
        let udp = udp.filter(|l| l.process.as_ref().is_none_or(|p| p.pid != own));
        let mut listeners: Vec<Listener> = tcp.chain(udp).collect();
        listeners.sort_by_key(|l| (l.transport, l.local.port(), l.local));
        let connections = self.connections.iter().filter_map(|s| match s.stage {
            Stage::Connection(state) => Some(Connection {
                local: s.local,
                remote: s.remote,
                state,
                recv_queue: s.recv_queue,
                send_queue: s.send_queue,
                process: owners.of(s.inode),
                info: s.info,
            }),
            _ => None,
        });
        Sockets {
            listeners,
            states: self.states,
            connections: connections.collect(),
            left_out: self.left_out,
            processes_complete: self.inodes().iter().all(|i| owners.of(*i).is_some()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_belong_to_the_listener_they_came_through() {
        let ip = |s: &str| s.parse::<IpAddr>().unwrap();
        let accepted =
            HashMap::from([((80, ip("192.0.2.1")), 3), ((80, ip("2001:db8::1")), 2), ((443, ip("192.0.2.1")), 9)]);
        let count = |listener: &str| count_accepted(&accepted, listener.parse().unwrap());
        assert_eq!(count("[::]:80"), 5);
        assert_eq!(count("0.0.0.0:80"), 3);
        assert_eq!(count("192.0.2.1:443"), 9);
        assert_eq!(count("127.0.0.1:80"), 0);
    }

    #[test]
    fn a_listener_and_its_connection_are_seen_with_their_process() {
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let local = server.local_addr().unwrap();
        let client = std::net::TcpStream::connect(local).unwrap();
        let mut diag = Diag::open().unwrap();
        let found = read(&mut diag, &HashSet::new()).unwrap();
        let mut owners = Owners::default();
        let wanted = owners.unknown(&found.inodes(), Instant::now());
        let owned = owners::search(Path::new("/proc"), &wanted);
        owners.learn(owned, &wanted, Instant::now(), Duration::ZERO);
        let sockets = found.named(&owners);
        let listener = sockets.listeners.iter().find(|l| l.local == local).unwrap();
        assert_eq!(listener.queue, 1, "connected and not yet accepted");
        assert!(listener.queue_limit >= 128);
        assert_eq!(listener.process.as_ref().map(|p| p.pid), Some(std::process::id()));
        if sockets.left_out == 0 {
            let from = client.local_addr().unwrap();
            let connection = sockets.connections.iter().find(|c| c.local == from).unwrap();
            assert_eq!((connection.remote, connection.state), (local, TcpState::Established));
            assert!(connection.info.is_some_and(|i| i.mss > 0));
        }
    }
}
