//! Holds the rules of the house that a compiler cannot: who imports whom, how
//! long a file may be, what pure code must not touch, and that every sentence
//! has its words. Reads the sources as text; knows nothing of what they do.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Who may import what of ours, as in ARCHITECTURE.md. A module may always
/// import itself. What is not listed may import nothing until it is listed.
const IMPORTS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("text", &["model"]),
    ("state", &["model"]),
    ("config", &["model"]),
    ("diagnosis", &["model", "state"]),
    ("runbook", &["model", "state", "diagnosis"]),
    ("probes", &["model", "text"]),
    ("incident", &["model", "state", "diagnosis", "runbook", "text"]),
    ("session", &["model", "text", "state", "diagnosis", "runbook", "incident", "config", "probes"]),
    ("share", &["model", "session"]),
    ("widgets", &["text"]),
    // The command line is plain data; `run` hands it to whoever carries it out.
    ("cli", &["model", "text"]),
    ("headless", &["model", "text", "state", "runbook", "session", "probes", "config", "cli"]),
    ("run", &["model", "text", "runbook", "probes", "config", "cli", "log", "session", "headless"]),
    ("log", &[]),
    (
        "app",
        &[
            "model",
            "text",
            "state",
            "config",
            "diagnosis",
            "runbook",
            "probes",
            "incident",
            "session",
            "share",
            "widgets",
            "headless",
            "cli",
        ],
    ),
];

/// These see the probes' front (what `probes/mod.rs` exports), never its insides.
const FRONT_ONLY: &[&str] = &["session", "headless"];

/// No clock, no runtime, no input or output: `now` comes in as an argument.
const PURE: &[&str] = &["model", "state", "diagnosis", "runbook"];
const IMPURE: &[&str] = &[
    "Instant::now",
    "SystemTime",
    "Timestamp::now",
    "Zoned::now",
    "tokio::",
    "std::fs",
    "std::env",
    "std::io",
    "std::process",
    "std::thread",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "nix::",
];

const JUNK_DRAWERS: &[&str] = &["util", "utils", "helper", "helpers", "common", "manager", "managers", "misc", "stuff"];

/// Lines of a file: never over, and rather not over.
const MOST_LINES: usize = 600;
const MANY_LINES: usize = 300;

struct Source {
    /// Relative to the repository, with `/`.
    path: String,
    text: String,
    /// The text without comments, and without the unit tests at its end.
    code: String,
}

impl Source {
    /// The module under `src/` it belongs to: `probes` for `src/probes/out.rs`.
    fn module(&self) -> Option<&str> {
        let rest = self.path.strip_prefix("src/")?;
        Some(rest.split('/').next().unwrap_or(rest).trim_end_matches(".rs"))
    }

    /// A file of nothing but tests, as in `src/state/series/tests.rs`.
    fn is_test(&self) -> bool {
        !self.path.starts_with("src/") || self.is_unit_test()
    }

    fn is_unit_test(&self) -> bool {
        self.path.starts_with("src/") && (self.path.ends_with("tests.rs") || self.path.contains("/tests/"))
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in ["src", "tests", "benches"] {
        walk(&root().join(folder), &mut paths);
    }
    paths.sort();
    let sources: Vec<Source> = paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let path = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
            Source { code: code_of(&text), path, text }
        })
        .collect();
    assert!(sources.iter().any(|s| s.path == "src/lib.rs"), "no sources found");
    sources
}

