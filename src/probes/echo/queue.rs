//! The echo engine on our own sockets: kernel receive stamps, error queue,
//! receiving in batches.
//!
//! Owns one ICMP socket per family. Must never decide when something is due:
//! the roster does.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use nix::sys::socket::{MsgFlags, sendto};
use tokio::io::Interest;

use super::plain::{Ping, Pinging, Plain, Told};
use super::roster::{Due, Flown, Landing, Order, Roster};
use crate::model::sample::{IcmpError, Unsent};
use crate::model::{Detail, Mono, Outcome, RecordKind, Sample};
use crate::probes::feed::{FeedContext, FeedEnd};
use crate::probes::sys::batch::{Batch, Datagram};
use crate::probes::sys::socket::{Family, IcmpKind, IcmpSocket, icmp, sockaddr, unopened, unsent};
use crate::probes::sys::stamp::Both;
use crate::probes::sys::watched::{Watched, watch};
use crate::probes::wire::ancillary;
use crate::probes::wire::icmp::{Key, Mark, echo, echo_request, skip_ipv4};

/// How long a socket that could not be opened is left alone.
const RETRY: Duration = Duration::from_secs(30);
/// Longest sleep, so that the supervisor sees us alive.
const PULSE: Duration = Duration::from_secs(5);
/// Above this many sends a second, sends and receives are done in turns of
/// [`TURN`]: the stamps are the kernel's, so that reading late costs nothing.
const BUSY: f64 = 500.0;
const TURN: Duration = Duration::from_millis(4);
/// How often a send is repeated that met an error left by an earlier packet.
const ATTEMPTS: usize = 3;

struct Wire {
    fd: Watched,
    kind: IcmpKind,
    identifier: u16,
    family: Family,
}

enum Slot {
    Unopened,
    Open(Wire),
    Plain(Plain),
    Closed { reason: Unsent, since: Mono },
}

struct Engine {
    ctx: FeedContext,
    roster: Roster,
    wires: [Slot; 2],
    batch: Batch,
    key: Key,
    pings: FuturesUnordered<Pinging>,
}

/// Runs until the session drops the feed's specifications.
pub(super) async fn run(mut ctx: FeedContext) -> FeedEnd {
    let mut roster = Roster::default();
    roster.apply(&ctx.specs.borrow_and_update().clone(), ctx.clock.mono());
    let mut engine = Engine {
        ctx,
        roster,
        wires: [Slot::Unopened, Slot::Unopened],
        batch: Batch::default(),
        key: Key::default(),
        pings: FuturesUnordered::new(),
    };
    loop {
        engine.ctx.pulse.touch();
        engine.turn();
        if let Err(end) = engine.wait().await {
            return end;
        }
    }
}

impl Engine {
    /// Reads what came, says what is overdue, sends what is due, reads again.
    fn turn(&mut self) {
        self.drain_all();
        let now = self.ctx.clock.mono();
        let mut sent = false;
        while let Some(due) = self.roster.pop(now) {
            match due {
                Due::Lost(flown) => self.put(flown, Outcome::Lost),
                Due::Send(order) => {
                    self.send(order);
                    sent = true;
                }
            }
        }
        // On a short path the replies are there already.
        if sent {
            self.drain_all();
        }
    }

    async fn wait(&mut self) -> Result<(), FeedEnd> {
        let clock = self.ctx.clock;
        let now = clock.mono();
        let next = self.roster.next_wake().unwrap_or(Mono(u64::MAX)).min(now.after(PULSE));
        let turn = now.after(TURN);
        if self.roster.per_second() > BUSY && next <= turn {
            // Nothing new before the next turn, whatever arrives.
            tokio::time::sleep_until(clock.instant(turn).into()).await;
            if self.ctx.specs.has_changed().is_ok_and(|changed| !changed) {
                return Ok(());
            }
        }
        let [v4, v6] = &self.wires;
        tokio::select! {
            changed = self.ctx.specs.changed() => {
                if changed.is_err() {
                    return Err(FeedEnd::Broken("specifications: their writer is gone".to_owned()));
                }
                let specs = self.ctx.specs.borrow_and_update().clone();
                self.roster.apply(&specs, clock.mono());
            }
            Some(ping) = self.pings.next() => self.take_ping(ping),
            () = v4.ready() => {}
            () = v6.ready() => {}
            () = tokio::time::sleep_until(clock.instant(next).into()) => {}
        }
        Ok(())
    }

