//! One GET over our own TCP or TLS stream, with the time of every phase.
//! Redirects are recorded and not followed; a bad certificate stops nothing.
//!
//! Must never send anything but that request.

use std::error::Error as _;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::header::{self, HeaderValue};
use hyper::{Request, Response, Uri, Version};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;

use super::tls::{self, Offer, Session, connect_tls};
use super::{AskContext, BoxFuture, Measured, Probe, failed, without_zone, wrong_kind};
use crate::model::probe::Ask;
use crate::model::sample::{Detail, Failure, HttpAnswer, Phases, Stage, Unsent};
use crate::model::{Outcome, ProbeKind, ProbeSpec, Untrusted};
use crate::probes::connect::{self, Connected, scoped};

/// Most body bytes read.
const MAX_BODY: u64 = 1024 * 1024;

/// Most header bytes taken; beyond it the server is broken.
const MAX_HEAD: usize = 64 * 1024;

/// A body is given up this long before the time-out, so that what was read of it
/// still counts.
const BODY_MARGIN: Duration = Duration::from_millis(10);

/// The probe.
pub(super) struct Http;

impl Probe for Http {
    fn kind(&self) -> ProbeKind {
        ProbeKind::Http
    }

    fn packets(&self) -> u32 {
        12
    }

    fn measure(&self, spec: &ProbeSpec, ask: &AskContext) -> BoxFuture<Measured> {
        let Ask::Http { to, name, tls, path } = &spec.ask else { return wrong_kind() };
        let order = Order {
            to: scoped(*to, spec.scope),
            name: without_zone(name).to_owned(),
            tls: *tls,
            path: request_target(path),
            timeout: spec.timeout,
        };
        let ask = ask.clone();
        Box::pin(async move {
            let (sent, inner) = (Instant::now(), ask.clone());
            // Boxed apart: its state is large, and most of it is hyper's.
            let exchange = Box::pin(async move { get(&order, &inner).await.unwrap_or_else(|outcome| outcome) });
            ask.within(sent, exchange).await
        })
    }
}

struct Order {
    to: SocketAddr,
    name: String,
    tls: bool,
    path: String,
    timeout: Duration,
}

/// What the phases below the request took.
struct Below {
    sent: Instant,
    connect: Duration,
    session: Option<Session>,
}

async fn get(order: &Order, ask: &AskContext) -> Result<Outcome, Outcome> {
    if order.tls {
        let (stream, session) = connect_tls(order.to, &order.name, ask, Offer::Http).await?;
        let h2 = session.h2;
        let below = Below { sent: session.sent, connect: session.tcp, session: Some(session) };
        if h2 { over_h2(stream, order, ask, below).await } else { over_h1(stream, order, ask, below).await }
    } else {
        let Connected { stream, sent, rtt } = connect::tcp(order.to, &ask.shared.egress).await?;
        over_h1(stream, order, ask, Below { sent, connect: rtt, session: None }).await
    }
}

async fn over_h1<T>(stream: T, order: &Order, ask: &AskContext, below: Below) -> Result<Outcome, Outcome>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    ask.progress.reached(Stage::Request);
    let sent = below.sent;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEAD)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|e| failed(sent, Stage::Request, failure(&e)))?;
    let mut request = request(order, &order.path).ok_or_else(no_request)?;
    request.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    let exchange = async move {
        let asked = Instant::now();
        let response = sender.send_request(request);
        ask.progress.reached(Stage::FirstByte);
        let response = response.await.map_err(|e| failed(sent, Stage::FirstByte, failure(&e)))?;
        read(response, asked, order, ask, below).await
    };
    beside(connection, exchange).await
}

async fn over_h2<T>(stream: T, order: &Order, ask: &AskContext, below: Below) -> Result<Outcome, Outcome>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    ask.progress.reached(Stage::Request);
    let sent = below.sent;
    let (mut sender, connection) = http2::Builder::new(Leash::default())
        .max_header_list_size(MAX_HEAD as u32)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|e| failed(sent, Stage::Request, failure(&e)))?;
    let target = format!("https://{}{}", authority(order), order.path);
    let request = request(order, &target).ok_or_else(no_request)?;
    let exchange = async move {
        let asked = Instant::now();
        let response = sender.send_request(request);
        ask.progress.reached(Stage::FirstByte);
        let response = response.await.map_err(|e| failed(sent, Stage::FirstByte, failure(&e)))?;
        read(response, asked, order, ask, below).await
    };
    beside(connection, exchange).await
}

/// Runs hyper's own tasks and ends them with the measurement, so that a peer that
/// never reads cannot keep one alive.
#[derive(Debug, Clone, Default)]
struct Leash(Arc<Mutex<JoinSet<()>>>);

