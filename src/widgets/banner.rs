//! The few lines that say it all, on a ground of their own at the top.
//! Owns their look; the words come from whoever knows.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

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
    // On a ground of the same colour the mark would vanish.
    let mark = match ground.bg {
        Some(Color::Rgb(..) | Color::Indexed(_)) | None => theme.meaning(banner.meaning),
        Some(_) => ground,
    };
    let bold = Style::new().add_modifier(ratatui::style::Modifier::BOLD);
    let room = area.width.saturating_sub(4);
    let lines_for_headline = area.height.saturating_sub(1).max(1);
    let lines = ink::wrap(&banner.headline, room, usize::from(lines_for_headline), theme.glyphs.ellipsis);
    let row = (lines.len() as u16).clamp(1, area.height);
    let facts = Rect { y: area.y + row, height: area.height - row, ..area };
    let used = row + draw_facts(buf, facts, banner, ground, theme);
    // Only what is written on has the ground: a banner is no wall.
    let written = Rect { height: used.max(2).min(area.height), ..area };
    ink::tint(buf, written, ground);
    for y in 0..written.height {
        Ink::new(buf, area, y, theme.glyphs.ellipsis).symbol(theme.glyphs.edge, mark);
    }
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
}

/// The facts, one after the other; on the next line where there is one, else those
/// that do not fit are left out. Gives the lines used.
fn draw_facts(buf: &mut Buffer, area: Rect, banner: &Banner, ground: Style, theme: &Theme) -> u16 {
    if area.is_empty() {
        return 0;
    }
    let bold = ground.add_modifier(ratatui::style::Modifier::BOLD);
    let separator = format!(" {} ", theme.glyphs.dot);
    let (mut row, mut first) = (0, true);
    let mut left = area.width.saturating_sub(4);
    for fact in &banner.facts {
        let lead = if first { 0 } else { ink::width(&separator) };
        if !first && ink::width(&fact.text) + lead > left {
            if row + 1 >= area.height {
                continue;
            }
            row += 1;
            first = true;
            left = area.width.saturating_sub(4);
        }
        let mut pen = Ink::new(buf, area, row, theme.glyphs.ellipsis);
        pen.skip(area.width.saturating_sub(left));
        if !first {
            pen.put(&separator, ground);
        }
        pen.put(&fact.text, if fact.strong { bold } else { ground });
        left = pen.left();
        first = false;
    }
    row + 1
}
