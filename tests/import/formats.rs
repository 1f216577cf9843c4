//! Each format in the form that its project documents: what has a counterpart is kept, what
//! has none is named.

use rusqlite::Connection;

use super::home::{Imported, import};
use crate::support::Squirrel;

#[test]
fn gatus_keeps_conditions_groups_thresholds_and_clients() {
    let imported = import(
        "gatus",
        &[(
            "config.yaml",
            r#"
metrics: true
alerting:
  slack:
    webhook-url: "https://hooks.example.org/secret-token"
endpoints:
  - name: website
    group: core
    url: "https://www.example.org/health"
    interval: 5m
    conditions:
      - "[STATUS] == 200"
      - "[BODY].status == UP"
      - "[RESPONSE_TIME] < 300"
    alerts:
      - type: slack
        failure-threshold: 5
        success-threshold: 4
      - type: pagerduty
  - name: header
    url: https://www.example.net/   # the default interval
    enabled: false
    conditions:
      - "[STATUS] == any(200, 429)"
      - "[BODY] == pat(*<h1>Welcome</h1>*)"
      - "[CERTIFICATE_EXPIRATION] > 48h"
    client:
      timeout: 3s
      ignore-redirect: true
      insecure: true
    headers:
      Authorization: Bearer s3same
  - name: website
    group: internal
    url: https://intern.example.org
    interval: 100ms
    method: POST
    body: '{"a": 1}'
    conditions: ["[STATUS] < 400"]
  - name: resolver
    url: "192.0.2.8"
    dns: { query-name: example.com, query-type: A }
    conditions: ["[DNS_RCODE] == NOERROR"]
  - name: ping
    url: icmp://example.org
    conditions: ["[CONNECTED] == true"]
  - name: smtp
    url: starttls://mail.example.org:25
    conditions: ["[CONNECTED] == true", "[CERTIFICATE_EXPIRATION] > 48h"]
  - name: redis
    url: tcp://redis.example.org:6379
    conditions: ["[CONNECTED] == true"]
external-endpoints:
  - name: pushed
    token: potato
"#,
        )],
    );
    let site = imported.site("website");
    assert_eq!(site["url"].as_str(), Some("https://www.example.org/health"));
    assert_eq!(site["interval"].as_str(), Some("5m"));
    assert_eq!(site["expect_status"].as_str(), Some("200"));
    assert_eq!(site["slow"].as_str(), Some("300ms"));
    assert_eq!(site["confirm"].as_integer(), Some(5));
    assert_eq!(site["recover"].as_integer(), Some(4));
    assert_eq!(site["tags"][0].as_str(), Some("core"));
    assert_eq!(
        imported.lacks("website"),
        ["alerts by slack, pagerduty: give it owners"]
    );
    let json = site["json"][0].as_table().unwrap();
    assert_eq!(
        (json["path"].as_str(), json["equals"].as_str()),
        (Some("$.status"), Some("UP"))
    );
    let site = imported.site("header");
    assert_eq!(site["interval"].as_str(), Some("1m"));
    assert_eq!(site["expect_status"].as_str(), Some("200,429"));
    assert_eq!(site["contains"].as_str(), Some("<h1>Welcome</h1>"));
    assert_eq!(site["cert_warn"].as_str(), Some("2d"));
    assert_eq!(site["timeout"].as_str(), Some("3s"));
    assert_eq!(site["max_redirects"].as_integer(), Some(0));
    assert_eq!(site["paused"].as_bool(), Some(true));
    assert_eq!(site["verify"].as_bool(), Some(false));
    assert_eq!(
        site["headers"]["Authorization"].as_str(),
        Some("Bearer s3same")
    );
    assert_eq!(imported.lacks("header"), [""; 0]);
    // The second of a name gets its group behind it; less than a second is no interval here.
    let site = imported.site("website (internal)");
    assert_eq!(site["interval"].as_str(), Some("1s"));
    assert_eq!(site.get("expect_status"), None);
    assert_eq!(site["method"].as_str(), Some("POST"));
    assert_eq!(site["body"].as_str(), Some("{\"a\": 1}"));
    assert_eq!(imported.lacks("website (internal)").len(), 1);
    let site = imported.site("resolver");
    assert_eq!(site["url"].as_str(), Some("dns://example.com?type=A"));
    assert_eq!(site["resolver"].as_str(), Some("192.0.2.8:53"));
    assert_eq!(
        imported.site("ping")["url"].as_str(),
        Some("ping://example.org")
    );
    let site = imported.site("smtp");
    assert_eq!(site["url"].as_str(), Some("tls://mail.example.org:25"));
    assert_eq!(site["starttls"].as_str(), Some("smtp"));
    let site = imported.site("redis");
    assert_eq!(site["url"].as_str(), Some("tcp://redis.example.org:6379"));
    assert_eq!(
        (site.get("method"), site.get("expect_status")),
        (None, None)
    );
    assert_eq!(
        imported.left_out(),
        ["pushed: an external endpoint: its results are pushed, so there is no URL to check"]
    );
    assert!(imported.toml.contains("# not here: alerting: slack\n"));
    for secret in ["secret-token", "hush", "potato"] {
        assert!(!imported.toml.contains(secret), "{secret}");
    }
    assert_eq!(
        imported.said,
        "squirrel: 7 sites written, 1 left out; 4 settings without a counterpart, in comments\n"
    );
}

