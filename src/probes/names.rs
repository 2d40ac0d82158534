//! Names of addresses (PTR), looked up in the background for whoever would like
//! to know.
//!
//! Owns the rate, the cache and the order. Must never hold up a measurement, and
//! asks nobody where no resolver is configured.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant as StdInstant};

use hickory_proto::rr::RData;
use tokio::sync::OwnedMutexGuard;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::ask::{Question, SystemNames, ask_servers};
use super::budget::Budget;
use super::feed::{Egress, FeedContext, FeedEnd, FeedFuture};
use crate::model::{RecordKind, Untrusted};

/// Most lookups in flight.
const MAX_IN_FLIGHT: usize = 4;

/// From one lookup to the next: 20 a second.
const SPACING: Duration = Duration::from_millis(50);

/// A lookup's time-out.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Most addresses whose turn is yet to come, and most that are remembered.
const MAX_WAITING: usize = 1024;
const MAX_REMEMBERED: usize = 4096;

/// How long a name is believed, how long it is believed that there is none, and
/// how long a silent resolver is left alone about one address.
const TTL_NAME: Duration = Duration::from_secs(3600);
const TTL_NONE: Duration = Duration::from_secs(600);
const TTL_SILENCE: Duration = Duration::from_secs(60);

/// What a lookup came to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    Name(Untrusted),
    /// There is no name.
    None,
    /// Nobody said.
    Unknown,
}

/// The feed.
pub fn run(ctx: FeedContext, wishes: OwnedMutexGuard<mpsc::Receiver<IpAddr>>) -> FeedFuture {
    let names = Arc::new(SystemNames::system());
    Box::pin(serve(ctx, wishes, names))
}

struct Queue {
    waiting: VecDeque<IpAddr>,
    /// In the queue or in flight.
    pending: HashSet<IpAddr>,
    known: HashMap<IpAddr, Instant>,
}

impl Queue {
    /// Puts an address in line unless it is there or known.
    fn wish(&mut self, address: IpAddr, now: Instant) {
        let known = self.known.get(&address).is_some_and(|until| *until > now);
        if !known && worth_asking(address) && self.waiting.len() < MAX_WAITING && self.pending.insert(address) {
            self.waiting.push_back(address);
        }
    }

    /// Remembers that `address` was answered until `until`.
    fn remember(&mut self, address: IpAddr, until: Instant, now: Instant) {
        self.pending.remove(&address);
        if self.known.len() >= MAX_REMEMBERED {
            self.known.retain(|_, until| *until > now);
        }
        if self.known.len() >= MAX_REMEMBERED
            && let Some(oldest) = self.known.iter().min_by_key(|(_, until)| **until).map(|(a, _)| *a)
        {
            self.known.remove(&oldest);
        }
        self.known.insert(address, until);
    }
}

/// Addresses that have no name by their nature are not asked for.
fn worth_asking(address: IpAddr) -> bool {
    !address.is_unspecified() && !address.is_multicast()
}

async fn serve(
    ctx: FeedContext,
    mut wishes: OwnedMutexGuard<mpsc::Receiver<IpAddr>>,
    names: Arc<SystemNames>,
) -> FeedEnd {
    let mut queue = Queue { waiting: VecDeque::new(), pending: HashSet::new(), known: HashMap::new() };
    let mut lookups: JoinSet<(IpAddr, Found)> = JoinSet::new();
    let mut next = Instant::now();
    loop {
        ctx.pulse.touch();
        let now = Instant::now();
        if now >= next
            && lookups.len() < MAX_IN_FLIGHT
            && let Some(address) = queue.waiting.pop_front()
        {
            next = now + SPACING;
            let (names, egress, budget) = (names.clone(), ctx.egress.clone(), ctx.budget.clone());
            lookups.spawn(async move { (address, look_up(address, &names, &egress, &budget).await) });
        }
        let ready = !queue.waiting.is_empty() && lookups.len() < MAX_IN_FLIGHT;
        let wake = if ready { next } else { now + Duration::from_secs(5) };
        tokio::select! {
            wish = wishes.recv() => match wish {
                Some(address) => queue.wish(address, Instant::now()),
                None => return FeedEnd::Broken("names: nobody is left to wish for one".to_owned()),
            },
            Some(done) = lookups.join_next(), if !lookups.is_empty() => match done {
                Ok((address, found)) => {
                    let now = Instant::now();
                    let (ttl, name) = match found {
                        Found::Name(name) => (TTL_NAME, Some(Some(name))),
                        Found::None => (TTL_NONE, Some(None)),
                        Found::Unknown => (TTL_SILENCE, None),
                    };
                    queue.remember(address, now + ttl, now);
                    if let Some(name) = name {
                        ctx.out.put(RecordKind::Name { address, name });
                    }
                }
                Err(e) => return FeedEnd::Broken(format!("names: {e}")),
            },
            () = tokio::time::sleep_until(wake) => {}
        }
    }
}

async fn look_up(address: IpAddr, names: &Arc<SystemNames>, egress: &Egress, budget: &Budget) -> Found {
    let files = names.clone();
    let from_file = tokio::task::spawn_blocking(move || files.hosts_name(address)).await;
    if let Ok(Some(name)) = from_file {
        return Found::Name(Untrusted::new(&name));
    }
    let resolving = names.resolving();
    if resolving.servers.is_empty() || !budget.take(1, StdInstant::now()) {
        return Found::Unknown;
    }
    let question = || Question::reverse(address);
    let asked = ask_servers(&resolving.servers, question, egress, budget);
    let Ok(Ok(message)) = tokio::time::timeout(TIMEOUT, asked).await else { return Found::Unknown };
    match u16::from(message.metadata.response_code) {
        0 | 3 => {}
        _ => return Found::Unknown,
    }
    let name = message.answers.iter().find_map(|r| match &r.data {
        RData::PTR(name) => Some(name.0.to_ascii()),
        _ => None,
    });
    match name {
        Some(name) => Found::Name(Untrusted::new(name.strip_suffix('.').unwrap_or(&name))),
        None => Found::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> IpAddr {
        std::net::Ipv4Addr::from(0x0a00_0000 + n).into()
    }

    fn empty() -> Queue {
        Queue { waiting: VecDeque::new(), pending: HashSet::new(), known: HashMap::new() }
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_is_asked_for_once_until_its_answer_is_old() {
        let (mut queue, now) = (empty(), Instant::now());
        queue.wish(address(1), now);
        queue.wish(address(1), now);
        assert_eq!(queue.waiting.len(), 1);
        assert_eq!(queue.waiting.pop_front(), Some(address(1)));
        // In flight.
        queue.wish(address(1), now);
        assert!(queue.waiting.is_empty());
        queue.remember(address(1), now + TTL_NONE, now);
        queue.wish(address(1), now + TTL_NONE - Duration::from_secs(1));
        assert!(queue.waiting.is_empty());
        queue.wish(address(1), now + TTL_NONE);
        assert_eq!(queue.waiting.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn tables_are_bounded() {
        let (mut queue, now) = (empty(), Instant::now());
        for n in 0..20_000 {
            queue.wish(address(n), now);
            queue.remember(address(n), now + TTL_NAME + Duration::from_millis(u64::from(n)), now);
        }
        assert!(queue.waiting.len() <= MAX_WAITING && queue.known.len() <= MAX_REMEMBERED);
        assert!(queue.known.contains_key(&address(19_999)));
        for nothing in ["0.0.0.0", "224.0.0.1", "ff02::1", "::"] {
            assert!(!worth_asking(nothing.parse().unwrap()), "{nothing}");
        }
    }
}
