//! What a person or a discovery asked to be watched, and how it is written.
//!
//! Owns the TARGET syntax of the command line, the palette and the
//! configuration. Must never resolve a name.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::probe::QueryType;

/// A target's number within a session, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TargetId(pub u32);

/// Whom a target names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Host {
    /// A name, lower case, without the trailing dot.
    Name(String),
    /// A literal address.
    Addr {
        /// The address.
        ip: IpAddr,
        /// The interface of a link-local address, as written after `%`.
        zone: Option<String>,
    },
}

impl Host {
    /// The name, where it is one.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Name(n) => Some(n),
            Self::Addr { .. } => None,
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(n) => f.write_str(n),
            Self::Addr { ip, zone: None } => ip.fmt(f),
            Self::Addr { ip, zone: Some(z) } => write!(f, "{ip}%{z}"),
        }
    }
}

/// What is asked of the host, on top of resolving it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Service {
    /// A bare host: echo and path.
    Host,
    /// A TCP port accepts.
    Tcp {
        /// Port.
        port: u16,
    },
    /// A UDP port answers, or at least does not refuse.
    Udp {
        /// Port.
        port: u16,
    },
    /// A TLS handshake succeeds and the certificate holds.
    Tls {
        /// Port.
        port: u16,
    },
    /// An HTTP request is answered.
    Http {
        /// Whether over TLS.
        tls: bool,
        /// Port.
        port: u16,
        /// Path and query, beginning with `/`.
        path: String,
    },
    /// The host answers DNS for a name.
    Dns {
        /// Port.
        port: u16,
        /// The name asked for.
        name: String,
        /// Record type asked for.
        qtype: QueryType,
    },
    /// The host tells the time.
    Ntp {
        /// Port.
        port: u16,
    },
}

impl Service {
    /// The transport port, where the service has one.
    pub fn port(&self) -> Option<u16> {
        match *self {
            Self::Host => None,
            Self::Tcp { port }
            | Self::Udp { port }
            | Self::Tls { port }
            | Self::Http { port, .. }
            | Self::Dns { port, .. }
            | Self::Ntp { port } => Some(port),
        }
    }

    /// Whether the service runs over TCP.
    pub fn is_tcp(&self) -> bool {
        matches!(self, Self::Tcp { .. } | Self::Tls { .. } | Self::Http { .. })
    }
}

/// Why a target is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A person or the configuration named it.
    Watched,
    /// A default gateway found in the routes.
    Gateway,
    /// A name server found in the resolver configuration.
    Resolver,
    /// A router on a watched path, echoed to locate loss.
    Hop,
}

/// One thing watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Number within the session.
    pub id: TargetId,
    /// As it was written, or as discovery writes it.
    pub text: String,
    /// Whom it names.
    pub host: Host,
    /// What is asked.
    pub service: Service,
    /// Why it is watched.
    pub role: Role,
    /// A person's own name for it, from the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

impl Target {
    /// What people call it: the label, else the text.
    pub fn name(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.text)
    }
}

/// Whom and what, as parsed from TARGET.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    /// Whom.
    pub host: Host,
    /// What.
    pub service: Service,
}

/// A TARGET that was understood, together with how it was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Written {
    /// As it was written.
    pub text: String,
    /// Whom and what.
    pub address: Address,
}

impl FromStr for Written {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        Ok(Self { text: text.to_owned(), address: text.parse()? })
    }
}

/// Why a TARGET could not be read. Each names the offending part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Nothing was written.
    #[error("empty target")]
    Empty,
    /// The part before `://` is none of ours.
    #[error("unknown scheme \"{0}\": use icmp, tcp, udp, tls, http, https, dns or ntp")]
    Scheme(String),
    /// Not a number from 1 to 65535.
    #[error("bad port \"{0}\": a port is a number from 1 to 65535")]
    Port(String),
    /// The scheme needs a port.
    #[error("{0}:// needs a port, as in {0}://host:443")]
    PortMissing(&'static str),
    /// The scheme has no ports.
    #[error("icmp:// takes no port")]
    PortUnexpected,
    /// Neither a host name (RFC 1123) nor an address.
    #[error("bad host \"{0}\": neither an address nor a host name")]
    Host(String),
    /// A user or a password before the host; not repeated, since it may be secret.
    #[error("a target takes no user and no password: leave out what stands before the @")]
    Credentials,
    /// An IPv6 address with a port needs brackets.
    #[error("\"{0}\": write an IPv6 address with a port as [address]:port")]
    Brackets(String),
    /// A path where the scheme has none.
    #[error("{0}:// takes no path, but \"{1}\" follows the host")]
    Path(&'static str, String),
    /// `dns://` without a name, or with a bad one.
    #[error("dns:// needs a name to ask for, as in dns://192.0.2.53/example.org?type=A")]
    DnsName,
    /// A query type or option we do not know.
    #[error("bad query \"{0}\": use ?type=A, AAAA, CNAME, MX, NS, PTR, SOA, SRV or TXT")]
    Query(String),
    /// Characters that no target has.
    #[error("target holds a control character or a space")]
    Characters,
}

impl FromStr for Address {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        if text.is_empty() {
            return Err(TargetError::Empty);
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(TargetError::Characters);
        }
        match text.split_once("://") {
            Some((scheme, rest)) => parse_url(scheme, rest),
            None => parse_bare(text),
        }
    }
}

