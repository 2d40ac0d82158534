//! Colours and glyphs.
//!
//! Owns the five meanings (good, warning, fault, not measured, focus) and how each
//! looks on a dark, light, 16-colour and colourless terminal; a meaning always has
//! a glyph as well, so that colour is never the only sign. Must never know what is
//! good or bad.

use std::collections::BTreeMap;
use std::str::FromStr;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

/// What a colour says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// As it should be.
    Good,
    /// Works, but badly.
    Warning,
    /// Does not work.
    Fault,
    /// Nobody knows.
    Unmeasured,
    /// Where the keys go.
    Focus,
}

/// The marks of one character set.
#[derive(Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Glyphs {
    pub good: &'static str,
    pub warning: &'static str,
    pub fault: &'static str,
    pub unmeasured: &'static str,
    pub pointer: &'static str,
    pub todo: &'static str,
    pub none: &'static str,
    pub dot: &'static str,
    pub dash: &'static str,
    pub ellipsis: &'static str,
    pub up: &'static str,
    pub down: &'static str,
    /// A bar at the screen's edge beside what matters most.
    pub edge: &'static str,
    /// Levels of a sparkline, lowest first.
    pub levels: [&'static str; 8],
    pub lost: &'static str,
    pub late: &'static str,
    pub gap: &'static str,
    pub gauge_full: &'static str,
    pub gauge_empty: &'static str,
    /// Corners: top left, top right, bottom left, bottom right.
    pub corners: [&'static str; 4],
    pub horizontal: &'static str,
    pub vertical: &'static str,
    /// Whether braille may be used for graphs.
    pub braille: bool,
}

/// For terminals that show Unicode.
pub static UNICODE: Glyphs = Glyphs {
    good: "✓",
    warning: "!",
    fault: "✗",
    unmeasured: "?",
    pointer: "▶",
    todo: "☐",
    none: "·",
    dot: "·",
    dash: "–",
    ellipsis: "…",
    up: "↑",
    down: "↓",
    edge: "▌",
    levels: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    lost: "×",
    late: "◦",
    gap: " ",
    gauge_full: "▰",
    gauge_empty: "▱",
    corners: ["╭", "╮", "╰", "╯"],
    horizontal: "─",
    vertical: "│",
    braille: true,
};

/// For all others.
pub static ASCII: Glyphs = Glyphs {
    good: "+",
    warning: "!",
    fault: "X",
    unmeasured: "?",
    pointer: ">",
    todo: "o",
    none: ".",
    dot: ".",
    dash: "-",
    ellipsis: "~",
    up: "^",
    down: "v",
    edge: "|",
    levels: ["_", ".", "-", ":", "=", "*", "%", "#"],
    lost: "x",
    late: "o",
    gap: " ",
    gauge_full: "#",
    gauge_empty: ".",
    corners: ["+", "+", "+", "+"],
    horizontal: "-",
    vertical: "|",
    braille: false,
};

/// The themes that come with the console, by name.
pub const BUILT_IN: [(&str, &str); 4] = [
    ("dark", include_str!("../../assets/themes/dark.toml")),
    ("light", include_str!("../../assets/themes/light.toml")),
    ("ansi16", include_str!("../../assets/themes/ansi16.toml")),
    ("mono", include_str!("../../assets/themes/mono.toml")),
];

/// A look, ready to draw with.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    styles: [Style; Part::ALL.len()],
    /// Marks.
    pub glyphs: &'static Glyphs,
}

