//! Formats: bytes and text in, values out. Pure; every parser is bounded and has
//! a property test. Must never open a socket or a file.

pub mod mountinfo;
pub mod proc_host;
pub mod proc_net;
pub mod resolv_conf;
