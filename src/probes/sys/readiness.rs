//! Waiting for a descriptor with the runtime. Owns the registration; must never
//! read or write.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Registers a descriptor. Must be called within the runtime.
///
/// # Errors
/// The runtime's poll set is full or refuses this kind of file.
pub fn register(fd: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an OwnedFd names the same open descriptor for as long as it
    // lives, and AsyncFd owns it and deregisters it before it is closed.
    unsafe { AsyncFd::register_with_interest(fd, interest) }.map_err(io::Error::from)
}
