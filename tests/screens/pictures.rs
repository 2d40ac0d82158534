//! Whole screens, kept as text.

use crossterm::event::KeyCode;

use super::Screen;
use super::tape::Tape;

fn fault(columns: u16, rows: u16) -> Screen {
    Screen::new(Tape::at_second(90, true), columns, rows)
}

#[test]
fn overview() {
    insta::assert_snapshot!(fault(120, 36).text());
}

#[test]
fn overview_well() {
    insta::assert_snapshot!(Screen::new(Tape::at_second(90, false), 120, 36).text());
}

#[test]
fn overview_ascii() {
    let text = fault(120, 36).ascii().text();
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn first_moments() {
    insta::assert_snapshot!(Screen::new(Tape::blank(), 120, 36).text());
}

#[test]
fn very_large() {
    insta::assert_snapshot!(fault(220, 60).text());
}

#[test]
fn one_pane() {
    let mut screen = fault(80, 24);
    screen.press("2");
    insta::assert_snapshot!(screen.text());
}

#[test]
fn below_any_pane() {
    insta::assert_snapshot!(fault(59, 15).text());
    insta::assert_snapshot!(fault(20, 5).text());
    insta::assert_snapshot!(fault(1, 1).text());
}

#[test]
fn zoomed() {
    for pane in ["1", "2", "3", "4", "5", "6", "7"] {
        let mut screen = fault(120, 36);
        screen.press(pane);
        screen.press("z");
        insta::assert_snapshot!(format!("zoomed_{pane}"), screen.text());
    }
}

#[test]
fn on_top() {
    let mut screen = fault(120, 36);
    screen.code(KeyCode::Enter);
    insta::assert_snapshot!("details", screen.text());
    screen.code(KeyCode::Esc);
    screen.press("?");
    insta::assert_snapshot!("help", screen.text());
    screen.code(KeyCode::Esc);
    screen.press(":fr");
    insta::assert_snapshot!("palette", screen.text());
    screen.code(KeyCode::Esc);
    screen.press("nthe NOC says: maintenance");
    insta::assert_snapshot!("note", screen.text());
}
