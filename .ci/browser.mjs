// Every page in a real Chromium: its main job by keyboard and mouse, what it says to the console, what it fetches, axe, its
// width on a phone, and pictures. A page that is added gets an entry in PAGES. `.ci/browser` starts the server and this.

import { createRequire } from "node:module";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const { BASE, CODE, TABLE, PICTURES, MODULES } = process.env;
const require = createRequire(join(MODULES, "/"));
const { chromium } = require("playwright-core");
const AXE = readFileSync(join(MODULES, "axe-core", "axe.min.js"), "utf8");

const NAME = "ana";
const PASSWORD = "four words in a row";
const WIDE = { width: 1440, height: 900 };
const NARROW = { width: 390, height: 844 };
/** The longest that an answer may take, from PATIENCE in seconds: the first question of a year trains a model. */
const PATIENCE = Number(process.env.PATIENCE || 180) * 1000;

const only = (() => {
  const at = process.argv.indexOf("--only");
  return at < 0 ? null : new Set(process.argv[at + 1].split(","));
})();

/** What entries find that others begin with. */
const NEEDS = { title: ["titles"], record: ["titles"], "what-if": ["titles"], track: ["titles", "record"], models: ["titles", "title"], model: ["titles", "title", "models"] };
const wanted = new Set(Array.from(only ?? []).flatMap((name) => [name, ...(NEEDS[name] ?? [])]));

// ---- The pages ---------------------------------------------------------------------------------------------------------

/** A title that the bundled table has, with its release known. */
const TITLE = "Apocalypto";

/** Name, address, the first heading, and the page's main job; `house` carries what earlier entries found. Pictures are of the
 * page as it opens, or of the address in `then`. */
