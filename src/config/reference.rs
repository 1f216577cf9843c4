//! The reference of `sites.toml`: every key with its kind of value, its unit and range, its
//! default and its meaning. Defaults are read from the settings that they belong to, so that
//! none is written down twice.

use std::fmt::Write as _;

use crate::domain::{
    AddressWriting, KnownChannel, NotifySettings, PushSettings, QueueOptions, Retention, StatusSet,
    Tell, USER_AGENT,
};

use super::connection_table::{connection_keys, proxy_keys};
use super::key_reference::{KeyReference, TableReference, duration, key, phrase, plain, text};
use super::monitor_settings::MonitorSettings;
use super::notify_table::TWILIO_URL;
use super::owners_table::{ESCALATE_AFTER, TELL};
use super::secret::Secret;

const ANY: &str = "0 or more";
const FROM_MILLISECOND: &str = "1ms or more";
const FROM_SECOND: &str = "1s or more";
const STREAK: &str = "1 to 1000 checks";
const METHODS: &str = "`auto`, `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE` or `OPTIONS`";
const REQUIRED: &str = "required";
const OF_MONITOR: &str = "that of `[monitor]`";

/// Every table of `sites.toml` with all of its keys.
#[must_use]
pub fn reference(channels: &[KnownChannel]) -> Vec<TableReference> {
    vec![
        monitor(),
        TableReference {
            header: "[workers]",
            sources: &["src/paradigm/"],
            keys: vec![key(
                "PARADIGM",
                "number",
                "1 to 1000000 checks",
                phrase("by paradigm"),
                "the most checks in flight at once in this paradigm",
            )],
        },
        defaults(),
        sites(),
        json(),
        TableReference {
            header: "[[maintenance]]",
            sources: &["src/config/maintenance.rs"],
            keys: [
                window(),
                vec![
                    key(
                        "tags",
                        "list of texts",
                        "",
                        None,
                        "the sites with one of these tags; needed where `sites` is missing",
                    ),
                    key(
                        "sites",
                        "list of texts",
                        "",
                        None,
                        "the sites with these names; needed where `tags` is missing",
                    ),
                ],
            ]
            .concat(),
        },
        TableReference {
            header: "sites.maintenance",
            sources: &["src/config/maintenance.rs"],
            keys: window(),
        },
        owners(channels),
        notify(),
        email(),
        sms(),
        push(),
        webhook(),
        history(),
        queue(),
    ]
}

