//! Silences, escalation and reminders.

use rustix::process::Signal;
use serde_json::Value;

use super::sites::{BROKEN, WELL, count, history, is};
use crate::metrics::scraper::{get, parse};
use crate::monitor::sites::script;
use crate::support::{Answer, Fleet, Frame, PostServer, Running, Server, Squirrel, Terminal};

/// Sites that are checked every second and confirmed at once; each message goes alone.
fn home(fleet: &Fleet, sites: &[(&str, &Server, &str)], rest: &str) -> Squirrel {
    let squirrel = Squirrel::new();
    squirrel.write("ca.pem", fleet.certificates().ca_pem());
    configure(&squirrel, sites, rest);
    squirrel
}

fn configure(squirrel: &Squirrel, sites: &[(&str, &Server, &str)], rest: &str) {
    let mut text = format!(
        "[monitor]\ninterval = \"1s\"\nconfirm = 1\nrecover = 1\nca_file = \"ca.pem\"\n{rest}\n"
    );
    for (name, server, more) in sites {
        text.push_str(&format!(
            "[[sites]]\nname = '{name}'\nurl = 'http://{}/'\nowners = ['ops']\n{more}\n",
            server.authority
        ));
    }
    squirrel.write("sites.toml", text);
}

fn owners(hook: &PostServer) -> String {
    format!(
        "[notify]\ndigest = \"0s\"\n[owners.ops]\nwebhook = \"{}\"\n",
        hook.url()
    )
}

fn watch(squirrel: &Squirrel) -> Running {
    squirrel.start(["watch", "--history", "history.db", "--results"])
}

fn about<'a>(event: &'a str, site: &'a str) -> impl Fn(&Value) -> bool + 'a {
    move |line| line["event"] == event && line["site"] == site
}

/// Waits for this many further checks, the time in which a message would have come.
fn let_pass(running: &mut Running, checks: usize) {
    let number = running.lines_so_far().len() + checks;
    running.wait_for_lines(number);
}

