//! blackbox_exporter's modules, and the jobs of Prometheus that probe by them. Each file may
//! be one or the other; a module that is in none of them is taken for what its name says.
//! <https://github.com/prometheus/blackbox_exporter/blob/master/CONFIGURATION.md>

use std::net::SocketAddr;

use crate::domain::TextPattern;

use super::go_duration::parse_go_duration;
use super::imported_site::{
    ImportError, ImportedConfig, ImportedSite, http_url, shown, signed_in, site_url,
};
use super::render::quoted;
use super::status_codes::StatusCodes;
use super::yaml_tree::{Node, yaml};

/// The scrape interval of Prometheus where none is configured.
const INTERVAL: &str = "1m";

/// What a module has under `http` that is read, or that does not change what is up.
const READ: [&str; 9] = [
    "valid_status_codes",
    "valid_http_versions",
    "follow_redirects",
    "no_follow_redirects",
    "fail_if_body_not_matches_regexp",
    "fail_if_not_ssl",
    "basic_auth",
    "preferred_ip_protocol",
    "enable_http2",
];

/// Reads the files.
pub(super) fn read(texts: &[&str]) -> Result<ImportedConfig, ImportError> {
    let mut documents = Vec::new();
    for (file, text) in texts.iter().enumerate() {
        documents.push(yaml(text).map_err(|wrong| wrong.of_file(file))?);
    }
    let modules: Vec<&(String, Node)> = documents
        .iter()
        .filter_map(|document| document.get("modules"))
        .flat_map(Node::entries)
        .collect();
    let mut imported = ImportedConfig::default();
    let mut jobs = 0;
    for (file, document) in documents.iter().enumerate() {
        let listed = document.list("scrape_configs");
        for job in listed.map_err(|wrong| wrong.of_file(file))? {
            jobs += 1;
            let global = document.get("global");
            Job::of(job, global, &modules)
                .and_then(|job| job.targets(&mut imported))
                .map_err(|wrong| wrong.of_file(file))?;
        }
    }
    if jobs == 0 {
        return Err(ImportError::new(
            0,
            "no scrape_configs are there: what is probed stands in Prometheus's configuration",
        ));
    }
    Ok(imported)
}

/// A job, and the module that it probes by.
struct Job<'a> {
    node: &'a Node,
    name: String,
    interval: String,
    timeout: String,
    module: String,
    /// `None` where no file has it.
    how: Option<&'a Node>,
}

