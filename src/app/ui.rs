//! What the screen itself remembers: which pane has the keys, what is selected,
//! what is open on top.
//!
//! Owns no measurement. Must never do I/O or read a clock.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::model::{Message, Mono, ProbeId, TargetId, Verdict};
use crate::state::State;
use crate::widgets::field::Field;
use crate::widgets::table::View;

use super::seat::{Seat, Walk};

/// The panes, in the order of their keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[expect(missing_docs, reason = "the names are the panes'")]
pub enum Pane {
    #[default]
    Connectivity,
    Path,
    Nic,
    Services,
    Runbook,
    Timeline,
    Host,
}

impl Pane {
    /// Every pane.
    pub const ALL: [Self; 7] =
        [Self::Connectivity, Self::Path, Self::Nic, Self::Services, Self::Runbook, Self::Timeline, Self::Host];

    /// Its key.
    pub fn key(self) -> char {
        char::from(b'1' + self as u8)
    }

    /// The pane `step` further in the circle.
    pub fn next(self, step: isize) -> Self {
        let n = (self as isize + step).rem_euclid(Self::ALL.len() as isize) as usize;
        Self::ALL[n]
    }

    /// Id of its name.
    pub fn title(self) -> &'static str {
        match self {
            Self::Connectivity => "pane-connectivity",
            Self::Path => "pane-path",
            Self::Nic => "pane-nic",
            Self::Services => "pane-services",
            Self::Runbook => "pane-runbook",
            Self::Timeline => "pane-timeline",
            Self::Host => "pane-host",
        }
    }

    /// Id of its short name, for tabs.
    pub fn tab(self) -> &'static str {
        match self {
            Self::Connectivity => "tab-connectivity",
            Self::Path => "tab-path",
            Self::Nic => "tab-nic",
            Self::Services => "tab-services",
            Self::Runbook => "tab-runbook",
            Self::Timeline => "tab-timeline",
            Self::Host => "tab-host",
        }
    }
}

/// What is open on top of the panes.
#[derive(Debug, Clone, Default)]
pub enum Mode {
    /// Nothing: keys go to the focused pane.
    #[default]
    Panes,
    /// The page of keys.
    Help {
        /// First line shown.
        scroll: u16,
    },
    /// The palette.
    Palette {
        /// What is searched.
        field: Field,
        /// Which of the found is selected.
        view: View,
    },
    /// Typing a filter; rows narrow meanwhile.
    Filter {
        /// What is typed.
        field: Field,
        /// The filter before.
        before: String,
    },
    /// Typing a target.
    Target {
        /// What is typed.
        field: Field,
        /// Why it cannot be taken.
        error: Option<Message>,
    },
    /// Typing a note.
    Note {
        /// What is typed.
        field: Field,
    },
    /// A question: `y` does it, anything else does not.
    Confirm {
        /// The question.
        question: Message,
        /// What is done on yes.
        yes: Question,
    },
}

/// What a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// End the program.
    Quit,
    /// Watch a target no longer.
    Remove(TargetId),
}

/// The path that a person chose to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traced {
    /// The first one to a target.
    Target(TargetId),
    /// The one to this address.
    Address(IpAddr),
}

/// The picture held still.
#[derive(Debug, Clone)]
pub struct Frozen {
    /// Everything known then.
    pub state: State,
    /// What the diagnosis said then.
    pub verdict: Option<Verdict>,
    /// The runbook as it stood then.
    pub walk: Option<Walk>,
}

/// What the screen remembers.
#[derive(Debug, Default)]
pub struct Ui {
    /// Columns and rows.
    pub size: (u16, u16),
    /// The pane with the keys.
    pub focus: Pane,
    /// Whether it has the whole screen.
    pub zoomed: bool,
    /// Whether the details of what is selected are open.
    pub details: bool,
    /// First line of the details shown.
    pub details_scroll: u16,
    /// What is open on top.
    pub mode: Mode,
    /// Scrolling and selection, a pane each.
    pub views: BTreeMap<Pane, View>,
    /// Rows shown hold this.
    pub filter: String,
    /// The picture held still.
    pub frozen: Option<Box<Frozen>>,
    /// Whether the picture drawn is the one held still.
    pub is_frozen: bool,
    /// A word about what was just done, and until when it stands.
    pub notice: Option<(Message, Mono)>,
    /// Rows of the connectivity pane; refreshed with the figures, not with keys.
    pub rows: Vec<ProbeId>,
    /// How many of those rows stand how: fault, warning, good, not measured.
    pub standings: [usize; 4],
    /// The path that is shown, where a person chose one.
    pub traced: Option<Traced>,
    /// The paths that can be shown, in the order to go through them.
    pub paths: Vec<ProbeId>,
    /// The one that is.
    pub followed: Option<ProbeId>,
    /// Rows of the other panes, by their number.
    pub counts: BTreeMap<Pane, usize>,
    /// Panes whose selection a person has moved; until then it stays where the worst
    /// stands.
    pub moved: BTreeSet<Pane>,
    /// Rows visible in the focused pane, for paging.
    pub page: u16,
}

impl Ui {
    /// The scrolling of a pane.
    pub fn view(&mut self, pane: Pane) -> &mut View {
        self.views.entry(pane).or_default()
    }

    /// What is selected in a pane, by row number.
    pub fn selected(&self, pane: Pane) -> usize {
        self.views.get(&pane).map_or(0, |v| v.selected)
    }

    /// Rows of a pane.
    pub fn count(&self, pane: Pane) -> usize {
        match pane {
            Pane::Connectivity => self.rows.len(),
            other => self.counts.get(&other).copied().unwrap_or(0),
        }
    }

    /// Holds the picture still, or lets it go.
    pub fn freeze(&mut self, seat: &dyn Seat) {
        if self.is_frozen {
            self.is_frozen = false;
            return;
        }
        self.frozen =
            Some(Box::new(Frozen { state: seat.state().clone(), verdict: seat.verdict().cloned(), walk: seat.walk() }));
    }
}
