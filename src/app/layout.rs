//! Where everything stands, by the size of the screen alone.
//!
//! Owns the arithmetic of rectangles. Must never know what is in them.

use ratatui::layout::Rect;

use super::ui::Pane;

/// Smallest screen that shows panes side by side.
pub const OVERVIEW: (u16, u16) = (118, 30);
/// Smallest screen that shows a pane at all; below it, banner and step only.
pub const ONE_PANE: (u16, u16) = (60, 16);

/// Where everything stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    /// Console, host, phase, clock.
    pub header: Rect,
    /// The verdict.
    pub banner: Rect,
    /// Tabs, where panes are shown one at a time.
    pub tabs: Option<Rect>,
    /// Panes with frames, side by side.
    pub framed: Vec<(Pane, Rect)>,
    /// The one pane without a frame.
    pub single: Option<Rect>,
    /// One-line strips of the other panes.
    pub strips: Vec<(Pane, Rect)>,
    /// The runbook's present step.
    pub step: Option<Rect>,
    /// Keys.
    pub footer: Option<Rect>,
}

/// Lays a screen out. A zoomed pane, and one that has no place in the overview, has
/// the room to itself. `wants` are the lines that connections and path would like;
/// the room they share is divided by them.
pub fn of(columns: u16, rows: u16, focus: Pane, zoomed: bool, wants: (u16, u16)) -> Layout {
    let area = Rect::new(0, 0, columns, rows);
    if columns < ONE_PANE.0 || rows < ONE_PANE.1 {
        return minimal(area);
    }
    let mut layout = Layout {
        header: Rect { height: 1, ..area },
        banner: Rect { y: 1, height: 2, ..area },
        footer: Some(Rect { y: rows - 1, height: 1, ..area }),
        ..Layout::default()
    };
    let body = Rect { y: 3, height: rows - 4, ..area };
    let wide = columns >= OVERVIEW.0 && rows >= OVERVIEW.1;
    if wide && !zoomed {
        layout.framed = overview(body, focus, wants);
    } else if wide {
        layout.tabs = Some(Rect { height: 1, ..body });
        layout.framed = vec![(focus, Rect { y: body.y + 1, height: body.height - 1, ..body })];
    } else {
        one_pane(body, focus, zoomed, &mut layout);
    }
    layout
}

/// Below any useful size: the verdict, and the step where there is room for it.
fn minimal(area: Rect) -> Layout {
    let step = if area.height >= 4 { 2 } else { 0 };
    let footer = u16::from(area.height >= 7);
    let banner = Rect { height: area.height.saturating_sub(step + footer), ..area };
    Layout {
        banner,
        step: (step > 0).then_some(Rect { y: banner.bottom(), height: step, ..area }),
        footer: (footer > 0).then(|| Rect { y: area.bottom() - 1, height: 1, ..area }),
        ..Layout::default()
    }
}

/// Every pane that has a place, live: connections, path, NIC and services at the
/// left, the runbook at the right; timeline and host join where there is room.
fn overview(body: Rect, focus: Pane, wants: (u16, u16)) -> Vec<(Pane, Rect)> {
    let three = body.width >= 190;
    let right = if three { body.width / 4 } else { (body.width * 38 / 100).clamp(40, 64) };
    let left = Rect { width: body.width - right, ..body };
    let right = Rect { x: left.right(), width: right, ..body };
    let mut framed = if three {
        let middle = Rect { x: left.x + left.width * 60 / 100, width: left.width - left.width * 60 / 100, ..left };
        let left = Rect { width: left.width - middle.width, ..left };
        let [top, bottom] = shared(left, wants);
        let [nic, rest] = stacked(middle, 36);
        let [services, host] = stacked(rest, 60);
        vec![
            (Pane::Connectivity, top),
            (Pane::Path, bottom),
            (Pane::Nic, nic),
            (Pane::Services, services),
            (Pane::Host, host),
        ]
    } else {
        let low = (body.height * 32 / 100).clamp(9, 16).min(body.height);
        let [top, middle] = shared(Rect { height: body.height - low, ..left }, wants);
        let bottom = Rect { y: left.bottom() - low, height: low, ..left };
        let nic = Rect { width: bottom.width / 2, ..bottom };
        let services = Rect { x: nic.right(), width: bottom.width - nic.width, ..bottom };
        vec![(Pane::Connectivity, top), (Pane::Path, middle), (Pane::Nic, nic), (Pane::Services, services)]
    };
    if body.height >= 42 {
        let [top, bottom] = stacked(right, 66);
        framed.push((Pane::Runbook, top));
        framed.push((Pane::Timeline, bottom));
    } else {
        framed.push((Pane::Runbook, right));
    }
    // A pane without a place of its own takes the runbook's while it has the keys.
    if !framed.iter().any(|(pane, _)| *pane == focus)
        && let Some(slot) = framed.iter_mut().find(|(pane, _)| *pane == Pane::Runbook)
    {
        slot.0 = focus;
    }
    framed
}

