//! Rows and columns: aligned, headed once, scrolled, one row selected.
//!
//! Owns which columns fit (the least needed are left out first) and which rows are
//! visible; only those are asked for, so that a thousand rows cost no more than a
//! screenful.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::theme::{Part, Theme};
use super::{Ink, ink};

/// A column.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a> {
    /// Its head, with the unit where it has one.
    pub head: &'a str,
    /// Columns of the screen it needs.
    pub width: u16,
    /// Share of what is left over; 0 for a column that stays as it is.
    pub grow: u16,
    /// Figures stand to the right.
    pub right: bool,
    /// Left out first where space is short; 0 never.
    pub rank: u8,
}

impl<'a> Column<'a> {
    /// Words, growing with the space there is.
    pub fn words(head: &'a str, width: u16, grow: u16) -> Self {
        Self { head, width, grow, right: false, rank: 0 }
    }

    /// Figures.
    pub fn figures(head: &'a str, width: u16) -> Self {
        Self { head, width, grow: 0, right: true, rank: 0 }
    }

    /// Left out where space is short, the highest rank first.
    #[must_use]
    pub fn rank(self, rank: u8) -> Self {
        Self { rank, ..self }
    }
}

/// Where a list is scrolled to and what is selected in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct View {
    /// Selected row.
    pub selected: usize,
    /// First visible row.
    pub offset: usize,
}

impl View {
    /// Moves the selection by `rows`, staying within `count` rows.
    pub fn step(&mut self, rows: isize, count: usize) {
        self.selected = self.selected.saturating_add_signed(rows).min(count.saturating_sub(1));
    }

    /// Scrolls as little as possible to keep the selection among `height` rows.
    pub fn follow(&mut self, count: usize, height: u16) {
        let height = usize::from(height);
        self.selected = self.selected.min(count.saturating_sub(1));
        self.offset = self.offset.min(count.saturating_sub(height));
        if self.selected < self.offset {
            self.offset = self.selected;
        } else if height > 0 && self.selected >= self.offset + height {
            self.offset = self.selected + 1 - height;
        }
    }
}

/// The places of the columns that fit, none for those left out.
pub fn places(columns: &[Column<'_>], total: u16) -> Vec<Option<(u16, u16)>> {
    let mut kept: Vec<bool> = vec![true; columns.len()];
    let needed = |kept: &[bool]| {
        let shown = columns.iter().zip(kept).filter(|(_, k)| **k);
        shown.map(|(c, _)| c.width.saturating_add(1)).fold(0u16, u16::saturating_add).saturating_sub(1)
    };
    while needed(&kept) > total {
        let last = columns.iter().zip(&kept).enumerate().filter(|(_, (c, k))| **k && c.rank > 0);
        let Some((worst, _)) = last.max_by_key(|(n, (c, _))| (c.rank, *n)) else { break };
        kept[worst] = false;
    }
    let spare = total.saturating_sub(needed(&kept));
    let shares: u16 = columns.iter().zip(&kept).filter(|(_, k)| **k).map(|(c, _)| c.grow).sum();
    let mut x = 0u16;
    let mut places = Vec::with_capacity(columns.len());
    for (column, kept) in columns.iter().zip(&kept) {
        if !kept || x >= total {
            places.push(None);
            continue;
        }
        let extra =
            if shares == 0 { 0 } else { (u32::from(spare) * u32::from(column.grow) / u32::from(shares)) as u16 };
        let width = column.width.saturating_add(extra).min(total - x);
        places.push(Some((x, width)));
        x = x.saturating_add(width).saturating_add(1);
    }
    places
}

/// One row while it is drawn.
#[derive(Debug)]
pub struct Row<'a> {
    buf: &'a mut Buffer,
    area: Rect,
    places: &'a [Option<(u16, u16)>],
    theme: &'a Theme,
    /// Whether it is the selected one.
    pub selected: bool,
}

impl Row<'_> {
    /// A pen in column `n`, and its width; of width 0 where it is left out.
    pub fn column(&mut self, n: usize) -> (Ink<'_>, u16) {
        let (x, width) = self.places.get(n).copied().flatten().unwrap_or((0, 0));
        let area = Rect { x: self.area.x.saturating_add(x), width, ..self.area };
        (Ink::new(self.buf, area, 0, self.theme.glyphs.ellipsis), width)
    }

    /// A pen over all columns from `n` on.
    pub fn rest(&mut self, n: usize) -> Ink<'_> {
        let x = self.places.get(n..).unwrap_or_default().iter().flatten().next().map_or(self.area.width, |p| p.0);
        let area = Rect { x: self.area.x.saturating_add(x), width: self.area.width.saturating_sub(x), ..self.area };
        Ink::new(self.buf, area, 0, self.theme.glyphs.ellipsis)
    }

    /// Writes words to the left of column `n`.
    pub fn put(&mut self, n: usize, text: &str, style: ratatui::style::Style) {
        self.column(n).0.put(text, style);
    }

    /// Writes a figure to the right of column `n`.
    pub fn put_right(&mut self, n: usize, text: &str, style: ratatui::style::Style) {
        let (mut ink, width) = self.column(n);
        ink.cell_right(text, width, style);
    }
}

