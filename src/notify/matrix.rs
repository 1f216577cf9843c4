//! Matrix, the client-server API
//! (<https://spec.matrix.org/latest/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid>).

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Client;
use serde_json::json;

use crate::domain::{AddressField, FieldKind};

use super::address_fields::{field, http_url, line, needed, ranged, required, table};
use super::bounded_text::bounded;
use super::channel::{Channel, DeliveryFailure, DeliveryFuture, OutgoingMessage, Sent};
use super::channel_entry::ChannelEntry;
use super::hook::{judged, text_in};
use super::http;

/// An event has 65,536 bytes at most (<https://spec.matrix.org/latest/client-server-api/#size-limits>);
/// nobody reads more than this.
const MOST_TEXT: usize = 8_000;

pub(super) const ENTRY: ChannelEntry = ChannelEntry {
    name: "matrix",
    form: table(
        &FIELDS,
        "a room of Matrix, and the account that writes there",
    ),
    shown: |address| address.text("room").unwrap_or_default().into(),
    ready: |_| true,
    limit: 2 * MOST_TEXT,
    make: |settings| {
        let client = http::client(settings)?;
        Ok(Box::new(Matrix { client }))
    },
};

const FIELDS: [AddressField; 3] = [
    required(ranged(
        field(
            "server",
            FieldKind::Text,
            http_url,
            "the base URL of the homeserver",
        ),
        "http or https",
        "",
    )),
    required(field(
        "token",
        FieldKind::Secret,
        line,
        "the access token of the account",
    )),
    required(ranged(
        field("room", FieldKind::Text, room, "the room"),
        "the id of a room, such as `\"!r:example.org\"`",
        "",
    )),
];

/// Whether a text is the id of a room (<https://spec.matrix.org/latest/appendices/#room-ids>).
fn room(text: &str) -> Result<(), String> {
    if text.len() > 1 && text.starts_with('!') && line(text).is_ok() {
        return Ok(());
    }
    Err("expected the id of a room such as \"!r:example.org\"".to_owned())
}

struct Matrix {
    client: Client,
}

impl Matrix {
    async fn send(&self, message: &OutgoingMessage) -> Result<Sent, DeliveryFailure> {
        let to = &message.to;
        let base = to.text("server").unwrap_or_default().trim_end_matches('/');
        let room = utf8_percent_encode(to.text("room").unwrap_or_default(), NON_ALPHANUMERIC);
        // The server takes a transaction of one id once.
        let url = format!(
            "{base}/_matrix/client/v3/rooms/{room}/send/m.room.message/{}",
            message.id
        );
        let text = format!("{}\n\n{}", message.subject, message.body);
        let body = json!({ "msgtype": "m.text", "body": bounded(&text, MOST_TEXT) });
        let request = self
            .client
            .put(url)
            .bearer_auth(needed(to, "token")?)
            .header("Content-Type", "application/json")
            .body(body.to_string());
        let answer = http::ask(request).await?;
        let taken = |answer: &http::ServerResponse| {
            let event = text_in(&answer.json()?, "event_id")?;
            Some(format!("event {event}"))
        };
        judged(&answer, "Matrix", taken, |said| {
            let code = text_in(said, "errcode")?;
            Some(format!(
                "{code}: {}",
                text_in(said, "error").unwrap_or_default()
            ))
        })
    }
}

impl Channel for Matrix {
    fn deliver<'a>(&'a self, message: &'a OutgoingMessage) -> DeliveryFuture<'a> {
        Box::pin(self.send(message))
    }
}
