// The page as files: how large they are, what it asks for, what it says where something is missing.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fromDisk, launch, open, press, said, serve, site } from "./browser.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser.close();
});

const million = 1e6;
const size = (name) => statSync(join(site, name)).size;

test("the folder has at most 3 MB, the single file at most 4", () => {
  const folder = readdirSync(site).filter((name) => name !== "page.html");
  const all = folder.reduce((sum, name) => sum + size(name), 0);
  assert.ok(all <= 3 * million, `${all} bytes`);
  assert.ok(size("page.html") <= 4 * million, `${size("page.html")} bytes`);
});

test("from a server, without special headers, it asks for its own files and for nothing else, ever", async () => {
  const server = await serve(site);
  const page = await open(browser, server.address);
  await press(page, "#read", "a 2");
  await said(page, "#read", "^It is a 2");
  await page.$eval("#train", (panel) => (panel.dataset.steps = 1));
  await press(page, "#train", "Start");
  await said(page, "#train", "^Paused after 1 step");
  const files = readdirSync(site).map((name) => `GET /${name}`);
  for (const asked of server.asked) assert.ok(asked === "GET /" || files.includes(asked), asked);
  const once = server.asked.filter((asked) => asked !== "GET /worker.js"); // there are two workers
  assert.equal(new Set(once).size, once.length, "each once");
  assert.ok(!server.asked.includes("GET /page.html"));
  assert.deepEqual(page.faults, []);
  await page.close();
  server.close();
});

test("the single file asks for nothing at all, and nothing may be sent from it", async () => {
  const asked = [];
  const page = await open(browser, fromDisk, async (page) =>
    page.on("request", (request) => /^(blob|data):/.test(request.url()) || asked.push(request.url())),
  );
  await press(page, "#read", "a 3");
  await said(page, "#read", "^It is a 3");
  assert.deepEqual(asked.filter((address) => address !== fromDisk), []);
  const sent = await page.evaluate(() => fetch("http://127.0.0.1:9/", { method: "POST", body: "picture" }).then(() => "sent", () => "refused"));
  assert.equal(sent, "refused");
  assert.match(await page.$eval("header", (header) => header.textContent), /no\s+picture leaves the browser/);
  await page.close();
});

test("a damaged model is told", async () => {
  const page = await browser.newPage();
  const server = await serve(site);
  await page.setRequestInterception(true);
  page.on("request", (request) =>
    request.url().endsWith("recogniser.safetensors.gz") ? request.respond({ status: 200, body: "no model" }) : request.continue(),
  );
  await page.goto(server.address);
  await page.waitForFunction(() => /could not start/.test(document.querySelector("#state").textContent));
  assert.match(await page.$eval("#state", (state) => state.textContent), /the model: at byte 0: expected/);
  await page.close();
  server.close();
});

for (const [what, prepare, text] of [
  ["WebAssembly", () => delete globalThis.WebAssembly, /no WebAssembly/],
  ["SIMD", () => (WebAssembly.validate = () => false), /no SIMD/],
])
  test(`without ${what} it says so, and shows no panels`, async () => {
    const page = await browser.newPage();
    await page.evaluateOnNewDocument(prepare);
    await page.goto(fromDisk);
    await page.waitForSelector("#sorry:not([hidden])");
    assert.match(await page.$eval("#sorry", (sorry) => sorry.textContent), text);
    assert.ok(await page.$eval("#panels", (panels) => panels.hidden));
    await page.close();
  });

test("without JavaScript it says so", () => {
  assert.match(readFileSync(join(site, "page.html"), "utf8"), /<noscript>.*needs JavaScript/);
});

test("the check for SIMD is a module that this browser takes", async () => {
  const page = await open(browser);
  assert.ok(await page.$eval("#sorry", (sorry) => sorry.hidden));
  await page.close();
});
