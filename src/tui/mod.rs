//! The screen: the only room that knows ratatui and crossterm.
