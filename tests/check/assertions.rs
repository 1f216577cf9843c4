//! Assertions that mean harm: they keep neither their own check nor others waiting.

use serde_json::Value;

use super::sites::{home, site, start};
use crate::support::{Fleet, Script, paradigms};

fn script(toml: &str) -> Script {
    toml::from_str(toml).unwrap()
}

#[test]
fn a_pattern_that_takes_long_is_broken_off_and_says_nothing_of_the_site() {
    let mut fleet = Fleet::new();
    // No two parts of it are alike, so that every byte leads to states that are not known yet.
    let (mut seed, mut text) = (1_u32, String::new());
    for _ in 0..5_000 {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.push(if seed >> 31 == 0 { 'a' } else { 'b' });
    }
    let server = fleet.serve(script(&format!(
        r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n', {{ send = '{text}', times = 200 }}]"
    )));
    let settings = toml::toml! { timeout = "2s"
    slow = "2s"
    matches = "a[ab]{900}!" };
    let url = format!("http://{}/", server.authority);
    let squirrel = home(&fleet, vec![site("slow", &url, &settings)]);
    for paradigm in paradigms() {
        let finished = start(&squirrel, paradigm, 1).finish();
        let lines = finished.objects();
        let [line] = &lines[..] else {
            panic!("{paradigm}: {}", finished.stderr)
        };
        assert_eq!(line["verdict"], "unknown", "{paradigm}: {line}");
        let error = line["error"].as_str().unwrap_or_default();
        assert!(error.contains("takes too long"), "{paradigm}: {error}");
        let latency = line["latency_ms"].as_f64();
        assert!(
            latency.is_some_and(|taken| taken < 2_000.0),
            "{paradigm}: {line}"
        );
        assert_eq!(line["reason"], Value::from("internal"));
    }
}

#[test]
fn wrong_assertions_are_mistakes_with_line_and_column() {
    let fleet = Fleet::new();
    let settings = toml::toml! { matches = ["fine", "(["] };
    let squirrel = home(
        &fleet,
        vec![site("wrong", "http://127.0.0.1:1/", &settings)],
    );
    for line in [
        &["check", "--config", "sites.toml"][..],
        &["config", "check", "--config", "sites.toml"],
    ] {
        let finished = squirrel.run(line.iter().copied());
        assert_eq!(finished.code(), 2, "{}", finished.stderr);
        assert!(
            finished
                .stderr
                .contains(": sites[0].matches[1]: this is no regular expression: unclosed"),
            "{}",
            finished.stderr
        );
    }
}
