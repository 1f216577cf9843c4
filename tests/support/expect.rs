//! What a scenario expects of one line of `check`, and the comparison.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

/// How long after a site's deadline its verdict may come on a machine that is busy with a
/// thousand other things.
const SLACK: Duration = Duration::from_secs(2);

/// What a check must say. What is left out must be null, or has the value of a plain answer
/// to a HEAD; only the fields named in `loose` are not compared.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    pub(crate) verdict: OneOrMore,
    #[serde(default)]
    pub(crate) reason: Option<OneOrMore>,
    #[serde(default)]
    pub(crate) status: Option<i64>,
    #[serde(default = "head")]
    pub(crate) method: String,
    #[serde(default = "one")]
    pub(crate) attempts: i64,
    #[serde(default)]
    pub(crate) redirects: i64,
    /// The URL as it must be printed, where it differs from the one configured.
    #[serde(default)]
    pub(crate) url: Option<String>,
    /// Words that `error` must hold, whatever their case; `a|b` is either.
    #[serde(default)]
    pub(crate) error_has: Vec<String>,
    /// Words that neither standard output nor standard error may hold.
    #[serde(default)]
    pub(crate) never_shown: Vec<String>,
    /// Phases that must have a time.
    #[serde(default)]
    pub(crate) timed: Vec<String>,
    /// Phases that must be null.
    #[serde(default)]
    pub(crate) untimed: Vec<String>,
    /// The least and the most that `cert_days_left` may be; null when left out.
    #[serde(default)]
    pub(crate) cert_days: Option<[f64; 2]>,
    /// Fields that the contract leaves open here.
    #[serde(default)]
    pub(crate) loose: Vec<String>,
}

fn head() -> String {
    "HEAD".to_owned()
}

const fn one() -> i64 {
    1
}

/// A word, or several of which any will do.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    pub(crate) fn holds(&self, word: &str) -> bool {
        match self {
            Self::One(only) => only == word,
            Self::More(all) => all.iter().any(|one| one == word),
        }
    }
}

/// Everything in which `line` is not what was expected, one sentence each.
pub(crate) fn mismatches(
    expect: &Expect,
    line: &Value,
    url: &str,
    timeout: Duration,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let loose = |field: &str| expect.loose.iter().any(|name| name == field);
    let mut same = |field: &str, wanted: Value| {
        if !loose(field) && line[field] != wanted {
            wrong.push(format!("{field} is {}, not {wanted}", line[field]));
        }
    };
    same("url", json!(expect.url.as_deref().unwrap_or(url)));
    same("status", json!(expect.status));
    same("method", json!(expect.method));
    same("attempts", json!(expect.attempts));
    same("redirects", json!(expect.redirects));

    let verdict = line["verdict"].as_str().unwrap_or_default();
    if !expect.verdict.holds(verdict) {
        wrong.push(format!("verdict is {verdict}, not {:?}", expect.verdict));
    }
    let reason_fits = match (&expect.reason, line["reason"].as_str()) {
        (Some(wanted), Some(reason)) => wanted.holds(reason),
        // Several verdicts are allowed, "up" among them: it has no reason.
        (Some(_), None) => expect.verdict.holds("up"),
        (None, reason) => reason.is_none(),
    };
    if !reason_fits {
        wrong.push(format!(
            "reason is {}, not {:?}",
            line["reason"], expect.reason
        ));
    }

    let error = line["error"].as_str().unwrap_or_default().to_lowercase();
    for words in &expect.error_has {
        if !words
            .split('|')
            .any(|word| error.contains(&word.to_lowercase()))
        {
            wrong.push(format!("{words:?} is not in the error {error:?}"));
        }
    }
    for phase in &expect.timed {
        if !line["phases"][format!("{phase}_ms")].is_number() {
            wrong.push(format!("{phase} has no time"));
        }
    }
    for phase in &expect.untimed {
        if !line["phases"][format!("{phase}_ms")].is_null() {
            wrong.push(format!("{phase} has a time"));
        }
    }
    let days = line["cert_days_left"].as_f64();
    let days_fit = match (expect.cert_days, days) {
        (Some([least, most]), Some(days)) => (least..=most).contains(&days),
        (None, None) => true,
        _ => loose("cert_days_left"),
    };
    if !days_fit {
        wrong.push(format!(
            "cert_days_left is {days:?}, not {:?}",
            expect.cert_days
        ));
    }
    let most = (timeout + SLACK).as_secs_f64() * 1e3;
    let latency = line["latency_ms"].as_f64().unwrap_or(f64::INFINITY);
    if latency > most {
        wrong.push(format!(
            "latency is {latency} ms, the deadline was {timeout:?}"
        ));
    }
    wrong
}
