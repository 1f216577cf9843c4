//! Uptime Kuma's backup: `monitorList` as a list (version 1) or by number (version 2), each
//! monitor with the fields of `Monitor.toJSON` in its server/model/monitor.js.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use super::conditions::json_assertion;
use super::go_duration::duration_from_seconds;
use super::imported_site::{
    Finding, ImportError, ImportedConfig, ImportedSite, http_url, shown, signed_in, site_url,
};
use super::render::quoted;
use super::status_codes::StatusCodes;
use super::yaml_tree::{Node, NodeKind, json};
use crate::domain::plural;

/// Reads the backups.
pub(super) fn read(texts: &[&str]) -> Result<ImportedConfig, ImportError> {
    let mut imported = ImportedConfig::default();
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
            imported.found.extend(found(monitor, &groups));
        }
        for (key, what) in [
            ("notificationList", "notifications"),
            ("proxyList", "proxies"),
        ] {
            let named = document.list(key).unwrap_or_default();
            imported.unsupported.extend(named.iter().map(|one| {
                let (name, kind) = (one.text("name"), one.text("type"));
                format!("{what}: {name} {kind}").trim_end().to_owned()
            }));
        }
    }
    Ok(imported)
}

fn monitors(document: &Node) -> Result<Vec<&Node>, ImportError> {
    let listed = document.get("monitorList").ok_or_else(|| {
        ImportError::new(
            0,
            "no monitorList is there: this is no backup of Uptime Kuma",
        )
    })?;
    let monitors: Vec<&Node> = match &listed.kind {
        NodeKind::List(items) => items.iter().collect(),
        NodeKind::Map(entries) => entries.iter().map(|(_, monitor)| monitor).collect(),
        _ => {
            return Err(ImportError::new(
                listed.line,
                "monitorList: expected a list",
            ));
        }
    };
    match monitors.iter().position(|monitor| !monitor.is_map()) {
        Some(index) => Err(ImportError::new(
            0,
            format!("monitorList[{index}]: expected an object"),
        )),
        None => Ok(monitors),
    }
}

/// What becomes of a monitor; a group lives on as the tag of its children.
fn found(monitor: &Node, groups: &HashMap<String, String>) -> Option<Finding> {
    let (name, kind) = (monitor.text("name"), monitor.text("type"));
    if kind == "group" {
        return None;
    }
    let place = place(monitor, &kind);
    let is_web = ["http", "keyword", "json-query", "real-browser"].contains(&&*kind);
    if !is_web && place.is_none() {
        let place = match monitor.text("hostname") {
            host if host.is_empty() => String::new(),
            host => format!(" {}", shown(&host)),
        };
        return Some(Finding::left_out(&name, format!("type {kind}{place}")));
    }
    if monitor.flag("upsideDown") == Some(true) {
        let why = "upside down: it is up while the site fails";
        return Some(Finding::left_out(&name, why));
    }
    let text = place.unwrap_or_else(|| monitor.text("url"));
    let url = if is_web {
        http_url(&text)
    } else {
        site_url(&text)
    };
    let Some(url) = url else {
        let why = match is_web {
            true => format!("{} is no http(s) URL", shown(&text)),
            false => format!("{} is of no kind of check", shown(&text)),
        };
        return Some(Finding::left_out(&name, why));
    };
    let mut site = ImportedSite::new(&name, url);
    if kind == "dns" {
        let (server, port) = (monitor.text("dns_resolve_server"), monitor.number("port"));
        let server = server.split(',').next().unwrap_or_default().trim();
        if let Ok(server) = server.parse::<IpAddr>() {
            let port = port.map_or(53, |port| port as u16);
            let server = SocketAddr::new(server, if port == 0 { 53 } else { port });
            site.add("resolver", quoted(&server.to_string()));
        } else if !server.is_empty() {
            site.add_unsupported(format!("name server {server}"));
        }
    }
    times(monitor, &mut site);
    if let Some(group) = groups.get(&monitor.text("parent")) {
        site.tag(group);
    }
    for tag in monitor.list("tags").unwrap_or_default() {
        let (name, value) = (tag.text("name"), tag.text("value"));
        site.tag(&if value.is_empty() {
            name
        } else {
            format!("{name}:{value}")
        });
    }
    site.paused = monitor.flag("active") == Some(false);
    if is_web {
        statuses(monitor, &mut site);
        body(monitor, &kind, &mut site);
        login(monitor, &mut site);
    }
    others(monitor, is_web, &mut site);
    Some(Finding::Site(Box::new(site)))
}

/// The URL of a monitor that is not of the web; `None` for kinds that are none here.
fn place(monitor: &Node, kind: &str) -> Option<String> {
    let host = monitor.text("hostname");
    let host = if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]")
    } else {
        host
    };
    match kind {
        "port" => Some(format!("tcp://{host}:{}", monitor.text("port"))),
        "ping" => Some(format!("ping://{host}")),
        "dns" => match monitor.text("dns_resolve_type") {
            record if record.is_empty() => Some(format!("dns://{host}")),
            record => Some(format!("dns://{host}?type={record}")),
        },
        _ => None,
    }
}

