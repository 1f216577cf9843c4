//! The file of the history: who may have it, and what becomes of it in bad times.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::Connection;
use rustix::process::Signal;

use super::sites::{BROKEN, WELL, count, history, home, is, watch};
use crate::monitor::sites::script;
use crate::support::{Answer, Fleet, PostServer, Squirrel, Terminal, until};

#[test]
fn a_second_monitor_on_one_file_is_refused_with_a_sentence() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let squirrel = home(&fleet, &site, "", "");
    let mut first = watch(&squirrel);
    first.wait_for("the start", is("started"));
    let second = watch(&squirrel).finish();
    assert_eq!(second.code(), 2);
    assert!(second.stdout.is_empty());
    assert!(
        second.stderr.contains(&format!(
            "another monitor keeps its history here (process {})",
            first.pid()
        )),
        "{}",
        second.stderr
    );
    // Killed, it leaves the file to others.
    first.signal(Signal::KILL);
    first.finish();
    let mut third = watch(&squirrel);
    third.wait_for("the start", is("started"));
}

#[test]
fn without_a_history_nothing_is_left_behind_and_owners_are_told_all_the_same() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(BROKEN));
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let squirrel = home(&fleet, &site, &format!("webhook = \"{}\"", hook.url()), "");
    let mut running = squirrel.start(["watch", "--history", "none"]);
    running.wait_for("the message", is("notified"));
    running.signal(Signal::TERM);
    assert_eq!(running.finish().code(), 0);
    let databases: Vec<PathBuf> = files(&squirrel)
        .into_iter()
        .filter(|path| path.to_string_lossy().contains(".db"))
        .collect();
    assert_eq!(databases, Vec::<PathBuf>::new());
}

fn files(squirrel: &Squirrel) -> Vec<PathBuf> {
    let mut folders = vec![squirrel.dir().to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files
}

#[test]
fn by_default_the_history_is_in_the_state_directory() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let squirrel = home(&fleet, &site, "", "");
    let mut running = squirrel.start(["watch"]);
    running.wait_for("the start", is("started"));
    running.signal(Signal::TERM);
    running.finish();
    assert!(
        squirrel
            .dir()
            .join("STATE/uptime-squirrel/history.db")
            .exists(),
        "{:?}",
        files(&squirrel)
    );
}

#[test]
fn what_is_kept_is_for_its_owner_alone_and_no_link_is_followed() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let squirrel =
        home(&fleet, &site, "", "").through(["sh", "-c", "umask 000; exec \"$@\"", "sh"]);
    let mut running = squirrel.start(["watch"]);
    running.wait_for("the start", is("started"));
    let state = squirrel.dir().join("STATE/uptime-squirrel");
    let mode = |path: &std::path::Path| {
        let metadata = std::fs::metadata(path).unwrap();
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(mode(&state), 0o700);
    for name in [
        "history.db",
        "history.db-wal",
        "history.db-shm",
        "history.db.lock",
        "squirrel.log",
    ] {
        assert_eq!(mode(&state.join(name)), 0o600, "{name}");
    }
    running.signal(Signal::TERM);
    running.finish();
    // What an earlier version made is taken from others once.
    let database = state.join("history.db");
    let wide = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(&database, wide).unwrap();
    std::fs::set_permissions(&state, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut running = squirrel.start(["watch"]);
    running.wait_for("the start", is("started"));
    assert_eq!(mode(&database), 0o644, "its owner has said so");
    running.signal(Signal::TERM);
    running.finish();
    // A link in the place of each is refused, and what it leads to stays as it is.
    for name in ["history.db.lock", "squirrel.log"] {
        let other = squirrel.dir().join(format!("other {name}"));
        std::fs::write(&other, "of somebody else").unwrap();
        std::fs::remove_file(state.join(name)).unwrap();
        symlink(&other, state.join(name)).unwrap();
    }
    let mut running = squirrel.start(["watch"]);
    running.wait_for("the start", is("started"));
    running.signal(Signal::TERM);
    let finished = running.finish();
    assert!(
        finished
            .stderr
            .contains("history.db.lock: cannot be written: it is a link"),
        "{}",
        finished.stderr
    );
    for name in ["history.db.lock", "squirrel.log"] {
        let other = squirrel.dir().join(format!("other {name}"));
        assert_eq!(
            std::fs::read_to_string(other).unwrap(),
            "of somebody else",
            "{name}"
        );
    }
}

#[test]
fn a_damaged_file_is_put_aside_and_said_so() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let squirrel = home(&fleet, &site, "", "");
    let mut running = watch(&squirrel);
    running.wait_for("the start", is("started"));
    until("a result is stored", || has_rows(&squirrel));
    running.signal(Signal::TERM);
    assert_eq!(running.finish().code(), 0);
    let path = squirrel.dir().join("history.db");
    // Whatever has become of it: it is where a monitor had its history.
    let bytes = "not a database at all, and longer than a page's head".repeat(300);
    std::fs::write(&path, &bytes).unwrap();
    for command in ["report", "history compact"] {
        let finished = squirrel.run(command.split(' ').chain(["--history", "history.db"]));
        assert_ne!(finished.code(), 0);
        let said = "squirrel: history.db: damaged\n";
        assert_eq!(finished.stderr, said, "{command}");
    }
    let mut running = watch(&squirrel);
    running.wait_for("the start", is("started"));
    until("a result is stored", || has_rows(&squirrel));
    running.signal(Signal::TERM);
    let finished = running.finish();
    assert_eq!(finished.code(), 0);
    assert!(
        finished
            .stderr
            .contains("the history was damaged: it is kept as history.db.damaged-"),
        "{}",
        finished.stderr
    );
    let aside = files(&squirrel)
        .into_iter()
        .find(|path| path.to_string_lossy().contains(".damaged-"))
        .unwrap();
    assert_eq!(std::fs::read_to_string(aside).unwrap(), bytes);
}

