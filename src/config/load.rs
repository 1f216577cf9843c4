//! From text to a [`Config`], or to all of its mistakes.

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::Path;

use toml::de::DeTable;

use crate::domain::clean;

use super::configuration::Config;
use super::diagnostic_sink::{DiagnosticSink, Language};
use super::diagnostics::{Diagnostic, Diagnostics, shown_path};
use super::files::{self, NamedFiles, SourceFile};
use super::history_table::read_history;
use super::include_table::IncludedLists;
use super::key_path::KeyPath;
use super::kind_values;
use super::known_names::KnownNames;
use super::list_files::{find_lists, read_list, warn_of_list};
use super::maintenance::read_shared_window;
use super::monitor_table::{read_monitor, read_workers};
use super::named_sites::{KnownSites, ParentPlace, WindowNames};
use super::notify_table::{SecretReader, read_notify};
use super::owners_table::{OwnerChannels, read_owners};
use super::queue_table::{read_queue, warn_of_secrets};
use super::secret::SecretUse;
use super::site_defaults::SiteDefaults;
use super::site_registry::{SiteRegistry, taken};
use super::sites_table::{InvalidSite, SiteDraft, SiteDrafts, plain_site, read_sites};
use super::table_reader::TableReader;
use super::table_values::Element;
use super::value_parsers::quoted;

/// Reads a configuration and the lists it includes.
///
/// # Errors
/// Every mistake of the files, the first twenty by name; a file that cannot be read is one.
pub fn load(
    path: &Path,
    known: &KnownNames<'_>,
    secrets: SecretUse,
) -> Result<Config, Diagnostics> {
    let files::LoadedFile { text, source } = files::read(path)?;
    assemble(read_main(&text, path, known, secrets), &text, path, source)
}

/// As [`load`], for a text in memory, whose secrets are not read; `path` is its name in messages, and its included lists
/// are relative to the folder of `path`.
///
/// # Errors
/// As [`load`].
pub fn parse(text: &str, path: &Path, known: &KnownNames<'_>) -> Result<Config, Diagnostics> {
    let source = SourceFile::of_text(path, text);
    let text = text.strip_prefix(files::BYTE_ORDER_MARK).unwrap_or(text);
    let main = read_main(text, path, known, SecretUse::Unused);
    assemble(main, text, path, source)
}

/// A configuration of the sites of a command line, each URL once; everything else as `base`
/// has it, and by default without one.
///
/// # Errors
/// Every argument that is no http(s) URL.
pub fn from_urls(urls: &[String], base: Option<&Config>) -> Result<Config, Diagnostics> {
    let mut config = base.map_or_else(Config::default, |base| Config {
        path: None,
        monitor: base.monitor.clone(),
        workers: base.workers.clone(),
        owners: base.owners.clone(),
        addresses: base.addresses.clone(),
        notify: base.notify.clone(),
        history: base.history,
        queue: base.queue.clone(),
        named_broker: base.named_broker.clone(),
        ..Config::default()
    });
    let mut registry = SiteRegistry::default();
    let mut wrong = Vec::new();
    for (index, text) in urls.iter().enumerate() {
        match kind_values::site_url(text) {
            Ok(url) if registry.has_url(url.expose()) => {}
            Ok(url) => {
                let name = url.host_and_path().into();
                registry.add_unnamed(plain_site(name, url, &config.monitor));
            }
            Err(fault) => wrong.push(Diagnostic {
                file: "command line".into(),
                place: None,
                key: format!("URL {}", index + 1).into_boxed_str(),
                sentence: fault.about(text).into_boxed_str(),
                excerpt: None,
            }),
        }
    }
    if wrong.is_empty() {
        config.sites = registry.into_sites();
        return Ok(config);
    }
    let count = wrong.len();
    wrong.truncate(super::diagnostics::MOST_NAMED);
    Err(Diagnostics::new(wrong, count))
}

/// The content of `sites.toml` itself, its included lists not yet read.
pub(super) struct MainFile {
    /// Everything but the sites.
    pub(super) config: Config,
    pub(super) drafts: SiteDrafts,
    pub(super) sink: DiagnosticSink,
    /// The elements of `include`.
    pub(super) include: Vec<Element<IncludedLists>>,
    /// `[[defaults]]`, which concern sites of lists as well.
    defaults: SiteDefaults,
    window_names: Vec<WindowNames>,
    /// Where `[queue]` stands.
    queue_at: usize,
}

/// The folder that names in the file are relative to.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or_else(|| Path::new(""))
}

