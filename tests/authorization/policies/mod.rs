//! Policies: what an organization or the forge forbids is refused by every door, and no longer once it is withdrawn.

mod asking;
mod doors;
mod external;
mod making;
mod waiting;

use forge_auth::token::Secret;
use forge_testing::agents::{TestAgent, secret};
use forge_testing::fixtures::{git, succeed};
use forge_testing::{Client, Database, Listening, TestForge};
use forge_types::Permission;
use forge_types::account::Account;
use forge_types::organization::OrganizationRole;
use forge_types::repository::{Repository, Visibility};
use serde_json::{Value, json};

use crate::grants::EXT;

pub(crate) const POLICIES: &str = "/api/ext/v1/orgs/acme/policies";
pub(crate) const REPOSITORY: &str = "/api/v3/repos/acme/project";

/// Agents cut no releases.
pub(crate) const NO_RELEASE: &str = r#"
    @reason("releases are cut by people")
    forbid (principal is Agent, action in Action::"ref.change", resource)
    when { context.ref.name like "refs/heads/release/*" };
"#;

/// An organization `acme` of alice's with `acme/project`, which an agent of hers writes to.
pub(crate) struct World {
    pub(crate) forge: TestForge,
    pub(crate) alice: Client,
    pub(crate) agent: TestAgent,
    pub(crate) bot: Client,
    /// The commit of `main` and `release/1`.
    pub(crate) base: String,
    /// The commit of `next`, which follows it.
    pub(crate) next: String,
    pub(crate) repository: Repository,
}

impl World {
    pub(crate) async fn new(forge: TestForge) -> Self {
        let human = forge.person("alice").await;
        let alice = forge.client_of(&human, None).await;
        let acme = forge.organization("acme", &[&human]).await;
        let repository = forge.repository(&acme, "project", Visibility::Private).await;
        let agent = forge.registered_agent("bot").await;
        forge.bind(&alice, &agent, &json!({})).await;
        let account = forge.find_account(&agent.login).await;
        forge.collaborator(&repository, &account, Some(Permission::Write)).await;
        let bot = forge.client().with_token(&agent.token);
        let put = async |path: &str, branch: Option<&str>| {
            let mut body = json!({ "message": path, "content": "eA==" });
            if let Some(branch) = branch {
                body["branch"] = branch.into();
            }
            let answer = alice.put(&format!("{REPOSITORY}/contents/{path}"), &body).await.expect(201).json();
            answer["commit"]["sha"].as_str().unwrap().to_owned()
        };
        let base = put("README.md", None).await;
        for name in ["release/1", "next"] {
            let body = json!({ "ref": format!("refs/heads/{name}"), "sha": base });
            let _ = alice.post(&format!("{REPOSITORY}/git/refs"), &body).await.expect(201);
        }
        let next = put("next", Some("next")).await;
        // What no ref reaches any more is not there for whoever did not make it.
        let kept = json!({ "ref": "refs/heads/kept", "sha": next });
        let _ = alice.post(&format!("{REPOSITORY}/git/refs"), &kept).await.expect(201);
        Self { forge, alice, agent, bot, base, next, repository }
    }

    /// Adds a policy to the organization.
    pub(crate) async fn forbid(&self, name: &str, policy: &str) -> Value {
        self.alice.post(POLICIES, &json!({ "name": name, "policy": policy })).await.expect(201).json()
    }

    /// Removes a policy of the organization.
    pub(crate) async fn allow(&self, name: &str) {
        let _ = self.alice.delete(&format!("{POLICIES}/{name}")).await.expect(204);
    }

    /// Returns a member of the organization who writes to its repository.
    pub(crate) async fn member(&self, login: &str) -> (Account, Client) {
        let member = self.forge.human(login).await;
        let acme = self.forge.find_account("acme").await;
        self.forge.member(&acme, &member, OrganizationRole::Member).await;
        self.forge.collaborator(&self.repository, &member, Some(Permission::Write)).await;
        let client = self.forge.client_of(&member, None).await;
        (member, client)
    }

    /// Moves a branch by REST.
    pub(crate) async fn moved(&self, client: &Client, branch: &str) -> forge_testing::Answer {
        let to = if self.tip(branch).await == self.base { &self.next } else { &self.base };
        let body = json!({ "sha": to, "force": true });
        client.patch(&format!("{REPOSITORY}/git/refs/heads/{branch}"), &body).await
    }

    pub(crate) async fn tip(&self, branch: &str) -> String {
        let found = self.alice.get(&format!("{REPOSITORY}/git/ref/heads/{branch}")).await.expect(200).json();
        found["object"]["sha"].as_str().unwrap().to_owned()
    }

    /// Pushes a new commit to a branch with git.
    pub(crate) async fn push(
        &self,
        server: &Listening,
        token: &Secret,
        branch: &str,
    ) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let remote = format!("{}/acme/project.git", server.url_as("x", token.expose()));
        let (path, branch) = (folder.path().to_owned(), branch.to_owned());
        tokio::task::spawn_blocking(move || {
            succeed(git(&path).args(["clone", "--quiet", "--branch", &branch, &remote, "."]));
            succeed(git(&path).args(["commit", "--quiet", "--allow-empty", "--message", "by git"]));
            let pushed = git(&path).args(["push", "origin", &branch]).output().unwrap();
            let said = String::from_utf8_lossy(&pushed.stderr).into_owned();
            if pushed.status.success() { Ok(said) } else { Err(said) }
        })
        .await
        .unwrap()
    }

    /// Lets an agent act for alice's organization under a grant, and returns the grant and a client with its token.
    pub(crate) async fn tasked(&self, constraints: Value) -> (Value, Client) {
        let details = json!({
            "agent": self.agent.login, "task": "fix it", "delegator": "org:acme", "resources": ["repo:acme/project"],
            "actions": ["read_code", "create_branch", "push_branch"], "constraints": constraints,
        });
        let grant = self.alice.post(&format!("{EXT}/task-grants"), &details).await.expect(201).json();
        let token =
            crate::grants::exchange(&self.forge, &self.agent.token, &grant, &[]).await.expect(200).json();
        (grant, self.forge.client().with_token(&secret(&token["access_token"])))
    }
}

/// Returns a forge whose policies stand in a folder.
pub(crate) async fn with_folder(database: Database, folder: &std::path::Path) -> TestForge {
    let folder = folder.to_owned();
    TestForge::builder(database).settings(|settings| settings.policy_folder = Some(folder)).start().await
}
