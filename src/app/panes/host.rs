//! Pane 7: the host itself: load, storage, limits, and the console's own health.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::host::{HostLoad, IcmpRight, TraceRight};
use crate::model::record::TaskState;
use crate::model::units::ratio;
use crate::model::{Layer, Message, Severity};
use crate::text::format;
use crate::widgets::strip::Piece;
use crate::widgets::{Ink, Meaning, gauge};

use super::super::scene::Scene;
use super::super::ui::Ui;
use super::{Head, marked};

/// What stands in the frame.
pub fn head(scene: &Scene<'_>) -> Head {
    let subject = scene.state.host.as_ref().map_or_else(String::new, |h| h.name.to_string());
    let up = scene.state.load_now().map(|l| {
        let age = std::time::Duration::from_secs(l.uptime);
        scene.say(&Message::new("host-up").with("seconds", age.as_secs()))
    });
    Head { subject, corner: up.unwrap_or_default(), corner_style: scene.theme.dim() }
}

/// How things stand: what the diagnosis found about the host.
pub fn meaning(scene: &Scene<'_>) -> Option<Meaning> {
    scene.state.load_now()?;
    let about = scene.verdict.into_iter().flat_map(|v| &v.findings).filter(|f| f.layer == Layer::Host);
    let worst = about.map(|f| f.severity).filter(|s| *s > Severity::Info).max();
    Some(worst.map_or(Meaning::Good, Scene::of_severity))
}

/// Gauges: name, share of the whole, words.
fn shares(scene: &Scene<'_>, load: &HostLoad) -> Vec<(String, f64, String)> {
    let mut list = Vec::new();
    let word = |id: &'static str| scene.texts.word(id).into_owned();
    if let Some(cpu) = load.cpu {
        let text = Message::new("host-cpus").with("count", load.cpus).with("share", (cpu * 100.0).round() / 100.0);
        list.push((word("host-cpu"), cpu, scene.say(&text)));
    }
    let used = load.memory_total.saturating_sub(load.memory_available);
    let of = |used: u64, total: u64| Message::new("host-of").with("used", used).with("total", total);
    if let Some(share) = ratio(used, load.memory_total) {
        list.push((word("host-memory"), share, scene.say(&of(used, load.memory_total))));
    }
    if let Some(share) = ratio(load.swap_used, load.swap_total) {
        list.push((word("host-swap"), share, scene.say(&of(load.swap_used, load.swap_total))));
    }
    if let Some((open, limit)) = load.file_descriptors
        && let Some(share) = ratio(open, limit)
    {
        let text = Message::new("host-files-of").with("used", open).with("limit", limit as f64);
        list.push((word("host-files"), share, scene.say(&text)));
    }
    let counters = scene.state.kernel().next_back().map(|(_, k)| k);
    if let Some((Some(count), Some(max))) = counters.map(|k| (k.conntrack_count, k.conntrack_max))
        && let Some(share) = ratio(count, max)
    {
        let text = Message::new("host-files-of").with("used", count).with("limit", max as f64);
        list.push((word("host-conntrack"), share, scene.say(&text)));
    }
    for disk in &load.disks {
        let used = disk.total.saturating_sub(disk.available);
        let text = match (disk.hung, disk.read_only) {
            (true, _) => Message::new("host-disk-hung"),
            (_, true) => Message::new("host-disk-read-only").with("used", used).with("total", disk.total),
            _ => of(used, disk.total),
        };
        list.push((disk.mount.to_string(), ratio(used, disk.total).unwrap_or(0.0), scene.say(&text)));
    }
    list
}

/// The pane in one line.
pub fn strip(scene: &Scene<'_>) -> Vec<Piece> {
    let Some(load) = scene.state.load_now() else {
        return vec![Piece::new(scene.word("host-waiting"), scene.theme.dim())];
    };
    let standing = meaning(scene).unwrap_or(Meaning::Unmeasured);
    let mut pieces = Vec::new();
    for (name, share, _) in shares(scene, load).into_iter().take(3) {
        // Whole tenths, so that the line stands still while the load wanders.
        let text = format!("{name} {}", format::percent((share * 20.0).round() / 20.0));
        pieces.push(if pieces.is_empty() {
            marked(scene, standing, &text)
        } else {
            Piece::new(text, scene.theme.text())
        });
    }
    pieces
}

