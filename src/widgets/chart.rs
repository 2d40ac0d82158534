//! Values over time on an axis, and two of them mirrored.
//!
//! Owns scales and dots: braille where the terminal has it, columns of characters
//! elsewhere. A scale moves in steps (1, 2, 5), so that it stands still while the
//! values wander. Lost and late have marks of their own on the axis line.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::theme::{Meaning, Part, Theme};
use super::{Ink, ink};

/// One column of dots.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Slot {
    /// Largest value, none where there is none.
    pub value: Option<f64>,
    /// Something was lost.
    pub lost: bool,
    /// Something was late.
    pub late: bool,
}

/// Slots that a chart of that width shows: two to a braille column.
pub fn slots(columns: u16, theme: &Theme) -> usize {
    usize::from(columns) * if theme.glyphs.braille { 2 } else { 1 }
}

/// The smallest of 1, 2, 5 times a power of ten that is not below `value`.
pub fn nice_ceiling(value: f64) -> f64 {
    if !value.is_finite() || value <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(value.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|s| s * power >= value * 0.999_999).unwrap_or(10.0);
    let ceiling = step * power;
    if ceiling.is_finite() && ceiling > 0.0 { ceiling } else { 1.0 }
}

/// Dots of a braille cell, from the bottom up: left column, right column.
const LEFT: [u32; 4] = [0x40, 0x04, 0x02, 0x01];
const RIGHT: [u32; 4] = [0x80, 0x20, 0x10, 0x08];

/// How a value is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A column standing on the bottom.
    Standing,
    /// A column hanging from the top.
    Hanging,
    /// A point, joined to the one before.
    Line,
}

/// Draws `values` (share of the height, 0 to 1).
pub fn bars(buf: &mut Buffer, area: Rect, values: &[Option<f64>], shape: Shape, style: Style, theme: &Theme) {
    let hanging = shape == Shape::Hanging;
    let area = area.intersection(buf.area);
    if area.is_empty() {
        return;
    }
    let per = if theme.glyphs.braille { 2 } else { 1 };
    let steps = if theme.glyphs.braille { 4 } else { 8 };
    let shown = usize::from(area.width) * per;
    let first = values.len().saturating_sub(shown);
    let lead = shown.saturating_sub(values.len());
    // A value that is there is seen: at least one step.
    let height = |n: usize| -> Option<u32> {
        let value = values.get((first + n).checked_sub(lead)?).copied().flatten()?;
        let full = u32::from(area.height) * steps;
        Some(((value.clamp(0.0, 1.0) * f64::from(full)).round() as u32).max(1))
    };
    // The steps from which and up to which a slot is filled.
    let span = |n: usize| -> Option<(u32, u32)> {
        let top = height(n)?;
        let before = n.checked_sub(1).and_then(height).unwrap_or(top);
        let from = if shape == Shape::Line { top.saturating_sub(1).min(before) } else { 0 };
        Some((from, top))
    };
    for x in 0..area.width {
        let at = usize::from(x) * per;
        let (left, right) = (span(at), if per == 2 { span(at + 1) } else { None });
        for row in 0..area.height {
            let base = u32::from(row) * steps;
            let within = |s: Option<(u32, u32)>| {
                s.map_or((0, 0), |(from, to)| {
                    (from.saturating_sub(base).min(steps), to.saturating_sub(base).min(steps))
                })
            };
            let (l, r) = (within(left), within(right));
            if l.0 == l.1 && r.0 == r.1 {
                continue;
            }
            let y = if hanging { area.y + row } else { area.bottom() - 1 - row };
            let Some(cell) = buf.cell_mut((area.x + x, y)) else { continue };
            if theme.glyphs.braille {
                cell.set_char(braille(l, r, hanging));
            } else {
                let level = (l.1 as usize).saturating_sub(1).min(7);
                cell.set_symbol(theme.glyphs.levels[level]);
            }
            cell.set_style(style);
        }
    }
}

fn braille(left: (u32, u32), right: (u32, u32), hanging: bool) -> char {
    let mut bits = 0;
    for n in 0..4usize {
        let at = if hanging { 3 - n } else { n };
        let within = |(from, to): (u32, u32)| (from..to).contains(&(n as u32));
        bits |= if within(left) { LEFT[at] } else { 0 };
        bits |= if within(right) { RIGHT[at] } else { 0 };
    }
    char::from_u32(0x2800 + bits).unwrap_or(' ')
}

/// A chart's words.
#[derive(Debug, Clone, Default)]
pub struct Chart<'a> {
    /// What it shows.
    pub title: &'a str,
    /// The values, oldest first, one a slot.
    pub slots: &'a [Slot],
    /// Writes a value for the axis, with its unit.
    pub label: Option<fn(f64) -> String>,
    /// Words along the time axis: slot number and text.
    pub times: &'a [(usize, String)],
    /// A level to hold the values against, in the values' unit.
    pub reference: Option<f64>,
}

