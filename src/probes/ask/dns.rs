//! One DNS question to one server over our own sockets, so that ICMP errors and
//! times are seen as they are. No retry, no cache; TCP where the answer is
//! truncated (RFC 7766).
//!
//! Owns the check that an answer belongs to its question. Must never choose a
//! server.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::datagram::{Datagram, Event};
use super::{AskContext, BoxFuture, LATE_TIMEOUTS, Measured, Probe, failed, wrong_kind};
use crate::model::probe::{Ask, QueryType};
use crate::model::sample::{Detail, DnsAnswer, Failure, Stage, Unsent};
use crate::model::{Outcome, ProbeKind, ProbeSpec, Untrusted};
use crate::probes::connect::{self, scoped};
use crate::probes::feed::Egress;

/// Largest UDP answer asked for; what fits any path (DNS flag day 2020).
const EDNS_PAYLOAD: u16 = 1232;

/// Longest CNAME chain followed.
const MAX_CHAIN: usize = 16;

/// Most answer records kept as text.
const MAX_ANSWERS: usize = 64;

/// The probe.
pub(super) struct Dns;

impl Probe for Dns {
    fn kind(&self) -> ProbeKind {
        ProbeKind::Dns
    }

    fn packets(&self) -> u32 {
        1
    }

    fn measure(&self, spec: &ProbeSpec, ask: &AskContext) -> BoxFuture<Measured> {
        let Ask::Dns { server, name, qtype } = &spec.ask else { return wrong_kind() };
        let server = scoped(*server, spec.scope);
        let question = Question::new(name, *qtype);
        let (ask, timeout) = (ask.clone(), spec.timeout);
        Box::pin(async move {
            let Some(question) = question else {
                let why = Untrusted::new("not a domain name");
                return Measured::unsent(Unsent::Local { why });
            };
            measure(server, question, timeout, ask).await
        })
    }
}

/// A question with its random id, ready for the wire.
#[derive(Debug)]
pub(crate) struct Question {
    id: u16,
    query: Query,
    wire: Vec<u8>,
}

impl Question {
    /// Asks for `name`, taken as absolute; nothing where it is no domain name.
    pub(crate) fn new(name: &str, qtype: QueryType) -> Option<Self> {
        let mut name = Name::from_ascii(name).ok()?;
        name.set_fqdn(true);
        Self::of(name, RecordType::from(qtype.number()))
    }

    /// Asks for the name of an address.
    pub(crate) fn reverse(address: IpAddr) -> Option<Self> {
        let mut name = Name::from(address);
        name.set_fqdn(true);
        Self::of(name, RecordType::PTR)
    }

    fn of(name: Name, qtype: RecordType) -> Option<Self> {
        let query = Query::query(name, qtype);
        // The id is random, and the kernel takes a fresh port at random.
        let mut message = Message::query();
        message.metadata.recursion_desired = true;
        message.add_query(query.clone());
        let mut edns = Edns::new();
        edns.set_max_payload(EDNS_PAYLOAD).set_version(0);
        message.set_edns(edns);
        let wire = message.to_vec().ok()?;
        Some(Self { id: message.metadata.id, query, wire })
    }

    /// The bytes of the query.
    pub(crate) fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// What the bytes are to this question.
    pub(super) fn read(&self, bytes: &[u8]) -> Reading {
        // Id and QR bit first: what is not for us is passed over, broken or not.
        let ours = bytes.len() >= 12 && bytes[..2] == self.id.to_be_bytes() && bytes[2] & 0x80 != 0;
        if !ours {
            return Reading::Foreign;
        }
        let message = match Message::from_vec(bytes) {
            Ok(message) => message,
            Err(e) => return Reading::Broken(Untrusted::new(&e.to_string())),
        };
        let meta = &message.metadata;
        if meta.message_type != MessageType::Response || meta.op_code != OpCode::Query {
            return Reading::Foreign;
        }
        let echoed = match message.queries.as_slice() {
            [q] => {
                q.query_type == self.query.query_type
                    && q.query_class == self.query.query_class
                    && q.name.eq_ignore_root(&self.query.name)
            }
            // Servers that refuse to read a query need not repeat it.
            [] => meta.response_code != ResponseCode::NoError,
            _ => false,
        };
        if echoed { Reading::Answer(Box::new(message)) } else { Reading::Foreign }
    }
}

pub(super) enum Reading {
    Answer(Box<Message>),
    /// Ours by its id, but not DNS.
    Broken(Untrusted),
    /// Not an answer to this question.
    Foreign,
}

/// An answer to a question.
#[derive(Debug)]
pub(super) struct Answer {
    /// The message.
    pub message: Message,
    /// Whether it came over TCP after a truncated one.
    pub over_tcp: bool,
    /// When it came.
    at: Instant,
}

/// Why a server gave no answer.
pub(super) enum NoAnswer {
    /// The outcome that says so.
    Outcome(Outcome),
    /// Silence at the deadline; the socket still listens.
    Silence(Listening),
}

/// A question that is still open.
pub(super) struct Listening {
    socket: Datagram,
    question: Question,
}