fn stacked(area: Rect, per_cent: u16) -> [Rect; 2] {
    let top = (u32::from(area.height) * u32::from(per_cent) / 100) as u16;
    [Rect { height: top, ..area }, Rect { y: area.y + top, height: area.height - top, ..area }]
}

/// Two panes that want so many lines: each at least six. Where not all fit, the one
/// below (the path, whose end tells) is served first up to half of the room; what
/// fails stands first in the one above.
fn shared(area: Rect, (above, below): (u16, u16)) -> [Rect; 2] {
    let (above, below) = (above.clamp(6, 200), below.clamp(6, 200));
    let spare = area.height.saturating_sub(above + below);
    let top = if above + below <= area.height {
        above + spare / 2
    } else {
        let least = area.height.min(6);
        let below = below.min(area.height / 2).max(area.height.saturating_sub(above));
        area.height.saturating_sub(below).clamp(least, area.height.saturating_sub(least).max(least))
    };
    [Rect { height: top, ..area }, Rect { y: area.y + top, height: area.height - top, ..area }]
}

/// One pane, the others in a line each, the present step.
fn one_pane(body: Rect, focus: Pane, zoomed: bool, layout: &mut Layout) {
    layout.tabs = Some(Rect { height: 1, ..body });
    let body = Rect { y: body.y + 1, height: body.height - 1, ..body };
    let mut below = body.bottom();
    if !zoomed {
        let step = if focus == Pane::Runbook || body.height < 14 { 0 } else { 3 };
        if step > 0 {
            layout.step = Some(Rect { y: below - step, height: step, ..body });
            below -= step;
        }
        let others = [Pane::Connectivity, Pane::Path, Pane::Nic, Pane::Services, Pane::Host];
        let others: Vec<_> = others.into_iter().filter(|p| *p != focus).collect();
        let room = usize::from(body.height.saturating_sub(step + 8)).min(others.len());
        // The host gives way first: its line is the one least often the cause.
        let shown = others.get(..room).unwrap_or_default();
        for (n, pane) in shown.iter().enumerate() {
            let y = below - shown.len() as u16 + n as u16;
            layout.strips.push((*pane, Rect { y, height: 1, ..body }));
        }
        below = below.saturating_sub(shown.len() as u16 + u16::from(!shown.is_empty()));
    }
    layout.single = Some(Rect { height: below - body.y, ..body });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(layout: &Layout) -> Vec<Rect> {
        let mut rects = vec![layout.header, layout.banner];
        rects.extend(layout.tabs);
        rects.extend(layout.single);
        rects.extend(layout.step);
        rects.extend(layout.footer);
        rects.extend(layout.framed.iter().map(|(_, r)| *r));
        rects.extend(layout.strips.iter().map(|(_, r)| *r));
        rects.retain(|r| !r.is_empty());
        rects
    }

    #[test]
    fn at_any_size_nothing_overlaps_and_nothing_is_outside() {
        for columns in (0..=260).step_by(7).chain([1, 59, 60, 79, 80, 117, 118, 120]) {
            for rows in (0..=90).chain([200]) {
                for focus in Pane::ALL {
                    for zoomed in [false, true] {
                        let rects = all(&of(columns, rows, focus, zoomed, (9, rows)));
                        for (n, a) in rects.iter().enumerate() {
                            assert!(a.right() <= columns && a.bottom() <= rows, "{columns}x{rows}: {a:?}");
                            assert!(rects.iter().skip(n + 1).all(|b| !a.intersects(*b)), "{columns}x{rows}: {rects:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn every_pane_has_a_place_while_it_has_the_keys() {
        for (columns, rows) in [(120, 36), (80, 24), (60, 16), (240, 80)] {
            for focus in Pane::ALL {
                let layout = of(columns, rows, focus, false, (9, 9));
                assert!(layout.single.is_some() || layout.framed.iter().any(|(p, _)| *p == focus));
            }
        }
    }
}
