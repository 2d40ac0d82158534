//! Name servers, and what they say of a name.

use super::tape::Tape;
use super::world::{Reply, http, ip, rcode};
use crate::model::Confidence::Strong;
use crate::model::Severity::{Critical, Warning};
use crate::model::sample::{DnsAnswer, IcmpError};
use crate::model::{Ask, Detail, QueryType, Status};

const NS1: &str = "10.77.53.53";
const NS2: &str = "10.77.54.54";
const NAME: &str = "srv4.lab.test";

#[test]
fn no_server_at_all() {
    let mut t = Tape::watching(&[NAME]);
    t.resolvers(&[], &[]);
    t.resolving(Reply::Unsent(crate::model::sample::Unsent::Unresolved));
    t.until(2.0);
    t.root("dns.no_nameserver@host", Critical, Strong);

    let mut t = Tape::watching(&[]);
    t.resolvers(&[], &[]);
    t.until(2.0);
    t.root("dns.no_nameserver@host", Warning, Strong);

    let mut t = Tape::watching(&["10.77.9.20"]);
    t.resolvers(&[], &[]);
    t.until(3.0);
    t.stayed_quiet();
}

#[test]
fn a_name_of_the_hosts_file_needs_no_server() {
    let mut t = Tape::watching(&[NAME]);
    t.world.hosts_file.push(NAME.to_owned());
    t.dies_after(NS1, "10.77.1.1");
    t.until(10.0);
    t.stayed_quiet();
    assert_eq!(t.status(), Status::Healthy);
}

#[test]
fn literals_need_no_server() {
    let mut t = Tape::watching(&["10.77.9.20", "https://10.77.9.20/"]);
    t.dies_after(NS1, "10.77.1.1");
    t.until(10.0);
    t.stayed_quiet();
}

#[test]
fn the_only_server_is_dead() {
    let mut t = Tape::watching(&[NAME]);
    t.host(NS1, Reply::Icmp(ip("10.77.1.1"), IcmpError::HostUnreachable, 3_050));
    t.world.stops(NS1, vec![super::world::Stop::Objects(ip("10.77.1.1"), IcmpError::HostUnreachable, 3_050)]);
    t.resolving(Reply::Silence);
    t.until(8.0);
    t.root("dns.server_unreachable@nameserver 10.77.53.53", Critical, Strong);
    t.never("host.unreachable");
    t.never("dns.timeout");
    t.never("port.rejected");
}

#[test]
fn a_server_that_answers_nothing_but_is_alive() {
    let mut t = Tape::watching(&[NAME]);
    t.dns(NS1, Reply::Silence);
    t.resolving(Reply::Silence);
    t.until(8.0);
    t.root("dns.timeout@nameserver 10.77.53.53", Critical, Strong);
    t.never("dns.server_unreachable");
}

#[test]
fn a_server_that_refuses_connections_is_unreachable() {
    let mut t = Tape::watching(&[NAME]);
    t.dns(NS1, Reply::Refused);
    t.resolving(Reply::Silence);
    t.until(3.0);
    t.root("dns.server_unreachable@nameserver 10.77.53.53", Critical, Strong);
    t.never("port.refused");
}

#[test]
fn a_dead_first_server_beside_a_live_second_is_a_warning() {
    let mut t = Tape::watching(&[NAME]);
    t.resolvers(&[NS1, NS2], &[]);
    t.dies_after(NS1, "10.77.1.1");
    t.until(10.0);
    t.root("dns.server_unreachable@nameserver 10.77.53.53", Warning, Strong);
    assert_eq!(t.status(), Status::Degraded);
    t.never_certain_but("none");
}

#[test]
fn a_lost_query_or_two_is_nothing() {
    let mut t = Tape::watching(&[NAME]);
    t.until(4.0);
    t.dns(NS1, Reply::Silence);
    t.until(4.9);
    t.dns(NS1, Reply::Well(1));
    t.until(9.0);
    t.stayed_quiet();
}

#[test]
fn a_server_that_knows_one_kind_of_record_only_is_alive() {
    let mut t = Tape::watching(&[NAME]);
    t.world.reply_where(|ask| matches!(ask, Ask::Dns { qtype: QueryType::A, .. }), Reply::Silence);
    t.until(10.0);
    t.never("dns.timeout");
    t.never("dns.server_unreachable");
    let mut t = Tape::watching(&[NAME]);
    t.world.reply_where(|ask| matches!(ask, Ask::Dns { qtype: QueryType::Aaaa, .. }), Reply::Silence);
    t.until(10.0);
    t.stayed_quiet();
}

#[test]
fn failures_are_told_as_the_server_tells_them() {
    for (code, id) in [(2, "dns.servfail@nameserver 10.77.53.53"), (5, "dns.refused@nameserver 10.77.53.53")] {
        let mut t = Tape::watching(&[NAME]);
        t.dns(NS1, rcode(code));
        t.resolving(Reply::Silence);
        t.until(5.0);
        t.root(id, Critical, Strong);
    }
    // Without a watched name any well-formed reply is a sign of life.
    let mut t = Tape::watching(&[]);
    t.dns(NS1, rcode(5));
    t.until(5.0);
    t.stayed_quiet();
}

#[test]
fn a_name_that_does_not_exist() {
    let mut t = Tape::watching(&["https://no.lab.test/"]);
    t.resolvers(&[NS1, NS2], &[]);
    t.until(3.0);
    t.root("dns.nxdomain@no.lab.test", Critical, Strong);
    assert_eq!(t.ids().len(), 1);
    let seen = &t.finding("dns.nxdomain").evidence[0].observed;
    assert_eq!(seen.args[0].1, crate::model::Arg::Number(2.0), "two servers, not four questions");
}