#[rustfmt::skip]
fn monitor() -> TableReference {
    let default = MonitorSettings::default();
    let canaries: Vec<_> = default.canaries.iter().map(|url| format!("\"{url}\"")).collect();
    TableReference {
        header: "[monitor]",
        sources: &["src/config/monitor_settings.rs", "src/domain/check_spec.rs"],
        keys: vec![
            key("interval", "duration", FROM_SECOND, duration(default.interval), "the time between two checks of a site"),
            key("timeout", "duration", FROM_MILLISECOND, duration(default.timeout), "the most time that one check may take, redirects included"),
            key("slow", "duration", FROM_MILLISECOND, duration(default.slow), "a check that takes longer makes the site degraded"),
            key("confirm", "number", STREAK, plain(default.confirm), "failures in a row that make a site down"),
            key("confirm_delay", "duration", ANY, duration(default.confirm_delay), "the time from a failure to the next check"),
            key("recover", "number", STREAK, plain(default.recover), "successes in a row that end an outage"),
            key("cert_warn", "duration", ANY, duration(default.cert_warn), "a certificate with less validity left makes the site degraded"),
            key("slow_after", "duration", ANY, duration(default.slow_after), "how long a site has to be slow before its owners are told, where their `tell` asks for it"),
            key("owners", "list of texts", "keys of `[owners]`", plain("[]"), "the owners of sites that name none, those of lists included; they are told as well when sites are not checked any more or cannot be seen"),
            key("paradigm", "text", "a paradigm's name", phrase("async"), "how checks are run at the start"),
            key("switch", "text", "`free`, `ask` or `off`", plain("\"free\""), "what a digit key does: switches the paradigm, asks first where that paradigm cannot check all sites at their intervals, or nothing"),
            key("workers", "number", "1 to 1000000 checks", phrase("by paradigm"), "the most checks in flight at once in the paradigm in use"),
            key("user_agent", "text", "printable ASCII", plain(USER_AGENT.replace(env!("CARGO_PKG_VERSION"), "VERSION")), "the User-Agent header of every request"),
            key("method", "text", METHODS, plain(format!("\"{}\"", default.method.word())), "how sites are asked: by HEAD, and by GET before a failure is believed (`auto`), or by one method alone; an assertion on the body makes `auto` and `HEAD` a GET, and what is neither GET nor HEAD is sent once"),
            key("max_redirects", "number", "0 to 100 redirects", plain(default.max_redirects), "redirects that are followed; one more is a failure"),
            key("headers", "table of texts", "or `{ env }`, `{ file }`", plain("{}"), "header fields of the requests; sent to the origin of a site alone"),
            key("bearer", "text", "or `{ env }`, `{ file }`", None, "a token, sent as `Authorization: Bearer`"),
            key("body", "text", "or `{ env }`, `{ file }`, at most 64 KiB", None, "the body of the requests whose `method` sends one"),
            key("basic_auth", "table", "`user` and `password`", None, "credentials beside the URL; each of the two a text, `{ env }` or `{ file }`"),
            key("ca_file", "path", "relative to `sites.toml`", None, "certificates in PEM that are trusted besides the system's roots, by mail and webhooks too; a server's own that stands there byte for byte is trusted as it is, its name and dates judged"),
            key("canaries", "list of URLs", "", plain(format!("[{}]", canaries.join(", "))), "requested before an outage, or many failures at once, are believed; `[]`: every failure is believed"),
            key("include", "list of patterns and tables", "relative to `sites.toml`", plain("[]"), "plain lists of sites, one URL a line; `{ file = \"lists/*.txt\", owners = [\"ops\"], tags = [\"shop\"] }` gives their sites owners and tags"),
        ],
    }.with(connection_keys(None))
}

