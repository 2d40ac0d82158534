//! Which process holds a socket: the links of `/proc/PID/fd`.
//!
//! Owns the cache by inode and the pace of the search, which costs a system
//! call a descriptor of the whole host. Must never be needed: a socket without
//! a name is shown without one.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::model::Untrusted;
use crate::model::socket::Process;

/// Shortest pause between two searches ...
const MIN_GAP: Duration = Duration::from_secs(5);
/// ... and so long that they take a third of a per cent of a core at most.
const COST_FACTOR: u32 = 300;
/// A socket whose process was not found is searched again after this.
const RETRY: Duration = Duration::from_secs(60);

/// What is known.
#[derive(Debug, Default)]
pub(super) struct Owners {
    known: HashMap<u32, Process>,
    missed: HashMap<u32, Instant>,
    not_before: Option<Instant>,
}

impl Owners {
    /// The process that holds the socket of that inode.
    pub(super) fn of(&self, inode: u32) -> Option<Process> {
        self.known.get(&inode).cloned()
    }

    /// Forgets all but the sockets that are wanted, and says which of them are
    /// worth a search now.
    pub(super) fn unknown(&mut self, wanted: &HashSet<u32>, now: Instant) -> HashSet<u32> {
        self.known.retain(|inode, _| wanted.contains(inode));
        self.missed.retain(|inode, at| wanted.contains(inode) && now.saturating_duration_since(*at) < RETRY);
        if self.not_before.is_some_and(|t| now < t) {
            return HashSet::new();
        }
        let new = |inode: &&u32| **inode != 0 && !self.known.contains_key(inode) && !self.missed.contains_key(inode);
        wanted.iter().filter(new).copied().collect()
    }

    /// Takes in what a search found, and how long it took.
    pub(super) fn learn(
        &mut self,
        found: HashMap<u32, Process>,
        searched: &HashSet<u32>,
        now: Instant,
        cost: Duration,
    ) {
        self.missed.extend(searched.iter().filter(|i| !found.contains_key(i)).map(|i| (*i, now)));
        self.known.extend(found);
        self.not_before = Some(now + MIN_GAP.max(cost * COST_FACTOR));
    }
}

/// Searches the processes under `proc` until all are found: this one first,
/// whose sockets come and go with its probes.
pub(super) fn search(proc: &Path, inodes: &HashSet<u32>) -> HashMap<u32, Process> {
    let mut found = HashMap::new();
    let own = std::process::id();
    search_process(proc, own, inodes, &mut found);
    let Ok(entries) = fs::read_dir(proc) else { return found };
    for entry in entries.flatten() {
        if found.len() == inodes.len() {
            break;
        }
        if let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()).filter(|pid| *pid != own) {
            search_process(proc, pid, inodes, &mut found);
        }
    }
    found
}

fn search_process(proc: &Path, pid: u32, inodes: &HashSet<u32>, found: &mut HashMap<u32, Process>) {
    let dir = proc.join(pid.to_string());
    // Not permitted, or gone meanwhile: others are searched.
    let Ok(descriptors) = fs::read_dir(dir.join("fd")) else { return };
    let mut process = None;
    for descriptor in descriptors.flatten() {
        let Ok(target) = fs::read_link(descriptor.path()) else { continue };
        let inode = target.to_str().and_then(|t| t.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok());
        let Some(inode) = inode.filter(|i| inodes.contains(i)) else { continue };
        let process = process.get_or_insert_with(|| Process { pid, name: name(&dir) });
        // The first holder counts: the one that opened it before its children.
        found.entry(inode).or_insert_with(|| process.clone());
    }
}

/// The command name; another user chose it.
fn name(dir: &Path) -> Untrusted {
    let mut bytes = Vec::new();
    let read = fs::File::open(dir.join("comm")).and_then(|f| f.take(64).read_to_end(&mut bytes));
    if read.is_err() {
        return Untrusted::default();
    }
    Untrusted::from_bytes(bytes.strip_suffix(b"\n").unwrap_or(&bytes))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn process(proc: &Path, pid: u32, comm: &str, links: &[&str]) {
        let dir = proc.join(pid.to_string());
        fs::create_dir_all(dir.join("fd")).unwrap();
        fs::write(dir.join("comm"), format!("{comm}\n")).unwrap();
        for (i, link) in links.iter().enumerate() {
            symlink(link, dir.join("fd").join(i.to_string())).unwrap();
        }
    }

    #[test]
    fn sockets_are_found_and_names_made_harmless() {
        let proc = tempfile::tempdir().unwrap();
        process(proc.path(), 4_000_001, "ev\u{1b}il", &["/dev/null", "socket:[11]", "pipe:[12]"]);
        process(proc.path(), 4_000_002, "web", &["socket:[13]", "socket:[x]", "socket:[14]"]);
        fs::create_dir(proc.path().join("self")).unwrap();
        let found = search(proc.path(), &HashSet::from([11, 12, 13, 99]));
        assert_eq!(found.len(), 2);
        assert_eq!((found[&11].pid, found[&11].name.as_str()), (4_000_001, "ev\\x1bil"));
        assert_eq!(found[&13].name.as_str(), "web");
    }

    #[test]
    fn a_search_is_not_repeated_for_the_same_sockets() {
        let start = Instant::now();
        let mut owners = Owners::default();
        let wanted = HashSet::from([0, 1, 2]);
        assert_eq!(owners.unknown(&wanted, start), HashSet::from([1, 2]));
        let found = HashMap::from([(1, Process { pid: 5, name: "a".into() })]);
        owners.learn(found, &HashSet::from([1, 2]), start, Duration::from_millis(100));
        let wanted = HashSet::from([1, 2, 3]);
        assert!(owners.unknown(&wanted, start + Duration::from_secs(29)).is_empty(), "100 ms of work, 30 s of rest");
        assert_eq!(owners.unknown(&wanted, start + Duration::from_secs(30)), HashSet::from([3]));
        assert_eq!(owners.unknown(&wanted, start + Duration::from_secs(60)), HashSet::from([2, 3]));
        assert_eq!(owners.of(1).map(|p| p.pid), Some(5));
        owners.unknown(&HashSet::from([2]), start + Duration::from_secs(61));
        assert_eq!(owners.of(1), None);
    }
}
