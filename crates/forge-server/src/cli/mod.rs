//! The command line.
//!
//! INVARIANT: standard output carries what was asked for and nothing else; what goes wrong is one line on
//! standard error, and the exit code says which kind it is (`failure`).

mod admin;
mod agent;
mod audit;
mod auth;
mod backup;
mod env;
mod inspect;
mod serve;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use url::Url;

use crate::config::{Config, Environment, Layers, PublicUrl};
use crate::data::DataDirectory;
use crate::failure::{Exit, Failure, Result};

/// A self-hosted Git forge for people and agents.
#[derive(Debug, Parser)]
#[command(name = "forge", version, about, arg_required_else_help = true)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the server.
    Serve(Box<serve::ServeArgs>),
    /// Print shell exports with which gh, git and curl on this machine reach and trust the running server.
    ///
    /// Use it as: eval "$(forge env)"
    Env(env::EnvArgs),
    /// Create accounts, tokens and keys from the shell.
    Admin(admin::AdminArgs),
    /// Log in on this machine with a key that stays here.
    Auth(auth::AuthArgs),
    /// What an agent runs beside its programs.
    Agent(agent::AgentArgs),
    /// Write everything the server stores into a new directory; the server may go on meanwhile.
    Backup(backup::BackupArgs),
    /// Put a backup into a data directory that has no data yet.
    Restore(backup::RestoreArgs),
    /// Check that every ref resolves, every pack is whole, and nothing else lies about.
    Verify(inspect::VerifyArgs),
    /// The audit log.
    Audit(audit::AuditArgs),
    /// Work on the directories of repositories.
    Repo(inspect::RepositoryArgs),
}

/// Where the data is that a command is about.
#[derive(Debug, Args)]
struct Place {
    /// Configuration file [FORGE_CONFIG].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data directory of the server [FORGE_DATA].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// PostgreSQL URL, when no server is running [FORGE_DATABASE_URL].
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

impl Place {
    fn config(&self, environment: &Environment) -> Result<Config> {
        let mut options = Layers::default();
        options.server.data = self.data.clone();
        options.server.database = self.database.clone();
        Config::gather(options, environment, self.config.as_deref())
    }

    fn data(&self, environment: &Environment) -> Result<DataDirectory> {
        DataDirectory::open(self.config(environment)?.server.data)
    }
}

/// Runs the program.
pub fn main() -> ExitCode {
    let line = match Line::try_parse() {
        Ok(line) => line,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { ExitCode::SUCCESS };
        }
    };
    // Whatever the program creates is for its owner alone.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    match run(line.command, &Environment::of_process()) {
        Ok(output) => print(&output),
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "forge: {failure}");
            failure.exit.into()
        }
    }
}

/// Runs a command as the program does, and returns what it would print. For programs that are the forge themselves.
///
/// # Errors
/// What the program would say, with its exit code.
pub fn run_words(words: impl IntoIterator<Item = String>) -> Result<String> {
    let line = Line::try_parse_from(words).map_err(|error| Failure::usage(error.to_string()))?;
    run(line.command, &Environment::of_process())
}

/// Starts what asynchronous code runs on.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Failure::io("cannot start", error))
}

/// Returns the address of the server that a command is about.
fn address(url: Option<PublicUrl>, environment: &Environment) -> Result<Url> {
    let named = || environment.parse::<PublicUrl>("FORGE_URL").map_err(Failure::usage);
    let url = match url {
        Some(url) => url,
        None => named()?.unwrap_or(Config::default().server.url),
    };
    Url::parse(&url.origin()).map_err(|error| Failure::usage(format!("{url}: {error}")))
}

fn run(command: Command, environment: &Environment) -> Result<String> {
    match command {
        Command::Serve(args) => serve::run(*args, environment),
        Command::Env(args) => env::run(&args, environment),
        Command::Admin(args) => admin::run(args, environment),
        Command::Auth(args) => auth::run(args, environment),
        Command::Agent(args) => agent::run(args, environment),
        Command::Backup(args) => backup::run(&args, environment),
        Command::Restore(args) => backup::run_restore(&args, environment),
        Command::Verify(args) => inspect::verify(&args, environment),
        Command::Audit(args) => audit::run(args, environment),
        Command::Repo(args) => inspect::repository(args, environment),
    }
}

fn print(output: &str) -> ExitCode {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(output.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "forge: {}", Failure::io("cannot write the output", error));
            Exit::Unavailable.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        <Line as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn what_is_incomplete_is_a_mistake_in_usage() {
        for words in [&["forge", "agent", "proxy", "--login", "robo"][..], &["forge", "agent"], &["forge"]] {
            let error = Line::try_parse_from(words).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{words:?}");
        }
    }
}
