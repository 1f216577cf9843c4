//! The help: the keys of the screen in front come first, and what is searched is found.

use crate::tui::fixture::Fixture;

use super::harness::{MEDIUM, SMALL, draw, lines, press, screen, type_text};

/// All lines of the help that is open, page by page.
fn whole_help(keys: &str) -> Vec<String> {
    let fixture = Fixture::mixed();
    // High enough for all of it.
    let size = (SMALL.0, 400);
    let mut ui = screen(size, &fixture);
    let model = fixture.model();
    press(&mut ui, &model, keys);
    lines(&draw(&ui, &model, size))
}

#[test]
fn the_keys_of_the_screen_in_front_come_first() {
    for (keys, first) in [
        ("F1 ?", "TABLE OF SITES"),
        ("F2 ?", "SCHEDULING"),
        ("F3 ?", "RACE"),
        ("F4 ?", "LAB"),
        ("F5 ?", "OUTAGES"),
        ("F1 Enter ?", "EXPLANATION"),
        ("F1 d ?", "HISTORY OF A SITE"),
    ] {
        let lines = whole_help(keys);
        let titles: Vec<_> = lines
            .iter()
            .filter(|line| line.starts_with(' ') && !line.starts_with("  "))
            .map(|line| line.trim())
            .filter(|line| *line == line.to_uppercase())
            .filter(|line| !line.starts_with("KEYS ") && !line.starts_with("TERMS"))
            .collect();
        let all = lines.join("\n");
        assert!(titles.contains(&"EVERYWHERE"), "{all}");
        assert!(titles.contains(&"TABLE OF SITES"), "{titles:?}");
        let first_title = titles.iter().find(|title| !title.starts_with("SELECTED"));
        assert_eq!(first_title, Some(&first), "{keys}: {titles:?}");
    }
}

#[test]
fn what_is_searched_in_the_help_is_found_in_its_section() {
    let fixture = Fixture::mixed();
    let model = fixture.model();
    for size in [SMALL, MEDIUM] {
        let mut ui = screen(size, &fixture);
        press(&mut ui, &model, "? PgDn /");
        type_text(&mut ui, &model, "CURL copy");
        let shown = lines(&draw(&ui, &model, size));
        let text = shown.join("\n");
        assert!(text.contains("Help: what was found"), "{text}");
        assert!(text.contains(" SELECTED SITE\n"), "{text}");
        assert!(text.contains("   y "), "{text}");
        assert!(!text.contains("TABLE OF SITES"), "{text}");
        assert!(text.contains(" / CURL copy"), "{text}");
        // What is found is kept, and Esc takes it back before it closes the help.
        press(&mut ui, &model, "Enter");
        assert!(
            lines(&draw(&ui, &model, size))
                .join("\n")
                .contains("what was found")
        );
        press(&mut ui, &model, "Esc");
        let text = lines(&draw(&ui, &model, size)).join("\n");
        assert!(text.contains("KEYS HERE"), "{text}");
        press(&mut ui, &model, "Esc");
        assert!(
            !lines(&draw(&ui, &model, size))
                .join("\n")
                .contains("KEYS HERE")
        );
    }
}

#[test]
fn states_columns_terms_and_titles_are_searched_too() {
    let fixture = Fixture::mixed();
    let model = fixture.model();
    for (words, found) in [
        ("SUSPECT", "failing, not confirmed yet"),
        ("newest at the right", "LAST CHECKS"),
        ("paradigms serial", "SERIAL"),
        ("scheduling zoom", "Zoom in: less time on a page."),
        ("gil", "TERMS"),
        (
            "nothing of the kind",
            "Nothing in the help has \"nothing of the kind\".",
        ),
    ] {
        let mut ui = screen(MEDIUM, &fixture);
        press(&mut ui, &model, "? /");
        type_text(&mut ui, &model, words);
        let text = lines(&draw(&ui, &model, MEDIUM)).join("\n");
        assert!(text.contains(found), "{words}: {text}");
        // Esc clears the search, and the help is opened whole the next time.
        press(&mut ui, &model, "Esc q ?");
        let text = lines(&draw(&ui, &model, MEDIUM)).join("\n");
        assert!(text.contains("KEYS HERE"), "{text}");
    }
}
