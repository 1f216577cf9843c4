//! `[owners]`: the owners, their addresses and when messages reach them.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{Escalation, Owner, Quiet, Tell};

use super::table_reader::TableReader;
use super::value_parsers::{self, ValueError, nearest, quoted, suggestion};

/// The default of `owners.NAME.escalate_after`.
pub(super) const ESCALATE_AFTER: Duration = Duration::from_secs(15 * 60);

/// The keys of an owner's addresses.
const ADDRESSES: [&str; 4] = ["email", "sms", "push", "webhook"];

/// `[owners.NAME]`, by name. `channels` has the keys of `[notify]`.
pub(super) fn read_owners(mut table: TableReader<'_>, channels: &[Box<str>]) -> Vec<Owner> {
    let mut owners: Vec<Owner> = Vec::new();
    let known = table.keys();
    table.each_table(|name, mut table| {
        if let Err(fault) = value_parsers::label(name) {
            table.refuse_self(&fault.about(name));
        }
        let owner = Owner {
            name: name.into(),
            email: table.text("email", value_parsers::email),
            sms: table.text("sms", value_parsers::phone),
            push: table.text("push", value_parsers::topic),
            // The address of a webhook is a secret: anyone who knows it can post to it.
            webhook: table.private_text("webhook", value_parsers::http_url),
            quiet: read_quiet(&mut table),
            escalate: read_escalation(&mut table, name, &known),
            tell: read_tell(&mut table),
        };
        check_channels(&mut table, &owner, channels);
        table.finish();
        owners.push(owner);
    });
    check_escalations(&mut table, &owners);
    owners
}

/// Names the addresses that no message can reach, and the owner who has none.
fn check_channels(table: &mut TableReader<'_>, owner: &Owner, channels: &[Box<str>]) {
    // The other channels go without a table of their own.
    for (channel, address) in [("email", &owner.email), ("sms", &owner.sms)] {
        if address.is_some() && !channels.iter().any(|it| **it == *channel) {
            table.refuse_missing(
                channel,
                &format!("no message gets there: there is no table [notify.{channel}]"),
            );
        }
    }
    // Under a mistyped key there may be one.
    if ADDRESSES.iter().all(|key| !table.has(key)) && !table.has_unknown() {
        let sentence = format!(
            "no message reaches this owner: expected at least one of {}",
            ADDRESSES.join(", ")
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

/// `quiet = "22:00-07:00"`, and `zone`.
fn read_quiet(table: &mut TableReader<'_>) -> Option<Quiet> {
    let hours = table.text("quiet", value_parsers::hours);
    let zone = table.text("zone", value_parsers::zone);
    if zone.is_some() && !table.has("quiet") {
        table.refuse(
            "zone",
            &"the zone of what? there is no quiet = \"22:00-07:00\"",
        );
    }
    let (from, to) = hours?;
    Some(Quiet { from, to, zone })
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
