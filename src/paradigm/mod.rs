//! How the checks are run: one file a paradigm.