#[test]
fn several_files_of_gatus_are_read_as_one_and_anchors_are_followed() {
    let imported = import(
        "gatus",
        &[
            (
                "a.yaml",
                "x-base: &base\n  interval: 30s\n  client: { timeout: 2s }\nendpoints:\n\
                 - <<: *base\n  name: a\n  url: https://a.example\n",
            ),
            (
                "b.yaml",
                "endpoints:\n- {name: b, url: 'https://b.example'}\n",
            ),
        ],
    );
    assert_eq!(imported.site("a")["interval"].as_str(), Some("30s"));
    assert_eq!(imported.site("a")["timeout"].as_str(), Some("2s"));
    assert_eq!(imported.site("b")["interval"].as_str(), Some("1m"));
}

#[test]
fn a_backup_of_uptime_kuma_keeps_what_its_monitors_say() {
    let backup = r##"{
  "version": "1.23.16",
  "notificationList": [{"id": 1, "name": "Mail", "config": "{\"smtpPassword\":\"hush\"}"}],
  "monitorList": [
    {"id": 1, "name": "Production", "type": "group", "active": true, "interval": 60},
    {"id": 2, "name": "Shop", "description": "the money", "parent": 1, "type": "http",
     "url": "https://shop.example.org/", "method": "GET", "hostname": null, "maxretries": 2,
     "active": true, "timeout": 48, "interval": 60, "retryInterval": 20, "resendInterval": 0,
     "keyword": null, "expiryNotification": true, "ignoreTls": false, "upsideDown": false,
     "maxredirects": 10, "accepted_statuscodes": ["200-299", "404"], "proxyId": null,
     "notificationIDList": {"1": true}, "headers": "{\"X-Token\": \"s3same\"}", "body": null,
     "tags": [{"tag_id": 1, "name": "eu", "value": "", "color": "#059669"},
              {"tag_id": 2, "name": "team", "value": "web", "color": "#059669"}],
     "authMethod": "basic", "basic_auth_user": "ann", "basic_auth_pass": "p@ss:w/rd"},
    {"id": 3, "name": "Text", "type": "keyword", "url": "https://example.net/a?b=c",
     "keyword": "All \"systems\"\ngo", "invertKeyword": false, "maxretries": 0, "interval": 300,
     "retryInterval": 60, "active": false, "maxredirects": 0, "ignoreTls": true,
     "accepted_statuscodes": ["301"], "tags": [], "authMethod": null},
    {"id": 4, "name": "Database", "type": "postgres", "active": true, "interval": 60},
    {"id": 5, "name": "Router", "type": "ping", "hostname": "192.0.2.1", "interval": 60},
    {"id": 6, "name": "Must fail", "type": "http", "url": "https://x.example/",
     "upsideDown": true, "interval": 60},
    {"id": 7, "name": "JSON", "type": "json-query", "url": "https://x.example/j",
     "jsonPath": "$.ok", "expectedValue": "true", "interval": 20, "maxretries": 0},
    {"id": 11, "name": "Sum", "type": "json-query", "url": "https://x.example/s", "interval": 20,
     "jsonPath": "$sum(a)", "jsonPathOperator": ">", "expectedValue": "3"},
    {"id": 8, "name": "Port", "type": "port", "hostname": "db.example", "port": 5432,
     "parent": 1, "interval": 60, "accepted_statuscodes": ["200-299"], "maxredirects": 10},
    {"id": 9, "name": "Names", "type": "dns", "hostname": "x.example", "port": 5353,
     "dns_resolve_type": "MX", "dns_resolve_server": "192.0.2.53", "interval": 60},
    {"id": 10, "name": "Not", "type": "keyword", "url": "https://x.example/n", "keyword": "error",
     "invertKeyword": true, "interval": 60}
  ]
}"##;
    let imported = import("kuma", &[("Uptime_Kuma_Backup.json", backup)]);
    let shop = imported.site("Shop");
    assert_eq!(
        shop["url"].as_str(),
        Some("https://ann:p%40ss%3Aw%2Frd@shop.example.org/")
    );
    assert_eq!(shop["interval"].as_str(), Some("1m"));
    assert_eq!(shop["timeout"].as_str(), Some("48s"));
    assert_eq!(shop["confirm"].as_integer(), Some(3));
    assert_eq!(shop["confirm_delay"].as_str(), Some("20s"));
    assert_eq!(shop["max_redirects"].as_integer(), Some(10));
    assert_eq!(shop["expect_status"].as_str(), Some("200-299,404"));
    let tags: Vec<_> = shop["tags"].as_array().unwrap().iter().collect();
    assert_eq!(
        tags.iter()
            .map(|tag| tag.as_str().unwrap())
            .collect::<Vec<_>>(),
        ["Production", "eu", "team:web"]
    );
    assert_eq!(
        imported.lacks("Shop"),
        ["1 notification: give it owners", "description: the money"]
    );
    assert_eq!(shop["headers"]["X-Token"].as_str(), Some("s3same"));
    let text = imported.site("Text");
    assert_eq!(text["verify"].as_bool(), Some(false));
    assert_eq!(
        imported.site("Router")["url"].as_str(),
        Some("ping://192.0.2.1")
    );
    let port = imported.site("Port");
    assert_eq!(port["url"].as_str(), Some("tcp://db.example:5432"));
    assert_eq!(port["tags"][0].as_str(), Some("Production"));
    let names = imported.site("Names");
    assert_eq!(names["url"].as_str(), Some("dns://x.example?type=MX"));
    assert_eq!(names["resolver"].as_str(), Some("192.0.2.53:5353"));
    assert_eq!(imported.site("Not")["contains_not"].as_str(), Some("error"));
    assert_eq!(text["contains"].as_str(), Some("All \"systems\"\ngo"));
    assert_eq!(text["paused"].as_bool(), Some(true));
    assert_eq!(text["expect_status"].as_str(), Some("301"));
    assert_eq!(text["confirm"].as_integer(), Some(1));
    assert_eq!(imported.lacks("Text"), [""; 0]);
    let json = imported.site("JSON")["json"][0].as_table().unwrap().clone();
    assert_eq!(
        (json["path"].as_str(), json["equals"].as_bool()),
        (Some("$.ok"), Some(true))
    );
    assert_eq!(imported.lacks("Sum"), ["JSON query $sum(a) > 3"]);
    assert_eq!(
        imported.left_out(),
        [
            "Database: type postgres",
            "Must fail: upside down: it is up while the site fails"
        ]
    );
    assert!(imported.toml.contains("# not here: notifications: Mail\n"));
    assert!(!imported.toml.contains("hush"));
}

