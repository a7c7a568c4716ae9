//! `forge auth …`: a person on a machine of theirs, with a key that stays there.
//!
//! INVARIANT: key and token stand in files of their owner alone, and are never printed.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use forge_agent::login::{self, LoggedIn};
use forge_auth::jose::SigningKey;
use serde_json::{Value, json};
use url::Url;

use super::{address, runtime};
use crate::config::{Environment, PublicUrl};
use crate::failure::{Failure, Result};

/// Arguments of `forge auth`.
#[derive(Debug, Args)]
pub(super) struct AuthArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Log in with a code that you approve in a browser.
    ///
    /// The token is bound to a key that is made here and never leaves this machine: whoever steals the token alone has
    /// nothing. git, gh and curl use it through `forge agent proxy`.
    Login {
        /// The server's public URL [FORGE_URL].
        #[arg(long)]
        url: Option<PublicUrl>,
        /// What the token is good for, separated by spaces.
        #[arg(long, value_name = "SCOPES", default_value = login::SCOPES)]
        scopes: String,
    },
    /// Say who is logged in, and whether the server still takes the token.
    Status {
        /// The server's public URL [FORGE_URL].
        #[arg(long)]
        url: Option<PublicUrl>,
    },
    /// Revoke the token, and take token and key away.
    Logout {
        /// The server's public URL [FORGE_URL].
        #[arg(long)]
        url: Option<PublicUrl>,
    },
}

/// Carries out a command.
pub(super) fn run(args: AuthArgs, environment: &Environment) -> Result<String> {
    match args.what {
        What::Login { url, scopes } => log_in(&Place::of(url, environment)?, &scopes),
        What::Status { url } => status(&Place::of(url, environment)?),
        What::Logout { url } => log_out(&Place::of(url, environment)?),
    }
}

/// Who is logged in at a forge, for the local proxy.
pub(super) fn logged_in(url: Option<PublicUrl>, environment: &Environment) -> Result<(LoggedIn, SigningKey)> {
    Place::of(url, environment)?.read()
}

/// Where a login is kept.
struct Place {
    forge: Url,
    folder: PathBuf,
}

impl Place {
    fn of(url: Option<PublicUrl>, environment: &Environment) -> Result<Self> {
        let forge = address(url, environment)?;
        let home = || environment.value("HOME").map(|home| Path::new(home).join(".config"));
        let config = environment.value("XDG_CONFIG_HOME").map(PathBuf::from).or_else(home);
        let config = config.ok_or_else(|| Failure::usage("neither XDG_CONFIG_HOME nor HOME is set"))?;
        let host = forge.host_str().unwrap_or_default();
        let name = forge.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Ok(Self { folder: config.join("forge").join(name), forge })
    }

    fn key_file(&self) -> PathBuf {
        self.folder.join("key.pem")
    }

    fn login_file(&self) -> PathBuf {
        self.folder.join("login.json")
    }

    /// Returns the key of this machine; one is made if there is none.
    fn key(&self) -> Result<SigningKey> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.folder);
        made.map_err(|error| Failure::io(format_args!("cannot make `{}`", self.folder.display()), error))?;
        let file = self.key_file();
        let key = if file.exists() { forge_agent::read_key(&file) } else { forge_agent::new_key(&file) };
        key.map_err(|error| Failure::usage(error.to_string()))
    }

    fn read(&self) -> Result<(LoggedIn, SigningKey)> {
        let file = self.login_file();
        let nobody =
            || Failure::usage(format!("nobody is logged in at {}: use `forge auth login`", self.forge));
        let text = std::fs::read_to_string(&file).map_err(|_| nobody())?;
        let kept: Value = serde_json::from_str(&text).map_err(|_| nobody())?;
        let field = |name: &str| kept[name].as_str().map(str::to_owned).ok_or_else(nobody);
        let login = LoggedIn { login: field("login")?, token: field("token")? };
        let key =
            forge_agent::read_key(&self.key_file()).map_err(|error| Failure::usage(error.to_string()))?;
        Ok((login, key))
    }

    /// Keeps a login in the place of the one before: whole, or not at all.
    fn keep(&self, login: &LoggedIn) -> Result<()> {
        let file = self.login_file();
        let new = file.with_extension("new");
        let text = json!({ "login": login.login, "token": login.token }).to_string();
        let cannot = |error| Failure::io(format_args!("cannot write `{}`", file.display()), error);
        let _ = std::fs::remove_file(&new);
        let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new);
        let mut written = written.map_err(cannot)?;
        written.write_all(text.as_bytes()).and_then(|()| written.sync_all()).map_err(cannot)?;
        std::fs::rename(&new, &file).map_err(cannot)
    }
}

fn log_in(place: &Place, scopes: &str) -> Result<String> {
    let former = place.read().ok();
    let key = place.key()?;
    let login = runtime()?.block_on(async {
        let code = login::ask(&place.forge, key, scopes).await?;
        let text = format!("Open {} and type {}\n", code.page(), code.user_code());
        // Whoever reads standard output wants to know who it was; this is for the person at the terminal.
        let _ = std::io::stderr().write_all(text.as_bytes());
        code.wait().await
    });
    let login = login.map_err(unavailable)?;
    place.keep(&login)?;
    if let Some((former, key)) = former {
        // It is of no more use here, and may have ended already.
        let _ = runtime()?.block_on(login::revoke(&place.forge, key, &former.token));
    }
    Ok(format!("logged in at {} as {}\n", place.forge, login.login))
}

fn status(place: &Place) -> Result<String> {
    let (login, key) = place.read()?;
    let thumbprint = key.public().thumbprint().to_string();
    let found = runtime()?.block_on(login::whose(&place.forge, key, &login.token)).map_err(unavailable)?;
    Ok(format!("logged in at {} as {found}, with the key {thumbprint}\n", place.forge))
}

/// What is here goes away even if the forge cannot be told, which then is said.
fn log_out(place: &Place) -> Result<String> {
    let (login, key) = place.read()?;
    let revoked = runtime()?.block_on(login::revoke(&place.forge, key, &login.token));
    for file in [place.login_file(), place.key_file()] {
        let gone = std::fs::remove_file(&file);
        gone.map_err(|error| Failure::io(format_args!("cannot take `{}` away", file.display()), error))?;
    }
    revoked.map_err(unavailable)?;
    Ok(format!("logged out at {}\n", place.forge))
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn unavailable(error: forge_agent::Error) -> Failure {
    Failure::unavailable(error.to_string())
}
