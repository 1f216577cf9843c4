//! `squirrel report`: figures of the past, in every format.

use serde_json::{Value, json};

use super::sites::{
    DAY, assert_same_report, empty, named, now, outage, result, run, site, text, timed_result,
    without_time,
};
use crate::monitor::sites::script;
use crate::owners::sites::{BROKEN, WELL, count, home_of, is, watch};
use crate::support::{Fleet, Frame, Squirrel, Terminal, unsafe_characters, until};

const COLUMNS: [&str; 13] = [
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
    "maintenance_s",
    "seen_percent",
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
            "INSERT INTO missed VALUES (?1, ?2, 0, 0)",
            ((now - 60) * 1_000_000, shop),
        )
        .unwrap();
    let gone = site(&connection, "gone", "http://gone.invalid/");
    result(&connection, gone, now - 600, 0, 20);
    outage(&connection, gone, now - 500, None);
    result(&connection, gone, now - 440, 1, 20);
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
    assert_eq!(shop["url"], "http://shop.invalid/");
    // Three of the ten minutes that were seen lie in the outage; slow checks and an ending
    // certificate are no failures.
    assert_eq!(shop["uptime_percent"], 70.0);
    assert_eq!(shop["checks"], 10);
    assert_eq!(shop["missed"], 1);
    assert_eq!(shop["unknown"], 1);
    assert_eq!(shop["outages"], 2);
    // Nobody saw the other outage.
    assert_eq!(shop["downtime_s"], 180.0);
    assert_eq!(shop["maintenance_s"], 0.0);
    let seen = shop["seen_percent"].as_f64().unwrap();
    assert!((0.69..0.70).contains(&seen), "{seen}");
    let mean = (180.0 + (DAY + 600) as f64) / 2.0;
    assert_eq!(shop["mttr_s"], mean);
    for column in ["p50_ms", "p95_ms"] {
        let latency = shop[column].as_f64().unwrap();
        assert!((97.0..103.0).contains(&latency), "{latency}");
    }
    let gone = &rows[2];
    assert_eq!(gone["outages"], 1);
    assert_eq!(gone["downtime_s"], 60.0);
    assert_eq!(gone["uptime_percent"], 50.0);
    assert_eq!(gone["mttr_s"], Value::Null);
    // A failure that nothing has confirmed.
    assert_eq!(rows[3]["uptime_percent"], 100.0);
    assert_eq!(
        rows[0],
        json!({"name": "new", "url": "http://new.invalid/", "uptime_percent": null, "checks": 0,
               "missed": 0, "unknown": 0, "outages": 0, "downtime_s": 0.0, "mttr_s": null,
               "p50_ms": null, "p95_ms": null, "maintenance_s": 0.0, "seen_percent": 0.0})
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
        [10, 10, 3]
    );
    assert_eq!(named(&rows, "a")["url"], Value::Null);
    assert_eq!(named(&rows, "a")["uptime_percent"], 70.0);
    // Of tag "b" the other site was not seen at all.
    let seen = |name: &str| named(&rows, name)["seen_percent"].as_f64().unwrap();
    assert!((seen("a") / seen("b") - 2.0).abs() < 0.001);
    let rows = report(&squirrel, &["--since", "1d", "--by", "owner"]);
    assert_eq!(
        [
            checks(&rows, "dev"),
            checks(&rows, "ops"),
            checks(&rows, "(none)")
        ],
        [0, 10, 3]
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
                "INSERT INTO rollup_day VALUES
                     (?1, ?2, 288, 287, 1, 0, 90000, 28800000, 110000, ?3, NULL, NULL, NULL)",
                rusqlite::params![today - day * DAY, shop, [0x89_u8, 0x02, 0x9f, 0x02]],
            )
            .unwrap();
    }
    connection
        .execute(
            "INSERT INTO marks VALUES ('rolled', ?1), ('timed', ?1)",
            [today],
        )
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
    // Files that earlier versions wrote had no place for the time of sites, nor for packed five
    // minutes yet.
    without_time(&connection);
    assert_same_report(&report(&squirrel, &["--since", "364d"]), &rows);
    connection
        .execute_batch("DROP TABLE packed_5m; PRAGMA user_version = 5")
        .unwrap();
    assert_same_report(&report(&squirrel, &["--since", "364d"]), &rows);
}

