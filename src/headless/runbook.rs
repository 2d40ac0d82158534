//! `frc runbook`: list, show and check runbooks, and the reading of the user's own.

use std::fmt::Write;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::output::{print, print_json};
use crate::model::{Message, Mistake, Untrusted, millis};
use crate::runbook::{self, Phase, Runbook, Step};
use crate::text::{Language, Texts, mistakes};

/// Exit status where a file holds mistakes, or there is no such runbook
/// (sysexits.h, `EX_DATAERR`).
pub const EX_DATAERR: u8 = 65;

/// More files than this in the user's folder are not runbooks.
const MAX_FILES: usize = 500;

/// A runbook and where it came from.
#[derive(Debug, Clone)]
pub struct Known {
    /// The runbook.
    pub runbook: Runbook,
    /// The user's file; none for a built-in one.
    pub file: Option<PathBuf>,
}

/// Every runbook there is, by id: the built-in ones, each replaced by the user's of
/// the same id from `folder`, and what is wrong with the files that are left out.
pub fn known(folder: Option<&Path>, language: Language) -> (Vec<Known>, Vec<Mistake>) {
    let builtin = runbook::builtin(language.tag());
    let mut known: Vec<_> = builtin.into_iter().map(|runbook| Known { runbook, file: None }).collect();
    let mut wrong = Vec::new();
    for path in folder.map(|f| files(f, &mut wrong)).unwrap_or_default() {
        match read(&path) {
            Ok(runbook) => match known.iter_mut().find(|k| k.runbook.id == runbook.id) {
                Some(Known { file: Some(first), .. }) => {
                    let twice = Message::new("runbook-id-of-two")
                        .with("id", runbook.id.as_str())
                        .with("file", &Untrusted::new(&first.display().to_string()));
                    wrong.push(Mistake::whole(&path.display().to_string(), twice));
                }
                Some(replaced) => *replaced = Known { runbook, file: Some(path) },
                None => known.push(Known { runbook, file: Some(path) }),
            },
            Err(found) => wrong.extend(found),
        }
    }
    known.sort_by(|a, b| a.runbook.id.cmp(&b.runbook.id));
    (known, wrong)
}

/// The `*.md` files of a folder by name; one that is not there has none.
fn files(folder: &Path, wrong: &mut Vec<Mistake>) -> Vec<PathBuf> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Vec::new(),
        Err(e) => {
            let why = Message::new("runbook-unreadable").with("why", e.to_string());
            wrong.push(Mistake::whole(&folder.display().to_string(), why));
            return Vec::new();
        }
    };
    let is_runbook = |p: &PathBuf| p.extension().is_some_and(|e| e.eq_ignore_ascii_case("md"));
    let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(is_runbook).take(MAX_FILES).collect();
    paths.sort();
    paths
}

/// Reads one file.
///
/// # Errors
/// Every mistake in it, or why it cannot be read.
pub fn read(path: &Path) -> Result<Runbook, Vec<Mistake>> {
    let name = path.display().to_string();
    let whole = |what: Message| vec![Mistake::whole(&name, what)];
    let unreadable = |e: io::Error| whole(Message::new("runbook-unreadable").with("why", e.to_string()));
    // A named pipe would wait for a writer for ever.
    let kind = fs::metadata(path).map_err(unreadable)?;
    if !kind.is_file() {
        return Err(whole(Message::new("runbook-no-file")));
    }
    let mut bytes = Vec::new();
    let limit = runbook::MAX_BYTES as u64 + 1;
    fs::File::open(path).and_then(|f| f.take(limit).read_to_end(&mut bytes)).map_err(unreadable)?;
    let too_long = bytes.len() > runbook::MAX_BYTES;
    match String::from_utf8(bytes) {
        Ok(text) => runbook::parse(&name, &text),
        // A character may have been cut in two by the limit.
        Err(_) if too_long => Err(whole(Message::new("runbook-file-too-long").with("limit", runbook::MAX_BYTES))),
        Err(_) => Err(whole(Message::new("runbook-not-utf8"))),
    }
}

/// Lists every runbook.
///
/// # Errors
/// Standard output could not be written.
pub fn list(known: &[Known], json: bool, texts: &Texts) -> io::Result<u8> {
    if json {
        let runbooks: Vec<_> = known.iter().map(Summary::new).collect();
        print_json(&List { schema: "frc.runbooks/1", runbooks })?;
        return Ok(0);
    }
    let wide = known.iter().map(|k| k.runbook.id.len()).max().unwrap_or_default();
    let mut out = String::new();
    for k in known {
        let line = Message::new("runbook-line")
            .with("title", &k.runbook.title)
            .with("steps", k.runbook.steps.len())
            .with("own", u8::from(k.file.is_some()));
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{:wide$}  {}", k.runbook.id, texts.render(&line));
    }
    print(&out)?;
    Ok(0)
}

