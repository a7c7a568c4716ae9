// What holds on every page of the forge, whatever it is for.

const POLICY = [
  "default-src 'none'", "style-src 'self'", "img-src 'self'", "frame-ancestors 'none'", "base-uri 'none'",
];
const NARROW = { width: 360, height: 740 };

/** Returns what is wrong with a page that has just been loaded. */
export async function examine(page, answer) {
  const problems = [...headers(answer), ...(await page.evaluate(markup)), ...(await keyboard(page))];
  for (const colorScheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme });
    problems.push(...(await page.evaluate(contrast)).map((text) => `${colorScheme}: ${text}`));
  }
  const size = page.viewportSize();
  await page.setViewportSize(NARROW);
  problems.push(...(await page.evaluate(overflow)));
  await page.setViewportSize(size);
  return problems;
}

/** The policy is strict and whole: nothing inline, nothing from elsewhere, no frame, no script. */
function headers(answer) {
  const policy = answer?.headers()["content-security-policy"] ?? "";
  const parts = policy.split(";").map((part) => part.trim());
  const missing = POLICY.filter((part) => !parts.includes(part)).map((part) => `the policy lacks ${part}: ${policy}`);
  const forms = parts.find((part) => part.startsWith("form-action "));
  if (!forms?.startsWith("form-action 'self'") || forms.includes("*")) missing.push(`forms go anywhere: ${policy}`);
  if (/unsafe|script-src/.test(policy)) missing.push(`the policy is loose: ${policy}`);
  return missing;
}

/** In the page: headings, names, labels, references, and the proof in every form. */
function markup() {
  const problems = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const say = (what, element) => problems.push(`${what}: ${element.outerHTML.slice(0, 200)}`);
  const headings = all("h1");
  if (headings.length !== 1 || !headings[0].textContent.trim()) problems.push(`${headings.length} first headings`);
  if (!document.documentElement.lang) problems.push("no language");
  if (!document.title.trim()) problems.push("no title");
  if (all("main").length !== 1) problems.push("no main part");
  for (const control of all("input:not([type=hidden]):not([hidden]), select, textarea")) {
    const labels = [...(control.labels ?? [])].some((label) => label.textContent.trim());
    if (!labels && !control.getAttribute("aria-label")) say("no label", control);
  }
  for (const element of all("a, button, th")) {
    if (!element.textContent.trim() && !element.getAttribute("aria-label")) say("no name", element);
  }
  for (const form of all("form[method=post]")) {
    if (!form.elements.csrf?.value) say("nothing proves where this form comes from", form);
  }
  const ids = all("[id]").map((element) => element.id);
  for (const id of ids.filter((id, index) => ids.indexOf(id) !== index)) problems.push(`twice the id ${id}`);
  for (const element of all("[aria-describedby], [aria-labelledby], label[for], a[href^='#']")) {
    const names = ["aria-describedby", "aria-labelledby", "for"].map((name) => element.getAttribute(name) ?? "");
    const wanted = `${names.join(" ")} ${(element.getAttribute("href") ?? "").replace("#", "")}`;
    for (const id of wanted.split(" ").filter(Boolean)) if (!ids.includes(id)) say(`no element ${id}`, element);
  }
  for (const element of all("script, iframe, [style], [onclick], [onload], [onsubmit]")) say("inline", element);
  return problems;
}

/** The tab key reaches everything that can be used, and shows where it is. */
async function keyboard(page) {
  const expected = await page.evaluate(() => {
    const usable = "a[href], button, input:not([type=hidden]):not([hidden]), select, textarea";
    window.expected = [...document.querySelectorAll(usable)];
    document.activeElement?.blur();
    return window.expected.map((element) => element.outerHTML.slice(0, 160));
  });
  const reached = new Set();
  const problems = [];
  for (let turn = 0; turn < expected.length + 3 && reached.size < expected.length; turn++) {
    await page.keyboard.press("Tab");
    const [index, isVisible] = await page.evaluate(() => {
      const element = document.activeElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      return [window.expected.indexOf(element), outlineStyle !== "none" && parseFloat(outlineWidth) >= 2];
    });
    if (index < 0) continue;
    reached.add(index);
    if (!isVisible) problems.push(`focus cannot be seen: ${expected[index]}`);
  }
  expected.forEach((html, index) => {
    if (!reached.has(index)) problems.push(`the keyboard does not reach ${html}`);
  });
  await page.evaluate(() => {
    document.activeElement?.blur();
    window.scrollTo(0, 0);
  });
  return problems;
}

/** In the page: text that does not stand out from what is behind it as WCAG 2.2 level AA asks. */
function contrast() {
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = (color) => {
    const [r, g, b] = channels(color).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if ((channels(color)[3] ?? 1) > 0.99) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const problems = [];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].filter((node) => node.nodeType === 3 && node.data.trim());
    if (text.length === 0 || element.getClientRects().length === 0) continue;
    const { color, fontSize, fontWeight } = getComputedStyle(element);
    const [one, other] = [luminance(color), luminance(behind(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const isLarge = parseFloat(fontSize) >= 24 || (parseFloat(fontSize) >= 18.66 && Number(fontWeight) >= 700);
    if (ratio < (isLarge ? 3 : 4.5)) problems.push(`contrast ${ratio.toFixed(2)}: ${text[0].data.trim()}`);
  }
  return problems;
}

/** In the page: what sticks out to the right on a telephone. */
function overflow() {
  const width = document.documentElement.scrollWidth;
  return width > window.innerWidth ? [`the page is ${width} wide on a screen of ${window.innerWidth}`] : [];
}
