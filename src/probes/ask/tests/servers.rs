use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;

use hickory_proto::op::{Message, MessageType, OpCode};
use hickory_proto::rr::{RData, Record, rdata};

use super::*;
use crate::model::probe::QueryType;
use crate::model::sample::{Detail, Failure, HttpAnswer, Stage, Trust, Unsent};
use crate::probes::wire::ntp::Timestamp;

const LOCAL: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

/// Serves one connection; the thread ends with it.
fn tcp_server(serve: impl FnOnce(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind(LOCAL).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        if let Ok((stream, _)) = listener.accept() {
            serve(stream);
        }
    });
    address
}

/// Answers datagrams with what `answer` makes of them.
fn udp_server(answer: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind(LOCAL).unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((len, from)) = socket.recv_from(&mut buffer) {
            for datagram in answer(&buffer[..len]) {
                let _ = socket.send_to(&datagram, from);
            }
        }
    });
    address
}

/// A port that nobody listens on.
fn closed_port() -> SocketAddr {
    TcpListener::bind(LOCAL).unwrap().local_addr().unwrap()
}

fn read_request(stream: &mut TcpStream) {
    let mut buffer = [0; 4096];
    let mut got = Vec::new();
    while !got.windows(4).any(|w| w == b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(n) if n > 0 => got.extend_from_slice(&buffer[..n]),
            _ => return,
        }
    }
}

/// Says `text` to the request, then waits for the other side to go.
fn says(text: &'static [u8]) -> SocketAddr {
    tcp_server(move |mut stream| {
        read_request(&mut stream);
        let _ = stream.write_all(text);
        let _ = stream.shutdown(Shutdown::Write);
        let _ = stream.read(&mut [0; 64]);
    })
}

fn reset(stream: TcpStream) {
    use nix::libc::linger;
    let hard = linger { l_onoff: 1, l_linger: 0 };
    nix::sys::socket::setsockopt(&stream, nix::sys::socket::sockopt::Linger, &hard).unwrap();
    drop(stream);
}

fn get(to: SocketAddr) -> Ask {
    Ask::Http { to, name: "srv.lab.test".into(), tls: false, path: "/".into() }
}

fn handshake(to: SocketAddr) -> Ask {
    Ask::Tls { to, name: "srv.lab.test".into() }
}

fn failure(outcome: Outcome) -> (Stage, Failure) {
    match outcome {
        Outcome::Failed { stage, failure, .. } => (stage, failure),
        other => panic!("{other:?}"),
    }
}

fn http(outcome: Outcome) -> HttpAnswer {
    match outcome {
        Outcome::Answered { detail: Detail::Http(answer), .. } => answer,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_listener_answers_and_a_closed_port_refuses() {
    for any in [SocketAddr::from(LOCAL), (Ipv6Addr::LOCALHOST, 0).into()] {
        let listener = TcpListener::bind(any).unwrap();
        let to = listener.local_addr().unwrap();
        assert!(matches!(outcome(Ask::Tcp { to }).await, Outcome::Answered { detail: Detail::Tcp, .. }));
        drop(listener);
        assert!(matches!(outcome(Ask::Tcp { to }).await, Outcome::Refused { .. }));
        assert!(matches!(outcome(Ask::Udp { to }).await, Outcome::Refused { .. }));
    }
}

#[tokio::test]
async fn a_source_that_is_not_ours_sends_nothing() {
    let egress = Egress { interface: None, source: Some("192.0.2.1".parse().unwrap()) };
    let shared = Arc::new(Shared {
        egress,
        budget: Budget::new(1000, Instant::now()),
        trust: Arc::new(Verifier::with_anchors(Vec::new())),
        names: SystemNames::at("/nonexistent".into(), "/nonexistent".into()),
    });
    let to = closed_port();
    for ask in [Ask::Tcp { to }, Ask::Udp { to }, handshake(to), get(to), Ask::Ntp { to }] {
        let measured = measure(ask, Duration::from_secs(5), shared.clone()).await;
        assert_eq!(measured.outcome, Outcome::Unsent { reason: Unsent::NoSource });
    }
}

#[tokio::test]
async fn who_accepts_and_is_silent_is_told_from_who_is_not_there() {
    let listener = TcpListener::bind(LOCAL).unwrap();
    let to = listener.local_addr().unwrap();
    let short = Duration::from_millis(100);
    let silent = measure(handshake(to), short, shared()).await.outcome;
    assert_eq!(failure(silent), (Stage::Handshake, Failure::Silent));
    let silent = measure(get(to), short, shared()).await.outcome;
    assert_eq!(failure(silent), (Stage::FirstByte, Failure::Silent));
}

#[tokio::test]
async fn broken_tls_servers_are_told_apart() {
    let resets = tcp_server(|mut stream| {
        let _ = stream.read(&mut [0; 16]);
        reset(stream);
    });
    assert_eq!(failure(outcome(handshake(resets)).await), (Stage::Handshake, Failure::Reset));
    let closes = tcp_server(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
    });
    assert_eq!(failure(outcome(handshake(closes)).await), (Stage::Handshake, Failure::Closed));
    let alerts = tcp_server(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(&[21, 3, 1, 0, 2, 2, 70]);
        let _ = stream.read(&mut [0; 16]);
    });
    assert_eq!(failure(outcome(handshake(alerts)).await), (Stage::Handshake, Failure::Alert { code: 70 }));
    let plain = tcp_server(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        let _ = stream.read(&mut [0; 16]);
    });
    let (stage, why) = failure(outcome(handshake(plain)).await);
    assert!(stage == Stage::Handshake && matches!(why, Failure::Protocol { .. }), "{why:?}");
}