/// Asks `server` and waits until `deadline`.
pub(super) async fn exchange(
    server: SocketAddr,
    question: Question,
    egress: &Egress,
    deadline: tokio::time::Instant,
) -> (Instant, Result<Answer, NoAnswer>) {
    let unsent = |reason| (Instant::now(), Err(NoAnswer::Outcome(Outcome::Unsent { reason })));
    let socket = match Datagram::open(server, egress) {
        Ok(socket) => socket,
        Err(reason) => return unsent(reason),
    };
    let sent = match socket.send(question.wire()) {
        Ok((sent, _)) => sent,
        Err(reason) => return unsent(reason),
    };
    let answer = match tokio::time::timeout_at(deadline, udp_answer(&socket, &question, sent)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(outcome)) => return (sent, Err(NoAnswer::Outcome(outcome))),
        Err(_) => return (sent, Err(NoAnswer::Silence(Listening { socket, question }))),
    };
    if !answer.message.metadata.truncation {
        return (sent, Ok(answer));
    }
    let whole = tokio::time::timeout_at(deadline, tcp_answer(server, &question, egress)).await;
    let result = match whole {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(failure)) => Err(NoAnswer::Outcome(failed(sent, Stage::Body, failure))),
        Err(_) => Err(NoAnswer::Outcome(failed(sent, Stage::Body, Failure::Silent))),
    };
    (sent, result)
}

async fn udp_answer(socket: &Datagram, question: &Question, sent: Instant) -> Result<Answer, Outcome> {
    let mut buffer = vec![0; 4096];
    loop {
        match socket.event(&mut buffer).await {
            Event::Data { len, at } => match question.read(&buffer[..len.min(4096)]) {
                Reading::Answer(message) => return Ok(Answer { message: *message, over_tcp: false, at: at.mono }),
                Reading::Broken(why) => return Err(failed(sent, Stage::Body, Failure::Protocol { why })),
                Reading::Foreign => {}
            },
            other => return Err(socket.outcome_of(&other, sent)),
        }
    }
}

/// The UDP side has answered, so whatever goes wrong here is above the transport.
async fn tcp_answer(server: SocketAddr, question: &Question, egress: &Egress) -> Result<Answer, Failure> {
    let protocol = |why: &str| Failure::Protocol { why: Untrusted::new(why) };
    let mut stream = match connect::tcp(server, egress).await {
        Ok(connected) => connected.stream,
        Err(Outcome::Refused { .. } | Outcome::Failed { .. }) => return Err(Failure::Reset),
        Err(Outcome::Lost) => return Err(Failure::Silent),
        Err(_) => return Err(protocol("no TCP connection for a truncated answer")),
    };
    let length = u16::try_from(question.wire.len()).unwrap_or(u16::MAX).to_be_bytes();
    let framed = [&length[..], question.wire()].concat();
    stream.write_all(&framed).await.map_err(|_| Failure::Reset)?;
    let closed = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::UnexpectedEof => Failure::Closed,
        _ => Failure::Reset,
    };
    let length = stream.read_u16().await.map_err(closed)?;
    let mut bytes = vec![0; usize::from(length)];
    stream.read_exact(&mut bytes).await.map_err(closed)?;
    match question.read(&bytes) {
        Reading::Answer(message) => Ok(Answer { message: *message, over_tcp: true, at: Instant::now() }),
        Reading::Broken(why) => Err(Failure::Protocol { why }),
        Reading::Foreign => Err(protocol("answers another question")),
    }
}

async fn measure(server: SocketAddr, question: Question, timeout: Duration, ask: AskContext) -> Measured {
    let asked = question.query.name.clone();
    let (sent, result) = exchange(server, question, &ask.shared.egress, ask.deadline).await;
    match result {
        Ok(answer) => {
            let rtt = answer.at.saturating_duration_since(sent);
            let detail = Detail::Dns(describe(&asked, &answer));
            Measured::new(sent, Outcome::Answered { rtt, detail })
        }
        Err(NoAnswer::Outcome(outcome)) => Measured::new(sent, outcome),
        Err(NoAnswer::Silence(Listening { socket, question })) => {
            let end = ask.deadline + timeout * (LATE_TIMEOUTS - 1);
            let late = Box::pin(async move {
                let answer = tokio::time::timeout_at(end, udp_answer(&socket, &question, sent)).await.ok()?.ok()?;
                Some(answer.at.saturating_duration_since(sent))
            });
            Measured { sent, outcome: Outcome::Lost, late: Some(late) }
        }
    }
}

fn describe(asked: &Name, answer: &Answer) -> DnsAnswer {
    let message = &answer.message;
    DnsAnswer {
        rcode: rcode(message),
        addresses: addresses(asked, &message.answers),
        answers: message.answers.iter().take(MAX_ANSWERS).map(|r| Untrusted::new(&r.to_string())).collect(),
        ttl: message.answers.iter().map(|r| r.ttl).min(),
        authoritative: message.metadata.authoritative,
        over_tcp: answer.over_tcp,
    }
}

/// RCODE with its extension; the message's reader has merged the two.
pub(super) fn rcode(message: &Message) -> u16 {
    u16::from(message.metadata.response_code)
}

/// A and AAAA records at the end of the CNAME chain that begins at `asked`,
/// sorted, each once.
pub(super) fn addresses(asked: &Name, answers: &[Record]) -> Vec<IpAddr> {
    let mut name = asked;
    for _ in 0..MAX_CHAIN {
        let next = answers.iter().find_map(|r| match &r.data {
            RData::CNAME(to) if r.name.eq_ignore_root(name) => Some(&to.0),
            _ => None,
        });
        let Some(next) = next else { break };
        name = next;
    }
    let mut found: Vec<IpAddr> = answers
        .iter()
        .filter(|r| r.name.eq_ignore_root(name))
        .filter_map(|r| match &r.data {
            RData::A(a) => Some(IpAddr::V4(a.0)),
            RData::AAAA(a) => Some(IpAddr::V6(a.0)),
            _ => None,
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}
