//! The tests live in the folders beside this crate, one test binary each.
