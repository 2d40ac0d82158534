//! The fill of mounted file systems, asked on a thread of its own.
//!
//! Owns the thread, and what happens when a file system does not answer: the
//! thread is left to its fate, the mount reads as hung with its last figures and
//! is not asked again until it answers. Must never ask a file system itself.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::{Duration, Instant};

use crate::model::Untrusted;
use crate::model::host::Disk;
use crate::probes::wire::mountinfo::Mount;

/// A file system that has not answered for this long hangs.
const HUNG_AFTER: Duration = Duration::from_secs(5);
/// A thread lost to a hung mount is replaced once in so long at most.
const REPLACE_AFTER: Duration = Duration::from_secs(120);
/// Threads that may be lost at the same time; then nothing is asked any more.
const MAX_LOST: usize = 4;

/// What a file system answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fill {
    /// Bytes in all.
    pub(super) total: u64,
    /// Bytes free for ordinary users.
    pub(super) available: u64,
    /// The file system says that it is read-only.
    pub(super) read_only: bool,
}

/// Asks a file system; may take for ever.
pub(super) type Ask = fn(&Path) -> Option<Fill>;

type Device = (u32, u32);

/// The mounts and what is known of them.
#[derive(Debug)]
pub(super) struct Disks {
    ask: Ask,
    mounts: Vec<Mount>,
    known: HashMap<Device, Option<Fill>>,
    worker: Option<Worker>,
    lost: Vec<Lost>,
    not_before: Option<Instant>,
}

#[derive(Debug)]
struct Worker {
    rounds: Sender<Vec<Mount>>,
    answers: Receiver<(Device, Option<Fill>)>,
    given_up: Arc<AtomicBool>,
    /// Asked and not answered, in order: the first is being asked now.
    waiting: VecDeque<Device>,
    /// Since when the first is.
    since: Instant,
}

/// A thread that waits for a hung mount, and what it waits for.
#[derive(Debug)]
struct Lost {
    device: Device,
    answers: Receiver<(Device, Option<Fill>)>,
}

impl Disks {
    /// Nothing is known and no thread runs yet.
    pub(super) fn new(ask: Ask) -> Self {
        Self { ask, mounts: Vec::new(), known: HashMap::new(), worker: None, lost: Vec::new(), not_before: None }
    }

    /// Begins to ask all mounts but the hung ones, unless the last round still runs.
    pub(super) fn begin(&mut self, mounts: Vec<Mount>, now: Instant) {
        self.collect(now);
        self.known.retain(|device, _| mounts.iter().any(|m| m.device == *device));
        self.mounts = mounts;
        let asked: Vec<Mount> = self.mounts.iter().filter(|m| !self.is_hung(m.device)).cloned().collect();
        if asked.is_empty() || !self.have_worker(now) {
            return;
        }
        if let Some(worker) = self.worker.as_mut().filter(|w| w.waiting.is_empty()) {
            let waiting = asked.iter().map(|m| m.device).collect();
            if worker.rounds.send(asked).is_ok() {
                worker.waiting = waiting;
                worker.since = now;
            }
        }
    }

    /// Takes in the answers so far. Returns whether anything changed.
    pub(super) fn collect(&mut self, now: Instant) -> bool {
        let mut changed = false;
        let known = &mut self.known;
        self.lost.retain(|lost| match lost.answers.try_recv() {
            Ok((device, fill)) => {
                known.insert(device, fill);
                changed = true;
                false
            }
            Err(TryRecvError::Disconnected) => false,
            Err(TryRecvError::Empty) => true,
        });
        let Some(worker) = &mut self.worker else { return changed };
        loop {
            match worker.answers.try_recv() {
                Ok((device, fill)) => {
                    changed |= self.known.insert(device, fill) != Some(fill);
                    worker.waiting.pop_front();
                    worker.since = now;
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    self.worker = None;
                    return changed;
                }
            }
        }
        let hung =
            worker.waiting.front().copied().filter(|_| now.saturating_duration_since(worker.since) >= HUNG_AFTER);
        if let Some(device) = hung
            && let Some(worker) = self.worker.take()
        {
            worker.given_up.store(true, Ordering::Relaxed);
            self.lost.push(Lost { device, answers: worker.answers });
            self.not_before = Some(now + REPLACE_AFTER);
            changed = true;
        }
        changed
    }

    /// Whether answers are still awaited.
    #[cfg(test)]
    fn is_waiting(&self) -> bool {
        self.worker.as_ref().is_some_and(|w| !w.waiting.is_empty())
    }

    /// What is known: a mount that has not answered yet and does not hang is
    /// absent, as is one without storage.
    pub(super) fn list(&self) -> Vec<Disk> {
        let disk = |m: &Mount| {
            let hung = self.is_hung(m.device);
            let fill = self.known.get(&m.device).copied().flatten().filter(|f| f.total > 0);
            if fill.is_none() && !hung {
                return None;
            }
            Some(Disk {
                mount: Untrusted::new(&m.point.to_string_lossy()),
                kind: Untrusted::new(&m.kind),
                total: fill.map_or(0, |f| f.total),
                available: fill.map_or(0, |f| f.available),
                read_only: m.read_only || fill.is_some_and(|f| f.read_only),
                hung,
            })
        };
        self.mounts.iter().filter_map(disk).collect()
    }