macro_rules! parts {
    ($($(#[$doc:meta])* $part:ident = $name:literal),* $(,)?) => {
        /// A part of the screen that has a style of its own.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Part { $($(#[$doc])* $part),* }

        impl Part {
            /// Every part.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$part),*];

            /// Its key in a theme file.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$part => $name),* }
            }
        }
    };
}

parts! {
    /// As it should be.
    Good = "good",
    /// Works, but badly.
    Warning = "warning",
    /// Does not work.
    Fault = "fault",
    /// Nobody knows.
    Unmeasured = "unmeasured",
    /// Where the keys go.
    Focus = "focus",
    /// Ordinary words.
    Text = "text",
    /// What to read first.
    Strong = "strong",
    /// What may be left unread.
    Dim = "dim",
    /// Frames.
    Border = "border",
    /// The selected line.
    Selected = "selected",
    /// A chosen tab.
    Chosen = "chosen",
    /// The banner over a fault.
    BannerFault = "banner_fault",
    /// The banner over a warning.
    BannerWarning = "banner_warning",
    /// The banner over nothing wrong.
    BannerGood = "banner_good",
    /// The banner over nothing known.
    BannerUnmeasured = "banner_unmeasured",
}

/// Why a theme file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThemeError {
    /// Not a theme in TOML.
    #[error("{0}")]
    Syntax(String),
    /// A colour that is none.
    #[error("{0}: no colour \"{1}\"")]
    Colour(&'static str, String),
    /// A part is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Look {
    fg: Option<String>,
    bg: Option<String>,
    #[serde(default)]
    bold: bool,
    #[serde(default)]
    dim: bool,
    #[serde(default)]
    underlined: bool,
    #[serde(default)]
    reversed: bool,
}

impl Theme {
    /// Reads a theme file.
    ///
    /// # Errors
    /// Where it is no theme; the error names the part.
    pub fn parse(source: &str, glyphs: &'static Glyphs) -> Result<Self, ThemeError> {
        let looks: BTreeMap<String, Look> = toml::from_str(source).map_err(|e| ThemeError::Syntax(e.to_string()))?;
        let mut styles = [Style::new(); Part::ALL.len()];
        for (slot, part) in styles.iter_mut().zip(Part::ALL) {
            let look = looks.get(part.name()).ok_or(ThemeError::Missing(part.name()))?;
            *slot = style(part, look)?;
        }
        Ok(Self { styles, glyphs })
    }

    /// A theme that comes with the console; the colourless one for a name that
    /// does not.
    pub fn built_in(name: &str, glyphs: &'static Glyphs) -> Self {
        let source = BUILT_IN.iter().find(|(n, _)| *n == name).map_or("", |(_, source)| source);
        Self::parse(source, glyphs).unwrap_or(Self { styles: [Style::new(); Part::ALL.len()], glyphs })
    }

    /// The same look in other colours.
    #[must_use]
    pub fn map_colours(mut self, map: impl Fn(Color) -> Color) -> Self {
        for style in &mut self.styles {
            style.fg = style.fg.map(&map);
            style.bg = style.bg.map(&map);
        }
        self
    }

    /// How a part looks.
    pub fn style(&self, part: Part) -> Style {
        self.styles.get(part as usize).copied().unwrap_or_default()
    }

    /// How a meaning looks.
    pub fn meaning(&self, meaning: Meaning) -> Style {
        self.style(match meaning {
            Meaning::Good => Part::Good,
            Meaning::Warning => Part::Warning,
            Meaning::Fault => Part::Fault,
            Meaning::Unmeasured => Part::Unmeasured,
            Meaning::Focus => Part::Focus,
        })
    }

    /// The mark of a meaning.
    pub fn mark(&self, meaning: Meaning) -> &'static str {
        match meaning {
            Meaning::Good => self.glyphs.good,
            Meaning::Warning => self.glyphs.warning,
            Meaning::Fault => self.glyphs.fault,
            Meaning::Unmeasured => self.glyphs.unmeasured,
            Meaning::Focus => self.glyphs.pointer,
        }
    }

    /// The banner over a meaning.
    pub fn banner(&self, meaning: Meaning) -> Style {
        self.style(match meaning {
            Meaning::Good | Meaning::Focus => Part::BannerGood,
            Meaning::Warning => Part::BannerWarning,
            Meaning::Fault => Part::BannerFault,
            Meaning::Unmeasured => Part::BannerUnmeasured,
        })
    }

    /// Ordinary words.
    pub fn text(&self) -> Style {
        self.style(Part::Text)
    }

    /// What to read first.
    pub fn strong(&self) -> Style {
        self.style(Part::Strong)
    }

    /// What may be left unread.
    pub fn dim(&self) -> Style {
        self.style(Part::Dim)
    }
}

