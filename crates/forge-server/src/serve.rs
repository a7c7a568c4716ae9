//! `forge serve`: takes the data, opens the doors, says where it is, and serves until told to stop.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use forge_jobs::Runner;
use forge_service::admin::{self, FirstStart};
use forge_service::{App, policies};
use tokio_util::sync::CancellationToken;

use crate::assembly::{Forge, ForgeBuilder};
use crate::config::{Config, Environment};
use crate::console;
use crate::control::{ControlListener, is_served};
use crate::data::{DataDirectory, DataLock, RunFile, RunInfo};
use crate::doors::Doors;
use crate::failure::{Failure, Result};
use crate::local::shell;
use crate::net::{Ops, on_hangup, stop_signal};

/// How long a command that works on the data by itself may keep a starting server waiting.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs the server until SIGINT or SIGTERM.
pub async fn serve(config: Config, environment: &Environment) -> Result<()> {
    for name in Config::unknown_variables(environment) {
        tracing::warn!("the environment variable {name} means nothing to forge");
    }
    let told_to_stop = stop_signal()?;
    let data = DataDirectory::create(&config.server.data)?;
    let lock = take(&data)?;
    let doors = Doors::open(&config, &data, environment).await?;
    let builder = ForgeBuilder::new(config.clone()).with_browser_url(doors.browser_url());
    let builder = builder.with_mutual_url(doors.mutual_url());
    let forge = builder.build_in(data, lock).await?;
    let first = admin::prepare(&admin::console(forge.app())).await.map_err(console::failure)?;

    let info = doors.run_info();
    let control = ControlListener::bind(forge.data(), forge.lock())?;
    let run_file = RunFile::write(forge.data(), &info)?;
    announce(forge.data(), &info, first.as_ref())?;

    let stop = CancellationToken::new();
    let work = Work::start(&forge, config.clone(), control);
    let serving = doors.run(
        forge.router(),
        operators(&forge),
        forge.metrics().clone(),
        (&config.limits, &config.server),
        stop.clone(),
    );
    tokio::pin!(serving);
    tokio::select! {
        () = &mut serving => {}
        () = told_to_stop => {
            tracing::info!("stopping");
            drop(run_file);
            stop.cancel();
            forge.app().end_streams();
            serving.await;
        }
    }
    work.end().await;
    forge.close().await;
    Ok(())
}

/// Takes the data directory; a server that runs on it is told at once, a short command is waited for.
fn take(data: &DataDirectory) -> Result<DataLock> {
    let patience = if is_served(data) { Duration::ZERO } else { PATIENCE };
    DataLock::take(data, patience)
}

fn operators(forge: &Forge) -> Ops {
    let app = forge.app().clone();
    Ops::new(forge.metrics().clone(), move || {
        let app = app.clone();
        async move { app.db().read().await.map(drop).map_err(|_| "the database is away".to_owned()) }
    })
}

/// Says where the server is; secrets, and what is done once, only the first time.
fn announce(data: &DataDirectory, info: &RunInfo, first: Option<&FirstStart>) -> Result<()> {
    let mut text = format!("forge {} listens at {}\n", info.version, info.browser_url);
    if info.proxy.is_some() {
        // Whoever reads this may be in another folder, and have no `forge` among their programs.
        let program = std::env::current_exe().unwrap_or_else(|_| "forge".into());
        let (program, place) = (shell::word(&program), shell::word(data.path()));
        text += &format!(
            "to use it with gh and git in another shell: eval \"$({program} env --data {place})\"\n"
        );
    }
    if let Some(first) = first {
        if info.proxy.is_some() {
            let authority = data.authority_certificate();
            text += &format!("browsers warn of it until they trust {}\n", authority.display());
        }
        if let Some(link) = &first.setup_link {
            text += &format!("create the first administrator, once: {link}\n");
        }
        text += &format!("agents register with this key: {}\n", first.registration_key.expose());
    }
    let mut output = std::io::stdout().lock();
    let written = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    written.map_err(|error| Failure::io("cannot say where the server listens", error))
}

/// Puts the policies that stand in files now in force; if one is at fault, those in force stay.
async fn reload_policies(app: Arc<App>) {
    match policies::reload(&admin::console(&app)).await {
        Ok(rules) => tracing::info!(policies = rules.len(), "policies were read again"),
        Err(error) => tracing::error!(error = policies::explained(&error), "the policies in force stay"),
    }
}

/// What goes on beside requests.
struct Work {
    tasks: tokio::task::JoinSet<()>,
    jobs: Runner,
}

impl Work {
    fn start(forge: &Forge, config: Config, control: ControlListener) -> Self {
        let mut tasks = tokio::task::JoinSet::new();
        let console = console::Console::new(forge.app().clone(), config);
        tasks.spawn(control.serve(move |command| {
            let console = console.clone();
            async move { console.carry_out(command).await }
        }));
        let app = forge.app().clone();
        tasks.spawn(on_hangup(move || reload_policies(app.clone())));
        Self { tasks, jobs: Runner::start(forge.app()) }
    }

    async fn end(mut self) {
        self.jobs.stop().await;
        self.tasks.shutdown().await;
    }
}