/// Reads the text of the file itself.
pub(super) fn read_main(
    text: &str,
    path: &Path,
    known: &KnownNames<'_>,
    used: SecretUse,
) -> MainFile {
    let mut sink = DiagnosticSink::new(Language::Toml);
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let offset = error.span().map_or(text.len(), |span| span.start);
        sink.syntax(
            text,
            offset,
            &syntax_sentence(error.message(), text, offset),
        );
    }
    let sources = RefCell::default();
    let files = NamedFiles {
        folder: folder_of(path),
        sources: &sources,
    };
    let secrets = SecretReader { files, used };
    let mut config = Config {
        path: Some(path.to_owned()),
        ..Config::default()
    };
    let mut file = TableReader::new(document.get_ref(), 0..text.len(), KeyPath::Root, &mut sink);
    let mut include = Vec::new();
    let channels = OwnerChannels {
        known: known.channels,
        configured: &channels_of(document.get_ref()),
        secrets,
    };
    (config.owners, config.addresses) = file
        .table("owners", |table| read_owners(table, channels))
        .unwrap_or_default();
    let owner_names: HashSet<&str> = config.owners.iter().map(|owner| &*owner.name).collect();
    if let Some((monitor, globs)) = file.table("monitor", |table| {
        read_monitor(table, secrets.of_requests(), known, &owner_names)
    }) {
        config.monitor = monitor;
        include = globs;
    }
    config.workers = file
        .table("workers", |table| read_workers(table, known))
        .unwrap_or_default();
    config.notify = file
        .table("notify", |table| read_notify(table, secrets))
        .unwrap_or_default();
    config.history = file.table("history", read_history).unwrap_or_default();
    config.queue = file
        .table("queue", |table| read_queue(table, secrets.of_requests()))
        .unwrap_or_default();
    let mut window_names = Vec::new();
    file.tables("maintenance", |index, table| {
        let (window, names) = read_shared_window(index, table);
        config.maintenance.shared.extend(window);
        window_names.push(names);
    });
    let requests = secrets.of_requests();
    let defaults = SiteDefaults::read(&mut file, &config.monitor, &owner_names, requests);
    let drafts = read_sites(&mut file, &defaults, &owner_names, requests);
    let queue_at = file.offset("queue");
    file.finish();
    config.sources = sources.into_inner();
    MainFile {
        config,
        drafts,
        sink,
        include,
        defaults,
        window_names,
        queue_at,
    }
}

/// The keys of `[notify]`.
fn channels_of(file: &DeTable<'_>) -> Vec<Box<str>> {
    let notify = file
        .get("notify")
        .and_then(|notify| notify.get_ref().as_table());
    let keys = notify.into_iter().flat_map(|notify| notify.keys());
    keys.map(|key| Box::from(&**key.get_ref())).collect()
}

/// The parser's message, where it speaks of what it was doing, in terms of the file.
fn syntax_sentence(message: &str, text: &str, offset: usize) -> String {
    let rest = text.get(offset..).unwrap_or_default();
    let ends = rest
        .trim_start_matches([' ', '\t'])
        .starts_with(['\n', '\r', '#'])
        || rest.is_empty();
    match message {
        "string values must be quoted, expected literal string" if ends => {
            "a value is missing".to_owned()
        }
        "string values must be quoted, expected literal string" => {
            "expected a value; texts stand in quotes".to_owned()
        }
        "duplicate key" => "this key is there already".to_owned(),
        other => clean(other, 200),
    }
}

/// The configuration of a file that was read, with the lists that it includes.
pub(super) fn assemble(
    main: MainFile,
    text: &str,
    path: &Path,
    source: SourceFile,
) -> Result<Config, Diagnostics> {
    let MainFile {
        mut config,
        drafts,
        mut sink,
        include,
        defaults,
        window_names,
        queue_at,
    } = main;
    config.sources.push(source);

    let mut registry = SiteRegistry::default();
    let SiteDrafts { good, lost, tags } = drafts;
    let lost_names: HashSet<Box<str>> = lost.iter().map(|lost| lost.name.clone()).collect();
    let places = register(good, lost, &mut registry, &mut sink);
    registry.begin_lists();
    let mut in_lists = None;
    for (list, element) in find_lists(folder_of(path), &include, &mut sink) {
        match read_list(
            &list,
            (&element.value, &defaults),
            &mut config,
            &mut registry,
        ) {
            Ok(count) => warn_of_list(&list, element, count, &config, &mut sink),
            Err(mistakes) => append(&mut in_lists, mistakes),
        }
    }
    let mut tags = tags;
    tags.extend(
        include
            .iter()
            .flat_map(|element| element.value.tags.iter().cloned()),
    );

    config.sites = registry.into_sites();
    // The site that is missing may stand in a list that could not be read.
    if in_lists.is_none() {
        let sites = KnownSites::new(&config.sites, &lost_names, &tags);
        let parents: Vec<ParentPlace> = places.iter().map(|place| place.parent).collect();
        sites.check_parents(&parents, &mut sink);
        sites.check_windows(&window_names, &mut sink);
        sites.check_defaults(&defaults, &mut sink);
    }
    for (place, site) in places.into_iter().zip(&config.sites) {
        if !place.maintenance.is_empty() {
            config
                .maintenance
                .of_sites
                .insert(site.name.clone(), place.maintenance);
        }
    }

    warn_of_secrets(&config, queue_at, &mut sink);
    let shown = shown_path(path);
    let warnings = sink.warnings(&shown, text).into_iter();
    config.warnings = warnings
        .map(|warning| warning.to_string().into_boxed_str())
        .collect();
    let mut mistakes = sink.finish(&shown, text);
    if let Some(in_lists) = in_lists {
        append(&mut mistakes, in_lists);
    }
    mistakes.map_or(Ok(config), Err)
}

fn append(all: &mut Option<Diagnostics>, more: Diagnostics) {
    match all {
        Some(all) => all.append(more),
        none => *none = Some(more),
    }
}