#[rustfmt::skip]
fn sites() -> TableReference {
    let monitor = |name, kind, range, meaning| key(name, kind, range, phrase(OF_MONITOR), meaning);
    TableReference {
        header: "[[sites]]",
        sources: &["src/config/sites_table.rs"],
        keys: vec![
            key("url", "URL", "http, https, tcp, tls, dns or ping", phrase(REQUIRED), "what is checked, and how; a password in it is shown as `***`"),
            key("name", "text", "1 to 200 characters", phrase("host and path of `url`"), "the name on screens and in messages; unique"),
            key("owners", "list of texts", "keys of `[owners]`", phrase(OF_MONITOR), "who is told of its outages; `[]`: nobody"),
            key("tags", "list of texts", "", plain("[]"), "labels for filters, reports and `[[maintenance]]`"),
            key("parent", "text", "a site's name", None, "while that site is down, no owner is told of this one"),
            key("paused", "flag", "", plain(false), "`true`: not checked until it is resumed; the key `p` writes this"),
            key("expect_status", "text", "such as `200-299,301`", StatusSet::default().to_string(), "the status codes that count as up; a redirect that is named is not followed"),
            key("contains", "text or list of texts", "", None, "what the body must hold, all of it; an assertion on the body makes the check a GET"),
            key("body", "text", "at most 64 KiB, or `{ env }`, `{ file }`", None, "the body of the request; needs a `method` such as `POST`"),
            key("headers", "table of texts", "or `{ env }`, `{ file }`", phrase(OF_MONITOR), "header fields of the requests; sent to the origin of the site alone"),
            key("bearer", "text", "or `{ env }`, `{ file }`", phrase(OF_MONITOR), "a token, sent as `Authorization: Bearer`"),
            key("basic_auth", "table", "see below", phrase(OF_MONITOR), "credentials beside the URL"),
            key("basic_auth.user", "text", "or `{ env }`, `{ file }`", phrase(REQUIRED), "the user, without a colon"),
            key("basic_auth.password", "text", "or `{ env }`, `{ file }`", phrase(REQUIRED), "the password"),
            key("contains_not", "text or list of texts", "", None, "what the body must not hold"),
            key("matches", "text or list of texts", "regular expressions", None, "what the body must match, each somewhere"),
            key("json", "list of tables", "see `sites.json`", plain("[]"), "what must stand in a body of JSON"),
            key("header", "table of texts", "by name of the field", plain("{}"), "what the answer's header fields must begin with"),
            key("max_body", "size", "1B to 8MiB", phrase("1MiB where `matches` or `json` read it, else 8MiB"), "the most that the body may have, uncompressed; without this key more is not read"),
            key("send", "text", "at most 64 KiB, or `{ env }`, `{ file }`", None, "tcp: what is sent on the connection"),
            key("expect", "text or list of texts", "", None, "tcp: what the answer must hold, all of it; dns: one of the records, or a list that is exactly all of them"),
            key("starttls", "text", "`smtp`, `imap`, `pop3`, `postgres`, `xmpp` or `ldap`", None, "tls: the protocol in which the server is asked to begin TLS"),
            key("maintenance", "list of tables", "see `sites.maintenance`", plain("[]"), "windows in which its outages are expected"),
            monitor("interval", "duration", FROM_SECOND, "the time between two checks"),
            monitor("timeout", "duration", FROM_MILLISECOND, "the most time that one check may take, redirects included"),
            monitor("slow", "duration", FROM_MILLISECOND, "a check that takes longer makes the site degraded"),
            monitor("confirm", "number", STREAK, "failures in a row that make the site down"),
            monitor("confirm_delay", "duration", ANY, "the time from a failure to the next check"),
            monitor("recover", "number", STREAK, "successes in a row that end an outage"),
            monitor("cert_warn", "duration", ANY, "a certificate with less validity left makes the site degraded"),
            monitor("slow_after", "duration", ANY, "how long it has to be slow before its owners are told"),
            monitor("user_agent", "text", "printable ASCII", "the User-Agent header"),
            monitor("method", "text", METHODS, "how it is asked"),
            monitor("max_redirects", "number", "0 to 100 redirects", "redirects that are followed; one more is a failure"),
        ],
    }.with(connection_keys(Some(&phrase(OF_MONITOR)))).with(proxy_keys())
}

#[rustfmt::skip]
fn defaults() -> TableReference {
    let monitor = |name, kind, range, meaning| key(name, kind, range, phrase(OF_MONITOR), meaning);
    TableReference {
        header: "[[defaults]]",
        sources: &["src/config/settings_layer.rs", "src/config/request_table.rs"],
        keys: vec![
            key("tags", "list of texts", "", phrase(REQUIRED), "the sites with one of these tags, those of lists included; a later table comes over an earlier one, and a site's own key over all"),
            monitor("interval", "duration", FROM_SECOND, "the time between two checks"),
            monitor("timeout", "duration", FROM_MILLISECOND, "the most time that one check may take, redirects included"),
            monitor("slow", "duration", FROM_MILLISECOND, "a check that takes longer makes the site degraded"),
            monitor("confirm", "number", STREAK, "failures in a row that make a site down"),
            monitor("confirm_delay", "duration", ANY, "the time from a failure to the next check"),
            monitor("recover", "number", STREAK, "successes in a row that end an outage"),
            monitor("cert_warn", "duration", ANY, "a certificate with less validity left makes the site degraded"),
            monitor("slow_after", "duration", ANY, "how long a site has to be slow before its owners are told"),
            monitor("owners", "list of texts", "keys of `[owners]`", "who is told of their outages"),
            monitor("user_agent", "text", "printable ASCII", "the User-Agent header"),
            monitor("method", "text", METHODS, "how they are asked"),
            monitor("max_redirects", "number", "0 to 100 redirects", "redirects that are followed; one more is a failure"),
            monitor("headers", "table of texts", "or `{ env }`, `{ file }`", "header fields of the requests"),
            monitor("bearer", "text", "or `{ env }`, `{ file }`", "a token, sent as `Authorization: Bearer`"),
            monitor("body", "text", "or `{ env }`, `{ file }`, at most 64 KiB", "the body of the requests whose `method` sends one"),
            monitor("basic_auth", "table", "`user` and `password`", "credentials beside the URL"),
        ],
    }.with(connection_keys(Some(&phrase(OF_MONITOR))))
}

