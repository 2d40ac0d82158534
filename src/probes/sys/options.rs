//! Socket options that nix does not offer.
//!
//! Owns their layout. Must never decide when one is wanted.
#![allow(unsafe_code)]

use std::io;
use std::mem::size_of_val;
use std::os::fd::{AsFd, AsRawFd};

use nix::libc;

/// `linux/icmp.h`, level `SOL_RAW`: a mask of types that are dropped.
const ICMP_FILTER: libc::c_int = 1;
/// `linux/icmpv6.h`, level `IPPROTO_ICMPV6`: 256 bits, set means dropped.
const ICMPV6_FILTER: libc::c_int = 1;

fn set<T>(socket: impl AsFd, level: libc::c_int, name: libc::c_int, value: &T) -> io::Result<()> {
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: the pointer and the length describe `value`, which the kernel only reads; the
    // descriptor is borrowed, hence open.
    let r = unsafe {
        libc::setsockopt(fd, level, name, std::ptr::from_ref(value).cast(), size_of_val(value) as libc::socklen_t)
    };
    if r == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Lets a raw ICMPv4 socket see echo replies only. Errors come through the
/// error queue, which this filter does not touch.
pub fn only_echo_replies_v4(socket: impl AsFd) -> io::Result<()> {
    set(socket, libc::SOL_RAW, ICMP_FILTER, &!1_u32)
}

/// Lets a raw ICMPv6 socket see echo replies (type 129) only.
pub fn only_echo_replies_v6(socket: impl AsFd) -> io::Result<()> {
    let mut blocked = [u32::MAX; 8];
    blocked[129 / 32] &= !(1 << (129 % 32));
    set(socket, libc::IPPROTO_ICMPV6, ICMPV6_FILTER, &blocked)
}

/// Lets a raw ICMP socket see messages with this identifier only, so that the
/// replies of others do not wake us. With `ip_header` the data begins with the
/// IPv4 header, as on raw IPv4 sockets.
pub fn only_identifier(socket: impl AsFd, identifier: u16, ip_header: bool) -> io::Result<()> {
    let op = |code: u32, jt, jf, k| libc::sock_filter { code: code as u16, jt, jf, k };
    // X = 4 * (P[0] & 0xf), the length of the IPv4 header; or 0.
    let start = if ip_header {
        op(libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH, 0, 0, 0)
    } else {
        op(libc::BPF_LDX | libc::BPF_W | libc::BPF_IMM, 0, 0, 0)
    };
    let mut program = [
        start,
        op(libc::BPF_LD | libc::BPF_H | libc::BPF_IND, 0, 0, 4),
        op(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, u32::from(identifier)),
        op(libc::BPF_RET | libc::BPF_K, 0, 0, u32::MAX),
        op(libc::BPF_RET | libc::BPF_K, 0, 0, 0),
    ];
    let filter = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    set(socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &filter)
}

/// Sends with the don't-fragment bit and without regard to the path MTU known
/// so far, so that a router's "too big" is an answer and not a local error.
pub fn probe_mtu(socket: impl AsFd, v6: bool) -> io::Result<()> {
    let (level, name, how) = if v6 {
        (libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_PROBE)
    } else {
        (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_PROBE)
    };
    set(socket, level, name, &how)
}

/// The kernel's own round-trip time of an established connection's handshake
/// (`tcpi_rtt`), in microseconds.
pub fn tcp_rtt(socket: impl AsFd) -> Option<u32> {
    tcp_handshake(socket).map(|(rtt, _)| rtt)
}

/// Likewise, with the number of segments that were sent again (`tcpi_total_retrans`): after
/// a repeated SYN the time may be that of the last one only.
pub fn tcp_handshake(socket: impl AsFd) -> Option<(u32, u32)> {
    // SAFETY: tcp_info is a C struct of integers, for which all zeroes is a value.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    let mut length = size_of_val(&info) as libc::socklen_t;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: pointer and length describe `info`; the kernel writes at most that many bytes.
    let r = unsafe { libc::getsockopt(fd, libc::IPPROTO_TCP, libc::TCP_INFO, (&raw mut info).cast(), &raw mut length) };
    (r == 0 && info.tcpi_rtt > 0).then_some((info.tcpi_rtt, info.tcpi_total_retrans))
}
