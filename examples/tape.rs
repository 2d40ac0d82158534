//! The console on a made-up network: for pictures, and for measuring what the
//! screen costs without measuring any network.
//!
//! `cargo run --example tape [SECOND] [healthy]`

#![allow(clippy::print_stderr, reason = "an example talks to whoever runs it")]

use std::sync::mpsc::channel;
use std::time::Instant;

use frc::app::effect::Command;
use frc::app::seat::{Seat, Walk};
use frc::app::{AppOptions, run, why_no_screen};
use frc::model::{At, Message, Mono, Verdict, Wall};
use frc::probes::Batch;
use frc::state::State;
use frc::text::{Language, Texts};

#[path = "../tests/screens/tape.rs"]
mod tape;

/// The tape, going on in real time.
struct Live {
    tape: tape::Tape,
    from: Mono,
    began: Instant,
}

impl Seat for Live {
    fn state(&self) -> &State {
        self.tape.state()
    }
    fn verdict(&self) -> Option<&Verdict> {
        self.tape.verdict()
    }
    fn walk(&self) -> Option<Walk> {
        self.tape.walk()
    }
    fn apply(&mut self, batch: Batch) -> bool {
        self.tape.apply(batch)
    }
    fn tick(&mut self, now: At) -> bool {
        assert!(std::env::var_os("FRC_TAPE_PANIC").is_none() || self.began.elapsed().as_secs() < 2, "as asked");
        self.tape.tick(now)
    }
    fn now(&self) -> At {
        let mono = self.from.after(self.began.elapsed());
        At { mono, wall: Wall(tape::BEGIN + mono.0 as i64 / 1_000) }
    }
    fn command(&mut self, command: Command) -> Result<(), Message> {
        self.tape.command(command)
    }
}

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
    let mut live = Live { from: tape.state.now.mono, tape, began: Instant::now() };
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
