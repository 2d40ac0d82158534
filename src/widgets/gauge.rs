//! A share of a whole as a short bar. Owns rounding: a bar is full only at the
//! whole, and empty only at nothing.

use ratatui::style::Style;

use super::Ink;
use super::theme::{Part, Theme};

/// How many of `columns` a share fills.
pub fn filled(share: f64, columns: u16) -> u16 {
    if !share.is_finite() || share <= 0.0 || columns == 0 {
        return 0;
    }
    if share >= 1.0 {
        return columns;
    }
    ((share * f64::from(columns)).round() as u16).clamp(1, columns.saturating_sub(1).max(1))
}

/// Draws a bar of `columns` at the pen.
pub fn draw(ink: &mut Ink<'_>, share: f64, columns: u16, style: Style, theme: &Theme) {
    let full = filled(share, columns);
    for n in 0..columns {
        if n < full {
            ink.symbol(theme.glyphs.gauge_full, style);
        } else {
            ink.symbol(theme.glyphs.gauge_empty, theme.style(Part::Border));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_is_full_and_only_nothing_is_empty() {
        assert_eq!([0.0, 0.001, 0.5, 0.999, 1.0, 7.0].map(|s| filled(s, 10)), [0, 1, 5, 9, 10, 10]);
        assert_eq!([0.5, f64::NAN].map(|s| filled(s, 0)), [0, 0]);
        assert_eq!(filled(0.5, 1), 1);
    }
}
