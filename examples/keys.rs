//! How long a key takes to show: from the byte written to a terminal until the end
//! of the picture it brought arrives. Run by `benches/keys`.
//!
//! `cargo run --release --example keys -- KEYS PROGRAM [ARGUMENT]...`
//!
//! Presses KEYS in turn, a few hundred times, at moments that do not keep step with
//! the program's own seconds. A picture that was under way when the key was
//! pressed does not count.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example talks to whoever runs it")]

use std::error::Error;
use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";
/// Presses measured.
const PRESSES: usize = 600;
/// From the start until the first press: targets are resolved, probes under way.
const SETTLE: Duration = Duration::from_secs(12);
/// From one press to the next; no fraction of a second.
const PAUSE: Duration = Duration::from_millis(73);
/// A key without any effect by then has none.
const PATIENCE: Duration = Duration::from_secs(2);

type Bytes = (Instant, Vec<u8>);

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(keys), Some(program)) = (args.next(), args.next()) else {
        return Err("usage: keys KEYS PROGRAM [ARGUMENT]...".into());
    };
    let pair = native_pty_system().openpty(PtySize { rows: 36, cols: 120, ..PtySize::default() })?;
    let mut command = CommandBuilder::new(program);
    command.args(args);
    command.env("TERM", "xterm-256color");
    command.env("LANG", "C.UTF-8");
    command.env_remove("TMUX");
    let mut child = pair.slave.spawn_command(command)?;
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader()?;
    let mut writer = pair.master.take_writer()?;
    let (send, output) = channel();
    std::thread::spawn(move || {
        let mut bytes = vec![0; 65_536];
        while let Ok(n @ 1..) = reader.read(&mut bytes) {
            if send.send((Instant::now(), bytes[..n].to_vec())).is_err() {
                return;
            }
        }
    });
    drain(&output, Instant::now() + SETTLE);
    let mut took = Vec::with_capacity(PRESSES);
    let mut mute = 0;
    for key in keys.bytes().cycle().take(PRESSES) {
        drain(&output, Instant::now() + PAUSE);
        let pressed = Instant::now();
        writer.write_all(&[key])?;
        writer.flush()?;
        match shown(&output, pressed + PATIENCE) {
            Some(at) => took.push(at.duration_since(pressed)),
            None => mute += 1,
        }
    }
    child.kill()?;
    child.wait()?;
    took.sort_unstable();
    let at = |q: f64| took.get(((took.len().max(1) - 1) as f64 * q) as usize).map_or(0.0, |d| d.as_secs_f64() * 1e3);
    println!(
        "{} presses of {keys:?}, {mute} without a picture: p50 {:.1} ms, p90 {:.1}, p99 {:.1}, max {:.1}",
        took.len(),
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    );
    Ok(())
}

/// Reads away what comes until `end`.
fn drain(output: &Receiver<Bytes>, end: Instant) {
    while output.recv_timeout(end.saturating_duration_since(Instant::now())).is_ok() {}
}

/// When the end of the first picture begun from now on arrives.
fn shown(output: &Receiver<Bytes>, end: Instant) -> Option<Instant> {
    let mut seen = Vec::new();
    loop {
        match output.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok((at, bytes)) => {
                seen.extend_from_slice(&bytes);
                let begun = find(&seen, BEGIN);
                if begun.is_some_and(|n| find(&seen[n..], END).is_some()) {
                    return Some(at);
                }
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
        }
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|w| w == what)
}