#[tokio::test]
async fn broken_http_servers_are_told_apart() {
    let cases: [(&'static [u8], Stage); 4] = [
        (b"\x00\xff\x13garbage\r\n\r\n", Stage::FirstByte),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Stage::FirstByte),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhi", Stage::Body),
        (b"HTTP/1.1 200 OK\r\nContent-Length: nine\r\n\r\n", Stage::FirstByte),
    ];
    for (text, stage) in cases {
        let (at, why) = failure(outcome(get(says(text))).await);
        assert!(at == stage && matches!(why, Failure::Protocol { .. }), "{at:?} {why:?}");
    }
    assert_eq!(failure(outcome(get(says(b""))).await), (Stage::FirstByte, Failure::Closed));
    let cut = says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi");
    assert_eq!(failure(outcome(get(cut)).await), (Stage::Body, Failure::Closed));
    let bomb = tcp_server(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(&[b"X-Filler: ", &[b'x'; 4000][..], b"\r\n"].concat()).is_ok() {}
    });
    let (stage, why) = failure(outcome(get(bomb)).await);
    assert!(stage == Stage::FirstByte && matches!(why, Failure::Protocol { .. } | Failure::Reset), "{why:?}");
    let resets = tcp_server(|mut stream| {
        let _ = stream.read(&mut [0; 16]);
        reset(stream);
    });
    assert_eq!(failure(outcome(get(resets)).await), (Stage::FirstByte, Failure::Reset));
}

#[tokio::test]
async fn who_resets_at_once_has_accepted() {
    // However the race between accept and RST ends, this is no refusal.
    for _ in 0..50 {
        assert!(matches!(outcome(Ask::Tcp { to: tcp_server(reset) }).await, Outcome::Answered { .. }));
        assert_eq!(failure(outcome(handshake(tcp_server(reset))).await), (Stage::Handshake, Failure::Reset));
        assert_eq!(failure(outcome(get(tcp_server(reset))).await).1, Failure::Reset);
    }
}

#[tokio::test]
async fn answers_are_recorded_whatever_they_say() {
    // An escape sequence is no header value.
    let hostile = says(b"HTTP/1.1 302 Found\r\nLocation: https://\x1b[2J/\r\nContent-Length: 0\r\n\r\n");
    assert!(matches!(failure(outcome(get(hostile)).await), (Stage::FirstByte, Failure::Protocol { .. })));
    let moved = says(
        b"HTTP/1.1 302 Found\r\nLocation: https://elsewhere/\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
          Content-Length: 2\r\n\r\nhi",
    );
    let answer = http(outcome(get(moved)).await);
    assert_eq!((answer.status, answer.bytes, answer.date), (302, 2, Some(784_111_777)));
    assert_eq!(answer.location.unwrap().as_str(), "https://elsewhere/");
    assert!(answer.phases.connect.is_some() && answer.phases.ttfb.is_some() && answer.phases.tls.is_none());
    let informed = says(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(http(outcome(get(informed)).await).status, 503);
    let odd_date = says(b"HTTP/1.0 200 OK\r\nDate: yesterday\r\n\r\n");
    let answer = http(outcome(get(odd_date)).await);
    assert_eq!((answer.date, answer.version.as_str()), (None, "HTTP/1.0"));
}

#[tokio::test]
async fn an_endless_body_is_read_to_its_limit() {
    let endless = tcp_server(|mut stream| {
        read_request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'x'; 16_384]).is_ok() {}
    });
    assert_eq!(http(outcome(get(endless)).await).bytes, 1024 * 1024);
}

