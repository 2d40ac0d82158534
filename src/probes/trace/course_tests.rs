//! A course is driven through networks that are a function from TTL to answer.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::sample::IcmpError;

const TIMEOUT: Duration = Duration::from_secs(1);

fn router(ttl: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, ttl])
}

fn course() -> Course {
    Course::new(Settings { max_ttl: 64, timeout: TIMEOUT, thorough: false })
}

fn ms(n: u64) -> Mono {
    Mono(n * 1_000_000)
}

/// What a network makes of a probe: who answers what, after how long.
type Net<'a> = &'a dyn Fn(u32, u8) -> Option<(IpAddr, HopAnswer, Duration)>;

/// A path of `hops` routers and then the target; `silent` ones say nothing.
fn path(hops: u8, silent: &[u8]) -> impl Fn(u32, u8) -> Option<(IpAddr, HopAnswer, Duration)> + '_ {
    move |_, ttl| {
        let rtt = Duration::from_millis(u64::from(ttl.min(hops + 1)));
        match ttl {
            t if silent.contains(&t) => None,
            t if t <= hops => Some((router(t), HopAnswer::Expired, rtt)),
            _ => Some((router(250), HopAnswer::Reached, rtt)),
        }
    }
}

/// Runs rounds at one a second; returns every step with its moment.
fn run(course: &mut Course, net: Net<'_>, rounds: u32) -> Vec<(Mono, Step)> {
    let mut steps = Vec::new();
    let mut under_way: BTreeMap<(Mono, u32, u8), Answer> = BTreeMap::new();
    for tick in 0..u64::from(rounds) * 2_000 + 8_000 {
        let now = Mono(tick * 500_000);
        if tick % 2_000 == 0 && tick / 2_000 < u64::from(rounds) {
            course.begin(now);
        }
        while let Some(((_, round, ttl), answer)) = under_way.first_key_value().map(|(k, a)| (*k, *a)) {
            if answer.at > now {
                break;
            }
            under_way.pop_first();
            course.answered(round, ttl, answer);
        }
        while let Some(step) = course.poll(now) {
            if let Step::Send { round, ttl } = step {
                course.sent(round, ttl, now);
                if let Some((from, answer, rtt)) = net(round, ttl) {
                    let at = now.after(rtt);
                    under_way.insert((at, round, ttl), Answer { from, at, means: answer, reply_ttl: None });
                }
            }
            steps.push((now, step));
        }
    }
    steps
}

fn sent(steps: &[(Mono, Step)], of: u32) -> usize {
    steps.iter().filter(|(_, s)| matches!(s, Step::Send { round, .. } if *round == of)).count()
}

fn ends(steps: &[(Mono, Step)]) -> Vec<(u32, Option<u8>, Mono)> {
    let end = |(at, s): &(Mono, Step)| match s {
        Step::End { round, reached, .. } => Some((*round, *reached, *at)),
        _ => None,
    };
    steps.iter().filter_map(end).collect()
}

#[test]
fn a_path_that_answers_is_complete_at_once_and_probed_no_further() {
    let mut course = course();
    let steps = run(&mut course, &path(4, &[]), 3);
    assert!(sent(&steps, 0) <= 9, "{}", sent(&steps, 0));
    assert_eq!((sent(&steps, 1), sent(&steps, 2)), (5, 5));
    assert!(ends(&steps).iter().all(|(_, reached, _)| *reached == Some(5)));
    assert!(ends(&steps)[0].2 < ms(20));
    let told = steps.iter().filter(|(_, s)| matches!(s, Step::Hop { .. })).count();
    assert_eq!(told, 15, "each hop once a round, nothing beyond the target");
}

#[test]
fn silent_hops_do_not_hold_up_the_others() {
    let silent: Vec<u8> = (3..=12).collect();
    let mut course = course();
    let steps = run(&mut course, &path(13, &silent), 1);
    let reached = steps.iter().find(|(_, s)| matches!(s, Step::Hop { ttl: 14, .. })).unwrap().0;
    assert!(reached < ms(60), "{reached:?}");
    let quiet = steps.iter().filter(|(_, s)| matches!(s, Step::Hop { outcome: HopOutcome::Silent, .. })).count();
    assert_eq!(quiet, 10);
    assert_eq!(ends(&steps)[0].1, Some(14));
}

