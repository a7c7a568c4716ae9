//! What a person does with repositories, by gh alone.

use forge_testing::for_each_database_sync;
use serde_json::{Value, json};

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

    fn gh_forks_and_lists_forks_and_the_operator_has_back_what_was_deleted(database) {
        let machine = Machine::start(database);
        let (alices, bobs) = (machine.human_with_token("alice"), machine.human_with_token("bob"));
        let (alice, bob) = (machine.person("alice"), machine.person("bob"));
        alice.log_in(&alices);
        bob.log_in(&bobs);
        alice.gh(&["repo", "create", "open", "--public", "--add-readme"]);
        let said = alice.gh_fails(&["repo", "fork", "alice/open", "--clone=false"]);
        assert!(said.contains("cannot own both a parent and fork"), "{said}");
        bob.gh(&["repo", "fork", "alice/open", "--clone=false"]);
        assert_eq!(field(&bob, "bob/open", "isFork"), "true");
        assert_eq!(field(&bob, "alice/open", "forkCount"), "1");
        bob.gh(&["auth", "setup-git", "--hostname", HOST]);
        let clone = bob.home().join("open");
        bob.gh(&["repo", "clone", "bob/open", clone.to_str().unwrap()]);
        // gh names the parent from GraphQL.
        assert!(bob.git(&clone, &["remote", "get-url", "upstream"]).contains("alice/open"));
        assert!(bob.git(&clone, &["branch", "--all"]).contains("upstream/main"));
        bob.gh(&["api", "--method", "DELETE", "repos/bob/open"]);
        let listed = machine.run_forge(&["repo", "list-deleted"]);
        let (id, words) = listed.trim().split_once(": ").unwrap();
        assert!(words.starts_with("bob/open, public, "), "{listed}");
        assert_eq!(machine.run_forge(&["repo", "restore-deleted", id, "--to", "bob/back"]), "bob/back: 1 refs came back\n");
        assert_eq!(field(&bob, "bob/back", "isEmpty"), "false");
        assert_eq!(machine.run_forge(&["repo", "list-deleted"]), "");
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
        alice.gh(&["repo", "create", "acme/plain", "--public", "--description", "nothing in it"]);
        alice.gh(&["repo", "create", "acme/engine", "--private", "--add-readme", "--gitignore", "Node", "--license", "apache-2.0"]);
        let listed = alice.gh(&["repo", "list", "acme", "--json", "name", "--jq", "[.[].name] | sort | join(\",\")"]);
        assert_eq!(listed.trim(), "engine,plain");
        let files = alice.gh(&["api", "repos/acme/engine/contents", "--jq", "[.[].name] | sort | join(\",\")"]);
        assert_eq!(files.trim(), ".gitignore,LICENSE,README.md");
        assert_eq!(field(&bob, "acme/plain", "description"), "nothing in it");
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

    fn a_former_name_leads_on_by_every_door(database) {
        let machine = Machine::start(database);
        let token = machine.human_with_token("alice");
        let alice = machine.person("alice");
        alice.log_in(&token);
        machine.run_forge(&["admin", "org", "create", "acme", "--owner", "alice"]);
        alice.gh(&["repo", "create", "first", "--private", "--add-readme"]);
        alice.gh(&["repo", "rename", "second", "--repo", "alice/first", "--yes"]);
        let moved = alice.gh(&["api", "repos/alice/second/transfer", "-f", "new_owner=acme", "--jq", ".full_name"]);
        assert!(moved.trim().ends_with("/second"), "{moved}");
        for former in ["alice/first", "alice/second"] {
            assert_eq!(alice.gh(&["api", &format!("repos/{former}"), "--jq", ".full_name"]).trim(), "acme/second");
            let (status, answer) = alice.curl("GET", &format!("/api/v3/repos/{former}"), Some(&token), None);
            assert_eq!(status, 301, "{answer}");
            assert!(answer["url"].as_str().unwrap().starts_with(&format!("https://{HOST}/api/v3/repositories/")), "{answer}");
            let patch = json!({ "description": "unsaid" });
            let (status, _) = alice.curl("PATCH", &format!("/api/v3/repos/{former}"), Some(&token), Some(&patch));
            assert_eq!(status, 307);
            let (owner, name) = former.split_once('/').unwrap();
            let query = "query=query($o:String!,$n:String!){repository(owner:$o,name:$n){nameWithOwner}}";
            let found = alice.gh(&["api", "graphql", "-f", query, "-f", &format!("o={owner}"), "-f", &format!("n={name}")]);
            assert!(found.contains("acme/second"), "{found}");
            let url = format!("https://{HOST}/{former}.git");
            let clone = alice.home().join(name);
            alice.git(alice.home(), &["clone", "--quiet", &url, clone.to_str().unwrap()]);
            alice.git(&clone, &["commit", "--quiet", "--allow-empty", "--message", former]);
            alice.git(&clone, &["push", "--quiet"]);
        }
        assert_eq!(alice.gh(&["api", "repos/acme/second", "--jq", ".description"]).trim(), "");
        let stranger = machine.person("stranger");
        assert_eq!(stranger.curl("GET", "/api/v3/repos/alice/first", None, None).0, 404, "a move tells nobody of it");
    }

    fn gh_api_pages_through_what_rest_and_graphql_answer(database) {
        let machine = Machine::start(database);
        let token = machine.human_with_token("alice");
        let alice = machine.person("alice");
        alice.log_in(&token);
        for name in ["one", "two", "three"] {
            alice.gh(&["api", "user/repos", "-f", &format!("name={name}"), "--silent"]);
        }
        assert_eq!(alice.gh(&["api", "user", "--jq", ".login"]).trim(), "alice");
        let names = alice.gh(&["api", "--paginate", "user/repos?per_page=1&sort=created&direction=asc", "--jq", ".[].name"]);
        assert_eq!(names.lines().collect::<Vec<_>>(), ["one", "two", "three"]);
        let answer = alice.gh(&["api", "graphql", "-f", "query=query($n:String!){viewer{login repository(name:$n){nameWithOwner}}}", "-f", "n=one"]);
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["data"]["viewer"]["repository"]["nameWithOwner"], "alice/one");
        let query = "query=query($endCursor:String){viewer{repositories(first:2,after:$endCursor,orderBy:{field:CREATED_AT,direction:ASC}){nodes{name} pageInfo{hasNextPage endCursor}}}}";
        let names = alice.gh(&["api", "graphql", "--paginate", "-f", query, "--jq", ".data.viewer.repositories.nodes[].name"]);
        assert_eq!(names.lines().collect::<Vec<_>>(), ["one", "two", "three"]);
        assert!(alice.gh_fails(&["api", "repos/alice/absent"]).contains("Not Found (HTTP 404)"));
        assert!(alice.gh_fails(&["api", "graphql", "-f", "query={nonsense}"]).contains("nonsense"));
        let limits = alice.gh(&["api", "rate_limit", "--jq", ".resources.core.remaining"]);
        assert!(limits.trim().parse::<u32>().unwrap() > 0, "{limits}");
    }

    fn gh_manages_labels_and_copies_them(database) {
        let machine = Machine::start(database);
        let token = machine.human_with_token("alice");
        let alice = machine.person("alice");
        alice.log_in(&token);
        alice.gh(&["repo", "create", "work", "--private", "--add-readme"]);
        alice.gh(&["label", "create", "urgent", "--color", "ff0000", "--description", "now", "--repo", "alice/work"]);
        alice.gh_fails(&["label", "create", "urgent", "--color", "00ff00", "--repo", "alice/work"]);
        alice.gh(&["label", "create", "urgent", "--color", "00ff00", "--force", "--repo", "alice/work"]);
        alice.gh(&["label", "edit", "urgent", "--name", "soon", "--repo", "alice/work"]);
        let labels = |repository: &str| alice.gh(&["label", "list", "--repo", repository, "--json", "name,color", "--jq", ".[]|.name+\" \"+.color"]);
        assert!(labels("alice/work").lines().any(|label| label == "soon 00ff00"), "{}", labels("alice/work"));
        alice.gh(&["repo", "create", "copy", "--private"]);
        alice.gh(&["label", "clone", "alice/work", "--repo", "alice/copy"]);
        let sorted = |text: String| { let mut lines: Vec<_> = text.lines().map(str::to_owned).collect(); lines.sort(); lines };
        assert_eq!(sorted(labels("alice/copy")), sorted(labels("alice/work")));
        alice.gh(&["label", "delete", "soon", "--yes", "--repo", "alice/work"]);
        assert!(!labels("alice/work").contains("soon"));
        let page = alice.gh(&["browse", "--no-browser", "--repo", "alice/work"]);
        assert_eq!(page.trim(), format!("https://{HOST}/alice/work"));
        alice.gh_fails(&["browse", "--no-browser", "--repo", "alice/absent"]);
    }

    fn gh_manages_ssh_keys(database) {
        let machine = Machine::start(database);
        let token = machine.human_with_token("alice");
        let alice = machine.person("alice");
        alice.log_in(&token);
        let key = alice.home().join("key");
        must_succeed(alice.command("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", key.to_str().unwrap()]));
        let public = format!("{}.pub", key.display());
        alice.gh(&["ssh-key", "add", &public, "--title", "laptop"]);
        alice.gh(&["ssh-key", "add", &public, "--title", "signer", "--type", "signing"]);
        let listed = alice.gh(&["ssh-key", "list"]);
        assert!(listed.contains("laptop") && listed.contains("signer"), "{listed}");
        let id = alice.gh(&["api", "user/keys", "--jq", ".[0].id"]);
        alice.gh(&["ssh-key", "delete", id.trim(), "--yes"]);
        assert_eq!(alice.gh(&["api", "user/keys", "--jq", "length"]).trim(), "0");
        assert_eq!(alice.gh(&["api", "user/ssh_signing_keys", "--jq", "length"]).trim(), "1");
    }
}
