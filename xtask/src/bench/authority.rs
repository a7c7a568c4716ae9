//! `cargo xtask bench authority`: what a request costs that is authenticated and decided about, in a forge with ten thousand
//! agents and as many task grants, beside the same forge with one.
//!
//! Everything is made over HTTP, as clients make it. What is timed is a whole request over loopback, read of a private
//! repository with a task token: reading the request, finding token, agent, delegator and grants, loading the repository with
//! the permission, deciding, and answering.

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use super::load::{Bounds, run as load};
use super::servers::{self, Api, Server, Variant};
use super::{Folder, report};
use crate::Result;
use crate::postgres::Cluster;

/// Connections that fill the forge.
const FILLERS: usize = 8;
/// Tokens that are used in turn.
const TOKENS: usize = 64;
/// What the slowest of a hundred requests may take, in milliseconds.
const BAR: f64 = 1.0;

/// What to measure.
pub(crate) struct AuthorityOptions {
    agents: usize,
    seconds: f64,
}

impl AuthorityOptions {
    /// Reads the words after `cargo xtask bench authority`.
    pub(crate) fn parse(words: &[&str]) -> Result<Self> {
        let mut options = Self { agents: 10_000, seconds: 10.0 };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--agents" => {
                    let number = words.next().and_then(|text| text.parse().ok());
                    options.agents = number.ok_or("`--agents` needs a number")?;
                }
                "--quick" => options = Self { agents: 200, seconds: 1.0 },
                other => return Err(format!("unknown option `{other}`; see `cargo xtask help`")),
            }
        }
        Ok(options)
    }
}

/// Measures and prints.
pub(crate) fn run(root: &Path, options: &AuthorityOptions) -> Result<()> {
    let binary = servers::build(root)?;
    let folder = Folder::make(&root.join("target/bench"))?;
    let cluster = Cluster::start_durable()?;
    println!("load average before: {}", report::load_average());
    for (name, variant) in
        [("SQLite", Variant::Sqlite), ("PostgreSQL", Variant::Postgres(cluster.database("authority")?))]
    {
        let server = Server::forge(0, &folder.0.join(name), &binary, variant)?;
        let scene = Scene::make(&server)?;
        let one = scene.fill(0..1)?;
        measure(name, &server, &one, 1, options)?;
        let all = scene.fill(1..options.agents)?;
        measure(name, &server, &all, options.agents, options)?;
    }
    println!("load average after: {}", report::load_average());
    Ok(())
}

/// A forge with somebody who delegates, and a private repository that it is about.
struct Scene<'a> {
    server: &'a Server,
    administrator: Api,
    delegator: Api,
}

impl<'a> Scene<'a> {
    fn make(server: &'a Server) -> Result<Self> {
        let (administrator, delegator) = (Api::administrator(server)?, Api::owner(server)?);
        let mut to = server.connect()?;
        let body = r#"{"name":"project","private":true,"auto_init":true}"#;
        delegator.post(server, &mut to, "/api/v3/user/repos", body)?;
        Ok(Self { server, administrator, delegator })
    }

    /// Makes agents of these numbers, each with a grant that it consented to, and returns task tokens of some.
    fn fill(&self, numbers: std::ops::Range<usize>) -> Result<Vec<Api>> {
        let (first, count) = (numbers.start, numbers.len());
        let tokens = Mutex::new(Vec::new());
        let bounds = Bounds { time: Duration::from_secs(3600), count };
        load(FILLERS.min(count.max(1)), bounds, |_| {
            let mut to = self.server.connect()?;
            let tokens = &tokens;
            Ok(move |number: usize| {
                let token = self.agent(&mut to, first + number, number < TOKENS)?;
                if let Some(token) = token {
                    tokens.lock().map_err(|_| "a worker panicked")?.push(token);
                }
                Ok(())
            })
        })?;
        tokens.into_inner().map_err(|_| "a worker panicked".to_owned())
    }

    fn agent(&self, to: &mut super::http::Connection, number: usize, exchanges: bool) -> Result<Option<Api>> {
        let login = format!("agent-{number}");
        let body = format!(r#"{{"login":"{login}","credential":"token"}}"#);
        let made = self.administrator.post(self.server, to, "/api/ext/v1/admin/agents", &body)?;
        let agent = Api::bearer(member(&made, "token")?);
        let body = format!(
            r#"{{"agent":"{login}","task":"t{number}","resources":["repo:bench/project"],"actions":["read_code","push_branch"],"constraints":{{"branch_prefix":"agent/"}}}}"#
        );
        let grant = self.delegator.post(self.server, to, "/api/ext/v1/task-grants", &body)?;
        let id = member(&grant, "id")?;
        agent.post(self.server, to, &format!("/api/ext/v1/task-grants/{id}/consent"), "{}")?;
        if !exchanges {
            return Ok(None);
        }
        let body = format!(
            r#"{{"grant_type":"urn:ietf:params:oauth:grant-type:token-exchange","subject_token":"{}","expires_in":3600,"authorization_details":[{{"type":"urn:forge:task-grant:1","grant_id":"{id}"}}]}}"#,
            agent.token()
        );
        let given = agent.post(self.server, to, "/login/oauth/access_token", &body)?;
        Ok(Some(Api::bearer(member(&given, "access_token")?)))
    }
}

/// Returns the first member of this name with a text. Values of tokens and ids have nothing to unescape.
fn member<'t>(json: &'t str, name: &str) -> Result<&'t str> {
    let missing = || format!("no `{name}` in {}", json.chars().take(300).collect::<String>());
    let (_, rest) = json.split_once(&format!("\"{name}\":\"")).ok_or_else(missing)?;
    rest.split('"').next().ok_or_else(missing)
}

fn measure(
    name: &str,
    server: &Server,
    tokens: &[Api],
    agents: usize,
    options: &AuthorityOptions,
) -> Result<()> {
    for connections in [1, 4] {
        let bounds = Bounds { time: Duration::from_secs_f64(options.seconds), count: usize::MAX };
        let outcome = load(connections, bounds, |_| {
            let mut to = server.connect()?;
            Ok(move |number: usize| {
                let token = &tokens[number % tokens.len()];
                token.get(server, &mut to, "/api/v3/repos/bench/project").map(drop)
            })
        })?;
        let (p50, p99) = (outcome.percentile(0.5), outcome.percentile(0.99));
        let verdict = match connections {
            1 if p99 < BAR => format!(" (bar: p99 below {BAR} ms, reached)"),
            1 => format!(" (bar: p99 below {BAR} ms, missed)"),
            _ => String::new(),
        };
        println!(
            "{name}: {agents} agents and grants, {connections} connection(s): {:.0} requests/s, p50 {p50:.3} ms, p99 {p99:.3} ms{verdict}",
            outcome.per_second()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_and_their_absence_said() {
        assert_eq!(member(r#"{"a":1,"token":"x_1","id":"y"}"#, "token"), Ok("x_1"));
        assert!(member("{}", "token").is_err_and(|error| error.contains("token")));
    }

    #[test]
    fn options_are_read() {
        assert_eq!(AuthorityOptions::parse(&["--agents", "7"]).unwrap().agents, 7);
        assert!(AuthorityOptions::parse(&["--agents"]).is_err() && AuthorityOptions::parse(&["x"]).is_err());
    }
}
