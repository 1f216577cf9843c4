//! Random sequences of switches, resizes, reloads and killed workers while hundreds of checks
//! are in flight: nothing is lost, nothing is counted twice, and the log has the account.

use std::fs;

use proptest::prelude::*;
use rustix::process::Signal;

use super::paradigms::receipt;
use super::sites::{at, listing, script};
use crate::support::{Fleet, Squirrel, Terminal, descendants, paradigms, send, until};

const SITES: usize = 300;
const SIZE: (u16, u16) = (140, 30);

#[derive(Clone, Debug)]
enum Step {
    /// To the paradigm at this place of the table.
    Switch(usize),
    More,
    Fewer,
    /// sites.toml with another number of workers.
    Reload(usize),
    /// All sites are due at once.
    Sweep,
    /// A worker process, if there is one, is killed or stopped.
    Kill(usize, bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..paradigms().count()).prop_map(Step::Switch),
        1 => Just(Step::More),
        1 => Just(Step::Fewer),
        1 => (2..40_usize).prop_map(Step::Reload),
        3 => Just(Step::Sweep),
        3 => (any::<usize>(), any::<bool>()).prop_map(|(which, stop)| Step::Kill(which, stop)),
    ]
}

struct Run {
    terminal: Terminal,
    squirrel: Squirrel,
    sites: Vec<(String, String)>,
    /// How often a switch was asked for that began.
    switches: usize,
    active: usize,
}

impl Run {
    fn listing(&self, workers: usize) -> String {
        let monitor = format!(
            "interval = \"1s\"\ntimeout = \"2s\"\nslow = \"9s\"\n\n[workers]\nthreads = {workers}\nprocesses = 4"
        );
        let sites = self.sites.iter().map(|(name, url)| (&**name, url.clone()));
        listing(&monitor, sites)
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Switch(to) => self.switch(*to),
            Step::More => self.terminal.press("+"),
            Step::Fewer => self.terminal.press("-"),
            Step::Reload(workers) => {
                self.squirrel.replace("sites.toml", self.listing(*workers));
            }
            Step::Sweep => self.terminal.press("R"),
            Step::Kill(which, stop) => {
                // One that is just begun is a copy of the program until it runs another
                // command line. Stopped at that moment it holds up whoever begins it: no
                // worker dies so.
                let line = |pid: u32| fs::read(format!("/proc/{pid}/cmdline")).ok();
                let own = line(self.terminal.pid());
                let children: Vec<u32> = descendants(self.terminal.pid())
                    .into_iter()
                    .filter(|child| line(*child).is_some_and(|line| Some(line) != own))
                    .collect();
                if let Some(child) = children.get(which % children.len().max(1)) {
                    let signal = if *stop { Signal::STOP } else { Signal::KILL };
                    // It may be on its way out already.
                    let pid = rustix::process::Pid::from_raw(i32::try_from(*child).unwrap());
                    let _gone = rustix::process::kill_process(pid.unwrap(), signal);
                }
            }
        }
    }

    fn switch(&mut self, to: usize) {
        if to == self.active {
            return;
        }
        let name = paradigms().nth(to).unwrap();
        self.terminal.press(&(to + 1).to_string());
        let chip = format!("[{}] {}", to + 1, name.to_uppercase());
        self.terminal
            .wait(&chip, |frame| frame.lines[0].contains(&chip));
        (self.active, self.switches) = (to, self.switches + 1);
    }

    /// The receipts in the log.
    fn receipts(&self) -> Vec<String> {
        let path = self
            .squirrel
            .dir()
            .join("STATE/uptime-squirrel/squirrel.log");
        let log = fs::read_to_string(path).unwrap_or_default();
        let lines = log.lines().filter(|line| line.contains(": in flight "));
        lines.map(str::to_owned).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_pressed_and_killed_every_receipt_adds_up_and_every_site_is_asked_again(
        steps in prop::collection::vec(step(), 12..30),
    ) {
        let mut fleet = Fleet::new();
        let server = fleet.serve(script(
            r"'*' = [{ wait = '40ms' }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
        ));
        let names: Vec<_> = (0..SITES).map(|number| format!("s{number}")).collect();
        let sites = names.iter().map(|name| (name.clone(), at(&server, name).1)).collect();
        let squirrel = Squirrel::new();
        let mut run = Run {
            sites,
            switches: 0,
            active: paradigms().position(|name| name == "async").unwrap(),
            terminal: {
                let sites = names.iter().map(|name| at(&server, name));
                squirrel.write("sites.toml", listing("interval = \"1s\"", sites));
                Terminal::start(&squirrel, SIZE, [])
            },
            squirrel,
        };
        run.terminal.wait("the first sweep", |frame| frame.has("● 300 UP"));
        for step in &steps {
            run.step(step);
        }
        run.switch(paradigms().position(|name| name == "green").unwrap());
        until("a receipt for every switch", || run.receipts().len() >= run.switches);
        prop_assert_eq!(run.receipts().len(), run.switches);
        for line in run.receipts() {
            let [in_flight, finished, handed_over, lost, twice] = receipt(&line);
            prop_assert_eq!(in_flight, finished + handed_over, "{}", line);
            prop_assert_eq!((lost, twice), (0, 0), "{}", line);
        }
        let asked = |name: &str| server.count.path(&format!("/{name}")).requests;
        let before: Vec<_> = names.iter().map(|name| asked(name)).collect();
        until("every site to be asked again: none is lost", || {
            names.iter().zip(&before).all(|(name, before)| asked(name) > *before)
        });
        run.terminal.press("Ctrl-C");
        prop_assert_eq!(run.terminal.finish(), 0);
        let left = descendants(run.terminal.pid());
        prop_assert!(left.is_empty(), "{:?} are left", left);
    }
}

#[test]
fn a_killed_worker_process_is_replaced_and_its_check_is_counted_once() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"'*' = [{ gate = true }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let squirrel = super::sites::home(super::sites::ONCE, [at(&server, "alpha")]);
    let mut terminal = Terminal::start(
        &squirrel,
        SIZE,
        ["--paradigm", "processes", "--workers", "1"],
    );
    until("the check to be under way", || server.count.requests() == 1);
    let [child] = descendants(terminal.pid()).into_iter().collect::<Vec<_>>()[..] else {
        panic!("not one child");
    };
    send(child, Signal::KILL);
    until("the check to be made again", || {
        server.count.requests() == 2
    });
    fleet.open_gate();
    terminal.wait_text("● 1 UP");
    terminal.press("Enter");
    terminal.wait(" 1 check", |frame| frame.has(" 1 check"));
}
