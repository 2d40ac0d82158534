//! What is right or wrong with a certificate chain, each fault told apart.
//!
//! Owns the trust anchors and the verdict's order. Must never open a connection,
//! and never stop one: the verdict is a finding, not a guard.

use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, RootCertStore};
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate, X509Name};

use crate::model::Untrusted;
use crate::model::sample::{Certificate, Trust};

/// Most certificates of a chain that are looked at.
const MAX_CHAIN: usize = 10;

/// Most names of one certificate that are kept.
const MAX_NAMES: usize = 32;

/// Most intermediates remembered from good chains.
const MAX_REMEMBERED: usize = 32;

/// `id-ad-caIssuers` (RFC 5280, 4.2.2.1).
const CA_ISSUERS: &str = "1.3.6.1.5.5.7.48.2";

/// Where the system's own bundle lies on Debian, Fedora, SUSE and Alpine.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Checks chains against one set of trust anchors.
#[derive(Debug)]
pub struct Verifier {
    anchors: OnceLock<Anchors>,
    /// Intermediates of chains that held: they tell a server that forgot one from
    /// a root that is not known.
    remembered: Mutex<Vec<CertificateDer<'static>>>,
}

#[derive(Debug)]
struct Anchors {
    store: RootCertStore,
    known: Vec<Anchor>,
}

#[derive(Debug)]
struct Anchor {
    subject: Box<[u8]>,
    key: Box<[u8]>,
    organization: Option<String>,
}

impl Verifier {
    /// With the system's anchors and those of `SSL_CERT_FILE` and `SSL_CERT_DIR`,
    /// read when first needed.
    pub fn system() -> Self {
        Self { anchors: OnceLock::new(), remembered: Mutex::default() }
    }

    /// With those anchors only.
    #[cfg(test)]
    pub fn with_anchors(certificates: Vec<CertificateDer<'static>>) -> Self {
        let verifier = Self::system();
        let _ = verifier.anchors.set(Anchors::new(certificates));
        verifier
    }

    fn anchors(&self) -> &Anchors {
        self.anchors.get_or_init(|| {
            // With its variables set this reads what they name and nothing else.
            let mut certificates = rustls_native_certs::load_native_certs().certs;
            let from_env = ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().any(|v| std::env::var_os(v).is_some());
            if from_env && let Some(bundle) = BUNDLES.iter().map(Path::new).find(|p| p.exists()) {
                certificates.extend(rustls_native_certs::load_certs_from_paths(Some(bundle), None).certs);
            }
            Anchors::new(certificates)
        })
    }

