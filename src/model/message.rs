//! A sentence not yet in any language: an identifier and its arguments.
//!
//! Owns the shape only; `text` renders it. Must never hold words of a language.

use std::borrow::Cow;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Untrusted;

/// An argument of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Arg {
    /// A number, for plural rules and number formats.
    Number(f64),
    /// Text that is ours, or already harmless.
    Text(String),
    /// A nested message, rendered in the same language.
    Message(Message),
}

impl From<f64> for Arg {
    fn from(n: f64) -> Self {
        Self::Number(n)
    }
}

macro_rules! arg_from_integer {
    ($($t:ty),*) => {$(
        impl From<$t> for Arg {
            fn from(n: $t) -> Self { Self::Number(n as f64) }
        }
    )*};
}
arg_from_integer!(u8, u16, u32, u64, usize, i32, i64);

impl From<&str> for Arg {
    fn from(s: &str) -> Self {
        Self::Text(s.to_owned())
    }
}

impl From<String> for Arg {
    fn from(s: String) -> Self {
        Self::Text(s)
    }
}

impl From<&Untrusted> for Arg {
    fn from(s: &Untrusted) -> Self {
        Self::Text(s.as_str().to_owned())
    }
}

impl From<IpAddr> for Arg {
    fn from(a: IpAddr) -> Self {
        Self::Text(a.to_string())
    }
}

impl From<Message> for Arg {
    fn from(m: Message) -> Self {
        Self::Message(m)
    }
}

/// A sentence: the Fluent identifier and its named arguments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Identifier in `assets/locales/*.ftl`.
    pub id: Cow<'static, str>,
    /// Arguments by name, in the order they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "args")]
    pub args: Vec<(Cow<'static, str>, Arg)>,
}

/// Arguments as one object, in their order.
mod args {
    use std::borrow::Cow;
    use std::fmt;

    use serde::de::{MapAccess, Visitor};
    use serde::{Deserializer, Serializer};

    use super::Arg;

    type Args = Vec<(Cow<'static, str>, Arg)>;

    pub fn serialize<S: Serializer>(args: &Args, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(args.iter().map(|(name, value)| (name, value)))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Args, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Args;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the arguments of a message by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Args, A::Error> {
                let mut args = Args::new();
                while let Some((name, value)) = map.next_entry::<String, Arg>()? {
                    args.push((Cow::Owned(name), value));
                }
                Ok(args)
            }
        }
        d.deserialize_map(Object)
    }
}

impl Message {
    /// A sentence without arguments yet.
    pub const fn new(id: &'static str) -> Self {
        Self { id: Cow::Borrowed(id), args: Vec::new() }
    }

    /// Adds an argument.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Arg>) -> Self {
        self.args.push((Cow::Borrowed(name), value.into()));
        self
    }
}
