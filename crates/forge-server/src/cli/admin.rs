//! `forge admin …`: what an operator does from the shell.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use forge_auth::jose::{Jwk, SigningKey};
use serde_json::Value;

use super::Place;
use crate::config::{Environment, Period};
use crate::console::{self, Command};
use crate::failure::{Failure, Result};

/// Arguments of `forge admin`.
#[derive(Debug, Args)]
pub(super) struct AdminArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// People.
    User(UserArgs),
    /// Organizations.
    Org(OrganizationArgs),
    /// Agents.
    Agent(AgentArgs),
    /// Tokens.
    Token(TokenArgs),
    /// Print the key with which agents register, alone.
    RegistrationKey {
        /// Replace the key first; the old one stops at once.
        #[arg(long)]
        rotate: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Print another one-time link for creating the first administrator.
    SetupLink {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Args)]
struct UserArgs {
    #[command(subcommand)]
    what: UserWhat,
}

#[derive(Debug, Subcommand)]
enum UserWhat {
    /// Create a user. Without a password, print a one-time link with which the user chooses one.
    Create {
        /// The login.
        login: String,
        /// The e-mail address.
        #[arg(long)]
        email: String,
        /// Make the user an administrator of the server.
        #[arg(long)]
        admin: bool,
        /// Read the password from the first line of standard input.
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Remove the authenticator app of a user who lost it and its recovery codes.
    RemoveApp {
        /// The login.
        login: String,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Args)]
struct OrganizationArgs {
    #[command(subcommand)]
    what: OrganizationWhat,
}

#[derive(Debug, Subcommand)]
enum OrganizationWhat {
    /// Create an organization.
    Create {
        /// The login.
        login: String,
        /// The person who owns it.
        #[arg(long, value_name = "LOGIN")]
        owner: String,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Args)]
struct AgentArgs {
    #[command(subcommand)]
    what: AgentWhat,
}

#[derive(Debug, Subcommand)]
enum AgentWhat {
    /// Create an agent, also when registration is closed. Prints its id and, once, its first credential.
    Create {
        /// The login.
        login: String,
        /// What the agent is for, in a sentence.
        #[arg(long)]
        description: String,
        /// The key the agent proves itself with: `generate` makes one and prints it, once; otherwise a file with a key
        /// in PEM or JWK form, of which only the public part is sent.
        #[arg(long, value_name = "generate|FILE")]
        key: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Args)]
struct TokenArgs {
    #[command(subcommand)]
    what: TokenWhat,
}

#[derive(Debug, Subcommand)]
enum TokenWhat {
    /// Create a token and print it alone, once.
    Create {
        /// The account whose token it is.
        login: String,
        /// What the token may be used for, separated by commas: repo,read:org,…
        #[arg(long)]
        scopes: String,
        /// After which time the token ends: 12h, 30d, …
        #[arg(long, value_name = "PERIOD")]
        expires: Option<Period>,
        #[command(flatten)]
        place: Place,
    },
}

/// Carries out a command and returns what goes to standard output.
pub(super) fn run(args: AdminArgs, environment: &Environment) -> Result<String> {
    let Asked { command, place, made } = args.what.command()?;
    let said = console::send(&place.config(environment)?, command)?;
    Ok(said + &made.unwrap_or_default())
}

/// A command, and what only this process knows and prints after it: a private key.
struct Asked {
    command: Command,
    place: Place,
    made: Option<String>,
}

/// Returns the public key that an agent is to have, and the private one if it was made for it.
fn key(asked: &Path) -> Result<(Value, Option<String>)> {
    if asked.as_os_str() == "generate" {
        let key = SigningKey::generate_p256().map_err(|error| Failure::unavailable(error.to_string()))?;
        return Ok((key.public().to_json(), key.to_pem()));
    }
    let text = std::fs::read_to_string(asked)
        .map_err(|error| Failure::usage(format!("cannot read `{}`: {error}", asked.display())))?;
    let public = match SigningKey::from_text(&text) {
        Ok(key) => key.public(),
        Err(_) => Jwk::from_text(&text)
            .map_err(|error| Failure::usage(format!("`{}`: {error}", asked.display())))?,
    };
    Ok((public.to_json(), None))
}

impl What {
    fn command(self) -> Result<Asked> {
        let mut made = None;
        let (command, place) = match self {
            Self::User(UserArgs {
                what: UserWhat::Create { login, email, admin, password_stdin, place },
            }) => {
                let password = password_stdin.then(read_password).transpose()?;
                (Command::CreateUser { login, email, is_site_admin: admin, password }, place)
            }
            Self::User(UserArgs { what: UserWhat::RemoveApp { login, place } }) => {
                (Command::RemoveApp { login }, place)
            }
            Self::Org(OrganizationArgs { what }) => {
                let OrganizationWhat::Create { login, owner, place } = what;
                (Command::CreateOrganization { login, owner }, place)
            }
            Self::Agent(AgentArgs { what }) => {
                let AgentWhat::Create { login, description, key: asked, place } = what;
                let key = asked.as_deref().map(key).transpose()?;
                let key = key.map(|(public, private)| {
                    made = private;
                    public
                });
                (Command::CreateAgent { login, description, key }, place)
            }
            Self::Token(TokenArgs { what }) => {
                let TokenWhat::Create { login, scopes, expires, place } = what;
                let lifetime = expires.map(|Period(period)| period.as_secs());
                (Command::CreateToken { login, scopes, lifetime }, place)
            }
            Self::RegistrationKey { rotate, place } => (Command::RegistrationKey { rotate }, place),
            Self::SetupLink { place } => (Command::SetupLink, place),
        };
        Ok(Asked { command, place, made })
    }
}

/// Reads a line and leaves its end out.
fn read_password() -> Result<String> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|error| Failure::usage(format!("cannot read the password: {error}")))?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Failure::usage("there is no password on standard input"));
    }
    Ok(password.to_owned())
}
