//! `squirrel report`: figures of the past, in every format.

use serde_json::{Value, json};

use super::sites::{DAY, empty, named, now, outage, result, run, site, text};
use crate::monitor::sites::script;
use crate::owners::sites::{BROKEN, WELL, count, home_of, is, watch};
use crate::support::{Fleet, Squirrel, unsafe_characters, until};

const COLUMNS: [&str; 11] = [
    "name",
    "url",
    "uptime_percent",
    "checks",
    "missed",
    "unknown",
    "outages",
    "downtime_s",
    "mttr_s",
    "p50_ms",
    "p95_ms",
];

fn report(squirrel: &Squirrel, args: &[&str]) -> Vec<Value> {
    let args = [&["report", "--format", "json"], args].concat();
    run(squirrel, &args).objects()
}

#[test]
fn a_running_monitor_is_reported_on_without_disturbing_it() {
    let mut fleet = Fleet::new();
    let (well, broken) = (fleet.serve(script(WELL)), fleet.serve(script(BROKEN)));
    let squirrel = home_of(
        &fleet,
        &[("well", &well), ("broken", &broken)],
        "push = 'x'",
        "[notify.push]\nurl = 'http://127.0.0.1:9/'",
    );
    let list = std::fs::read_to_string(squirrel.dir().join("sites.toml")).unwrap();
    let idle = "\n[[sites]]\nname = 'idle'\nurl = 'http://127.0.0.1:9/'\npaused = true\n";
    squirrel.write("sites.toml", list + idle);
    let mut running = watch(&squirrel);
    running.wait_for("the outage", is("down"));
    until("two results of each are stored", || {
        count(
            &squirrel,
            "SELECT count(*) FROM (SELECT 1 FROM results GROUP BY site HAVING count(*) > 1)",
        ) == 2
    });
    let rows = report(&squirrel, &["--since", "1h"]);
    let printed = text(&run(&squirrel, &["report", "--format", "json"]));
    let places = COLUMNS.map(|column| printed.find(&format!("\"{column}\":")).unwrap());
    assert!(places.is_sorted(), "{printed}");
    let keys: Vec<_> = rows[0].as_object().unwrap().keys().cloned().collect();
    let mut sorted = COLUMNS.map(str::to_owned).to_vec();
    sorted.sort();
    assert_eq!(keys, sorted);
    let (well, broken, idle) = (
        named(&rows, "well"),
        named(&rows, "broken"),
        named(&rows, "idle"),
    );
    assert_eq!(well["uptime_percent"], 100.0);
    assert!(well["p50_ms"].as_f64().unwrap() > 0.0 && well["checks"].as_u64() >= Some(2));
    assert_eq!(broken["uptime_percent"], 0.0);
    assert_eq!(broken["outages"], 1);
    assert!(broken["downtime_s"].as_f64().unwrap() > 0.0, "{broken}");
    assert_eq!(broken["mttr_s"], Value::Null);
    assert_eq!(idle["checks"], 0);
    assert_eq!(idle["uptime_percent"], Value::Null);
    // It goes on as if nothing had been.
    let kept = count(&squirrel, "SELECT count(*) FROM results");
    until("results are stored after the report", || {
        count(&squirrel, "SELECT count(*) FROM results") > kept
    });
}

/// A home with a site of each kind, with their results.
fn known() -> Squirrel {
    let squirrel = Squirrel::new();
    let connection = empty(&squirrel);
    let now = now();
    let shop = site(&connection, "shop", "http://shop.invalid/");
    for (minute, reason) in [0, 0, 11, 0, 2, 2, 13, 0, 0, 12].into_iter().enumerate() {
        result(
            &connection,
            shop,
            now - 3_600 + 60 * minute as i64,
            reason,
            100,
        );
    }
    outage(&connection, shop, now - 3_360, Some(now - 3_180));
    // Began before the span, and ended in it.
    outage(&connection, shop, now - 2 * DAY, Some(now - DAY + 600));
    // Over long ago.
    outage(&connection, shop, now - 9 * DAY, Some(now - 8 * DAY));
    connection
        .execute(
            "INSERT INTO missed VALUES (?1, ?2)",
            ((now - 60) * 1_000_000, shop),
        )
        .unwrap();
    let gone = site(&connection, "gone", "http://gone.invalid/");
    result(&connection, gone, now - 600, 0, 20);
    outage(&connection, gone, now - 500, None);
    // The same name under another URL is another site.
    let other = site(&connection, "shop", "http://old.invalid/");
    result(&connection, other, now - 600, 1, 20);
    squirrel.write(
        "sites.toml",
        "[owners.ops]\npush = 'x'\n[owners.dev]\npush = 'y'\n\
         [[sites]]\nname = 'new'\nurl = 'http://new.invalid'\ntags = ['b']\nowners = ['dev', 'ops']\n\
         [[sites]]\nname = 'shop'\nurl = 'http://shop.invalid'\ntags = ['a', 'b', 'a']\nowners = ['ops']\n",
    );
    squirrel
}

