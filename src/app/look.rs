//! Which colours and glyphs this terminal can show, from options and environment.
//!
//! Owns the choice. Reads no environment itself, so that every case is tested.

use ratatui::style::Color;

use crate::config::Theme as Asked;
use crate::widgets::Theme;
use crate::widgets::theme::{ASCII, UNICODE};

/// What the environment says about the terminal.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// `TERM`.
    pub term: String,
    /// `COLORTERM`.
    pub colorterm: String,
    /// `COLORFGBG`, as rxvt and others set it: foreground, background.
    pub colorfgbg: String,
    /// `NO_COLOR` is set and not empty (no-color.org).
    pub no_color: bool,
    /// Inside tmux, which takes 24-bit colours and turns them into what its own
    /// terminals have.
    pub tmux: bool,
    /// The locale's character set is UTF-8.
    pub utf8: bool,
}

impl Surroundings {
    /// From the process's environment.
    pub fn of_process() -> Self {
        let var = |name: &str| std::env::var(name).unwrap_or_default();
        let (all, ctype, lang) = (var("LC_ALL"), var("LC_CTYPE"), var("LANG"));
        let locale = crate::text::Environment {
            lc_all: Some(&all),
            lc_messages: None,
            lc_ctype: Some(&ctype),
            lang: Some(&lang),
        };
        Self {
            term: var("TERM"),
            colorterm: var("COLORTERM"),
            colorfgbg: var("COLORFGBG"),
            no_color: !var("NO_COLOR").is_empty(),
            tmux: !var("TMUX").is_empty(),
            utf8: locale.is_utf8(),
        }
    }
}

/// How many colours there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    None,
    Sixteen,
    Indexed,
    True,
}

fn depth(no_color: bool, around: &Surroundings) -> Depth {
    let term = around.term.as_str();
    if no_color || around.no_color || matches!(term, "vt100" | "vt102" | "vt220" | "ansi-m" | "xterm-mono") {
        Depth::None
    } else if around.tmux || matches!(around.colorterm.as_str(), "truecolor" | "24bit") || term.contains("direct") {
        Depth::True
    } else if term.contains("256color") || matches!(term, "alacritty" | "foot" | "xterm-kitty" | "wezterm") {
        Depth::Indexed
    } else {
        Depth::Sixteen
    }
}

/// What a person asks for, and what there is to show it on.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// No colours.
    pub no_color: bool,
    /// ASCII characters only.
    pub ascii: bool,
    /// The colours asked for.
    pub theme: Asked,
    /// The terminal.
    pub around: Surroundings,
}

impl Look {
    /// The theme.
    pub fn theme(&self) -> Theme {
        choose(self.no_color, self.ascii, self.theme, &self.around)
    }

    /// Changes between dark and light; false where the terminal's own colours are
    /// used, which the terminal itself must change.
    pub fn switch(&mut self) -> bool {
        let own = self.theme == Asked::Sixteen;
        if own || matches!(depth(self.no_color, &self.around), Depth::None | Depth::Sixteen) {
            return false;
        }
        self.theme = if is_light(self.theme, &self.around) { Asked::Dark } else { Asked::Light };
        true
    }
}

fn is_light(theme: Asked, around: &Surroundings) -> bool {
    match theme {
        Asked::Light => true,
        Asked::Dark => false,
        Asked::Auto | Asked::Sixteen => matches!(around.colorfgbg.rsplit(';').next(), Some("7" | "15")),
    }
}

/// The look for a terminal.
fn choose(no_color: bool, ascii: bool, asked: Asked, around: &Surroundings) -> Theme {
    // The kernel's own console has colours, but a font without our marks.
    let glyphs = if ascii || !around.utf8 || around.term == "linux" { &ASCII } else { &UNICODE };
    let name = if is_light(asked, around) { "light" } else { "dark" };
    match depth(no_color, around) {
        Depth::None => Theme::built_in("mono", glyphs),
        Depth::Sixteen => Theme::built_in("ansi16", glyphs),
        _ if asked == Asked::Sixteen => Theme::built_in("ansi16", glyphs),
        Depth::Indexed => Theme::built_in(name, glyphs).map_colours(indexed),
        Depth::True => Theme::built_in(name, glyphs),
    }
}

