//! Gatus's configuration: `endpoints` with conditions. <https://github.com/TwiN/gatus>

use std::net::{IpAddr, SocketAddr};

use super::conditions::take_over;
use super::go_duration::parse_go_duration;
use super::imported_site::{Finding, ImportError, ImportedConfig, ImportedSite, shown, site_url};
use super::render::quoted;
use super::yaml_tree::{Node, yaml};
use crate::domain::{CheckKind, plural};

/// What an endpoint has that is read, or that says nothing of how it is watched.
const KNOWN: [&str; 12] = [
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
    "body",
    "dns",
];

/// The interval of Gatus where an endpoint has none.
const INTERVAL: &str = "60s";

/// Reads the files as Gatus does: as one.
pub(super) fn read(texts: &[&str]) -> Result<ImportedConfig, ImportError> {
    let mut imported = ImportedConfig::default();
    let mut any = false;
    for (file, text) in texts.iter().enumerate() {
        let document = yaml(text).map_err(|wrong| wrong.of_file(file))?;
        any |= one(&document, &mut imported).map_err(|wrong| wrong.of_file(file))?;
    }
    if any {
        Ok(imported)
    } else {
        Err(ImportError::new(
            0,
            "no endpoints are there: this is no configuration of Gatus",
        ))
    }
}

fn one(document: &Node, imported: &mut ImportedConfig) -> Result<bool, ImportError> {
    for endpoint in document.list("endpoints")? {
        imported.found.push(found(endpoint)?);
    }
    for endpoint in document.list("external-endpoints")? {
        let why = "an external endpoint: its results are pushed, so there is no URL to check";
        imported.add_left_out(&endpoint.text("name"), why);
    }
    for suite in document.list("suites")? {
        let count = suite.list("endpoints")?.len();
        let why = format!(
            "a suite of {} that depend on each other",
            plural(count, "endpoint")
        );
        imported.add_left_out(&suite.text("name"), why);
    }
    for (key, value) in document.entries() {
        let read = ["endpoints", "external-endpoints", "suites"].contains(&&**key);
        if !read && !value.is_nothing() {
            imported.unsupported.push(match value.keys() {
                keys if keys.is_empty() => key.clone(),
                keys => format!("{key}: {keys}"),
            });
        }
    }
    Ok(["endpoints", "external-endpoints", "suites"]
        .iter()
        .any(|key| document.get(key).is_some()))
}

fn found(endpoint: &Node) -> Result<Finding, ImportError> {
    if !endpoint.is_map() {
        return Err(ImportError::new(endpoint.line, "endpoints: expected a map"));
    }
    let (name, text) = (endpoint.text("name"), endpoint.text("url"));
    if text.contains("${") {
        let why = format!("{} holds a variable of the environment", shown(&text));
        return Ok(Finding::left_out(&name, why));
    }
    let mut place = Place::of(endpoint, &text);
    let Some(url) = site_url(&place.url) else {
        let why = format!("{} is of no kind of check", shown(&text));
        return Ok(Finding::left_out(&name, why));
    };
    let mut site = ImportedSite::new(&name, url);
    let is_dns = CheckKind::of(&site.url) == CheckKind::Dns;
    if is_dns && place.keys.is_empty() {
        site.add_unsupported(format!("name server {}", shown(&text)));
    }
    site.more.append(&mut place.keys);
    site.tag(&endpoint.text("group"));
    site.paused = endpoint.flag("enabled") == Some(false);
    let interval = match endpoint.text("interval") {
        text if text.is_empty() => INTERVAL.to_owned(),
        text => text,
    };
    match parse_go_duration(&interval) {
        Some(interval) => site.every(interval),
        None => site.add_unsupported(format!("interval {interval}")),
    }
    site.ask_by(&endpoint.text("method"));
    client(endpoint, &mut site);
    let conditions = endpoint.list("conditions")?;
    let conditions: Vec<_> = conditions.iter().filter_map(Node::word).collect();
    let redirects = site.max_redirects != Some(0);
    take_over(&conditions, redirects, &mut site);
    alerts(endpoint.list("alerts")?, &mut site);
    for (name, value) in endpoint.get("headers").map_or(&[][..], Node::entries) {
        site.header(name, &value.word().unwrap_or_default());
    }
    site.send(&endpoint.text("body"));
    for (key, value) in endpoint.entries() {
        if !KNOWN.contains(&&**key) && !value.is_nothing() {
            site.add_unsupported(key);
        }
    }
    Ok(Finding::Site(Box::new(site)))
}

/// The key of a name server that is given by its address; by a name it cannot be.
fn name_server(text: &str) -> Option<(&'static str, String)> {
    let address = text
        .parse::<IpAddr>()
        .map(|address| SocketAddr::new(address, 53));
    let server = address.or_else(|_| text.parse()).ok()?;
    (server.port() != 0).then(|| ("resolver", quoted(&server.to_string())))
}

/// Where an endpoint is, in the terms of this program: its URL, and the keys that belong to it.
struct Place {
    url: String,
    keys: Vec<(&'static str, String)>,
}

impl Place {
    fn of(endpoint: &Node, text: &str) -> Self {
        let plain = |url: String| Self {
            url,
            keys: Vec::new(),
        };
        if let Some(dns) = endpoint.get("dns").filter(|value| !value.is_nothing()) {
            let (name, kind) = (dns.text("query-name"), dns.text("query-type"));
            let server = text.split_once("://").map_or(text, |(_, server)| server);
            return Self {
                url: format!("dns://{}?type={kind}", name.trim_end_matches('.')),
                keys: name_server(server).into_iter().collect(),
            };
        }
        match text.split_once("://") {
            Some(("icmp", host)) => plain(format!("ping://{host}")),
            Some(("starttls", place)) => Self {
                url: format!("tls://{place}"),
                keys: vec![("starttls", quoted("smtp"))],
            },
            _ => plain(text.to_owned()),
        }
    }
}

fn client(endpoint: &Node, site: &mut ImportedSite) {
    let Some(client) = endpoint.get("client") else {
        return;
    };
    for (key, value) in client.entries() {
        match &**key {
            _ if value.is_nothing() => {}
            "timeout" => match value.word().as_deref().and_then(parse_go_duration) {
                Some(timeout) if !timeout.is_zero() => site.timeout = Some(timeout),
                _ => site.add_unsupported("client.timeout"),
            },
            "ignore-redirect" => site.max_redirects = Some(0),
            "insecure" if value.word().as_deref() == Some("true") => site.add("verify", "false"),
            "insecure" => {}
            "dns-resolver" => {
                let place = value.word().unwrap_or_default();
                let server = place
                    .split_once("://")
                    .map_or(&*place, |(_, server)| server);
                match name_server(server) {
                    Some((key, server)) => site.add(key, server),
                    None => site.add_unsupported("client.dns-resolver"),
                }
            }
            other => site.add_unsupported(format!("client.{other}")),
        }
    }
}

/// The thresholds of the first alert are those of the site; who is told is for `[owners]`.
fn alerts(alerts: &[Node], site: &mut ImportedSite) {
    if let Some(first) = alerts.first() {
        let threshold = |key, default: f64| {
            let number = first.number(key).unwrap_or(default);
            (number as u32).clamp(1, 1_000)
        };
        site.confirm = Some(threshold("failure-threshold", 3.0));
        site.recover = Some(threshold("success-threshold", 2.0));
    }
    let kinds: Vec<_> = alerts.iter().map(|alert| alert.text("type")).collect();
    if !kinds.is_empty() {
        site.add_unsupported(format!("alerts by {}: give it owners", kinds.join(", ")));
    }
}
