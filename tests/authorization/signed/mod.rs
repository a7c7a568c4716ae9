//! Signed pushes: what a push certificate proves, and what it does not.

mod forged;
mod required;
mod stored;

use std::path::Path;
use std::process::Command;

use forge_testing::fixtures::{git, succeed};
use forge_testing::{Answer, Client};
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const PUSH: &str = "application/x-git-receive-pack-request";
pub(crate) const KEYS: &str = "/api/v3/user/ssh_signing_keys";

/// An SSH key that signs.
pub(crate) struct Signer {
    folder: TempDir,
}

impl Signer {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("ssh-keygen");
        succeed(
            command.args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", "key"]).current_dir(folder.path()),
        );
        Self { folder }
    }

    /// Returns the public key, as `authorized_keys` has it.
    pub(crate) fn public(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("key.pub")).unwrap()
    }

    pub(crate) fn fingerprint(&self) -> String {
        let mut command = Command::new("ssh-keygen");
        let said = succeed(command.args(["-l", "-f", "key.pub"]).current_dir(self.folder.path()));
        said.split(' ').nth(1).unwrap().to_owned()
    }

    /// Puts the key on record for signing; returns its id.
    pub(crate) async fn enrol(&self, client: &Client) -> i64 {
        let body = json!({ "title": "push", "key": self.public() });
        client.post(KEYS, &body).await.expect(201).json()["id"].as_i64().unwrap()
    }

    /// Lets `git push --signed` in this working copy use the key.
    pub(crate) fn configure(&self, copy: &Path) {
        let key = self.folder.path().join("key");
        succeed(git(copy).args(["config", "gpg.format", "ssh"]));
        succeed(git(copy).args(["config", "user.signingKey"]).arg(key));
    }

    /// Returns the text with a signature behind it.
    pub(crate) fn sign(&self, text: &str, namespace: &str) -> String {
        let folder = self.folder.path();
        std::fs::write(folder.join("text"), text).unwrap();
        let _ = std::fs::remove_file(folder.join("text.sig"));
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-Y", "sign", "-n", namespace, "-f", "key", "text"]).current_dir(folder);
        succeed(&mut command);
        text.to_owned() + &std::fs::read_to_string(folder.join("text.sig")).unwrap()
    }
}

/// Returns the nonce that the forge gives out for a push to `OWNER/NAME`.
pub(crate) async fn nonce(client: &Client, repository: &str) -> String {
    let answer =
        client.get(&format!("/{repository}.git/info/refs?service=git-receive-pack")).await.expect(200);
    let text = answer.text();
    text.split(" push-cert=").nth(1).unwrap().split(' ').next().unwrap().to_owned()
}

/// A certificate in the making.
pub(crate) struct Draft<'a> {
    pub(crate) nonce: Option<&'a str>,
    pub(crate) pushee: Option<&'a str>,
    pub(crate) commands: &'a [String],
}

impl Draft<'_> {
    pub(crate) fn text(&self) -> String {
        let mut text = "certificate version 0.1\npusher key 1 +0000\n".to_owned();
        for (name, value) in [("pushee", self.pushee), ("nonce", self.nonce)] {
            text.extend(value.map(|value| format!("{name} {value}\n")));
        }
        text + "\n" + &self.commands.join("\n") + "\n"
    }
}

/// Returns what stands before the pack of a push with a certificate, and with commands beside it.
pub(crate) fn body(certificate: &str, beside: &[String]) -> Vec<u8> {
    let mut body = Vec::new();
    let mut packet = |line: &str| body.extend(format!("{:04x}{line}", line.len() + 4).into_bytes());
    packet("push-cert\0report-status");
    certificate.split_inclusive('\n').for_each(&mut packet);
    packet("push-cert-end\n");
    beside.iter().for_each(|line| packet(&format!("{line}\n")));
    body.extend(b"0000");
    body
}

/// Sends a push with a certificate, and commands beside it, to `OWNER/NAME`.
pub(crate) async fn send(
    client: &Client,
    repository: &str,
    certificate: &str,
    beside: &[String],
    pack: &[u8],
) -> Answer {
    let body = [&body(certificate, beside), pack].concat();
    let path = format!("/{repository}.git/git-receive-pack");
    client.send_body(Method::POST, &path, PUSH, body).await
}

/// Returns the pushes to a repository, newest first.
pub(crate) async fn pushes(client: &Client, repository: &str) -> Vec<Value> {
    let path = format!("/api/ext/v1/repos/{repository}/pushes");
    client.get(&path).await.expect(200).json().as_array().unwrap().clone()
}
