//! What the channels share whose address is one hook: a JSON object is posted there, and the
//! URL is all that it takes to post.

use reqwest::Client;
use serde_json::Value;

use super::address_fields::needed;
use super::channel::{Channel, DeliveryFailure, DeliveryFuture, OutgoingMessage, Sent};
use super::channel_entry::ChannelError;
use super::http::{self, ServerResponse};
use super::settings::ChannelSettings;

/// What a service wants posted, and what it answers.
#[derive(Clone, Copy)]
pub(super) struct HookForm {
    /// The name of the service, for people.
    pub(super) service: &'static str,
    /// What is behind the URL of the hook.
    pub(super) query: &'static str,
    /// The object that is posted.
    pub(super) body: fn(&OutgoingMessage) -> Value,
    /// Whether a success of HTTP is one of the service; what it said.
    pub(super) taken: fn(&ServerResponse) -> Option<String>,
    /// What the service says of a failure, in words; `None`: the answer as it is.
    pub(super) refused: fn(&Value) -> Option<String>,
}

/// The channel of a service with such a form.
pub(super) fn channel(
    settings: &ChannelSettings,
    form: HookForm,
) -> Result<Box<dyn Channel>, ChannelError> {
    let client = http::client(settings)?;
    Ok(Box::new(HookChannel { client, form }))
}

struct HookChannel {
    client: Client,
    form: HookForm,
}

impl HookChannel {
    async fn send(&self, message: &OutgoingMessage) -> Result<Sent, DeliveryFailure> {
        let form = &self.form;
        let mut url = url::Url::parse(needed(&message.to, "url")?)
            .map_err(|_| DeliveryFailure::lasting("the address of the hook is no URL"))?;
        if let Some((name, value)) = form.query.split_once('=') {
            url.query_pairs_mut().append_pair(name, value);
        }
        let request = self
            .client
            .post(url)
            .header("Content-Type", "application/json; charset=utf-8")
            .body((form.body)(message).to_string());
        let answer = http::ask(request).await?;
        judged(&answer, form.service, form.taken, form.refused)
    }
}

/// What an answer means.
pub(super) fn judged(
    answer: &ServerResponse,
    service: &str,
    taken: fn(&ServerResponse) -> Option<String>,
    refused: fn(&Value) -> Option<String>,
) -> Result<Sent, DeliveryFailure> {
    if !answer.is_success() {
        let said = answer.json().and_then(|said| refused(&said));
        return Err(answer.failure(said.as_deref()));
    }
    match taken(answer) {
        Some(said) => Ok(answer.sent(&said)),
        None if answer.is_cut() => Ok(answer.sent("taken; the answer did not end")),
        None => Err(answer.garbage(service)),
    }
}

/// A success whose body is this word.
pub(super) fn says_ok(answer: &ServerResponse) -> Option<String> {
    let said = String::from_utf8_lossy(&answer.body);
    (said.trim() == "ok").then(|| "ok".to_owned())
}

/// The text under `key` of what was said, where there is one.
pub(super) fn text_in(said: &Value, key: &str) -> Option<String> {
    said.get(key)?.as_str().map(str::to_owned)
}

impl Channel for HookChannel {
    fn deliver<'a>(&'a self, message: &'a OutgoingMessage) -> DeliveryFuture<'a> {
        Box::pin(self.send(message))
    }
}