/// What is no history is refused by every command that would write into it, and stays as it is.
#[test]
fn a_file_that_is_no_history_is_refused_and_left_as_it_is() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let squirrel = home(&fleet, &site, "", "");
    let configuration = std::fs::read_to_string(squirrel.dir().join("sites.toml")).unwrap();
    squirrel.write("short.txt", "a");
    squirrel.write("picture.png", "\u{89}PNG\r\n\u{1a}\n\0\0".repeat(50));
    let other = Connection::open(squirrel.dir().join("other.db")).unwrap();
    other.execute_batch("CREATE TABLE recipes (a)").unwrap();
    drop(other);
    let mut broken = std::fs::read(squirrel.dir().join("other.db")).unwrap();
    broken[100..].fill(b'?');
    squirrel.write("broken.db", &broken);
    let before = files(&squirrel);
    for name in [
        "sites.toml",
        "short.txt",
        "picture.png",
        "other.db",
        "broken.db",
    ] {
        let bytes = std::fs::read(squirrel.dir().join(name)).unwrap();
        for command in ["watch", "history compact"] {
            let finished = squirrel.run(command.split(' ').chain(["--history", name]));
            assert_ne!(finished.code(), 0, "{command} {name}");
            let said = format!("{name}: no history of squirrel");
            assert!(finished.stderr.contains(&said), "{}", finished.stderr);
        }
        let left = std::fs::read(squirrel.dir().join(name)).unwrap();
        assert!(left == bytes, "{name}");
    }
    let mut made = files(&squirrel);
    made.retain(|path| !before.contains(path) && !path.ends_with("squirrel.log"));
    assert!(made.is_empty(), "{made:?}");
    let now = std::fs::read_to_string(squirrel.dir().join("sites.toml")).unwrap();
    assert_eq!(now, configuration);
}

fn has_rows(squirrel: &Squirrel) -> bool {
    let connection = Connection::open(squirrel.dir().join("history.db")).unwrap();
    connection
        .query_row("SELECT count(*) FROM results", [], |row| {
            row.get::<_, i64>(0)
        })
        .is_ok_and(|rows| rows > 0)
}

