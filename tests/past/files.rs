//! `squirrel history`: results out of the file and into another, and the file made small.

use rusqlite::{Connection, params};
use rustix::process::Signal;
use serde_json::Value;

use super::sites::{DAY, assert_same_report, empty, named, now, outage, result, run, site, text};
use crate::monitor::sites::script;
use crate::owners::sites::{BROKEN, WELL, count, history, home, is, watch};
use crate::support::{Fleet, Squirrel, unsafe_characters, until};

fn report(squirrel: &Squirrel, file: &str) -> Vec<Value> {
    let args = [
        "report",
        "--format",
        "json",
        "--since",
        "90d",
        "--history",
        file,
    ];
    let finished = squirrel.run(args);
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    finished.objects()
}

fn import(squirrel: &Squirrel, file: &str, into: &str) -> String {
    let finished = squirrel.run(["history", "import", file, "--history", into]);
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    finished.assert_no_panic();
    text(&finished)
}

/// A history of three sites over some hours, with everything that a result can be.
fn some_history(names: &[&str]) -> Squirrel {
    let squirrel = Squirrel::new();
    let connection = empty(&squirrel);
    let begin = now() - 4 * 3_600;
    for (place, name) in names.iter().enumerate() {
        let place = place as i64;
        let site = site(&connection, name, &format!("http://site{place}.invalid/"));
        for minute in 0..200 {
            let reason = [0, 0, 11, 0, 0, 2, 2, 13, 1, 0][(minute + place) as usize % 10];
            let at = begin + 60 * minute;
            result(&connection, site, at, reason, 20 + minute);
            if minute % 50 == 7 {
                connection
                    .execute(
                        "INSERT INTO missed VALUES (?1, ?2, 0, 0)",
                        (at * 1_000_000 + 500 + site, site),
                    )
                    .unwrap();
            }
        }
    }
    squirrel
}

#[test]
fn what_is_exported_comes_back_whole_and_is_counted_once() {
    let names = ["plain", "=cmd|'/C calc'!A0", "'quoted', \"twice\""];
    for (format, controls) in [("jsonl", "\u{1b}[2J\u{202e}"), ("csv", "")] {
        let last = format!("{}{controls}", names[2]);
        let squirrel = some_history(&[names[0], names[1], &last]);
        let exported = run(&squirrel, &["history", "export", "--format", format]);
        let lines = text(&exported);
        assert_eq!(
            lines.lines().count(),
            3 * 204 + usize::from(format == "csv")
        );
        let visible = lines.replace("\r\n", "\n");
        assert_eq!(unsafe_characters(&visible), Vec::<char>::new());
        squirrel.write("export", &lines);
        let said = import(&squirrel, "export", "other.db");
        assert!(
            said.starts_with("612 results taken, 0 known already, "),
            "{said}"
        );
        let again = import(&squirrel, "export", "other.db");
        assert!(
            again.starts_with("0 results taken, 612 known already, 0 outages"),
            "{again}"
        );
        let (one, two) = (
            report(&squirrel, "history.db"),
            report(&squirrel, "other.db"),
        );
        assert_eq!(one.len(), 3);
        for row in &one {
            let twin = named(&two, row["name"].as_str().unwrap());
            for column in [
                "url",
                "checks",
                "missed",
                "unknown",
                "p50_ms",
                "p95_ms",
                "maintenance_s",
            ] {
                assert_eq!(row[column], twin[column], "{column}");
            }
            let seen = |row: &Value| row["seen_percent"].as_f64().unwrap();
            assert!((seen(row) - seen(twin)).abs() < 0.01, "{row} {twin}");
            // Two failures in a row are an outage under the rules that hold.
            assert!(twin["outages"].as_u64() > Some(10), "{twin}");
        }
        let args = [
            "history",
            "export",
            "--format",
            format,
            "--history",
            "other.db",
        ];
        assert_eq!(text(&squirrel.run(args)), lines);
    }
}