#[test]
fn what_answers_behind_silence_is_found_by_the_scout() {
    let mut course = course();
    let (dead, alive) = (path(13, &[]), path(13, &[4, 5, 6, 7, 8, 9, 10, 11, 12, 13]));
    let net = |round: u32, ttl: u8| {
        if round < 3 && ttl > 3 {
            None
        } else if round < 3 {
            dead(round, ttl)
        } else {
            alive(round, ttl)
        }
    };
    let steps = run(&mut course, &net, 5);
    let reached: Vec<_> = ends(&steps).iter().map(|(_, reached, _)| *reached).collect();
    assert_eq!(reached, [None, None, None, Some(14), Some(14)]);
}

#[test]
fn where_an_error_ends_the_path_only_that_is_asked_again() {
    let mut course = course();
    let net = |_: u32, ttl: u8| {
        let error = HopAnswer::Error(IcmpError::HostUnreachable);
        Some(match ttl {
            1..=3 => (router(ttl), HopAnswer::Expired, Duration::from_millis(1)),
            _ => (router(3), error, Duration::from_millis(3_050)),
        })
    };
    let steps = run(&mut course, &net, 9);
    assert!((4..9).all(|r| sent(&steps, r) == 1), "{:?}", (0..9).map(|r| sent(&steps, r)).collect::<Vec<_>>());
}

#[test]
fn a_lost_answer_of_the_target_is_tried_for_again() {
    let mut course = course();
    let whole = path(4, &[]);
    let net = |round: u32, ttl: u8| if round < 3 && (ttl == 4 || ttl == 5) { None } else { whole(round, ttl) };
    course.begin(ms(0));
    let mut rounds = Vec::new();
    for t in 0..2_000 {
        let now = ms(t);
        if course.closing_due().is_some_and(|due| due <= now) {
            course.close(now);
        }
        while let Some(step) = course.poll(now) {
            if let Step::Send { round, ttl } = step {
                rounds.push((round, ttl));
                course.sent(round, ttl, now);
                if let Some((from, means, _)) = net(round, ttl) {
                    course.answered(round, ttl, Answer { from, at: now, means, reply_ttl: None });
                }
            }
        }
    }
    assert!(rounds.contains(&(3, 4)) && rounds.contains(&(3, 5)), "{rounds:?}");
    assert!(!rounds.contains(&(1, 1)), "only the gap is tried again: {rounds:?}");
    assert!(rounds.iter().all(|(round, _)| *round <= 3), "{rounds:?}");
}

#[test]
fn a_dead_end_is_swept_once_and_then_probed_a_little_beyond() {
    let mut course = course();
    let net = |_: u32, ttl: u8| (ttl <= 3).then(|| (router(ttl), HopAnswer::Expired, Duration::from_millis(1)));
    let steps = run(&mut course, &net, 12);
    assert_eq!(sent(&steps, 0), 64);
    assert_eq!(sent(&steps, 3), 4, "the last router, two beyond it, one far out");
    assert!((1..12).all(|r| sent(&steps, r) < 10), "never swept again");
    let first = |r| steps.iter().filter(|(_, s)| *s == Step::Send { round: r, ttl: 1 }).count();
    // Round 1 begins before round 0 has ended.
    assert_eq!((2..12).map(first).sum::<usize>(), 1, "a router in front is asked every tenth time");
    assert_eq!(ends(&steps).len(), 12);
    assert!(ends(&steps).iter().all(|(_, reached, _)| reached.is_none()));
}

#[test]
fn a_path_that_grows_is_followed_in_the_same_round() {
    let mut course = course();
    let (short, long) = (path(4, &[]), path(7, &[]));
    let steps = run(&mut course, &|round, ttl| if round == 0 { short(round, ttl) } else { long(round, ttl) }, 2);
    assert_eq!(ends(&steps)[0].1, Some(5));
    assert_eq!(ends(&steps)[1].1, Some(8));
}

#[test]
fn a_path_that_breaks_is_looked_for_further_out_and_found_again() {
    let mut course = course();
    let whole = path(6, &[]);
    let net = |round: u32, ttl: u8| {
        if (2..5).contains(&round) && ttl > 2 { None } else { whole(round, ttl) }
    };
    let steps = run(&mut course, &net, 8);
    let mut ends = ends(&steps);
    ends.sort_by_key(|(round, ..)| *round);
    let reached: Vec<_> = ends.iter().map(|(_, reached, _)| reached.is_some()).collect();
    assert_eq!(reached, [true, true, false, false, false, true, true, true]);
    assert_eq!(sent(&steps, 7), 7);
}

