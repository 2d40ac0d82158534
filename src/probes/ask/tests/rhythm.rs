use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::{mpsc, watch};

use super::super::{BoxFuture, schedule};
use super::*;
use crate::model::sample::{Detail, Failure, Unsent};
use crate::model::{ProbeKind, RecordKind, Sample};
use crate::probes::clock::Clock;
use crate::probes::feed::{FeedContext, Pulse, Specs};
use crate::probes::out::Out;

/// Answers after as many milliseconds as its destination's port; port 1 panics,
/// port 2 never ends, port 3 is lost and answers late.
struct Fake;

impl Probe for Fake {
    fn kind(&self) -> ProbeKind {
        ProbeKind::Tcp
    }

    fn packets(&self) -> u32 {
        1
    }

    fn measure(&self, spec: &ProbeSpec, _: &AskContext) -> BoxFuture<Measured> {
        let Ask::Tcp { to } = spec.ask else { return super::super::wrong_kind() };
        let sent = Instant::now();
        let answered = move |ms| Outcome::Answered { rtt: Duration::from_millis(ms), detail: Detail::Tcp };
        Box::pin(async move {
            match to.port() {
                1 => panic!("on purpose"),
                2 => std::future::pending().await,
                3 => Measured {
                    sent,
                    outcome: Outcome::Lost,
                    late: Some(Box::pin(async {
                        tokio::time::sleep(Duration::from_millis(500)).await;
                        Some(Duration::from_millis(700))
                    })),
                },
                ms => {
                    tokio::time::sleep(Duration::from_millis(u64::from(ms))).await;
                    Measured::new(sent, answered(u64::from(ms)))
                }
            }
        })
    }
}

static FAKE: [&dyn Probe; 1] = [&Fake];

struct Bench {
    specs: watch::Sender<Specs>,
    out: Out,
    feed: tokio::task::JoinHandle<crate::probes::feed::FeedEnd>,
}

impl Bench {
    fn start(specs: Vec<ProbeSpec>, rate: u32) -> Self {
        let clock = Clock::start();
        let out = Out::new("ask", clock);
        let (sender, receiver) = watch::channel::<Specs>(specs.into());
        let budget = Budget::new(rate, tokio::time::Instant::now().into_std());
        let ctx = FeedContext {
            specs: receiver,
            out: out.clone(),
            clock,
            egress: Egress::default(),
            budget,
            names: mpsc::channel(1).0,
            pulse: Pulse::new(Instant::now()),
        };
        Self { specs: sender, out, feed: tokio::spawn(schedule::serve(ctx, shared(), &FAKE)) }
    }

    /// Lets so many milliseconds pass.
    async fn pass(&self, ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }

    fn samples(&self) -> Vec<Sample> {
        let batch = self.out.take();
        batch
            .into_iter()
            .filter_map(|e| match e.kind {
                RecordKind::Sample(s) => Some(s),
                _ => None,
            })
            .collect()
    }

    fn numbers(&self) -> Vec<(u32, u32)> {
        self.samples().iter().map(|s| (s.probe.0, s.seq)).collect()
    }
}

fn tcp(id: u32, port: u16) -> ProbeSpec {
    spec(id, Ask::Tcp { to: ([127, 0, 0, 1], port).into() })
}