fn times(monitor: &Node, site: &mut ImportedSite) {
    if let Some(interval) = monitor.number("interval").and_then(duration_from_seconds) {
        site.every(interval);
    }
    let timeout = monitor.number("timeout").and_then(duration_from_seconds);
    site.timeout = timeout.filter(|timeout| !timeout.is_zero());
    if let Some(retries) = monitor.number("maxretries") {
        site.confirm = Some((retries as u32).saturating_add(1).min(1_000));
        let delay = monitor
            .number("retryInterval")
            .and_then(duration_from_seconds);
        site.confirm_delay = delay.filter(|delay| retries >= 1.0 && !delay.is_zero());
    }
    site.max_redirects = monitor
        .number("maxredirects")
        .map(|most| (most as u32).min(100));
}

fn statuses(monitor: &Node, site: &mut ImportedSite) {
    let named = monitor.list("accepted_statuscodes").unwrap_or_default();
    let mut ranges = Vec::new();
    for code in named.iter().filter_map(Node::word) {
        let (first, last) = code.split_once('-').unwrap_or((&code, &code));
        match (first.trim().parse::<u16>(), last.trim().parse::<u16>()) {
            (Ok(first), Ok(last)) if first <= last => ranges.push(first..=last),
            _ => site.add_unsupported(format!("accepted status {code}")),
        }
    }
    if !ranges.is_empty() {
        let mut codes = StatusCodes::all();
        codes.only(|code| ranges.iter().any(|range| range.contains(&code)));
        // Redirects are followed there as long as there may be any, whatever is accepted.
        site.expect_status = codes.to_expect_status(site.max_redirects == Some(0));
    }
}

fn body(monitor: &Node, kind: &str, site: &mut ImportedSite) {
    let keyword = monitor.text("keyword");
    match kind {
        "keyword" if monitor.flag("invertKeyword") == Some(true) && !keyword.is_empty() => {
            site.add("contains_not", quoted(&keyword));
        }
        "keyword" => site.holds(&keyword),
        "json-query" => {
            let (path, value) = (monitor.text("jsonPath"), monitor.text("expectedValue"));
            let operator = match &*monitor.text("jsonPathOperator") {
                "" => "==".to_owned(),
                operator => operator.to_owned(),
            };
            // A query in JSONata may say more than a path.
            let plain = path.trim_start_matches('$').trim_start_matches('.');
            match json_assertion(plain, &operator, &value) {
                Some(assertion) => site.add("json", format!("[{assertion}]")),
                None => site.add_unsupported(format!("JSON query {path} {operator} {value}")),
            }
        }
        "real-browser" => {
            site.add_unsupported("a real browser loads the page: here it is one request");
        }
        _ => {}
    }
    site.ask_by(&monitor.text("method"));
}

fn login(monitor: &Node, site: &mut ImportedSite) {
    let (user, password) = (
        monitor.text("basic_auth_user"),
        monitor.text("basic_auth_pass"),
    );
    match &*monitor.text("authMethod") {
        "" | "null" if user.is_empty() => {}
        "" | "null" | "basic" => match signed_in(&site.url, &user, &password) {
            Some(url) => site.url = url,
            None => site.add_unsupported("authentication basic"),
        },
        other => site.add_unsupported(format!("authentication {other}")),
    }
}

/// What has no counterpart, where it is not at its default.
fn others(monitor: &Node, is_web: bool, site: &mut ImportedSite) {
    let is_set = |key: &str| {
        let set = monitor.get(key).filter(|value| !value.is_nothing());
        set.is_some_and(|value| value.word().is_none_or(|word| word != "0"))
    };
    if is_web && is_set("ignoreTls") {
        site.add("verify", "false");
    }
    if is_web {
        site.send(&monitor.text("body"));
    }
    for (key, sentence) in [
        ("cacheBust", "a number that changes is added to the URL"),
        ("proxyId", "a proxy is asked"),
        ("conditions", "conditions"),
        ("resendInterval", "messages are sent again while it is down"),
    ] {
        if is_set(key) {
            site.add_unsupported(sentence);
        }
    }
    // Headers are JSON within JSON; their values may be secrets.
    let headers = monitor.text("headers");
    match json(&headers) {
        Ok(fields) if is_web => {
            for (name, value) in fields.entries() {
                site.header(name, &value.word().unwrap_or_default());
            }
        }
        _ if headers.is_empty() => {}
        _ => site.add_unsupported("headers"),
    }
    if let Some(told) = monitor
        .get("notificationIDList")
        .filter(|told| !told.is_nothing())
    {
        let count = told.entries().len();
        site.add_unsupported(format!("{}: give it owners", plural(count, "notification")));
    }
    let description = monitor.text("description");
    if !description.is_empty() {
        site.add_unsupported(format!("description: {description}"));
    }
}
