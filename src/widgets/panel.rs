//! A frame around a pane: its key, its title, what is worth saying in the corner.
//! Owns the frame; must never draw what is inside.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::theme::{Part, Theme};
use super::{Ink, ink};

/// A frame's words.
#[derive(Debug, Clone, Default)]
pub struct Panel<'a> {
    /// The key that goes there; may be empty.
    pub key: &'a str,
    /// What it is.
    pub title: &'a str,
    /// What it is about now.
    pub subject: &'a str,
    /// In the right corner.
    pub corner: &'a str,
    /// Style of the corner.
    pub corner_style: Style,
    /// Whether keys go there.
    pub focused: bool,
}

impl Panel<'_> {
    /// Draws the frame and gives the room inside.
    pub fn draw(&self, buf: &mut Buffer, area: Rect, theme: &Theme) -> Rect {
        let area = area.intersection(buf.area);
        if area.width < 4 || area.height < 2 {
            return Rect { width: 0, height: 0, ..area };
        }
        let frame = theme.style(if self.focused { Part::Focus } else { Part::Border });
        let glyphs = theme.glyphs;
        let [top_left, top_right, bottom_left, bottom_right] = glyphs.corners;
        let (right, bottom) = (area.right() - 1, area.bottom() - 1);
        let mut set = |x: u16, y: u16, symbol: &str| {
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.set_symbol(symbol).set_style(frame);
            }
        };
        for x in area.x + 1..right {
            set(x, area.y, glyphs.horizontal);
            set(x, bottom, glyphs.horizontal);
        }
        for y in area.y + 1..bottom {
            set(area.x, y, glyphs.vertical);
            set(right, y, glyphs.vertical);
        }
        set(area.x, area.y, top_left);
        set(right, area.y, top_right);
        set(area.x, bottom, bottom_left);
        set(right, bottom, bottom_right);
        self.draw_words(buf, area, theme);
        Rect { x: area.x + 2, y: area.y + 1, width: area.width.saturating_sub(4), height: area.height - 2 }
    }

    fn draw_words(&self, buf: &mut Buffer, area: Rect, theme: &Theme) {
        let line = Rect { x: area.x + 2, width: area.width.saturating_sub(4), height: 1, ..area };
        let mut words = Vec::new();
        if !self.key.is_empty() {
            words.push((self.key, theme.style(Part::Focus)));
        }
        words.push((self.title, if self.focused { theme.strong() } else { theme.text() }));
        if !self.subject.is_empty() {
            words.push((self.subject, theme.dim()));
        }
        let needed: u16 = words.iter().map(|(w, _)| ink::width(w) + 1).sum::<u16>() + 1;
        let mut pen = Ink::new(buf, line, 0, theme.glyphs.ellipsis);
        if !self.corner.is_empty() && needed + ink::width(self.corner) + 3 <= line.width {
            let corner = format!(" {} ", self.corner);
            pen.right(&corner, self.corner_style);
        }
        pen.put(" ", Style::new());
        for (word, style) in words {
            pen.put(word, style).put(" ", Style::new());
        }
    }
}