fn subjects(squirrel: &Squirrel) -> Vec<String> {
    history(squirrel)
        .prepare("SELECT owner || ' ' || subject FROM outbox ORDER BY number")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

#[test]
fn during_maintenance_no_owner_is_told_and_when_it_ends_open_outages_are() {
    let mut fleet = Fleet::new();
    let (shop, blog) = (fleet.serve(script(BROKEN)), fleet.serve(script(BROKEN)));
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let sites = [("shop", &shop, "tags = ['db']"), ("blog", &blog, "")];
    let window = "[[maintenance]]\ntags = ['db']\ncron = '* * * * *'\nlasts = '5m'\n";
    let squirrel = home(&fleet, &sites, &format!("{window}{}", owners(&hook)));
    let mut running = watch(&squirrel);
    running.wait_for("the outage is seen", about("down", "shop"));
    running.wait_for("the other is told", about("notified", "blog"));
    let_pass(&mut running, 6);
    let told = running.lines_so_far();
    assert!(!told.iter().any(about("notified", "shop")), "{told:?}");
    configure(&squirrel, &sites, &owners(&hook));
    running.wait_for(
        "it is told when the window is gone",
        about("notified", "shop"),
    );
    let_pass(&mut running, 6);
    running.signal(Signal::TERM);
    running.finish();
    let subjects = subjects(&squirrel);
    assert_eq!(subjects.len(), 2, "{subjects:?}");
    assert!(
        subjects[0].starts_with("ops DOWN: blog (status 503: "),
        "{subjects:?}"
    );
    assert!(
        subjects[1].starts_with("ops DOWN: shop (status 503: "),
        "{subjects:?}"
    );
}

#[test]
fn children_of_a_site_that_is_down_are_not_told_of_until_it_is_up_again() {
    let mut fleet = Fleet::new();
    let (gate, shop) = (fleet.serve(script(BROKEN)), fleet.serve(script(BROKEN)));
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let sites = [("gate", &gate, ""), ("shop", &shop, "parent = 'gate'")];
    let squirrel = home(&fleet, &sites, &owners(&hook));
    let mut running = watch(&squirrel);
    running.wait_for("the parent is told of", about("notified", "gate"));
    running.wait_for("the child is seen to be down", about("down", "shop"));
    let_pass(&mut running, 6);
    assert!(!running.lines_so_far().iter().any(about("notified", "shop")));
    gate.play(script(WELL));
    running.wait_for("the parent is up", about("recovered", "gate"));
    running.wait_for(
        "and the child's own fault is told",
        about("notified", "shop"),
    );
    running.signal(Signal::TERM);
    running.finish();
}

#[test]
fn escalation_tells_another_owner_and_all_are_reminded() {
    let mut fleet = Fleet::new();
    let shop = fleet.serve(script(BROKEN));
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let rest = format!(
        "[notify]\ndigest = \"0s\"\nremind = \"2s\"\n\
         [owners.ops]\nwebhook = \"{0}\"\nescalate = \"boss\"\nescalate_after = \"1s\"\n\
         [owners.boss]\nwebhook = \"{0}\"\n",
        hook.url()
    );
    let squirrel = home(&fleet, &[("shop", &shop, "")], &rest);
    let mut running = watch(&squirrel);
    let subject = |word: &'static str, owner: &'static str| {
        move |line: &Value| {
            let subject = line["subject"].as_str().unwrap_or_default();
            line["event"] == "notified" && line["owner"] == owner && subject.starts_with(word)
        }
    };
    running.wait_for("the owner", subject("DOWN: shop", "ops"));
    running.wait_for(
        "the other",
        subject("NOT ACKNOWLEDGED: shop is DOWN for", "boss"),
    );
    running.wait_for("a reminder", subject("STILL DOWN for", "ops"));
    shop.play(script(WELL));
    running.wait_for("the end, to the owner", subject("UP again: shop", "ops"));
    running.wait_for(
        "and to the other, who knew",
        subject("UP again: shop", "boss"),
    );
    running.signal(Signal::TERM);
    running.finish();
    let twice = "SELECT count(*) FROM outbox WHERE event IN ('down', 'escalated')";
    assert_eq!(count(&squirrel, twice), 2, "{:?}", subjects(&squirrel));
}

#[test]
fn in_quiet_hours_messages_wait_for_their_end() {
    let mut fleet = Fleet::new();
    let shop = fleet.serve(script(BROKEN));
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    // An hour before now to an hour after, in a zone that has no other time in summer.
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    let clock = |hours: i64| {
        let at = now
            .checked_add(jiff::SignedDuration::from_hours(hours))
            .unwrap();
        at.strftime("%H:%M").to_string()
    };
    let rest = format!(
        "[notify]\ndigest = \"1s\"\n\
         [owners.ops]\nwebhook = \"{0}\"\nquiet = \"{1}-{2}\"\nzone = \"UTC\"\n\
         [owners.night]\nwebhook = \"{0}\"\n",
        hook.url(),
        clock(-1),
        clock(1)
    );
    let squirrel = home(&fleet, &[("shop", &shop, "")], &rest);
    let text = std::fs::read_to_string(squirrel.dir().join("sites.toml")).unwrap();
    squirrel.write("sites.toml", text.replace("['ops']", "['ops', 'night']"));
    let mut running = watch(&squirrel);
    let told = running.wait_for("the owner without quiet hours", is("notified"));
    assert_eq!(told["owner"], "night");
    let_pass(&mut running, 4);
    running.signal(Signal::TERM);
    running.finish();
    let waits: i64 = count(
        &squirrel,
        "SELECT (next - at) / 60000000 FROM outbox WHERE owner = 'ops' AND state = 3",
    );
    assert!((58..=60).contains(&waits), "{waits} minutes");
    assert_eq!(hook.posted().len(), 1);
}

#[test]
fn outside_of_the_hours_in_which_an_owner_is_told_messages_wait_for_them() {
    let mut fleet = Fleet::new();
    let shop = fleet.serve(script(BROKEN));
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    // The whole day of tomorrow and no other; now and for two days.
    let day = |days: i64| {
        let at = now.checked_add(jiff::SignedDuration::from_hours(24 * days));
        at.unwrap().strftime("%a").to_string().to_lowercase()
    };
    let (today, tomorrow) = (day(0), day(1));
    let rest = format!(
        "[notify]\ndigest = \"1s\"\n\
         [owners.ops]\nwebhook = \"{0}\"\nonly = \"{tomorrow}\"\nzone = \"UTC\"\n\
         [owners.now]\nwebhook = \"{0}\"\nonly = [\"{tomorrow}\", \"{today}-{tomorrow} 00:00-24:00\"]\n\
         zone = \"UTC\"\n",
        hook.url(),
    );
    let squirrel = home(&fleet, &[("shop", &shop, "")], &rest);
    let text = std::fs::read_to_string(squirrel.dir().join("sites.toml")).unwrap();
    squirrel.write("sites.toml", text.replace("['ops']", "['ops', 'now']"));
    let mut running = watch(&squirrel);
    let told = running.wait_for("the owner whose hours they are", is("notified"));
    assert_eq!(told["owner"], "now");
    let_pass(&mut running, 4);
    running.signal(Signal::TERM);
    running.finish();
    let waits = "SELECT next FROM outbox WHERE owner = 'ops' AND state = 3";
    let midnight = now
        .date()
        .tomorrow()
        .unwrap()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .unwrap();
    assert_eq!(
        count(&squirrel, waits),
        midnight.timestamp().as_microsecond()
    );
    assert_eq!(hook.posted().len(), 1);
}

#[test]
fn maintenance_that_a_key_began_goes_on_after_a_restart_until_its_end() {
    let mut fleet = Fleet::new();
    let shop = fleet.serve(script(WELL));
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let squirrel = home(&fleet, &[("shop", &shop, "")], &owners(&hook));
    let on_screen = || Terminal::start(&squirrel, (120, 36), ["--history", "history.db"]);
    let mut terminal = on_screen();
    terminal.wait("the site", |frame| frame.is("shop", "UP"));
    terminal.press("w");
    terminal.wait_text("shop: maintenance until ");
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);

    // The monitor without a screen knows of it, too.
    shop.play(script(BROKEN));
    let mut running = watch(&squirrel);
    running.wait_for("the outage is seen", about("down", "shop"));
    let_pass(&mut running, 4);
    let told = running.lines_so_far();
    assert!(!told.iter().any(about("notified", "shop")), "{told:?}");
    running.signal(Signal::TERM);
    assert_eq!(running.finish().code(), 0);
    assert_eq!(subjects(&squirrel), Vec::<String>::new());

    // Here it is ended by the key, and what is open is told.
    let mut terminal = on_screen();
    terminal.wait("the outage", |frame| frame.is("shop", "DOWN"));
    terminal.press("Enter");
    terminal.wait("why nobody is told", |frame| {
        frame.has("Silence") && frame.has("maintenance until")
    });
    terminal.press("q");
    terminal.press("w");
    terminal.wait_text("shop: maintenance is over");
    terminal.press("F5");
    terminal.wait_text("● 1 sent");
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
    assert_eq!(count(&squirrel, "SELECT count(*) FROM maintenance"), 0);
    assert_eq!(subjects(&squirrel).len(), 1);
}

