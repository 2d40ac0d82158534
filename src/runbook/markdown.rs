//! Reads a runbook from Markdown: title, phases by heading, steps by task-list
//! item. What it does not know it leaves to the wiki.

use std::collections::HashSet;
use std::ops::Range;
use std::time::Duration;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::attributes::{self, Attributes, Wrong};
use super::front_matter::{self, FrontMatter};
use super::{MAX_BYTES, MAX_STEPS, Phase, Runbook, Step};
use crate::model::{Message, Mistake, Untrusted};

/// Lines of text kept under one step, and paragraphs above the first.
const MAX_LINES: usize = 60;
/// More mistakes than this are not listed.
const MAX_MISTAKES: usize = 100;
/// Deepest list that is read; what lies deeper is left out.
const MAX_DEPTH: usize = 16;
/// Longest title kept while reading, in characters.
const MAX_TITLE: usize = 2_048;

/// Reads a runbook. `name` is the file's, for mistakes and where no id is given.
pub fn parse(name: &str, text: &str) -> Result<Runbook, Vec<Mistake>> {
    if text.len() > MAX_BYTES {
        return Err(vec![Mistake::whole(name, Message::new("runbook-file-too-long").with("limit", MAX_BYTES))]);
    }
    let mut page = Page { text, ..Page::default() };
    let options = Options::ENABLE_TASKLISTS | Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS;
    for (event, span) in Parser::new_ext(text, options).into_offset_iter() {
        page.event(event, span);
    }
    page.finish(name)
}

/// A list item that is being read.
struct Item {
    span: Range<usize>,
    /// Its number among the steps, once it turned out to be one.
    step: Option<usize>,
    title: String,
    /// The first paragraph is over.
    titled: bool,
    body: Vec<String>,
    carried: Attributes,
}

/// What a run of text belongs to.
#[derive(Default, PartialEq)]
enum Inside {
    #[default]
    Text,
    Heading(Option<HeadingLevel>),
    FrontMatter,
    Code,
    /// A fenced block or comment that has been taken whole.
    Taken,
}

#[derive(Default)]
struct Page<'t> {
    text: &'t str,
    inside: Inside,
    words: String,
    front: FrontMatter,
    heading: Option<Untrusted>,
    phase: Option<Phase>,
    about: Vec<Untrusted>,
    items: Vec<Item>,
    /// Items open beyond [`MAX_DEPTH`].
    beyond: usize,
    steps: Vec<(Option<Phase>, Option<Step>)>,
    ids: Vec<(usize, Range<usize>)>,
    wrong: Vec<Wrong>,
}

