//! From the text of a condition to its tree: CEL is read by the `cel` crate, then
//! every word and type is checked.
//!
//! Owns what a condition may say. Must never evaluate one.

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators as op};
use cel::parser::Parser;

use super::condition::{Arithmetic, BadCondition, Comparison, Number, Test};
use super::vocabulary::{FACTS, FIGURES, Takes};
use crate::model::mistake::nearest;
use crate::model::{Message, Untrusted};

/// Longest condition, in bytes.
const MAX_TEXT: usize = 400;
/// Deepest nesting; the parser and the tree recurse.
const MAX_DEPTH: u16 = 24;

/// Reads a condition.
pub(super) fn read(text: &str) -> Result<Test, BadCondition> {
    let bad = |what| BadCondition { what, word: None };
    if text.is_empty() {
        return Err(bad(Message::new("condition-empty")));
    }
    if text.len() > MAX_TEXT {
        return Err(bad(Message::new("condition-too-long").with("limit", MAX_TEXT)));
    }
    // The parser's own limit counts its rules, not ours; what nests too deeply is
    // refused before the parser is asked.
    if nesting(text) > usize::from(MAX_DEPTH) {
        return Err(bad(Message::new("condition-too-deep")));
    }
    let tree = Parser::new().max_recursion_depth(MAX_DEPTH * 2).error_recovery_limit(4).parse(text).map_err(|e| {
        let why = e.errors.first().map(|e| e.msg.as_str()).unwrap_or_default();
        bad(Message::new("condition-syntax").with("why", &Untrusted::new(why)))
    })?;
    test(&tree, 0)
}

fn nesting(text: &str) -> usize {
    let (mut depth, mut most) = (0usize, 0usize);
    let mut run = 0usize;
    for c in text.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        // Prefix operators and choices nest without brackets.
        if matches!(c, '!' | '-' | '?') {
            run += 1;
        }
        most = most.max(depth);
    }
    most.max(run)
}

fn refuse(id: &'static str, word: &str) -> BadCondition {
    let message = Message::new(id).with("word", &Untrusted::new(word));
    BadCondition { what: message, word: Some(word.to_owned()) }
}

fn too_deep(depth: u16) -> Result<(), BadCondition> {
    // An operator chain nests to the left: 400 bytes of it are not deeper than this.
    if depth > 200 { Err(BadCondition { what: Message::new("condition-too-deep"), word: None }) } else { Ok(()) }
}

fn comparison(name: &str) -> Option<Comparison> {
    Some(match name {
        op::LESS => Comparison::Less,
        op::LESS_EQUALS => Comparison::AtMost,
        op::GREATER => Comparison::Greater,
        op::GREATER_EQUALS => Comparison::AtLeast,
        op::EQUALS => Comparison::Equal,
        op::NOT_EQUALS => Comparison::NotEqual,
        _ => return None,
    })
}

/// Whether an expression is a test by its head, to tell `a == b` over tests from
/// the one over numbers.
fn is_test(e: &IdedExpr) -> bool {
    match &e.expr {
        Expr::Literal(LiteralValue::Boolean(_)) => true,
        Expr::Call(c) => {
            matches!(c.func_name.as_str(), op::LOGICAL_AND | op::LOGICAL_OR | op::LOGICAL_NOT)
                || comparison(&c.func_name).is_some()
                || FACTS.iter().any(|w| w.name == c.func_name)
                || (c.func_name == op::CONDITIONAL && c.args.get(1).is_some_and(is_test))
        }
        _ => false,
    }
}

/// Reads an expression that is true or false.
fn test(e: &IdedExpr, depth: u16) -> Result<Test, BadCondition> {
    too_deep(depth)?;
    let deeper = |e: &IdedExpr| test(e, depth + 1).map(Box::new);
    let call = match &e.expr {
        Expr::Literal(LiteralValue::Boolean(b)) => return Ok(Test::Known(*b.inner())),
        Expr::Call(call) if call.target.is_none() => call,
        other => return Err(not_a_test(other)),
    };
    match (call.func_name.as_str(), call.args.as_slice()) {
        (op::LOGICAL_NOT, [a]) => Ok(Test::Not(deeper(a)?)),
        (op::LOGICAL_AND, [a, b]) => Ok(Test::And(deeper(a)?, deeper(b)?)),
        (op::LOGICAL_OR, [a, b]) => Ok(Test::Or(deeper(a)?, deeper(b)?)),
        (op::CONDITIONAL, [c, a, b]) => Ok(Test::If(deeper(c)?, deeper(a)?, deeper(b)?)),
        (op::EQUALS, [a, b]) if is_test(a) || is_test(b) => Ok(Test::Same(deeper(a)?, deeper(b)?)),
        (op::NOT_EQUALS, [a, b]) if is_test(a) || is_test(b) => {
            Ok(Test::Not(Box::new(Test::Same(deeper(a)?, deeper(b)?))))
        }
        (name, args) => match (comparison(name), args) {
            (Some(how), [a, b]) => Ok(Test::Compare(how, number(a, depth + 1)?, number(b, depth + 1)?)),
            _ => match FACTS.iter().find(|w| w.name == name) {
                Some(word) => Ok(Test::Fact(word.asks, subject(call, word.takes)?)),
                None => Err(not_a_test(&e.expr)),
            },
        },
    }
}

