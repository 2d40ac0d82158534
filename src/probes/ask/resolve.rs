//! A name's addresses as this host's own programs get them: hosts file, then the
//! configured resolvers with the search list, in glibc's order (nsswitch
//! `files dns`).
//!
//! Unlike glibc it does not wait 5 s for a silent server before it asks the next:
//! that a server is dead is another probe's finding. Must never cache.

use std::cmp::Reverse;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, StreamExt};
use hickory_proto::op::Message;
use nix::sys::socket::SockType;

use super::dns::{self, NoAnswer};
use super::system::{LOCALHOST, is_localhost};
use super::{AskContext, BoxFuture, Measured, Probe, Question, Resolving, Shared, wrong_kind};
use crate::model::probe::{Ask, QueryType};
use crate::model::sample::{Detail, Resolved, Unsent};
use crate::model::{Outcome, ProbeKind, ProbeSpec, Untrusted};
use crate::probes::budget::Budget;
use crate::probes::connect;
use crate::probes::feed::Egress;

/// How long a server may be silent before the next is asked as well.
const NEXT_SERVER: Duration = Duration::from_millis(400);

/// How often every server is asked, as glibc's `attempts`.
const ATTEMPTS: usize = 2;

/// A second attempt at the same server waits at least this long.
const NEXT_ATTEMPT: Duration = Duration::from_secs(1);

/// How long one family's answer waits for the other's.
const OTHER_FAMILY: Duration = Duration::from_secs(1);

/// Most addresses of one name.
const MAX_ADDRESSES: usize = 32;

const NOERROR: u16 = 0;
const SERVFAIL: u16 = 2;
const NXDOMAIN: u16 = 3;
const REFUSED: u16 = 5;

/// The probe.
pub(super) struct Resolve;

impl Probe for Resolve {
    fn kind(&self) -> ProbeKind {
        ProbeKind::Resolve
    }

    fn packets(&self) -> u32 {
        2
    }

    fn measure(&self, spec: &ProbeSpec, ask: &AskContext) -> BoxFuture<Measured> {
        let Ask::Resolve { name } = &spec.ask else { return wrong_kind() };
        let (name, ask) = (name.to_ascii_lowercase(), ask.clone());
        Box::pin(async move {
            let (sent, shared) = (Instant::now(), ask.shared.clone());
            ask.within(sent, async move { resolve(&name, &shared, sent).await }).await
        })
    }
}

async fn resolve(name: &str, shared: &Arc<Shared>, sent: Instant) -> Outcome {
    let answered = |addresses: Vec<IpAddr>, from_hosts, rcode| {
        let addresses = prefer(addresses, |to| source_for(to, &shared.egress));
        Outcome::Answered { rtt: sent.elapsed(), detail: Detail::Resolve(Resolved { addresses, from_hosts, rcode }) }
    };
    let bare = name.strip_suffix('.').unwrap_or(name);
    if let Ok(ip) = bare.parse() {
        return answered(vec![ip], false, NOERROR);
    }
    let from_file = hosts(bare, shared).await;
    if !from_file.is_empty() {
        return answered(from_file, true, NOERROR);
    }
    if is_localhost(bare) {
        return answered(LOCALHOST.to_vec(), false, NOERROR);
    }
    let resolving = shared.names.resolving();
    if resolving.servers.is_empty() {
        return Outcome::Unsent { reason: Unsent::Unresolved };
    }
    match search(name, &resolving, shared).await {
        Ok((addresses, rcode)) => answered(addresses, false, rcode),
        Err(outcome) => outcome,
    }
}

/// A long hosts file takes milliseconds: not on the runtime's thread.
async fn hosts(name: &str, shared: &Arc<Shared>) -> Vec<IpAddr> {
    let (name, shared) = (name.to_owned(), shared.clone());
    tokio::task::spawn_blocking(move || shared.names.hosts_addresses(&name)).await.unwrap_or_default()
}

/// The names to ask for, in glibc's order (res_search(3)).
pub(super) fn candidates(name: &str, resolving: &Resolving) -> Vec<String> {
    if let Some(absolute) = name.strip_suffix('.') {
        return vec![absolute.to_owned()];
    }
    let dots = name.bytes().filter(|b| *b == b'.').count();
    let mut all: Vec<String> = resolving.search.iter().map(|domain| format!("{name}.{domain}")).collect();
    if dots >= usize::from(resolving.ndots) {
        all.insert(0, name.to_owned());
    } else {
        all.push(name.to_owned());
    }
    all
}

