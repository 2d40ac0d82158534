use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::thread;

use hickory_proto::op::{Message, MessageType, OpCode, ResponseCode};

use super::super::dns::rcode;
use super::super::resolve::{candidates, prefer};
use super::super::{Question, Resolving, ask_servers};
use super::*;
use crate::model::probe::QueryType;

/// A server that answers everything with that code.
fn server(code: ResponseCode) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((len, from)) = socket.recv_from(&mut buffer) {
            let asked = Message::from_vec(&buffer[..len]).unwrap();
            let mut message = Message::new(asked.metadata.id, MessageType::Response, OpCode::Query);
            message.add_queries(asked.queries);
            message.metadata.response_code = code;
            let _ = socket.send_to(&message.to_vec().unwrap(), from);
        }
    });
    address
}

async fn ask(servers: &[SocketAddr]) -> Result<u16, Outcome> {
    let budget = Budget::new(1_000_000, Instant::now());
    let question = || Question::new("srv.lab.test", QueryType::A);
    ask_servers(servers, question, &Egress::default(), &budget).await.map(|m| rcode(&m))
}

#[tokio::test]
async fn the_first_server_that_settles_it_is_believed() {
    let (good, refusing, failing) =
        (server(ResponseCode::NoError), server(ResponseCode::Refused), server(ResponseCode::ServFail));
    let nobody = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(ask(&[good, failing]).await, Ok(0));
    assert_eq!(ask(&[failing, refusing, good]).await, Ok(0));
    assert_eq!(ask(&[nobody, good]).await, Ok(0));
    assert_eq!(ask(&[server(ResponseCode::NXDomain), good]).await, Ok(3));
    // Somebody tried: that says more than a refusal.
    assert_eq!(ask(&[refusing, failing]).await, Ok(2));
    assert_eq!(ask(&[refusing, refusing]).await, Ok(5));
    assert!(matches!(ask(&[nobody, nobody]).await, Err(Outcome::Refused { .. })));
}

#[tokio::test]
async fn a_silent_first_server_is_not_waited_out() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let servers = [silent.local_addr().unwrap(), server(ResponseCode::NoError)];
    assert_eq!(tokio::time::timeout(Duration::from_secs(20), ask(&servers)).await, Ok(Ok(0)));
    // The silent one was asked first.
    assert!(silent.recv(&mut [0; 512]).is_ok());
}

#[test]
fn the_search_list_is_used_as_glibc_does() {
    let conf = |ndots| Resolving { servers: Vec::new(), search: vec!["a.test".into(), "b.test".into()], ndots };
    assert_eq!(candidates("db", &conf(1)), ["db.a.test", "db.b.test", "db"]);
    assert_eq!(candidates("db.x", &conf(1)), ["db.x", "db.x.a.test", "db.x.b.test"]);
    assert_eq!(candidates("db.x", &conf(5)), ["db.x.a.test", "db.x.b.test", "db.x"]);
    assert_eq!(candidates("db.", &conf(5)), ["db"]);
}

#[test]
fn addresses_are_preferred_as_glibc_does() {
    let ip = |s: &str| s.parse::<IpAddr>().unwrap();
    let global = |to: IpAddr| Some(if to.is_ipv4() { ip("192.0.2.9") } else { ip("2001:db8::9") });
    let both = vec![ip("192.0.2.1"), ip("2001:db8::1"), ip("192.0.2.1")];
    assert_eq!(prefer(both.clone(), global), [ip("2001:db8::1"), ip("192.0.2.1")]);
    // Without IPv6 on this host its addresses come last.
    let v4_only = |to: IpAddr| to.is_ipv4().then(|| ip("192.0.2.9"));
    assert_eq!(prefer(both, v4_only), [ip("192.0.2.1"), ip("2001:db8::1")]);
    // A unique local destination from a global source has another label.
    let mixed = vec![ip("fd00::1"), ip("192.0.2.1")];
    assert_eq!(prefer(mixed, global), [ip("192.0.2.1"), ip("fd00::1")]);
    // The server's order stands among equals.
    let equals = vec![ip("192.0.2.7"), ip("192.0.2.3")];
    assert_eq!(prefer(equals.clone(), global), equals);
}