#[rustfmt::skip]
fn json() -> TableReference {
    let scalar = "text, number or flag";
    TableReference {
        header: "sites.json",
        sources: &["src/config/assertions_table.rs"],
        keys: vec![
            key("path", "text", "a JSON path (RFC 9535)", phrase(REQUIRED), "where to look; all that it finds is judged, and it must find something"),
            key("equals", scalar, "", None, "what it must be, type and value"),
            key("not", scalar, "", None, "what it must not be"),
            key("above", "number", "", None, "what it must be greater than"),
            key("below", "number", "", None, "what it must be less than"),
            key("exists", "flag", "", plain(true), "`false`: the path must find nothing"),
        ],
    }
}

#[rustfmt::skip]
fn window() -> Vec<KeyReference> {
    vec![
        key("cron", "text", "minute, hour, day, month, weekday", None, "when the window opens, again and again, as in a crontab; either this or `at`"),
        key("at", "text", "date and time, such as `2026-12-24 22:00`", None, "when the window opens, once; either this or `cron`"),
        key("lasts", "duration", "1m to 366d", phrase(REQUIRED), "how long the window stays open"),
        key("zone", "text", "such as `Europe/Berlin`", phrase("the machine's own"), "the time zone of `cron` and `at`"),
    ]
}

/// The keys of the channels: the key of each, and its fields where it holds a table.
fn addresses(channels: &[KnownChannel]) -> Vec<KeyReference> {
    let mut keys = Vec::new();
    for KnownChannel { name, form } in channels {
        let Some(first) = form.fields.first() else {
            continue;
        };
        let (kind, range) = match form.writing {
            AddressWriting::Value => (first.kind.word(), first.range),
            AddressWriting::Table => ("table", ""),
            AddressWriting::ValueOrTable => (first.kind.word(), "or a table"),
        };
        keys.push(key(name, kind, range, None, form.meaning));
        if form.writing == AddressWriting::Value {
            continue;
        }
        for field in form.fields {
            let default = match (field.required, field.default) {
                (true, _) => Some(phrase(REQUIRED)),
                (false, "") => None,
                (false, default) => Some(phrase(default)),
            };
            let path = format!("{name}.{}", field.key);
            keys.push(KeyReference {
                key: path.into(),
                kind: field.kind.word(),
                range: field.range,
                default,
                meaning: field.meaning,
            });
        }
    }
    keys
}

