//! The shape of the scenario files: a site, the servers behind it, and the verdict expected.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::{CertKind, Expect, unescape};

/// One case: a site, what its servers do, and what a check must say.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// The site's name, unique over all files.
    pub(crate) name: String,
    /// The site's URL; `{NAME}` stands for the address and port of a server.
    #[serde(default)]
    pub(crate) url: Option<String>,
    /// The site's further settings, copied into sites.toml as they are.
    #[serde(default)]
    pub(crate) site: toml::Table,
    /// The server of that name is `{main}`.
    #[serde(default)]
    pub(crate) server: Option<Script>,
    /// Further servers by name.
    #[serde(default)]
    pub(crate) servers: BTreeMap<String, Script>,
    /// What a check must say.
    pub(crate) expect: Expect,
}

impl Scenario {
    /// The URL with the addresses of its servers filled in by `fill`.
    pub(crate) fn url(&self, fill: impl Fn(&str) -> String) -> String {
        let tls = self
            .server
            .as_ref()
            .is_some_and(|server| server.tls.is_some());
        let default = if tls {
            "https://{main}/"
        } else {
            "http://{main}/"
        };
        fill(self.url.as_deref().unwrap_or(default))
    }

    /// The site's own timeout, or the one of the sweep.
    pub(crate) fn timeout(&self, default: Duration) -> Duration {
        self.site
            .get("timeout")
            .and_then(toml::Value::as_str)
            .map_or(default, |text| duration(text).unwrap())
    }
}

/// What a server does with those who connect.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Script {
    /// The host of its URL: "127.0.0.1" (the default), "[::1]" or "localhost".
    #[serde(default)]
    pub(crate) host: Option<String>,
    /// The certificate it shows; without one it speaks in the clear.
    #[serde(default)]
    pub(crate) tls: Option<CertKind>,
    /// Whether it speaks HTTP/2 inside TLS. It reads as the protocol demands; what its
    /// script sends are frames, byte by byte, good ones and bad ones (RFC 9113, section 4).
    #[serde(default)]
    pub(crate) http2: bool,
    /// Whether, and how, it takes connections.
    #[serde(default)]
    pub(crate) listen: Listen,
    /// What it does at once, on the bare connection, without reading a request.
    #[serde(default)]
    pub(crate) on_connect: Option<Vec<Step>>,
    /// What it answers: keys are "GET /path", "* /path", "GET" or "*"; the most exact is
    /// taken. To a request with cookies, "GET /path name=value" alone is exact enough. A request that has no answer is recorded, and fails the test.
    #[serde(flatten)]
    pub(crate) answers: BTreeMap<String, Vec<Step>>,
}

impl Script {
    /// Whether it takes connections.
    pub(crate) fn accepts(&self) -> bool {
        self.listen == Listen::Accept
    }

    /// The steps that answer `method` and `path`.
    pub(crate) fn answer(&self, method: &str, path: &str) -> Option<&[Step]> {
        if path.contains(' ') {
            return self
                .answers
                .get(&format!("{method} {path}"))
                .map(Vec::as_slice);
        }
        [
            format!("{method} {path}"),
            format!("* {path}"),
            method.to_owned(),
            "*".to_owned(),
        ]
        .iter()
        .find_map(|key| self.answers.get(key))
        .map(Vec::as_slice)
    }
}

/// Whether, and how, a port takes connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Listen {
    /// It does.
    #[default]
    Accept,
    /// The port is held and nobody listens: the connection is refused.
    Refuse,
    /// Its queue is full and never emptied: connecting hangs.
    Blackhole,
}

/// One step of a server's answer.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "RawStep")]
pub(crate) enum Step {
    /// Bytes, `times` over (`None`: without end), with a pause before each repetition.
    Send {
        text: String,
        times: Option<u64>,
        every: Duration,
    },
    /// A gzip file of so many MiB that unpacks to 158 times as much.
    Bomb(usize),
    /// A pause.
    Wait(Duration),
    /// Nothing until so many requests are here at once.
    Gather(usize),
    /// Nothing until the test opens the gate.
    Gate,
    /// Nothing until the client goes away.
    Hang,
    /// The connection is torn down with a reset.
    Reset,
    /// The server says that it has no more to send, and goes on reading.
    HalfClose,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawStep {
    Text(String),
    Table(StepTable),
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct StepTable {
    send: Option<String>,
    times: Option<u64>,
    forever: bool,
    every: Option<String>,
    bomb: Option<usize>,
    wait: Option<String>,
    gather: Option<usize>,
    gate: bool,
    hang: bool,
    reset: bool,
    half_close: bool,
}

impl TryFrom<RawStep> for Step {
    type Error = String;

    fn try_from(raw: RawStep) -> Result<Self, String> {
        let table = match raw {
            RawStep::Text(text) => StepTable {
                send: Some(text),
                ..StepTable::default()
            },
            RawStep::Table(table) => table,
        };
        if let Some(text) = table.send {
            unescape(&text)?;
            let times = if table.forever {
                None
            } else {
                Some(table.times.unwrap_or(1))
            };
            let every = table
                .every
                .map_or(Ok(Duration::ZERO), |every| duration(&every))?;
            return Ok(Self::Send { text, times, every });
        }
        match table {
            StepTable {
                bomb: Some(mebibytes),
                ..
            } => Ok(Self::Bomb(mebibytes)),
            StepTable {
                wait: Some(wait), ..
            } => Ok(Self::Wait(duration(&wait)?)),
            StepTable {
                gather: Some(count),
                ..
            } => Ok(Self::Gather(count)),
            StepTable { gate: true, .. } => Ok(Self::Gate),
            StepTable { hang: true, .. } => Ok(Self::Hang),
            StepTable { reset: true, .. } => Ok(Self::Reset),
            StepTable {
                half_close: true, ..
            } => Ok(Self::HalfClose),
            _ => Err("a step that does nothing".to_owned()),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    scenario: Vec<Scenario>,
}

/// Where the scenario files are.
pub(crate) fn scenarios_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

/// Every scenario of every file, in the order of their names on disk.
pub(crate) fn all_scenarios() -> Vec<Scenario> {
    let mut files: Vec<_> = std::fs::read_dir(scenarios_dir())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    files.sort();
    files
        .iter()
        .flat_map(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            toml::from_str::<File>(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
                .scenario
        })
        .collect()
}

fn duration(text: &str) -> Result<Duration, String> {
    uptime_squirrel::domain::parse_duration(text).map_err(|error| format!("{text}: {error}"))
}