fn parse_bare(text: &str) -> Result<Address, TargetError> {
    if let Some((host, path)) = text.split_once('/') {
        return Err(TargetError::Host(format!("{host}/{path}")));
    }
    let (host, port) = parse_authority(text)?;
    let service = port.map_or(Service::Host, |port| Service::Tcp { port });
    Ok(Address { host, service })
}

fn parse_url(scheme: &str, rest: &str) -> Result<Address, TargetError> {
    let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(at);
    let (host, port) = parse_authority(authority)?;
    let lower = scheme.to_ascii_lowercase();
    let plain = |scheme: &'static str| match path {
        "" | "/" => Ok(()),
        _ => Err(TargetError::Path(scheme, path.to_owned())),
    };
    let service = match lower.as_str() {
        "icmp" => {
            plain("icmp")?;
            if port.is_some() {
                return Err(TargetError::PortUnexpected);
            }
            Service::Host
        }
        "tcp" => {
            plain("tcp")?;
            Service::Tcp { port: port.ok_or(TargetError::PortMissing("tcp"))? }
        }
        "udp" => {
            plain("udp")?;
            Service::Udp { port: port.ok_or(TargetError::PortMissing("udp"))? }
        }
        "tls" => {
            plain("tls")?;
            Service::Tls { port: port.unwrap_or(443) }
        }
        "ntp" => {
            plain("ntp")?;
            Service::Ntp { port: port.unwrap_or(123) }
        }
        "http" | "https" => {
            let tls = lower == "https";
            Service::Http { tls, port: port.unwrap_or(if tls { 443 } else { 80 }), path: http_path(path) }
        }
        "dns" => parse_dns(path, port.unwrap_or(53))?,
        _ => return Err(TargetError::Scheme(scheme.chars().take(40).collect())),
    };
    Ok(Address { host, service })
}

/// The request target: fragment dropped, a slash put before a bare query.
fn http_path(path: &str) -> String {
    let path = path.split('#').next().unwrap_or_default();
    if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
}

fn parse_dns(path: &str, port: u16) -> Result<Service, TargetError> {
    let path = path.strip_prefix('/').ok_or(TargetError::DnsName)?;
    let (name, query) = path.split_once('?').map_or((path, None), |(n, q)| (n, Some(q)));
    let qtype = match query {
        None => QueryType::A,
        Some(q) => {
            q.strip_prefix("type=").and_then(|t| t.parse().ok()).ok_or_else(|| TargetError::Query(q.to_owned()))?
        }
    };
    let name = if name == "." { name.to_owned() } else { parse_name(name).map_err(|_| TargetError::DnsName)? };
    Ok(Service::Dns { port, name, qtype })
}

fn parse_port(text: &str) -> Result<u16, TargetError> {
    match text.parse::<u16>() {
        Ok(p) if p > 0 && text.bytes().all(|b| b.is_ascii_digit()) => Ok(p),
        _ => Err(TargetError::Port(text.to_owned())),
    }
}

fn parse_authority(text: &str) -> Result<(Host, Option<u16>), TargetError> {
    if text.contains('@') {
        return Err(TargetError::Credentials);
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (inside, after) = rest.split_once(']').ok_or_else(|| TargetError::Brackets(text.to_owned()))?;
        let host = parse_v6(inside).ok_or_else(|| TargetError::Host(inside.to_owned()))?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(parse_port(port)?))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(TargetError::Port(after.to_owned())),
        };
    }
    if let Some(host) = parse_v6(text) {
        return Ok((host, None));
    }
    match text.split_once(':') {
        None => Ok((parse_host(text)?, None)),
        Some((_, port)) if port.contains(':') => Err(TargetError::Brackets(text.to_owned())),
        Some((host, port)) => Ok((parse_host(host)?, Some(parse_port(port)?))),
    }
}

