//! The one table of keys: it drives dispatch, footer, help and README.

use crate::paradigm::Label;

pub(crate) use super::key_scope::Scope;

use super::key::{DIGITS, FUNCTION, Key};
use super::lab_settings::LabAction;
use super::outages_state::OutageAction;
use super::replay_state::{RuleChange, RuleKnob};
use super::sched_state::SchedAction;

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Quit,
    Suspend,
    Redraw,
    Help,
    Close,
    Back,
    Paradigm,
    NextParadigm,
    PreviousParadigm,
    MoreWorkers,
    FewerWorkers,
    Freeze,
    NextScreen,
    PreviousScreen,
    Screen,
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Explain,
    Filter,
    Sort,
    Reverse,
    Recheck,
    RecheckAll,
    Pause,
    Maintain,
    Copy,
    Break,
    Mend,
    Sched(SchedAction),
    Lab(LabAction),
    Outages(OutageAction),
    Replay(RuleChange),
    NextSite,
    PreviousSite,
    Keep,
    Clear,
    Erase,
    EraseWord,
    EraseAll,
}

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Binding {
    pub(crate) keys: &'static [Key],
    /// The keys as they are written in footer, help and README.
    pub(crate) caption: &'static str,
    pub(crate) action: Action,
    pub(crate) scope: Scope,
    /// Place and word in the footer, the most important first; `None` stays in the help.
    pub(crate) footer: Option<(u8, &'static str)>,
    /// What it does, for help and README.
    pub(crate) sentence: &'static str,
}

const fn bind(
    keys: &'static [Key],
    caption: &'static str,
    action: Action,
    scope: Scope,
    footer: Option<(u8, &'static str)>,
    sentence: &'static str,
) -> Binding {
    Binding {
        keys,
        caption,
        action,
        scope,
        footer,
        sentence,
    }
}

use Action as A;
use Key as K;
use Scope as S;

/// Every key of the program.
#[rustfmt::skip]
pub(crate) const BINDINGS: [Binding; 105] = [
    bind(&[K::Char('?')], "?", A::Help, S::Everywhere, Some((0, "help")), "Open this help; again closes it."),
    bind(&[K::Char('q')], "q", A::Close, S::Everywhere, Some((1, "quit")), "Close what is open; in the table, quit."),
    bind(&[K::Esc], "Esc", A::Back, S::Everywhere, None, "Go back: close, then clear the filter, then unfreeze. Never quits."),
    bind(&[K::Char(' ')], "Space", A::Freeze, S::Everywhere, Some((9, "freeze")), "Freeze the display to read it; checks go on. Again goes live."),
    bind(&DIGITS, "1-9", A::Paradigm, S::Everywhere, Some((4, "paradigm")), "Run the checks by that paradigm from now on; nothing is lost."),
    bind(&[K::Char(']')], "]", A::NextParadigm, S::Everywhere, None, "The next paradigm."),
    bind(&[K::Char('[')], "[", A::PreviousParadigm, S::Everywhere, None, "The paradigm before."),
    bind(&[K::Char('+'), K::Char('=')], "+", A::MoreWorkers, S::Everywhere, Some((10, "workers")), "More workers: more checks in flight at once."),
    bind(&[K::Char('-'), K::Char('_')], "-", A::FewerWorkers, S::Everywhere, None, "Fewer workers; checks in flight are finished."),

    bind(&[K::Tab], "Tab", A::NextScreen, S::Screens, Some((2, "screen")), "The next screen."),
    bind(&[K::BackTab], "Shift-Tab", A::PreviousScreen, S::Screens, None, "The screen before."),
    bind(&FUNCTION, "F1-F9", A::Screen, S::Screens, None, "That screen."),

    bind(&[K::Up, K::Char('k')], "Up k", A::Up, S::Sites, None, "Select the site above."),
    bind(&[K::Down, K::Char('j')], "Down j", A::Down, S::Sites, None, "Select the site below; the selection follows its site."),
    bind(&[K::PageUp], "PgUp", A::PageUp, S::Sites, None, "A page up."),
    bind(&[K::PageDown], "PgDn", A::PageDown, S::Sites, None, "A page down."),
    bind(&[K::Home, K::Char('g')], "Home g", A::Top, S::Sites, None, "The first row, whatever site comes to stand there."),
    bind(&[K::End, K::Char('G')], "End G", A::Bottom, S::Sites, None, "The last site."),
    bind(&[K::Enter], "Enter", A::Explain, S::Sites, Some((3, "explain")), "Explain the verdict: rule, requests, phases, certificate, thread."),
    bind(&[K::Char('/')], "/", A::Filter, S::Sites, Some((5, "filter")), "Filter by name, URL, state, reason, code, tag:x or owner:x."),
    bind(&[K::Char('s')], "s", A::Sort, S::Sites, Some((6, "sort")), "Sort by failing, name, latency, uptime, lateness or next check."),
    bind(&[K::Char('S')], "S", A::Reverse, S::Sites, None, "Reverse the order."),

    bind(&[K::Char('r')], "r", A::Recheck, S::Site, Some((7, "recheck")), "Check it now."),
    bind(&[K::Char('R')], "R", A::RecheckAll, S::All, Some((8, "check all")), "Check every site now: a sweep."),
    bind(&[K::Char('p')], "p", A::Pause, S::Site, Some((8, "pause")), "Pause its checks, or resume them; kept in sites.toml."),
    bind(&[K::Char('w')], "w", A::Maintain, S::Site, None, "Begin an hour of maintenance: nobody is told of it. Again ends it."),
    bind(&[K::Char('y')], "y", A::Copy, S::Site, Some((11, "copy curl")), "Copy a curl line that repeats its request."),

    bind(&[K::Char('v')], "v", A::Sched(SchedAction::Group), S::Sched, Some((3, "view")), "Lanes by thread, by site or by task."),
    bind(&[K::Char('z')], "z", A::Sched(SchedAction::Closer), S::Sched, Some((5, "zoom")), "Zoom in: less time on a page."),
    bind(&[K::Char('Z')], "Z", A::Sched(SchedAction::Wider), S::Sched, None, "Zoom out: more time on a page."),
    bind(&[K::Left, K::Char('h')], "Left h", A::Sched(SchedAction::Left), S::Sched, Some((6, "checks")), "The check before in the lane; what it did stands below."),
    bind(&[K::Right, K::Char('l')], "Right l", A::Sched(SchedAction::Right), S::Sched, None, "The next check in the lane."),
    bind(&[K::Up, K::Char('k')], "Up k", A::Sched(SchedAction::LaneUp), S::Sched, None, "The lane above."),
    bind(&[K::Down, K::Char('j')], "Down j", A::Sched(SchedAction::LaneDown), S::Sched, None, "The lane below."),
    bind(&[K::PageUp], "PgUp", A::Sched(SchedAction::Back), S::Sched, Some((7, "back")), "Half a page back in time, where the picture stands still."),
    bind(&[K::PageDown], "PgDn", A::Sched(SchedAction::Forth), S::Sched, None, "Half a page forth in time."),
    bind(&[K::Home, K::Char('g')], "Home g", A::Sched(SchedAction::Oldest), S::Sched, None, "The oldest check on record."),
    bind(&[K::End, K::Char('G')], "End G", A::Sched(SchedAction::Live), S::Sched, None, "Go live again."),
    bind(&[K::Char('f')], "f", A::Sched(SchedAction::Follow), S::Sched, None, "Mark the site under the cursor in all lanes, or none."),
    bind(&[K::Enter], "Enter", A::Sched(SchedAction::Explain), S::Sched, None, "Explain the site under the cursor."),
    bind(&[K::Char('e')], "e", A::Sched(SchedAction::Export), S::Sched, Some((11, "export")), "Write what is on record as a trace that Perfetto opens."),
    bind(&[K::Char('T')], "T", A::Sched(SchedAction::Record), S::Sched, None, "Recording off, or on again."),

    bind(&[K::Enter], "Enter", A::Lab(LabAction::Run), S::Race, Some((3, "race")), "Start the race; again stops it."),
    bind(&[K::Char('x')], "x", A::Lab(LabAction::Work), S::Race, Some((5, "work")), "Race over the sites, over sleeps or over crunches."),
    bind(&[K::Char('G')], "G", A::Lab(LabAction::Lock), S::Race, Some((6, "lock")), "With the interpreter lock, or without."),
    bind(&[K::Enter], "Enter", A::Lab(LabAction::Run), S::Lab, Some((3, "run")), "Run the experiment; again stops it."),
    bind(&[K::Char('x')], "x", A::Lab(LabAction::Work), S::Lab, Some((5, "work")), "Sleep or crunch."),
    bind(&[K::Char('G')], "G", A::Lab(LabAction::Lock), S::Lab, Some((6, "lock")), "The next run: with the interpreter lock, without, or both."),
    bind(&[K::Char('z')], "z", A::Lab(LabAction::Close), S::Lab, Some((4, "close-up")), "The beginning alone, so large that each turn is seen; again the whole."),
    bind(&[K::Up, K::Char('k')], "Up k", A::Lab(LabAction::More), S::Lab, Some((7, "how many")), "One job more."),
    bind(&[K::Down, K::Char('j')], "Down j", A::Lab(LabAction::Fewer), S::Lab, None, "One job fewer."),
    bind(&[K::Right, K::Char('l')], "Right l", A::Lab(LabAction::Longer), S::Lab, Some((8, "how long")), "Longer jobs."),
    bind(&[K::Left, K::Char('h')], "Left h", A::Lab(LabAction::Shorter), S::Lab, None, "Shorter jobs."),
    bind(&[K::Up, K::Char('k')], "Up k", A::Up, S::Outages, None, "Select the outage or the letter above."),
    bind(&[K::Down, K::Char('j')], "Down j", A::Down, S::Outages, None, "Select the one below; the selection follows it."),
    bind(&[K::PageUp], "PgUp", A::PageUp, S::Outages, None, "A page up."),
    bind(&[K::PageDown], "PgDn", A::PageDown, S::Outages, None, "A page down."),
    bind(&[K::Home, K::Char('g')], "Home g", A::Top, S::Outages, None, "The first row, whatever comes to stand there."),
    bind(&[K::End, K::Char('G')], "End G", A::Bottom, S::Outages, None, "The last row."),
    bind(&[K::Char('a')], "a", A::Outages(OutageAction::Acknowledge), S::Outages, Some((2, "acknowledge")), "Acknowledge the outage with a note; again takes it back."),
    bind(&[K::Enter], "Enter", A::Outages(OutageAction::Open), S::Outages, Some((3, "details")), "All about the outage, or the whole letter."),
    bind(&[K::Char('o')], "o", A::Outages(OutageAction::OtherPane), S::Outages, Some((4, "outbox")), "Go to the outbox, and back."),
    bind(&[K::Char('r')], "r", A::Outages(OutageAction::SendAgain), S::Outages, Some((5, "send again")), "Send the selected letter of the outbox again, at once."),
    bind(&[K::Char('/')], "/", A::Filter, S::Outages, Some((6, "filter")), "Filter by site, URL, reason, owner, note, open or ended."),
    bind(&[K::Char('d')], "d", A::Outages(OutageAction::SiteHistory), S::Outages, Some((7, "site's past")), "The past of its site: uptime, latency, days, outages."),
    bind(&[K::Char('t')], "t", A::Outages(OutageAction::Replay), S::Outages, Some((8, "try rules")), "Try other rules on the past: outages, messages, how soon each is noticed."),

    bind(&[K::Char('d')], "d", A::Outages(OutageAction::SiteHistory), S::Site, Some((6, "past")), "Its past: uptime, latency, days, outages, and what the history costs."),
    bind(&[K::Char('z')], "z", A::Outages(OutageAction::Shorter), S::SiteHistory, Some((3, "zoom in")), "A shorter span: 90 days, 30 days, 7 days, 24 hours."),
    bind(&[K::Char('Z')], "Z", A::Outages(OutageAction::Longer), S::SiteHistory, Some((4, "zoom out")), "A longer span."),
    bind(&[K::Char('c')], "c", A::Replay(RuleChange::More(RuleKnob::Confirm)), S::Replay, Some((2, "confirm")), "One failure more before a site is down."),
    bind(&[K::Char('C')], "C", A::Replay(RuleChange::Less(RuleKnob::Confirm)), S::Replay, None, "One failure less."),
    bind(&[K::Char('t')], "t", A::Replay(RuleChange::More(RuleKnob::Timeout)), S::Replay, Some((3, "timeout")), "A longer timeout."),
    bind(&[K::Char('T')], "T", A::Replay(RuleChange::Less(RuleKnob::Timeout)), S::Replay, None, "A shorter timeout."),
    bind(&[K::Char('r')], "r", A::Replay(RuleChange::More(RuleKnob::Recover)), S::Replay, Some((4, "recover")), "One good look more before it is up again."),
    bind(&[K::Char('R')], "R", A::Replay(RuleChange::Less(RuleKnob::Recover)), S::Replay, None, "One good look less."),
    bind(&[K::Char('s')], "s", A::Replay(RuleChange::More(RuleKnob::Slow)), S::Replay, Some((5, "slow")), "An answer is slow later."),
    bind(&[K::Char('S')], "S", A::Replay(RuleChange::Less(RuleKnob::Slow)), S::Replay, None, "An answer is slow sooner."),
    bind(&[K::Char('z')], "z", A::Replay(RuleChange::Less(RuleKnob::Span)), S::Replay, Some((6, "span")), "A shorter span: 90 days, 30 days, 7 days, a day, 6 hours, an hour."),
    bind(&[K::Char('Z')], "Z", A::Replay(RuleChange::More(RuleKnob::Span)), S::Replay, None, "A longer span, up to all that is kept."),
    bind(&[K::Char('x')], "x", A::Replay(RuleChange::CurrentRules), S::Replay, Some((7, "as they are")), "All rules as they are again."),

    bind(&[K::Enter], "Enter", A::Outages(OutageAction::Done), S::Note, Some((1, "acknowledge")), "Acknowledge the outage with this note."),
    bind(&[K::Esc], "Esc", A::Back, S::Note, Some((2, "cancel")), "Leave it as it is."),
    bind(&[K::Backspace, K::Ctrl('h')], "Backspace", A::Erase, S::Note, None, "Erase a character."),
    bind(&[K::Ctrl('w')], "Ctrl-W", A::EraseWord, S::Note, None, "Erase a word."),
    bind(&[K::Ctrl('u')], "Ctrl-U", A::EraseAll, S::Note, Some((3, "erase all")), "Erase everything typed."),

    bind(&[K::Char('b')], "b", A::Break, S::Demo, Some((2, "break")), "Break it: it fails from now on."),
    bind(&[K::Char('m')], "m", A::Mend, S::Demo, Some((2, "mend")), "Mend it."),

    bind(&[K::Enter], "Enter", A::Keep, S::Filter, Some((1, "keep")), "Keep the filter and go back to the table."),
    bind(&[K::Esc], "Esc", A::Clear, S::Filter, Some((2, "clear")), "Clear the filter."),
    bind(&[K::Up], "Up", A::Up, S::Filter, Some((3, "above")), "Select the site above."),
    bind(&[K::Down], "Down", A::Down, S::Filter, Some((4, "below")), "Select the site below."),
    bind(&[K::Backspace, K::Ctrl('h')], "Backspace", A::Erase, S::Filter, None, "Erase a character."),
    bind(&[K::Ctrl('w')], "Ctrl-W", A::EraseWord, S::Filter, None, "Erase a word."),
    bind(&[K::Ctrl('u')], "Ctrl-U", A::EraseAll, S::Filter, Some((5, "erase all")), "Erase everything typed."),

    bind(&[K::Right, K::Char('n')], "Right n", A::NextSite, S::Explain, Some((3, "next site")), "Explain the next site of the table."),
    bind(&[K::Left, K::Char('N')], "Left N", A::PreviousSite, S::Explain, None, "Explain the site before."),

    bind(&[K::Up, K::Char('k')], "Up k", A::Up, S::Pager, None, "A line up."),
    bind(&[K::Down, K::Char('j')], "Down j", A::Down, S::Pager, Some((2, "scroll")), "A line down."),
    bind(&[K::PageUp], "PgUp", A::PageUp, S::Pager, None, "A page up."),
    bind(&[K::PageDown], "PgDn", A::PageDown, S::Pager, None, "A page down."),
    bind(&[K::Home, K::Char('g')], "Home g", A::Top, S::Pager, None, "The beginning."),
    bind(&[K::End, K::Char('G')], "End G", A::Bottom, S::Pager, None, "The end."),

    bind(&[K::Ctrl('c')], "Ctrl-C", A::Quit, S::Always, None, "Quit at once."),
    bind(&[K::Ctrl('z')], "Ctrl-Z", A::Suspend, S::Always, None, "Suspend; fg in the shell comes back."),
    bind(&[K::Ctrl('l')], "Ctrl-L", A::Redraw, S::Always, None, "Draw everything anew."),
];

/// What stands in front and takes the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A screen whose table gives these scopes.
    Screen(&'static [Scope]),
    /// The explanation of a site.
    Explain,
    /// The help.
    Help,
    /// A filter is typed.
    Filter,
    /// A note is typed.
    Note,
    /// A site's past.
    SiteHistory,
    /// The past under other rules.
    Replay,
}

impl Mode {
    /// The scopes whose keys count.
    const fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Screen(scopes) => scopes,
            Self::Explain => &[
                S::Always,
                S::Everywhere,
                S::Pager,
                S::Explain,
                S::Site,
                S::All,
                S::Demo,
            ],
            Self::Help => &[S::Always, S::Everywhere, S::Pager],
            Self::Filter => &[S::Always, S::Filter],
            Self::Note => &[S::Always, S::Note],
            Self::SiteHistory => &[S::Always, S::Everywhere, S::Pager, S::SiteHistory],
            Self::Replay => &[S::Always, S::Everywhere, S::Pager, S::Replay],
        }
    }
}

