//! `forge admin …`: what an operator does from the shell.

use std::io::BufRead;

use clap::{Args, Subcommand};

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
    let (command, place) = args.what.command()?;
    console::send(&place.config(environment)?, command)
}

impl What {
    fn command(self) -> Result<(Command, Place)> {
        Ok(match self {
            Self::User(UserArgs { what }) => {
                let UserWhat::Create { login, email, admin, password_stdin, place } = what;
                let password = password_stdin.then(read_password).transpose()?;
                (Command::CreateUser { login, email, is_site_admin: admin, password }, place)
            }
            Self::Org(OrganizationArgs { what }) => {
                let OrganizationWhat::Create { login, owner, place } = what;
                (Command::CreateOrganization { login, owner }, place)
            }
            Self::Agent(AgentArgs { what }) => {
                let AgentWhat::Create { login, description, place } = what;
                (Command::CreateAgent { login, description }, place)
            }
            Self::Token(TokenArgs { what }) => {
                let TokenWhat::Create { login, scopes, expires, place } = what;
                let lifetime = expires.map(|Period(period)| period.as_secs());
                (Command::CreateToken { login, scopes, lifetime }, place)
            }
            Self::RegistrationKey { rotate, place } => (Command::RegistrationKey { rotate }, place),
            Self::SetupLink { place } => (Command::SetupLink, place),
        })
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
