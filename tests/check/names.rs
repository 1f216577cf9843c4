//! Names as the C library finds them: name servers of every kind in a network of its own.
//!
//! Behaviour is data: `tests/scenarios/names/*.toml`. Needs unshare and mount of util-linux, ip of
//! iproute2, python3 and user namespaces.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::Signal;
use serde::Deserialize;
use serde_json::Value;

use crate::support::{
    Expect, Squirrel, check_line, mismatches, paradigms, scenarios_dir, unescape,
};

/// The addresses of a test: three name servers, one web server that answers on port 8080, of
/// either family, and one where nothing listens. `/etc` says what the test wants.
const NETWORK: &str = r#"
ip link set lo up || exit 90
for host in 1.1 1.2 1.3 1.9 2.1 2.9; do ip addr add 10.9.$host/32 dev lo || exit 91; done
if [ -e no-ipv6 ]; then
    echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6 || exit 92
else
    for host in 1 9; do ip -6 addr add fd09::$host/128 dev lo nodad || exit 93; done
fi
for file in resolv.conf hosts; do
    mount --bind $file $(readlink -f /etc/$file) || exit 94
done
rm -f ready
mkfifo alive 2>/dev/null
python3 name_server.py < alive &
exec 9> alive
while [ ! -e ready ]; do sleep 0.01; done
"#;

/// The program in that network.
const ONCE: &str = r#"exec "$@""#;

/// The program under every paradigm at once, and how each ended. They mostly wait.
const UNDER_EACH: &str = r#"
for paradigm in $PARADIGMS; do
    "$@" --paradigm $paradigm > $paradigm.lines 2> $paradigm.err 9>&- &
    running="$running $paradigm:$!"
done
for one in $running; do
    wait ${one#*:}
    echo "${one%:*} ended with $?." >> ended
done
cat ended *.err >&2
cat *.lines
"#;

const NAME_SERVER: &str = include_str!("name_server.py");

/// Groups that are tried at once.
const AT_ONCE: usize = 4;

/// Cases that share name servers and files.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    resolv_conf: String,
    /// The bytes of the hosts file, written as in the scenarios.
    #[serde(default)]
    hosts: String,
    /// Whether the machine has IPv6.
    #[serde(default = "yes")]
    ipv6: bool,
    /// What the name server at each address does; the modes are in `name_server.py`.
    #[serde(default)]
    servers: BTreeMap<String, String>,
    /// What the good ones know: names, kinds, values.
    #[serde(default)]
    zone: toml::Table,
    /// Variables of the environment.
    #[serde(default)]
    environment: BTreeMap<String, String>,
    case: Vec<Case>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    url: String,
    #[serde(default)]
    site: toml::Table,
    expect: Expect,
    /// The most that its check may take.
    #[serde(default)]
    within: Option<String>,
}

const fn yes() -> bool {
    true
}

#[derive(Deserialize)]
struct File {
    group: Vec<Group>,
}

fn groups() -> Vec<Group> {
    let folder = scenarios_dir().join("names");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let read = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        let file: File = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
        file.group
    };
    files.iter().flat_map(read).collect()
}

/// A home in a network of its own, where the shell runs the program by `script`, with its files
/// and its list.
fn home(group: &Group, script: &str) -> Squirrel {
    let mut words = vec!["unshare", "--user", "--map-root-user", "--net", "--mount"];
    let variables: Vec<_> = group
        .environment
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let script = format!("{NETWORK}{script}");
    let each = paradigms().collect::<Vec<_>>().join(" ");
    let each = format!("PARADIGMS={each}");
    words.extend(["env", &each]);
    words.extend(variables.iter().map(String::as_str));
    words.extend(["sh", "-c", &script, "sh"]);
    let squirrel = Squirrel::new().through(words);
    let known = serde_json::json!({
        "servers": group.servers,
        "zone": group.zone,
        "ipv6": group.ipv6,
    });
    squirrel.write("group.json", known.to_string());
    squirrel.write("name_server.py", NAME_SERVER);
    squirrel.write("resolv.conf", &group.resolv_conf);
    squirrel.write("hosts", unescape(&group.hosts).unwrap());
    if !group.ipv6 {
        squirrel.write("no-ipv6", "");
    }
    let mut list = "[monitor]\ntimeout = \"20s\"\nslow = \"19s\"\n".to_owned();
    for case in &group.case {
        let mut site = case.site.clone();
        site.insert("url".to_owned(), case.url.clone().into());
        site.insert("name".to_owned(), case.url.clone().into());
        list.push_str(&format!("[[sites]]\n{}", toml::to_string(&site).unwrap()));
    }
    squirrel.write("sites.toml", list);
    squirrel
}

