//! The terminal is whole again, whatever ends the console: on a real pty, with the
//! console as a child process. No network: the session is a tape.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test may")]

use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

#[path = "screens/tape_live.rs"]
mod live;
#[path = "screens/tape.rs"]
mod tape;

/// Longest wait for anything; a test that comes near it has failed.
const PATIENCE: Duration = Duration::from_secs(20);
const LEFT: &str = "\x1b[?1049l\x1b[?25h";
const FRAME_END: &str = "\x1b[?2026l";

/// Not a test: the console that the tests run as their child, in this same binary.
#[test]
#[ignore = "run by the other tests as their child"]
fn console_child() {
    let mode = std::env::var("FRC_TEST_CONSOLE").unwrap_or_default();
    let mut live = live::Live::new(tape::Tape::at_second(90, true));
    live.panics = mode == "panic";
    let texts = frc::text::Texts::new(frc::text::Language::En);
    let (_keep, batches) = channel();
    match frc::app::run(&frc::app::AppOptions::default(), &texts, &mut live, batches) {
        Ok(ending) => std::process::exit(i32::from(ending.status())),
        Err(why) => {
            println!("{}", texts.render(&frc::app::why_no_screen(&why)));
            std::process::exit(64);
        }
    }
}

fn command(mode: &str, term: &str) -> CommandBuilder {
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "console_child", "--nocapture"]);
    command.env("FRC_TEST_CONSOLE", mode);
    command.env("TERM", term);
    command.env("LANG", "C.UTF-8");
    command.env_remove("TMUX");
    command
}

struct Console {
    master: Option<Box<dyn MasterPty + Send>>,
    keys: Option<Box<dyn Write + Send>>,
    child: Box<dyn Child + Send + Sync>,
    output: Receiver<Vec<u8>>,
    seen: String,
}

impl Console {
    fn start(mode: &str, term: &str) -> Self {
        let size = PtySize { rows: 36, cols: 120, ..PtySize::default() };
        let pair = native_pty_system().openpty(size).unwrap();
        let child = pair.slave.spawn_command(command(mode, term)).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let (send, output) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = reader.read(&mut bytes) {
                if send.send(bytes[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { master: Some(pair.master), keys: Some(keys), child, output, seen: String::new() }
    }

    /// Reads until `what` was seen; everything since the start is kept.
    fn until(&mut self, what: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.seen.contains(what) {
            let left = end.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(e) => panic!("{what:?} never came ({e}): {:?}", self.seen),
            }
        }
    }

    fn press(&mut self, keys: &[u8]) {
        self.keys.as_mut().unwrap().write_all(keys).unwrap();
    }

    fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(self.child.process_id().unwrap() as i32);
        nix::sys::signal::kill(pid, signal).unwrap();
    }

    /// The exit status, and how long it took to come.
    fn end(&mut self) -> (u32, Duration) {
        let begin = Instant::now();
        (self.child.wait().unwrap().exit_code(), begin.elapsed())
    }
}

#[test]
fn quitting_gives_the_terminal_back() {
    for keys in [&b"q"[..], b"\x03"] {
        let mut console = Console::start("", "xterm-256color");
        console.until(FRAME_END);
        console.press(keys);
        console.until(LEFT);
        assert_eq!(console.end().0, 0);
    }
}

#[test]
fn signals_give_the_terminal_back() {
    use nix::sys::signal::Signal;
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT] {
        let mut console = Console::start("", "xterm-256color");
        console.until(FRAME_END);
        console.signal(signal);
        console.until(LEFT);
        assert_eq!(console.end().0, 128 + signal as u32);
    }
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_speaks() {
    let mut console = Console::start("panic", "xterm-256color");
    console.until(LEFT);
    console.until("as asked");
    let left = console.seen.find(LEFT).unwrap();
    assert!(console.seen.find("panicked").unwrap() > left, "{:?}", console.seen);
    assert_ne!(console.end().0, 0);
}

#[test]
fn a_terminal_that_is_gone_ends_the_console() {
    let mut console = Console::start("", "xterm-256color");
    console.until(FRAME_END);
    console.keys = None;
    console.master = None;
    // The reading thread holds the terminal open until it finds nobody to send the
    // next picture to; a second later the clock on the screen moves.
    console.output = channel().1;
    let (status, took) = console.end();
    assert_ne!(status, 0);
    assert!(took < PATIENCE);
}

/// Sizes follow each other faster than pictures are drawn; the last one counts.
#[test]
fn any_storm_of_sizes_is_survived() {
    let mut console = Console::start("", "xterm-256color");
    console.until(FRAME_END);
    let master = console.master.as_ref().unwrap();
    for n in 0..200u16 {
        let (rows, cols) = (n * 7 % 60, n * 13 % 200);
        master.resize(PtySize { rows, cols, ..PtySize::default() }).unwrap();
    }
    master.resize(PtySize { rows: 1, cols: 1, ..PtySize::default() }).unwrap();
    master.resize(PtySize { rows: 24, cols: 80, ..PtySize::default() }).unwrap();
    console.seen.clear();
    // Tabs stand where one pane has the room: 80 x 24 and nothing larger.
    console.until("runbook");
    console.until("\x1b[24;");
    console.press(b"q");
    console.until(LEFT);
    assert_eq!(console.end().0, 0);
}

#[test]
fn a_terminal_that_cannot_place_text_is_told_so() {
    let mut console = Console::start("", "dumb");
    console.until("frc check");
    assert!(!console.seen.contains("\x1b[?1049h"));
    assert_eq!(console.end().0, 64);
}
