//! Addresses of owners on channels: what a channel declares that an owner's key of its name
//! holds, and what the configuration read there. The configuration knows no channel by name.

use std::collections::BTreeMap;

/// A channel as the configuration knows it.
#[derive(Clone, Copy, Debug)]
pub struct KnownChannel {
    /// Its name, which is the key of an owner.
    pub name: &'static str,
    /// The form of its addresses.
    pub form: AddressForm,
}

/// The form of the addresses of a channel.
#[derive(Clone, Copy, Debug)]
pub struct AddressForm {
    /// How the fields are written.
    pub writing: AddressWriting,
    /// The fields; where a value stands alone, it is the first one.
    pub fields: &'static [AddressField],
    /// Whether the channel needs its own table under `[notify]`.
    pub needs_settings: bool,
    /// The meaning of the key in one line.
    pub meaning: &'static str,
    /// What is wrong with fields that are right each by itself.
    pub check: fn(&FieldTexts) -> Result<(), AddressFault>,
}

/// The texts of fields, by their keys; those of secrets that were not read are missing.
pub type FieldTexts = BTreeMap<&'static str, String>;

/// What is wrong with an address as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressFault {
    /// The key of the field that is to be mended.
    pub field: &'static str,
    /// One sentence, without the value of the field.
    pub sentence: String,
}

/// How an address is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressWriting {
    /// The value of the one field.
    Value,
    /// A table of the fields.
    Table,
    /// The value of the first field, or a table of all.
    ValueOrTable,
}

/// One field of an address.
#[derive(Clone, Copy, Debug)]
pub struct AddressField {
    /// Its key in the table.
    pub key: &'static str,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether it has to be there.
    pub required: bool,
    /// Why a text is no value of it: "expected …".
    pub check: fn(&str) -> Result<(), String>,
    /// Its unit and range.
    pub range: &'static str,
    /// Its default in words; empty where there is none.
    pub default: &'static str,
    /// The meaning in one line.
    pub meaning: &'static str,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A text that may be shown.
    Text,
    /// A text that must not be shown, or where it is kept.
    Secret,
    /// One text or more.
    Words,
    /// Secrets under names of the user's choice.
    Secrets,
}

impl FieldKind {
    /// The kind in the words of the reference.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Secret => "secret",
            Self::Words => "list of texts",
            Self::Secrets => "table of secrets",
        }
    }
}

/// The value of a field, with secrets of type `S`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressValue<S> {
    /// A text that may be shown.
    Text(Box<str>),
    /// A text that must not be shown.
    Secret(S),
    /// Texts, at least one.
    Words(Vec<Box<str>>),
    /// Secrets by name, in the order of the names.
    Secrets(Vec<(Box<str>, S)>),
}

/// The address of an owner on one channel: the fields that are given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelAddress<S>(pub BTreeMap<&'static str, AddressValue<S>>);

impl<S> ChannelAddress<S> {
    /// The text under `key`.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.0.get(key)? {
            AddressValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The secret under `key`.
    #[must_use]
    pub fn secret(&self, key: &str) -> Option<&S> {
        match self.0.get(key)? {
            AddressValue::Secret(secret) => Some(secret),
            _ => None,
        }
    }

    /// The texts under `key`.
    #[must_use]
    pub fn words(&self, key: &str) -> &[Box<str>] {
        match self.0.get(key) {
            Some(AddressValue::Words(words)) => words,
            _ => &[],
        }
    }

    /// The secrets under `key`, by name.
    #[must_use]
    pub fn secrets(&self, key: &str) -> &[(Box<str>, S)] {
        match self.0.get(key) {
            Some(AddressValue::Secrets(secrets)) => secrets,
            _ => &[],
        }
    }

    /// Every secret of it.
    pub fn all_secrets(&self) -> impl Iterator<Item = &S> {
        self.0.values().flat_map(|value| match value {
            AddressValue::Secret(secret) => vec![secret],
            AddressValue::Secrets(secrets) => secrets.iter().map(|(_, secret)| secret).collect(),
            AddressValue::Text(_) | AddressValue::Words(_) => Vec::new(),
        })
    }

    /// The same address with every secret passed through `read`.
    #[must_use]
    pub fn map_secrets<T>(&self, read: impl Fn(&S) -> T) -> ChannelAddress<T> {
        let value = |value: &AddressValue<S>| match value {
            AddressValue::Text(text) => AddressValue::Text(text.clone()),
            AddressValue::Secret(secret) => AddressValue::Secret(read(secret)),
            AddressValue::Words(words) => AddressValue::Words(words.clone()),
            AddressValue::Secrets(secrets) => {
                let secrets = secrets
                    .iter()
                    .map(|(name, secret)| (name.clone(), read(secret)));
                AddressValue::Secrets(secrets.collect())
            }
        };
        ChannelAddress(self.0.iter().map(|(key, it)| (*key, value(it))).collect())
    }
}

/// The addresses of all owners: by the owner's name, and by the channel's.
pub type OwnerAddresses<S> = BTreeMap<Box<str>, BTreeMap<&'static str, ChannelAddress<S>>>;
