//! System calls that no safe wrapper covers: the only unsafe code of the house.
//! Must never know what the results mean to a person.

pub mod ethtool;
pub mod readiness;
