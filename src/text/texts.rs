//! The messages of one language, ready to render.
//!
//! Owns the parsed message file. Rendering is a hash lookup and a walk over the
//! parsed pattern; nothing is parsed again.

use std::borrow::Cow;
use std::time::Duration;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

use super::format;
use super::language::Language;
use super::zone::Zone;
use crate::model::{Arg, Message, Untrusted, Wall};

/// Messages nest no deeper than this; what is deeper renders as its id. Records
/// read back from a file could be built to nest without end.
const MAX_DEPTH: u32 = 6;

/// The messages of one language.
pub struct Texts {
    language: Language,
    zone: Zone,
    bundle: FluentBundle<FluentResource>,
}

impl std::fmt::Debug for Texts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Texts").field("language", &self.language).finish_non_exhaustive()
    }
}

impl Texts {
    /// The messages of `language`, with times in the system's zone.
    pub fn new(language: Language) -> Self {
        Self::in_zone(language, Zone::local())
    }

    /// The messages of `language`, with times in `zone`.
    pub fn in_zone(language: Language, zone: Zone) -> Self {
        // A file with a mistake loses the entries concerned, and a test fails;
        // a person would rather read an id than nothing.
        let resource = match FluentResource::try_new(language.source().to_owned()) {
            Ok(r) | Err((r, _)) => r,
        };
        let mut bundle = FluentBundle::new_concurrent(vec![identifier(language)]);
        bundle.set_use_isolating(false);
        bundle.set_formatter(Some(|value, _| match value {
            FluentValue::Number(n) => Some(format::plain(n.value)),
            _ => None,
        }));
        let _ = bundle.add_builtins();
        add_formats(&mut bundle, &zone);
        let _ = bundle.add_resource(resource);
        Self { language, zone, bundle }
    }

    /// The language spoken.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The zone that times are written in.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The sentence. An unknown id renders as itself.
    pub fn render(&self, message: &Message) -> String {
        self.render_at(message, 0, &mut Vec::new())
    }

    /// The sentence of an id without arguments; borrowed where it is plain text.
    pub fn word<'a>(&'a self, id: &'a str) -> Cow<'a, str> {
        match self.bundle.get_message(id).and_then(|m| m.value()) {
            Some(pattern) => self.bundle.format_pattern(pattern, None, &mut Vec::new()),
            None => Cow::Borrowed(id),
        }
    }

    /// Whether the language has a message of that id.
    pub fn has(&self, id: &str) -> bool {
        self.bundle.get_message(id).is_some_and(|m| m.value().is_some())
    }

    /// What is wrong with a message as it stands: unknown ids, missing arguments.
    /// For tests; empty is good.
    pub fn problems(&self, message: &Message) -> Vec<String> {
        let mut problems = Vec::new();
        self.render_at(message, 0, &mut problems);
        problems
    }

    fn render_at(&self, message: &Message, depth: u32, problems: &mut Vec<String>) -> String {
        let pattern = self.bundle.get_message(&message.id).and_then(|m| m.value());
        let Some(pattern) = pattern.filter(|_| depth < MAX_DEPTH) else {
            problems.push(format!("no message {}", message.id));
            return harmless(&message.id).into_owned();
        };
        let mut args = FluentArgs::with_capacity(message.args.len());
        for (name, value) in &message.args {
            let value = match value {
                Arg::Number(n) => FluentValue::from(*n),
                Arg::Text(t) => FluentValue::from(harmless(t)),
                Arg::Message(m) => FluentValue::from(self.render_at(m, depth + 1, problems)),
            };
            args.set(name.as_ref(), value);
        }
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, Some(&args), &mut errors).into_owned();
        problems.extend(errors.iter().map(|e| format!("{}: {e}", message.id)));
        text
    }
}

/// Text of a record read back from a file is no more trusted than the first time.
fn harmless(text: &str) -> Cow<'_, str> {
    let suspicious = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    if text.chars().any(suspicious) {
        Cow::Owned(Untrusted::new(text).as_str().to_owned())
    } else {
        Cow::Borrowed(text)
    }
}

fn identifier(language: Language) -> LanguageIdentifier {
    language.tag().parse().unwrap_or_default()
}

