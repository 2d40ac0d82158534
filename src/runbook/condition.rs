//! Conditions over what the probes see, written in CEL
//! (<https://github.com/google/cel-spec>).
//!
//! The `cel` crate reads the text; what it read is checked against the
//! [vocabulary](super::vocabulary) and turned into a tree of our own, so that a
//! wrong word or type is a mistake in the file and not a surprise in an incident,
//! and so that evaluating can neither fail nor panic. The tree has CEL's logic,
//! comparison, arithmetic and `?:` over numbers, with three values: where a figure
//! is not measured the comparison is not measured, and `&&`, `||` and `!` follow
//! Kleene, as CEL's own errors do.

use super::compile;
use super::vocabulary::{FACTS, FIGURES, Fact, Figure, Observations, Word};
use crate::model::{Arg, Message, Untrusted};

/// Most readings told as evidence.
const MAX_EVIDENCE: usize = 3;

/// The three answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Truth {
    /// It is so.
    Yes,
    /// It is not so.
    No,
    /// Nobody knows.
    #[default]
    NotMeasured,
}

impl From<Option<bool>> for Truth {
    fn from(known: Option<bool>) -> Self {
        match known {
            Some(true) => Self::Yes,
            Some(false) => Self::No,
            None => Self::NotMeasured,
        }
    }
}

impl std::ops::Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::NotMeasured => Self::NotMeasured,
        }
    }
}

/// A condition that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    source: String,
    test: Test,
}

/// Why a condition was not understood: the message, and the part of the text.
#[derive(Debug, Clone, PartialEq)]
pub struct BadCondition {
    /// What is wrong.
    pub what: Message,
    /// The word that is, where it is one.
    pub word: Option<String>,
}

/// What is true or false.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    Known(bool),
    Not(Box<Test>),
    And(Box<Test>, Box<Test>),
    Or(Box<Test>, Box<Test>),
    If(Box<Test>, Box<Test>, Box<Test>),
    Compare(Comparison, Number, Number),
    Same(Box<Test>, Box<Test>),
    Fact(Fact, String),
}

/// What is a number.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Number {
    Known(f64),
    Figure(Figure, String),
    Negative(Box<Number>),
    Sum(Arithmetic, Box<Number>, Box<Number>),
    If(Box<Test>, Box<Number>, Box<Number>),
}

/// How two numbers compare.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Comparison {
    Less,
    AtMost,
    Greater,
    AtLeast,
    Equal,
    NotEqual,
}

/// How two numbers make one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl Condition {
    /// Reads a condition.
    pub fn parse(text: &str) -> Result<Self, BadCondition> {
        let text = text.trim();
        Ok(Self { source: text.to_owned(), test: compile::read(text)? })
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it holds.
    pub fn truth(&self, seen: &dyn Observations) -> Truth {
        self.test.truth(seen)
    }

    /// What was seen of all that it asks, in a sentence; none where it asks
    /// nothing.
    pub fn evidence(&self, seen: &dyn Observations) -> Option<Message> {
        let mut parts = Vec::new();
        self.test.readings(seen, &mut parts);
        parts.dedup();
        let mut parts = parts.into_iter();
        match (parts.next(), parts.next(), parts.next()) {
            (Some(a), Some(b), Some(c)) => Some(Message::new("saw-three").with("a", a).with("b", b).with("c", c)),
            (Some(a), Some(b), None) => Some(Message::new("saw-two").with("a", a).with("b", b)),
            (a, ..) => a,
        }
    }
}

impl Test {
    fn truth(&self, seen: &dyn Observations) -> Truth {
        match self {
            Self::Known(b) => Some(*b).into(),
            Self::Not(t) => !t.truth(seen),
            Self::And(a, b) => match (a.truth(seen), b.truth(seen)) {
                (Truth::No, _) | (_, Truth::No) => Truth::No,
                (Truth::Yes, Truth::Yes) => Truth::Yes,
                _ => Truth::NotMeasured,
            },
            Self::Or(a, b) => match (a.truth(seen), b.truth(seen)) {
                (Truth::Yes, _) | (_, Truth::Yes) => Truth::Yes,
                (Truth::No, Truth::No) => Truth::No,
                _ => Truth::NotMeasured,
            },
            Self::If(c, a, b) => match c.truth(seen) {
                Truth::Yes => a.truth(seen),
                Truth::No => b.truth(seen),
                Truth::NotMeasured => Truth::NotMeasured,
            },
            Self::Same(a, b) => match (a.truth(seen), b.truth(seen)) {
                (Truth::NotMeasured, _) | (_, Truth::NotMeasured) => Truth::NotMeasured,
                (a, b) => Some(a == b).into(),
            },
            Self::Compare(how, a, b) => match (a.value(seen), b.value(seen)) {
                (Some(a), Some(b)) => Some(how.holds(a, b)).into(),
                _ => Truth::NotMeasured,
            },
            Self::Fact(fact, subject) => seen.fact(*fact, subject).into(),
        }
    }