    /// What is to be said of `chain`, sent for `name`, at `now` (seconds since the
    /// Unix epoch). Wrong dates come before everything else, the chain before the
    /// name. Takes a millisecond, and more when the anchors are yet to be read: not
    /// for the runtime's own threads.
    pub fn evaluate(&self, chain: &[CertificateDer<'_>], name: &ServerName<'_>, now: i64) -> Trust {
        let invalid = |why: String| Trust::Invalid { why: Untrusted::new(&why) };
        let chain = &chain[..chain.len().min(MAX_CHAIN)];
        let Some((leaf, rest)) = chain.split_first() else { return invalid("no certificate was sent".to_owned()) };
        let parsed: Vec<X509Certificate<'_>> = chain.iter().filter_map(|c| parse(c)).collect();
        let own = parse(leaf);
        if let Some(own) = &own {
            if now > own.validity().not_after.timestamp() {
                return Trust::Expired;
            }
            if now < own.validity().not_before.timestamp() {
                return Trust::NotYetValid;
            }
        }
        let certificate = match ParsedCertificate::try_from(leaf) {
            Ok(certificate) => certificate,
            // Version 1, as hand-made ones often are: nobody vouches for it but itself.
            Err(_) if own.as_ref().is_some_and(|own| is_self_issued(own) && !self.anchors().holds(own)) => {
                return Trust::Untrusted;
            }
            Err(e) => return invalid(e.to_string()),
        };
        let matches_name = || match verify_server_name(&certificate, name) {
            Ok(()) => Trust::Valid,
            Err(_) => Trust::NameMismatch,
        };
        let Some(fault) = self.chain_fault(&certificate, rest, now) else {
            self.remember(rest);
            return matches_name();
        };
        // OpenSSL trusts a certificate that is itself in the store; so do people.
        if own.as_ref().is_some_and(|own| self.anchors().holds(own)) {
            return matches_name();
        }
        match fault {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Trust::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Trust::NotYetValid,
            CertificateError::Revoked => Trust::Revoked,
            CertificateError::UnknownIssuer => {
                if self.completed_by_memory(&certificate, rest, now) || self.anchors().misses_link(&parsed) {
                    Trust::IncompleteChain
                } else {
                    Trust::Untrusted
                }
            }
            // A CA's own certificate used by its server; or another key under the
            // name of an anchor.
            CertificateError::Other(_) if own.as_ref().is_some_and(is_self_issued) => Trust::Untrusted,
            CertificateError::BadSignature
                if parsed.last().is_some_and(|top| self.anchors().names(top.issuer().as_raw())) =>
            {
                Trust::Untrusted
            }
            other => invalid(other.to_string()),
        }
    }

    fn chain_fault(
        &self,
        leaf: &ParsedCertificate<'_>,
        intermediates: &[CertificateDer<'_>],
        now: i64,
    ) -> Option<CertificateError> {
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now.max(0) as u64));
        let algorithms = ring::default_provider().signature_verification_algorithms.all;
        let store = &self.anchors().store;
        match verify_server_cert_signed_by_trust_anchor(leaf, store, intermediates, now, algorithms) {
            Ok(()) => None,
            Err(rustls::Error::InvalidCertificate(e)) => Some(e),
            Err(_) => Some(CertificateError::BadEncoding),
        }
    }

    fn remember(&self, intermediates: &[CertificateDer<'_>]) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        for certificate in intermediates {
            if remembered.len() < MAX_REMEMBERED && !remembered.iter().any(|r| r == certificate) {
                remembered.push(certificate.clone().into_owned());
            }
        }
    }

    fn completed_by_memory(&self, leaf: &ParsedCertificate<'_>, sent: &[CertificateDer<'_>], now: i64) -> bool {
        let mut all: Vec<CertificateDer<'_>> = sent.to_vec();
        all.extend(self.remembered.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned());
        all.len() > sent.len() && self.chain_fault(leaf, &all, now).is_none()
    }
}

impl Anchors {
    fn new(certificates: Vec<CertificateDer<'static>>) -> Self {
        let known = certificates.iter().filter_map(|c| parse(c)).map(|c| Anchor {
            subject: c.subject().as_raw().into(),
            key: c.public_key().raw.into(),
            organization: organization(c.subject()),
        });
        let known = known.collect();
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(certificates);
        Self { store, known }
    }

    fn names(&self, subject: &[u8]) -> bool {
        self.known.iter().any(|a| *a.subject == *subject)
    }

    fn holds(&self, certificate: &X509Certificate<'_>) -> bool {
        let (subject, key) = (certificate.subject().as_raw(), certificate.public_key().raw);
        self.known.iter().any(|a| *a.subject == *subject && *a.key == *key)
    }

    /// Whether a chain of unknown issuer more likely lacks an intermediate than its
    /// root. The missing certificate cannot be seen, so this weighs what the
    /// topmost one that was sent says of it. It lacks an intermediate where the
    /// issuer's own issuer is named and is an anchor; where the issuer belongs to
    /// an anchor's organization under another name; and, where the server sent its
    /// own certificate alone, where that tells from where to fetch the issuer (a
    /// root need not be fetched), or where the issuer calls itself intermediate.
    fn misses_link(&self, chain: &[X509Certificate<'_>]) -> bool {
        let Some(leaf) = chain.first() else { return false };
        let mut top = leaf;
        for _ in 0..chain.len() {
            if is_self_issued(top) {
                return false;
            }
            let Some(above) = chain.iter().find(|c| c.subject().as_raw() == top.issuer().as_raw()) else { break };
            top = above;
        }
        let issuer = top.issuer();
        if is_self_issued(top) || self.names(issuer.as_raw()) {
            return false;
        }
        if let Some(grandparent) = issuers_issuer(top) {
            return grandparent != issuer.as_raw() && self.names(&grandparent);
        }
        let organization = organization(issuer);
        if organization.is_some() && self.known.iter().any(|a| a.organization == organization) {
            return true;
        }
        std::ptr::eq(top, leaf) && (tells_issuer_location(leaf) || calls_itself_intermediate(issuer))
    }
}

fn parse<'a>(der: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    X509Certificate::from_der(der.as_ref()).ok().map(|(_, c)| c)
}

