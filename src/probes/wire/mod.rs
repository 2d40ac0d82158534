//! Packet and file formats, pure: bytes and text in, values out, and back.
//!
//! Everything here is fed by strangers: every parser is bounded, has a property
//! test, and may not panic or read past its input, whatever the bytes. Must never
//! touch a socket, a file or a clock.

pub mod ancillary;
pub mod icmp;
pub mod mountinfo;
pub mod ntp;
pub mod proc_host;
pub mod proc_net;
pub mod resolv_conf;
