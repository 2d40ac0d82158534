//! What the application asks to be done to the world outside its own state.
//! Owns the vocabulary; `run` carries it out.

use crate::model::TargetId;

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Ask the session for something.
    Command(Command),
    /// Put text where the terminal's user can paste it.
    Copy(String),
    /// Change between the dark and the light colours.
    Colours,
    /// Forget what the terminal shows and draw all of it.
    Redraw,
    /// Stop until continued (Ctrl-Z).
    Suspend,
    /// End the program.
    Quit,
}

/// What the screen may ask of the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Watch a target, written as on the command line; already found well formed.
    AddTarget(String),
    /// Watch a target no longer.
    RemoveTarget(TargetId),
    /// Trace the path to a target.
    Trace(TargetId),
    /// Tick a runbook's step, or take the tick back.
    Tick {
        /// Runbook's id.
        runbook: String,
        /// Step's id within it.
        step: String,
        /// Ticked or not.
        done: bool,
    },
    /// Write something down.
    Note(String),
}
