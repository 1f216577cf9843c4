//! The library that sets the clock of a program, libfaketime.

/// The file of the library, to be preloaded.
pub(crate) fn faketime() -> String {
    let places = [
        "/usr/lib/*/faketime",
        "/usr/lib64/faketime",
        "/usr/lib/faketime",
    ];
    let found = places.iter().find_map(|place| {
        glob::glob(&format!("{place}/libfaketimeMT.so.1"))
            .unwrap()
            .next()
    });
    let found = found.expect("libfaketime is needed: tests/run installs it");
    found.unwrap().display().to_string()
}
