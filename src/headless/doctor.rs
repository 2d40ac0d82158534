//! `frc doctor`: what this user may measure here, what each missing right costs,
//! and the exact command that grants it.

use std::fmt::Write;
use std::io;

use serde::Serialize;

use super::check::HostOut;
use super::output::{print, print_json};
use crate::model::Message;
use crate::model::host::{HostIdentity, IcmpRight, TraceRight};
use crate::text::Texts;

/// One right.
#[derive(Debug, Serialize)]
struct RightOut {
    right: &'static str,
    granted: bool,
    means: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    costs: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    grant: Vec<String>,
}

#[derive(Debug, Serialize)]
struct DoctorOut<'a> {
    schema: &'static str,
    host: HostOut<'a>,
    rights: Vec<RightOut>,
}

/// Says it; always 0.
///
/// # Errors
/// Standard output could not be written.
pub fn run(identity: &HostIdentity, json: bool, texts: &Texts) -> io::Result<u8> {
    let rights = rights(identity, texts);
    if json {
        print_json(&DoctorOut { schema: "frc.doctor/1", host: HostOut::new(identity), rights })?;
        return Ok(0);
    }
    let mut out =
        texts.render(&Message::new("doctor-head").with("host", &identity.name).with("uid", identity.uid.to_string()));
    out.push('\n');
    // Writing to a String cannot fail.
    for r in rights {
        let mark = if r.granted { "doctor-yes" } else { "doctor-no" };
        let _ = writeln!(out, "\n{}  {}", texts.word(mark), r.means);
        if let Some(costs) = r.costs {
            let _ = writeln!(out, "     {costs}");
        }
        for command in r.grant {
            let _ = writeln!(out, "     $ {command}");
        }
    }
    print(&out)?;
    Ok(0)
}

fn rights(identity: &HostIdentity, texts: &Texts) -> Vec<RightOut> {
    let rights = identity.rights;
    let program = std::env::current_exe().map_or_else(|_| "frc".to_owned(), |p| p.display().to_string());
    let word = |id: &'static str| texts.word(id).into_owned();
    let setcap = |caps: &str| format!("sudo setcap {caps}+ep '{program}'");
    let echo = RightOut {
        right: "icmp",
        granted: rights.icmp != IcmpRight::None,
        means: word(match rights.icmp {
            IcmpRight::Raw => "doctor-icmp-raw",
            IcmpRight::Dgram => "doctor-icmp-dgram",
            IcmpRight::None => "doctor-icmp-none",
        }),
        costs: (rights.icmp == IcmpRight::None).then(|| word("doctor-icmp-costs")),
        grant: match rights.icmp {
            IcmpRight::None => {
                vec!["sudo sysctl -w net.ipv4.ping_group_range='0 2147483647'".to_owned(), setcap("cap_net_raw")]
            }
            _ => Vec::new(),
        },
    };
    let trace = RightOut {
        right: "trace",
        granted: true,
        means: word(match (rights.trace, rights.icmp) {
            (TraceRight::Raw, _) => "doctor-trace-raw",
            (TraceRight::Errqueue, IcmpRight::None) => "doctor-trace-udp",
            (TraceRight::Errqueue, _) => "doctor-trace-errqueue",
        }),
        costs: None,
        grant: Vec::new(),
    };
    let packet = RightOut {
        right: "packet",
        granted: rights.packet,
        means: word(if rights.packet { "doctor-packet" } else { "doctor-packet-none" }),
        costs: (!rights.packet).then(|| word("doctor-packet-costs")),
        grant: if rights.packet { Vec::new() } else { vec![setcap("cap_net_raw")] },
    };
    let root = identity.uid == 0;
    let processes = RightOut {
        right: "processes",
        granted: root,
        means: word(if root { "doctor-processes" } else { "doctor-processes-own" }),
        costs: (!root).then(|| word("doctor-processes-costs")),
        grant: if root { Vec::new() } else { vec![setcap("cap_sys_ptrace,cap_dac_read_search")] },
    };
    vec![echo, trace, packet, processes]
}