fn parse_v6(text: &str) -> Option<Host> {
    let (ip, zone) = match text.split_once('%') {
        Some((ip, zone)) if !zone.is_empty() && zone.len() <= 15 => (ip, Some(zone.to_owned())),
        Some(_) => return None,
        None => (text, None),
    };
    let ip: Ipv6Addr = ip.parse().ok()?;
    // A mapped address travels over IPv4; say so from the start.
    Some(match ip.to_ipv4_mapped() {
        Some(v4) => Host::Addr { ip: v4.into(), zone: None },
        None => Host::Addr { ip: ip.into(), zone },
    })
}

fn parse_host(text: &str) -> Result<Host, TargetError> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Ok(Host::Addr { ip, zone: None });
    }
    parse_name(text).map(Host::Name)
}

/// A host name by RFC 1123 2.1, underscores allowed as service names have them;
/// what looks like a broken IPv4 address (last label all digits) is refused.
fn parse_name(text: &str) -> Result<String, TargetError> {
    let bad = || TargetError::Host(text.to_owned());
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    if name.is_empty() || name.len() > 253 {
        return Err(bad());
    }
    let label_ok = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let last_is_number = name.rsplit('.').next().is_some_and(|l| l.bytes().all(|b| b.is_ascii_digit()));
    if !name.split('.').all(label_ok) || last_is_number {
        return Err(bad());
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<(String, Service), TargetError> {
        text.parse::<Address>().map(|a| (a.host.to_string(), a.service))
    }

    #[test]
    fn every_form_of_the_contract_is_read() {
        let ok =
            |text: &str, host: &str, service: Service| assert_eq!(read(text), Ok((host.to_owned(), service)), "{text}");
        ok("srv.lab.test", "srv.lab.test", Service::Host);
        ok("SRV.", "srv", Service::Host);
        ok("10.0.0.1:443", "10.0.0.1", Service::Tcp { port: 443 });
        ok("2001:db8::1", "2001:db8::1", Service::Host);
        ok("[2001:db8::1]:22", "2001:db8::1", Service::Tcp { port: 22 });
        ok("fe80::1%eth0", "fe80::1%eth0", Service::Host);
        ok("::ffff:10.0.0.1", "10.0.0.1", Service::Host);
        ok("icmp://h", "h", Service::Host);
        ok("udp://h:53", "h", Service::Udp { port: 53 });
        ok("tls://h", "h", Service::Tls { port: 443 });
        ok("https://h", "h", Service::Http { tls: true, port: 443, path: "/".into() });
        ok("http://h:8080/a?b=c#d", "h", Service::Http { tls: false, port: 8080, path: "/a?b=c".into() });
        ok("http://h?b", "h", Service::Http { tls: false, port: 80, path: "/?b".into() });
        ok(
            "dns://10.0.0.53/example.org?type=AAAA",
            "10.0.0.53",
            Service::Dns { port: 53, name: "example.org".into(), qtype: QueryType::Aaaa },
        );
        ok("ntp://[fd00::1]", "fd00::1", Service::Ntp { port: 123 });
    }

    #[test]
    fn mistakes_name_the_part() {
        assert_eq!(read("h:0"), Err(TargetError::Port("0".into())));
        assert_eq!(read("h:99999"), Err(TargetError::Port("99999".into())));
        assert_eq!(read("h:+1"), Err(TargetError::Port("+1".into())));
        assert_eq!(read("ftp://h"), Err(TargetError::Scheme("ftp".into())));
        assert_eq!(read("10.0.0.300"), Err(TargetError::Host("10.0.0.300".into())));
        assert_eq!(read("tcp://h"), Err(TargetError::PortMissing("tcp")));
        assert_eq!(read("icmp://h:1"), Err(TargetError::PortUnexpected));
        assert_eq!(read("dns://h"), Err(TargetError::DnsName));
        assert_eq!(read("dns://h/a?type=Z"), Err(TargetError::Query("type=Z".into())));
        assert_eq!(read("a b"), Err(TargetError::Characters));
        assert_eq!(read("2001:db8::1:99999"), Err(TargetError::Brackets("2001:db8::1:99999".into())));
        assert_eq!(read("http://"), Err(TargetError::Host(String::new())));
        assert_eq!(read("user@host"), Err(TargetError::Credentials));
        assert_eq!(read("http://user:pw@host/"), Err(TargetError::Credentials));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,80}") {
            let _ = read(&text);
        }

        #[test]
        fn any_address_and_port_is_read(ip: IpAddr, port in 1u16..) {
            let text = std::net::SocketAddr::new(ip, port).to_string();
            prop_assert_eq!(text.parse::<Address>().unwrap().service, Service::Tcp { port });
        }
    }
}