impl Page<'_> {
    fn event(&mut self, event: Event<'_>, span: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(&tag, span),
            Event::End(tag) => self.end(tag, &span),
            Event::Text(t) | Event::Code(t) if self.inside == Inside::FrontMatter => {
                let _ = t;
                self.front =
                    front_matter::read(self.text.get(span.clone()).unwrap_or_default(), span.start, &mut self.wrong);
            }
            Event::Text(t) | Event::Code(t) => self.push(&t),
            Event::SoftBreak | Event::HardBreak => self.push(" "),
            Event::InlineHtml(_) => self.hidden(span),
            Event::TaskListMarker(_) if self.beyond == 0 => {
                let number = self.steps.len();
                if number == MAX_STEPS {
                    self.wrong.push((span, Message::new("runbook-too-many-steps").with("limit", MAX_STEPS)));
                } else if number < MAX_STEPS
                    && let Some(item) = self.items.last_mut()
                {
                    item.step = Some(number);
                }
                self.steps.push((self.phase, None));
            }
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>, span: Range<usize>) {
        match tag {
            Tag::MetadataBlock(_) => self.inside = Inside::FrontMatter,
            Tag::Heading { level, .. } => {
                self.words.clear();
                self.inside = Inside::Heading(Some(*level));
            }
            Tag::Item if self.items.len() == MAX_DEPTH => self.beyond += 1,
            Tag::Item => {
                self.flush();
                self.items.push(Item {
                    span,
                    step: None,
                    title: String::new(),
                    titled: false,
                    body: Vec::new(),
                    carried: Attributes::default(),
                });
            }
            Tag::HtmlBlock => {
                self.flush();
                self.hidden(span);
                self.inside = Inside::Taken;
            }
            Tag::CodeBlock(kind) => {
                self.flush();
                let ours = matches!(kind, CodeBlockKind::Fenced(info) if info.split_whitespace().next() == Some("frc"));
                self.inside = if ours && self.carries(fenced(self.text, span)) { Inside::Taken } else { Inside::Code };
            }
            Tag::Paragraph | Tag::List(_) => self.flush(),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, span: &Range<usize>) {
        match tag {
            TagEnd::Heading(_) => {
                let Inside::Heading(level) = std::mem::take(&mut self.inside) else { return };
                let words = std::mem::take(&mut self.words);
                self.heading(level, words.trim());
            }
            TagEnd::Item if self.beyond > 0 => self.beyond -= 1,
            TagEnd::Item => {
                self.flush();
                if let Some(item) = self.items.pop() {
                    self.close(item);
                }
            }
            TagEnd::CodeBlock if self.inside == Inside::Code => {
                let code = std::mem::take(&mut self.words);
                self.inside = Inside::Text;
                for line in code.lines() {
                    self.line(&format!("    {line}"));
                }
            }
            TagEnd::MetadataBlock(_) | TagEnd::HtmlBlock | TagEnd::CodeBlock => {
                let _ = span;
                self.words.clear();
                self.inside = Inside::Text;
            }
            TagEnd::Paragraph => self.flush(),
            _ => {}
        }
    }

    fn push(&mut self, text: &str) {
        if self.inside != Inside::Taken && self.words.len() < MAX_BYTES {
            self.words.push_str(text);
        }
    }

    /// The end of a run of text: the item's title, a line under it, or a
    /// paragraph above the first phase.
    fn flush(&mut self) {
        let words = std::mem::take(&mut self.words);
        let words = words.trim();
        if words.is_empty() {
            return;
        }
        match self.items.last_mut() {
            Some(item) if !item.titled => {
                item.title = words.chars().take(MAX_TITLE).collect();
                item.titled = true;
            }
            Some(_) => self.line(words),
            None if self.phase.is_none() && self.steps.is_empty() && self.about.len() < MAX_LINES => {
                self.about.push(Untrusted::new(words));
            }
            None => {}
        }
    }

    fn line(&mut self, line: &str) {
        if let Some(item) = self.items.last_mut()
            && item.body.len() < MAX_LINES
        {
            item.body.push(line.to_owned());
        }
    }

    fn heading(&mut self, level: Option<HeadingLevel>, words: &str) {
        let first = words.split(|c: char| !c.is_alphanumeric()).find(|w| !w.is_empty()).unwrap_or_default();
        let phase = match first.to_lowercase().as_str() {
            "fault" => Some(Phase::Fault),
            "response" => Some(Phase::Response),
            "confirm" => Some(Phase::Confirm),
            _ => None,
        };
        if phase.is_some() && level != Some(HeadingLevel::H1) {
            self.phase = phase;
        } else if self.heading.is_none() && level == Some(HeadingLevel::H1) {
            self.heading = Some(Untrusted::new(words));
        }
    }

    /// An HTML comment: ours, or nobody's.
    fn hidden(&mut self, span: Range<usize>) {
        if let Some(inside) = attributes::comment(self.text, span) {
            self.carries(inside);
        }
    }

    /// Reads what the innermost item carries. False where there is no item.
    fn carries(&mut self, inside: Range<usize>) -> bool {
        match self.items.last_mut() {
            Some(item) => {
                attributes::read(self.text, inside, &mut item.carried, &mut self.wrong);
                true
            }
            None => false,
        }
    }

    fn close(&mut self, item: Item) {
        let Some(number) = item.step else {
            // A plain bullet is a line under the step around it.
            if !item.title.is_empty() {
                self.line(&format!("- {}", item.title));
            }
            for line in item.body {
                self.line(&line);
            }
            return;
        };
        if item.title.is_empty() {
            self.wrong.push((first_line(self.text, &item.span), Message::new("runbook-step-empty")));
        }
        let carried = item.carried;
        if let (Some((_, place)), None) = (&carried.hold, &carried.check) {
            self.wrong.push((place.clone(), Message::new("runbook-hold-without-check")));
        }
        let id = match carried.id {
            Some((id, place)) => {
                self.ids.push((number, place));
                id
            }
            None => slug(&item.title),
        };
        let Some((_, slot)) = self.steps.get_mut(number) else { return };
        *slot = Some(Step {
            id,
            phase: Phase::Response,
            title: Untrusted::new(&item.title),
            why: carried.why,
            expect: carried.expect,
            rollback: carried.rollback,
            role: carried.role,
            link: carried.link,
            check: carried.check,
            hold: carried.hold.map_or(Duration::ZERO, |(d, _)| d),
            time_box: carried.time_box,
            body: item.body.iter().map(|l| Untrusted::new(l)).collect(),
        });
    }

    fn finish(mut self, name: &str) -> Result<Runbook, Vec<Mistake>> {
        // Steps above the first phase heading belong to Fault; a checklist
        // without any is all Response.
        let phased = self.steps.iter().any(|(phase, _)| phase.is_some());
        let unnamed = if phased { Phase::Fault } else { Phase::Response };
        let mut used = HashSet::new();
        let mut steps = Vec::new();
        for (number, (phase, step)) in std::mem::take(&mut self.steps).into_iter().enumerate() {
            let Some(mut step) = step else { continue };
            step.phase = phase.unwrap_or(unnamed);
            if !used.insert(step.id.clone()) {
                if let Some((_, place)) = self.ids.iter().find(|(n, _)| *n == number) {
                    self.wrong.push((place.clone(), Message::new("runbook-id-twice").with("id", step.id.as_str())));
                }
                let free = (2..=MAX_STEPS + 1).map(|n| format!("{}-{n}", step.id)).find(|id| !used.contains(id));
                step.id = free.unwrap_or_default();
                used.insert(step.id.clone());
            }
            steps.push(step);
        }
        if steps.is_empty() && self.wrong.is_empty() {
            return Err(vec![Mistake::whole(name, Message::new("runbook-no-steps"))]);
        }
        if !self.wrong.is_empty() {
            self.wrong.truncate(MAX_MISTAKES);
            let mut mistakes: Vec<_> =
                self.wrong.into_iter().map(|(span, what)| Mistake::at(name, self.text, span, what)).collect();
            mistakes.sort_by_key(|m| (m.line, m.column));
            return Err(mistakes);
        }
        steps.sort_by_key(|s| s.phase);
        let stem = name.rsplit('/').next().unwrap_or(name).trim_end_matches(".md");
        Ok(Runbook {
            id: self.front.id.unwrap_or_else(|| slug(stem)),
            title: self.front.title.or(self.heading).unwrap_or_else(|| Untrusted::new(stem)),
            about: self.about,
            matches: self.front.matches,
            severity: self.front.severity,
            steps,
        })
    }
}

/// The lines between a fenced block's fences.
fn fenced(text: &str, span: Range<usize>) -> Range<usize> {
    let Some(block) = text.get(span.clone()) else { return span };
    let start = block.find('\n').map_or(block.len(), |i| i + 1);
    let end = block.trim_end().rfind('\n').map_or(start, |i| i + 1).max(start);
    let closed = block.get(end..).is_some_and(|last| last.trim().trim_matches(['`', '~']).is_empty());
    span.start + start..span.start + if closed { end } else { block.len() }
}

fn first_line(text: &str, span: &Range<usize>) -> Range<usize> {
    let block = text.get(span.clone()).unwrap_or_default();
    span.start..span.start + block.lines().next().map_or(0, str::len)
}

/// An id from words: lower case, digits, hyphens.
fn slug(words: &str) -> String {
    let mut out = String::new();
    for c in words.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
        if out.len() >= 48 {
            break;
        }
    }
    let out = out.trim_end_matches('-');
    if out.is_empty() { "step".to_owned() } else { out.to_owned() }
}