#[test]
fn an_export_has_a_line_a_result_and_begins_where_it_is_told_to() {
    let squirrel = some_history(&["shop"]);
    let lines = run(&squirrel, &["history", "export", "--since", "2h"]).objects();
    assert!((75..=82).contains(&lines.len()), "{}", lines.len());
    let times: Vec<_> = lines
        .iter()
        .map(|line| line["at"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted() && times[0].ends_with('Z'), "{times:?}");
    let slow = lines.iter().find(|line| line["reason"] == "slow").unwrap();
    assert_eq!(slow["verdict"], "degraded");
    assert_eq!(slow["name"], "shop");
    let missed = lines
        .iter()
        .find(|line| line["verdict"] == "missed")
        .unwrap();
    assert_eq!(missed["latency_ms"], Value::Null);
    // In CSV the heading stands there without a row as well.
    let csv = |since| {
        let finished = run(
            &squirrel,
            &["history", "export", "--format", "csv", "--since", since],
        );
        text(&finished)
    };
    let (some, none) = (csv("2h"), csv("1m"));
    assert!(
        some.lines().count() > 70 && none.lines().count() == 1,
        "{none}"
    );
    assert_eq!(some.lines().next(), none.lines().next());
    // It names the fields of the lines, in their order.
    let fields: Vec<_> = slow.as_object().unwrap().keys().cloned().collect();
    let heading: std::collections::BTreeSet<_> = none.trim_end().split(',').collect();
    assert_eq!(heading, fields.iter().map(String::as_str).collect());
    let row = some.lines().find(|line| line.contains(",slow,")).unwrap();
    let cells: Vec<_> = none.trim_end().split(',').zip(row.split(',')).collect();
    assert!(cells.contains(&("verdict", "degraded")) && cells.contains(&("reason", "slow")));
}

#[test]
fn summaries_of_imported_results_stay_when_the_results_have_gone() {
    let squirrel = Squirrel::new();
    squirrel.write(
        "sites.toml",
        "[history]\nraw = '7d'\n[[sites]]\nurl = 'http://x.invalid'\n",
    );
    let connection = empty(&squirrel);
    let shop = site(&connection, "shop", "http://shop.invalid/");
    // Ten minutes before every full hour.
    let hour = |seconds: i64| seconds / 3_600 * 3_600;
    let begin = hour(now() - 50 * DAY) + 3_000;
    for hour in 0..(50 * 24) {
        result(&connection, shop, begin + 3_600 * hour, hour % 4 / 3, 40);
    }
    drop(connection);
    squirrel.write("export", text(&run(&squirrel, &["history", "export"])));
    let said = import(&squirrel, "export", "other.db");
    assert!(said.starts_with("1,200 results taken"), "{said}");
    assert!(said.contains("[history] raw"), "{said}");
    let before = report(&squirrel, "other.db");
    assert_eq!(named(&before, "shop")["checks"], 1_200);
    // It begins within an hour, where only summaries of five minutes know what belongs to it.
    let span = format!("{}s", now() - hour(now() - 45 * DAY) - 2_700);
    let part = || {
        let args = [
            "report",
            "--format",
            "json",
            "--since",
            &span,
            "--history",
            "other.db",
        ];
        squirrel.run(args).objects()
    };
    let part_before = part();
    assert_eq!(named(&part_before, "shop")["checks"], 45 * 24);
    let compact = || {
        let compacted = squirrel.run(["history", "compact", "--history", "other.db"]);
        assert_eq!(compacted.code(), 0, "{}", compacted.stderr);
    };
    compact();
    let other = Connection::open(squirrel.dir().join("other.db")).unwrap();
    let rows = || -> i64 {
        other
            .query_row("SELECT count(*) FROM results", [], |row| row.get(0))
            .unwrap()
    };
    assert!((160..=170).contains(&rows()), "{}", rows());
    assert_same_report(&report(&squirrel, "other.db"), &before);
    assert_same_report(&part(), &part_before);
    // The old ones come in again, as they are not known any more, and nothing is counted twice.
    import(&squirrel, "export", "other.db");
    assert_eq!(rows(), 1_200);
    assert_same_report(&report(&squirrel, "other.db"), &before);
    assert_same_report(&part(), &part_before);
    // Others of days that are packed are counted with those that are known.
    compact();
    let count = |sql: &str| -> i64 { other.query_row(sql, [], |row| row.get(0)).unwrap() };
    let packed = count("SELECT count(*) FROM packed_5m");
    assert!((14..=16).contains(&packed), "{packed}");
    let old = format!(
        "SELECT count(*) FROM rollup_5m WHERE start < {}",
        now() - 37 * DAY
    );
    assert_eq!(count(&old), 0);
    let connection = empty(&squirrel);
    connection.execute("DELETE FROM results", []).unwrap();
    for hour in 0..24 {
        result(&connection, shop, begin + 3_600 * hour + 1_200, 0, 40);
    }
    drop(connection);
    squirrel.write("more", text(&run(&squirrel, &["history", "export"])));
    import(&squirrel, "more", "other.db");
    compact();
    assert_eq!(
        named(&report(&squirrel, "other.db"), "shop")["checks"],
        1_224
    );
    assert_eq!(count(&old), 0);
}

#[test]
fn an_import_that_was_cut_off_is_made_whole_by_the_next() {
    let squirrel = Squirrel::new();
    let connection = empty(&squirrel);
    let shop = site(&connection, "shop", "http://shop.invalid/");
    let begin = now() - 20 * DAY;
    for hour in 0..48 {
        result(&connection, shop, begin + 3_600 * hour, 0, 40);
    }
    // Everything up to now is rolled up but these rows, which are there unmarked.
    connection
        .execute(
            "INSERT INTO marks VALUES ('rolled', ?1)",
            [now() / 300 * 300],
        )
        .unwrap();
    drop(connection);
    assert_eq!(report(&squirrel, "history.db"), Vec::<Value>::new());
    squirrel.write("export", text(&run(&squirrel, &["history", "export"])));
    let said = import(&squirrel, "export", "history.db");
    assert!(
        said.starts_with("0 results taken, 48 known already"),
        "{said}"
    );
    assert_eq!(report(&squirrel, "history.db")[0]["checks"], 48);
}

#[test]
fn what_a_killed_import_left_is_rolled_up_by_the_next_monitor() {
    let mut fleet = Fleet::new();
    let live = fleet.serve(script(WELL));
    let squirrel = home(&fleet, &live, "", "");
    let connection = empty(&squirrel);
    let shop = site(&connection, "old", "http://old.invalid/");
    // Everything up to now is rolled up but these rows, which are marked; most of the marked
    // buckets have no row any more.
    let begin = (now() - 60 * DAY) / 300 * 300;
    connection
        .execute_batch(&format!(
            "BEGIN;
             WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 11999)
             INSERT INTO due_rollups SELECT 0, {begin} + i * 300 FROM n;
             WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1199)
             INSERT INTO results SELECT ({begin} + i * 3000) * 1000000, {shop}, 0, 200, 5000, 0, 60000, 0 FROM n;
             INSERT INTO marks VALUES ('rolled', {});
             COMMIT",
            now() / 300 * 300
        ))
        .unwrap();
    // A monitor wrote it just now.
    let recent = site(&connection, "recent", "http://recent.invalid/");
    result(&connection, recent, now() - 60, 0, 5);
    drop(connection);
    let mut running = watch(&squirrel);
    running.wait_for("the start", is("started"));
    until("all that was marked is rolled up", || {
        count(&squirrel, "SELECT count(*) FROM due_rollups") == 0
    });
    // They are older than results are kept: now they go.
    until("the results have gone", || {
        let old = format!("SELECT count(*) FROM results WHERE site = {shop}");
        count(&squirrel, &old) == 0
    });
    running.signal(Signal::TERM);
    let finished = running.finish();
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    let rows = report(&squirrel, "history.db");
    assert_eq!(named(&rows, "old")["checks"], 1_200);
}

