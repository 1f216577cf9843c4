//! Gatus's configuration: `endpoints` with conditions. <https://github.com/TwiN/gatus>

use super::conditions::take_over;
use super::draft::{Draft, Found, Haul, Wrong, http_url, shown};
use super::period::period;
use super::tree::{Node, yaml};

/// What an endpoint has that is read, or that says nothing of how it is watched.
const KNOWN: [&str; 10] = [
    "enabled",
    "name",
    "group",
    "url",
    "method",
    "conditions",
    "interval",
    "alerts",
    "client",
    "headers",
];

/// How often Gatus looks where an endpoint does not say.
const INTERVAL: &str = "60s";

/// Reads the files as Gatus does: as one.
pub(super) fn read(texts: &[&str]) -> Result<Haul, Wrong> {
    let mut haul = Haul::default();
    let mut any = false;
    for (file, text) in texts.iter().enumerate() {
        let document = yaml(text).map_err(|wrong| wrong.of_file(file))?;
        any |= one(&document, &mut haul).map_err(|wrong| wrong.of_file(file))?;
    }
    if any {
        Ok(haul)
    } else {
        Err(Wrong::new(
            0,
            "no endpoints are there: this is no configuration of Gatus",
        ))
    }
}

fn one(document: &Node, haul: &mut Haul) -> Result<bool, Wrong> {
    for endpoint in document.list("endpoints")? {
        haul.found.push(found(endpoint)?);
    }
    for endpoint in document.list("external-endpoints")? {
        let why = "an external endpoint: it is pushed there, and nobody looks";
        haul.left(&endpoint.text("name"), why);
    }
    for suite in document.list("suites")? {
        let count = suite.list("endpoints")?.len();
        let why = format!("a suite of {count} endpoints that depend on each other");
        haul.left(&suite.text("name"), why);
    }
    for (key, value) in document.entries() {
        let read = ["endpoints", "external-endpoints", "suites"].contains(&&**key);
        if !read && !value.is_nothing() {
            haul.without.push(match value.keys() {
                keys if keys.is_empty() => key.clone(),
                keys => format!("{key}: {keys}"),
            });
        }
    }
    Ok(["endpoints", "external-endpoints", "suites"]
        .iter()
        .any(|key| document.get(key).is_some()))
}

fn found(endpoint: &Node) -> Result<Found, Wrong> {
    if !endpoint.is_map() {
        return Err(Wrong::new(endpoint.line, "endpoints: expected a map"));
    }
    let (name, text) = (endpoint.text("name"), endpoint.text("url"));
    if text.contains("${") {
        let why = format!("{} holds a variable of the environment", shown(&text));
        return Ok(Found::left(&name, why));
    }
    let Some(url) = http_url(&text) else {
        let why = format!("{} is no http(s) URL", shown(&text));
        return Ok(Found::left(&name, why));
    };
    let mut draft = Draft::new(&name, url);
    draft.tag(&endpoint.text("group"));
    draft.paused = endpoint.flag("enabled") == Some(false);
    let interval = match endpoint.text("interval") {
        text if text.is_empty() => INTERVAL.to_owned(),
        text => text,
    };
    match period(&interval) {
        Some(interval) => draft.every(interval),
        None => draft.lacks(format!("interval {interval}")),
    }
    let method = endpoint.text("method");
    if !["", "GET", "HEAD"].contains(&&*method) {
        draft.lacks(format!("method {method}"));
    }
    client(endpoint, &mut draft);
    let conditions = endpoint.list("conditions")?;
    let conditions: Vec<_> = conditions.iter().filter_map(Node::word).collect();
    let redirects = draft.max_redirects != Some(0);
    take_over(&conditions, redirects, &mut draft);
    alerts(endpoint.list("alerts")?, &mut draft);
    if let Some(headers) = endpoint.get("headers").filter(|value| !value.is_nothing()) {
        draft.lacks(format!("headers {}", headers.keys()));
    }
    for (key, value) in endpoint.entries() {
        if !KNOWN.contains(&&**key) && !value.is_nothing() {
            draft.lacks(key);
        }
    }
    Ok(Found::Site(Box::new(draft)))
}

fn client(endpoint: &Node, draft: &mut Draft) {
    let Some(client) = endpoint.get("client") else {
        return;
    };
    for (key, value) in client.entries() {
        match &**key {
            _ if value.is_nothing() => {}
            "timeout" => match value.word().as_deref().and_then(period) {
                Some(timeout) if !timeout.is_zero() => draft.timeout = Some(timeout),
                _ => draft.lacks("client.timeout"),
            },
            "ignore-redirect" => draft.max_redirects = Some(0),
            "insecure" => draft.lacks("certificates are not verified"),
            other => draft.lacks(format!("client.{other}")),
        }
    }
}

/// The thresholds of the first alert are those of the site; who is told is for `[owners]`.
fn alerts(alerts: &[Node], draft: &mut Draft) {
    if let Some(first) = alerts.first() {
        let threshold = |key, default: f64| {
            let number = first.number(key).unwrap_or(default);
            (number as u32).clamp(1, 1_000)
        };
        draft.confirm = Some(threshold("failure-threshold", 3.0));
        draft.recover = Some(threshold("success-threshold", 2.0));
    }
    let kinds: Vec<_> = alerts.iter().map(|alert| alert.text("type")).collect();
    if !kinds.is_empty() {
        draft.lacks(format!("alerts by {}: give it owners", kinds.join(", ")));
    }
}
