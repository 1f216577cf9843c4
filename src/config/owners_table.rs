//! `[owners]`: the owners, their addresses and when messages reach them.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{
    ChannelAddress, Escalation, KnownChannel, Owner, OwnerAddresses, Quiet, Rotation, Tell,
    WeekHours,
};

use super::notify_table::SecretReader;
use super::owner_addresses::read_addresses;
use super::secret::Secret;
use super::table_reader::TableReader;
use super::value_parsers::{self, ValueError, nearest, quoted, suggestion};
use super::week_hours::week_hours;

/// The default of `owners.NAME.escalate_after`.
pub(super) const ESCALATE_AFTER: Duration = Duration::from_secs(15 * 60);

/// The channels of owners.
#[derive(Clone, Copy)]
pub(super) struct OwnerChannels<'a> {
    /// Every channel.
    pub(super) known: &'a [KnownChannel],
    /// The keys of `[notify]`.
    pub(super) configured: &'a [Box<str>],
    pub(super) secrets: SecretReader<'a>,
}

/// `[owners.NAME]`, by name, and the addresses of each.
pub(super) fn read_owners(
    mut table: TableReader<'_>,
    channels: OwnerChannels<'_>,
) -> (Vec<Owner>, OwnerAddresses<Secret>) {
    let mut owners: Vec<Owner> = Vec::new();
    let mut addresses = OwnerAddresses::new();
    let known = table.keys();
    table.each_table(|name, mut table| {
        if let Err(fault) = value_parsers::label(name) {
            table.refuse_self(&fault.about(name));
        }
        let own = read_addresses(&mut table, channels.known, channels.secrets);
        let owner = Owner {
            name: name.into(),
            quiet: read_quiet(&mut table),
            only: read_only(&mut table),
            zone: read_zone(&mut table),
            rotation: table
                .table("rotation", |table| read_rotation(table, name, &known))
                .flatten(),
            escalate: read_escalation(&mut table, name, &known),
            tell: read_tell(&mut table),
        };
        check_channels(&mut table, channels, &own);
        table.finish();
        addresses.insert(owner.name.clone(), own);
        owners.push(owner);
    });
    check_escalations(&mut table, &owners);
    (owners, addresses)
}

/// Names the addresses that no message can reach, and the owner who has none.
fn check_channels(
    table: &mut TableReader<'_>,
    channels: OwnerChannels<'_>,
    own: &BTreeMap<&'static str, ChannelAddress<Secret>>,
) {
    for channel in channels.known.iter().filter(|it| it.form.needs_settings) {
        let name = channel.name;
        if own.contains_key(name) && !channels.configured.iter().any(|it| **it == *name) {
            table.refuse_missing(
                name,
                &format!("no message gets there: there is no table [notify.{name}]"),
            );
        }
    }
    // Under a mistyped key there may be one.
    let mut names = channels.known.iter().map(|channel| channel.name);
    if !channels.known.is_empty() && names.all(|key| !table.has(key)) && !table.has_unknown() {
        let names: Vec<&str> = channels.known.iter().map(|channel| channel.name).collect();
        let sentence = format!(
            "no message reaches this owner: expected at least one of {}",
            names.join(", ")
        );
        table.refuse_self(&sentence);
    }
}

/// Names the escalations of outages that one side is not told of.
fn check_escalations(table: &mut TableReader<'_>, owners: &[Owner]) {
    for owner in owners {
        let Some(escalation) = &owner.escalate else {
            continue;
        };
        let mut refuse = |sentence: &str| table.refuse_within(&owner.name, "escalate", &sentence);
        let to = owners.iter().find(|other| other.name == escalation.to);
        if !owner.tell.down {
            refuse("this owner is told of no outage: \"down\" is missing in tell");
        } else if to.is_some_and(|to| !to.tell.down) {
            refuse("that owner is told of no outage: \"down\" is missing in its tell");
        }
    }
}

/// The key `owners` of a site or of `[monitor]`: names of owners, each once. `None` where the
/// key is missing.
pub(super) fn read_owner_names(
    table: &mut TableReader<'_>,
    known: &HashSet<&str>,
) -> Option<Arc<[Box<str>]>> {
    let mut owners = Vec::new();
    for element in table.texts("owners", value_parsers::any) {
        if known.contains(&*element.value) {
            if !owners.contains(&element.value) {
                owners.push(element.value);
            }
        } else {
            let near = suggestion(&element.value, known.iter().copied());
            let sentence = format!("there is no owner {}{near}", quoted(&element.value));
            table.refuse_element("owners", &element, &sentence);
        }
    }
    table.has("owners").then(|| owners.into())
}

