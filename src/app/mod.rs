//! The wiring: one closed event enum, one loop; decide, then act.
