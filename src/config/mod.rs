//! `sites.toml`: reading it, naming every mistake, editing it without losing a comment.