/// Reads an expression that is a number.
fn number(e: &IdedExpr, depth: u16) -> Result<Number, BadCondition> {
    too_deep(depth)?;
    let deeper = |e: &IdedExpr| number(e, depth + 1).map(Box::new);
    let call = match &e.expr {
        Expr::Literal(LiteralValue::Int(i)) => return Ok(Number::Known(*i.inner() as f64)),
        Expr::Literal(LiteralValue::UInt(i)) => return Ok(Number::Known(*i.inner() as f64)),
        Expr::Literal(LiteralValue::Double(d)) => return Ok(Number::Known(*d.inner())),
        Expr::Call(call) if call.target.is_none() => call,
        other => return Err(not_a_number(other)),
    };
    let sum = |how, a: &IdedExpr, b: &IdedExpr| Ok(Number::Sum(how, deeper(a)?, deeper(b)?));
    match (call.func_name.as_str(), call.args.as_slice()) {
        (op::ADD, [a, b]) => sum(Arithmetic::Add, a, b),
        (op::SUBSTRACT, [a, b]) => sum(Arithmetic::Subtract, a, b),
        (op::MULTIPLY, [a, b]) => sum(Arithmetic::Multiply, a, b),
        // CEL divides whole numbers to whole numbers; nobody means that here.
        (op::DIVIDE, [a, b]) if is_whole(a) && is_whole(b) => Err(refuse("condition-whole-division", "/")),
        (op::DIVIDE, [a, b]) => sum(Arithmetic::Divide, a, b),
        (op::NEGATE, [a]) => Ok(Number::Negative(deeper(a)?)),
        (op::CONDITIONAL, [c, a, b]) => Ok(Number::If(Box::new(test(c, depth + 1)?), deeper(a)?, deeper(b)?)),
        (name, _) => match FIGURES.iter().find(|w| w.name == name) {
            Some(word) => Ok(Number::Figure(word.asks, subject(call, word.takes)?)),
            None => Err(not_a_number(&e.expr)),
        },
    }
}

fn is_whole(e: &IdedExpr) -> bool {
    matches!(e.expr, Expr::Literal(LiteralValue::Int(_) | LiteralValue::UInt(_)))
}

/// Reads what stands between the parentheses.
fn subject(call: &CallExpr, takes: Takes) -> Result<String, BadCondition> {
    let literal = |e: &IdedExpr| match &e.expr {
        Expr::Literal(l) => Some(l.clone()),
        _ => None,
    };
    let args: Vec<_> = call.args.iter().map(literal).collect();
    match (takes, args.as_slice()) {
        (Takes::Nothing | Takes::MaybeSubject, []) => Ok(String::new()),
        (Takes::Subject | Takes::MaybeSubject, [Some(LiteralValue::String(s))]) if !s.inner().is_empty() => {
            Ok(s.inner().to_owned())
        }
        (Takes::Port, [Some(LiteralValue::Int(n))]) if (1..=65_535).contains(n.inner()) => Ok(n.inner().to_string()),
        (Takes::Nothing, _) => Err(refuse("condition-takes-nothing", &call.func_name)),
        (Takes::Subject, _) => Err(refuse("condition-takes-subject", &call.func_name)),
        (Takes::MaybeSubject, _) => Err(refuse("condition-takes-maybe", &call.func_name)),
        (Takes::Port, _) => Err(refuse("condition-takes-port", &call.func_name)),
    }
}

fn not_a_test(e: &Expr) -> BadCondition {
    let figure = match e {
        Expr::Call(c) => FIGURES.iter().any(|w| w.name == c.func_name),
        Expr::Literal(_) => true,
        _ => false,
    };
    if figure { refuse("condition-number-alone", &name_of(e)) } else { unknown(e) }
}

fn not_a_number(e: &Expr) -> BadCondition {
    let fact = match e {
        Expr::Call(c) => FACTS.iter().any(|w| w.name == c.func_name) || comparison(&c.func_name).is_some(),
        Expr::Literal(_) => true,
        _ => false,
    };
    if fact { refuse("condition-not-a-number", &name_of(e)) } else { unknown(e) }
}

fn unknown(e: &Expr) -> BadCondition {
    let name = name_of(e);
    let known = FIGURES.iter().map(|w| w.name).chain(FACTS.iter().map(|w| w.name));
    let mut bad = refuse("condition-unknown", &name);
    if let Some(near) = nearest(&name, known) {
        bad = refuse("condition-unknown-near", &name);
        bad.what = bad.what.with("near", near);
    }
    bad
}

fn name_of(e: &Expr) -> String {
    match e {
        Expr::Call(c) => c.func_name.trim_matches(['_', '@']).to_owned(),
        Expr::Ident(name) => name.clone(),
        Expr::Select(s) => s.field.clone(),
        Expr::Literal(LiteralValue::String(s)) => s.inner().to_owned(),
        Expr::Literal(LiteralValue::Int(i)) => i.inner().to_string(),
        Expr::Literal(LiteralValue::Double(d)) => d.inner().to_string(),
        Expr::Literal(LiteralValue::Boolean(b)) => b.inner().to_string(),
        Expr::List(_) => "[".to_owned(),
        Expr::Map(_) | Expr::Struct(_) => "{".to_owned(),
        _ => "?".to_owned(),
    }
}