/// Drops comments, and everything from the unit tests on. Strings stay: a
/// `//` inside one ends the line early only where a space stands before it.
fn code_of(text: &str) -> String {
    let end = ["#[cfg(test)]\nmod tests {", "#[cfg(test)]\nmod test {", "#[cfg(all(test"]
        .iter()
        .filter_map(|mark| text.find(mark))
        .min()
        .unwrap_or(text.len());
    let mut code = String::with_capacity(end);
    for line in text[..end].lines() {
        let line = if line.trim_start().starts_with("//") { "" } else { line.split(" // ").next().unwrap_or("") };
        code.push_str(line);
        code.push('\n');
    }
    code
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Byte positions where `word` stands by itself.
fn words(text: &str, word: &str) -> Vec<usize> {
    text.match_indices(word)
        .map(|(at, _)| at)
        .filter(|&at| {
            let before = text[..at].chars().next_back();
            let after = text[at + word.len()..].chars().next();
            !before.is_some_and(is_word) && (word.ends_with(|c| !is_word(c)) || !after.is_some_and(is_word))
        })
        .collect()
}

/// What follows every `NAME::` in the code, groups taken apart:
/// `crate::{a::B, c}` gives `a::B` and `c`.
fn paths_after(code: &str, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for at in words(code, name) {
        if let Some(rest) = code[at + name.len()..].strip_prefix("::") {
            expand(rest, "", &mut found);
        }
    }
    found
}

fn expand(rest: &str, prefix: &str, found: &mut Vec<String>) {
    let Some(group) = rest.strip_prefix('{') else {
        let path: String = rest.chars().take_while(|&c| is_word(c) || c == ':').collect();
        let tail = &rest[path.len()..];
        if tail.starts_with('{') && path.ends_with("::") {
            expand(tail, &format!("{prefix}{path}"), found);
        } else {
            found.push(format!("{prefix}{path}"));
        }
        return;
    };
    let (mut depth, mut start) = (0, 0);
    for (i, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' | ',' if depth == 0 => {
                let item = group[start..i].trim();
                if !item.is_empty() {
                    expand(item, prefix, found);
                }
                start = i + 1;
                if c == '}' {
                    return;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
}

fn none(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

#[test]
fn modules_import_only_what_the_table_allows() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|s| !s.is_test()) {
        let Some(module) = source.module().filter(|m| *m != "lib" && *m != "main") else { continue };
        let Some((_, allowed)) = IMPORTS.iter().find(|(name, _)| *name == module) else {
            broken.push(format!("{}: module `{module}` has no line in the table", source.path));
            continue;
        };
        for path in paths_after(&source.code, "crate") {
            let mut parts = path.split("::");
            let target = parts.next().unwrap_or("");
            let is_macro = !IMPORTS.iter().any(|(name, _)| *name == target);
            if target != module && !is_macro && !allowed.contains(&target) {
                broken.push(format!("{}: `{module}` must not import `{target}` ({path})", source.path));
            }
            let inside = parts.next().is_some_and(|p| p.starts_with(char::is_lowercase)) && parts.next().is_some();
            if target == "probes" && inside && FRONT_ONLY.contains(&module) {
                broken.push(format!("{}: `{module}` sees the probes' front only ({path})", source.path));
            }
        }
    }
    none("imports outside the table", &broken);
}

#[test]
fn only_main_imports_the_app() {
    let broken: Vec<String> = sources()
        .iter()
        .filter(|s| !s.is_test() && !matches!(s.module(), Some("app" | "main")))
        .filter(|s| paths_after(&s.code, "crate").iter().any(|p| p == "app" || p.starts_with("app::")))
        .map(|s| s.path.clone())
        .collect();
    none("these import `app`", &broken);
}

#[test]
fn pure_modules_touch_no_clock_runtime_or_device() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|s| !s.is_test()) {
        if source.module().is_some_and(|m| PURE.contains(&m)) {
            for token in IMPURE {
                if !words(&source.code, token).is_empty() {
                    broken.push(format!("{}: {token}", source.path));
                }
            }
        }
    }
    none("pure code gets `now` and data as arguments", &broken);
}

#[test]
fn only_app_and_widgets_draw() {
    let broken: Vec<String> = sources()
        .iter()
        .filter(|s| !s.is_test() && !matches!(s.module(), Some("app" | "widgets")))
        .filter(|s| ["ratatui", "ratatui_textarea"].iter().any(|name| !words(&s.code, name).is_empty()))
        .map(|s| s.path.clone())
        .collect();
    none("ratatui outside app and widgets", &broken);
}

#[test]
fn unsafe_stays_with_the_system_calls() {
    let broken: Vec<String> = sources()
        .iter()
        .filter(|s| s.path != "tests/tidy.rs" && !s.path.starts_with("src/probes/sys"))
        .filter(|s| ["unsafe", "unsafe_code"].iter().any(|word| !words(&s.code, word).is_empty()))
        .map(|s| s.path.clone())
        .collect();
    none("unsafe outside src/probes/sys", &broken);
}

