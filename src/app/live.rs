//! The console's seat at a session that measures: records in, verdicts, the runbook.
//!
//! Owns the rhythm of judging and the words of the walk. Must never draw.

use std::io;
use std::time::{Duration, Instant};

use crate::cli::Global;
use crate::headless::{Setup, What, person};
use crate::model::record::Origin;
use crate::model::target::Written;
use crate::model::{At, Message, ProbeKind, TargetId, Untrusted, Verdict};
use crate::probes::Batch;
use crate::runbook::{self, Mark, Phase, Runbook, Truth};
use crate::session::TargetRequest;
use crate::session::live::Live;
use crate::state::State;
use crate::text::Texts;

use super::effect::Command;
use super::event::Ending;
use super::run::{AppOptions, why_no_screen};
use super::seat::{Seat, Stand, Walk, WalkPhase, WalkStep};
use super::tty::NoScreen;

/// While the first measurements come in the session is judged this often, so that a
/// verdict is on the screen soon after its cause; later once a second.
const JUDGE: Duration = Duration::from_millis(250);
/// For how long measurements count as the first.
const FIRST: Duration = Duration::from_secs(15);

/// Runs the console over what `setup` says, with these runbooks; the exit status.
///
/// # Errors
/// There is no screen (told as a message), or the probes cannot be started.
pub fn console(
    setup: &Setup,
    global: &Global,
    texts: &Texts,
    runbooks: Vec<Runbook>,
) -> io::Result<Result<u8, Message>> {
    // What cannot be shown need not be measured.
    if let Err(why) = super::tty::Tty::open() {
        return Ok(Err(why_no_screen(&why)));
    }
    let what = What { guide: Some(runbooks), ..What::everything() };
    let mut live = setup.start(setup.pace(), what)?;
    let batches = live.split_batches();
    let mut seat =
        LiveSeat { texts, person: person(), judged: None, changed: Some(Instant::now()), unkept: false, live };
    let screen = setup.screen;
    let options = AppOptions {
        no_color: global.no_color,
        ascii: global.ascii || screen.ascii,
        theme: screen.theme,
        frames_per_second: screen.frames_per_second,
    };
    let ended = super::run::run(&options, texts, &mut seat, batches);
    Ok(ended.map(Ending::status).map_err(|why: NoScreen| why_no_screen(&why)))
}

struct LiveSeat<'a> {
    live: Live,
    texts: &'a Texts,
    judged: Option<Instant>,
    /// When targets, probes or the host's network changed last.
    changed: Option<Instant>,
    /// Who sits here, for what is put on record.
    person: Origin,
    /// Something was noted or ticked that ends with the session.
    unkept: bool,
}

