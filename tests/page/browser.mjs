// A browser of the system with the page in it, and what tests look at.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, extname, join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
export const site = process.env.EIGAN_PAGE ?? join(root, "build/page-test/page");
const require = createRequire(join(root, "build/page-test/package.json"));
const puppeteer = require("puppeteer-core");
export const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const scratch = mkdtempSync(join(tmpdir(), "eigan-page-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));

const chromium = (
  "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update " +
  "--disable-sync --disable-dev-shm-usage"
).split(" ");

/** Saves what is downloaded in the scratch folder, and has the colours and the motion that its user prefers. */
function firefox(dark, still) {
  const extraPrefsFirefox = {
    "browser.download.folderList": 2,
    "browser.download.dir": scratch,
    "layout.css.prefers-color-scheme.content-override": dark ? 0 : 1,
    "ui.prefersReducedMotion": still ? 1 : 0,
  };
  return puppeteer.launch({ browser: "firefox", executablePath: "/usr/bin/firefox-esr", headless: true, extraPrefsFirefox });
}

/** EIGAN_BROWSER: chromium, the default, or firefox. */
export async function launch({ dark = false, still = false } = {}) {
  if (process.env.EIGAN_BROWSER === "firefox") return firefox(dark, still);
  const userDataDir = join(scratch, "profile" + Math.random().toString(36).slice(2));
  const browser = await puppeteer.launch({ executablePath: "/usr/bin/chromium", headless: true, userDataDir, args: chromium });
  browser.preferences = [
    { name: "prefers-color-scheme", value: dark ? "dark" : "light" },
    { name: "prefers-reduced-motion", value: still ? "reduce" : "no-preference" },
  ];
  return browser;
}

/** A server of a folder, for this machine only. */
export function serve(folder) {
  const types = { ".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".gz": "application/octet-stream" };
  const asked = [];
  const server = createServer((request, answer) => {
    const path = new URL(request.url, "http://page").pathname;
    asked.push(`${request.method} ${path}`);
    try {
      const bytes = readFileSync(join(folder, path === "/" ? "index.html" : path));
      answer.writeHead(200, { "content-type": types[extname(path === "/" ? ".html" : path)] ?? "text/html" }).end(bytes);
    } catch {
      answer.writeHead(404).end();
    }
  });
  return new Promise((done) =>
    server.listen(0, "127.0.0.1", () =>
      done({ address: `http://127.0.0.1:${server.address().port}/`, asked, close: () => server.close() }),
    ),
  );
}

export const fromDisk = pathToFileURL(join(site, "page.html")).href;

/** The page, ready; what goes wrong in it is a failure of the test. */
export async function open(browser, address = fromDisk, prepare = async () => {}) {
  const page = await browser.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(error.message));
  page.on("console", (message) => message.type() === "error" && page.faults.push(message.text()));
  page.setDefaultTimeout(120000);
  await page.setViewport({ width: 1100, height: 900 });
  if (browser.preferences) await page.emulateMediaFeatures(browser.preferences);
  await prepare(page);
  await page.goto(address);
  await page.waitForSelector("body[data-ready=yes]");
  return page;
}

/** Waits until a panel says what matches. */
export async function said(page, panel, pattern) {
  const output = `${panel} output`;
  await page.waitForFunction((at, p) => new RegExp(p).test(document.querySelector(at).textContent), {}, output, pattern);
  return page.$eval(output, (element) => element.textContent);
}

/** The bytes of a canvas, four a pixel. */
export async function pixels(page, selector) {
  const text = await page.$eval(selector, (canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let letters = "";
    for (const byte of data) letters += String.fromCharCode(byte);
    return btoa(letters);
  });
  return Buffer.from(text, "base64");
}
export const rows = (page, selector) => page.$eval(selector, (canvas) => canvas.height);

/** Where a part of an element is on the screen, from 0 to 1 each way. */
export async function places(page, selector, points) {
  const element = await page.$(selector);
  await element.scrollIntoView();
  const box = await element.boundingBox();
  return points.map(([x, y]) => [box.x + x * box.width, box.y + y * box.height]);
}
/** A stroke by mouse. */
export async function stroke(page, selector, points) {
  const [first, ...others] = await places(page, selector, points);
  await page.mouse.move(...first);
  await page.mouse.down();
  for (const place of others) await page.mouse.move(...place, { steps: 4 });
  await page.mouse.up();
}

export const press = (page, panel, name) =>
  page.$$eval(
    `${panel} button`,
    (buttons, text) => buttons.find((button) => button.textContent === text).click(),
    name,
  );

/** A command of the page's native side; its standard output. */
export const native = (...words) => execFileSync(process.env.EIGAN_PAGE_NATIVE ?? join(root, "build/release/bin/eigan_page"), words, { encoding: "utf8" });
export const part = (name) => join(process.env.EIGAN_PAGE_PARTS ?? join(root, "build/page-parts"), name);
export function file(name, bytes) {
  const path = join(scratch, name);
  if (bytes) writeFileSync(path, bytes);
  return path;
}

/** The largest difference of two pictures. */
export function difference(a, b) {
  if (a.length !== b.length) throw new Error(`pictures of ${a.length} and ${b.length} bytes`);
  return a.reduce((most, byte, i) => Math.max(most, Math.abs(byte - b[i])), 0);
}

/** The file of that name that a click on a button saves. */
export async function saved(page, panel, button, name) {
  if (process.env.EIGAN_BROWSER !== "firefox") {
    const client = await page.createCDPSession();
    await client.send("Page.setDownloadBehavior", { behavior: "allow", downloadPath: scratch });
  }
  await press(page, panel, button);
  // Firefox puts an empty file there first.
  for (let i = 0; i < 600 && !statSync(file(name), { throwIfNoEntry: false })?.size; i++) await pause(100);
  return readFileSync(file(name));
}