impl<F> hyper::rt::Executor<F> for Leash
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, task: F) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.spawn(async move {
            task.await;
        });
    }
}

/// Drives the connection as long as the exchange needs it, and no longer.
async fn beside<T>(connection: impl Future<Output = hyper::Result<()>>, exchange: impl Future<Output = T>) -> T {
    tokio::pin!(connection, exchange);
    tokio::select! {
        biased;
        done = &mut exchange => return done,
        // Its error reaches the exchange through hyper's channel.
        _ = &mut connection => {}
    }
    exchange.await
}

/// The name as it stands in a URL, with the port where it is not the scheme's.
fn authority(order: &Order) -> String {
    let host = match order.name.parse::<IpAddr>() {
        Ok(IpAddr::V6(ip)) => format!("[{ip}]"),
        _ => order.name.clone(),
    };
    let usual = if order.tls { 443 } else { 80 };
    if order.to.port() == usual { host } else { format!("{host}:{}", order.to.port()) }
}

/// Path and query with what a request line cannot carry percent-encoded.
fn request_target(path: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(path.len() + 1);
    if !path.starts_with('/') {
        out.push('/');
    }
    for byte in path.bytes() {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The request; nothing where none can be made of the target.
fn request(order: &Order, target: &str) -> Option<Request<Empty<Bytes>>> {
    let uri: Uri = target.parse().ok()?;
    let mut builder = Request::get(uri)
        .header(header::USER_AGENT, concat!("frc/", env!("CARGO_PKG_VERSION")))
        .header(header::ACCEPT, "*/*");
    if target.starts_with('/') {
        builder = builder.header(header::HOST, authority(order));
    }
    builder.body(Empty::new()).ok()
}

fn no_request() -> Outcome {
    Outcome::Unsent { reason: Unsent::Local { why: Untrusted::new("no request can be made of this URL") } }
}

async fn read(
    response: Response<Incoming>,
    asked: Instant,
    order: &Order,
    ask: &AskContext,
    below: Below,
) -> Result<Outcome, Outcome> {
    let (ttfb, rtt) = (asked.elapsed(), below.sent.elapsed());
    ask.progress.reached(Stage::Body);
    let (head, mut body) = response.into_parts();
    let end = ask.deadline - BODY_MARGIN;
    let (mut bytes, mut last) = (0u64, Instant::now());
    while bytes < MAX_BODY {
        match tokio::time::timeout_at(end, body.frame()).await {
            Ok(None) => break,
            Ok(Some(Ok(frame))) => {
                bytes = (bytes + frame.data_ref().map_or(0, |d| d.len() as u64)).min(MAX_BODY);
                last = Instant::now();
            }
            Ok(Some(Err(e))) => return Err(failed(below.sent, Stage::Body, failure(&e))),
            // A stream without an end is an answer as long as it flows.
            Err(_) if bytes > 0 && last.elapsed() < order.timeout / 2 => break,
            Err(_) => return Err(failed(below.sent, Stage::Body, Failure::Silent)),
        }
    }
    let text = |name| head.headers.get(name).map(|v: &HeaderValue| Untrusted::from_bytes(v.as_bytes()));
    let phases = Phases {
        dns: None,
        connect: Some(below.connect),
        tls: below.session.as_ref().map(|s| s.handshake),
        ttfb: Some(ttfb),
        total: below.sent.elapsed(),
    };
    let tls = match below.session {
        Some(session) => Some(Box::new(session.answer().await)),
        None => None,
    };
    let answer = HttpAnswer {
        status: head.status.as_u16(),
        phases,
        version: version_name(head.version),
        location: text(header::LOCATION),
        date: head.headers.get(header::DATE).and_then(|v| v.to_str().ok()).and_then(unix_seconds),
        bytes,
        tls,
    };
    Ok(Outcome::Answered { rtt, detail: Detail::Http(answer) })
}

fn version_name(version: Version) -> String {
    match version {
        Version::HTTP_2 => "HTTP/2.0".to_owned(),
        Version::HTTP_10 => "HTTP/1.0".to_owned(),
        other => format!("{other:?}"),
    }
}

/// A Date header (RFC 9110, 5.6.7) in seconds since the Unix epoch.
fn unix_seconds(text: &str) -> Option<i64> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok().map(jiff::Timestamp::as_second)
}

/// What hyper's error says of the other side.
fn failure(error: &hyper::Error) -> Failure {
    let mut source = error.source();
    while let Some(e) = source {
        if let Some(io) = e.downcast_ref::<io::Error>() {
            return tls::failure(io);
        }
        source = e.source();
    }
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        return Failure::Closed;
    }
    let why = match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    Failure::Protocol { why: Untrusted::new(&why) }
}
