//! Approvals: what waits, who decides, and that exactly what was looked at happens, once.

mod deciding;
mod doors;
mod pages;
mod pushes;
mod shown;

use forge_testing::browser::submit;
use forge_testing::{Answer, Client, Listening, TestForge};
use forge_types::repository::Repository;
use serde_json::{Value, json};

use crate::grants::{Copy, EXT, World};

/// The world of grants, with Alice in front of her browser and a grant under which moving branches forward, forcing and
/// deleting take approval, but creating them does not.
pub(crate) struct Desk {
    pub(crate) world: World,
    pub(crate) server: Listening,
    pub(crate) browser: Client,
    pub(crate) copy: Copy,
    pub(crate) grant: Value,
    pub(crate) agent: Client,
}

impl Desk {
    pub(crate) async fn new(forge: TestForge) -> Self {
        Self::with(forge, &json!({})).await
    }

    /// `change` says what is different about the grant.
    pub(crate) async fn with(forge: TestForge, change: &Value) -> Self {
        let human = forge.person("alice").await;
        let world = World::of(forge, human).await;
        let server = world.forge.listen().await;
        let browser = world.forge.browser("alice").await;
        let mut copy = Copy::begin(&world, &server).await;
        let mut terms = json!({
            "actions": ["read_code", "create_branch", "push_branch", "force_push", "delete_ref"],
            "constraints": { "requires_approval": ["push_branch", "force_push", "delete_ref"] },
        });
        for (name, value) in change.as_object().unwrap() {
            terms[name] = value.clone();
        }
        let grant = world.grant(&terms).await;
        let token = world.task_token(&grant).await;
        copy.with(&server, &token);
        let agent = world.forge.client().with_token(&token);
        Self { world, server, browser, copy, grant, agent }
    }

    /// Commits and pushes to `main`, which is held; returns the commit and the approval's id.
    pub(crate) async fn held(&self, text: &str) -> (String, String) {
        let commit = self.copy.commit("src/lib.rs", text);
        let said = self.copy.push(&["HEAD:refs/heads/main"]).await.expect_err("it waits");
        (commit, approval_in(&said))
    }

    pub(crate) async fn approval(&self, id: &str) -> Value {
        self.agent.get(&format!("{EXT}/approvals/{id}")).await.expect(200).json()
    }

    /// Gives Alice's answer, on the page.
    pub(crate) async fn answer(&mut self, id: &str, answer: &str, comment: &str) -> Answer {
        let page = format!("/approvals/{id}");
        submit(&mut self.browser, &page, &format!("{page}/{answer}"), &[("comment", comment)]).await
    }

    pub(crate) async fn approve(&mut self, id: &str) {
        let _ = self.answer(id, "approve", "").await.expect(303);
    }

    /// Returns the repository.
    pub(crate) async fn repository(&self) -> Repository {
        let mut conn = self.world.forge.app().db().read().await.unwrap();
        let found =
            forge_store::repositories::find_by_name(&mut conn, None, "alice", "project").await.unwrap();
        found.unwrap().repository
    }

    /// Returns the refs that keep what waits.
    pub(crate) async fn pins(&self) -> Vec<String> {
        let repository = self.repository().await.id;
        let mut conn = self.world.forge.app().db().read().await.unwrap();
        let names = forge_store::refs::list_names(&mut conn, repository).await.unwrap();
        names.iter().map(ToString::to_string).filter(|name| name.starts_with("refs/forge/")).collect()
    }

    /// Returns where a ref is, as readers see it.
    pub(crate) async fn tip(&self, name: &str) -> Option<String> {
        let answer = self.world.alice.get(&format!("/api/v3/repos/alice/project/git/ref/{name}")).await;
        (answer.status == 200).then(|| answer.json()["object"]["sha"].as_str().unwrap().to_owned())
    }
}

/// Returns the id of the approval that git spoke of.
pub(crate) fn approval_in(said: &str) -> String {
    let (_, rest) = said.split_once("held for approval ").unwrap_or_else(|| panic!("nothing waits: {said}"));
    rest.split(|character: char| !character.is_ascii_alphanumeric() && character != '_')
        .next()
        .unwrap()
        .to_owned()
}