#[tokio::test]
async fn a_stalled_body_is_silent() {
    let stalls = tcp_server(|mut stream| {
        read_request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
        let _ = stream.read(&mut [0; 16]);
    });
    let stalled = measure(get(stalls), Duration::from_millis(200), shared()).await.outcome;
    assert_eq!(failure(stalled), (Stage::Body, Failure::Silent));
}

#[tokio::test]
async fn https_goes_on_with_a_bad_certificate() {
    let own = rcgen::generate_simple_self_signed(vec!["srv.lab.test".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let server = || {
        let config = config.clone();
        tcp_server(move |mut stream| {
            let mut session = rustls::ServerConnection::new(config).unwrap();
            let mut tls = rustls::Stream::new(&mut session, &mut stream);
            let mut got = Vec::new();
            let mut buffer = [0; 1024];
            while !got.ends_with(b"\r\n\r\n") {
                match tls.read(&mut buffer) {
                    Ok(n) if n > 0 => got.extend_from_slice(&buffer[..n]),
                    _ => return,
                }
            }
            assert!(got.starts_with(b"GET /a%20b HTTP/1.1\r\n"));
            let _ = tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
            let _ = tls.read(&mut buffer);
        })
    };
    let shared = Arc::new(Shared {
        egress: Egress::default(),
        budget: Budget::new(1000, Instant::now()),
        trust: Arc::new(Verifier::with_anchors(Vec::new())),
        names: SystemNames::at("/nonexistent".into(), "/nonexistent".into()),
    });
    let ask = Ask::Http { to: server(), name: "srv.lab.test".into(), tls: true, path: "/a b".into() };
    let answer = http(measure(ask, Duration::from_secs(20), shared.clone()).await.outcome);
    let tls = answer.tls.unwrap();
    assert_eq!((answer.status, tls.trust, tls.version.as_str()), (200, Trust::Untrusted, "TLSv1.3"));
    assert!(tls.cipher.starts_with("TLS_") && !tls.cipher.starts_with("TLS13"), "{}", tls.cipher);
    assert_eq!(tls.chain.len(), 1);
    let ask = Ask::Tls { to: server(), name: "127.0.0.1".into() };
    let measured = measure(ask, Duration::from_secs(20), shared).await;
    assert!(matches!(measured.outcome, Outcome::Answered { detail: Detail::Tls(_), .. }), "{:?}", measured.outcome);
}

/// Answers A with one address, everything else with none; cuts it short over UDP
/// where `truncate` says so.
fn dns_answer(query: &[u8], truncate: bool) -> Vec<u8> {
    let asked = Message::from_vec(query).unwrap();
    let mut message = Message::new(asked.metadata.id, MessageType::Response, OpCode::Query);
    let question = asked.queries[0].clone();
    message.add_query(question.clone());
    message.metadata.truncation = truncate;
    if !truncate && question.query_type == hickory_proto::rr::RecordType::A {
        message.add_answer(Record::from_rdata(question.name, 60, RData::A(rdata::A([10, 0, 0, 7].into()))));
    }
    message.to_vec().unwrap()
}

fn ask_dns(server: SocketAddr) -> Ask {
    Ask::Dns { server, name: "srv.lab.test".into(), qtype: QueryType::A }
}

#[tokio::test]
async fn dns_passes_over_what_answers_something_else() {
    let server = udp_server(|query| {
        let mut forged = dns_answer(query, false);
        forged[1] ^= 1;
        vec![b"x".to_vec(), forged, dns_answer(query, false)]
    });
    let Outcome::Answered { detail: Detail::Dns(answer), .. } = outcome(ask_dns(server)).await else { panic!() };
    assert_eq!(answer.addresses, ["10.0.0.7".parse::<std::net::IpAddr>().unwrap()]);
    assert_eq!((answer.rcode, answer.ttl, answer.over_tcp), (0, Some(60), false));
    assert!(matches!(outcome(ask_dns(closed_port())).await, Outcome::Refused { .. }));
}

#[tokio::test]
async fn a_truncated_answer_is_fetched_over_tcp() {
    let (listener, socket, address) = both_transports();
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        let (len, from) = socket.recv_from(&mut buffer).unwrap();
        socket.send_to(&dns_answer(&buffer[..len], true), from).unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        let mut length = [0; 2];
        stream.read_exact(&mut length).unwrap();
        let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut query).unwrap();
        let answer = dns_answer(&query, false);
        stream.write_all(&(answer.len() as u16).to_be_bytes()).unwrap();
        stream.write_all(&answer).unwrap();
    });
    let Outcome::Answered { detail: Detail::Dns(answer), .. } = outcome(ask_dns(address)).await else { panic!() };
    assert!(answer.over_tcp && answer.addresses.len() == 1);
}