#[test]
fn figures_are_those_of_the_results_and_outages_of_the_span() {
    let squirrel = known();
    let rows = report(&squirrel, &["--since", "1d"]);
    let order: Vec<_> = rows
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(order, ["new", "shop", "gone", "shop"]);
    let shop = &rows[1];
    // 10 checks, one of them inconclusive; slow ones and an ending certificate count as up.
    assert_eq!(shop["url"], "http://shop.invalid/");
    assert_eq!(shop["uptime_percent"], 77.7777);
    assert_eq!(shop["checks"], 10);
    assert_eq!(shop["missed"], 1);
    assert_eq!(shop["unknown"], 1);
    assert_eq!(shop["outages"], 2);
    // A span begins at five minutes: what comes before them of an outage is cut off.
    let downtime = shop["downtime_s"].as_f64().unwrap();
    assert!(
        (180.0 + 300.0..=180.0 + 600.0).contains(&downtime),
        "{downtime}"
    );
    let mean = (180.0 + (DAY + 600) as f64) / 2.0;
    assert_eq!(shop["mttr_s"], mean);
    for column in ["p50_ms", "p95_ms"] {
        let latency = shop[column].as_f64().unwrap();
        assert!((97.0..103.0).contains(&latency), "{latency}");
    }
    let gone = &rows[2];
    assert_eq!(gone["outages"], 1);
    assert!(gone["downtime_s"].as_f64().unwrap() >= 500.0, "{gone}");
    assert_eq!(gone["mttr_s"], Value::Null);
    assert_eq!(rows[3]["uptime_percent"], 0.0);
    assert_eq!(
        rows[0],
        json!({"name": "new", "url": "http://new.invalid/", "uptime_percent": null, "checks": 0,
               "missed": 0, "unknown": 0, "outages": 0, "downtime_s": 0.0, "mttr_s": null,
               "p50_ms": null, "p95_ms": null})
    );
    // An hour and a half of it: without the outage that ended a day ago.
    assert_eq!(report(&squirrel, &["--since", "90m"])[1]["outages"], 1);
}

#[test]
fn tags_and_owners_are_the_sums_of_their_sites() {
    let squirrel = known();
    let rows = report(&squirrel, &["--since", "1d", "--by", "tag"]);
    let checks = |rows: &[Value], name: &str| named(rows, name)["checks"].as_u64().unwrap();
    assert_eq!(
        [
            checks(&rows, "a"),
            checks(&rows, "b"),
            checks(&rows, "(none)")
        ],
        [10, 10, 2]
    );
    assert_eq!(named(&rows, "a")["url"], Value::Null);
    assert_eq!(named(&rows, "a")["uptime_percent"], 77.7777);
    let rows = report(&squirrel, &["--since", "1d", "--by", "owner"]);
    assert_eq!(
        [
            checks(&rows, "dev"),
            checks(&rows, "ops"),
            checks(&rows, "(none)")
        ],
        [0, 10, 2]
    );
}

#[test]
fn summaries_of_a_year_are_reported_when_the_results_are_long_gone() {
    let squirrel = Squirrel::new();
    let connection = empty(&squirrel);
    let now = now();
    let today = now - now.rem_euclid(DAY);
    let shop = site(&connection, "shop", "http://shop.invalid/");
    for day in 1..=365 {
        connection
            .execute(
                "INSERT INTO rollup_day VALUES (?1, ?2, 288, 287, 1, 0, 90000, 28800000, 110000, ?3)",
                rusqlite::params![today - day * DAY, shop, [0x89_u8, 0x02, 0x9f, 0x02]],
            )
            .unwrap();
    }
    connection
        .execute("INSERT INTO marks VALUES ('rolled', ?1)", [today])
        .unwrap();
    let rows = report(&squirrel, &["--since", "364d"]);
    let row = &rows[0];
    // The day that the span begins in counts by its hours, of which there are none here.
    assert_eq!(row["checks"], 288 * 363);
    assert_eq!(row["missed"], 363);
    assert_eq!(row["uptime_percent"], 99.6527);
    let page = text(&run(
        &squirrel,
        &["report", "--since", "364d", "--format", "html"],
    ));
    assert!(page.contains(": 99.652% up</title>"), "{page}");
    // A year of one site is a small page.
    assert!(page.len() < 60_000, "{}", page.len());
    // A file that an earlier version wrote had no place for packed five minutes yet.
    connection
        .execute_batch("DROP TABLE packed_5m; PRAGMA user_version = 5")
        .unwrap();
    assert_eq!(report(&squirrel, &["--since", "364d"]), rows);
}

/// Names that would act on a terminal, a spreadsheet or a page.
const HOSTILE: [&str; 6] = [
    "\u{1b}[2Jred",
    "\u{202e}gpj.exe",
    "=cmd|'/C calc'!A0",
    "@SUM(1)",
    "<script>alert(1)</script>",
    "a \"b\", 'c'\r\n& d",
];