#[test]
fn maintenance_that_ended_while_no_monitor_ran_silences_nothing() {
    let mut fleet = Fleet::new();
    let shop = fleet.serve(script(WELL));
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let squirrel = home(&fleet, &[("shop", &shop, "")], &owners(&hook));
    let mut terminal = Terminal::start(&squirrel, (80, 24), ["--history", "history.db"]);
    terminal.wait("the site", |frame| frame.is("shop", "UP"));
    terminal.press("w");
    terminal.wait_text("shop: maintenance until ");
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
    let passed = "UPDATE maintenance SET until = until - 7200000000";
    assert_eq!(history(&squirrel).execute(passed, []).unwrap(), 1);
    shop.play(script(BROKEN));
    let mut running = watch(&squirrel);
    running.wait_for("it is told", about("notified", "shop"));
    running.signal(Signal::TERM);
    assert_eq!(running.finish().code(), 0);
}

/// On the screen, by a filter and in the metrics: which sites nobody is told of, why and until when.
#[test]
fn what_is_silenced_at_this_moment_is_marked_listed_and_counted() {
    let mut fleet = Fleet::new();
    let (well, broken) = (fleet.serve(script(WELL)), fleet.serve(script(BROKEN)));
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let window = "maintenance = [{ cron = '* * * * *', lasts = '2h' }]";
    let sites = [
        ("Gateway", &broken, ""),
        ("behind", &broken, "parent = 'Gateway'"),
        ("planned", &well, window),
        ("keyed", &well, ""),
        ("plain", &well, ""),
    ];
    let squirrel = home(&fleet, &sites, &owners(&hook));
    let words = ["--history", "none", "--metrics", "127.0.0.1:0"];
    let mut terminal = Terminal::start(&squirrel, (140, 36), words);
    terminal.wait("all sites", |frame| {
        frame.is("behind", "DOWN") && frame.is("plain", "UP") && frame.is("keyed", "UP")
    });
    // Newer messages may have come in its place.
    terminal.press("M");
    let text = terminal.wait_text("metrics at http://127.0.0.1:").text();
    let (_, rest) = text.split_once("metrics at http://").unwrap();
    let address = rest.split_once("/metrics").unwrap().0.parse().unwrap();
    terminal.press("q");
    terminal.press("/");
    terminal.press("keyed");
    terminal.press("Enter");
    terminal.wait("one site", |frame| frame.rows().count() == 1);
    terminal.press("w");
    terminal.wait("its remark", |frame| {
        let row = frame.rows().next().unwrap_or_default();
        row.contains(" m keyed  until ")
    });
    for (word, expected) in [
        ("maintenance", &["keyed", "planned"][..]),
        ("silenced", &["behind", "keyed", "planned"]),
    ] {
        terminal.press("/");
        terminal.press("Ctrl-U");
        terminal.press(word);
        terminal.press("Enter");
        let header = format!("filter \"{word}\": {} of 5", expected.len());
        let frame = terminal.wait_text(&header);
        for name in expected {
            assert!(
                frame.rows().any(|row| row.contains(&format!(" {name} "))),
                "{}",
                frame.text()
            );
        }
    }
    terminal.press("Home");
    let frame = terminal.wait_text(" s: silenced: parent Gateway ");
    assert!(frame.has(" s behind  by Gateway"), "{}", frame.text());
    let samples = parse(&get(address, "/metrics").body);
    let mut silenced: Vec<(String, String)> = samples
        .iter()
        .filter(|sample| sample.name == "squirrel_site_silenced")
        .map(|sample| {
            assert_eq!(sample.value, 1.0);
            (
                sample.label("name").to_owned(),
                sample.label("why").to_owned(),
            )
        })
        .collect();
    silenced.sort();
    let expected = [
        ("behind", "parent"),
        ("keyed", "maintenance"),
        ("planned", "maintenance"),
    ];
    assert_eq!(
        silenced,
        expected.map(|(name, why)| (name.to_owned(), why.to_owned()))
    );
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

/// Why nobody was told of an outage is said by the rule that decided: while it is open, when it has ended,
/// and by the next run.
#[test]
fn why_nobody_was_told_is_said_by_the_rule_that_decided() {
    let mut fleet = Fleet::new();
    let (gateway, others) = (fleet.serve(script(BROKEN)), fleet.serve(script(BROKEN)));
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let window = "maintenance = [{ cron = '* * * * *', lasts = '2h' }]";
    let sites = [
        ("Gateway", &gateway, ""),
        ("behind", &others, "parent = 'Gateway'"),
        ("planned", &others, window),
    ];
    let url = format!("url = 'http://{}/'", others.authority);
    let rest = format!(
        "{}[owners.late]\nwebhook = '{}'\ntell = ['certificate']\n\
         [[sites]]\nname = 'nobody'\n{url}\n[[sites]]\nname = 'unwanted'\n{url}\nowners = ['late']\n",
        owners(&hook),
        hook.url()
    );
    let squirrel = home(&fleet, &sites, &rest);
    let reasons = [
        ("Gateway", "● ops webhook "),
        ("behind", "silenced: parent Gateway is down "),
        ("planned", "silenced: maintenance until "),
        ("nobody", "no owner "),
        ("unwanted", "no owner is told of outages "),
    ];
    let says = |frame: &Frame, word: &str, of: &[(&str, &str)]| {
        of.iter().all(|(site, reason)| {
            let mut lines = frame.lines.iter();
            lines.any(|line| {
                line.contains(word) && line.contains(&format!(" {site} ")) && line.contains(reason)
            })
        })
    };
    let kept = ["--history", "history.db"];
    let mut terminal = Terminal::start(&squirrel, (200, 36), kept);
    terminal.press("F5");
    terminal.wait("why, of open ones", |frame| says(frame, "✗ OPEN", &reasons));
    others.play(script(WELL));
    let ended = |frame: &Frame| {
        says(frame, "✗ OPEN", &reasons[..1]) && says(frame, "● over", &reasons[1..])
    };
    terminal.wait("the same of ended ones", ended);
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
    let mut terminal = Terminal::start(&squirrel, (200, 36), kept);
    terminal.press("F5");
    terminal.wait("the same in the next run", ended);
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
    assert_eq!(subjects(&squirrel).len(), 1, "{:?}", subjects(&squirrel));
}
