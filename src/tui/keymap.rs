//! The one table of keys: it drives dispatch, footer, help and README.

use crate::paradigm::Label;

pub(crate) use super::key_scope::Scope;
pub(crate) use super::mode::Mode;

use super::key::{DIGITS, FUNCTION, Key};
use super::lab_settings::LabAction;
use super::outages_state::OutageAction;
use super::replay_state::{RuleChange, RuleKnob};
use super::sched_state::SchedAction;

/// The action of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyAction {
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
    TakeBack,
    AddSite,
    EditSite,
    DeleteSites,
    EditTags,
    Mark,
    MarkAll,
    NextField,
    PreviousField,
    KeepSite,
    SetTags,
    Confirm,
    Acknowledge,
    AcknowledgeGroup,
    AcknowledgeNow,
    SearchHelp,
    RecentMessages,
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
    pub(crate) action: KeyAction,
    pub(crate) scope: Scope,
    /// Rank and word in the footer, the lowest rank first; `None` keeps it out of the footer.
    pub(crate) footer: Option<(u8, &'static str)>,
    /// The action in about three words, for the first page of the help. Bindings next to
    /// each other with the same words share a line there.
    pub(crate) brief: &'static str,
    /// The action in a sentence, for the pages below and for docs/keys.md.
    pub(crate) sentence: &'static str,
}