#[test]
fn names_are_harmless_in_every_format() {
    let squirrel = Squirrel::new();
    let connection = empty(&squirrel);
    for name in HOSTILE {
        let site = site(&connection, name, "http://x.invalid/?\"><script>");
        result(&connection, site, now() - 60, 0, 20);
    }
    for format in ["table", "json", "csv", "html"] {
        let finished = run(&squirrel, &["report", "--format", format]);
        let output = text(&finished);
        let output = if format == "csv" {
            output.replace("\r\n", "\n")
        } else {
            output
        };
        assert_eq!(unsafe_characters(&output), Vec::<char>::new(), "{format}");
    }
    // JSON is for programs: they get the name as it is.
    let rows = report(&squirrel, &[]);
    for name in HOSTILE {
        named(&rows, name);
    }
    let output = text(&run(&squirrel, &["report", "--format", "csv"]));
    assert!(output.ends_with("\r\n"));
    let mut csv = csv::Reader::from_reader(output.as_bytes());
    assert_eq!(csv.headers().unwrap(), &COLUMNS[..]);
    let cells: Vec<String> = csv
        .records()
        .map(|record| record.unwrap()[0].to_owned())
        .collect();
    assert_eq!(cells.len(), HOSTILE.len());
    for cell in &cells {
        assert!(!cell.starts_with(['=', '+', '-', '@']), "{cell}");
    }
    assert!(cells.contains(&"'@SUM(1)".to_owned()), "{cells:?}");
}

#[test]
fn the_page_is_well_formed_and_asks_for_nothing_outside() {
    let squirrel = known();
    let connection = rusqlite::Connection::open(squirrel.dir().join("history.db")).unwrap();
    for name in HOSTILE {
        let site = site(&connection, name, "http://x.invalid/?\"><script>");
        result(&connection, site, now() - 60, 0, 20);
    }
    for args in [
        &["--since", "2d"][..],
        &["--since", "30d"],
        &["--by", "tag"],
        &["--since", "36500d"],
    ] {
        let args = [&["report", "--format", "html"], args].concat();
        let page = text(&run(&squirrel, &args));
        assert_well_formed(&page);
        assert!(!page.contains("<script"), "{page}");
        for outside in ["src=", "href=\"h", "url(", "@import", "<link"] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("prefers-color-scheme:dark") && page.contains("width=device-width"));
        let cards = page.matches("<article").count();
        assert_eq!(page.matches("<dl>").count(), cards);
        assert!(page.matches("<svg class=\"bars\"").count() > 1, "{page}");
    }
}

/// Every element that is opened is closed, in order; `<meta>` is void.
fn assert_well_formed(page: &str) {
    let mut open = Vec::new();
    for tag in page.split('<').skip(1) {
        let (tag, after) = tag.split_once('>').expect("a tag that ends");
        assert!(
            !after.contains('>') || open.last() == Some(&"style"),
            "{tag}>{after}"
        );
        let name = tag.split([' ', '\n']).next().unwrap();
        if let Some(closed) = name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "{tag}");
        } else if !tag.ends_with('/') && !["meta", "!DOCTYPE"].contains(&name) {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}

#[test]
fn what_cannot_be_reported_on_is_refused_with_a_sentence() {
    let squirrel = Squirrel::new();
    let refused = |args: &[&str], sentence: &str| {
        let finished = squirrel.run([&["report"], args].concat());
        assert_eq!(finished.code(), 2, "{args:?}");
        assert!(finished.stdout.is_empty(), "{args:?}");
        assert!(
            finished.stderr.contains(sentence),
            "{args:?}: {}",
            finished.stderr
        );
        finished.assert_no_panic();
    };
    refused(
        &["--history", "none.db"],
        "none.db: there is no history yet",
    );
    refused(&[], "history.db: there is no history yet");
    squirrel.write(
        "text.db",
        "no database, but longer than its head".repeat(100),
    );
    refused(&["--history", "text.db"], "text.db: no history of squirrel");
    let other = rusqlite::Connection::open(squirrel.dir().join("other.db")).unwrap();
    other.execute_batch("CREATE TABLE recipes (a)").unwrap();
    refused(
        &["--history", "other.db"],
        "other.db: no history of squirrel",
    );
    empty(&squirrel)
        .pragma_update(None, "user_version", 99)
        .unwrap();
    refused(&["--history", "history.db"], "a newer version");
    for since in ["30", "0s", "-1d", "soon"] {
        refused(
            &["--history", "history.db", &format!("--since={since}")],
            "--since",
        );
    }
    refused(&["--history", "history.db", "--by", "tag"], "sites.toml");
    squirrel.write("sites.toml", "[[sites]]\nurl = 5\n");
    refused(&["--history", "history.db"], "sites.toml:2:");
    // Nothing was made by any of them.
    assert!(!squirrel.dir().join("none.db").exists());
    assert!(
        !squirrel
            .dir()
            .join("STATE/uptime-squirrel/history.db")
            .exists()
    );
}
