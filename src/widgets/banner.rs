//! The few lines that say it all, on a ground of their own at the top.
//! Owns their look; the words come from whoever knows.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::theme::{Meaning, Theme};
use super::{Ink, ink};

/// The banner's words.
#[derive(Debug, Clone, PartialEq)]
pub struct Banner {
    /// What it means; gives ground, edge and mark.
    pub meaning: Meaning,
    /// What is so.
    pub headline: String,
    /// Pieces of the second line, most needed first; what does not fit is left out.
    pub facts: Vec<Fact>,
}

/// A piece of the second line.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// The words.
    pub text: String,
    /// Whether they are to be read first.
    pub strong: bool,
}

/// Draws the banner: the headline on as many lines as there are but the last,
/// the facts on the last.
pub fn draw(buf: &mut Buffer, area: Rect, banner: &Banner, theme: &Theme) {
    let area = area.intersection(buf.area);
    if area.is_empty() {
        return;
    }
    let ground = theme.banner(banner.meaning);
    ink::tint(buf, area, ground);
    let mark = theme.meaning(banner.meaning);
    for y in 0..area.height {
        Ink::new(buf, area, y, theme.glyphs.ellipsis).symbol(theme.glyphs.edge, mark);
    }
    let bold = Style::new().add_modifier(ratatui::style::Modifier::BOLD);
    let room = area.width.saturating_sub(4);
    let lines_for_headline = area.height.saturating_sub(1).max(1);
    let lines = ink::wrap(&banner.headline, room, usize::from(lines_for_headline), theme.glyphs.ellipsis);
    for (n, line) in lines.iter().enumerate() {
        let mut pen = Ink::new(buf, area, n as u16, theme.glyphs.ellipsis);
        pen.skip(2);
        if n == 0 {
            pen.put(theme.mark(banner.meaning), mark.patch(bold)).put(" ", ground);
        } else {
            pen.skip(2);
        }
        pen.put(line, ground.patch(bold));
    }
    if area.height < 2 {
        return;
    }
    let row = (lines.len() as u16).clamp(1, area.height - 1);
    let mut pen = Ink::new(buf, area, row, theme.glyphs.ellipsis);
    pen.skip(4);
    let separator = format!(" {} ", theme.glyphs.dot);
    for (n, fact) in banner.facts.iter().enumerate() {
        let needed = ink::width(&fact.text) + if n > 0 { ink::width(&separator) } else { 0 };
        if n > 0 && needed > pen.left() {
            continue;
        }
        if n > 0 {
            pen.put(&separator, ground);
        }
        pen.put(&fact.text, if fact.strong { ground.patch(bold) } else { ground });
    }
}
