//! What came of a measurement, in words. Owns the sentences' choice; must never
//! judge whether it is good news.

use std::time::Duration;

use crate::model::sample::{Failure, Resolved, Unsent};
use crate::model::{Detail, Message, Outcome};

/// An outcome in words.
pub fn outcome_words(outcome: &Outcome) -> Message {
    let ms = |d: &Duration| d.as_secs_f64() * 1e3;
    match outcome {
        Outcome::Answered { rtt, detail } => match detail {
            Detail::Http(a) => Message::new("outcome-http").with("status", a.status).with("ms", ms(rtt)),
            Detail::Resolve(Resolved { addresses, .. }) => {
                Message::new("outcome-resolved").with("count", addresses.len()).with("ms", ms(rtt))
            }
            Detail::Dns(a) if a.rcode != 0 => Message::new("outcome-dns").with("rcode", a.rcode).with("ms", ms(rtt)),
            Detail::Ntp(a) => Message::new("outcome-ntp").with("offset", a.offset_ns as f64 / 1e6).with("ms", ms(rtt)),
            _ => Message::new("outcome-answered").with("ms", ms(rtt)),
        },
        Outcome::Late { rtt } => Message::new("outcome-late").with("ms", ms(rtt)),
        Outcome::Lost => Message::new("outcome-lost"),
        Outcome::Refused { rtt } => Message::new("outcome-refused").with("ms", ms(rtt)),
        Outcome::Icmp { from, error, .. } => {
            Message::new("outcome-icmp").with("from", *from).with("error", error.words())
        }
        Outcome::Failed { failure, .. } => Message::new("outcome-failed").with("why", failure_words(failure)),
        Outcome::Unsent { reason } => Message::new("outcome-unsent").with("why", unsent_words(reason)),
    }
}

fn failure_words(failure: &Failure) -> Message {
    match failure {
        Failure::Silent => Message::new("failure-silent"),
        Failure::Reset => Message::new("failure-reset"),
        Failure::Closed => Message::new("failure-closed"),
        Failure::Alert { code } => Message::new("failure-alert").with("code", *code),
        Failure::Incompatible { why } => Message::new("failure-incompatible").with("why", why),
        Failure::Protocol { why } => Message::new("failure-protocol").with("why", why),
    }
}

fn unsent_words(reason: &Unsent) -> Message {
    match reason {
        Unsent::NotPermitted => Message::new("unsent-not-permitted"),
        Unsent::NoRoute => Message::new("unsent-no-route"),
        Unsent::RouteRefuses => Message::new("unsent-route-refuses"),
        Unsent::Filtered => Message::new("unsent-filtered"),
        Unsent::NoSource => Message::new("unsent-no-source"),
        Unsent::InterfaceDown => Message::new("unsent-interface-down"),
        Unsent::Budget => Message::new("unsent-budget"),
        Unsent::Unresolved => Message::new("unsent-unresolved"),
        Unsent::Local { why } => Message::new("unsent-local").with("why", why),
    }
}
