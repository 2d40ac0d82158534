//! The laboratory: every file in `scenarios/` is a network, broken or healthy,
//! and the verdict that is true of it; each runs the real binary, and is a test
//! by name and user. What cannot run here is left out with the reason, never
//! passed. To look around in one instead of testing it:
//!
//! `FRC_LAB_COMMAND='ip route; fping srv.lab.test' cargo test --test lab -- NAME::root`

// A test binary: nothing is exported, its output is for people, a panic is a failed test.
#![allow(missing_docs, unreachable_pub, clippy::panic, clippy::print_stdout)]

mod certificates;
mod expect;
mod isolate;
mod network;
mod scenario;
mod services;

use std::env;
use std::io::Write;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use libtest_mimic::{Arguments, Completion, Trial};

/// Scenarios wait far more than they work.
const THREADS: usize = 12;

fn main() -> ExitCode {
    if let Ok(what) = env::var(isolate::INNER) {
        return match isolate::inner(&what) {
            Ok(()) => ExitCode::SUCCESS,
            Err(words) => {
                println!("{words}");
                ExitCode::FAILURE
            }
        };
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(THREADS);
    let scenarios = match scenario::all() {
        Ok(scenarios) => scenarios,
        Err(words) => {
            println!("{words}");
            return ExitCode::FAILURE;
        }
    };

    let way = Arc::new(isolate::way());
    let mut trials = vec![Trial::test("lab::comparison_tells_right_from_wrong", || {
        expect::tells_right_from_wrong().map_err(Into::into)
    })];
    for scenario in scenarios {
        let missing = scenario
            .topology
            .services
            .values()
            .filter_map(|s| s.kind.program())
            .chain(["ip", "nft", "setpriv", "timeout"])
            .find(|program| !installed(program));
        for &user in &scenario.users {
            let (way, chance, scenario) = (Arc::clone(&way), scenario.chance, scenario.name.clone());
            trials.push(Trial::ignorable_test(format!("lab::{scenario}::{}", user.name()), move || {
                match (way.as_ref(), missing) {
                    (Err(reason), _) => Ok(Completion::ignored_with(reason)),
                    (_, Some(program)) => Ok(Completion::ignored_with(format!("{program} is not installed"))),
                    (Ok(way), None) => {
                        let mut told = isolate::run(way, &scenario, user);
                        if let (Err(miss), true) = (&told, chance) {
                            let who = user.name();
                            let words = format!("lab::{scenario}::{who}: missed once, tried again: {miss}\n");
                            let _ = std::io::stderr().write_all(words.as_bytes());
                            told = isolate::run(way, &scenario, user);
                        }
                        told.map(|()| Completion::Completed).map_err(Into::into)
                    }
                }
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn installed(program: &str) -> bool {
    Command::new("sh").args(["-c", &format!("command -v {program}")]).output().is_ok_and(|o| o.status.success())
}
