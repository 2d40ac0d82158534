//! The host's load: CPU, memory, pressure, limits and the fill of its disks.
//!
//! Owns the feed and its windows. Must never judge a figure.

mod disks;

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use sysinfo::System;

use self::disks::{Disks, Fill};
use super::blocking::blocking;
use super::feed::{FeedContext, FeedEnd, FeedFuture};
use super::wire::{mountinfo, proc_host};
use crate::model::RecordKind;
use crate::model::host::{HostLoad, Pressure};

/// From one reading to the next.
const INTERVAL: Duration = Duration::from_secs(2);
/// The first window of the CPU's share, so that there is one soon; sysinfo wants
/// 200 ms at least.
const FIRST_WINDOW: Duration = Duration::from_millis(250);
/// From one round over the disks to the next.
const DISKS_INTERVAL: Duration = Duration::from_secs(30);

/// Starts the feed. It writes [`RecordKind::Load`].
pub fn run(ctx: FeedContext) -> FeedFuture {
    Box::pin(async move {
        match feed(ctx).await {
            Ok(never) => never,
            Err(e) => FeedEnd::Broken(format!("load: {e}")),
        }
    })
}

async fn feed(ctx: FeedContext) -> io::Result<FeedEnd> {
    let mut reader = Reader::new(Instant::now())?;
    let mut pause = FIRST_WINDOW;
    loop {
        ctx.pulse.touch();
        let (back, load) = blocking(move || {
            let load = reader.read(Instant::now());
            (reader, load)
        })
        .await?;
        reader = back;
        ctx.out.put(RecordKind::Load(Box::new(load)));
        tokio::time::sleep(pause).await;
        pause = INTERVAL;
    }
}

/// What the readings build on.
struct Reader {
    system: System,
    /// The CPU's counters were read once, so that there is a window.
    has_window: bool,
    disks: Disks,
    disks_at: Instant,
}

impl Reader {
    fn new(now: Instant) -> io::Result<Self> {
        let system = System::new().map_err(|e| io::Error::other(format!("{e:?}")))?;
        Ok(Self { system, has_window: false, disks: Disks::new(statvfs), disks_at: now })
    }

    fn read(&mut self, now: Instant) -> HostLoad {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory();
        let cpu = self.has_window.then(|| f64::from(self.system.global_cpu_usage() / 100.0).clamp(0.0, 1.0));
        self.has_window = true;
        if now >= self.disks_at {
            let mounts = fs::read("/proc/self/mountinfo").map(|text| mountinfo::parse(&text)).unwrap_or_default();
            self.disks.begin(mounts, now);
            self.disks_at = now + DISKS_INTERVAL;
        } else {
            self.disks.collect(now);
        }
        HostLoad {
            cpu: cpu.filter(|c| c.is_finite()),
            cpus: self.system.cpus().len() as u32,
            load: text("/proc/loadavg").as_deref().and_then(proc_host::load_average).unwrap_or_default(),
            memory_total: self.system.total_memory(),
            memory_available: self.system.available_memory(),
            swap_total: self.system.total_swap(),
            swap_used: self.system.used_swap(),
            pressure: pressure(Path::new("/proc/pressure")),
            uptime: text("/proc/uptime").as_deref().and_then(proc_host::uptime).unwrap_or_default(),
            file_descriptors: text("/proc/sys/fs/file-nr").as_deref().and_then(proc_host::file_handles),
            disks: self.disks.list(),
        }
    }
}

fn text(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// All three or none: a kernel without PSI, or one with it switched off
/// (reading then fails with EOPNOTSUPP), has none.
fn pressure(dir: &Path) -> Option<Pressure> {
    let of = |name: &str| proc_host::pressure(&text(dir.join(name))?);
    Some(Pressure { cpu: of("cpu")?, memory: of("memory")?, io: of("io")? })
}

fn statvfs(path: &Path) -> Option<Fill> {
    use nix::sys::statvfs::{FsFlags, statvfs};
    let s = statvfs(path).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(s.fragment_size());
    Some(Fill {
        total: bytes(s.blocks()),
        available: bytes(s.blocks_available()),
        read_only: s.flags().contains(FsFlags::ST_RDONLY),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_host_has_memory_and_its_cpu_a_share_from_the_second_reading_on() {
        let now = Instant::now();
        let mut reader = Reader::new(now).unwrap();
        let first = reader.read(now);
        assert_eq!(first.cpu, None);
        assert!(first.cpus > 0 && first.memory_total > 0 && first.memory_available <= first.memory_total);
        assert!(first.uptime > 0 && first.file_descriptors.is_some());
        let second = reader.read(now + INTERVAL);
        assert!(second.cpu.is_some_and(|c| (0.0..=1.0).contains(&c)));
    }

    #[test]
    fn pressure_is_whole_or_absent() {
        let dir = tempfile::tempdir().unwrap();
        let line = "some avg10=50.00 avg60=0.00 avg300=0.00 total=0\n";
        fs::write(dir.path().join("cpu"), line).unwrap();
        fs::write(dir.path().join("memory"), line).unwrap();
        assert_eq!(pressure(dir.path()), None);
        fs::write(dir.path().join("io"), line).unwrap();
        assert_eq!(pressure(dir.path()), Some(Pressure { cpu: 0.5, memory: 0.5, io: 0.5 }));
    }
}