    fn send(&mut self, order: Order) {
        let Order { serial, probe, seq, to, scope } = order;
        let refuse = |engine: &Self, reason| {
            let flown = Flown { probe, seq, sent: engine.ctx.clock.mono() };
            engine.put(flown, Outcome::Unsent { reason });
        };
        let family = Family::of(to);
        if let Err(reason) = self.open(family) {
            return refuse(self, reason);
        }
        if !self.ctx.budget.take(1, std::time::Instant::now()) {
            return refuse(self, Unsent::Budget);
        }
        let destination = sockaddr(to, 0, scope);
        let seal = self.key.seal(Mark { who: serial, which: seq });
        let sequence = wire_sequence(&self.key, serial, seq);
        for attempt in 1.. {
            let wire = match &self.wires[family.index()] {
                Slot::Open(wire) => wire,
                Slot::Plain(plain) => {
                    self.pings.push(plain.ping(order, sequence, seal));
                    return self.roster.sent(order, self.ctx.clock.mono());
                }
                Slot::Unopened | Slot::Closed { .. } => return,
            };
            let v6 = family == Family::V6;
            let packet = echo_request(v6, wire.identifier, sequence, seal, wire.identifier);
            let at = self.ctx.clock.mono();
            match sendto(wire.fd.as_raw_fd(), &packet, &destination, MsgFlags::MSG_DONTWAIT) {
                Ok(_) => return self.roster.sent(order, at),
                Err(errno) if attempt >= ATTEMPTS => return refuse(self, unsent(&io::Error::from(errno))),
                // It may be what an earlier packet met: take it out, send again.
                Err(_) => self.drain(family),
            }
        }
    }

    fn open(&mut self, family: Family) -> Result<(), Unsent> {
        let now = self.ctx.clock.mono();
        match &self.wires[family.index()] {
            Slot::Open(_) | Slot::Plain(_) => return Ok(()),
            Slot::Closed { reason, since } if now.since(*since) < RETRY => return Err(reason.clone()),
            Slot::Closed { .. } | Slot::Unopened => {}
        }
        let identifier = self.key.random(family.index() as u32);
        let opened = icmp(family, identifier, &self.ctx.egress).and_then(|socket| {
            let IcmpSocket { fd, kind, identifier } = socket;
            // Whether receiving works as we do it; nothing can be there yet.
            self.batch.receive(fd.as_fd(), true)?;
            let fd = watch(fd, Interest::READABLE | Interest::ERROR)?;
            Ok(Wire { fd, kind, identifier, family })
        });
        let (slot, result) = match opened {
            Ok(wire) => (Slot::Open(wire), Ok(())),
            // This kernel has no such option or call: do with less.
            Err(error) if lacking(&error) => match Plain::open(family, &self.ctx.egress) {
                Ok(plain) => (Slot::Plain(plain), Ok(())),
                Err(error) => {
                    let reason = unopened(&error);
                    (Slot::Closed { reason: reason.clone(), since: now }, Err(reason))
                }
            },
            Err(error) => {
                let reason = unopened(&error);
                (Slot::Closed { reason: reason.clone(), since: now }, Err(reason))
            }
        };
        self.wires[family.index()] = slot;
        result
    }

    fn drain_all(&mut self) {
        self.drain(Family::V4);
        self.drain(Family::V6);
        // Polling them is what sends the new ones.
        while let Some(Some(ping)) = self.pings.next().now_or_never() {
            self.take_ping(ping);
        }
    }

    fn take_ping(&mut self, ping: Ping) {
        let Ping { order, result } = ping;
        let Order { serial, seq, probe, to, .. } = order;
        let (told, rtt) = match result {
            Ok(Some(told)) => told,
            Ok(None) => return,
            Err(error) => {
                self.roster.unsent(order);
                let flown = Flown { probe, seq, sent: self.ctx.clock.mono() };
                return self.put(flown, Outcome::Unsent { reason: unsent(&error) });
            }
        };
        let at = self.ctx.clock.mono();
        let Some(landing) = self.roster.landed(serial, seq, Some(to), at) else { return };
        for (flown, outcome) in outcomes(landing, rtt, told).into_iter().flatten() {
            self.put(flown, outcome);
        }
    }

    /// Reads both queues of a socket until they are empty.
    fn drain(&mut self, family: Family) {
        let mut batch = std::mem::take(&mut self.batch);
        // A pending error makes one ordinary receive fail; with many of them
        // the rest waits for the next turn.
        for _ in 0..64 {
            let Slot::Open(wire) = &self.wires[family.index()] else { break };
            let mut more = false;
            for errors in [true, false] {
                let got = batch.receive(wire.fd.get_ref().as_fd(), errors);
                more |= !matches!(got, Ok(0));
                if matches!(got, Ok(1..)) {
                    let both = Both::now(self.ctx.clock);
                    let (kind, identifier, v6) = (wire.kind, wire.identifier, wire.family == Family::V6);
                    for datagram in batch.datagrams() {
                        let landed = if errors {
                            take_error(&mut self.roster, &self.key, v6, identifier, both, datagram)
                        } else {
                            take_reply(&mut self.roster, &self.key, v6, kind, both, datagram)
                        };
                        for (flown, outcome) in landed.into_iter().flatten() {
                            put(&self.ctx, both.mono(), flown, outcome);
                        }
                    }
                }
            }
            if !more {
                break;
            }
        }
        self.batch = batch;
    }

