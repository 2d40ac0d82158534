//! The host of the tape: interfaces, sockets, load, the same every time.

use std::net::SocketAddr;
use std::time::Duration;

use frc::model::host::{Disk, HostLoad, NameServer, Pressure, ResolverConfig};
use frc::model::link::{
    Duplex, InterfaceAddress, Link, LinkCounters, LookupResult, Neighbour, NeighbourState, Network, NextHop, Route,
    RouteKind, RouteLookup, Scope,
};
use frc::model::socket::{
    Connection, KernelCounters, Listener, Process, Sockets, TcpInfo, TcpState, TcpStates, Transport,
};
use frc::model::units::Mac;

use super::{ip, socket, wander};

pub(super) fn resolvers() -> ResolverConfig {
    let server = |a: &str| NameServer { address: socket(a), interface: None };
    ResolverConfig { servers: vec![server("10.77.1.53:53"), server("10.77.1.54:53")], ..ResolverConfig::default() }
}

fn link(index: u32, name: &str) -> Link {
    Link {
        index,
        name: name.into(),
        kind: "".into(),
        admin_up: true,
        carrier: true,
        mtu: 1500,
        mac: Some(Mac([0x16, 0x19, 8, 0xa1, 0x6b, 0xf5])),
        speed_mbps: Some(10_000),
        duplex: Some(Duplex::Full),
        carrier_changes: Some(2),
        master: None,
        lower: None,
        counters: LinkCounters::default(),
    }
}

pub(super) fn network(s: u64) -> Network {
    let mut lo = link(1, "lo");
    lo.kind = "loopback".into();
    let mut eth0 = link(2, "eth0");
    let burst = if s % 60 > 40 { 5.0 } else { 1.0 };
    let bytes: f64 =
        (0..=s).map(|n| 150_000.0 * if n % 60 > 40 { 5.0 } else { 1.0 } * (0.8 + 0.4 * wander(n, 11))).sum();
    eth0.counters = LinkCounters {
        rx_bytes: bytes as u64,
        tx_bytes: (bytes / 12.0 * burst) as u64,
        rx_packets: s * 900,
        tx_packets: s * 700,
        rx_dropped: 3,
        ..LinkCounters::default()
    };
    let mut eth1 = link(3, "eth1");
    eth1.admin_up = false;
    let address = |index, prefix: &str, scope| InterfaceAddress {
        index,
        prefix: prefix.parse().unwrap(),
        scope,
        tentative: false,
        dad_failed: false,
        deprecated: false,
    };
    let neighbour = |ip_text: &str, last| Neighbour {
        index: 2,
        ip: ip(ip_text),
        mac: Some(Mac([0x16, 0x19, 8, 0xa1, 0x6b, last])),
        state: NeighbourState::Reachable,
        router: false,
    };
    let route = |destination: &str, gateway: Option<&str>| Route {
        destination: destination.parse().unwrap(),
        table: 254,
        metric: 0,
        kind: RouteKind::Unicast,
        next_hops: vec![NextHop { gateway: gateway.map(ip), index: 2 }],
        source: None,
    };
    Network {
        links: vec![lo, eth0, eth1],
        addresses: vec![
            address(1, "127.0.0.1/8", Scope::Host),
            address(2, "10.77.1.10/24", Scope::Global),
            address(2, "fd77:1::10/64", Scope::Global),
        ],
        neighbours: vec![neighbour("10.77.1.1", 0xf5), neighbour("10.77.1.53", 0xf6), neighbour("10.77.1.54", 0xf7)],
        routes: vec![route("0.0.0.0/0", Some("10.77.1.1")), route("10.77.1.0/24", None), route("fd77:1::/64", None)],
        left_out: 0,
    }
}

pub(super) fn lookups() -> Vec<RouteLookup> {
    let via = |to: &str, gateway: Option<&str>| RouteLookup {
        to: ip(to),
        result: LookupResult::Via {
            next_hop: NextHop { gateway: gateway.map(ip), index: 2 },
            source: Some(ip("10.77.1.10")),
            matched: None,
            local: false,
        },
    };
    vec![via("10.77.9.20", Some("10.77.1.1")), via("10.77.1.53", None)]
}

pub(super) fn load(s: u64) -> HostLoad {
    HostLoad {
        cpu: Some(0.12 + 0.05 * wander(s, 31)),
        cpus: 8,
        load: [0.62, 0.51, 0.44],
        memory_total: 16 << 30,
        memory_available: 9 << 30,
        swap_total: 2 << 30,
        swap_used: 1 << 20,
        pressure: Some(Pressure { cpu: 0.01, memory: 0.0, io: 0.02 }),
        uptime: 41 * 86_400 + s,
        file_descriptors: Some((3_120, 1_048_576)),
        disks: vec![
            Disk {
                mount: "/".into(),
                kind: "ext4".into(),
                total: 80 << 30,
                available: 31 << 30,
                read_only: false,
                hung: false,
            },
            Disk {
                mount: "/var".into(),
                kind: "xfs".into(),
                total: 200 << 30,
                available: 9 << 30,
                read_only: false,
                hung: false,
            },
        ],
    }
}

pub(super) fn sockets(s: u64) -> Sockets {
    let listener = |port: u16, host: &str, name: &str, established: u32| Listener {
        transport: Transport::Tcp,
        local: SocketAddr::new(ip(host), port),
        interface: 0,
        uid: 0,
        process: Some(Process { pid: 700 + u32::from(port), name: name.into() }),
        queue: 0,
        queue_limit: 511,
        established,
    };
    let connection = |remote: &str, retrans| Connection {
        local: socket("10.77.1.10:443"),
        remote: socket(remote),
        state: TcpState::Established,
        recv_queue: 0,
        send_queue: 1_460,
        process: Some(Process { pid: 780, name: "nginx".into() }),
        info: Some(TcpInfo {
            rtt: Duration::from_millis(14),
            total_retrans: retrans,
            segs_out: 90,
            ..TcpInfo::default()
        }),
    };
    Sockets {
        listeners: vec![
            listener(22, "0.0.0.0", "sshd", 2),
            listener(80, "0.0.0.0", "nginx", 118),
            listener(443, "0.0.0.0", "nginx", 1_204 + (s % 3) as u32),
            listener(6379, "127.0.0.1", "redis-server", 0),
            listener(9100, "::", "node_exporter", 1),
        ],
        states: TcpStates { established: 1_325, time_wait: 412, syn_sent: 2, close_wait: 1, ..TcpStates::default() },
        connections: vec![connection("203.0.113.7:50112", 3), connection("203.0.113.9:41872", 0)],
        left_out: 0,
        processes_complete: true,
    }
}

pub(super) fn kernel(s: u64) -> KernelCounters {
    KernelCounters {
        tcp_out_segs: s * 4_000,
        tcp_retrans_segs: s * 4,
        conntrack_count: Some(47_000),
        conntrack_max: Some(262_144),
        ..KernelCounters::default()
    }
}
