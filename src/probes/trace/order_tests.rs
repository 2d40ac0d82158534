//! Whose turn it is, without a network.

use super::*;
use crate::model::hop::HopAnswer;
use crate::model::{ProbeId, TargetId};
use crate::probes::trace::course::Answer;

const ALL: [TraceProto; 3] = [TraceProto::Icmp, TraceProto::Udp, TraceProto::Tcp];

fn spec(protos: &[TraceProto], count: Option<u32>) -> ProbeSpec {
    ProbeSpec {
        id: ProbeId(1),
        targets: vec![TargetId(1)],
        ask: Ask::Trace { to: IpAddr::from([10, 0, 0, 9]), protos: protos.to_vec(), port: None, max_ttl: 8 },
        scope: 0,
        interval: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
        count,
    }
}

fn trace(protos: &[TraceProto], count: Option<u32>, icmp: bool) -> Option<Trace> {
    let mut id = 0;
    let next = || {
        id += 1;
        id
    };
    Trace::new(&spec(protos, count), |p| icmp || p != TraceProto::Icmp, next, Mono(0))
}

/// Runs for that many seconds; `reaches` says which protocol gets its target
/// with the second TTL. Returns the moments (ms) and protocols of rounds begun.
fn begun(trace: &mut Trace, seconds: u64, reaches: impl Fn(TraceProto) -> bool) -> Vec<(u64, TraceProto)> {
    let mut begun = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut shared = Shared::default();
    for t in 0..seconds * 1000 {
        let now = Mono(t * 1_000_000);
        while let Some((i, step)) = trace.poll(now, &mut shared) {
            let lane = &mut trace.lanes[i];
            match step {
                Step::Send { round, ttl } => {
                    if seen.insert((i, round)) {
                        begun.push((t, lane.proto));
                    }
                    lane.course.sent(round, ttl, now);
                    if ttl == 1 {
                        let from = IpAddr::from([10, 0, 0, 1]);
                        let answer = Answer { from, at: now, means: HopAnswer::Expired, reply_ttl: None };
                        lane.course.answered(round, ttl, answer);
                    }
                    if ttl == 2 && reaches(lane.proto) {
                        let from = IpAddr::from([10, 0, 0, 9]);
                        let answer = Answer { from, at: now, means: HopAnswer::Reached, reply_ttl: None };
                        lane.course.answered(round, ttl, answer);
                    }
                }
                Step::End { reached, .. } if i == 0 => trace.leader_ended(reached.is_some()),
                Step::End { .. } | Step::Hop { .. } => {}
            }
        }
    }
    begun
}

#[test]
fn a_leader_that_reaches_runs_alone() {
    let mut t = trace(&ALL, None, true).unwrap();
    let begun = begun(&mut t, 10, |_| true);
    assert_eq!(begun.len(), 10);
    assert!(begun.iter().all(|(_, p)| *p == TraceProto::Icmp));
}

#[test]
fn one_of_the_others_that_reaches_stands_in() {
    let mut t = trace(&ALL, None, true).unwrap();
    let begun = begun(&mut t, 20, |p| p == TraceProto::Tcp);
    let tcp: Vec<_> = begun.iter().filter(|(_, p)| *p == TraceProto::Tcp).map(|(t, _)| *t).collect();
    assert!(tcp[0] < 500, "{tcp:?}");
    assert!((14..=18).contains(&tcp.len()), "{tcp:?}");
    let led = begun.iter().filter(|(_, p)| *p == TraceProto::Icmp).count();
    assert!((4..=6).contains(&led), "{led}");
    let udp = begun.iter().filter(|(_, p)| *p == TraceProto::Udp).count();
    assert!(udp <= 2, "{udp}");
}

#[test]
fn in_the_dark_turns_are_rare() {
    let mut t = trace(&ALL, None, true).unwrap();
    let begun = begun(&mut t, 20, |_| false);
    assert!(begun.iter().filter(|(t, _)| *t < 1_900).count() <= 4, "{begun:?}");
    let others: Vec<_> = begun.iter().filter(|(_, p)| *p == TraceProto::Tcp).map(|(t, _)| *t).collect();
    assert!(others[0] < 500 && (3..=5).contains(&others.len()), "{others:?}");
    let led = begun.iter().filter(|(_, p)| *p == TraceProto::Icmp).count();
    assert!((6..=9).contains(&led), "{led}");
}

#[test]
fn what_is_not_permitted_does_not_lead() {
    let t = trace(&ALL, None, false).unwrap();
    assert_eq!(t.lanes[0].proto, TraceProto::Udp);
    assert!(trace(&[TraceProto::Icmp], None, false).is_none());
}

#[test]
fn a_count_is_the_leaders_rounds() {
    let mut t = trace(&ALL, Some(2), true).unwrap();
    let begun = begun(&mut t, 10, |_| false);
    assert_eq!(begun.iter().filter(|(_, p)| *p == TraceProto::Icmp).count(), 2);
    assert_eq!(begun.iter().filter(|(_, p)| *p == TraceProto::Tcp).count(), 1);
    assert_eq!(t.next_wake(), None);
}

#[test]
fn who_asks_does_not_change_what_is_traced() {
    let t = trace(&ALL, None, true).unwrap();
    let other = ProbeSpec { targets: vec![TargetId(8), TargetId(9)], ..spec(&ALL, None) };
    assert!(t.does(&other));
    assert!(t.does(&ProbeSpec { interval: Duration::from_secs(2), ..spec(&ALL, None) }), "nor does the rhythm");
    assert!(!t.does(&ProbeSpec { timeout: Duration::from_secs(2), ..spec(&ALL, None) }));
}
