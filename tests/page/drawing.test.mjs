// Strokes by mouse, finger, pen and keys; undo, redo, clear, eraser, brush, examples.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, open, pixels, places, press, stroke } from "./browser.mjs";

const paper = "#read .paper";
let browser, page;
before(async () => {
  browser = await launch();
  page = await open(browser);
});
after(async () => {
  await browser.close();
});

const ink = async () => (await pixels(page, paper)).reduce((sum, byte, i) => sum + (i % 4 === 0 && byte < 128), 0);
/** What a pointer of a kind does, point by point. */
const point = async (kind, points, details = {}) => {
  const all = await places(page, paper, points);
  await page.evaluate(
    (selector, pointerType, places, more) => {
      const element = document.querySelector(selector);
      element.setPointerCapture = () => {};
      const send = (type, [clientX, clientY]) =>
        element.dispatchEvent(new PointerEvent(type, { pointerId: 7, pointerType, clientX, clientY, bubbles: true, ...more }));
      send("pointerdown", places[0]);
      for (const place of places.slice(1)) send("pointermove", place);
      send("pointerup", places.at(-1));
    },
    paper,
    kind,
    all,
    details,
  );
};

test("a stroke by mouse leaves ink where it went", async () => {
  await stroke(page, paper, [[0.5, 0.2], [0.5, 0.8]]);
  const bytes = await pixels(page, paper);
  const at = (x, y) => bytes[(Math.round(y * 224) * 224 + Math.round(x * 224)) * 4];
  assert.equal(at(0.5, 0.5), 0);
  assert.equal(at(0.3, 0.5), 255);
});

test("undo, redo and clear are steps of one history", async () => {
  const one = await ink();
  await stroke(page, paper, [[0.2, 0.5], [0.8, 0.5]]);
  const two = await ink();
  assert.ok(two > one && one > 0);
  await press(page, "#read", "Undo");
  assert.equal(await ink(), one);
  await press(page, "#read", "Redo");
  assert.equal(await ink(), two);
  await press(page, "#read", "Clear");
  assert.equal(await ink(), 0);
  await press(page, "#read", "Undo");
  assert.equal(await ink(), two);
  await press(page, "#read", "Undo");
  await press(page, "#read", "Undo");
  assert.equal(await ink(), 0);
  assert.ok(await page.$eval("#read .undo", (button) => button.disabled));
});

test("fingers and pens draw; a pen's other end and the eraser take away", async () => {
  await press(page, "#read", "Redo");
  const one = await ink();
  await point("touch", [[0.1, 0.1], [0.4, 0.1]]);
  const two = await ink();
  assert.ok(two > one);
  await point("pen", [[0.6, 0.1], [0.9, 0.1]]);
  const three = await ink();
  assert.ok(three > two);
  await point("pen", [[0.6, 0.1], [0.9, 0.1]], { button: 5 });
  assert.ok((await ink()) < three);
  await press(page, "#read", "Eraser");
  await stroke(page, paper, [[0.1, 0.1], [0.4, 0.1]]);
  await press(page, "#read", "Eraser");
  assert.ok((await ink()) < two);
  assert.equal(await page.$eval(paper, (element) => getComputedStyle(element).touchAction), "none");
});

test("a second finger does not disturb the first", async () => {
  await press(page, "#read", "Clear");
  await page.$eval(paper, (element) => {
    element.setPointerCapture = () => {};
    const box = element.getBoundingClientRect();
    const send = (type, pointerId, x) =>
      element.dispatchEvent(new PointerEvent(type, { pointerId, pointerType: "touch", clientX: box.left + x, clientY: box.top + 50 }));
    send("pointerdown", 1, 50);
    send("pointerdown", 2, 150);
    send("pointermove", 2, 190);
    send("pointerup", 2, 190);
    send("pointerup", 1, 50);
  });
  const dots = await ink();
  await press(page, "#read", "Undo");
  assert.ok(dots > 0 && dots < 1000, `${dots} pixels`);
});

test("a wider brush leaves more ink", async () => {
  const draw = async (width) => {
    await page.$eval("#read .brush", (input, value) => (input.value = value), width);
    await press(page, "#read", "Clear");
    await stroke(page, paper, [[0.2, 0.5], [0.8, 0.5]]);
    return ink();
  };
  const thin = await draw(1);
  const thick = await draw(4);
  assert.ok(thick > 3 * thin, `${thin} and ${thick}`);
  await page.$eval("#read .brush", (input) => (input.value = 2));
});

test("keys alone draw, erase and undo", async () => {
  await page.focus(paper);
  await page.keyboard.press("Delete");
  assert.equal(await ink(), 0);
  await page.keyboard.press(" ");
  for (let i = 0; i < 5; i++) await page.keyboard.press("ArrowDown");
  await page.keyboard.down("Shift");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.up("Shift");
  await page.keyboard.press(" ");
  const drawn = await ink();
  assert.ok(drawn > 500, `${drawn} pixels`);
  await page.keyboard.press("ArrowDown");
  assert.equal(await ink(), drawn, "a lifted pen leaves no ink");
  await page.keyboard.down("Control");
  await page.keyboard.press("z");
  assert.equal(await ink(), 0);
  await page.keyboard.press("y");
  await page.keyboard.up("Control");
  assert.equal(await ink(), drawn);
});

test("examples begin a drawing, which can be undone", async () => {
  const old = await ink();
  await press(page, "#read", "an 8");
  assert.notEqual(await ink(), old);
  await press(page, "#read", "Undo");
  assert.equal(await ink(), old);
});

test("nothing went wrong in the page", () => assert.deepEqual(page.faults, []));
