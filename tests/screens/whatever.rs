//! Whatever the size and whatever is pressed, there is a picture and no panic.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;

use super::Screen;
use super::tape::Tape;

fn any_key() -> impl Strategy<Value = KeyEvent> {
    let code = prop_oneof![
        prop::char::range(' ', '~').prop_map(KeyCode::Char),
        prop::sample::select(vec!['网', 'é', '\u{301}', '😀']).prop_map(KeyCode::Char),
        prop::sample::select(vec![
            KeyCode::Enter,
            KeyCode::Esc,
            KeyCode::Tab,
            KeyCode::BackTab,
            KeyCode::Up,
            KeyCode::Down,
            KeyCode::Left,
            KeyCode::Right,
            KeyCode::PageUp,
            KeyCode::PageDown,
            KeyCode::Home,
            KeyCode::End,
            KeyCode::Delete,
            KeyCode::Backspace,
            KeyCode::F(1),
        ]),
    ];
    let modifiers = prop::sample::select(vec![KeyModifiers::NONE, KeyModifiers::CONTROL, KeyModifiers::ALT]);
    (code, modifiers).prop_map(|(code, modifiers)| KeyEvent::new(code, modifiers))
}

#[derive(Debug, Clone)]
enum Doing {
    Key(KeyEvent),
    Paste(String),
    Resize(u16, u16),
    Second,
}

fn anything() -> impl Strategy<Value = Doing> {
    prop_oneof![
        8 => any_key().prop_map(Doing::Key),
        1 => "\\PC{0,40}".prop_map(Doing::Paste),
        2 => (0u16..160, 0u16..50).prop_map(|(c, r)| Doing::Resize(c, r)),
        1 => Just(Doing::Second),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics(start in 0u64..3, doings in prop::collection::vec(anything(), 0..60)) {
        let tape = match start { 0 => Tape::blank(), 1 => Tape::at_second(5, true), _ => Tape::at_second(80, true) };
        let mut screen = Screen::new(tape, 120, 36);
        for doing in doings {
            match doing {
                Doing::Key(key) => { screen.key(key); }
                Doing::Paste(text) => screen.with(|ui, scene, _| frc::app::update::paste(ui, scene, &text)),
                Doing::Resize(columns, rows) => screen.ui.size = (columns, rows),
                Doing::Second => {
                    screen.tape.play_second();
                    screen.with(|ui, scene, _| frc::app::rows::refresh(scene, ui));
                }
            }
            let (buffer, cursor) = screen.draw();
            if let Some(at) = cursor {
                prop_assert!(buffer.area.contains(at), "{at:?} outside {:?}", buffer.area);
            }
        }
    }
}
