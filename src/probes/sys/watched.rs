//! Handing a descriptor to the runtime's reactor.
#![allow(unsafe_code)]

use std::io;
use std::ops::Deref;
use std::os::fd::{BorrowedFd, OwnedFd};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A descriptor known to the reactor. Lends the registration by shared reference
/// only, so that nobody can put another descriptor in its place.
#[derive(Debug)]
pub struct Watched(AsyncFd<OwnedFd>);

impl Deref for Watched {
    type Target = AsyncFd<OwnedFd>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// Makes the readiness for `interest` of a descriptor something to wait for. Must
/// be called within the runtime.
///
/// # Errors
/// The reactor is full or refuses this kind of file.
pub fn watch(fd: OwnedFd, interest: Interest) -> io::Result<Watched> {
    // SAFETY: an OwnedFd names the same open descriptor for as long as it lives. It
    // moves into the AsyncFd here, which deregisters it before closing it, and
    // `Watched` never lends either by `&mut`.
    unsafe { AsyncFd::register_with_interest(fd, interest) }.map(Watched).map_err(io::Error::from)
}

/// The descriptor of one of surge-ping's sockets.
pub fn of_surge(socket: &surge_ping::AsyncSocket) -> BorrowedFd<'_> {
    // SAFETY: the socket owns this descriptor and keeps it open for as long as it is borrowed.
    unsafe { BorrowedFd::borrow_raw(socket.get_native_sock()) }
}
