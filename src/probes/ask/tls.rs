//! TLS handshake on our own TCP stream, whatever the certificate is.
//!
//! Owns the client's settings and the naming of handshake failures. Must never
//! judge the chain itself: `trust` does.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, ProtocolVersion, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::trust::{self, Verifier};
use super::{AskContext, BoxFuture, Measured, Probe, failed, without_zone, wrong_kind};
use crate::model::probe::Ask;
use crate::model::sample::{Detail, Failure, Phases, Stage, TlsAnswer, Trust, Unsent};
use crate::model::{Outcome, ProbeKind, ProbeSpec, Untrusted};
use crate::probes::connect::{self, Connected, scoped};

/// The probe.
pub(super) struct Tls;

impl Probe for Tls {
    fn kind(&self) -> ProbeKind {
        ProbeKind::Tls
    }

    fn packets(&self) -> u32 {
        10
    }

    fn measure(&self, spec: &ProbeSpec, ask: &AskContext) -> BoxFuture<Measured> {
        let Ask::Tls { to, name } = &spec.ask else { return wrong_kind() };
        let (to, name, ask) = (scoped(*to, spec.scope), without_zone(name).to_owned(), ask.clone());
        Box::pin(async move {
            let sent = Instant::now();
            let inner = ask.clone();
            ask.within(sent, async move {
                match connect_tls(to, &name, &inner, Offer::Nothing).await {
                    Ok((_stream, session)) => {
                        let rtt = session.total();
                        Outcome::Answered { rtt, detail: Detail::Tls(session.answer().await) }
                    }
                    Err(outcome) => outcome,
                }
            })
            .await
        })
    }
}

/// What is offered by ALPN (RFC 7301).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offer {
    /// No extension at all.
    Nothing,
    /// `h2`, then `http/1.1`.
    Http,
}

/// A finished handshake: what is to be reported of it.
pub(super) struct Session {
    /// Before the SYN was sent.
    pub sent: Instant,
    /// TCP handshake.
    pub tcp: Duration,
    /// TLS handshake.
    pub handshake: Duration,
    /// Whether HTTP/2 was agreed on.
    pub h2: bool,
    version: String,
    cipher: String,
    server: ServerName<'static>,
    chain: Vec<CertificateDer<'static>>,
    verifier: Arc<Verifier>,
}

impl Session {
    fn of(
        stream: &TlsStream<TcpStream>,
        times: (Instant, Duration, Duration),
        server: ServerName<'static>,
        verifier: Arc<Verifier>,
    ) -> Self {
        let (_, session) = stream.get_ref();
        let chain = session.peer_certificates().unwrap_or_default();
        let cipher = session.negotiated_cipher_suite().map(|s| format!("{:?}", s.suite())).unwrap_or_default();
        let (sent, tcp, handshake) = times;
        Self {
            sent,
            tcp,
            handshake,
            h2: session.alpn_protocol() == Some(b"h2"),
            version: version_name(session.protocol_version()),
            // IANA has no TLS13_ prefix.
            cipher: cipher.replacen("TLS13_", "TLS_", 1),
            server,
            chain: chain.to_vec(),
            verifier,
        }
    }

    /// Until the handshake was over.
    pub(super) fn total(&self) -> Duration {
        self.tcp + self.handshake
    }

    /// Judges the chain. Reads the trust anchors when nobody has yet, so this comes
    /// after everything that is timed.
    pub(super) async fn answer(self) -> TlsAnswer {
        let (tcp, handshake, total) = (self.tcp, self.handshake, self.total());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64);
        let (verifier, server, chain) = (self.verifier, self.server, self.chain);
        let judged =
            tokio::task::spawn_blocking(move || (verifier.evaluate(&chain, &server, now), trust::describe_all(&chain)));
        let (trust, chain) =
            judged.await.unwrap_or_else(|_| (Trust::Invalid { why: Untrusted::new("internal") }, Vec::new()));
        TlsAnswer {
            phases: Phases { dns: None, connect: Some(tcp), tls: Some(handshake), ttfb: None, total },
            version: self.version,
            cipher: self.cipher,
            trust,
            chain,
        }
    }
}

fn version_name(version: Option<ProtocolVersion>) -> String {
    match version {
        Some(ProtocolVersion::TLSv1_3) => "TLSv1.3".to_owned(),
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Connects and shakes hands. An error is the outcome that says how far it came.
pub(super) async fn connect_tls(
    to: SocketAddr,
    name: &str,
    ask: &AskContext,
    offer: Offer,
) -> Result<(TlsStream<TcpStream>, Session), Outcome> {
    let local = |why: &str| Outcome::Unsent { reason: Unsent::Local { why: Untrusted::new(why) } };
    let server = ServerName::try_from(name.to_owned()).map_err(|_| local("not a server name"))?;
    let config = config(offer).ok_or_else(|| local("no TLS settings"))?;
    let Connected { stream, sent, rtt: tcp } =
        connect::tcp(to, &ask.shared.egress).await.map_err(|outcome| match outcome {
            Outcome::Failed { rtt, failure, .. } => Outcome::Failed { rtt, stage: Stage::Handshake, failure },
            other => other,
        })?;
    ask.progress.reached(Stage::Handshake);
    let begun = Instant::now();
    let stream = TlsConnector::from(config)
        .connect(server.clone(), stream)
        .await
        .map_err(|e| failed(sent, Stage::Handshake, failure(&e)))?;
    let times = (sent, tcp, begun.elapsed());
    let session = Session::of(&stream, times, server, ask.shared.trust.clone());
    Ok((stream, session))
}

/// What an error of a TLS stream says of the other side.
pub(super) fn failure(error: &io::Error) -> Failure {
    if let Some(tls) = error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>()) {
        return match tls {
            rustls::Error::AlertReceived(alert) => Failure::Alert { code: u8::from(*alert) },
            rustls::Error::PeerIncompatible(why) => Failure::Incompatible { why: Untrusted::new(&format!("{why:?}")) },
            other => Failure::Protocol { why: Untrusted::new(&other.to_string()) },
        };
    }
    match error.kind() {
        ErrorKind::UnexpectedEof => Failure::Closed,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => Failure::Reset,
        ErrorKind::TimedOut => Failure::Silent,
        _ => Failure::Protocol { why: Untrusted::new(&error.to_string()) },
    }
}

fn config(offer: Offer) -> Option<Arc<ClientConfig>> {
    static PLAIN: OnceLock<Option<Arc<ClientConfig>>> = OnceLock::new();
    static HTTP: OnceLock<Option<Arc<ClientConfig>>> = OnceLock::new();
    let kept = if offer == Offer::Http { &HTTP } else { &PLAIN };
    kept.get_or_init(|| build(offer).map(Arc::new)).clone()
}

fn build(offer: Offer) -> Option<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let accept = Arc::new(AcceptAny(provider.clone()));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        .dangerous()
        .with_custom_certificate_verifier(accept)
        .with_no_client_auth();
    // A resumed session shows no certificate and hides the handshake's cost.
    config.resumption = Resumption::disabled();
    if offer == Offer::Http {
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    }
    Some(config)
}

/// Lets every certificate pass so that its faults can be recorded and the
/// measurement goes on. Nothing secret is ever sent over such a connection.
#[derive(Debug)]
struct AcceptAny(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