#[test]
fn a_clock_that_is_ahead_at_the_start_deletes_nothing() {
    let mut fleet = Fleet::new();
    let live = fleet.serve(script(WELL));
    let squirrel = home(&fleet, &live, "", "");
    let connection = empty(&squirrel);
    let shop = site(&connection, "old", "http://old.invalid/");
    // As it looks when the clock is two months ahead: everything is older than it is kept.
    let newest = now() - 60 * DAY;
    for hour in 0..100 {
        result(&connection, shop, newest - hour * 3_600, 0, 5);
    }
    drop(connection);
    let mut running = watch(&squirrel);
    running.wait_for("the start", is("started"));
    let retained = "SELECT coalesce(max(value), 0) FROM marks WHERE name = 'retained'";
    until("old rows were looked for", || {
        count(&squirrel, retained) > 0
    });
    let old = format!("SELECT count(*) FROM results WHERE site = {shop}");
    until("all is rolled up, so that nothing else keeps a row", || {
        let rolled = count(&squirrel, "SELECT value FROM marks WHERE name = 'rolled'");
        rolled > newest || count(&squirrel, &old) < 100
    });
    running.signal(Signal::TERM);
    assert_eq!(running.finish().code(), 0);
    assert_eq!(count(&squirrel, &old), 100);
    assert!((newest..newest + DAY).contains(&count(&squirrel, retained)));
    // What is done at once keeps to the same.
    let compacted = squirrel.run(["history", "compact", "--history", "history.db"]);
    assert_eq!(compacted.code(), 0, "{}", compacted.stderr);
    assert_eq!(count(&squirrel, &old), 100);
}