/// What else decides whether a key exists.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    pub(crate) demo: bool,
    /// How many screens there are.
    pub(crate) screens: usize,
    pub(crate) paradigms: &'a [Label],
}

impl Context<'_> {
    const fn has(&self, scope: Scope) -> bool {
        match scope {
            Scope::Demo => self.demo,
            Scope::Screens => self.screens > 1,
            _ => true,
        }
    }

    /// The keys of a binding as they are written here and now.
    pub(crate) fn caption(&self, binding: &Binding) -> String {
        match binding.action {
            Action::Paradigm => {
                let keys: Vec<_> = self.paradigms.iter().map(|label| label.key).collect();
                let run = keys
                    .windows(2)
                    .all(|two| two[1] as u32 == two[0] as u32 + 1);
                match (keys.first(), keys.last()) {
                    (Some(first), Some(last)) if run && first != last => format!("{first}-{last}"),
                    _ => keys
                        .iter()
                        .map(char::to_string)
                        .collect::<Vec<_>>()
                        .join(" "),
                }
            }
            Action::Screen => format!("F1-F{}", self.screens),
            _ => binding.caption.to_owned(),
        }
    }
}

/// What `key` does in `mode`.
pub(crate) fn action(mode: Mode, key: Key, context: &Context<'_>) -> Option<Action> {
    BINDINGS
        .iter()
        .find(|binding| {
            binding.keys.contains(&key)
                && mode.scopes().contains(&binding.scope)
                && context.has(binding.scope)
        })
        .map(|binding| binding.action)
}