#[rustfmt::skip]
fn owners(channels: &[KnownChannel]) -> TableReference {
    let mut default = Tell::default();
    let told = TELL.iter().filter(|(_, flag)| *flag(&mut default));
    let told: Vec<String> = told.map(|(name, _)| format!("\"{name}\"")).collect();
    TableReference {
        header: "[owners.NAME]",
        sources: &["src/config/owners_table.rs"],
        keys: [addresses(channels), vec![
            key("tell", "list of texts", "of `down`, `certificate` and `slow`", plain(format!("[{}]", told.join(", "))), "the kinds of events of sites that this owner is told of"),
            key("quiet", "text", "such as `22:00-07:00`", None, "hours in which messages wait"),
            key("only", "text or list of texts", "such as `mon-fri 08:00-18:00`", None, "days and hours in which messages are sent; outside of them they wait"),
            key("zone", "text", "such as `Europe/Berlin`", phrase("the machine's own"), "the time zone of `quiet` and `only`"),
            key("rotation", "table", "see below", None, "owners who take turns: whoever is on call is told beside this owner's own channels"),
            key("rotation.owners", "list of texts", "other owners' names", phrase(REQUIRED), "in the order of their turns"),
            key("rotation.every", "text", "`day` or `week`", phrase("a week"), "the length of a turn"),
            key("rotation.starts", "text", "date and time, such as `2026-11-30 09:00`", phrase(REQUIRED), "when the first turn begins; the hour is that of every handover"),
            key("rotation.zone", "text", "such as `Europe/Berlin`", phrase("the machine's own"), "the time zone of the handover"),
            key("escalate", "text", "another owner's name", None, "the owner who is told of an outage that this one does not acknowledge"),
            key("escalate_after", "duration", FROM_MILLISECOND, duration(ESCALATE_AFTER), "the time before that owner is told"),
        ]].concat(),
    }
}

#[rustfmt::skip]
fn notify() -> TableReference {
    let default = NotifySettings::<Secret>::default();
    TableReference {
        header: "[notify]",
        sources: &["src/domain/notify_settings.rs"],
        keys: vec![
            key("digest", "duration", ANY, duration(default.digest), "outages that begin or end within this time share one message; `\"0s\"`: each has its own"),
            key("remind", "duration", FROM_SECOND, default.remind.map(duration), "the time between reminders of an unacknowledged outage"),
        ],
    }
}

#[rustfmt::skip]
fn email() -> TableReference {
    TableReference {
        header: "[notify.email]",
        sources: &["src/config/notify_table.rs"],
        keys: vec![
            key("smtp", "URL", "`smtps://` (TLS, port 465) or `smtp://` (STARTTLS, port 587)", phrase(REQUIRED), "the mail server, and the user to log in as"),
            key("from", "text", "an e-mail address", phrase(REQUIRED), "the address of the sender"),
            key("password", "secret", "", None, "the password of the user in `smtp`; needed where that names one"),
            key("allow_unencrypted", "flag", "", plain(false), "`true`: mail may be sent unencrypted where the server offers no STARTTLS"),
        ],
    }
}

#[rustfmt::skip]
fn sms() -> TableReference {
    TableReference {
        header: "[notify.sms]",
        sources: &["src/config/notify_table.rs"],
        keys: vec![
            key("account", "text", "", phrase(REQUIRED), "the account SID of Twilio"),
            key("token", "secret", "", phrase(REQUIRED), "the auth token of the account"),
            key("from", "text", "", phrase(REQUIRED), "the sender: a telephone number or a sender ID"),
            key("url", "URL", "http or https", text(TWILIO_URL), "the base URL, for a gateway with Twilio's interface"),
        ],
    }
}

#[rustfmt::skip]
fn push() -> TableReference {
    TableReference {
        header: "[notify.push]",
        sources: &["src/domain/notify_settings.rs"],
        keys: vec![
            key("url", "URL", "http or https", text(PushSettings::<Secret>::default().url.shown()), "the base URL of the ntfy server"),
            key("token", "secret", "", None, "the access token of the ntfy server"),
        ],
    }
}

#[rustfmt::skip]
fn webhook() -> TableReference {
    TableReference {
        header: "[notify.webhook]",
        sources: &["src/config/notify_table.rs"],
        keys: vec![
            key("secret", "secret", "", None, "the key that bodies are signed with (HMAC-SHA256)"),
        ],
    }
}

