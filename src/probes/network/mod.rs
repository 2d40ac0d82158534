//! Links, addresses, neighbours, routes, and where watched addresses would go.
//!
//! Owns the feed: it waits for the kernel's notifications, reads what they made
//! stale and writes what changed. Must never judge what it reads.

mod lookup;
mod mapping;
mod notices;
mod pace;
mod tables;

use std::io;
use std::time::{Duration, Instant};

use self::lookup::Watched;
use self::notices::Notices;
use self::pace::{Pace, Set, Table};
use self::tables::Tables;
use super::blocking::blocking;
use super::feed::{Egress, FeedContext, FeedEnd, FeedFuture};
use crate::model::link::{Link, LinkCounters, Network, RouteLookup};
use crate::model::{Message, RecordKind};

/// How long the first notification of a burst waits for the others: one `ip`
/// command makes a dozen.
const COALESCE: Duration = Duration::from_millis(30);
/// Nothing is older than this, so that a reader can tell fresh from stale.
const REWRITE: Duration = Duration::from_secs(10);
/// Counters alone are written once a second at most ...
const COUNTERS_GAP: Duration = Duration::from_secs(1);
/// ... and for as many entries more once in as many seconds more, since a record
/// carries all of them.
const ENTRIES_A_SECOND: usize = 1024;
/// Bytes in either direction that make new counters worth a record.
const BYTES_THAT_MATTER: u64 = 512;

/// Starts the feed. It writes [`RecordKind::Network`] and [`RecordKind::Lookups`].
pub fn run(ctx: FeedContext) -> FeedFuture {
    Box::pin(async move {
        match feed(ctx).await {
            Ok(end) => end,
            Err(e) => FeedEnd::Broken(format!("netlink: {e}")),
        }
    })
}

/// What is read and was written; travels to the reading thread and back.
#[derive(Debug)]
struct Reader {
    tables: Tables,
    egress: Egress,
    watched: Vec<Watched>,
    lookups: Vec<RouteLookup>,
}

async fn feed(mut ctx: FeedContext) -> io::Result<FeedEnd> {
    // Listen first, read then: no change falls between.
    let (mut notices, tables) = match (Notices::open(), Tables::open()) {
        (Ok(notices), Ok(tables)) => (notices, tables),
        (Err(e), _) | (_, Err(e)) if is_lasting(&e) => {
            let why = Message::new("network-unavailable").with("error", e.to_string());
            return Ok(FeedEnd::Unavailable(why));
        }
        (Err(e), _) | (_, Err(e)) => return Err(e),
    };
    let (watched, left_out) = lookup::watched(&ctx.specs.borrow_and_update());
    report_left_out(&ctx, left_out);
    let mut reader = Reader { tables, egress: ctx.egress.clone(), watched, lookups: Vec::new() };
    let mut pace = Pace::new(Instant::now());
    let mut written = Written::default();
    loop {
        ctx.pulse.touch();
        let due = pace.due(Instant::now());
        if !due.is_empty() {
            let (back, costs) = blocking(move || {
                let costs = reader.read(due);
                (reader, costs)
            })
            .await?;
            reader = back;
            let now = Instant::now();
            for (table, cost) in costs? {
                pace.read(table, now, cost);
            }
            written.write(&ctx, &reader, due, now);
            continue;
        }
        tokio::select! {
            () = tokio::time::sleep_until(pace.next().into()) => {}
            stale = notices.next() => {
                pace.mark(stale?);
                tokio::time::sleep(COALESCE).await;
            }
            changed = ctx.specs.changed() => {
                if changed.is_err() {
                    return Ok(FeedEnd::Broken("network: no more orders".to_owned()));
                }
                let (watched, left_out) = lookup::watched(&ctx.specs.borrow_and_update());
                if reader.watched != watched {
                    report_left_out(&ctx, left_out);
                    reader.watched = watched;
                    pace.mark(Set::of([Table::Lookups]));
                }
            }
        }
    }
}

/// Whether trying again will not help: a sandbox without this kind of socket.
fn is_lasting(error: &io::Error) -> bool {
    use nix::libc::{EACCES, EAFNOSUPPORT, EPERM, EPROTONOSUPPORT};
    matches!(error.raw_os_error(), Some(EACCES | EAFNOSUPPORT | EPERM | EPROTONOSUPPORT))
}

fn report_left_out(ctx: &FeedContext, count: usize) {
    if count > 0 {
        ctx.out.put(RecordKind::Dropped { what: "lookups".to_owned(), count: count as u64 });
    }
}

impl Reader {
    /// Reads those tables and says how long each took.
    fn read(&mut self, due: Set) -> io::Result<Vec<(Table, Duration)>> {
        let mut costs = Vec::with_capacity(Table::ALL.len());
        for table in Table::ALL.into_iter().filter(|t| due.has(*t)) {
            let began = Instant::now();
            match table {
                Table::Links => self.tables.read_links()?,
                Table::Addresses => self.tables.read_addresses()?,
                Table::Routes => self.tables.read_routes()?,
                Table::Neighbours => self.tables.read_neighbours()?,
                // The links came with theirs.
                Table::Counters if due.has(Table::Links) => {}
                Table::Counters => self.tables.read_counters()?,
                Table::Lookups => self.lookups = lookup::look_up(&mut self.tables, &self.watched, &self.egress),
            }
            costs.push((table, began.elapsed()));
        }
        Ok(costs)
    }
}

