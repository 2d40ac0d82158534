//! What a step carries out of sight: `key: value` lines in an HTML comment or in a
//! fenced block with the word `frc`.
//!
//! Owns the lines' grammar and the keys. A line indented deeper than its key's
//! continues the value above it.

use std::ops::Range;
use std::time::Duration;

use super::condition::Condition;
use crate::model::mistake::nearest;
use crate::model::untrusted::MAX_CHARS;
use crate::model::{Message, Untrusted, duration};

/// Every key.
pub(super) const KEYS: [&str; 9] = ["id", "why", "expect", "check", "hold", "time-box", "role", "rollback", "link"];

/// What was carried.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    pub(super) id: Option<(String, Range<usize>)>,
    pub(super) why: Option<Untrusted>,
    pub(super) expect: Option<Untrusted>,
    pub(super) rollback: Option<Untrusted>,
    pub(super) role: Option<Untrusted>,
    pub(super) link: Option<Untrusted>,
    pub(super) check: Option<Condition>,
    pub(super) hold: Option<(Duration, Range<usize>)>,
    pub(super) time_box: Option<Duration>,
}

/// A mistake's place and words.
pub(super) type Wrong = (Range<usize>, Message);

/// The inside of an HTML comment that is meant for us: it begins with `frc`, or
/// with one of the keys. Anybody else's comment is none of our business.
pub(super) fn comment(text: &str, span: Range<usize>) -> Option<Range<usize>> {
    let raw = text.get(span.clone())?;
    let start = raw.find("<!--")? + 4;
    let end = raw[start..].find("-->").map_or(raw.len(), |i| start + i);
    let inside = &raw[start..end];
    let word = inside.trim_start();
    let skipped = inside.len() - word.len();
    if let Some(rest) = word.strip_prefix("frc")
        && rest.starts_with(|c: char| c.is_whitespace() || c == ':')
    {
        let skip = skipped + 3 + usize::from(rest.starts_with(':'));
        return Some(span.start + start + skip..span.start + end);
    }
    let ours = key(word).is_some_and(|(k, _)| KEYS.contains(&k));
    ours.then(|| span.start + start..span.start + end)
}

/// `key:` at the beginning of a line, and where the value begins.
fn key(line: &str) -> Option<(&str, usize)> {
    let (key, rest) = line.split_once(':')?;
    let plain = !key.is_empty() && key.len() <= 20 && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    (plain && (rest.is_empty() || rest.starts_with(char::is_whitespace))).then_some((key, key.len() + 1))
}

/// Reads the lines at `span` of `text` into `out`.
pub(super) fn read(text: &str, span: Range<usize>, out: &mut Attributes, wrong: &mut Vec<Wrong>) {
    let Some(block) = text.get(span.clone()) else { return };
    let mut found: Vec<(Range<usize>, Vec<Range<usize>>)> = Vec::new();
    let mut margin = None;
    let mut at = span.start;
    for (n, line) in block.split_inclusive('\n').enumerate() {
        let start = at;
        at += line.len();
        let trimmed = line.trim();
        if trimmed.is_empty() {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let begin = start + indent;
        let end = begin + trimmed.len();
        // The first line may stand behind `<!--`; its indent says nothing.
        let deeper = n > 0 && margin.is_some_and(|m| indent > m);
        match key(trimmed) {
            Some((k, value)) if !deeper => {
                if n > 0 && margin.is_none() {
                    margin = Some(indent);
                }
                let value_start = begin + value + (trimmed[value..].len() - trimmed[value..].trim_start().len());
                let mut parts = Vec::new();
                if value_start < end {
                    parts.push(value_start..end);
                }
                found.push((begin..begin + k.len(), parts));
            }
            _ => match found.last_mut() {
                Some((_, parts)) => parts.push(begin..end),
                None => wrong.push((begin..end, Message::new("runbook-attribute-line"))),
            },
        }
    }
    for (name, parts) in found {
        let value: Vec<&str> = parts.iter().map(|r| &text[r.clone()]).collect();
        let place = parts.first().zip(parts.last()).map_or(name.clone(), |(a, b)| a.start..b.end);
        take(&text[name.clone()], &name, &value.join(" "), place, out, wrong);
    }
}

fn take(
    key: &str,
    name: &Range<usize>,
    value: &str,
    place: Range<usize>,
    out: &mut Attributes,
    wrong: &mut Vec<Wrong>,
) {
    if !KEYS.contains(&key) {
        let message = match nearest(key, KEYS.into_iter()) {
            Some(near) => Message::new("runbook-unknown-key-near").with("near", near),
            None => Message::new("runbook-unknown-key").with("known", KEYS.join(", ")),
        };
        wrong.push((name.clone(), message.with("key", key)));
        return;
    }
    if value.is_empty() {
        wrong.push((name.clone(), Message::new("runbook-empty-value").with("key", key)));
        return;
    }
    let mut words = |slot: &mut Option<Untrusted>| {
        if slot.is_some() {
            wrong.push((name.clone(), Message::new("runbook-key-twice").with("key", key)));
        } else if value.chars().count() > MAX_CHARS {
            wrong.push((place.clone(), Message::new("runbook-too-long").with("limit", MAX_CHARS)));
        } else {
            *slot = Some(Untrusted::new(value));
        }
    };
    match key {
        "why" => words(&mut out.why),
        "expect" => words(&mut out.expect),
        "rollback" => words(&mut out.rollback),
        "role" => words(&mut out.role),
        "link" => words(&mut out.link),
        "id" if is_id(value) => out.id = Some((value.to_owned(), place)),
        "id" => wrong.push((place, Message::new("runbook-bad-id"))),
        "check" => match Condition::parse(value) {
            Ok(c) => out.check = Some(c),
            Err(bad) => {
                // Point at the word itself where it stands on the first line.
                let word = bad.word.filter(|w| !w.is_empty()).and_then(|w| value.find(&w).map(|i| (i, w.len())));
                let span = match word {
                    Some((i, n)) if place.start + i + n <= place.end => place.start + i..place.start + i + n,
                    _ => place,
                };
                wrong.push((span, bad.what));
            }
        },
        "hold" | "time-box" => match duration::parse(value) {
            Ok(d) if key == "hold" => out.hold = Some((d, place)),
            Ok(d) => out.time_box = Some(d),
            Err(e) => wrong.push((place, Message::new("runbook-duration").with("why", e.to_string()))),
        },
        _ => {}
    }
}

/// Ids travel in records and on the command line.
pub(super) fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
        && !text.starts_with('-')
}
