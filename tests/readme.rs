//! The README says what the program does: the parts that the program can write itself are
//! compared, or written anew with `BLESS=1`.

#[cfg(test)]
mod readme {
    use std::fmt::Write as _;
    use std::fs;
    use std::path::{Path, PathBuf};

    use uptime_squirrel::{paradigm, tui};

    fn path() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")
    }

    /// Where the part between the marks called `name` begins and ends.
    fn part(readme: &str, name: &str) -> (usize, usize) {
        let mark = readme.find(&format!("<!-- {name}:")).unwrap();
        let begin = mark + readme[mark..].find("-->\n").unwrap() + 4;
        let end = begin + readme[begin..].find(&format!("<!-- /{name} -->")).unwrap();
        (begin, end)
    }

    fn holds(name: &str, expected: &str) {
        let readme = fs::read_to_string(path()).unwrap();
        let (begin, end) = part(&readme, name);
        if readme[begin..end] == *expected {
            return;
        }
        assert!(
            std::env::var_os("BLESS").is_some(),
            "the README's {name} are not the program's; BLESS=1 cargo test --test readme"
        );
        let blessed = format!("{}{expected}{}", &readme[..begin], &readme[end..]);
        fs::write(path(), blessed).unwrap();
    }

    // One test, because both parts are written into one file.
    #[test]
    fn keys_and_paradigms_are_those_of_the_program() {
        let mut table = "| key | name | what it is | a sweep |\n|---|---|---|---|\n".to_owned();
        for entry in &paradigm::ALL {
            let label = &entry.label;
            let law = label.law.words();
            writeln!(
                table,
                "| `{}` | `{}` | {} | {law} |",
                label.key, label.name, label.summary
            )
            .unwrap();
        }
        holds("paradigms", &format!("\n{table}\n"));
        let keys = tui::keys_markdown(&paradigm::labels());
        holds("keys", &format!("\n{}\n\n", keys.trim_end()));
    }

    #[test]
    fn the_pictures_exist_and_every_key_of_the_configuration_is_known() {
        let readme = fs::read_to_string(path()).unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for picture in readme
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            assert!(root.join(picture).exists(), "{picture}");
        }
        // The reference of the configuration is itself a configuration.
        let (_, reference) = readme.split_once("    [monitor] ").unwrap();
        let toml: String = format!("    [monitor] {reference}")
            .lines()
            .take_while(|line| line.is_empty() || line.starts_with("    "))
            .map(|line| format!("{}\n", line.trim_start()))
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sites.toml");
        let lists = folder.path().join("lists");
        fs::create_dir(&lists).unwrap();
        fs::write(folder.path().join("extra-ca.pem"), "").unwrap();
        let gateway = "\n[[sites]]\nname = \"Gateway\"\nurl = \"https://example.net\"\n";
        fs::write(&file, toml + gateway).unwrap();
        let names = paradigm::names();
        let known = uptime_squirrel::config::Known { paradigms: &names };
        let config = uptime_squirrel::config::load(&file, &known).unwrap_or_else(|mistakes| {
            panic!("{mistakes}");
        });
        assert_eq!(config.sites.len(), 2);
    }

    #[test]
    fn the_configuration_of_the_channels_can_be_followed_literally() {
        let readme = fs::read_to_string(path()).unwrap();
        let (_, section) = readme.split_once("\n## Owners are told\n").unwrap();
        let block: String = section
            .lines()
            .skip_while(|line| !line.starts_with("    [owners.ops]"))
            .take_while(|line| line.is_empty() || line.starts_with("    "))
            .map(|line| format!("{}\n", line.trim_start()))
            .collect();
        let site = "[[sites]]\nurl = \"https://example.org\"\nowners = [\"ops\"]\n";
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sites.toml");
        // As it stands, and with what is commented out.
        for block in [block.clone(), block.replace("# allow", "allow")] {
            fs::write(&file, format!("{block}{site}")).unwrap();
            let names = paradigm::names();
            let known = uptime_squirrel::config::Known { paradigms: &names };
            let config = uptime_squirrel::config::load(&file, &known)
                .unwrap_or_else(|mistakes| panic!("{mistakes}"));
            let plan = uptime_squirrel::app::plan(&config);
            let ways: Vec<_> = uptime_squirrel::notify::ways(&plan.settings, &plan.owners[0])
                .map(|entry| entry.name)
                .collect();
            assert_eq!(ways, ["email", "sms", "push", "webhook"]);
        }
    }
}
