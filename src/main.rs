//! The `frc` binary.
fn main() {}