#[test]
fn a_row_without_end_is_refused_and_takes_no_memory() {
    let squirrel = Squirrel::new();
    let head = "at,name,url,verdict,reason,status,latency_ms,late_ms\r\n";
    let row_at = |second: i64| {
        let at = jiff::Timestamp::from_second(now() - DAY + second).unwrap();
        format!("{at},shop,http://shop.invalid/,up,,200,5,0\r\n")
    };
    let row = row_at(0);
    let endless = "x".repeat(96 << 20);
    for (name, text) in [
        ("plain", format!("{head}{row}{endless}")),
        // Line breaks within quotes end no row.
        (
            "quoted",
            format!("{head}{row}\"{}", endless.replace("xxxxxxxx", "xxxxxxx\n")),
        ),
        ("head", format!("{}{endless}", head.trim_ascii_end())),
    ] {
        squirrel.write(name, text);
        let mut running = squirrel.start(["history", "import", name, "--history", "into.db"]);
        while running.wait_for_line() {}
        let peak = running.peak_rss();
        assert!(peak < 48 << 20, "{name}: {peak}");
        let finished = running.finish();
        assert_eq!(finished.code(), 2, "{name}");
        let line = if name == "head" { 1 } else { 3 };
        let sentence = format!("{name}:{line}: not a line of squirrel history export: longer than");
        assert!(finished.stderr.contains(&sentence), "{}", finished.stderr);
    }
    assert_eq!(report(&squirrel, "into.db")[0]["checks"], 1);
    // Rows in their thousands are read all the same.
    let many: String = (0..5_000).map(|number| row_at(number % 3_600)).collect();
    squirrel.write("many", format!("{head}{many}"));
    let said = import(&squirrel, "many", "many.db");
    assert!(
        said.starts_with("3,600 results taken, 1,400 known already"),
        "{said}"
    );
}

#[test]
fn while_a_monitor_has_the_file_it_is_read_and_not_worked_on() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(BROKEN));
    let squirrel = home(&fleet, &site, "", "");
    squirrel.write("export", "");
    let mut running = watch(&squirrel);
    running.wait_for("the outage", is("down"));
    until("a result is stored", || {
        count(&squirrel, "SELECT count(*) FROM results") > 0
    });
    for args in [
        &["history", "compact"][..],
        &["history", "import", "export"],
    ] {
        let finished = squirrel.run([args, &["--history", "history.db"]].concat());
        assert_eq!(finished.code(), 2, "{args:?}");
        let sentence = format!(
            "history.db: a monitor keeps its history here (process {}); end it first",
            running.pid()
        );
        assert!(finished.stderr.contains(&sentence), "{}", finished.stderr);
    }
    let lines = run(&squirrel, &["history", "export"]).objects();
    assert_eq!(lines[0]["status"], 503);
}

