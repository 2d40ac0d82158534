//! The probes: everything that asks the network, the kernel or the clock.
//!
//! Owns sockets, timers and the tasks around them; writes records and reads
//! specifications. Must never read the state, judge a result or draw.

mod blocking;
pub mod budget;
pub mod clock;
pub mod feed;
pub mod kernel;
pub mod load;
mod netlink;
pub mod network;
pub mod out;
pub mod resolvers;
pub mod sockets;
pub mod sys;
pub mod wire;

pub use budget::Budget;
pub use clock::Clock;
pub use feed::{Egress, FeedContext, FeedEnd, FeedFuture, Specs};
pub use out::{Batch, Entry, Out};