#[test]
fn monitors_by_number_are_read_as_well() {
    let imported = import(
        "kuma",
        &[(
            "list.json",
            r#"{"monitorList": {"1": {"id": 1, "name": "A", "type": "http",
                "url": "https://a.example", "interval": 60, "active": 1}}}"#,
        )],
    );
    assert_eq!(imported.site("A")["interval"].as_str(), Some("1m"));
    assert!(
        imported
            .said
            .starts_with("squirrel: 1 site written, 0 left out; 0 settings")
    );
}

#[test]
fn the_database_of_uptime_kuma_is_read_and_not_written() {
    let squirrel = Squirrel::new();
    let path = squirrel.dir().join("kuma.db");
    let file = Connection::open(&path).unwrap();
    // The columns that matter, of the tables as version 2 has them.
    file.execute_batch(
        r#"PRAGMA journal_mode = WAL;
        CREATE TABLE monitor (
            id INTEGER PRIMARY KEY, name VARCHAR(150), active BOOLEAN DEFAULT 1, user_id INTEGER,
            interval INTEGER DEFAULT 20, url TEXT, type VARCHAR(20), hostname VARCHAR(255),
            keyword VARCHAR(255), maxretries INTEGER DEFAULT 0, ignore_tls BOOLEAN DEFAULT 0,
            upside_down BOOLEAN DEFAULT 0, maxredirects INTEGER DEFAULT 10,
            accepted_statuscodes_json TEXT DEFAULT '["200-299"]', retry_interval INTEGER DEFAULT 0,
            method TEXT DEFAULT 'GET', body TEXT, headers TEXT, basic_auth_user TEXT,
            basic_auth_pass TEXT, proxy_id INTEGER, auth_method VARCHAR(250),
            resend_interval INTEGER DEFAULT 0, description TEXT, parent INTEGER,
            invert_keyword BOOLEAN DEFAULT 0, json_path TEXT, expected_value VARCHAR(255),
            timeout DOUBLE DEFAULT 0, cache_bust BOOLEAN DEFAULT 0, conditions TEXT DEFAULT '[]');
        CREATE TABLE tag (id INTEGER PRIMARY KEY, name VARCHAR(255), color VARCHAR(255));
        CREATE TABLE monitor_tag (id INTEGER PRIMARY KEY, monitor_id INTEGER, tag_id INTEGER,
            value TEXT);
        CREATE TABLE notification (id INTEGER PRIMARY KEY, name VARCHAR(255), config TEXT);
        CREATE TABLE monitor_notification (id INTEGER PRIMARY KEY, monitor_id INTEGER,
            notification_id INTEGER);
        INSERT INTO monitor (id, name, type) VALUES (1, 'Group', 'group');
        INSERT INTO monitor (id, name, type, url, keyword, interval, retry_interval, maxretries,
            timeout, parent, active, accepted_statuscodes_json)
            VALUES (2, 'Shop', 'keyword', 'https://shop.example.org', 'basket', 60, 30, 1, 48, 1,
            0, '["200-299", "304"]');
        INSERT INTO monitor (id, name, type, hostname) VALUES (3, 'Ping', 'ping', 'h.example');
        INSERT INTO tag VALUES (7, 'team', '#fff');
        INSERT INTO monitor_tag VALUES (1, 2, 7, 'web');
        INSERT INTO notification VALUES (4, 'Mail', '{"smtpPassword":"hush"}');
        INSERT INTO monitor_notification VALUES (1, 2, 4);"#,
    )
    .unwrap();
    // Kuma runs meanwhile: part of it stands in the journal.
    let finished = squirrel.run(["import", "kuma", "kuma.db", "-o", "sites.toml"]);
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    drop(file);
    // A copy alone, which nobody may write to.
    let bytes = std::fs::read(&path).unwrap();
    let copy = squirrel.run(["import", "kuma", "kuma.db"]);
    assert_eq!(copy.code(), 0, "{}", copy.stderr);
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    let toml = std::fs::read_to_string(squirrel.dir().join("sites.toml")).unwrap();
    assert_eq!(copy.stdout, toml.as_bytes());
    let imported = Imported {
        toml,
        said: finished.stderr,
    };
    let shop = imported.site("Shop");
    assert_eq!(shop["contains"].as_str(), Some("basket"));
    assert_eq!(shop["interval"].as_str(), Some("1m"));
    assert_eq!(shop["timeout"].as_str(), Some("48s"));
    assert_eq!(shop["confirm"].as_integer(), Some(2));
    assert_eq!(shop["confirm_delay"].as_str(), Some("30s"));
    assert_eq!(shop["expect_status"].as_str(), Some("200-299"));
    assert_eq!(shop["paused"].as_bool(), Some(true));
    assert_eq!(shop["tags"][0].as_str(), Some("Group"));
    assert_eq!(shop["tags"][1].as_str(), Some("team:web"));
    assert_eq!(imported.lacks("Shop"), ["1 notification: give it owners"]);
    assert_eq!(
        imported.site("Ping")["url"].as_str(),
        Some("ping://h.example")
    );
    assert!(imported.toml.contains("# not here: notifications: Mail\n"));
    assert!(!imported.toml.contains("hush"));
    assert_eq!(squirrel.run(["config", "check"]).code(), 0);
    // Damaged, or of somebody else.
    squirrel.write("damaged.db", &bytes[..bytes.len() / 2]);
    squirrel.write("short.db", b"SQLite format 3\0");
    let other = Connection::open(squirrel.dir().join("other.db")).unwrap();
    // A view could compute for ever.
    other
        .execute_batch(
            "CREATE VIEW monitor AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)
             SELECT x AS id FROM n",
        )
        .unwrap();
    for name in ["damaged.db", "short.db", "other.db"] {
        let refused = squirrel.run(["import", "kuma", name]);
        refused.assert_no_panic();
        assert_eq!(refused.code(), 2, "{name}");
        assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);
        assert!(refused.stdout.is_empty());
    }
}