#[test]
fn a_file_of_the_version_before_is_migrated_and_keeps_its_figures() {
    let squirrel = Squirrel::new();
    squirrel.write(
        "sites.toml",
        "[[sites]]\nname = 'shop'\nurl = 'http://shop.invalid'\n",
    );
    let connection = empty(&squirrel);
    without_time(&connection);
    let shop = site(&connection, "shop", "http://shop.invalid/");
    let now = now();
    let today = (now - 3_600) / DAY * DAY;
    for day in 1..=30 {
        connection
            .execute(
                "INSERT INTO rollup_day VALUES (?1, ?2, 290, 267, 3, 20, 9000, 2403000, 9000, NULL)",
                [today - day * DAY, shop],
            )
            .unwrap();
    }
    // Not rolled up yet: every third is bad, one was missed.
    for number in 0..9 {
        let reason = i64::from(number % 3 == 2);
        connection
            .execute(
                "INSERT INTO results VALUES (?1, ?2, ?3, NULL, 20000, 0)",
                [(now - 2_700 + number * 300) * 1_000_000, shop, reason],
            )
            .unwrap();
    }
    connection
        .execute_batch(&format!(
            "INSERT INTO missed VALUES ({}, {shop}); INSERT INTO marks VALUES ('rolled', {today})",
            (now - 30) * 1_000_000
        ))
        .unwrap();
    outage(&connection, shop, today - 3 * DAY, Some(today - 2 * DAY));
    outage(
        &connection,
        shop,
        today - 9 * DAY,
        Some(today - 9 * DAY + 90),
    );
    let before = report(&squirrel, &["--since", "20d"]);
    let row = &before[0];
    // As the version before said it: a share of the checks, and all of the outages.
    let days = (today - now + 20 * DAY) / DAY;
    assert_eq!(row["checks"], days * 290 + 9, "{row}");
    assert_eq!(row["missed"], days * 3 + 1);
    assert_eq!(row["unknown"], days * 20);
    assert_eq!(row["outages"], 2);
    assert_eq!(row["downtime_s"], (DAY + 90) as f64);
    assert_eq!(row["mttr_s"], (DAY + 90) as f64 / 2.0);
    let checks = (days * 267 + 6) as f64 / (days * 270 + 9) as f64 * 100.0;
    let uptime = |row: &Value| row["uptime_percent"].as_f64().unwrap();
    assert!((uptime(row) - checks).abs() < 0.01, "{row} {checks}");
    assert_eq!(row["maintenance_s"], 0.0);
    drop(connection);
    // A program that writes brings it to its own schema, and rolls up.
    run(&squirrel, &["history", "compact"]);
    let connection = rusqlite::Connection::open(squirrel.dir().join("history.db")).unwrap();
    let version = connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0));
    assert!(version.unwrap() > 7);
    let columns = "SELECT count(*) FROM pragma_table_info('results') WHERE name = 'seen_ms'";
    let has_time = connection.query_row(columns, [], |row| row.get::<_, i64>(0));
    assert_eq!(has_time, Ok(1));
    let mut after = report(&squirrel, &["--since", "20d"]);
    assert!(
        (uptime(&after[0]) - checks).abs() < 0.01,
        "{after:?} {checks}"
    );
    // What was not rolled up yet counts as seen now, as what was.
    let seen = |row: &Value| row["seen_percent"].as_f64().unwrap();
    assert!(
        (0.0..0.3).contains(&(seen(&after[0]) - seen(row))),
        "{after:?}"
    );
    for column in ["uptime_percent", "seen_percent"] {
        after[0][column] = row[column].clone();
    }
    assert_eq!(after, before);
}

