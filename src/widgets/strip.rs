//! One-line strips: tabs, and pieces in a row that give way one by one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::theme::{Meaning, Part, Theme};
use super::{Ink, ink};

/// A tab.
#[derive(Debug, Clone, PartialEq)]
pub struct Tab {
    /// Its key.
    pub key: char,
    /// Its name.
    pub name: String,
    /// How things stand behind it.
    pub meaning: Option<Meaning>,
    /// Whether it is the one shown.
    pub chosen: bool,
}

/// Draws tabs from the left: key and mark of how things stand, names while there
/// is room for all of them.
pub fn tabs(buf: &mut Buffer, area: Rect, tabs: &[Tab], theme: &Theme) {
    let full: u16 = tabs.iter().map(|t| ink::width(&t.name) + 6).sum();
    let names = full <= area.width;
    let mut pen = Ink::new(buf, area, 0, theme.glyphs.ellipsis);
    for tab in tabs {
        let mark = tab.meaning.filter(|m| *m != Meaning::Good);
        let mut text = format!(" {}", tab.key);
        if names || tab.chosen {
            text.push(' ');
            text.push_str(&tab.name);
        }
        let (style, mark_style) = if tab.chosen {
            (theme.style(Part::Chosen), theme.style(Part::Chosen))
        } else {
            let style = tab.meaning.map_or(theme.dim(), |m| theme.meaning(m));
            (if mark.is_some() { style } else { theme.dim() }, style)
        };
        pen.put(&text, style);
        match mark {
            Some(meaning) => pen.put(" ", style).put(theme.mark(meaning), mark_style).put(" ", style),
            None => pen.put(" ", style),
        };
        pen.put(" ", Style::new());
    }
}

/// A piece of a strip.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// The words.
    pub text: String,
    /// Their look.
    pub style: Style,
}

impl Piece {
    /// A piece.
    pub fn new(text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), style }
    }
}

/// Draws pieces with `gap` blanks between them; those that no longer fit are left
/// out. The first one is cut rather than left out.
pub fn pieces(pen: &mut Ink<'_>, pieces: &[Piece], gap: u16) {
    for (n, piece) in pieces.iter().enumerate() {
        let lead = if n == 0 { 0 } else { gap };
        if n > 0 && ink::width(&piece.text) + lead > pen.left() {
            continue;
        }
        pen.skip(lead).put(&piece.text, piece.style);
    }
}
