//! What the status line says, and said.

use std::time::Duration;

use crate::tui::fixture::Fixture;
use crate::tui::view_model::{StatusMessage, Tone, ViewModel};

use super::harness::{MEDIUM, SMALL, draw, lines, press, screen};

#[test]
fn a_message_covers_no_key_and_is_shown_everywhere() {
    let fixture = Fixture::mixed();
    let message = StatusMessage {
        text: "DOWN: shop.example (timeout)".to_owned(),
        short: None,
        tone: Tone::Bad,
        at: fixture.now().mono,
        sticky: true,
    };
    let model = ViewModel {
        message: Some(&message),
        ..fixture.model()
    };
    for size in [SMALL, MEDIUM] {
        let mut ui = screen(size, &fixture);
        for keys in ["F1", "F2", "F3", "F4", "F5", "?", "M", "q q F1 Enter", "d"] {
            press(&mut ui, &model, keys);
            let text = lines(&draw(&ui, &model, size));
            let [.., above, footer] = &text[..] else {
                panic!("no lines");
            };
            assert!(
                above.starts_with(" DOWN: shop.example (timeout)"),
                "{keys}: {above}"
            );
            assert!(footer.starts_with(" ? help  q "), "{keys}: {footer}");
        }
    }
}

#[test]
fn the_last_messages_can_be_read_again() {
    let fixture = Fixture::mixed();
    let messages: Vec<StatusMessage> = (0..20)
        .map(|number| StatusMessage {
            text: format!("news {number}"),
            short: None,
            tone: Tone::Info,
            at: fixture.now().mono - Duration::from_secs(60 - number),
            sticky: false,
        })
        .collect();
    let model = ViewModel {
        messages: &messages,
        ..fixture.model()
    };
    let mut ui = screen(MEDIUM, &fixture);
    // The screen itself says something.
    press(&mut ui, &model, "9 M");
    let text = lines(&draw(&ui, &model, MEDIUM));
    assert!(
        text[3].contains("14:02:10  No paradigm has the key 9"),
        "{}",
        text[3]
    );
    assert!(text[4].contains("14:01:29  news 19"), "{}", text[4]);
    let all = text.join("\n");
    assert!(
        all.contains("news 1\n") && !all.contains("news 0\n"),
        "{all}"
    );
}
