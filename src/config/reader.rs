//! Walks a parsed TOML document and collects every mistake on the way.
//!
//! Owns types, ranges, unknown keys and suggestions. Must never know what a key
//! means.

use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::mistake::nearest;
use crate::model::{Message, Mistake, Untrusted};

/// More mistakes than this are not listed: nobody reads them.
const MAX_MISTAKES: usize = 100;
/// Longest string taken, in characters.
const MAX_TEXT: usize = 200;

/// A parsed value with its place.
pub(super) type Value<'i> = Spanned<DeValue<'i>>;

/// The document and what is wrong with it.
pub(super) struct Reader<'i> {
    name: &'i str,
    text: &'i str,
    mistakes: Vec<Mistake>,
}

impl<'i> Reader<'i> {
    pub(super) fn new(name: &'i str, text: &'i str) -> Self {
        Self { name, text, mistakes: Vec::new() }
    }

    /// Notes a mistake; a line that is already wrong is told once.
    pub(super) fn wrong(&mut self, span: Range<usize>, what: Message) {
        if self.mistakes.len() < MAX_MISTAKES {
            self.mistakes.push(Mistake::at(self.name, self.text, span, what));
        }
    }

    /// Notes what is not TOML at all.
    pub(super) fn syntax(&mut self, errors: &[toml::de::Error]) {
        for e in errors {
            let end = self.text.len();
            let why = Untrusted::new(e.message());
            self.wrong(e.span().unwrap_or(end..end), Message::new("config-syntax").with("why", &why));
        }
    }

    /// All mistakes in the order of the file. After a syntax error the parser
    /// guesses; what it guessed wrong about the same line is left out.
    pub(super) fn finish(mut self) -> Vec<Mistake> {
        let syntax: Vec<u32> = self.mistakes.iter().filter(|m| m.what.id == "config-syntax").map(|m| m.line).collect();
        self.mistakes.retain(|m| m.what.id == "config-syntax" || !syntax.contains(&m.line));
        self.mistakes.sort_by_key(|m| (m.line, m.column));
        self.mistakes.dedup();
        self.mistakes
    }

    /// A table under `value`.
    pub(super) fn section<'t, 'v>(&mut self, value: &'t Value<'v>) -> Option<Section<'t, 'v>> {
        match value.get_ref() {
            DeValue::Table(table) => Some(Section::new(table, value.span())),
            other => {
                self.wrong(value.span(), expected("config-type-table", other));
                None
            }
        }
    }

    /// The tables of an array of tables (`[[key]]`).
    pub(super) fn sections<'t, 'v>(&mut self, value: &'t Value<'v>) -> Vec<Section<'t, 'v>> {
        match value.get_ref() {
            DeValue::Array(items) => items.iter().filter_map(|item| self.section(item)).collect(),
            other => {
                self.wrong(value.span(), expected("config-type-tables", other));
                Vec::new()
            }
        }
    }

    /// A number, whole or not, within `range`.
    pub(super) fn number(&mut self, value: &Value<'_>, range: &RangeInclusive<f64>) -> Option<f64> {
        let number = match value.get_ref() {
            DeValue::Integer(i) => i64::from_str_radix(i.as_str(), i.radix()).ok().map(|i| i as f64),
            DeValue::Float(f) => f.as_str().parse().ok(),
            other => {
                self.wrong(value.span(), expected("config-type-number", other));
                return None;
            }
        };
        let found = number.filter(|n| range.contains(n));
        if found.is_none() {
            self.wrong(value.span(), out_of_range(*range.start(), *range.end()));
        }
        found
    }

    /// A whole number within `range`.
    pub(super) fn integer(&mut self, value: &Value<'_>, range: &RangeInclusive<u32>) -> Option<u32> {
        let DeValue::Integer(i) = value.get_ref() else {
            self.wrong(value.span(), expected("config-type-integer", value.get_ref()));
            return None;
        };
        let found = u32::from_str_radix(i.as_str(), i.radix()).ok().filter(|n| range.contains(n));
        if found.is_none() {
            self.wrong(value.span(), out_of_range(f64::from(*range.start()), f64::from(*range.end())));
        }
        found
    }

