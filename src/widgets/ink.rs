//! Writing into cells: clipped, cut with an ellipsis, measured in columns.
//!
//! Owns the one place where text meets cells. Must never wrap by surprise: a line
//! stays a line unless [`wrap`] was asked for.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Columns that `text` takes.
pub fn width(text: &str) -> u16 {
    text.width().min(usize::from(u16::MAX)) as u16
}

/// A pen on one line of a buffer: writes pieces one after the other, and what
/// does not fit is cut.
#[derive(Debug)]
pub struct Ink<'a> {
    buf: &'a mut Buffer,
    y: u16,
    x: u16,
    end: u16,
    visible: bool,
    ellipsis: &'static str,
}

impl<'a> Ink<'a> {
    /// A pen at the beginning of line `row` of `area`.
    pub fn new(buf: &'a mut Buffer, area: Rect, row: u16, ellipsis: &'static str) -> Self {
        let clipped = area.intersection(buf.area);
        let y = area.y.saturating_add(row);
        let visible = y >= clipped.y && y < clipped.bottom() && clipped.width > 0;
        Self { buf, y, x: clipped.x, end: clipped.right(), visible, ellipsis }
    }

    /// Columns left.
    pub fn left(&self) -> u16 {
        if self.visible { self.end.saturating_sub(self.x) } else { 0 }
    }

    /// Moves on without writing.
    pub fn skip(&mut self, columns: u16) -> &mut Self {
        self.x = self.x.saturating_add(columns).min(self.end);
        self
    }

    /// Moves to column `column` of the line, counted from the pen's beginning
    /// at `from`.
    pub fn seek(&mut self, from: Rect, column: u16) -> &mut Self {
        self.x = from.x.saturating_add(column).clamp(from.x, self.end.max(from.x));
        self
    }

    /// Writes `text`, cut with an ellipsis where the line ends.
    pub fn put(&mut self, text: &str, style: impl Into<Style>) -> &mut Self {
        let room = self.left();
        self.put_within(text, room, style)
    }

    /// Writes `text` into at most `columns`, cut with an ellipsis; moves on by
    /// what was written.
    pub fn put_within(&mut self, text: &str, columns: u16, style: impl Into<Style>) -> &mut Self {
        let room = self.left().min(columns);
        if room > 0 {
            let (x, _) = put_cut(self.buf, self.x, self.y, text, room, self.ellipsis, style.into());
            self.x = x;
        }
        self
    }

    /// Writes `text` into a column of exactly `columns`, to the left of it.
    pub fn cell(&mut self, text: &str, columns: u16, style: impl Into<Style>) -> &mut Self {
        let end = self.x.saturating_add(columns).min(self.end);
        self.put_within(text, columns, style);
        self.x = end.max(self.x);
        self
    }

    /// Writes `text` into a column of exactly `columns`, to the right of it.
    pub fn cell_right(&mut self, text: &str, columns: u16, style: impl Into<Style>) -> &mut Self {
        let used = width(text).min(columns);
        let end = self.x.saturating_add(columns).min(self.end);
        self.skip(columns - used).put_within(text, used, style);
        self.x = end.max(self.x);
        self
    }

    /// Writes `text` at the end of the line where it fits, and ends the line
    /// before it.
    pub fn right(&mut self, text: &str, style: impl Into<Style>) -> &mut Self {
        let used = width(text);
        if used > 0 && used <= self.left() {
            let at = self.end - used;
            put_cut(self.buf, at, self.y, text, used, self.ellipsis, style.into());
            self.end = at.saturating_sub(1).max(self.x);
        }
        self
    }

    /// Writes one symbol over the cell at the pen, keeping its background.
    pub fn symbol(&mut self, symbol: &str, style: Style) -> &mut Self {
        if self.left() > 0 {
            if let Some(cell) = self.buf.cell_mut((self.x, self.y)) {
                cell.set_symbol(symbol).set_style(style);
            }
            self.x += 1;
        }
        self
    }
}

/// Writes `text` at a place known to be inside; the end of the text and whether
/// it was cut.
fn put_cut(buf: &mut Buffer, x: u16, y: u16, text: &str, room: u16, ellipsis: &str, style: Style) -> (u16, bool) {
    if width(text) <= room {
        return (buf.set_stringn(x, y, text, usize::from(room), style).0, false);
    }
    let keep = room.saturating_sub(width(ellipsis));
    let (at, _) = buf.set_stringn(x, y, text, usize::from(keep), style);
    let left = x.saturating_add(room).saturating_sub(at);
    (buf.set_stringn(at, y, ellipsis, usize::from(left), style).0, true)
}

