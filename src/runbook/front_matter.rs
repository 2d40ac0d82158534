//! The TOML between `+++` lines: id, title, the finding codes it fits, severity.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::attributes::{Wrong, is_id};
use crate::model::mistake::nearest;
use crate::model::{Message, Untrusted};

/// More codes than this fit no catalogue.
const MAX_CODES: usize = 100;

/// What was said.
#[derive(Debug, Default)]
pub(super) struct FrontMatter {
    pub(super) id: Option<String>,
    pub(super) title: Option<Untrusted>,
    pub(super) matches: Vec<String>,
    pub(super) severity: Option<u8>,
}

/// Reads it; places in `wrong` are moved by `offset`.
pub(super) fn read(text: &str, offset: usize, wrong: &mut Vec<Wrong>) -> FrontMatter {
    let mut found = FrontMatter::default();
    let (table, errors) = DeTable::parse_recoverable(text);
    let moved = |span: Range<usize>| span.start + offset..span.end + offset;
    for e in errors.iter().take(10) {
        let why = Untrusted::new(e.message());
        wrong.push((moved(e.span().unwrap_or(0..0)), Message::new("runbook-front-matter").with("why", &why)));
    }
    for (key, value) in table.get_ref() {
        let mut bad = |id: &'static str| wrong.push((moved(value.span()), Message::new(id)));
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("id", DeValue::String(s)) if is_id(s) => found.id = Some(s.to_string()),
            ("id", _) => bad("runbook-bad-id"),
            ("title", DeValue::String(s)) if !s.trim().is_empty() => found.title = Some(Untrusted::new(s)),
            ("title", _) => bad("runbook-bad-title"),
            ("match", DeValue::String(s)) if is_pattern(s) => found.matches.push(s.to_string()),
            ("match", DeValue::Array(items)) if items.len() <= MAX_CODES => {
                for item in items {
                    match item.get_ref() {
                        DeValue::String(s) if is_pattern(s) => found.matches.push(s.to_string()),
                        _ => wrong.push((moved(item.span()), Message::new("runbook-bad-match"))),
                    }
                }
            }
            ("match", _) => bad("runbook-bad-match"),
            ("severity", DeValue::String(s)) => match s.as_ref() {
                "SEV1" => found.severity = Some(1),
                "SEV2" => found.severity = Some(2),
                "SEV3" => found.severity = Some(3),
                "SEV4" => found.severity = Some(4),
                _ => bad("runbook-bad-severity"),
            },
            ("severity", _) => bad("runbook-bad-severity"),
            (other, _) => {
                let known = ["id", "title", "match", "severity"];
                let message = match nearest(other, known.into_iter()) {
                    Some(near) => Message::new("runbook-unknown-key-near").with("near", near),
                    None => Message::new("runbook-unknown-key").with("known", known.join(", ")),
                };
                wrong.push((moved(key.span()), message.with("key", &Untrusted::new(other))));
            }
        }
    }
    found
}

/// A finding code, or the beginning of some with a `*` behind it.
fn is_pattern(text: &str) -> bool {
    let start = text.strip_suffix('*').unwrap_or(text);
    !text.is_empty()
        && text.len() <= 64
        && start.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'_')
}
