//! What a condition may ask: figures and facts, each with its unit and its
//! sentence. One table; the checks, the evidence and the documentation follow it.

/// What the probes know, asked by conditions.
///
/// `None` means not measured: nothing was sent, nothing came within the window,
/// or it is too old. It never stands for zero or for well.
pub trait Observations {
    /// A figure in the unit of [`Figure`].
    fn figure(&self, figure: Figure, subject: &str) -> Option<f64>;
    /// Whether something is so.
    fn fact(&self, fact: Fact, subject: &str) -> Option<bool>;
}

/// A number. The subject is a target's name or text, or one of the words
/// `gateway` (the default gateways), `resolvers`, `targets` (all that is watched).
/// Of several the worst counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Figure {
    /// Loss over the recent window, ratio.
    Loss,
    /// Median round-trip time over the recent window, ms.
    RttP50,
    /// 90th percentile, ms.
    RttP90,
    /// 99th percentile, ms.
    RttP99,
    /// What the 90th percentile usually is, ms.
    Baseline,
    /// Share of probes that passed since recovery began, ratio.
    Success,
    /// Probes of that share.
    Probes,
    /// Median time of a DNS answer, ms.
    DnsMs,
    /// Distance of this host's clock from the true time, s, never negative.
    ClockOffset,
    /// Days that the certificate is still valid.
    CertificateDays,
    /// CPU in use, ratio.
    Cpu,
    /// Memory in use, ratio.
    Memory,
    /// Space in use of a mount, or of the fullest one, ratio.
    Disk,
    /// Share of time that tasks wait for storage, ratio.
    IoPressure,
}

/// Something that is so or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fact {
    /// A finding of that code (`dns.*`) stands. Not measured where what the code
    /// judges was not measured.
    Finding,
    /// Something listens on that TCP port of this host.
    Listening,
    /// The subject answers at least one of its probes.
    Answers,
    /// There are fresh measurements of the subject; never itself not measured.
    Measured,
    /// The carrying interface, or the one named, is up and has carrier.
    LinkUp,
    /// The carrying interface, or the one named, has a usable address.
    HasAddress,
    /// There is a route for what is watched.
    HasRoute,
    /// No file system that should be writable turned read-only.
    Writable,
}

/// What stands between the parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// A name in quotes.
    Subject,
    /// A name in quotes, or nothing.
    MaybeSubject,
    /// A port number.
    Port,
}

/// A word of the vocabulary.
#[derive(Debug, Clone, Copy)]
pub struct Word<T> {
    /// As it is written.
    pub name: &'static str,
    /// What it asks.
    pub asks: T,
    /// What it takes.
    pub takes: Takes,
    /// Message that names it.
    pub what: &'static str,
    /// Message that says what was seen: `$value` (facts: 1 or 0), `$subject`,
    /// `$named` (0 where there is no subject).
    pub saw: &'static str,
}

const fn word<T>(name: &'static str, asks: T, takes: Takes, what: &'static str, saw: &'static str) -> Word<T> {
    Word { name, asks, takes, what, saw }
}

/// Every figure.
pub const FIGURES: [Word<Figure>; 14] = [
    word("loss", Figure::Loss, Takes::Subject, "what-loss", "saw-loss"),
    word("rtt_p50", Figure::RttP50, Takes::Subject, "what-rtt-p50", "saw-rtt-p50"),
    word("rtt_p90", Figure::RttP90, Takes::Subject, "what-rtt-p90", "saw-rtt-p90"),
    word("rtt_p99", Figure::RttP99, Takes::Subject, "what-rtt-p99", "saw-rtt-p99"),
    word("baseline", Figure::Baseline, Takes::Subject, "what-baseline", "saw-baseline"),
    word("success", Figure::Success, Takes::Subject, "what-success", "saw-success"),
    word("probes", Figure::Probes, Takes::Subject, "what-probes", "saw-probes"),
    word("dns_ms", Figure::DnsMs, Takes::Subject, "what-dns-ms", "saw-dns-ms"),
    word("clock_offset", Figure::ClockOffset, Takes::Nothing, "what-clock-offset", "saw-clock-offset"),
    word("certificate_days", Figure::CertificateDays, Takes::Subject, "what-certificate-days", "saw-certificate-days"),
    word("cpu", Figure::Cpu, Takes::Nothing, "what-cpu", "saw-cpu"),
    word("memory", Figure::Memory, Takes::Nothing, "what-memory", "saw-memory"),
    word("disk", Figure::Disk, Takes::MaybeSubject, "what-disk", "saw-disk"),
    word("io_pressure", Figure::IoPressure, Takes::Nothing, "what-io-pressure", "saw-io-pressure"),
];

/// Every fact.
pub const FACTS: [Word<Fact>; 8] = [
    word("finding", Fact::Finding, Takes::Subject, "what-finding", "saw-finding"),
    word("listening", Fact::Listening, Takes::Port, "what-listening", "saw-listening"),
    word("answers", Fact::Answers, Takes::Subject, "what-answers", "saw-answers"),
    word("measured", Fact::Measured, Takes::Subject, "what-measured", "saw-measured"),
    word("link_up", Fact::LinkUp, Takes::MaybeSubject, "what-link-up", "saw-link-up"),
    word("has_address", Fact::HasAddress, Takes::MaybeSubject, "what-has-address", "saw-has-address"),
    word("has_route", Fact::HasRoute, Takes::Nothing, "what-has-route", "saw-has-route"),
    word("writable", Fact::Writable, Takes::Nothing, "what-writable", "saw-writable"),
];