/// Draws the head and the visible of `count` rows; `draw_row` is called for those
/// only. `selected` says whether to show a selection.
#[expect(clippy::too_many_arguments, reason = "each is a part of the picture; a struct would only rename them")]
pub fn draw(
    buf: &mut Buffer,
    area: Rect,
    theme: &Theme,
    columns: &[Column<'_>],
    count: usize,
    view: &mut View,
    selected: bool,
    mut draw_row: impl FnMut(usize, &mut Row<'_>),
) {
    let area = area.intersection(buf.area);
    if area.is_empty() {
        return;
    }
    let places = places(columns, area.width);
    for (column, place) in columns.iter().zip(&places) {
        let Some((x, width)) = *place else { continue };
        let cell = Rect { x: area.x + x, width, height: 1, ..area };
        let mut ink = Ink::new(buf, cell, 0, theme.glyphs.ellipsis);
        if column.right {
            ink.cell_right(column.head, width, theme.dim());
        } else {
            ink.put(column.head, theme.dim());
        }
    }
    let height = area.height - 1;
    view.follow(count, height);
    for line in 0..height {
        let n = view.offset + usize::from(line);
        if n >= count {
            break;
        }
        let place = Rect { y: area.y + 1 + line, height: 1, ..area };
        let is_selected = selected && n == view.selected;
        let mut row = Row { buf: &mut *buf, area: place, places: &places, theme, selected: is_selected };
        draw_row(n, &mut row);
        if is_selected {
            let wide = Rect { x: place.x.saturating_sub(1), width: place.width.saturating_add(2), ..place };
            ink::tint(buf, wide, theme.style(Part::Selected));
        }
    }
    draw_more(buf, area, theme, count, view);
}

/// Says that there is more above or below.
fn draw_more(buf: &mut Buffer, area: Rect, theme: &Theme, count: usize, view: &View) {
    let height = usize::from(area.height.saturating_sub(1));
    if count <= height || area.height < 2 {
        return;
    }
    let below = view.offset + height < count;
    let at = if below { area.bottom() - 1 } else { area.y + 1 };
    let mark = if below { theme.glyphs.down } else { theme.glyphs.up };
    if let Some(cell) = buf.cell_mut((area.right(), at)) {
        cell.set_symbol(mark).set_style(theme.style(Part::Focus));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::style::Style;

    use super::super::theme::UNICODE;
    use super::*;

    fn columns() -> [Column<'static>; 4] {
        [
            Column::words("target", 8, 1),
            Column::words("probe", 5, 0).rank(1),
            Column::figures("loss", 5),
            Column::figures("p99 ms", 6).rank(2),
        ]
    }

    #[test]
    fn the_least_needed_column_goes_first() {
        assert_eq!(places(&columns(), 40), [Some((0, 21)), Some((22, 5)), Some((28, 5)), Some((34, 6))]);
        assert_eq!(places(&columns(), 22), [Some((0, 10)), Some((11, 5)), Some((17, 5)), None]);
        assert_eq!(places(&columns(), 14), [Some((0, 8)), None, Some((9, 5)), None]);
        assert_eq!(places(&columns(), 3), [Some((0, 3)), None, None, None]);
    }

    #[test]
    fn only_visible_rows_are_asked_for() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 30, 5));
        let mut view = View { selected: 700, offset: 0 };
        let mut asked = Vec::new();
        let area = buf.area;
        draw(&mut buf, area, &Theme::built_in("mono", &UNICODE), &columns(), 1000, &mut view, true, |n, row| {
            asked.push(n);
            row.put(0, &n.to_string(), Style::new());
        });
        assert_eq!(asked, [697, 698, 699, 700]);
    }

    proptest! {
        #[test]
        fn any_place_and_any_scroll_is_drawn(w in 0u16..40, h in 0u16..8, x in 0u16..50, y in 0u16..10, count in 0usize..20, selected: usize, offset: usize) {
            let mut buf = Buffer::empty(Rect::new(0, 0, w, h));
            let mut view = View { selected, offset };
            draw(&mut buf, Rect::new(x, y, 30, 6), &Theme::built_in("mono", &UNICODE), &columns(), count, &mut view, true, |n, row| {
                for c in 0..5 {
                    row.put_right(c, &n.to_string(), Style::new());
                    row.rest(c).put("much longer than the column", Style::new());
                }
            });
            view.step(-3, count);
            view.step(isize::MAX, count);
        }
    }
}
