//! Durations as Go and Prometheus write them: "1h30m", "1.5s", "2d".

use std::time::Duration;

/// The duration; `None` for what is none, and for one of a century and more.
pub(super) fn parse_go_duration(text: &str) -> Option<Duration> {
    const CENTURY: f64 = 100.0 * 366.0 * 86_400.0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    let mut seconds = 0.0;
    while !rest.is_empty() && rest != "0" {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit_end = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        seconds += number
            * match &rest[..unit_end] {
                "ns" => 1e-9,
                "us" | "µs" | "μs" => 1e-6,
                "ms" => 1e-3,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3_600.0,
                "d" => 86_400.0,
                "w" => 7.0 * 86_400.0,
                "y" => 365.0 * 86_400.0,
                _ => return None,
            };
        rest = &rest[unit_end..];
    }
    duration_from_seconds(seconds).filter(|_| seconds < CENTURY)
}

/// So many seconds, to the millisecond, of which there is one if there is anything.
pub(super) fn duration_from_seconds(seconds: f64) -> Option<Duration> {
    const MOST: f64 = 1e12;
    let millis = (seconds * 1e3).round();
    if !(0.0..=MOST).contains(&millis) {
        return None;
    }
    let least = u64::from(seconds > 0.0);
    Some(Duration::from_millis((millis as u64).max(least)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_of_go_and_prometheus_are_read() {
        for (text, millis) in [
            ("0", 0),
            ("300ms", 300),
            ("1.5s", 1_500),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
            ("10us", 1),
        ] {
            assert_eq!(
                parse_go_duration(text),
                Some(Duration::from_millis(millis)),
                "{text}"
            );
        }
        for text in [
            "", "5", "s", "1x", "1m5", "-1s", "1..5s", "1000000y", "é", "1é",
        ] {
            assert_eq!(parse_go_duration(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_a_duration_of_ours(millis in 0_u64..10_000_000_000) {
            let duration = Duration::from_millis(millis);
            let text = crate::domain::exact_duration(duration);
            let read = crate::domain::parse_duration(&text).unwrap();
            // Texts are read through floating point numbers.
            prop_assert!(read.abs_diff(duration) < Duration::from_micros(1));
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = parse_go_duration(&text);
        }
    }
}
