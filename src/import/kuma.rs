//! Uptime Kuma's backup: `monitorList` as a list (version 1) or by number (version 2), each
//! monitor with the fields of `Monitor.toJSON` in its server/model/monitor.js.

use std::collections::HashMap;

use super::codes::Codes;
use super::draft::{Draft, Found, Haul, Wrong, http_url, shown, signed_in};
use super::period::rounded;
use super::tree::{Kind, Node, json};

/// Reads the backups.
pub(super) fn read(texts: &[&str]) -> Result<Haul, Wrong> {
    let mut haul = Haul::default();
    for (file, text) in texts.iter().enumerate() {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let document = json(text).map_err(|wrong| wrong.of_file(file))?;
        let monitors = monitors(&document).map_err(|wrong| wrong.of_file(file))?;
        let groups: HashMap<String, String> = monitors
            .iter()
            .filter(|monitor| monitor.text("type") == "group")
            .map(|group| (group.text("id"), group.text("name")))
            .collect();
        for monitor in monitors {
            haul.found.extend(found(monitor, &groups));
        }
        for (key, what) in [
            ("notificationList", "notifications"),
            ("proxyList", "proxies"),
        ] {
            let named = document.list(key).unwrap_or_default();
            haul.without.extend(named.iter().map(|one| {
                let (name, kind) = (one.text("name"), one.text("type"));
                format!("{what}: {name} {kind}").trim_end().to_owned()
            }));
        }
    }
    Ok(haul)
}

fn monitors(document: &Node) -> Result<Vec<&Node>, Wrong> {
    let listed = document.get("monitorList").ok_or_else(|| {
        Wrong::new(
            0,
            "no monitorList is there: this is no backup of Uptime Kuma",
        )
    })?;
    let monitors: Vec<&Node> = match &listed.kind {
        Kind::List(items) => items.iter().collect(),
        Kind::Map(entries) => entries.iter().map(|(_, monitor)| monitor).collect(),
        _ => return Err(Wrong::new(listed.line, "monitorList: expected a list")),
    };
    match monitors.iter().position(|monitor| !monitor.is_map()) {
        Some(index) => Err(Wrong::new(
            0,
            format!("monitorList[{index}]: expected an object"),
        )),
        None => Ok(monitors),
    }
}

/// What becomes of a monitor; a group lives on as the tag of its children.
fn found(monitor: &Node, groups: &HashMap<String, String>) -> Option<Found> {
    let (name, kind) = (monitor.text("name"), monitor.text("type"));
    if kind == "group" {
        return None;
    }
    if !["http", "keyword", "json-query", "real-browser"].contains(&&*kind) {
        let place = match monitor.text("hostname") {
            host if host.is_empty() => String::new(),
            host => format!(" {}", shown(&host)),
        };
        return Some(Found::left(&name, format!("type {kind}{place}")));
    }
    if monitor.flag("upsideDown") == Some(true) {
        let why = "upside down: it is up while the site fails";
        return Some(Found::left(&name, why));
    }
    let text = monitor.text("url");
    let Some(url) = http_url(&text) else {
        let why = format!("{} is no http(s) URL", shown(&text));
        return Some(Found::left(&name, why));
    };
    let mut draft = Draft::new(&name, url);
    times(monitor, &mut draft);
    if let Some(group) = groups.get(&monitor.text("parent")) {
        draft.tag(group);
    }
    for tag in monitor.list("tags").unwrap_or_default() {
        let (name, value) = (tag.text("name"), tag.text("value"));
        draft.tag(&if value.is_empty() {
            name
        } else {
            format!("{name}:{value}")
        });
    }
    statuses(monitor, &mut draft);
    body(monitor, &kind, &mut draft);
    draft.paused = monitor.flag("active") == Some(false);
    login(monitor, &mut draft);
    others(monitor, &mut draft);
    Some(Found::Site(Box::new(draft)))
}