#[test]
fn a_name_that_one_server_knows_is_not_missing() {
    let mut t = Tape::watching(&[NAME]);
    t.resolvers(&[NS1, NS2], &[]);
    t.dns(NS1, rcode(3));
    t.resolving(Reply::Silence);
    t.until(5.0);
    t.never("dns.nxdomain");
}

#[test]
fn a_wrong_no_for_ipv6_does_not_take_the_name_away() {
    let mut t = Tape::watching(&[NAME]);
    t.world.reply_where(|ask| matches!(ask, Ask::Dns { qtype: QueryType::Aaaa, .. }), rcode(3));
    t.until(5.0);
    t.never("dns.nxdomain");
}

#[test]
fn a_name_found_further_down_the_search_list_exists() {
    let mut t = Tape::watching(&["srv4"]);
    t.resolvers(&[NS1], &["one.test", "lab.test"]);
    t.world.names.insert("srv4".to_owned(), vec![ip("10.77.9.20")]);
    // The programs' own way asks for one candidate after another.
    t.world.reply_where(|ask| matches!(ask, Ask::Resolve { .. }), Reply::Well(900));
    t.until(5.0);
    t.never("dns.nxdomain");
    assert_eq!(t.status(), Status::Healthy);
}

#[test]
fn another_watched_name_does_not_speak_for_this_one() {
    let mut t = Tape::watching(&["srv4.lab.test", "srv4.lab.test.example"]);
    t.world.names.insert("srv4.lab.test.example".to_owned(), vec![ip("10.77.9.20")]);
    t.world.names.remove(NAME);
    t.until(3.0);
    t.root("dns.nxdomain@srv4.lab.test", Critical, Strong);
}

#[test]
fn a_name_without_any_address() {
    let mut t = Tape::watching(&["empty.lab.test"]);
    t.world.names.insert("empty.lab.test".to_owned(), Vec::new());
    t.until(3.0);
    t.root("dns.no_data@empty.lab.test", Critical, Strong);

    // One family is enough.
    let mut t = Tape::watching(&[NAME]);
    t.until(3.0);
    t.stayed_quiet();
}

#[test]
fn a_slow_server_is_a_warning_and_one_slow_answer_is_not() {
    let mut t = Tape::watching(&[NAME]);
    t.dns(NS1, Reply::Well(700));
    t.until(8.0);
    t.root("dns.slow@nameserver 10.77.53.53", Warning, Strong);

    let mut t = Tape::watching(&[NAME]);
    t.until(3.0);
    t.dns(NS1, Reply::Well(900));
    t.until(3.5);
    t.dns(NS1, Reply::Well(2));
    t.until(8.0);
    t.stayed_quiet();
}

#[test]
fn a_watched_question_is_judged_by_its_answer() {
    let target = "dns://10.77.9.20/srv4.lab.test";
    let mut t = Tape::watching(&[target]);
    t.until(5.0);
    t.stayed_quiet();
    assert_eq!(t.status(), Status::Healthy);
    for (reply, id) in [
        (rcode(2), "dns.servfail@nameserver 10.77.9.20"),
        (rcode(5), "dns.refused@nameserver 10.77.9.20"),
        (rcode(3), "dns.nxdomain@srv4.lab.test"),
        (Reply::Silence, "dns.timeout@nameserver 10.77.9.20"),
        (Reply::Refused, "dns.server_unreachable@nameserver 10.77.9.20"),
    ] {
        let mut t = Tape::watching(&[target]);
        t.dns("10.77.9.20", reply);
        t.until(8.0);
        t.root(id, Critical, Strong);
        assert_eq!(t.ids().len(), 1);
    }
}

#[test]
fn a_dead_network_explains_its_dead_name_server() {
    let mut t = Tape::watching(&["10.77.9.20", "10.77.8.20", NAME]);
    t.until(2.0);
    for to in ["10.77.9.20", "10.77.8.20", NS1] {
        t.dies_after(to, "10.77.1.1");
    }
    t.resolving(Reply::Silence);
    t.until(12.0);
    let roots: Vec<_> = t.verdict().findings.iter().filter(|f| f.caused_by.is_none()).map(|f| &f.id.0).collect();
    assert_eq!(roots.len(), 1, "{:?}", t.ids());
    t.never_certain_but("path.blackhole");
}

#[test]
fn a_dead_name_server_and_a_sick_service_are_two_roots() {
    let mut t = Tape::watching(&["http://srv4.lab.test/"]);
    t.until(2.0);
    t.dns(NS1, Reply::Silence);
    t.resolving(Reply::Silence);
    t.http("10.77.9.20:80", Reply::Says(http(500)));
    t.until(9.0);
    let roots = t.verdict().findings.iter().filter(|f| f.caused_by.is_none()).count();
    assert!(roots >= 1, "{:?}", t.ids());
    assert!(t.find("dns.timeout").is_some() && t.find("http.5xx").is_some());
    assert_eq!(t.finding("http.5xx").caused_by, None, "an answer came: the name server did not cause it");
}

#[test]
fn an_answer_without_addresses_from_one_server_is_not_the_last_word() {
    let mut t = Tape::watching(&[NAME]);
    t.resolvers(&[NS1, NS2], &[]);
    t.dns(NS2, Reply::Says(Detail::Dns(DnsAnswer::default())));
    t.until(5.0);
    t.never("dns.no_data");
}
