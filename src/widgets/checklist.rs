//! Steps with a mark, one of them the one to do now.
//!
//! Owns how a step's state looks: done, now, to do, failed, not measured; a mark
//! says it, colour repeats it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::theme::{Meaning, Part, Theme};
use super::{Ink, ink};

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepMark {
    /// Done, or found so.
    Done,
    /// The one to do now.
    Now,
    /// Still to come.
    Todo,
    /// Found not so.
    Failed,
    /// Cannot be told.
    Unmeasured,
}

/// One line of a checklist, or a heading.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// A heading, with a word at its end.
    Heading {
        /// The words.
        text: String,
        /// At the right end.
        note: String,
        /// Whether the present step is under it.
        current: bool,
    },
    /// A step.
    Step {
        /// How it stands.
        mark: StepMark,
        /// The words.
        text: String,
        /// At the right end.
        note: String,
        /// Under it, indented and wrapped: a word and what it introduces.
        details: Vec<(String, String)>,
        /// Whether keys act on it.
        selected: bool,
    },
    /// An empty line.
    Space,
}

fn mark_of(mark: StepMark, theme: &Theme) -> (&'static str, Style) {
    match mark {
        StepMark::Done => (theme.glyphs.good, theme.meaning(Meaning::Good)),
        StepMark::Now => (theme.glyphs.pointer, theme.meaning(Meaning::Focus)),
        StepMark::Todo => (theme.glyphs.todo, theme.dim()),
        StepMark::Failed => (theme.glyphs.fault, theme.meaning(Meaning::Fault)),
        StepMark::Unmeasured => (theme.glyphs.unmeasured, theme.meaning(Meaning::Unmeasured)),
    }
}

/// Draws the items from `first` on; gives the lines used.
pub fn draw(buf: &mut Buffer, area: Rect, items: &[Item], first: usize, theme: &Theme) -> u16 {
    let area = area.intersection(buf.area);
    let mut y = 0;
    for item in items.iter().skip(first) {
        if y >= area.height {
            break;
        }
        y += draw_item(buf, area, y, item, theme);
    }
    y.min(area.height)
}

fn draw_item(buf: &mut Buffer, area: Rect, y: u16, item: &Item, theme: &Theme) -> u16 {
    match item {
        Item::Space => 1,
        Item::Heading { text, note, current } => {
            let style = if *current { theme.strong() } else { theme.dim() };
            Ink::new(buf, area, y, theme.glyphs.ellipsis).right(note, theme.dim()).put(text, style);
            1
        }
        Item::Step { mark, text, note, details, selected } => {
            let (symbol, style) = mark_of(*mark, theme);
            let (words, note_style) = match mark {
                StepMark::Now => (theme.strong(), theme.meaning(Meaning::Warning)),
                StepMark::Failed => (theme.text(), theme.meaning(Meaning::Fault)),
                StepMark::Todo => (theme.text(), theme.dim()),
                StepMark::Done | StepMark::Unmeasured => (theme.text(), theme.dim()),
            };
            let mut pen = Ink::new(buf, area, y, theme.glyphs.ellipsis);
            // A note gives way where the step itself would be cut short.
            let whole = ink::width(text) + ink::width(note) + 3 <= area.width;
            if whole || (*mark == StepMark::Now && ink::width(note) + 14 <= area.width) {
                pen.right(note, note_style);
            }
            pen.put(symbol, style).put(" ", style).put(text, words);
            if *selected {
                let line = Rect { x: area.x.saturating_sub(1), y: area.y + y, width: area.width + 2, height: 1 };
                ink::tint(buf, line, theme.style(Part::Selected));
            }
            1 + draw_details(buf, area, y + 1, details, theme)
        }
    }
}

fn draw_details(buf: &mut Buffer, area: Rect, mut y: u16, details: &[(String, String)], theme: &Theme) -> u16 {
    let begin = y;
    let label = details.iter().map(|(l, _)| ink::width(l)).max().unwrap_or(0).min(area.width / 3);
    let indent = 2 + label + u16::from(label > 0) * 2;
    for (word, text) in details {
        let lines = ink::wrap(text, area.width.saturating_sub(indent), 8, theme.glyphs.ellipsis);
        for (n, line) in lines.iter().enumerate() {
            let mut pen = Ink::new(buf, area, y, theme.glyphs.ellipsis);
            pen.skip(2);
            if n == 0 && label > 0 {
                pen.cell(word, label, theme.dim()).skip(2);
            } else {
                pen.skip(indent - 2);
            }
            pen.put(line, theme.dim());
            y = y.saturating_add(1);
        }
    }
    y - begin
}

/// Lines that an item takes at that width.
pub fn lines_of(item: &Item, width: u16, theme: &Theme) -> u16 {
    let mut nothing = Buffer::empty(Rect::ZERO);
    let area = Rect { x: 0, y: 0, width, height: 0 };
    draw_item(&mut nothing, area, 0, item, theme)
}
