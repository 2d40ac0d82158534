use std::net::IpAddr;

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, Record, RecordType, rdata};
use proptest::prelude::*;

use super::super::Question;
use super::super::dns::{Reading, addresses, rcode};
use crate::model::probe::QueryType;

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

fn question() -> Question {
    Question::new("srv.lab.test", QueryType::A).unwrap()
}

/// An answer as a server would make it of the query's own bytes.
fn answer(query: &[u8], change: impl Fn(&mut Message)) -> Vec<u8> {
    let asked = Message::from_vec(query).unwrap();
    let mut message = Message::new(asked.metadata.id, MessageType::Response, OpCode::Query);
    message.add_queries(asked.queries);
    change(&mut message);
    message.to_vec().unwrap()
}

#[test]
fn a_query_asks_once_with_recursion_and_edns() {
    let message = Message::from_vec(question().wire()).unwrap();
    assert!(message.metadata.recursion_desired);
    assert_eq!(message.queries, [Query::query(name("srv.lab.test."), RecordType::A)]);
    assert_eq!(message.edns.unwrap().max_payload(), 1232);
    assert!(Question::new(&"a.".repeat(200), QueryType::A).is_none());
    assert!(Question::new(".", QueryType::Ns).is_some());
    let reverse = Message::from_vec(Question::reverse("192.0.2.7".parse().unwrap()).unwrap().wire()).unwrap();
    assert_eq!(reverse.queries[0].name.to_ascii(), "7.2.0.192.in-addr.arpa.");
}

#[test]
fn only_the_answer_to_the_question_is_taken() {
    let question = question();
    let good = answer(question.wire(), |_| {});
    assert!(matches!(question.read(&good), Reading::Answer(_)));
    let other_id = {
        let mut b = good.clone();
        b[0] ^= 1;
        b
    };
    assert!(matches!(question.read(&other_id), Reading::Foreign));
    let other_name = answer(question.wire(), |m| m.queries = vec![Query::query(name("evil."), RecordType::A)]);
    assert!(matches!(question.read(&other_name), Reading::Foreign));
    let no_question = answer(question.wire(), |m| m.queries.clear());
    assert!(matches!(question.read(&no_question), Reading::Foreign));
    // A server that could not read the query need not repeat it.
    let refused = answer(question.wire(), |m| {
        m.queries.clear();
        m.metadata.response_code = ResponseCode::Refused;
    });
    assert!(matches!(question.read(&refused), Reading::Answer(m) if rcode(&m) == 5));
    assert!(matches!(question.read(question.wire()), Reading::Foreign));
    assert!(matches!(question.read(&[]), Reading::Foreign));
    let cut = &good[..good.len() - 3];
    assert!(matches!(question.read(cut), Reading::Broken(_)));
}

#[test]
fn addresses_are_those_at_the_end_of_the_chain() {
    let alias = |from: &str, to: &str| Record::from_rdata(name(from), 60, RData::CNAME(rdata::CNAME(name(to))));
    let host = |of: &str, ip: [u8; 4]| Record::from_rdata(name(of), 60, RData::A(rdata::A(ip.into())));
    let ip = |s: &str| s.parse::<IpAddr>().unwrap();
    let records = [
        host("end.test.", [10, 0, 0, 2]),
        alias("www.test.", "mid.test."),
        alias("mid.test.", "end.test."),
        host("END.test.", [10, 0, 0, 1]),
        host("end.test.", [10, 0, 0, 2]),
        host("stranger.test.", [6, 6, 6, 6]),
    ];
    assert_eq!(addresses(&name("www.test."), &records), [ip("10.0.0.1"), ip("10.0.0.2")]);
    // A chain that bites its tail ends.
    let ring = [alias("a.", "b."), alias("b.", "a."), host("c.", [1, 1, 1, 1])];
    assert!(addresses(&name("a."), &ring).is_empty());
}

proptest! {
    #[test]
    fn any_bytes_are_survived(mut bytes in proptest::collection::vec(any::<u8>(), 0..300), ours: bool) {
        let question = question();
        if ours && bytes.len() >= 3 {
            bytes[..2].copy_from_slice(&question.wire()[..2]);
            bytes[2] |= 0x80;
        }
        let _ = question.read(&bytes);
    }

    #[test]
    fn a_damaged_answer_is_survived(at in 2usize..60, with: u8, keep in 0usize..80) {
        let question = question();
        let mut bytes = answer(question.wire(), |m| {
            m.add_answer(Record::from_rdata(name("srv.lab.test."), 60, RData::A(rdata::A([10, 0, 0, 1].into()))));
        });
        let at = at.min(bytes.len() - 1);
        bytes[at] = with;
        bytes.truncate(keep.max(12));
        if let Reading::Answer(m) = question.read(&bytes) {
            let _ = addresses(&name("srv.lab.test."), &m.answers);
        }
    }

    #[test]
    fn any_name_makes_a_query_or_none(text in "\\PC{0,300}") {
        let _ = Question::new(&text, QueryType::A);
    }
}