    fn readings(&self, seen: &dyn Observations, out: &mut Vec<Message>) {
        match self {
            Self::Known(_) => {}
            Self::Not(t) => t.readings(seen, out),
            // Only what decided: of ten conditions the one that fails.
            Self::And(a, b) | Self::Or(a, b) => {
                let whole = self.truth(seen);
                for part in [a, b] {
                    if part.truth(seen) == whole {
                        part.readings(seen, out);
                    }
                }
            }
            Self::Same(a, b) => {
                a.readings(seen, out);
                b.readings(seen, out);
            }
            Self::If(c, a, b) => {
                c.readings(seen, out);
                a.readings(seen, out);
                b.readings(seen, out);
            }
            Self::Compare(_, a, b) => {
                a.readings(seen, out);
                b.readings(seen, out);
            }
            Self::Fact(fact, subject) => {
                let value = seen.fact(*fact, subject).map(|b| f64::from(u8::from(b)));
                saw(&FACTS, *fact, subject, value, out);
            }
        }
    }
}

impl Number {
    /// The value; none where a part of it is not measured or makes no number.
    fn value(&self, seen: &dyn Observations) -> Option<f64> {
        let value = match self {
            Self::Known(n) => *n,
            Self::Figure(figure, subject) => seen.figure(*figure, subject)?,
            Self::Negative(n) => -n.value(seen)?,
            Self::Sum(how, a, b) => {
                let (a, b) = (a.value(seen)?, b.value(seen)?);
                match how {
                    Arithmetic::Add => a + b,
                    Arithmetic::Subtract => a - b,
                    Arithmetic::Multiply => a * b,
                    Arithmetic::Divide => a / b,
                }
            }
            Self::If(c, a, b) => match c.truth(seen) {
                Truth::Yes => a.value(seen)?,
                Truth::No => b.value(seen)?,
                Truth::NotMeasured => return None,
            },
        };
        value.is_finite().then_some(value)
    }

    fn readings(&self, seen: &dyn Observations, out: &mut Vec<Message>) {
        match self {
            Self::Known(_) => {}
            Self::Figure(figure, subject) => saw(&FIGURES, *figure, subject, seen.figure(*figure, subject), out),
            Self::Negative(n) => n.readings(seen, out),
            Self::Sum(_, a, b) => {
                a.readings(seen, out);
                b.readings(seen, out);
            }
            Self::If(c, a, b) => {
                c.readings(seen, out);
                a.readings(seen, out);
                b.readings(seen, out);
            }
        }
    }
}

/// Says what was seen of one word.
fn saw<T: PartialEq + Copy>(words: &[Word<T>], asks: T, subject: &str, value: Option<f64>, out: &mut Vec<Message>) {
    if out.len() >= MAX_EVIDENCE {
        return;
    }
    let Some(word) = words.iter().find(|w| w.asks == asks) else { return };
    let message = match value {
        Some(value) => Message::new(word.saw).with("value", value),
        None => Message::new("saw-nothing").with("what", Message::new(word.what)),
    };
    // A `*` alone takes in every code: it names none.
    let named = u8::from(!subject.is_empty() && subject != "*");
    let subject = match subject {
        "gateway" => Arg::from(Message::new("subject-gateway")),
        "resolvers" => Arg::from(Message::new("subject-resolvers")),
        "targets" => Arg::from(Message::new("subject-targets")),
        other => Arg::from(&Untrusted::new(other)),
    };
    out.push(message.with("subject", subject).with("named", named));
}

impl Comparison {
    #[expect(clippy::float_cmp, reason = "the runbook's author asked for equality")]
    fn holds(self, a: f64, b: f64) -> bool {
        match self {
            Self::Less => a < b,
            Self::AtMost => a <= b,
            Self::Greater => a > b,
            Self::AtLeast => a >= b,
            Self::Equal => a == b,
            Self::NotEqual => a != b,
        }
    }
}
