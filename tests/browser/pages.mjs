// The pages in a real browser, from the file system, without a network: nothing on the console, no finding of axe-core, and what
// the list's script does.
//
//     npm install && node pages.mjs FOLDER
//
// FOLDER holds list.html with its list.json, and any other pages. CHROMIUM names the browser, if not /usr/bin/chromium.
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
for (const file of pages(folder)) {
  for (const [look, options] of looks) {
    const { page, context, said, asked } = await open(file, options);
    await page.evaluate(() => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    for (const { id, help, nodes } of violations) {
      findings += 1;
      console.error(`${path.relative(folder, file)} (${look}): ${id}: ${help}: ${nodes.length}: ${nodes[0].html.slice(0, 160)}`);
    }
    assert.deepEqual(said, [], `${file}: the console is silent`);
    assert.equal(asked.length, 1, `${file} asks for ${asked.slice(1)}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 1, `${file} (${look}) is ${wide} pixels too wide`);
    await context.close();
  }
}

// The list.
const file = path.join(folder, "list.html");
const list = JSON.parse(fs.readFileSync(path.join(folder, "list.json"), "utf8"));
const { page, took } = await open(file);
assert.ok(took < 1000, `it took ${took} ms to open`);
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

await browser.close();
assert.equal(findings, 0, `${findings} findings`);
console.log(`${pages(folder).length} pages, ${looks.length} looks each: no finding, a silent console, nothing asked for`);
