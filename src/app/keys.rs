//! What a terminal sends, read as keys and pastes (xterm's and VT220's forms).
//!
//! Owns the reading of one byte stream, bounded, whatever arrives. Must never
//! read a terminal itself: bytes and the passing of time come in as calls. Our
//! own because crossterm's reader spins once the terminal dies and takes an
//! escape sequence split by a slow link for an Escape key.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Longest paste taken, in bytes; the rest of it is dropped.
pub const MAX_PASTE: usize = 64 * 1024;

/// Longest escape sequence waited for.
const MAX_SEQUENCE: usize = 64;

const PASTE_END: &[u8] = b"\x1b[201~";

/// A key or a paste.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A key.
    Key(KeyEvent),
    /// A bracketed paste, line ends as `\n`, control characters but tab dropped.
    Paste(String),
}

/// Reads a stream of bytes.
#[derive(Debug, Default)]
pub struct Reader {
    pending: Vec<u8>,
    paste: Option<Vec<u8>>,
}

impl Reader {
    /// Takes bytes as they came and appends what they mean to `out`.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<Input>) {
        for &byte in bytes {
            if self.paste.is_some() {
                self.feed_paste(byte, out);
                continue;
            }
            self.pending.push(byte);
            self.settle(false, out);
        }
    }

    /// Whether an unfinished sequence waits: an Escape key looks like its beginning.
    pub fn is_waiting(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Nothing followed for a while: what waits is all there is.
    pub fn quiet(&mut self, out: &mut Vec<Input>) {
        self.settle(true, out);
        self.pending.clear();
    }

    fn settle(&mut self, quiet: bool, out: &mut Vec<Input>) {
        match parse(&self.pending, quiet) {
            Parsed::More if self.pending.len() < MAX_SEQUENCE => {}
            Parsed::More | Parsed::Nothing => self.pending.clear(),
            Parsed::Key(key) => {
                self.pending.clear();
                out.push(Input::Key(key));
            }
            Parsed::PasteBegin => {
                self.pending.clear();
                self.paste = Some(Vec::new());
            }
        }
    }

    fn feed_paste(&mut self, byte: u8, out: &mut Vec<Input>) {
        let Some(paste) = &mut self.paste else { return };
        if paste.len() >= MAX_PASTE + PASTE_END.len() {
            // Keep looking for the end without keeping the text.
            paste.remove(MAX_PASTE);
        }
        paste.push(byte);
        if paste.ends_with(PASTE_END) {
            let end = paste.len() - PASTE_END.len();
            let text = pasted(&paste[..end.min(MAX_PASTE)]);
            self.paste = None;
            if !text.is_empty() {
                out.push(Input::Paste(text));
            }
        }
    }
}

fn pasted(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

enum Parsed {
    /// Not complete.
    More,
    /// Complete and of no use to us.
    Nothing,
    Key(KeyEvent),
    PasteBegin,
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Parsed {
    Parsed::Key(KeyEvent::new(code, modifiers))
}

fn parse(bytes: &[u8], quiet: bool) -> Parsed {
    match bytes {
        [] => Parsed::More,
        [0x1b] if quiet => key(KeyCode::Esc, KeyModifiers::NONE),
        [0x1b] => Parsed::More,
        [0x1b, b'[' | b'O'] if quiet => key(KeyCode::Char(char::from(bytes[1])), KeyModifiers::ALT),
        [0x1b, b'[', rest @ ..] => csi(rest),
        [0x1b, b'O', rest @ ..] => ss3(rest),
        // A device's own talk (OSC, DCS, APC, PM, SOS): read to its end, no key.
        [0x1b, b']' | b'P' | b'_' | b'^' | b'X', rest @ ..] if !rest.is_empty() || !quiet => device_string(rest),
        [0x1b, 0x1b] => key(KeyCode::Esc, KeyModifiers::ALT),
        [0x1b, rest @ ..] => match parse(rest, quiet) {
            Parsed::Key(k) => key(k.code, k.modifiers | KeyModifiers::ALT),
            other => other,
        },
        [first, ..] => plain(*first, bytes),
    }
}

fn plain(first: u8, bytes: &[u8]) -> Parsed {
    let none = KeyModifiers::NONE;
    match first {
        b'\r' | b'\n' => key(KeyCode::Enter, none),
        b'\t' => key(KeyCode::Tab, none),
        0x7f | 0x08 => key(KeyCode::Backspace, none),
        0 => key(KeyCode::Char(' '), KeyModifiers::CONTROL),
        1..=0x1a => key(KeyCode::Char(char::from(first - 1 + b'a')), KeyModifiers::CONTROL),
        0x1c..=0x1f => key(KeyCode::Char(char::from(first - 0x1c + b'4')), KeyModifiers::CONTROL),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => match text.chars().next() {
                Some(c) if !c.is_control() => key(KeyCode::Char(c), shift_of(c)),
                _ => Parsed::Nothing,
            },
            Err(e) if e.error_len().is_none() => Parsed::More,
            Err(_) => Parsed::Nothing,
        },
    }
}

fn shift_of(c: char) -> KeyModifiers {
    if c.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE }
}

