//! `frc`: a terminal incident console. See `ARCHITECTURE.md` for the map and the
//! rules; `tests/tidy.rs` holds them.

pub mod app;
pub mod cli;
pub mod config;
pub mod diagnosis;
pub mod headless;
pub mod log;
pub mod model;
pub mod probes;
pub mod run;
pub mod session;
pub mod state;

pub mod runbook;
pub mod text;
pub mod widgets;
