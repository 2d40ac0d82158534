//! Keeps a feed alive: one that panics, fails or hangs is started again after a
//! pause, counted and told; one that cannot work here is told once and left.

use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::feed::{FeedContext, FeedEnd, FeedFuture, Pulse};
use crate::model::record::{TaskHealth, TaskState};
use crate::model::{RecordKind, Untrusted};

/// Without a sign of life for so long, a feed counts as hung.
pub const HANG: Duration = Duration::from_secs(30);
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Runs a feed for as long as the session lasts.
pub async fn supervise(name: &'static str, start: impl Fn(FeedContext) -> FeedFuture, context: FeedContext) {
    let mut restarts = 0;
    let tell = |state: TaskState, restarts: u32| {
        context.out.put(RecordKind::Task(TaskHealth { task: name.to_owned(), state, restarts }));
    };
    loop {
        let began = Instant::now();
        let pulse = Pulse::new(began);
        tell(TaskState::Running, restarts);
        let task = tokio::spawn(start(FeedContext { pulse: pulse.clone(), ..context.clone() }));
        let why = match watch(task, &pulse).await {
            Ended::Unavailable(why) => {
                tracing::warn!(task = name, message = %why.id, "cannot work here");
                return tell(TaskState::Unavailable { why }, restarts);
            }
            Ended::Broken(why) => why,
        };
        let pause = pause_after(restarts, began.elapsed());
        restarts += 1;
        tracing::error!(task = name, restarts, why, "task ended");
        tell(TaskState::Restarting { why: Untrusted::new(&why), pause }, restarts);
        tokio::time::sleep(pause).await;
    }
}

enum Ended {
    Unavailable(crate::model::Message),
    Broken(String),
}

/// Waits for the end of a feed, or ends it when it hangs.
async fn watch(mut task: JoinHandle<FeedEnd>, pulse: &Pulse) -> Ended {
    loop {
        tokio::select! {
            end = &mut task => return match end {
                Ok(FeedEnd::Unavailable(why)) => Ended::Unavailable(why),
                Ok(FeedEnd::Broken(why)) => Ended::Broken(why),
                Err(e) if e.is_panic() => Ended::Broken(format!("panic: {}", panic_words(e.into_panic().as_ref()))),
                Err(e) => Ended::Broken(e.to_string()),
            },
            () = tokio::time::sleep(HANG / 3) => {
                if pulse.age_ms() > HANG.as_millis() as u64 {
                    task.abort();
                    return Ended::Broken(format!("no sign of life for {} s", HANG.as_secs()));
                }
            }
        }
    }
}

/// What a panic said.
pub fn panic_words(payload: &(dyn std::any::Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without words")
}

/// Doubles with every restart; a feed that ran well for long starts again quickly.
fn pause_after(restarts: u32, ran: Duration) -> Duration {
    if ran > LONGEST_PAUSE {
        return SHORTEST_PAUSE;
    }
    (SHORTEST_PAUSE * 2u32.saturating_pow(restarts.min(16))).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::{mpsc, watch};

    use super::*;
    use crate::probes::{Budget, Clock, Egress, Out};

    fn context(out: &Out) -> FeedContext {
        let (_, specs) = watch::channel(Vec::new().into());
        FeedContext {
            specs,
            out: out.clone(),
            clock: Clock::start(),
            egress: Egress::default(),
            budget: Budget::new(100, Instant::now()),
            names: mpsc::channel(1).0,
            pulse: Pulse::new(Instant::now()),
        }
    }

    static STARTS: AtomicU32 = AtomicU32::new(0);

    fn panics_once(_: FeedContext) -> FeedFuture {
        Box::pin(async {
            assert_ne!(STARTS.fetch_add(1, Ordering::Relaxed), 0, "out of order");
            FeedEnd::Unavailable(crate::model::Message::new("test"))
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_is_told_counted_and_followed_by_a_new_start() {
        let out = Out::new("test", Clock::start());
        supervise("feed", panics_once, context(&out)).await;
        let states: Vec<_> = out
            .take()
            .into_iter()
            .filter_map(|e| match e.kind {
                RecordKind::Task(h) => Some((h.state, h.restarts)),
                _ => None,
            })
            .collect();
        assert_eq!(states.len(), 4, "{states:?}");
        assert!(matches!(&states[1], (TaskState::Restarting { why, .. }, 1) if why.as_str().contains("out of order")));
        assert_eq!(states[2], (TaskState::Running, 1));
        assert!(matches!(&states[3], (TaskState::Unavailable { .. }, 1)));
    }

    #[test]
    fn pauses_grow_to_a_minute() {
        assert_eq!(pause_after(0, Duration::ZERO), SHORTEST_PAUSE);
        assert_eq!(pause_after(40, Duration::ZERO), LONGEST_PAUSE);
        assert_eq!(pause_after(40, Duration::from_secs(600)), SHORTEST_PAUSE);
    }
}