#[test]
fn what_is_too_old_goes_and_its_room_is_given_back() {
    let squirrel = Squirrel::new();
    let connection = empty(&squirrel);
    let shop = site(&connection, "shop", "http://shop.invalid/");
    connection
        .execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
             INSERT INTO results SELECT ?1 + i * 1000, ?2, 0, 200, 50000, 0, 1, 0 FROM n",
            params![(now() - 30 * DAY) * 1_000_000, shop],
        )
        .unwrap();
    result(&connection, shop, now() - 60, 0, 50);
    drop(connection);
    let finished = run(&squirrel, &["history", "compact"]);
    let said = text(&finished);
    let bytes: Vec<u64> = said
        .split(' ')
        .filter_map(|word| word.parse().ok())
        .collect();
    let [before, after] = bytes[..] else {
        panic!("{said}")
    };
    assert!(after * 10 < before, "{said}");
    let size = std::fs::metadata(squirrel.dir().join("history.db"))
        .unwrap()
        .len();
    assert_eq!(size, after);
    assert_eq!(report(&squirrel, "history.db")[0]["checks"], 100_001);
    let missing = squirrel.run(["history", "compact", "--history", "none.db"]);
    assert_eq!(missing.code(), 2);
    assert!(!squirrel.dir().join("none.db").exists());
}

#[test]
fn an_export_of_many_results_takes_no_memory_and_ends_with_its_reader() {
    let squirrel = Squirrel::new();
    let connection = empty(&squirrel);
    let shop = site(&connection, "shop", "http://shop.invalid/");
    connection
        .execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
             INSERT INTO results SELECT ?1 + i, ?2, 0, 200, 50000, 0, 1, 0 FROM n",
            params![(now() - DAY) * 1_000_000, shop],
        )
        .unwrap();
    drop(connection);
    let args = ["history", "export", "--history", "history.db"];
    let mut running = squirrel.start(args);
    running.wait_for_lines(200_000);
    let peak = running.peak_rss();
    assert!(peak > 0 && peak < 64 << 20, "{peak}");
    assert_eq!(running.finish().code(), 0);
    for format in ["jsonl", "csv"] {
        let mut running = squirrel.start([&args[..], &["--format", format]].concat());
        running.wait_for_line();
        running.close_stdout();
        let finished = running.finish();
        assert_eq!(finished.code(), 0, "{format}: {}", finished.stderr);
        assert_eq!(finished.stderr, "");
    }
}