#[rustfmt::skip]
fn history() -> TableReference {
    let default = Retention::default();
    TableReference {
        header: "[history]",
        sources: &["src/domain/retention.rs"],
        keys: vec![
            key("raw", "duration", FROM_MILLISECOND, duration(default.raw), "how long every single result is kept"),
            key("rollup", "duration", FROM_MILLISECOND, duration(default.rollup), "how long summaries, outages and messages are kept"),
        ],
    }
}

#[rustfmt::skip]
fn queue() -> TableReference {
    let default = QueueOptions::default();
    TableReference {
        header: "[queue]",
        sources: &["src/domain/queue_options.rs"],
        keys: vec![
            key("broker", "URL", "`redis://`, `rediss://`, `redis+socket://` or `sentinel://`; several with `;`", phrase("a broker of its own"), "the Redis server between the monitor and Celery workers"),
            key("name", "text", "1 to 100 of A-Z a-z 0-9 . _ : -", text(&default.name), "the Redis list that holds waiting checks"),
            key("expires", "duration", FROM_MILLISECOND, duration(default.expires), "a check that no worker took within this time is discarded and sent again"),
            key("visibility_timeout", "duration", FROM_MILLISECOND, format!("twice the longest `timeout`, at least {}", duration(QueueOptions::MIN_VISIBILITY_TIMEOUT)), "a worker that is silent about a check for this long has lost it: another takes it"),
            key("result_expires", "duration", FROM_MILLISECOND, duration(default.result_expires), "how long workers keep results in Redis"),
            key("key", "text", "or `{ env }`, `{ file }`", None, "seals the secrets of checks (`headers`, `bearer`, `basic_auth`, `body`) on their way to this program's own workers, which have it in `SQUIRREL_QUEUE_KEY`; without it checks with secrets are not sent"),
        ],
    }
}

