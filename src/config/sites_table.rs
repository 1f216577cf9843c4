//! `[[sites]]`: one site a table, with what it does not say taken from `[monitor]`.

use std::collections::HashSet;
use std::sync::Arc;

use crate::domain::{
    CheckKind, CheckOptions, CheckSpec, ConnectionOptions, MaintenanceWindow, MaskedUrl,
    MethodChoice, Site,
};

use super::assertions_table::read_assertions;
use super::connection_table::read_connection;
use super::kind_values;
use super::maintenance::read_window;
use super::monitor_settings::MonitorSettings;
use super::notify_table::SecretReader;
use super::owners_table::read_owner_names;
use super::request_table::{authorizes, read_body, read_expected, read_request, read_send};
use super::site_defaults::SiteDefaults;
use super::table_reader::TableReader;
use super::value_parsers;

/// A site of `[[sites]]` that was read and found good, as far as it can be alone.
#[derive(Debug)]
pub(super) struct SiteDraft {
    pub(super) site: Site,
    /// Whether the file gives its name.
    pub(super) named: bool,
    pub(super) maintenance: Vec<MaintenanceWindow>,
    /// Its place among `[[sites]]`.
    pub(super) index: usize,
    /// Where its name, its URL and its parent stand in the file.
    pub(super) name_at: usize,
    pub(super) url_at: usize,
    pub(super) parent_at: usize,
}

/// A site of `[[sites]]` that something is wrong with, of which at least the name was read: it
/// exists, so it may be a parent, and its name is taken.
#[derive(Debug)]
pub(super) struct InvalidSite {
    pub(super) name: Box<str>,
    /// Its place among `[[sites]]`.
    pub(super) index: usize,
    /// Where its name stands in the file.
    pub(super) name_at: usize,
}

/// What `[[sites]]` says, both lists in the order of the file.
#[derive(Debug, Default)]
pub(super) struct SiteDrafts {
    pub(super) good: Vec<SiteDraft>,
    pub(super) lost: Vec<InvalidSite>,
    /// The tags of all of them.
    pub(super) tags: HashSet<Box<str>>,
}

/// The options of sites, equal ones once.
#[derive(Debug, Default)]
struct SharedOptions(HashSet<Arc<CheckOptions>>);

impl SharedOptions {
    /// The shared form of these options; `None` where they say nothing.
    fn share(&mut self, options: CheckOptions) -> Option<Arc<CheckOptions>> {
        if options == *CheckOptions::NONE {
            return None;
        }
        if let Some(known) = self.0.get(&options) {
            return Some(Arc::clone(known));
        }
        let options = Arc::new(options);
        self.0.insert(Arc::clone(&options));
        Some(options)
    }
}

/// A site of which nothing is known but its URL.
pub(super) fn plain_site(name: Box<str>, url: MaskedUrl, monitor: &MonitorSettings) -> Site {
    Site {
        name,
        spec: Arc::new(plain_spec(url, monitor)),
        interval: monitor.interval,
        confirm: monitor.confirm,
        recover: monitor.recover,
        confirm_delay: monitor.confirm_delay,
        slow_after: monitor.slow_after,
        owners: Arc::clone(&monitor.owners),
        tags: Vec::new(),
        parent: None,
        paused: false,
    }
}

fn plain_spec(url: MaskedUrl, monitor: &MonitorSettings) -> CheckSpec {
    CheckSpec {
        timeout: monitor.timeout,
        slow: monitor.slow,
        cert_warn: monitor.cert_warn,
        user_agent: Arc::clone(&monitor.user_agent),
        method: monitor.method,
        max_redirects: monitor.max_redirects,
        options: inherited_options(CheckKind::of(&url), monitor),
        ..CheckSpec::new(url)
    }
}

/// Every table of `[[sites]]`.
pub(super) fn read_sites(
    file: &mut TableReader<'_>,
    defaults: &SiteDefaults,
    owners: &HashSet<&str>,
    secrets: SecretReader<'_>,
) -> SiteDrafts {
    let mut drafts = SiteDrafts::default();
    let mut options = SharedOptions::default();
    file.tables("sites", |index, mut table| {
        let name = table.text("name", value_parsers::label);
        let tags = table.texts("tags", value_parsers::label);
        let tags: Vec<Box<str>> = tags.into_iter().map(|tag| tag.value).collect();
        drafts.tags.extend(tags.iter().cloned());
        let monitor = defaults.for_tags(&tags);
        match read_site(
            &mut table,
            index,
            (name.clone(), tags),
            &monitor,
            (owners, secrets),
            &mut options,
        ) {
            Some(draft) => drafts.good.push(draft),
            None => drafts.lost.extend(name.map(|name| InvalidSite {
                name,
                index,
                name_at: table.offset("name"),
            })),
        }
        table.finish();
    });
    drafts
}

/// The options of a site that has none of its own: what concerns its kind of those of `[monitor]`
/// and `[[defaults]]`.
fn inherited_options(kind: CheckKind, monitor: &MonitorSettings) -> Option<Arc<CheckOptions>> {
    let options = monitor.options.as_ref()?;
    let all = &options.connection;
    let connection = match kind {
        CheckKind::Http => return Some(Arc::clone(options)),
        CheckKind::Tcp | CheckKind::Tls => all.clone(),
        CheckKind::Dns | CheckKind::Ping => ConnectionOptions {
            resolver: all.resolver,
            family: all.family,
            ..ConnectionOptions::default()
        },
    };
    let options = CheckOptions {
        connection,
        ..CheckOptions::default()
    };
    (options != *CheckOptions::NONE).then(|| Arc::new(options))
}

