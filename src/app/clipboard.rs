//! Text to where the terminal's user can paste it.
//!
//! Owns the two ways there: through tmux where inside it (which drops OSC 52 by
//! default), else OSC 52 to the terminal. Must never block the application.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::mpsc::SyncSender;

use crate::model::Message;

use super::event::Event;

/// The control sequence that hands `text` to the terminal's clipboard (xterm, OSC 52).
pub fn osc52(text: &str) -> Vec<u8> {
    let mut bytes = b"\x1b]52;c;".to_vec();
    base64(text.as_bytes(), &mut bytes);
    bytes.extend_from_slice(b"\x07");
    bytes
}

/// RFC 4648 section 4.
fn base64(input: &[u8], out: &mut Vec<u8>) {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in input.chunks(3) {
        let byte = |n: usize| u32::from(chunk.get(n).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for n in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * n) & 63) as usize];
            out.push(if n <= chunk.len() { letter } else { b'=' });
        }
    }
}

/// Hands `text` to tmux on a thread of its own; what came of it arrives as a notice.
///
/// # Errors
/// Where no thread can be started.
pub fn to_tmux(text: String, events: &SyncSender<Event>) -> std::io::Result<()> {
    let out = events.clone();
    super::thread("frc-copy", events, move || {
        let id = if load_buffer(&text).is_ok_and(|done| done) { "notice-copied-tmux" } else { "notice-copy-failed" };
        let _ = out.try_send(Event::Notice(Message::new(id)));
    })?;
    Ok(())
}

fn load_buffer(text: &str) -> std::io::Result<bool> {
    let mut tmux = Command::new("tmux")
        .args(["load-buffer", "-w", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut input) = tmux.stdin.take() {
        input.write_all(text.as_bytes())?;
    }
    Ok(tmux.wait()?.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_as_terminals_expect() {
        let shown = |text: &str| String::from_utf8(osc52(text)).unwrap();
        assert_eq!(shown("a"), "\x1b]52;c;YQ==\x07");
        assert_eq!(shown("ab"), "\x1b]52;c;YWI=\x07");
        assert_eq!(shown("abc"), "\x1b]52;c;YWJj\x07");
        assert_eq!(shown(""), "\x1b]52;c;\x07");
    }
}