/// The reference as Markdown: a heading of level 3 and a table of keys for each table of
/// `sites.toml`. Ends with a newline.
#[must_use]
pub fn reference_markdown(channels: &[KnownChannel]) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    for table in reference(channels) {
        let separator = if out.is_empty() { "" } else { "\n" };
        let _ = writeln!(
            out,
            "{separator}### `{}`\n\n| key | value | default | meaning |\n|---|---|---|---|",
            table.header
        );
        for key in &table.keys {
            let default = key.default.as_deref().unwrap_or("-");
            let comma = if key.range.is_empty() { "" } else { ", " };
            let _ = writeln!(
                out,
                "| `{}` | {}{comma}{} | {default} | {} |",
                key.key, key.kind, key.range, key.meaning
            );
        }
        let _ = writeln!(out, "\nDefaults: `{}`.", table.sources.join("`, `"));
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use super::super::known_names::KnownNames;
    use super::super::load::parse;
    use super::super::table_reader::ACCEPTED_KEYS;
    use super::*;
    use crate::notify::KNOWN_CHANNELS;

    /// Every table once, so that each is read. What is missing in them does not matter.
    const EVERY_TABLE: &str = "[monitor]\n[workers]\n[owners.NAME]\nrotation = {}\n\
        [notify.email]\npassword = { env = \"X\" }\n[notify.sms]\n[notify.push]\n\
        [notify.webhook]\n[history]\n[queue]\n[[maintenance]]\n[[defaults]]\n[[sites]]\nmaintenance = [{}]\njson = [{}]\n\
        basic_auth = {}\nproxy = {}\n";

    /// The path of a table in the file: `owners.NAME` for `[owners.NAME]`.
    fn path(header: &str) -> &str {
        header.trim_matches(['[', ']'])
    }

    #[test]
    fn every_key_that_is_accepted_is_described_and_no_other() {
        ACCEPTED_KEYS.take();
        let known = KnownNames {
            paradigms: &["async"],
            channels: &KNOWN_CHANNELS,
        };
        let tables = KNOWN_CHANNELS
            .iter()
            .filter(|channel| channel.form.writing != AddressWriting::Value)
            .map(|channel| format!("[owners.NAME.{}]\n", channel.name));
        let tables: String = tables.collect();
        let every_table = format!("{EVERY_TABLE}{tables}");
        assert!(parse(&every_table, Path::new("sites.toml"), &known).is_err());
        let mut accepted: BTreeMap<String, BTreeSet<&str>> = ACCEPTED_KEYS
            .take()
            .into_iter()
            .map(|(path, keys)| (path.replace("[0]", ""), keys))
            .collect();
        // The keys of [workers] are names of paradigms and those of a secret are the same
        // everywhere.
        accepted.insert("workers".to_owned(), BTreeSet::from(["PARADIGM"]));
        let secret = accepted.remove("notify.email.password").unwrap();
        assert_eq!(secret, BTreeSet::from(["env", "file"]));

        let mut described: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut tables = BTreeSet::new();
        for table in reference(&KNOWN_CHANNELS) {
            let path = path(table.header);
            tables.extend(path.split('.').next().map(str::to_owned));
            // A table within a table is a key of the outer one.
            if let Some((outer, key)) = path.rsplit_once('.')
                && outer == "notify"
            {
                let key = ["email", "sms", "push", "webhook"]
                    .into_iter()
                    .find(|known| *known == key);
                described
                    .entry(outer.to_owned())
                    .or_default()
                    .extend(key.map(str::to_owned));
            }
            for key in table.keys {
                let KeyReference { key, .. } = key;
                // A key of a table in the table.
                let (path, key) = match key.rsplit_once('.') {
                    Some((inner, key)) => (format!("{path}.{inner}"), key.to_owned()),
                    None => (path.to_owned(), key.to_string()),
                };
                let keys = described.entry(path.clone()).or_default();
                assert!(keys.insert(key.clone()), "{path}.{key} stands there twice");
            }
        }
        described.insert(String::new(), tables);
        let accepted: BTreeMap<String, BTreeSet<String>> = accepted
            .into_iter()
            .map(|(path, keys)| (path, keys.into_iter().map(str::to_owned).collect()))
            .collect();
        assert_eq!(accepted, described);
    }

    /// The defaults of the reference, written into a file, change nothing.
    #[test]
    fn the_defaults_that_are_described_are_those_that_are_used() {
        let mut file = String::new();
        for table in reference(&KNOWN_CHANNELS) {
            if !["[monitor]", "[history]", "[notify]"].contains(&table.header) {
                continue;
            }
            file += &format!("{}\n", table.header);
            for key in table.keys {
                let value = key
                    .default
                    .as_deref()
                    .and_then(|text| text.strip_prefix('`')?.strip_suffix('`'));
                if let Some(value) = value.filter(|value| !value.contains("VERSION")) {
                    file += &format!("{} = {value}\n", key.key);
                }
            }
        }
        let known = KnownNames {
            paradigms: &["async"],
            channels: &KNOWN_CHANNELS,
        };
        let config = parse(&file, Path::new("sites.toml"), &known).unwrap();
        assert_eq!(config.monitor, MonitorSettings::default());
        assert_eq!(config.history, Retention::default());
        assert_eq!(config.notify, NotifySettings::<Secret>::default());
    }

    #[test]
    fn the_reference_is_a_table_of_markdown() {
        let markdown = reference_markdown(&KNOWN_CHANNELS);
        assert!(markdown.starts_with("### `[monitor]`\n\n| key | value | default |"));
        assert!(markdown.contains(
            "\n| `raw` | duration, 1ms or more | `\"7d\"` | how long every single result is kept |\n"
        ));
        assert!(markdown.contains("\nDefaults: `src/domain/retention.rs`.\n"));
        for line in markdown.lines().filter(|line| line.starts_with('|')) {
            assert_eq!(line.matches('|').count(), 5, "{line}");
        }
        for table in reference(&KNOWN_CHANNELS) {
            for source in table.sources {
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
                assert!(path.exists(), "{source}");
            }
        }
    }
}
