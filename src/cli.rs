//! The command line as data: every call of the contract that exists.
//!
//! Owns option names, their help and their bounds. Must never act on them: `main`
//! hands the result on. The help of options is the one text for people outside
//! `assets/locales/`.
//!
//! A first word that is a command's name is that command. To watch a host of the
//! same name write `frc -- check` or `frc icmp://check`.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand};

use crate::model::Host;
use crate::model::duration;
use crate::model::probe::TraceProto;
use crate::model::target::{TargetError, Written};
use crate::text::Language;

/// Exit status of a usage error (sysexits.h, `EX_USAGE`).
pub const EX_USAGE: u8 = 64;
/// Exit status of a configuration error (sysexits.h, `EX_CONFIG`).
pub const EX_CONFIG: u8 = 78;

/// Commands to come: as hosts they would open a console nobody asked for.
const RESERVED: [&str; 4] = ["incident", "drill", "attach", "war-room"];

const TARGETS: &str = "TARGET is HOST, HOST:PORT or a URL: icmp:// tcp:// udp:// tls:// http:// https:// \
dns://SERVER[:PORT]/NAME[?type=A] ntp://. An IPv6 address stands in brackets where a port follows. \
A URL also tests the layers under it: https://h/ resolves, pings, traces, connects and checks the certificate of h.";

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Parser)]
#[command(
    name = "frc",
    version,
    about = "Terminal incident console: what is broken, whose side it is on, what to do next",
    long_about = "Terminal incident console for on-call engineers: what is broken, whose side it is on, since when, \
what to do next, and whether it is really well again. Without TARGET it watches what it finds by itself: every NIC, \
the default gateways, the configured resolvers, the listening services. Nothing needs root; `frc doctor` says what \
more rights would add.",
    after_long_help = "A host that is named like a command is written as a URL (icmp://check) or after `--`.\n\n\
Exit status of check: 0 healthy, 1 degraded, 2 fault, 3 not measured. Of ping and trace: 0 all answered, 2 some did \
not, 3 nothing measured. Usage errors: 64. Configuration errors: 78.",
    override_usage = "frc [OPTIONS] [TARGET]...\n       frc [OPTIONS] COMMAND ...",
    disable_help_subcommand = true,
    infer_subcommands = false
)]
pub struct Cli {
    /// Options that every command takes.
    #[command(flatten)]
    pub global: Global,
    /// The command; the console where there is none.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What to watch
    #[arg(value_name = "TARGET", value_parser = target, long_help = TARGETS)]
    pub targets: Vec<Written>,
}

/// Options that every command takes.
#[derive(Debug, Clone, PartialEq, Default, Args)]
pub struct Global {
    /// Read this configuration instead of ~/.config/frc/frc.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Language of the interface: en or zh-CN
    #[arg(long, global = true, value_name = "LANG", value_parser = language)]
    pub lang: Option<String>,
    /// Print JSON, where the command prints data
    #[arg(long, global = true)]
    pub json: bool,
    /// Use IPv4 only
    #[arg(short = '4', global = true, conflicts_with = "ipv6_only", id = "ipv4_only")]
    pub ipv4_only: bool,
    /// Use IPv6 only
    #[arg(short = '6', global = true, id = "ipv6_only")]
    pub ipv6_only: bool,
    /// Send from this interface
    #[arg(long, global = true, value_name = "IF", value_parser = interface)]
    pub interface: Option<String>,
    /// Send from this address
    #[arg(long, global = true, value_name = "ADDR")]
    pub source: Option<IpAddr>,
    /// Refuse everything that would change this host
    #[arg(long, global = true)]
    pub read_only: bool,
    /// Use no colours (as does NO_COLOR)
    #[arg(long, global = true)]
    pub no_color: bool,
    /// Draw with ASCII characters only
    #[arg(long, global = true)]
    pub ascii: bool,
    /// Log more (twice: still more)
    #[arg(short, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

impl Global {
    /// Whether a target of this address may be measured: `-4`, `-6` and the family
    /// of `--source` say so.
    pub fn allows(&self, v4: bool) -> bool {
        let from = self.source.is_none_or(|s| s.is_ipv4() == v4);
        from && if v4 { !self.ipv6_only } else { !self.ipv4_only }
    }