    fn is_hung(&self, device: Device) -> bool {
        self.lost.iter().any(|l| l.device == device)
    }

    fn have_worker(&mut self, now: Instant) -> bool {
        if self.worker.is_some() {
            return true;
        }
        if self.lost.len() >= MAX_LOST || self.not_before.is_some_and(|t| now < t) {
            return false;
        }
        self.worker = Worker::start(self.ask, now);
        self.worker.is_some()
    }
}

impl Worker {
    fn start(ask: Ask, now: Instant) -> Option<Self> {
        let (rounds, orders) = channel::<Vec<Mount>>();
        let (answer, answers) = channel();
        let given_up = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&given_up);
        let work = move || {
            for mount in orders.iter().flatten() {
                let fill = ask(&mount.point);
                if answer.send((mount.device, fill)).is_err() || stop.load(Ordering::Relaxed) {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("disks".to_owned()).stack_size(128 * 1024).spawn(work).ok()?;
        Some(Self { rounds, answers, given_up, waiting: VecDeque::new(), since: now })
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::{Condvar, Mutex};

    use super::*;

    fn mount(minor: u32, point: &str) -> Mount {
        Mount { device: (8, minor), point: PathBuf::from(point), kind: "ext4".to_owned(), read_only: false }
    }

    /// The gate of `/hung`, which does not answer while it is locked.
    static GATE: Mutex<()> = Mutex::new(());
    /// Whether somebody has stood before it.
    static ASKED: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

    #[expect(clippy::unnecessary_wraps, reason = "the signature is the probe's")]
    fn ask(path: &Path) -> Option<Fill> {
        if path == Path::new("/hung") {
            *ASKED.0.lock().unwrap() = true;
            ASKED.1.notify_all();
            drop(GATE.lock().unwrap());
        }
        Some(Fill { total: 100, available: 40, read_only: false })
    }

    /// Waits for the next answer without a clock.
    fn wait_for_answers(disks: &mut Disks, now: Instant, count: usize) {
        for _ in 0..count {
            let worker = disks.worker.as_mut().unwrap();
            let (device, fill) = worker.answers.recv().unwrap();
            worker.waiting.pop_front();
            worker.since = now;
            disks.known.insert(device, fill);
        }
    }

    #[test]
    fn a_hung_mount_costs_one_thread_and_no_other_mount() {
        let now = Instant::now();
        let second = Duration::from_secs(1);
        let gate = GATE.lock().unwrap();
        let mounts = vec![mount(1, "/"), mount(2, "/hung"), mount(3, "/data")];
        let mut disks = Disks::new(ask);
        disks.begin(mounts.clone(), now);
        wait_for_answers(&mut disks, now, 1);
        // Given up before it asks, the thread would end without asking.
        drop(ASKED.1.wait_while(ASKED.0.lock().unwrap(), |asked| !*asked).unwrap());
        assert!(!disks.collect(now + 4 * second), "slow is not hung");
        assert!(disks.is_waiting());
        assert_eq!(disks.list().len(), 1);
        assert!(disks.collect(now + 5 * second));
        let list = disks.list();
        let shown: Vec<_> = list.iter().map(|d| (d.mount.as_str(), d.hung, d.total)).collect();
        assert_eq!(shown, [("/", false, 100), ("/hung", true, 0)]);

        disks.begin(mounts.clone(), now + 30 * second);
        assert!(disks.worker.is_none(), "no new thread so soon");
        let later = now + 200 * second;
        disks.begin(mounts.clone(), later);
        wait_for_answers(&mut disks, later, 2);
        assert!(!disks.is_waiting());
        assert_eq!(disks.list().iter().filter(|d| !d.hung).count(), 2);

        drop(gate);
        let answer = disks.lost[0].answers.recv().unwrap();
        assert_eq!(answer.0, (8, 2));
        assert!(disks.lost[0].answers.recv().is_err(), "it asks no other mount");
        disks.collect(later);
        assert!(disks.lost.is_empty(), "its thread has ended");
        disks.begin(mounts, later);
        wait_for_answers(&mut disks, later, 3);
        assert!(disks.list().iter().all(|d| !d.hung && d.total == 100));
    }

    #[test]
    fn a_mount_that_is_gone_is_forgotten() {
        let now = Instant::now();
        let mut disks = Disks::new(ask);
        disks.begin(vec![mount(1, "/"), mount(3, "/data")], now);
        wait_for_answers(&mut disks, now, 2);
        disks.begin(vec![mount(1, "/")], now);
        assert_eq!(disks.list().len(), 1);
        assert_eq!(disks.known.len(), 1);
    }
}