const PAGES = [
  {
    name: "home", path: "/", heading: /Good day/,
    job: async (page) => {
      await shows(page, "#track", /track record|recorded|scored/i);
      await shows(page, "main", /3,\d{3}/); // titles in the lake
    },
  },
  {
    name: "titles", path: "/titles", heading: /^Titles$/,
    job: async (page, house) => {
      await page.locator("main").getByLabel("Name").fill(TITLE);
      const link = page.locator("#found").getByRole("link", { name: TITLE });
      await link.waitFor();
      await page.waitForFunction(() => location.search.includes("text="));
      check((await page.locator("#found tbody tr").count()) < 5, "the search did not narrow the list");
      await link.click();
      await page.waitForURL(/\/titles\/[0-9a-f]{16}/);
      house.title = new URL(page.url()).pathname;
    },
  },
  {
    name: "title", path: (house) => house.title, heading: new RegExp(TITLE),
    job: async (page) => {
      await shows(page, "#forecast .figure.hero", /\$\d/);
      await shows(page, "#forecast", /Why/);
      await page.locator("#fan").scrollIntoViewIfNeeded();
      await page.locator("#fan [data-drawn=yes]").waitFor({ timeout: PATIENCE });
      await page.locator("#sensitivity").scrollIntoViewIfNeeded();
      await settled(page);
    },
  },
  {
    name: "record", path: (house) => house.title, heading: new RegExp(TITLE), pictures: false,
    job: async (page) => {
      await page.locator("#forecast").getByRole("button", { name: "Record" }).click({ timeout: PATIENCE });
      await confirmed(page);
      await page.waitForURL(/recorded=\d+/, { timeout: PATIENCE });
      await shows(page, "main", /Recorded as entry \d+/);
    },
  },
  {
    name: "what-if", path: (house) => `/what-if?title=${house.title.split("/").pop()}`, heading: /^What if$/,
    job: async (page) => {
      await settled(page);
      const before = await page.locator("#answer").innerText();
      await page.locator("main").getByLabel("Budget").fill("180M");
      await page.waitForFunction((before) => {
        const place = document.querySelector("#answer");
        return place.getAttribute("aria-busy") !== "true" && /Changed:/.test(place.innerText) && place.innerText !== before;
      }, before, { timeout: PATIENCE });
      await shows(page, "#answer", /\$\d/);
    },
  },
  {
    name: "project", path: "/what-if", heading: /^What if$/, pictures: false,
    job: async (page) => {
      const main = page.locator("main");
      await main.getByLabel("Name").fill("The Lighthouse Keeper");
      await main.getByLabel("Budget").fill("25M");
      await main.getByLabel("Release", { exact: true }).fill("2011-06-17");
      await main.getByRole("button", { name: "Ask" }).click();
      await shows(page, "#answer .figure.hero", /\$\d/);
    },
  },
  {
    name: "slate", path: "/slate", heading: /^Slate$/,
    job: async (page) => {
      await page.getByRole("link", { name: "Try the ten example projects" }).first().click();
      await page.waitForURL(/example=ten/);
      await page.locator("main").getByLabel("Budget", { exact: true }).fill("200M");
      await page.getByRole("button", { name: "Choose" }).click();
      await shows(page, "main h2", /^In$/);
      await settled(page);
      await shows(page, "main", /The frontier[\s\S]*\$\d/);
      await page.locator("main").getByLabel("Name", { exact: true }).fill("Summer");
      await page.getByRole("button", { name: "Keep the slate" }).click();
      await shows(page, "main", /The slate is kept/);
    },
    // What the example asks is what is worth a picture.
    then: "/slate?example=ten",
  },
  {
    name: "market", path: "/market", heading: /^Market$/,
    job: async (page) => {
      await shows(page, "#found", /Share by distributor/);
      const before = await page.locator("#found").innerText();
      await page.locator("main").getByLabel("From year").fill("2005");
      await page.locator("main").getByLabel("To year").fill("2008");
      await page.waitForFunction((before) => document.querySelector("#found").innerText !== before, before, { timeout: PATIENCE });
      await page.waitForFunction(() => location.search.includes("from=2005"));
    },
  },
  {
    name: "track", path: "/track", heading: /^Track record$/,
    job: async (page) => {
      await shows(page, "main", /intact/);
      await shows(page, "main", new RegExp(TITLE));
      const head = await page.locator("#head").innerText();
      await page.locator("main").getByLabel("Head", { exact: true }).fill(head);
      await page.getByRole("button", { name: "Check" }).click();
      await shows(page, "main", /The head that you kept fits/);
    },
  },
  {
    name: "data", path: "/data", heading: /^Data$/,
    job: async (page) => {
      await shows(page, "main table", /films/);
      await shows(page, "#issues", /release_date|row|value/);
      await page.locator("main").getByLabel("What was done").selectOption({ index: 1 });
      await page.waitForFunction(() => location.search.includes("action="));
    },
  },
  {
    name: "upload", path: "/data", heading: /^Data$/, pictures: false,
    job: async (page) => {
      const [head, first] = readFileSync(TABLE, "utf8").split("\n");
      const table = `${head}\n${first.replace("The Land Girls", "A Film of the Check")}\n`;
      await page.locator("#file").setInputFiles({ name: "more.csv", mimeType: "text/csv", buffer: Buffer.from(table) });
      await page.getByRole("button", { name: "Upload" }).click();
      await page.waitForURL(/\/jobs\/[0-9a-z-]+$/);
      await shows(page, "#job", /\bdone\b/);
    },
  },
  {
    name: "lineage", path: "/data/lineage", heading: /^Lineage$/,
    job: async (page) => {
      await page.locator("main").getByLabel("Title", { exact: true }).fill(TITLE);
      await page.getByRole("button", { name: "Show its facts" }).click();
      await shows(page, "main", /budget/i);
    },
    then: `/data/lineage?title=${TITLE}`,
  },
  {
    name: "models", path: "/models", heading: /^Models$/,
    job: async (page, house) => {
      await shows(page, "#due", /\w/);
      await page.locator("main").getByLabel("Name, group or formula").fill("budget");
      await shows(page, "#features", /log_budget/);
      const card = page.locator("#models a[href^='/models/card/']").first();
      await card.waitFor({ timeout: PATIENCE });
      house.model = await card.getAttribute("href");
    },
  },
  { name: "model", path: (house) => house.model, heading: /\w/, job: async (page) => { await shows(page, "main", /How it errs/); } },
  {
    name: "jobs", path: "/jobs", heading: /^Jobs$/,
    job: async (page) => {
      await shows(page, "#jobs", /films\.csv|ingest/i);
      await page.locator("main").getByLabel("Name", { exact: true }).fill("Every night");
      await page.locator("main").getByLabel("Train what is due at").fill("0 3 * * *");
      await page.getByRole("button", { name: "Make the schedule" }).click();
      await shows(page, "#schedules", /Every night/);
      await page.locator("#jobs a[href^='/jobs/']").first().click();
      await shows(page, "main", /Log/);
    },
  },
  {
    name: "alerts", path: "/alerts", heading: /^Alerts$/,
    job: async (page) => {
      await page.getByText("Add a rule", { exact: true }).click();
      await page.locator("main").getByLabel("What the rule is called").fill("Old data");
      await page.locator("main").getByLabel("Bound").fill("30");
      await page.getByRole("button", { name: "Add the rule" }).click();
      await shows(page, "main", /Old data/);
      await page.getByRole("button", { name: "Look now" }).click();
      await shows(page, "main h1", /Alerts/);
    },
  },
  {
    name: "admin", path: "/admin", heading: /^Admin$/,
    job: async (page) => {
      const main = page.locator("main");
      await main.getByLabel("Log-in name").fill("ben");
      await main.getByLabel("First password").fill("another four words here");
      await main.getByLabel("Role").selectOption("analyst");
      await page.getByRole("button", { name: "Make the account" }).click();
      await shows(page, "main table", /ben/);
    },
  },
  { name: "policies", path: "/admin/policies", heading: /^Admin$/, job: async (page) => { await shows(page, "main", /permit/); } },
  {
    name: "audit", path: "/admin/audit", heading: /^Admin$/,
    job: async (page) => { await shows(page, "main", /account\.create[\s\S]*account\.set_up/); },
  },
  {
    name: "account", path: "/account", heading: /^Your account$/,
    job: async (page) => {
      const main = page.locator("main");
      await main.getByLabel("Name", { exact: true }).fill("notebook");
      await main.getByRole("checkbox").first().check();
      await page.getByRole("button", { name: "Issue a token" }).click();
      const secret = (await page.locator("#secret").innerText()).trim();
      const me = await page.request.get(`${BASE}/api/v1/account`, { headers: { authorization: `Bearer ${secret}`, cookie: "" } });
      check(me.ok() && (await me.json()).name === NAME, `the token that was issued is answered ${me.status()}`);
    },
  },
  { name: "api", path: "/api", heading: /^API$/, job: async (page) => { await shows(page, "main", /\/api\/v1\/forecasts/); } },
];

