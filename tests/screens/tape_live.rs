//! The tape as a session that goes on in real time.

#![allow(missing_docs, reason = "shared by a test and by an example")]

use std::time::Instant;

use frc::app::effect::Command;
use frc::app::seat::{Seat, Walk};
use frc::model::{At, Message, Mono, Verdict, Wall};
use frc::probes::Batch;
use frc::state::State;

use crate::tape::{BEGIN, Tape};

/// The tape, going on in real time.
pub struct Live {
    tape: Tape,
    from: Mono,
    began: Instant,
    /// Panics at the next second.
    pub panics: bool,
}

impl Live {
    /// Goes on where the tape stands.
    pub fn new(tape: Tape) -> Self {
        Self { from: tape.state.now.mono, tape, began: Instant::now(), panics: false }
    }
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
        assert!(!self.panics, "as asked");
        self.tape.tick(now)
    }
    fn now(&self) -> At {
        let mono = self.from.after(self.began.elapsed());
        At { mono, wall: Wall(BEGIN + mono.0 as i64 / 1_000) }
    }
    fn command(&mut self, command: Command) -> Result<(), Message> {
        self.tape.command(command)
    }
}
