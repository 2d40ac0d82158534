//! The panes, one file each.
//!
//! A pane turns what the state and the verdict say into words and figures and hands
//! them to widgets. Must never compute beyond formatting, and never change anything.

pub mod connectivity;
pub mod history;
pub mod hop;
pub mod host;
pub mod nic;
pub mod outcome;
pub mod path;
pub mod runbook;
pub mod services;
pub mod timeline;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::widgets::Meaning;
use crate::widgets::strip::Piece;

use super::scene::Scene;
use super::ui::{Pane, Ui};

/// What stands in a pane's frame.
#[derive(Debug, Clone, Default)]
pub struct Head {
    /// What it is about now.
    pub subject: String,
    /// In the right corner.
    pub corner: String,
    /// Style of the corner.
    pub corner_style: Style,
}

/// What stands in a pane's frame.
pub fn head(pane: Pane, scene: &Scene<'_>, ui: &Ui) -> Head {
    match pane {
        Pane::Connectivity => connectivity::head(scene, ui),
        Pane::Path => path::head(scene, ui),
        Pane::Nic => nic::head(scene, ui),
        Pane::Services => services::head(scene),
        Pane::Runbook => runbook::head(scene),
        Pane::Timeline => timeline::head(scene),
        Pane::Host => host::head(scene),
    }
}

/// Draws a pane's inside.
pub fn draw(pane: Pane, scene: &Scene<'_>, ui: &mut Ui, buf: &mut Buffer, area: Rect) {
    if area.is_empty() {
        return;
    }
    match pane {
        Pane::Connectivity => connectivity::draw(scene, ui, buf, area),
        Pane::Path => path::draw(scene, ui, buf, area),
        Pane::Nic => nic::draw(scene, ui, buf, area),
        Pane::Services => services::draw(scene, ui, buf, area),
        Pane::Runbook => runbook::draw(scene, ui, buf, area),
        Pane::Timeline => timeline::draw(scene, ui, buf, area),
        Pane::Host => host::draw(scene, ui, buf, area),
    }
}

/// How things stand behind a pane, where that can be said.
pub fn meaning(pane: Pane, scene: &Scene<'_>, ui: &Ui) -> Option<Meaning> {
    match pane {
        Pane::Connectivity => connectivity::meaning(ui),
        Pane::Path => path::meaning(scene, ui),
        Pane::Nic => nic::meaning(scene, ui),
        Pane::Services => services::meaning(scene),
        Pane::Runbook | Pane::Timeline => None,
        Pane::Host => host::meaning(scene),
    }
}

/// A pane in one line.
pub fn strip(pane: Pane, scene: &Scene<'_>, ui: &Ui) -> Vec<Piece> {
    match pane {
        Pane::Connectivity => connectivity::strip(scene, ui),
        Pane::Path => path::strip(scene, ui),
        Pane::Nic => nic::strip(scene, ui),
        Pane::Services => services::strip(scene),
        Pane::Runbook => runbook::strip(scene),
        Pane::Timeline => timeline::strip(scene),
        Pane::Host => host::strip(scene),
    }
}

/// Everything about what is selected in a pane: words and what they introduce.
pub fn details(pane: Pane, scene: &Scene<'_>, ui: &Ui) -> Option<(String, Vec<(String, String)>)> {
    match pane {
        Pane::Connectivity => history::details(scene, ui),
        Pane::Path => path::details(scene, ui),
        Pane::Nic => nic::details(scene, ui),
        Pane::Services => services::details(scene, ui),
        Pane::Runbook => runbook::details(scene, ui),
        Pane::Timeline => timeline::details(scene, ui),
        Pane::Host => host::details(scene, ui),
    }
}

/// What is selected in a pane as text to paste elsewhere: its line, then its details.
pub fn copied(pane: Pane, scene: &Scene<'_>, ui: &Ui) -> Option<String> {
    let (title, lines) = details(pane, scene, ui)?;
    let mut text = title;
    for (word, what) in lines {
        text.push('\n');
        if !word.is_empty() {
            text.push_str(&word);
            text.push_str(": ");
        }
        text.push_str(&what);
    }
    text.push('\n');
    Some(text)
}

/// A mark and words, for strips.
pub fn marked(scene: &Scene<'_>, meaning: Meaning, words: &str) -> Piece {
    Piece::new(format!("{} {words}", scene.theme.mark(meaning)), scene.theme.meaning(meaning))
}