// ---- Steps that pages share --------------------------------------------------------------------------------------------

class Finding extends Error {}

function check(holds, said) {
  if (!holds) throw new Finding(said);
}

/** Waits until a place says something. */
async function shows(page, place, pattern) {
  const found = await page.waitForFunction(([place, source, flags]) => {
    const said = new RegExp(source, flags);
    return Array.from(document.querySelectorAll(place)).some((element) => said.test(element.innerText));
  }, [place, pattern.source, pattern.flags], { timeout: PATIENCE }).catch(() => null);
  check(found, `${place} does not come to say ${pattern}`);
}

/** Answers the question whether it is meant, in a dialogue of the page; one of the browser is answered by itself. */
async function confirmed(page) {
  const dialogue = page.locator("dialog[open]");
  if (await dialogue.count()) await dialogue.getByRole("button").first().click();
}

/** Waits until nothing of the page is still being fetched or drawn. Parts are fetched when they are seen, and push others out
 * of sight: so it scrolls through the page again and again. */
async function settled(page) {
  const pending = await page.evaluate(async (patience) => {
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const waiting = () => Array.from(document.querySelectorAll("[aria-busy=true], .working, [data-chart]:not([data-drawn=yes]):not([hidden])"));
    for (const end = Date.now() + patience; ; ) {
      for (let y = 0; y <= document.body.scrollHeight; y += innerHeight / 2) {
        scrollTo(0, y);
        await pause(40);
      }
      scrollTo(0, 0);
      const still = waiting();
      if (!still.length || Date.now() > end) return still.map((e) => e.closest("[id]")?.id || e.innerText);
      await pause(400);
    }
  }, PATIENCE);
  check(!pending.length, `still being fetched or drawn: ${pending.join(", ")}`);
}

