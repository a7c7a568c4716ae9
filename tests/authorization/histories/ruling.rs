//! I9: no agent rules: it invites nobody, stops nobody, owns nothing but itself, makes no policies and decides on no approval.

use forge_types::account::AccountKind;
use http::Method;
use serde_json::json;

use super::History;
use crate::grants::EXT;

impl History {
    /// Somebody tries to rule in every way, mostly an agent: if anything is done, it was a human.
    pub(super) async fn rule(&mut self, agent: usize) {
        let login = self.agents[agent].login.clone();
        let token = if self.dice.roll(3) == 0 { self.agents[agent].token.clone() } else { self.any_token() };
        let scope = ["instance", "org:acme", "owner:alice", "owner:bob"][self.dice.roll(4)];
        let name = format!("mine{}", self.told.len());
        let found = self.found(&token).await;
        let (client, is_human) = (self.client(&token), found.account.kind == AccountKind::Human);
        for (method, path, body) in [
            (Method::POST, "kill-switches".to_owned(), json!({ "scope": scope, "reason": "drill" })),
            (Method::POST, "agent-invites".to_owned(), json!({})),
            (Method::POST, "user/orgs".to_owned(), json!({ "login": name })),
            (Method::POST, "orgs/acme/access-groups".to_owned(), json!({ "name": name })),
            (Method::DELETE, format!("agents/{login}/suspension"), json!({})),
        ] {
            let path = format!("{EXT}/{path}");
            let answer = client.send_json(method, &path, &body).await;
            self.tell(format!("{} asks for {path}: {}", found.account.login, answer.status));
            let is_refused = answer.status.is_client_error();
            assert!(is_human || is_refused, "{} did {path}: {}", found.account.login, answer.status);
            if path.ends_with("kill-switches") && answer.status == 201 {
                let id = answer.json()["id"].as_str().unwrap().to_owned();
                let _ = client.delete(&format!("{path}/{id}")).await.expect(204);
            }
        }
        self.promote(&login).await;
        self.decide().await;
    }

    /// An owner makes an agent an owner.
    async fn promote(&mut self, login: &str) {
        let path = format!("/api/v3/orgs/acme/memberships/{login}");
        let refused = self.people[0].client.put(&path, &json!({ "role": "admin" })).await.status;
        self.tell(format!("{login} is to be an owner: {refused}"));
        assert!(refused.is_client_error(), "{login} owns an organization");
    }

    /// Somebody decides on what waits, with a token.
    async fn decide(&mut self) {
        let Some(id) = self.dice.pick(&self.approvals).cloned() else { return };
        let (token, answer) = (self.any_token(), ["approve", "deny"][self.dice.roll(2)]);
        let path = format!("{EXT}/approvals/{id}");
        let refused = self.client(&token).post(&format!("{path}/{answer}"), &json!({})).await.status;
        self.tell(format!("{id} is decided: {refused}"));
        assert!(refused.is_client_error(), "{id} was decided with a token");
        let status = self.root.get(&path).await.expect(200).json()["status"].clone();
        assert!(matches!(status.as_str(), Some("pending" | "expired" | "cancelled")), "{id} is {status}");
    }

    /// I9: the rows say it.
    pub(super) async fn check_rulers(&self) {
        for agent in &self.agents {
            let account = self.forge.find_account(&agent.login).await;
            assert!(account.kind == AccountKind::Agent && !account.is_site_admin, "{}", agent.login);
        }
    }
}
