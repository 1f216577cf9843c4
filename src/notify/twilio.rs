//! SMS by Twilio's Messages API, or a gateway that speaks the same
//! (<https://www.twilio.com/docs/messaging/api/message-resource>).

use reqwest::Client;
use serde::Deserialize;

use crate::domain::{AddressField, AddressForm, FieldKind, SmsSettings, clean};

use super::address_fields::{field, ranged, value};
use super::channel::{Channel, DeliveryFailure, DeliveryFuture, OutgoingMessage, Sent};
use super::channel_entry::{ChannelEntry, ChannelError};
use super::event_variables::one_line;
use super::http;
use super::settings::Credential;

pub(super) const ENTRY: ChannelEntry = ChannelEntry {
    name: "sms",
    form: AddressForm {
        needs_settings: true,
        ..value(&NUMBER, "where SMS go; needs `[notify.sms]`")
    },
    shown: |address| address.text("number").unwrap_or_default().into(),
    ready: |settings| settings.notify.sms.is_some(),
    // Twilio: "The text of the message, up to 1,600 characters".
    limit: 1_600,
    make: |settings| {
        let sms = settings.notify.sms.clone();
        Ok(Box::new(Twilio {
            client: http::client(settings)?,
            sms: sms.ok_or(ChannelError::NotConfigured("notify.sms"))?,
        }))
    },
};

const NUMBER: [AddressField; 1] = [ranged(
    field("number", FieldKind::Text, phone, "the number"),
    "a telephone number, such as `+15550100`",
    "",
)];

/// Whether a text is a telephone number in international form (E.164).
fn phone(text: &str) -> Result<(), String> {
    let good = text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    if good {
        return Ok(());
    }
    Err("expected a number such as \"+15550100\"".to_owned())
}

/// The most characters of a message: two to three parts of an SMS.
const MOST_CHARACTERS: usize = 320;

struct Twilio {
    client: Client,
    sms: SmsSettings<Credential>,
}

/// An accepted message, or an error: the fields that are used.
#[derive(Deserialize)]
struct ReplyBody {
    sid: Option<String>,
    status: Option<serde_json::Value>,
    code: Option<i64>,
    message: Option<String>,
}

impl Twilio {
    async fn send(&self, message: &OutgoingMessage) -> Result<Sent, DeliveryFailure> {
        let token = self
            .sms
            .token
            .expose()
            .map_err(|why| DeliveryFailure::passing(&why))?;
        let url = format!(
            "{}/2010-04-01/Accounts/{}/Messages.json",
            self.sms.url.expose().trim_end_matches('/'),
            self.sms.account
        );
        let text = text(&message.body);
        // A messaging service chooses the number itself.
        let from = if self.sms.from.starts_with("MG") {
            "MessagingServiceSid"
        } else {
            "From"
        };
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("To", message.to.text("number").unwrap_or_default())
            .append_pair(from, &self.sms.from)
            .append_pair("Body", &text)
            .finish();
        let request = self
            .client
            .post(url)
            .basic_auth(&self.sms.account, Some(token))
            .header("Idempotency-Key", &*message.id)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(form);
        let answer = http::ask(request).await?;
        let said: Option<ReplyBody> = serde_json::from_slice(&answer.body).ok();
        if !answer.is_success() {
            let text = said.and_then(|said| {
                let message = said.message?;
                let code = said
                    .code
                    .map_or_else(String::new, |code| format!(" (error {code})"));
                Some(format!("{message}{code}"))
            });
            return Err(answer.failure(text.as_deref()));
        }
        let taken = said.and_then(|said| {
            let status = said.status?;
            Some(format!("{} {}", status.as_str()?, said.sid?))
        });
        match taken {
            Some(taken) => Ok(answer.sent(&taken)),
            None if answer.is_cut() => Ok(answer.sent("taken; the answer did not end")),
            None => Err(answer.garbage("Twilio")),
        }
    }
}

impl Channel for Twilio {
    fn deliver<'a>(&'a self, message: &'a OutgoingMessage) -> DeliveryFuture<'a> {
        Box::pin(self.send(message))
    }
}

/// The text of the SMS: the lines of the body in one line.
fn text(body: &str) -> String {
    clean(&one_line(body), MOST_CHARACTERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_international_form() {
        assert_eq!(phone("+15550100"), Ok(()));
        for text in ["15550100", "+1 555", "+1", "+1555010012345678"] {
            assert!(phone(text).is_err(), "{text:?}");
        }
    }
}
