//! The template of a body that is posted (the language of Jinja), and whether it is one.

use std::collections::BTreeMap;

use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde_json::{Map, Value};

use crate::domain::{ChannelAddress, Timestamp};

use super::channel::{OutgoingMessage, OwnerAddress};
use super::event_variables::variables;
use super::sample_messages::{SampleEvent, made_up_site, sample_message};

/// Steps that a template may take: a message of 4,000 sites takes a tenth of it.
const MOST_STEPS: u64 = 2_000_000;

/// The most bytes of a body that a template makes.
const MOST_BODY: usize = 1 << 20;

/// Whether bodies of this type are JSON: every variable is written as a value of JSON then.
pub(super) fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json")
}

/// The body that the template makes of these variables.
///
/// # Errors
/// One sentence, with the line of the template.
pub(super) fn render(
    template: &str,
    json: bool,
    variables: &Map<String, Value>,
) -> Result<String, String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(MOST_STEPS));
    environment.set_auto_escape_callback(move |_| {
        if json {
            AutoEscape::Json
        } else {
            AutoEscape::None
        }
    });
    let said = |error: &minijinja::Error| {
        let line = error
            .line()
            .map_or_else(String::new, |line| format!("line {line}: "));
        let detail = error
            .detail()
            .map_or_else(String::new, |detail| format!(": {detail}"));
        format!("the template is wrong: {line}{}{detail}", error.kind())
    };
    let template = environment
        .template_from_str(template)
        .map_err(|error| said(&error))?;
    let mut body = Vec::new();
    let mut bounded = BoundedWriter(&mut body);
    template
        .render_captured_to(minijinja::value::Serde(variables), &mut bounded)
        .map_err(|error| said(&error))?;
    let body = String::from_utf8(body).map_err(|_| "the template makes no text".to_owned())?;
    if json && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&body) {
        let (line, column) = (error.line(), error.column());
        return Err(format!(
            "what the template makes is no JSON: line {line}, column {column}"
        ));
    }
    Ok(body)
}

/// A template that makes more than [`MOST_BODY`] bytes fails.
struct BoundedWriter<'a>(&'a mut Vec<u8>);

impl std::io::Write for BoundedWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > MOST_BODY {
            return Err(std::io::Error::other("the body is larger than 1 MiB"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Whether a template makes a body of every event.
///
/// # Errors
/// One sentence, with the event and the line.
pub(super) fn check(template: &str, json: bool) -> Result<(), String> {
    // What a text in JSON has to escape.
    let site = made_up_site("Example \"1\" \\ <a>", "ops");
    let nowhere: OwnerAddress = ChannelAddress(BTreeMap::new());
    for event in SampleEvent::all() {
        let site = Some(&site);
        let sample = sample_message(
            event,
            "ops",
            "webhook",
            site,
            Timestamp::default(),
            usize::MAX,
        );
        let message = OutgoingMessage::of(&sample, nowhere.clone());
        render(template, json, &variables(&message))
            .map_err(|sentence| format!("of the event {event}: {sentence}"))?;
    }
    Ok(())
}
