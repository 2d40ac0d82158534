//! The codes that a finding may carry, each with its layer, its side and its place
//! in the order of causes. The one table that everything about codes comes from.

use crate::model::{Layer, Side};

/// Where a code stands in the order of causes; a finding may be caused by one of a
/// class before its own, where they share what they affect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the contract's")]
pub enum Class {
    Link,
    Address,
    Route,
    Neighbour,
    Gateway,
    Path,
    /// This host's own packet filter: it explains names and ports that it cuts off.
    Firewall,
    Host,
    Name,
    /// A listener of this host: what a port says follows from it, and nothing on
    /// the way here explains it.
    Listener,
    Port,
    Service,
    Tls,
    Http,
    /// Causes nothing and is caused by nothing.
    Apart,
}

impl Class {
    /// The declared edges of cause: whether a fault of this class may explain one
    /// of `effect`.
    pub fn may_cause(self, effect: Self) -> bool {
        use Class::{Apart, Firewall, Host, Listener, Name, Port};
        match (self, effect) {
            (Apart, _) | (_, Apart) => false,
            (Listener, effect) => effect == Port,
            (_, Listener) => false,
            (Firewall, effect) => matches!(effect, Name | Port),
            (_, Firewall) => false,
            // A dead far host does not explain a name server, nor the other way round.
            (Host, Name) | (Name, Host) => false,
            _ => self < effect,
        }
    }
}

/// One code of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// As in `path.blackhole`.
    pub name: &'static str,
    /// Its layer.
    pub layer: Layer,
    /// Whose side it is on.
    pub side: Side,
    /// Its place among causes.
    pub class: Class,
}

macro_rules! codes {
    ($($ident:ident $name:literal $layer:ident $side:ident $class:ident;)*) => {
        $(
            #[doc = concat!("`", $name, "`")]
            pub const $ident: Code =
                Code { name: $name, layer: Layer::$layer, side: Side::$side, class: Class::$class };
        )*
        /// Every code that a rule may give, in the order of the contract.
        pub const ALL: &[Code] = &[$($ident),*];
    };
}

codes! {
    LINK_DOWN "link.down" Link Host Link;
    LINK_NO_CARRIER "link.no_carrier" Link Host Link;
    ADDR_MISSING "addr.missing" Link Host Address;
    NEIGH_GATEWAY_UNRESOLVED "neigh.gateway_unresolved" Neighbour Path Neighbour;
    ROUTE_DEFAULT_MISSING "route.default_missing" Network Host Route;
    ROUTE_UNREACHABLE "route.unreachable" Network Host Route;
    GATEWAY_NOT_FORWARDING "gateway.not_forwarding" Network Path Gateway;
    PATH_BLACKHOLE "path.blackhole" Network Path Path;
    PATH_UNREACHABLE "path.unreachable" Network Path Path;
    HOST_UNREACHABLE "host.unreachable" Network Service Host;
    PATH_ADMIN_PROHIBITED "path.admin_prohibited" Network Path Path;
    PATH_LOOP "path.loop" Network Path Path;
    PATH_LOSS "path.loss" Network Path Path;
    PATH_HOP_RATELIMIT "path.hop_ratelimit" Network Path Apart;
    PATH_CHANGED "path.changed" Network Path Apart;
    PATH_ICMP_FILTERED "path.icmp_filtered" Network Path Apart;
    PORT_REFUSED "port.refused" Transport Service Port;
    PORT_REJECTED "port.rejected" Transport Service Port;
    PORT_FILTERED "port.filtered" Transport Service Port;
    PORT_NOT_LISTENING "port.not_listening" Transport Host Listener;
    PORT_LOOPBACK_ONLY "port.loopback_only" Transport Host Listener;
    FIREWALL_LOCAL_DROP "firewall.local_drop" Transport Host Firewall;
    UDP_NO_REPLY "udp.no_reply" Transport Service Port;
    DNS_NO_NAMESERVER "dns.no_nameserver" Name Host Name;
    DNS_SERVER_UNREACHABLE "dns.server_unreachable" Name Service Name;
    DNS_TIMEOUT "dns.timeout" Name Service Name;
    DNS_REFUSED "dns.refused" Name Service Name;
    DNS_SERVFAIL "dns.servfail" Name Service Name;
    DNS_NXDOMAIN "dns.nxdomain" Name Service Name;
    DNS_NO_DATA "dns.no_data" Name Service Name;
    DNS_SLOW "dns.slow" Name Service Name;
    TLS_EXPIRED "tls.expired" Tls Service Tls;
    TLS_NOT_YET_VALID "tls.not_yet_valid" Tls Service Tls;
    TLS_NAME_MISMATCH "tls.name_mismatch" Tls Service Tls;
    TLS_UNTRUSTED "tls.untrusted" Tls Service Tls;
    TLS_INCOMPLETE_CHAIN "tls.incomplete_chain" Tls Service Tls;
    TLS_REVOKED "tls.revoked" Tls Service Tls;
    TLS_EXPIRING "tls.expiring" Tls Service Tls;
    TLS_HANDSHAKE_FAILED "tls.handshake_failed" Tls Service Tls;
    SERVICE_SILENT "service.silent" Application Service Service;
    SERVICE_RESET "service.reset" Application Service Service;
    HTTP_5XX "http.5xx" Application Service Http;
    HTTP_4XX "http.4xx" Application Service Http;
    HTTP_SLOW "http.slow" Application Service Http;
    TIME_OFFSET "time.offset" Time Host Apart;
    TIME_UNSYNCHRONISED "time.unsynchronised" Time Service Service;
    TIME_SERVER_UNREACHABLE "time.server_unreachable" Time Service Port;
}

/// The code of that name.
pub fn find(name: &str) -> Option<Code> {
    ALL.iter().copied().find(|c| c.name == name)
}

impl Code {
    /// Identifier of its sentence in the message files: `finding-path-blackhole`.
    pub fn message_id(self) -> String {
        format!("finding-{}", self.dashed())
    }

    /// The code with dashes, as message identifiers need it.
    pub fn dashed(self) -> String {
        self.name.replace(['.', '_'], "-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_run_from_below_only() {
        assert!(Class::Link.may_cause(Class::Http));
        assert!(Class::Path.may_cause(Class::Name));
        assert!(!Class::Http.may_cause(Class::Tls));
        assert!(!Class::Link.may_cause(Class::Link));
        assert!(!Class::Host.may_cause(Class::Name));
        assert!(Class::Host.may_cause(Class::Port));
        assert!(!Class::Link.may_cause(Class::Apart));
        assert!(Class::Listener.may_cause(Class::Port));
        assert!(!Class::Listener.may_cause(Class::Http));
        assert!(!Class::Link.may_cause(Class::Listener));
    }

    #[test]
    fn every_name_is_there_once() {
        let mut names: Vec<_> = ALL.iter().map(|c| c.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        assert_eq!(find("path.loss"), Some(PATH_LOSS));
        assert_eq!(PATH_LOSS.message_id(), "finding-path-loss");
    }
}