/// Shows one runbook; [`EX_DATAERR`] where there is none of that id.
///
/// # Errors
/// Standard output could not be written.
pub fn show(known: &[Known], id: &str, json: bool, texts: &Texts) -> io::Result<Result<u8, Message>> {
    let Some(found) = known.iter().find(|k| k.runbook.id == id) else {
        let near = crate::model::mistake::nearest(id, known.iter().map(|k| k.runbook.id.as_str()));
        let id = Untrusted::new(id);
        return Ok(Err(match near {
            Some(near) => Message::new("runbook-unknown-near").with("id", &id).with("near", near),
            None => Message::new("runbook-unknown").with("id", &id),
        }));
    };
    if json {
        print_json(&Whole { schema: "frc.runbook/1", ..Whole::new(found) })?;
    } else {
        print(&page(&found.runbook, texts))?;
    }
    Ok(Ok(0))
}

/// Looks for mistakes in files: on standard output, for they are what was asked
/// for. 0 where there is none, else [`EX_DATAERR`].
///
/// # Errors
/// Standard output could not be written.
pub fn lint(files: &[PathBuf], texts: &Texts) -> io::Result<u8> {
    let mut out = String::new();
    for mistake in files.iter().filter_map(|file| read(file).err()).flatten() {
        out.push_str(&mistakes::render(&mistake, texts));
        out.push('\n');
    }
    print(&out)?;
    Ok(if out.is_empty() { 0 } else { EX_DATAERR })
}

/// A runbook to be read on a terminal without colours.
fn page(runbook: &Runbook, texts: &Texts) -> String {
    let mut out = format!("{}\n", runbook.title);
    // Writing to a String cannot fail; its results are passed over below.
    for about in &runbook.about {
        let _ = writeln!(out, "\n{about}");
    }
    for phase in Phase::ALL {
        let mut steps = runbook.phase(phase).peekable();
        if steps.peek().is_some() {
            let _ = writeln!(out, "\n{}", texts.word(phase_id(phase)));
        }
        for (number, step) in steps {
            let _ = writeln!(out, "\n{:>3}. {}", number + 1, step.title);
            for line in lines(step) {
                let _ = writeln!(out, "     {}", texts.render(&line));
            }
            for line in &step.body {
                let _ = writeln!(out, "         {line}");
            }
        }
    }
    out
}

fn phase_id(phase: Phase) -> &'static str {
    match phase {
        Phase::Fault => "phase-fault",
        Phase::Response => "phase-response",
        Phase::Confirm => "phase-confirm",
    }
}

fn lines(step: &Step) -> Vec<Message> {
    let words = |id: &'static str, text: &Option<Untrusted>| text.as_ref().map(|t| Message::new(id).with("text", t));
    let time = |id: &'static str, d: Duration| Message::new(id).with("seconds", d.as_secs_f64());
    let check =
        step.check.as_ref().map(|c| Message::new("runbook-page-check").with("text", &Untrusted::new(c.source())));
    let hold = (step.hold > Duration::ZERO).then(|| time("runbook-page-hold", step.hold));
    [
        words("runbook-page-why", &step.why),
        words("runbook-page-expect", &step.expect),
        check,
        hold,
        step.time_box.map(|d| time("runbook-page-time-box", d)),
        words("runbook-page-role", &step.role),
        words("runbook-page-rollback", &step.rollback),
        words("runbook-page-link", &step.link),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[derive(Debug, Serialize)]
struct List<'a> {
    schema: &'static str,
    runbooks: Vec<Summary<'a>>,
}

#[derive(Debug, Serialize)]
struct Summary<'a> {
    id: &'a str,
    title: &'a Untrusted,
    #[serde(rename = "match")]
    matches: &'a [String],
    severity: Option<u8>,
    steps: usize,
    /// The user's own file; null for a built-in one.
    file: Option<Untrusted>,
}

impl<'a> Summary<'a> {
    fn new(known: &'a Known) -> Self {
        let Runbook { id, title, matches, severity, steps, .. } = &known.runbook;
        Self { id, title, matches, severity: *severity, steps: steps.len(), file: shown(known) }
    }
}

