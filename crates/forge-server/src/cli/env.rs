//! `forge env`: leads this shell to the running server.

use std::net::ToSocketAddrs;

use clap::Args;

use super::Place;
use crate::config::Environment;
use crate::control;
use crate::data::{DataDirectory, RunInfo, no_server};
use crate::failure::{Failure, Result};
use crate::local::shell;

/// Arguments of `forge env`.
#[derive(Debug, Args)]
pub(super) struct EnvArgs {
    /// Put the variables back to what they were.
    #[arg(long)]
    unset: bool,
    #[command(flatten)]
    place: Place,
}

/// Returns the lines for the shell.
pub(super) fn run(args: &EnvArgs, environment: &Environment) -> Result<String> {
    let lines = if args.unset {
        shell::leave(environment)
    } else {
        let info = running(&args.place.data(environment)?)?;
        shell::enter(&info, environment, is_loopback(&info.host))
    };
    Ok(lines.iter().map(|line| format!("{line}\n")).collect())
}

/// Returns what the running server says; a file left by one that died does not count.
fn running(data: &DataDirectory) -> Result<RunInfo> {
    if !control::is_served(data) {
        return Err(no_server(data));
    }
    RunInfo::read(data)
        .map_err(|failure| Failure::unavailable(format!("the server is not ready yet: {failure}")))
}

/// Whether the host and its API name lead to this machine.
fn is_loopback(host: &str) -> bool {
    let leads_here = |name: String| {
        (name.as_str(), 443).to_socket_addrs().is_ok_and(|addresses| {
            let mut addresses = addresses.peekable();
            addresses.peek().is_some() && addresses.all(|address| address.ip().is_loopback())
        })
    };
    leads_here(host.to_owned()) && leads_here(format!("api.{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Exit;

    fn args(data: &std::path::Path, unset: bool) -> EnvArgs {
        EnvArgs { unset, place: Place { config: None, data: Some(data.to_owned()), database: None } }
    }

    #[test]
    fn without_data_or_server_the_exit_code_is_3() {
        let directory = tempfile::tempdir().unwrap();
        let missing = run(&args(&directory.path().join("none"), false), &Environment::default()).unwrap_err();
        assert_eq!((missing.exit, missing.message.contains("no data directory")), (Exit::Unavailable, true));
        std::fs::write(directory.path().join("run.json"), "{}").unwrap();
        let dead = run(&args(directory.path(), false), &Environment::default()).unwrap_err();
        assert_eq!((dead.exit, dead.message.contains("no forge is running")), (Exit::Unavailable, true));
    }

    #[test]
    fn unset_needs_no_server() {
        let environment =
            [("FORGE_PREVIOUS", "GH_HOST"), ("GH_HOST", "forge.localhost")].into_iter().collect();
        let output = run(&args(std::path::Path::new("/nonexistent"), true), &environment).unwrap();
        assert_eq!(output, "unset GH_HOST\nunset FORGE_PREVIOUS\n");
    }

    #[test]
    fn only_names_that_lead_here_count() {
        assert!(!is_loopback("no-such-host.invalid"));
        assert!(!is_loopback("192.0.2.1"));
    }
}
