//! Handing a descriptor to the runtime's reactor.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A descriptor whose readiness for `interest` can be waited for. Must be
/// called within the runtime.
pub fn watch(fd: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an OwnedFd is open, and stays the same descriptor until it is dropped; the AsyncFd
    // owns it and hands out shared references only.
    unsafe { AsyncFd::register_with_interest(fd, interest) }.map_err(io::Error::from)
}

/// The descriptor of one of surge-ping's sockets.
pub fn of_surge(socket: &surge_ping::AsyncSocket) -> BorrowedFd<'_> {
    // SAFETY: the socket owns this descriptor and keeps it open for as long as it is borrowed.
    unsafe { BorrowedFd::borrow_raw(socket.get_native_sock()) }
}
