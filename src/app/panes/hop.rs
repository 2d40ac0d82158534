//! A hop's row in the path pane: which columns there are, and what stands in them.

use std::time::Duration;

use ratatui::style::Style;

use crate::model::Message;
use crate::model::hop::HopAnswer;
use crate::state::{Hop, Path, Point};
use crate::text::format;
use crate::widgets::Meaning;
use crate::widgets::sparkline::{self, Mark, level};
use crate::widgets::table::{Column, Row};

use super::super::scene::Scene;

/// Columns of a hop's history.
const HISTORY: u16 = 15;

/// Columns that the slowest rhythm of tracing leaves between two rounds.
const BETWEEN_ROUNDS: u8 = 3;

/// The first column after mark, number and router.
const FIRST: usize = 3;

/// What stands in a column.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Cell {
    Loss,
    /// Round-trip time at a quantile, and how early its column gives way.
    Rtt {
        at: f64,
        rank: u8,
    },
    Mtu,
    History,
}

/// The columns and their heads.
#[derive(Debug)]
pub struct Heads {
    hop: String,
    router: String,
    cells: Vec<(Cell, String)>,
    history: u16,
}

impl Heads {
    /// The columns that a path has something for; `all` of them where it has the
    /// screen to itself.
    pub fn of(scene: &Scene<'_>, path: &Path, all: bool, width: u16) -> Self {
        let table = [
            (Cell::Loss, "head-loss", true),
            (Cell::Rtt { at: 0.0, rank: 4 }, "head-min", all),
            (Cell::Rtt { at: 0.5, rank: 0 }, "head-p50", true),
            (Cell::Rtt { at: 0.9, rank: 4 }, "head-p90", all),
            (Cell::Rtt { at: 0.99, rank: 2 }, "head-p99", true),
            (Cell::Rtt { at: 1.0, rank: 4 }, "head-max", all),
            (Cell::Mtu, "head-mtu", path.hops().iter().any(|h| h.mtu.is_some())),
            (Cell::History, "head-history", true),
        ];
        let word = |id: &'static str| scene.texts.word(id).into_owned();
        let cells = table.into_iter().filter(|(.., shown)| *shown).map(|(cell, id, _)| (cell, word(id)));
        Self {
            hop: word("head-hop"),
            router: word("head-router"),
            cells: cells.collect(),
            history: if width >= 140 { HISTORY * 3 } else { HISTORY },
        }
    }