#[test]
fn maintenance_and_what_nobody_saw_are_kept_apart_and_survive_the_results() {
    let squirrel = Squirrel::new();
    squirrel.write(
        "sites.toml",
        "[history]\nraw = '1d'\n[[sites]]\nname = 'shop'\nurl = 'http://shop.invalid'\n",
    );
    let connection = empty(&squirrel);
    let shop = site(&connection, "shop", "http://shop.invalid/");
    // Hours from a full one on, a check a minute: up, in maintenance in which it is down, not
    // seen, down, and up.
    let begin = (now() - 3 * DAY) / 3_600 * 3_600;
    let at = |hour: i64, minute: i64| begin + hour * 3_600 + minute * 60;
    for minute in 1..=60 {
        let put = |hour, reason, time| {
            timed_result(
                &connection,
                (shop, at(hour, minute)),
                reason,
                20,
                Some(time),
            );
        };
        put(0, 0, (60, 0));
        put(1, 1, (60, 60));
        put(3, 1, (if minute == 1 { 0 } else { 60 }, 0));
        put(4, 0, (60, 0));
    }
    outage(&connection, shop, at(1, 1), Some(at(4, 1)));
    drop(connection);
    let expected = |row: &Value| {
        assert_eq!(row["maintenance_s"], 3_600.0, "{row}");
        // 59 minutes of the fourth hour, and the one until it was found up again.
        assert_eq!(row["downtime_s"], 3_600.0, "{row}");
        assert_eq!(row["uptime_percent"], 66.4804, "{row}");
        assert_eq!(row["outages"], 1, "{row}");
        assert_eq!(row["mttr_s"], 3.0 * 3_600.0, "{row}");
    };
    let since = format!("{}s", now() - begin + 600);
    let rows = report(&squirrel, &["--since", &since]);
    expected(&rows[0]);
    let seen = rows[0]["seen_percent"].as_f64().unwrap();
    let share = 239.0 * 60.0 / (now() - begin + 600) as f64 * 100.0;
    assert!((seen - share).abs() < 0.2, "{seen} {share}");
    // Every format says so.
    let csv = text(&run(
        &squirrel,
        &["report", "--since", &since, "--format", "csv"],
    ));
    assert!(csv.contains(",3600.0,5."), "{csv}");
    let table = text(&run(&squirrel, &["report", "--since", &since]));
    assert!(
        table.contains("MAINT.") && table.contains("1h00m"),
        "{table}"
    );
    let page = text(&run(
        &squirrel,
        &["report", "--since", &since, "--format", "html"],
    ));
    assert!(
        page.contains("<dt>Maintenance</dt><dd>1h00m</dd>"),
        "{page}"
    );
    assert!(page.contains("<dt>Seen</dt><dd>5."), "{page}");
    // An export and its import keep it.
    squirrel.write("export", text(&run(&squirrel, &["history", "export"])));
    let imported = squirrel.run(["history", "import", "export", "--history", "other.db"]);
    assert_eq!(imported.code(), 0, "{}", imported.stderr);
    let args = [
        "report",
        "--format",
        "json",
        "--since",
        &since,
        "--history",
        "other.db",
    ];
    expected(&squirrel.run(args).objects()[0]);
    // And it is there when the results have gone.
    result(
        &rusqlite::Connection::open(squirrel.dir().join("history.db")).unwrap(),
        shop,
        now() - 60,
        0,
        20,
    );
    run(&squirrel, &["history", "compact"]);
    let left = rusqlite::Connection::open(squirrel.dir().join("history.db"))
        .unwrap()
        .query_row("SELECT count(*) FROM results", [], |row| row.get(0));
    assert_eq!(left, Ok(1));
    let row = &report(&squirrel, &["--since", &since])[0];
    assert_eq!(row["maintenance_s"], 3_600.0, "{row}");
    assert_eq!(row["downtime_s"], 3_600.0, "{row}");
}