/// Names the keys that other kinds of check have, and this one has not.
fn refuse_keys_of_others(table: &mut TableReader<'_>, kind: CheckKind) {
    for other in CheckKind::ALL {
        for key in other.keys() {
            if table.has(key) && !kind.keys().contains(key) {
                let (kind, other) = (kind.word(), other.word());
                table.refuse(
                    key,
                    &format!("a {kind} check has no `{key}`: it is a key of the kind {other}"),
                );
            }
        }
    }
}

fn read_site(
    table: &mut TableReader<'_>,
    index: usize,
    (name, tags): (Option<Box<str>>, Vec<Box<str>>),
    monitor: &MonitorSettings,
    (owners, secrets): (&HashSet<&str>, SecretReader<'_>),
    options: &mut SharedOptions,
) -> Option<SiteDraft> {
    let named = name.is_some();
    let url = table.text("url", kind_values::site_url);
    table.require("url");
    // Every key is read even where the URL is wrong, so that all mistakes are named.
    let mut spec = plain_spec(url.clone().unwrap_or_else(|| MaskedUrl::new("")), monitor);
    if let Some(timeout) = table.text("timeout", value_parsers::positive_duration) {
        spec.timeout = timeout;
    }
    if let Some(slow) = table.text("slow", value_parsers::positive_duration) {
        spec.slow = slow;
    }
    if let Some(cert_warn) = table.text("cert_warn", value_parsers::duration) {
        spec.cert_warn = cert_warn;
    }
    if let Some(expect_status) = table.text("expect_status", value_parsers::statuses) {
        spec.expect_status = expect_status;
    }
    let (contains, assertions) = read_assertions(table);
    spec.contains = contains;
    let kind = spec.kind();
    refuse_keys_of_others(table, kind);
    let request = read_request(table, secrets);
    let in_url = spec
        .url
        .parsed()
        .is_some_and(|url| !url.username().is_empty() || url.password().is_some());
    if in_url && request.authorization.is_some() {
        table.refuse(
            "url",
            &"it has credentials, and so have `bearer` or `basic_auth`",
        );
    }
    let inherited = inherited_options(kind, monitor);
    let mut own = CheckOptions {
        assertions,
        body: read_body(table, secrets),
        send: read_send(table, secrets),
        expect: read_expected(table),
        starttls: table.text("starttls", kind_values::starttls),
        ..inherited.as_deref().unwrap_or(CheckOptions::NONE).clone()
    };
    if in_url {
        // The site's own word on it.
        own.authorization = None;
        own.headers.retain(|header| !authorizes(header));
    }
    if own.body.is_none() {
        // It is sent by methods that send one, and by no other.
        own.body.clone_from(&monitor.options().body);
    }
    request.apply(&mut own);
    read_connection(table, secrets).apply_to(&mut own.connection);
    check_family(table, &own, &spec.url);
    spec.options = options.share(own);
    if let Some(most) = table.number("max_redirects", 0..=100) {
        spec.max_redirects = u16::try_from(most).unwrap_or(monitor.max_redirects);
    }
    if let Some(method) = table.text("method", value_parsers::method) {
        spec.method = method;
        if method == MethodChoice::Head && spec.reads_the_body() {
            table.refuse("method", &"an answer to HEAD has no body to be judged");
        }
    }
    if table.has("body") && spec.options().body.is_some() && spec.method.once().is_none() {
        let sentence = "a body needs a method that sends one, as in method = \"POST\"";
        table.refuse("body", &sentence);
    }
    if let Some(user_agent) = table.text("user_agent", value_parsers::header_value) {
        spec.user_agent = user_agent;
    }
    let site = Site {
        name: name.unwrap_or_else(|| spec.url.host_and_path().into()),
        spec: Arc::new(spec),
        interval: table
            .text("interval", value_parsers::interval)
            .unwrap_or(monitor.interval),
        confirm: table
            .number("confirm", 1..=1_000)
            .unwrap_or(monitor.confirm),
        recover: table
            .number("recover", 1..=1_000)
            .unwrap_or(monitor.recover),
        confirm_delay: table
            .text("confirm_delay", value_parsers::duration)
            .unwrap_or(monitor.confirm_delay),
        slow_after: table
            .text("slow_after", value_parsers::duration)
            .unwrap_or(monitor.slow_after),
        owners: read_owner_names(table, owners).unwrap_or_else(|| Arc::clone(&monitor.owners)),
        tags,
        parent: table.text("parent", value_parsers::label),
        paused: table.flag("paused").unwrap_or(false),
    };
    let mut maintenance = Vec::new();
    table.tables("maintenance", |_, window| {
        maintenance.extend(read_window(window));
    });
    url?;
    Some(SiteDraft {
        site,
        named,
        maintenance,
        index,
        name_at: table.offset("name"),
        url_at: table.offset("url"),
        parent_at: table.offset("parent"),
    })
}

/// Refuses a family that neither the host of the URL nor `connect_to` can be of.
fn check_family(table: &mut TableReader<'_>, options: &CheckOptions, url: &MaskedUrl) {
    let connection = &options.connection;
    let address = connection.connect_to.map(|to| to.address);
    let Some(address) = address.or_else(|| url.literal()) else {
        return;
    };
    let keys = ["family", "connect_to", "url"];
    if !connection.family().holds(address) {
        let key = keys.into_iter().find(|key| table.has(key)).unwrap_or("url");
        table.refuse(key, &format!("{address} is of the other family"));
    }
}
