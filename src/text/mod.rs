//! Languages, messages, number and time formats: the only place where a
//! [`Message`](crate::model::Message) becomes words.
//!
//! Owns the message files under `assets/locales/` and how figures are written for
//! people. Must never know a screen, a colour or what a finding means.
//!
//! Figures inside a sentence are arguments as plain numbers; the message file says
//! how they are written, because that is a matter of language. Besides Fluent's own
//! `NUMBER` it may call:
//!
//! | call | takes | gives |
//! | --- | --- | --- |
//! | `PERCENT($x)` | a ratio, 0 to 1 | `12 %`, `99.95 %` |
//! | `MS($x)` | milliseconds | `0.3 ms`, `12 ms`, `1.2 s` |
//! | `DURATION($x)` | seconds | `07:41`, `2 h 03` |
//! | `AGE($x)` | seconds | `8 s`, `41 d` |
//! | `COUNT($x)` | a count | `1,204` |
//! | `BITRATE($x)` | bits a second | `1.2 Mb/s` |
//! | `BYTES($x)` | bytes | `1.5 GiB` |
//! | `TIME($x)` | Unix seconds | local `03:12:07` |
//! | `DATE($x)` | Unix seconds | local `2026-11-20` |
//!
//! `{ $x }` alone writes a number plainly, without thousands (ports, hops).

pub mod format;
pub mod language;
pub mod mistakes;
pub mod texts;
pub mod zone;

pub use language::{Chosen, Environment, Language};
pub use texts::Texts;
pub use zone::Zone;