const MODULES: &str = r#"
modules:
  http_2xx:
    prober: http
    timeout: 5s
    http:
      valid_http_versions: ["HTTP/1.1", "HTTP/2.0"]
      valid_status_codes: []  # 2xx
      method: GET
      headers:
        Host: vhost.example.com
      follow_redirects: true
      fail_if_ssl: false
      fail_if_body_matches_regexp: ["Could not connect"]
      fail_if_body_not_matches_regexp:
        - "Download the latest version here"
        - "v[0-9]+"
      tls_config:
        insecure_skip_verify: true
      preferred_ip_protocol: "ip4"
  http_login:
    prober: http
    http:
      valid_status_codes: [200, 201, 301]
      follow_redirects: false
      basic_auth: { username: ann, password: secret }
  icmp:
    prober: icmp
"#;

const SCRAPES: &str = r#"
global:
  scrape_interval: 15s
  scrape_timeout: 8s
scrape_configs:
  - job_name: 'blackbox'
    metrics_path: /probe
    params:
      module: [http_2xx]
    static_configs:
      - targets:
        - http://example.org
        - https://example.org
        - example.com:8080
        labels: { env: prod }
    relabel_configs:
      - source_labels: [__address__]
        target_label: __param_target
  - job_name: login
    scrape_interval: 1h30m
    params: { module: [http_login] }
    static_configs: [{ targets: ["https://example.org"] }]
    dns_sd_configs: [{ names: [example.net], type: A, port: 443 }]
  - job_name: pings
    params: { module: [icmp] }
    static_configs: [{ targets: [192.0.2.1] }]
  - job_name: elsewhere
    params: { module: [http_teapot] }
    static_configs: [{ targets: ["https://t.example"] }]
  - job_name: node
    static_configs: [{ targets: ["127.0.0.1:9100"] }]