#[test]
fn a_folder_that_cannot_be_written_is_a_banner_until_it_can() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let squirrel = home(&fleet, &site, "", "");
    // A file where the folder should be: not even root can write into that.
    squirrel.write("state", "");
    let mut terminal = Terminal::start(&squirrel, (120, 36), ["--history", "state/history.db"]);
    terminal.wait("a check and the banner", |frame| {
        frame.is("shop", "UP") && frame.has("the history is not kept: ")
    });
    std::fs::remove_file(squirrel.dir().join("state")).unwrap();
    terminal.wait("the end of the banner", |frame| {
        !frame.has("the history is not kept: ")
    });
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
    let rows: i64 = Connection::open(squirrel.dir().join("state/history.db"))
        .unwrap()
        .query_row("SELECT count(*) FROM results", [], |row| row.get(0))
        .unwrap();
    assert!(rows > 0, "what was seen meanwhile was carried back");
}

#[test]
fn a_lock_of_another_program_loses_nothing_and_owners_are_told_meanwhile() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(BROKEN));
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let squirrel = home(&fleet, &site, &format!("webhook = \"{}\"", hook.url()), "");
    let mut running = squirrel.start(["watch", "--history", "history.db", "--results"]);
    let outage = running.wait_for("the outage", is("down"));
    running.wait_for("its message", is("notified"));
    // What is kept of an outage changes ever more seldom: next with its sixteenth failure.
    running.wait_for_lines(10);
    let open = "SELECT count(*) FROM outages WHERE ended IS NULL";
    until("the outage is kept", || count(&squirrel, open) == 1);
    let other = history(&squirrel);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let before = running.lines_so_far().len();
    // Long enough that no writer waits for it any more.
    running.wait_for_lines(before + 6);
    site.play(script(WELL));
    running.wait_for("the end", is("recovered"));
    running.wait_for("its message, while nothing can be written", |line| {
        line["event"] == "notified" && line["subject"].as_str().unwrap().contains("UP")
    });
    let before = running.lines_so_far().len();
    running.wait_for_lines(before + 6);
    other.execute_batch("ROLLBACK").unwrap();
    until("the end is kept", || {
        count(
            &squirrel,
            "SELECT count(*) FROM outages WHERE ended IS NOT NULL",
        ) == 1
    });
    assert_eq!(count(&squirrel, "SELECT count(*) FROM streaks"), 0);
    assert_eq!(
        count(&squirrel, "SELECT count(*) FROM outbox WHERE state = 1"),
        2
    );
    running.signal(Signal::TERM);
    let finished = running.finish();
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    let said = "the history is not kept: history.db: held by another program";
    assert!(finished.stderr.contains(said), "{}", finished.stderr);
    assert!(
        finished.stderr.contains("the history is kept again"),
        "{}",
        finished.stderr
    );
    let results = finished.objects();
    let results = results.iter().filter(|line| line["verdict"].is_string());
    assert_eq!(
        count(&squirrel, "SELECT count(*) FROM results"),
        results.count() as i64,
        "since {}",
        outage["since"]
    );
}

/// A way to lose the file in a folder.
type Loss = fn(&std::path::Path);

/// The ways in which a file of the history is lost while a monitor writes it.
const LOST: [(&str, Loss); 3] = [
    ("moved", |folder| {
        std::fs::rename(folder, folder.with_file_name("elsewhere")).unwrap();
    }),
    ("removed", |folder| {
        std::fs::remove_file(folder.join("history.db")).unwrap();
    }),
    ("replaced", |folder| {
        let database = folder.join("history.db");
        std::fs::write(folder.join("new"), "").unwrap();
        std::fs::rename(folder.join("new"), database).unwrap();
    }),
];