#[test]
fn an_error_ends_the_path_there() {
    let mut course = course();
    let error = HopAnswer::Error(IcmpError::HostUnreachable);
    let net = |_: u32, ttl: u8| {
        let answer = if ttl < 3 { HopAnswer::Expired } else { error };
        Some((router(ttl.min(3)), answer, Duration::from_millis(1)))
    };
    let steps = run(&mut course, &net, 1);
    assert!(sent(&steps, 0) <= 5);
    let told: Vec<_> = steps.iter().filter(|(_, s)| matches!(s, Step::Hop { .. })).collect();
    assert_eq!(told.len(), 3);
    assert_eq!(ends(&steps)[0].1, None);
}

#[test]
fn an_error_that_comes_late_explains_the_silence() {
    let mut course = course();
    let net = |_: u32, ttl: u8| {
        let error = HopAnswer::Error(IcmpError::HostUnreachable);
        (ttl == 1).then_some((router(9), error, Duration::from_millis(3_050)))
    };
    let steps = run(&mut course, &net, 1);
    let first: Vec<_> = steps
        .iter()
        .filter_map(|(_, s)| match s {
            Step::Hop { ttl: 1, outcome, .. } => Some(outcome.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(first[0], HopOutcome::Silent);
    assert!(matches!(first[1], HopOutcome::Answered { answer: HopAnswer::Error(_), .. }));
}

#[test]
fn a_late_answer_is_late_and_never_twice() {
    let mut course = course();
    course.begin(ms(0));
    assert_eq!(course.poll(ms(0)), Some(Step::Send { round: 0, ttl: 1 }));
    course.sent(0, 1, ms(0));
    let answer = Answer { from: router(1), at: ms(1_200), means: HopAnswer::Expired, reply_ttl: None };
    course.answered(0, 1, answer);
    course.answered(0, 1, answer);
    let said: Vec<_> = std::iter::from_fn(|| course.poll(ms(0)).filter(|s| matches!(s, Step::Hop { .. }))).collect();
    assert_eq!(said.len(), 2);
    assert!(matches!(said[0], Step::Hop { outcome: HopOutcome::Silent, .. }));
    assert!(matches!(said[1], Step::Hop { outcome: HopOutcome::Late { .. }, .. }));
}

#[test]
fn what_cannot_be_sent_ends_the_round() {
    let mut course = course();
    course.begin(ms(0));
    assert_eq!(course.poll(ms(0)), Some(Step::Send { round: 0, ttl: 1 }));
    course.unsent(0, 1, ms(0), Unsent::NoRoute);
    assert!(matches!(course.poll(ms(0)), Some(Step::Hop { outcome: HopOutcome::Unsent { .. }, .. })));
    assert!(matches!(course.poll(ms(0)), Some(Step::End { probed: 1, reached: None, .. })));
    assert_eq!(course.poll(ms(9_000)), None);
}

#[test]
fn an_answer_that_quotes_nothing_goes_to_the_router_known_before() {
    let mut course = course();
    run(&mut course, &path(3, &[]), 1);
    course.begin(ms(10_000));
    for ttl in 1..=3 {
        let now = ms(10_000 + u64::from(ttl) * 5);
        assert_eq!(course.poll(now), Some(Step::Send { round: 1, ttl }));
        course.sent(1, ttl, now);
    }
    assert_eq!(course.guess(router(2), None), Some((1, 2)));
    assert_eq!(course.guess(router(77), None), Some((1, 1)));
    assert_eq!(course.guess(router(77), Some(253)), Some((1, 3)));
    assert_eq!(course.guess(router(77), Some(9)), Some((1, 1)));
}

proptest! {
    /// Whatever the network answers, every round ends, no TTL is told twice as
    /// in time, and memory stays bounded.
    #[test]
    fn every_round_ends(table in proptest::collection::vec((0_u8..5, 0_u64..6_000, 1_u8..9), 64), rounds in 1_u32..4) {
        let net = |round: u32, ttl: u8| {
            let (kind, delay, who) = table[(usize::from(ttl) - 1 + round as usize * 7) % table.len()];
            let answer = match kind {
                0 | 1 => HopAnswer::Expired,
                2 => HopAnswer::Reached,
                3 => HopAnswer::Error(IcmpError::AdminProhibited),
                _ => return None,
            };
            Some((router(who), answer, Duration::from_millis(delay)))
        };
        let mut course = course();
        let steps = run(&mut course, &net, rounds);
        prop_assert_eq!(ends(&steps).len(), rounds as usize);
        let mut seen = std::collections::HashSet::new();
        for (_, step) in &steps {
            if let Step::Hop { round, ttl, outcome: HopOutcome::Answered { .. } | HopOutcome::Late { .. }, .. } = step {
                prop_assert!(seen.insert((*round, *ttl)));
            }
        }
    }
}
