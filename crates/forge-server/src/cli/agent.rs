//! `forge agent …`: what an agent runs beside its programs.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use forge_agent::Whose;
use forge_agent::login::LoggedIn;

use super::{address, auth, runtime};
use crate::config::{Config, Environment, PublicUrl};
use crate::failure::{Failure, Result};
use crate::log;
use crate::net::stop_signal;

/// Arguments of `forge agent`.
#[derive(Debug, Args)]
pub(super) struct AgentArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Sign requests for programs that cannot, until told to stop.
    ///
    /// Whatever is asked of the address is asked of the server as the agent, with tokens bound to its key. Tokens stay
    /// in memory; the key stays in its file. Without a login and a key it acts as the person of `forge auth login`.
    Proxy {
        /// The agent's login.
        #[arg(long, requires = "key")]
        login: Option<String>,
        /// File with the agent's key, in PEM or JWK form, that nobody else may read.
        #[arg(long, value_name = "FILE", requires = "login")]
        key: Option<PathBuf>,
        /// The server's public URL [FORGE_URL].
        #[arg(long)]
        url: Option<PublicUrl>,
        /// Address of loopback to listen on.
        #[arg(long, value_name = "ADDR:PORT", default_value = forge_agent::ADDRESS)]
        listen: SocketAddr,
        /// A socket file to listen on as well, which `gh config set http_unix_socket` leads to.
        #[arg(long, value_name = "FILE")]
        socket: Option<PathBuf>,
        /// The task grant under which everything is done, instead of what the agent may do on its own.
        #[arg(long, value_name = "ID", requires = "login")]
        grant: Option<String>,
    },
}

/// Carries out a command.
pub(super) fn run(args: AgentArgs, environment: &Environment) -> Result<String> {
    let What::Proxy { login, key, url, listen, socket, grant } = args.what;
    let config = Config::default();
    log::start(&config.log)?;
    if !listen.ip().is_loopback() {
        return Err(Failure::usage(format!("`{listen}` is not on loopback: others could act as the agent")));
    }
    let (whose, key) = match login.zip(key) {
        Some((login, key)) => {
            let key = forge_agent::read_key(&key).map_err(|error| Failure::usage(error.to_string()))?;
            (Whose::Agent { login, grant }, key)
        }
        None => {
            let (LoggedIn { login, token }, key) = auth::logged_in(url.clone(), environment)?;
            (Whose::Person { login, token }, key)
        }
    };
    let forge = address(url, environment)?;
    let options = forge_agent::Options { forge, whose, key, listen, socket };
    let runtime = runtime()?;
    let outcome = runtime.block_on(proxy(options));
    runtime.shutdown_background();
    outcome.map(|()| String::new())
}

async fn proxy(options: forge_agent::Options) -> Result<()> {
    let told_to_stop = stop_signal()?;
    let login = options.whose.login().to_owned();
    let proxy = forge_agent::init(options).await.map_err(|error| Failure::unavailable(error.to_string()))?;
    let text = format!("requests to http://{} are those of {login}\n", proxy.address());
    let mut output = std::io::stdout().lock();
    let written = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    drop(output);
    written.map_err(|error| Failure::io("cannot say where the proxy listens", error))?;
    told_to_stop.await;
    proxy.shutdown().await;
    Ok(())
}
