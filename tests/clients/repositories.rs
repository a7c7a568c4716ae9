//! What a person does with repositories, by gh alone.

use forge_testing::for_each_database_sync;
use serde_json::Value;

use crate::machine::{HOST, Machine, Person, must_succeed};

fn field(person: &Person<'_>, repository: &str, name: &str) -> String {
    person.gh(&["repo", "view", repository, "--json", name, "--jq", &format!(".{name}")]).trim().to_owned()
}

for_each_database_sync! {
    fn gh_creates_shows_and_lists_repositories(database) {
        let machine = Machine::start(database);
        let token = machine.human_with_token("alice");
        let alice = machine.person("alice");
        alice.log_in(&token);
        alice.gh(&["repo", "create", "plain", "--private", "--description", "a plain one"]);
        alice.gh(&["repo", "create", "full", "--public", "--add-readme", "--gitignore", "Rust", "--license", "mit"]);
        assert_eq!(field(&alice, "alice/plain", "visibility"), "PRIVATE");
        assert_eq!(field(&alice, "plain", "description"), "a plain one");
        assert_eq!(field(&alice, "alice/full", "visibility"), "PUBLIC");
        let listed = alice.gh(&["repo", "list", "--json", "name", "--jq", "[.[].name] | sort | join(\",\")"]);
        assert_eq!(listed.trim(), "full,plain");
        let clone = alice.home().join("full");
        alice.gh(&["repo", "clone", "full", clone.to_str().unwrap()]);
        for name in ["README.md", ".gitignore", "LICENSE"] {
            assert!(clone.join(name).is_file(), "{name} is missing");
        }
        assert_eq!(alice.git(&clone, &["branch", "--show-current"]).trim(), "main");
        assert!(alice.gh(&["repo", "view", "full"]).contains("full"));
    }

    fn gh_changes_renames_archives_and_deletes_a_repository(database) {
        let machine = Machine::start(database);
        let token = machine.human_with_token("alice");
        let alice = machine.person("alice");
        alice.log_in(&token);
        alice.gh(&["repo", "create", "old-name", "--public", "--add-readme"]);
        alice.gh(&["repo", "edit", "alice/old-name", "--description", "new words", "--enable-wiki=false"]);
        assert_eq!(field(&alice, "alice/old-name", "description"), "new words");
        alice.gh(&["repo", "rename", "new-name", "--repo", "alice/old-name", "--yes"]);
        assert_eq!(field(&alice, "alice/old-name", "name"), "new-name", "the old name leads to the new one");
        let old = format!("https://{HOST}/alice/old-name.git");
        assert!(alice.git(alice.home(), &["ls-remote", &old]).contains("refs/heads/main"));
        let (status, moved) = alice.curl("GET", "/api/v3/repos/alice/old-name", Some(&token), None);
        assert!(matches!(status, 301 | 307), "{status} {moved}");
        alice.gh(&["repo", "archive", "alice/new-name", "--yes"]);
        assert_eq!(field(&alice, "alice/new-name", "isArchived"), "true");
        let clone = alice.home().join("archived");
        alice.gh(&["repo", "clone", "alice/new-name", clone.to_str().unwrap()]);
        alice.git(&clone, &["commit", "--quiet", "--allow-empty", "--message", "too late"]);
        assert!(alice.git_fails(&clone, &["push"]).contains("archived"));
        alice.gh(&["repo", "unarchive", "alice/new-name", "--yes"]);
        alice.git(&clone, &["push", "--quiet"]);
        alice.gh(&["repo", "delete", "alice/new-name", "--yes"]);
        alice.gh_fails(&["repo", "view", "alice/new-name"]);
        alice.gh_fails(&["repo", "view", "alice/old-name"]);
    }

    fn organizations_own_repositories_and_teams_get_access(database) {
        let machine = Machine::start(database);
        let (owner_token, member_token) = (machine.human_with_token("alice"), machine.human_with_token("bob"));
        machine.run_forge(&["admin", "org", "create", "acme", "--owner", "alice"]);
        let (alice, bob) = (machine.person("alice"), machine.person("bob"));
        alice.log_in(&owner_token);
        bob.log_in(&member_token);
        assert_eq!(alice.gh(&["org", "list"]).trim(), "acme");
        alice.gh(&["repo", "create", "acme/engine", "--private", "--add-readme"]);
        bob.gh_fails(&["repo", "view", "acme/engine"]);
        alice.gh(&["api", "-X", "PUT", "orgs/acme/memberships/bob", "-f", "role=member"]);
        alice.gh(&["api", "orgs/acme/teams", "-f", "name=Builders", "-f", "privacy=closed"]);
        alice.gh(&["api", "-X", "PUT", "orgs/acme/teams/builders/memberships/bob"]);
        alice.gh(&["api", "-X", "PUT", "orgs/acme/teams/builders/repos/acme/engine", "-f", "permission=push"]);
        assert_eq!(field(&bob, "acme/engine", "viewerPermission"), "WRITE");
        bob.gh_fails(&["repo", "edit", "acme/engine", "--visibility", "public", "--accept-visibility-change-consequences"]);
        let members = alice.gh(&["api", "orgs/acme/members", "--jq", "[.[].login] | sort | join(\",\")"]);
        assert_eq!(members.trim(), "alice,bob");
    }

    fn gh_api_graphql_labels_and_keys_work(database) {
        let machine = Machine::start(database);
        let token = machine.human_with_token("alice");
        let alice = machine.person("alice");
        alice.log_in(&token);
        alice.gh(&["repo", "create", "work", "--private", "--add-readme"]);
        assert_eq!(alice.gh(&["api", "user", "--jq", ".login"]).trim(), "alice");
        let query = "query=query($n:String!){viewer{login repository(name:$n){nameWithOwner}}}";
        let answer = alice.gh(&["api", "graphql", "-f", query, "-f", "n=work"]);
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["data"]["viewer"]["repository"]["nameWithOwner"], "alice/work");
        alice.gh(&["label", "create", "urgent", "--color", "ff0000", "--description", "now", "--repo", "alice/work"]);
        alice.gh_fails(&["label", "create", "urgent", "--color", "00ff00", "--repo", "alice/work"]);
        alice.gh(&["label", "create", "urgent", "--color", "00ff00", "--force", "--repo", "alice/work"]);
        alice.gh(&["label", "edit", "urgent", "--name", "soon", "--repo", "alice/work"]);
        let labels = alice.gh(&["label", "list", "--repo", "alice/work", "--json", "name", "--jq", ".[].name"]);
        assert!(labels.lines().any(|name| name == "soon") && labels.lines().any(|name| name == "bug"), "{labels}");
        alice.gh(&["label", "delete", "soon", "--yes", "--repo", "alice/work"]);
        let key = alice.home().join("key");
        must_succeed(alice.command("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", key.to_str().unwrap()]));
        let public = format!("{}.pub", key.display());
        alice.gh(&["ssh-key", "add", &public, "--title", "laptop"]);
        let listed = alice.gh(&["ssh-key", "list"]);
        assert!(listed.contains("laptop"), "{listed}");
        let id = alice.gh(&["api", "user/keys", "--jq", ".[0].id"]);
        alice.gh(&["ssh-key", "delete", id.trim(), "--yes"]);
        assert_eq!(alice.gh(&["api", "user/keys", "--jq", "length"]).trim(), "0");
    }

    fn gh_auth_keeps_and_forgets_a_token(database) {
        let machine = Machine::start(database);
        let token = machine.human_with_token("alice");
        let alice = machine.person("alice");
        alice.log_in(&token);
        let status = alice.gh(&["auth", "status", "--hostname", HOST]);
        assert!(status.contains("alice"), "{status}");
        assert_eq!(alice.gh(&["auth", "token", "--hostname", HOST]).trim(), token);
        alice.gh(&["auth", "logout", "--hostname", HOST, "--user", "alice"]);
        alice.gh_fails(&["auth", "status", "--hostname", HOST]);
        let mallory = machine.person("mallory");
        let refused = mallory.gh_fails(&["api", "user", "--hostname", HOST]);
        assert!(refused.contains("gh auth login") || refused.contains("authentication"), "{refused}");
        let altered = format!("{}x", &token[..token.len() - 1]);
        let (status, body) = mallory.curl("GET", "/api/v3/", Some(&altered), None);
        assert_eq!((status, &body["message"]), (401, &"Bad credentials".into()));
    }
}