    /// What is asked for and ruled out at once: an address of the other family.
    pub fn family_conflict(&self, targets: &[Written]) -> Option<String> {
        let (from, only) = match (self.source, self.ipv4_only, self.ipv6_only) {
            (Some(source), ..) => (source.to_string(), format!("--source {source}")),
            (None, true, _) => (String::new(), "-4".to_owned()),
            (None, _, true) => (String::new(), "-6".to_owned()),
            (None, false, false) => return None,
        };
        if !self.allows(true) && !self.allows(false) {
            let flag = if self.ipv4_only { "-4" } else { "-6" };
            return Some(format!("{from} is an address of the family that {flag} rules out"));
        }
        targets.iter().find_map(|target| match &target.address.host {
            Host::Addr { ip, .. } if !self.allows(ip.is_ipv4()) => {
                Some(format!("{} is an address of the family that {only} rules out", target.text))
            }
            _ => None,
        })
    }
}

/// A command besides the console.
#[derive(Debug, Clone, PartialEq, Subcommand)]
pub enum Command {
    /// Measure, print one verdict, exit
    ///
    /// Ends early when every target has a cause that is certain. Exit status: 0
    /// healthy, 1 degraded, 2 fault, 3 not measured.
    Check {
        /// Measure for at most this long
        #[arg(long = "for", value_name = "TIME", default_value = "8s", value_parser = window)]
        window: Duration,
        /// What to check; without, everything found on this host
        #[arg(value_name = "TARGET", value_parser = target, long_help = TARGETS)]
        targets: Vec<Written>,
    },
    /// Print one record per line until stopped (always JSON)
    Watch {
        /// What to watch; without, everything found on this host
        #[arg(value_name = "TARGET", value_parser = target, long_help = TARGETS)]
        targets: Vec<Written>,
    },
    /// Send echo requests only
    Ping {
        /// Stop after this many requests to each target
        #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        count: Option<u32>,
        /// From one request to the next, for each target
        #[arg(short, long, value_name = "TIME", default_value = "1s", value_parser = interval)]
        interval: Duration,
        /// Read targets from this file, one a line; `-` is standard input
        #[arg(short, long, value_name = "LIST")]
        file: Option<PathBuf>,
        /// Whom to ping
        #[arg(value_name = "TARGET", value_parser = target, long_help = TARGETS, required_unless_present = "file")]
        targets: Vec<Written>,
    },
    /// Find the hops to each target
    Trace {
        /// Stop after this many rounds
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        rounds: Option<u32>,
        /// Protocols to probe with, the preferred one first [icmp,udp,tcp]
        #[arg(long, value_name = "PROTO", value_delimiter = ',',
              value_parser = PossibleValuesParser::new(["icmp", "udp", "tcp"]).map(|p| proto(&p)))]
        proto: Vec<TraceProto>,
        /// Destination port of UDP and TCP probes
        #[arg(long, value_name = "P", value_parser = clap::value_parser!(u16).range(1..))]
        port: Option<u16>,
        /// Where to
        #[arg(value_name = "TARGET", value_parser = target, long_help = TARGETS, required = true)]
        targets: Vec<Written>,
    },
    /// Look at runbooks
    Runbook {
        /// What to do.
        #[command(subcommand)]
        what: RunbookCommand,
    },
    /// Say what this user may measure here, and how to get the rest
    Doctor,
    /// Print the completion script of a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff)
    Man,
}

/// What to do with runbooks.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum RunbookCommand {
    /// List the built-in runbooks and your own
    List,
    /// Print one runbook
    Show {
        /// Its id, as listed
        id: String,
    },
    /// Look for mistakes, with line and column
    Lint {
        /// Markdown files
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
}

/// Why there is nothing to do: help was asked for, or the call makes no sense.
#[derive(Debug)]
pub struct Declined(clap::Error);