// ---- What is watched on every page -------------------------------------------------------------------------------------

/** What a page says to the console, and requests that fail. "Come again" (503 with Retry-After) is an answer, not a failure. */
function watch(page) {
  const found = [];
  const waiting = new Set();
  page.on("response", (response) => {
    if (response.status() === 503 && response.headers()["retry-after"]) waiting.add(response.url());
    else if (response.status() >= 400) found.push(`${response.status()} for ${response.request().method()} ${response.url()}`);
    if (!response.url().startsWith(BASE) && !/^(data|blob):/.test(response.url())) found.push(`a request to elsewhere: ${response.url()}`);
  });
  page.on("requestfailed", (request) => {
    // What is asked for again, or left by going on, is given up on purpose.
    if (request.failure()?.errorText !== "net::ERR_ABORTED") found.push(`${request.failure()?.errorText} for ${request.url()}`);
  });
  page.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    if (waiting.has(message.location().url) || /status of 503/.test(message.text())) return;
    found.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => found.push(`uncaught: ${error.message}`));
  page.on("dialog", (dialogue) => dialogue.accept());
  return { take: () => found.splice(0) };
}

/** Serious and critical violations that axe finds. The page's policy lets no script in from elsewhere: axe comes by the debugger. */
async function axe(page) {
  await page.evaluate(AXE);
  const results = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  const grave = results.violations.filter((violation) => ["serious", "critical"].includes(violation.impact));
  return grave.map((violation) => `axe ${violation.impact} ${violation.id}: ${violation.help}: ${violation.nodes.slice(0, 3).map((node) => node.target.join(" ")).join(", ")}`);
}

/** What sticks out to the right of a narrow screen. */
async function overflow(page) {
  return page.evaluate(() => {
    const root = document.documentElement;
    if (root.scrollWidth <= root.clientWidth) return [];
    const out = Array.from(document.querySelectorAll("main *")).filter((e) => e.getBoundingClientRect().right > root.clientWidth + 1);
    const names = out.slice(0, 3).map((e) => `${e.localName}${e.id ? `#${e.id}` : ""}${e.className && typeof e.className === "string" ? `.${e.className.split(" ")[0]}` : ""}`);
    return [`${root.scrollWidth} px wide on a screen of ${root.clientWidth}: ${names.join(", ") || "outside main"}`];
  });
}

async function go(page, path, heading) {
  const answer = await page.goto(BASE + path, { waitUntil: "load" });
  check(answer && answer.ok(), `${path} answers ${answer?.status()}`);
  const said = await page.locator("h1").first().innerText();
  check(heading.test(said), `${path} is headed "${said}"`);
}

/** The page in both widths and themes, with axe in each and what overflows. */
async function look(page, name) {
  const found = [];
  for (const [width, viewport] of [["1440", WIDE], ["390", NARROW]]) {
    await page.setViewportSize(viewport);
    for (const theme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme: theme });
      await settled(page);
      await page.waitForTimeout(150); // transitions of colours
      await page.screenshot({ path: join(PICTURES, `${name}-${width}-${theme}.png`), fullPage: true });
      for (const said of await axe(page)) found.push(`${width} px, ${theme}: ${said}`);
    }
    for (const said of await overflow(page)) found.push(`${width} px: ${said}`);
  }
  await page.setViewportSize(WIDE);
  await page.emulateMedia({ colorScheme: "light" });
  return found;
}

