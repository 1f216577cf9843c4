//! The fields that channels declare for their addresses, the checks of their values, and what
//! of an address may be shown.

use std::collections::BTreeMap;

use url::Url;

use crate::domain::{
    AddressFault, AddressField, AddressForm, AddressWriting, FieldKind, FieldTexts,
};

use super::channel::{DeliveryFailure, OwnerAddress};
use super::settings::Credential;

/// What stands in the place of a secret.
const STARS: &str = "***";

/// The shortest text that is taken for a secret where it appears in an answer.
const SHORTEST_SECRET: usize = 6;

/// A field that need not be there.
pub(super) const fn field(
    key: &'static str,
    kind: FieldKind,
    check: fn(&str) -> Result<(), String>,
    meaning: &'static str,
) -> AddressField {
    AddressField {
        key,
        kind,
        required: false,
        check,
        range: "",
        default: "",
        meaning,
    }
}

/// The same field, which has to be there.
pub(super) const fn required(field: AddressField) -> AddressField {
    AddressField {
        required: true,
        ..field
    }
}

/// The same field with its range and its default, both in words.
pub(super) const fn ranged(
    field: AddressField,
    range: &'static str,
    default: &'static str,
) -> AddressField {
    AddressField {
        range,
        default,
        ..field
    }
}

/// An address of one value.
pub(super) const fn value(fields: &'static [AddressField], meaning: &'static str) -> AddressForm {
    AddressForm {
        writing: AddressWriting::Value,
        fields,
        needs_settings: false,
        meaning,
        check: nothing_more,
    }
}

/// An address that is a table.
pub(super) const fn table(fields: &'static [AddressField], meaning: &'static str) -> AddressForm {
    AddressForm {
        writing: AddressWriting::Table,
        ..value(fields, meaning)
    }
}

/// An address that is the value of its first field, or a table.
pub(super) const fn value_or_table(
    fields: &'static [AddressField],
    meaning: &'static str,
) -> AddressForm {
    AddressForm {
        writing: AddressWriting::ValueOrTable,
        ..value(fields, meaning)
    }
}

/// The check of an address whose fields are right each by itself.
pub(super) const fn nothing_more(_texts: &FieldTexts) -> Result<(), AddressFault> {
    Ok(())
}

/// A text that is not empty, in one line.
pub(super) fn line(text: &str) -> Result<(), String> {
    if text.trim().is_empty() || text.chars().any(char::is_control) || text.len() > 2_000 {
        return Err("expected a text of one line".to_owned());
    }
    Ok(())
}

/// A URL of http or https with a host.
pub(super) fn http_url(text: &str) -> Result<(), String> {
    let url = Url::parse(text.trim()).ok();
    let good = url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if good {
        return Ok(());
    }
    Err("expected a URL such as \"https://example.org/hook\"".to_owned())
}

/// A hook: a channel whose address is one URL, which is a secret.
pub(super) const HOOK: [AddressField; 1] = [required(ranged(
    field("url", FieldKind::Secret, http_url, "the URL of the hook"),
    "a URL",
    "",
))];

/// The host of the URL under `key`, and nothing else of it.
pub(super) fn shown_host(address: &OwnerAddress, key: &str) -> Box<str> {
    let secret = address.secret(key).map(Credential::expose);
    let text = match &secret {
        Some(Ok(secret)) => secret,
        _ => address.text(key).unwrap_or_default(),
    };
    let Ok(url) = Url::parse(text.trim()) else {
        return STARS.into();
    };
    let host = url.host_str().unwrap_or(STARS);
    match url.port() {
        Some(port) => format!("{host}:{port}").into(),
        None => host.into(),
    }
}

/// A secret that a delivery needs.
pub(super) fn needed<'a>(address: &'a OwnerAddress, key: &str) -> Result<&'a str, DeliveryFailure> {
    let secret = address
        .secret(key)
        .ok_or_else(|| DeliveryFailure::lasting(&format!("the address has no {key}")))?;
    let text = secret
        .expose()
        .map_err(|why| DeliveryFailure::passing(&why))?;
    Ok(text.trim())
}

/// The text without any secret of the address: servers repeat paths and tokens in what they
/// answer.
pub(super) fn without_secrets(text: &str, address: &OwnerAddress) -> String {
    let mut hidden: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut hide = |part: &str| {
        if part.len() >= SHORTEST_SECRET {
            hidden.entry(part.len()).or_default().push(part.to_owned());
        }
    };
    for secret in address.all_secrets() {
        let Ok(secret) = secret.expose() else {
            continue;
        };
        hide(secret);
        if let Ok(url) = Url::parse(secret) {
            hide(url.as_str());
            hide(url.path());
            url.query().into_iter().for_each(&mut hide);
            url.password().into_iter().for_each(&mut hide);
            // Words of a path such as "services" say nothing; tokens are long.
            let parts = url.path_segments().into_iter().flatten();
            parts.filter(|part| part.len() > 12).for_each(&mut hide);
        }
    }
    let mut text = text.to_owned();
    for part in hidden.values().rev().flatten() {
        text = text.replace(part.as_str(), STARS);
    }
    text
}