/// The same port over TCP and UDP, as name servers have it.
fn both_transports() -> (TcpListener, UdpSocket, SocketAddr) {
    let pair = || {
        let listener = TcpListener::bind(LOCAL).ok()?;
        let address = listener.local_addr().ok()?;
        Some((listener, UdpSocket::bind(address).ok()?, address))
    };
    // A fresh TCP port may be somebody's UDP port.
    std::iter::repeat_with(pair).take(50).flatten().next().unwrap()
}

#[tokio::test]
async fn a_late_datagram_is_late_and_silence_is_lost() {
    let socket = UdpSocket::bind(LOCAL).unwrap();
    let to = socket.local_addr().unwrap();
    let measured = measure(Ask::Udp { to }, Duration::from_millis(50), shared()).await;
    assert_eq!(measured.outcome, Outcome::Lost);
    let (_, from) = socket.recv_from(&mut [0; 16]).unwrap();
    socket.send_to(b"late", from).unwrap();
    let rtt = measured.late.unwrap().await.unwrap();
    assert!(rtt >= Duration::from_millis(50), "{rtt:?}");
}

#[tokio::test]
async fn ntp_tells_the_servers_clock() {
    let server = udp_server(|request| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as i128;
        let ahead = Timestamp::from_unix_ns(now + 5_000_000_000).0.to_be_bytes();
        let mut answer = [0; 48];
        answer[0] = (4 << 3) | 4;
        answer[1] = 2;
        answer[24..32].copy_from_slice(&request[40..48]);
        answer[32..40].copy_from_slice(&ahead);
        answer[40..48].copy_from_slice(&ahead);
        vec![vec![0; 48], answer.to_vec()]
    });
    let Outcome::Answered { rtt, detail: Detail::Ntp(answer) } = outcome(Ask::Ntp { to: server }).await else {
        panic!()
    };
    let error = (answer.offset_ns - 5_000_000_000).unsigned_abs();
    assert!(u128::from(error) <= rtt.as_nanos() + 1_000_000, "{error} {rtt:?}");
    assert_eq!(answer.stratum, 2);
}

async fn resolve(name: &str, hosts: &str) -> Outcome {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("hosts"), hosts).unwrap();
    let shared = Arc::new(Shared {
        egress: Egress::default(),
        budget: Budget::new(1000, Instant::now()),
        trust: Arc::new(Verifier::with_anchors(Vec::new())),
        names: SystemNames::at(dir.path().join("hosts"), dir.path().join("resolv.conf")),
    });
    measure(Ask::Resolve { name: name.into() }, Duration::from_secs(5), shared).await.outcome
}

#[tokio::test]
async fn names_that_need_no_server_are_resolved_without_one() {
    let resolved = |outcome| match outcome {
        Outcome::Answered { detail: Detail::Resolve(r), .. } => {
            (r.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "), r.from_hosts)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(resolved(resolve("127.0.0.1", "").await), ("127.0.0.1".to_owned(), false));
    assert_eq!(resolved(resolve("db", "127.0.0.9 db\n").await), ("127.0.0.9".to_owned(), true));
    let (local, from_hosts) = resolved(resolve("a.localhost", "").await);
    assert!(local.contains("127.0.0.1") && !from_hosts);
    assert_eq!(resolve("elsewhere.test", "").await, Outcome::Unsent { reason: Unsent::Unresolved });
}