fn device_string(rest: &[u8]) -> Parsed {
    let ended = rest.last() == Some(&0x07) || rest.ends_with(b"\x1b\\");
    if ended { Parsed::Nothing } else { Parsed::More }
}

fn ss3(rest: &[u8]) -> Parsed {
    let Some(last) = rest.last() else { return Parsed::More };
    match last {
        b'P'..=b'S' => key(KeyCode::F(last - b'P' + 1), KeyModifiers::NONE),
        b'M' => key(KeyCode::Enter, KeyModifiers::NONE),
        _ => final_letter(*last).map_or(Parsed::Nothing, |code| key(code, KeyModifiers::NONE)),
    }
}

fn final_letter(letter: u8) -> Option<KeyCode> {
    Some(match letter {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'H' => KeyCode::Home,
        b'F' => KeyCode::End,
        _ => return None,
    })
}

/// Control sequences (ECMA-48 5.4): parameters, then one final byte.
fn csi(rest: &[u8]) -> Parsed {
    let Some(&last) = rest.last() else { return Parsed::More };
    // The Linux console's function keys: `ESC [ [ A`.
    if rest == b"[" {
        return Parsed::More;
    }
    if let [b'[', letter] = rest {
        return match letter {
            b'A'..=b'E' => key(KeyCode::F(letter - b'A' + 1), KeyModifiers::NONE),
            _ => Parsed::Nothing,
        };
    }
    // X10 mouse reports carry three more bytes.
    if rest.first() == Some(&b'M') {
        return if rest.len() >= 4 { Parsed::Nothing } else { Parsed::More };
    }
    if !(0x40..=0x7e).contains(&last) {
        return if (0x20..0x40).contains(&last) { Parsed::More } else { Parsed::Nothing };
    }
    let parameters = std::str::from_utf8(&rest[..rest.len() - 1]).unwrap_or_default();
    let mut numbers = parameters.split([';', ':']).map(|p| p.parse::<u8>().unwrap_or(0));
    let (first, second) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let modifiers = modifiers(second);
    match last {
        b'~' => match first {
            200 => Parsed::PasteBegin,
            1 | 7 => key(KeyCode::Home, modifiers),
            2 => key(KeyCode::Insert, modifiers),
            3 => key(KeyCode::Delete, modifiers),
            4 | 8 => key(KeyCode::End, modifiers),
            5 => key(KeyCode::PageUp, modifiers),
            6 => key(KeyCode::PageDown, modifiers),
            n @ 11..=15 => key(KeyCode::F(n - 10), modifiers),
            n @ 17..=21 => key(KeyCode::F(n - 11), modifiers),
            n @ 23..=24 => key(KeyCode::F(n - 12), modifiers),
            _ => Parsed::Nothing,
        },
        b'Z' => key(KeyCode::BackTab, KeyModifiers::SHIFT),
        b'P'..=b'S' => key(KeyCode::F(last - b'P' + 1), modifiers),
        _ => final_letter(last).map_or(Parsed::Nothing, |code| key(code, modifiers)),
    }
}

