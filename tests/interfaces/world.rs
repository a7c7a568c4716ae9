//! People, agents, and what there is between them, new for each row.

use forge_auth::token::Secret;
use forge_store::push_certificates::{self, PushCertificate};
use forge_testing::agents::secret;
use forge_testing::proofs::Prover;
use forge_testing::{Client, TestAgent, TestForge};
use forge_types::account::Account;
use forge_types::credential::CredentialKind;
use forge_types::id::{PushId, RepositoryId};
use http::Method;
use serde_json::{Value, json};

use crate::EXT;
use crate::table::Who;

/// The client id of every GitHub CLI.
const GITHUB_CLI: &str = "178c6fc778ccc68e1d6a";

/// Who there is, and the ids that requests name.
pub(crate) struct World<'a> {
    forge: &'a TestForge,
    admin: Account,
    alice: Account,
    /// An agent of alice's.
    pub(crate) robo: TestAgent,
    /// An agent that nobody owns.
    pub(crate) free: TestAgent,
    /// An open invite of alice's: its id and its secret.
    pub(crate) invite: Value,
    /// A grant of alice's to robo.
    pub(crate) grant: Value,
    /// The id of something that robo asked for and that waits for alice.
    pub(crate) approval: String,
    /// A kill switch of alice's that stops nobody here.
    pub(crate) switch: Value,
    /// A token of alice's: its id and its value.
    pub(crate) token: Value,
    /// A session in which alice acts as robo.
    pub(crate) session: Value,
    /// The id of a key of robo's.
    pub(crate) key: String,
    /// The id of a workload binding of robo's.
    pub(crate) workload: String,
    /// The code that a device shows.
    pub(crate) user_code: String,
    /// A client that an administrator registered.
    pub(crate) client_id: String,
    /// A push to `alice/open`, with a certificate.
    pub(crate) push: String,
}

impl<'a> World<'a> {
    pub(crate) async fn new(forge: &'a TestForge) -> Self {
        let (admin, alice) = (forge.site_admin("root1").await, forge.human("alice").await);
        let (root, human) = (forge.client_of(&admin, None).await, forge.client_of(&alice, None).await);
        let work = json!({ "name": "work", "private": true, "auto_init": true });
        human.post("/api/v3/user/repos", &work).await.expect(201);
        let robo = forge.registered_agent("robo").await;
        forge.bind(&human, &robo, &json!({})).await;
        let free = forge.registered_agent("free").await;
        let create = async |client: &Client, path: &str, body: Value, status: u16| {
            client.post(&format!("{EXT}/{path}"), &body).await.expect(status).json()
        };
        let invite = create(&human, "agent-invites", json!({}), 201).await;
        let grant = create(&human, "task-grants", details(&robo), 201).await;
        let approval = waiting(forge, &human, &robo).await;
        let switch = json!({ "scope": "task:nothing", "reason": "a drill" });
        let switch = create(&human, "kill-switches", switch, 201).await;
        let token = create(&human, "user/tokens", json!({ "name": "spare" }), 201).await;
        let session =
            create(&human, &format!("agent-bindings/{}/switch-session", robo.login), json!({}), 200).await;
        create(&human, "user/orgs", json!({ "login": "acme" }), 201).await;
        let policy = "forbid (principal is Agent, action == Action::\"repository.delete\", resource);";
        create(&human, "orgs/acme/policies", json!({ "name": "no-release", "policy": policy }), 201).await;
        let group = json!({ "name": "no-release", "ceiling": { "permission": "write" } });
        create(&human, "orgs/acme/access-groups", group, 201).await;
        let member = format!("{EXT}/orgs/acme/access-groups/no-release/members/{}", robo.login);
        let _ = human.put(&member, &json!({})).await.expect(204);
        create(&human, "orgs/acme/access-groups", json!({ "name": "fleet" }), 201).await;
        let _ = human.post("/api/v3/orgs/acme/repos", &json!({ "name": "work" })).await.expect(201);
        let policy = json!({
            "name": "no-release", "access_group": "fleet", "resources": ["repo:acme/work"], "actions": ["read_code"],
        });
        create(&human, "orgs/acme/delegation-policies", policy, 201).await;
        let client = json!({ "name": "Tool", "allows_device": true });
        let client_id =
            create(&root, "admin/oauth-clients", client, 201).await["client_id"].as_str().unwrap().to_owned();
        let user_code = device(forge).await;
        let path = format!("agents/{}/keys", robo.login);
        let key = create(&human, &path, proved(forge, &robo.login), 201).await;
        let key = key["id"].as_str().unwrap().to_owned();
        let binding =
            json!({ "issuer": "https://runs.example", "subject": "repo:acme/app:ref:refs/heads/x" });
        let path = format!("agents/{}/workload-bindings", robo.login);
        let workload = create(&human, &path, binding, 201).await["id"].as_str().unwrap().to_owned();
        let push = certified_push(forge, &human).await;
        // The audit log is sealed, and has a checkpoint.
        forge.run_jobs().await;
        Self {
            forge,
            admin,
            alice,
            robo,
            free,
            invite,
            grant,
            approval,
            switch,
            token,
            session,
            key,
            workload,
            user_code,
            client_id,
            push,
        }
    }

    /// Returns a key that robo does not have yet, with the proof of whoever brings it.
    pub(crate) fn new_key(&self) -> Value {
        proved(self.forge, &self.robo.login)
    }

