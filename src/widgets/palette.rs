//! A list that narrows as one types: fuzzy search over everything that can be done.
//!
//! Owns the ranking and the look; what the entries do is the caller's.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::field::Field;
use super::panel::Panel;
use super::table::View;
use super::theme::{Part, Theme};
use super::{Ink, ink};

/// Something that may be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it does.
    pub text: String,
    /// The keys that do the same.
    pub keys: String,
    /// Whether it can be done here and now.
    pub enabled: bool,
}

/// The entries that match `query`, best first, each with the places of the letters
/// that matched; all of them in their own order for an empty query.
pub fn rank(query: &str, entries: &[Entry]) -> Vec<(usize, Vec<u32>)> {
    if query.trim().is_empty() {
        return (0..entries.len()).map(|n| (n, Vec::new())).collect();
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::parse(query, CaseMatching::Ignore, Normalization::Smart);
    let mut buffer = Vec::new();
    let mut found: Vec<(u32, usize, Vec<u32>)> = Vec::new();
    for (n, entry) in entries.iter().enumerate() {
        let mut places = Vec::new();
        let text = Utf32Str::new(&entry.text, &mut buffer);
        if let Some(score) = pattern.indices(text, &mut matcher, &mut places) {
            places.sort_unstable();
            found.push((score, n, places));
        }
    }
    found.sort_by_key(|(score, n, _)| (std::cmp::Reverse(*score), *n));
    found.into_iter().map(|(_, n, places)| (n, places)).collect()
}

/// Draws the palette in the upper middle of `area`; gives the cursor's place.
#[expect(clippy::too_many_arguments, reason = "each is a part of the picture; a struct would only rename them")]
pub fn draw(
    buf: &mut Buffer,
    area: Rect,
    title: &str,
    field: &mut Field,
    entries: &[Entry],
    ranked: &[(usize, Vec<u32>)],
    view: &mut View,
    theme: &Theme,
) -> Option<Position> {
    let area = area.intersection(buf.area);
    let width = area.width.min(64);
    let height = area.height.min(ranked.len() as u16 + 3).min(20);
    let frame = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 4, width, height };
    ink::clear(buf, frame);
    let inside = Panel { key: ":", title, focused: true, ..Panel::default() }.draw(buf, frame, theme);
    if inside.is_empty() {
        return None;
    }
    let cursor = field.draw(buf, Rect { height: 1, ..inside }, theme);
    let list = Rect { y: inside.y + 1, height: inside.height - 1, ..inside };
    view.follow(ranked.len(), list.height);
    for line in 0..list.height {
        let n = view.offset + usize::from(line);
        let Some((entry, places)) = ranked.get(n).and_then(|(e, p)| Some((entries.get(*e)?, p))) else { break };
        let mut pen = Ink::new(buf, list, line, theme.glyphs.ellipsis);
        pen.right(&entry.keys, theme.style(Part::Focus));
        let plain = if entry.enabled { theme.text() } else { theme.dim() };
        let mut symbol = [0u8; 4];
        for (at, letter) in entry.text.chars().enumerate() {
            let style = if places.binary_search(&(at as u32)).is_ok() { theme.style(Part::Focus) } else { plain };
            pen.put(letter.encode_utf8(&mut symbol), style);
        }
        if n == view.selected {
            let row = Rect { x: list.x - 1, y: list.y + line, width: list.width + 2, height: 1 };
            ink::tint(buf, row, theme.style(Part::Selected));
        }
    }
    cursor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_in_order_find_the_words() {
        let entries = ["Add a target", "Trace the target", "Write a note"].map(|t| Entry {
            text: t.to_owned(),
            keys: String::new(),
            enabled: true,
        });
        let found = |q: &str| rank(q, &entries).into_iter().map(|(n, _)| n).collect::<Vec<_>>();
        assert_eq!(found(""), [0, 1, 2]);
        assert_eq!(found("note"), [2]);
        assert_eq!(found("trc"), [1]);
        assert_eq!(found("target")[0], 0);
        assert!(found("zzz").is_empty());
    }
}
