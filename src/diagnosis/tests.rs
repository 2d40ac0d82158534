//! The rules against made-up networks: each fires, stays quiet about its healthy
//! lookalike, and waits until enough was measured.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

mod adversary;
mod link;
mod names;
mod neighbour;
mod path;
mod reach;
mod service;
mod tape;
mod transport;
mod verdicts;
mod world;
