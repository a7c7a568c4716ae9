//! A repository to work on: `alice/tool`, which begins with a README on `main`.

use forge_testing::{Answer, Client, TestForge};
use serde_json::{Value, json};

/// Alice's repository, through her client.
pub(crate) struct Tool {
    pub(crate) client: Client,
}

impl Tool {
    pub(crate) async fn new(forge: &TestForge, visibility: &str) -> Self {
        let client = forge.human_client("alice").await;
        let body = json!({ "name": "tool", "visibility": visibility, "auto_init": true });
        client.post("/api/v3/user/repos", &body).await.expect(201);
        Self { client }
    }

    fn path(below: &str) -> String {
        let slash = if below.is_empty() { "" } else { "/" };
        format!("/api/v3/repos/alice/tool{slash}{below}")
    }

    pub(crate) async fn get(&self, below: &str) -> Answer {
        self.client.get(&Self::path(below)).await
    }

    pub(crate) async fn post(&self, below: &str, body: Value) -> Answer {
        self.client.post(&Self::path(below), &body).await
    }

    pub(crate) async fn patch(&self, below: &str, body: Value) -> Answer {
        self.client.patch(&Self::path(below), &body).await
    }

    pub(crate) async fn delete(&self, below: &str) -> Answer {
        self.client.delete(&Self::path(below)).await
    }

    /// Returns the commit that a branch is at.
    pub(crate) async fn tip(&self, branch: &str) -> String {
        let found = self.get(&format!("git/ref/heads/{branch}")).await.expect(200).json();
        sha(&found["object"])
    }

    /// Creates a file on `main`, or changes it.
    pub(crate) async fn put(&self, file: &str, text: &str) -> Value {
        self.put_on("main", file, text).await
    }

    /// Creates a file on a branch, or changes it.
    pub(crate) async fn put_on(&self, branch: &str, file: &str, text: &str) -> Value {
        let present = self.get(&format!("contents/{file}?ref={branch}")).await;
        let mut body =
            json!({ "message": format!("change {file}"), "content": encoded(text), "branch": branch });
        if present.status == 200 {
            body["sha"] = present.json()["sha"].take();
        }
        let answer = self.client.put(&Self::path(&format!("contents/{file}")), &body).await;
        assert!(answer.status.is_success(), "{}", answer.text());
        answer.json()
    }

    /// Creates a branch at the tip of another one.
    pub(crate) async fn branch(&self, name: &str, from: &str) {
        let body = json!({ "ref": format!("refs/heads/{name}"), "sha": self.tip(from).await });
        self.post("git/refs", body).await.expect(201);
    }

    /// Returns the client of a human who may write to it.
    pub(crate) async fn writer(&self, forge: &TestForge, login: &str) -> Client {
        let client = forge.human_client(login).await;
        let body = json!({ "permission": "push" });
        self.client.put(&Self::path(&format!("collaborators/{login}")), &body).await;
        client
    }
}

/// Returns the id in an object.
pub(crate) fn sha(object: &Value) -> String {
    object["sha"].as_str().expect("an id").to_owned()
}

/// Returns text as a body carries it.
pub(crate) fn encoded(text: &str) -> String {
    data_encoding::BASE64.encode(text.as_bytes())
}

/// Returns the text of a file.
pub(crate) fn decoded(content: &Value) -> String {
    let encoded = content["content"].as_str().expect("content").replace('\n', "");
    let bytes = data_encoding::BASE64.decode(encoded.as_bytes()).expect("base64");
    String::from_utf8(bytes).expect("text")
}