#[tokio::test(start_paused = true)]
async fn the_first_comes_at_once_and_the_rest_in_rhythm() {
    let bench = Bench::start((0..100).map(|id| tcp(id, 10)).collect(), 1_000_000);
    bench.pass(100).await;
    assert_eq!(bench.samples().len(), 100);
    bench.pass(3000).await;
    let numbers = bench.numbers();
    assert_eq!(numbers.len(), 300);
    assert_eq!(numbers.iter().filter(|(id, _)| *id == 7).map(|(_, seq)| *seq).collect::<Vec<_>>(), [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_count_is_honoured() {
    let bench = Bench::start(vec![ProbeSpec { count: Some(3), ..tcp(0, 10) }], 1000);
    bench.pass(20_000).await;
    assert_eq!(bench.numbers(), [(0, 0), (0, 1), (0, 2)]);
}

#[tokio::test(start_paused = true)]
async fn changes_leave_the_rest_in_rhythm_and_the_removed_silent() {
    let bench = Bench::start(vec![tcp(0, 10), tcp(1, 900), tcp(2, 10)], 1000);
    bench.pass(1500).await;
    assert_eq!(bench.numbers(), [(0, 0), (2, 0), (1, 0), (0, 1), (2, 1)]);
    // Probe 1's second is in flight, and is dropped with it.
    bench.specs.send(vec![tcp(0, 10), tcp(2, 10), tcp(3, 10)].into()).unwrap();
    bench.pass(400).await;
    assert_eq!(bench.numbers(), [(3, 0)]);
    bench.pass(200).await;
    assert_eq!(bench.numbers(), [(0, 2), (2, 2)]);
    // Another target that shares the probe changes nothing of its rhythm.
    let shared_now = ProbeSpec { targets: vec![crate::model::TargetId(9)], ..tcp(0, 10) };
    bench.specs.send(vec![shared_now].into()).unwrap();
    bench.pass(950).await;
    assert_eq!(bench.numbers(), [(0, 3)]);
}

#[tokio::test(start_paused = true)]
async fn one_in_flight_unless_the_interval_is_shorter_than_the_time_out() {
    let slow = |id, interval| ProbeSpec {
        interval: Duration::from_millis(interval),
        timeout: Duration::from_secs(1),
        ..tcp(id, 950)
    };
    let bench = Bench::start(vec![slow(0, 1000), slow(1, 50)], 100_000);
    bench.pass(2900).await;
    let numbers = bench.numbers();
    assert_eq!(numbers.iter().filter(|(id, _)| *id == 0).count(), 2);
    // Eight together, each 950 ms long.
    let overlapping = numbers.iter().filter(|(id, _)| *id == 1).count();
    assert!((16..=24).contains(&overlapping), "{overlapping}");
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_sample_and_the_feed_lives_on() {
    let bench = Bench::start(vec![tcp(0, 1), tcp(1, 10)], 1000);
    bench.pass(1500).await;
    let samples = bench.samples();
    let broken = samples.iter().filter(|s| {
        matches!(&s.outcome, Outcome::Failed { failure: Failure::Protocol { why }, .. } if why.as_str() == "internal")
    });
    assert_eq!(broken.map(|s| (s.probe.0, s.seq)).collect::<Vec<_>>(), [(0, 0), (0, 1)]);
    assert_eq!(samples.iter().filter(|s| s.probe.0 == 1).count(), 2);
    assert!(!bench.feed.is_finished());
}

#[tokio::test(start_paused = true)]
async fn what_overstays_is_ended() {
    let bench = Bench::start(vec![ProbeSpec { interval: Duration::from_secs(60), ..tcp(0, 2) }], 1000);
    bench.pass(5900).await;
    assert!(bench.samples().is_empty());
    bench.pass(200).await;
    assert!(matches!(bench.samples()[..], [Sample { outcome: Outcome::Failed { .. }, .. }]));
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_corrects_its_loss_under_the_same_number() {
    let bench = Bench::start(vec![tcp(0, 3)], 1000);
    bench.pass(600).await;
    let samples = bench.samples();
    let seen: Vec<_> = samples.iter().map(|s| (s.seq, &s.outcome)).collect();
    assert_eq!(seen, [(0, &Outcome::Lost), (0, &Outcome::Late { rtt: Duration::from_millis(700) })]);
    // Nobody hears of a probe that is gone.
    bench.pass(450).await;
    bench.specs.send(Vec::new().into()).unwrap();
    bench.pass(2000).await;
    assert_eq!(bench.numbers(), [(0, 1)]);
}

#[tokio::test(start_paused = true)]
async fn what_the_budget_keeps_back_is_unsent_and_not_lost() {
    // A bucket of 64, hardly refilled.
    let bench = Bench::start((0..100).map(|id| tcp(id, 10)).collect(), 10);
    bench.pass(400).await;
    let samples = bench.samples();
    let kept = samples.iter().filter(|s| s.outcome == Outcome::Unsent { reason: Unsent::Budget }).count();
    assert!((30..=36).contains(&kept) && samples.len() == 100, "{kept} of {}", samples.len());
}

#[tokio::test(start_paused = true)]
async fn whom_the_budget_refuses_finds_another_moment() {
    // 150 a second of 200 are within the budget, but not all at once.
    let bench = Bench::start((0..150).map(|id| tcp(id, 10)).collect(), 200);
    bench.pass(20_000).await;
    bench.samples();
    bench.pass(10_000).await;
    let samples = bench.samples();
    let kept = samples.iter().filter(|s| !s.outcome.was_sent()).count();
    assert!(kept == 0 && samples.len() >= 1490, "{kept} of {}", samples.len());
}

#[tokio::test(start_paused = true)]
async fn no_more_than_the_limit_is_in_flight() {
    static RUNNING: AtomicU32 = AtomicU32::new(0);
    static MOST: AtomicU32 = AtomicU32::new(0);
    struct Counting;
    impl Probe for Counting {
        fn kind(&self) -> ProbeKind {
            ProbeKind::Tcp
        }
        fn packets(&self) -> u32 {
            0
        }
        fn measure(&self, _: &ProbeSpec, _: &AskContext) -> BoxFuture<Measured> {
            Box::pin(async {
                let now = RUNNING.fetch_add(1, Ordering::Relaxed) + 1;
                MOST.fetch_max(now, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(300)).await;
                RUNNING.fetch_sub(1, Ordering::Relaxed);
                Measured::new(Instant::now(), Outcome::Lost)
            })
        }
    }
    static COUNTING: [&dyn Probe; 1] = [&Counting];
    let clock = Clock::start();
    let out = Out::new("ask", clock);
    let specs: Specs = (0..2000).map(|id| tcp(id, 10)).collect();
    let (_sender, receiver) = watch::channel(specs);
    let ctx = FeedContext {
        specs: receiver,
        out: out.clone(),
        clock,
        egress: Egress::default(),
        budget: Budget::new(1_000_000, Instant::now()),
        names: mpsc::channel(1).0,
        pulse: Pulse::new(Instant::now()),
    };
    tokio::spawn(schedule::serve(ctx, shared(), &COUNTING));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(MOST.load(Ordering::Relaxed), 512);
    assert!(out.take().len() >= 2000);
}