#[test]
fn every_unsafe_block_says_why_it_is_sound() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|s| s.path.starts_with("src/probes/sys")) {
        let lines: Vec<&str> = source.text.lines().collect();
        for (i, line) in lines.iter().enumerate() {
            let is_block = line.contains("unsafe {") || line.contains("unsafe impl");
            let said = lines[i.saturating_sub(6)..=i].iter().any(|l| l.contains("SAFETY:"));
            if is_block && !said {
                broken.push(format!("{}:{}", source.path, i + 1));
            }
        }
    }
    none("unsafe without a SAFETY comment", &broken);
}

#[test]
fn files_are_short() {
    let mut broken = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        if lines > MOST_LINES {
            broken.push(format!("{}: {lines} lines", source.path));
        } else if lines > MANY_LINES {
            eprintln!("rather long: {}: {lines} lines", source.path);
        }
        if source.path == "src/main.rs" && lines >= 80 {
            broken.push(format!("src/main.rs: {lines} lines, must stay under 80"));
        }
    }
    none("too long", &broken);
}

#[test]
fn there_are_no_junk_drawers() {
    let broken: Vec<String> = sources()
        .iter()
        .map(|s| s.path.clone())
        .filter(|p| p.trim_end_matches(".rs").split('/').any(|part| JUNK_DRAWERS.contains(&part)))
        .collect();
    none("a name that says nothing", &broken);
}

#[test]
fn every_file_begins_by_saying_what_it_owns() {
    let broken: Vec<String> =
        sources().iter().filter(|s| !s.is_unit_test() && !s.text.starts_with("//!")).map(|s| s.path.clone()).collect();
    none("no `//!` comment at the top", &broken);
}

#[test]
fn nothing_is_put_off() {
    // Taken apart, so that this line does not find itself.
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("HA", "CK")];
    let mut broken = Vec::new();
    for source in sources() {
        for mark in marks {
            if !words(&source.text, mark).is_empty() {
                broken.push(format!("{}: {mark}", source.path));
            }
        }
    }
    none("put off", &broken);
}

/// Identifiers a Fluent file defines; terms (`-name`) stay inside the file.
fn fluent_ids(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()))
        .filter_map(|line| line.split_once('='))
        .map(|(id, _)| id.trim().to_owned())
        .collect()
}

/// String literals of the code, without their quotes, where they look like an
/// identifier or like the format of one (`finding-{code}`).
fn identifier_literals(code: &str) -> BTreeSet<String> {
    code.split('"')
        .filter(|s| !s.is_empty() && s.starts_with(|c: char| c.is_ascii_alphabetic()))
        .filter(|s| s.chars().all(|c| c.is_ascii_alphanumeric() || "-_{}.:".contains(c)))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_sentence_has_words_and_all_words_are_used() {
    let english = fs::read_to_string(root().join("assets/locales/en.ftl")).unwrap_or_default();
    let ids = fluent_ids(&english);
    let known: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    let mut broken = Vec::new();
    if known.len() < ids.len() {
        let mut seen = BTreeSet::new();
        broken.extend(ids.iter().filter(|id| !seen.insert(*id)).map(|id| format!("en.ftl: `{id}` stands twice")));
    }

    // The one sentence that only the tests of rendering say.
    let mut literals = BTreeSet::from(["text-selftest".to_owned()]);
    for source in sources().iter().filter(|s| !s.is_test()) {
        literals.extend(identifier_literals(&source.code));
        for (at, mark) in source.code.match_indices("Message::new(\"") {
            let rest = &source.code[at + mark.len()..];
            let id = rest.split('"').next().unwrap_or("");
            if !known.contains(id) {
                broken.push(format!("{}: no words for `{id}`", source.path));
            }
        }
    }
    // An identifier may be built: a literal such as "finding-{code}" or a prefix
    // such as "finding-" anywhere in the code uses all that begin so.
    let prefixes: Vec<&str> = literals
        .iter()
        .filter(|l| l.contains("-{") || l.ends_with('-'))
        .filter_map(|l| l.split('{').next())
        .filter(|p| p.len() > 2)
        .collect();
    for id in &ids {
        let referenced = english.matches(&format!("{{ {id} }}")).count() > 0;
        if !referenced && !literals.contains(id) && !prefixes.iter().any(|p| id.starts_with(p)) {
            broken.push(format!("en.ftl: `{id}` is used nowhere"));
        }
    }
    none("sentences and words differ", &broken);
}
