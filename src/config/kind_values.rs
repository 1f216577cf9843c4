//! Parsers of what the kinds of check have: their URLs, how TLS begins, a name server.

use url::Url;

use crate::domain::{CheckKind, MaskedUrl, StartTls};

use super::value_parsers::{Parsed, ValueError, http_url, none_of};

/// The URL of a site, of any kind of check, normalised.
pub(super) fn site_url(text: &str) -> Parsed<MaskedUrl> {
    let text = text.trim();
    let scheme = text.split("://").next().unwrap_or_default();
    let mut kinds = CheckKind::ALL.into_iter().skip(1);
    match kinds.find(|kind| kind.word().eq_ignore_ascii_case(scheme)) {
        Some(kind) => kind_url(kind, text),
        None => http_url(text),
    }
}

/// The URL of a check of another kind than http.
fn kind_url(kind: CheckKind, text: &str) -> Parsed<MaskedUrl> {
    let wrong = |why: &str| {
        ValueError::expected(format!(
            "expected a URL such as \"{}\" ({why})",
            kind.example()
        ))
    };
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    let (place, query) = rest
        .split_once('?')
        .map_or((rest, None), |(place, query)| (place, Some(query)));
    let place = place.strip_suffix('/').unwrap_or(place);
    if place.is_empty() {
        return Err(wrong("it has no host"));
    }
    if place.contains(['/', '\\', '#', '@']) || text.chars().any(char::is_control) {
        return Err(wrong("it has more than a host and a port"));
    }
    // A scheme of the web, so that names and addresses are written as for a site on the web.
    let url = Url::parse(&format!("http://{place}/")).map_err(|error| wrong(&error.to_string()))?;
    let Some(host) = url.host_str() else {
        return Err(wrong("it has no host"));
    };
    let behind_host = place.rsplit_once(']').map_or(place, |(_, behind)| behind);
    // The web's own port is left out of its URLs.
    let port = url
        .port()
        .or_else(|| behind_host.ends_with(":80").then_some(80));
    let needs_port = matches!(kind, CheckKind::Tcp | CheckKind::Tls);
    match port {
        Some(0) => return Err(wrong("there is no port 0")),
        None if needs_port => return Err(wrong("it has no port")),
        Some(_) if !needs_port => return Err(wrong("it has a port, and needs none")),
        _ => {}
    }
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    let query = match (kind, query) {
        (_, None | Some("")) => String::new(),
        (CheckKind::Dns, Some(query)) => {
            let record = query.strip_prefix("type=").map(str::to_ascii_uppercase);
            let known = record.filter(|record| DNS_TYPES.contains(&record.as_str()));
            let known =
                known.ok_or_else(|| wrong(&format!("the types are {}", DNS_TYPES.join(", "))))?;
            format!("?type={known}")
        }
        _ => return Err(wrong("it has a query, and needs none")),
    };
    Ok(MaskedUrl::new(format!(
        "{}://{host}{port}{query}",
        kind.word()
    )))
}

/// The types of records that a check of the kind dns asks for.
const DNS_TYPES: [&str; 10] = [
    "A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT",
];

/// How a server is asked to begin TLS.
pub(super) fn starttls(text: &str) -> Parsed<StartTls> {
    let found = StartTls::ALL.into_iter().find(|known| known.word() == text);
    found.ok_or_else(|| none_of(text, &StartTls::ALL.map(StartTls::word)))
}
