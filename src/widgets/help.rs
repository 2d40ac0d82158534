//! What the keys do here: a page over everything else.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::panel::Panel;
use super::theme::{Part, Theme};
use super::{Ink, ink};

/// A group of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its heading.
    pub title: String,
    /// Keys and what they do.
    pub keys: Vec<(String, String)>,
}

/// Draws the page, in two columns where there is room, from line `scroll` on; gives
/// the largest useful scroll.
pub fn draw(buf: &mut Buffer, area: Rect, title: &str, groups: &[Group], scroll: u16, theme: &Theme) -> u16 {
    let area = area.intersection(buf.area);
    let two = area.width >= 92;
    let lines: Vec<Line<'_>> = groups.iter().flat_map(Line::of).collect();
    let wanted = if two { halves(&lines).max(1) } else { lines.len() } as u16;
    let width = area.width.min(if two { 112 } else { 60 });
    let height = area.height.min(wanted + 2);
    let frame = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    ink::clear(buf, frame);
    let inside = Panel { key: "?", title, focused: true, ..Panel::default() }.draw(buf, frame, theme);
    if inside.is_empty() {
        return 0;
    }
    if two {
        let split = usize::from(wanted);
        let half = (inside.width - 2) / 2;
        let left = Rect { width: half, ..inside };
        let right = Rect { x: inside.x + half + 2, width: inside.width - half - 2, ..inside };
        column(buf, left, lines.get(..split).unwrap_or_default(), scroll, theme);
        column(buf, right, lines.get(split..).unwrap_or_default(), scroll, theme);
    } else {
        column(buf, inside, &lines, scroll, theme);
    }
    wanted.saturating_sub(inside.height)
}

#[derive(Debug, Clone, Copy)]
enum Line<'a> {
    Title(&'a str),
    Key(&'a str, &'a str),
    Space,
}

impl<'a> Line<'a> {
    fn of(group: &'a Group) -> impl Iterator<Item = Self> {
        let keys = group.keys.iter().map(|(k, t)| Self::Key(k, t));
        std::iter::once(Self::Title(&group.title)).chain(keys).chain(std::iter::once(Self::Space))
    }
}

/// Where to break two columns: at the group end nearest to the middle.
fn halves(lines: &[Line<'_>]) -> usize {
    let ends = lines.iter().enumerate().filter(|(_, l)| matches!(l, Line::Space)).map(|(n, _)| n + 1);
    ends.min_by_key(|end| (*end).max(lines.len() - end)).unwrap_or(lines.len()).max(lines.len().div_ceil(2))
}

fn column(buf: &mut Buffer, area: Rect, lines: &[Line<'_>], scroll: u16, theme: &Theme) {
    for (y, line) in lines.iter().skip(usize::from(scroll)).take(usize::from(area.height)).enumerate() {
        let mut pen = Ink::new(buf, area, y as u16, theme.glyphs.ellipsis);
        match line {
            Line::Title(title) => {
                pen.put(title, theme.strong());
            }
            Line::Key(keys, text) => {
                pen.cell(keys, 14, theme.style(Part::Focus)).skip(1).put(text, theme.text());
            }
            Line::Space => {}
        }
    }
}
