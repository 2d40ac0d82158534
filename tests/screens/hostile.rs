//! Text from outside: escape sequences, endless names, wide scripts. It may look
//! odd; it never reaches the terminal as control and never moves another cell.

#![allow(clippy::unwrap_used, reason = "a test may")]

use frc::model::socket::Process;
use frc::model::{RecordKind, Untrusted};
use unicode_width::UnicodeWidthStr;

use super::Screen;
use super::tape::Tape;

fn hostile() -> Vec<String> {
    vec![
        "\x1b[2J\x1b[1;1Hhacked\x07".to_owned(),
        "\x1b]0;title\x07\u{9b}31m".to_owned(),
        "n".repeat(500),
        "网络控制台".repeat(40),
        "\u{202e}reversed\u{2066}".to_owned(),
        "e\u{301}\u{301}\u{301}👩‍👩‍👧‍👦 🇨🇳".to_owned(),
        "a\nb\tc\r".to_owned(),
    ]
}

fn named(name: &str) -> Tape {
    let mut tape = Tape::at_second(90, true);
    let at = tape.state.now;
    let name = Untrusted::new(name);
    for address in ["10.77.1.1", "10.77.12.2", "10.77.23.3", "10.77.34.4"] {
        tape.write(at, RecordKind::Name { address: address.parse().unwrap(), name: Some(name.clone()) });
    }
    if let Some(mut host) = tape.state.host.clone() {
        host.name = name.clone();
        tape.write(at, RecordKind::Host(host));
    }
    if let Some((_, mut sockets)) = tape.state.sockets.clone() {
        for (n, listener) in sockets.listeners.iter_mut().enumerate() {
            listener.process = Some(Process { pid: n as u32, name: name.clone() });
        }
        tape.write(at, RecordKind::Sockets(Box::new(sockets)));
    }
    let note = frc::model::record::Action::Note { text: name };
    tape.write(at, RecordKind::Action(note));
    tape
}

/// What the frames are made of stands where it stood, whatever is in them.
#[test]
fn names_from_outside_stay_in_their_cells() {
    for name in hostile() {
        for (columns, rows) in [(120, 36), (160, 50), (80, 24), (59, 15)] {
            let plain = Screen::new(named("plain"), columns, rows).draw().0;
            for keys in ["", "2z", "4z", "6z", "7z"] {
                let mut screen = Screen::new(named(&name), columns, rows);
                screen.press(keys);
                let (buffer, _) = screen.draw();
                for cell in buffer.content() {
                    assert!(!cell.symbol().chars().any(char::is_control), "{name:?}: {:?}", cell.symbol());
                    assert!(cell.symbol().width() <= 2, "{name:?}: {:?}", cell.symbol());
                }
                if keys.is_empty() {
                    let frames = |b: &ratatui::buffer::Buffer| {
                        let edge = |c: &ratatui::buffer::Cell| "╭╮╰╯│".contains(c.symbol()) && c.symbol() != " ";
                        b.content().iter().enumerate().filter(|(_, c)| edge(c)).map(|(n, _)| n).collect::<Vec<_>>()
                    };
                    assert_eq!(frames(&buffer), frames(&plain), "{name:?} at {columns}x{rows}: {}", screen.text());
                }
            }
        }
    }
}