    fn put(&self, flown: Flown, outcome: Outcome) {
        put(&self.ctx, self.ctx.clock.mono(), flown, outcome);
    }
}

fn put(ctx: &FeedContext, _at: Mono, flown: Flown, outcome: Outcome) {
    let Flown { probe, seq, sent } = flown;
    ctx.out.put(RecordKind::Sample(Sample { probe, seq, sent, outcome }));
}

impl Slot {
    /// Ready when something can be read or an error waits; never on a socket
    /// that is not open. Everything is read afterwards.
    async fn ready(&self) {
        let Self::Open(wire) = self else { return std::future::pending().await };
        match wire.fd.ready(Interest::READABLE | Interest::ERROR).await {
            Ok(mut guard) => guard.clear_ready(),
            // The runtime is shutting down.
            Err(_) => std::future::pending().await,
        }
    }
}

/// The 16 bits on the wire: probes of one destination begin at different ones.
fn wire_sequence(key: &Key, serial: u32, seq: u32) -> u16 {
    key.random(serial).wrapping_add(seq as u16)
}

type Landed = [Option<(Flown, Outcome)>; 2];

fn take_reply(roster: &mut Roster, key: &Key, v6: bool, kind: IcmpKind, both: Both, d: Datagram<'_>) -> Landed {
    read_reply(roster, key, v6, kind, both, d).unwrap_or_default()
}

fn read_reply(
    roster: &mut Roster,
    key: &Key,
    v6: bool,
    kind: IcmpKind,
    both: Both,
    datagram: Datagram<'_>,
) -> Option<Landed> {
    let beside = ancillary::parse(datagram.control);
    let (body, ttl) = if kind == IcmpKind::Raw && !v6 {
        let (body, ttl) = skip_ipv4(datagram.data)?;
        (body, Some(ttl))
    } else {
        (datagram.data, beside.ttl)
    };
    let reply = echo(v6, body).filter(|e| e.reply)?;
    let Mark { who, which } = key.open(reply.payload)?;
    let (from, _) = datagram.peer?;
    let at = both.of(beside.stamp);
    let landing = roster.landed(who, which, Some(from), at)?;
    let (Landing::InTime(flown) | Landing::LateUnsaid(flown) | Landing::Late(flown)) = landing;
    Some(outcomes(landing, at.since(flown.sent), Told::Reply(ttl)))
}

/// What is told of an answer. An error after the time-out says why it was lost
/// (a neighbour that does not resolve: some three seconds); it is no late reply.
fn outcomes(landing: Landing, rtt: Duration, told: Told) -> Landed {
    let late = Outcome::Late { rtt };
    match (landing, told) {
        (Landing::InTime(flown) | Landing::LateUnsaid(flown) | Landing::Late(flown), Told::Error(from, error)) => {
            [Some((flown, Outcome::Icmp { rtt, from, error })), None]
        }
        (Landing::InTime(flown), Told::Reply(ttl)) => {
            [Some((flown, Outcome::Answered { rtt, detail: Detail::Echo { ttl } })), None]
        }
        (Landing::LateUnsaid(flown), Told::Reply(_)) => [Some((flown, Outcome::Lost)), Some((flown, late))],
        (Landing::Late(flown), Told::Reply(_)) => [Some((flown, late)), None],
    }
}

/// Whether an error says that the kernel does not know what was asked of it.
fn lacking(error: &io::Error) -> bool {
    use nix::libc::{EINVAL, ENOPROTOOPT, ENOSYS, EOPNOTSUPP};
    matches!(error.raw_os_error(), Some(ENOPROTOOPT | EOPNOTSUPP | ENOSYS | EINVAL))
}

fn take_error(roster: &mut Roster, key: &Key, v6: bool, identifier: u16, both: Both, d: Datagram<'_>) -> Landed {
    read_error(roster, key, v6, identifier, both, d).unwrap_or_default()
}

fn read_error(
    roster: &mut Roster,
    key: &Key,
    v6: bool,
    identifier: u16,
    both: Both,
    datagram: Datagram<'_>,
) -> Option<Landed> {
    let beside = ancillary::parse(datagram.control);
    let error = beside.error.filter(|e| e.from_network && e.meaning != IcmpError::Redirect)?;
    let from: IpAddr = error.offender?;
    let quoted = echo(v6, datagram.data).filter(|e| !e.reply && e.identifier == identifier)?;
    let (to, _) = datagram.peer?;
    let (serial, seq) = match key.open(quoted.payload) {
        Some(Mark { who, which }) => (who, which),
        None => roster.find(to, |serial, seq| wire_sequence(key, serial, seq) == quoted.sequence)?,
    };
    let at = both.of(beside.stamp);
    let landing = roster.landed(serial, seq, Some(to), at)?;
    let (Landing::InTime(flown) | Landing::LateUnsaid(flown) | Landing::Late(flown)) = landing;
    Some(outcomes(landing, at.since(flown.sent), Told::Error(from, error.meaning)))
}
