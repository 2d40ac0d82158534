//! Which language is spoken. Owns the choice by option and locale; must never
//! read the environment itself.

use crate::model::Message;

/// A language that the messages exist in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// English.
    #[default]
    En,
}

/// Languages that are promised and not shipped yet: asked for by name they are
/// answered with a word, not with an error.
const NOT_YET: [&str; 1] = ["zh"];

/// The locale variables of the environment (POSIX.1 8.2), as they stand there.
#[derive(Debug, Clone, Copy, Default)]
pub struct Environment<'a> {
    /// `LC_ALL`.
    pub lc_all: Option<&'a str>,
    /// `LC_MESSAGES`.
    pub lc_messages: Option<&'a str>,
    /// `LC_CTYPE`.
    pub lc_ctype: Option<&'a str>,
    /// `LANG`.
    pub lang: Option<&'a str>,
}

impl Environment<'_> {
    /// Whether the terminal is said to take UTF-8.
    pub fn is_utf8(&self) -> bool {
        first_set([self.lc_all, self.lc_ctype, self.lang]).is_some_and(|locale| {
            let charset = locale.split('@').next().unwrap_or_default().split_once('.').map_or("", |(_, c)| c);
            charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
        })
    }
}

/// The language taken, and what to tell about the choice.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// Spoken from now on.
    pub language: Language,
    /// To be told where the option asked for something else.
    pub note: Option<Message>,
}

impl Language {
    /// Every language, for tests and completions.
    pub const ALL: [Self; 1] = [Self::En];

    /// The tag (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
        }
    }

    /// The message file's text.
    pub(super) const fn source(self) -> &'static str {
        match self {
            Self::En => include_str!("../../assets/locales/en.ftl"),
        }
    }

    /// The language of `--lang`, else of the environment, else English. Only an
    /// option that cannot be met is worth a word.
    pub fn detect(option: Option<&str>, env: Environment<'_>) -> Chosen {
        if let Some(tag) = option {
            return match Self::of_tag(tag) {
                Some(language) => Chosen { language, note: None },
                None => Chosen {
                    language: Self::En,
                    note: Some(Message::new("lang-not-available").with("lang", &crate::model::Untrusted::new(tag))),
                },
            };
        }
        let locale = first_set([env.lc_all, env.lc_messages, env.lang]);
        Chosen { language: locale.and_then(Self::of_tag).unwrap_or_default(), note: None }
    }

    /// Whether `--lang` may name it, now or in a later version.
    pub fn is_known(tag: &str) -> bool {
        Self::of_tag(tag).is_some() || NOT_YET.contains(&primary(tag).as_str())
    }

    /// Reads `en`, `en-GB`, `en_US.UTF-8`, `C`, `POSIX`.
    fn of_tag(tag: &str) -> Option<Self> {
        match primary(tag).as_str() {
            "en" | "c" | "posix" => Some(Self::En),
            _ => None,
        }
    }
}

/// The primary language subtag in lower case.
fn primary(tag: &str) -> String {
    tag.split(['-', '_', '.', '@']).next().unwrap_or_default().to_ascii_lowercase()
}

/// An empty locale variable counts as not set.
fn first_set<const N: usize>(values: [Option<&str>; N]) -> Option<&str> {
    values.into_iter().flatten().find(|v| !v.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_wins_over_the_environment() {
        let env = Environment { lang: Some("de_DE.UTF-8"), ..Environment::default() };
        assert_eq!(Language::detect(Some("en"), env), Chosen { language: Language::En, note: None });
        assert_eq!(Language::detect(None, env).note, None);
    }

    #[test]
    fn a_language_that_is_not_there_is_said() {
        let chosen = Language::detect(Some("zh-CN"), Environment::default());
        assert_eq!(chosen.language, Language::En);
        assert_eq!(chosen.note.unwrap().id, "lang-not-available");
        assert!(Language::is_known("zh-CN") && Language::is_known("en") && !Language::is_known("xx"));
    }

    #[test]
    fn utf8_is_taken_from_the_first_variable_set() {
        let env = Environment { lc_all: Some(""), lc_ctype: Some("C"), lang: Some("en_US.UTF-8"), lc_messages: None };
        assert!(!env.is_utf8());
        assert!(Environment { lang: Some("de_DE.utf8@euro"), ..Environment::default() }.is_utf8());
        assert!(!Environment::default().is_utf8());
    }
}
