//! The syntax of `/etc/resolv.conf` as glibc reads it (resolv.conf(5),
//! resolv/res_init.c). Owns the grammar. Must never open a file or know an
//! interface's index.

use std::net::{IpAddr, Ipv6Addr};

/// Most name servers kept. glibc itself uses the first three (MAXNS); a file
/// with more is kept longer so that people see what is there.
pub const MAX_SERVERS: usize = 16;

/// Most search domains kept.
pub const MAX_SEARCH: usize = 32;

/// Longest file read, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvConf {
    /// Servers in their order, with the scope as written after `%`.
    pub servers: Vec<(IpAddr, Option<String>)>,
    /// Search list; the last `search` or `domain` line wins.
    pub search: Vec<String>,
    /// `options ndots:N`, 1 unless given, at most 15.
    pub ndots: u8,
}

impl Default for ResolvConf {
    fn default() -> Self {
        Self { servers: Vec::new(), search: Vec::new(), ndots: 1 }
    }
}

/// Reads a whole file. Lines that glibc would not understand are passed over,
/// as it does.
pub fn parse(text: &str) -> ResolvConf {
    let mut conf = ResolvConf::default();
    for line in text.lines() {
        // A keyword begins its line: glibc does not skip leading blanks.
        if line.starts_with(['#', ';']) {
            continue;
        }
        let Some((keyword, rest)) = line.split_once([' ', '\t']) else { continue };
        let mut words = rest.split_ascii_whitespace();
        match keyword {
            "nameserver" => {
                if let Some(server) = words.next().and_then(server)
                    && conf.servers.len() < MAX_SERVERS
                {
                    conf.servers.push(server);
                }
            }
            "domain" => conf.search = words.take(1).filter_map(domain).collect(),
            "search" => conf.search = words.take(MAX_SEARCH).filter_map(domain).collect(),
            "options" => {
                for n in words.filter_map(|w| w.strip_prefix("ndots:")) {
                    conf.ndots = n.parse::<u8>().unwrap_or(conf.ndots).min(15);
                }
            }
            _ => {}
        }
    }
    conf
}

fn server(word: &str) -> Option<(IpAddr, Option<String>)> {
    if let Some((ip, scope)) = word.split_once('%') {
        let ip: Ipv6Addr = ip.parse().ok()?;
        let ok = !scope.is_empty() && scope.len() <= 15 && scope.bytes().all(|b| b.is_ascii_graphic());
        return ok.then(|| (ip.into(), Some(scope.to_owned())));
    }
    Some((word.parse().ok()?, None))
}

/// A search domain fit to be shown: the characters of host names, without the
/// final dot.
fn domain(word: &str) -> Option<String> {
    let word = word.strip_suffix('.').unwrap_or(word);
    let ok = !word.is_empty()
        && word.len() <= 253
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    ok.then(|| word.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_usual_file() {
        let conf = parse(
            "# made by hand\n; so was this\nnameserver 192.0.2.53\nnameserver\t2001:db8::53 # trailing\n\
             nameserver fe80::1%eth0\nsearch Example.org. lab.test\noptions edns0 ndots:3 timeout:1\n",
        );
        assert_eq!(
            conf.servers,
            [
                ("192.0.2.53".parse().unwrap(), None),
                ("2001:db8::53".parse().unwrap(), None),
                ("fe80::1".parse().unwrap(), Some("eth0".to_owned())),
            ]
        );
        assert_eq!(conf.search, ["example.org", "lab.test"]);
        assert_eq!(conf.ndots, 3);
    }

    #[test]
    fn the_last_of_search_and_domain_wins() {
        assert_eq!(parse("search a b\ndomain c\n").search, ["c"]);
        assert_eq!(parse("domain c\nsearch a b\n").search, ["a", "b"]);
    }

    #[test]
    fn what_glibc_does_not_understand_is_passed_over() {
        let conf = parse(
            " nameserver 192.0.2.1\nnameserver\nnameserver 192.0.2.300\nnameserver 1.2.3.4%lo\nndots:9\nsearch\n",
        );
        assert_eq!(conf, ResolvConf::default());
        assert_eq!(parse("options ndots:99\n").ndots, 15);
        assert_eq!(parse("options ndots:x\n").ndots, 1);
    }

    proptest! {
        #[test]
        fn any_text_is_read_within_bounds(
            text in "((nameserver|search|domain|options|[a-z]{0,9})[ \t]\\PC{0,50}\n){0,40}\\PC{0,200}"
        ) {
            let conf = parse(&text);
            prop_assert!(conf.servers.len() <= MAX_SERVERS && conf.search.len() <= MAX_SEARCH);
            prop_assert!(conf.ndots <= 15);
            prop_assert!(conf.search.iter().all(|s| s.is_ascii()));
        }

        #[test]
        fn addresses_are_read_as_written(ip: IpAddr) {
            let conf = parse(&format!("nameserver {ip}\n"));
            prop_assert_eq!(conf.servers, vec![(ip, None)]);
        }
    }
}
