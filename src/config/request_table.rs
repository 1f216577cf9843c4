//! The keys that say what a request carries: header fields, credentials and a body.

use std::collections::HashSet;

use crate::domain::{
    Assertions, Authorization, CheckOptions, Expected, MaskedText, RequestHeader, is_own,
};

use super::notify_table::SecretReader;
use super::secret::Secret;
use super::table_reader::TableReader;
use super::value_parsers::{self, Parsed, ValueError};

/// What a table says of requests; `None` for what it leaves to the table above.
#[derive(Clone, Debug, Default)]
pub(super) struct RequestKeys {
    pub(super) headers: Option<Vec<RequestHeader>>,
    pub(super) authorization: Option<Authorization>,
}

impl RequestKeys {
    /// Sets what is said here.
    pub(super) fn apply(&self, options: &mut CheckOptions) {
        if let Some(headers) = &self.headers {
            options.headers.clone_from(headers);
            if headers.iter().any(authorizes) {
                options.authorization = None;
            }
        }
        if self.authorization.is_some() {
            options.headers.retain(|header| !authorizes(header));
            options.authorization.clone_from(&self.authorization);
        }
    }
}

/// Reads `headers`, `bearer` and `basic_auth`.
pub(super) fn read_request(table: &mut TableReader<'_>, secrets: SecretReader<'_>) -> RequestKeys {
    let headers = table.table("headers", |table| read_headers(table, secrets));
    let bearer = secrets.read_text(table, "bearer", &header_text);
    let basic = table.table("basic_auth", |table| read_basic(table, secrets));
    let basic = basic.flatten();
    if bearer.is_some() && basic.is_some() {
        table.refuse("basic_auth", &"either `bearer` or `basic_auth`, not both");
    }
    let is_named = headers.iter().flatten().any(authorizes);
    if is_named && (bearer.is_some() || basic.is_some()) {
        table.refuse(
            "headers",
            &"the field Authorization is that of `bearer` or `basic_auth` already",
        );
    }
    RequestKeys {
        headers,
        authorization: bearer.map(Authorization::Bearer).or(basic),
    }
}

/// Whether a field holds credentials in the place of `bearer` or `basic_auth`.
pub(super) fn authorizes(header: &RequestHeader) -> bool {
    header.name.eq_ignore_ascii_case("authorization")
}

/// Reads `body`: a text, or where it is kept.
pub(super) fn read_body(
    table: &mut TableReader<'_>,
    secrets: SecretReader<'_>,
) -> Option<MaskedText> {
    let check = |text: &str| value_parsers::request_body(text).map(|_| ());
    let secret = secrets.read_checked(table, "body", &check)?;
    // What stands in the file is there for everybody to see who reads it.
    Some(match &secret {
        Secret::Plain(text) => MaskedText::open(text.clone()),
        _ => secrets.masked(&secret),
    })
}

/// Reads `send`: a text, or where it is kept.
pub(super) fn read_send(
    table: &mut TableReader<'_>,
    secrets: SecretReader<'_>,
) -> Option<MaskedText> {
    let check = |text: &str| value_parsers::request_body(text).map(|_| ());
    let secret = secrets.read_checked(table, "send", &check)?;
    Some(match &secret {
        Secret::Plain(text) => MaskedText::open(text.clone()),
        _ => secrets.masked(&secret),
    })
}

/// Reads `expect`: a text, or several.
pub(super) fn read_expected(table: &mut TableReader<'_>) -> Option<Expected> {
    let is_list = table.has_list("expect");
    let mut texts: Vec<Box<str>> = table
        .text_or_texts("expect", value_parsers::some)
        .into_iter()
        .map(|element| element.value)
        .collect();
    if texts.len() > Assertions::MOST {
        let most = Assertions::MOST;
        table.refuse(
            "expect",
            &format!("expected at most {most}, got {}", texts.len()),
        );
        texts.truncate(most);
    }
    match (is_list, texts.pop()) {
        (_, None) => None,
        (false, Some(text)) => Some(Expected::One(text)),
        (true, Some(last)) => {
            texts.push(last);
            Some(Expected::All(texts))
        }
    }
}

fn read_headers(table: TableReader<'_>, secrets: SecretReader<'_>) -> Vec<RequestHeader> {
    let mut headers = Vec::new();
    let mut names = HashSet::new();
    table.each_value(|name, mut value| {
        if let Err(fault) = name_of_own(name) {
            value.refuse(&fault.about(name));
            return;
        }
        if !names.insert(name.to_ascii_lowercase()) {
            value.refuse(&"this field is there already: names in capitals are the same");
            return;
        }
        if headers.len() == CheckOptions::MOST_HEADERS {
            let most = CheckOptions::MOST_HEADERS;
            value.refuse(&format!("expected at most {most} header fields"));
            return;
        }
        let secret = secrets.read_value_checked(value, &header_text);
        headers.extend(secret.map(|secret| RequestHeader {
            name: name.into(),
            value: match &secret {
                Secret::Plain(text) if !is_delicate(name) => MaskedText::open(text.trim()),
                _ => secrets.masked(&secret),
            },
        }));
    });
    headers
}

fn read_basic(mut table: TableReader<'_>, secrets: SecretReader<'_>) -> Option<Authorization> {
    let without_colon = |text: &str| {
        if text.contains(':') || text.chars().any(char::is_control) {
            return Err(ValueError::Plain("a user has no colon".to_owned()));
        }
        Ok(())
    };
    let plain = |text: &str| {
        if text.chars().any(char::is_control) {
            let why = "a password has no control characters";
            return Err(ValueError::Plain(why.to_owned()));
        }
        Ok(())
    };
    let user = secrets.read_checked(&mut table, "user", &without_colon);
    let password = secrets.read_text(&mut table, "password", &plain);
    table.require("user");
    table.require("password");
    table.finish();
    let user = user.map(|user| match &user {
        Secret::Plain(text) => MaskedText::open(text.clone()),
        _ => secrets.masked(&user),
    });
    Some(Authorization::Basic {
        user: user?,
        password: password?,
    })
}

/// The name of a field that is the user's to set.
fn name_of_own(name: &str) -> Parsed<()> {
    value_parsers::field_name(name)?;
    if !is_own(name) {
        return Ok(());
    }
    let why = if name.eq_ignore_ascii_case("host") {
        "the field Host is made from the URL; `connect_to` reaches another address under that name"
    } else {
        "this field says how a message is sent: the program sets it itself"
    };
    Err(ValueError::Plain(why.to_owned()))
}

/// Whether a field of this name usually holds a secret, so that its value is not shown though it
/// stands in the file.
fn is_delicate(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "auth", "cookie", "key", "password", "secret", "session", "token",
    ]
    .iter()
    .any(|part| name.contains(part))
}

fn header_text(text: &str) -> Parsed<()> {
    if text.len() > CheckOptions::MOST_HEADER {
        let most = CheckOptions::MOST_HEADER >> 10;
        return Err(ValueError::Plain(format!("expected at most {most} KiB")));
    }
    match value_parsers::header_value(text) {
        Ok(_) => Ok(()),
        // Without the text, which may be a secret.
        Err(_) => Err(ValueError::Plain(
            "expected plain ASCII text that can stand in a header, on one line".to_owned(),
        )),
    }
}
