// What the page shows is what the native program gives, within 1/255.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { difference, file, launch, native, open, part, pixels, press, root, rows, said, saved, stroke } from "./browser.mjs";

let browser, page;
before(async () => {
  browser = await launch();
  page = await open(browser);
});
after(async () => {
  await browser.close();
});

/** What the recogniser says in the page. */
const probabilities = () => page.$$eval("#read meter", (meters) => meters.map((meter) => meter.value));
/** The page answers to the last stroke only; this waits until it has. */
const quiet = (panel, pattern) => new Promise((done) => setTimeout(done, 300)).then(() => said(page, panel, pattern));

const seven = [[0.3, 0.25], [0.7, 0.25], [0.45, 0.8]];

test("a drawn 7 is read, with the native program's probabilities", async () => {
  await stroke(page, "#read .paper", seven);
  assert.match(await quiet("#read", "^It is a"), /^It is a 7, (9\d|100)/);
  const drawing = file("seven", await pixels(page, "#read .paper"));
  const expected = native("read", part("recogniser.safetensors"), drawing, "224").trim().split("\n").map(Number);
  const found = await probabilities();
  expected.forEach((p, digit) => assert.ok(Math.abs(p - found[digit]) < 1 / 255, `${digit}: ${p} and ${found[digit]}`));
});

test("mnist_recogniser reads the saved drawing as the page does", async () => {
  await saved(page, "#read", "Save drawing", "digit.png");
  const program = process.env.MNIST_RECOGNISER ?? join(root, "build/release/bin/mnist_recogniser");
  const answer = execFileSync(program, ["recognise", file("digit.png")], { encoding: "utf8" });
  assert.match(answer, /: 7 {2}(9\d|100)/);
});

test("every example is read as what it is called", async () => {
  for (const name of ["a 2", "a 3", "a 5", "an 8"]) {
    await press(page, "#read", name);
    assert.match(await quiet("#read", "^(It is|Perhaps)"), new RegExp(`^It is ${name},`));
  }
});

test("a drawing of no digit is told, and the next one is read", async () => {
  await press(page, "#read", "Clear");
  await said(page, "#read", "^Draw a digit");
  await stroke(page, "#read .paper", [[0.1, 0.5], [0.15, 0.5]]);
  await stroke(page, "#read .paper", [[0.9, 0.5], [0.85, 0.5]]);
  assert.match(await quiet("#read", "found"), /^Expected .*, found .*\.$/);
  await press(page, "#read", "a 3");
  await said(page, "#read", "^It is a 3");
});

test("the generator's digit is the native one, wherever the sliders stand", async () => {
  await press(page, "#walk", "Middle");
  for (const [slider, value] of [[0, 1.5], [4, -2], [9, 0.35]]) {
    await page.$$eval(
      "#walk .sliders input",
      (inputs, i, v) => {
        inputs[i].value = v;
        inputs[i].dispatchEvent(new Event("input"));
      },
      slider,
      value,
    );
    await quiet("#walk", "^Drawn");
    const numbers = await page.$$eval("#walk .sliders input", (inputs) => inputs.map((input) => input.valueAsNumber));
    const out = file("digit");
    native("draw", part("generator.safetensors"), file("numbers", Buffer.from(Float32Array.from(numbers).buffer)), out);
    assert.ok(difference(await pixels(page, "#walk .digit"), readFileSync(out)) <= 1);
  }
});

test("a way drawn on the map moves the sliders, and its digits are shown", async () => {
  assert.ok(await page.$eval("#walk .way", (way) => way.hidden));
  await stroke(page, "#walk .plane", [[0.2, 0.2], [0.5, 0.8], [0.9, 0.4]]);
  await page.waitForSelector("#walk .way:not([hidden])");
  const [first, second] = await page.$$eval("#walk .sliders input", (inputs) => inputs.map((input) => input.valueAsNumber));
  assert.ok(Math.abs(first - 2) < 0.1, `across: ${first}`);
  assert.ok(Math.abs(second + 0.5) < 0.1, `down: ${second}`);
  await page.waitForFunction(() => document.querySelector("#walk .way").width === 12 * 28);
});

for (const [name, lines] of [["edges2fashion", "hard"], ["outline2fluent", "soft"]])
  test(`${name}: what is painted is the native picture, at each stroke`, async () => {
    const panel = "#" + name;
    const compare = async () => {
      await quiet(panel, "^Painted");
      const drawing = file("drawing", await pixels(page, `${panel} .paper`));
      const out = file("painted");
      native("paint", part(name + ".safetensors"), drawing, String(await rows(page, `${panel} .paper`)), lines, out);
      const painted = await pixels(page, `${panel} .picture`);
      assert.ok(difference(painted, readFileSync(out)) <= 1);
      return painted;
    };
    const before = await compare();
    await stroke(page, `${panel} .paper`, [[0.2, 0.5], [0.8, 0.6]]);
    const after = await compare();
    assert.ok(difference(before, after) > 8, "the stroke changes the picture");
  });

test("examples have lines as wide as those that the models learnt from: what they enclose is filled", async () => {
  // A place inside, red, green and blue there: the T-shirt lies on black, the face on white.
  const middle = async (panel, example, x, y) => {
    await press(page, panel, example);
    await quiet(panel, "^Painted");
    const side = await rows(page, `${panel} .picture`);
    const at = 4 * (Math.floor(y * side) * side + Math.floor(x * side));
    return (await pixels(page, `${panel} .picture`)).subarray(at, at + 3);
  };
  assert.ok((await middle("#edges2fashion", "T-shirt", 0.5, 0.6))[0] > 64);
  const [red, , blue] = await middle("#outline2fluent", "Face", 0.5, 0.3);
  assert.ok(red - blue > 64, `${red} red, ${blue} blue`);
});

test("nothing went wrong in the page", () => assert.deepEqual(page.faults, []));