impl Chart<'_> {
    /// Columns that labels take at the left.
    pub const MARGIN: u16 = 9;

    /// Draws title, values, loss line and time axis.
    pub fn draw(&self, buf: &mut Buffer, area: Rect, theme: &Theme) {
        let area = area.intersection(buf.area);
        if area.width <= Self::MARGIN + 2 || area.height < 4 {
            return;
        }
        Ink::new(buf, area, 0, theme.glyphs.ellipsis).put(self.title, theme.text());
        let plot =
            Rect { x: area.x + Self::MARGIN, y: area.y + 1, width: area.width - Self::MARGIN, height: area.height - 3 };
        let highest = self.slots.iter().filter_map(|s| s.value).chain(self.reference).fold(0.0, f64::max);
        let ceiling = nice_ceiling(highest);
        let shares: Vec<_> = self.slots.iter().map(|s| s.value.map(|v| v / ceiling)).collect();
        bars(buf, plot, &shares, Shape::Line, theme.meaning(Meaning::Good), theme);
        self.draw_scale(buf, area, plot, ceiling, theme);
        self.draw_axis(buf, area, plot, theme);
    }

    fn draw_scale(&self, buf: &mut Buffer, area: Rect, plot: Rect, ceiling: f64, theme: &Theme) {
        let Some(label) = self.label else { return };
        let mut put = |row: u16, value: f64| {
            let line = Rect { width: Self::MARGIN - 1, ..area };
            Ink::new(buf, line, 1 + row, theme.glyphs.ellipsis).cell_right(
                &label(value),
                Self::MARGIN - 1,
                theme.dim(),
            );
        };
        put(0, ceiling);
        if plot.height >= 5 {
            put(plot.height / 2, ceiling * f64::from(plot.height - plot.height / 2) / f64::from(plot.height));
        }
    }

    fn draw_axis(&self, buf: &mut Buffer, area: Rect, plot: Rect, theme: &Theme) {
        let per = if theme.glyphs.braille { 2 } else { 1 };
        let shown = usize::from(plot.width) * per;
        let first = self.slots.len().saturating_sub(shown);
        let lead = shown.saturating_sub(self.slots.len());
        let line = plot.bottom();
        for x in 0..plot.width {
            let at = usize::from(x) * per;
            let pair = (at..at + per).filter_map(|n| self.slots.get((first + n).checked_sub(lead)?));
            let (mut lost, mut late, mut seen) = (false, false, false);
            for slot in pair {
                lost |= slot.lost;
                late |= slot.late;
                seen |= slot.value.is_some();
            }
            let (symbol, style) = match (lost, late, seen) {
                (true, ..) => (theme.glyphs.lost, theme.meaning(Meaning::Fault)),
                (_, true, _) => (theme.glyphs.late, theme.meaning(Meaning::Warning)),
                (.., true) => (theme.glyphs.horizontal, theme.style(Part::Border)),
                _ => (theme.glyphs.gap, theme.style(Part::Border)),
            };
            if let Some(cell) = buf.cell_mut((plot.x + x, line)) {
                cell.set_symbol(symbol).set_style(style);
            }
        }
        let below = Rect { y: line + 1, height: 1, ..area };
        let mut end = below.x;
        for (slot, text) in self.times {
            let column = (slot + lead).saturating_sub(first) / per;
            let x = plot.x.saturating_add(column as u16).saturating_sub(ink::width(text) / 2).max(below.x);
            if x >= end && x + ink::width(text) <= below.right() {
                let place = Rect { x, width: below.right() - x, ..below };
                Ink::new(buf, place, 0, theme.glyphs.ellipsis).put(text, theme.dim());
                end = x + ink::width(text) + 1;
            }
        }
    }
}

/// Two series on one time axis, one standing, one hanging beneath it.
pub fn mirrored(buf: &mut Buffer, area: Rect, up: &[Option<f64>], down: &[Option<f64>], theme: &Theme) -> (f64, f64) {
    let highest = |values: &[Option<f64>]| nice_ceiling(values.iter().flatten().copied().fold(0.0, f64::max));
    let (above, below) = (highest(up), highest(down));
    let upper = Rect { height: area.height.div_ceil(2), ..area };
    let lower = Rect { y: area.y.saturating_add(upper.height), height: area.height - upper.height, ..area };
    let share = |values: &[Option<f64>], top: f64| values.iter().map(|v| v.map(|v| v / top)).collect::<Vec<_>>();
    bars(buf, upper, &share(up, above), Shape::Standing, theme.meaning(Meaning::Good), theme);
    bars(buf, lower, &share(down, below), Shape::Hanging, theme.meaning(Meaning::Focus), theme);
    (above, below)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::theme::{ASCII, UNICODE};
    use super::*;

    #[test]
    fn scales_move_in_steps() {
        let ceilings = [0.0, 0.3, 1.0, 1.01, 3.0, 7.0, 99.0, 101.0].map(|v| format!("{:.1}", nice_ceiling(v)));
        assert_eq!(ceilings, ["1.0", "0.5", "1.0", "2.0", "5.0", "10.0", "100.0", "200.0"]);
    }

    #[test]
    fn columns_stand_and_hang() {
        let area = Rect::new(0, 0, 2, 2);
        let mut buf = Buffer::empty(area);
        let theme = Theme::built_in("mono", &UNICODE);
        mirrored(&mut buf, area, &[Some(1.0), Some(1.0), None, Some(0.5)], &[Some(1.0), None, None, Some(1.0)], &theme);
        let text: String = buf.content().iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(text, "⣿⢠⡇⢸");
    }

    proptest! {
        #[test]
        fn any_values_in_any_place(w in 0u16..40, h in 0u16..12, x in 0u16..50, y in 0u16..14, values in prop::collection::vec(any::<Option<f64>>(), 0..120)) {
            for glyphs in [&UNICODE, &ASCII] {
                let theme = Theme::built_in("mono", glyphs);
                let mut buf = Buffer::empty(Rect::new(0, 0, w, h));
                let area = Rect::new(x, y, 30, 8);
                mirrored(&mut buf, area, &values, &values, &theme);
                let slots: Vec<_> = values.iter().map(|v| Slot { value: *v, lost: v.is_none(), late: false }).collect();
                let times = [(0, "03:12".to_owned()), (60, "03:13".to_owned()), (500, "x".to_owned())];
                Chart { title: "rtt", slots: &slots, label: Some(|v| format!("{v}")), times: &times, reference: Some(2.0) }.draw(&mut buf, area, &theme);
            }
        }
    }
}
