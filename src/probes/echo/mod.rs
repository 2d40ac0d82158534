//! The ICMP echo feed: every `Ask::Icmp` from one task, raw or datagram,
//! whichever this user may.
//!
//! Owns the choice of engine and the feed's life. Must never read a packet.

mod agenda;
mod queue;
mod roster;

use super::feed::{FeedContext, FeedFuture};

/// The feed.
pub fn run(ctx: FeedContext) -> FeedFuture {
    Box::pin(queue::run(ctx))
}