fn style(part: Part, look: &Look) -> Result<Style, ThemeError> {
    let colour = |text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => match Color::from_str(text) {
            Ok(colour) => Ok(Some(colour)),
            Err(_) => Err(ThemeError::Colour(part.name(), text.clone())),
        },
    };
    let mut style = Style { fg: colour(&look.fg)?, bg: colour(&look.bg)?, ..Style::new() };
    let flags = [
        (look.bold, Modifier::BOLD),
        (look.dim, Modifier::DIM),
        (look.underlined, Modifier::UNDERLINED),
        (look.reversed, Modifier::REVERSED),
    ];
    for (on, modifier) in flags {
        if on {
            style = style.add_modifier(modifier);
        }
    }
    Ok(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEANINGS: [Part; 5] = [Part::Good, Part::Warning, Part::Fault, Part::Unmeasured, Part::Focus];

    fn rgb(colour: Option<Color>) -> [f64; 3] {
        match colour {
            Some(Color::Rgb(r, g, b)) => [r, g, b].map(|c| f64::from(c) / 255.0),
            other => panic!("{other:?}"),
        }
    }

    fn linear(c: f64) -> f64 {
        if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    }

    fn luminance(c: [f64; 3]) -> f64 {
        let [r, g, b] = c.map(linear);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// Machado, Oliveira, Fernandes 2009, severity 1.0, on linear RGB.
    fn seen(kind: [[f64; 3]; 3], c: [f64; 3]) -> [f64; 3] {
        let c = c.map(linear);
        kind.map(|row| row.iter().zip(c).map(|(m, v)| m * v).sum::<f64>().clamp(0.0, 1.0).powf(1.0 / 2.2))
    }

    const PROTAN: [[f64; 3]; 3] =
        [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]];
    const DEUTAN: [[f64; 3]; 3] =
        [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]];

    #[test]
    fn every_built_in_theme_is_whole() {
        for (name, source) in BUILT_IN {
            Theme::parse(source, &UNICODE).unwrap_or_else(|e| panic!("{name}: {e}"));
        }
    }

    #[test]
    fn words_are_readable_on_their_ground() {
        for (name, ground) in [("dark", [0.06, 0.07, 0.09]), ("light", [0.98, 0.98, 0.97])] {
            let theme = Theme::built_in(name, &UNICODE);
            for part in MEANINGS.into_iter().chain([Part::Dim]) {
                let c = contrast(rgb(theme.style(part).fg), ground);
                assert!(c >= 4.5, "{name} {}: {c:.1}", part.name());
            }
            let banners = [
                (Part::BannerFault, Part::Fault),
                (Part::BannerWarning, Part::Warning),
                (Part::BannerGood, Part::Good),
                (Part::BannerUnmeasured, Part::Unmeasured),
            ];
            for (banner, part) in banners {
                let ground = rgb(theme.style(banner).bg);
                let c = contrast(rgb(theme.style(part).fg), ground).min(contrast(rgb(theme.style(banner).fg), ground));
                assert!(c >= 4.5, "{name} {}: {c:.1}", banner.name());
            }
        }
    }

    #[test]
    fn meanings_differ_for_colour_blind_readers() {
        for name in ["dark", "light"] {
            let theme = Theme::built_in(name, &UNICODE);
            for kind in [PROTAN, DEUTAN] {
                for (n, a) in MEANINGS.into_iter().enumerate() {
                    for b in MEANINGS.into_iter().skip(n + 1) {
                        let (x, y) = (seen(kind, rgb(theme.style(a).fg)), seen(kind, rgb(theme.style(b).fg)));
                        let distance = x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt();
                        assert!(distance > 0.13, "{name}: {} and {} look alike: {distance:.2}", a.name(), b.name());
                    }
                }
            }
        }
    }

    #[test]
    fn no_meaning_is_told_by_colour_alone() {
        for glyphs in [&UNICODE, &ASCII] {
            let marks = [glyphs.good, glyphs.warning, glyphs.fault, glyphs.unmeasured, glyphs.pointer];
            for (n, a) in marks.iter().enumerate() {
                assert!(marks.iter().skip(n + 1).all(|b| a != b));
            }
        }
    }

    #[test]
    fn a_colourless_theme_has_no_colours() {
        let theme = Theme::built_in("mono", &ASCII);
        assert!(Part::ALL.iter().all(|p| theme.style(*p).fg.is_none() && theme.style(*p).bg.is_none()));
    }

    #[test]
    fn a_mistake_names_its_part() {
        let source = BUILT_IN[0].1.replacen("#3fc9a6", "no", 1);
        assert_eq!(Theme::parse(&source, &ASCII), Err(ThemeError::Colour("good", "no".to_owned())));
        assert_eq!(Theme::parse("", &ASCII), Err(ThemeError::Missing("good")));
    }
}
