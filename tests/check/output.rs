//! What comes out where: tables, JSON, closed pipes.

use super::sites::{home, site, sites_at, start};
use crate::support::{Fleet, Script, Squirrel, check_line, paradigms, unsafe_characters};

fn script(toml: &str) -> Script {
    toml::from_str(toml).unwrap()
}

const OK: &str = r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']";
const FAULT: &str = r"'*' = ['HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n']";

#[test]
fn a_table_has_a_row_a_site_and_no_escape_codes() {
    let mut fleet = Fleet::new();
    let good = fleet.serve(script(OK));
    let bad = fleet.serve(script(FAULT));
    let none = toml::Table::new();
    let squirrel = home(
        &fleet,
        vec![
            site(
                "the good one",
                &format!("http://{}/", good.authority),
                &none,
            ),
            site(
                "the bad one",
                &format!("http://ann:s3cret@{}/", bad.authority),
                &none,
            ),
        ],
    );
    let finished = squirrel.run(["check", "--config", "sites.toml", "--format", "table"]);
    finished.assert_no_panic();
    assert_eq!(finished.code(), 1, "{}", finished.stderr);
    let table = String::from_utf8(finished.stdout.clone()).unwrap();
    let row = |name: &str| {
        let rows: Vec<_> = table.lines().filter(|line| line.contains(name)).collect();
        assert_eq!(rows.len(), 1, "rows of {name} in\n{table}");
        rows[0].to_lowercase()
    };
    let (good, bad) = (row("the good one"), row("the bad one"));
    assert!(good.contains("up") && good.contains("200"), "{good}");
    assert!(bad.contains("down") && bad.contains("500"), "{bad}");
    // Columns: what stands in them begins at the same place in both rows.
    assert_eq!(
        good.find("200"),
        bad.find("500"),
        "not in columns:\n{table}"
    );
    assert!(
        serde_json::from_str::<serde_json::Value>(&good).is_err(),
        "JSON in the table"
    );
    for text in [&table, &finished.stderr] {
        assert!(unsafe_characters(text).is_empty(), "{text:?}");
        assert!(!text.contains("s3cret"));
    }
}

#[test]
fn urls_on_the_command_line_are_checked() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(OK));
    let (one, two) = (
        format!("http://{}/one", server.authority),
        format!("http://ann:s3cret@{}/two", server.authority),
    );
    let finished = Squirrel::new().run(["check", "--format", "json", &one, &two]);
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    let lines = finished.objects();
    assert_eq!(lines.len(), 2);
    for line in &lines {
        assert_eq!(check_line(line), Vec::<String>::new(), "{line}");
        assert_eq!(line["verdict"], "up");
    }
    let mut urls: Vec<_> = lines
        .iter()
        .map(|line| line["url"].as_str().unwrap())
        .collect();
    urls.sort_unstable();
    let masked = format!("http://ann:***@{}/two", server.authority);
    let mut expected = [one.as_str(), masked.as_str()];
    expected.sort_unstable();
    assert_eq!(urls, expected);
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&finished.stdout),
        finished.stderr
    );
    assert!(!said.contains("s3cret"), "{said}");
}

#[test]
fn each_line_comes_as_its_check_completes() {
    for paradigm in paradigms() {
        let mut fleet = Fleet::new();
        let quick = fleet.serve(script(OK));
        let held = fleet.serve(script(
            r"'*' = [{ gate = true }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
        ));
        let settings = toml::toml! { timeout = "30s" };
        let mut sites = sites_at(&quick, 2, &settings);
        sites.push(site(
            "held",
            &format!("http://{}/", held.authority),
            &settings,
        ));
        let squirrel = home(&fleet, sites);
        let mut running = start(&squirrel, paradigm, 2);
        // Two of three are printed while the third cannot complete.
        running.wait_for_lines(2);
        fleet.open_gate();
        let finished = running.finish();
        assert_eq!(finished.code(), 0, "{paradigm}: {}", finished.stderr);
        assert_eq!(finished.objects()[2]["name"], "held", "{paradigm}");
    }
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    for format in ["json", "table"] {
        let mut fleet = Fleet::new();
        let server = fleet.serve(script(
            r"'*' = [{ wait = '20ms' }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
        ));
        let squirrel = home(&fleet, sites_at(&server, 200, &toml::Table::new())).through([
            "sh",
            "-c",
            "\"$@\" | head -n 1; wait",
            "sh",
        ]);
        let finished = squirrel.run([
            "check",
            "--config",
            "sites.toml",
            "--paradigm",
            "threads",
            "--workers",
            "2",
            "--format",
            format,
        ]);
        finished.assert_no_panic();
        let said = &finished.stderr;
        assert_eq!(
            String::from_utf8_lossy(&finished.stdout).lines().count(),
            1,
            "{said}"
        );
        for noise in ["roken pipe", "os error", "failed printing"] {
            assert!(!said.contains(noise), "{format}: {said}");
        }
    }
}

#[test]
fn a_reader_that_goes_away_spares_the_rest_of_the_sweep() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"'*' = [{ wait = '20ms' }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let squirrel = home(&fleet, sites_at(&server, 500, &toml::Table::new()));
    let mut running = start(&squirrel, "serial", 1);
    running.wait_for_lines(1);
    running.close_stdout();
    let finished = running.finish();
    finished.assert_no_panic();
    assert_eq!(finished.stderr, "", "a closed pipe is no news");
    assert!(server.count.requests() < 500, "it went on for nobody");
}