/// Asks for every candidate in turn until one has addresses; else tells the code
/// that glibc would act on: failures over no data over no such name.
async fn search(name: &str, resolving: &Arc<Resolving>, shared: &Arc<Shared>) -> Result<(Vec<IpAddr>, u16), Outcome> {
    let (mut failure, mut no_data, mut outcome) = (None, false, None);
    let mut first = true;
    for candidate in candidates(name, resolving) {
        // The first two queries are paid for already.
        if !std::mem::take(&mut first) && !shared.budget.take(2, Instant::now()) {
            return Err(Outcome::Unsent { reason: Unsent::Budget });
        }
        let ask = |qtype| ask_for(candidate.clone(), qtype, resolving.clone(), shared.clone());
        let answers = both(ask(QueryType::Aaaa), ask(QueryType::A)).await;
        let mut addresses = Vec::new();
        for answer in answers {
            match answer {
                Ok(message) => match dns::rcode(&message) {
                    NOERROR => {
                        no_data = true;
                        let asked = message.queries.first().map(|q| q.name.clone()).unwrap_or_default();
                        addresses.extend(dns::addresses(&asked, &message.answers));
                    }
                    NXDOMAIN => {}
                    code => failure = Some(failure.unwrap_or(code)),
                },
                Err(why) => outcome = Some(why),
            }
        }
        if !addresses.is_empty() {
            addresses.truncate(MAX_ADDRESSES);
            return Ok((addresses, NOERROR));
        }
    }
    match (failure, outcome, no_data) {
        (Some(code), ..) => Ok((Vec::new(), code)),
        (None, Some(outcome), _) => Err(outcome),
        (None, None, true) => Ok((Vec::new(), NOERROR)),
        (None, None, false) => Ok((Vec::new(), NXDOMAIN)),
    }
}

async fn ask_for(
    name: String,
    qtype: QueryType,
    resolving: Arc<Resolving>,
    shared: Arc<Shared>,
) -> Result<Message, Outcome> {
    let question = || Question::new(&name, qtype);
    ask_servers(&resolving.servers, question, &shared.egress, &shared.budget).await
}

/// Waits for both families; once one is answered the other has [`OTHER_FAMILY`]
/// left, since some servers never answer for AAAA.
async fn both<T>(
    a: impl Future<Output = Result<T, Outcome>>,
    b: impl Future<Output = Result<T, Outcome>>,
) -> [Result<T, Outcome>; 2] {
    tokio::pin!(a, b);
    let (first, other) = tokio::select! {
        first = &mut a => (first, tokio::time::timeout(OTHER_FAMILY, b).await),
        first = &mut b => (first, tokio::time::timeout(OTHER_FAMILY, a).await),
    };
    [first, other.unwrap_or(Err(Outcome::Lost))]
}