impl Declined {
    /// Exit status: 0 for help and version, else [`EX_USAGE`].
    pub fn status(&self) -> u8 {
        if self.0.use_stderr() { EX_USAGE } else { 0 }
    }

    /// Prints help to standard output, an error to standard error. A closed
    /// output is nobody's mistake.
    pub fn print(&self) {
        let _ = self.0.print();
    }
}

impl std::fmt::Display for Declined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads the command line, the program's name first.
pub fn parse<I, T>(args: I) -> Result<Cli, Declined>
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    let escaped = args.iter().any(|a| a == "--");
    let cli = Cli::try_parse_from(args).map_err(Declined)?;
    let conflict = |text: &str| Declined(command().error(clap::error::ErrorKind::ArgumentConflict, text));
    if cli.command.is_some() && !cli.targets.is_empty() {
        return Err(conflict("targets stand after the command: frc check TARGET"));
    }
    let targets = match &cli.command {
        None => cli.targets.as_slice(),
        Some(
            Command::Check { targets, .. }
            | Command::Watch { targets }
            | Command::Ping { targets, .. }
            | Command::Trace { targets, .. },
        ) => targets,
        Some(_) => &[],
    };
    if let Some(words) = cli.global.family_conflict(targets) {
        return Err(conflict(&words));
    }
    match &cli.command {
        None if cli.targets.first().is_some_and(|t| RESERVED.contains(&t.text.as_str()) && !escaped) => {
            Err(conflict("this command does not exist yet; a host of that name is written icmp://NAME, or after `--`"))
        }
        None if cli.global.json => {
            Err(conflict("the console draws; for JSON use frc check --json or frc watch --json"))
        }
        Some(Command::Trace { proto, port: Some(_), .. })
            if !proto.is_empty() && proto.iter().all(|p| *p == TraceProto::Icmp) =>
        {
            Err(conflict("ICMP has no ports: leave --port out, or add udp or tcp to --proto"))
        }
        _ => Ok(cli),
    }
}

/// The command line's description, for completions and the manual page.
pub fn command() -> clap::Command {
    Cli::command()
}

fn target(text: &str) -> Result<Written, String> {
    text.parse().map_err(|e: TargetError| e.to_string())
}

fn between(text: &str, least: Duration, most: Duration, words: &str) -> Result<Duration, String> {
    let value = duration::parse(text).map_err(|e| e.to_string())?;
    if value < least || value > most { Err(words.to_owned()) } else { Ok(value) }
}

fn window(text: &str) -> Result<Duration, String> {
    between(text, Duration::from_millis(100), Duration::from_secs(86_400), "choose between 100ms and 24h")
}

fn interval(text: &str) -> Result<Duration, String> {
    between(text, Duration::from_millis(10), Duration::from_secs(3_600), "choose between 10ms and 1h")
}

/// An interface name by the kernel's own rule (`dev_valid_name`).
fn interface(text: &str) -> Result<String, String> {
    let bad = |c: char| c == '/' || c == ':' || c.is_whitespace() || c.is_control();
    if text.is_empty() || text.len() > 15 || text == "." || text == ".." || text.contains(bad) {
        return Err("an interface name has 1 to 15 characters, no slash, colon or space, as in eth0".to_owned());
    }
    Ok(text.to_owned())
}

fn language(text: &str) -> Result<String, String> {
    if Language::is_known(text) { Ok(text.to_owned()) } else { Err("use en or zh-CN".to_owned()) }
}

