//! What results mean: the state of every site. A pure fold.