"#;

#[test]
fn probes_of_prometheus_are_read_with_the_modules_that_they_name() {
    let files = [("blackbox.yml", MODULES), ("prometheus.yml", SCRAPES)];
    let imported = import("blackbox", &files);
    let site = imported.site("example.com:8080");
    assert_eq!(site["url"].as_str(), Some("http://example.com:8080/"));
    assert_eq!(site["interval"].as_str(), Some("15s"));
    assert_eq!(site["timeout"].as_str(), Some("5s"));
    assert_eq!(site["expect_status"].as_str(), Some("200-299"));
    assert_eq!(
        site["contains"].as_str(),
        Some("Download the latest version here")
    );
    assert_eq!(
        (site["tags"][0].as_str(), site["tags"][1].as_str()),
        (Some("blackbox"), Some("env:prod"))
    );
    assert_eq!(
        imported.lacks("example.com:8080"),
        ["header Host", "fail_if_body_matches_regexp"]
    );
    assert_eq!(site["matches"][0].as_str(), Some("v[0-9]+"));
    assert_eq!(site["verify"].as_bool(), Some(false));
    assert_eq!(
        imported.site("192.0.2.1")["url"].as_str(),
        Some("ping://192.0.2.1")
    );
    // http and https of one host, and the same once more, have names of their own.
    assert_eq!(
        imported.site("example.org")["url"].as_str(),
        Some("http://example.org/")
    );
    assert_eq!(
        imported.site("example.org (blackbox)")["url"].as_str(),
        Some("https://example.org/")
    );
    let login = imported.site("example.org (login)");
    assert_eq!(
        login["url"].as_str(),
        Some("https://ann:secret@example.org/")
    );
    assert_eq!(login["interval"].as_str(), Some("90m"));
    assert_eq!(login["timeout"].as_str(), Some("8s"));
    assert_eq!(login["max_redirects"].as_integer(), Some(0));
    assert_eq!(login["expect_status"].as_str(), Some("200-201,301"));
    assert_eq!(
        imported.lacks("t.example"),
        ["module http_teapot is in none of the files"]
    );
    assert_eq!(imported.left_out(), [""; 0]);
    assert!(
        imported
            .toml
            .contains("# not here: job login: targets found by dns_sd_configs\n")
    );
    assert!(
        imported
            .toml
            .contains("# not here: job node: it probes nothing\n")
    );
}

