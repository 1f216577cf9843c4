//! `[owners]`: who is told, and where.

use crate::domain::Owner;

use super::kinds;
use super::reader::Reader;

/// `[owners.NAME]`, by name.
pub(super) fn read_owners(table: Reader<'_>) -> Vec<Owner> {
    let mut owners = Vec::new();
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
        });
        table.finish();
    });
    owners
}
