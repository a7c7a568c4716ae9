//! I8: recovering an agent ends every credential and key it had, and what the log says of them stays.

use data_encoding::BASE64;
use forge_testing::agents::secret;
use serde_json::json;

use super::History;
use crate::grants::EXT;

impl History {
    /// An agent adds a public key.
    pub(super) async fn add_key(&mut self, agent: usize) {
        let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
        blob.extend((0..32).map(|_| u8::try_from(self.dice.roll(256)).unwrap()));
        let body = json!({ "title": "key", "key": format!("ssh-ed25519 {}", BASE64.encode(&blob)) });
        let status = self.agents[agent].client.post("/api/v3/user/keys", &body).await.status;
        let login = self.agents[agent].login.clone();
        self.tell(format!("{login} adds a key: {status}"));
        if status == 201 {
            *self.keys.entry(login).or_default() += 1;
        }
    }

    pub(super) async fn recover(&mut self, human: usize, agent: usize) {
        let login = self.agents[agent].login.clone();
        let path = format!("{EXT}/agent-bindings/{login}/reset-token");
        let answer = self.people[human].client.post(&path, &json!({})).await;
        self.tell(format!("person {human} recovers {login}: {}", answer.status));
        if answer.status != 200 {
            return;
        }
        for token in &self.tokens {
            let found = self.found(token).await;
            let is_over = found.credential.revoked_at.is_some() || found.account.login != login;
            assert!(is_over, "{:?} of {login} outlived its recovery", found.credential.kind);
        }
        let token = secret(&answer.json()["token"]["token"]);
        self.agents[agent].client = self.client(&token);
        self.agents[agent].token = token.clone();
        self.tokens.push(token);
        let left = self.root.get(&format!("/api/v3/users/{login}/keys")).await.expect(200).json();
        assert_eq!(left, json!([]), "keys of {login} outlived its recovery");
        let path = format!("{EXT}/audit-events?action=public_key.created&agent={login}&per_page=100");
        let events = self.root.get(&path).await.expect(200).json();
        let known = self.keys.get(&login).copied().unwrap_or_default();
        assert_eq!(events.as_array().map(Vec::len), Some(known), "the log of the keys of {login}");
    }
}