/// What was written last, and when.
#[derive(Debug, Default)]
struct Written {
    network: Option<(Instant, Network)>,
    lookups: Option<(Instant, Vec<RouteLookup>)>,
}

impl Written {
    fn write(&mut self, ctx: &FeedContext, reader: &Reader, read: Set, now: Instant) {
        let network = reader.tables.network();
        if self.network.as_ref().is_none_or(|(at, before)| is_news(before, &network, now.duration_since(*at))) {
            ctx.out.put(RecordKind::Network(Box::new(network.clone())));
            self.network = Some((now, network));
        }
        let lookups_read = read.has(Table::Lookups);
        let old = self.lookups.as_ref().is_none_or(|(at, before)| {
            now.duration_since(*at) >= REWRITE || (lookups_read && *before != reader.lookups)
        });
        if old {
            ctx.out.put(RecordKind::Lookups(reader.lookups.clone()));
            self.lookups = Some((now, reader.lookups.clone()));
        }
    }
}

/// Whether what was read is worth a record, `age` after the last.
fn is_news(before: &Network, now: &Network, age: Duration) -> bool {
    if age >= REWRITE
        || before.left_out != now.left_out
        || before.addresses != now.addresses
        || before.routes != now.routes
        || before.neighbours != now.neighbours
        || before.links.len() != now.links.len()
        || before.links.iter().zip(&now.links).any(|(a, b)| !same_but_counters(a, b))
    {
        return true;
    }
    let entries = now.links.len() + now.addresses.len() + now.routes.len() + now.neighbours.len();
    let gap = COUNTERS_GAP * (1 + (entries / ENTRIES_A_SECOND) as u32);
    // A timer that is a little early must not halve the rate.
    age + Duration::from_millis(50) >= gap
        && before.links.iter().zip(&now.links).any(|(a, b)| counters_matter(&a.counters, &b.counters))
}

fn same_but_counters(a: &Link, b: &Link) -> bool {
    let Link {
        index,
        name,
        kind,
        admin_up,
        carrier,
        mtu,
        mac,
        speed_mbps,
        duplex,
        carrier_changes,
        master,
        lower,
        counters: _,
    } = a;
    *index == b.index
        && *name == b.name
        && *kind == b.kind
        && *admin_up == b.admin_up
        && *carrier == b.carrier
        && *mtu == b.mtu
        && *mac == b.mac
        && *speed_mbps == b.speed_mbps
        && *duplex == b.duplex
        && *carrier_changes == b.carrier_changes
        && *master == b.master
        && *lower == b.lower
}

/// Any error or drop matters; traffic does from some bytes on.
fn counters_matter(a: &LinkCounters, b: &LinkCounters) -> bool {
    let bytes = b.rx_bytes.abs_diff(a.rx_bytes).saturating_add(b.tx_bytes.abs_diff(a.tx_bytes));
    let traffic_aside = LinkCounters {
        rx_bytes: b.rx_bytes,
        tx_bytes: b.tx_bytes,
        rx_packets: b.rx_packets,
        tx_packets: b.tx_packets,
        ..*a
    };
    bytes >= BYTES_THAT_MATTER || traffic_aside != *b
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Untrusted;

    fn network(counters: LinkCounters, up: bool) -> Network {
        let link = Link {
            index: 2,
            name: Untrusted::new("eth0"),
            kind: Untrusted::default(),
            admin_up: up,
            carrier: up,
            mtu: 1500,
            mac: None,
            speed_mbps: None,
            duplex: None,
            carrier_changes: None,
            master: None,
            lower: None,
            counters,
        };
        Network { links: vec![link], ..Network::default() }
    }

    #[test]
    fn a_change_is_news_at_once_and_traffic_once_a_second() {
        let quiet = network(LinkCounters::default(), true);
        let busy = network(LinkCounters { rx_bytes: 9000, rx_packets: 6, ..LinkCounters::default() }, true);
        let few = network(LinkCounters { rx_bytes: 60, rx_packets: 1, ..LinkCounters::default() }, true);
        let errors = network(LinkCounters { rx_crc_errors: 1, ..LinkCounters::default() }, true);
        let down = network(LinkCounters::default(), false);
        let (soon, second, long) = (Duration::from_millis(100), Duration::from_secs(1), REWRITE);
        assert!(is_news(&quiet, &down, soon));
        assert!(!is_news(&quiet, &busy, soon) && is_news(&quiet, &busy, second));
        assert!(!is_news(&quiet, &few, second) && is_news(&quiet, &few, long));
        assert!(is_news(&quiet, &errors, second));
        assert!(!is_news(&quiet, &quiet, second) && is_news(&quiet, &quiet, long));
    }
}
