//! Grants, and I18: nothing is granted where one word is not understood.

use std::time::Duration;

use forge_testing::agents::secret;
use forge_types::Permission;
use serde_json::{Value, json};

use super::History;
use crate::grants::{EXT, exchange, swap};

/// What a grant conveys, as far as the steps make use of it.
const ACTIONS: [&[&str]; 4] =
    [&["read_code", "create_branch"], &["read_code"], &["create_branch"], &["manage_issues"]];

/// Members that no grant has, and where they stand.
const UNKNOWN: [(&str, &str); 5] = [
    ("", "except"),
    ("", "constraint"),
    ("/constraints", "paths_allow"),
    ("/constraints", "branch_prefixes"),
    ("/constraints/budgets", "commits"),
];

impl History {
    /// Returns a grant of a human's to an agent, of what the human has or has not.
    fn details(&mut self, human: usize, agent: usize, seconds: u64) -> Value {
        let end = self.forge.now().plus(Duration::from_secs(seconds)).to_string();
        let place = self.place_of(human, Permission::Read);
        let (asks, actions) = (self.dice.roll(5) == 0, ACTIONS[self.dice.roll(6) % ACTIONS.len()]);
        json!({
            "agent": self.agents[agent].login, "task": "t",
            "resources": [format!("repo:{}", self.places[place].full_name)],
            "actions": actions,
            "constraints": {
                "branch_prefix": "agent/", "expires_at": end, "budgets": { "pushes": 50 },
                "requires_approval": if asks { json!(["create_branch"]) } else { json!([]) },
            },
        })
    }

    pub(super) async fn grant(&mut self, human: usize, agent: usize) {
        let seconds = [60, 600, 7200][self.dice.roll(3)];
        let details = self.details(human, agent, seconds);
        let who = if self.dice.roll(4) == 0 { self.any_client() } else { self.people[human].client.clone() };
        let made = who.post(&format!("{EXT}/task-grants"), &details).await;
        self.tell(format!(
            "person {human} grants {} to {} for {seconds} s: {}",
            details["resources"], self.agents[agent].login, made.status
        ));
        if made.status == 201 {
            let grant = made.json();
            if grant["state"] == "pending_consent" && self.dice.roll(3) > 0 {
                let path = format!("{EXT}/task-grants/{}/consent", grant["id"].as_str().unwrap());
                let status = self.agents[agent].client.post(&path, &json!({})).await.status;
                self.tell(format!("which it consents to: {status}"));
            }
            self.grants.push(grant);
        }
    }

    pub(super) async fn exchange(&mut self) {
        let late = &self.grants[self.grants.len().saturating_sub(4)..];
        let from = if self.dice.roll(3) == 0 { &self.grants } else { late };
        let Some(grant) = self.dice.pick(from).cloned() else { return };
        let holder = self.agents.iter().find(|agent| grant["agent"] == format!("agent:{}", agent.login));
        let token = match holder.map(|agent| agent.token.clone()).filter(|_| self.dice.roll(4) > 0) {
            Some(own) => own,
            None => self.dice.pick(&self.tokens).unwrap().clone(),
        };
        let lifetime = ["60", "900", "3600"][self.dice.roll(3)];
        let given = exchange(&self.forge, &token, &grant, &[("expires_in", lifetime)]).await;
        self.tell(format!("{} for {} of {lifetime} s: {}", token.fingerprint(), grant["id"], given.status));
        if given.status == 200 {
            self.tokens.push(secret(&given.json()["access_token"]));
        }
    }

    pub(super) async fn revoke(&mut self) {
        if let Some(grant) = self.dice.pick(&self.grants).cloned() {
            let path = format!("{EXT}/task-grants/{}", grant["id"].as_str().unwrap());
            let status = self.any_client().delete(&path).await.status;
            self.tell(format!("{} is revoked by somebody: {status}", grant["id"]));
        }
    }

    /// A grant conveys other actions from now on.
    pub(super) async fn change(&mut self, human: usize) {
        let Some(grant) = self.dice.pick(&self.grants).cloned() else { return };
        let path = format!("{EXT}/task-grants/{}", grant["id"].as_str().unwrap());
        let actions = ACTIONS[self.dice.roll(ACTIONS.len())];
        let status = self.people[human].client.patch(&path, &json!({ "actions": actions })).await.status;
        self.tell(format!("person {human} lets {} convey {actions:?}: {status}", grant["id"]));
    }

    /// I18: what is not understood grants nothing, changes nothing and is exchanged for nothing.
    pub(super) async fn misspell(&mut self, human: usize, agent: usize) {
        let (place, unknown) = UNKNOWN[self.dice.roll(UNKNOWN.len())];
        let mut details = self.details(human, agent, 600);
        details.pointer_mut(place).unwrap()[unknown] = json!([]);
        let client = self.people[human].client.clone();
        let before = self.granted().await;
        let refused = client.post(&format!("{EXT}/task-grants"), &details).await.status;
        self.tell(format!("person {human} grants with `{place}/{unknown}`: {refused}"));
        assert!(matches!(refused.as_u16(), 401 | 422), "a grant with `{place}/{unknown}`: {refused}");
        if let Some(grant) = self.dice.pick(&self.grants).cloned() {
            let path = format!("{EXT}/task-grants/{}", grant["id"].as_str().unwrap());
            let patch = json!({ "constraints": { "paths_allow": [] }, "actions": ["read_code"] });
            let refused = client.patch(&path, &patch).await.status;
            assert!(refused.is_client_error(), "a grant changed with a word nobody knows: {refused}");
            let asked = json!([{ "type": "urn:forge:task-grant:1", "grant_id": grant["id"], unknown: [] }]);
            let token = self.agents[agent].token.clone();
            let refused = swap(&self.forge, &token, &[("authorization_details", &asked.to_string())]).await;
            assert!(
                refused.status.is_client_error(),
                "exchanged with a word nobody knows: {}",
                refused.status
            );
        }
        assert_eq!(self.granted().await, before, "what was refused changed something");
    }

    /// Returns every grant there is, as it is.
    async fn granted(&self) -> Vec<Value> {
        let (mut page, mut all) = (1, Vec::new());
        loop {
            let path = format!("{EXT}/task-grants?per_page=100&page={page}");
            let found = self.root.get(&path).await.expect(200).json();
            let found = found.as_array().unwrap();
            all.extend(found.iter().cloned());
            if found.len() < 100 {
                return all;
            }
            page += 1;
        }
    }
}
