//! The rules behind a check's verdict and a site's state, in words.

use crate::domain::{CheckResult, Reason, clean};
use crate::monitor::{SiteState, State};
use crate::tui::format::{plural, setting};

/// Why a check has its verdict.
pub(super) fn of_check(site: &SiteState, check: &CheckResult) -> String {
    let asked = &site.site().spec;
    let Some(reason) = check.reason else {
        let status = check.status.map_or_else(
            || "the answer".to_owned(),
            |status| format!("status {status}"),
        );
        let mut text = format!(
            "{status} counts as up, and came within the timeout of {}",
            setting(asked.timeout)
        );
        if asked.options.is_some() {
            text.push_str(", and holds what is expected of it");
        } else if asked.contains.is_some() {
            text.push_str(", with the text of contains in its body");
        }
        return text;
    };
    match reason {
        Reason::Timeout => format!(
            "no verdict within the timeout of {}, redirects included",
            setting(asked.timeout)
        ),
        Reason::Status => {
            let status = check.status.unwrap_or_default();
            if !asked.expect_status.is_named() {
                format!("status {status} is 400 or more")
            } else {
                format!(
                    "status {status} is not among expect_status = \"{}\"",
                    asked.expect_status
                )
            }
        }
        Reason::Content if asked.options.is_some() => {
            "the answer does not hold what is expected of it".into()
        }
        Reason::Content => {
            let text = clean(asked.contains.as_deref().unwrap_or_default(), 60);
            format!("the body does not hold contains = \"{text}\"")
        }
        Reason::Slow => format!(
            "a good answer, but slower than slow = \"{}\"",
            setting(asked.slow)
        ),
        Reason::Certificate => format!(
            "a good answer, but the certificate ends sooner than cert_warn = \"{}\"",
            setting(asked.cert_warn)
        ),
        Reason::Redirect => format!(
            "more than max_redirects = {}, or one that leads nowhere",
            asked.max_redirects
        ),
        Reason::Dns => "the name has no address".into(),
        Reason::Refused => "nothing listens on the port".into(),
        Reason::Unreachable => "none of its addresses can be reached from here".into(),
        Reason::Tls => "the TLS handshake or the certificate cannot be trusted".into(),
        Reason::Closed => "the connection ended before the answer was complete".into(),
        Reason::Protocol => "the answer is not valid HTTP".into(),
        Reason::Internal => {
            "the check itself failed: a fault of this program or machine, which says nothing about the site".into()
        }
    }
}

/// Why a site's checks make its state.
pub(super) fn of_state(site: &SiteState) -> String {
    let config = site.site();
    let (confirm, recover) = (config.confirm, config.recover);
    let again = setting(config.confirm_delay);
    match site.state() {
        // A good check resets the count of failures.
        State::Down if site.good() > 0 => format!("{} of the {recover} that end an outage (recover = {recover}), checked again after {again}", plural(site.good(), "good check")),
        State::Down => format!("{} in a row, confirm = {confirm}: an outage, from the first failure on", plural(site.failures(), "failure")),
        State::Suspect => format!("{} of the {confirm} in a row that make an outage (confirm = {confirm}), checked again after {again}", plural(site.failures(), "failure")),
        State::Unknown => "the last check could not be run: it counts neither for nor against the site".into(),
        State::Missed => "the last check could not be started before the next was due: too few workers, not the site's fault".into(),
        State::Degraded => "up, but something needs attention".into(),
        State::Pending => "not checked yet".into(),
        State::Up => "the last check was good".into(),
        State::Paused => "not checked until it is resumed (key p)".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture::Fixture;

    #[test]
    fn an_outage_that_may_be_over_is_explained_by_its_good_checks() {
        const NAME: &str = "www.example";
        let mut fixture = Fixture::fresh();
        let because = |fixture: &Fixture| of_state(fixture.monitor.find(NAME).unwrap());
        fixture.fail(NAME, 500);
        fixture.fail(NAME, 500);
        let failing = "2 failures in a row, confirm = 2: an outage, from the first failure on";
        assert_eq!(because(&fixture), failing);
        fixture.pass(NAME, 80);
        assert_eq!(
            because(&fixture),
            "1 good check of the 2 that end an outage (recover = 2), checked again after 10s"
        );
        fixture.fail(NAME, 500);
        assert!(because(&fixture).starts_with("1 failure in a row"));
        fixture.pass(NAME, 80);
        fixture.pass(NAME, 80);
        assert_eq!(because(&fixture), "the last check was good");
    }
}
