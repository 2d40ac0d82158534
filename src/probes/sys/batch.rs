//! Receiving many datagrams with one system call, with their control data.
//!
//! Owns the buffers. Must never make sense of what is in them: `wire` does.
#![allow(unsafe_code)]

use std::io;
use std::mem::size_of;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use nix::libc;

use crate::probes::wire::ancillary::sockaddr;

/// Datagrams taken with one call.
const BATCH: usize = 64;
/// Bytes kept of each datagram: headers, our payload, and what an ICMP error quotes of it.
const DATA: usize = 192;
/// Bytes kept of each datagram's control messages: a stamp, a TTL, an extended
/// error with the offender's address.
const CONTROL: usize = 192;
const NAME: usize = size_of::<libc::sockaddr_in6>();

#[repr(align(8))]
#[derive(Clone, Copy)]
struct Aligned<const N: usize>([u8; N]);

/// Buffers for [`BATCH`] datagrams, allocated once.
pub struct Batch {
    data: Box<[Aligned<DATA>]>,
    control: Box<[Aligned<CONTROL>]>,
    names: Box<[Aligned<NAME>]>,
    /// Length of data, control and name of each datagram of the last call.
    lengths: Vec<(usize, usize, usize)>,
}

/// One received datagram.
#[derive(Debug, Clone, Copy)]
pub struct Datagram<'a> {
    /// Its bytes, at most 192; from the error queue, what the error quotes.
    pub data: &'a [u8],
    /// Its control messages as the kernel laid them out.
    pub control: &'a [u8],
    /// Who sent it; from the error queue, where the offending packet was to go.
    pub peer: Option<(IpAddr, u16)>,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            data: vec![Aligned([0; DATA]); BATCH].into_boxed_slice(),
            control: vec![Aligned([0; CONTROL]); BATCH].into_boxed_slice(),
            names: vec![Aligned([0; NAME]); BATCH].into_boxed_slice(),
            lengths: Vec::with_capacity(BATCH),
        }
    }
}

impl Batch {
    /// Takes what is there, without waiting: datagrams, or with `errors` what
    /// the error queue holds. Returns how many; zero when there is nothing.
    /// Any other error is one that was pending on the socket (an ICMP error
    /// that concerns some earlier packet) and is cleared by having been told.
    pub fn receive(&mut self, socket: BorrowedFd<'_>, errors: bool) -> io::Result<usize> {
        self.lengths.clear();
        let mut vectors = [libc::iovec { iov_base: ptr::null_mut(), iov_len: DATA }; BATCH];
        for (vector, data) in vectors.iter_mut().zip(&mut self.data) {
            vector.iov_base = data.0.as_mut_ptr().cast();
        }
        let mut headers: [libc::mmsghdr; BATCH] = std::array::from_fn(|i| {
            // SAFETY: mmsghdr is a C struct of integers and pointers, for which all zeroes is a value.
            let mut header: libc::mmsghdr = unsafe { std::mem::zeroed() };
            header.msg_hdr.msg_name = self.names[i].0.as_mut_ptr().cast();
            header.msg_hdr.msg_namelen = NAME as libc::socklen_t;
            header.msg_hdr.msg_iov = &raw mut vectors[i];
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_control = self.control[i].0.as_mut_ptr().cast();
            header.msg_hdr.msg_controllen = CONTROL as _;
            header
        });
        let flags = libc::MSG_DONTWAIT | if errors { libc::MSG_ERRQUEUE } else { 0 };
        // SAFETY: every pointer in `headers` is to a buffer of `self` or to `vectors`, all of which
        // outlive the call and have the stated lengths; the descriptor is borrowed, hence open.
        let n = unsafe {
            libc::recvmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), BATCH as libc::c_uint, flags as _, ptr::null_mut())
        };
        if n < 0 {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::WouldBlock { Ok(0) } else { Err(error) };
        }
        // musl has these lengths in 32 bits.
        #[allow(clippy::unnecessary_cast)]
        self.lengths.extend(headers.iter().take(n as usize).map(|h| {
            let (data, control) = (h.msg_len as usize, h.msg_hdr.msg_controllen as usize);
            (data.min(DATA), control.min(CONTROL), (h.msg_hdr.msg_namelen as usize).min(NAME))
        }));
        Ok(self.lengths.len())
    }

    /// The datagrams of the last call.
    pub fn datagrams(&self) -> impl Iterator<Item = Datagram<'_>> {
        self.lengths.iter().enumerate().map(|(i, &(data, control, name))| Datagram {
            data: &self.data[i].0[..data],
            control: &self.control[i].0[..control],
            peer: sockaddr(&self.names[i].0[..name]),
        })
    }
}
