//! Messages built by hand as the kernel writes them (include/uapi/linux/rtnetlink.h).

use proptest::prelude::*;

use super::*;

/// An attribute: length, type, value, padding to four bytes.
fn nla(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = ((4 + value.len()) as u16).to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn number(kind: u16, value: u32) -> Vec<u8> {
    nla(kind, &value.to_ne_bytes())
}

/// struct ifinfomsg.
fn link_header(layer: u16, index: u32, flags: u32) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    bytes.extend(layer.to_ne_bytes());
    bytes.extend(index.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend([0; 4]);
    bytes
}

/// struct rtmsg.
fn route_header(family: u8, len: u8, table: u8, protocol: u8, kind: u8, flags: u32) -> Vec<u8> {
    let mut bytes = vec![family, len, 0, 0, table, protocol, 0, kind];
    bytes.extend(flags.to_ne_bytes());
    bytes
}

#[test]
fn a_veth_whose_other_end_is_elsewhere() {
    let mut stats = vec![0; 25 * 8];
    stats[..8].copy_from_slice(&7_u64.to_ne_bytes());
    stats[12 * 8..13 * 8].copy_from_slice(&3_u64.to_ne_bytes());
    stats[15 * 8..16 * 8].copy_from_slice(&5_u64.to_ne_bytes());
    let body = [
        link_header(1, 9, 0x1_0001),
        nla(3, b"veth0\0"),
        number(4, 1500),
        nla(1, &[2, 0, 0, 0, 0, 9]),
        number(5, 4),
        number(37, 0),
        number(10, 3),
        number(35, 6),
        nla(18, &nla(1, b"veth\0")),
        nla(23, &stats),
        nla(26, &[1, 2, 3]),
    ]
    .concat();
    let link = link(&body).unwrap();
    assert_eq!((link.index, link.name.as_str(), link.kind.as_str()), (9, "veth0", "veth"));
    assert!(link.admin_up && link.carrier);
    assert_eq!((link.mtu, link.mac), (1500, Some(Mac([2, 0, 0, 0, 0, 9]))));
    assert_eq!((link.lower, link.master, link.carrier_changes), (None, Some(3), Some(6)));
    assert_eq!((link.counters.rx_packets, link.counters.rx_crc_errors, link.counters.rx_missed), (7, 3, 5));
}

#[test]
fn loopback_has_a_kind_and_no_address() {
    let body = [link_header(772, 1, 0x1_0049), nla(3, b"lo\0"), nla(1, &[0; 6])].concat();
    let link = link(&body).unwrap();
    assert!(link.is_loopback() && link.mac.is_none());
    let down = [link_header(1, 2, 0x1002), nla(3, b"eth0\0")].concat();
    let link = super::link(&down).unwrap();
    assert!(!link.admin_up && !link.carrier && link.kind.is_empty());
}

#[test]
fn a_vlan_names_the_link_underneath() {
    let body = [link_header(1, 5, 1), nla(3, b"eth0.7\0"), number(5, 2), nla(18, &nla(1, b"vlan\0"))].concat();
    assert_eq!(link(&body).unwrap().lower, Some(2));
}

#[test]
fn a_malformed_attribute_costs_that_attribute() {
    let body = [link_header(1, 5, 1), nla(4, &[1]), nla(3, b"eth0\0"), nla(18, &[9, 9, 9])].concat();
    assert_eq!(link(&body).unwrap().name.as_str(), "eth0");
}

#[test]
fn addresses_of_both_families() {
    let v4 = [vec![2, 24, 0x80, 0], 3_u32.to_ne_bytes().to_vec(), nla(1, &[10, 0, 0, 2]), nla(2, &[10, 0, 0, 1])];
    let a = address(&v4.concat()).unwrap();
    assert_eq!((a.index, a.prefix.to_string(), a.scope), (3, "10.0.0.1/24".to_owned(), Scope::Global));
    let ip: Ipv6Addr = "fe80::1".parse().unwrap();
    let v6 = [vec![10, 64, 0x80, 253], 3_u32.to_ne_bytes().to_vec(), nla(1, &ip.octets()), number(8, 0x48)];
    let a = address(&v6.concat()).unwrap();
    assert_eq!(a.scope, Scope::Link);
    assert!(a.tentative && a.dad_failed && !a.deprecated);
}

fn neighbour_message(family: u8, state: u16, flags: u8, ip: &[u8], mac: Option<[u8; 6]>) -> Vec<u8> {
    let mut body = vec![family, 0, 0, 0];
    body.extend(2_u32.to_ne_bytes());
    body.extend(state.to_ne_bytes());
    body.extend([flags, 1]);
    body.extend(nla(1, ip));
    body.extend(mac.map(|m| nla(2, &m)).unwrap_or_default());
    body
}

#[test]
fn neighbours_and_what_is_none() {
    let n = neighbour(&neighbour_message(2, 0x02, 0x80, &[10, 0, 0, 1], Some([2; 6]))).unwrap();
    assert_eq!((n.state, n.router, n.mac), (NeighbourState::Reachable, true, Some(Mac([2; 6]))));
    let n = neighbour(&neighbour_message(2, 0x20, 0, &[10, 0, 0, 1], None)).unwrap();
    assert_eq!((n.state, n.mac), (NeighbourState::Failed, None));
    assert_eq!(neighbour(&neighbour_message(2, 0x40, 0, &[10, 0, 0, 1], None)), None);
    assert_eq!(neighbour(&neighbour_message(2, 0x80, 0, &[224, 0, 0, 1], None)), None);
    assert_eq!(neighbour(&neighbour_message(2, 0x80, 8, &[10, 0, 0, 9], None)), None);
    assert_eq!(neighbour(&neighbour_message(7, 0x80, 0, &[2, 0, 0, 0, 0, 1], None)), None);
}

#[test]
fn a_default_route_and_its_way_out() {
    let body = [route_header(2, 0, 254, 3, 1, 0), nla(5, &[10, 0, 0, 1]), number(4, 2), number(6, 100)].concat();
    let m = route(&body).unwrap();
    assert!(m.route.is_default() && m.is_listed());
    assert_eq!(m.route.next_hops, [NextHop { gateway: Some([10, 0, 0, 1].into()), index: 2 }]);
    assert_eq!((m.route.metric, m.route.table, m.weight), (100, 254, Weight::Decisive));
}

#[test]
fn a_gateway_of_the_other_family() {
    let via: Ipv6Addr = "fe80::9".parse().unwrap();
    let value = [10_u16.to_ne_bytes().to_vec(), via.octets().to_vec()].concat();
    let body = [route_header(2, 24, 254, 4, 1, 0), nla(1, &[10, 9, 0, 0]), nla(18, &value), number(4, 2)].concat();
    let m = route(&body).unwrap();
    assert_eq!(m.route.next_hops, [NextHop { gateway: Some(via.into()), index: 2 }]);
    assert_eq!((m.route.destination.to_string(), m.weight), ("10.9.0.0/24".to_owned(), Weight::Configured));
}

#[test]
fn several_next_hops() {
    let hop = |gw: [u8; 4], index: u32| {
        let inner = nla(5, &gw);
        let mut bytes = ((8 + inner.len()) as u16).to_ne_bytes().to_vec();
        bytes.extend([0, 0]);
        bytes.extend(index.to_ne_bytes());
        bytes.extend(inner);
        bytes
    };
    let hops = [hop([10, 0, 0, 1], 2), hop([10, 0, 1, 1], 3)].concat();
    let m = route(&[route_header(2, 0, 254, 3, 1, 0), nla(9, &hops)].concat()).unwrap();
    assert_eq!(
        m.route.next_hops,
        [
            NextHop { gateway: Some([10, 0, 0, 1].into()), index: 2 },
            NextHop { gateway: Some([10, 0, 1, 1].into()), index: 3 }
        ]
    );
}

#[test]
fn refusing_routes_have_no_way_out_and_stay() {
    // IPv6 prints `dev lo` for them.
    let body = [route_header(10, 0, 254, 4, 7, 0), number(4, 1), number(15, 1000)].concat();
    let m = route(&body).unwrap();
    assert_eq!((m.route.kind, m.route.table, m.weight), (RouteKind::Unreachable, 1000, Weight::Decisive));
    assert!(m.route.next_hops.is_empty() && !m.route.is_default());
}

#[test]
fn local_and_cached_routes_are_not_listed() {
    assert!(!route(&route_header(2, 32, 255, 2, 2, 0)).unwrap().is_listed());
    assert!(!route(&route_header(10, 128, 254, 2, 1, 0x200)).unwrap().is_listed());
    assert!(route(&route_header(5, 0, 254, 2, 1, 0)).is_none());
}

#[test]
fn counters_alone() {
    let mut values = vec![0; 25 * 8];
    values[16..24].copy_from_slice(&99_u64.to_ne_bytes());
    let body = [vec![0; 4], 4_u32.to_ne_bytes().to_vec(), 1_u32.to_ne_bytes().to_vec(), nla(1, &values)].concat();
    let (index, c) = stats(&body).unwrap();
    assert_eq!((index, c.rx_bytes), (4, 99));
}

proptest! {
    #[test]
    fn any_bytes_are_read(
        family in prop_oneof![Just(0_u8), Just(2), Just(10), any::<u8>()],
        head in proptest::collection::vec(any::<u8>(), 0..16),
        nlas in proptest::collection::vec((0_u16..70, proptest::collection::vec(any::<u8>(), 0..40)), 0..8),
        tail in proptest::collection::vec(any::<u8>(), 0..9),
    ) {
        let mut body = vec![family];
        body.extend(head);
        for (kind, value) in nlas {
            body.extend(nla(kind, &value));
        }
        body.extend(tail);
        let _ = (link(&body), address(&body), neighbour(&body), stats(&body));
        let _ = route(&body).map(|m| m.is_listed());
    }
}
