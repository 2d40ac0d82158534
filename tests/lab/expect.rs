//! Holds a verdict against the true one. Owns the comparison; prints every
//! difference, not only the first.

use serde_json::Value;

use crate::scenario::{Expect, Expected};

/// The exit status the contract gives each status.
fn exit_status(status: &str) -> Option<i32> {
    match status {
        "healthy" => Some(0),
        "degraded" => Some(1),
        "fault" => Some(2),
        "unmeasured" => Some(3),
        _ => None,
    }
}

fn word<'a>(finding: &'a Value, key: &str) -> &'a str {
    finding[key].as_str().unwrap_or("null")
}

fn describe(finding: &Value) -> String {
    format!(
        "{} [{}] {} {} side {}",
        word(finding, "code"),
        word(finding, "subject"),
        word(finding, "severity"),
        word(finding, "confidence"),
        word(finding, "side")
    )
}

fn matches(finding: &Value, expected: &Expected) -> bool {
    let same = |key: &str, want: &Option<String>| want.as_deref().is_none_or(|want| word(finding, key) == want);
    word(finding, "code") == expected.code
        && (expected.subject.is_empty() || expected.subject.iter().any(|s| s == word(finding, "subject")))
        && same("side", &expected.side)
        && same("severity", &expected.severity)
}

/// Every difference between what was printed and what is true.
pub fn differences(printed: &str, exit: Option<i32>, seconds: f64, expect: &Expect) -> Vec<String> {
    let verdict: Value = match serde_json::from_str(printed) {
        Ok(value) => value,
        Err(error) => return vec![format!("exit {exit:?}, standard output is no JSON: {error}")],
    };
    let mut wrong = Vec::new();
    if word(&verdict, "schema") != "frc.check/1" {
        wrong.push(format!("schema {}", verdict["schema"]));
    }
    let status = word(&verdict["verdict"], "status");
    if status != expect.status {
        wrong.push(format!("status {status}, not {}", expect.status));
    }
    if exit != exit_status(status) {
        wrong.push(format!("exit {exit:?} with status {status}"));
    }
    if let Some(within) = expect.within.filter(|within| seconds > *within) {
        wrong.push(format!("took {seconds:.1} s, over {within} s"));
    }

    let root = &verdict["verdict"]["root"];
    match &expect.root {
        None if !root.is_null() => wrong.push(format!("root {}, where nothing is wrong", describe(root))),
        Some(expected) if !matches(root, expected) => {
            wrong.push(format!("root {}, not {expected:?}", describe(root)));
            if word(root, "code") != expected.code && word(root, "confidence") == "strong" {
                wrong.push("a wrong cause stated as strong".into());
            }
        }
        _ => {}
    }
    let side = word(&verdict["verdict"], "side");
    if !root.is_null() && side != word(root, "side") {
        wrong.push(format!("verdict's side {side} is not the root's"));
    }

    let empty = Vec::new();
    let findings = verdict["findings"].as_array().unwrap_or(&empty);
    let roots: Vec<&Value> =
        findings.iter().filter(|f| f["caused_by"].is_null() && word(f, "severity") != "info").collect();
    let expected_roots: Vec<&Expected> = expect.root.iter().chain(&expect.roots).collect();
    for found in &roots {
        if !expected_roots.iter().any(|e| matches(found, e)) {
            wrong.push(format!("a root too many: {}", describe(found)));
        }
    }
    for expected in expected_roots {
        if !roots.iter().any(|f| matches(f, expected)) {
            wrong.push(format!("no root {expected:?}"));
        }
    }
    for expected in &expect.also {
        if !findings.iter().any(|f| matches(f, expected)) {
            wrong.push(format!("no finding {expected:?}"));
        }
    }
    for code in &expect.never {
        if let Some(found) = findings.iter().find(|f| word(f, "code") == code) {
            wrong.push(format!("must not appear: {}", describe(found)));
        }
    }
    let ids: Vec<&str> = findings.iter().map(|f| word(f, "id")).collect();
    for f in findings {
        if let Some(cause) = f["caused_by"].as_str()
            && !ids.contains(&cause)
        {
            wrong.push(format!("{} is caused by `{cause}`, which is not there", describe(f)));
        }
    }
    if !wrong.is_empty() {
        wrong.push("findings:".into());
        wrong.extend(findings.iter().map(|f| format!("  {} <- {}", describe(f), f["caused_by"])));
    }
    wrong
}
