//! Text that came from outside: names, banners, process names, certificate fields.
//!
//! Owns the one place where such text is made harmless. Must never offer the raw
//! bytes back.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest text kept, in characters; what is longer ends in an ellipsis.
pub const MAX_CHARS: usize = 512;

/// Text from a network, a file or another user, already safe to show: control
/// characters stand as `\xNN` or `\u{NNNN}`, as do bidirectional overrides
/// (Unicode TR 36, 3.2), invisible characters and the replacement of what was
/// not UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
pub struct Untrusted(Box<str>);

impl Untrusted {
    /// Makes `text` harmless.
    pub fn new(text: &str) -> Self {
        let mut out = String::with_capacity(text.len().min(4 * MAX_CHARS));
        for (n, c) in text.chars().enumerate() {
            if n == MAX_CHARS {
                out.push('…');
                break;
            }
            push_visible(&mut out, c);
        }
        Self(out.into_boxed_str())
    }

    /// Makes bytes of unknown encoding harmless.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let bounded = &bytes[..bytes.len().min(4 * MAX_CHARS + 4)];
        Self::new(&String::from_utf8_lossy(bounded))
    }

    /// The harmless text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn push_visible(out: &mut String, c: char) {
    use fmt::Write;
    let hidden = matches!(c,
        '\u{00ad}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}');
    if c.is_control() && (c as u32) < 0x100 {
        // Writing to a String cannot fail.
        let _ = write!(out, "\\x{:02x}", c as u32);
    } else if hidden || c.is_control() {
        let _ = write!(out, "\\u{{{:x}}}", c as u32);
    } else {
        out.push(c);
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl<'de> Deserialize<'de> for Untrusted {
    /// What is read back from a file is no more trusted than the first time.
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Self::new(&String::deserialize(d)?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_are_shown_not_sent() {
        assert_eq!(Untrusted::new("a\x1b[2Jb\u{202e}c\u{9b}1m\r\n").as_str(), "a\\x1b[2Jb\\u{202e}c\\x9b1m\\x0d\\x0a");
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(Untrusted::new(&"x".repeat(10_000)).as_str().chars().count(), MAX_CHARS + 1);
        assert!(Untrusted::from_bytes(&[0xff; 10_000_000]).as_str().chars().count() <= MAX_CHARS + 1);
    }

    proptest! {
        #[test]
        fn nothing_a_terminal_obeys_remains(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let shown = Untrusted::from_bytes(&bytes);
            prop_assert!(shown.as_str().chars().all(|c| !c.is_control()));
            let again = Untrusted::new(shown.as_str());
            prop_assert!(again.as_str().chars().count() <= MAX_CHARS + 1);
        }
    }
}
