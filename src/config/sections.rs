//! The sections of `frc.toml`, each read into its struct.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::reader::{Reader, Section, Value};
use super::{Config, ConfiguredTarget, Contact, ExpectedService, Limits, Probe, Screen, Theme, Transport, thresholds};
use crate::model::target::{TargetError, Written};
use crate::model::{Message, Mistake, Role, Untrusted};

/// More targets than this are a generated file that wants `frc ping --file`.
const MAX_TARGETS: usize = 10_000;
/// More contacts than this fit no screen.
const MAX_CONTACTS: usize = 100;

pub(super) fn read(name: &str, text: &str) -> Result<Config, Vec<Mistake>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader::new(name, text);
    reader.syntax(&errors);
    let mut config = Config::default();
    let mut top = Section::new(document.get_ref(), 0..0);
    if let Some(value) = top.get("target") {
        config.targets = targets(&mut reader, value);
    }
    if let Some(value) = top.get("service") {
        config.services = services(&mut reader, value);
    }
    if let Some(section) = top.get("thresholds").and_then(|v| reader.section(v)) {
        config.thresholds = thresholds::read(&mut reader, section);
    }
    if let Some(section) = top.get("contacts").and_then(|v| reader.section(v)) {
        config.contacts = contacts(&mut reader, &section);
    }
    if let Some(section) = top.get("limits").and_then(|v| reader.section(v)) {
        config.limits = limits(&mut reader, section);
    }
    if let Some(section) = top.get("probe").and_then(|v| reader.section(v)) {
        config.probe = probe(&mut reader, section);
    }
    if let Some(section) = top.get("screen").and_then(|v| reader.section(v)) {
        config.screen = screen(&mut reader, section);
    }
    top.finish(&mut reader);
    let mistakes = reader.finish();
    if mistakes.is_empty() { Ok(config) } else { Err(mistakes) }
}

/// Finds what stands twice.
struct Once<K>(HashMap<K, Range<usize>>);

impl<K: Hash + Eq> Once<K> {
    fn new() -> Self {
        Self(HashMap::new())
    }

    fn check(&mut self, reader: &mut Reader<'_>, key: K, span: Range<usize>, what: Message) {
        if self.0.insert(key, span.clone()).is_some() {
            reader.wrong(span, what);
        }
    }
}

fn targets(reader: &mut Reader<'_>, value: &Value<'_>) -> Vec<ConfiguredTarget> {
    let mut found = Vec::new();
    let mut names = Once::new();
    let mut texts = Once::new();
    for mut section in reader.sections(value) {
        let mut entry = ConfiguredTarget {
            name: None,
            targets: Vec::new(),
            expect_status: Vec::new(),
            interval: None,
            timeout: None,
            role: Role::Watched,
        };
        if let Some(value) = section.get("name")
            && let Some(name) = reader.text(value)
        {
            names.check(reader, name.clone(), value.span(), Message::new("config-twice").with("what", name.as_str()));
            entry.name = Some(name);
        }
        for item in section.need(reader, "target").map(|v| items(v)).unwrap_or_default() {
            let Some(text) = reader.text(item) else { continue };
            match text.parse::<Written>() {
                Ok(written) => {
                    let twice = Message::new("config-twice").with("what", text.as_str());
                    texts.check(reader, written.address.clone(), item.span(), twice);
                    entry.targets.push(written);
                }
                Err(e) => reader.wrong(item.span(), bad_target(&e)),
            }
        }
        for item in section.get("expect_status").map(|v| items(v)).unwrap_or_default() {
            entry.expect_status.extend(reader.integer(item, &(100..=599)).map(|n| n as u16));
        }
        entry.interval = section.get("interval_s").and_then(|v| seconds(reader, v, 0.01..=3_600.0));
        entry.timeout = section.get("timeout_s").and_then(|v| seconds(reader, v, 0.01..=60.0));
        if let Some(role) = section.get("role").and_then(|v| {
            reader.choice(v, &[("watched", Role::Watched), ("gateway", Role::Gateway), ("resolver", Role::Resolver)])
        }) {
            entry.role = role;
        }
        let span = section.span.clone();
        section.finish(reader);
        found.push(entry);
        if found.len() > MAX_TARGETS {
            reader.wrong(span, Message::new("config-too-many").with("limit", MAX_TARGETS));
            break;
        }
    }
    found
}

/// The words of [`TargetError`] inside a sentence of ours.
fn bad_target(error: &TargetError) -> Message {
    Message::new("config-target").with("why", &Untrusted::new(&error.to_string()))
}

