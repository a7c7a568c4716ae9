//! The queries of `gh` 2.103, with the selections it sends: each is answered without an error.

use forge_testing::{TestForge, for_each_database};
use serde_json::{Value, json};

use crate::setting::{client, create, data, organization, repository};

/// All fields of `gh repo view --json` and `gh repo list --json`.
const EVERY_FIELD: &str = "archivedAt,assignableUsers(first:100){nodes{id,login,name}},codeOfConduct{key,name,url},\
    contactLinks{about,name,url},createdAt,defaultBranchRef{name},deleteBranchOnMerge,description,diskUsage,forkCount,\
    fundingLinks{platform,url},hasDiscussionsEnabled,hasIssuesEnabled,hasProjectsEnabled,hasWikiEnabled,homepageUrl,id,\
    isArchived,isBlankIssuesEnabled,isEmpty,isFork,isInOrganization,isMirror,isPrivate,isSecurityPolicyEnabled,\
    isTemplate,isUserConfigurationRepository,issueTemplates{name,title,body,about},issues(states:OPEN){totalCount},\
    labels(first:100){nodes{id,color,name,description}},languages(first:100){edges{size,node{name}}},\
    latestRelease{publishedAt,tagName,name,url},licenseInfo{key,name,nickname},\
    mentionableUsers(first:100){nodes{id,login,name}},mergeCommitAllowed,\
    milestones(first:100,states:OPEN){nodes{number,title,description,dueOn}},mirrorUrl,name,nameWithOwner,\
    openGraphImageUrl,owner{id,login},parent{id,name,owner{id,login}},primaryLanguage{name},\
    projects(first:100,states:OPEN){nodes{id,name,number,body,resourcePath}},\
    projectsV2(first:100,query:\"is:open\"){nodes{id,number,title,resourcePath,closed,url}},\
    pullRequestTemplates{body,filename},pullRequests(states:OPEN){totalCount},pushedAt,rebaseMergeAllowed,\
    repositoryTopics(first:100){nodes{topic{name}}},securityPolicyUrl,squashMergeAllowed,sshUrl,stargazerCount,\
    templateRepository{id,name,owner{id,login}},updatedAt,url,usesCustomOpenGraphImage,viewerCanAdminister,\
    viewerDefaultCommitEmail,viewerDefaultMergeMethod,viewerHasStarred,viewerPermission,viewerPossibleCommitEmails,\
    viewerSubscription,visibility,watchers{totalCount}";

fn repository_list(owner: &str, fields: &str) -> String {
    let (declared, root) = match owner {
        "" => ("", "viewer".to_owned()),
        _ => (",$owner:String!", "repositoryOwner(login: $owner)".to_owned()),
    };
    format!(
        "query RepositoryList($perPage:Int!,$endCursor:String,$privacy:RepositoryPrivacy,$fork:Boolean{declared}) {{ \
         repositoryOwner: {root} {{ login repositories(first: $perPage, after: $endCursor, privacy: $privacy, \
         isFork: $fork, ownerAffiliations: OWNER, orderBy: {{ field: PUSHED_AT, direction: DESC }}) {{ \
         nodes{{{fields}}} totalCount pageInfo{{hasNextPage,endCursor}} }} }} }}"
    )
}

fn names(nodes: &Value) -> Vec<&str> {
    nodes.as_array().expect("a list").iter().filter_map(|node| node["name"].as_str()).collect()
}

