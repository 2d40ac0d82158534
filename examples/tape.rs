//! The console on a made-up network: for pictures, and for measuring what the
//! screen costs without measuring any network.
//!
//! `cargo run --example tape [SECOND] [healthy]`

#![allow(clippy::print_stderr, reason = "an example talks to whoever runs it")]

use std::sync::mpsc::channel;

use frc::app::{AppOptions, run, why_no_screen};
use frc::text::{Language, Texts};

#[path = "../tests/screens/tape_live.rs"]
mod live;
#[path = "../tests/screens/tape.rs"]
mod tape;

fn main() {
    let mut args = std::env::args().skip(1);
    let second: u64 = args.next().and_then(|a| a.parse().ok()).unwrap_or(90);
    let rest: Vec<_> = args.collect();
    let has = |word: &str| rest.iter().any(|a| a == word);
    let tape = match (second, has("thousand")) {
        (_, true) => tape::Tape::thousand(),
        (0, _) => tape::Tape::blank(),
        _ => tape::Tape::at_second(second, !has("healthy")),
    };
    let texts = Texts::new(Language::En);
    let mut live = live::Live::new(tape);
    let (_keep, batches) = channel();
    let options = AppOptions { no_color: has("--no-color"), ascii: has("--ascii"), ..AppOptions::default() };
    match run(&options, &texts, &mut live, batches) {
        Ok(ending) => std::process::exit(i32::from(ending.status())),
        Err(why) => {
            eprintln!("{}", texts.render(&why_no_screen(&why)));
            std::process::exit(1);
        }
    }
}