    /// For the table.
    pub fn columns(&self) -> Vec<Column<'_>> {
        let first = [Column::words("", 1, 0), Column::figures(&self.hop, 2), Column::words(&self.router, 16, 1)];
        let more = self.cells.iter().map(|(cell, head)| match cell {
            Cell::Loss => Column::figures(head, 7),
            Cell::Rtt { rank, .. } => Column::figures(head, 6).rank(*rank),
            Cell::Mtu => Column::figures(head, 5).rank(3),
            Cell::History => Column::words(head, self.history, 0).rank(1),
        });
        first.into_iter().chain(more).collect()
    }

    /// Draws a hop; `is_end` where nothing behind it answers.
    pub fn draw(&self, scene: &Scene<'_>, path: &Path, hop: &Hop, is_end: bool, row: &mut Row<'_>) {
        let theme = scene.theme;
        let tally = hop.tally_since(scene.from());
        let loss = tally.loss();
        // Loss that later hops do not share is a router sparing its answers.
        let shared = path
            .hops()
            .iter()
            .filter(|h| h.ttl > hop.ttl && h.answers())
            .all(|h| h.tally_since(scene.from()).loss().is_none_or(|l| l > 0.05));
        let standing = match loss {
            _ if !hop.answers() => None,
            _ if is_end => Some(Meaning::Warning),
            Some(l) if l >= 0.5 && shared => Some(Meaning::Fault),
            Some(l) if l > 0.05 && shared => Some(Meaning::Warning),
            Some(_) => Some(Meaning::Good),
            None => Some(Meaning::Unmeasured),
        };
        let (mark, style) = standing.map_or((theme.glyphs.none, theme.dim()), |m| (theme.mark(m), theme.meaning(m)));
        row.put(0, mark, style);
        row.put_right(1, &hop.ttl.to_string(), theme.dim());
        let Some(address) = hop.address() else {
            row.put(2, &scene.word("path-silent"), theme.dim());
            return;
        };
        let (mut pen, _) = row.column(2);
        pen.put(&address.to_string(), if row_strong(is_end, hop) { theme.strong() } else { theme.text() });
        let more = hop.addresses.len() - 1;
        if let Some(name) = scene.state.name_of(address) {
            pen.put("  ", Style::new()).put(name.as_str(), theme.dim());
        }
        if more > 0 {
            let words = scene.say(&Message::new("path-siblings").with("count", more));
            pen.put("  ", Style::new()).put(&words, theme.dim());
        }
        let is_spared = standing == Some(Meaning::Good) && loss.is_some_and(|l| l > 0.05);
        let loss_style = match standing {
            _ if is_spared => theme.dim(),
            Some(Meaning::Good) => theme.text(),
            _ => style,
        };
        let figure = |d: Option<Duration>| d.map_or_else(|| theme.glyphs.dash.to_owned(), format::rtt);
        for (n, (cell, _)) in self.cells.iter().enumerate() {
            let column = FIRST + n;
            match cell {
                Cell::Loss => {
                    let text = loss.map_or_else(|| theme.glyphs.dash.to_owned(), format::percent);
                    row.put_right(column, &text, loss_style);
                }
                Cell::Rtt { at, .. } => row.put_right(column, &figure(hop.rtt(*at)), theme.text()),
                Cell::Mtu => row.put_right(column, &hop.mtu.map_or_else(String::new, |m| m.to_string()), theme.text()),
                Cell::History => {
                    let (mut pen, width) = row.column(column);
                    if is_end {
                        pen.put(&scene.word("path-last"), theme.meaning(Meaning::Warning));
                        continue;
                    }
                    let mut marks = marks(scene, path, hop, usize::from(width));
                    if is_spared {
                        for mark in &mut marks {
                            *mark = if matches!(mark, Mark::Lost | Mark::Some) { Mark::Spared } else { *mark };
                        }
                    }
                    sparkline::draw(&mut pen, &marks, width, theme);
                }
            }
        }
    }
}

fn row_strong(is_end: bool, hop: &Hop) -> bool {
    is_end || matches!(hop.last, Some((_, HopAnswer::Reached, _)))
}

/// The rounds kept, by moments of a few seconds, so that the line moves in steps.
fn marks(scene: &Scene<'_>, path: &Path, hop: &Hop, columns: usize) -> Vec<Mark> {
    let width = super::super::scene::BUCKET.as_nanos() as u64;
    let newest = path.last_round.as_ref().map_or(scene.now(), |r| r.began).0 / width;
    let usual = hop.rtt(0.5).map_or(0.0, |d| d.as_secs_f64() * 1e3);
    let mut marks = vec![Mark::Gap; columns];
    for (sent, point) in hop.recent() {
        let back = newest.saturating_sub(sent.0 / width) as usize;
        let Some(mark) = columns.checked_sub(back + 1).and_then(|n| marks.get_mut(n)) else { continue };
        *mark = match (point, *mark) {
            (Point::Answered(rtt), Mark::Gap) => Mark::Level(level(rtt.as_secs_f64() * 1e3, usual, 1.0)),
            (Point::Answered(rtt), Mark::Level(n)) => Mark::Level(n.max(level(rtt.as_secs_f64() * 1e3, usual, 1.0))),
            (Point::Answered(_), Mark::Lost) => Mark::Some,
            (Point::Late(_), Mark::Gap | Mark::Level(_)) => Mark::Late,
            (Point::Lost | Point::Error | Point::Failed | Point::Refused(_), Mark::Gap) => Mark::Lost,
            (Point::Lost | Point::Error | Point::Failed | Point::Refused(_), Mark::Level(_) | Mark::Late) => Mark::Some,
            (_, other) => other,
        };
    }
    // Rounds may be further apart than a column is wide; what lies between two of
    // them is no gap.
    let (mut held, mut since) = (Mark::Gap, 0);
    for mark in &mut marks {
        if *mark == Mark::Gap && since < BETWEEN_ROUNDS {
            since += 1;
            *mark = held;
        } else {
            (held, since) = (*mark, 0);
        }
    }
    marks
}