for_each_database! {
    async fn repo_create_makes_a_repository_of_ones_own(forge: TestForge) {
        let client = client(&forge).await;
        let input = json!({
            "name": "new", "visibility": "PRIVATE", "hasIssuesEnabled": true, "hasWikiEnabled": true,
            "description": "A thing", "homepageUrl": "https://example.org/",
        });
        let created = create(&client, input).await;
        assert_eq!(created["name"], "new");
        assert_eq!(created["owner"], json!({ "login": "alice" }));
        assert_eq!(created["url"], "https://forge.example/alice/new");
        assert!(created["id"].as_str().is_some_and(|id| id.starts_with("R_")));
    }

    async fn repo_create_makes_a_repository_of_an_organization_and_a_team(forge: TestForge) {
        let client = client(&forge).await;
        organization(&client, "acme").await;
        let body = json!({ "name": "Engineers" });
        let team = client.post("/api/v3/orgs/acme/teams", &body).await.expect(201).json();
        let owner = data(&client, "{ organization(login: \"acme\") { id } }", json!({})).await;
        let input = json!({
            "name": "ours", "visibility": "INTERNAL",
            "ownerId": owner["organization"]["id"], "teamId": team["node_id"],
        });
        assert_eq!(create(&client, input).await["owner"]["login"], "acme");
        let repositories = client.get("/api/v3/orgs/acme/teams/engineers/repos").await.expect(200).json();
        assert_eq!(repositories[0]["name"], "ours");
        let query = "query OrganizationTeam($owner:String!$teamSlug:String!){organization(login: $owner){team(slug: $teamSlug){id,slug}}}";
        let found = data(&client, query, json!({ "owner": "acme", "teamSlug": "engineers" })).await;
        assert_eq!(found["organization"]["team"], json!({ "id": team["node_id"], "slug": "engineers" }));
        let missing = data(&client, query, json!({ "owner": "acme", "teamSlug": "nobody" })).await;
        assert_eq!(missing["organization"]["team"], json!(null));
    }

    async fn repo_view_answers_every_field(forge: TestForge) {
        let client = client(&forge).await;
        let input = json!({ "name": "full", "visibility": "PUBLIC", "description": "All of it" });
        create(&client, input).await;
        let topics = json!({ "names": ["rust", "forge"] });
        client.put("/api/v3/repos/alice/full/topics", &topics).await.expect(200);
        let query = format!(
            "query RepositoryInfo($owner: String!, $name: String!) {{ repository(owner: $owner, name: $name) {{{EVERY_FIELD}}} }}"
        );
        let found = data(&client, &query, json!({ "owner": "alice", "name": "full" })).await;
        let repository = &found["repository"];
        let person = json!({ "id": repository["owner"]["id"], "login": "alice", "name": null });
        let id = client.get("/api/v3/user").await.expect(200).json()["id"].clone();
        let nobody = format!("{id}+alice@users.noreply.forge.example");
        for (field, value) in [
            ("nameWithOwner", json!("alice/full")),
            ("description", json!("All of it")),
            ("visibility", json!("PUBLIC")),
            ("isPrivate", json!(false)),
            ("isEmpty", json!(true)),
            ("defaultBranchRef", json!(null)),
            ("viewerPermission", json!("ADMIN")),
            ("viewerCanAdminister", json!(true)),
            ("viewerDefaultMergeMethod", json!("MERGE")),
            ("viewerDefaultCommitEmail", json!(nobody)),
            ("viewerPossibleCommitEmails", json!([nobody])),
            ("sshUrl", json!("git@forge.example:alice/full.git")),
            ("assignableUsers", json!({ "nodes": [person] })),
            ("mentionableUsers", json!({ "nodes": [person] })),
            ("issues", json!({ "totalCount": 0 })),
            ("pullRequests", json!({ "totalCount": 0 })),
            ("watchers", json!({ "totalCount": 0 })),
            ("languages", json!({ "edges": [] })),
            ("milestones", json!({ "nodes": [] })),
            ("projectsV2", json!({ "nodes": [] })),
            ("latestRelease", json!(null)),
            ("licenseInfo", json!(null)),
            ("parent", json!(null)),
            ("createdAt", json!("2026-01-01T00:00:00Z")),
        ] {
            assert_eq!(repository[field], value, "{field}");
        }
        let topics: Vec<_> = repository["repositoryTopics"]["nodes"].as_array().expect("topics").iter()
            .map(|node| node["topic"]["name"].as_str().expect("a name")).collect();
        assert_eq!(topics, ["forge", "rust"]);
        assert_eq!(names(&repository["labels"]["nodes"]).len(), 9);
    }

    async fn repo_list_answers_every_field_for_oneself_and_for_an_owner(forge: TestForge) {
        let client = client(&forge).await;
        organization(&client, "acme").await;
        for name in ["one", "two", "three"] {
            repository(&client, name, "PRIVATE").await;
        }
        let found = data(&client, &repository_list("", EVERY_FIELD), json!({ "perPage": 2 })).await;
        let list = &found["repositoryOwner"]["repositories"];
        assert_eq!(list["totalCount"], 3);
        assert_eq!(list["nodes"].as_array().map(Vec::len), Some(2));
        assert_eq!(list["pageInfo"]["hasNextPage"], true);
        let variables = json!({ "perPage": 2, "endCursor": list["pageInfo"]["endCursor"] });
        let rest = data(&client, &repository_list("", "name"), variables).await;
        assert_eq!(rest["repositoryOwner"]["repositories"]["nodes"].as_array().map(Vec::len), Some(1));
        assert_eq!(rest["repositoryOwner"]["repositories"]["pageInfo"]["hasNextPage"], false);
        let variables = json!({ "perPage": 30, "owner": "acme", "privacy": "PUBLIC", "fork": false });
        let none = data(&client, &repository_list("acme", EVERY_FIELD), variables).await;
        let empty = json!({
            "login": "acme",
            "repositories": { "nodes": [], "totalCount": 0, "pageInfo": { "hasNextPage": false, "endCursor": null } },
        });
        assert_eq!(none["repositoryOwner"], empty);
    }

    async fn repo_list_with_a_topic_searches(forge: TestForge) {
        let client = client(&forge).await;
        for name in ["one", "two"] {
            repository(&client, name, "PUBLIC").await;
        }
        client.put("/api/v3/repos/alice/two/topics", &json!({ "names": ["x"] })).await.expect(200);
        let query = "query RepositoryListSearch($query:String!,$perPage:Int!,$endCursor:String) { \
            search(type: REPOSITORY, query: $query, first: $perPage, after: $endCursor) { repositoryCount \
            nodes{...on Repository{name,nameWithOwner,description,isPrivate,isFork,isArchived,createdAt,pushedAt,visibility}} \
            pageInfo{hasNextPage,endCursor} } }";
        let variables = json!({ "perPage": 30, "query": "sort:updated-desc fork:true topic:x user:alice" });
        let found = data(&client, query, variables).await;
        assert_eq!(found["search"]["repositoryCount"], 1);
        assert_eq!(found["search"]["nodes"][0]["nameWithOwner"], "alice/two");
        let variables = json!({ "perPage": 30, "query": "sort:updated-desc fork:true topic:x user:nobody" });
        assert_eq!(data(&client, query, variables).await["search"]["repositoryCount"], 0);
    }

    async fn repo_clone_sync_and_set_default_find_the_network(forge: TestForge) {
        let client = client(&forge).await;
        repository(&client, "one", "PRIVATE").await;
        let query = "fragment repo on Repository { id databaseId name owner { login } sshUrl hasIssuesEnabled description \
            hasWikiEnabled viewerPermission defaultBranchRef { name } } \
            query RepositoryInfo($owner: String!, $name: String!) { repository(owner: $owner, name: $name) { ...repo \
            parent { ...repo } mergeCommitAllowed rebaseMergeAllowed squashMergeAllowed } }";
        let found = data(&client, query, json!({ "owner": "alice", "name": "one" })).await;
        assert_eq!(found["repository"]["owner"]["login"], "alice");
        let query = "fragment repo on Repository { id databaseId name owner { login } viewerPermission \
            defaultBranchRef { name } isPrivate } query RepositoryNetwork { viewer { login } \
            repo_000: repository(owner: \"alice\", name: \"one\") { ...repo parent { ...repo } } \
            repo_001: repository(owner: \"alice\", name: \"missing\") { ...repo parent { ...repo } } }";
        let answer = client.graphql(query, json!(null)).await.expect(200).json();
        assert_eq!(answer["data"]["repo_000"]["name"], "one");
        assert_eq!(answer["data"]["repo_001"], json!(null));
        assert_eq!(answer["errors"][0]["type"], "NOT_FOUND");
        assert_eq!(answer["errors"][0]["path"], json!(["repo_001"]));
    }

    async fn names_are_mapped_to_numbers(forge: TestForge) {
        let client = client(&forge).await;
        repository(&client, "one", "PRIVATE").await;
        let query = "query MapRepositoryNames { repo_000: repository(owner: \"alice\", name: \"one\") { databaseId } }";
        let found = data(&client, query, json!(null)).await;
        let rest = client.get("/api/v3/repos/alice/one").await.expect(200).json();
        assert_eq!(found["repo_000"]["databaseId"], rest["id"]);
    }

    async fn org_list_lists_ones_organizations(forge: TestForge) {
        let client = client(&forge).await;
        for login in ["zebra", "acme"] {
            organization(&client, login).await;
        }
        let query = "query OrganizationList($user: String!, $limit: Int!, $endCursor: String) { user(login: $user) { login \
            organizations(first: $limit, after: $endCursor) { totalCount nodes { login } pageInfo { hasNextPage endCursor } } } }";
        let found = data(&client, query, json!({ "user": "alice", "limit": 1 })).await;
        let list = &found["user"]["organizations"];
        assert_eq!((&list["totalCount"], &list["nodes"]), (&json!(2), &json!([{ "login": "acme" }])));
        let variables = json!({ "user": "alice", "limit": 30, "endCursor": list["pageInfo"]["endCursor"] });
        let rest = data(&client, query, variables).await;
        assert_eq!(rest["user"]["organizations"]["nodes"], json!([{ "login": "zebra" }]));
        assert_eq!(rest["user"]["organizations"]["pageInfo"]["hasNextPage"], false);
    }

    async fn ids_and_logins_of_the_viewer_and_owners_are_found(forge: TestForge) {
        let client = client(&forge).await;
        organization(&client, "acme").await;
        let viewer = data(&client, "query ViewerOwner{viewer{login,id}}", json!(null)).await;
        let rest = client.get("/api/v3/user").await.expect(200).json();
        assert_eq!(viewer["viewer"], json!({ "login": "alice", "id": rest["node_id"] }));
        let query = "query UserOrgOwner($login:String!){user(login: $login){login,id},organization(login: $login){login,id}}";
        let answer = client.graphql(query, json!({ "login": "acme" })).await.expect(200).json();
        assert_eq!(answer["data"]["organization"]["login"], "acme");
        assert_eq!(answer["errors"][0]["path"], json!(["user"]));
    }
}
