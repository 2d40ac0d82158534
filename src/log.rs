//! The program's own log: a file, because the screen belongs to the console.
//!
//! Owns where it lies and what goes in. Must never hold anything up: lines are
//! written by a thread of their own, and a file that cannot be written costs the
//! log and nothing else.

use etcetera::BaseStrategy;
use tracing::Level;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{RollingFileAppender, Rotation};

/// Days of which the log is kept.
const KEPT: usize = 7;

/// Logging goes on while this lives; dropping it writes the last lines.
#[derive(Debug)]
pub struct Log(#[expect(dead_code, reason = "held for its drop")] WorkerGuard);

/// Logs to `frc/frc.*.log` under `$XDG_STATE_HOME` (else `~/.local/state`), a file a
/// day: warnings, with `-v` what happens, with `-vv` how.
pub fn start(verbose: u8) -> Option<Log> {
    let folder = etcetera::choose_base_strategy().ok()?.state_dir()?.join("frc");
    // The appender looks for old files before it makes the folder, and writes on
    // standard error that there is none.
    std::fs::create_dir_all(&folder).ok()?;
    let file = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("frc")
        .filename_suffix("log")
        .max_log_files(KEPT)
        .build(folder)
        .ok()?;
    let (lines, guard) = tracing_appender::non_blocking(file);
    let level = match verbose {
        0 => Level::WARN,
        1 => Level::INFO,
        _ => Level::DEBUG,
    };
    tracing_subscriber::fmt().with_writer(lines).with_ansi(false).with_max_level(level).try_init().ok()?;
    Some(Log(guard))
}
