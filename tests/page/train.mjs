// Trains in the page for some seconds and saves the generator: node tests/page/train.mjs SECONDS OUT
import { writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { launch, open, press, said, saved } from "./browser.mjs";

const [seconds, out] = process.argv.slice(2);
const browser = await launch();
const page = await open(browser);
await press(page, "#train", "Start");
await pause(1000 * Number(seconds));
await press(page, "#train", "Pause");
console.log(await said(page, "#train", "^Paused"));
writeFileSync(out, await saved(page, "#train", "Save generator", "generator.safetensors"));
await (await page.$("#train")).screenshot({ path: out + ".png" });
await browser.close();