impl<'a> Job<'a> {
    fn of(
        node: &'a Node,
        global: Option<&Node>,
        modules: &[&'a (String, Node)],
    ) -> Result<Self, ImportError> {
        let said = |key: &str, default: &str| {
            let global = global.map(|global| global.text(key));
            let said = [node.text(key), global.unwrap_or_default()];
            let said = said.into_iter().find(|text| !text.is_empty());
            said.unwrap_or_else(|| default.to_owned())
        };
        let module = match node.get("params") {
            Some(params) => params.list("module")?.first().and_then(Node::word),
            None => None,
        };
        let module = module.unwrap_or_default();
        let how = modules.iter().find(|(name, _)| *name == module);
        Ok(Self {
            name: node.text("job_name"),
            interval: said("scrape_interval", INTERVAL),
            timeout: said("scrape_timeout", ""),
            how: how.map(|(_, module)| module),
            node,
            module,
        })
    }

    fn targets(&self, imported: &mut ImportedConfig) -> Result<(), ImportError> {
        if self.module.is_empty() {
            imported
                .unsupported
                .push(format!("job {}: it probes nothing", self.name));
            return Ok(());
        }
        for (key, _) in self.node.entries() {
            if key.ends_with("_sd_configs") {
                let what = format!("job {}: targets found by {key}", self.name);
                imported.unsupported.push(what);
            }
        }
        for group in self.node.list("static_configs")? {
            for target in group.list("targets")? {
                let target = target.word().unwrap_or_default();
                match self.site(&target, group) {
                    Ok(site) => imported.add_site(site),
                    Err(why) => imported.add_left_out(&shown(&target), why),
                }
            }
        }
        Ok(())
    }

    /// A target as a site, or why it cannot be one.
    fn site(&self, target: &str, group: &Node) -> Result<ImportedSite, String> {
        let module = &self.module;
        let prober = match self.how {
            Some(how) => how.text("prober"),
            // The names of the file that comes with the exporter.
            None if module.starts_with("http") => "http".to_owned(),
            None => return Err(format!("module {module} is in none of the files")),
        };
        if prober != "http" {
            return self.other(target, &prober, group);
        }
        // The exporter takes a target without a scheme for http.
        let url = if target.contains("://") {
            http_url(target)
        } else {
            http_url(&format!("http://{target}"))
        };
        let url = url.ok_or_else(|| format!("{} is no http(s) URL", shown(target)))?;
        let mut site = ImportedSite::new("", url);
        self.times(group, &mut site);
        match self.how {
            Some(how) => http(how, &mut site),
            None => {
                site.expect_status = Some("200-299".to_owned());
                site.add_unsupported(format!("module {module} is in none of the files"));
            }
        }
        Ok(site)
    }

    /// A target of another prober than http.
    fn other(&self, target: &str, prober: &str, group: &Node) -> Result<ImportedSite, String> {
        let module = &self.module;
        let settings = self.how.and_then(|how| how.get(prober));
        let text = |key: &str| settings.map_or_else(String::new, |settings| settings.text(key));
        let host = target.split_once("://").map_or(target, |(_, host)| host);
        let url = match prober {
            "tcp" => format!("tcp://{host}"),
            "icmp" => format!("ping://{host}"),
            "dns" => {
                let kind = text("query_type");
                let kind = if kind.is_empty() || kind == "ANY" {
                    "A"
                } else {
                    &kind
                };
                let name = text("query_name");
                format!("dns://{}?type={kind}", name.trim_end_matches('.'))
            }
            _ => return Err(format!("module {module}: prober {prober}")),
        };
        let url = site_url(&url).ok_or_else(|| format!("module {module}: {}", shown(&url)))?;
        let mut site = ImportedSite::new("", url);
        self.times(group, &mut site);
        if prober == "dns" {
            // The target is who is asked.
            let server = host.parse::<SocketAddr>();
            let server = server.or_else(|_| host.parse().map(|host| SocketAddr::new(host, 53)));
            match server {
                Ok(server) => site.add("resolver", quoted(&server.to_string())),
                Err(_) => site.add_unsupported(format!("name server {}", shown(host))),
            }
        }
        for (key, value) in settings.map_or(&[][..], Node::entries) {
            let read = ["query_name", "query_type", "preferred_ip_protocol"].contains(&&**key);
            if !read && !value.is_nothing() {
                site.add_unsupported(format!("{prober}.{key}"));
            }
        }
        Ok(site)
    }

    /// Tags and times of a target.
    fn times(&self, group: &Node, site: &mut ImportedSite) {
        site.tag(&self.name);
        for (key, value) in group.get("labels").map_or(&[][..], Node::entries) {
            site.tag(&format!("{key}:{}", value.word().unwrap_or_default()));
        }
        match parse_go_duration(&self.interval) {
            Some(interval) => site.every(interval),
            None => site.add_unsupported(format!("scrape_interval {}", self.interval)),
        }
        let timeout = self.how.map(|how| how.text("timeout"));
        let timeout = timeout.filter(|timeout| !timeout.is_empty());
        let timeout = parse_go_duration(&timeout.unwrap_or_else(|| self.timeout.clone()));
        site.timeout = timeout.filter(|timeout| !timeout.is_zero());
    }
}

/// What the module says of HTTP.
fn http(module: &Node, site: &mut ImportedSite) {
    let empty = Node {
        line: 0,
        kind: super::yaml_tree::NodeKind::Null,
    };
    let http = module.get("http").unwrap_or(&empty);
    let unfollowed = http.flag("follow_redirects") == Some(false)
        || http.flag("no_follow_redirects") == Some(true);
    site.max_redirects = unfollowed.then_some(0);
    let named = http.list("valid_status_codes").unwrap_or_default();
    let named: Vec<u16> = named
        .iter()
        .filter_map(|code| code.word()?.parse().ok())
        .collect();
    let mut codes = StatusCodes::all();
    if named.is_empty() {
        codes.only(|code| (200..=299).contains(&code));
    } else {
        codes.only(|code| named.contains(&code));
    }
    site.expect_status = codes.to_expect_status(unfollowed);
    let wanted = http.list("fail_if_body_not_matches_regexp");
    let mut patterns = Vec::new();
    for pattern in wanted.unwrap_or_default().iter().filter_map(Node::word) {
        let is_plain = !pattern.contains(|c: char| r"\.+*?()|[]{}^$".contains(c));
        if is_plain && site.contains.is_none() {
            site.holds(&pattern);
        } else if TextPattern::parse(&pattern).is_ok() {
            patterns.push(quoted(&pattern));
        } else {
            site.add_unsupported(format!("the body must match {pattern}"));
        }
    }
    if !patterns.is_empty() {
        site.add("matches", format!("[{}]", patterns.join(", ")));
    }
    if http.flag("fail_if_not_ssl") == Some(true) && !site.url.expose().starts_with("https:") {
        site.add_unsupported("it fails without TLS");
    }
    if let Some(login) = http.get("basic_auth") {
        let (user, password) = (login.text("username"), login.text("password"));
        let url = signed_in(&site.url, &user, &password);
        match url.filter(|_| !user.is_empty() && !password.is_empty()) {
            Some(url) => site.url = url,
            None => site.add_unsupported("basic_auth from a file"),
        }
    }
    if http.get("method").is_none() {
        site.ask_by("");
    }
    let mut body = String::new();
    for (key, value) in http.entries() {
        if READ.contains(&&**key) || value.is_nothing() {
            continue;
        }
        match &**key {
            "method" => site.ask_by(&value.word().unwrap_or_default()),
            "tls_config" => tls(value, site),
            "headers" => {
                for (name, value) in value.entries() {
                    site.header(name, &value.word().unwrap_or_default());
                }
            }
            "http_headers" => site.add_unsupported(format!("{key} {}", value.keys())),
            "body" => body = value.word().unwrap_or_default(),
            _ => site.add_unsupported(key),
        }
    }
    site.send(&body);
}

fn tls(config: &Node, site: &mut ImportedSite) {
    for (key, value) in config.entries() {
        match &**key {
            _ if value.is_nothing() => {}
            "insecure_skip_verify" if value.word().as_deref() == Some("true") => {
                site.add("verify", "false");
            }
            "insecure_skip_verify" => {}
            other => site.add_unsupported(format!("tls_config.{other}")),
        }
    }
}
