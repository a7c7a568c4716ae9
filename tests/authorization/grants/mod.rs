//! Task grants: what a token for one opens, and what it does not, whatever door is tried.

mod doors;
mod life;
mod pushes;
mod stopping;
mod terms;

use std::path::{Path, PathBuf};

use forge_auth::token::Secret;
use forge_testing::agents::{TestAgent, secret};
use forge_testing::fixtures::{git, succeed};
use forge_testing::{Answer, Client, Listening, TestForge};
use forge_types::Account;
use forge_types::repository::Visibility;
use serde_json::{Value, json};

pub(crate) const EXT: &str = "/api/ext/v1";
pub(crate) const TOKEN: &str = "/login/oauth/access_token";
pub(crate) const PREFIX: &str = "agent/task-123/";

/// A human with two repositories, `alice/project` with code and `alice/other`, and an agent that is the human's.
pub(crate) struct World {
    pub(crate) forge: TestForge,
    pub(crate) human: Account,
    pub(crate) alice: Client,
    pub(crate) agent: TestAgent,
}

impl World {
    pub(crate) async fn new(forge: TestForge) -> Self {
        let human = forge.human("alice").await;
        Self::of(forge, human).await
    }

    /// The same with a human who is there already.
    pub(crate) async fn of(forge: TestForge, human: Account) -> Self {
        let alice = forge.client_of(&human, None).await;
        for name in ["project", "other"] {
            forge.repository(&human, name, Visibility::Private).await;
        }
        let agent = forge.registered_agent("bot").await;
        forge.bind(&alice, &agent, &json!({})).await;
        Self { forge, human, alice, agent }
    }

    /// What is asked for by most tests; `change` says what is different.
    pub(crate) fn details(&self, change: &Value) -> Value {
        let mut details = json!({
            "agent": self.agent.login,
            "task": "fix the payment bug",
            "resources": ["repo:alice/project"],
            "actions": ["read_code", "create_branch", "push_branch"],
            "constraints": { "branch_prefix": PREFIX },
        });
        for (name, value) in change.as_object().unwrap() {
            details[name] = value.clone();
        }
        details
    }

    pub(crate) async fn grant(&self, change: &Value) -> Value {
        self.alice.post(&format!("{EXT}/task-grants"), &self.details(change)).await.expect(201).json()
    }

    /// Returns a token of the agent for a grant.
    pub(crate) async fn task_token(&self, grant: &Value) -> Secret {
        secret(&exchange(&self.forge, &self.agent.token, grant, &[]).await.expect(200).json()["access_token"])
    }

    pub(crate) async fn tasked(&self, change: &Value) -> (Value, Client) {
        let grant = self.grant(change).await;
        let token = self.task_token(&grant).await;
        (grant, self.forge.client().with_token(&token))
    }
}

/// Exchanges a token for one for a grant.
pub(crate) async fn exchange(
    forge: &TestForge,
    subject: &Secret,
    grant: &Value,
    more: &[(&str, &str)],
) -> Answer {
    let details = json!([{ "type": "urn:forge:task-grant:1", "grant_id": grant["id"] }]).to_string();
    let mut fields = vec![("authorization_details", details.as_str())];
    fields.extend(more);
    swap(forge, subject, &fields).await
}

/// Exchanges a token.
pub(crate) async fn swap(forge: &TestForge, subject: &Secret, more: &[(&str, &str)]) -> Answer {
    let mut fields = vec![
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", subject.expose()),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
    ];
    fields.extend(more);
    let mut client = forge.client().with_header(http::header::ACCEPT, "application/json");
    client.submit(TOKEN, &fields).await
}

/// A working copy of `alice/project` that pushes with a token.
pub(crate) struct Copy {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) remote: String,
}

impl Copy {
    /// Begins a history in a new working copy and pushes it as `main`, as the human.
    pub(crate) async fn begin(world: &World, server: &Listening) -> Self {
        let token =
            world.forge.token(&world.human, forge_types::credential::CredentialKind::Personal, None).await;
        let folder = tempfile::tempdir().unwrap();
        let remote = format!("{}/alice/project.git", server.url_as("x", token.expose()));
        succeed(git(folder.path()).args(["init", "--quiet", "--initial-branch=main"]));
        let copy = Self { folder, remote };
        copy.commit("README.md", "first");
        let pushed = copy.push(&["main"]).await;
        assert!(pushed.is_ok(), "{pushed:?}");
        copy
    }

    /// Returns the same working copy with another token.
    pub(crate) fn with(&mut self, server: &Listening, token: &Secret) {
        self.remote = format!("{}/alice/project.git", server.url_as("x", token.expose()));
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn commit(&self, file: &str, text: &str) -> String {
        let path: PathBuf = self.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self.run(&["add", "--all"]);
        self.run(&["commit", "--quiet", "--allow-empty", "--message", file]);
        self.run(&["rev-parse", "HEAD"]).trim().to_owned()
    }

    pub(crate) fn run(&self, args: &[&str]) -> String {
        succeed(git(self.path()).args(args))
    }

    /// Runs git where it speaks to the forge; returns what it said, as an error if it failed.
    pub(crate) async fn ask(folder: &Path, args: &[&str]) -> Result<String, String> {
        let mut command = git(folder);
        command.args(args);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let said =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        if output.status.success() { Ok(said) } else { Err(said) }
    }

    /// Pushes; returns what git said, as an error if it failed.
    pub(crate) async fn push(&self, args: &[&str]) -> Result<String, String> {
        Self::ask(self.path(), &[&["push", "--porcelain", &self.remote], args].concat()).await
    }
}