/// The footer of `mode`: key and word, the most important first.
pub(crate) fn footer(mode: Mode, context: &Context<'_>) -> Vec<(String, &'static str)> {
    let mut hints: Vec<_> = BINDINGS
        .iter()
        .filter(|binding| mode.scopes().contains(&binding.scope) && context.has(binding.scope))
        .filter_map(|binding| binding.footer.map(|(rank, word)| (rank, binding, word)))
        .collect();
    hints.sort_by_key(|(rank, ..)| *rank);
    hints
        .into_iter()
        .map(|(_, binding, word)| match binding.action {
            Action::MoreWorkers => ("+ -".to_owned(), word),
            Action::Close if !matches!(mode, Mode::Screen(_)) => {
                (context.caption(binding), "close")
            }
            _ => (context.caption(binding), word),
        })
        .collect()
}

/// The headings of the help and what stands under each: keys and sentence.
pub(crate) fn groups(context: &Context<'_>) -> Vec<(&'static str, Vec<(String, &'static str)>)> {
    Scope::ALL
        .into_iter()
        .filter(|scope| context.has(*scope))
        .map(|scope| {
            let bindings = BINDINGS.iter().filter(|binding| binding.scope == scope);
            let lines = bindings.map(|binding| (context.caption(binding), binding.sentence));
            (scope.title(), lines.collect())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paradigm::Law;
    use std::collections::HashSet;

    const SITES: Mode = Mode::Screen(&[
        S::Always,
        S::Everywhere,
        S::Screens,
        S::Sites,
        S::Site,
        S::All,
        S::Demo,
    ]);
    const SCHED: Mode = Mode::Screen(&[S::Always, S::Everywhere, S::Screens, S::All, S::Sched]);
    const RACE: Mode = Mode::Screen(&[S::Always, S::Everywhere, S::Screens, S::Race]);
    const LAB: Mode = Mode::Screen(&[S::Always, S::Everywhere, S::Screens, S::Lab]);
    const OUTAGES: Mode = Mode::Screen(&[S::Always, S::Everywhere, S::Screens, S::All, S::Outages]);
    const MODES: [Mode; 11] = [
        SITES,
        SCHED,
        RACE,
        LAB,
        OUTAGES,
        Mode::Explain,
        Mode::Help,
        Mode::Filter,
        Mode::Note,
        Mode::SiteHistory,
        Mode::Replay,
    ];

    fn context() -> Context<'static> {
        Context {
            demo: true,
            screens: 3,
            paradigms: &[],
        }
    }

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for mode in MODES {
            let mut seen = HashSet::new();
            for binding in &BINDINGS {
                if mode.scopes().contains(&binding.scope) {
                    for key in binding.keys {
                        assert!(seen.insert(*key), "{key} twice in {mode:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_key_shown_is_one_that_works() {
        for binding in &BINDINGS {
            if matches!(binding.action, Action::Paradigm | Action::Screen) {
                continue;
            }
            for name in binding.caption.split(' ') {
                let key = Key::named(name).unwrap();
                assert!(binding.keys.contains(&key), "{name} of {binding:?}");
                let mode = MODES
                    .into_iter()
                    .find(|mode| mode.scopes().contains(&binding.scope))
                    .unwrap();
                assert_eq!(action(mode, key, &context()), Some(binding.action));
            }
        }
    }

    #[test]
    fn a_key_of_what_is_not_there_does_nothing() {
        let bare = Context {
            demo: false,
            screens: 1,
            ..context()
        };
        assert_eq!(action(SITES, Key::Char('b'), &bare), None);
        assert_eq!(action(SITES, Key::Tab, &bare), None);
        assert_eq!(action(Mode::Filter, Key::Char('q'), &context()), None);
    }

    #[test]
    fn the_footer_begins_with_help_and_is_in_order() {
        let hints = footer(SITES, &context());
        assert_eq!(hints[0], ("?".to_owned(), "help"));
        assert_eq!(hints[1], ("q".to_owned(), "quit"));
        assert_eq!(footer(Mode::Help, &context())[1].1, "close");
    }

    #[test]
    fn the_paradigms_keys_are_written_as_they_are() {
        let label = |key| Label {
            key,
            name: "x",
            summary: "",
            law: Law::Sum,
        };
        let paradigm = BINDINGS
            .iter()
            .find(|binding| binding.action == Action::Paradigm)
            .unwrap();
        for (keys, caption) in [("126", "1 2 6"), ("1234567", "1-7"), ("6", "6")] {
            let paradigms: Vec<_> = keys.chars().map(label).collect();
            let context = Context {
                paradigms: &paradigms,
                ..context()
            };
            assert_eq!(context.caption(paradigm), caption);
        }
    }
}
