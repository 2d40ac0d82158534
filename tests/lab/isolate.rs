//! Runs one scenario in namespaces of its own: mounts, network, processes, host
//! name. Whatever it leaves behind ends with its first process, so there is
//! nothing to clean up and nothing that two scenarios share.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::certificates;
use crate::expect;
use crate::network::{Network, apply, feed, sysctl};
use crate::scenario::{Scenario, User, folder};
use crate::services::Services;

/// Set inside the namespaces: `SCENARIO USER`.
pub const INNER: &str = "FRC_LAB_INNER";
/// A shell command to run on the client in place of the program, to look around.
pub const LOOK: &str = "FRC_LAB_COMMAND";

/// Seconds after which a scenario has failed, whatever it still does.
const LIMIT: &str = "90";

const NAMESPACES: &[&str] = &["--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc"];
/// Where everything of the scenario lives; `/run` is a filesystem of its own inside.
const FOLDER: &str = "/run/lab";

/// How to get such namespaces here, or why there is no way.
pub fn way() -> Result<Vec<&'static str>, String> {
    let mut said = String::new();
    for extra in [&[][..], &["--user", "--map-root-user"][..]] {
        let arguments: Vec<&str> = extra.iter().chain(NAMESPACES).copied().collect();
        let tried = Command::new("unshare")
            .args(&arguments)
            .args([
                "sh",
                "-c",
                "mount -t tmpfs tmpfs /run && mkdir /run/netns && ip netns add t && ip -n t link set lo up",
            ])
            .stdin(Stdio::null())
            .output();
        match tried {
            Ok(output) if output.status.success() => return Ok(arguments),
            Ok(output) => said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; "),
            Err(error) => said = format!("unshare: {error}"),
        }
    }
    Err(format!("namespaces cannot be made here (needs root, or unprivileged user namespaces): {said}"))
}

/// Runs this binary again inside; the words of whatever went wrong.
pub fn run(way: &[&str], scenario: &str, user: User) -> Result<(), String> {
    let own = env::current_exe().map_err(|e| e.to_string())?;
    let output = Command::new("timeout")
        .args(["--kill-after=2", LIMIT, "unshare"])
        .args(way)
        .arg(own)
        .env(INNER, format!("{scenario} {}", user.name()))
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("timeout: {e}"))?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    match output.status.code() {
        Some(0) => Ok(()),
        Some(124 | 137) => Err(format!("not done after {LIMIT} s\n{said}")),
        _ => Err(said),
    }
}

/// What runs inside: build, break, run, compare.
pub fn inner(what: &str) -> Result<(), String> {
    let (name, user) = what.split_once(' ').ok_or("no scenario")?;
    let user = match user {
        "root" => User::Root,
        "pinger" => User::Pinger,
        _ => User::Nobody,
    };
    let scenario = Scenario::read(&folder().join("scenarios").join(format!("{name}.toml")))?;
    let expect = scenario.expect(user).clone();
    let client = scenario.topology.client.clone();
    prepare(&scenario)?;
    let network = Network::build(scenario.topology)?;
    let topology = network.topology();
    let mut services = Services::start(topology, Path::new(FOLDER))?;

    let mut later = Vec::new();
    for fault in scenario.faults {
        if fault.after.is_some() {
            later.push(fault);
            continue;
        }
        if let Some(name) = &fault.stop {
            services.stop(name)?;
        }
        apply(&fault)?;
    }
    network.age()?;
    if user == User::Pinger {
        // A new namespace lets nobody ping. A user namespace knows one group only.
        let path = "ipv4/ping_group_range";
        sysctl(&client, path, "0 2147483647").or_else(|_| sysctl(&client, path, "0 0"))?;
    }

    let mut command = as_user(&client, user);
    match env::var(LOOK) {
        Ok(look) => command.args(["sh", "-c", &format!("({look}) 2>&1")]),
        Err(_) => command.arg("/run/lab/frc").args(["check", "--json"]).args(&scenario.options).args(&scenario.targets),
    };
    let started = Instant::now();
    let child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|e| format!("{command:?}: {e}"))?;
    later.sort_by(|a, b| a.after.partial_cmp(&b.after).unwrap_or(std::cmp::Ordering::Equal));
    for fault in later {
        let at = started + Duration::from_secs_f64(fault.after.unwrap_or(0.0));
        std::thread::sleep(at.saturating_duration_since(Instant::now()));
        if let Some(name) = &fault.stop {
            services.stop(name)?;
        }
        apply(&fault)?;
    }
    let output = child.wait_with_output().map_err(|e| e.to_string())?;
    let seconds = started.elapsed().as_secs_f64();
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if env::var_os(LOOK).is_some() {
        return Err(format!("{printed}{said}"));
    }
    let wrong = expect::differences(&printed, output.status.code(), seconds, &expect);
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!("{name}: {}\n{}\n{said}", scenario.about, wrong.join("\n")))
}

