// The device flow of Octokit's own OAuth strategy: prints where to type which code as a line of JSON, and, once
// somebody has approved, who it is then. Arguments: the client id and the scopes.

import { Octokit, OAuthApp } from "octokit";
import { EnvHttpProxyAgent, fetch as undiciFetch } from "undici";

const [clientId, ...scopes] = process.argv.slice(2);
const dispatcher = new EnvHttpProxyAgent();
const Enterprise = Octokit.defaults({
  baseUrl: `https://${process.env.GH_HOST}/api/v3`,
  request: { fetch: (url, options) => undiciFetch(url, { ...options, dispatcher }) },
});
const app = new OAuthApp({ clientType: "oauth-app", clientId, clientSecret: "none", Octokit: Enterprise });
const { authentication } = await app.createToken({
  scopes,
  onVerification: (verification) => console.log(JSON.stringify(verification)),
});
const { data } = await new Enterprise({ auth: authentication.token }).rest.users.getAuthenticated();
console.log(JSON.stringify({ login: data.login, scopes: authentication.scopes }));
process.exit(0);
