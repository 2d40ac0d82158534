//! The one table of feeds: what each serves, and when it is needed.

use super::feed::FeedStart;
use crate::model::ProbeKind;

/// What a feed is for; a command starts only the groups it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Measuring what is asked for.
    Measure,
    /// Resolvers and names of addresses.
    Names,
    /// Sockets, counters and load of this host.
    Host,
}

/// One row of the table.
pub struct FeedRow {
    /// Name in records and on screen.
    pub name: &'static str,
    /// What it is for.
    pub group: Group,
    /// Kinds of specification it is given.
    pub serves: &'static [ProbeKind],
    /// How it starts.
    pub start: FeedStart,
}

const REQUESTS: &[ProbeKind] = &[
    ProbeKind::Tcp,
    ProbeKind::Udp,
    ProbeKind::Dns,
    ProbeKind::Tls,
    ProbeKind::Http,
    ProbeKind::Ntp,
    ProbeKind::Resolve,
];

/// Every feed but the names', which also holds the wishes for names.
pub const FEEDS: &[FeedRow] = &[
    FeedRow { name: "network", group: Group::Measure, serves: &ProbeKind::ALL, start: super::network::run },
    FeedRow { name: "echo", group: Group::Measure, serves: &[ProbeKind::Icmp], start: super::echo::run },
    FeedRow { name: "trace", group: Group::Measure, serves: &[ProbeKind::Trace], start: super::trace::run },
    FeedRow { name: "ask", group: Group::Measure, serves: REQUESTS, start: super::ask::run },
    FeedRow { name: "resolvers", group: Group::Names, serves: &[], start: super::resolvers::run },
    FeedRow { name: "sockets", group: Group::Host, serves: &[], start: super::sockets::run },
    FeedRow { name: "kernel", group: Group::Host, serves: &[], start: super::kernel::run },
    FeedRow { name: "load", group: Group::Host, serves: &[], start: super::load::run },
];