/// What is wrong with what each paradigm says about the cases.
fn mistakes(group: &Group) -> Vec<String> {
    let finished = home(group, UNDER_EACH).run([
        "check",
        "--format",
        "json",
        "--config",
        "sites.toml",
        "--workers",
        "16",
    ]);
    finished.assert_no_panic();
    let lines = finished.objects();
    let of = |paradigm: &str| {
        let own = |line: &&Value| line["paradigm"] == paradigm;
        let own: Vec<_> = lines.iter().filter(own).cloned().collect();
        let all_up = own.iter().all(|line| line["verdict"] == "up");
        let ended = format!("{paradigm} ended with {}.", u8::from(!all_up));
        let mut wrong = mistakes_of(group, paradigm, &own);
        if !finished.stderr.contains(&ended) {
            let name = &group.name;
            wrong.push(format!("{name}: not {ended:?}: {}", finished.stderr));
        }
        wrong
    };
    paradigms().flat_map(of).collect()
}

/// What is wrong with what one paradigm says about the cases.
fn mistakes_of(group: &Group, paradigm: &str, lines: &[Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    for case in &group.case {
        let place = format!("{paradigm}: {}: {}", group.name, case.url);
        let Some(line) = lines.iter().find(|line| line["name"] == *case.url) else {
            wrong.push(format!("{place}: no line"));
            continue;
        };
        let duration = |text| uptime_squirrel::domain::parse_duration(text).unwrap();
        let timeout = case.site.get("timeout").and_then(toml::Value::as_str);
        let timeout = timeout.map_or(Duration::from_secs(20), duration);
        let mut found = check_line(line);
        found.extend(mismatches(&case.expect, line, &case.url, timeout));
        let took = line["latency_ms"].as_f64().unwrap_or(f64::INFINITY);
        if let Some(most) = &case.within
            && took > duration(most).as_secs_f64() * 1e3
        {
            found.push(format!("it took {took} ms, more than {most}"));
        }
        if !found.is_empty() {
            wrong.push(format!("{place}: {}\n    {line}", found.join("; ")));
        }
    }
    wrong
}

#[test]
fn names_are_found_as_the_c_library_finds_them_under_every_paradigm() {
    let groups = groups();
    assert!(groups.len() >= 10, "{} groups", groups.len());
    // They mostly wait, each in a network of its own.
    let next = AtomicUsize::new(0);
    let work = || {
        let mut wrong = Vec::new();
        while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
            wrong.extend(mistakes(group));
        }
        wrong
    };
    let wrong: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        let done = workers.into_iter().map(|worker| worker.join().unwrap());
        done.flatten().collect()
    });
    assert!(
        wrong.is_empty(),
        "{} mistakes:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// A monitor that was started without a network, and one that moves, see again by themselves.
#[test]
fn resolv_conf_and_hosts_are_read_again_when_they_change() {
    let group = Group {
        name: "moved".to_owned(),
        resolv_conf: "nameserver 10.9.1.9\noptions attempts:1".to_owned(),
        hosts: String::new(),
        ipv6: true,
        servers: BTreeMap::from([("10.9.1.1".to_owned(), "good".to_owned())]),
        zone: toml::toml! { "a.test" = { A = ["10.9.2.1"] } },
        environment: BTreeMap::new(),
        case: Vec::new(),
    };
    let squirrel = home(&group, ONCE);
    squirrel.write(
        "sites.toml",
        "[monitor]\ninterval = \"1s\"\ntimeout = \"1s\"\nconfirm_delay = \"1s\"\ncanaries = []\n\
         [[sites]]\nurl = \"http://a.test:8080/\"\n",
    );
    let mut running = squirrel.start(["watch", "--history", "none", "--results"]);
    let says = |verdict: &'static str| move |line: &Value| line["verdict"] == verdict;
    let first = running.wait_for("a check without a name server", says("down"));
    assert_eq!(first["reason"], "dns", "{first}");
    squirrel.write("resolv.conf", "nameserver 10.9.1.1");
    running.wait_for("a check by the new name server", says("up"));
    squirrel.write("hosts", "10.9.2.9 a.test");
    running.wait_for("a check by the hosts file", |line| {
        line["reason"] == "refused"
    });
    squirrel.write("hosts", "");
    let seen = running.lines_so_far().len();
    let up_again =
        |running: &crate::support::Running| running.lines_so_far()[seen..].iter().any(says("up"));
    while !up_again(&running) {
        assert!(running.wait_for_line(), "it ended");
    }
    running.signal(Signal::TERM);
    running.finish().assert_no_panic();
}
