//! Packet formats, pure: bytes in, values out, and back.
//!
//! Everything here is fed by strangers: no parser may panic or read past its
//! input, whatever the bytes. Must never touch a socket or a clock.

pub mod ancillary;
pub mod icmp;