#[test]
fn uptime_kumas_file_is_taken_over() {
    let squirrel = Squirrel::new();
    squirrel.write(
        "sites.toml",
        "[[sites]]\nname = 'Shop'\nurl = 'https://shop.example.org'\n",
    );
    let kuma = Connection::open(squirrel.dir().join("kuma.db")).unwrap();
    // The tables as version 1 makes them (db/kuma.db and its patches), columns of the results.
    kuma.execute_batch(
        "CREATE TABLE monitor (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, name VARCHAR(150),
             active BOOLEAN NOT NULL DEFAULT 1, user_id INTEGER, interval INTEGER NOT NULL DEFAULT 20,
             url TEXT, type VARCHAR(20), weight INTEGER DEFAULT 2000, hostname VARCHAR(255),
             port INTEGER, created_date DATETIME DEFAULT (DATETIME('now')) NOT NULL,
             keyword VARCHAR(255), maxretries INTEGER NOT NULL DEFAULT 0);
         CREATE TABLE heartbeat (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
             important BOOLEAN NOT NULL DEFAULT 0, monitor_id INTEGER NOT NULL,
             status SMALLINT NOT NULL, msg TEXT, time DATETIME NOT NULL, ping INTEGER,
             duration INTEGER NOT NULL DEFAULT 0, down_count INTEGER NOT NULL DEFAULT 0);
         INSERT INTO monitor (id, name, url, type) VALUES
             (1, 'Shop', 'https://shop.example.org', 'http'),
             (2, 'Blog', 'http://ann:secret@blog.example.org/a', 'keyword'),
             (3, 'Router', 'https://', 'ping');",
    )
    .unwrap();
    let begin = now() - 3_600;
    let beat = |monitor: i64, minute: i64, status: i64, ping: Option<i64>, words: &str| {
        let at = jiff::Timestamp::from_second(begin + 60 * minute).unwrap();
        let time = at.strftime("%Y-%m-%d %H:%M:%S.527").to_string();
        kuma.execute(
            "INSERT INTO heartbeat (monitor_id, status, msg, time, ping) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![monitor, status, words, time, ping],
        )
        .unwrap();
    };
    for (minute, status, ping, words) in [
        (0, 1, Some(120), "200 - OK"),
        (1, 2, None, "timeout of 48000ms exceeded"),
        (2, 0, None, "Request failed with status code 503"),
        (3, 0, None, "connect ECONNREFUSED 203.0.113.7:443"),
        (4, 1, Some(130), "200 - OK"),
        (5, 1, Some(125), "200 - OK"),
        (6, 3, None, "Monitor under maintenance"),
    ] {
        beat(1, minute, status, ping, words);
        beat(2, minute, 1, Some(40), "200 - OK, keyword is found");
        beat(3, minute, 1, Some(2), "");
    }
    drop(kuma);
    let said = import(&squirrel, "kuma.db", "history.db");
    assert_eq!(
        said,
        "13 results taken, 0 known already, 1 outage found in them\nfrom Uptime Kuma\n\
         1 monitor left out: not of a website, as far as the file tells\n1 result left out\n"
    );
    let rows = report(&squirrel, "history.db");
    let shop = named(&rows, "Shop");
    assert_eq!(shop["url"], "https://shop.example.org/");
    assert_eq!(shop["checks"], 6);
    // From the first failure to the first good check: three of the five minutes that were seen.
    assert_eq!(shop["downtime_s"], 180.0);
    assert_eq!(shop["uptime_percent"], 40.0);
    assert_eq!(
        named(&rows, "Blog")["url"],
        "http://ann:***@blog.example.org/a"
    );
    let lines = run(&squirrel, &["history", "export"]).objects();
    let reasons: Vec<_> = lines
        .iter()
        .filter(|line| line["name"] == "Shop" && line["verdict"] == "down")
        .map(|line| (line["reason"].as_str().unwrap(), line["status"].as_u64()))
        .collect();
    assert_eq!(
        reasons,
        [("timeout", None), ("status", Some(503)), ("refused", None)]
    );
    let causes: String = history(&squirrel)
        .query_row("SELECT causes FROM outages", [], |row| row.get(0))
        .unwrap();
    let causes: Value = serde_json::from_str(&causes).unwrap();
    let met: Vec<_> = causes
        .as_array()
        .unwrap()
        .iter()
        .map(|cause| &cause["reason"])
        .collect();
    assert_eq!(met, ["timeout", "status", "refused"]);
    let again = import(&squirrel, "kuma.db", "history.db");
    assert!(
        again.starts_with("0 results taken, 13 known already, 0 outages"),
        "{again}"
    );
    assert_eq!(
        named(&report(&squirrel, "history.db"), "Shop")["outages"],
        1
    );
}