#[test]
fn a_list_is_a_url_a_line_with_a_name_behind_it() {
    let list = "\u{feff}# ours\nhttps://example.org\n\nhttps://example.org/b  The shop\n\
                example.net/status\nftp://example.org\nhttps://example.org\n; other\n";
    let imported = import("list", &[("urls.txt", list)]);
    assert_eq!(
        imported.site("example.org")["url"].as_str(),
        Some("https://example.org/")
    );
    assert_eq!(
        imported.site("The shop")["url"].as_str(),
        Some("https://example.org/b")
    );
    let bare = imported.site("example.net/status");
    assert_eq!(bare["url"].as_str(), Some("https://example.net/status"));
    assert_eq!(
        imported.lacks("example.net/status"),
        ["no scheme was given: https is taken"]
    );
    imported.site("example.org (2)");
    assert_eq!(
        imported.left_out(),
        ["ftp://example.org: line 6: ftp://example.org is of no kind of check"]
    );
}

#[test]
fn the_sites_of_a_status_page_of_upptime_are_taken_over() {
    let imported = import(
        "upptime",
        &[(
            ".upptimerc.yml",
            r#"
owner: example
repo: status
sites:
  - name: Shop
    url: https://shop.example.org
    method: POST
    body: '{"ping": 1}'
    headers:
      - "Content-Type: application/json"
      - "Authorization: Bearer $TOKEN"
      - "X-Key: $KEY"
    expectedStatusCodes: [200, 201]
    maxResponseTime: 5000
    maxRedirects: 0
    icon: https://icons.example.org/shop.svg
    __dangerous__insecure: true
    __dangerous__body_down: Fatal
    __dangerous__body_down_if_text_missing: Welcome
    __dangerous__body_degraded: slow
  - name: Plain
    url: https://plain.example.org
  - name: Database
    check: "tcp-ping"
    url: db.example.org
    port: 5432
  - name: Hidden
    url: $SECRET_SITE
  - name: Socket
    check: ws
    url: wss://socket.example.org
workflowSchedule:
  uptime: "*/10 * * * *"
status-website:
  cname: status.example.org
notifications:
  - type: slack
"#,
        )],
    );
    let shop = imported.site("Shop");
    assert_eq!(shop["method"].as_str(), Some("POST"));
    assert_eq!(shop["body"].as_str(), Some("{\"ping\": 1}"));
    assert_eq!(
        shop["headers"]["Content-Type"].as_str(),
        Some("application/json")
    );
    assert_eq!(shop["expect_status"].as_str(), Some("200-201"));
    assert_eq!(shop["slow"].as_str(), Some("5s"));
    assert_eq!(shop["interval"].as_str(), Some("10m"));
    assert_eq!(shop["max_redirects"].as_integer(), Some(0));
    assert_eq!(shop["verify"].as_bool(), Some(false));
    assert_eq!(shop["contains"].as_str(), Some("Welcome"));
    assert_eq!(shop["contains_not"].as_str(), Some("Fatal"));
    assert_eq!(
        imported.lacks("Shop"),
        ["header X-Key: a secret", "__dangerous__body_degraded"]
    );
    let plain = imported.site("Plain");
    assert_eq!(plain["expect_status"].as_str(), Some("200-208,226"));
    assert_eq!(plain["max_redirects"].as_integer(), Some(3));
    let database = imported.site("Database");
    assert_eq!(database["url"].as_str(), Some("tcp://db.example.org:5432"));
    assert_eq!(database.get("max_redirects"), None);
    assert_eq!(
        imported.left_out(),
        [
            "Hidden: its URL is a secret of the repository",
            "Socket: a check by ws"
        ]
    );
    assert!(
        imported
            .toml
            .contains("# not here: notifications by slack: give it owners\n")
    );
}
