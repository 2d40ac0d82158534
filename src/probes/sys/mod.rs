//! Sockets as the kernel offers them: options that the safe crates lack, and
//! receiving in batches with the error queue.
//!
//! The only place of this crate with unsafe code. Must never know what a probe
//! means or who asked for it.

pub mod batch;
pub mod ethtool;
pub mod options;
pub mod socket;
pub mod stamp;
pub mod watched;