fn shown(known: &Known) -> Option<Untrusted> {
    known.file.as_ref().map(|f| Untrusted::new(&f.display().to_string()))
}

#[derive(Debug, Serialize)]
struct Whole<'a> {
    schema: &'static str,
    id: &'a str,
    title: &'a Untrusted,
    about: &'a [Untrusted],
    #[serde(rename = "match")]
    matches: &'a [String],
    severity: Option<u8>,
    file: Option<Untrusted>,
    steps: Vec<StepOut<'a>>,
}

#[derive(Debug, Serialize)]
struct StepOut<'a> {
    id: &'a str,
    phase: &'static str,
    title: &'a Untrusted,
    why: Option<&'a Untrusted>,
    expect: Option<&'a Untrusted>,
    check: Option<&'a str>,
    #[serde(with = "millis")]
    hold_ms: Duration,
    #[serde(with = "millis::option")]
    time_box_ms: Option<Duration>,
    role: Option<&'a Untrusted>,
    rollback: Option<&'a Untrusted>,
    link: Option<&'a Untrusted>,
    body: &'a [Untrusted],
}

impl<'a> Whole<'a> {
    fn new(known: &'a Known) -> Self {
        let Runbook { id, title, about, matches, severity, steps } = &known.runbook;
        let steps = steps.iter().map(StepOut::new).collect();
        Self { schema: "", id, title, about, matches, severity: *severity, file: shown(known), steps }
    }
}

impl<'a> StepOut<'a> {
    fn new(step: &'a Step) -> Self {
        Self {
            id: &step.id,
            phase: match step.phase {
                Phase::Fault => "fault",
                Phase::Response => "response",
                Phase::Confirm => "confirm",
            },
            title: &step.title,
            why: step.why.as_ref(),
            expect: step.expect.as_ref(),
            check: step.check.as_ref().map(runbook::Condition::source),
            hold_ms: step.hold,
            time_box_ms: step.time_box,
            role: step.role.as_ref(),
            rollback: step.rollback.as_ref(),
            link: step.link.as_ref(),
            body: &step.body,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINE: &str = "+++\nid = \"first-response\"\n+++\n# Ours\n\n- [ ] Call Ana\n";

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(dir.path().join(name), text).unwrap();
        }
        dir
    }

    #[test]
    fn a_users_runbook_takes_the_place_of_the_built_in_one() {
        let dir = folder(&[("a.md", MINE.as_bytes()), ("notes.txt", b"- [ ] no runbook"), ("db.md", b"- [ ] x")]);
        let (all, wrong) = known(Some(dir.path()), Language::En);
        assert_eq!(wrong, []);
        let ids: Vec<_> = all.iter().map(|k| (k.runbook.id.as_str(), k.file.is_some())).collect();
        assert_eq!(ids, [("db", true), ("first-response", true)]);
        assert_eq!(all[1].runbook.title.as_str(), "Ours");
    }

    #[test]
    fn what_cannot_be_read_is_told_and_leaves_the_others() {
        let dir = folder(&[("bad.md", b"\xff\xfe"), ("empty.md", b"words"), ("b.md", MINE.as_bytes())]);
        fs::create_dir(dir.path().join("folder.md")).unwrap();
        fs::write(dir.path().join("c.md"), MINE).unwrap();
        let (all, wrong) = known(Some(dir.path()), Language::En);
        assert_eq!(all.len(), 1);
        let ids: Vec<_> = wrong.iter().map(|m| m.what.id.as_ref()).collect();
        assert_eq!(ids, ["runbook-not-utf8", "runbook-id-of-two", "runbook-no-steps", "runbook-no-file"]);
    }

    #[test]
    fn without_a_folder_there_are_the_built_in_ones() {
        let dir = tempfile::tempdir().unwrap();
        for folder in [None, Some(dir.path().join("none"))] {
            let (all, wrong) = known(folder.as_deref(), Language::En);
            assert_eq!((all.len(), wrong.len()), (runbook::BUILTIN.len(), 0));
        }
    }

    #[test]
    fn the_page_shows_every_step_with_what_it_carries() {
        let (all, _) = known(None, Language::En);
        let page = page(&all[0].runbook, &Texts::new(Language::En));
        for words in ["First response", "Fault\n", "Confirm\n", "check: link_up() && has_address()", "ip -br link"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        let json = serde_json::to_value(Whole::new(&all[0])).unwrap();
        assert_eq!(json["steps"][0]["time_box_ms"], 60_000.0);
        assert_eq!(json["steps"][0]["phase"], "fault");
    }
}
