//! The `sites.toml` of the demo, written from the table and the ports that were given.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ready_line::CA_FILE;
use super::sites::{DemoSite, HOOKS};

#[derive(Serialize)]
struct File {
    monitor: Monitor,
    owners: BTreeMap<&'static str, Owner>,
    sites: Vec<Site>,
}

#[derive(Serialize)]
struct Monitor {
    interval: &'static str,
    timeout: &'static str,
    confirm: u32,
    confirm_delay: &'static str,
    slow: &'static str,
    cert_warn: &'static str,
    ca_file: &'static str,
}

#[derive(Serialize)]
struct Owner {
    webhook: String,
}

#[derive(Serialize)]
struct Site {
    name: &'static str,
    url: String,
    owners: &'static [&'static str],
    tags: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    contains: Option<&'static str>,
}

/// A complete `sites.toml` for sites that listen on these ports of 127.0.0.1.
///
/// # Errors
/// What the serializer says; a table of plain texts gives it no cause.
pub(super) fn render(sites: &[(&'static DemoSite, u16)]) -> Result<String, toml::ser::Error> {
    // Messages stay on this machine, too: one of the sites takes them.
    let hooks = sites.iter().find(|(entry, _)| entry.name == HOOKS);
    let hooks = hooks.map_or(0, |(_, port)| *port);
    let file = File {
        // Short, so that a demonstration is not mostly waiting.
        monitor: Monitor {
            interval: "5s",
            timeout: "3s",
            confirm: 2,
            confirm_delay: "2s",
            slow: "500ms",
            cert_warn: "14d",
            ca_file: CA_FILE,
        },
        owners: sites
            .iter()
            .flat_map(|(entry, _)| entry.owners)
            .map(|name| {
                let webhook = format!("http://127.0.0.1:{hooks}/told/{name}");
                (*name, Owner { webhook })
            })
            .collect(),
        sites: sites
            .iter()
            .map(|(entry, port)| Site {
                name: entry.name,
                // An address needs no resolver, so the demo works where there is none.
                url: format!(
                    "{}://127.0.0.1:{port}{}",
                    if entry.tls { "https" } else { "http" },
                    entry.path
                ),
                owners: entry.owners,
                tags: entry.tags,
                contains: entry.contains,
            })
            .collect(),
    };
    let body = toml::to_string(&file)?;
    Ok(format!(
        "# The sites of `squirrel demo`: every one is served on this machine.\n\n{body}"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::sites::SITES;
    use super::*;
    use crate::domain::parse_duration;

    #[test]
    fn the_listing_holds_every_site_and_only_owners_that_exist() {
        let sites: Vec<_> = SITES.iter().zip(9_000..).collect();
        let text = render(&sites).unwrap();
        let file: toml::Table = text.parse().unwrap();
        let listed = file["sites"].as_array().unwrap();
        assert_eq!(listed.len(), SITES.len());
        for ((entry, port), site) in sites.iter().zip(listed) {
            assert_eq!(site["name"].as_str(), Some(entry.name));
            let url = site["url"].as_str().unwrap();
            let scheme = if entry.tls { "https" } else { "http" };
            assert_eq!(url, format!("{scheme}://127.0.0.1:{port}{}", entry.path));
            assert_eq!(
                site.get("contains").and_then(|v| v.as_str()),
                entry.contains
            );
            for owner in site["owners"].as_array().unwrap() {
                assert!(file["owners"].get(owner.as_str().unwrap()).is_some());
            }
        }
        let monitor = file["monitor"].as_table().unwrap();
        assert_eq!(monitor["ca_file"].as_str(), Some("demo-ca.pem"));
        for key in ["interval", "timeout", "confirm_delay", "slow", "cert_warn"] {
            assert!(
                parse_duration(monitor[key].as_str().unwrap()).is_ok(),
                "{key}"
            );
        }
    }
}
