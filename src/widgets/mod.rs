//! Drawing that knows nothing of networks.
//!
//! Owns shapes, glyphs, colours and clipping: every widget takes text and figures
//! already made, and draws into any rectangle, empty ones and ones beyond the
//! buffer included, without a panic. Must never know a probe, a target or a clock.

pub mod banner;
pub mod chart;
pub mod checklist;
pub mod field;
pub mod gauge;
pub mod help;
pub mod ink;
pub mod palette;
pub mod panel;
pub mod sparkline;
pub mod strip;
pub mod table;
pub mod theme;

pub use ink::Ink;
pub use theme::{Glyphs, Meaning, Theme};
