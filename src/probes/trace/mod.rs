//! The tracer: every `Ask::Trace` from one task, on the error queue.
//!
//! Works for any user: ICMP where a raw or a datagram socket may be opened, UDP
//! and TCP always. An answer is told as it arrives. What identifies a probe: for
//! ICMP the sequence number, which every router quotes, and our mark where more
//! is quoted; for UDP our mark in the payload, and where a router quotes eight
//! bytes only, which the kernel does not show, a guess (see
//! [`course::Course::guess`]); for TCP its own socket.
//!
//! A target that is on-link and does not resolve is told by this host's own
//! kernel some three seconds late, as `Answered` with an error after `Silent`.
//! A TCP probe does not wait that long.
//!
//! Owns the feed's life. Must never judge a path.

mod course;
mod desk;
mod flight;
mod order;
mod tcp;
mod wires;

use super::feed::{FeedContext, FeedFuture};

/// The feed.
pub fn run(ctx: FeedContext) -> FeedFuture {
    Box::pin(desk::run(ctx))
}
