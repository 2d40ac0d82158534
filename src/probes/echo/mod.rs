//! The ICMP echo feed: every `Ask::Icmp` from one task, raw or datagram,
//! whichever this user may.
//!
//! The roster knows what is due; the queue engine (our own sockets) carries it
//! out, with surge-ping behind it where the kernel lacks what that needs (the
//! figures are in `plain`). Must never read a packet.

mod agenda;
mod plain;
mod queue;
mod roster;

use super::feed::{FeedContext, FeedFuture};

/// The feed.
pub fn run(ctx: FeedContext) -> FeedFuture {
    Box::pin(queue::run(ctx))
}
