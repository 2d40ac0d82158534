//! The kernel's notifications of changes. Owns the multicast socket and which
//! tables a notification makes stale. Must never read a table.

use std::io;
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, SockProtocol, recv};
use tokio::io::Interest;

use super::pace::{Set, Table};
use crate::probes::netlink::{framed, listener};
use crate::probes::sys::watched::{Watched, watch};

/// Bits of RTNLGRP_LINK, NEIGH, IPV4_IFADDR, IPV4_ROUTE, IPV4_RULE,
/// IPV6_IFADDR, IPV6_ROUTE, IPV6_RULE.
const GROUPS: u32 = group(1) | group(3) | group(5) | group(7) | group(8) | group(9) | group(11) | group(19);

const fn group(number: u32) -> u32 {
    1 << (number - 1)
}

/// Datagrams taken in one go.
const BURST: usize = 512;
const AF_BRIDGE: u8 = 7;

/// The socket that hears of changes.
#[derive(Debug)]
pub(super) struct Notices {
    socket: Watched,
    buffer: Box<[u8]>,
}

impl Notices {
    /// Subscribes. What changes from now on is heard of.
    pub(super) fn open() -> io::Result<Self> {
        let socket = listener(SockProtocol::NetlinkRoute, GROUPS)?;
        Ok(Self { socket: watch(socket, Interest::READABLE)?, buffer: vec![0; 32 * 1024].into() })
    }

    /// Waits for notifications and says what they make stale. Safe to cancel.
    pub(super) async fn next(&mut self) -> io::Result<Set> {
        loop {
            let mut ready = self.socket.readable().await?;
            let mut stale = Set::default();
            for _ in 0..BURST {
                match recv(ready.get_inner().as_raw_fd(), &mut self.buffer, MsgFlags::MSG_DONTWAIT) {
                    Ok(length) => {
                        let datagram = self.buffer.get(..length).unwrap_or_default();
                        framed(datagram).for_each(|m| stale.add(stale_by(m.kind, m.body)));
                    }
                    // Some were lost: all may be stale.
                    Err(Errno::ENOBUFS) => stale = Set::all(),
                    Err(Errno::EAGAIN) => {
                        ready.clear_ready();
                        break;
                    }
                    Err(Errno::EINTR) => {}
                    Err(e) => return Err(e.into()),
                }
            }
            if !stale.is_empty() {
                return Ok(stale);
            }
        }
    }
}

/// The tables that a notification makes stale. A link or an address takes
/// routes and neighbours with it, and the kernel says nothing of those.
fn stale_by(kind: u16, body: &[u8]) -> Set {
    use Table::{Addresses, Links, Lookups, Neighbours, Routes};
    let bridge = body.first() == Some(&AF_BRIDGE);
    match kind {
        // RTM_NEWLINK, RTM_DELLINK; a bridge's view of its ports is none of ours.
        16 | 17 if !bridge => Set::of([Links, Addresses, Routes, Neighbours, Lookups]),
        // RTM_NEWADDR, RTM_DELADDR
        20 | 21 => Set::of([Addresses, Routes, Lookups]),
        // RTM_NEWROUTE, RTM_DELROUTE, RTM_NEWRULE, RTM_DELRULE
        24 | 25 | 32 | 33 => Set::of([Routes, Lookups]),
        // RTM_NEWNEIGH, RTM_DELNEIGH; a bridge's forwarding table is none.
        28 | 29 if !bridge => Set::of([Neighbours]),
        _ => Set::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_takes_its_routes_along() {
        let stale = stale_by(16, &[0]);
        assert!(stale.has(Table::Routes) && stale.has(Table::Lookups) && !stale.has(Table::Counters));
        assert!(stale_by(28, &[AF_BRIDGE]).is_empty());
        assert!(stale_by(4711, &[]).is_empty());
    }
}