const fn bind(
    keys: &'static [Key],
    caption: &'static str,
    action: KeyAction,
    scope: Scope,
    footer: Option<(u8, &'static str)>,
    brief: &'static str,
    sentence: &'static str,
) -> Binding {
    Binding {
        keys,
        caption,
        action,
        scope,
        footer,
        brief,
        sentence,
    }
}

use Key as K;
use KeyAction as A;
use Scope as S;

/// Every key of the program, in the order of the help.
#[rustfmt::skip]
pub(crate) const BINDINGS: [Binding; 143] = [
    bind(&[K::Char('?')], "?", A::Help, S::Everywhere, Some((0, "help")), "this help", "Open this help; a second ? closes it."),
    bind(&[K::Char('q')], "q", A::Close, S::Everywhere, Some((1, "quit")), "go back, or quit", "Go back: close the page in front, then to the Sites screen. There, quit; with a site down it asks once."),
    bind(&[K::Char('u')], "u", A::TakeBack, S::Everywhere, None, "take it back", "Take the last edit of sites.toml, p, w or a back."),
    bind(&[K::Char('M')], "M", A::RecentMessages, S::Everywhere, None, "last notices", "Read the last twenty notices of the status line."),
    bind(&[K::Esc], "Esc", A::Back, S::Everywhere, None, "go back", "Go back: close, then unfreeze, then take marks away, then clear the filter. Never quits."),
    bind(&[K::Char(' ')], "Space", A::Freeze, S::Everywhere, Some((9, "freeze")), "freeze, go live", "Freeze the display to read it; checks go on. A second Space goes live."),
    bind(&DIGITS, "1-9", A::Paradigm, S::Everywhere, Some((4, "paradigm")), "switch the paradigm", "Run the checks by that paradigm from now on; no check is lost."),
    bind(&[K::Char(']')], "]", A::NextParadigm, S::Everywhere, None, "next, previous one", "Switch to the next paradigm."),
    bind(&[K::Char('[')], "[", A::PreviousParadigm, S::Everywhere, None, "next, previous one", "Switch to the previous paradigm."),
    bind(&[K::Char('+'), K::Char('=')], "+", A::MoreWorkers, S::Everywhere, Some((10, "workers")), "more, fewer workers", "More workers: more checks in flight at once."),
    bind(&[K::Char('-'), K::Char('_')], "-", A::FewerWorkers, S::Everywhere, None, "more, fewer workers", "Fewer workers; checks in flight are finished."),

    bind(&[K::Tab], "Tab", A::NextScreen, S::Screens, Some((2, "screen")), "next, previous screen", "Go to the next screen."),
    bind(&[K::BackTab], "Shift-Tab", A::PreviousScreen, S::Screens, None, "next, previous screen", "Go to the previous screen."),
    bind(&FUNCTION, "F1-F9", A::Screen, S::Screens, None, "go to a screen", "Go to that screen: Sites, Sched, Race, Lab, Outages."),

    bind(&[K::Up, K::Char('k')], "Up k", A::Up, S::Sites, None, "select a site", "Select the site above."),
    bind(&[K::Down, K::Char('j')], "Down j", A::Down, S::Sites, None, "select a site", "Select the site below; the selection follows its site when the order changes."),
    bind(&[K::PageUp], "PgUp", A::PageUp, S::Sites, None, "turn the page", "A page up."),
    bind(&[K::PageDown], "PgDn", A::PageDown, S::Sites, None, "turn the page", "A page down."),
    bind(&[K::Home, K::Char('g')], "Home g", A::Top, S::Sites, None, "first, last site", "Select the first row, and stay there when the order changes."),
    bind(&[K::End, K::Char('G')], "End G", A::Bottom, S::Sites, None, "first, last site", "Select the last site."),
    bind(&[K::Enter], "Enter", A::Explain, S::Sites, Some((3, "explain")), "explain the verdict", "Explain the verdict: rule, requests, phases, certificate, thread."),
    bind(&[K::Char('/')], "/", A::Filter, S::Sites, Some((5, "filter")), "filter the list", "Filter by name, URL, state, reason, code, tag:x, owner:x, maintenance, silenced or acked."),
    bind(&[K::Char('s')], "s", A::Sort, S::Sites, Some((6, "sort")), "sort the list", "Sort by failing, down since, duration, name, latency, uptime, lateness or next check; each s takes the next."),
    bind(&[K::Char('S')], "S", A::Reverse, S::Sites, None, "reverse the order", "Reverse the order."),

    bind(&[K::Char('a')], "a", A::Acknowledge, S::Site, Some((7, "acknowledge")), "acknowledge", "Acknowledge its outage with a note; Tab takes all of the cause suspected. A second a takes it back."),
    bind(&[K::Char('r')], "r", A::Recheck, S::Site, Some((7, "check")), "check it now", "Check it now."),
    bind(&[K::Char('R')], "R", A::RecheckAll, S::All, Some((8, "check all")), "check all now", "Check every site now: a sweep."),
    bind(&[K::Char('p')], "p", A::Pause, S::Site, Some((8, "pause")), "pause, resume", "Pause its checks, or resume them; kept in sites.toml."),
    bind(&[K::Char('w')], "w", A::Maintain, S::Site, None, "maintain for 1h", "Begin an hour of maintenance: its owners get no message. A second w ends it."),
    bind(&[K::Char('y')], "y", A::Copy, S::Site, Some((11, "copy curl")), "copy as curl", "Copy a command line that repeats its check: of curl for a site on the web."),

    bind(&[K::Char('A')], "A", A::AddSite, S::Sites, Some((12, "add")), "add a site", "Add a site: a form, checked as it is typed and tried once before it is written into sites.toml."),
    bind(&[K::Char('E')], "E", A::EditSite, S::Site, Some((13, "edit")), "edit, delete, tag", "Edit the site in sites.toml; comments and order are kept."),
    bind(&[K::Char('D')], "D", A::DeleteSites, S::Site, None, "edit, delete, tag", "Delete the site from sites.toml, or those marked, after a question."),
    bind(&[K::Char('t')], "t", A::EditTags, S::Site, None, "edit, delete, tag", "Add tags to the site, or to those marked, and remove others: +shop -old."),
    bind(&[K::Char('.')], ".", A::Mark, S::Sites, None, "mark one, all", "Mark the site, or take the mark away: p, w, r, D and t act on all that are marked."),
    bind(&[K::Char('*')], "*", A::MarkAll, S::Sites, None, "mark one, all", "Mark all sites shown; a second * takes the marks away."),

    bind(&[K::Char('v')], "v", A::Sched(SchedAction::Group), S::Sched, Some((3, "view")), "group the lanes", "Lanes by thread, by site or by task."),
    bind(&[K::Char('z')], "z", A::Sched(SchedAction::Closer), S::Sched, Some((5, "zoom")), "zoom in, out", "Zoom in: less time on a page."),
    bind(&[K::Char('Z')], "Z", A::Sched(SchedAction::Wider), S::Sched, None, "zoom in, out", "Zoom out: more time on a page."),
    bind(&[K::Left, K::Char('h')], "Left h", A::Sched(SchedAction::Left), S::Sched, Some((6, "checks")), "select a check", "Select the check before in the lane; what it did stands below."),
    bind(&[K::Right, K::Char('l')], "Right l", A::Sched(SchedAction::Right), S::Sched, None, "select a check", "Select the next check in the lane."),
    bind(&[K::Up, K::Char('k')], "Up k", A::Sched(SchedAction::LaneUp), S::Sched, None, "select a lane", "Select the lane above."),
    bind(&[K::Down, K::Char('j')], "Down j", A::Sched(SchedAction::LaneDown), S::Sched, None, "select a lane", "Select the lane below."),
    bind(&[K::PageUp], "PgUp", A::Sched(SchedAction::Back), S::Sched, Some((7, "back")), "go back, forward", "Go half a page back in time; the picture stands still from then on."),
    bind(&[K::PageDown], "PgDn", A::Sched(SchedAction::Forth), S::Sched, None, "go back, forward", "Go half a page forward in time."),
    bind(&[K::Home, K::Char('g')], "Home g", A::Sched(SchedAction::Oldest), S::Sched, None, "oldest check, live", "Go to the oldest check on record."),
    bind(&[K::End, K::Char('G')], "End G", A::Sched(SchedAction::Live), S::Sched, None, "oldest check, live", "Go live again."),
    bind(&[K::Char('f')], "f", A::Sched(SchedAction::Follow), S::Sched, None, "mark its site", "Mark the site under the cursor in all lanes; a second f removes the mark."),
    bind(&[K::Enter], "Enter", A::Sched(SchedAction::Explain), S::Sched, None, "explain its site", "Explain the site under the cursor."),
    bind(&[K::Char('e')], "e", A::Sched(SchedAction::Export), S::Sched, Some((11, "export")), "export a trace", "Write the recorded trace into a file that Perfetto opens."),
    bind(&[K::Char('T')], "T", A::Sched(SchedAction::Record), S::Sched, None, "record, or not", "Stop recording, or record again."),

    bind(&[K::Enter], "Enter", A::Lab(LabAction::Run), S::Race, Some((3, "race")), "start, stop", "Start the race; a second Enter stops it."),
    bind(&[K::Char('x')], "x", A::Lab(LabAction::Work), S::Race, Some((5, "work")), "choose the work", "Race over the sites, over sleeps or over crunches."),
    bind(&[K::Char('G')], "G", A::Lab(LabAction::Lock), S::Race, Some((6, "lock")), "interpreter lock", "Race with the interpreter lock, or without."),
    bind(&[K::Enter], "Enter", A::Lab(LabAction::Run), S::Lab, Some((3, "run")), "start, stop", "Run the experiment; a second Enter stops it."),
    bind(&[K::Char('x')], "x", A::Lab(LabAction::Work), S::Lab, Some((5, "work")), "choose the work", "Choose the work of each job: sleep or crunch."),
    bind(&[K::Char('G')], "G", A::Lab(LabAction::Lock), S::Lab, Some((6, "lock")), "interpreter lock", "Run next with the interpreter lock, without, or both."),
    bind(&[K::Char('z')], "z", A::Lab(LabAction::Close), S::Lab, Some((4, "close-up")), "close-up, whole", "Show the beginning alone, so large that each turn is seen; a second z shows the whole."),
    bind(&[K::Up, K::Char('k')], "Up k", A::Lab(LabAction::More), S::Lab, Some((7, "how many")), "more, fewer jobs", "One job more."),
    bind(&[K::Down, K::Char('j')], "Down j", A::Lab(LabAction::Fewer), S::Lab, None, "more, fewer jobs", "One job fewer."),
    bind(&[K::Right, K::Char('l')], "Right l", A::Lab(LabAction::Longer), S::Lab, Some((8, "how long")), "longer, shorter jobs", "Longer jobs."),
    bind(&[K::Left, K::Char('h')], "Left h", A::Lab(LabAction::Shorter), S::Lab, None, "longer, shorter jobs", "Shorter jobs."),
    bind(&[K::Up, K::Char('k')], "Up k", A::Up, S::Outages, None, "select a row", "Select the outage or the message above."),
    bind(&[K::Down, K::Char('j')], "Down j", A::Down, S::Outages, None, "select a row", "Select the one below; the selection follows it when the list changes."),
    bind(&[K::PageUp], "PgUp", A::PageUp, S::Outages, None, "turn the page", "A page up."),
    bind(&[K::PageDown], "PgDn", A::PageDown, S::Outages, None, "turn the page", "A page down."),
    bind(&[K::Home, K::Char('g')], "Home g", A::Top, S::Outages, None, "first, last row", "Select the first row, and stay there when the list changes."),
    bind(&[K::End, K::Char('G')], "End G", A::Bottom, S::Outages, None, "first, last row", "Select the last row."),
    bind(&[K::Char('a')], "a", A::Acknowledge, S::Outages, Some((2, "acknowledge")), "acknowledge", "Acknowledge the outage with a note; Tab takes all of the cause suspected. A second a takes it back."),
    bind(&[K::Enter], "Enter", A::Outages(OutageAction::Open), S::Outages, Some((3, "details")), "show details", "Show all about the outage, or the whole message."),
    bind(&[K::Char('o')], "o", A::Outages(OutageAction::OtherPane), S::Outages, Some((4, "outbox")), "outbox, outages", "Go to the outbox, and back."),
    bind(&[K::Char('r')], "r", A::Outages(OutageAction::SendAgain), S::Outages, Some((5, "send again")), "send again", "Send the selected message of the outbox again, at once."),
    bind(&[K::Char('/')], "/", A::Filter, S::Outages, Some((6, "filter")), "filter the list", "Filter by site, URL, reason, owner, note, open or ended."),
    bind(&[K::Char('s')], "s", A::Sort, S::Outages, None, "sort, reverse", "Sort by open first, down since or duration; each s takes the next."),
    bind(&[K::Char('S')], "S", A::Reverse, S::Outages, None, "sort, reverse", "Reverse the order."),
    bind(&[K::Char('c')], "c", A::Outages(OutageAction::Checks), S::Outages, None, "checks, messages, site", "List the checks of the outage, one by one with their reasons."),
    bind(&[K::Char('m')], "m", A::Outages(OutageAction::Messages), S::Outages, None, "checks, messages, site", "Show the messages about the outage: to whom, by what, what became of each."),
    bind(&[K::Char('d')], "d", A::Outages(OutageAction::SiteHistory), S::Outages, Some((7, "history")), "checks, messages, site", "The history of its site: uptime, latency, days, outages."),
    bind(&[K::Char('t')], "t", A::Outages(OutageAction::Replay), S::Outages, Some((8, "try rules")), "try other rules", "Replay the history under other rules: outages, messages, how soon each is noticed."),

    bind(&[K::Char('d')], "d", A::Outages(OutageAction::SiteHistory), S::Site, Some((6, "history")), "its history", "Its history: uptime, latency, days, outages, and the size of the file."),
    bind(&[K::Char('c')], "c", A::Outages(OutageAction::Checks), S::OutagePage, Some((3, "checks")), "its checks", "List its checks, one by one with their reasons."),
    bind(&[K::Char('m')], "m", A::Outages(OutageAction::Messages), S::OutagePage, Some((4, "messages")), "its messages", "Show the messages about it: to whom, by what, what became of each."),
    bind(&[K::Char('d')], "d", A::Outages(OutageAction::SiteHistory), S::OutagePage, Some((5, "history")), "the site's history", "The history of its site."),
    bind(&[K::Char('c')], "c", A::Outages(OutageAction::Checks), S::SiteHistory, Some((5, "checks")), "its checks", "List the checks of the span, one by one with their reasons."),
    bind(&[K::Char('z')], "z", A::Outages(OutageAction::Shorter), S::SiteHistory, Some((3, "zoom in")), "shorter, longer span", "Shorten the span: 90 days, 30 days, 7 days, 24 hours, 6 hours, an hour."),
    bind(&[K::Char('Z')], "Z", A::Outages(OutageAction::Longer), S::SiteHistory, Some((4, "zoom out")), "shorter, longer span", "Lengthen the span."),
    bind(&[K::Char('c')], "c", A::Replay(RuleChange::More(RuleKnob::Confirm)), S::Replay, Some((2, "confirm")), "failures until down", "Require one failure more before a site is down."),
    bind(&[K::Char('C')], "C", A::Replay(RuleChange::Less(RuleKnob::Confirm)), S::Replay, None, "failures until down", "Require one failure less."),
    bind(&[K::Char('t')], "t", A::Replay(RuleChange::More(RuleKnob::Timeout)), S::Replay, Some((3, "timeout")), "longer, shorter timeout", "Lengthen the timeout."),
    bind(&[K::Char('T')], "T", A::Replay(RuleChange::Less(RuleKnob::Timeout)), S::Replay, None, "longer, shorter timeout", "Shorten the timeout."),
    bind(&[K::Char('r')], "r", A::Replay(RuleChange::More(RuleKnob::Recover)), S::Replay, Some((4, "recover")), "good checks needed", "Require one good check more before a site is up again."),
    bind(&[K::Char('R')], "R", A::Replay(RuleChange::Less(RuleKnob::Recover)), S::Replay, None, "good checks needed", "Require one good check less."),
    bind(&[K::Char('s')], "s", A::Replay(RuleChange::More(RuleKnob::Slow)), S::Replay, Some((5, "slow")), "slow limit", "Raise the limit from which an answer is slow."),
    bind(&[K::Char('S')], "S", A::Replay(RuleChange::Less(RuleKnob::Slow)), S::Replay, None, "slow limit", "Lower the limit from which an answer is slow."),
    bind(&[K::Char('z')], "z", A::Replay(RuleChange::Less(RuleKnob::Span)), S::Replay, Some((6, "span")), "shorter, longer span", "Shorten the span: 90 days, 30 days, 7 days, a day, 6 hours, an hour."),
    bind(&[K::Char('Z')], "Z", A::Replay(RuleChange::More(RuleKnob::Span)), S::Replay, None, "shorter, longer span", "Lengthen the span, up to all that is kept."),
    bind(&[K::Char('x')], "x", A::Replay(RuleChange::Reset), S::Replay, Some((7, "current")), "current rules", "Return to the current rules."),

    bind(&[K::Enter], "Enter", A::AcknowledgeNow, S::Note, Some((1, "acknowledge")), "acknowledge", "Acknowledge the outage with this note."),
    bind(&[K::Tab], "Tab", A::AcknowledgeGroup, S::Note, Some((2, "one, or all")), "one, or all", "Acknowledge all outages listed of the cause suspected with this note; a second Tab goes back to the one."),
    bind(&[K::Esc], "Esc", A::Back, S::Note, Some((3, "cancel")), "cancel", "Cancel: the outage stays as it is."),
    bind(&[K::Backspace, K::Ctrl('h')], "Backspace", A::Erase, S::Note, None, "erase a character", "Erase a character."),
    bind(&[K::Ctrl('w')], "Ctrl-W", A::EraseWord, S::Note, None, "erase a word", "Erase a word."),
    bind(&[K::Ctrl('u')], "Ctrl-U", A::EraseAll, S::Note, Some((4, "erase all")), "erase all", "Erase everything typed."),

    bind(&[K::Enter], "Enter", A::KeepSite, S::SiteForm, Some((1, "try, then keep")), "try, then keep", "Try the site once; a second Enter writes it into sites.toml, whatever came of it."),
    bind(&[K::Tab, K::Down], "Tab Down", A::NextField, S::SiteForm, Some((2, "next")), "next, previous key", "Go to the next key."),
    bind(&[K::BackTab, K::Up], "Shift-Tab Up", A::PreviousField, S::SiteForm, Some((3, "previous")), "next, previous key", "Go to the previous key."),
    bind(&[K::Esc], "Esc", A::Back, S::SiteForm, Some((4, "cancel")), "cancel", "Cancel: nothing is written."),
    bind(&[K::Backspace, K::Ctrl('h')], "Backspace", A::Erase, S::SiteForm, None, "erase a character", "Erase a character."),
    bind(&[K::Ctrl('w')], "Ctrl-W", A::EraseWord, S::SiteForm, None, "erase a word", "Erase a word."),
    bind(&[K::Ctrl('u')], "Ctrl-U", A::EraseAll, S::SiteForm, Some((5, "erase all")), "erase all", "Erase the value: the default holds."),
    bind(&[K::Enter], "Enter", A::SetTags, S::Tags, Some((1, "set")), "set the tags", "Write the tags into sites.toml."),
    bind(&[K::Esc], "Esc", A::Back, S::Tags, Some((2, "cancel")), "cancel", "Cancel: the tags stay as they are."),
    bind(&[K::Backspace, K::Ctrl('h')], "Backspace", A::Erase, S::Tags, None, "erase a character", "Erase a character."),
    bind(&[K::Ctrl('w')], "Ctrl-W", A::EraseWord, S::Tags, None, "erase a word", "Erase a word."),
    bind(&[K::Ctrl('u')], "Ctrl-U", A::EraseAll, S::Tags, Some((3, "erase all")), "erase all", "Erase everything typed."),
    bind(&[K::Char('y')], "y", A::Confirm, S::Question, Some((1, "yes")), "yes", "Do what is asked."),
    bind(&[K::Esc, K::Char('n'), K::Char('q')], "Esc n q", A::Back, S::Question, Some((2, "no")), "no", "Leave all as it is."),

    bind(&[K::Char('b')], "b", A::Break, S::Demo, Some((2, "break")), "break it", "Break it: its checks fail from now on."),
    bind(&[K::Char('m')], "m", A::Mend, S::Demo, Some((2, "mend")), "mend it", "Mend it."),

    bind(&[K::Enter], "Enter", A::Keep, S::Filter, Some((1, "keep")), "keep the filter", "Keep the filter and go back to the table."),
    bind(&[K::Esc], "Esc", A::Clear, S::Filter, Some((2, "clear")), "clear the filter", "Clear the filter."),
    bind(&[K::Up], "Up", A::Up, S::Filter, Some((3, "above")), "select a site", "Select the site above."),
    bind(&[K::Down], "Down", A::Down, S::Filter, Some((4, "below")), "select a site", "Select the site below."),
    bind(&[K::Backspace, K::Ctrl('h')], "Backspace", A::Erase, S::Filter, None, "erase a character", "Erase a character."),
    bind(&[K::Ctrl('w')], "Ctrl-W", A::EraseWord, S::Filter, None, "erase a word", "Erase a word."),
    bind(&[K::Ctrl('u')], "Ctrl-U", A::EraseAll, S::Filter, Some((5, "erase all")), "erase all", "Erase everything typed."),

    bind(&[K::Char('/')], "/", A::SearchHelp, S::Help, Some((2, "search")), "search the help", "Search the help: every word must stand in the line of a key, state, column or term."),
    bind(&[K::Enter], "Enter", A::Keep, S::HelpFilter, Some((1, "keep")), "keep what is found", "Keep what is found, to scroll in it."),
    bind(&[K::Esc], "Esc", A::Clear, S::HelpFilter, Some((2, "clear")), "whole help", "Show the whole help again."),
    bind(&[K::Backspace, K::Ctrl('h')], "Backspace", A::Erase, S::HelpFilter, None, "erase a character", "Erase a character."),
    bind(&[K::Ctrl('w')], "Ctrl-W", A::EraseWord, S::HelpFilter, None, "erase a word", "Erase a word."),
    bind(&[K::Ctrl('u')], "Ctrl-U", A::EraseAll, S::HelpFilter, Some((3, "erase all")), "erase all", "Erase everything typed."),

    bind(&[K::Right, K::Char('n')], "Right n", A::NextSite, S::Explain, Some((3, "next site")), "next, previous site", "Explain the next site of the table."),
    bind(&[K::Left, K::Char('N')], "Left N", A::PreviousSite, S::Explain, None, "next, previous site", "Explain the previous site."),

    bind(&[K::Up, K::Char('k')], "Up k", A::Up, S::Pager, None, "scroll a line", "A line up."),
    bind(&[K::Down, K::Char('j')], "Down j", A::Down, S::Pager, Some((2, "scroll")), "scroll a line", "A line down."),
    bind(&[K::PageUp], "PgUp", A::PageUp, S::Pager, None, "turn the page", "A page up."),
    bind(&[K::PageDown], "PgDn", A::PageDown, S::Pager, None, "turn the page", "A page down."),
    bind(&[K::Home, K::Char('g')], "Home g", A::Top, S::Pager, None, "beginning, end", "Go to the beginning."),
    bind(&[K::End, K::Char('G')], "End G", A::Bottom, S::Pager, None, "beginning, end", "Go to the end."),

    bind(&[K::Ctrl('c')], "Ctrl-C", A::Quit, S::Always, None, "quit at once", "Quit at once."),
    bind(&[K::Ctrl('z')], "Ctrl-Z", A::Suspend, S::Always, None, "suspend", "Suspend the program; fg in the shell continues it."),
    bind(&[K::Ctrl('l')], "Ctrl-L", A::Redraw, S::Always, None, "redraw", "Draw the whole screen again."),
];

/// The facts that decide which keys there are, and how they are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyContext<'a> {
    /// Whether the sites are those of `squirrel demo`.
    pub(crate) demo: bool,
    /// The number of screens.
    pub(crate) screens: usize,
    pub(crate) paradigms: &'a [Label],
}

