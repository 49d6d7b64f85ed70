//! The `earlyhelp` command: a thin reader of a project file over the library.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
