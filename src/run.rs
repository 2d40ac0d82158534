//! From the command line to the command: configuration, language, dispatch.

use std::io;

use crate::cli::{Cli, Command, EX_CONFIG, EX_USAGE, Global, RunbookCommand};
use crate::config::{self, Config};
use crate::headless::{Setup, check, doctor, identity, output, ping, runbook, trace, watch};
use crate::log;
use crate::model::{Message, Mistake};
use crate::probes::rights;
use crate::runbook::Runbook;
use crate::text::{Environment, Language, Texts, mistakes};

/// Exit status of a failure of this host that is no usage error (sysexits.h,
/// `EX_OSERR`).
const EX_OSERR: u8 = 71;

/// What runs the console: its exit status, or why there is no screen. Given by
/// `main`, the only one that knows the screen.
pub type Console = fn(&Setup, &Global, &Texts, Vec<Runbook>) -> io::Result<Result<u8, Message>>;

/// Runs what was asked for; the exit status.
pub fn run(cli: &Cli, console: Console) -> u8 {
    rights::drop_beyond_need();
    let texts = texts(cli);
    let config = match config::load(cli.global.config.as_deref()) {
        Ok(config) => config,
        Err(mistakes) => return complain(&mistakes, &texts, EX_CONFIG),
    };
    // What is over within seconds leaves no trace in anybody's home.
    let lasts = matches!(cli.command, None | Some(Command::Watch { .. }));
    let _log = (lasts || cli.global.verbose > 0).then(|| log::start(cli.global.verbose));
    match dispatch(cli, &config, &texts, console) {
        Ok(status) => status,
        Err(e) => {
            let about = if output::is_unwritten(&e) { "error-output" } else { "error-start" };
            say(&texts.render(&Message::new(about).with("why", e.to_string())));
            EX_OSERR
        }
    }
}

fn texts(cli: &Cli) -> Texts {
    let var = |name: &str| std::env::var(name).unwrap_or_default();
    let (all, messages, ctype, lang) = (var("LC_ALL"), var("LC_MESSAGES"), var("LC_CTYPE"), var("LANG"));
    let environment =
        Environment { lc_all: Some(&all), lc_messages: Some(&messages), lc_ctype: Some(&ctype), lang: Some(&lang) };
    let chosen = Language::detect(cli.global.lang.as_deref(), environment);
    let texts = Texts::new(chosen.language);
    if let Some(word) = &chosen.note {
        say(&texts.render(word));
    }
    texts
}

fn dispatch(cli: &Cli, config: &Config, texts: &Texts, console: Console) -> io::Result<u8> {
    let json = cli.global.json;
    let setup = |targets: &[crate::model::target::Written]| Setup::new(targets, &cli.global, config);
    match &cli.command {
        Some(Command::Check { window, targets }) => check::run(&setup(targets), *window, json, texts),
        Some(Command::Watch { targets }) => watch::run(&setup(targets), texts),
        Some(Command::Ping { count, interval, file, targets }) => {
            let mut setup = Setup { targets: Vec::new(), ..setup(targets) };
            setup
                .targets
                .extend(targets.iter().map(|w| crate::session::TargetRequest { written: w.clone(), label: None }));
            if let Some(file) = file {
                match ping::read_list(file) {
                    Ok(listed) => {
                        let written: Vec<_> = listed.iter().map(|t| t.written.clone()).collect();
                        if let Some(words) = cli.global.family_conflict(&written) {
                            say(&words);
                            return Ok(EX_USAGE);
                        }
                        setup.targets.extend(listed);
                    }
                    Err(mistakes) => return Ok(complain(&mistakes, texts, EX_USAGE)),
                }
            }
            ping::run(&setup, ping::Order { count: *count, interval: *interval }, json, texts)
        }
        Some(Command::Trace { rounds, proto, port, targets }) => {
            let order = trace::Order { rounds: *rounds, protos: proto.clone(), port: *port };
            trace::run(&setup(targets), order, json, texts)
        }
        Some(Command::Runbook { what }) => runbooks(what, json, texts),
        Some(Command::Doctor) => doctor::run(&identity(), json, texts),
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut crate::cli::command(), "frc", &mut script);
            output::print(&String::from_utf8_lossy(&script)).map(|_| 0)
        }
        Some(Command::Man) => {
            let mut page = Vec::new();
            clap_mangen::Man::new(crate::cli::command()).render(&mut page)?;
            output::print(&String::from_utf8_lossy(&page)).map(|_| 0)
        }
        None => {
            let books = known_runbooks(texts).into_iter().map(|k| k.runbook).collect();
            match console(&setup(&cli.targets), &cli.global, texts, books)? {
                Ok(status) => Ok(status),
                Err(why) => {
                    say(&texts.render(&why));
                    Ok(EX_USAGE)
                }
            }
        }
    }
}

/// The built-in and the user's runbooks; files left out are told.
fn known_runbooks(texts: &Texts) -> Vec<runbook::Known> {
    let (known, wrong) = runbook::known(config::runbook_folder().as_deref(), texts.language());
    complain(&wrong, texts, 0);
    known
}

fn runbooks(what: &RunbookCommand, json: bool, texts: &Texts) -> io::Result<u8> {
    if let RunbookCommand::Lint { files } = what {
        return runbook::lint(files, texts);
    }
    let known = known_runbooks(texts);
    match what {
        RunbookCommand::Show { id } => Ok(runbook::show(&known, id, json, texts)?.unwrap_or_else(|unknown| {
            say(&texts.render(&unknown));
            runbook::EX_DATAERR
        })),
        _ => runbook::list(&known, json, texts),
    }
}

/// Words for people, on standard error; where that is closed there is nobody to
/// tell.
fn say(words: &str) {
    use io::Write;
    let _ = writeln!(io::stderr().lock(), "frc: {words}");
}

fn complain(found: &[Mistake], texts: &Texts, status: u8) -> u8 {
    for mistake in found {
        say(&mistakes::render(mistake, texts));
    }
    status
}