#[test]
fn a_file_that_is_moved_or_removed_is_begun_anew_with_all_that_is_open() {
    for (way, lose) in LOST {
        let mut fleet = Fleet::new();
        let site = fleet.serve(script(BROKEN));
        let busy = || Answer::Says("503 Busy", "Retry-After: 1\r\n", "");
        let answers = [busy(), busy(), Answer::Says("200 OK", "", "")];
        let hook = PostServer::start(&fleet, answers);
        let squirrel = home(&fleet, &site, &format!("webhook = \"{}\"", hook.url()), "");
        let start = || squirrel.start(["watch", "--history", "state/history.db"]);
        let mut running = start();
        let outage = running.wait_for("the outage", is("down"));
        running.wait_for("that nobody takes it", is("notify_failed"));
        let folder = squirrel.dir().join("state");
        lose(&folder);
        let found = |sql: &str| {
            let connection = Connection::open_with_flags(
                folder.join("history.db"),
                rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
            );
            let connection = connection.ok()?;
            connection
                .query_row(sql, [], |row| row.get::<_, i64>(0))
                .ok()
        };
        until(&format!("{way}: what is open is in the new file"), || {
            let waits = "SELECT count(*) FROM outbox JOIN outages o ON o.id = outage
                         JOIN streaks s ON s.site = o.site WHERE state = 0 AND ended IS NULL";
            found(waits) == Some(1)
        });
        // It is nobody else's.
        let second = start().finish();
        assert_eq!(second.code(), 2, "{way}");
        assert!(
            second
                .stderr
                .contains("another monitor keeps its history here"),
            "{way}: {}",
            second.stderr
        );
        running.signal(Signal::KILL);
        let finished = running.finish();
        let said = "the history was moved or removed: it goes on in state/history.db";
        assert!(finished.stderr.contains(said), "{way}: {}", finished.stderr);
        // The next run goes on with it.
        let mut running = start();
        let told = running.wait_for("the message", is("notified"));
        assert!(
            told["subject"].as_str().unwrap().contains("DOWN"),
            "{way}: {told}"
        );
        site.play(script(WELL));
        let end = running.wait_for("the end", is("recovered"));
        assert_eq!(end["since"], outage["since"], "{way}");
        running.signal(Signal::TERM);
        assert_eq!(running.finish().code(), 0, "{way}");
        if way == "moved" {
            // The past is whole where it was moved to.
            let moved = Connection::open(squirrel.dir().join("elsewhere/history.db")).unwrap();
            let sound: String = moved
                .query_row("PRAGMA integrity_check", [], |row| row.get(0))
                .unwrap();
            assert_eq!(sound, "ok");
        }
    }
}

/// A folder `disk` that holds one MiB, in a file system of its own.
const SMALL_DISK: &str = r#"
mkdir disk && mount -t tmpfs -o size=1m none disk || exit 90
exec "$@"
"#;

#[test]
fn on_a_full_disk_monitoring_goes_on_and_nothing_is_missing_afterwards() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let text = std::fs::read_to_string(
        home(&fleet, &site, &format!("webhook = \"{}\"", hook.url()), "")
            .dir()
            .join("sites.toml"),
    )
    .unwrap();
    let squirrel = Squirrel::new().through([
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        SMALL_DISK,
        "sh",
    ]);
    squirrel.write("ca.pem", fleet.certificates().ca_pem());
    squirrel.write("sites.toml", text);
    let mut running = squirrel.start(["watch", "--history", "disk/history.db", "--results"]);
    running.wait_for(
        "a check (this test needs unshare of util-linux and user namespaces)",
        |line| line["verdict"] == "up",
    );
    let disk = PathBuf::from(format!(
        "/proc/{}/root{}/disk",
        running.pid(),
        squirrel.dir().display()
    ));
    let filler = disk.join("filler");
    let mut bytes = 1024 * 1024;
    while bytes >= 512 {
        // Until not even the smallest piece fits.
        use std::io::Write as _;
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&filler)
            .unwrap();
        if file.write_all(&vec![0; bytes]).is_err() {
            bytes /= 2;
        }
    }
    let before = running.lines_so_far().len();
    // The site goes down while nothing can be written.
    site.play(script(BROKEN));
    running.wait_for("the message", |line| line["event"] == "notified");
    running.wait_for_lines(before + 5);
    std::fs::remove_file(&filler).unwrap();
    let copy = tempfile::tempdir().unwrap();
    let kept = |sql: &str| -> Option<i64> {
        // SQLite would follow the link in `/proc` by its text, to our own file system.
        for name in ["history.db", "history.db-wal"] {
            std::fs::copy(disk.join(name), copy.path().join(name)).ok()?;
        }
        let connection = Connection::open(copy.path().join("history.db")).ok()?;
        connection.query_row(sql, [], |row| row.get(0)).ok()
    };
    until("the change is kept", || {
        kept("SELECT count(*) FROM outbox WHERE state = 1") == Some(1)
    });
    // The file system ends with the program: the file is read before.
    let seen = running.lines_so_far();
    let seen = seen.iter().filter(|line| line["verdict"].is_string());
    let seen = seen.count() as i64;
    until("all that was seen is kept", || {
        kept("SELECT count(*) FROM results").is_some_and(|rows| rows >= seen)
    });
    running.signal(Signal::TERM);
    let finished = running.finish();
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    assert!(
        finished
            .stderr
            .contains("the history is not kept: disk/history.db: the disk is full"),
        "{}",
        finished.stderr
    );
    assert!(
        finished.stderr.contains("the history is kept again"),
        "{}",
        finished.stderr
    );
    assert_eq!(hook.posted().len(), 1);
}