/// A filesystem of its own with the program, certificates, and what /etc says.
fn prepare(scenario: &Scenario) -> Result<(), String> {
    let mut names: Vec<String> = scenario.topology.names.keys().cloned().collect();
    names.sort_by_key(|name| !name.starts_with("srv"));
    names.extend(scenario.topology.names.values().flatten().cloned());
    let resolvers: String =
        scenario.topology.nameservers.iter().flat_map(|s| ["nameserver ", s.as_str(), "\n"]).collect();
    let client = &scenario.topology.client;

    // Where /etc/resolv.conf is a link into /run, its target must exist again.
    let link = fs::canonicalize("/etc/resolv.conf").unwrap_or_else(|_| "/etc/resolv.conf".into());
    feed(Command::new("mount").args(["-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"]), "")?;
    let failed = |e: std::io::Error| format!("/run/lab: {e}");
    fs::create_dir_all("/run/netns").map_err(failed)?;
    fs::create_dir_all("/run/lab/home").map_err(failed)?;
    fs::set_permissions("/run/lab/home", fs::Permissions::from_mode(0o777)).map_err(failed)?;
    if link.starts_with("/run") {
        fs::create_dir_all(link.parent().unwrap_or(Path::new("/run"))).map_err(failed)?;
        fs::write(&link, "").map_err(failed)?;
    }
    certificates::write(Path::new(FOLDER), &names)?;
    fs::write("/run/lab/resolv.conf", resolvers).map_err(failed)?;
    fs::write("/run/lab/hosts", format!("127.0.0.1 localhost\n::1 localhost\n127.0.1.1 {client}\n")).map_err(failed)?;
    fs::write("/run/lab/frc", "").map_err(failed)?;
    for (from, to) in [
        ("/run/lab/resolv.conf", "/etc/resolv.conf"),
        ("/run/lab/hosts", "/etc/hosts"),
        // Seen by every user, wherever it was built.
        (env!("CARGO_BIN_EXE_frc"), "/run/lab/frc"),
    ] {
        feed(Command::new("mount").args(["--bind", from, to]), "")?;
    }
    nix::unistd::sethostname(client).map_err(|e| format!("host name: {e}"))
}

/// A command on the client, as that user, with nothing of this environment.
fn as_user(client: &str, user: User) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", client]);
    if user != User::Root {
        let mapped = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        let whole = mapped.split_whitespace().nth(2).and_then(|n| n.parse::<u64>().ok()).is_some_and(|n| n > 65_534);
        if whole {
            command.args(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"]);
            command.args(["--inh-caps=-all", "--bounding-set=-all"]);
        } else {
            // No other user exists in here, but one without any right over this network does.
            command.args(["unshare", "--user", "--map-user=65534", "--map-group=65534"]);
        }
    }
    command
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", "/run/lab/home")
        .env("LANG", "C.UTF-8")
        .env("TERM", "dumb")
        .env("RUST_BACKTRACE", "1")
        .env("SSL_CERT_FILE", "/run/lab/ca.pem")
        .stdin(Stdio::null());
    command
}
