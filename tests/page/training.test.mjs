// The GAN is trained in the page as natively, can be paused, goes on, begins anew, and what is saved is a model.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { after, before, test } from "node:test";
import { difference, file, launch, native, open, part, pixels, press, said, saved } from "./browser.mjs";

let browser, page;
before(async () => {
  browser = await launch();
  page = await open(browser);
});
after(async () => {
  await browser.close();
});

const value = (name) => page.$eval("#train .value-" + name, (cell) => Number(cell.textContent));
const sheet = () => pixels(page, "#train .sheet");

const steps = 3;
// Adam's first steps go as far for a small gradient as for a large one, so that rounding shows: 2 of 255 here.
const rounding = 8;

test("a few steps give the native program's losses and digits", async () => {
  await page.$eval("#train", (panel, most) => (panel.dataset.steps = most), steps);
  await press(page, "#train", "Start");
  await said(page, "#train", `^Paused after ${steps} steps`);
  const out = file("sheet");
  native("train", part("digits.idx"), String(steps), out, file("native.safetensors"));
  const apart = difference(await sheet(), readFileSync(out));
  assert.ok(apart <= rounding, `${apart} of 255`);
  assert.equal(await value("steps"), steps);
  const one = native("train", part("digits.idx"), "1", file("one"), file("one.safetensors")).split("\n").map(Number);
  const points = await page.$eval("#train .line-d", (line) => line.getAttribute("points").split(" ")[0].split(",")[1]);
  assert.equal(Number(points).toFixed(0), (120 * (1 - one[0] / 3)).toFixed(0), "the chart begins with the first step's loss");
});

test("the saved generator is a model that the native program reads, and draws the same digits", async () => {
  const bytes = await saved(page, "#train", "Save generator", "generator.safetensors");
  const numbers = Buffer.from(Float32Array.from({ length: 74 }, (_, i) => Math.sin(i)).buffer);
  const draw = (model, out) => {
    native("draw", model, file("numbers", numbers), file(out));
    return readFileSync(file(out));
  };
  assert.ok(difference(draw(file("generator.safetensors"), "a"), draw(file("native.safetensors"), "b")) <= rounding);
  assert.match(bytes.toString("latin1"), /"network":"generator"/);
});

test("it goes on, pauses, and stands still then", async () => {
  await page.$eval("#train", (panel) => delete panel.dataset.steps);
  await press(page, "#train", "Go on");
  await page.waitForFunction((most) => Number(document.querySelector("#train .value-steps").textContent) > most, {}, 2 * steps);
  await press(page, "#train", "Pause");
  await said(page, "#train", "^Paused");
  const now = await value("steps");
  await pause(500);
  assert.equal(await value("steps"), now);
  assert.notEqual(await page.$eval("#train .line-d", (line) => line.getAttribute("points")), "");
  assert.match(await page.$eval("#train .chart", (chart) => chart.getAttribute("aria-label")), /loss is \d/);
});

test("reset begins anew: the same steps give the same digits", async () => {
  const again = async () => {
    await press(page, "#train", "Reset");
    await said(page, "#train", "^Nothing is trained");
    await page.$eval("#train", (panel) => (panel.dataset.steps = 2));
    await press(page, "#train", "Start");
    await said(page, "#train", "^Paused after 2 steps");
    return sheet();
  };
  assert.equal(difference(await again(), await again()), 0);
});

test("reset while the images are unpacked ends that training", async () => {
  await press(page, "#train", "Reset");
  await press(page, "#train", "Start");
  await press(page, "#train", "Reset");
  await said(page, "#train", "^Nothing is trained");
  await pause(500);
  assert.equal(await page.$eval("#train output", (output) => output.textContent), "Nothing is trained yet.");
  assert.equal(await page.$eval("#train .start", (button) => button.textContent), "Start");
});

test("drawing goes on while it trains", async () => {
  await page.$eval("#train", (panel) => delete panel.dataset.steps);
  await press(page, "#train", "Start");
  await press(page, "#read", "a 5");
  await said(page, "#read", "^It is a 5");
  await press(page, "#train", "Pause");
  await said(page, "#train", "^Paused");
});

test("nothing went wrong in the page", () => assert.deepEqual(page.faults, []));
