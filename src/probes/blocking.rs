//! Work that may wait for the kernel, off the runtime's thread. Owns nothing but
//! the way there and back.

use std::io;

/// Runs `work` on a thread that may wait. What it needs travels there and comes
/// back as part of its result.
///
/// # Errors
/// The work panicked, or the runtime is shutting down.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)
}
