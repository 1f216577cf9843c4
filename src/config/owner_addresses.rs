//! The addresses of an owner on the channels, each in the form that its channel declares.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::domain::{
    AddressField, AddressForm, AddressValue, AddressWriting, ChannelAddress, FieldKind, FieldTexts,
    KnownChannel,
};

use super::notify_table::SecretReader;
use super::secret::Secret;
use super::table_reader::TableReader;
use super::value_parsers::{Parsed, ValueError};

/// The addresses of one owner, by channel.
pub(super) fn read_addresses(
    table: &mut TableReader<'_>,
    known: &[KnownChannel],
    secrets: SecretReader<'_>,
) -> BTreeMap<&'static str, ChannelAddress<Secret>> {
    let mut addresses = BTreeMap::new();
    for channel in known {
        let address = read_address(table, channel, secrets);
        addresses.extend(address.map(|address| (channel.name, address)));
    }
    addresses
}

fn read_address(
    table: &mut TableReader<'_>,
    channel: &KnownChannel,
    secrets: SecretReader<'_>,
) -> Option<ChannelAddress<Secret>> {
    let KnownChannel { name, form } = channel;
    let alone = match form.writing {
        AddressWriting::Value => true,
        AddressWriting::Table => false,
        // { env = "X" } is a secret, and no table of fields.
        AddressWriting::ValueOrTable => {
            !table.has_table(name)
                || table.has_within(name, "env")
                || table.has_within(name, "file")
        }
    };
    if !alone {
        return table.table(name, |table| read_fields(table.private(), form, secrets))?;
    }
    let field = form.fields.first()?;
    let texts = RefCell::default();
    let value = read_field(table, name, field, secrets, &texts)?;
    if let Err(fault) = (form.check)(&texts.into_inner()) {
        table.refuse(name, &fault.sentence);
        return None;
    }
    Some(ChannelAddress(BTreeMap::from([(field.key, value)])))
}

fn read_fields(
    mut table: TableReader<'_>,
    form: &AddressForm,
    secrets: SecretReader<'_>,
) -> Option<ChannelAddress<Secret>> {
    let texts = RefCell::default();
    let mut values = BTreeMap::new();
    let mut good = true;
    for field in form.fields {
        let value = read_field(&mut table, field.key, field, secrets, &texts);
        if field.required {
            table.require(field.key);
        }
        good &= value.is_some() || !(field.required || table.has(field.key));
        values.extend(value.map(|value| (field.key, value)));
    }
    if let (true, Err(fault)) = (good, (form.check)(&texts.into_inner())) {
        table.refuse(fault.field, &fault.sentence);
        good = false;
    }
    table.finish();
    good.then_some(ChannelAddress(values))
}

fn read_field(
    table: &mut TableReader<'_>,
    key: &'static str,
    field: &AddressField,
    secrets: SecretReader<'_>,
    texts: &RefCell<FieldTexts>,
) -> Option<AddressValue<Secret>> {
    let check = |text: &str| -> Parsed<()> {
        (field.check)(text).map_err(ValueError::expected)?;
        texts.borrow_mut().insert(field.key, text.to_owned());
        Ok(())
    };
    match field.kind {
        FieldKind::Text => {
            let text = table.text(key, |text| check(text).map(|()| text.into()));
            text.map(AddressValue::Text)
        }
        FieldKind::Secret => secrets
            .read_checked(table, key, &check)
            .map(AddressValue::Secret),
        FieldKind::Words => {
            if !table.has_list(key) {
                let word = table.text(key, |text| check(text).map(|()| text.into()))?;
                return Some(AddressValue::Words(vec![word]));
            }
            let words = table.texts(key, |text| check(text).map(|()| Box::from(text)));
            if words.is_empty() {
                table.refuse(key, &"expected at least one text");
                return None;
            }
            let words = words.into_iter().map(|word| word.value);
            Some(AddressValue::Words(words.collect()))
        }
        FieldKind::Secrets => {
            let mut read = Vec::new();
            table.table(key, |table| {
                table.each_value(|name, mut value| {
                    if let Err(sentence) = (field.check)(name) {
                        return value.refuse(&sentence);
                    }
                    let secret = secrets.read_value(value);
                    read.extend(secret.map(|secret| (Box::from(name), secret)));
                });
            })?;
            Some(AddressValue::Secrets(read))
        }
    }
}