#[test]
fn gatus_file_is_taken_over_as_far_as_it_tells_what_it_watched() {
    let squirrel = Squirrel::new();
    squirrel.write(
        "sites.toml",
        "[[sites]]\nname = 'shop'\nurl = 'https://shop.example.org/health'\n",
    );
    let gatus = Connection::open(squirrel.dir().join("data.db")).unwrap();
    gatus
        .execute_batch(
            "CREATE TABLE endpoints (endpoint_id INTEGER PRIMARY KEY, endpoint_key TEXT UNIQUE,
                 endpoint_name TEXT, endpoint_group TEXT, UNIQUE(endpoint_name, endpoint_group));
             CREATE TABLE endpoint_results (endpoint_result_id INTEGER PRIMARY KEY,
                 endpoint_id INTEGER REFERENCES endpoints(endpoint_id) ON DELETE CASCADE,
                 success INTEGER, errors TEXT, connected INTEGER, status INTEGER, dns_rcode TEXT,
                 certificate_expiration INTEGER, domain_expiration INTEGER, hostname TEXT,
                 ip TEXT, duration INTEGER, timestamp TIMESTAMP);
             INSERT INTO endpoints VALUES (1, 'core_shop', 'shop', 'core'),
                 (2, 'core_blog', 'blog', 'core'), (3, '_dns', 'dns', '');",
        )
        .unwrap();
    let begin = now() - 3_600;
    let result = |endpoint: i64, minute: i64, status: i64, errors: &str| {
        let at = jiff::Timestamp::from_second(begin + 60 * minute).unwrap();
        let time = at
            .strftime("%Y-%m-%d %H:%M:%S.123456789 +0000 UTC")
            .to_string();
        gatus
            .execute(
                "INSERT INTO endpoint_results (endpoint_id, success, errors, connected, status,
                     dns_rcode, hostname, duration, timestamp)
                 VALUES (?1, ?2, ?3, 1, ?4, '', ?5, 85000000, ?6)",
                params![
                    endpoint,
                    status == 200 || endpoint == 3,
                    errors,
                    status,
                    "blog.example.org",
                    time
                ],
            )
            .unwrap();
    };
    result(
        1,
        0,
        0,
        "Get \"https://shop.example.org\": dial tcp: lookup shop: no such host",
    );
    result(
        1,
        1,
        0,
        "Get \"https://shop.example.org\": context deadline exceeded",
    );
    result(1, 2, 200, "");
    result(2, 0, 200, "");
    result(2, 1, 503, "");
    result(3, 0, 0, "");
    drop(gatus);
    let said = import(&squirrel, "data.db", "history.db");
    assert!(
        said.starts_with(
            "5 results taken, 0 known already, 1 outage found in them\nfrom Gatus\n\
         1 monitor left out"
        ),
        "{said}"
    );
    let rows = report(&squirrel, "history.db");
    assert_eq!(
        named(&rows, "shop")["url"],
        "https://shop.example.org/health"
    );
    assert_eq!(named(&rows, "shop")["checks"], 3);
    assert_eq!(
        named(&rows, "core/blog")["url"],
        "https://blog.example.org/"
    );
    // A failure that nothing confirmed is time up.
    assert_eq!(named(&rows, "core/blog")["uptime_percent"], 100.0);
    let latency = named(&rows, "core/blog")["p50_ms"].as_f64().unwrap();
    assert!((83.0..87.0).contains(&latency), "{latency}");
    import(&squirrel, "data.db", "history.db");
    assert_eq!(report(&squirrel, "history.db"), rows);
}

#[test]
fn a_file_that_is_none_of_these_is_refused_and_what_stands_before_a_mistake_is_taken() {
    let squirrel = some_history(&["shop"]);
    let mut lines = text(&run(&squirrel, &["history", "export"]));
    let good = lines.lines().count();
    outage(
        &Connection::open(squirrel.dir().join("history.db")).unwrap(),
        1,
        now(),
        None,
    );
    for (line, why) in [
        ("{\"at\": \"soon\"}", "missing field"),
        ("not json", "not JSON from character 2 on"),
        (
            "{\"at\":\"soon\",\"name\":\"a\",\"url\":\"b\",\"verdict\":\"up\"}",
            "expected a time",
        ),
        (
            "{\"at\":\"2026-01-01T00:00:00Z\",\"name\":\"a\",\"url\":\"b\",\"verdict\":\"down\"}",
            "expected a reason with every verdict but up",
        ),
        (
            "{\"at\":\"2026-01-01T00:00:00Z\",\"name\":\"a\",\"url\":\"b\",\"verdict\":\"up\",\"latency_ms\":-1}",
            "expected a latency of at least 0",
        ),
    ] {
        squirrel.write("export", format!("{lines}{line}\n"));
        let finished = squirrel.run(["history", "import", "export", "--history", "other.db"]);
        assert_eq!(finished.code(), 2, "{line}");
        finished.assert_no_panic();
        let place = format!("export:{}: not a line of squirrel history export", good + 1);
        assert!(finished.stderr.contains(&place), "{}", finished.stderr);
        assert!(finished.stderr.contains(why), "{line}: {}", finished.stderr);
    }
    assert_eq!(report(&squirrel, "other.db")[0]["checks"], 200);
    lines.truncate(0);
    for (name, content) in [("text", "hello"), ("none", "")] {
        if name == "text" {
            squirrel.write(name, content);
        }
        let finished = squirrel.run(["history", "import", name, "--history", "other.db"]);
        assert_eq!(finished.code(), 2, "{name}");
        assert!(finished.stderr.contains(name), "{}", finished.stderr);
    }
    let own = squirrel.run(["history", "import", "history.db", "--history", "other.db"]);
    assert_eq!(own.code(), 2);
    assert!(
        own.stderr.contains("squirrel history export"),
        "{}",
        own.stderr
    );
}
