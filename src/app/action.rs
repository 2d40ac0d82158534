//! Everything a person can do, as one table.
//!
//! Owns which keys do what, where it applies and which sentence tells it. Help,
//! palette, footer and key handling are derived from it. Must never do anything.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::ui::Pane;

/// Something a person can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is told by its row in the table")]
pub enum Action {
    Show(Pane),
    NextPane,
    PreviousPane,
    Zoom,
    Details,
    Back,
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    Filter,
    AddTarget,
    RemoveTarget,
    Trace,
    NextPath,
    PreviousPath,
    Tick,
    Note,
    Copy,
    Freeze,
    Help,
    Palette,
    Colours,
    Redraw,
    Suspend,
    Quit,
}

/// A key as the table writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A letter or sign, case told apart.
    Char(char),
    /// With the control key.
    Ctrl(char),
    /// Any other.
    Code(KeyCode),
}

impl Key {
    /// Whether `event` is this key.
    pub fn is(self, event: KeyEvent) -> bool {
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        let alt = event.modifiers.contains(KeyModifiers::ALT);
        match (self, event.code) {
            (Self::Char(c), KeyCode::Char(e)) => c == e && !control && !alt,
            (Self::Ctrl(c), KeyCode::Char(e)) => c == e && control && !alt,
            (Self::Code(c), e) => c == e && !control && !alt,
            _ => false,
        }
    }

    /// As it is printed on keyboards.
    pub fn name(self) -> String {
        match self {
            Self::Char(' ') => "Space".to_owned(),
            Self::Char(c) => c.to_string(),
            Self::Ctrl(c) => format!("Ctrl-{}", c.to_ascii_uppercase()),
            Self::Code(code) => match code {
                KeyCode::BackTab => "Shift-Tab".to_owned(),
                KeyCode::PageUp => "PgUp".to_owned(),
                KeyCode::PageDown => "PgDn".to_owned(),
                other => other.to_string(),
            },
        }
    }
}

/// Where an action applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// In every pane.
    Everywhere,
    /// Where rows can be selected.
    Lists,
    /// In these panes only.
    Panes(&'static [Pane]),
}

impl Scope {
    /// Whether it applies while `pane` has the keys.
    pub fn holds(self, pane: Pane) -> bool {
        match self {
            Self::Everywhere | Self::Lists => true,
            Self::Panes(panes) => panes.contains(&pane),
        }
    }
}

/// Under which heading help lists an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the headings")]
pub enum Group {
    Panes,
    Lists,
    Work,
    Console,
}

impl Group {
    /// Every group in the order of the page, with the id of its heading.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Panes, "help-panes"),
        (Self::Lists, "help-lists"),
        (Self::Work, "help-work"),
        (Self::Console, "help-console"),
    ];
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// What is done.
    pub action: Action,
    /// The keys that do it, the one to show first.
    pub keys: &'static [Key],
    /// Id of the sentence for help and palette.
    pub text: &'static str,
    /// Id of the word for the footer, and how early it gives way (0 last).
    pub footer: Option<(&'static str, u8)>,
    /// Where it applies.
    pub scope: Scope,
    /// Where help lists it.
    pub group: Group,
}

const fn code(code: KeyCode) -> Key {
    Key::Code(code)
}

const fn pane(pane: Pane, key: &'static [Key], text: &'static str) -> Entry {
    Entry { action: Action::Show(pane), keys: key, text, footer: None, scope: Scope::Everywhere, group: Group::Panes }
}

const fn entry(action: Action, keys: &'static [Key], text: &'static str, scope: Scope, group: Group) -> Entry {
    Entry { action, keys, text, footer: None, scope, group }
}

impl Entry {
    const fn foot(self, word: &'static str, rank: u8) -> Self {
        Self { footer: Some((word, rank)), ..self }
    }
}

use Key::{Char, Ctrl};