/// Asks one server after the other, the next as soon as one fails or is silent for
/// [`NEXT_SERVER`]; the first answer that settles the question wins. Without one:
/// the answer of a server that refused or failed, else what became of the first
/// packet. Waits for ever on silence: bound it from outside.
pub(in crate::probes) async fn ask_servers(
    servers: &[SocketAddr],
    question: impl Fn() -> Option<Question>,
    egress: &Egress,
    budget: &Budget,
) -> Result<Message, Outcome> {
    let start = tokio::time::Instant::now();
    // Silence is bounded from outside, late answers are as good as early ones.
    let deadline = start + Duration::from_secs(60);
    let round = NEXT_ATTEMPT.max(NEXT_SERVER * servers.len() as u32);
    let mut plan = Vec::with_capacity(ATTEMPTS * servers.len());
    for attempt in 0..ATTEMPTS as u32 {
        for (i, server) in servers.iter().enumerate() {
            plan.push((round * attempt + NEXT_SERVER * i as u32, *server));
        }
    }
    let mut plan = plan.into_iter();
    let mut asked = FuturesUnordered::new();
    let mut upcoming = plan.next();
    let (mut negative, mut dead): (Option<Message>, Option<Outcome>) = (None, None);
    let mut failed = 0;
    let mut early = true;
    loop {
        if let Some((after, server)) = upcoming
            && (std::mem::take(&mut early) || start + after <= tokio::time::Instant::now())
        {
            upcoming = plan.next();
            let first = asked.is_empty() && failed == 0;
            if first || budget.take(1, Instant::now()) {
                let Some(question) = question() else {
                    let why = Untrusted::new("not a domain name");
                    return Err(Outcome::Unsent { reason: Unsent::Local { why } });
                };
                asked.push(dns::exchange(server, question, egress, deadline));
            }
            continue;
        }
        // With nobody left to ask, a refusal in hand is worth more than silence.
        let patience = negative.is_some().then(|| tokio::time::Instant::now() + NEXT_ATTEMPT);
        let wait = upcoming.map(|(after, _)| start + after).or(patience);
        tokio::select! {
            Some((_, result)) = asked.next() => {
                failed += 1;
                match result {
                    Ok(answer) => match dns::rcode(&answer.message) {
                        NOERROR | NXDOMAIN => return Ok(answer.message),
                        // SERVFAIL says more than REFUSED: somebody tried.
                        SERVFAIL => negative = Some(answer.message),
                        REFUSED => negative = negative.or(Some(answer.message)),
                        _ => negative = Some(answer.message),
                    },
                    Err(NoAnswer::Outcome(outcome)) => dead = dead.or(Some(outcome)),
                    Err(NoAnswer::Silence(_)) => {}
                }
                // One round is enough where every server spoke.
                if asked.is_empty() && failed >= servers.len() {
                    return match (negative, dead) {
                        (Some(message), _) => Ok(message),
                        (None, outcome) => Err(outcome.unwrap_or(Outcome::Lost)),
                    };
                }
                early = true;
            }
            () = tokio::time::sleep_until(wait.unwrap_or(deadline)), if wait.is_some() => {
                if upcoming.is_none() {
                    return negative.ok_or(Outcome::Lost);
                }
            }
            else => return Err(dead.unwrap_or(Outcome::Lost)),
        }
    }
}

/// The address packets to `to` would leave from; nothing where none can leave. A
/// connected UDP socket sends nothing.
fn source_for(to: IpAddr, egress: &Egress) -> Option<IpAddr> {
    let to = SocketAddr::new(to, 9);
    let fd = connect::open(SockType::Datagram, to, egress).ok()?;
    connect::start_connect(&fd, to).ok()?;
    std::net::UdpSocket::from(fd).local_addr().ok().map(|a| a.ip())
}

/// Sorts as glibc does without a gai.conf, by the rules of RFC 6724 that need no
/// more than a source address: usable destinations first (1), matching scope (2),
/// matching label (5), higher precedence (6), smaller scope (8), else as they came
/// (10).
pub(super) fn prefer(mut addresses: Vec<IpAddr>, source: impl Fn(IpAddr) -> Option<IpAddr>) -> Vec<IpAddr> {
    let mut seen = std::collections::HashSet::new();
    addresses.retain(|a| seen.insert(*a));
    addresses.sort_by_cached_key(|to| {
        let from = source(*to);
        let scope_differs = from.is_none_or(|f| scope(f) != scope(*to));
        let label_differs = from.is_none_or(|f| policy(f).1 != policy(*to).1);
        (from.is_none(), scope_differs, label_differs, Reverse(policy(*to).0), scope(*to))
    });
    addresses
}

/// Scope (RFC 6724, 3.1 and 3.2): link-local 2, site-local 5, global 14.
fn scope(ip: IpAddr) -> u8 {
    match ip {
        IpAddr::V4(a) if a.is_loopback() || a.is_link_local() => 2,
        IpAddr::V6(a) if a.is_loopback() || a.is_unicast_link_local() => 2,
        IpAddr::V6(a) if a.segments()[0] & 0xffc0 == 0xfec0 => 5,
        _ => 14,
    }
}

/// Precedence and label of glibc's own default policy table (gai.conf(5)). It is
/// older than RFC 6724's: a unique local address comes before IPv4.
fn policy(ip: IpAddr) -> (u8, u8) {
    let IpAddr::V6(a) = ip else { return (10, 4) };
    match a.segments() {
        _ if a == Ipv6Addr::LOCALHOST => (50, 0),
        [0x2002, ..] => (30, 2),
        [0x2001, 0, ..] => (40, 7),
        [first, ..] if first & 0xfe00 == 0xfc00 => (40, 6),
        [first, ..] if first & 0xffc0 == 0xfec0 => (40, 5),
        _ => (40, 1),
    }
}
