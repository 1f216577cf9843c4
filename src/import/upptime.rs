//! Upptime's `.upptimerc.yml`: the sites of a status page that GitHub Actions check.
//! <https://upptime.js.org/docs/configuration>

use std::time::Duration;

use super::imported_site::{Finding, ImportError, ImportedConfig, ImportedSite, shown, site_url};
use super::render::quoted;
use super::status_codes::StatusCodes;
use super::yaml_tree::{Node, yaml};

/// The schedule of the checks where none is configured: every five minutes.
const MINUTES: u64 = 5;

/// The redirects that are followed where no number is configured.
const REDIRECTS: u32 = 3;

/// The codes that count as up where none are configured.
const CODES: [std::ops::RangeInclusive<u16>; 3] = [200..=208, 226..=226, 300..=308];

/// What a site has that is read, or that says nothing of how it is watched.
const READ: [&str; 18] = [
    "name",
    "url",
    "slug",
    "icon",
    "assignees",
    "verbose",
    "method",
    "headers",
    "body",
    "check",
    "port",
    "ipv6",
    "maxResponseTime",
    "maxRedirects",
    "expectedStatusCodes",
    "__dangerous__insecure",
    "__dangerous__body_down",
    "__dangerous__body_down_if_text_missing",
];

/// Reads the files.
pub(super) fn read(texts: &[&str]) -> Result<ImportedConfig, ImportError> {
    let mut imported = ImportedConfig::default();
    let mut any = false;
    for (file, text) in texts.iter().enumerate() {
        let document = yaml(text).map_err(|wrong| wrong.of_file(file))?;
        let sites = document
            .list("sites")
            .map_err(|wrong| wrong.of_file(file))?;
        any |= document.get("sites").is_some();
        let interval = interval(&document);
        for site in sites {
            let found = found(site, interval).map_err(|wrong| wrong.of_file(file))?;
            imported.found.push(found);
        }
        let notifications = document.list("notifications").unwrap_or_default();
        for one in notifications {
            let what = format!("notifications by {}: give it owners", one.text("type"));
            imported.unsupported.push(what);
        }
    }
    if any {
        return Ok(imported);
    }
    Err(ImportError::new(
        0,
        "no sites are there: this is no configuration of Upptime",
    ))
}

/// The time between two checks, by the minutes of the schedule: "*/5 * * * *".
fn interval(document: &Node) -> Duration {
    let schedule = document.get("workflowSchedule");
    let cron = schedule.map_or_else(String::new, |schedule| schedule.text("uptime"));
    let every = cron
        .split(' ')
        .next()
        .and_then(|word| word.strip_prefix("*/"));
    let minutes = every.and_then(|minutes| minutes.parse::<u64>().ok());
    let minutes = minutes.filter(|minutes| (1..=59).contains(minutes));
    Duration::from_secs(60 * minutes.unwrap_or(MINUTES))
}

fn found(node: &Node, interval: Duration) -> Result<Finding, ImportError> {
    if !node.is_map() {
        return Err(ImportError::new(node.line, "sites: expected a map"));
    }
    let (name, text) = (node.text("name"), node.text("url"));
    if text.starts_with('$') || text.contains("://$") {
        let why = "its URL is a secret of the repository";
        return Ok(Finding::left_out(&name, why));
    }
    let place = match &*node.text("check") {
        "" | "http" => text,
        "tcp-ping" => {
            let host = text.split_once("://").map_or(&*text, |(_, host)| host);
            let host = host.split('/').next().unwrap_or_default();
            match node.text("port") {
                port if port.is_empty() => format!("tcp://{host}"),
                port => format!("tcp://{host}:{port}"),
            }
        }
        other => {
            let why = format!("a check by {other}");
            return Ok(Finding::left_out(&name, why));
        }
    };
    let Some(url) = site_url(&place) else {
        let why = format!("{} is of no kind of check", shown(&place));
        return Ok(Finding::left_out(&name, why));
    };
    let mut site = ImportedSite::new(&name, url);
    site.every(interval);
    // A failure opens an issue at once there.
    site.confirm = Some(1);
    let most = node
        .number("maxRedirects")
        .map(|most| (most as u32).min(100));
    site.max_redirects = Some(most.unwrap_or(REDIRECTS));
    let slow = node.number("maxResponseTime");
    let slow = slow.filter(|millis| (1.0..=86_400_000.0).contains(millis));
    site.slow = slow.map(|millis| Duration::from_millis(millis as u64));
    site.ask_by(&node.text("method"));
    statuses(node, &mut site)?;
    for header in node.list("headers")? {
        let header = header.word().unwrap_or_default();
        match header.split_once(':') {
            Some((name, value)) if !value.trim().starts_with('$') => {
                site.header(name.trim(), value);
            }
            Some((name, _)) => site.add_unsupported(format!("header {name}: a secret")),
            None => site.add_unsupported("a header without a name"),
        }
    }
    site.send(&node.text("body"));
    if node.flag("__dangerous__insecure") == Some(true) {
        site.add("verify", "false");
    }
    if node.flag("ipv6") == Some(true) {
        site.add("family", quoted("ipv6"));
    }
    let missing = node.text("__dangerous__body_down_if_text_missing");
    if !missing.is_empty() {
        site.holds(&missing);
    }
    let there = node.text("__dangerous__body_down");
    if !there.is_empty() {
        site.add("contains_not", quoted(&there));
    }
    for (key, value) in node.entries() {
        if !READ.contains(&&**key) && !value.is_nothing() {
            site.add_unsupported(key);
        }
    }
    Ok(Finding::Site(Box::new(site)))
}

fn statuses(node: &Node, site: &mut ImportedSite) -> Result<(), ImportError> {
    let named = node.list("expectedStatusCodes")?;
    let named: Vec<u16> = named
        .iter()
        .filter_map(|code| code.word()?.parse().ok())
        .collect();
    let mut codes = StatusCodes::all();
    if named.is_empty() {
        codes.only(|code| CODES.iter().any(|range| range.contains(&code)));
    } else {
        codes.only(|code| named.contains(&code));
    }
    site.expect_status = codes.to_expect_status(site.max_redirects == Some(0));
    Ok(())
}