/// Breaks `text` into lines of at most `columns`, between words where possible
/// (anywhere in scripts that need no spaces), at most `lines` of them; the last
/// ends in the ellipsis where text is left over.
pub fn wrap(text: &str, columns: u16, lines: usize, ellipsis: &str) -> Vec<String> {
    let columns = usize::from(columns);
    let mut out: Vec<String> = Vec::new();
    if columns == 0 || lines == 0 {
        return out;
    }
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split_inclusive(' ') {
            if out.len() > lines {
                break;
            }
            if line.width() + word.trim_end().width() <= columns {
                line.push_str(word);
                continue;
            }
            // Scripts that need no spaces break anywhere; other words go whole to
            // the next line where they fit there.
            let breaks_anywhere = word.graphemes(true).any(|g| g.width() > 1);
            if !breaks_anywhere && !line.trim().is_empty() {
                out.push(std::mem::take(&mut line).trim_end().to_owned());
            }
            for grapheme in word.graphemes(true) {
                if line.width() + grapheme.width() > columns && !line.is_empty() && grapheme != " " {
                    out.push(std::mem::take(&mut line).trim_end().to_owned());
                    if out.len() > lines {
                        break;
                    }
                }
                line.push_str(grapheme);
            }
        }
        out.push(line.trim_end().to_owned());
        if out.len() > lines {
            break;
        }
    }
    if out.len() > lines {
        out.truncate(lines);
        if let Some(last) = out.last_mut() {
            while last.width() + ellipsis.width() > columns && last.pop().is_some() {}
            last.truncate(last.trim_end().len());
            last.push_str(ellipsis);
        }
    }
    out
}

/// Writes plain ASCII in the place of everything else, for terminals that show
/// nothing else; what has no likeness becomes a question mark.
pub fn to_ascii(buf: &mut Buffer) {
    for cell in &mut buf.content {
        let symbol = cell.symbol();
        if symbol.is_ascii() {
            continue;
        }
        let plain = match symbol {
            "·" | "…" => ".",
            "–" | "—" => "-",
            "‘" | "’" => "'",
            "“" | "”" => "\"",
            _ => "?",
        };
        cell.set_symbol(plain);
    }
}

/// Fills an area with a style, clipped to the buffer.
pub fn tint(buf: &mut Buffer, area: Rect, style: Style) {
    let area = area.intersection(buf.area);
    buf.set_style(area, style);
}

/// Empties an area: blanks in the terminal's own colours.
pub fn clear(buf: &mut Buffer, area: Rect) {
    let area = area.intersection(buf.area);
    for position in area.positions() {
        if let Some(cell) = buf.cell_mut(position) {
            cell.reset();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn long_text_is_cut_with_an_ellipsis() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 8, 1));
        Ink::new(&mut buf, Rect::new(0, 0, 8, 1), 0, "…").put("a long line", Style::new());
        assert_eq!(buf, Buffer::with_lines(["a long …"]));
    }

    #[test]
    fn columns_and_the_right_end_share_a_line() {
        let area = Rect::new(0, 0, 16, 1);
        let mut buf = Buffer::empty(area);
        Ink::new(&mut buf, area, 0, "…")
            .right("end", Style::new())
            .cell("ab", 4, Style::new())
            .cell_right("7", 3, Style::new())
            .put(" and much more", Style::new());
        assert_eq!(buf, Buffer::with_lines(["ab    7 and… end"]));
    }

    #[test]
    fn wrapping_keeps_words_and_breaks_what_has_none() {
        assert_eq!(wrap("call the owner of 10.77.23.3", 12, 9, "…"), ["call the", "owner of", "10.77.23.3"]);
        assert_eq!(wrap("网络不通网络", 5, 9, "…"), ["网络", "不通", "网络"]);
        assert_eq!(wrap("a b c d", 3, 1, "…"), ["a…"]);
    }

    proptest! {
        #[test]
        fn any_text_fits_any_place(text in "\\PC{0,60}", w in 0u16..30, h in 0u16..4, x in 0u16..40, y in 0u16..8, row in 0u16..5) {
            let mut buf = Buffer::empty(Rect::new(2, 1, w, h));
            let area = Rect::new(x, y, 20, 3);
            Ink::new(&mut buf, area, row, "…").put("✗ ", Style::new()).right(&text, Style::new()).cell_right(&text, 6, Style::new()).put(&text, Style::new());
            tint(&mut buf, area, Style::new());
            clear(&mut buf, area);
            for line in wrap(&text, w, usize::from(h), "…") {
                prop_assert!(usize::from(w) >= line.width() || line.graphemes(true).count() == 1);
            }
        }
    }
}