/// What is still needed of a draft when its site has gone into the registry.
struct RegisteredSite {
    parent: ParentPlace,
    maintenance: Vec<crate::domain::MaintenanceWindow>,
}

impl RegisteredSite {
    fn key(&self, key: &str) -> String {
        format!("sites[{}].{key}", self.parent.index)
    }
}

/// Puts the sites of the file itself into the registry, in their order. Those that are lost take
/// their names all the same, so that a name given twice is reported whatever else is wrong.
fn register(
    good: Vec<SiteDraft>,
    lost: Vec<InvalidSite>,
    registry: &mut SiteRegistry,
    sink: &mut DiagnosticSink,
) -> Vec<RegisteredSite> {
    let mut unnamed: HashSet<Box<str>> = HashSet::new();
    let mut lost = lost.into_iter().peekable();
    let mut registered = Vec::with_capacity(good.len());
    for draft in good {
        while let Some(lost) = lost.next_if(|lost| lost.index < draft.index) {
            reserve(lost, registry, sink);
        }
        let place = RegisteredSite {
            parent: ParentPlace {
                index: draft.index,
                offset: draft.parent_at,
            },
            maintenance: draft.maintenance,
        };
        let site = draft.site;
        if draft.named {
            let sentence = taken(&site.name);
            if !registry.add_named(site) {
                sink.error(draft.name_at, &place.key("name"), &sentence);
            }
        } else {
            if !unnamed.insert(site.spec.url.expose().into()) {
                let sentence = format!(
                    "{} is there already; give one of them a name",
                    quoted(site.spec.url.shown())
                );
                sink.error(draft.url_at, &place.key("url"), &sentence);
            }
            registry.add_unnamed(site);
        }
        registered.push(place);
    }
    lost.for_each(|lost| reserve(lost, registry, sink));
    registered
}