/// A kind of event of `tell`, and its flag.
type TellKind = (&'static str, fn(&mut Tell) -> &mut bool);

/// The kinds of events of `tell`.
pub(super) const TELL: [TellKind; 3] = [
    ("down", |tell| &mut tell.down),
    ("certificate", |tell| &mut tell.certificate),
    ("slow", |tell| &mut tell.slow),
];

/// `tell = ["down", "certificate", "slow"]`.
fn read_tell(table: &mut TableReader<'_>) -> Tell {
    let names = TELL.map(|(name, _)| name);
    let kinds = table.texts("tell", |word| {
        let known = TELL.iter().find(|(name, _)| *name == word);
        known.map_or_else(
            || Err(value_parsers::none_of(word, &names)),
            |(_, flag)| Ok(*flag),
        )
    });
    if !table.has("tell") {
        return Tell::default();
    }
    let mut tell = Tell::NOTHING;
    for kind in kinds {
        *(kind.value)(&mut tell) = true;
    }
    tell
}

/// `quiet = "22:00-07:00"`.
fn read_quiet(table: &mut TableReader<'_>) -> Option<Quiet> {
    let (from, to) = table.text("quiet", value_parsers::hours)?;
    Some(Quiet { from, to })
}

/// `only = "mon-fri 08:00-18:00"`, or several of them.
fn read_only(table: &mut TableReader<'_>) -> Vec<WeekHours> {
    let spans = table.text_or_texts("only", week_hours);
    spans.into_iter().map(|span| span.value).collect()
}

/// `zone`, of `quiet` and `only`.
fn read_zone(table: &mut TableReader<'_>) -> Option<Box<str>> {
    let zone = table.text("zone", value_parsers::zone);
    if zone.is_some() && !table.has("quiet") && !table.has("only") {
        table.refuse(
            "zone",
            &"the zone of what? there is no quiet = \"22:00-07:00\"",
        );
    }
    zone
}

/// `rotation = { owners = ["first", "second"], every = "week", starts = "2026-11-30 09:00" }`.
fn read_rotation(mut table: TableReader<'_>, own: &str, known: &[Box<str>]) -> Option<Rotation> {
    let owners = table.texts("owners", |text| {
        let mut others = known.iter().map(|name| &**name).filter(|name| *name != own);
        if others.clone().any(|name| name == text) {
            return Ok(text.into());
        }
        let near = suggestion(text, &mut others);
        let expected = "expected the name of another owner";
        Err(ValueError::Plain(format!(
            "{expected}, got {}{near}",
            quoted(text)
        )))
    });
    table.require("owners");
    if table.has_list("owners") && owners.is_empty() {
        table.refuse("owners", &"expected the names of other owners");
    }
    let days = table.text("every", |text| match text {
        "day" => Ok(1),
        "week" => Ok(7),
        _ => Err(value_parsers::none_of(text, &["day", "week"])),
    });
    let starts = table.text("starts", value_parsers::local_time);
    table.require("starts");
    let zone = table.text("zone", value_parsers::zone);
    table.finish();
    let owners: Vec<Box<str>> = owners.into_iter().map(|owner| owner.value).collect();
    (!owners.is_empty()).then_some(Rotation {
        owners,
        days: days.unwrap_or(7),
        starts: starts?,
        zone,
    })
}

/// `escalate = "boss"`, and `escalate_after`.
fn read_escalation(
    table: &mut TableReader<'_>,
    own: &str,
    known: &[Box<str>],
) -> Option<Escalation> {
    let to = table.text("escalate", |text| {
        let mut others = known.iter().map(|name| &**name).filter(|name| *name != own);
        if others.clone().any(|name| name == text) {
            return Ok(text.into());
        }
        let expected = "expected the name of another owner";
        Err(match nearest(text, &mut others).filter(|_| text != own) {
            Some(near) => ValueError::Plain(format!(
                "{expected}, got {}; did you mean \"{near}\"?",
                quoted(text)
            )),
            None => ValueError::expected(expected),
        })
    });
    let after = table.text("escalate_after", value_parsers::positive_duration);
    if after.is_some() && !table.has("escalate") {
        table.refuse(
            "escalate_after",
            &"to whom? there is no escalate = \"OWNER\"",
        );
    }
    Some(Escalation {
        to: to?,
        after: after.unwrap_or(ESCALATE_AFTER),
    })
}
