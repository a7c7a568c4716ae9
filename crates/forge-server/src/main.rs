//! The program `forge`.

fn main() -> std::process::ExitCode {
    forge_server::cli::main()
}