fn reserve(lost: InvalidSite, registry: &mut SiteRegistry, sink: &mut DiagnosticSink) {
    let sentence = taken(&lost.name);
    if !registry.reserve(lost.name) {
        let key = format!("sites[{}].name", lost.index);
        sink.error(lost.name_at, &key, &sentence);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::secret::Secret;
    use super::*;
    use crate::domain::SmtpSecurity;
    use crate::domain::USER_AGENT;
    use proptest::prelude::*;

    const KNOWN: KnownNames<'static> = KnownNames {
        paradigms: &["serial", "threads", "async"],
        channels: &crate::notify::KNOWN_CHANNELS,
    };

    const WHOLE: &str = r#"
[monitor]
interval  = "1m"
timeout   = "5s"
paradigm  = "async"
workers   = 100
confirm   = 3
confirm_delay = "5s"
recover   = 3
slow      = "1s"
cert_warn = "7d"
user_agent = "Me/1"
canaries  = ["https://example.com"]

[workers]
threads = 32

[owners.ops]
email = "ops@example.org"
sms   = "+15550100"
push  = "squirrel-ops"
webhook = "https://hooks.example.org/T0/B0"

[notify.email]
smtp = "smtps://user@mail.example.org:465"
password = { env = "SMTP_PASSWORD" }
from = "squirrel@example.org"

[notify.sms]
account = "AC1"
token = { file = "token" }
from = "+15550009999"

[notify.webhook]
secret = { env = "HOOK_SECRET" }

[notify.push]
url = "https://ntfy.example.org"
token = "plain-token"

[history]
raw = "3d"
rollup = "100d"

[queue]
broker = "redis://:pw@127.0.0.1:6379/0"

[[sites]]
url = "https://example.org"

[[sites]]
name = "Shop"
url = "https://shop.example.org/cart"
owners = ["ops"]
interval = "10s"
timeout = "2s"
slow = "500ms"
confirm = 1
confirm_delay = "1s"
expect_status = "200-299,301"
contains = "basket"
max_redirects = 0
tags = ["shop", "eu"]
parent = "example.org"
maintenance = [{ cron = "0 3 * * sun", lasts = "2h" }]
paused = true
cert_warn = "1d"
user_agent = "Other/2"
"#;

    fn read(text: &str) -> Result<Config, Diagnostics> {
        parse(text, Path::new("sites.toml"), &KNOWN)
    }

    fn mistakes(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    #[test]
    fn every_key_of_the_file_arrives() {
        let config = read(WHOLE).unwrap();
        let monitor = &config.monitor;
        assert_eq!(monitor.interval, Duration::from_secs(60));
        assert_eq!(monitor.paradigm.as_deref(), Some("async"));
        assert_eq!((monitor.workers, monitor.recover), (Some(100), 3));
        assert_eq!(monitor.canaries[0].expose(), "https://example.com/");
        assert_eq!(config.workers.get("threads"), Some(&32));
        let sms = &config.addresses["ops"]["sms"];
        assert_eq!(sms.text("number"), Some("+15550100"));
        let email = config.notify.email.as_ref().unwrap();
        assert_eq!(email.smtp.security, SmtpSecurity::Tls);
        assert_eq!(email.password, Some(Secret::Env("SMTP_PASSWORD".into())));
        let sms = config.notify.sms.as_ref().unwrap();
        assert_eq!(sms.token, Secret::File("token".into()));
        assert_eq!(sms.url.expose(), "https://api.twilio.com/");
        assert_eq!(config.notify.push.url.expose(), "https://ntfy.example.org/");
        assert_eq!(config.history.raw, Duration::from_secs(3 * 86_400));
        assert!(config.queue.broker.is_some());

        let [plain, shop] = &config.sites[..] else {
            panic!("two sites")
        };
        assert_eq!(&*plain.name, "example.org");
        assert_eq!(plain.interval, Duration::from_secs(60));
        assert_eq!(plain.confirm, 3);
        assert_eq!(plain.spec.timeout, Duration::from_secs(5));
        assert_eq!(&*plain.spec.user_agent, "Me/1");
        assert_eq!(plain.spec.max_redirects, 10);
        assert_eq!(&*shop.name, "Shop");
        assert_eq!(shop.interval, Duration::from_secs(10));
        assert_eq!(shop.spec.slow, Duration::from_millis(500));
        assert_eq!(shop.spec.expect_status.to_string(), "200-299,301");
        assert_eq!(shop.spec.contains.as_deref(), Some("basket"));
        assert_eq!((shop.spec.max_redirects, shop.confirm), (0, 1));
        assert_eq!(shop.parent.as_deref(), Some("example.org"));
        assert_eq!((shop.tags.len(), shop.owners.len()), (2, 1));
        assert!(shop.paused);
        assert_eq!(
            config.maintenance.of_sites["Shop"][0].lasts,
            Duration::from_secs(7_200)
        );

        let shown = format!("{config:?}");
        assert!(
            !shown.contains("plain-token") && !shown.contains(":pw@"),
            "{shown}"
        );
    }

    #[test]
    fn an_empty_file_gives_the_defaults() {
        let config = read("").unwrap();
        let monitor = &config.monitor;
        assert_eq!(monitor.interval, Duration::from_secs(300));
        assert_eq!(monitor.timeout, Duration::from_secs(10));
        assert_eq!(monitor.slow, Duration::from_secs(2));
        assert_eq!((monitor.confirm, monitor.recover), (2, 2));
        assert_eq!(monitor.confirm_delay, Duration::from_secs(10));
        assert_eq!(monitor.cert_warn, Duration::from_secs(14 * 86_400));
        assert_eq!(&*monitor.user_agent, USER_AGENT);
        assert_eq!(config.notify.push.url.expose(), "https://ntfy.sh/");
        assert!(config.sites.is_empty());
    }

    #[test]
    fn a_mistake_is_named_as_the_contract_says() {
        assert_eq!(
            mistakes(&format!(
                "{}[[sites]]\nurl = \"https://d\"\ninterval = \"5\"\n",
                "[[sites]]\nurl = \"https://a\"\nname = \"A\"\n"
            )),
            "sites.toml:6:12: sites[1].interval: \
             expected a duration such as \"30s\" or \"5m\", got \"5\""
        );
    }

    #[test]
    fn every_kind_of_mistake_has_its_sentence() {
        let site = "[[sites]]\nurl = \"https://a.example\"\n";
        for (text, expected) in [
            (
                "[monitor]\ninterval = 5",
                "2:12: monitor.interval: expected a duration such as \"30s\" or \"5m\", got 5",
            ),
            (
                "[monitor]\ninterval = \"500ms\"",
                "2:12: monitor.interval: expected 1s or more, got \"500ms\"",
            ),
            (
                "[monitor]\ntimeout = \"0s\"",
                "2:11: monitor.timeout: expected 1ms or more, got \"0s\"",
            ),
            (
                "[monitor]\nconfirm = 0",
                "2:11: monitor.confirm: expected a whole number from 1 to 1000, got 0",
            ),
            (
                "[monitor]\nworkers = 0",
                "2:11: monitor.workers: expected a whole number from 1 to 1000000, got 0",
            ),
            (
                "[monitor]\nworkers = -1",
                "2:11: monitor.workers: expected a whole number from 1 to 1000000, got -1",
            ),
            (
                "[monitor]\nworkers = 1.5",
                "2:11: monitor.workers: expected a whole number from 1 to 1000000, got 1.5",
            ),
            (
                "[monitor]\nparadigm = \"asinc\"",
                "2:12: monitor.paradigm: expected one of \"serial\", \"threads\", \"async\", got \"asinc\"; did you mean \"async\"?",
            ),
            (
                "[monitor]\nuser_agent = \"a\\nb\"",
                "2:14: monitor.user_agent: expected plain ASCII text that can stand in a header, got \"a b\"",
            ),
            (
                "[monitor]\ncanaries = \"https://a\"",
                "2:12: monitor.canaries: expected a list of texts, got \"https://a\"",
            ),
            (
                "[monitor]\ncanaries = [\"https://a\", 1]",
                "2:26: monitor.canaries[1]: expected an http or https URL such as \"https://example.org\", got 1",
            ),
            (
                "[monitor]\ninclude = [\"a[\"]",
                "2:12: monitor.include[0]: bad pattern \"a[\": invalid range pattern",
            ),
            (
                "[monitor]\ninclude = [{ file = \"\", owner = [\"ops\"] }, { tags = [\"a\"] }, 5]",
                "2:21: monitor.include[0].file: expected a text that is not empty, got \"\"\n\
                 sites.toml:2:25: monitor.include[0].owner: unknown key \"owner\"; did you mean \"owners\"?\n\
                 sites.toml:2:44: monitor.include[1].file: this key is missing\n\
                 sites.toml:2:62: monitor.include[2]: expected a text that is not empty, got 5",
            ),
            (
                "[monitor]\ninclude = [\"none.txt\"]",
                "2:12: monitor.include[0]: the file \"none.txt\" cannot be read: there is no such file",
            ),
            (
                "[monitor]\nca_file = \"none.pem\"",
                "2:11: monitor.ca_file: the file \"none.pem\" cannot be read: there is no such file",
            ),
            ("monitor = 1", "1:11: monitor: expected a table, got 1"),
            (
                "[workers]\nthread = 3",
                "2:1: workers.thread: unknown key \"thread\"; did you mean \"threads\"?",
            ),
            (
                "[workers]\nthreads = 0",
                "2:11: workers.threads: expected a whole number from 1 to 1000000, got 0",
            ),
            (
                "[monitr]",
                "1:2: monitr: unknown key \"monitr\"; did you mean \"monitor\"?",
            ),
            (
                "[[sites]]\nname = \"a\"",
                "1:1: sites[0].url: this key is missing",
            ),
            (
                "[sites]\nurl = \"https://a\"",
                "1:1: sites: expected a list of tables ([[sites]]), got a table",
            ),
            ("sites = [1]", "1:10: sites[0]: expected a table, got 1"),
            (
                "[[sites]]\nurl = \"ftp://a\"",
                "2:7: sites[0].url: expected an http or https URL such as \"https://example.org\", got \"ftp://a\"",
            ),
            (
                "[[sites]]\nurl = \"https://\"",
                "2:7: sites[0].url: expected an http or https URL such as \"https://example.org\" (it has no host), got \"https://\"",
            ),
            (
                &format!("{site}intervall = \"5m\""),
                "3:1: sites[0].intervall: unknown key \"intervall\"; did you mean \"interval\"?",
            ),
            (
                &format!("{site}colour = \"red\""),
                "3:1: sites[0].colour: unknown key \"colour\"",
            ),
            (
                &format!("{site}\"my key\" = 1"),
                "3:1: sites[0].\"my key\": unknown key \"my key\"",
            ),
            (
                &format!("{site}contains = \"\""),
                "3:12: sites[0].contains: expected a text that is not empty, got \"\"",
            ),
            (
                &format!("{site}contains_not = [\"a\", 1]"),
                "3:22: sites[0].contains_not[1]: expected a text that is not empty, got 1",
            ),
            (
                &format!("{site}matches = [\"a\", \"(\"]"),
                "3:17: sites[0].matches[1]: this is no regular expression: unclosed group",
            ),
            (
                &format!("{site}matches = \"((a{{999}}){{999}}){{999}}\""),
                "3:11: sites[0].matches: this regular expression takes more than 1024 KiB",
            ),
            (
                &format!("{site}json = [{{ path = \"status\", equal = 1 }}]"),
                "3:18: sites[0].json[0].path: this is no JSON path (RFC 9535): see character 1\nsites.toml:3:28: sites[0].json[0].equal: unknown key \"equal\"; did you mean \"equals\"?",
            ),
            (
                &format!("{site}json = [{{ path = \"$..a..b\", equals = [], above = \"1\" }}]"),
                "3:18: sites[0].json[0].path: a JSON path has \"..\" once at most\nsites.toml:3:38: sites[0].json[0].equals: expected a text, a number, true or false, got a list\nsites.toml:3:50: sites[0].json[0].above: expected a number, got \"1\"",
            ),
            (
                &format!("{site}json = [{{ equals = nan }}]"),
                "3:9: sites[0].json[0].path: this key is missing\nsites.toml:3:20: sites[0].json[0].equals: expected a number, got nan",
            ),
            (
                &format!("{site}json = [{{ path = \"$.a\", exists = false, above = 1 }}]"),
                "3:34: sites[0].json[0].exists: what does not exist cannot be compared as well",
            ),
            (
                &format!("{site}header = {{ \"a b\" = \"c\", d = \"e\\r\\nf\" }}"),
                "3:12: sites[0].header.\"a b\": expected the name of a header such as \"Accept\", got \"a b\"\nsites.toml:3:29: sites[0].header.d: expected plain ASCII text that can stand in a header, got \"e f\"",
            ),
            (
                &format!("{site}method = \"post\""),
                "3:10: sites[0].method: expected one of \"auto\", \"GET\", \"HEAD\", \"POST\", \"PUT\", \"PATCH\", \"DELETE\", \"OPTIONS\", got \"post\"; did you mean \"POST\"?",
            ),
            (
                &format!("{site}body = \"ping\""),
                "3:8: sites[0].body: a body needs a method that sends one, as in method = \"POST\"",
            ),
            (
                &format!("{site}max_body = \"9MiB\""),
                "3:12: sites[0].max_body: expected a size from 1B to 8MiB such as \"1MiB\", got \"9MiB\"",
            ),
            (
                &format!("{site}method = \"HEAD\"\nmatches = \"a\""),
                "3:10: sites[0].method: an answer to HEAD has no body to be judged",
            ),
            (
                &format!("{site}expect_status = 200"),
                "3:17: sites[0].expect_status: expected status codes such as \"200-299,301\", got 200",
            ),
            (
                &format!("{site}max_redirects = 101"),
                "3:17: sites[0].max_redirects: expected a whole number from 0 to 100, got 101",
            ),
            (
                &format!("{site}paused = \"yes\""),
                "3:10: sites[0].paused: expected true or false, got \"yes\"",
            ),
            (
                &format!("{site}owners = [\"opps\"]\n[owners.ops]\npush = \"x\""),
                "3:11: sites[0].owners[0]: there is no owner \"opps\"; did you mean \"ops\"?",
            ),
            (
                &format!("{site}parent = \"x\""),
                "3:10: sites[0].parent: there is no site \"x\"",
            ),
            (
                &format!("{site}parent = \"a.example\""),
                "3:10: sites[0].parent: the site is its own ancestor: a.example -> a.example",
            ),
            (
                &format!("{site}maintenance = [{{ cron = \"0 3\" }}]"),
                "3:16: sites[0].maintenance[0].lasts: this key is missing\nsites.toml:3:25: sites[0].maintenance[0].cron: expected five fields such as \"0 3 * * sun\" (minute, hour, day, month, weekday), got \"0 3\"",
            ),
            (
                &format!("{site}{site}"),
                "4:7: sites[1].url: \"https://a.example/\" is there already; give one of them a name",
            ),
            (
                &format!("{site}name = \"x\"\n{site}name = \"x\""),
                "6:8: sites[1].name: the name \"x\" is taken already",
            ),
            (
                "[owners.ops]\nemail = \"ops\"",
                "2:9: owners.ops.email: expected an address such as \"ops@example.org\", got \"ops\"",
            ),
            (
                "[owners.ops]\nsms = 15550100",
                "2:7: owners.ops.sms: expected a number such as \"+15550100\", got 15550100",
            ),
            (
                "[notify.sms]\naccount = \"AC\"\nfrom = \"+1\"",
                "1:1: notify.sms.token: this key is missing",
            ),
            (
                "[notify.push]\ntoken = {}",
                "2:9: notify.push.token: expected either { env = \"NAME\" } or { file = \"PATH\" }",
            ),
            (
                "[history]\nraw = \"7\"",
                "2:7: history.raw: expected a duration such as \"30s\" or \"5m\", got \"7\"",
            ),
            (
                "[queue]\nbroker = \"amqp://h\"",
                "2:10: queue.broker: expected a Redis URL such as \"redis://127.0.0.1:6379/0\", got \"amqp://h\"",
            ),
        ] {
            assert_eq!(mistakes(text), format!("sites.toml:{expected}"), "{text}");
        }
    }

    #[test]
    fn no_mistake_shows_a_secret() {
        for text in [
            "[notify.email]\npassword = \"hunter2\"",
            "[notify.email]\npasswrd = \"hunter2\"",
            "[notify.email]\npassword = \"hunter2",
            "[notify.email]\npassword = \"\"\"\nhunter2",
            "[notify.email]\npassword hunter2",
            "[notify.email]\npassword = hunter2",
            "[notify.email]\npassword = [\"hunter2\"]",
            "[notify.email]\npassword = { env = \"\", plain = \"hunter2\" }",
            "[notify.email]\npassword = { env = \"hunter2=\" }",
            "[notify.email]\nsmtp = \"http://user:hunter2@mail\"",
            "[notify]\nemail = { smpt = \"\", password = \"hunter2\" }",
            "[notify.push]\ntokn = \"hunter2\"",
            "notify.push.token = [[\"hunter2\"",
            "[[sites]]\nurl = \"ftp://u:hunter2@h\"",
            "[[sites]]\nurl = \"http://u:hunter2@h\" \"",
            "[[sites]]\nurl = \"http://u:hun/hunter2@h\"\nx = 1",
            "[[sites]]\nurl = \"https://a\"\nparent = \"http://u:hunter2@h\"",
            "[queue]\nbroker = \"amqp://:hunter2@h\"",
            "[queue]\nbrokr = \"redis://:hunter2@h\"",
            "[owners.ops]\nwebhook = \"ftp://hooks/hunter2\"",
        ] {
            let mistakes = read(text).unwrap_err();
            let shown = format!("{mistakes}\n{}\n{mistakes:?}", mistakes.detailed());
            assert!(!shown.contains("hunter2"), "{text}\n\n{shown}");
        }
    }

    #[test]
    fn all_mistakes_come_at_once_and_in_the_order_of_the_file() {
        let text = "[[sites]]\nurl = 1\nslow = 2\n[monitor]\nconfirm = 0\nx = 1\n\
                    [owners.a]\nsms = 1\n";
        let lines: Vec<usize> = read(text)
            .unwrap_err()
            .iter()
            .map(|mistake| mistake.place().unwrap().line)
            .collect();
        assert_eq!(lines, [2, 3, 5, 6, 8]);
        let many = "[[sites]]\n".repeat(50);
        let text = mistakes(&many);
        assert_eq!(text.lines().count(), 21);
        assert!(text.ends_with("and 30 more mistakes"), "{text}");
    }

    #[test]
    fn a_name_given_twice_is_named_whatever_else_is_wrong_with_the_sites() {
        let good = "[[sites]]\nname = \"A\"\nurl = \"https://a.example\"\n";
        let lost = good.replace("https", "ftp");
        let nameless = "[[sites]]\nurl = \"https://b.example\"\n";
        let places = |text: String| -> Vec<String> {
            let found = mistakes(&text);
            let places = found.lines().map(|line| line.split(": ").nth(1));
            places.map(|key| key.unwrap().to_owned()).collect()
        };
        assert_eq!(
            places(format!("{good}{lost}")),
            ["sites[1].name", "sites[1].url"]
        );
        assert_eq!(
            places(format!("{lost}{nameless}{good}")),
            ["sites[0].url", "sites[2].name"]
        );
        assert_eq!(
            places(format!("{lost}{lost}")),
            ["sites[0].url", "sites[1].name", "sites[1].url"]
        );
    }

    #[test]
    fn several_errors_of_syntax_are_named_and_the_rest_still_read() {
        let text =
            "[monitor]\ninterval = \ntimeout = 5s\nslow = \"2\"\n\n[[sites]\nurl = \"https://a\"\n";
        let found = read(text).unwrap_err();
        let lines: Vec<usize> = found.iter().map(|m| m.place().unwrap().line).collect();
        assert_eq!(lines, [2, 3, 4, 6], "{found}");
        assert!(
            found.to_string().contains("4:8: monitor.slow: expected"),
            "{found}"
        );
    }

    #[test]
    fn a_mistake_in_detail_shows_its_line() {
        assert_eq!(
            read("[[sites]]\n\turl = \"ftp://犬:pw@h\"\n")
                .unwrap_err()
                .detailed(),
            "sites.toml:2:8: sites[0].url: expected an http or https URL such as \
             \"https://example.org\", got \"ftp://犬:***@h\"\n  \
             2 |     url = \"ftp://犬:***@h\"\n    |           ^"
        );
    }

    #[test]
    fn byte_order_marks_and_foreign_line_ends_are_no_mistakes() {
        let text = format!("\u{feff}{}", WHOLE.replace('\n', "\r\n"));
        assert_eq!(read(&text).unwrap().sites, read(WHOLE).unwrap().sites);
        assert!(mistakes("\u{feff}x = 1").starts_with("sites.toml:1:1: "));
    }

    #[test]
    fn numbers_may_be_written_as_toml_has_them() {
        let text = "[monitor]\nworkers = 1_000\nconfirm = 0x10\n";
        let config = read(text).unwrap();
        assert_eq!(
            (config.monitor.workers, config.monitor.confirm),
            (Some(1_000), 16)
        );
    }

    #[test]
    fn lists_are_included_and_sites_of_the_file_come_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sites.toml");
        std::fs::create_dir(folder.path().join("lists")).unwrap();
        std::fs::write(
            folder.path().join("lists/b.txt"),
            "https://b.example Bee\nhttps://a.example\n",
        )
        .unwrap();
        std::fs::write(folder.path().join("lists/a.txt"), "https://c.example\n").unwrap();
        let text = "[monitor]\ninterval = \"7s\"\ninclude = [\"lists/*.txt\", \"lists/a.txt\"]\n\
                    [[sites]]\nurl = \"https://a.example\"\npaused = true\nparent = \"Bee\"\n";
        std::fs::write(&path, text).unwrap();
        let config = load(&path, &KNOWN, SecretUse::Unused).unwrap();
        let names: Vec<&str> = config.sites.iter().map(|site| &*site.name).collect();
        assert_eq!(names, ["a.example", "c.example", "Bee"]);
        assert!(config.sites[0].paused);
        assert_eq!(config.sites[1].interval, Duration::from_secs(7));
        assert_eq!(config.sources.len(), 3);

        std::fs::write(
            folder.path().join("lists/a.txt"),
            "https://c.example\nnonsense\n",
        )
        .unwrap();
        std::fs::write(&path, format!("{text}slow = 1\n")).unwrap();
        let found = load(&path, &KNOWN, SecretUse::Unused)
            .unwrap_err()
            .to_string();
        let root = folder.path().display();
        assert_eq!(
            found
                .lines()
                .map(|line| line.split(": ").next().unwrap())
                .collect::<Vec<_>>(),
            [
                format!("{root}/sites.toml:8:8"),
                format!("{root}/lists/a.txt:2:1")
            ],
            "{found}"
        );
    }

    #[test]
    fn the_sites_of_a_list_have_its_owners_and_tags() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("a.txt", "https://a.example\nhttps://b.example\n");
        write(
            "b.txt",
            "https://b.example\nhttps://c.example\nhttps://a.example\n",
        );
        write("c.txt", "https://d.example\n");
        let path = folder.path().join("sites.toml");
        let text = "[owners.ops]\nwebhook = \"https://h.example\"\n\
                    [owners.shop]\nwebhook = \"https://h.example\"\n\
                    [monitor]\ninclude = [\"a.txt\", { file = \"[bc].txt\", owners = [\"shop\"], \
                    tags = [\"eu\"] }]\n[[maintenance]]\ncron = \"0 3 * * 1\"\nlasts = \"1h\"\n\
                    tags = [\"eu\"]\n";
        std::fs::write(&path, text).unwrap();
        let config = load(&path, &KNOWN, SecretUse::Unused).unwrap();
        let sites: Vec<_> = config
            .sites
            .iter()
            .map(|site| (&*site.name, site.owners.join(","), site.tags.join(",")))
            .collect();
        let plain = |name| (name, String::new(), String::new());
        let shop = |name| (name, "shop".to_owned(), "eu".to_owned());
        let [a, b, c, d] = ["a.example", "b.example", "c.example", "d.example"];
        assert_eq!(sites, [plain(a), plain(b), shop(c), shop(d)]);
        let warnings: Vec<&str> = config
            .warnings
            .iter()
            .map(|warning| warning.rsplit_once("sites.toml:").unwrap().1)
            .collect();
        assert_eq!(
            warnings,
            [
                "6:12: monitor.include[0]: nobody is told of the 2 sites of \"a.txt\": they have no owner",
                "6:21: monitor.include[1]: 2 URLs of \"b.txt\" are watched already",
            ]
        );
    }

    #[test]
    fn a_pattern_that_matches_no_file_is_warned_of() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.txt"), "https://a.example\n").unwrap();
        let path = folder.path().join("sites.toml");
        std::fs::write(&path, "[monitor]\ninclude = [\"*.txt\", \"no/*.txt\"]\n").unwrap();
        let config = load(&path, &KNOWN, SecretUse::Unused).unwrap();
        assert_eq!(config.sites.len(), 1);
        let [warning] = &config.warnings[..] else {
            panic!("one warning: {:?}", config.warnings)
        };
        let expected = "/sites.toml:2:21: monitor.include[1]: no file matches \"no/*.txt\"";
        assert!(warning.ends_with(expected), "{warning}");
    }

    #[test]
    fn urls_of_the_command_line_take_the_defaults_of_the_file() {
        let urls = [
            "https://a.example",
            "https://a.example/",
            "http://a.example",
        ]
        .map(str::to_owned);
        let config = from_urls(&urls, Some(&read(WHOLE).unwrap())).unwrap();
        let names: Vec<&str> = config.sites.iter().map(|site| &*site.name).collect();
        assert_eq!(names, ["https://a.example/", "http://a.example/"]);
        assert_eq!(config.sites[0].spec.timeout, Duration::from_secs(5));
        assert_eq!(config.path, None);
        assert_eq!(config.workers.get("threads"), Some(&32));

        let urls = ["https://a", "b", "ftp://u:pw@c"].map(str::to_owned);
        let found = from_urls(&urls, None).unwrap_err().to_string();
        assert_eq!(
            found,
            "command line: URL 2: expected an http or https URL such as \"https://example.org\", got \"b\"\n\
             command line: URL 3: expected an http or https URL such as \"https://example.org\", got \"ftp://u:***@c\""
        );
    }

    #[test]
    fn the_file_of_the_repository_is_good() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sites.toml");
        let config = load(&path, &KNOWN, SecretUse::Unused).unwrap();
        assert!((20..=26).contains(&config.sites.len()));
        let down = config
            .sites
            .iter()
            .filter(|site| site.spec.url.host_and_path().ends_with(".invalid"));
        assert_eq!(down.count(), 2);
    }

    /// Whatever it is, it is read or refused with a place that an editor can go to.
    fn read_or_refused(text: &str) -> Result<(), TestCaseError> {
        if let Err(mistakes) = read(text) {
            let lines = text.matches('\n').count() + 1;
            prop_assert!(mistakes.count() > 0);
            for mistake in mistakes.iter() {
                let place = mistake.place().unwrap();
                prop_assert!((1..=lines).contains(&place.line), "{mistake}");
                prop_assert!(place.column >= 1);
            }
            let shown = format!("{mistakes}{}", mistakes.detailed());
            prop_assert!(
                !shown.chars().any(|c| c.is_control() && c != '\n'),
                "{shown:?}"
            );
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            read_or_refused(&text)?;
        }

        #[test]
        fn any_words_of_toml_are_read_or_refused(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "[", "]", "[[sites]]\n", "[monitor]\n", "[owners.a]", "{", "}", "=", " ", "\n",
                    "\"", "'", "\"\"\"", ",", ".", "#", "url", "interval", "\"https://a\"", "5",
                    "true", "-", "\r", "\t", "\\", "é", "1979-05-27", "include", "\u{0}", "\u{202e}",
                ]),
                0..40,
            ),
        ) {
            read_or_refused(&words.concat())?;
        }

        #[test]
        fn a_good_file_with_bytes_changed_is_read_or_refused(
            edits in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..9, any::<char>()), 1..8),
        ) {
            let mut text: Vec<char> = WHOLE.chars().collect();
            for (index, drop, insert) in edits {
                let at = index.index(text.len());
                let end = (at + drop).min(text.len());
                text.splice(at..end, [insert]);
                if text.is_empty() {
                    break;
                }
            }
            read_or_refused(&text.into_iter().collect::<String>())?;
        }
    }
}