impl KeyContext<'_> {
    /// Whether the keys of `scope` exist.
    pub(crate) const fn has(&self, scope: Scope) -> bool {
        match scope {
            Scope::Demo => self.demo,
            Scope::Screens => self.screens > 1,
            _ => true,
        }
    }

    /// The keys of a binding in words: those of the paradigms and screens that exist.
    pub(crate) fn caption(&self, binding: &Binding) -> String {
        match binding.action {
            KeyAction::Paradigm => {
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
            KeyAction::Screen => format!("F1-F{}", self.screens),
            _ => binding.caption.to_owned(),
        }
    }
}

/// The action of `key` in `mode`; `None` if the key is free.
pub(crate) fn action(mode: Mode, key: Key, context: &KeyContext<'_>) -> Option<KeyAction> {
    BINDINGS
        .iter()
        .find(|binding| {
            binding.keys.contains(&key)
                && mode.scopes().contains(&binding.scope)
                && context.has(binding.scope)
        })
        .map(|binding| binding.action)
}

/// The footer of `mode`: keys and word, the most important first.
pub(crate) fn footer(mode: Mode, context: &KeyContext<'_>) -> Vec<(String, &'static str)> {
    let mut hints: Vec<_> = BINDINGS
        .iter()
        .filter(|binding| mode.scopes().contains(&binding.scope) && context.has(binding.scope))
        .filter_map(|binding| binding.footer.map(|(rank, word)| (rank, binding, word)))
        .collect();
    hints.sort_by_key(|(rank, ..)| *rank);
    hints
        .into_iter()
        .map(|(_, binding, word)| match binding.action {
            KeyAction::MoreWorkers => ("+ -".to_owned(), word),
            KeyAction::Close => {
                let word = match mode {
                    Mode::Screen(scopes) if scopes.contains(&Scope::Sites) => word,
                    Mode::Screen(_) => "back",
                    _ => "close",
                };
                (context.caption(binding), word)
            }
            _ => (context.caption(binding), word),
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
    const MODES: [Mode; 17] = [
        SITES,
        SCHED,
        RACE,
        LAB,
        OUTAGES,
        Mode::Explain,
        Mode::Page,
        Mode::Help,
        Mode::HelpFilter,
        Mode::Filter,
        Mode::Note,
        Mode::SiteForm,
        Mode::Tags,
        Mode::Question,
        Mode::Outage,
        Mode::SiteHistory,
        Mode::Replay,
    ];

    fn context() -> KeyContext<'static> {
        KeyContext {
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
            if matches!(binding.action, KeyAction::Paradigm | KeyAction::Screen) {
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
        let bare = KeyContext {
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
        assert_eq!(footer(OUTAGES, &context())[1].1, "back");
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
            .find(|binding| binding.action == KeyAction::Paradigm)
            .unwrap();
        for (keys, caption) in [("126", "1 2 6"), ("1234567", "1-7"), ("6", "6")] {
            let paradigms: Vec<_> = keys.chars().map(label).collect();
            let context = KeyContext {
                paradigms: &paradigms,
                ..context()
            };
            assert_eq!(context.caption(paradigm), caption);
        }
    }
}
