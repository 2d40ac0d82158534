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

/// The comparison itself must tell a right verdict from a wrong one: without
/// this, a mistake here would make every scenario pass.
pub fn tells_right_from_wrong() -> Result<(), String> {
    let root = Expected { code: "link.down".into(), subject: vec!["eth0".into()], side: None, severity: None };
    let expect =
        Expect { status: "fault".into(), root: Some(root), never: vec!["path.loss".into()], ..Expect::default() };
    let finding = |code: &str, subject: &str, cause: &str| {
        format!(
            r#"{{"id": "{code}", "code": "{code}", "subject": "{subject}", "severity": "critical", "confidence": "strong",
                "side": "host", "caused_by": {cause}}}"#
        )
    };
    let verdict = |status: &str, findings: &[String]| {
        let root = findings.first().map_or("null", String::as_str);
        let all = findings.join(",");
        format!(
            r#"{{"schema": "frc.check/1", "verdict": {{"status": "{status}", "side": "host", "root": {root}}}, "findings": [{all}]}}"#
        )
    };
    let down = finding("link.down", "eth0", "null");
    let folded = finding("dns.timeout", "nameserver 10.77.53.53", "\"link.down\"");
    let right = verdict("fault", &[down.clone(), folded]);
    let said = differences(&right, Some(2), 1.0, &expect);
    if !said.is_empty() {
        return Err(format!("a right verdict is called wrong: {said:?}"));
    }
    for (what, printed, exit) in [
        ("nothing printed", String::new(), 2),
        ("exit status", right.clone(), 0),
        ("no finding", verdict("fault", &[]), 2),
        ("healthy", verdict("healthy", &[]), 0),
        ("subject", verdict("fault", &[finding("link.down", "eth1", "null")]), 2),
        ("code", verdict("fault", &[finding("link.no_carrier", "eth0", "null")]), 2),
        ("a second root", verdict("fault", &[down.clone(), finding("port.refused", "a:1", "null")]), 2),
        ("a cause that is not there", verdict("fault", &[down.clone(), finding("http.5xx", "a:1", "\"gone\"")]), 2),
        ("a code that must not appear", verdict("fault", &[down, finding("path.loss", "a", "\"link.down\"")]), 2),
    ] {
        if differences(&printed, Some(exit), 1.0, &expect).is_empty() {
            return Err(format!("a wrong verdict is called right: {what}"));
        }
    }
    Ok(())
}
