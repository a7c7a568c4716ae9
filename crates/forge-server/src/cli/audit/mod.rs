//! `forge audit export|verify|erase|key`: the log for those who do not trust the forge.
//!
//! `verify` without `--export` asks the forge about what it stores; with it everything comes from files, and no forge is
//! needed ([`offline`]).

mod offline;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use forge_service::audit::verify::Report;
use forge_service::operations::{AuditFormat, ExportPlace, Exported};

use super::Place;
use crate::assembly::keyring;
use crate::config::Environment;
use crate::console::{self, Command};
use crate::failure::{Failure, Result};

/// Arguments of `forge audit`.
#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    #[command(subcommand)]
    what: AuditWhat,
}

#[derive(Debug, Subcommand)]
enum AuditWhat {
    /// Print the audit log in the order of its chain, a line each.
    Export {
        /// Only entries after this position of the chain.
        #[arg(long, value_name = "POSITION", default_value_t = 0)]
        after: i64,
        /// `native` can be verified; `ocsf` and `cef` are for systems that watch.
        #[arg(long, value_name = "FORMAT", default_value = "native")]
        format: Format,
        #[command(flatten)]
        place: Place,
    },
    /// Check that no entry was changed, dropped, inserted, moved or cut off.
    Verify(VerifyArgs),
    /// Erase the addresses, programs and e-mail addresses recorded of an account. The chain still holds afterwards.
    Erase {
        /// Whose.
        login: String,
        #[command(flatten)]
        place: Place,
    },
    /// Print the public keys that checkpoints are signed with, the current one first.
    Key {
        /// Make a new key first; the server signs with it from its next start on, and still knows the former ones.
        #[arg(long)]
        rotate: bool,
        #[command(flatten)]
        place: Place,
    },
}

/// Arguments of `forge audit verify`.
#[derive(Debug, Args)]
struct VerifyArgs {
    /// Check this export (native form) instead of what the forge stores; no forge is needed.
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
    /// Checkpoints that were kept outside, a line of JSON each.
    #[arg(long, value_name = "FILE", requires = "key")]
    checkpoints: Option<PathBuf>,
    /// The public keys they are signed with: PEM, or a JWK set.
    #[arg(long, value_name = "FILE", requires = "checkpoints")]
    key: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Native,
    Ocsf,
    Cef,
}

impl From<Format> for AuditFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Native => Self::Native,
            Format::Ocsf => Self::Ocsf,
            Format::Cef => Self::Cef,
        }
    }
}

/// Works on the audit log.
pub(super) fn run(args: AuditArgs, environment: &Environment) -> Result<String> {
    match args.what {
        AuditWhat::Export { after, format, place } => {
            export(ExportPlace::Chain(after), format.into(), &place, environment)
        }
        AuditWhat::Verify(args) => verify(&args, environment),
        AuditWhat::Erase { login, place } => {
            console::send(&place.config(environment)?, Command::EraseAudit { login })
        }
        AuditWhat::Key { rotate, place } => {
            // Without data there is nothing that they sign.
            place.data(environment)?;
            keyring::public_keys(&place.config(environment)?, rotate)
        }
    }
}

/// Prints the log, part after part.
fn export(
    from: ExportPlace,
    format: AuditFormat,
    place: &Place,
    environment: &Environment,
) -> Result<String> {
    let config = place.config(environment)?;
    let mut next = Some(from);
    while let Some(place) = next {
        let answer = console::send(&config, Command::ExportAudit { place, format })?;
        let exported: Exported =
            serde_json::from_str(&answer).map_err(|error| Failure::io("an answer is no export", error))?;
        let written = std::io::stdout().lock().write_all(exported.lines.as_bytes());
        written.map_err(|error| Failure::io("cannot write the output", error))?;
        next = exported.next;
    }
    Ok(String::new())
}

fn verify(args: &VerifyArgs, environment: &Environment) -> Result<String> {
    let report = match &args.export {
        Some(export) => offline::verify(export, args.checkpoints.as_deref(), args.key.as_deref())?,
        None => {
            let absolute = |path: &Option<PathBuf>| path.as_deref().map(absolute).transpose();
            let command =
                Command::VerifyAudit { checkpoints: absolute(&args.checkpoints)?, key: absolute(&args.key)? };
            let answer = console::send(&args.place.config(environment)?, command)?;
            serde_json::from_str(&answer).map_err(|error| Failure::io("an answer is no report", error))?
        }
    };
    ended(&report)
}

/// The server may work in another directory.
fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path)
        .map_err(|error| Failure::io(format_args!("cannot read `{}`", path.display()), error))
}

fn ended(report: &Report) -> Result<String> {
    if report.finding_count == 0 {
        return Ok(report.summary() + "nothing is wrong\n");
    }
    let told = u64::try_from(report.findings.len()).unwrap_or(u64::MAX);
    let more = match report.finding_count - told {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    Err(Failure::finding(format!("{}{more}", report.findings.join("; "))))
}