/// Lines without a gauge: load, pressure, rights, resolvers, tasks, what was dropped.
fn facts(scene: &Scene<'_>) -> Vec<(Meaning, String)> {
    let mut facts = Vec::new();
    if let Some(load) = scene.state.load_now() {
        let [one, five, fifteen] = load.load;
        let text = Message::new("host-load").with("one", one).with("five", five).with("fifteen", fifteen);
        facts.push((Meaning::Good, scene.say(&text)));
        if let Some(p) = load.pressure {
            let text = Message::new("host-pressure").with("cpu", p.cpu).with("memory", p.memory).with("io", p.io);
            facts.push((Meaning::Good, scene.say(&text)));
        }
    }
    if let Some((_, config)) = &scene.state.resolvers {
        let servers: Vec<_> = config.servers.iter().map(|s| s.address.ip().to_string()).collect();
        let text = Message::new("host-resolvers").with("servers", servers.join(", "));
        let text = if servers.is_empty() { Message::new("host-no-resolver") } else { text };
        facts.push((if servers.is_empty() { Meaning::Warning } else { Meaning::Good }, scene.say(&text)));
    }
    if let Some(host) = &scene.state.host {
        let icmp = match host.rights.icmp {
            IcmpRight::Raw => Message::new("rights-icmp-raw"),
            IcmpRight::Dgram => Message::new("rights-icmp-dgram"),
            IcmpRight::None => Message::new("rights-icmp-none"),
        };
        let trace = match host.rights.trace {
            TraceRight::Raw => Message::new("rights-trace-raw"),
            TraceRight::Errqueue => Message::new("rights-trace-errqueue"),
        };
        facts.push((Meaning::Good, scene.say(&icmp)));
        facts.push((Meaning::Good, scene.say(&trace)));
    }
    for task in scene.state.tasks() {
        let (meaning, text) = match &task.state {
            TaskState::Running if task.restarts == 0 => continue,
            TaskState::Running => {
                let text = Message::new("task-restarted").with("task", task.task.as_str()).with("times", task.restarts);
                (Meaning::Good, text)
            }
            TaskState::Restarting { why, .. } => (
                Meaning::Warning,
                Message::new("event-task-restarting").with("task", task.task.as_str()).with("why", why),
            ),
            TaskState::Unavailable { why } => {
                let text = Message::new("event-task-unavailable").with("task", task.task.as_str());
                (Meaning::Unmeasured, text.with("why", why.clone()))
            }
        };
        facts.push((meaning, scene.say(&text)));
    }
    for (what, count) in scene.state.dropped() {
        let text = Message::new("host-dropped").with("what", what.as_str()).with("count", *count);
        facts.push((Meaning::Warning, scene.say(&text)));
    }
    facts
}

/// Draws gauges, then facts.
pub fn draw(scene: &Scene<'_>, _ui: &mut Ui, buf: &mut Buffer, area: Rect) {
    let theme = scene.theme;
    let mut row = 0;
    if let Some(load) = scene.state.load_now() {
        let list = shares(scene, load);
        let name = list.iter().map(|(n, ..)| crate::widgets::ink::width(n)).max().unwrap_or(0).min(area.width / 3);
        for (label, share, words) in list {
            if row >= area.height {
                return;
            }
            let meaning = match share {
                s if s > 0.95 => Meaning::Fault,
                s if s > 0.85 => Meaning::Warning,
                _ => Meaning::Good,
            };
            let mut pen = Ink::new(buf, area, row, theme.glyphs.ellipsis);
            pen.cell(&label, name, theme.dim()).skip(1);
            gauge::draw(&mut pen, share, 10, theme.meaning(meaning), theme);
            pen.skip(1).put(&words, theme.text());
            row += 1;
        }
        row += 1;
    } else {
        Ink::new(buf, area, 0, theme.glyphs.ellipsis).put(&scene.word("host-waiting"), theme.dim());
        row += 2;
    }
    for (meaning, text) in facts(scene) {
        for line in crate::widgets::ink::wrap(&text, area.width.saturating_sub(2), 3, theme.glyphs.ellipsis) {
            if row >= area.height {
                return;
            }
            let (mark, style) = match meaning {
                Meaning::Good => (theme.glyphs.none, theme.text()),
                other => (theme.mark(other), theme.meaning(other)),
            };
            Ink::new(buf, area, row, theme.glyphs.ellipsis).put(mark, style).put(" ", style).put(&line, theme.text());
            row += 1;
        }
    }
}

/// Everything about the host.
pub fn details(scene: &Scene<'_>, _ui: &Ui) -> Option<(String, Vec<(String, String)>)> {
    let load = scene.state.load_now()?;
    let mut lines: Vec<_> = shares(scene, load).into_iter().map(|(name, _, words)| (name, words)).collect();
    lines.extend(facts(scene).into_iter().map(|(_, text)| (String::new(), text)));
    Some((head(scene).subject, lines))
}
