//! Lists of sites to check, and the command that checks them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::{Fleet, Running, Scenario, Server, Squirrel};

/// The timeout of a sweep, for scenarios that do not set their own.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);

/// A scenario whose servers run.
pub(crate) struct Played {
    pub(crate) scenario: Scenario,
    pub(crate) servers: BTreeMap<String, Server>,
}

impl Played {
    pub(crate) fn start(fleet: &mut Fleet, scenario: Scenario) -> Self {
        let servers = fleet.play(&scenario);
        Self { scenario, servers }
    }

    /// `text` with the addresses of the servers for their names.
    pub(crate) fn fill(&self, text: &str) -> String {
        self.servers
            .iter()
            .fold(text.to_owned(), |text, (name, server)| {
                text.replace(&format!("{{{name}}}"), &server.authority)
            })
    }

    /// The site's further settings, with the addresses of its servers filled in.
    pub(crate) fn settings(&self) -> toml::Table {
        toml::from_str(&self.fill(&self.scenario.site.to_string())).unwrap()
    }

    pub(crate) fn url(&self) -> String {
        self.scenario.url(|text| self.fill(text))
    }

    /// Connections that all its servers took.
    pub(crate) fn connections(&self) -> usize {
        self.servers
            .values()
            .map(|server| server.count.connections())
            .sum()
    }
}

/// One site of a sites.toml.
pub(crate) fn site(name: &str, url: &str, settings: &toml::Table) -> toml::Table {
    let mut site = settings.clone();
    site.insert("name".to_owned(), name.into());
    site.insert("url".to_owned(), url.into());
    site
}

/// Sites that differ in their path alone: `count` of them at one server.
pub(crate) fn sites_at(server: &Server, count: usize, settings: &toml::Table) -> Vec<toml::Table> {
    (0..count)
        .map(|index| {
            let url = format!("http://{}/{index}", server.authority);
            site(&format!("site {index}"), &url, settings)
        })
        .collect()
}

/// A home with a sites.toml of these sites, which trusts the fleet's own authority.
pub(crate) fn home(fleet: &Fleet, sites: Vec<toml::Table>) -> Squirrel {
    let squirrel = Squirrel::new();
    configure(&squirrel, fleet, sites);
    squirrel
}

/// Writes that sites.toml.
pub(crate) fn configure(squirrel: &Squirrel, fleet: &Fleet, sites: Vec<toml::Table>) {
    squirrel.write("ca.pem", fleet.certificates().ca_pem());
    let monitor: toml::Table = [
        (
            "timeout".to_owned(),
            format!("{}s", TIMEOUT.as_secs()).into(),
        ),
        ("slow".to_owned(), "4s".into()),
        ("ca_file".to_owned(), "ca.pem".into()),
    ]
    .into_iter()
    .collect();
    let file: toml::Table = [
        ("monitor".to_owned(), monitor.into()),
        ("sites".to_owned(), sites.into()),
    ]
    .into_iter()
    .collect();
    squirrel.write("sites.toml", file.to_string());
}

/// Starts one sweep.
pub(crate) fn start(squirrel: &Squirrel, paradigm: &str, workers: usize) -> Running {
    let workers = workers.to_string();
    squirrel.start([
        "check",
        "--config",
        "sites.toml",
        "--paradigm",
        paradigm,
        "--workers",
        &workers,
        "--format",
        "json",
    ])
}
