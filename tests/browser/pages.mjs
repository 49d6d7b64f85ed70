// The pages in a real browser, from the file system, without a network: nothing on the console, no finding of axe-core, and what
// the list's script does.
//
//     npm install && node pages.mjs FOLDER
//
// FOLDER is what `.ci/pages` makes: list.html with its list.json, long/ and covered/ with others, and any other pages. CHROMIUM names the browser, if not /usr/bin/chromium.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const folder = path.resolve(process.argv[2]);
const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"],
});

function pages(below) {
  return fs.readdirSync(below, { withFileTypes: true }).flatMap((entry) => {
    const at = path.join(below, entry.name);
    return entry.isDirectory() ? pages(at) : at.endsWith(".html") ? [at] : [];
  });
}

/** Opens a page with every request but its own refused, and whatever the console says kept. */
async function open(file, options = {}) {
  const context = await browser.newContext({ offline: true, ...options });
  const page = await context.newPage();
  const said = [];
  const asked = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("request", (request) => asked.push(request.url()));
  const began = performance.now();
  await page.goto(pathToFileURL(file).href);
  const took = performance.now() - began;
  return { page, context, said, asked, took };
}

const looks = [
  ["light", { colorScheme: "light" }],
  ["dark", { colorScheme: "dark" }],
  ["phone", { viewport: { width: 360, height: 740 } }],
];
let findings = 0;
// The long list is of the same parts as the other, and takes a minute to go through.
for (const file of pages(folder).filter((at) => path.basename(path.dirname(at)) !== "long")) {
  for (const [look, options] of looks) {
    const { page, context, said, asked } = await open(file, options);
    await page.evaluate(() => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
    await page.waitForFunction(() => document.querySelector("details > noscript") === null);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    for (const { id, help, nodes } of violations) {
      findings += 1;
      console.error(`${path.relative(folder, file)} (${look}): ${id}: ${help}: ${nodes.length}: ${nodes[0].html.slice(0, 160)}`);
    }
    assert.deepEqual(said, [], `${file}: the console is silent`);
    assert.equal(asked.length, 1, `${file} asks for ${asked.slice(1)}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 1) {
      findings += 1;
      console.error(`${path.relative(folder, file)} (${look}) is ${wide} pixels too wide`);
    }
    await context.close();
  }
}

// The list.
const file = path.join(folder, "list.html");
const list = JSON.parse(fs.readFileSync(path.join(folder, "list.json"), "utf8"));
const { page, took } = await open(file);
const rows = () => page.locator("table.short tbody tr:visible");
const places = async () => (await rows().evaluateAll((all) => all.map((row) => Number(row.dataset.place))));
assert.equal(await rows().count(), list.entries.length);

// Searching for one case leaves its row and its page.
const wanted = list.entries[1].case.entity;
await page.getByLabel("Find in the list").fill(wanted);
assert.deepEqual(await places(), [2]);
assert.equal(await page.locator("article.case:visible").count(), 1);
assert.equal(await page.locator(".tools output").innerText(), `1 of ${list.entries.length} shown`);
await page.getByLabel("Find in the list").fill("nobody is called so");
assert.deepEqual(await places(), []);
await page.getByLabel("Find in the list").fill("");

// Sorting by the keyboard alone.
const everything = await places();
await page.getByRole("button", { name: "Place" }).focus();
await page.keyboard.press("Enter");
assert.deepEqual(await places(), [...everything].reverse());
assert.equal(await page.locator("th[data-sort=place]").getAttribute("aria-sort"), "descending");
await page.getByRole("button", { name: "Case" }).press("Space");
const ids = await rows().evaluateAll((all) => all.map((row) => row.dataset.case));
assert.deepEqual(ids, [...ids].sort((a, b) => a.localeCompare(b)));

// Filtering by what was drawn at random.
const random = list.entries.filter((entry) => entry.drawn === "at_random").length;
if (random > 0) {
  await page.getByLabel("Show").selectOption("random");
  assert.equal(await rows().count(), random);
  await page.getByLabel("Show").selectOption("");
}

// The first stop of the keyboard leads past everything to the cases.
await page.reload();
await page.keyboard.press("Tab");
assert.equal(await page.evaluate(() => document.activeElement.className), "skip");

// Printed, a case has a page of its own and no tools.
await page.emulateMedia({ media: "print" });
assert.equal(await page.locator(".tools").isVisible(), false);
assert.equal(await page.locator("article.case").first().evaluate((one) => getComputedStyle(one).breakBefore), "page");

// Without a script the page says the same.
const plain = await open(file, { javaScriptEnabled: false });
assert.equal(await plain.page.locator("table.short tbody tr").count(), list.entries.length);
assert.equal(await plain.page.locator(".blocked:visible").count(), 0);
const tables = await page.locator("article.case table").count();
assert.ok(tables > list.entries.length);
await plain.page.locator("article.case details").evaluateAll((all) => all.forEach((fold) => { fold.open = true; })).catch(() => {});
assert.equal(await plain.page.locator("article.case table").count(), tables);

// A viewer that runs no script of the page's, and says it runs scripts: what cannot be opened there is said.
{
  const blocked = path.join(folder, "blocked.html");
  const policy = "<meta http-equiv=\"Content-Security-Policy\" content=\"script-src 'none'\">";
  fs.writeFileSync(blocked, fs.readFileSync(file, "utf8").replace("<head>", `<head>${policy}`));
  const kept = await open(blocked);
  await kept.page.locator(".blocked[data-script]").waitFor({ state: "visible" });
  await kept.context.close();
  fs.rmSync(blocked);
}

await plain.context.close();

// A list of 200 places is under 5 MB.
const long = path.join(folder, "long", "list.html");
assert.ok(fs.statSync(long).size < 5_000_000, `${fs.statSync(long).size} bytes`);
{
  const { page: all, took: opening } = await open(long);
  // Told, and not asserted: it hangs on the machine.
  const ready = await all.evaluate(() => performance.getEntriesByType("navigation")[0].domInteractive);
  console.log(`200 places: ready in ${Math.round(ready)} ms, whole in ${Math.round(opening)} ms; ${list.entries.length} places in ${Math.round(took)} ms`);
  await all.getByLabel("Find in the list").fill("nobody is called so");
  assert.equal(await all.locator("table.short tbody tr:visible").count(), 0);
}

/** Whatever the page saves on clicking. */
async function saved(page, to) {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Save the decisions to a file" }).click(),
  ]);
  await download.saveAs(path.join(folder, to));
  return JSON.parse(fs.readFileSync(path.join(folder, to), "utf8"));
}
// The day is one on which the list may be used.
const april = new Date("2025-04-10T09:00:00Z");

// Deciding: nothing has an answer by default, and what is missing is said.
{
  const { page, said, asked } = await open(file);
  const form = (place) => page.locator(`form.decision[data-place="${place}"]`);
  // Today the list has expired: the page says so, and keeps nothing.
  assert.equal(await page.locator(".expired").isVisible(), true);
  await form(1).getByRole("button", { name: "Keep this decision" }).click();
  assert.match(await form(1).locator("[data-told]").last().innerText(), /was good until/);
  await page.clock.setFixedTime(april);
  assert.equal(await page.locator("form.decision input:checked").count(), 0);
  await form(1).getByRole("button", { name: "Keep this decision" }).click();
  assert.match(await form(1).locator("[data-told]").last().innerText(), /the next step; whether you agree; why, in words/);
  for (const [place, step] of [[1, "Offer the family support"], [3, "Do nothing"]]) {
    await form(place).getByLabel(step).check();
    await form(place).getByLabel("It cannot be told").check();
    await form(place).getByLabel("Why, in words").fill("made in a browser <script>alert(1)</script>");
    await form(place).getByRole("button", { name: "Keep this decision" }).press("Enter");
    assert.match(await form(place).locator("[data-told]").last().innerText(), /^Kept/);
  }
  await page.getByRole("button", { name: "Save the decisions to a file" }).click();
  assert.match(await page.locator("#reviewer [data-told]").innerText(), /who you are/);
  await page.getByLabel("Your name").fill("C. Worker");
  await page.getByLabel("Your role").fill("early help worker");
  const made = await saved(page, "decisions.json");
  assert.equal(made.run, list.audit.run_id);
  assert.deepEqual(made.decisions.map((one) => [one.place, one.case, one.step, one.agreement, one.decided_on]), [
    [1, list.entries[0].case.entity, "offer_support", "cannot_tell", "2025-04-10"],
    [3, list.entries[2].case.entity, "no_action", "cannot_tell", "2025-04-10"],
  ]);
  assert.deepEqual([said, asked.filter((url) => !url.startsWith("blob:")).length], [[], 1]);
}

// Own judgement first: place, band and reasons are covered until there is one, and then it stands.
{
  const covered = JSON.parse(fs.readFileSync(path.join(folder, "covered", "list.json"), "utf8"));
  const { page, said } = await open(path.join(folder, "covered", "list.html"));
  await page.clock.setFixedTime(april);
  const article = page.locator("article.case").first();
  const place = Number(await article.locator("form.decision").getAttribute("data-place"));
  // Nothing tells where a case stands: no link, no filter, no search of what is covered.
  const ids = await page.locator("article.case").evaluateAll((all) => all.map((one) => one.id));
  assert.deepEqual(ids, ids.map((_, nth) => `case-${nth + 1}`));
  assert.equal(await page.locator("article.case .random:visible, article.random:visible, table.short .random:visible").count(), 0);
  assert.equal(await page.getByLabel("Show").locator("option", { hasText: /random|last list/ }).count(), 0);
  await page.getByLabel("Find in the list").fill("of scores");
  assert.equal(await page.locator("table.short tbody tr:visible").count(), 0);
  await page.getByLabel("Find in the list").fill("");
  const cover = article.locator("details.cover");
  assert.equal(await article.getByText("of scores").first().isVisible(), false);
  await cover.locator("summary").first().press("Enter");
  assert.equal(await cover.getAttribute("open"), null);
  assert.match(await article.locator(".own [data-told]").innerText(), /own judgement first/);
  await article.locator(".own textarea").fill("settled");
  await cover.locator("summary").first().press("Enter");
  assert.notEqual(await cover.getAttribute("open"), null);
  assert.equal(await article.locator(".own textarea").evaluate((one) => one.readOnly), true);
  await article.getByLabel("Do nothing").check();
  await article.getByLabel("I disagree").check();
  await article.getByLabel("Why, in words").fill("made in a browser");
  await article.getByRole("button", { name: "Keep this decision" }).click();
  assert.match(await article.locator("form.decision [data-told]").innerText(), /a reason/);
  await article.getByLabel("Reason", { exact: true }).selectOption("known");
  await article.getByRole("button", { name: "Keep this decision" }).click();
  await page.getByLabel("Your name").fill("C. Worker");
  await page.getByLabel("Your role").fill("early help worker");
  const made = await saved(page, path.join("covered", "decisions.json"));
  const [one] = made.decisions;
  assert.deepEqual([one.place, one.case, one.own_judgement, one.reason_code], [place, covered.entries[place - 1].case.entity, "settled", "known"]);
  assert.deepEqual(said, []);
}

await browser.close();
assert.equal(findings, 0, `${findings} findings`);
console.log(`${pages(folder).length} pages, ${looks.length} looks each: no finding, a silent console, nothing asked for`);