/// The calls that message files may make, as listed in the module's page.
fn add_formats(bundle: &mut FluentBundle<FluentResource>, zone: &Zone) {
    let seconds = |x: f64| Duration::try_from_secs_f64(x.max(0.0)).unwrap_or(Duration::MAX);
    add(bundle, "PERCENT", format::percent);
    add(bundle, "MS", format::ms_unit);
    add(bundle, "DURATION", move |x| format::duration(seconds(x)));
    add(bundle, "AGE", move |x| format::age(seconds(x)));
    add(bundle, "COUNT", |x| format::count(x as u64));
    add(bundle, "BITRATE", format::bit_rate);
    add(bundle, "BYTES", |x| format::bytes(x as u64));
    let z = zone.clone();
    add(bundle, "TIME", move |x| z.time(Wall((x * 1e6) as i64)));
    let z = zone.clone();
    add(bundle, "DATE", move |x| z.date(Wall((x * 1e6) as i64)));
}

/// A call of one number; anything else given to it stays as it is.
fn add(bundle: &mut FluentBundle<FluentResource>, name: &str, write: impl Fn(f64) -> String + Send + Sync + 'static) {
    let _ = bundle.add_function(name, move |positional, _| match positional.first() {
        Some(FluentValue::Number(n)) => FluentValue::from(write(n.value)),
        Some(other) => other.clone(),
        None => FluentValue::Error,
    });
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn texts() -> Texts {
        Texts::in_zone(Language::En, Zone::utc())
    }

    fn is_send<T: Send + Sync>(_: &T) {}

    #[test]
    fn sentences_are_rendered_with_their_figures() {
        let texts = texts();
        is_send(&texts);
        let m = Message::new("text-selftest")
            .with("ratio", 0.9995)
            .with("ms", 0.3)
            .with("count", 1_204u32)
            .with("port", 5_432u16)
            .with("at", 1_763_625_600u64)
            .with("inner", Message::new("status-healthy"));
        assert_eq!(texts.render(&m), "99.95 % 0.3 ms 1,204 5432 08:00:00 healthy");
        assert!(texts.problems(&m).is_empty(), "{:?}", texts.problems(&m));
        assert!(matches!(texts.word("status-healthy"), Cow::Borrowed("healthy")));
    }

    #[test]
    fn what_is_missing_is_shown_and_reported() {
        let texts = texts();
        assert_eq!(texts.render(&Message::new("no-such-id")), "no-such-id");
        assert_eq!(texts.problems(&Message::new("no-such-id")), ["no message no-such-id"]);
        assert!(!texts.problems(&Message::new("text-selftest")).is_empty());
        let mut deep = Message::new("lang-not-available");
        for _ in 0..50 {
            deep = Message::new("lang-not-available").with("lang", deep);
        }
        assert!(texts.render(&deep).contains("lang-not-available"));
    }

    #[test]
    fn nothing_a_terminal_obeys_comes_through() {
        let m = Message::new("lang-not-available").with("lang", "a\x1b[2J\u{202e}b");
        assert!(texts().render(&m).contains("a\\x1b[2J\\u{202e}b"));
    }

    #[test]
    fn every_message_file_is_read_whole() {
        for language in Language::ALL {
            let (resource, errors) = match FluentResource::try_new(language.source().to_owned()) {
                Ok(r) => (r, Vec::new()),
                Err((r, e)) => (r, e),
            };
            assert!(errors.is_empty(), "{}: {errors:?}", language.tag());
            let mut bundle = FluentBundle::new_concurrent(vec![identifier(language)]);
            assert_eq!(bundle.add_resource(resource), Ok(()), "{}: an id stands twice", language.tag());
        }
    }

    /// Every id written in the code exists in every language.
    #[test]
    fn every_id_in_the_code_has_its_words() {
        let mut ids = BTreeSet::new();
        collect(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut ids);
        assert!(ids.contains("lang-not-available"), "the scan found nothing");
        let texts = texts();
        let missing: Vec<_> = ids.iter().filter(|id| !texts.has(id)).collect();
        assert!(missing.is_empty(), "no words for {missing:?}");
    }

    fn collect(folder: &std::path::Path, ids: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, ids);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let source = std::fs::read_to_string(&path).unwrap();
                // What follows the tests' line is about ids that do not exist.
                let code = source.split("#[cfg(test)]").next().unwrap_or_default();
                for opener in ["Message::new(\"", ".word(\""] {
                    for part in code.split(opener).skip(1) {
                        ids.extend(part.split_once('"').map(|(id, _)| id.to_owned()));
                    }
                }
            }
        }
    }
}
