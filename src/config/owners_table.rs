//! `[owners]`: who is told, and where.

use std::time::Duration;

use crate::domain::{Escalation, Owner, Quiet};

use super::kinds::{self, Fault};
use super::reader::Reader;

/// How long owners have to acknowledge before others are told.
const ESCALATE_AFTER: Duration = Duration::from_secs(15 * 60);

/// `[owners.NAME]`, by name.
pub(super) fn read_owners(table: Reader<'_>) -> Vec<Owner> {
    let mut owners = Vec::new();
    let known = table.keys();
    table.each_table(|name, mut table| {
        if let Err(fault) = kinds::label(name) {
            table.refuse_self(&fault.about(name));
        }
        owners.push(Owner {
            name: name.into(),
            email: table.text("email", kinds::email),
            sms: table.text("sms", kinds::phone),
            push: table.text("push", kinds::topic),
            // Whoever knows the address of a webhook can post to it.
            webhook: table.private_text("webhook", kinds::http_url),
            quiet: read_quiet(&mut table),
            escalate: read_escalation(&mut table, &known),
        });
        table.finish();
    });
    owners
}

/// `quiet = "22:00-07:00"`, and `zone`.
fn read_quiet(table: &mut Reader<'_>) -> Option<Quiet> {
    let hours = table.text("quiet", kinds::hours);
    let zone = table.text("zone", kinds::zone);
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
fn read_escalation(table: &mut Reader<'_>, known: &[Box<str>]) -> Option<Escalation> {
    let to = table.text("escalate", |text| {
        if known.iter().any(|name| **name == *text) {
            return Ok(text.into());
        }
        Err(Fault::expected("expected the name of another owner"))
    });
    let after = table.text("escalate_after", kinds::positive_duration);
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
