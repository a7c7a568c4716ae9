// A browser that a test leads: each line of the input is a step as JSON, each line of the output says what came of it.
//
// Every page of the forge that a step leads to is examined; see `checks.mjs`. What goes wrong is answered with the
// path of a screenshot. Arguments: the program, the forge's URL for people, its bundle of certificates, a folder for
// screenshots, and `scripts` or `no-scripts`.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { connect } from "node:tls";
import { chromium } from "playwright-core";
import { examine } from "./checks.mjs";

const [program, origin, bundle, pictures, scripts] = process.argv.slice(2);
const keepsAll = Boolean(process.env.FORGE_TEST_SCREENSHOTS);
const PATIENCE = 20_000;

/** Returns the hash of the key with which the forge proves its name to whoever trusts its bundle. */
function keyOfForge() {
  const { hostname, port } = new URL(origin);
  const options = { host: "127.0.0.1", port: Number(port || 443), servername: hostname, ca: readFileSync(bundle) };
  return new Promise((resolve, reject) => {
    const socket = connect(options, () => {
      const key = socket.getPeerX509Certificate().publicKey.export({ type: "spki", format: "der" });
      socket.destroy();
      resolve(createHash("sha256").update(key).digest("base64"));
    });
    socket.on("error", reject);
  });
}

const browser = await chromium.launch({
  executablePath: program,
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-proxy-server",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    `--ignore-certificate-errors-spki-list=${await keyOfForge()}`,
  ],
});
const context = await browser.newContext({
  javaScriptEnabled: scripts !== "no-scripts",
  viewport: { width: 1100, height: 800 },
});
context.setDefaultTimeout(PATIENCE);
const page = await context.newPage();

// What the browser complains about, the pages' policy among it.
const complaints = [];
page.on("console", (message) => {
  const text = message.text();
  const isAnswer = text.startsWith("Failed to load resource: the server responded with a status of");
  if (message.type() === "error" && !isAnswer) complaints.push(text);
});
page.on("pageerror", (error) => complaints.push(String(error)));

let answer = null;
page.on("response", (response) => {
  const isPage = response.request().isNavigationRequest() && response.frame() === page.mainFrame();
  if (isPage && (response.status() < 300 || response.status() > 399)) answer = response;
});

/** Does what leads to another page and examines that. */
async function arrive(action) {
  const loaded = page.waitForEvent("load");
  loaded.catch(() => {});
  await action();
  await loaded;
  if (page.url().startsWith(origin)) {
    const problems = [...(await examine(page, answer)), ...complaints.splice(0)];
    if (keepsAll) await keepPictures();
    if (problems.length > 0) throw new Error(`${page.url()}\n${problems.join("\n")}`);
  }
  return { status: answer?.status() ?? 0, url: page.url() };
}

const by = (role, name) => page.getByRole(role, { name, exact: true });
const field = (label) => page.getByLabel(label, { exact: true });
const text = () => page.locator("body").innerText();
const place = (url) => new URL(url, origin).href;

/** Takes away what proves that a form was shown by the forge, as a form made elsewhere lacks it. */
const unprove = (button) => button.form.querySelector("[name=csrf]").remove();

const steps = {
  open: ({ url }) => arrive(() => page.goto(place(url))),
  press: ({ name }) => arrive(() => by("button", name).click()),
  forge: ({ name }) => arrive(async () => {
    await by("button", name).evaluate(unprove);
    await by("button", name).click();
  }),
  follow: ({ name }) => arrive(() => by("link", name).first().click()),
  fill: ({ label, value }) => field(label).fill(value),
  choose: ({ label, value }) => field(label).selectOption(value),
  tick: ({ value }) => page.locator(`input[value="${value}"]`).check(),
  text: async () => ({ text: await text() }),
  see: async ({ text: wanted }) => {
    if (!(await text()).includes(wanted)) throw new Error(`it does not say "${wanted}":\n${await text()}`);
  },
  miss: async ({ text: unwanted }) => {
    if ((await page.content()).includes(unwanted)) throw new Error(`it says "${unwanted}":\n${await text()}`);
  },
  banner: async ({ text: wanted }) => {
    const banner = page.getByRole("region", { name: "Acting as an agent" });
    const said = await banner.innerText();
    const box = await banner.boundingBox();
    if (!said.includes(wanted) || box.y !== 0 || box.height < 40) {
      throw new Error(`the banner at ${JSON.stringify(box)} says "${said}"`);
    }
  },
  fail: ({ why }) => Promise.reject(new Error(why)),
  secret: async () => ({ text: await page.locator("code.secret").innerText() }),
  cookies: async () => ({ cookies: await context.cookies() }),
};

let pictured = 0;

/** Takes a picture of the whole page and returns where it is. */
async function picture(name) {
  mkdirSync(pictures, { recursive: true });
  const path = join(pictures, `${process.pid}-${String(pictured++).padStart(2, "0")}-${name}.png`);
  await page.screenshot({ path, fullPage: true });
  return path;
}

/** Keeps the page as it looks in the light, in the dark and on a telephone, for people to look at. */
async function keepPictures() {
  const name = (await page.title()).replace(/[^a-z0-9]+/gi, "-").toLowerCase();
  await picture(`${name}-light`);
  await page.emulateMedia({ colorScheme: "dark" });
  await picture(`${name}-dark`);
  await page.emulateMedia({ colorScheme: "light" });
  const size = page.viewportSize();
  await page.setViewportSize({ width: 360, height: 740 });
  await picture(`${name}-narrow`);
  await page.setViewportSize(size);
}

for await (const line of createInterface({ input: process.stdin })) {
  const step = JSON.parse(line);
  let result;
  try {
    result = (await steps[step.do](step)) ?? {};
  } catch (error) {
    const path = await picture("failed").catch((reason) => `none, ${reason}`);
    result = { failed: String(error.message ?? error), picture: path, at: page.url() };
  }
  console.log(JSON.stringify(result));
}
await browser.close();
