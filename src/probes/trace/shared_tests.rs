//! Several courses over paths that are functions from TTL to router.

use std::collections::BTreeMap;

use super::*;
use crate::model::probe::TraceProto;
use crate::probes::trace::course::{Answer, Course, Settings, Step};

const SECOND: Duration = Duration::from_secs(1);

fn router(n: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, n])
}

fn lane(id: u32) -> Lane {
    let settings = Settings { max_ttl: 64, timeout: SECOND, thorough: false };
    Lane { id, proto: TraceProto::Icmp, port: 0, course: Course::new(settings) }
}

/// What the lanes were told: (lane, round, ttl, outcome).
type Told = Vec<(u32, u32, u8, HopOutcome)>;

/// Who answers a lane's probe at a TTL at a second; the target is router 200.
type Net<'a> = &'a dyn Fn(u32, u8, u64) -> Option<u8>;

/// Runs the lanes for some seconds, a tenth apart; returns the probes sent by
/// second and TTL, and what was told.
fn run(lanes: &mut [Lane], seconds: u64, net: Net<'_>) -> (BTreeMap<(u64, u8), u32>, Told) {
    let (mut shared, mut sent, mut told) = (Shared::default(), BTreeMap::new(), Told::new());
    let mut under_way: Vec<(Mono, usize, u32, u8, u8)> = Vec::new();
    for ms in 0..seconds * 1000 + 3_000 {
        let now = Mono(ms * 1_000_000);
        for i in 0..lanes.len() {
            if ms < seconds * 1000 && ms % 1000 == i as u64 * 100 % 1000 {
                shared.begin(&mut lanes[i], SECOND, now);
            }
            while let Some(at) = under_way.iter().position(|(at, who, ..)| *at <= now && *who == i) {
                let (at, _, round, ttl, from) = under_way.swap_remove(at);
                let means = if from == 200 { HopAnswer::Reached } else { HopAnswer::Expired };
                lanes[i].course.answered(round, ttl, Answer { from: router(from), at, means, reply_ttl: None });
            }
            while let Some(step) = lanes[i].course.poll(now) {
                match step {
                    Step::Send { round, ttl } => {
                        lanes[i].course.sent(round, ttl, now);
                        *sent.entry((ms / 1000, ttl)).or_default() += 1;
                        if let Some(from) = net(lanes[i].id, ttl, ms / 1000) {
                            under_way.push((now.after(Duration::from_millis(2)), i, round, ttl, from));
                        }
                    }
                    Step::Hop { round, ttl, sent, outcome } => {
                        told.push((lanes[i].id, round, ttl, outcome.clone()));
                        let (takers, says) = shared.told(Taker { lane: lanes[i].id, round }, ttl, sent, &outcome);
                        for taker in takers {
                            let other = lanes.iter_mut().find(|l| l.id == taker.lane).unwrap();
                            other.course.taken(taker.round, ttl, says.then(|| (sent, outcome.clone())));
                        }
                    }
                    Step::End { .. } => {}
                }
            }
        }
    }
    (sent, told)
}

/// Three routers for all, one of its own, and the target.
#[expect(clippy::unnecessary_wraps, reason = "other networks are silent somewhere")]
fn tree(lane: u32, ttl: u8, _: u64) -> Option<u8> {
    Some(match ttl {
        1..=3 => ttl,
        4 => 10 + lane as u8,
        _ => 200,
    })
}

#[test]
fn a_router_of_all_is_asked_once_a_turn_and_told_to_all() {
    let mut lanes: Vec<_> = (0..8).map(lane).collect();
    let (sent, told) = run(&mut lanes, 60, &tree);
    for ttl in 1..=3 {
        let asked: u32 = (10..60).map(|s| sent.get(&(s, ttl)).copied().unwrap_or(0)).sum();
        assert!(asked <= 75, "{asked} probes with TTL {ttl} in 50 turns");
        for lane in 0..8 {
            let of = |t: u8| told.iter().filter(|(l, _, ttl, _)| *l == lane && *ttl == t).count();
            assert!(of(ttl) >= 59, "lane {lane} was told {} of 60", of(ttl));
        }
    }
    let own: u32 = (10..60).map(|s| sent[&(s, 4)]).sum();
    assert_eq!(own, 400, "where paths part each asks for itself");
    assert!(told.iter().all(|(_, _, _, o)| matches!(o, HopOutcome::Answered { .. })));
    let mut once = std::collections::HashSet::new();
    assert!(told.iter().all(|(lane, round, ttl, _)| once.insert((*lane, *round, *ttl))));
}

#[test]
fn every_course_walks_by_itself_now_and_then() {
    let mut lanes: Vec<_> = (0..4).map(lane).collect();
    // After 20 s another router stands on the way of lane 2 alone.
    let net = |lane: u32, ttl: u8, s: u64| {
        if lane == 2 && ttl == 2 && s >= 20 { Some(99) } else { tree(lane, ttl, s) }
    };
    let (_, told) = run(&mut lanes, 60, &net);
    let is = |o: &HopOutcome, n: u8| matches!(o, HopOutcome::Answered { from, .. } if *from == router(n));
    let first = told.iter().filter(|(l, _, t, o)| *l == 2 && *t == 2 && is(o, 99)).map(|(_, r, ..)| *r).min();
    assert!(first.is_some_and(|r| (20..=46).contains(&r)), "{first:?}");
    assert!(told.iter().all(|(l, _, t, o)| *l == 2 || *t != 2 || is(o, 2)), "the others' way did not change");
    let later = told.iter().filter(|(l, r, t, o)| *l == 2 && *t == 2 && *r > 47 && is(o, 2)).count();
    assert_eq!(later, 0);
}

#[test]
fn a_path_that_breaks_before_its_own_part_is_not_told_whole() {
    let mut lanes: Vec<_> = (0..3).map(lane).collect();
    let net = |lane: u32, ttl: u8, s: u64| if lane == 1 && s >= 10 && ttl > 1 { None } else { tree(lane, ttl, s) };
    let (_, told) = run(&mut lanes, 30, &net);
    let wrong = told
        .iter()
        .filter(|(l, r, t, o)| *l == 1 && *r > 10 && (2..5).contains(t) && matches!(o, HopOutcome::Answered { .. }));
    assert_eq!(wrong.count(), 0);
    let hurt = told.iter().filter(|(l, _, _, o)| *l != 1 && *o == HopOutcome::Silent);
    assert_eq!(hurt.count(), 0, "its silence is its own");
}

#[test]
fn routes_share_the_routers_that_both_met() {
    let route = |hops: &[u8]| hops.iter().map(|n| (*n > 0).then(|| router(*n))).collect::<Vec<_>>();
    assert_eq!(common(&route(&[1, 2, 3]), &route(&[1, 2, 4])), (0b11, 0));
    assert_eq!(common(&route(&[1, 2, 3]), &route(&[1, 0, 3])), (0b101, 0b10), "not asked, not told");
    assert_eq!(common(&route(&[1, 2, 3]), &route(&[0, 2, 3])), (0b111, 0), "the gateway is everybody's");
    assert_eq!(common(&route(&[1, 0, 3]), &route(&[1, 2, 3])), (0b101, 0), "only this one knows it");
    assert_eq!(common(&route(&[1, 2, 3]), &route(&[1, 9, 3])), (0b101, 0), "parallel routers");
    assert_eq!(common(&route(&[1, 2, 3]), &route(&[1, 2, 0])), (0b11, 0));
    assert_eq!(common(&[], &route(&[1])), (0, 0));
}