/// One value, or the values of an array.
fn items<'t, 'i>(value: &'t Value<'i>) -> Vec<&'t Value<'i>> {
    match value.get_ref() {
        DeValue::Array(items) if !items.is_empty() => items.iter().take(MAX_TARGETS + 1).collect(),
        _ => vec![value],
    }
}

fn seconds(reader: &mut Reader<'_>, value: &Value<'_>, range: std::ops::RangeInclusive<f64>) -> Option<Duration> {
    reader.number(value, &range).and_then(|n| Duration::try_from_secs_f64(n).ok())
}

fn services(reader: &mut Reader<'_>, value: &Value<'_>) -> Vec<ExpectedService> {
    let mut found = Vec::new();
    let mut names = Once::new();
    let mut ports = Once::new();
    for mut section in reader.sections(value) {
        let mut name = None;
        if let Some(value) = section.get("name")
            && let Some(text) = reader.text(value)
        {
            names.check(reader, text.clone(), value.span(), Message::new("config-twice").with("what", text.as_str()));
            name = Some(text);
        }
        let place = section.need(reader, "port");
        let port = place.and_then(|v| reader.integer(v, &(1..=65_535)));
        let transport = section
            .get("transport")
            .and_then(|v| reader.choice(v, &[("tcp", Transport::Tcp), ("udp", Transport::Udp)]))
            .unwrap_or_default();
        let loopback_ok = section.get("loopback_ok").and_then(|v| reader.boolean(v)).unwrap_or_default();
        section.finish(reader);
        if let (Some(place), Some(port)) = (place, port) {
            let twice = Message::new("config-twice").with("what", port.to_string());
            ports.check(reader, (port, transport), place.span(), twice);
            found.push(ExpectedService { port: port as u16, transport, name, loopback_ok });
        }
    }
    found
}

fn contacts(reader: &mut Reader<'_>, section: &Section<'_, '_>) -> Vec<Contact> {
    let mut found = Vec::new();
    for (key, value) in section.entries() {
        let role = key.get_ref().as_ref();
        if role.is_empty() || role.chars().count() > 40 || Untrusted::new(role).as_str() != role {
            reader.wrong(key.span(), Message::new("config-contact"));
        } else if found.len() == MAX_CONTACTS {
            reader.wrong(key.span(), Message::new("config-too-many").with("limit", MAX_CONTACTS));
            break;
        } else if let Some(reach) = reader.text(value) {
            found.push(Contact { role: role.to_owned(), reach });
        }
    }
    found
}

fn limits(reader: &mut Reader<'_>, mut section: Section<'_, '_>) -> Limits {
    let mut limits = Limits::default();
    if let Some(n) = section.get("packets_per_second").and_then(|v| reader.integer(v, &(10..=1_000_000))) {
        limits.packets_per_second = n;
    }
    section.finish(reader);
    limits
}

fn probe(reader: &mut Reader<'_>, mut section: Section<'_, '_>) -> Probe {
    let mut probe = Probe::default();
    let keys: [(&'static str, &mut Duration, f64); 4] = [
        ("interval_s", &mut probe.interval, 3_600.0),
        ("service_interval_s", &mut probe.service_interval, 3_600.0),
        ("trace_interval_s", &mut probe.trace_interval, 3_600.0),
        ("timeout_s", &mut probe.timeout, 60.0),
    ];
    for (key, slot, most) in keys {
        if let Some(d) = section.get(key).and_then(|v| seconds(reader, v, 0.01..=most)) {
            *slot = d;
        }
    }
    section.finish(reader);
    probe
}

fn screen(reader: &mut Reader<'_>, mut section: Section<'_, '_>) -> Screen {
    let mut screen = Screen::default();
    let themes = [("auto", Theme::Auto), ("dark", Theme::Dark), ("light", Theme::Light), ("16", Theme::Sixteen)];
    if let Some(theme) = section.get("theme").and_then(|v| reader.choice(v, &themes)) {
        screen.theme = theme;
    }
    if let Some(ascii) = section.get("ascii").and_then(|v| reader.boolean(v)) {
        screen.ascii = ascii;
    }
    if let Some(n) = section.get("frames_per_second").and_then(|v| reader.integer(v, &(1..=30))) {
        screen.frames_per_second = n as u8;
    }
    if let Some(mouse) = section.get("mouse").and_then(|v| reader.boolean(v)) {
        screen.mouse = mouse;
    }
    section.finish(reader);
    screen
}
