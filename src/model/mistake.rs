//! A mistake in a file that a person wrote: where, what, and the line itself.
//!
//! Owns the place and the excerpt of configuration and runbook mistakes; `text`
//! writes them for people. Must never read a file.

use serde::{Deserialize, Serialize};

use super::message::Message;
use super::untrusted::Untrusted;

/// Longest word that is compared with the known ones, in bytes.
const MAX_WORD: usize = 64;
/// Characters of the line kept around the mistake.
const EXCERPT: usize = 96;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mistake {
    /// The file as it was named.
    pub file: Untrusted,
    /// Line, from 1; 0 where the file as a whole is meant.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// How many characters are concerned, at least 1.
    pub width: u32,
    /// What is wrong and what to do.
    pub what: Message,
    /// The line's text around the place, one character for one: what must not
    /// reach a terminal stands as `?`.
    pub excerpt: String,
    /// Characters of the excerpt before the place.
    pub offset: u32,
}

impl Mistake {
    /// A mistake at `span` (bytes) of `source`.
    pub fn at(file: &str, source: &str, span: std::ops::Range<usize>, what: Message) -> Self {
        let start = floor_boundary(source, span.start);
        let end = floor_boundary(source, span.end).max(start);
        let line_start = source[..start].rfind('\n').map_or(0, |i| i + 1);
        let line_end = source[line_start..].find('\n').map_or(source.len(), |i| line_start + i);
        let line = source[line_start..line_end].trim_end_matches('\r');
        let column = source[line_start..start].chars().count();
        let width = source[start..end.min(line_end).max(start)].chars().count().max(1);
        // The place stays in view however long the line is.
        let skip = column.saturating_sub(EXCERPT / 2);
        let excerpt: String = line.chars().skip(skip).take(EXCERPT).map(shown).collect();
        Self {
            file: Untrusted::new(file),
            line: source[..line_start].bytes().filter(|b| *b == b'\n').count() as u32 + 1,
            column: column as u32 + 1,
            width: width.min(EXCERPT) as u32,
            what,
            excerpt,
            offset: (column - skip) as u32,
        }
    }

    /// A mistake of the file as a whole (missing, unreadable, too long).
    pub fn whole(file: &str, what: Message) -> Self {
        Self { file: Untrusted::new(file), line: 0, column: 0, width: 0, what, excerpt: String::new(), offset: 0 }
    }
}

/// The known word that was probably meant.
pub fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    if word.len() > MAX_WORD {
        return None;
    }
    let word = word.to_lowercase();
    known
        .map(|k| (strsim::damerau_levenshtein(&word, k), k))
        .filter(|(distance, k)| *distance <= 1 + k.len().min(word.len()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, k)| k)
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn shown(c: char) -> char {
    if c == '\t' {
        ' '
    } else if Untrusted::new(c.encode_utf8(&mut [0; 4])).as_str().chars().count() == 1 {
        c
    } else {
        '?'
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_place_is_found() {
        let source = "a = 1\nbé = \"x\"\n";
        let at = source.find('x').unwrap();
        let m = Mistake::at("f.toml", source, at..at + 1, Message::new("m"));
        assert_eq!((m.line, m.column, m.width, m.offset), (2, 7, 1, 6));
        assert_eq!(m.excerpt, "bé = \"x\"");
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let source = "y".repeat(5_000) + "\x1b" + &"z".repeat(5_000);
        let m = Mistake::at("f", &source, 5_000..5_001, Message::new("m"));
        assert_eq!(m.column, 5_001);
        assert!(m.excerpt.chars().count() <= EXCERPT);
        assert_eq!(m.excerpt.chars().nth(m.offset as usize), Some('?'));
    }

    proptest! {
        #[test]
        fn any_span_is_placed(source in "(\\PC|\n|\t){0,60}", a in 0usize..90, b in 0usize..90) {
            let m = Mistake::at("f", &source, a..b, Message::new("m"));
            prop_assert!(m.line >= 1 && m.column >= 1 && m.width >= 1);
        }
    }
}
