//! The program from outside: the real binary against real servers with real faults, as a
//! command that ends and as a monitor in a pseudo-terminal.
//!
//! One binary, because both need the same servers. Those and the verdicts expected of them
//! are data, in `tests/scenarios/`.

#[cfg(test)]
mod support;

#[cfg(test)]
mod celery {
    mod causes;
    mod clocks;
    mod cuts;
    mod faults;
    mod flower;
    mod hostile;
    mod life;
    mod python;
    mod refusals;
    mod rights;
    mod sealed;
    mod secure;
    mod sender;
    mod servers;
    mod several;
    mod stock;
    mod twins;
}

#[cfg(test)]
mod check {
    mod assertions;
    mod bare_systems;
    mod broken;
    mod concurrency;
    mod connections;
    mod errors;
    mod exits;
    mod identity;
    mod kinds;
    mod memory;
    mod named_files;
    mod names;
    mod output;
    mod processes;
    mod real_servers;
    mod requests;
    mod servers;
    mod signals;
    mod sites;
    mod trace;
    mod verdicts;
}

#[cfg(test)]
mod control {
    mod commands;
    mod faults;
}

#[cfg(test)]
mod import {
    mod formats;
    mod home;
    mod hostile;
}

#[cfg(test)]
mod metrics {
    mod endpoint;
    mod samples;
    pub(crate) mod scraper;
}

#[cfg(test)]
mod monitor {
    mod appearance;
    mod celery;
    mod chaos;
    mod checks;
    mod editing;
    mod endings;
    mod explanation;
    mod head_courtesy;
    mod hostile;
    mod keyboard;
    mod lab;
    mod limits;
    mod load;
    mod mouse;
    mod multiplexers;
    mod outages;
    mod paradigms;
    mod refusals;
    mod reload;
    mod rest;
    mod scheduling;
    pub(crate) mod sites;
    mod suspension;
    mod table;
}

#[cfg(test)]
mod owners {
    mod answers;
    mod blind;
    mod blind_workers;
    mod changed_files;
    mod channels;
    mod exec;
    mod files;
    mod hooks;
    mod mail;
    mod messages;
    mod readers;
    mod rotation;
    mod screen;
    mod service;
    mod silence;
    pub(crate) mod sites;
    mod storms;
    mod telling;
    mod unwatched;
}

#[cfg(test)]
mod package {
    mod pages;
    mod unit;
}

#[cfg(test)]
mod past {
    mod clock;
    mod files;
    mod replay;
    mod report;
    mod sites;
}

#[cfg(test)]
mod race {
    mod figures;
}