    pub(super) fn boolean(&mut self, value: &Value<'_>) -> Option<bool> {
        let found = value.get_ref().as_bool();
        if found.is_none() {
            self.wrong(value.span(), expected("config-type-boolean", value.get_ref()));
        }
        found
    }

    /// Text that is safe to show, not empty and not endless.
    pub(super) fn text(&mut self, value: &Value<'_>) -> Option<String> {
        let Some(text) = value.get_ref().as_str() else {
            self.wrong(value.span(), expected("config-type-string", value.get_ref()));
            return None;
        };
        if text.trim().is_empty() {
            self.wrong(value.span(), Message::new("config-empty"));
        } else if text.chars().count() > MAX_TEXT {
            self.wrong(value.span(), Message::new("config-text-too-long").with("limit", MAX_TEXT));
        } else if Untrusted::new(text).as_str() != text {
            self.wrong(value.span(), Message::new("config-characters"));
        } else {
            return Some(text.to_owned());
        }
        None
    }

    /// One of `words`.
    pub(super) fn choice<T: Copy>(&mut self, value: &Value<'_>, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(value)?;
        let found = words.iter().find(|(w, _)| *w == text).map(|(_, t)| *t);
        if found.is_none() {
            let known: Vec<_> = words.iter().map(|(w, _)| *w).collect();
            let message = match nearest(&text, known.iter().copied()) {
                Some(near) => Message::new("config-choice-near").with("near", near),
                None => Message::new("config-choice"),
            };
            self.wrong(value.span(), message.with("word", text).with("known", known.join(", ")));
        }
        found
    }
}

/// A table being read: what was asked for is known, the rest is a mistake.
pub(super) struct Section<'t, 'i> {
    table: &'t DeTable<'i>,
    /// The place of the table.
    pub(super) span: Range<usize>,
    known: Vec<&'static str>,
}

impl<'t, 'i> Section<'t, 'i> {
    pub(super) fn new(table: &'t DeTable<'i>, span: Range<usize>) -> Self {
        Self { table, span, known: Vec::new() }
    }

    /// The value of `key`, where it is there.
    pub(super) fn get(&mut self, key: &'static str) -> Option<&'t Value<'i>> {
        self.known.push(key);
        self.table.iter().find(|(k, _)| k.get_ref().as_ref() == key).map(|(_, v)| v)
    }

    /// The value of `key`, which must be there.
    pub(super) fn need(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<&'t Value<'i>> {
        let value = self.get(key);
        if value.is_none() {
            reader.wrong(self.span.clone(), Message::new("config-key-missing").with("key", key));
        }
        value
    }

    /// Every key with its value, for a table with free keys.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'t Spanned<std::borrow::Cow<'i, str>>, &'t Value<'i>)> {
        self.table.iter()
    }

    /// Notes the keys that nobody asked for.
    pub(super) fn finish(self, reader: &mut Reader<'_>) {
        for (key, _) in self.table {
            let text = key.get_ref().as_ref();
            if self.known.contains(&text) {
                continue;
            }
            let shown = Untrusted::new(text);
            let message = match nearest(text, self.known.iter().copied()) {
                Some(near) => Message::new("config-unknown-key-near").with("near", near),
                None => Message::new("config-unknown-key").with("known", self.known.join(", ")),
            };
            reader.wrong(key.span(), message.with("key", &shown));
        }
    }
}

fn expected(what: &'static str, found: &DeValue<'_>) -> Message {
    let found = match found {
        DeValue::String(_) => Message::new("config-type-string"),
        DeValue::Integer(_) => Message::new("config-type-integer"),
        DeValue::Float(_) => Message::new("config-type-number"),
        DeValue::Boolean(_) => Message::new("config-type-boolean"),
        DeValue::Datetime(_) => Message::new("config-type-date"),
        DeValue::Array(_) => Message::new("config-type-array"),
        DeValue::Table(_) => Message::new("config-type-table"),
    };
    Message::new("config-type").with("expected", Message::new(what)).with("found", found)
}

fn out_of_range(least: f64, most: f64) -> Message {
    Message::new("config-range").with("least", least).with("most", most)
}