// ---- The way in --------------------------------------------------------------------------------------------------------

/** Sets up through the form, loads the bundled table through the page, logs out and in again. */
async function enter(page, found) {
  await page.goto(`${BASE}/`);
  await page.waitForURL(/\/set-up$/);
  found.push(...(await look(page, "set-up")));
  await page.getByLabel("Set-up code").fill(CODE);
  await page.getByLabel("Log-in name").fill(NAME);
  await page.getByLabel("Your name").fill("Ana");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("Password, once more").fill(PASSWORD);
  await page.getByRole("button", { name: "Make the first account" }).click();
  await page.waitForURL(`${BASE}/`);
  found.push(...(await look(page, "empty")));

  const answer = await page.request.post(`${BASE}/api/v1/ingests`, {
    multipart: { file: { name: "films.csv", mimeType: "text/csv", buffer: readFileSync(TABLE) } },
  });
  check(answer.status() === 202, `the upload was answered ${answer.status()} ${await answer.text()}`);
  const { job } = await answer.json();
  for (const end = Date.now() + PATIENCE; ; ) {
    const { state, error } = await (await page.request.get(`${BASE}/api/v1/jobs/${job}`)).json();
    if (state === "done") break;
    check(["queued", "running"].includes(state) && Date.now() < end, `the ingest is ${state}: ${error}`);
    await page.waitForTimeout(500);
  }

  await page.goto(`${BASE}/`);
  await page.getByRole("button", { name: "Log out" }).click();
  await page.waitForURL(/\/log-in/);
  found.push(...(await look(page, "log-in")));
  await page.goto(`${BASE}/titles`);
  await page.waitForURL(/\/log-in\?next=/);
  await page.getByLabel("Name", { exact: true }).fill(NAME);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${BASE}/titles`);
}

/** The rail leads to each page of the table, and the table has each page that the rail leads to. */
async function rail(page) {
  const links = await page.locator("nav.rail li a").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
  const known = new Set(PAGES.map((entry) => entry.path).filter((path) => typeof path === "string"));
  return links.filter((path) => !known.has(path) && path !== "/what-if").map((path) => `the rail leads to ${path}, which no entry of the table looks at`);
}

// ---- Run ---------------------------------------------------------------------------------------------------------------

mkdirSync(PICTURES, { recursive: true });
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
const context = await browser.newContext({ viewport: WIDE, locale: "en-GB", reducedMotion: "reduce" });
context.setDefaultTimeout(20_000);
const page = await context.newPage();
const said = watch(page);
const house = {};
let failed = 0;
let passed = 0;

async function stage(name, run) {
  const began = Date.now();
  const found = [];
  try {
    await run(found);
  } catch (error) {
    found.push(error instanceof Finding ? error.message : `${error.message.split("\n").slice(0, 3).join(" | ")}`);
    await page.screenshot({ path: join(PICTURES, `${name}-failed.png`) }).catch(() => {});
  }
  found.push(...said.take());
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  console.log(`${found.length ? "FAIL" : "ok  "} ${name} (${seconds} s)`);
  for (const line of new Set(found)) console.log(`     ${line}`);
  if (found.length) failed += 1;
  else passed += 1;
  return found.length === 0;
}

await stage("entry", (found) => enter(page, found));
for (const entry of PAGES) {
  if (only && !wanted.has(entry.name)) continue;
  await stage(entry.name, async (found) => {
    const path = typeof entry.path === "function" ? entry.path(house) : entry.path;
    await go(page, path, entry.heading);
    await entry.job(page, house);
    if (entry.pictures === false) return;
    await go(page, entry.then ?? path, entry.heading);
    found.push(...(await look(page, entry.name)));
  });
}
if (!only) {
  await stage("rail", async (found) => {
    await go(page, "/", /./);
    found.push(...(await rail(page)));
  });
}
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
