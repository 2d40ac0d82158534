//! A field to write in: undo, word moves, paste, selection.
//!
//! Owns a text area of one or more lines and its place on the screen. Must never
//! know what the words are for.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::widgets::Widget;
use ratatui_textarea::TextArea;

use super::theme::Theme;

/// Longest text taken, in bytes.
pub const MAX_BYTES: usize = 8 * 1024;

/// A field.
#[derive(Debug, Clone)]
pub struct Field {
    area: TextArea<'static>,
    one_line: bool,
}

impl Field {
    /// An empty field of one line.
    pub fn line() -> Self {
        let mut area = TextArea::default();
        area.set_cursor_line_style(Style::new());
        area.set_max_histories(200);
        Self { area, one_line: true }
    }

    /// An empty field of several lines.
    pub fn lines() -> Self {
        Self { one_line: false, ..Self::line() }
    }

    /// What is written; lines are joined with `\n`.
    pub fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    /// Whether nothing is written.
    pub fn is_empty(&self) -> bool {
        self.area.is_empty()
    }

    /// Takes a key. False where it changed nothing.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        use crossterm::event::{KeyCode, KeyModifiers};
        let full = self.text().len() >= MAX_BYTES;
        match key.code {
            KeyCode::Enter if self.one_line => false,
            KeyCode::Char('m') if self.one_line && key.modifiers.contains(KeyModifiers::CONTROL) => false,
            KeyCode::Tab => false,
            // Undo where every hand expects it besides the text area's own Ctrl-U.
            KeyCode::Char('z' | '_') if key.modifiers.contains(KeyModifiers::CONTROL) => self.area.undo(),
            KeyCode::Char(_) if full && !key.modifiers.contains(KeyModifiers::CONTROL) => false,
            _ => self.area.input(key),
        }
    }

    /// Takes a paste; in a field of one line, lines become words.
    pub fn paste(&mut self, text: &str) {
        let room = MAX_BYTES.saturating_sub(self.text().len());
        let mut end = text.len().min(room);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let text = text.get(..end).unwrap_or_default();
        if self.one_line {
            self.area.insert_str(text.split_whitespace().collect::<Vec<_>>().join(" "));
        } else {
            self.area.insert_str(text);
        }
    }

    /// Draws the field; gives the place of the cursor.
    pub fn draw(&mut self, buf: &mut Buffer, area: Rect, theme: &Theme) -> Option<Position> {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return None;
        }
        self.area.set_style(theme.strong());
        // The terminal's own cursor stands there; none is painted.
        self.area.set_cursor_style(theme.strong());
        Widget::render(&self.area, area, buf);
        let at = self.area.screen_cursor();
        let (top, left) = self.area.scroll_offset();
        let x = area.x.saturating_add((at.col as u16).saturating_sub(left));
        let y = area.y.saturating_add((at.row as u16).saturating_sub(top));
        Some(Position::new(x.min(area.right() - 1), y.min(area.bottom() - 1)))
    }
}
