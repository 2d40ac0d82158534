//! What the kernel measured of a TCP handshake. Must never judge it.

#![allow(unsafe_code)]

use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use nix::libc;

/// The kernel's own time from SYN to SYN-ACK (`tcpi_rtt`, in whole microseconds),
/// free of how late this process was woken; nothing where it took none, as after a
/// repeated SYN (RFC 6298, 3).
pub fn handshake_rtt(socket: &impl AsFd) -> Option<Duration> {
    // SAFETY: tcp_info is a C struct of integers, for which all zeroes is a value.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    let mut length = size_of_val(&info) as libc::socklen_t;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: `fd` is open for as long as `socket` is borrowed; pointer and length
    // describe `info`, and the kernel writes no more bytes than that.
    let result =
        unsafe { libc::getsockopt(fd, libc::IPPROTO_TCP, libc::TCP_INFO, (&raw mut info).cast(), &raw mut length) };
    let measured = result == 0 && info.tcpi_total_retrans == 0 && info.tcpi_rtt > 0;
    measured.then(|| Duration::from_micros(u64::from(info.tcpi_rtt)))
}
