//! The probes: everything that asks the network, the kernel or the clock.
//!
//! Owns sockets, timers and the tasks around them; writes records and reads
//! specifications. Must never read the state, judge a result or draw.

pub mod ask;
mod blocking;
pub mod budget;
pub mod clock;
pub mod connect;
pub mod echo;
pub mod engine;
pub mod feed;
pub mod feeds;
pub mod kernel;
pub mod load;
pub mod names;
mod netlink;
pub mod network;
pub mod out;
pub mod resolvers;
pub mod rights;
pub mod sockets;
mod supervise;
pub mod sys;
pub mod trace;
pub mod wire;

pub use budget::Budget;
pub use clock::Clock;
pub use engine::{Engine, EngineOptions};
pub use feed::{Egress, FeedContext, FeedEnd, FeedFuture, Specs};
pub use feeds::Group;
pub use out::{Batch, Entry, Out};