fn proto(text: &str) -> TraceProto {
    match text {
        "udp" => TraceProto::Udp,
        "tcp" => TraceProto::Tcp,
        _ => TraceProto::Icmp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Cli, (u8, String)> {
        parse(std::iter::once("frc").chain(line.split_whitespace())).map_err(|d| (d.status(), d.to_string()))
    }

    fn refused(line: &str, words: &str) {
        let (status, text) = read(line).expect_err(line);
        assert_eq!(status, EX_USAGE, "{line}");
        assert!(text.contains(words), "{line}: {text}");
    }

    #[test]
    fn the_description_holds_together() {
        command().debug_assert();
    }

    #[test]
    fn without_a_command_it_is_the_console() {
        let cli = read("10.0.0.1:443 srv").unwrap();
        assert_eq!(cli.command, None);
        assert_eq!(cli.targets.len(), 2);
        assert!(read("").unwrap().targets.is_empty());
        assert_eq!(read("-- check").unwrap().targets[0].text, "check");
        assert_eq!(read("srv check").unwrap().targets.len(), 2);
        assert_eq!(read("-- drill").unwrap().targets[0].text, "drill");
    }

    #[test]
    fn every_call_of_the_contract_is_read() {
        let window = |line: &str| match read(line).unwrap().command {
            Some(Command::Check { window, targets }) => (window, targets.len()),
            other => panic!("{other:?}"),
        };
        assert_eq!(window("check"), (Duration::from_secs(8), 0));
        assert_eq!(window("check --for 500ms --json https://h/ h:22"), (Duration::from_millis(500), 2));
        assert_eq!(window("--json -4 --lang en check --for 2m h"), (Duration::from_secs(120), 1));
        assert!(read("watch --json h").unwrap().global.json);
        let cli = read("ping --count 3 --interval 0.2 --file - h").unwrap();
        assert!(matches!(cli.command, Some(Command::Ping { count: Some(3), interval, file: Some(_), .. })
            if interval == Duration::from_millis(200)));
        let cli = read("trace --rounds 5 --proto udp,tcp --port 443 h").unwrap();
        assert!(matches!(cli.command, Some(Command::Trace { rounds: Some(5), port: Some(443), ref proto, .. })
            if *proto == [TraceProto::Udp, TraceProto::Tcp]));
        for line in ["doctor --json", "man", "completions bash", "runbook list", "runbook show a", "runbook lint a b"] {
            assert!(read(line).is_ok(), "{line}");
        }
        let cli = read("-6 --interface eth0 --source ::1 --read-only --no-color --ascii -vv --config f").unwrap();
        assert_eq!(cli.global.verbose, 2);
        assert!(cli.global.ipv6_only && cli.global.ascii && cli.global.read_only && cli.global.no_color);
    }

    #[test]
    fn mistakes_are_told_with_what_to_do() {
        refused("check h:99999", "bad port");
        refused("check ftp://h", "unknown scheme");
        refused("check http://", "bad host");
        refused("check --for 8x", "500ms, 8s, 2m");
        refused("check --for 0", "between 100ms and 24h");
        refused("ping --interval 1ms h", "between 10ms and 1h");
        refused("ping --count 0 h", "0");
        refused("ping", "required");
        refused("trace", "required");
        refused("trace --proto sctp h", "possible values");
        refused("trace --proto icmp --port 80 h", "no ports");
        refused("--nonsense", "--nonsense");
        refused("-4 -6", "cannot be used with");
        refused("--json", "frc check --json");
        refused("--lang klingon", "zh-CN");
        refused("--source nowhere check", "nowhere");
        refused("--interface a/b", "interface name");
        refused("-6 check 192.0.2.1", "192.0.2.1 is an address of the family that -6 rules out");
        refused("-4 ping h [::1]:80", "-4 rules out");
        refused("--source 192.0.2.9 check https://[2001:db8::1]/", "--source 192.0.2.9 rules out");
        refused("-6 --source 192.0.2.9 check h", "192.0.2.9 is an address of the family that -6 rules out");
        refused("drill dns", "does not exist yet");
    }

    #[test]
    fn bytes_that_are_no_text_are_a_usage_error() {
        use std::os::unix::ffi::OsStringExt;
        let args = vec![OsString::from("frc"), OsString::from("check"), OsString::from_vec(vec![0xff, 0x1b])];
        assert_eq!(parse(args).expect_err("not UTF-8").status(), EX_USAGE);
    }

    #[test]
    fn help_and_version_are_no_errors() {
        for line in ["--help", "-h", "--version", "check --help", "runbook --help"] {
            assert_eq!(read(line).expect_err(line).0, 0, "{line}");
        }
    }
}
