//! A UDP socket known to the runtime's reactor, waited on for data or error.
//!
//! Owns the promise that the descriptor stays the same while it is registered.
//! Must never receive or send by itself.

#![allow(unsafe_code)]

use std::io;
use std::net::UdpSocket;

use tokio::io::Interest;
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};

/// The socket and its registration, of one reactor, until dropped. Gives out the
/// socket by shared reference only.
#[derive(Debug)]
pub struct Registered(AsyncFd<UdpSocket>);

impl Registered {
    /// Registers a nonblocking socket. Must be called within a runtime.
    pub fn new(socket: UdpSocket) -> io::Result<Self> {
        // SAFETY: a std socket owns an open descriptor and closes it only when it is
        // dropped. It moves into the AsyncFd here, and this type lends it by `&`
        // only, so nobody can close it or put another in its place while it is
        // registered; its as_raw_fd() always returns that descriptor.
        let registered = unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE | Interest::ERROR) };
        Ok(Self(registered.map_err(io::Error::from)?))
    }

    /// The socket.
    pub fn socket(&self) -> &UdpSocket {
        self.0.get_ref()
    }

    /// Waits until there is a datagram or an entry in the error queue.
    pub async fn ready(&self) -> io::Result<AsyncFdReadyGuard<'_, UdpSocket>> {
        self.0.ready(Interest::READABLE | Interest::ERROR).await
    }
}
