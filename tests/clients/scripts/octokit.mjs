// What a program does with Octokit, as a human or an agent. Arguments: the login, its token, and a repository of its own
// to be created. Octokit finds the forge as its documentation says for GitHub Enterprise behind a proxy.

import assert from "node:assert/strict";
import { Octokit, RequestError } from "octokit";
import { EnvHttpProxyAgent, fetch as undiciFetch } from "undici";

const [login, token, name] = process.argv.slice(2);
const dispatcher = new EnvHttpProxyAgent();
const fetch = (url, options) => undiciFetch(url, { ...options, dispatcher });
const never = (retryAfter, { method, url }) => assert.fail(`throttled for ${retryAfter} s: ${method} ${url}`);
const open = (auth) =>
  new Octokit({
    auth,
    baseUrl: `https://${process.env.GH_HOST}/api/v3`,
    request: { fetch },
    throttle: { onRateLimit: never, onSecondaryRateLimit: never },
  });
const octokit = open(token);
const { rest } = octokit;
const repository = { owner: login, repo: name };

/** Returns the error of a request that must fail. */
async function refused(request, status) {
  const error = await request.then(
    (answer) => assert.fail(`it is answered ${answer.status}`),
    (reason) => reason,
  );
  assert.ok(error instanceof RequestError, String(error));
  assert.equal(error.status, status, String(error));
  return error;
}

const steps = {
  async "who one is"() {
    const { data, headers } = await rest.users.getAuthenticated();
    assert.equal(data.login, login);
    assert.ok(Number(headers["x-ratelimit-remaining"]) > 0);
    const { data: limits } = await rest.rateLimit.get();
    assert.ok(limits.resources.core.remaining > 0 && limits.resources.graphql.limit > 0);
    const altered = token.slice(0, -1) + (token.endsWith("x") ? "y" : "x");
    const wrong = await refused(open(altered).rest.users.getAuthenticated(), 401);
    assert.match(wrong.message, /^Bad credentials - https:/);
  },

  async "repositories are created, changed and listed"() {
    const create = { name, private: true, auto_init: true, description: "by Octokit" };
    const { status, data } = await rest.repos.createForAuthenticatedUser(create);
    assert.deepEqual([status, data.full_name, data.visibility], [201, `${login}/${name}`, "private"]);
    const { data: found } = await rest.repos.get(repository);
    assert.deepEqual([found.node_id, found.description], [data.node_id, "by Octokit"]);
    const { data: changed } = await rest.repos.update({ ...repository, description: "changed", has_wiki: false });
    assert.deepEqual([changed.description, changed.has_wiki], ["changed", false]);
    const listed = await octokit.paginate(rest.repos.listForAuthenticatedUser, { per_page: 1 });
    assert.ok(listed.length >= 2 && listed.some((one) => one.name === name), JSON.stringify(listed.map((one) => one.name)));
    const again = await refused(rest.repos.createForAuthenticatedUser(create), 422);
    assert.equal(again.response.data.errors[0].message, "name already exists on this account");
  },

  async "labels are paged, created, changed and deleted"() {
    const pages = [];
    for await (const { data } of octokit.paginate.iterator(rest.issues.listLabelsForRepo, { ...repository, per_page: 4 })) {
      pages.push(data.length);
    }
    assert.deepEqual(pages, [4, 4, 1]);
    const label = { ...repository, name: "needs care", color: "ff8800", description: "slowly" };
    assert.equal((await rest.issues.createLabel(label)).data.name, "needs care");
    const twice = await refused(rest.issues.createLabel(label), 422);
    const [problem] = twice.response.data.errors;
    assert.deepEqual([problem.resource, problem.field, problem.code], ["Label", "name", "already_exists"]);
    assert.match(twice.message, /^Validation Failed: .*already_exists.* - https:/);
    const { data } = await rest.issues.updateLabel({ ...label, new_name: "done/well" });
    assert.equal(data.name, "done/well");
    assert.equal((await rest.issues.getLabel({ ...repository, name: "done/well" })).data.color, "ff8800");
    assert.equal((await rest.issues.deleteLabel({ ...repository, name: "done/well" })).status, 204);
    await refused(rest.issues.getLabel({ ...repository, name: "done/well" }), 404);
  },

  async "contents are read as objects, lists and raw text"() {
    const { data: file } = await rest.repos.getContent({ ...repository, path: "README.md" });
    const text = Buffer.from(file.content, "base64").toString();
    assert.ok(file.type === "file" && text.startsWith(`# ${name}`), text);
    const { data: list } = await rest.repos.getContent({ ...repository, path: "" });
    assert.deepEqual(list.map((entry) => entry.name), ["README.md"]);
    const raw = { ...repository, path: "README.md", mediaType: { format: "raw" } };
    assert.equal((await rest.repos.getContent(raw)).data, text);
    await refused(rest.repos.getContent({ ...repository, path: "absent" }), 404);
  },

  async "errors have GitHub's shape"() {
    const absent = await refused(rest.repos.get({ owner: login, repo: "absent" }), 404);
    assert.match(absent.message, /^Not Found - https:/);
    const { message, documentation_url, status } = absent.response.data;
    assert.deepEqual([message, status], ["Not Found", "404"]);
    assert.match(documentation_url, /^https:/);
    const invalid = await refused(octokit.request("POST /user/repos", { name: "" }), 422);
    assert.ok(Array.isArray(invalid.response.data.errors), invalid.message);
  },

  async "what has not changed is not sent again"() {
    const { headers } = await rest.repos.get(repository);
    assert.match(headers.etag, /^(W\/)?"/);
    await refused(rest.repos.get({ ...repository, headers: { "if-none-match": headers.etag } }), 304);
    await rest.repos.update({ ...repository, description: "changed again" });
    assert.equal((await rest.repos.get({ ...repository, headers: { "if-none-match": headers.etag } })).status, 200);
  },

  async "GraphQL answers, pages and refuses"() {
    const query = "query($owner: String!, $repo: String!) { repository(owner: $owner, name: $repo) { nameWithOwner } }";
    const answer = await octokit.graphql(query, repository);
    assert.deepEqual(answer, { repository: { nameWithOwner: `${login}/${name}` } });
    const labels = await octokit.graphql.paginate(
      `query paginate($owner: String!, $repo: String!, $cursor: String) {
        repository(owner: $owner, name: $repo) {
          labels(first: 4, after: $cursor) { nodes { name } pageInfo { hasNextPage endCursor } }
        }
      }`,
      repository,
    );
    assert.equal(labels.repository.labels.nodes.length, 9);
    const absent = await octokit.graphql(query, { ...repository, repo: "absent" }).catch((error) => error);
    assert.deepEqual([absent.name, absent.errors?.[0].type], ["GraphqlResponseError", "NOT_FOUND"], String(absent));
  },

  async "a former name leads to the repository"() {
    const renamed = `${name}-renamed`;
    await rest.repos.update({ ...repository, name: renamed });
    assert.equal((await rest.repos.get(repository)).data.name, renamed);
    const label = await rest.issues.createLabel({ ...repository, name: "by the former name", color: "000000" });
    assert.equal(label.status, 201);
    assert.equal((await rest.repos.delete({ owner: login, repo: renamed })).status, 204);
    await refused(rest.repos.get(repository), 404);
  },
};

for (const [what, step] of Object.entries(steps)) {
  await step().catch((error) => {
    console.error(`${what}:\n`, error);
    process.exit(1);
  });
  console.log(what);
}
process.exit(0);