/// Everything that can be done, in the order of help and footer.
pub const TABLE: &[Entry] = &[
    entry(Action::Help, &[Char('?'), code(KeyCode::F(1))], "action-help", Scope::Everywhere, Group::Console)
        .foot("footer-help", 0),
    entry(Action::Palette, &[Char(':')], "action-palette", Scope::Everywhere, Group::Console).foot("footer-palette", 1),
    pane(Pane::Connectivity, &[Char('1')], "action-pane-connectivity"),
    pane(Pane::Path, &[Char('2')], "action-pane-path"),
    pane(Pane::Nic, &[Char('3')], "action-pane-nic"),
    pane(Pane::Services, &[Char('4')], "action-pane-services"),
    pane(Pane::Runbook, &[Char('5')], "action-pane-runbook"),
    pane(Pane::Timeline, &[Char('6')], "action-pane-timeline"),
    pane(Pane::Host, &[Char('7')], "action-pane-host"),
    entry(Action::NextPane, &[code(KeyCode::Tab)], "action-next-pane", Scope::Everywhere, Group::Panes)
        .foot("footer-pane", 3),
    entry(Action::PreviousPane, &[code(KeyCode::BackTab)], "action-previous-pane", Scope::Everywhere, Group::Panes),
    entry(Action::Zoom, &[Char('z')], "action-zoom", Scope::Everywhere, Group::Panes).foot("footer-zoom", 2),
    entry(Action::Details, &[code(KeyCode::Enter)], "action-details", Scope::Lists, Group::Lists)
        .foot("footer-details", 4),
    entry(Action::Back, &[code(KeyCode::Esc)], "action-back", Scope::Everywhere, Group::Panes),
    entry(Action::Down, &[Char('j'), code(KeyCode::Down)], "action-down", Scope::Lists, Group::Lists),
    entry(Action::Up, &[Char('k'), code(KeyCode::Up)], "action-up", Scope::Lists, Group::Lists),
    entry(Action::PageDown, &[code(KeyCode::PageDown), Ctrl('d')], "action-page-down", Scope::Lists, Group::Lists),
    entry(Action::PageUp, &[code(KeyCode::PageUp), Ctrl('u')], "action-page-up", Scope::Lists, Group::Lists),
    entry(Action::First, &[Char('g'), code(KeyCode::Home)], "action-first", Scope::Lists, Group::Lists),
    entry(Action::Last, &[Char('G'), code(KeyCode::End)], "action-last", Scope::Lists, Group::Lists),
    entry(
        Action::Filter,
        &[Char('/')],
        "action-filter",
        Scope::Panes(&[Pane::Connectivity, Pane::Services, Pane::Timeline]),
        Group::Lists,
    )
    .foot("footer-filter", 8),
    entry(Action::AddTarget, &[Char('t')], "action-add-target", Scope::Everywhere, Group::Work).foot("footer-add", 6),
    entry(Action::Trace, &[Char('T')], "action-trace", Scope::Panes(&[Pane::Connectivity]), Group::Work)
        .foot("footer-trace", 7),
    entry(
        Action::RemoveTarget,
        &[Char('x'), code(KeyCode::Delete)],
        "action-remove-target",
        Scope::Panes(&[Pane::Connectivity]),
        Group::Work,
    ),
    entry(
        Action::NextPath,
        &[code(KeyCode::Right), Char('l')],
        "action-next-path",
        Scope::Panes(&[Pane::Path]),
        Group::Lists,
    )
    .foot("footer-next-path", 2),
    entry(
        Action::PreviousPath,
        &[code(KeyCode::Left), Char('h')],
        "action-previous-path",
        Scope::Panes(&[Pane::Path]),
        Group::Lists,
    ),
    entry(Action::Tick, &[Char(' ')], "action-tick", Scope::Panes(&[Pane::Runbook]), Group::Work)
        .foot("footer-tick", 2),
    entry(Action::Note, &[Char('n')], "action-note", Scope::Everywhere, Group::Work).foot("footer-note", 5),
    entry(Action::Copy, &[Char('y')], "action-copy", Scope::Lists, Group::Work).foot("footer-copy", 9),
    entry(Action::Freeze, &[Char('p')], "action-freeze", Scope::Everywhere, Group::Console).foot("footer-freeze", 8),
    entry(Action::Colours, &[Char('C')], "action-colours", Scope::Everywhere, Group::Console),
    entry(Action::Redraw, &[Ctrl('l')], "action-redraw", Scope::Everywhere, Group::Console),
    entry(Action::Suspend, &[Ctrl('z')], "action-suspend", Scope::Everywhere, Group::Console),
    entry(Action::Quit, &[Char('q'), Ctrl('c')], "action-quit", Scope::Everywhere, Group::Console)
        .foot("footer-quit", 4),
];

/// What a key does while `pane` has the keys.
pub fn of_key(key: KeyEvent, pane: Pane) -> Option<Action> {
    TABLE.iter().find(|e| e.scope.holds(pane) && e.keys.iter().any(|k| k.is(key))).map(|e| e.action)
}

/// The row of an action.
pub fn entry_of(action: Action) -> Option<&'static Entry> {
    TABLE.iter().find(|e| e.action == action)
}

/// The keys of a row, as words.
pub fn key_names(entry: &Entry) -> String {
    entry.keys.iter().map(|k| k.name()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Language, Texts};

    #[test]
    fn no_key_does_two_things_in_one_place() {
        for pane in Pane::ALL {
            let mut seen: Vec<Key> = Vec::new();
            for entry in TABLE.iter().filter(|e| e.scope.holds(pane)) {
                for key in entry.keys {
                    assert!(!seen.contains(key), "{} twice in {pane:?}", key.name());
                    seen.push(*key);
                }
            }
        }
    }

    #[test]
    fn every_row_has_its_words() {
        let texts = Texts::new(Language::En);
        for entry in TABLE {
            assert!(texts.has(entry.text), "{}", entry.text);
            assert!(entry.footer.is_none_or(|(word, _)| texts.has(word)), "{:?}", entry.footer);
        }
        for (_, heading) in Group::ALL {
            assert!(texts.has(heading), "{heading}");
        }
    }

    #[test]
    fn case_and_control_are_told_apart() {
        let key = |c, m| KeyEvent::new(KeyCode::Char(c), m);
        assert_eq!(of_key(key('t', KeyModifiers::NONE), Pane::Connectivity), Some(Action::AddTarget));
        assert_eq!(of_key(key('T', KeyModifiers::SHIFT), Pane::Connectivity), Some(Action::Trace));
        assert_eq!(of_key(key('T', KeyModifiers::SHIFT), Pane::Host), None);
        assert_eq!(of_key(key('c', KeyModifiers::CONTROL), Pane::Host), Some(Action::Quit));
    }
}