fn is_self_issued(c: &X509Certificate<'_>) -> bool {
    c.subject().as_raw() == c.issuer().as_raw()
}

fn organization(name: &X509Name<'_>) -> Option<String> {
    let text = name.iter_organization().next()?.as_str().ok()?.trim().to_lowercase();
    (!text.is_empty()).then_some(text)
}

/// `authorityCertIssuer` (RFC 5280, 4.2.1.1): who issued the issuer's certificate.
fn issuers_issuer(c: &X509Certificate<'_>) -> Option<Vec<u8>> {
    c.extensions().iter().find_map(|e| match e.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(id) => {
            id.authority_cert_issuer.as_ref()?.iter().find_map(|name| match name {
                GeneralName::DirectoryName(name) => Some(name.as_raw().to_vec()),
                _ => None,
            })
        }
        _ => None,
    })
}

fn tells_issuer_location(c: &X509Certificate<'_>) -> bool {
    c.extensions().iter().any(|e| match e.parsed_extension() {
        ParsedExtension::AuthorityInfoAccess(access) => {
            access.iter().any(|d| d.access_method.to_id_string() == CA_ISSUERS)
        }
        _ => false,
    })
}

fn calls_itself_intermediate(name: &X509Name<'_>) -> bool {
    let words = common_name(name).unwrap_or_default().to_lowercase();
    words.contains("intermediate") || words.contains("issuing")
}

fn common_name(name: &X509Name<'_>) -> Option<String> {
    name.iter_common_name().next()?.as_str().ok().map(str::to_owned)
}

/// The fields of a certificate that people ask for; nothing where it is no
/// certificate.
pub(super) fn describe(der: &CertificateDer<'_>) -> Option<Certificate> {
    let c = parse(der)?;
    let names: Vec<Untrusted> = match c.subject_alternative_name() {
        Ok(Some(san)) => san.value.general_names.iter().filter_map(alternative).take(MAX_NAMES).collect(),
        _ => Vec::new(),
    };
    let subject = common_name(c.subject()).map(|n| Untrusted::new(&n)).or_else(|| names.first().cloned());
    let issuer = common_name(c.issuer()).or_else(|| organization(c.issuer())).unwrap_or_default();
    Some(Certificate {
        subject: subject.unwrap_or_default(),
        issuer: Untrusted::new(&issuer),
        names,
        not_before: c.validity().not_before.timestamp(),
        not_after: c.validity().not_after.timestamp(),
    })
}

/// The chain as sent, bounded.
pub(super) fn describe_all(chain: &[CertificateDer<'_>]) -> Vec<Certificate> {
    chain.iter().take(MAX_CHAIN).filter_map(describe).collect()
}

fn alternative(name: &GeneralName<'_>) -> Option<Untrusted> {
    match name {
        GeneralName::DNSName(text) | GeneralName::RFC822Name(text) | GeneralName::URI(text) => {
            Some(Untrusted::new(text))
        }
        GeneralName::IPAddress(bytes) => {
            let ip: std::net::IpAddr = match bytes.len() {
                4 => <[u8; 4]>::try_from(*bytes).ok()?.into(),
                16 => <[u8; 16]>::try_from(*bytes).ok()?.into(),
                _ => return None,
            };
            Some(Untrusted::new(&ip.to_string()))
        }
        _ => None,
    }
}
