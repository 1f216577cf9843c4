//! The keys of the help, from the key table: those of the first page in a few words, and all in
//! sentences.

use crate::tui::keymap::{BINDINGS, Binding, KeyAction, KeyContext, Mode, Scope};

/// A line of the help: keys and what they do.
pub(super) type HelpLine = (String, String);

/// The first page of the help: the keys of `mode`, those of every screen, and those of other
/// screens that everybody needs, each in about three words.
#[derive(Debug)]
pub(super) struct FirstPage {
    pub(super) here: Vec<HelpLine>,
    pub(super) everywhere: Vec<HelpLine>,
    pub(super) elsewhere: Vec<HelpLine>,
}

/// What has the keys of every screen.
const COMMON: [Scope; 3] = [Scope::Everywhere, Scope::Screens, Scope::Always];

/// Whether the first page has this action on every screen.
const fn is_for_everybody(action: KeyAction) -> bool {
    matches!(
        action,
        KeyAction::Explain
            | KeyAction::Filter
            | KeyAction::Sort
            | KeyAction::Pause
            | KeyAction::Acknowledge
    )
}

/// The first page of the help that is opened in `mode`.
pub(super) fn first_page(mode: Mode, context: &KeyContext<'_>) -> FirstPage {
    let own = mode.scopes();
    let here =
        |binding: &&Binding| own.contains(&binding.scope) && !COMMON.contains(&binding.scope);
    let there = BINDINGS
        .iter()
        .filter(|binding| is_for_everybody(binding.action) && context.has(binding.scope))
        .filter(|binding| !own.contains(&binding.scope))
        // The same key as on Sites.
        .filter(|binding| {
            binding.scope != Scope::Outages
                || !matches!(
                    binding.action,
                    KeyAction::Filter | KeyAction::Acknowledge | KeyAction::Sort
                )
        });
    FirstPage {
        here: joined(BINDINGS.iter().filter(here), context),
        everywhere: joined(
            BINDINGS
                .iter()
                .filter(|binding| COMMON.contains(&binding.scope)),
            context,
        ),
        elsewhere: there
            .map(|binding| {
                let word = binding.footer.map_or(binding.brief, |(_, word)| word);
                let text = format!("{word} (Sites)");
                (context.caption(binding), text)
            })
            .collect(),
    }
}

/// A line a binding; neighbours in the table with the same words share one, which has the
/// first key of each.
fn joined<'a>(
    bindings: impl Iterator<Item = &'a Binding>,
    context: &KeyContext<'_>,
) -> Vec<HelpLine> {
    let mut lines: Vec<HelpLine> = Vec::new();
    let mut before: Option<&Binding> = None;
    let mut joins = 0;
    for binding in bindings.filter(|binding| context.has(binding.scope)) {
        let caption = context.caption(binding);
        let same = before
            .is_some_and(|before| before.scope == binding.scope && before.brief == binding.brief);
        joins = if same { joins + 1 } else { 0 };
        match lines.last_mut() {
            Some((keys, _)) if same => {
                let first = |keys: &str| keys.split(' ').next().unwrap_or_default().to_owned();
                // Where two are joined already, all of it is first keys.
                let those = if joins > 1 { keys.clone() } else { first(keys) };
                *keys = format!("{those} {}", first(&caption));
            }
            _ => lines.push((caption, binding.brief.to_owned())),
        }
        before = Some(binding);
    }
    lines
}

/// The sections of the help: a title, and the keys and sentences under it. Those of `mode` come first,
/// then those of every screen.
pub(super) fn groups(
    context: &KeyContext<'_>,
    mode: Option<Mode>,
) -> Vec<(&'static str, Vec<(String, &'static str)>)> {
    let own = mode.map_or(&[][..], Mode::scopes);
    let rank = |scope: &Scope| match scope {
        _ if own.is_empty() => 0,
        scope if COMMON.contains(scope) => 2,
        scope if !own.contains(scope) => 3,
        Scope::All | Scope::Pager => 1,
        _ => 0,
    };
    let mut scopes = Scope::ALL;
    scopes.sort_by_key(rank);
    scopes
        .into_iter()
        .filter(|scope| context.has(*scope))
        .map(|scope| {
            let bindings = BINDINGS.iter().filter(|binding| binding.scope == scope);
            let lines = bindings.map(|binding| (context.caption(binding), binding.sentence));
            (scope.title(), lines.collect())
        })
        .collect()
}