    /// Returns somebody's client whose token is limited to a scope.
    pub(crate) async fn client(&self, who: Who, scope: &str) -> Client {
        let personal =
            async |account: &Account| self.forge.token(account, CredentialKind::Personal, Some(scope)).await;
        let token: Secret = match who {
            Who::Key => self.forge.registration_key().await,
            Who::Admin => personal(&self.admin).await,
            Who::Human => personal(&self.alice).await,
            Who::OwnAgent => personal(&self.forge.find_account(&self.robo.login).await).await,
            Who::FreeAgent => personal(&self.forge.find_account(&self.free.login).await).await,
            Who::Switched => secret(&self.session["token"]["token"]),
        };
        self.forge.client().with_token(&token)
    }

    /// Returns what is asked for when a grant is made.
    pub(crate) fn grant_details(&self) -> Value {
        details(&self.robo)
    }

    /// Returns a question about robo.
    pub(crate) fn evaluation(&self) -> Value {
        json!({
            "subject": { "type": "agent", "id": self.robo.login },
            "action": { "name": "branch.update" },
            "resource": { "type": "ref", "id": "refs/heads/main", "properties": { "repository": "alice/work" } },
            "context": { "surface": "git" },
        })
    }

    /// Returns a client that presents nothing.
    pub(crate) fn nobody(&self) -> Client {
        self.forge.client()
    }

    /// Returns the path of a route, with the ids of this world.
    pub(crate) fn path(&self, template: &str) -> String {
        let id = match template {
            _ if template.starts_with("/agent-invites") => self.invite["id"].as_str().unwrap().to_owned(),
            _ if template.starts_with("/task-grants") => self.grant["id"].as_str().unwrap().to_owned(),
            _ if template.starts_with("/approvals") => self.approval.clone(),
            _ if template.starts_with("/kill-switches") => self.switch["id"].as_str().unwrap().to_owned(),
            _ if template.contains("/workload-bindings/") => self.workload.clone(),
            _ if template.starts_with("/agents/") => self.key.clone(),
            _ if template.starts_with("/repos/") => self.push.clone(),
            _ if template.starts_with("/user/tokens") => self.token["id"].to_string(),
            _ => self.session["token"]["id"].to_string(),
        };
        let path = template
            .replace("{login}", &self.robo.login)
            .replace("{owner}", "alice")
            .replace("{repo}", "open")
            .replace("{org}", "acme")
            .replace("{name}", "no-release")
            .replace("{id}", &id)
            .replace("{client_id}", &self.client_id);
        format!("{EXT}{path}")
    }
}

/// Has robo ask for a branch, and returns what waits then.
async fn waiting(forge: &TestForge, human: &Client, robo: &TestAgent) -> String {
    let mut asking = details(robo);
    asking["actions"] = json!(["read_code", "create_branch"]);
    asking["constraints"] = json!({ "requires_approval": ["create_branch"] });
    let grant = human.post(&format!("{EXT}/task-grants"), &asking).await.expect(201).json();
    let agent = forge.client().with_token(&forge.task_token(robo, &grant).await);
    let main = human.get("/api/v3/repos/alice/work/git/ref/heads/main").await.expect(200).json();
    let branch = json!({ "ref": "refs/heads/asked", "sha": main["object"]["sha"] });
    let held = agent.post("/api/v3/repos/alice/work/git/refs", &branch).await.expect(403).json();
    held["approval"]["id"].as_str().unwrap().to_owned()
}

/// Makes the public repository `alice/open` with one push, and lets that have a certificate; returns its id.
async fn certified_push(forge: &TestForge, human: &Client) -> String {
    let created = human.post("/api/v3/user/repos", &json!({ "name": "open", "auto_init": true })).await;
    let repository = RepositoryId(created.expect(201).json()["id"].as_i64().unwrap());
    let pushes = human.get(&format!("{EXT}/repos/alice/open/pushes")).await.expect(200).json();
    let id = pushes[0]["id"].as_i64().unwrap();
    let certificate = PushCertificate {
        certificate: "certificate version 0.1\n".to_owned(),
        key_fingerprint: "SHA256:key".to_owned(),
        nonce: "1".to_owned(),
        nonce_issued_at: forge.now(),
    };
    let mut tx = forge.app().db().begin().await.unwrap();
    push_certificates::insert(&mut tx, (repository, PushId(id)), &certificate).await.unwrap();
    tx.commit().await.unwrap();
    id.to_string()
}

fn details(agent: &TestAgent) -> Value {
    json!({
        "agent": agent.login, "task": "tidy up", "resources": ["repo:alice/work"],
        "actions": ["read_code", "push_branch"],
    })
}

/// Returns a key that is new, proved for being added to an agent.
fn proved(forge: &TestForge, login: &str) -> Value {
    let prover = Prover::default();
    let proof = prover.proof(forge, "POST", &format!("{EXT}/agents/{login}/keys"), None);
    json!({ "jwk": prover.jwk().to_json(), "purpose": "dpop", "proof": proof })
}

/// Lets a device ask, and returns the code it shows.
async fn device(forge: &TestForge) -> String {
    let form = format!("client_id={GITHUB_CLI}&scope=gist");
    let client = forge.client().with_header("accept".parse().unwrap(), "application/json");
    let media = "application/x-www-form-urlencoded";
    let answer = client.send_body(Method::POST, "/login/device/code", media, form).await.expect(200);
    answer.json()["user_code"].as_str().unwrap().to_owned()
}