/// The nearest of the 256 colours: the cube of 6 steps a channel, or the grey ramp.
fn indexed(colour: Color) -> Color {
    let Color::Rgb(r, g, b) = colour else { return colour };
    const STEPS: [i32; 6] = [0, 95, 135, 175, 215, 255];
    let nearest = |c: u8| (0..6).min_by_key(|n: &usize| (STEPS[*n] - i32::from(c)).abs()).unwrap_or(0);
    let distance = |a: [i32; 3]| [r, g, b].iter().zip(a).map(|(x, y)| (i32::from(*x) - y).pow(2)).sum::<i32>();
    let cube = [nearest(r), nearest(g), nearest(b)];
    let grey = (0..24).min_by_key(|n| distance([8 + n * 10; 3])).unwrap_or(0);
    if distance([8 + grey * 10; 3]) < distance(cube.map(|n| STEPS[n])) {
        Color::Indexed(232 + grey as u8)
    } else {
        let [r, g, b] = cube;
        Color::Indexed((16 + 36 * r + 6 * g + b) as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xterm() -> Surroundings {
        Surroundings { term: "xterm-256color".into(), utf8: true, ..Surroundings::default() }
    }

    #[test]
    fn colours_are_what_the_terminal_has() {
        let fault = |around: &Surroundings| {
            choose(false, false, Asked::Auto, around).meaning(crate::widgets::Meaning::Fault).fg
        };
        assert!(matches!(fault(&xterm()), Some(Color::Indexed(_))));
        assert!(matches!(fault(&Surroundings { colorterm: "truecolor".into(), ..xterm() }), Some(Color::Rgb(..))));
        assert_eq!(fault(&Surroundings { term: "xterm".into(), ..xterm() }), Some(Color::LightRed));
        assert_eq!(fault(&Surroundings { no_color: true, ..xterm() }), None);
        assert_eq!(choose(true, false, Asked::Auto, &xterm()), Theme::built_in("mono", &UNICODE));
        let light = Surroundings { colorfgbg: "0;15".into(), tmux: true, ..xterm() };
        assert_eq!(choose(false, false, Asked::Auto, &light), Theme::built_in("light", &UNICODE));
    }

    #[test]
    fn a_locale_without_utf8_gets_ascii() {
        let glyphs = |ascii, around: &Surroundings| choose(false, ascii, Asked::Auto, around).glyphs.braille;
        assert!(glyphs(false, &xterm()));
        assert!(!glyphs(true, &xterm()));
        assert!(!glyphs(false, &Surroundings { utf8: false, ..xterm() }));
        assert!(!glyphs(false, &Surroundings { term: "linux".into(), ..xterm() }));
    }

    #[test]
    fn a_person_has_the_last_word() {
        let mut look = Look { theme: Asked::Light, around: xterm(), ..Look::default() };
        let light = look.theme();
        assert!(look.switch() && look.theme() != light);
        assert!(look.switch() && look.theme() == light);
        let mut own = Look { theme: Asked::Sixteen, ..look };
        assert_eq!(own.theme(), Theme::built_in("ansi16", &UNICODE));
        assert!(!own.switch());
    }

    #[test]
    fn nearest_colours_are_near() {
        assert_eq!(indexed(Color::Rgb(255, 255, 255)), Color::Indexed(231));
        assert_eq!(indexed(Color::Rgb(38, 43, 51)), Color::Indexed(236));
        assert_eq!(indexed(Color::Rgb(0, 95, 175)), Color::Indexed(25));
    }
}