/// xterm's modifier parameter: 1 plus shift 1, alt 2, control 4.
fn modifiers(parameter: u8) -> KeyModifiers {
    let bits = parameter.saturating_sub(1);
    let mut modifiers = KeyModifiers::NONE;
    modifiers.set(KeyModifiers::SHIFT, bits & 1 != 0);
    modifiers.set(KeyModifiers::ALT, bits & 2 != 0);
    modifiers.set(KeyModifiers::CONTROL, bits & 4 != 0);
    modifiers
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(chunks: &[&[u8]]) -> Vec<Input> {
        let (mut reader, mut out) = (Reader::default(), Vec::new());
        for chunk in chunks {
            reader.feed(chunk, &mut out);
        }
        reader.quiet(&mut out);
        out
    }

    fn one(bytes: &[u8]) -> (KeyCode, KeyModifiers) {
        match read(&[bytes]).as_slice() {
            [Input::Key(k)] => (k.code, k.modifiers),
            other => panic!("{bytes:?}: {other:?}"),
        }
    }

    #[test]
    fn keys_are_read() {
        let none = KeyModifiers::NONE;
        assert_eq!(one(b"q"), (KeyCode::Char('q'), none));
        assert_eq!(one(b"G"), (KeyCode::Char('G'), KeyModifiers::SHIFT));
        assert_eq!(one("网".as_bytes()), (KeyCode::Char('网'), none));
        assert_eq!(one(b"\x03"), (KeyCode::Char('c'), KeyModifiers::CONTROL));
        assert_eq!(one(b"\x1b"), (KeyCode::Esc, none));
        assert_eq!(one(b"\x1b[A"), (KeyCode::Up, none));
        assert_eq!(one(b"\x1bOA"), (KeyCode::Up, none));
        assert_eq!(one(b"\x1b[1;5C"), (KeyCode::Right, KeyModifiers::CONTROL));
        assert_eq!(one(b"\x1b[3~"), (KeyCode::Delete, none));
        assert_eq!(one(b"\x1b[Z"), (KeyCode::BackTab, KeyModifiers::SHIFT));
        assert_eq!(one(b"\x1bb"), (KeyCode::Char('b'), KeyModifiers::ALT));
        assert_eq!(one(b"\x1b[24~"), (KeyCode::F(12), none));
        assert_eq!(one(b"\x7f"), (KeyCode::Backspace, none));
    }

    #[test]
    fn a_sequence_split_by_a_slow_link_is_still_one_key() {
        assert_eq!(read(&[b"\x1b", b"[", b"B"]), read(&[b"\x1b[B"]));
    }

    #[test]
    fn a_paste_is_text_and_never_keys() {
        let paste = read(&[b"\x1b[200~a\rq\x1b[A", b"\x03b\x1b[201~x"]);
        assert_eq!(paste[0], Input::Paste("a\nq[Ab".to_owned()));
        assert!(matches!(&paste[1], Input::Key(k) if k.code == KeyCode::Char('x')));
    }

    #[test]
    fn an_endless_paste_is_cut() {
        let mut bytes = b"\x1b[200~".to_vec();
        bytes.extend(std::iter::repeat_n(b'x', MAX_PASTE + 100));
        bytes.extend_from_slice(PASTE_END);
        let out = read(&[&bytes]);
        assert!(matches!(&out[..], [Input::Paste(text)] if text.len() == MAX_PASTE));
    }

    #[test]
    fn answers_of_the_terminal_are_no_keys() {
        assert_eq!(read(&[b"\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[?62c\x1b[I\x1b[M !!"]), vec![]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_bounded(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..8)) {
            let (mut reader, mut out) = (Reader::default(), Vec::new());
            for chunk in &chunks {
                reader.feed(chunk, &mut out);
                prop_assert!(reader.pending.len() <= MAX_SEQUENCE);
            }
            reader.quiet(&mut out);
            prop_assert!(!reader.is_waiting());
        }
    }
}