#[test]
fn results_of_an_earlier_version_count_by_their_number() {
    let squirrel = Squirrel::new();
    let connection = empty(&squirrel);
    let shop = site(&connection, "shop", "http://shop.invalid/");
    let begin = now() - 3_600;
    connection
        .execute("INSERT INTO marks VALUES ('timed', ?1)", [now() + DAY])
        .unwrap();
    for (minute, reason) in [0, 0, 1, 13].into_iter().enumerate() {
        let at = (shop, begin + 60 * minute as i64);
        timed_result(&connection, at, reason, 20, None);
    }
    outage(&connection, shop, begin + 120, Some(begin + 180));
    let row = &report(&squirrel, &["--since", "1d"])[0];
    assert_eq!(row["uptime_percent"], 66.6666);
    assert_eq!(row["downtime_s"], 60.0);
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

/// Uptime has one definition: the table, the page of the past and the report have the same figure of the
/// same checks, and a site that was never up has none of it, whether that is confirmed or not.
#[test]
fn the_uptime_of_the_same_checks_is_the_same_in_table_past_and_report() {
    let mut fleet = Fleet::new();
    let (flap, broken) = (fleet.serve(script(BROKEN)), fleet.serve(script(BROKEN)));
    let squirrel = Squirrel::new();
    let list = format!(
        "[monitor]\ninterval = '1s'\nconfirm = 2\nconfirm_delay = '1s'\ncanaries = []\n\
         [[sites]]\nname = 'flap'\nurl = 'http://{0}/'\n\
         [[sites]]\nname = 'never'\nurl = 'http://{1}/'\n\
         [[sites]]\nname = 'unconfirmed'\nurl = 'http://{1}/'\nconfirm = 1000\n",
        flap.authority, broken.authority
    );
    squirrel.write("sites.toml", list);
    let kept = ["--history", "history.db"];
    let mut terminal = Terminal::start(&squirrel, (140, 40), kept);
    for (mood, state) in [(WELL, "DOWN"), (BROKEN, "UP"), (WELL, "DOWN")] {
        terminal.wait(state, |frame| frame.is("flap", state));
        flap.play(script(mood));
    }
    terminal.wait("up again", |frame| {
        frame.is("flap", "UP") && frame.is("never", "DOWN") && frame.is("unconfirmed", "SUSPECT")
    });
    terminal.press("/");
    terminal.press("flap");
    terminal.press("Enter");
    terminal.wait("one site", |frame| frame.rows().count() == 1);
    let cell = |frame: &Frame, name: &str, heading: &str| {
        let at = frame.line("STATE").unwrap().split(heading).next().unwrap();
        let from = at.chars().count() - 3;
        let row = frame.row(name).unwrap().chars();
        let text: String = row.skip(from).take(6).collect();
        text.trim().parse::<f64>().unwrap()
    };
    terminal.press("d");
    let figures = |frame: &Frame, heading: &str| -> Vec<f64> {
        let line = frame.line(&format!(" {heading:<8}")).unwrap_or_default();
        let words = line.split_whitespace().skip(1);
        words.filter_map(|word| word.parse().ok()).collect()
    };
    // Both sides know the same checks, and kept times are of whole milliseconds.
    let frame = terminal.wait("the past of the same checks", |frame| {
        let checks = figures(frame, "CHECKS");
        checks.len() == 7 && checks.iter().all(|number| *number == checks[6])
    });
    let uptime = figures(&frame, "UP%");
    assert!((1.0..99.0).contains(&uptime[6]), "{}", frame.text());
    for past in &uptime {
        assert!((past - uptime[6]).abs() < 0.1, "{}", frame.text());
    }
    let rows = report(&squirrel, &["--since", "1h"]);
    let percent = |name| named(&rows, name)["uptime_percent"].as_f64().unwrap();
    assert_eq!((percent("never"), percent("unconfirmed")), (0.0, 0.0));
    terminal.press("q");
    terminal.press("/");
    terminal.press("Ctrl-U");
    terminal.press("Enter");
    let frame = terminal.wait("all sites", |frame| frame.rows().count() == 3);
    let table = cell(&frame, "flap", "UP%");
    let later = report(&squirrel, &["--since", "1h"]);
    let later = named(&later, "flap")["uptime_percent"].as_f64().unwrap();
    let (least, most) = (percent("flap").min(later), percent("flap").max(later));
    assert!(
        (least - 0.1..most + 0.1).contains(&table),
        "{least} {table} {most}"
    );
    for name in ["never", "unconfirmed"] {
        assert_eq!(cell(&frame, name, "UP%"), 0.0, "{}", frame.text());
    }
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

/// A span is exact where raw results are kept, of whatever length; where they are not, the table says that
/// it begins later.
#[test]
fn a_span_is_exact_where_raw_results_are_kept_and_says_so_where_they_are_not() {
    let squirrel = Squirrel::new();
    let connection = empty(&squirrel);
    let shop = site(&connection, "shop", "http://shop/");
    let now = now();
    // A check every ten seconds for twenty minutes, the last one five seconds ago; down from 45 to 25 s ago.
    for number in 0..120 {
        let ago = 5 + number * 10;
        let reason = i64::from((30..=50).contains(&ago));
        timed_result(&connection, (shop, now - ago), reason, 1, Some((10, 0)));
    }
    outage(&connection, shop, now - 45, Some(now - 25));
    for since in [100, 20, 60, 130, 299, 600, 1_000] {
        let rows = report(&squirrel, &["--since", &format!("{since}s")]);
        let row = named(&rows, "shop");
        // The clock goes on while the report is made.
        let checks = row["checks"].as_i64().unwrap();
        assert!(
            (since / 10 - 2..=since / 10 + 1).contains(&checks),
            "{since}: {row}"
        );
        assert_eq!(row["outages"], i64::from(since > 30), "{since}: {row}");
        let down = row["downtime_s"].as_f64().unwrap();
        let expected = if since > 60 { 20.0 } else { down };
        assert_eq!(down, expected, "{since}: {row}");
        let seen = row["seen_percent"].as_f64().unwrap();
        assert!((50.0..=100.0).contains(&seen), "{since}: {row}");
    }
    let table = text(&run(&squirrel, &["report", "--since", "100s"]));
    assert!(table.ends_with("the last 1m40s\n"), "{table}");
    let table = text(&run(&squirrel, &["report", "--since", "2m"]));
    assert!(table.ends_with("the last 2m\n"), "{table}");
    // Of an hour ago there is a summary alone.
    let bucket = (now - 3_600) / 300 * 300;
    connection
        .execute(
            "INSERT INTO rollup_5m (start, site, count, up, missed, unknown, sum_us, seen_ms, down_ms)
             VALUES (?1, ?2, 30, 30, 0, 0, 1000, 300000, 0)",
            [bucket, shop],
        )
        .unwrap();
    let since = format!("{}s", now - bucket - 100);
    let table = text(&run(&squirrel, &["report", "--since", &since]));
    assert!(
        table.contains(" later on: summaries of five minutes"),
        "{table}"
    );
}

#[test]
fn a_report_is_of_the_sites_that_are_named() {
    let squirrel = Squirrel::new();
    let connection = empty(&squirrel);
    for name in ["shop", "mail", "old"] {
        let site = site(&connection, name, &format!("http://{name}.invalid/"));
        result(&connection, site, now() - 60, 0, 10);
    }
    squirrel.write(
        "sites.toml",
        "[owners.ops]\npush = 'x'\n[owners.web]\npush = 'y'\n\
         [[sites]]\nname = 'shop'\nurl = 'http://shop.invalid/'\ntags = ['a', 'b']\nowners = ['web']\n\
         [[sites]]\nname = 'mail'\nurl = 'http://mail.invalid/'\ntags = ['b']\nowners = ['ops']\n",
    );
    let names = |args: &[&str]| -> Vec<String> {
        let rows = report(&squirrel, args);
        let names = rows
            .iter()
            .map(|row| row["name"].as_str().unwrap().to_owned());
        names.collect()
    };
    assert_eq!(names(&[]), ["shop", "mail", "old"]);
    assert_eq!(names(&["--site", "old", "--site", "mail"]), ["mail", "old"]);
    assert_eq!(names(&["--tag", "b"]), ["shop", "mail"]);
    assert_eq!(names(&["--tag", "b", "--owner", "ops"]), ["mail"]);
    assert_eq!(names(&["--owner", "web", "--by", "tag"]), ["a", "b"]);
    for (option, name, sentence) in [
        ("--site", "shpo", "no site is called shpo"),
        ("--tag", "c", "no site has the tag c"),
        ("--owner", "me", "no site is of the owner me"),
    ] {
        let finished = squirrel.run(["report", option, name, "--history", "history.db"]);
        assert_eq!(finished.code(), 2);
        assert_eq!(finished.stderr, format!("squirrel: {sentence}\n"));
    }
}
