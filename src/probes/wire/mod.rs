//! Formats: bytes and text in, values out. Pure; every parser is bounded and has
//! a property test. Must never open a socket or a file.

pub mod ntp;
pub mod resolv_conf;
//! Packet formats, pure: bytes in, values out, and back.
//!
//! Everything here is fed by strangers: no parser may panic or read past its
//! input, whatever the bytes. Must never touch a socket or a clock.

pub mod ancillary;
pub mod icmp;