impl LiveSeat<'_> {
    fn judge(&mut self) -> bool {
        self.judged = Some(Instant::now());
        self.live.judge()
    }

    fn watch(&mut self, text: &str) -> Result<(), Message> {
        let written: Written = text.parse().map_err(|e| Message::new("target-error").with("why", format!("{e}")))?;
        let (at, origin) = (self.live.now(), self.person.clone());
        let request = TargetRequest { written, label: None };
        match self.live.session.watch(at, origin, &request) {
            Some(_) => {
                self.live.replan();
                Ok(())
            }
            None => Err(Message::new("notice-too-many")),
        }
    }

    fn trace(&mut self, id: TargetId) -> Result<(), Message> {
        let state = &self.live.session.state;
        let is_traced = state.probes_of(id).any(|p| p.kind() == ProbeKind::Trace);
        match state.target(id).map(|t| t.host.to_string()) {
            Some(host) if !is_traced => self.watch(&host),
            _ => Ok(()),
        }
    }

    fn step(&self, view: &runbook::StepView<'_>, due: Option<At>) -> WalkStep {
        let zone = self.texts.zone();
        let text = |t: &Option<Untrusted>| t.as_ref().map_or_else(String::new, ToString::to_string);
        let stand = match (view.mark, view.truth) {
            // What shall show the recovery is to come, and not wrong until it has.
            (Mark::Open, Truth::No) if view.step.phase == Phase::Confirm => Stand::Open,
            // What the probes ticked and no longer see is not so now.
            (Mark::Probes { .. }, Truth::No) => Stand::Failed,
            (Mark::Probes { .. }, Truth::NotMeasured) => Stand::Unmeasured,
            (mark, _) if mark.is_done() => Stand::Done,
            (_, Truth::No) => Stand::Failed,
            (_, Truth::NotMeasured) if view.step.check.is_some() => Stand::Unmeasured,
            _ => Stand::Open,
        };
        let minute = |at: &At| zone.minute(at.wall);
        let note = match view.mark {
            Mark::Probes { at, .. } if stand == Stand::Done => minute(at),
            Mark::Probes { at, .. } => {
                self.texts.render(&Message::new("runbook-was").with("time", zone.minute(at.wall)))
            }
            Mark::Person { who, at } | Mark::Overridden { who, at, .. } => format!("{who} {}", minute(at)),
            Mark::Open | Mark::Reopened { .. } => match (due, stand) {
                (Some(due), _) => self.texts.render(&Message::new("runbook-due").with("time", zone.minute(due.wall))),
                (_, Stand::Open) if view.truth == Truth::No => self.texts.word("runbook-not-yet").into_owned(),
                (_, Stand::Unmeasured) => self.texts.word("runbook-unmeasured").into_owned(),
                _ => String::new(),
            },
        };
        let evidence = match view.mark {
            Mark::Probes { evidence, .. } if stand == Stand::Done => evidence.as_ref(),
            _ => view.now,
        };
        WalkStep {
            id: view.step.id.clone(),
            text: view.step.title.to_string(),
            stand,
            note,
            seen: evidence.map_or_else(String::new, |m| self.texts.render(m)),
            why: text(&view.step.why),
            expect: text(&view.step.expect),
            back: text(&view.step.rollback),
            commands: view.step.body.iter().map(ToString::to_string).collect(),
        }
    }
}

impl Seat for LiveSeat<'_> {
    fn state(&self) -> &State {
        &self.live.session.state
    }

    fn verdict(&self) -> Option<&Verdict> {
        Some(self.live.session.verdict())
    }

    fn walk(&self) -> Option<Walk> {
        let walk = self.live.session.walk()?;
        let current = walk.current().map(|s| s.number);
        let phases = Phase::ALL.map(|phase| WalkPhase {
            title: self
                .texts
                .word(match phase {
                    Phase::Fault => "phase-fault",
                    Phase::Response => "phase-response",
                    Phase::Confirm => "phase-confirm",
                })
                .into_owned(),
            steps: walk
                .steps()
                .filter(|s| s.step.phase == phase)
                .map(|s| self.step(&s, walk.due().filter(|_| current == Some(s.number))))
                .collect(),
        });
        let book = walk.runbook();
        Some(Walk { id: book.id.clone(), title: book.title.to_string(), phases: phases.into(), current })
    }

    fn apply(&mut self, batch: Batch) -> bool {
        let before = self.live.session.state.structure();
        self.live.take(batch);
        let structure = self.live.session.state.structure();
        if structure != before {
            self.changed = Some(Instant::now());
        }
        let first = self.changed.is_some_and(|c| c.elapsed() < FIRST);
        let judged = first && self.judged.is_none_or(|j| j.elapsed() >= JUDGE) && self.judge();
        judged || structure != before
    }

    fn tick(&mut self, _now: At) -> bool {
        self.live.replan();
        self.judge()
    }

    fn now(&self) -> At {
        self.live.now()
    }

    fn command(&mut self, command: Command) -> Result<(), Message> {
        let (at, origin) = (self.live.now(), self.person.clone());
        match command {
            Command::AddTarget(text) => self.watch(&text)?,
            Command::RemoveTarget(id) => {
                self.live.session.unwatch(at, origin, id);
                self.live.replan();
            }
            Command::Trace(id) => self.trace(id)?,
            Command::Tick { runbook, step, done } => {
                let session = &mut self.live.session;
                if session.walk().is_some_and(|w| w.runbook().id == runbook) {
                    self.unkept |= session.tick_step(&step, done, None, at, origin);
                }
            }
            Command::Note(text) => {
                self.unkept = true;
                self.live.session.note(&text, at, origin);
            }
        }
        Ok(())
    }

    fn would_lose(&self) -> Option<Message> {
        self.unkept.then(|| Message::new("confirm-quit"))
    }
}