/// One monitor after another on one file, each killed at a moment of chance.
fn kill_at_random(moments: u32, seed: u64) {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let sites: Vec<String> = (0..50).map(|number| format!("site {number}")).collect();
    let named: Vec<(&str, &crate::support::Server)> =
        sites.iter().map(|name| (&**name, &site)).collect();
    let squirrel =
        super::sites::home_of(&fleet, &named, &format!("webhook = \"{}\"", hook.url()), "");
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut rows = 0;
    for moment in 0..moments {
        site.play(script(if chance.bool() { BROKEN } else { WELL }));
        let mut running = watch(&squirrel);
        running.wait_for("the start", is("started"));
        std::thread::sleep(Duration::from_millis(chance.u64(0..400)));
        running.signal(Signal::KILL);
        running.finish();
        let database = history(&squirrel);
        let sound: String = database
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(sound, "ok", "seed {seed}, moment {moment}");
        let now = count(&squirrel, "SELECT count(*) FROM results");
        assert!(now >= rows, "seed {seed}, moment {moment}: {rows} -> {now}");
        rows = now;
        for wrong in [
            // Every outage has its message, every end has one too.
            "SELECT count(*) FROM outages o WHERE NOT EXISTS (SELECT 1 FROM outbox b WHERE b.outage = o.id AND b.facts LIKE '%\"event\":\"down\"%')",
            "SELECT count(*) FROM outages o WHERE ended IS NOT NULL AND NOT EXISTS (SELECT 1 FROM outbox b WHERE b.outage = o.id AND b.facts LIKE '%\"event\":\"recovered\"%')",
            // No site is down twice at once, and no outage is told twice.
            "SELECT count(*) FROM (SELECT site FROM outages WHERE ended IS NULL GROUP BY site HAVING count(*) > 1)",
            "SELECT count(*) FROM (SELECT outage FROM outbox GROUP BY outage, owner, channel, facts LIKE '%\"event\":\"down\"%' HAVING count(*) > 1)",
            "SELECT count(*) FROM outages a JOIN outages b ON a.site = b.site AND a.id < b.id WHERE b.since < coalesce(a.ended, 9e18)",
        ] {
            assert_eq!(
                count(&squirrel, wrong),
                0,
                "seed {seed}, moment {moment}: {wrong}"
            );
        }
    }
    assert!(rows > 0);
    // The last one sends what is left.
    let mut running = watch(&squirrel);
    running.wait_for("the start", is("started"));
    until("all is sent", || {
        count(&squirrel, "SELECT count(*) FROM outbox WHERE state = 0") == 0
    });
    running.signal(Signal::TERM);
    running.finish();
    // Each message once; a duplicate has the same id.
    let mut ids: Vec<String> = hook
        .posted()
        .iter()
        .map(|posted| posted.header("Idempotency-Key").unwrap().to_owned())
        .collect();
    ids.sort();
    ids.dedup();
    // One that was posted right before a kill may be told by a later message as well.
    let sent = count(&squirrel, "SELECT count(*) FROM outbox WHERE state = 1");
    assert!(
        ids.len() as i64 >= sent,
        "{} posted, {sent} sent",
        ids.len()
    );
    // An outage that ended before its beginning was sent is told by one message.
    let untold = "SELECT count(*) FROM outbox WHERE state NOT IN (1, 4)";
    assert_eq!(count(&squirrel, untold), 0);
    assert!(ids.len() > 50, "only {} messages", ids.len());
}

#[test]
fn killed_at_200_moments_of_chance_it_loses_no_result_and_no_message_and_tells_no_owner_twice() {
    std::thread::scope(|scope| {
        for seed in 0..4 {
            scope.spawn(move || kill_at_random(50, seed));
        }
    });
}
