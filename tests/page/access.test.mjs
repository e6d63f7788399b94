// For everybody: axe, light and dark, wide and narrow, keys alone, reduced motion.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { axe, launch, open, press, root, said, stroke } from "./browser.mjs";

const pictures = join(root, "build/page-test/screenshots");
let browser;
before(async () => {
  browser = await launch();
  mkdirSync(pictures, { recursive: true });
});
after(async () => {
  await browser.close();
});

for (const colours of ["light", "dark"])
  for (const [width, name] of [[1200, "wide"], [360, "narrow"]])
    test(`${colours} and ${name}: axe finds nothing serious, and nothing is cut off`, async (test) => {
      const browser = await launch({ dark: colours === "dark" });
      test.after(() => browser.close());
      const page = await open(browser, undefined, (page) => page.setViewport({ width, height: 800 }));
      await press(page, "#read", "an 8");
      await said(page, "#read", "^It is an 8");
      await stroke(page, "#walk .plane", [[0.2, 0.2], [0.8, 0.7]]);
      await page.waitForSelector("#walk .way:not([hidden])");
      await page.$eval("#train", (panel) => (panel.dataset.steps = 2));
      await press(page, "#train", "Start");
      await said(page, "#train", "^Paused");
      await page.screenshot({ path: join(pictures, `${process.env.EIGAN_BROWSER ?? "chromium"}_${colours}_${name}.png`), fullPage: true });
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => axe.run(document));
      const found = violations.map(({ id, impact, nodes }) => `${impact}: ${id}: ${nodes.map((n) => n.html).join("; ")}`);
      assert.deepEqual(found, []);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(overflow <= 0, `${overflow} pixels too wide`);
    });

test("keys alone reach and work everything", async () => {
  const page = await open(browser);
  const reached = new Set();
  const focused = () =>
    page.evaluate(() => {
      const element = document.activeElement;
      const panel = element.closest("section")?.id ?? "";
      return `${panel} ${element.getAttribute("class") ?? element.textContent.trim()}`;
    });
  for (let i = 0; i < 120; i++) {
    await page.keyboard.press("Tab");
    const at = await focused();
    if (reached.has(at)) continue;
    reached.add(at);
    if (at === "read paper") {
      await page.keyboard.press(" ");
      for (let k = 0; k < 12; k++) await page.keyboard.press("ArrowDown");
      await page.keyboard.press(" ");
      await said(page, "#read", "^(It is|Perhaps)");
    }
    if (at === "walk plane") {
      await page.keyboard.press("ArrowRight");
      await page.keyboard.press("ArrowDown");
      await page.waitForSelector("#walk .way:not([hidden])");
    }
    if (at === "train start") {
      await page.$eval("#train", (panel) => (panel.dataset.steps = 1));
      await page.keyboard.press("Enter");
      await said(page, "#train", "^Paused after 1 ");
    }
  }
  const buttons = await page.$$eval("main button:not(:disabled), main select, main input, main [tabindex]", (all) =>
    all.filter((e) => !e.matches(":disabled")).map((e) => `${e.closest("section").id} ${e.getAttribute("class") ?? e.textContent.trim()}`),
  );
  assert.deepEqual([...new Set(buttons)].filter((name) => !reached.has(name)), []);
  assert.deepEqual(page.faults, []);
  await page.close();
});

test("what has the focus shows it", async () => {
  const page = await open(browser);
  await page.keyboard.press("Tab");
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.equal(outline, "solid");
  await page.focus("#read .paper");
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.$eval("#read .cursor", (cursor) => getComputedStyle(cursor).display), "block");
  await page.close();
});

test("with reduced motion a way is walked in few, slow steps", async (test) => {
  const browser = await launch({ still: true });
  test.after(() => browser.close());
  const page = await open(browser);
  await stroke(page, "#walk .plane", [[0.2, 0.2], [0.8, 0.7]]);
  await page.evaluate(() => {
    window.stops = new Set();
    const dot = document.querySelector("#walk .dot");
    new MutationObserver(() => window.stops.add(dot.getAttribute("cx"))).observe(dot, { attributes: true });
  });
  await press(page, "#walk", "Walk the way");
  await page.waitForFunction(() => window.stops.size === 12);
});
