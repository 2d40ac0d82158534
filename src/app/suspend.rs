//! Stopping like any program does on Ctrl-Z, and whether anybody could go on with
//! us afterwards.

use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, getpgid, getpgrp, getppid, getsid};

/// Asks our whole process group to stop, as the terminal does for Ctrl-Z. We hear
/// of it as SIGTSTP ourselves.
pub fn ask() {
    let _ = killpg(getpgrp(), Signal::SIGTSTP);
}

/// Stops this process until SIGCONT.
pub fn stop() {
    let _ = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP);
}

/// Whether a shell with job control is above us. Without one (the console is the
/// terminal's only program, or its shell is gone) the process group is orphaned, and
/// a stop would last for ever (POSIX.1 2.4.3).
pub fn possible() -> bool {
    let mut parent = getppid();
    for _ in 0..64 {
        match (getpgid(Some(parent)), getsid(Some(parent)), getsid(None)) {
            (Ok(group), Ok(session), Ok(ours)) if session == ours => {
                if group != getpgrp() {
                    return true;
                }
            }
            _ => return false,
        }
        match parent_of(parent) {
            Some(next) => parent = next,
            None => return false,
        }
    }
    false
}

/// The parent of a process (proc(5), `/proc/PID/stat`, field 4; the command's name
/// in field 2 may hold anything but ends at the last parenthesis).
fn parent_of(pid: Pid) -> Option<Pid> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after = stat.rsplit_once(')')?.1;
    let parent: i32 = after.split_whitespace().nth(1)?.parse().ok()?;
    (parent > 0).then(|| Pid::from_raw(parent))
}
