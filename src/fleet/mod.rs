//! The sites that `squirrel demo` serves on loopback from a process of its own.
