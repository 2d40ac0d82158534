//! A series in one line: how it went lately, at a glance.
//!
//! Owns the marks and the levels. A steady series is a flat line, so that it costs
//! no bytes to keep on screen; a loss is a mark of its own and never a low value;
//! nothing measured is blank.

use super::Ink;
use super::theme::{Meaning, Part, Theme};

/// One column of a sparkline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Nothing was measured.
    Gap,
    /// Measured, at a level from 0 (as usual) to 7.
    Level(u8),
    /// Measured late.
    Late,
    /// No answer, and none was owed.
    Spared,
    /// Some of it was lost.
    Some,
    /// All of it was lost.
    Lost,
}

/// How far `value` is above what is usual: 0 while within half again or `slack`
/// above, then one level for each further half. Coarse on purpose: noise draws
/// nothing.
pub fn level(value: f64, usual: f64, slack: f64) -> u8 {
    if !value.is_finite() || !usual.is_finite() || value <= usual + slack || usual <= 0.0 {
        return 0;
    }
    let steps = (value / usual).ln() / 1.5f64.ln();
    if steps.is_finite() { steps.clamp(0.0, 7.0) as u8 } else { 0 }
}

/// Draws `marks`, the newest last, into at most `columns` at the pen: the newest
/// ones where not all fit.
pub fn draw(ink: &mut Ink<'_>, marks: &[Mark], columns: u16, theme: &Theme) {
    let columns = usize::from(columns.min(ink.left()));
    let shown = marks.get(marks.len().saturating_sub(columns)..).unwrap_or_default();
    ink.skip((columns - shown.len()) as u16);
    let glyphs = theme.glyphs;
    for mark in shown {
        let (symbol, style) = match mark {
            Mark::Gap => (glyphs.gap, theme.style(Part::Border)),
            Mark::Level(n) => {
                let meaning = if *n < 4 { Meaning::Good } else { Meaning::Warning };
                let symbol = glyphs.levels.get(usize::from(*n)).or(glyphs.levels.last()).copied();
                (symbol.unwrap_or_default(), theme.meaning(meaning))
            }
            Mark::Late => (glyphs.late, theme.meaning(Meaning::Warning)),
            Mark::Spared => (glyphs.none, theme.dim()),
            Mark::Some => (glyphs.lost, theme.meaning(Meaning::Warning)),
            Mark::Lost => (glyphs.lost, theme.meaning(Meaning::Fault)),
        };
        ink.symbol(symbol, style);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;

    use super::super::theme::{ASCII, UNICODE};
    use super::*;

    fn drawn(marks: &[Mark], columns: u16, glyphs: &'static super::super::Glyphs) -> Buffer {
        let area = Rect::new(0, 0, columns, 1);
        let mut buf = Buffer::empty(area);
        let theme = Theme::built_in("mono", glyphs);
        draw(&mut Ink::new(&mut buf, area, 0, "…"), marks, columns, &theme);
        buf.set_style(area, ratatui::style::Style::reset());
        buf
    }

    #[test]
    fn a_loss_and_a_gap_are_not_values() {
        let marks = [Mark::Gap, Mark::Level(0), Mark::Level(7), Mark::Late, Mark::Some, Mark::Lost];
        let text = |b: &Buffer| b.content().iter().map(ratatui::buffer::Cell::symbol).collect::<String>();
        assert_eq!(text(&drawn(&marks, 6, &UNICODE)), " ▁█◦××");
        assert_eq!(text(&drawn(&marks, 6, &ASCII)), " _#oxx");
        assert_eq!(text(&drawn(&marks, 3, &UNICODE)), "◦××");
        assert_eq!(text(&drawn(&marks[..2], 4, &UNICODE)), "   ▁");
    }

    #[test]
    fn noise_is_flat_and_a_step_is_seen() {
        assert_eq!(level(0.4, 0.3, 1.0), 0);
        assert_eq!(level(14.0, 10.0, 1.0), 0);
        assert_eq!(level(20.0, 10.0, 1.0), 1);
        assert_eq!(level(1e9, 10.0, 1.0), 7);
        assert_eq!(level(f64::NAN, 0.0, 0.0), 0);
    }

    proptest! {
        #[test]
        fn any_figures_have_a_level(v: f64, u: f64, s: f64) {
            prop_assert!(level(v, u, s) <= 7);
        }
    }
}
