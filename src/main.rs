//! The `frc` binary: parse, run, exit status.

use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match frc::cli::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(declined) => {
            declined.print();
            return ExitCode::from(declined.status());
        }
    };
    ExitCode::from(frc::run::run(&cli, frc::app::live::console))
}