fn times(monitor: &Node, draft: &mut Draft) {
    if let Some(interval) = monitor.number("interval").and_then(rounded) {
        draft.every(interval);
    }
    let timeout = monitor.number("timeout").and_then(rounded);
    draft.timeout = timeout.filter(|timeout| !timeout.is_zero());
    if let Some(retries) = monitor.number("maxretries") {
        draft.confirm = Some((retries as u32).saturating_add(1).min(1_000));
        let delay = monitor.number("retryInterval").and_then(rounded);
        draft.confirm_delay = delay.filter(|delay| retries >= 1.0 && !delay.is_zero());
    }
    draft.max_redirects = monitor
        .number("maxredirects")
        .map(|most| (most as u32).min(100));
}

fn statuses(monitor: &Node, draft: &mut Draft) {
    let named = monitor.list("accepted_statuscodes").unwrap_or_default();
    let mut ranges = Vec::new();
    for code in named.iter().filter_map(Node::word) {
        let (first, last) = code.split_once('-').unwrap_or((&code, &code));
        match (first.trim().parse::<u16>(), last.trim().parse::<u16>()) {
            (Ok(first), Ok(last)) if first <= last => ranges.push(first..=last),
            _ => draft.lacks(format!("accepted status {code}")),
        }
    }
    if !ranges.is_empty() {
        let mut codes = Codes::all();
        codes.only(|code| ranges.iter().any(|range| range.contains(&code)));
        // Redirects are followed there as long as there may be any, whatever is accepted.
        draft.expect_status = codes.written(draft.max_redirects == Some(0));
    }
}

fn body(monitor: &Node, kind: &str, draft: &mut Draft) {
    let keyword = monitor.text("keyword");
    match kind {
        "keyword" if monitor.flag("invertKeyword") == Some(true) => {
            draft.lacks(format!("the body must not hold \"{keyword}\""));
        }
        "keyword" => draft.holds(&keyword),
        "json-query" => {
            let (path, value) = (monitor.text("jsonPath"), monitor.text("expectedValue"));
            draft.lacks(format!("JSON query {path} is {value}"));
        }
        "real-browser" => draft.lacks("a real browser loads the page: here it is one request"),
        _ => {}
    }
    let method = monitor.text("method");
    if !["", "GET", "HEAD"].contains(&&*method) {
        draft.lacks(format!("method {method}"));
    }
}

fn login(monitor: &Node, draft: &mut Draft) {
    let (user, password) = (
        monitor.text("basic_auth_user"),
        monitor.text("basic_auth_pass"),
    );
    match &*monitor.text("authMethod") {
        "" | "null" if user.is_empty() => {}
        "" | "null" | "basic" => match signed_in(&draft.url, &user, &password) {
            Some(url) => draft.url = url,
            None => draft.lacks("authentication basic"),
        },
        other => draft.lacks(format!("authentication {other}")),
    }
}

/// What has no counterpart, where it is not at its default.
fn others(monitor: &Node, draft: &mut Draft) {
    for (key, sentence) in [
        ("ignoreTls", "certificates are not verified"),
        ("cacheBust", "a number that changes is added to the URL"),
        ("proxyId", "a proxy is asked"),
        ("body", "a body is sent"),
        ("conditions", "conditions"),
        ("resendInterval", "messages are sent again while it is down"),
    ] {
        let set = monitor.get(key).filter(|value| !value.is_nothing());
        if set.is_some_and(|value| value.word().is_none_or(|word| word != "0")) {
            draft.lacks(sentence);
        }
    }
    // Headers are JSON within JSON; their values may be secrets.
    let headers = monitor.text("headers");
    if !headers.is_empty() {
        let names = json(&headers).map(|headers| headers.keys());
        draft.lacks(format!("headers {}", names.unwrap_or_default()).trim_end());
    }
    if let Some(told) = monitor
        .get("notificationIDList")
        .filter(|told| !told.is_nothing())
    {
        let count = told.entries().len();
        draft.lacks(format!("{count} notifications: give it owners"));
    }
    let description = monitor.text("description");
    if !description.is_empty() {
        draft.lacks(format!("description: {description}"));
    }
}
